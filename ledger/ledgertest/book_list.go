package ledgertest

import (
	"fmt"
	"slices"
	"time"

	"github.com/koshpay/kosh/ledger"
)

var bookListChecks = []Check{{
	Name:   "queries-equal-brute-force",
	Rule:   "Every query, whatever its filters, direction and page size, finds what a look at all rows finds.",
	Advice: "The ledger filters what Scan returns: look at lists-equal-brute-force and bounds-equal-brute-force first.",
	Run:    checkQueries,
}}

// checkQueries fills a book through Record and compares filtered pages with a look at every row.
func checkQueries(t *T) {
	te := newTeller(t, t.Open())
	people := []string{"alice", "bob", "alice/savings", "alicia", "al"}
	te.openWallets(10_000, people...)
	var middle []time.Time
	for i := range 60 {
		who, whom := walletOf(people[i%5]), walletOf(people[(i+1+i%3)%5])
		post := transfer(who, whom, int64(1+i))
		post.Reference = fmt.Sprintf("post/%d", i%4)
		hold := ledger.PlaceHold{Account: who, Amount: usd(1)}
		hold.Reference = post.Reference
		if i%2 == 0 {
			hold.ExpiresAt = te.Now().Add(time.Duration(1+i%7) * time.Hour)
		}
		receipt := te.must(fmt.Sprintf("entry %d", i), post, hold, ledger.PutDocument{
			DocumentID: ledger.DocumentID{Kind: []string{"tip", "payout"}[i%2], ID: fmt.Sprint(i / 2)}, Owner: people[i%3], State: []string{"new", "sent", "done"}[i%3],
			Due: []time.Time{{}, epoch.Add(time.Duration(i) * time.Second)}[i%2],
		})
		middle = append(middle, receipt.RecordedAt)
	}
	te.numberAll()
	since, until := middle[20], middle[45]
	note := func(reference string) func(ledger.Note) bool {
		return func(n ledger.Note) bool { return n.Reference == reference }
	}
	between := func(at time.Time) bool { return !at.Before(since) && at.Before(until) }
	for _, q := range []struct {
		ledger.Query
		keep func(any) bool
	}{
		{ledger.Query{List: ledger.ListAccounts}, nil},
		{ledger.Query{List: ledger.ListAccounts, Type: ledger.Liability}, func(r any) bool { return r.(ledger.AccountInfo).Type == ledger.Liability }},
		{ledger.Query{List: ledger.ListAccounts, Path: "wallet/"}, func(r any) bool { return r.(ledger.AccountInfo).ID.Path != bank.Path }},
		{ledger.Query{List: ledger.ListAccounts, Path: "wallet/alice/"}, func(r any) bool { return r.(ledger.AccountInfo).ID.Path == "wallet/alice/savings" }},
		{ledger.Query{List: ledger.ListAccounts, Path: "wallet/alice"}, func(r any) bool { return r.(ledger.AccountInfo).ID.Path == "wallet/alice" }},
		{ledger.Query{List: ledger.ListAccounts, Asset: "EUR"}, func(any) bool { return false }},
		{ledger.Query{List: ledger.ListOwned, Owner: "bob"}, nil},
		{ledger.Query{List: ledger.ListLines, Account: walletOf("bob")}, nil},
		{ledger.Query{List: ledger.ListLines, Account: walletOf("bob"), Since: since, Until: until}, func(r any) bool { return between(r.(ledger.Line).RecordedAt) }},
		{ledger.Query{List: ledger.ListTransactions, Since: since, Until: until}, func(r any) bool { return between(r.(ledger.Transaction).RecordedAt) }},
		{ledger.Query{List: ledger.ListTransactions, Reference: "post/2"}, func(r any) bool { return note("post/2")(r.(ledger.Transaction).Note) }},
		{ledger.Query{List: ledger.ListHolds, Reference: "post/3", Until: until}, func(r any) bool {
			return note("post/3")(r.(ledger.Hold).Note) && r.(ledger.Hold).PlacedAt.Before(until)
		}},
		{ledger.Query{List: ledger.ListDueHolds}, nil},
		{ledger.Query{List: ledger.ListDocuments, Kind: "tip", State: "sent"}, func(r any) bool { return r.(ledger.Document).State == "sent" }},
		{ledger.Query{List: ledger.ListDocuments, Kind: "payout", Owner: "bob", Since: since}, func(r any) bool {
			return r.(ledger.Document).Owner == "bob" && !r.(ledger.Document).CreatedAt.Before(since)
		}},
		{ledger.Query{List: ledger.ListDossier, Owner: "alice"}, nil},
		{ledger.Query{List: ledger.ListDossier, Owner: "alice", Kind: "payout"}, func(r any) bool { return r.(ledger.Document).Kind == "payout" }},
		{ledger.Query{List: ledger.ListDueDocuments, State: "done"}, func(r any) bool { return r.(ledger.Document).State == "done" }},
		{ledger.Query{List: ledger.ListVersions, Document: ledger.DocumentID{Kind: "tip", ID: "3"}}, nil},
		{ledger.Query{List: ledger.ListFeed}, nil},
		{ledger.Query{List: ledger.ListOpenHolds, Account: walletOf("bob")}, nil},
		{ledger.Query{List: ledger.ListOpenHolds, Account: walletOf("alice"), Reference: "post/1"}, func(r any) bool { return note("post/1")(r.(ledger.Hold).Note) }},
		{ledger.Query{List: ledger.ListDocuments}, nil},
		{ledger.Query{List: ledger.ListDocuments, Owner: "bob", State: "done"}, func(r any) bool {
			return r.(ledger.Document).Owner == "bob" && r.(ledger.Document).State == "done"
		}},
		{ledger.Query{List: ledger.ListHolds, Account: walletOf("al")}, func(r any) bool { return r.(ledger.Hold).Account == walletOf("al") }},
		{ledger.Query{List: ledger.ListTransactions, Account: walletOf("alicia"), Since: since}, func(r any) bool {
			x := r.(ledger.Transaction)
			return !x.RecordedAt.Before(since) && slices.ContainsFunc(x.Postings, func(p ledger.Posting) bool { return p.Account == walletOf("alicia") })
		}},
	} {
		all, err := scanAll(t.Context(), te.store, tellersBook, ledger.Range{List: q.List, Account: q.Account, Document: q.Document, Kind: q.Kind, Owner: q.Owner, Limit: ledger.MaxPage})
		if err != nil {
			t.Fatalf("%v", err)
		}
		want := itemTexts(slices.DeleteFunc(all, func(i item) bool { return q.keep != nil && !q.keep(i.row) }))
		for _, limit := range []int{1, 7, ledger.MaxPage} {
			for _, backward := range []bool{false, true} {
				q.Limit, q.Backward = limit, backward
				if diff := diffLines(want, te.pages(q.Query)); diff != "" {
					t.Errorf("pages of %d of query %s differ from brute force (- wanted, + found):\n%s", limit, rowText(q.Query), diff)
				}
			}
			if t.Failed() {
				return
			}
		}
	}
	te.audit()
}

// pages reads a query page by page, and returns its items first to last.
func (te *teller) pages(q ledger.Query) []string {
	var found []string
	for {
		page, err := te.Page(te.t.Context(), q)
		if err != nil {
			te.t.Fatalf("Page of %s: %v", rowText(q), err)
		}
		for _, i := range page.Items {
			found = append(found, itemText(i))
		}
		if page.Next == "" || te.t.Failed() {
			break
		}
		q.After = page.Next
	}
	if q.Backward {
		slices.Reverse(found)
	}
	return found
}

// itemText is the row of an item.
func itemText(i ledger.Item) string {
	switch {
	case i.Account != nil:
		return rowText(*i.Account)
	case i.Line != nil:
		return rowText(*i.Line)
	case i.Transaction != nil:
		return rowText(*i.Transaction)
	case i.Hold != nil:
		return rowText(*i.Hold)
	case i.Document != nil:
		return rowText(*i.Document)
	case i.Change != nil:
		return rowText(*i.Change)
	default:
		return "an item with nothing"
	}
}
