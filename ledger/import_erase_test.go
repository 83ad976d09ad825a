package ledger_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/ledger/memory"
)

func TestImportRecordsThePast(t *testing.T) {
	w := newWorld(t)
	w.furnish(0)
	w.do(ledger.SetAccount{Account: alice, DebitsFrozen: new(true), CreditsFrozen: new(true), Ceiling: new(dollars(50))})
	day := func(n int) time.Time { return start.AddDate(-2, 0, n) }
	past := func(n int, from, to ledger.AccountID, cents int64) ledger.Import {
		return ledger.Import{Postings: ledger.Transfer(from, to, dollars(cents)).Postings, EffectiveAt: day(n), Note: ledger.Note{Reference: fmt.Sprint("old/", n)}}
	}
	// Below the floor, above the ceiling, frozen: it happened.
	r := w.do(past(0, alice, bank, 30), past(1, bank, alice, 100), &ledger.Import{Postings: ledger.Transfer(alice, bob, dollars(10)).Postings, EffectiveAt: w.Now()})
	w.has(alice, 60, 0)
	w.has(bob, 10, 0)
	x, err := w.Transaction(t.Context(), r.Results[0].Transaction)
	require.NoError(t, err)
	require.True(t, x.Imported)
	require.Equal(t, day(0), x.EffectiveAt)
	require.Equal(t, r.RecordedAt, x.RecordedAt, "the moment of the import stays visible")
	for n, cents := range map[int]int64{-1: 0, 0: -30, 1: 70, 2: 70} {
		b, err := w.Account(alice).Balance(t.Context(), ledger.AsOf{Effective: day(n)})
		require.NoError(t, err)
		require.Equal(t, dollars(cents), b.Posted, "day %d", n)
	}
	// Afterwards only what leads back is accepted.
	w.do(ledger.SetAccount{Account: alice, DebitsFrozen: new(false), CreditsFrozen: new(false)})
	_, err = w.try(ledger.Transfer(bank, alice, dollars(1)))
	require.ErrorIs(t, err, ledger.ErrCeiling)
	w.do(ledger.Transfer(alice, bank, dollars(15)))
	again, err := w.Record(t.Context(), ledger.Entry{Key: r.Key, Commands: []ledger.Command{past(0, alice, bank, 30), past(1, bank, alice, 100), ledger.Import{Postings: ledger.Transfer(alice, bob, dollars(10)).Postings, EffectiveAt: x.RecordedAt}}})
	require.True(t, err != nil || again.Replayed, "a repeated import is recorded once")
	w.sound()

	before := dump(t, w.store, "main")
	for name, c := range map[string]struct {
		command ledger.Import
		code    ledger.Code
		field   string
	}{
		"no date":        {ledger.Import{Postings: past(0, alice, bank, 1).Postings}, ledger.ErrInvalid, "effective_at"},
		"yet to come":    {ledger.Import{Postings: past(0, alice, bank, 1).Postings, EffectiveAt: w.Now().Add(time.Second)}, ledger.ErrInvalid, "effective_at"},
		"year 0":         {ledger.Import{Postings: past(0, alice, bank, 1).Postings, EffectiveAt: time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC)}, ledger.ErrInvalid, "effective_at"},
		"one posting":    {ledger.Import{Postings: past(0, alice, bank, 1).Postings[:1], EffectiveAt: day(0)}, ledger.ErrInvalid, "postings"},
		"out of balance": {ledger.Import{Postings: []ledger.Posting{{Account: alice, Side: ledger.Debit, Amount: dollars(1)}, {Account: bank, Side: ledger.Credit, Amount: dollars(2)}}, EffectiveAt: day(0)}, ledger.ErrUnbalanced, "postings"},
		"no account":     {past(0, nobody, bank, 1), ledger.ErrAccountNotFound, ""},
	} {
		_, err := w.try(c.command)
		require.ErrorIs(t, err, c.code, name)
		require.Contains(t, err.Error(), c.field, name)
	}
	require.Equal(t, before, dump(t, w.store, "main"))
	w.do(ledger.OpenAccount{Account: nobody, Type: ledger.Liability}, ledger.SetAccount{Account: nobody, Closed: new(true)})
	_, err = w.try(past(0, bank, nobody, 1))
	require.ErrorIs(t, err, ledger.ErrAccountClosed)
}

// A book moves in: opening balances, then the history, in the order of the old system and not of time.
func TestImportOfAHistoryIsCheckedAsAWhole(t *testing.T) {
	w := newWorld(t)
	equity := ledger.AccountID{Path: "opening", Asset: "USD"}
	w.furnish(0)
	w.do(ledger.OpenAccount{Account: equity, Type: ledger.Equity})
	for i := range 20 {
		w.do(ledger.Import{Postings: ledger.Transfer(alice, bob, dollars(int64(i+1))).Postings, EffectiveAt: start.AddDate(0, 0, -i)})
	}
	w.do(ledger.Import{Postings: ledger.Transfer(equity, alice, dollars(500)).Postings, EffectiveAt: start.AddDate(-1, 0, 0)})
	w.has(alice, 290, 0)
	tb, err := w.TrialBalance(t.Context(), ledger.AsOf{Effective: start.AddDate(0, -6, 0)})
	require.NoError(t, err)
	require.True(t, tb.Balanced())
	w.sound()
}

func secret(n uint64) json.RawMessage {
	return fmt.Appendf(nil, `{"b": %d, "iban": "SECRET-%d"}`, n, n)
}

func TestErase(t *testing.T) {
	w := newWorld(t)
	id := ledger.DocumentID{Kind: "person", ID: "1"}
	for v := range uint64(4) {
		w.do(ledger.PutDocument{DocumentID: id, Version: v, Owner: "alice", State: "ok", References: []string{fmt.Sprint("r", v)}, Body: secret(v + 1)})
	}
	_, err := w.NumberFeed(t.Context(), 3)
	require.NoError(t, err)
	kept, err := w.Checkpoint(t.Context())
	require.NoError(t, err)
	everywhere := func() string {
		raw := dump(t, w.store, "main")
		var out bytes.Buffer
		require.NoError(t, w.Export(t.Context(), &out))
		return raw + out.String()
	}
	require.Contains(t, everywhere(), "SECRET-1")

	w.clock.advance(time.Hour)
	r := w.do(ledger.EraseDocument{Document: id, Versions: []uint64{2, 1, 2}, Reason: "request 7"})
	require.Equal(t, ledger.Result{Document: id, Version: 4}, r.Results[0])
	for v := range uint64(4) {
		d, err := w.Version(t.Context(), ledger.VersionID{DocumentID: id, Version: v + 1})
		require.NoError(t, err)
		if v < 2 {
			require.Empty(t, d.Body)
			require.Equal(t, ledger.Erasure{At: r.RecordedAt, Reason: "request 7", Digest: sha256.Sum256(secret(v + 1))}, d.Erased)
			require.NotContains(t, everywhere(), fmt.Sprintf("SECRET-%d", v+1))
		} else {
			require.Equal(t, secret(v+1), d.Body)
			require.Zero(t, d.Erased)
		}
		require.Equal(t, "alice", d.Owner, "all but the body stays")
		require.NotEmpty(t, d.References)
	}
	w.do(&ledger.EraseDocument{Document: id, Versions: []uint64{1}, Reason: "another"})
	d, err := w.Version(t.Context(), ledger.VersionID{DocumentID: id, Version: 1})
	require.NoError(t, err)
	require.Equal(t, "request 7", d.Erased.Reason, "erasing twice is erasing once")

	// The current one, all at once, and in the step that writes it.
	r = w.do(ledger.EraseDocument{Document: id, All: true, Reason: "request 8"})
	d, err = w.Document(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, uint64(4), d.Version, "the version is the same")
	require.Equal(t, r.RecordedAt, d.Erased.At)
	require.NotContains(t, everywhere(), "SECRET")
	w.do(ledger.PutDocument{DocumentID: id, Version: 4, Body: secret(5)}, ledger.EraseDocument{Document: id, Versions: []uint64{5}, Reason: "at once"},
		ledger.PutDocument{DocumentID: id, Version: 5, Body: json.RawMessage(`{"public":true}`)})
	require.NotContains(t, everywhere(), "SECRET")
	d, err = w.Document(t.Context(), id)
	require.NoError(t, err)
	require.JSONEq(t, `{"public":true}`, string(d.Body))
	require.Zero(t, d.Erased)

	_, err = w.NumberFeed(t.Context(), 100)
	require.NoError(t, err)
	v, err := w.Verify(t.Context(), kept)
	require.NoError(t, err)
	require.Empty(t, v.Problems, "sealed before, erased after")
	var told []uint64
	for _, c := range collect(t, w.Feed(t.Context(), 0)) {
		if c.Kind == ledger.ChangeErasure {
			require.Equal(t, id, c.Document)
			told = append(told, c.Version)
		}
	}
	require.Equal(t, []uint64{2, 1, 3, 4, 5}, told)
}

func TestEraseRefusals(t *testing.T) {
	w := newWorld(t)
	id := ledger.DocumentID{Kind: "person", ID: "1"}
	w.do(ledger.PutDocument{DocumentID: id, Body: secret(1)})
	before := dump(t, w.store, "main")
	for name, c := range map[string]struct {
		command ledger.EraseDocument
		code    ledger.Code
		field   string
	}{
		"no document": {ledger.EraseDocument{Document: ledger.DocumentID{Kind: "person", ID: "2"}, All: true, Reason: "x"}, ledger.ErrDocumentNotFound, "document"},
		"no version":  {ledger.EraseDocument{Document: id, Versions: []uint64{1, 2}, Reason: "x"}, ledger.ErrDocumentNotFound, "versions[1]"},
		"version 0":   {ledger.EraseDocument{Document: id, Versions: []uint64{0}, Reason: "x"}, ledger.ErrInvalid, "versions[0]"},
		"neither":     {ledger.EraseDocument{Document: id, Reason: "x"}, ledger.ErrInvalid, "versions"},
		"both":        {ledger.EraseDocument{Document: id, Versions: []uint64{1}, All: true, Reason: "x"}, ledger.ErrInvalid, "versions"},
		"no reason":   {ledger.EraseDocument{Document: id, All: true}, ledger.ErrInvalid, "reason"},
		"long reason": {ledger.EraseDocument{Document: id, All: true, Reason: strings.Repeat("x", ledger.MaxTextBytes+1)}, ledger.ErrTooLarge, "reason"},
		"many":        {ledger.EraseDocument{Document: id, Versions: make([]uint64, ledger.MaxReads+1), Reason: "x"}, ledger.ErrTooLarge, "versions"},
		"no kind":     {ledger.EraseDocument{All: true, Reason: "x"}, ledger.ErrInvalid, "document"},
	} {
		_, err := w.try(c.command)
		require.ErrorIs(t, err, c.code, name)
		require.Contains(t, err.Error(), c.field, name)
	}
	require.Equal(t, before, dump(t, w.store, "main"))
	// One that is refused later takes nothing with it.
	_, err := w.try(ledger.EraseDocument{Document: id, All: true, Reason: "x"}, ledger.Transfer(alice, bob, dollars(1)))
	require.ErrorIs(t, err, ledger.ErrAccountNotFound)
	require.Equal(t, before, dump(t, w.store, "main"))
	// A guard may, when it declared the document.
	_, err = w.Record(t.Context(), ledger.Entry{Key: "g", Guards: []ledger.Guard{{
		Reads: ledger.Reads{Documents: []ledger.DocumentID{id}},
		Check: func(ledger.View) ([]ledger.Command, error) {
			return []ledger.Command{ledger.EraseDocument{Document: id, All: true, Reason: "policy"}}, nil
		},
	}}})
	require.NoError(t, err)
	require.NotContains(t, dump(t, w.store, "main"), "SECRET")
	_, err = w.Record(t.Context(), ledger.Entry{Key: "g2", Guards: []ledger.Guard{{
		Check: func(ledger.View) ([]ledger.Command, error) {
			return []ledger.Command{ledger.EraseDocument{Document: id, All: true, Reason: "policy"}}, nil
		},
	}}})
	require.ErrorIs(t, err, ledger.ErrUndeclared)
	w.sound()
}

// The same body is the same for a key, however it is written, and another one is a conflict that says where.
func TestAKeyRemembersTheDigestOfABody(t *testing.T) {
	w := newWorld(t)
	put := func(body string) (ledger.Receipt, error) {
		return w.Record(t.Context(), ledger.Entry{Key: "k", Commands: []ledger.Command{ledger.PutDocument{
			DocumentID: ledger.DocumentID{Kind: "k", ID: "1"}, Body: json.RawMessage(body),
		}}})
	}
	_, err := put(`{"a": 1, "b": [2]}`)
	require.NoError(t, err)
	r, err := put(`{"b":[2],"a":1}`)
	require.NoError(t, err)
	require.True(t, r.Replayed)
	_, err = put(`{"b":[2],"a":2}`)
	require.ErrorIs(t, err, ledger.ErrKeyConflict)
	require.Contains(t, err.Error(), "commands[0].put_document.body")
}

// Two steps in one Update: the second erases what the first has written just now.
func TestEraseTogether(t *testing.T) {
	w := newWorld(t)
	id := ledger.DocumentID{Kind: "person", ID: "1"}
	w.do(ledger.PutDocument{DocumentID: id, Body: secret(1)})
	_, errs, err := ledger.RecordTogether(t.Context(), w.Book, []ledger.Entry{
		{Key: "a", Commands: []ledger.Command{ledger.PutDocument{DocumentID: id, Version: 1, Body: secret(2)}}},
		{Key: "b", Commands: []ledger.Command{ledger.EraseDocument{Document: id, All: true, Reason: "x"}, ledger.Transfer(alice, bob, dollars(1))}},
		{Key: "c", Commands: []ledger.Command{ledger.EraseDocument{Document: id, Versions: []uint64{2}, Reason: "x"}}},
		{Key: "d", Commands: []ledger.Command{ledger.EraseDocument{Document: id, All: true, Reason: "y"}}},
	}, func(i int) func() ledger.ID {
		return func() ledger.ID { return ledger.ID{byte(i + 1), 6: 0x70, 8: 0x80} }
	})
	require.NoError(t, err)
	require.ErrorIs(t, errs[1], ledger.ErrAccountNotFound)
	require.NoError(t, errs[2])
	require.NoError(t, errs[3])
	require.NotContains(t, dump(t, w.store, "main"), "SECRET")
	d, err := w.Document(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, "x", d.Erased.Reason, "the first to erase says why")
	w.sound()
}

// forgetful is a store that has lost the versions of documents.
type forgetful struct{ ledger.Store }

func (s forgetful) Update(ctx context.Context, book string, want ledger.Names, decide ledger.Decide) error {
	rounds := 0
	return s.Store.Update(ctx, book, want, func(found ledger.Rows) (ledger.Rows, ledger.Names, error) {
		if rounds++; rounds > 10 {
			return ledger.Rows{}, ledger.Names{}, errors.New("the same is asked for ever")
		}
		found.Versions = nil
		return decide(found)
	})
}

func (s forgetful) Read(ctx context.Context, book string, want ledger.Names) (ledger.Rows, error) {
	found, err := s.Store.Read(ctx, book, want)
	found.Versions = nil
	return found, err
}

// A version that is lost is not asked for again and again: the book is corrupt.
func TestEraseOfALostVersion(t *testing.T) {
	s := memory.New()
	id := ledger.DocumentID{Kind: "person", ID: "1"}
	newWorldOn(t, s).do(ledger.PutDocument{DocumentID: id, Body: secret(1)})
	w := newWorldOn(t, forgetful{s})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for _, c := range []ledger.EraseDocument{
		{Document: id, All: true, Reason: "request 7"}, {Document: id, Versions: []uint64{1}, Reason: "request 7"},
	} {
		e := ledger.Entry{Key: "erase", Commands: []ledger.Command{c}}
		_, err := w.Record(ctx, e)
		require.ErrorIs(t, err, ledger.ErrCorrupt)
		_, err = w.Simulate(ctx, e)
		require.ErrorIs(t, err, ledger.ErrCorrupt)
	}
}
