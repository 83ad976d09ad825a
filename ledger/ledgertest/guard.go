package ledgertest

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync/atomic"

	"github.com/koshpay/kosh/ledger"
)

var guardChecks = []Check{
	{
		Name:   "updates-of-a-row-are-serial",
		Rule:   "A row named in want does not change between decide and commit: of many updates that count it up at once none is lost.",
		Advice: "Lock the rows named before decide reads them, until the commit; or compare their versions at commit and call decide again with fresh rows.",
		Run:    checkSerial,
	},
	{
		Name:   "absent-rows-are-guarded",
		Rule:   "A row named in want that does not exist does not appear between decide and commit: of many updates that find the same key absent one alone commits on that.",
		Advice: "A row that is not there cannot be locked: lock something that stands for its name (an advisory lock, the book), or let a unique index refuse the second insert and start that update again.",
		Run:    checkAbsentGuarded,
	},
	{
		Name:   "more-rows-are-guarded",
		Rule:   "Rows asked for in a later round are guarded like those of the first, and those of the first stay guarded; an update that starts again names the rows of all rounds so far.",
		Advice: "Lock the rows of every round before reading them and keep all locks until the commit (or compare the versions of all). Keep the names of all rounds when starting again: decide takes what it asked for and is not given as absent.",
		Run:    checkMoreGuarded,
	},
	{
		Name:   "overlapping-updates-end",
		Rule:   "Updates that name the same rows in different orders all end: none waits for another for ever.",
		Advice: "Take locks in sorted order (Names.Sorted), whatever the order of the names; start again when the database reports a deadlock.",
		Run:    checkOverlap,
	},
	{
		Name:   "every-kind-of-row-is-guarded",
		Rule:   "Every kind of row is guarded: accounts with their lines, documents with their versions, leases.",
		Advice: "Guard every kind of row that Names has, not only accounts.",
		Run:    checkKindsGuarded,
	},
}

const (
	writers = 8
	each    = 25 // updates of each writer
)

// pause lets other goroutines run while decide looks at its rows: a store without a guard is then found out at once.
func pause() {
	for range 20 {
		runtime.Gosched()
	}
}

// countUp adds one to a sequence, asking for it in a second round when first names something else.
func countUp(t *T, s ledger.Store, name string, first ledger.Names) error {
	asked := slices.Contains(first.Sequences, name)
	second := !asked
	return s.Update(t.Context(), "book", first, func(found ledger.Rows) (ledger.Rows, ledger.Names, error) {
		pause()
		if !asked {
			asked = true
			return ledger.Rows{}, ledger.Names{Sequences: []string{name}}, nil
		}
		row := ledger.SequenceRow{Name: name}
		at := slices.IndexFunc(found.Sequences, func(r ledger.SequenceRow) bool { return r.Name == name })
		if at >= 0 {
			row.Last = found.Sequences[at].Last
		} else if second {
			return ledger.Rows{}, ledger.Names{}, errForgotten
		}
		row.Last++
		return ledger.Rows{Sequences: []ledger.SequenceRow{row}}, ledger.Names{}, nil
	})
}

// errForgotten: decide cannot tell a row that is absent from one that was not looked up, so it takes what it has asked for
// and is not given as absent.
var errForgotten = errors.New("decide was called again without a row that it had asked for and that exists")

// last returns what a sequence says, after all updates.
func last(t *T, s ledger.Store, name string) uint64 {
	rows, err := s.Read(t.Context(), "book", ledger.Names{Sequences: []string{name}})
	if err != nil {
		t.Fatalf("Read: %v", err)
	}
	if len(rows.Sequences) != 1 {
		t.Fatalf("Read found %d sequences instead of one", len(rows.Sequences))
	}
	return rows.Sequences[0].Last
}

func checkSerial(t *T) {
	s := t.Open()
	t.Together(writers, func(int) {
		for range each {
			if err := countUp(t, s, "s", ledger.Names{Sequences: []string{"s"}}); err != nil {
				t.Errorf("Update: %v", err)
				return
			}
		}
	})
	if n := last(t, s, "s"); n != writers*each {
		t.Errorf("%d updates counted to %d: %d were lost", writers*each, n, writers*each-int(n)) //nolint:gosec // small
	}
}

func checkAbsentGuarded(t *T) {
	s := t.Open()
	for round := range each {
		key := fmt.Sprintf("key %d", round)
		var sawAbsent, sawPresent atomic.Int64
		t.Together(writers, func(i int) {
			absent := false
			err := s.Update(t.Context(), "book", ledger.Names{Keys: []string{key}}, func(found ledger.Rows) (ledger.Rows, ledger.Names, error) {
				pause()
				if absent = len(found.Keys) == 0; absent {
					return ledger.Rows{Keys: []ledger.KeyRow{{Key: key, Inputs: fmt.Append(nil, i)}}}, ledger.Names{}, nil
				}
				return ledger.Rows{}, ledger.Names{}, nil
			})
			switch {
			case err != nil:
				t.Errorf("Update of a key that may be there: %v", err)
			case absent:
				sawAbsent.Add(1)
			default:
				sawPresent.Add(1)
			}
		})
		if sawAbsent.Load() != 1 {
			t.Errorf("%d updates found key %q absent and committed, %d found it; exactly one may find it absent", sawAbsent.Load(), key, sawPresent.Load())
			return
		}
	}
}

func checkMoreGuarded(t *T) {
	s := t.Open()
	if err := writeRows(t.Context(), s, "book", ledger.Rows{Sequences: []ledger.SequenceRow{{Name: "s"}, {Name: "first"}}}); err != nil {
		t.Fatalf("Update: %v", err)
	}
	t.Together(writers, func(i int) {
		for n := range each {
			if err := countUp(t, s, "s", ledger.Names{Keys: []string{fmt.Sprintf("%d %d", i, n)}}); err != nil {
				t.Errorf("Update: %v", err)
				return
			}
		}
	})
	if n := last(t, s, "s"); n != writers*each {
		t.Errorf("%d updates that asked for a row in their second round counted to %d", writers*each, n)
	}
	// The row of the first round while others ask for more.
	t.Together(writers, func(int) {
		for range each {
			asked := false
			err := s.Update(t.Context(), "book", ledger.Names{Sequences: []string{"first"}}, func(found ledger.Rows) (ledger.Rows, ledger.Names, error) {
				pause()
				if !asked {
					asked = true
					return ledger.Rows{}, ledger.Names{Sequences: []string{"s"}}, nil
				}
				at := slices.IndexFunc(found.Sequences, func(r ledger.SequenceRow) bool { return r.Name == "first" })
				if at < 0 || len(found.Sequences) != 2 {
					return ledger.Rows{}, ledger.Names{}, errForgotten
				}
				row := found.Sequences[at]
				row.Last++
				return ledger.Rows{Sequences: []ledger.SequenceRow{row}}, ledger.Names{}, nil
			})
			if err != nil {
				t.Errorf("Update: %v", err)
				return
			}
		}
	})
	if n := last(t, s, "first"); n != writers*each {
		t.Errorf("%d updates of a row that was named first, each with a second round, counted to %d", writers*each, n)
	}
}

func checkOverlap(t *T) {
	sc := newScribe(t, t.Open(), "book")
	var accounts []ledger.AccountID
	d := sc.entry()
	for _, path := range awkwardPaths[:4] {
		id := ledger.AccountID{Path: path, Asset: "USD"}
		d.open(id, ledger.Liability, "", ledger.Terms{})
		accounts = append(accounts, id)
	}
	d.record()
	names := []string{"a", "b", "c"}
	t.Together(writers, func(i int) {
		for n := range each {
			// Every order of accounts and of sequences meets every other.
			want := ledger.Names{Accounts: slices.Clone(accounts), Sequences: slices.Clone(names)}
			turn := (i + n) % len(accounts)
			want.Accounts = append(want.Accounts[turn:], want.Accounts[:turn]...)
			want.Sequences = append(want.Sequences[turn%3:], want.Sequences[:turn%3]...)
			if i%2 == 1 {
				slices.Reverse(want.Accounts)
				slices.Reverse(want.Sequences)
			}
			if err := countUp(t, sc.store, names[i%3], want); err != nil {
				t.Errorf("Update: %v", err)
				return
			}
		}
	})
	total := uint64(0)
	for _, name := range names {
		total += last(t, sc.store, name)
	}
	if total != writers*each {
		t.Errorf("%d updates counted to %d", writers*each, total)
	}
}

// checkKindsGuarded has half the writers do what an entry does to an account, and half what a compare-and-swap does to a
// document and whoever comes first to its lease.
func checkKindsGuarded(t *T) {
	sc := newScribe(t, t.Open(), "book")
	account := ledger.AccountID{Path: "wallet/alice", Asset: "USD"}
	doc := ledger.DocumentID{Kind: "k", ID: "1"}
	d := sc.entry()
	d.open(account, ledger.Liability, "alice", ledger.Terms{})
	d.document(ledger.Document{DocumentID: doc})
	d.record()
	want := ledger.Names{Accounts: []ledger.AccountID{account}, Documents: []ledger.DocumentID{doc}, Leases: []ledger.DocumentID{doc}}
	const half = writers / 2 * each
	var taken atomic.Int64
	t.Together(writers, func(i int) {
		for range each {
			leased := false
			decide := func(found ledger.Rows) (ledger.Rows, ledger.Names, error) {
				pause()
				own := newScribe(t, sc.store, sc.book) // one that knows what was found, and no more
				own.model.apply(found)
				d := own.entry()
				if i%2 == 0 {
					d.line(ledger.Line{Account: account, Kind: ledger.LinePosted, Side: ledger.Credit, Amount: own.amount(account, 1)})
					d.write.Accounts = []ledger.AccountInfo{d.accounts[account]}
				} else {
					d.document(ledger.Document{DocumentID: doc})
					if leased = len(found.Leases) == 0; leased {
						d.write.Leases = []ledger.Lease{{Document: doc, Until: epoch}}
					}
				}
				return d.write, ledger.Names{}, nil
			}
			names := ledger.Names{Accounts: want.Accounts}
			if i%2 == 1 {
				names = ledger.Names{Documents: want.Documents, Leases: want.Leases}
			}
			if err := sc.store.Update(t.Context(), sc.book, names, decide); err != nil {
				t.Errorf("Update: %v", err)
				return
			}
			if leased {
				taken.Add(1)
			}
		}
	})
	rows, err := sc.store.Read(t.Context(), sc.book, want)
	if err != nil || len(rows.Accounts) != 1 || len(rows.Documents) != 1 {
		t.Fatalf("Read: %d accounts, %d documents, %v", len(rows.Accounts), len(rows.Documents), err)
	}
	a := rows.Accounts[0]
	if a.Version != half+1 || a.Posted != sc.amount(account, half) {
		t.Errorf("%d postings of 0.01 left the account at version %d with %s", half, a.Version, a.Posted)
	}
	if v := rows.Documents[0].Version; v != half+1 {
		t.Errorf("%d versions left the document at version %d", half+1, v)
	}
	if taken.Load() != 1 {
		t.Errorf("%d writers took the one lease", taken.Load())
	}
	for _, r := range []ledger.Range{{List: ledger.ListLines, Account: account, Limit: ledger.MaxPage}, {List: ledger.ListVersions, Document: doc, Limit: ledger.MaxPage}} {
		items, err := scanAll(t.Context(), sc.store, sc.book, r)
		if err != nil || len(items) != half+1 {
			t.Errorf("%s has %d rows instead of %d (%v)", describe(r), len(items), half+1, err)
		}
	}
}
