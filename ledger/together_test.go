package ledger_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/ledger/memory"
)

// numbered makes ids that depend on the entry only, not on who else is recorded with it.
func numbered(entry int) func() uuid.UUID {
	n := 0
	return func() uuid.UUID {
		n++
		return uuid.UUID{0: 1, 1: byte(entry >> 8), 2: byte(entry), 6: 0x70, 8: 0x80, 15: byte(n)}
	}
}

// One overlay or one Update each: the same entries leave the same rows, byte for byte, with refusals, panics, repeated
// keys and dead holds among them.
func TestTogetherIsAsOneByOne(t *testing.T) {
	for seed := range uint64(20) {
		one, many := memory.New(), memory.New()
		entries := mixed(rand.New(rand.NewPCG(seed, 1)))
		for _, s := range []*memory.Store{one, many} {
			w := newWorldOn(t, s)
			w.furnish(2_000)
			w.do(ledger.PlaceHold{ID: ledger.ID{1}, Account: alice, Amount: dollars(500), ExpiresAt: start.Add(time.Minute)})
			w.do(ledger.PlaceHold{ID: ledger.ID{2}, Account: alice, Amount: dollars(500), ExpiresAt: start.Add(time.Hour)})
		}
		c := newClock()
		c.advance(2 * time.Minute)
		single, batch := ledger.New(one, ledger.Config{Clock: c.Now}), ledger.New(many, ledger.Config{Clock: c.Now})

		got, gotErrs, err := ledger.RecordTogether(t.Context(), batch, entries, numbered)
		require.NoError(t, err)
		for i, e := range entries {
			want, wantErrs, err := ledger.RecordTogether(t.Context(), single, []ledger.Entry{e}, func(int) func() uuid.UUID { return numbered(i) })
			require.NoError(t, err)
			require.Equal(t, want[0], got[i], "entry %d", i)
			require.Equal(t, wantErrs[0], gotErrs[i], "entry %d", i)
		}
		require.Equal(t, dump(t, one, "main"), dump(t, many, "main"))
		v, err := batch.Verify(t.Context())
		require.NoError(t, err)
		require.Empty(t, v.Problems)
	}
}

func mixed(rng *rand.Rand) (entries []ledger.Entry) {
	for i := range 40 {
		key := fmt.Sprintf("e%d", i)
		if rng.IntN(8) == 0 && i > 0 {
			key = fmt.Sprintf("e%d", rng.IntN(i))
		}
		// Each entry on alice is a microsecond later than the one before, so some of these die within the batch.
		soon := start.Add(2*time.Minute + time.Duration(i+5+rng.IntN(20))*time.Microsecond)
		amount := dollars(int64(rng.IntN(300)) + 1)
		e := ledger.Entry{Key: key}
		switch rng.IntN(9) {
		case 8: // its hold must be gone with it
			e.Commands = []ledger.Command{ledger.PlaceHold{Account: alice, Amount: dollars(1), ExpiresAt: soon}, ledger.Transfer(alice, bob, dollars(1_000_000))}
		case 0:
			e.Commands = []ledger.Command{ledger.PlaceHold{Account: alice, Amount: amount, ExpiresAt: soon}, ledger.Release{Hold: ledger.Nth(0), Amount: dollars(1)}}
		case 1:
			e.Commands = []ledger.Command{ledger.Capture{Hold: ledger.ByID(ledger.ID{byte(rng.IntN(3))}), To: []ledger.Portion{{Account: bob, Amount: amount}}}}
		case 2:
			e.Commands = []ledger.Command{ledger.PutDocument{DocumentID: ledger.DocumentID{Kind: "k", ID: "1"}, Version: uint64(rng.IntN(4)), References: []string{fmt.Sprint(rng.IntN(4))}}}
		case 3:
			e.Commands = []ledger.Command{ledger.OpenAccount{Account: nobody, Type: ledger.Liability}, ledger.Transfer(alice, nobody, amount)}
		case 4:
			e.Guards = []ledger.Guard{daily(2)}
			e.Commands = []ledger.Command{ledger.Transfer(bob, alice, amount)}
		case 5:
			e.Guards = []ledger.Guard{{Check: func(ledger.View) ([]ledger.Command, error) {
				if rng := i % 3; rng == 0 {
					panic("boom")
				} else if rng == 1 {
					return nil, errors.New("no idea")
				}
				return nil, ledger.ErrDenied
			}}}
		default:
			e.Commands = []ledger.Command{ledger.Transfer(alice, bob, amount), ledger.Reverse{Transaction: ledger.Nth(0), Part: ledger.Transfer(alice, bob, dollars(1)).Postings}}
		}
		entries = append(entries, e)
	}
	return entries
}
