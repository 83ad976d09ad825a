package linear

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
)

const (
	clients = 8
	calls   = 32 // of a client
	patient = 50 // tries of one call
	books   = 3  // over one store, as if in as many processes
	funds   = 60 // of a wallet at the start
)

var (
	noon    = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	counter = ledger.DocumentID{Kind: "limit", ID: "1"}
)

func dollars(cents int32) currency.Amount {
	usd, _ := currency.Lookup("USD")
	return currency.MustNew(int64(cents), usd)
}

func account(i uint8) ledger.AccountID {
	return ledger.AccountID{Path: fmt.Sprintf("account/%d", i), Asset: "USD"}
}

func holdID(i uint8) ledger.ID { return uuid.UUID{6: 0x70, 8: 0x80, 14: 1, 15: i} }

// script makes the requests of a seed: one for each key, so that a key sent twice is the same request.
func script(rng *rand.Rand) (list [places]request) {
	for i := range list {
		key := uint8(i)
		r := request{key: key, amount: rng.Int32N(30) + 1, final: rng.IntN(2) == 0, hold: key}
		r.from, r.to = uint8(rng.IntN(wallets)), uint8(rng.IntN(wallets-1))
		if r.to >= r.from {
			r.to++
		}
		switch n := rng.IntN(10); {
		case n < 3:
			r.action = transfer
		case n < 4:
			r.action = limited
		case n < 7:
			r.action, r.from = place, max(r.from, 1) // of the bank it would be the other way round
		default:
			r.action = capture + action(rng.IntN(2))
			if j := slices.IndexFunc(list[:i], func(p request) bool { return p.action == place && rng.IntN(3) == 0 }); j >= 0 {
				r.hold = uint8(j)
			}
		}
		list[i] = r
	}
	return list
}

// next is what a client asks now: mostly a key of the part of the script that everybody is at.
func next(rng *rand.Rand, list *[places]request, turn int) request {
	at := min(turn*places/calls+rng.IntN(6), places-1)
	r := list[at]
	switch rng.IntN(10) {
	case 0, 1:
		return request{action: balances}
	case 2:
		return request{action: receipt, key: r.key}
	case 3:
		r.changed = true
	}
	return r
}

// entry puts a request into the words of the ledger.
func (r request) entry() ledger.Entry {
	amount := r.amount
	if r.changed {
		amount++
	}
	e := ledger.Entry{Key: strconv.Itoa(int(r.key))}
	pay := ledger.Transfer(account(r.from), account(r.to), dollars(amount))
	switch r.action {
	case transfer:
		e.Commands = []ledger.Command{pay}
	case limited:
		e.Commands = []ledger.Command{pay}
		e.Guards = []ledger.Guard{{Reads: ledger.Reads{Documents: []ledger.DocumentID{counter}}, Check: count}}
	case place:
		e.Commands = []ledger.Command{ledger.PlaceHold{ID: holdID(r.key), Account: account(r.from), Amount: dollars(amount)}}
	case capture:
		e.Commands = []ledger.Command{ledger.Capture{
			Hold: ledger.ByID(holdID(r.hold)), Final: r.final, To: []ledger.Portion{{Account: account(r.to), Amount: dollars(amount)}},
		}}
	case release:
		e.Commands = []ledger.Command{ledger.Release{Hold: ledger.ByID(holdID(r.hold)), All: true}}
		e.Inputs = amount // or a change of the amount would change nothing
	}
	return e
}

func count(v ledger.View) ([]ledger.Command, error) {
	d, _ := v.Document(counter)
	if d.Version == limit {
		return nil, ledger.ErrDenied
	}
	return []ledger.Command{ledger.PutDocument{DocumentID: counter, Version: d.Version, Body: json.RawMessage(`{}`)}}, nil
}

// ask sends a request to a book and writes down the answer.
func ask(ctx context.Context, b *ledger.Book, r request) answer {
	switch r.action {
	case balances:
		ids := make([]ledger.AccountID, wallets)
		for i := range ids {
			ids[i] = account(uint8(i))
		}
		all, err := b.Balances(ctx, ledger.AsOf{}, ids...)
		return told(ledger.Receipt{Balances: all}, err)
	case receipt:
		return told(b.Receipt(ctx, strconv.Itoa(int(r.key))))
	}
	return told(b.Record(ctx, r.entry()))
}

func told(r ledger.Receipt, err error) answer {
	cents := func(a currency.Amount) int32 {
		n, _ := a.Int64()
		return int32(n)
	}
	a := answer{replayed: r.Replayed}
	if err != nil {
		refusal, ok := errors.AsType[*ledger.Refusal](err)
		if !ok || refusal.Class == ledger.Unavailable {
			return answer{unknown: true}
		}
		a.code = refusal.Code
		if refusal.Wanted.IsValid() {
			a.wanted, a.available = cents(refusal.Wanted), cents(refusal.Available)
		}
		return a
	}
	for _, b := range r.Balances {
		for i := range uint8(wallets) {
			if account(i) == b.Account {
				a.touched[i] = true
				a.money[i] = money{cents(b.Posted), cents(b.Held), uint16(b.Version)}
			}
		}
	}
	for _, g := range r.Guarded {
		a.version = uint16(g.Version)
	}
	return a
}

// insist asks as the ledger wants it: after Unavailable the same again, with the same key. Some calls are cancelled on their
// way; a read that got no answer is no call at all.
func insist(ctx context.Context, rng *rand.Rand, b *ledger.Book, r request) (a answer, asked bool) {
	for try := range patient {
		this, cancel := context.WithCancel(ctx)
		if try == 0 && rng.IntN(8) == 0 {
			go func() { runtime.Gosched(); cancel() }()
		}
		a = ask(this, b, r)
		cancel()
		if !a.unknown {
			a.retried = try > 0
			return a, true
		}
		if r.action == balances || r.action == receipt {
			return a, false
		}
	}
	return a, true
}

// record lets clients loose on a store and returns what each of them saw.
func record(t *testing.T, store ledger.Store, seed uint64, clients int) []porcupine.Operation {
	t.Helper()
	config := ledger.Config{Clock: func() time.Time { return noon }}
	setUp := ledger.Entry{Key: "set up", Commands: []ledger.Command{ledger.OpenAccount{Account: account(0), Type: ledger.Asset}}}
	for i := uint8(1); i < wallets; i++ {
		setUp.Commands = append(setUp.Commands,
			ledger.OpenAccount{Account: account(i), Type: ledger.Liability, Floor: dollars(0)},
			ledger.Transfer(account(0), account(i), dollars(funds)))
	}
	_, err := ledger.New(store, config).Record(t.Context(), setUp)
	require.NoError(t, err)

	list := script(rand.New(rand.NewPCG(seed, 0)))
	var shared [books]*ledger.Book
	for i := range shared {
		shared[i] = ledger.New(store, config)
	}
	var clock atomic.Int64 // an order of all beginnings and ends
	var mu sync.Mutex
	var history []porcupine.Operation
	var wg sync.WaitGroup
	for client := range clients {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(seed, uint64(client)+1))
			for turn := range calls {
				r, book := next(rng, &list, turn), shared[rng.IntN(books)]
				call := clock.Add(1)
				a, asked := insist(t.Context(), rng, book, r)
				end := clock.Add(1)
				if !asked {
					continue
				}
				mu.Lock()
				history = append(history, porcupine.Operation{ClientId: client, Input: r, Call: call, Output: a, Return: end})
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	for i := range history {
		if history[i].Output.(answer).unknown {
			history[i].Return = clock.Load() + 1 // it may still happen, also after all others
		}
	}
	return history
}
