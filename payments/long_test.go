package payments_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/payments"
	"github.com/koshpay/kosh/providers"
	"github.com/koshpay/kosh/providers/sandbox"
)

// many are as many effects as a report may have, alike but for their ids.
func many(kind providers.EffectKind, a currency.Amount, change ...func(i int, e *providers.Effect)) []providers.Effect {
	all := make([]providers.Effect, providers.MaxEffects)
	for i := range all {
		all[i] = providers.Effect{ID: fmt.Sprintf("%s-%d", kind, i), Kind: kind, Amount: a, At: time.Date(2026, 3, 2, 9, 0, i, 0, time.UTC)}
		for _, f := range change {
			f(i, &all[i])
		}
	}
	return all
}

// longStory is what reports of a thousand effects each do to one payment.
type longStory struct {
	start   func(e *env) payments.Payment
	reports []func(p payments.Payment) providers.Report
	wallets []string // alice's posted, held and owed after each
	state   payments.State
	books   map[ledger.AccountID]string
}

var longStories = map[string]longStory{
	"deposit": {
		start: bankDeposit,
		reports: []func(payments.Payment) providers.Report{
			func(p payments.Payment) providers.Report { return about(p, false, many(providers.Moved, usd("0.01"))) },
			func(p payments.Payment) providers.Report { return about(p, true, nil) },
		},
		wallets: []string{"10.00 10.00 0.00", "10.00 0.00 0.00"},
		state:   payments.Succeeded,
		books:   map[ledger.AccountID]string{payments.ClearingAccount("sandbox", "USD"): "10.00"},
	},
	"deposit of too much": {
		start: bankDeposit,
		reports: []func(payments.Payment) providers.Report{
			func(p payments.Payment) providers.Report { return about(p, true, many(providers.Moved, usd("0.03"))) },
		},
		wallets: []string{"10.00 0.00 0.00"},
		state:   payments.Succeeded,
		books: map[ledger.AccountID]string{
			payments.ClearingAccount("sandbox", "USD"): "30.00", payments.SuspenseAccount("sandbox", "USD"): "20.00",
		},
	},
	"deposit that is taken back": {
		start: bankDeposit,
		reports: []func(payments.Payment) providers.Report{
			func(p payments.Payment) providers.Report { return about(p, false, many(providers.Moved, usd("0.01"))) },
			func(p payments.Payment) providers.Report {
				return about(p, true, many(providers.Reversed, usd("-0.01"), reverses(providers.Moved)))
			},
		},
		wallets: []string{"10.00 10.00 0.00", "0.00 0.00 0.00"},
		state:   payments.Reversed,
		books:   map[ledger.AccountID]string{payments.ClearingAccount("sandbox", "USD"): "0.00"},
	},
	"dispute": {
		start: bankDeposit,
		reports: []func(payments.Payment) providers.Report{
			func(p payments.Payment) providers.Report { return about(p, true, many(providers.Moved, usd("0.01"))) },
			func(p payments.Payment) providers.Report {
				return about(p, true, many(providers.Disputed, usd("-0.01"), reverses(providers.Moved), disputes))
			},
			func(p payments.Payment) providers.Report {
				return about(p, true, many(providers.Reinstated, usd("0.01"), reverses(providers.Disputed), disputes))
			},
		},
		wallets: []string{"10.00 0.00 0.00", "10.00 10.00 0.00", "10.00 0.00 0.00"},
		state:   payments.Succeeded,
		books: map[ledger.AccountID]string{
			payments.ClearingAccount("sandbox", "USD"): "10.00", payments.DisputedAccount("sandbox", "USD"): "0.00",
		},
	},
	"withdrawal that comes back": {
		start: func(e *env) payments.Payment {
			e.receiveUSD("alice", usd("12.00"))
			p, err := e.withdraw("alice", e.link("alice", sandbox.TokenBank), usd("10.00"))
			require.NoError(e, err)
			return p
		},
		reports: []func(payments.Payment) providers.Report{
			func(p payments.Payment) providers.Report { return about(p, false, many(providers.Moved, usd("-0.01"))) },
			func(p payments.Payment) providers.Report {
				return about(p, true, many(providers.Reversed, usd("0.01"), reverses(providers.Moved)))
			},
		},
		wallets: []string{"2.00 0.00 0.00", "12.00 0.00 0.00"},
		state:   payments.Reversed,
		books:   map[ledger.AccountID]string{payments.ClearingAccount("sandbox", "USD"): "12.00"},
	},
	"fees": {
		start: bankDeposit,
		reports: []func(payments.Payment) providers.Report{
			func(p payments.Payment) providers.Report { return about(p, false, many(providers.Fee, usd("-0.01"))) },
		},
		wallets: []string{"0.00 0.00 0.00"},
		state:   payments.Pending,
		books: map[ledger.AccountID]string{
			payments.ClearingAccount("sandbox", "USD"): "-10.00", payments.FeesAccount("sandbox", "USD"): "10.00",
		},
	},
	"settlement": {
		start: bankDeposit,
		reports: []func(payments.Payment) providers.Report{
			func(payments.Payment) providers.Report {
				return settlement("po-1", many(providers.Settled, usd("-0.01")))
			},
			func(payments.Payment) providers.Report {
				return settlement("po-2", many(providers.Converted, usd("-0.01")))
			},
		},
		wallets: []string{"0.00 0.00 0.00", "0.00 0.00 0.00"},
		state:   payments.Pending,
		books: map[ledger.AccountID]string{
			payments.ClearingAccount("sandbox", "USD"): "-20.00", payments.BankAccount("USD"): "10.00", payments.PositionAccount("USD"): "-10.00",
		},
	},
	"what nobody knows": {
		start: bankDeposit,
		reports: []func(payments.Payment) providers.Report{
			func(p payments.Payment) providers.Report { return about(p, false, many("sundry", usd("0.01"))) },
		},
		wallets: []string{"0.00 0.00 0.00"},
		state:   payments.Pending,
		books: map[ledger.AccountID]string{
			payments.ClearingAccount("sandbox", "USD"): "10.00", payments.SuspenseAccount("sandbox", "USD"): "10.00",
		},
	},
}

func bankDeposit(e *env) payments.Payment {
	p := e.deposit("alice", e.link("alice", sandbox.TokenBank), usd("10.00"))
	require.Equal(e, payments.Pending, p.State)
	return p
}

// receiveUSD puts money into a wallet without the sandbox.
func (e *env) receiveUSD(member string, a currency.Amount) {
	e.Helper()
	e.report(providers.Report{
		Kind: providers.Deposit, Reference: "from-" + member, Member: member, State: providers.Succeeded, Final: true, At: e.clock.Now(),
		Effects: []providers.Effect{{ID: "from-" + member, Kind: providers.Moved, Amount: a, At: e.clock.Now()}},
	})
}

func reverses(kind providers.EffectKind) func(int, *providers.Effect) {
	return func(i int, e *providers.Effect) { e.Reverses = fmt.Sprintf("%s-%d", kind, i) }
}

func disputes(i int, e *providers.Effect) { e.Dispute = fmt.Sprintf("dp-%d", i) }

func about(p payments.Payment, final bool, effects []providers.Effect) providers.Report {
	kind := providers.Deposit
	if p.Kind == payments.Withdrawal {
		kind = providers.Withdrawal
	}
	r := providers.Report{Key: p.ID, Reference: "long", Kind: kind, State: providers.Succeeded, Effects: effects, Final: final, At: p.CreatedAt.Add(time.Hour)}
	if final {
		r.At = r.At.Add(time.Hour)
	}
	return r
}

func settlement(reference string, effects []providers.Effect) providers.Report {
	return providers.Report{Reference: reference, Kind: providers.Settlement, State: providers.Succeeded, Effects: effects, Final: true, At: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)}
}

// A report of as many effects as there may be is taken whole, whatever they are, once, and in steps that each fit the ledger.
func TestLongReports(t *testing.T) {
	for name, story := range longStories {
		if raced && name != "dispute" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			e := newEnv(t, noPolling)
			p := story.start(e)
			for i, report := range story.reports {
				e.report(report(p))
				e.hasAlice(story.wallets[i])
				e.report(report(p))
				e.hasAlice(story.wallets[i])
			}
			e.ends(p, story)
		})
	}
}

// brittle is a store that fails at one update, before or after it is applied.
type brittle struct {
	ledger.Store
	left  *int
	after bool
}

func (b brittle) Update(ctx context.Context, book string, want ledger.Names, decide ledger.Decide) error {
	if *b.left--; *b.left == 0 && !b.after {
		return errDown
	}
	err := b.Store.Update(ctx, book, want, decide)
	if *b.left == 0 && err == nil {
		err = errDown
	}
	return err
}

// Whoever crashes between two steps of a long report leaves the payment in the state that it had, due again soon; whoever hears
// of it again goes on where it broke off.
func TestLongReportsThatBreakOff(t *testing.T) {
	for name, story := range longStories {
		if raced && name != "dispute" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			e := newEnv(t, noPolling)
			p := story.start(e)
			for k, report := range story.reports {
				r := report(p)
				was := e.payment(p.ID)
				at := 2 + (k+len(name))%3
				book := ledger.New(brittle{e.store, &at, len(name)%2 == 0}, ledger.Config{Clock: e.clock.Now})
				svc, err := payments.New(book, e.config)
				require.NoError(t, err)
				require.NoError(t, svc.Register(e.sandbox))
				err = payments.Deliver(e.ctx, svc, "sandbox", providers.Event{ID: e.key(), Report: &r, At: r.At})
				if len(r.Effects) > 0 {
					require.ErrorIs(t, err, errDown)
					require.Equal(t, was.State, e.payment(p.ID).State, "a part of it decides nothing")
					if r.Kind != providers.Settlement {
						require.WithinDuration(t, e.clock.Now(), e.document(p.ID).Due, time.Minute)
					}
				}
				e.report(r)
				e.clock.advance(time.Minute) // what is held and is over is given back, if it was not
				e.work()
				e.hasAlice(story.wallets[k])
			}
			e.ends(p, story)
		})
	}
}

func (e *env) document(payment string) ledger.Document {
	e.Helper()
	d, err := e.book.Document(e.ctx, ledger.DocumentID{Kind: "payment", ID: payment})
	require.NoError(e, err)
	return d
}

// longLook is a provider that answers a look-up with a long report.
type longLook struct {
	providers.Provider
	report providers.Report
}

func (l longLook) Lookup(context.Context, providers.Query) (providers.Report, error) {
	return l.report, nil
}

// Nobody has to tell it again: a worker asks.
func TestLongReportIsFinishedByAWorker(t *testing.T) {
	e := newEnv(t, noPolling)
	p := bankDeposit(e)
	r := about(p, true, many(providers.Moved, usd("0.01")))
	left := 4
	svc, err := payments.New(ledger.New(brittle{e.store, &left, true}, ledger.Config{Clock: e.clock.Now}), e.config)
	require.NoError(t, err)
	require.NoError(t, svc.Register(longLook{e.sandbox, r}))
	require.ErrorIs(t, payments.Deliver(e.ctx, svc, "sandbox", providers.Event{ID: "1", Report: &r, At: r.At}), errDown)
	require.Equal(t, payments.Pending, e.payment(p.ID).State)
	require.Positive(t, e.wallet("alice", currency.USD).Posted.Sign(), "a part of it is in")
	e.clock.advance(time.Minute)
	for range 3 {
		_, err := svc.Step(e.ctx)
		require.NoError(t, err)
	}
	e.hasWallet("alice", "10.00", "0.00", "0.00")
	require.Equal(t, payments.Succeeded, e.payment(p.ID).State)
	e.balanced()
}

func (e *env) hasAlice(want string) {
	e.Helper()
	w := e.wallet("alice", currency.USD)
	require.Equal(e, want, w.Posted.Number()+" "+w.Held.Number()+" "+w.Owes.Number())
}

func (e *env) ends(p payments.Payment, story longStory) {
	e.Helper()
	require.Equal(e, story.state, e.payment(p.ID).State)
	for id, want := range story.books {
		require.Equal(e, want, e.posted(id), "%s", id)
	}
	e.balanced()
	v, err := e.book.Verify(e.ctx)
	require.NoError(e, err)
	require.Empty(e, v.Problems)
}
