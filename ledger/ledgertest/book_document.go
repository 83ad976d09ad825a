package ledgertest

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/koshpay/kosh/ledger"
)

var bookDocumentChecks = []Check{
	{
		Name:   "one-writer-wins-a-version",
		Rule:   "Of many writers that replace the same version of a document at once, one succeeds and the others are told that it is at another version.",
		Advice: "Guard documents, absent ones too (every-kind-of-row-is-guarded, absent-rows-are-guarded).",
		Run:    checkVersions,
	},
	{
		Name:   "a-reference-has-one-document",
		Rule:   "Of many documents that claim the same reference at once, one gets it.",
		Advice: "Guard absent references, as absent keys (absent-rows-are-guarded).",
		Run:    checkReferences,
	},
	{
		Name:   "leases-are-exclusive",
		Rule:   "Of many workers that lease at once, each due document goes to one, until the lease is over; an entry with a lost lease is refused.",
		Advice: "Guard leases, absent ones too; list due documents as they are (lists-follow-their-rows).",
		Run:    checkLeases,
	},
	{
		Name:   "the-feed-has-no-gaps",
		Rule:   "Writers and several sequencers at once make a feed that has every change once, positions 1 to n, in the order of each document and account.",
		Advice: "Guard pending rows and sequences; delete pending rows in the write that adds their changes; list them in their order.",
		Run:    checkFeed,
	},
}

func checkVersions(t *T) {
	te := newTeller(t, t.Open())
	id := ledger.DocumentID{Kind: "k", ID: "1"}
	for version := range uint64(10) {
		var outcomes tally
		t.Together(writers, func(i int) {
			_, err := te.Record(t.Context(), ledger.Entry{Key: fmt.Sprintf("put %d %d", version, i), Commands: []ledger.Command{
				ledger.PutDocument{DocumentID: id, Version: version, State: fmt.Sprint(i)},
			}})
			outcomes.add(err)
		})
		if outcomes.of["accepted"] != 1 || outcomes.of[string(ledger.ErrVersion)] != writers-1 {
			t.Errorf("%d writers replaced version %d: %v", writers, version, &outcomes)
			return
		}
	}
	te.audit()
}

func checkReferences(t *T) {
	te := newTeller(t, t.Open())
	for round := range 10 {
		reference := fmt.Sprintf("reference %d", round)
		var outcomes tally
		t.Together(writers, func(i int) {
			_, err := te.Record(t.Context(), ledger.Entry{Key: fmt.Sprintf("claim %d %d", round, i), Commands: []ledger.Command{
				ledger.PutDocument{DocumentID: ledger.DocumentID{Kind: "k", ID: fmt.Sprintf("%d %d", round, i)}, References: []string{reference}},
			}})
			outcomes.add(err)
		})
		if outcomes.of["accepted"] != 1 || outcomes.of[string(ledger.ErrReferenceTaken)] != writers-1 {
			t.Errorf("%d documents claimed one reference: %v", writers, &outcomes)
			return
		}
		doc, err := te.ByReference(t.Context(), reference)
		if err != nil || !slices.Contains(doc.References, reference) {
			t.Errorf("the reference leads to %s (%v)", rowText(doc), err)
		}
	}
	te.audit()
}

func checkLeases(t *T) {
	te := newTeller(t, t.Open())
	const documents = 40
	for i := range documents {
		te.must(fmt.Sprintf("put %d", i), ledger.PutDocument{DocumentID: ledger.DocumentID{Kind: "k", ID: fmt.Sprint(i)}, Due: epoch, Lane: "lane"})
	}
	te.must("later", ledger.PutDocument{DocumentID: ledger.DocumentID{Kind: "k", ID: "later"}, Due: epoch.Add(24 * time.Hour), Lane: "lane"})
	te.must("elsewhere", ledger.PutDocument{DocumentID: ledger.DocumentID{Kind: "k", ID: "elsewhere"}, Due: epoch, Lane: "another"})
	takeAll := func() map[ledger.DocumentID]ledger.Lease {
		var mu sync.Mutex
		leases := map[ledger.DocumentID]ledger.Lease{}
		t.Together(writers, func(i int) {
			for {
				taken, err := te.Lease(t.Context(), ledger.LeaseRequest{Lanes: []string{"lane"}, Limit: 3, For: time.Minute, Who: fmt.Sprint(i)})
				if err != nil {
					t.Errorf("Lease: %v", err)
				}
				mu.Lock()
				for _, l := range taken {
					if _, twice := leases[l.Document.DocumentID]; twice {
						t.Errorf("%s was leased to two workers", l.Document.DocumentID)
					}
					leases[l.Document.DocumentID] = l.Lease
				}
				mu.Unlock()
				if len(taken) == 0 || t.Failed() {
					return
				}
			}
		})
		if len(leases) != documents {
			t.Errorf("%d of %d due documents were leased", len(leases), documents)
		}
		return leases
	}
	old := takeAll()
	te.wait(time.Hour)
	current := takeAll()
	for i := range documents {
		id := ledger.DocumentID{Kind: "k", ID: fmt.Sprint(i)}
		put := func(l ledger.Lease) error {
			_, err := te.Record(t.Context(), ledger.Entry{Key: fmt.Sprintf("work %d", i), Leases: []ledger.Lease{l}, Commands: []ledger.Command{
				ledger.PutDocument{DocumentID: id, Version: 1, State: "done"},
			}})
			return err
		}
		if err := put(old[id]); !errors.Is(err, ledger.ErrLeaseLost) {
			t.Errorf("an entry with a lost lease: %v", err)
		}
		if err := put(current[id]); err != nil {
			t.Errorf("an entry with a lease: %v", err)
		}
	}
	if left := takeAllNow(te); len(left) > 0 {
		t.Errorf("documents that are done were leased: %s", rowText(left))
	}
	te.audit()
}

func takeAllNow(te *teller) []ledger.Leased {
	te.wait(time.Hour)
	left, err := te.Lease(te.t.Context(), ledger.LeaseRequest{Lanes: []string{"lane"}, Limit: ledger.MaxPage, For: time.Minute})
	if err != nil {
		te.t.Errorf("Lease: %v", err)
	}
	return left
}

func checkFeed(t *T) {
	te := newTeller(t, t.Open())
	te.openWallets(1_000, "alice", "bob")
	const clerks, sequencers, rounds, entries = 4, 4, 8, 6
	sequence := func(i int) {
		for n, err := 1, error(nil); n > 0 && !t.Failed(); {
			// Each takes another number of entries at a time, so that two who take the same ones are found out.
			if n, err = te.NumberFeed(t.Context(), 1+i*2); err != nil {
				t.Errorf("NumberFeed: %v", err)
			}
		}
	}
	for round := range rounds {
		t.Together(clerks+2, func(i int) {
			if i >= clerks { // two sequencers while others write, and then all at once
				sequence(i - clerks)
				return
			}
			for n := range entries {
				id, version := ledger.DocumentID{Kind: "k", ID: fmt.Sprint(i)}, uint64(round*entries+n) //nolint:gosec // small
				_, err := te.Record(t.Context(), ledger.Entry{Key: fmt.Sprintf("entry %d %d", i, version), Commands: []ledger.Command{
					transfer(walletOf("alice"), bank, 1), transfer(bank, walletOf("bob"), 1), ledger.PutDocument{DocumentID: id, Version: version, State: fmt.Sprint(n)},
				}})
				if err != nil {
					t.Errorf("Record: %v", err)
					return
				}
			}
		})
		t.Together(sequencers, sequence)
	}
	te.numberAll()
	seen, next := map[string]int{}, uint64(0)
	for c, err := range te.Feed(t.Context(), 0) {
		if next++; err != nil || c.Position != next {
			t.Errorf("place %d of the feed has %s (%v)", next, rowText(c), err)
			return
		}
		seen[fmt.Sprintf("%s %d %s %s %s", c.Key, c.Kind, c.Account, c.Transaction, c.Document)]++
	}
	if want := rounds*clerks*entries*3 + 3 + 2; len(seen) != want || int(next) != want {
		t.Errorf("%d entries with three changes each and five changes before made a feed of %d, %d of them different", rounds*clerks*entries, next, len(seen))
	}
	te.audit()
}
