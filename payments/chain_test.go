package payments_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"sync/atomic"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/payments"
	"github.com/koshpay/kosh/providers"
)

func eth(s string) currency.Amount { return currency.MustParse(s, ether) }

// address asks for an address of a member.
func (e *env) address(member string, a currency.Asset) string {
	e.Helper()
	p, err := e.svc.Deposit(e.ctx, payments.DepositRequest{
		Key: "address-" + string(a.ID()), Actor: payments.Member(member), Amount: currency.MustNew(1, a),
	})
	require.NoError(e, err)
	require.NotNil(e, p.Action)
	return p.Action.Address
}

// receive has somebody send ether to a member's address, and waits until it counts.
func (e *env) receive(member string, a currency.Amount) {
	e.Helper()
	before := e.wallet(member, a.Asset()).Posted
	_, err := e.sandbox.SendTo(e.address(member, a.Asset()), a)
	require.NoError(e, err)
	e.pass(3 * time.Hour)
	after, err := before.Add(a)
	require.NoError(e, err)
	require.Equal(e, after, e.wallet(member, a.Asset()).Posted)
}

// counting counts the calls that would leave this process.
type counting struct {
	providers.Provider
	n atomic.Int64
}

func (c *counting) calls() int { return int(c.n.Load()) }

func (c *counting) Unwrap() providers.Provider { return c.Provider }

func (c *counting) Submit(ctx context.Context, op providers.Operation) (providers.Report, error) {
	c.n.Add(1)
	return c.Provider.Submit(ctx, op)
}

func (c *counting) Lookup(ctx context.Context, q providers.Query) (providers.Report, error) {
	c.n.Add(1)
	return c.Provider.Lookup(ctx, q)
}

// history is everything in the book but who works on it, as a digest: a whole book says little when it differs.
func (e *env) history() string {
	e.Helper()
	sum := sha256.New()
	for line := range strings.Lines(e.dump()) {
		if !strings.HasPrefix(line, `{"list":"leases"`) {
			sum.Write([]byte(line))
		}
	}
	return hex.EncodeToString(sum.Sum(nil))
}
