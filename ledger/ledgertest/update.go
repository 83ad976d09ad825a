package ledgertest

import (
	"errors"
	"time"

	"github.com/koshpay/kosh/ledger"
)

var updateChecks = []Check{
	{
		Name:   "an-error-of-decide-changes-nothing",
		Rule:   "When decide returns an error, Update changes nothing and returns that error, as it is or wrapped.",
		Advice: "Roll back whatever decide returned beside its error, and return an error in which errors.Is finds it.",
		Run:    checkDecideError,
	},
	{
		Name:   "a-panic-of-decide-changes-nothing",
		Rule:   "When decide panics, Update changes nothing and the book can be used as before.",
		Advice: "Release locks and roll back in a deferred call; let the panic pass or turn it into an error.",
		Run:    checkDecidePanic,
	},
	{
		Name:   "more-rows-are-added",
		Rule:   "When decide returns more names it is called again with all rows found so far, and what it wrote beside them does not count.",
		Advice: "Keep the names of all rounds and look all of them up each time; write only what the last round returned.",
		Run:    checkMore,
	},
	{
		Name:   "due-holds-are-found",
		Rule:   "Names.DueHolds finds exactly the open holds of the account whose deadline is at or before the moment, each once.",
		Advice: "Look for state open, a deadline that is set, and deadline <= At; put them into Rows.Holds beside those named, without repetition.",
		Run:    checkDueHolds,
	},
	{
		Name:   "deletes-come-first",
		Rule:   "Leases and pending rows named in write.Delete are gone, unless the same write adds them again: deletes are applied first.",
		Advice: "Apply write.Delete before the rows, in the same transaction.",
		Run:    checkDelete,
	},
}

var errOfCheck = errors.New("the check refuses")

func checkDecideError(t *T) {
	sc, write := aWorldAndAWrite(t)
	err := sc.store.Update(t.Context(), sc.book, namesOf(write), func(ledger.Rows) (ledger.Rows, ledger.Names, error) {
		return write, ledger.Names{}, errOfCheck
	})
	if !errors.Is(err, errOfCheck) {
		t.Errorf("Update returned %v, decide returned %v", err, errOfCheck)
	}
	rounds := 0
	err = sc.store.Update(t.Context(), sc.book, namesOf(write), func(found ledger.Rows) (ledger.Rows, ledger.Names, error) {
		if rounds++; len(found.Sequences) == 0 {
			return write, ledger.Names{Sequences: []string{"sequence"}}, nil
		}
		return write, ledger.Names{}, errOfCheck
	})
	if !errors.Is(err, errOfCheck) {
		t.Errorf("Update returned %v, decide returned %v in round %d", err, errOfCheck, rounds)
	}
	sc.compareAll()
}

func checkDecidePanic(t *T) {
	sc, write := aWorldAndAWrite(t)
	func() {
		defer func() { _ = recover() }()
		_ = sc.store.Update(t.Context(), sc.book, namesOf(write), func(ledger.Rows) (ledger.Rows, ledger.Names, error) {
			panic("the check's decide panics")
		})
	}()
	sc.compareAll()
	sc.write(write)
	sc.compareAll()
}

// aWorldAndAWrite returns a book with a few rows, and a write of every kind of row that changes it.
func aWorldAndAWrite(t *T) (*scribe, ledger.Rows) {
	sc := newScribe(t, t.Open(), "book")
	account := ledger.AccountID{Path: "wallet/alice", Asset: "USD"}
	d := sc.entry()
	d.open(account, ledger.Liability, "alice", ledger.Terms{})
	h := d.hold(account, sc.amount(account, 5), epoch.Add(time.Hour))
	doc := d.document(ledger.Document{DocumentID: ledger.DocumentID{Kind: "k", ID: "1"}, Due: epoch})
	d.write.Leases = []ledger.Lease{{Document: doc.DocumentID, Token: sc.id(), Holder: "worker", Until: epoch}}
	d.write.Sequences = []ledger.SequenceRow{{Name: "sequence", Last: 1}}
	d.record()

	d = sc.entry()
	other := ledger.AccountID{Path: "wallet/bob", Asset: gem.ID()}
	d.open(other, ledger.Liability, "bob", ledger.Terms{})
	d.release(h)
	d.document(ledger.Document{DocumentID: doc.DocumentID, State: "next", References: []string{"reference"}})
	for _, a := range d.accounts {
		d.write.Accounts = append(d.write.Accounts, a)
	}
	d.write.Keys = []ledger.KeyRow{{Key: d.key, Inputs: []byte("{}")}}
	d.write.Pending = []ledger.PendingRow{{Entry: d.id, RecordedAt: d.at, Changes: d.changes}}
	d.write.Sequences = []ledger.SequenceRow{{Name: "sequence", Last: 2}}
	d.write.Feed = []ledger.Change{{Position: 1, Kind: ledger.ChangeAccount, Account: account, Version: 1, RecordedAt: epoch}}
	d.write.Delete.Leases = []ledger.DocumentID{doc.DocumentID}
	return sc, d.write
}

func checkMore(t *T) {
	sc := newScribe(t, t.Open(), "book")
	sc.write(ledger.Rows{Sequences: []ledger.SequenceRow{{Name: "a", Last: 1}, {Name: "b", Last: 2}, {Name: "c", Last: 3}}})
	ask := [][]string{{"b", "absent"}, {"c", "a"}}
	want := [][]ledger.SequenceRow{
		{{Name: "a", Last: 1}},
		{{Name: "a", Last: 1}, {Name: "b", Last: 2}},
		{{Name: "a", Last: 1}, {Name: "b", Last: 2}, {Name: "c", Last: 3}},
	}
	err := sc.store.Update(t.Context(), sc.book, ledger.Names{Sequences: []string{"a"}}, func(found ledger.Rows) (ledger.Rows, ledger.Names, error) {
		round := max(0, len(found.Sequences)-1) // decide may start again, so the rows tell the round
		if round >= len(want) {
			t.Errorf("decide was given %s", rowText(found))
			return ledger.Rows{}, ledger.Names{}, errOfCheck
		}
		if err := sameRows(ledger.Rows{Sequences: want[round]}, found); err != nil {
			t.Errorf("in round %d %v", round+1, err)
		}
		if round < len(ask) {
			return ledger.Rows{Sequences: []ledger.SequenceRow{{Name: "too early", Last: 1}}}, ledger.Names{Sequences: ask[round]}, nil
		}
		return ledger.Rows{Sequences: []ledger.SequenceRow{{Name: "absent", Last: 4}}}, ledger.Names{}, nil
	})
	if err != nil {
		t.Fatalf("Update: %v", err)
	}
	sc.model.apply(ledger.Rows{Sequences: []ledger.SequenceRow{{Name: "absent", Last: 4}}})
	sc.compareAll()
}

func checkDueHolds(t *T) {
	sc := newScribe(t, t.Open(), "book")
	alice, bob := ledger.AccountID{Path: "wallet/alice", Asset: "USD"}, ledger.AccountID{Path: "wallet/bob", Asset: "USD"}
	d := sc.entry()
	d.open(alice, ledger.Liability, "alice", ledger.Terms{})
	d.open(bob, ledger.Liability, "bob", ledger.Terms{})
	at := epoch.Add(time.Hour)
	due := d.hold(alice, sc.amount(alice, 1), at)
	early := d.hold(alice, sc.amount(alice, 2), at.Add(-time.Minute))
	late := d.hold(alice, sc.amount(alice, 3), at.Add(time.Microsecond))
	never := d.hold(alice, sc.amount(alice, 4), time.Time{})
	other := d.hold(bob, sc.amount(bob, 5), at)
	d.record()
	d = sc.entry()
	early = d.release(early)
	d.record()

	find := func(when string, holds []ledger.ID, dues []ledger.DueHolds, want ...ledger.Hold) {
		sc.find(when, ledger.Names{Accounts: []ledger.AccountID{alice, bob}, Holds: holds, DueHolds: dues}, ledger.Rows{
			Accounts: []ledger.AccountInfo{sc.model.accounts[alice], sc.model.accounts[bob]}, Holds: want,
		})
	}
	find("of what is due at the deadline", nil, []ledger.DueHolds{{Account: alice, At: at}}, due)
	find("a microsecond before", nil, []ledger.DueHolds{{Account: alice, At: at.Add(-time.Microsecond)}})
	find("much later", nil, []ledger.DueHolds{{Account: alice, At: at.Add(time.Hour)}}, due, late)
	find("of two accounts", nil, []ledger.DueHolds{{Account: alice, At: at}, {Account: bob, At: at}}, due, other)
	find("of holds that are named and due", []ledger.ID{due.ID, early.ID, never.ID}, []ledger.DueHolds{{Account: alice, At: at}, {Account: alice, At: at.Add(time.Second)}}, due, early, never, late)
}

func checkDelete(t *T) {
	sc := newScribe(t, t.Open(), "book")
	d := sc.entry()
	var docs []ledger.DocumentID
	for _, id := range []string{"1", "2", "3"} {
		doc := d.document(ledger.Document{DocumentID: ledger.DocumentID{Kind: "k", ID: id}})
		docs = append(docs, doc.DocumentID)
		d.write.Leases = append(d.write.Leases, ledger.Lease{Document: doc.DocumentID, Token: sc.id(), Holder: "worker", Until: epoch})
	}
	d.record()
	kept := sc.entry()
	kept.document(ledger.Document{DocumentID: ledger.DocumentID{Kind: "k", ID: "4"}})
	kept.record()
	sc.write(ledger.Rows{
		Leases: []ledger.Lease{{Document: docs[1], Token: sc.id(), Holder: "another", Until: epoch.Add(time.Hour)}},
		Delete: ledger.Names{Leases: docs[:2], Pending: []ledger.ID{d.id}},
	})
	sc.find("after the deletes", ledger.Names{Leases: docs, Pending: []ledger.ID{d.id, kept.id}}, ledger.Rows{
		Leases: []ledger.Lease{sc.model.leases[docs[1]], sc.model.leases[docs[2]]}, Pending: []ledger.PendingRow{sc.model.pending[kept.id]},
	})
	sc.compareAll()
}
