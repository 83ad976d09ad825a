package ledgertest

import (
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/koshpay/kosh/ledger"
)

var snapshotChecks = []Check{
	{
		Name:   "what-was-written-is-seen",
		Rule:   "Once Update has returned nil, every Read, Scan and Update that begins afterwards sees what it wrote.",
		Advice: "Commit before returning; no cache, replica or batch that a later reader can miss.",
		Run:    checkSeen,
	},
	{
		Name:   "reads-are-one-snapshot",
		Rule:   "Read, Scan and the rows given to decide are one snapshot: rows that are written together are seen together, or not at all.",
		Advice: "Read all kinds of rows in one transaction (repeatable read), and apply a write under one lock or in one commit.",
		Run:    checkSnapshot,
	},
	{
		Name:   "pages-stand-still-under-writes",
		Rule:   "While others write, paging through a list finds every row that was there from the beginning, once, in order.",
		Advice: "Continue from the position given, never from an offset or a number of rows.",
		Run:    checkPagesUnderWrites,
	},
}

func checkSeen(t *T) {
	sc := newScribe(t, t.Open(), "book")
	account := ledger.AccountID{Path: "wallet/alice", Asset: "USD"}
	d := sc.entry()
	d.open(account, ledger.Asset, "alice", ledger.Terms{})
	d.record()
	for range each {
		d := sc.entry()
		d.line(ledger.Line{Account: account, Kind: ledger.LinePosted, Side: ledger.Debit, Amount: sc.amount(account, 1)})
		d.write.Sequences = []ledger.SequenceRow{{Name: "s", Last: uint64(sc.count)}} //nolint:gosec // small
		d.record()
		sc.find("right after the update", ledger.Names{Accounts: []ledger.AccountID{account}, Keys: []string{d.key}, Sequences: []string{"s"}},
			ledger.Rows{Accounts: d.write.Accounts, Keys: d.write.Keys, Sequences: d.write.Sequences})
		sc.comparePage(ledger.Range{List: ledger.ListLines, Account: account, Backward: true, Limit: 2})
		if t.Failed() {
			return
		}
	}
}

// checkSnapshot has writers move a cent between two accounts, and number a document and a sequence along with it; whoever
// looks must find the cents complete and the numbers equal.
func checkSnapshot(t *T) {
	sc := newScribe(t, t.Open(), "book")
	a, b := ledger.AccountID{Path: "wallet/alice", Asset: "USD"}, ledger.AccountID{Path: "wallet/bob", Asset: "USD"}
	doc := ledger.DocumentID{Kind: "k", ID: "1"}
	d := sc.entry()
	d.open(a, ledger.Asset, "both", ledger.Terms{})
	d.open(b, ledger.Asset, "both", ledger.Terms{})
	d.document(ledger.Document{DocumentID: doc})
	d.write.Sequences = []ledger.SequenceRow{{Name: "s", Last: 1}}
	d.record()

	names := ledger.Names{Accounts: []ledger.AccountID{a, b}, Documents: []ledger.DocumentID{doc}, Sequences: []string{"s"}}
	torn := func(who string, rows ledger.Rows) {
		if len(rows.Accounts) != 2 || len(rows.Documents) != 1 || len(rows.Sequences) != 1 {
			t.Errorf("%s found %s", who, rowText(rows))
			return
		}
		sum, err := rows.Accounts[0].Posted.Add(rows.Accounts[1].Posted)
		v := rows.Accounts[0].Version
		if err != nil || sum.Sign() != 0 || v != rows.Accounts[1].Version || v != rows.Documents[0].Version || v != rows.Sequences[0].Last {
			t.Errorf("%s found rows of different moments: %s", who, rowText(rows))
		}
	}
	var finished atomic.Bool
	t.Together(4, func(i int) {
		if i == 0 {
			defer finished.Store(true)
			for range each * 4 {
				d := sc.entry()
				d.post(a, b, sc.amount(a, 1), ledger.Note{})
				d.document(ledger.Document{DocumentID: doc})
				d.write.Sequences = []ledger.SequenceRow{{Name: "s", Last: d.accounts[a].Version}}
				d.record()
				pause()
			}
			return
		}
		for !finished.Load() && !t.Failed() {
			switch i {
			case 1:
				rows, err := sc.store.Read(t.Context(), sc.book, names)
				if err != nil {
					t.Errorf("Read: %v", err)
				}
				torn("Read", rows)
			case 2:
				err := sc.store.Update(t.Context(), sc.book, names, func(found ledger.Rows) (ledger.Rows, ledger.Names, error) {
					torn("decide", found)
					return ledger.Rows{}, ledger.Names{}, nil
				})
				if err != nil {
					t.Errorf("Update: %v", err)
				}
			case 3:
				rows, err := sc.store.Scan(t.Context(), sc.book, ledger.Range{List: ledger.ListOwned, Owner: "both", Limit: 10})
				if err != nil || len(rows.Accounts) != 2 || rows.Accounts[0].Version != rows.Accounts[1].Version {
					t.Errorf("Scan found rows of different moments: %s (%v)", rowText(rows), err)
				}
			}
		}
	})
	sc.compareAll()
}

func checkPagesUnderWrites(t *T) {
	sc := newScribe(t, t.Open(), "book")
	var there []string
	w := ledger.Rows{}
	for i := range 60 {
		there = append(there, fmt.Sprintf("there %02d", i))
		w.Keys = append(w.Keys, ledger.KeyRow{Key: there[i], Inputs: []byte("{}")})
	}
	sc.write(w)
	for round := range 6 {
		r := ledger.Range{List: ledger.ListKeys, Limit: 3 + round, Backward: round%2 == 1}
		var found []string
		for page := 0; ; page++ {
			rows, err := sc.store.Scan(t.Context(), sc.book, r)
			if err != nil {
				t.Fatalf("Scan of %s: %v", describe(r), err)
			}
			for _, k := range rows.Keys {
				if n := len(found); n > 0 && (found[n-1] < k.Key) == r.Backward {
					t.Errorf("paging found %q and then %q (%s)", found[n-1], k.Key, describe(r))
				}
				found = append(found, k.Key)
			}
			if len(rows.Keys) < r.Limit || t.Failed() {
				break
			}
			at := rows.Keys[len(rows.Keys)-1].Position()
			if r.Backward {
				r.Before = &at
			} else {
				r.After = &at
			}
			if page >= 5 {
				continue // enough to shift everything behind it
			}
			for i, near := range []string{"a", at.A, there[30], "z"} { // before, right behind, in the middle and after
				if key := fmt.Sprintf("%s %d.%d.%d", near, round, page, i); len(key) < ledger.MaxKeyBytes {
					sc.write(ledger.Rows{Keys: []ledger.KeyRow{{Key: key, Inputs: []byte("{}")}}})
				}
			}
		}
		if r.Backward {
			slices.Reverse(found)
		}
		next := 0
		for _, key := range found {
			if next < len(there) && key == there[next] {
				next++
			}
		}
		if next < len(there) {
			t.Errorf("paging while others wrote did not find %q in its place", there[next])
		}
		if t.Failed() {
			return
		}
	}
}
