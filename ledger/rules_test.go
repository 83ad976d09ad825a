package ledger_test

import (
	"encoding/json"
	"io"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/ledger/memory"
)

func TestOpenAccountAgain(t *testing.T) {
	w := newWorld(t)
	open := ledger.OpenAccount{Account: alice, Type: ledger.Liability, Owner: "alice", Floor: dollars(0)}
	w.do(open)
	rows := dump(t, w.store, w.Name())
	r := w.do(open)
	require.Empty(t, r.Balances, "nothing changed")
	require.Len(t, r.Results, 1)
	require.Equal(t, withoutKeys(rows), withoutKeys(dump(t, w.store, w.Name())))

	w.do(ledger.SetAccount{Account: alice, Floor: new(dollars(-500))})
	w.do(open) // as it was opened
	now := open
	now.Floor = dollars(-500)
	w.do(now) // as it is
	now.Floor = dollars(-100)
	_, err := w.try(now)
	require.ErrorIs(t, err, ledger.ErrTermsDiffer)
	require.Equal(t, dollars(-500), w.info(alice).Terms.Floor)

	w.do(ledger.SetAccount{Account: alice, Closed: new(true)})
	w.do(open)
	require.True(t, w.info(alice).Terms.Closed, "opening does not reopen")
	w.sound()
}

func TestSetAccount(t *testing.T) {
	w := newWorld(t)
	w.furnish(1_000)
	version := w.info(alice).Version
	r := w.do(ledger.SetAccount{Account: alice, Floor: new(dollars(0)), DebitsFrozen: new(false)})
	require.Empty(t, r.Balances)
	require.Equal(t, version, w.info(alice).Version, "what is so already is no line")

	w.do(ledger.SetAccount{Account: alice, Floor: new(currency.Amount{})})
	require.False(t, w.info(alice).Terms.Floor.IsValid())
	w.do(ledger.Transfer(alice, bob, dollars(3_000)))
	_, err := w.try(ledger.SetAccount{Account: alice, Floor: new(dollars(0))})
	require.ErrorIs(t, err, ledger.ErrInsufficientFunds)
	w.do(ledger.SetAccount{Account: alice, Ceiling: new(dollars(10))}, ledger.SetAccount{Account: alice, Floor: new(dollars(-2_000))})
	_, err = w.try(ledger.SetAccount{Account: alice, Ceiling: new(dollars(-2_001))})
	require.ErrorIs(t, err, ledger.ErrInvalid)

	w.do(ledger.SetAccount{Account: alice, Floor: new(currency.Amount{}), Ceiling: new(currency.Amount{})})
	w.do(ledger.Transfer(bob, alice, dollars(2_000)), ledger.SetAccount{Account: alice, Closed: new(true)})
	_, err = w.try(ledger.Transfer(bank, alice, dollars(1)))
	require.ErrorIs(t, err, ledger.ErrAccountClosed)
	w.do(ledger.SetAccount{Account: alice, Closed: new(false)}, ledger.Transfer(bank, alice, dollars(1)))
	w.sound()
}

func TestAssetChanged(t *testing.T) {
	w := newWorld(t)
	points := ledger.AccountID{Path: "points", Asset: "app:test/coin"}
	err := w.store.Update(t.Context(), w.Name(), ledger.Names{Assets: []currency.AssetID{points.Asset}}, func(ledger.Rows) (ledger.Rows, ledger.Names, error) {
		return ledger.Rows{Assets: []ledger.AssetRow{{ID: points.Asset, Code: "COIN", Name: "Coin", Scale: 3, Kind: currency.Virtual}}}, ledger.Names{}, nil
	})
	require.NoError(t, err)
	_, err = w.try(ledger.OpenAccount{Account: points, Type: ledger.Liability})
	require.ErrorIs(t, err, ledger.ErrAssetChanged)
	one := currency.MustNew(1, coin)
	_, err = w.try(ledger.Transfer(points, ledger.AccountID{Path: "other", Asset: points.Asset}, one))
	require.ErrorIs(t, err, ledger.ErrAssetChanged, "also where no account is opened")
	v, err := w.Verify(t.Context())
	require.NoError(t, err)
	require.Equal(t, ledger.ProblemAsset, v.Problems[0].Kind)
}

// A bound stops what moves towards it and lets everything else pass.
func TestBoundsStopOnlyWhatMovesTowardsThem(t *testing.T) {
	w := newWorld(t)
	w.furnish(1_000)
	h := w.do(ledger.PlaceHold{Account: alice, Amount: dollars(400)}).Results[0].Hold
	w.do(ledger.SetAccount{Account: alice, Floor: new(currency.Amount{})}, ledger.Transfer(alice, bob, dollars(900)))
	// Posted 1.00, held 4.00, available −3.00; then somebody plants a floor by way of the store, as a migration might.
	plant(t, w, func(a *ledger.AccountInfo) { a.Terms.Floor = dollars(0) })
	_, err := w.try(ledger.Transfer(alice, bob, dollars(1)))
	require.ErrorIs(t, err, ledger.ErrInsufficientFunds)
	_, err = w.try(ledger.PlaceHold{Account: alice, Amount: dollars(1)})
	require.ErrorIs(t, err, ledger.ErrInsufficientFunds)
	w.do(ledger.Transfer(bob, alice, dollars(100)))                                                             // towards the floor, from below
	w.do(ledger.Capture{Hold: ledger.ByID(h), To: []ledger.Portion{{Account: bob, Amount: dollars(1)}}})        // available stays
	w.do(ledger.Release{Hold: ledger.ByID(h), Amount: dollars(1)})                                              // up
	plant(t, w, func(a *ledger.AccountInfo) { a.Terms.Ceiling, a.Terms.Floor = dollars(0), currency.Amount{} }) // now it is above
	_, err = w.try(ledger.Transfer(bob, alice, dollars(1)))
	require.ErrorIs(t, err, ledger.ErrCeiling)
	w.do(ledger.Transfer(alice, bob, dollars(1)))
}

// plant edits alice's row behind the ledger's back.
func plant(t *testing.T, w *world, edit func(*ledger.AccountInfo)) {
	t.Helper()
	err := w.store.Update(t.Context(), w.Name(), ledger.Names{Accounts: []ledger.AccountID{alice}}, func(found ledger.Rows) (ledger.Rows, ledger.Names, error) {
		edit(&found.Accounts[0])
		return ledger.Rows{Accounts: found.Accounts}, ledger.Names{}, nil
	})
	require.NoError(t, err)
}

// Debit-normal accounts have their bounds on the other side.
func TestBoundsOfAnAsset(t *testing.T) {
	w := newWorld(t)
	w.furnish(0)
	_, err := w.try(ledger.Transfer(bank, owed, dollars(1))) // credit lowers a receivable
	require.ErrorIs(t, err, ledger.ErrInsufficientFunds)
	w.do(ledger.Transfer(owed, bank, dollars(500)))
	w.has(owed, 500, 0)
	h := w.do(ledger.PlaceHold{Account: owed, Amount: dollars(200)}).Results[0].Hold
	w.do(ledger.Capture{Hold: ledger.ByID(h), To: []ledger.Portion{{Account: bank, Amount: dollars(200)}}})
	w.has(owed, 300, 0)
	w.has(bank, -300, 0)
	w.sound()
}

func TestHeadroom(t *testing.T) {
	a := ledger.AccountInfo{Type: ledger.Liability, Posted: dollars(500), Held: dollars(100), Terms: ledger.Terms{Floor: dollars(-50), Ceiling: dollars(800)}}
	check := func(side ledger.Side, fact bool, want int64, unlimited bool) {
		t.Helper()
		got, un := a.Headroom(side, fact)
		require.Equal(t, dollars(want), got)
		require.Equal(t, unlimited, un)
	}
	require.Equal(t, dollars(400), a.Available())
	check(ledger.Debit, false, 450, false)
	check(ledger.Credit, false, 300, false)
	a.Terms.DebitsFrozen = true
	check(ledger.Debit, false, 0, false)
	check(ledger.Debit, true, 450, false)
	check(ledger.Credit, false, 300, false)
	a.Terms.Floor, a.Terms.Ceiling = currency.Amount{}, dollars(400)
	check(ledger.Debit, true, 0, true)
	check(ledger.Credit, true, 0, false)
	a.Type = ledger.Asset
	check(ledger.Debit, true, 0, false)
	a.Terms.Closed = true
	check(ledger.Debit, true, 0, false)
	a = ledger.AccountInfo{Type: ledger.Liability, Posted: dollars(-1), Held: dollars(0), Terms: ledger.Terms{Ceiling: must128()}}
	check(ledger.Credit, false, 0, true) // more than an amount can be
}

func TestDraw(t *testing.T) {
	w := newWorld(t)
	w.furnish(1_000)
	frozen := ledger.AccountID{Path: "wallet/frozen", Asset: "USD"}
	w.do(ledger.OpenAccount{Account: frozen, Type: ledger.Liability, Floor: dollars(0)}, ledger.Transfer(bank, frozen, dollars(50)),
		ledger.SetAccount{Account: frozen, DebitsFrozen: new(true), CreditsFrozen: new(true)})

	r := w.do(ledger.Draw{Amount: dollars(1_200), From: []ledger.AccountID{frozen, alice, owed}, To: []ledger.AccountID{bank}})
	tx, err := w.Transaction(t.Context(), r.Results[0].Transaction)
	require.NoError(t, err)
	require.Equal(t, []ledger.Posting{
		{Account: alice, Side: ledger.Debit, Amount: dollars(1_000)},
		{Account: owed, Side: ledger.Debit, Amount: dollars(200)},
		{Account: bank, Side: ledger.Credit, Amount: dollars(1_200)},
	}, tx.Postings)

	w.do(ledger.Draw{Amount: dollars(60), From: []ledger.AccountID{frozen, owed}, To: []ledger.AccountID{bank}, Fact: true})
	w.has(frozen, 0, 0)
	w.has(owed, 210, 0)

	// Money that comes in repays first, skips what is frozen, fact or not, and then fills the wallet.
	w.do(ledger.Draw{Amount: dollars(300), From: []ledger.AccountID{bank}, To: []ledger.AccountID{owed, frozen, alice}, Fact: true})
	w.has(owed, 0, 0)
	w.has(frozen, 0, 0)
	w.has(alice, 90, 0)
	w.sound()
}

func TestHoldLife(t *testing.T) {
	w := newWorld(t)
	w.furnish(1_000)
	id := w.do(ledger.PlaceHold{Account: alice, Amount: dollars(600), Note: ledger.Note{Reference: "order/1"}}).Results[0].Hold
	w.has(alice, 1_000, 600)
	r := w.do(ledger.Capture{Hold: ledger.ByID(id), To: []ledger.Portion{{Account: bob, Amount: dollars(190)}, {Account: fees, Amount: dollars(10)}}})
	require.Equal(t, id, r.Results[0].Hold)
	w.has(alice, 800, 400)
	w.do(ledger.Release{Hold: ledger.ByID(id), Amount: dollars(100)})
	w.do(ledger.Capture{Hold: ledger.ByID(id), To: []ledger.Portion{{Account: bob, Amount: dollars(200)}}, Final: true})
	w.has(alice, 600, 0)
	h, err := w.Hold(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, ledger.HoldCaptured, h.State)
	require.Equal(t, [2]currency.Amount{dollars(400), dollars(200)}, [2]currency.Amount{h.Captured, h.Released})
	w.sound()

	// A capture may be reversed; the hold stays closed.
	w.do(ledger.Reverse{Transaction: ledger.ByID(r.Results[0].Transaction), All: true})
	w.has(alice, 800, 0)
	w.sound()
}

func TestHoldExpires(t *testing.T) {
	w := newWorld(t)
	w.furnish(1_000)
	deadline := w.Now().Add(time.Hour)
	first := w.do(ledger.PlaceHold{Account: alice, Amount: dollars(600), ExpiresAt: deadline}).Results[0].Hold
	second := w.do(ledger.PlaceHold{Account: alice, Amount: dollars(300), ExpiresAt: deadline.Add(3 * time.Hour)}).Results[0].Hold
	w.do(ledger.Capture{Hold: ledger.ByID(first), To: []ledger.Portion{{Account: bob, Amount: dollars(100)}}})
	require.Equal(t, deadline, w.info(alice).NextExpiry)

	w.clock.advance(time.Hour - time.Second)
	_, err := w.try(ledger.Transfer(alice, bob, dollars(101)))
	require.ErrorIs(t, err, ledger.ErrInsufficientFunds)
	w.clock.advance(time.Second)
	before := dump(t, w.store, w.Name())
	_, err = w.try(ledger.Transfer(alice, bob, dollars(601)))
	require.ErrorIs(t, err, ledger.ErrInsufficientFunds)
	require.Equal(t, withoutKeys(before), withoutKeys(dump(t, w.store, w.Name())), "a refusal writes no expiry")
	w.do(ledger.Transfer(alice, bob, dollars(600)))
	w.has(alice, 300, 300)
	h, err := w.Hold(t.Context(), first)
	require.NoError(t, err)
	require.Equal(t, ledger.HoldExpired, h.State)
	require.Equal(t, dollars(500), h.Released)
	require.False(t, w.info(alice).NextExpiry.After(deadline.Add(3*time.Hour)))
	w.sound()

	// The sweep needs nobody to touch the account.
	n, err := w.ExpireHolds(t.Context(), 10)
	require.NoError(t, err)
	require.Zero(t, n)
	w.clock.advance(3 * time.Hour)
	n, err = w.ExpireHolds(t.Context(), 10)
	require.NoError(t, err)
	require.Equal(t, 1, n)
	h, err = w.Hold(t.Context(), second)
	require.NoError(t, err)
	require.Equal(t, ledger.HoldExpired, h.State)
	require.Zero(t, w.info(alice).NextExpiry)
	w.sound()
}

// A hold may have many neighbours; the ledger reads those that are due within the hour and never misses one.
func TestManyHoldsExpire(t *testing.T) {
	w := newWorld(t)
	w.furnish(100_000)
	for i := range 40 {
		w.do(ledger.PlaceHold{Account: alice, Amount: dollars(10), ExpiresAt: w.Now().Add(time.Duration(i+1) * 17 * time.Minute)})
	}
	w.do(ledger.PlaceHold{Account: alice, Amount: dollars(10)})
	for i := range 40 {
		w.clock.advance(17 * time.Minute)
		if i%3 == 0 {
			w.do(ledger.Transfer(alice, bob, dollars(1)))
			_, held := w.info(alice).Posted, w.info(alice).Held
			require.Equal(t, dollars(int64(40-i)*10), held)
			w.sound()
		}
	}
	n, err := w.ExpireHolds(t.Context(), 1)
	require.NoError(t, err)
	require.Zero(t, n, "all are gone: %v", w.info(alice).Held)
	w.sound()
}

func TestFreezeAndFact(t *testing.T) {
	w := newWorld(t)
	w.furnish(1_000)
	h := w.do(ledger.PlaceHold{Account: alice, Amount: dollars(100)}).Results[0].Hold
	tx := w.do(ledger.Transfer(alice, bob, dollars(100))).Results[0].Transaction
	w.do(ledger.SetAccount{Account: alice, DebitsFrozen: new(true), CreditsFrozen: new(true)})
	to := []ledger.Portion{{Account: bob, Amount: dollars(10)}}
	for name, c := range map[string][2]ledger.Command{
		"post":    {ledger.Transfer(alice, bob, dollars(10)), ledger.Post{Postings: ledger.Transfer(alice, bob, dollars(10)).Postings, Fact: true}},
		"capture": {ledger.Capture{Hold: ledger.ByID(h), To: to}, ledger.Capture{Hold: ledger.ByID(h), To: to, Fact: true}},
		"hold":    {ledger.PlaceHold{Account: alice, Amount: dollars(10)}, ledger.PlaceHold{Account: alice, Amount: dollars(10), Fact: true}},
		"reverse": {ledger.Reverse{Transaction: ledger.ByID(tx), All: true}, ledger.Reverse{Transaction: ledger.ByID(tx), All: true, Fact: true}},
	} {
		_, err := w.try(c[0])
		require.ErrorIs(t, err, ledger.ErrAccountFrozen, name)
		w.do(c[1])
	}
	w.do(ledger.Release{Hold: ledger.ByID(h), All: true}) // moves no money
	w.sound()
}

func TestReverseInParts(t *testing.T) {
	w := newWorld(t)
	w.furnish(10_000)
	post := ledger.Post{Postings: []ledger.Posting{
		{Account: alice, Side: ledger.Debit, Amount: dollars(300)},
		{Account: alice, Side: ledger.Debit, Amount: dollars(200)},
		{Account: bob, Side: ledger.Credit, Amount: dollars(480)},
		{Account: fees, Side: ledger.Credit, Amount: dollars(20)},
	}}
	tx := w.do(post).Results[0].Transaction
	part := []ledger.Posting{{Account: alice, Side: ledger.Debit, Amount: dollars(400)}, {Account: bob, Side: ledger.Credit, Amount: dollars(400)}}
	r := w.do(ledger.Reverse{Transaction: ledger.ByID(tx), Part: part})
	got, err := w.Transaction(t.Context(), tx)
	require.NoError(t, err)
	require.Equal(t, []currency.Amount{dollars(300), dollars(100), dollars(400), dollars(0)}, got.Reversed)
	back, err := w.Transaction(t.Context(), r.Results[0].Transaction)
	require.NoError(t, err)
	require.Equal(t, tx, back.Reverses)
	require.Len(t, back.Postings, 3)
	w.do(ledger.Reverse{Transaction: ledger.ByID(tx), All: true})
	w.has(alice, 10_000, 0)
	w.has(fees, 0, 0)
	w.sound()

	// A reversal is a transaction: it can be reversed, and the first stays reversed.
	w.do(ledger.Reverse{Transaction: ledger.ByID(back.ID), All: true})
	w.has(alice, 9_600, 0)
	_, err = w.try(ledger.Reverse{Transaction: ledger.ByID(tx), All: true})
	require.ErrorIs(t, err, ledger.ErrAlreadyReversed)

	// All of it in one entry.
	w.do(ledger.Transfer(alice, bob, dollars(5)), ledger.Reverse{Transaction: ledger.Nth(0), All: true}, ledger.Reverse{Transaction: ledger.Nth(1), All: true})
	w.sound()
}

func TestDocuments(t *testing.T) {
	w := newWorld(t)
	id := ledger.DocumentID{Kind: "deposit", ID: "d1"}
	r := w.do(ledger.PutDocument{DocumentID: id, Owner: "alice", State: "created", References: []string{"stripe/1"}, Schema: 1, Body: json.RawMessage(`{"a":1}`)})
	require.Equal(t, ledger.Result{Document: id, Version: 1}, r.Results[0])
	w.clock.advance(time.Minute)
	w.do(
		ledger.PutDocument{DocumentID: id, Version: 1, State: "pending", Due: w.Now().Add(time.Hour + 5), References: []string{"stripe/2", "stripe/1"}},
		ledger.PutDocument{DocumentID: id, Version: 2, Owner: "bob", State: "done"},
	)
	d, err := w.Document(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, uint64(3), d.Version)
	require.Equal(t, []string{"stripe/1", "stripe/2"}, d.References)
	require.Equal(t, start, d.CreatedAt)
	require.Empty(t, d.Body, "everything but the references is replaced")
	first, err := w.Version(t.Context(), ledger.VersionID{DocumentID: id, Version: 1})
	require.NoError(t, err)
	require.JSONEq(t, `{"a":1}`, string(first.Body))
	by, err := w.ByReference(t.Context(), "stripe/2")
	require.NoError(t, err)
	require.Equal(t, d, by)
	second, err := w.Version(t.Context(), ledger.VersionID{DocumentID: id, Version: 2})
	require.NoError(t, err)
	require.Equal(t, w.Now().Add(time.Hour), second.Due, "whole microseconds")

	refs := make([]string, ledger.MaxReferences-1)
	for i := range refs {
		refs[i] = strconv.Itoa(i)
	}
	_, err = w.try(ledger.PutDocument{DocumentID: id, Version: 3, References: refs})
	require.ErrorIs(t, err, ledger.ErrTooLarge)
	w.do(ledger.PutDocument{DocumentID: id, Version: 3, References: refs[1:]})
	w.sound()
}

func TestLookUps(t *testing.T) {
	w := newWorld(t)
	id := ledger.DocumentID{Kind: "k", ID: "1"}
	_, err := w.Document(t.Context(), id)
	require.ErrorIs(t, err, ledger.ErrDocumentNotFound)
	_, err = w.Version(t.Context(), ledger.VersionID{DocumentID: id, Version: 1})
	require.ErrorIs(t, err, ledger.ErrDocumentNotFound)
	_, err = w.ByReference(t.Context(), "r")
	require.ErrorIs(t, err, ledger.ErrDocumentNotFound)
	_, err = w.Hold(t.Context(), ledger.ID{1})
	require.ErrorIs(t, err, ledger.ErrHoldNotFound)
	_, err = w.Transaction(t.Context(), ledger.ID{1})
	require.ErrorIs(t, err, ledger.ErrTransactionNotFound)
	_, err = w.Info(t.Context(), alice)
	require.ErrorIs(t, err, ledger.ErrAccountNotFound)
	require.ErrorIs(t, err, ledger.NotFound)
	_, err = w.Receipt(t.Context(), "k")
	require.ErrorIs(t, err, ledger.ErrKeyNotFound)
	require.ErrorIs(t, lastError(t, w.Account(alice).Lines(t.Context(), ledger.Query{Owner: "x"})), ledger.ErrInvalid)
	require.Empty(t, collect(t, w.Account(alice).Lines(t.Context(), ledger.Query{})))
}

// A guard sees what earlier commands left, its commands come first, and its reads may be absent rows.
func TestGuards(t *testing.T) {
	w := newWorld(t)
	w.furnish(1_000)
	h := w.do(ledger.PlaceHold{Account: alice, Amount: dollars(100)}).Results[0].Hold
	counter := ledger.DocumentID{Kind: "counter", ID: "alice"}
	var kept ledger.View
	guards := []ledger.Guard{
		{
			Reads: ledger.Reads{Documents: []ledger.DocumentID{counter}, Accounts: []ledger.AccountID{nobody}, References: []string{"none"}},
			Check: func(v ledger.View) ([]ledger.Command, error) {
				kept = v
				_, ok := v.Document(counter)
				_, ok2 := v.Account(nobody)
				_, ok3 := v.Reference("none")
				require.False(t, ok || ok2 || ok3)
				return []ledger.Command{
					ledger.PutDocument{DocumentID: counter, Body: json.RawMessage("1")},
					ledger.OpenAccount{Account: nobody, Type: ledger.Liability},
				}, nil
			},
		},
		{
			Reads: ledger.Reads{Documents: []ledger.DocumentID{counter}, Holds: []ledger.ID{h}, Accounts: []ledger.AccountID{bob}},
			Check: func(v ledger.View) ([]ledger.Command, error) {
				d, ok := v.Document(counter)
				require.True(t, ok)
				require.Equal(t, "1", string(d.Body))
				hold, ok := v.Hold(h)
				require.True(t, ok)
				a, ok := v.Account(hold.Account) // declared by its hold
				require.True(t, ok)
				require.Equal(t, dollars(900), a.Available())
				return []ledger.Command{ledger.Capture{Hold: ledger.ByID(h), To: []ledger.Portion{{Account: bob, Amount: dollars(100)}}}}, nil
			},
		},
	}
	r, err := w.Record(t.Context(), ledger.Entry{Key: "g", Guards: guards, Commands: []ledger.Command{ledger.Transfer(bob, nobody, dollars(100))}})
	require.NoError(t, err)
	require.Len(t, r.Results, 1)
	require.Len(t, r.Guarded, 3)
	w.has(nobody, 100, 0)
	_, ok := kept.Account(nobody)
	require.False(t, ok, "a view that was kept sees nothing")
	w.sound()
}

// A guard's commands have their own numbering.
func TestNthIsOfTheSameList(t *testing.T) {
	w := newWorld(t)
	w.furnish(1_000)
	guard := ledger.Guard{Reads: ledger.Reads{Accounts: []ledger.AccountID{alice, bob}}, Check: func(ledger.View) ([]ledger.Command, error) {
		return []ledger.Command{ledger.PlaceHold{Account: alice, Amount: dollars(7)}, ledger.Release{Hold: ledger.Nth(0), All: true}}, nil
	}}
	r, err := w.Record(t.Context(), ledger.Entry{Key: "g", Guards: []ledger.Guard{guard, guard}, Commands: []ledger.Command{
		ledger.PlaceHold{Account: alice, Amount: dollars(9)}, ledger.Release{Hold: ledger.Nth(0), Amount: dollars(4)},
	}})
	require.NoError(t, err)
	require.Len(t, r.Guarded, 4)
	require.NotEqual(t, r.Guarded[0].Hold, r.Guarded[2].Hold)
	require.Equal(t, r.Results[0].Hold, r.Results[1].Hold)
	w.has(alice, 1_000, 5)
}

// Guards' commands count towards the limit of an entry.
func TestGuardCommandsCount(t *testing.T) {
	w := newWorld(t)
	w.furnish(1_000)
	e := ledger.Entry{Key: "g", Guards: []ledger.Guard{{Reads: ledger.Reads{Accounts: []ledger.AccountID{alice, bob}}, Check: func(ledger.View) ([]ledger.Command, error) {
		return []ledger.Command{ledger.Transfer(alice, bob, dollars(1))}, nil
	}}}}
	for range ledger.MaxCommands {
		e.Commands = append(e.Commands, ledger.OpenAccount{Account: bank, Type: ledger.Asset})
	}
	_, err := w.Record(t.Context(), e)
	require.ErrorIs(t, err, ledger.ErrTooLarge)
	e.Commands = e.Commands[1:]
	_, err = w.Record(t.Context(), e)
	require.NoError(t, err)
}

func TestOverflowOfARunningBalance(t *testing.T) {
	w := newWorld(t)
	w.furnish(0)
	huge := must128()
	w.do(ledger.Transfer(bank, fees, huge))
	_, err := w.try(ledger.Transfer(bank, fees, dollars(1)))
	require.ErrorIs(t, err, ledger.ErrOverflow)
	require.ErrorIs(t, err, ledger.Invalid)
	w.do(ledger.Transfer(fees, bank, dollars(1)))
	w.do(ledger.Transfer(bank, fees, dollars(1)))
	// Posted and held fit, their difference does not.
	x := ledger.AccountID{Path: "x", Asset: "USD"}
	w.do(ledger.OpenAccount{Account: x, Type: ledger.Liability}, ledger.PlaceHold{Account: x, Amount: huge})
	_, err = w.try(ledger.Transfer(x, bob, dollars(1)))
	require.ErrorIs(t, err, ledger.ErrOverflow)
	_, err = w.TrialBalance(t.Context(), ledger.AsOf{})
	require.NoError(t, err)
	w.sound()
}

// The ledger's time never runs back on an account or a document, whatever the clock does.
func TestTimeNeverRunsBack(t *testing.T) {
	w := newWorld(t)
	w.furnish(1_000)
	tip := ledger.DocumentID{Kind: "tip", ID: "1"}
	w.do(ledger.PutDocument{DocumentID: tip})
	last := w.info(alice).UpdatedAt
	for i := range 20 {
		w.clock.advance(time.Duration(5-i) * time.Second)
		r := w.do(ledger.Transfer(alice, bob, dollars(1)), ledger.PutDocument{DocumentID: tip, Version: uint64(i) + 1})
		require.True(t, r.RecordedAt.After(last))
		require.Equal(t, r.RecordedAt, w.info(alice).UpdatedAt)
		last = r.RecordedAt
	}
	w.sound()
}

func TestPaths(t *testing.T) {
	long := strings.Repeat("x", ledger.MaxPathBytes)
	for path, ok := range map[string]bool{
		"a": true, "wallet/alice": true, "a/b/c/d/e/f/g/h": true, "A.b_c~d@e:f+g=h-1": true, long: true,
		"": false, "/": false, "a/": false, "/a": false, "a//b": false, "a/b/c/d/e/f/g/h/i": false, "a b": false, "é": false, "a\x00": false,
		"a%": false, long + "x": false,
	} {
		err := ledger.AccountID{Path: path, Asset: "USD"}.Validate()
		require.Equal(t, ok, err == nil, "%q: %v", path, err)
	}
	require.ErrorIs(t, ledger.AccountID{Path: "a", Asset: "US"}.Validate(), ledger.ErrInvalid)
}

// A simulation says what recording would say.
func TestSimulate(t *testing.T) {
	w := newWorld(t)
	w.furnish(1_000)
	e := ledger.Entry{Key: "k", Commands: []ledger.Command{
		ledger.OpenAccount{Account: nobody, Type: ledger.Liability}, ledger.Transfer(alice, nobody, dollars(100)),
	}}
	before := dump(t, w.store, w.Name())
	said, err := w.Simulate(t.Context(), e)
	require.NoError(t, err)
	require.Equal(t, before, dump(t, w.store, w.Name()))
	done, err := w.Record(t.Context(), e)
	require.NoError(t, err)
	require.Equal(t, said.Balances, done.Balances)
	again, err := w.Simulate(t.Context(), e)
	require.NoError(t, err)
	require.True(t, again.Replayed)
}

func TestBooksDoNotSeeOneAnother(t *testing.T) {
	w := newWorld(t)
	w.furnish(1_000)
	other := ledger.New(w.store, ledger.Config{Book: "other", Clock: w.clock.Now})
	_, err := other.Info(t.Context(), alice)
	require.ErrorIs(t, err, ledger.ErrAccountNotFound)
	_, err = other.Receipt(t.Context(), "key-1")
	require.ErrorIs(t, err, ledger.ErrKeyNotFound)
	require.Empty(t, collect(t, other.Accounts(t.Context(), ledger.Query{})))
	before := dump(t, w.store, w.Name())
	_, err = other.Record(t.Context(), ledger.Entry{Key: "key-1", Commands: []ledger.Command{ledger.OpenAccount{Account: alice, Type: ledger.Asset}}})
	require.NoError(t, err)
	require.Equal(t, before, dump(t, w.store, w.Name()))
	require.Equal(t, "other", other.Name())
}

// A book with a name that some store could not keep is refused at every door, not only by the stores that cannot.
func TestBooksOfBadNames(t *testing.T) {
	s := memory.New()
	long := strings.Repeat("b", ledger.MaxNameBytes)
	good := ledger.New(s, ledger.Config{Book: long})
	_, err := good.Record(t.Context(), ledger.Entry{Key: "k", Commands: []ledger.Command{ledger.OpenAccount{Account: bank, Type: ledger.Asset}}})
	require.NoError(t, err)
	for name, code := range map[string]ledger.Code{"a\x00": ledger.ErrInvalid, "a\nb": ledger.ErrInvalid, "\xff": ledger.ErrInvalid, long + "b": ledger.ErrTooLarge} {
		b := ledger.New(s, ledger.Config{Book: name})
		ctx := t.Context()
		e := ledger.Entry{Key: "k", Commands: []ledger.Command{ledger.OpenAccount{Account: bank, Type: ledger.Asset}}}
		for door, err := range map[string]error{
			"Record":     second(b.Record(ctx, e)),
			"RecordAll":  b.RecordAll(ctx, []ledger.Entry{e})[0].Err,
			"Simulate":   second(b.Simulate(ctx, e)),
			"In":         second(b.In(s).Record(ctx, e)),
			"Balances":   second(b.Balances(ctx, ledger.AsOf{}, bank)),
			"striped":    second(b.Balances(ctx, ledger.AsOf{}, ledger.AccountID{Path: "fees/*", Asset: "USD"})),
			"Info":       second(b.Info(ctx, bank)),
			"Page":       second(b.Page(ctx, ledger.Query{List: ledger.ListAccounts})),
			"Receipt":    second(b.Receipt(ctx, "k")),
			"Feed":       lastError(t, b.Feed(ctx, 0)),
			"Blocks":     lastError(t, b.Blocks(ctx, 0)),
			"Follow":     lastError(t, b.Follow(ctx, 0)),
			"Lease":      second(b.Lease(ctx, ledger.LeaseRequest{Lanes: []string{""}, Limit: 1, For: time.Second})),
			"Expire":     second(b.ExpireHolds(ctx, 1)),
			"NumberFeed": second(b.NumberFeed(ctx, 1)),
			"Run":        b.Run(ctx),
			"Verify":     second(b.Verify(ctx)),
			"Trial":      second(b.TrialBalance(ctx, ledger.AsOf{})),
			"Export":     b.Export(ctx, io.Discard),
		} {
			require.ErrorIs(t, err, code, "%q: %s", name, door)
			require.ErrorContains(t, err, "book", "%q: %s", name, door)
		}
	}
}
