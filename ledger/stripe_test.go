package ledger_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/ledger/memory"
)

var (
	allFees     = ledger.AccountID{Path: "fees/*", Asset: "USD"}
	allClearing = ledger.AccountID{Path: "clearing/card/*", Asset: "USD"}
)

func newStripedWorld(t *testing.T, fees int) *world {
	w := newWorldOn(t, memory.New())
	w.Book = ledger.New(w.store, ledger.Config{Clock: w.clock.Now, NewID: counter(), Stripes: ledger.Stripes{"fees": fees, "clearing/card": 3}})
	w.furnish(100_000)
	w.do(ledger.OpenAccount{Account: allFees, Type: ledger.Income}, ledger.OpenAccount{Account: allClearing, Type: ledger.Asset})
	return w
}

// The whole is what brute force makes of its parts, now and at any past moment, whichever commands wrote it.
func TestStripesAgainstBruteForce(t *testing.T) {
	w := newStripedWorld(t, 5)
	rng := rand.New(rand.NewPCG(1, 2))
	var fees, held, clearing int64
	type moment struct {
		at                   time.Time
		fees, held, clearing int64
	}
	var past []moment
	for i := range 300 {
		w.clock.advance(time.Second)
		n := rng.Int64N(50) + 1
		switch rng.IntN(5) {
		case 0:
			w.do(ledger.Draw{Amount: dollars(n), From: []ledger.AccountID{allClearing}, To: []ledger.AccountID{allFees}})
			clearing, fees = clearing+n, fees+n
		case 1:
			w.do(ledger.PlaceHold{Account: alice, Amount: dollars(n)}, ledger.Capture{Hold: ledger.Nth(0), To: []ledger.Portion{{Account: allFees, Amount: dollars(n)}}})
			fees += n
		case 2:
			w.do(ledger.PlaceHold{Account: allFees, Amount: dollars(n)})
			held += n
		case 3:
			r := w.do(ledger.Transfer(alice, allFees, dollars(n)))
			if rng.IntN(2) == 0 {
				w.do(ledger.Reverse{Transaction: ledger.ByID(r.Results[0].Transaction), All: true})
				n = 0
			}
			fees += n
		default:
			w.do(ledger.Post{Postings: []ledger.Posting{
				{Account: allClearing, Side: ledger.Debit, Amount: dollars(n)},
				{Account: alice, Side: ledger.Credit, Amount: dollars(n)},
			}})
			clearing += n
		}
		w.clock.advance(time.Millisecond) // beyond the ledger's time of a second entry
		if i%50 == 0 {
			past = append(past, moment{w.Now(), fees, held, clearing})
		}
	}
	past = append(past, moment{time.Time{}, fees, held, clearing})
	for _, m := range past {
		got, err := w.Balances(t.Context(), ledger.AsOf{Recorded: m.at}, allFees, alice, allClearing, allFees)
		require.NoError(t, err)
		require.Equal(t, dollars(m.fees), got[0].Posted)
		require.Equal(t, dollars(m.held), got[0].Held)
		require.Equal(t, dollars(m.fees-m.held), got[0].Available)
		require.Equal(t, dollars(m.clearing), got[2].Posted)
		require.Equal(t, got[0], got[3])
		require.Equal(t, allFees, got[0].Account)
		require.Equal(t, alice, got[1].Account)
	}
	info := w.info(allFees)
	require.Equal(t, dollars(fees), info.Posted)
	require.Equal(t, ledger.Income, info.Type)
	var versions uint64
	for i := range 5 {
		part := w.info(ledger.AccountID{Path: fmt.Sprintf("fees/%d", i), Asset: "USD"})
		require.Greater(t, part.Version, uint64(1), "every part is used")
		versions += part.Version
	}
	require.Equal(t, versions, info.Version)
	balance, err := ledger.New(w.store, ledger.Config{}).Account(allFees).Balance(t.Context(), ledger.AsOf{})
	require.NoError(t, err, "reading needs no setting")
	require.Equal(t, dollars(fees), balance.Posted)
	w.sound()
}

// A key stands for the whole: a retry after the number of parts has grown finds its receipt, and a conflict its field.
func TestStripesGrow(t *testing.T) {
	w := newStripedWorld(t, 1)
	pay := func(cents int64) ledger.Entry {
		return ledger.Entry{Key: "k", Commands: []ledger.Command{ledger.Transfer(alice, allFees, dollars(cents))}}
	}
	first, err := w.Record(t.Context(), pay(5))
	require.NoError(t, err)
	for parts := range 9 {
		w.Book = ledger.New(w.store, ledger.Config{Clock: w.clock.Now, NewID: w.clockIDs(parts), Stripes: ledger.Stripes{"fees": parts + 1}})
		w.do(ledger.OpenAccount{Account: allFees, Type: ledger.Income})
		again, err := w.Record(t.Context(), pay(5))
		require.NoError(t, err)
		require.True(t, again.Replayed)
		require.Equal(t, first.ID, again.ID)
		_, err = w.Record(t.Context(), pay(6))
		require.ErrorIs(t, err, ledger.ErrKeyConflict)
		require.ErrorContains(t, err, "commands[0].post.postings[0].amount.amount")
	}
	w.has(allFees, 5, 0)
}

// clockIDs makes ids of their own for a book that is opened again.
func (w *world) clockIDs(book int) func() ledger.ID {
	next := counter()
	return func() ledger.ID {
		id := next()
		id[0] = byte(book + 1)
		return id
	}
}

func TestStripesInGuards(t *testing.T) {
	w := newStripedWorld(t, 4)
	for i := range 8 {
		_, err := w.Record(t.Context(), ledger.Entry{Key: fmt.Sprint("g", i), Guards: []ledger.Guard{{
			Reads: ledger.Reads{Accounts: []ledger.AccountID{allFees, alice}},
			Check: func(v ledger.View) ([]ledger.Command, error) {
				if _, there := v.Account(allFees); !there {
					return nil, ledger.ErrDenied
				}
				return []ledger.Command{ledger.Transfer(alice, allFees, dollars(2))}, nil
			},
		}}})
		require.NoError(t, err)
	}
	w.has(allFees, 16, 0)
}

func TestStripesRefused(t *testing.T) {
	w := newStripedWorld(t, 4)
	other := ledger.AccountID{Path: "other/*", Asset: "USD"}
	for name, c := range map[string]ledger.Command{
		"not set up":      ledger.Transfer(alice, other, dollars(1)),
		"opened unset":    ledger.OpenAccount{Account: other, Type: ledger.Income},
		"terms":           ledger.SetAccount{Account: allFees, Closed: new(true)},
		"both sides":      ledger.Transfer(allFees, allFees, dollars(1)),
		"star in between": ledger.Transfer(alice, ledger.AccountID{Path: "fees/*/x", Asset: "USD"}, dollars(1)),
		"star alone":      ledger.Transfer(alice, ledger.AccountID{Path: "*", Asset: "USD"}, dollars(1)),
		"part of a word":  ledger.Transfer(alice, ledger.AccountID{Path: "fees/a*", Asset: "USD"}, dollars(1)),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := w.Record(t.Context(), ledger.Entry{Key: name, Commands: []ledger.Command{c}})
			require.ErrorIs(t, err, ledger.Invalid)
		})
	}
	_, err := w.Info(t.Context(), other)
	require.ErrorIs(t, err, ledger.ErrAccountNotFound)
	_, err = w.Balances(t.Context(), ledger.AsOf{}, ledger.AccountID{Path: "/*", Asset: "USD"})
	require.ErrorIs(t, err, ledger.Invalid)
	_, err = ledger.New(memory.New(), ledger.Config{}).Record(t.Context(), ledger.Entry{Key: "k", Commands: []ledger.Command{ledger.Transfer(alice, allFees, dollars(1))}})
	require.ErrorIs(t, err, ledger.Invalid)
	w.sound()
}
