package ledger

import (
	"fmt"
	"slices"
	"time"

	"github.com/koshpay/kosh/currency"
)

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
	byLine
	byChange
)

var filterNames = [...]string{
	"account", "document", "kind", "owner", "path", "asset", "state", "type", "reference", "since", "line", "change",
}

// filtersOf says which fields of a query a list needs, which its order or another list's serves, and which are asked row by
// row. It is the table of [Query].
var filtersOf = [...]struct{ needs, serves, asks filter }{
	ListAccounts:     {0, byOwner | byPath, byAsset | byType | byState | byTime},
	ListOwned:        {byOwner, byPath, byAsset | byType | byState | byTime},
	ListLines:        {byAccount, byTime, byLine | byReference},
	ListTransactions: {0, byAccount | byTime, byOwner | byAsset | byReference},
	ListHolds:        {0, byAccount | byTime, byOwner | byAsset | byState | byReference},
	ListOpenHolds:    {byAccount, byTime, byReference},
	ListDueHolds:     {0, byTime, byAccount | byOwner | byAsset | byReference},
	ListDocuments:    {0, byKind | byReference | byTime, byOwner | byState},
	ListDossier:      {byOwner, byReference | byTime, byKind | byState},
	ListDueDocuments: {0, byReference | byTime, byKind | byOwner | byState},
	ListVersions:     {byDocument, 0, byOwner | byState | byTime},
	ListFeed:         {0, 0, byAccount | byDocument | byKind | byOwner | byAsset | byState | byReference | byTime | byChange},
}

func (q *Query) given() filter {
	var f filter
	for i, given := range [...]bool{
		q.Account != AccountID{}, q.Document != DocumentID{}, q.Kind != "", q.Owner != "", q.Path != "", q.Asset != "",
		q.State != "", q.Type != 0, q.Reference != "", !q.Since.IsZero() || !q.Until.IsZero(),
		q.Line != 0, q.Change != 0,
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
		case given&bit != 0 && (allowed.needs|allowed.serves|allowed.asks)&bit == 0:
			return invalid(name, fmt.Sprintf("does not apply to the list of %v", q.List))
		}
	}
	return checkFilters(q)
}

func checkFilters(q Query) *Refusal {
	if q.Account.isStriped() {
		return invalid("account.path", "lists of one account are of one part of a striped account")
	}
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
	if r := checkTime("until", q.Until); r != nil {
		return r
	}
	return checkWords(q)
}

// checkWords refuses what no row can have, so that a misspelt state does not read as an empty list.
func checkWords(q Query) *Refusal {
	switch {
	case int(q.Type) >= len(typeNames):
		return invalid("type", "no such type of account")
	case int(q.Line) >= len(lineNames):
		return invalid("line", "no such kind of line")
	case int(q.Change) >= len(changeNames):
		return invalid("change", "no such kind of change")
	}
	states := accountStates[:]
	switch q.List {
	case ListAccounts, ListOwned:
	case ListHolds:
		states = holdNames[1:]
	default: // a document's states are the host's
		return nil
	}
	if q.State != "" && !slices.Contains(states, q.State) {
		return invalid("state", fmt.Sprintf("one of %v", states))
	}
	return nil
}

// filters reports whether rows inside the bounds may still be no match.
func (q *Query) filters() bool {
	if q.at() == ListLines && q.List != ListLines {
		return true // not every line tells of a transaction or hold
	}
	return q.given()&filtersOf[q.List].asks != 0
}

// ofDocuments reports whether the list is of current documents.
func (q *Query) ofDocuments() bool {
	return q.List == ListDocuments || q.List == ListDossier || q.List == ListDueDocuments
}

// accountStates are the states of accounts, see [Query].
var accountStates = [...]string{"open", "frozen", "closed"}

func (t *Terms) state() string {
	switch {
	case t.Closed:
		return "closed"
	case t.DebitsFrozen || t.CreditsFrozen:
		return "frozen"
	default:
		return "open"
	}
}

// within reports whether a moment is in the time asked for.
func (q *Query) within(at time.Time) bool {
	return (q.Since.IsZero() || !at.Before(q.Since)) && (q.Until.IsZero() || at.Before(q.Until))
}

func (q *Query) matchesAccount(a *AccountInfo) bool {
	return (q.Asset == "" || a.ID.Asset == q.Asset) && (q.Type == 0 || a.Type == q.Type) && (q.Owner == "" || a.Owner == q.Owner) &&
		(q.State == "" || a.Terms.state() == q.State) && q.within(a.OpenedAt)
}

func (q *Query) matchesDocument(d *Document) bool {
	return (q.Kind == "" || d.Kind == q.Kind) && (q.Owner == "" || d.Owner == q.Owner) && (q.State == "" || d.State == q.State)
}

func (q *Query) matchesVersion(d *Document) bool {
	return q.matchesDocument(d) && q.within(d.UpdatedAt)
}

func (s *sight) matchesLine(q *Query, l *Line) bool {
	return (q.Line == 0 || l.Kind == q.Line) && (q.Reference == "" ||
		s.transactions[l.Transaction].says(q.Reference) || s.holds[l.Hold].says(q.Reference))
}

func (s *sight) matchesTransaction(q *Query, t *Transaction) bool {
	return (q.Reference == "" || t.says(q.Reference)) && s.touches(t, "", q.Asset, "") && s.touches(t, "", "", q.Owner)
}

func (s *sight) matchesHold(q *Query, h *Hold) bool {
	return (q.Reference == "" || h.says(q.Reference)) && (q.State == "" || h.State.String() == q.State) &&
		(q.List != ListDueHolds || q.Account == AccountID{} || h.Account == q.Account) &&
		(q.Asset == "" || h.Account.Asset == q.Asset) && (q.Owner == "" || s.owners[h.Account] == q.Owner)
}

func (s *sight) matchesChange(q *Query, c *Change) bool {
	if q.Change != 0 && c.Kind != q.Change || q.Document != (DocumentID{}) && c.Document != q.Document ||
		q.Kind != "" && c.Document.Kind != q.Kind || q.State != "" && c.State != q.State || !q.within(c.RecordedAt) {
		return false
	}
	switch c.Kind {
	case ChangeTransaction:
		t := s.transactions[c.Transaction]
		return (q.Reference == "" || t.says(q.Reference)) &&
			s.touches(t, q.Account.Path, q.Account.Asset, "") && s.touches(t, "", q.Asset, "") && s.touches(t, "", "", q.Owner)
	case ChangeDocument, ChangeErasure:
		v := s.versions[VersionID{c.Document, c.Version}]
		return q.Account == (AccountID{}) && q.Asset == "" &&
			(q.Owner == "" || v.Owner == q.Owner) && (q.Reference == "" || slices.Contains(v.References, q.Reference))
	case ChangeAccount, ChangeHold:
	}
	return (q.Account == AccountID{} || c.Account == q.Account) && (q.Asset == "" || c.Account.Asset == q.Asset) &&
		(q.Owner == "" || s.owners[c.Account] == q.Owner) && (q.Reference == "" || s.holds[c.Hold].says(q.Reference))
}

// touches reports whether a transaction has a posting on an account of this path, asset and owner; an empty one is any.
func (s *sight) touches(t *Transaction, path string, asset currency.AssetID, owner string) bool {
	return path == "" && asset == "" && owner == "" || slices.ContainsFunc(t.Postings, func(p Posting) bool {
		return (path == "" || p.Account.Path == path) && (asset == "" || p.Account.Asset == asset) && (owner == "" || s.owners[p.Account] == owner)
	})
}

func (t *Transaction) says(reference string) bool { return t != nil && t.Reference == reference }

func (h *Hold) says(reference string) bool { return h != nil && h.Reference == reference }
