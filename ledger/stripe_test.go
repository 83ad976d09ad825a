package ledger_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
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

// A guard opens the part that its entry is about, once, and nothing but what it declared.
func TestStripesOpenedByGuards(t *testing.T) {
	w := newStripedWorld(t, 4)
	later := ledger.AccountID{Path: "fees/*", Asset: "EUR"}
	for i := range 16 {
		_, err := w.Record(t.Context(), ledger.Entry{Key: fmt.Sprint("g", i), Guards: []ledger.Guard{{
			Reads: ledger.Reads{Accounts: []ledger.AccountID{later, bankEUR}},
			Check: func(v ledger.View) (c []ledger.Command, err error) {
				if _, there := v.Account(later); !there {
					c = append(c, ledger.OpenAccount{Account: later, Type: ledger.Income})
				}
				return append(c, ledger.Transfer(bankEUR, later, euros(1))), nil
			},
		}}})
		require.NoError(t, err)
	}
	require.Len(t, collect(t, w.Accounts(t.Context(), ledger.Query{Path: "fees/", Asset: "EUR"})), 4)
	w.has(later, 16, 0)
	_, err := w.Record(t.Context(), ledger.Entry{Key: "unset", Guards: []ledger.Guard{{Check: func(ledger.View) ([]ledger.Command, error) {
		return []ledger.Command{ledger.OpenAccount{Account: ledger.AccountID{Path: "other/*", Asset: "USD"}, Type: ledger.Income}}, nil
	}}}})
	require.ErrorIs(t, err, ledger.Invalid)
	w.sound()
}

// Simulate says what Record does, a replay names the whole as it was given, and the caller's commands stay as they were.
func TestStripesLeaveTheEntryAlone(t *testing.T) {
	w := newStripedWorld(t, 4)
	e := ledger.Entry{Key: "k", Commands: []ledger.Command{
		ledger.Transfer(alice, allFees, dollars(3)),
		&ledger.Draw{Amount: dollars(2), From: []ledger.AccountID{allClearing}, To: []ledger.AccountID{allFees}},
		ledger.PlaceHold{Account: alice, Amount: dollars(1)},
		ledger.Capture{Hold: ledger.Nth(2), To: []ledger.Portion{{Account: allFees, Amount: dollars(1)}}},
	}}
	before := fmt.Sprintf("%#v", e.Commands[0]) + fmt.Sprintf("%#v", *e.Commands[1].(*ledger.Draw)) + fmt.Sprintf("%#v", e.Commands[3])
	said, err := w.Simulate(t.Context(), e)
	require.NoError(t, err)
	w.has(allFees, 0, 0)
	done, err := w.Record(t.Context(), e)
	require.NoError(t, err)
	require.Equal(t, said.Balances, done.Balances)
	again, err := w.Record(t.Context(), e)
	require.NoError(t, err)
	require.True(t, again.Replayed)
	require.Equal(t, before, fmt.Sprintf("%#v", e.Commands[0])+fmt.Sprintf("%#v", *e.Commands[1].(*ledger.Draw))+fmt.Sprintf("%#v", e.Commands[3]))
	for field, c := range map[string]ledger.Command{
		"commands[1].draw.to[0].path": ledger.Draw{Amount: dollars(2), From: []ledger.AccountID{allClearing}, To: []ledger.AccountID{{Path: "fees/1", Asset: "USD"}}},
		"commands[1].draw.amount":     ledger.Draw{Amount: dollars(3), From: []ledger.AccountID{allClearing}, To: []ledger.AccountID{allFees}},
	} {
		other := e
		other.Commands = append([]ledger.Command{}, e.Commands...)
		other.Commands[1] = c
		_, err := w.Record(t.Context(), other)
		require.ErrorIs(t, err, ledger.ErrKeyConflict)
		require.ErrorContains(t, err, field)
	}
	w.has(allFees, 6, 0)
	w.sound()
}

// Books with other numbers of parts, that grow while entries are recorded and sent again, lose and double nothing: one key
// has one effect, and at no moment is the whole anything but the sum of what was recorded.
func TestStripesGrowTogether(t *testing.T) {
	w := newStripedWorld(t, 1)
	const keys, workers = 60, 6
	receipts := make([][]ledger.ID, workers)
	var all sync.WaitGroup
	for i := range workers {
		receipts[i] = make([]ledger.ID, keys)
		all.Go(func() {
			for k := range keys {
				parts := 1 + (i+k/10)%8
				b := ledger.New(w.store, ledger.Config{Clock: w.clock.Now, Stripes: ledger.Stripes{"fees": parts, "clearing/card": 3}})
				if _, err := b.Record(t.Context(), ledger.Entry{Key: fmt.Sprintf("open/%d/%d", i, k), Commands: []ledger.Command{ledger.OpenAccount{Account: allFees, Type: ledger.Income}}}); err != nil {
					t.Error(err)
				}
				r, err := b.Record(t.Context(), ledger.Entry{Key: fmt.Sprint("pay/", k), Commands: []ledger.Command{
					ledger.Transfer(alice, allFees, dollars(2)), ledger.Transfer(allFees, allClearing, dollars(1)),
				}})
				if err != nil {
					t.Error(err)
				}
				receipts[i][k] = r.ID
				balances, err := b.Balances(t.Context(), ledger.AsOf{}, alice, allFees)
				if err != nil {
					t.Error(err)
				}
				taken, _ := balances[0].Posted.Int64()
				if kept, _ := balances[1].Posted.Int64(); 2*kept != 100_000-taken {
					t.Errorf("alice has %d, the parts %d", taken, kept)
				}
			}
		})
	}
	all.Wait()
	for i := range workers {
		require.Equal(t, receipts[0], receipts[i], "one key, one effect")
	}
	w.has(allFees, keys, 0)
	w.has(alice, 100_000-2*keys, 0)
	trial, err := w.TrialBalance(t.Context(), ledger.AsOf{})
	require.NoError(t, err)
	require.True(t, trial.Balanced())
	w.sound()
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
	lines := ledger.Query{List: ledger.ListLines, Account: allFees}
	_, err = w.Page(t.Context(), lines)
	require.ErrorIs(t, err, ledger.Invalid)
	require.ErrorContains(t, err, "one part")
	require.Len(t, collect(t, w.Accounts(t.Context(), ledger.Query{Path: "fees/"})), 4)

	// Somebody opened a part by hand, on the other side.
	w.do(ledger.OpenAccount{Account: ledger.AccountID{Path: "fees/4", Asset: "USD"}, Type: ledger.Expense})
	_, err = w.Info(t.Context(), allFees)
	require.ErrorIs(t, err, ledger.ErrTermsDiffer)
	_, err = w.Balances(t.Context(), ledger.AsOf{}, alice, allFees)
	require.ErrorIs(t, err, ledger.ErrTermsDiffer)
	w.sound()
}

// As many parts as there may be are fine; one more would be out of sight of those who read the whole.
func TestMoreStripesThanThereMayBe(t *testing.T) {
	open := ledger.Entry{Key: "open", Commands: []ledger.Command{ledger.OpenAccount{Account: allFees, Type: ledger.Income}}}
	s := memory.New()
	_, err := ledger.New(s, ledger.Config{Stripes: ledger.Stripes{"fees": ledger.MaxStripes + 1}}).Record(t.Context(), open)
	require.ErrorIs(t, err, ledger.ErrTooLarge)
	w := ledger.New(s, ledger.Config{Stripes: ledger.Stripes{"fees": ledger.MaxStripes}})
	_, err = w.Record(t.Context(), open)
	require.NoError(t, err)
	require.Len(t, collect(t, w.Accounts(t.Context(), ledger.Query{Path: "fees/"})), ledger.MaxStripes)
}
