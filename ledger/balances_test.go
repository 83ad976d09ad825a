package ledger_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
)

// fold is a balance worked out the slow way, from all lines.
func fold(t *testing.T, lines []ledger.Line, normal ledger.Side, at ledger.AsOf) ledger.Balance {
	t.Helper()
	b := ledger.Balance{Posted: dollars(0), Held: dollars(0)}
	plus := func(a *currency.Amount, x currency.Amount, up bool) {
		var err error
		if up {
			*a, err = a.Add(x)
		} else {
			*a, err = a.Sub(x)
		}
		require.NoError(t, err)
	}
	for _, l := range lines {
		if !at.Recorded.IsZero() && l.RecordedAt.After(at.Recorded) {
			continue
		}
		b.Version = l.Version
		switch l.Kind {
		case ledger.LinePosted, ledger.LineCaptured:
			if at.Effective.IsZero() || !l.EffectiveAt.After(at.Effective) {
				plus(&b.Posted, l.Amount, l.Side == normal)
			}
			if l.Kind == ledger.LineCaptured {
				plus(&b.Held, l.Amount, false)
			}
		case ledger.LineHeld:
			plus(&b.Held, l.Amount, true)
		case ledger.LineReleased, ledger.LineExpired:
			plus(&b.Held, l.Amount, false)
		default: // moves nothing
		}
	}
	var err error
	b.Available, err = b.Posted.Sub(b.Held)
	require.NoError(t, err)
	return b
}

func TestPastBalancesEqualTheFold(t *testing.T) {
	w := newWorld(t)
	w.furnish(100_000)
	rng := rand.New(rand.NewPCG(1, 2))
	var holds []ledger.ID
	for range 400 {
		w.clock.advance(time.Duration(rng.IntN(4)) * 5 * time.Hour)
		p := ledger.Transfer(alice, bob, dollars(int64(rng.IntN(50))+1))
		if rng.IntN(2) == 0 {
			p = ledger.Transfer(bank, alice, dollars(int64(rng.IntN(50))+1))
		}
		switch rng.IntN(5) {
		case 0:
			p.EffectiveAt = w.Now().Add(-time.Duration(rng.IntN(2_000)) * time.Hour)
		case 1:
			p.EffectiveAt = w.Now().Add(time.Duration(rng.IntN(49)) * time.Hour)
		}
		commands := []ledger.Command{p}
		if rng.IntN(3) == 0 {
			commands = append(commands, ledger.PlaceHold{Account: alice, Amount: dollars(5), ExpiresAt: w.Now().Add(time.Duration(rng.IntN(50)+1) * time.Hour)})
		}
		for _, r := range w.do(commands...).Results {
			if r.Hold != (ledger.ID{}) {
				holds = append(holds, r.Hold)
			}
		}
	}
	require.NotEmpty(t, holds)
	lines := map[ledger.AccountID][]ledger.Line{}
	for _, id := range []ledger.AccountID{alice, bob, bank} {
		lines[id] = collect(t, w.Account(id).Lines(t.Context(), ledger.Query{Limit: 17}))
	}
	span := w.Now().Sub(start)
	moment := func() time.Time {
		switch rng.IntN(4) {
		case 0:
			return time.Time{}
		case 1: // exactly on a line
			l := lines[alice]
			return l[rng.IntN(len(l))].RecordedAt
		}
		return start.Add(time.Duration(rng.Int64N(int64(span+200*time.Hour))) - 100*time.Hour)
	}
	for range 500 {
		at := ledger.AsOf{Recorded: moment(), Effective: moment()}
		got, err := w.Balances(t.Context(), at, bob, alice, bank, alice)
		require.NoError(t, err)
		for i, id := range []ledger.AccountID{bob, alice, bank, alice} {
			normal := ledger.Credit
			if id == bank {
				normal = ledger.Debit
			}
			want := fold(t, lines[id], normal, at)
			want.Account = id
			require.Equal(t, want, got[i], "%+v", at)
		}
		// A part of a book that is in balance need not be, but all of it always is.
		tb, err := w.TrialBalance(t.Context(), at)
		require.NoError(t, err)
		require.True(t, tb.Balanced(), "%+v: %+v", at, tb)
	}
	w.sound()
}

func TestBalancesOfTheUnknown(t *testing.T) {
	w := newWorld(t)
	w.furnish(100)
	_, err := w.Balances(t.Context(), ledger.AsOf{}, alice, nobody)
	require.ErrorIs(t, err, ledger.ErrAccountNotFound)
	_, err = w.Balances(t.Context(), ledger.AsOf{}, ledger.AccountID{Path: "a b", Asset: "USD"})
	require.ErrorIs(t, err, ledger.ErrInvalid)
	got, err := w.Balances(t.Context(), ledger.AsOf{Recorded: start.Add(-time.Second)}, alice)
	require.NoError(t, err)
	require.Equal(t, []ledger.Balance{{Account: alice, Posted: dollars(0), Held: dollars(0), Available: dollars(0)}}, got)
	got, err = w.Balances(t.Context(), ledger.AsOf{})
	require.NoError(t, err)
	require.Empty(t, got)
	for field, at := range map[string]ledger.AsOf{
		"recorded": {Recorded: time.Date(0, 12, 31, 23, 59, 59, 0, time.UTC)}, "effective": {Recorded: start, Effective: time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC)},
	} {
		_, err = w.Balances(t.Context(), at, alice)
		require.ErrorIs(t, err, ledger.ErrInvalid, "a moment that not every store can be asked about")
		require.ErrorContains(t, err, field)
		_, err = w.TrialBalance(t.Context(), at)
		require.ErrorIs(t, err, ledger.ErrInvalid)
	}
	got, err = w.Balances(t.Context(), ledger.AsOf{Recorded: time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC), Effective: time.Date(1, 1, 1, 0, 0, 1, 0, time.UTC)}, alice)
	require.NoError(t, err)
	require.Equal(t, dollars(0), got[0].Posted)
	b, err := w.Account(alice).Balance(t.Context(), ledger.AsOf{})
	require.NoError(t, err)
	require.Equal(t, dollars(100), b.Available)
	require.Equal(t, alice, w.Account(alice).ID())
}

func TestTrialBalance(t *testing.T) {
	w := newWorld(t)
	w.furnish(1_000)
	w.do(ledger.Transfer(alice, fees, dollars(100)), ledger.Transfer(bankEUR, aliceE, euros(5)))
	tb, err := w.TrialBalance(t.Context(), ledger.AsOf{})
	require.NoError(t, err)
	require.True(t, tb.Balanced())
	require.Len(t, tb.Assets, 2)
	require.Equal(t, ledger.AssetTotal{
		Asset: "USD", Debits: dollars(1_000), Credits: dollars(1_000), Difference: dollars(0),
		Types: []ledger.TypeTotal{
			{Type: ledger.Asset, Accounts: 2, Debits: dollars(1_000), Credits: dollars(0)},
			{Type: ledger.Liability, Accounts: 2, Debits: dollars(0), Credits: dollars(900)},
			{Type: ledger.Income, Accounts: 1, Debits: dollars(0), Credits: dollars(100)},
		},
	}, tb.Assets[1])
}
