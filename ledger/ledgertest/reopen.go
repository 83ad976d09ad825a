package ledgertest

import (
	"github.com/koshpay/kosh/ledger"
)

var reopenChecks = []Check{{
	Name:   "reopening-keeps-all",
	Rule:   "What an Update that returned nil wrote is there after a restart, in every list; what it refused is not; and the book goes on from there.",
	Advice: "Update returns after the commit is durable. State kept beside the data (counters, caches, lazily written rows) must be recovered on opening.",
	Reopen: true,
	Run:    checkReopen,
}}

func checkReopen(t *T) {
	sc := newScribe(t, t.Open(), "book")
	sc.fill()
	before, err := Dump(t.Context(), sc.store, sc.book)
	if err != nil {
		t.Fatalf("%v", err)
	}
	if err := writeRows(t.Context(), sc.store, sc.book, ledger.Rows{Keys: []ledger.KeyRow{{Key: "entry-1"}, {Key: "beside"}}}); err == nil {
		t.Errorf("a key was written twice")
	}
	for range 2 {
		sc.store = t.Reopen(sc.store)
		after, err := Dump(t.Context(), sc.store, sc.book)
		if err != nil {
			t.Fatalf("%v", err)
		}
		if diff := Diff(before, after); diff != "" {
			t.Errorf("the dump after a restart differs (- before, + after):\n%s", diff)
		}
		sc.compareAll()
		d := sc.entry()
		d.post(ledger.AccountID{Path: "bank/cash", Asset: "USD"}, ledger.AccountID{Path: awkwardPaths[0], Asset: "USD"}, sc.amount(ledger.AccountID{Asset: "USD"}, 1), ledger.Note{})
		d.record()
		sc.number(1)
		if before, err = Dump(t.Context(), sc.store, sc.book); err != nil {
			t.Fatalf("%v", err)
		}
	}
	if err := writeRows(t.Context(), sc.store, sc.book, ledger.Rows{Keys: []ledger.KeyRow{{Key: "entry-1"}}}); err == nil {
		t.Errorf("after a restart a key was written a second time")
	}
}
