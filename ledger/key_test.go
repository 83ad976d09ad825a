package ledger_test

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/ledger/memory"
)

func TestReplay(t *testing.T) {
	w := newWorld(t)
	w.furnish(10_000)
	e := ledger.Entry{Key: "pay", Commands: []ledger.Command{ledger.Transfer(alice, bob, dollars(100))}}
	first, err := w.Record(t.Context(), e)
	require.NoError(t, err)
	before := dump(t, w.store, w.Name())
	again, err := w.Record(t.Context(), e)
	require.NoError(t, err)
	require.True(t, again.Replayed)
	stored, err := w.Receipt(t.Context(), "pay")
	require.NoError(t, err)
	require.Equal(t, again, stored)
	again.Replayed = false
	require.Equal(t, first, again)
	require.Equal(t, before, dump(t, w.store, w.Name()))

	t.Run("a pointer means the same", func(t *testing.T) {
		p := ledger.Transfer(alice, bob, dollars(100))
		r, err := w.Record(t.Context(), ledger.Entry{Key: "pay", Commands: []ledger.Command{&p}})
		require.NoError(t, err)
		require.True(t, r.Replayed)
	})
	t.Run("inputs stand for the key, whatever became of the commands", func(t *testing.T) {
		e := ledger.Entry{Key: "inputs", Inputs: map[string]any{"b": 1, "a": []int{1, 2}}, Commands: []ledger.Command{ledger.Transfer(alice, bob, dollars(1))}}
		first, err := w.Record(t.Context(), e)
		require.NoError(t, err)
		e.Inputs = struct {
			A []int `json:"a"`
			B int   `json:"b"`
		}{[]int{1, 2}, 1}
		e.Commands = []ledger.Command{ledger.Transfer(alice, alice, dollars(-1))}
		again, err := w.Record(t.Context(), e)
		require.NoError(t, err)
		require.Equal(t, first.ID, again.ID)
	})
	t.Run("an unknown key", func(t *testing.T) {
		_, err := w.Receipt(t.Context(), "never")
		require.ErrorIs(t, err, ledger.ErrKeyNotFound)
	})
}

// A conflict names the first thing that differs.
func TestKeyConflictNamesTheField(t *testing.T) {
	post := func(change func(*ledger.Post)) []ledger.Command {
		p := ledger.Transfer(alice, bob, dollars(100))
		p.Note = ledger.Note{Reference: "post/1", Meta: map[string]string{"a": "1"}}
		change(&p)
		return []ledger.Command{p}
	}
	for field, change := range map[string]func(*ledger.Post){
		"commands[0].post.postings[1].amount.amount": func(p *ledger.Post) { p.Postings[1].Amount = dollars(101) },
		"commands[0].post.postings[0].account.path":  func(p *ledger.Post) { p.Postings[0].Account.Path = "wallet/carol" },
		"commands[0].post.postings[0].side":          func(p *ledger.Post) { p.Postings[0].Side, p.Postings[1].Side = ledger.Credit, ledger.Debit },
		"commands[0].post.reference":                 func(p *ledger.Post) { p.Reference = "post/2" },
		"commands[0].post.meta.a":                    func(p *ledger.Post) { p.Meta["a"] = "2" },
		"commands[0].post.meta.b":                    func(p *ledger.Post) { p.Meta["b"] = "2" },
		"commands[0].post.fact":                      func(p *ledger.Post) { p.Fact = true },
		"commands[0].post.effective_at":              func(p *ledger.Post) { p.EffectiveAt = start },
		"commands[0].post.postings[2]": func(p *ledger.Post) {
			p.Postings = append(p.Postings, p.Postings[1])
		},
	} {
		w := newWorld(t)
		w.furnish(10_000)
		_, err := w.Record(t.Context(), ledger.Entry{Key: "k", Commands: post(func(*ledger.Post) {})})
		require.NoError(t, err)
		before := dump(t, w.store, w.Name())
		// The fingerprint of what cannot be recorded is compared too: inputs make it one that the caller chose.
		_, err = w.Record(t.Context(), ledger.Entry{Key: "k", Commands: post(change)})
		r, ok := errors.AsType[*ledger.Refusal](err)
		require.True(t, ok)
		if r.Code != ledger.ErrKeyConflict { // malformed as commands
			require.Equal(t, ledger.Invalid, r.Class, field)
			continue
		}
		require.Equal(t, field, r.Field)
		require.Equal(t, before, dump(t, w.store, w.Name()))
	}

	w := newWorld(t)
	_, err := w.Record(t.Context(), ledger.Entry{Key: "burned", Guards: []ledger.Guard{{Check: func(ledger.View) ([]ledger.Command, error) { return nil, ledger.ErrDenied }}}})
	require.ErrorIs(t, err, ledger.ErrDenied)
	_, err = w.Record(t.Context(), ledger.Entry{Key: "burned", Inputs: 1, Commands: []ledger.Command{ledger.OpenAccount{Account: alice, Type: ledger.Liability}}})
	require.ErrorIs(t, err, ledger.ErrKeyConflict, "a decline is of its inputs too")

	record := func(inputs any) error {
		_, err := w.Record(t.Context(), ledger.Entry{Key: "k", Inputs: inputs, Commands: []ledger.Command{ledger.OpenAccount{Account: alice, Type: ledger.Liability}}})
		return err
	}
	require.NoError(t, record(map[string]any{"amount": dollars(5), "to": "bob", "id": json.Number("9007199254740993")}))
	for field, inputs := range map[string]any{
		"amount.amount": map[string]any{"amount": dollars(6), "to": "carol", "id": json.Number("9007199254740993")},
		"amount.asset":  map[string]any{"amount": euros(5), "to": "bob", "id": json.Number("9007199254740993")},
		"to":            map[string]any{"amount": dollars(5), "id": json.Number("9007199254740993")},
		"id":            map[string]any{"amount": dollars(5), "to": "bob", "id": json.Number("9007199254740992")},
		"inputs":        "something else",
		"commands":      nil,
	} {
		err := record(inputs)
		require.ErrorIs(t, err, ledger.ErrKeyConflict)
		r, _ := errors.AsType[*ledger.Refusal](err)
		if inputs == nil {
			require.Equal(t, "amount", r.Field)
			continue
		}
		require.Equal(t, field, r.Field)
	}
}

// A floor of zero and no floor are two things; encoding/json would leave out both with omitzero.
func TestFingerprintKeepsZeroAmounts(t *testing.T) {
	w := newWorld(t)
	open := ledger.OpenAccount{Account: alice, Type: ledger.Liability, Floor: dollars(0)}
	_, err := w.Record(t.Context(), ledger.Entry{Key: "k", Commands: []ledger.Command{open}})
	require.NoError(t, err)
	open.Floor = currency.Amount{}
	_, err = w.Record(t.Context(), ledger.Entry{Key: "k", Commands: []ledger.Command{open}})
	require.ErrorIs(t, err, ledger.ErrKeyConflict)
}

// Commands longer than what is kept of a key are compared by digest.
func TestFingerprintOfManyPostings(t *testing.T) {
	w := newWorld(t)
	w.furnish(100_000)
	var p ledger.Post
	for range ledger.MaxPostings / 2 {
		p.Postings = append(p.Postings, ledger.Transfer(alice, bob, dollars(1)).Postings...)
	}
	e := ledger.Entry{Key: "k", Commands: []ledger.Command{p}}
	_, err := w.Record(t.Context(), e)
	require.NoError(t, err)
	r, err := w.Record(t.Context(), e)
	require.NoError(t, err)
	require.True(t, r.Replayed)
	p.Description = "another"
	_, err = w.Record(t.Context(), ledger.Entry{Key: "k", Commands: []ledger.Command{p}})
	require.ErrorIs(t, err, ledger.ErrKeyConflict)
	p.Postings = append(p.Postings, p.Postings[0])
	_, err = w.Record(t.Context(), ledger.Entry{Key: "l", Commands: []ledger.Command{p}})
	require.ErrorIs(t, err, ledger.ErrTooLarge)
	w.sound()
}

// The caller may reuse what it passed, and do as it likes with what it got.
func TestNothingIsShared(t *testing.T) {
	w := newWorld(t)
	w.furnish(10_000)
	p := ledger.Transfer(alice, bob, dollars(100))
	p.Meta = map[string]string{"a": "1"}
	doc := ledger.PutDocument{DocumentID: ledger.DocumentID{Kind: "k", ID: "1"}, References: []string{"r"}, Body: json.RawMessage(`{"a":1}`)}
	guard := ledger.Guard{
		Reads: ledger.Reads{Documents: []ledger.DocumentID{doc.DocumentID}, References: []string{"r"}},
		Check: func(v ledger.View) ([]ledger.Command, error) { return []ledger.Command{&doc}, nil },
	}
	r, err := w.Record(t.Context(), ledger.Entry{Key: "k", Commands: []ledger.Command{p}, Guards: []ledger.Guard{guard}})
	require.NoError(t, err)
	before := dump(t, w.store, w.Name())
	p.Postings[0].Amount, p.Meta["a"], doc.Body[2], doc.References[0] = dollars(1), "2", 'b', "s"
	require.Equal(t, before, dump(t, w.store, w.Name()))

	spoil := ledger.Guard{
		Reads: ledger.Reads{Documents: []ledger.DocumentID{doc.DocumentID}, Transactions: []ledger.ID{r.Results[0].Transaction}},
		Check: func(v ledger.View) ([]ledger.Command, error) {
			tx, _ := v.Transaction(r.Results[0].Transaction)
			tx.Postings[0].Amount, tx.Meta["a"] = dollars(77), "77"
			d, _ := v.Document(doc.DocumentID)
			d.Body[2], d.References[0] = 'z', "z"
			return []ledger.Command{ledger.Reverse{Transaction: ledger.ByID(tx.ID), All: true}}, nil
		},
	}
	_, err = w.Record(t.Context(), ledger.Entry{Key: "l", Guards: []ledger.Guard{spoil}})
	require.NoError(t, err)
	w.has(alice, 10_000, 0)
	w.sound()
}

// Equal keys at the same moment have one effect and one receipt.
func TestOneKeyManyCallers(t *testing.T) {
	w := newWorld(t)
	w.furnish(10_000)
	var wg sync.WaitGroup
	ids := make([]ledger.ID, 32)
	for i := range ids {
		wg.Go(func() {
			r, err := w.Record(t.Context(), ledger.Entry{Key: "one", Commands: []ledger.Command{ledger.Transfer(alice, bob, dollars(1))}})
			if err == nil {
				ids[i] = r.ID
			}
		})
	}
	wg.Wait()
	for _, id := range ids {
		require.Equal(t, ids[0], id)
	}
	w.has(bob, 1, 0)
}

func TestEndedContextChangesNothing(t *testing.T) {
	w := newWorld(t)
	w.furnish(100)
	before := dump(t, w.store, w.Name())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := w.Record(ctx, ledger.Entry{Key: "k", Commands: []ledger.Command{ledger.Transfer(alice, bob, dollars(1))}})
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorIs(t, err, ledger.Unavailable)
	require.Equal(t, before, dump(t, w.store, w.Name()))
}

// broken is a store that fails.
type broken struct {
	ledger.Store
	err error
}

func (b broken) Update(context.Context, string, ledger.Names, ledger.Decide) error { return b.err }
func (b broken) Read(context.Context, string, ledger.Names) (ledger.Rows, error) {
	return ledger.Rows{}, b.err
}

func (b broken) Scan(context.Context, string, ledger.Range) (ledger.Rows, error) {
	return ledger.Rows{}, b.err
}

func TestStoreFails(t *testing.T) {
	cause := errors.New("the disk is full")
	for name, give := range map[string]error{"own": cause, "corrupt": &ledger.Refusal{Code: ledger.ErrCorrupt, Class: ledger.Corrupt, Cause: cause}} {
		w := newWorldOn(t, broken{memory.New(), give})
		code, class := ledger.ErrStore, ledger.Unavailable
		if name == "corrupt" {
			code, class = ledger.ErrCorrupt, ledger.Corrupt
		}
		check := func(err error) {
			t.Helper()
			require.ErrorIs(t, err, cause)
			require.ErrorIs(t, err, code)
			require.ErrorIs(t, err, class)
		}
		ctx, tip := t.Context(), ledger.DocumentID{Kind: "tip", ID: "1"}
		_, err := w.try(ledger.Transfer(alice, bob, dollars(1)))
		check(err)
		_, err = w.Simulate(ctx, ledger.Entry{Key: "k", Commands: []ledger.Command{ledger.Transfer(alice, bob, dollars(1))}})
		check(err)
		_, err = w.Balances(ctx, ledger.AsOf{}, alice)
		check(err)
		_, err = w.Page(ctx, ledger.Query{List: ledger.ListAccounts})
		check(err)
		_, err = w.Document(ctx, tip)
		check(err)
		_, err = w.Lease(ctx, ledger.LeaseRequest{Lanes: []string{""}, Limit: 1, For: 1_000_000})
		check(err)
		_, err = w.Renew(ctx, ledger.Lease{Document: tip}, 1_000_000)
		check(err)
		check(w.Unlease(ctx, ledger.Lease{Document: tip}))
		_, err = w.ExpireHolds(ctx, 1)
		check(err)
		_, err = w.NumberFeed(ctx, 1)
		check(err)
		_, err = w.TrialBalance(ctx, ledger.AsOf{})
		check(err)
		_, err = w.Verify(ctx)
		check(err)
		check(lastError(t, w.Feed(ctx, 0)))
		check(lastError(t, w.Transactions(ctx, ledger.Query{})))
		if name == "corrupt" {
			check(w.Book.Run(ctx))
		}
	}
}
