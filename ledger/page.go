package ledger

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// maxExamined bounds the rows that one Page looks at.
const maxExamined = 20 * MaxPage

// Page implements [Ledger]. A filter that no index serves is applied to at most 20,000 rows a call: when they hold fewer
// matches than Limit the page is shorter, perhaps empty, and has a Next all the same. Only an empty Next is the end. The
// pages of a list that grows while it is read are still in order and without repetitions.
func (b *Book) Page(ctx context.Context, q Query) (Page, error) {
	s, r := newScan(q)
	if r != nil {
		return Page{}, r
	}
	return s.page(ctx, b)
}

// scan is a query on its way through a list.
type scan struct {
	q     Query
	hash  [cursorQuery]byte
	at    Range
	limit int
	told  ID // the transaction that the last line was of, when lines are read for their transactions
}

func newScan(q Query) (*scan, *Refusal) {
	q.Since, q.Until = moment(q.Since), moment(q.Until)
	if r := checkQuery(q); r != nil {
		return nil, r
	}
	s := &scan{q: q, hash: queryHash(q), limit: q.Limit}
	if s.limit == 0 {
		s.limit = DefaultPage
	}
	s.at = q.bounds()
	if q.After == "" {
		return s, nil
	}
	p, r := decodeCursor(s.hash, q.After)
	if r != nil {
		return nil, r
	}
	s.pass(p)
	return s, nil
}

// pass goes on beyond a position.
func (s *scan) pass(p Position) {
	if s.q.Backward {
		s.at.Before = &p
	} else {
		s.at.After = &p
	}
}

func (s *scan) page(ctx context.Context, b *Book) (Page, error) {
	var page Page
	var last Position // of the last row that is on the page or was left out of it
	examined := 0
	for {
		// One item more than is wanted tells whether there is a next page.
		s.at.Limit = min(s.limit-len(page.Items)+1, MaxPage)
		if s.q.filters() {
			s.at.Limit = min(max(s.at.Limit, DefaultPage), MaxPage)
		}
		rows, err := b.store.Scan(ctx, b.name, s.at)
		if err != nil {
			return Page{}, storeError(err)
		}
		items := s.q.items(&rows)
		if s.at.List != s.q.List && s.at.List == ListLines {
			if items, err = s.behind(ctx, b, rows.Lines); err != nil {
				return Page{}, err
			}
		}
		for _, it := range items {
			if it.matches {
				if len(page.Items) == s.limit {
					page.Next = page.Items[s.limit-1].Cursor
					return page, nil
				}
				it.Cursor = encodeCursor(s.hash, it.at)
				page.Items = append(page.Items, it.Item)
			}
			last = it.at
		}
		if len(items) < s.at.Limit {
			return page, nil
		}
		if examined += len(items); examined >= maxExamined {
			page.Next = encodeCursor(s.hash, last)
			return page, nil
		}
		s.pass(last)
	}
}

// filter is a bit a filter of a query.
type filter uint16

const (
	byAccount filter = 1 << iota
	byDocument
	byKind
	byOwner
	byPath
	byAsset
	byState
	byType
	byReference
	byTime
)

var filterNames = [...]string{"account", "document", "kind", "owner", "path", "asset", "state", "type", "reference", "since"}

// filtersOf says which fields of a query a list needs and which it may have.
var filtersOf = [...]struct{ needs, may filter }{
	ListAccounts:     {0, byOwner | byPath | byAsset | byType},
	ListOwned:        {byOwner, byPath | byAsset | byType},
	ListLines:        {byAccount, byTime},
	ListTransactions: {0, byAccount | byAsset | byReference | byTime},
	ListHolds:        {0, byAccount | byAsset | byReference | byState | byTime},
	ListDocuments:    {0, byKind | byOwner | byState | byTime},
	ListDossier:      {byOwner, byKind | byState | byTime},
	ListVersions:     {byDocument, 0},
	ListFeed:         {0, 0},
	ListDueHolds:     {0, byAsset | byReference},
	ListDueDocuments: {0, byKind | byOwner | byState},
	ListOpenHolds:    {byAccount, byReference | byTime},
}

func (q *Query) given() filter {
	var f filter
	for i, given := range [...]bool{
		q.Account != AccountID{}, q.Document != DocumentID{}, q.Kind != "", q.Owner != "", q.Path != "", q.Asset != "",
		q.State != "", q.Type != 0, q.Reference != "", !q.Since.IsZero() || !q.Until.IsZero(),
	} {
		if given {
			f |= 1 << i
		}
	}
	return f
}

func checkQuery(q Query) *Refusal {
	if int(q.List) >= len(filtersOf) || q.List == 0 || q.List > ListDueDocuments && q.List < ListOpenHolds {
		return invalid("list", fmt.Sprintf("no list with items: %d", uint8(q.List)))
	}
	if q.Limit < 0 || q.Limit > MaxPage {
		return invalid("limit", fmt.Sprintf("is 1 to %d, or 0 for %d", MaxPage, DefaultPage))
	}
	given, allowed := q.given(), filtersOf[q.List]
	for i, name := range filterNames {
		switch bit := filter(1) << i; {
		case allowed.needs&bit != 0 && given&bit == 0:
			return invalid(name, fmt.Sprintf("the list of %v needs it", q.List))
		case given&bit != 0 && (allowed.needs|allowed.may)&bit == 0:
			return invalid(name, fmt.Sprintf("does not apply to the list of %v", q.List))
		}
	}
	return checkFilters(q)
}

func checkFilters(q Query) *Refusal {
	if q.Account != (AccountID{}) {
		if r := checkAccount(q.Account); r != nil {
			return within("account", r)
		}
	}
	if q.Document != (DocumentID{}) {
		if r := checkDocumentID(q.Document); r != nil {
			return within("document", r)
		}
	}
	if q.Path != "" {
		path := q.Path
		if path[len(path)-1] == '/' {
			path = path[:len(path)-1]
		}
		if r := checkPath(path); r != nil {
			return r
		}
	}
	for _, n := range []struct{ field, value string }{
		{"kind", q.Kind}, {"owner", q.Owner}, {"state", q.State}, {"reference", q.Reference}, {"asset", string(q.Asset)},
	} {
		if r := checkName(n.field, n.value, MaxReferenceBytes); r != nil {
			return r
		}
	}
	if r := checkTime("since", q.Since); r != nil {
		return r
	}
	return checkTime("until", q.Until)
}

// bounds is the part of the list that the query's own fields leave: everything that the list's order can serve.
func (q *Query) bounds() Range {
	r := Range{List: q.List, Account: q.Account, Document: q.Document, Backward: q.Backward}
	switch q.List {
	case ListAccounts, ListOwned:
		if q.Owner != "" {
			r.List, r.Owner = ListOwned, q.Owner // the same order, fewer rows
		}
		r.After, r.Before = pathBounds(q.Path)
		return r
	case ListTransactions, ListHolds:
		if q.Account != (AccountID{}) {
			r.List = ListLines // the account's own history knows them, without a look at anybody else's
		}
	case ListDocuments:
		r.Kind = q.Kind
	case ListDossier:
		r.Owner = q.Owner
	default: // the others have no part but by time
	}
	if !q.Since.IsZero() {
		r.After = justBefore(q.Since)
	}
	if !q.Until.IsZero() {
		r.Before = &Position{Time: q.Until} // every row has a number or a name besides its time
	}
	return r
}

// justBefore is a place after all rows of earlier times and before those of this one.
func justBefore(t time.Time) *Position { return &Position{Time: t} }

// pathBounds encloses a path, or everything below one that ends in a slash, using that '0' follows '/' and that no
// path has a space.
func pathBounds(path string) (after, before *Position) {
	switch {
	case path == "":
		return nil, nil
	case path[len(path)-1] == '/':
		return &Position{A: path}, &Position{A: path[:len(path)-1] + "0"}
	default:
		return &Position{A: path}, &Position{A: path + " "}
	}
}

// filters reports whether rows inside the bounds may still be no match.
func (q *Query) filters() bool {
	f := q.given() &^ (filtersOf[q.List].needs | byTime | byPath)
	switch q.List {
	case ListAccounts:
		f &^= byOwner
	case ListDocuments:
		f &^= byKind
	default: // the others have no index for a filter
	}
	return f != 0
}

// found is an item of a list, with its place and whether it passes the filters.
type found struct {
	Item
	at      Position
	matches bool
}

// items takes the rows of a page of the list.
func (q *Query) items(rows *Rows) []found {
	items := make([]found, 0, len(rows.Accounts)+len(rows.Lines)+len(rows.Transactions)+len(rows.Holds)+
		len(rows.Documents)+len(rows.Versions)+len(rows.Feed))
	for i := range rows.Accounts {
		a := &rows.Accounts[i]
		items = append(items, found{Item{Account: a}, a.Position(), q.matchesAccount(a)})
	}
	for i := range rows.Lines {
		l := &rows.Lines[i]
		items = append(items, found{Item{Line: l}, l.Position(), true})
	}
	for i := range rows.Transactions {
		t := &rows.Transactions[i]
		items = append(items, found{Item{Transaction: t}, t.Position(), q.matchesTransaction(t)})
	}
	for i := range rows.Holds {
		h := &rows.Holds[i]
		at := h.Position()
		if q.List == ListDueHolds {
			at = h.DuePosition()
		}
		items = append(items, found{Item{Hold: h}, at, q.matchesHold(h)})
	}
	for i := range rows.Documents {
		d := &rows.Documents[i]
		at := d.Position()
		if q.List == ListDueDocuments {
			at = d.DuePosition()
		}
		items = append(items, found{Item{Document: d}, at, q.matchesDocument(d)})
	}
	for i := range rows.Versions {
		d := &rows.Versions[i]
		items = append(items, found{Item{Document: d}, d.VersionPosition(), true})
	}
	for i := range rows.Feed {
		c := &rows.Feed[i]
		items = append(items, found{Item{Change: c}, c.FeedPosition(), true})
	}
	return items
}

func (q *Query) matchesAccount(a *AccountInfo) bool {
	return (q.Asset == "" || a.ID.Asset == q.Asset) && (q.Type == 0 || a.Type == q.Type) && (q.Owner == "" || a.Owner == q.Owner)
}

func (q *Query) matchesTransaction(t *Transaction) bool {
	return q.matchesNote(t.Note) && (q.Asset == "" ||
		slices.ContainsFunc(t.Postings, func(p Posting) bool { return p.Account.Asset == q.Asset }))
}

func (q *Query) matchesHold(h *Hold) bool {
	return q.matchesNote(h.Note) && (q.Asset == "" || h.Account.Asset == q.Asset) && (q.State == "" || h.State.String() == q.State)
}

func (q *Query) matchesNote(n Note) bool { return q.Reference == "" || n.Reference == q.Reference }

func (q *Query) matchesDocument(d *Document) bool {
	return (q.Kind == "" || d.Kind == q.Kind) && (q.Owner == "" || d.Owner == q.Owner) && (q.State == "" || d.State == q.State)
}
