package payments_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/payments"
	"github.com/koshpay/kosh/providers"
)

// long makes a name as long as a provider's may be.
func long(name string) string { return name + strings.Repeat("x", providers.MaxID-len(name)) }

// Names as long as providers may have them, which are more than a reference of the ledger holds, are taken and known again.
func TestLongNames(t *testing.T) {
	e := newEnv(t)
	for range 2 {
		e.report(providers.Report{
			Kind: providers.Deposit, Reference: long("ref"), Address: long("addr"), Member: "alice", State: providers.Succeeded, Final: true, At: e.clock.Now(),
			Effects: []providers.Effect{{ID: long("effect"), Kind: providers.Moved, Amount: usd("10.00"), At: e.clock.Now()}},
		})
		e.hasWallet("alice", "10.00", "0.00", "0.00")
	}
	// Another one that differs in its last letter only is another one.
	other := strings.TrimSuffix(long("effect"), "x") + "y"
	e.report(providers.Report{
		Kind: providers.Deposit, Reference: strings.TrimSuffix(long("ref"), "x") + "y", Member: "alice", State: providers.Succeeded, Final: true, At: e.clock.Now(),
		Effects: []providers.Effect{{ID: other, Kind: providers.Moved, Amount: usd("1.00"), At: e.clock.Now()}},
	})
	e.hasWallet("alice", "11.00", "0.00", "0.00")
	e.report(providers.Report{
		Kind: providers.Deposit, Reference: long("ref"), State: providers.Succeeded, Final: true, At: e.clock.Now(),
		Effects: []providers.Effect{{ID: long("back"), Kind: providers.Reversed, Reverses: long("effect"), Amount: usd("-10.00"), At: e.clock.Now()}},
	})
	e.hasWallet("alice", "1.00", "0.00", "0.00")
	e.balanced()
}

// A long report about nothing known is kept like a short one, and is taken when it is known what it is about.
func TestLongReportWaitsInTheInbox(t *testing.T) {
	for name, r := range map[string]providers.Report{
		"long":     {Effects: many(providers.Moved, usd("0.01"))},
		"too long": {Effects: many(providers.Moved, usd("0.01"), func(i int, e *providers.Effect) { e.ID, e.Reverses = long(e.ID), long(e.ID) })},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEnv(t, noPolling)
			p := bankDeposit(e)
			r.Key, r.Kind, r.State, r.At = "01890000-0000-7000-8000-000000000000", providers.Deposit, providers.Succeeded, e.clock.Now()
			e.report(r)
			e.clock.advance(time.Minute)
			e.work()
			require.Equal(t, payments.Pending, e.payment(p.ID).State)
			e.balanced()
		})
	}
}

// A payment that has had as many effects as its record holds does not stop what comes after it: the event is put aside for a person.
func TestFullPayment(t *testing.T) {
	e := newEnv(t, noPolling)
	p := bankDeposit(e)
	settled := 0
	for i := range 3 {
		r := about(p, false, many(providers.Fee, usd("-0.01"), func(_ int, e *providers.Effect) { e.ID = long(fmt.Sprintf("%d-%s-", i, e.ID)) }))
		e.report(r)
		if got := e.posted(payments.FeesAccount("sandbox", "USD")); got == fmt.Sprintf("%d.00", 10*(i+1)) {
			settled++
		}
	}
	require.Positive(t, settled)
	e.pass(24 * time.Hour)
	codes := []string{}
	for _, c := range e.cases() {
		codes = append(codes, c...)
	}
	require.Contains(t, codes, "unexplained")
	e.report(providers.Report{
		Kind: providers.Deposit, Reference: "after", Member: "alice", State: providers.Succeeded, Final: true, At: e.clock.Now(),
		Effects: []providers.Effect{{ID: "after", Kind: providers.Moved, Amount: usd("1.00"), At: e.clock.Now()}},
	})
	e.balanced()

	// Nor is the provider asked time and again.
	r := about(p, false, many(providers.Fee, usd("-0.01"), func(_ int, e *providers.Effect) { e.ID = long("look-" + e.ID) }))
	looks := &countedLook{longLook: longLook{e.sandbox, r}}
	svc, err := payments.New(e.book, e.config)
	require.NoError(t, err)
	require.NoError(t, svc.Register(looks))
	e.svc = svc
	e.pass(24 * time.Hour)
	require.Positive(t, looks.n)
	require.LessOrEqual(t, looks.n, 24)
	require.Contains(t, e.cases()[p.ID], "unrecorded")
}

type countedLook struct {
	longLook
	n int
}

func (c *countedLook) Lookup(ctx context.Context, q providers.Query) (providers.Report, error) {
	c.n++
	return c.longLook.Lookup(ctx, q)
}

// A case is open however much is wrong: what is more than a person reads is counted and not listed.
func TestCaseOfThousands(t *testing.T) {
	e := newEnv(t, noPolling)
	p := bankDeposit(e)
	for i := range 2 {
		e.report(about(p, false, many("sundry", usd("0.01"), func(_ int, e *providers.Effect) { e.ID = fmt.Sprintf("%d-%s", i, e.ID) })))
		c, err := e.svc.Case(e.ctx, p.ID)
		require.NoError(t, err)
		require.LessOrEqual(t, len(c.Findings), 600)
		require.Equal(t, payments.CaseOpen, c.State)
		_, err = e.resolve(p.ID, payments.WriteOff, "")
		require.NoError(t, err)
	}
	require.Equal(t, "0.00", e.posted(payments.SuspenseAccount("sandbox", "USD")))
	e.balanced()
}
