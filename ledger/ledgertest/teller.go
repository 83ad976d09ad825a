package ledgertest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
)

// teller works on a book through package ledger, with a clock and ids of its own. It is safe for concurrent use.
type teller struct {
	*ledger.Book
	t     *T
	store ledger.Store
	ticks atomic.Int64

	mu  sync.Mutex
	rnd *rand.Rand
}

const tellersBook = "book"

func newTeller(t *T, s ledger.Store) *teller {
	te := &teller{t: t, store: s, rnd: rand.New(rand.NewPCG(3, 5))} //nolint:gosec // repeatable on purpose
	te.Book = te.process()
	return te
}

// process returns a Book of its own on the same book, as another process has it.
func (te *teller) process() *ledger.Book {
	return ledger.New(te.store, ledger.Config{Book: tellersBook, Clock: te.now, NewID: te.newID})
}

// Record records through a Book of its own. Callers of one Book take turns by themselves, and it is the store that must
// keep the writers of several apart.
func (te *teller) Record(ctx context.Context, e ledger.Entry) (ledger.Receipt, error) {
	return te.process().Record(ctx, e)
}

// now moves on by a microsecond each time it is asked.
func (te *teller) now() time.Time {
	return epoch.Add(time.Duration(te.ticks.Add(1)) * time.Microsecond)
}

// wait moves the clock on.
func (te *teller) wait(d time.Duration) { te.ticks.Add(d.Microseconds()) }

func (te *teller) newID() ledger.ID {
	te.mu.Lock()
	defer te.mu.Unlock()
	return randomID(te.rnd)
}

// must records an entry that cannot be refused.
func (te *teller) must(key string, commands ...ledger.Command) ledger.Receipt {
	receipt, err := te.Record(te.t.Context(), ledger.Entry{Key: key, Commands: commands})
	if err != nil {
		te.t.Fatalf("Record of entry %s: %v", key, err)
	}
	return receipt
}

func usd(cents int64) currency.Amount { return currency.MustNew(cents, currency.USD) }

var bank = ledger.AccountID{Path: "bank/cash", Asset: "USD"}

func walletOf(who string) ledger.AccountID {
	return ledger.AccountID{Path: "wallet/" + who, Asset: "USD"}
}

// openWallets opens the bank's account and one wallet each, with a floor of zero and so many cents to begin with.
func (te *teller) openWallets(cents int64, names ...string) {
	commands := []ledger.Command{ledger.OpenAccount{Account: bank, Type: ledger.Asset}}
	for _, who := range names {
		commands = append(commands, ledger.OpenAccount{Account: walletOf(who), Type: ledger.Liability, Owner: who, Floor: usd(0)})
		if cents > 0 {
			commands = append(commands, transfer(bank, walletOf(who), cents))
		}
	}
	te.must("open", commands...)
}

// transfer debits one account and credits another.
func transfer(debit, credit ledger.AccountID, cents int64) ledger.Post {
	return ledger.Post{Postings: []ledger.Posting{
		{Account: debit, Side: ledger.Debit, Amount: usd(cents)}, {Account: credit, Side: ledger.Credit, Amount: usd(cents)},
	}}
}

// numberAll numbers all that is pending.
func (te *teller) numberAll() {
	for {
		n, err := te.NumberFeed(te.t.Context(), ledger.MaxPage)
		if err != nil {
			te.t.Fatalf("NumberFeed: %v", err)
		}
		if n == 0 {
			return
		}
	}
}

// audit checks at the end of a check what must hold of every book, from the rows alone.
func (te *teller) audit() {
	te.numberAll()
	for _, finding := range auditBook(te.t.Context(), te.store, tellersBook) {
		te.t.Errorf("audit: %s", finding)
	}
	trial, err := te.TrialBalance(te.t.Context(), ledger.AsOf{})
	if err != nil || !trial.Balanced() {
		te.t.Errorf("the trial balance is %s (%v)", rowText(trial), err)
	}
	verified, err := te.Verify(te.t.Context())
	if err != nil {
		te.t.Errorf("Verify: %v", err)
	}
	for _, p := range verified.Problems {
		te.t.Errorf("Verify: %v", p)
	}
}

// dump returns the dump of the book.
func (te *teller) dump() []byte {
	d, err := Dump(te.t.Context(), te.store, tellersBook)
	if err != nil {
		te.t.Fatalf("%v", err)
	}
	return d
}

// tally counts outcomes by what they say.
type tally struct {
	mu sync.Mutex
	of map[string]int
}

func (c *tally) add(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.of == nil {
		c.of = map[string]int{}
	}
	text := "accepted"
	if err != nil {
		text = err.Error()
		if r, ok := asRefusal(err); ok {
			text = string(r.Code)
			if r.Cause != nil {
				text += ": " + r.Cause.Error()
			}
		}
	}
	c.of[text]++
}

func (c *tally) String() string { return fmt.Sprint(c.of) } // in order of the keys
