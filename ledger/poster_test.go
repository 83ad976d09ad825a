package ledger_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/ledger/memory"
)

// longWay is a store that has nothing but its three methods.
type longWay struct{ ledger.Store }

// counting counts what goes the short way. It passes it on, so it is a Poster of its own.
type counting struct {
	*memory.Store
	posted, updates int
	last            []byte // the inputs of the last entry
}

func (s *counting) Self() ledger.Store { return s }

func (s *counting) Post(ctx context.Context, book string, entries []*ledger.PlainEntry, decide ledger.DecidePlain) (int, error) {
	n, err := s.Store.Post(ctx, book, entries, decide)
	s.posted += n
	if n > 0 {
		s.last = entries[n-1].Inputs()
	}
	return n, err
}

func (s *counting) Update(ctx context.Context, book string, want ledger.Names, decide ledger.Decide) error {
	s.updates++
	return s.Store.Update(ctx, book, want, decide)
}

// The short way and the long one: the same entries have the same outcomes and leave the same rows, whatever is refused,
// repeated, frozen, expired or too large among them.
func TestShortWayIsTheLongWay(t *testing.T) {
	short := 0
	for seed := range uint64(40 / slowness) {
		rng, large := rand.New(rand.NewPCG(seed, 7)), seed%2 == 1
		counted := &counting{Store: memory.New()}
		one, other := newWorldOn(t, counted), newWorldOn(t, longWay{memory.New()})
		for _, w := range []*world{one, other} {
			w.furnish(2_000)
			frozen := true
			w.do(ledger.SetAccount{Account: owed, CreditsFrozen: &frozen})
		}
		for range 12 {
			entries := mostlyPlain(rng, one.clock.Now(), large)
			var got, want []ledger.Outcome
			if rng.IntN(3) == 0 {
				for _, e := range entries {
					got, want = append(got, outcomeOf(one.Record(t.Context(), e))), append(want, outcomeOf(other.Record(t.Context(), e)))
				}
			} else {
				got, want = one.RecordAll(t.Context(), entries), other.RecordAll(t.Context(), entries)
			}
			for i := range entries {
				require.Equal(t, told(t, want[i]), told(t, got[i]), "seed %d: %s", seed, entries[i].Key)
			}
			step := time.Duration(rng.IntN(50)) * time.Microsecond
			one.clock.advance(step)
			other.clock.advance(step)
		}
		require.Equal(t, nameless(dump(t, other.store, "main")), nameless(dump(t, one.store, "main")), "seed %d", seed)
		short += counted.posted
		if large {
			continue // the totals are no numbers any more
		}
		for _, w := range []*world{one, other} {
			_, err := w.NumberFeed(t.Context(), ledger.MaxPage)
			require.NoError(t, err)
			w.sound()
		}
	}
	require.Greater(t, short, 1_000/slowness, "or nothing was compared")
}

func outcomeOf(r ledger.Receipt, err error) ledger.Outcome {
	return ledger.Outcome{Receipt: r, Err: err}
}

// told is what a caller was told, but for the ids.
func told(t *testing.T, o ledger.Outcome) string {
	t.Helper()
	raw, err := json.Marshal(o.Receipt)
	require.NoError(t, err)
	return nameless(fmt.Sprintf("%s %v %v", raw, o.Receipt.Replayed, o.Err))
}

var uuids = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}`)

// nameless calls ids by the order in which they occur: the short way makes those of a batch in another order.
func nameless(text string) string {
	seen := map[string]string{}
	return uuids.ReplaceAllStringFunc(text, func(id string) string {
		if seen[id] == "" {
			seen[id] = fmt.Sprintf("id-%d", len(seen))
		}
		return seen[id]
	})
}

func mostlyPlain(rng *rand.Rand, now time.Time, large bool) (entries []ledger.Entry) {
	ids := []ledger.AccountID{bank, alice, bob, fees, owed, nobody}
	huge, _ := currency.FromUnits(1<<62, 0, usd)
	for range 1 + rng.IntN(30) {
		e := ledger.Entry{Key: fmt.Sprintf("k%d", rng.IntN(700))}
		amount := dollars(rng.Int64N(150) + 1)
		if large && rng.IntN(60) == 0 {
			amount = huge
		}
		p := ledger.Transfer(ids[rng.IntN(5)], ids[rng.IntN(len(ids))], amount)
		if rng.IntN(20) == 0 {
			p = ledger.Transfer(bankEUR, aliceE, euros(3))
		}
		switch rng.IntN(12) {
		case 0: // the same accounts twice
			p.Postings = append(p.Postings, p.Postings...)
		case 1:
			p.Postings = append(p.Postings, ledger.Transfer(bank, fees, dollars(7)).Postings...)
		case 2: // more than goes the short way
			for range 4 {
				p.Postings = append(p.Postings, p.Postings[0], p.Postings[1])
			}
		case 3:
			p.Note = ledger.Note{Reference: "post/1", Description: "tip", Meta: map[string]string{"a": "b"}}
		case 4:
			p.EffectiveAt = now.Add(time.Duration(rng.IntN(100)-50) * time.Hour)
		case 5:
			p.Fact = true
		case 6:
			p.ID = ledger.ID{0: 1, 6: 0x70, 8: 0x80, 15: byte(rng.IntN(100))}
		}
		e.Commands = []ledger.Command{p}
		switch rng.IntN(14) {
		case 0:
			e.Commands = []ledger.Command{ledger.PlaceHold{Account: ids[rng.IntN(3)], Amount: dollars(5), ExpiresAt: now.Add(time.Duration(1+rng.IntN(90)) * time.Microsecond)}}
		case 1:
			e.Commands = []ledger.Command{p, p}
		case 2:
			e.Inputs = "asked for"
		case 3:
			frozen := rng.IntN(2) == 0
			e.Commands = []ledger.Command{ledger.SetAccount{Account: bob, DebitsFrozen: &frozen}}
		}
		entries = append(entries, e)
	}
	return entries
}

// passive embeds a Poster and says nothing about it: it may be there to see or to change every Update.
type passive struct {
	*memory.Store
	updates int
}

func (s *passive) Update(ctx context.Context, book string, want ledger.Names, decide ledger.Decide) error {
	s.updates++
	return s.Store.Update(ctx, book, want, decide)
}

func TestStoreThatInheritsTheShortWayIsNotPassedBy(t *testing.T) {
	for _, s := range []interface {
		ledger.Store
		count() int
	}{&passive{Store: memory.New()}, &counting{Store: memory.New()}} {
		w := newWorldOn(t, s)
		w.furnish(100)
		before := s.count()
		w.do(ledger.Transfer(alice, bob, dollars(1)))
		_, isPassive := s.(*passive)
		require.Equal(t, isPassive, s.count() > before)
	}
}

func (s *passive) count() int  { return s.updates }
func (s *counting) count() int { return s.updates }

// A refusal in the middle of a batch stops nobody, and what comes after it builds on what came before.
func TestShortWayGoesOnAfterARefusal(t *testing.T) {
	s := &counting{Store: memory.New()}
	w := newWorldOn(t, s)
	w.furnish(100)
	posted := s.posted
	var entries []ledger.Entry
	for i := range 10 {
		amount := dollars(30)
		if i == 9 {
			amount = dollars(10)
		}
		entries = append(entries, ledger.Entry{Key: fmt.Sprintf("t%d", i), Commands: []ledger.Command{ledger.Transfer(alice, bob, amount)}})
	}
	for i, o := range w.RecordAll(t.Context(), entries) {
		if 3 <= i && i < 9 {
			require.ErrorIs(t, o.Err, ledger.ErrInsufficientFunds)
		} else {
			require.NoError(t, o.Err)
		}
	}
	require.Equal(t, 3, s.posted-posted, "those before the refusals")
	rows, err := s.Read(t.Context(), "main", ledger.Names{Keys: []string{"t2"}})
	require.NoError(t, err)
	require.Equal(t, string(rows.Keys[0].Inputs), string(s.last))
	balances, err := w.Balances(t.Context(), ledger.AsOf{}, alice, bob)
	require.NoError(t, err)
	require.Zero(t, balances[0].Posted.Sign())
	require.Equal(t, dollars(100), balances[1].Posted)
}
