package ledger_test

import (
	"encoding/binary"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/ledger/ledgertest"
	"github.com/koshpay/kosh/ledger/memory"
)

var (
	usd  = must(currency.Lookup("USD"))
	eur  = must(currency.Lookup("EUR"))
	coin = currency.MustDefine(currency.Info{ID: "app:test/coin", Code: "COIN", Scale: 0, Kind: currency.Virtual})

	start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

	bank    = ledger.AccountID{Path: "bank", Asset: "USD"}
	bankEUR = ledger.AccountID{Path: "bank", Asset: "EUR"}
	alice   = ledger.AccountID{Path: "wallet/alice", Asset: "USD"}
	aliceE  = ledger.AccountID{Path: "wallet/alice", Asset: "EUR"}
	bob     = ledger.AccountID{Path: "wallet/bob", Asset: "USD"}
	owed    = ledger.AccountID{Path: "receivable/alice", Asset: "USD"}
	fees    = ledger.AccountID{Path: "fees", Asset: "USD"}
	nobody  = ledger.AccountID{Path: "wallet/nobody", Asset: "USD"}
)

func must[T any](v T, ok bool) T {
	if !ok {
		panic("unknown")
	}
	return v
}

func dollars(cents int64) currency.Amount { return currency.MustNew(cents, usd) }
func euros(cents int64) currency.Amount   { return currency.MustNew(cents, eur) }

// clock is a clock that a test moves by hand.
type clock struct{ micros atomic.Int64 }

func newClock() *clock {
	c := new(clock)
	c.micros.Store(start.UnixMicro())
	return c
}

func (c *clock) Now() time.Time          { return time.UnixMicro(c.micros.Load()) }
func (c *clock) advance(d time.Duration) { c.micros.Add(d.Microseconds()) }

// world is a book on a memory store, with a clock and ids that repeat from run to run.
type world struct {
	*testing.T
	*ledger.Book
	store ledger.Store
	clock *clock
	keys  int
}

func newWorld(t *testing.T) *world { return newWorldOn(t, memory.New()) }

func newWorldOn(t *testing.T, s ledger.Store) *world {
	c := newClock()
	return &world{T: t, store: s, clock: c, Book: ledger.New(s, ledger.Config{Clock: c.Now, NewID: counter()})}
}

// counter makes ids that count up, in the form of a UUIDv7.
func counter() func() uuid.UUID {
	var n atomic.Uint64
	return func() (id uuid.UUID) {
		binary.BigEndian.PutUint64(id[8:], n.Add(1))
		id[6], id[8] = 0x70, 0x80
		return id
	}
}

// do records commands under a new key and expects success.
func (w *world) do(commands ...ledger.Command) ledger.Receipt {
	w.Helper()
	r, err := w.try(commands...)
	require.NoError(w, err)
	return r
}

func (w *world) try(commands ...ledger.Command) (ledger.Receipt, error) {
	w.keys++
	return w.Record(w.Context(), ledger.Entry{Key: fmt.Sprintf("key-%d", w.keys), Commands: commands})
}

// furnish opens the usual accounts and gives alice some dollars.
func (w *world) furnish(cents int64) {
	w.Helper()
	zero := dollars(0)
	w.do(
		ledger.OpenAccount{Account: bank, Type: ledger.Asset},
		ledger.OpenAccount{Account: alice, Type: ledger.Liability, Owner: "alice", Floor: zero},
		ledger.OpenAccount{Account: bob, Type: ledger.Liability, Owner: "bob", Floor: zero},
		ledger.OpenAccount{Account: owed, Type: ledger.Asset, Owner: "alice", Floor: zero},
		ledger.OpenAccount{Account: fees, Type: ledger.Income},
		ledger.OpenAccount{Account: bankEUR, Type: ledger.Asset},
		ledger.OpenAccount{Account: aliceE, Type: ledger.Liability, Owner: "alice", Floor: euros(0)},
	)
	if cents > 0 {
		w.do(ledger.Transfer(bank, alice, dollars(cents)))
	}
}

func (w *world) info(id ledger.AccountID) ledger.AccountInfo {
	w.Helper()
	a, err := w.Info(w.Context(), id)
	require.NoError(w, err)
	return a
}

// has expects posted and held balances, in cents.
func (w *world) has(id ledger.AccountID, posted, held int64) {
	w.Helper()
	a := w.info(id)
	p, _ := a.Posted.Int64()
	h, _ := a.Held.Int64()
	require.Equal(w, [2]int64{posted, held}, [2]int64{p, h}, "posted and held of %s", id)
}

// sound expects a book without problems.
func (w *world) sound() {
	w.Helper()
	v, err := w.Verify(w.Context())
	require.NoError(w, err)
	require.Empty(w, v.Problems)
}

// dump is everything that a book keeps, one row a line.
func dump(t testing.TB, s ledger.Store, book string) string {
	t.Helper()
	text, err := ledgertest.Dump(t.Context(), s, book)
	require.NoError(t, err)
	return string(text)
}
