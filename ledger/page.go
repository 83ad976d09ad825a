package ledger

import (
	"context"
	"errors"
	"time"
)

// maxExamined bounds the rows that one Page looks at.
const maxExamined = 20 * MaxPage

// Page implements [Ledger]. A filter that the list's order does not serve (see [Query]) is applied to at most 20,000 rows a
// call: when they hold fewer matches than Limit the page is shorter, perhaps empty, and has a Next all the same. Only an
// empty Next is the end. The pages of a list that grows while it is read are still in order and without repetitions.
func (b *Book) Page(ctx context.Context, q Query) (Page, error) {
	s, r := newScan(q)
	if r != nil {
		return Page{}, r
	}
	if q.Reference != "" && q.ofDocuments() {
		return s.referenced(ctx, b)
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
	seen  sight
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
	if !s.at.encloses(p) {
		return nil, invalid("after", "the cursor is of no item of this query") // which bounds serve, and no look at the rows
	}
	s.pass(p)
	return s, nil
}

// encloses reports whether a place is between the bounds.
func (r *Range) encloses(p Position) bool {
	return (r.After == nil || p.Compare(*r.After) > 0) && (r.Before == nil || p.Compare(*r.Before) < 0)
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
	examined, stride := 0, DefaultPage
	for {
		// One item more than is wanted tells whether there is a next page.
		s.at.Limit = min(s.limit-len(page.Items)+1, MaxPage)
		if s.q.filters() {
			s.at.Limit = min(max(s.at.Limit, stride), MaxPage)
			stride *= 2 // what is rare is looked for in greater strides
		}
		rows, err := b.store.Scan(ctx, b.name, s.at)
		if err != nil {
			return Page{}, storeError(err)
		}
		items, err := s.items(ctx, b, &rows)
		if err != nil {
			return Page{}, err
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

// at is the list that is read: that of the query, or another one that knows its items by an account or owner.
func (q *Query) at() List {
	switch {
	case q.List == ListAccounts && q.Owner != "":
		return ListOwned // the same order, fewer rows
	case (q.List == ListTransactions || q.List == ListHolds) && q.Account != AccountID{}:
		return ListLines // the account's own history knows them, without a look at anybody else's
	default:
		return q.List
	}
}

// bounds is the part of the list that the query's own fields leave: everything that the list's order can serve.
func (q *Query) bounds() Range {
	r := Range{List: q.at(), Backward: q.Backward}
	switch r.List {
	case ListAccounts, ListOwned:
		r.Owner = q.Owner
		r.After, r.Before = pathBounds(q.Path)
		return r
	case ListLines, ListOpenHolds:
		r.Account = q.Account
	case ListDocuments:
		r.Kind = q.Kind
	case ListDossier:
		r.Owner = q.Owner
	case ListVersions:
		r.Document = q.Document
		return r
	case ListFeed:
		return r // it is not in the order of time
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

// found is an item of a list, with its place and whether it passes the filters.
type found struct {
	Item
	at      Position
	matches bool
}

// items takes the rows of a page of the list that is read.
func (s *scan) items(ctx context.Context, b *Book, rows *Rows) ([]found, error) {
	q := &s.q
	if s.at.List == ListLines && q.List != ListLines {
		return s.behind(ctx, b, rows.Lines)
	}
	if err := s.seen.look(ctx, b, q, rows); err != nil {
		return nil, err
	}
	items := make([]found, 0, len(rows.Accounts)+len(rows.Lines)+len(rows.Transactions)+len(rows.Holds)+
		len(rows.Documents)+len(rows.Versions)+len(rows.Feed))
	for i := range rows.Accounts {
		a := &rows.Accounts[i]
		items = append(items, found{Item{Account: a}, a.Position(), q.matchesAccount(a)})
	}
	for i := range rows.Lines {
		l := &rows.Lines[i]
		items = append(items, found{Item{Line: l}, l.Position(), s.seen.matchesLine(q, l)})
	}
	for i := range rows.Transactions {
		t := &rows.Transactions[i]
		items = append(items, found{Item{Transaction: t}, t.Position(), s.seen.matchesTransaction(q, t)})
	}
	for i := range rows.Holds {
		h := &rows.Holds[i]
		at := h.Position()
		if q.List == ListDueHolds {
			at = h.DuePosition()
		}
		items = append(items, found{Item{Hold: h}, at, s.seen.matchesHold(q, h)})
	}
	for i := range rows.Documents {
		d := &rows.Documents[i]
		items = append(items, found{Item{Document: d}, q.documentAt(d), q.matchesDocument(d)})
	}
	for i := range rows.Versions {
		d := &rows.Versions[i]
		items = append(items, found{Item{Document: d}, d.VersionPosition(), q.matchesVersion(d)})
	}
	for i := range rows.Feed {
		c := &rows.Feed[i]
		items = append(items, found{Item{Change: c}, c.FeedPosition(), s.seen.matchesChange(q, c)})
	}
	return items, nil
}

// documentAt is a document's place in the list.
func (q *Query) documentAt(d *Document) Position {
	if q.List == ListDueDocuments {
		return d.DuePosition()
	}
	return d.Position()
}

// referenced is the page of the one document that has a reference, if it is in the part of the list that is asked for.
func (s *scan) referenced(ctx context.Context, b *Book) (Page, error) {
	d, err := b.ByReference(ctx, s.q.Reference)
	if errors.Is(err, ErrDocumentNotFound) {
		return Page{}, nil
	}
	if err != nil {
		return Page{}, err
	}
	at := s.q.documentAt(&d)
	if !s.q.matchesDocument(&d) || s.q.List == ListDueDocuments && d.Due.IsZero() || !s.at.encloses(at) {
		return Page{}, nil
	}
	return Page{Items: []Item{{Cursor: encodeCursor(s.hash, at), Document: &d}}}, nil
}
