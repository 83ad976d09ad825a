package payments_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/payments"
	"github.com/koshpay/kosh/providers"
)

// onlyCase is the one case that is open.
func (e *env) onlyCase() payments.Case {
	e.Helper()
	var all []payments.Case
	for c, err := range e.svc.Cases(e.ctx, payments.CaseQuery{}) {
		require.NoError(e, err)
		all = append(all, c)
	}
	require.Len(e, all, 1)
	return all[0]
}

func TestDustWaitsInSuspense(t *testing.T) {
	e := newEnv(t)
	to := e.address("alice", ether)
	speck := mined("0xd0", "b1", eth("0.000001"))
	dust := e.arrival("0xd0", to, speck)
	dust.Reason = providers.Reason{Code: providers.CodeDust}
	e.report(dust)
	later := e.arrival("0xd0", to, speck) // a later word about it does not say why
	later.Final = true
	e.report(later)
	e.hasEther("alice", "0", "0", "0")
	require.Equal(t, "0.000001000000000000", e.posted(payments.SuspenseAccount("sandbox", ether.ID())))
	c := e.onlyCase()
	require.Equal(t, "alice", c.Member)
	require.Len(t, c.Findings, 1)
	require.Equal(t, "dust", c.Findings[0].Code)
	require.Equal(t, eth("0.000001"), c.Findings[0].Amount)
	p := e.payment(c.ID)
	require.Equal(t, eth("0.000001"), p.Suspended, "a host can tell that it is not in the wallet")

	_, err := e.resolve(c.ID, payments.Known, "")
	require.ErrorIs(t, err, payments.ErrUnresolvable, "money of it is in suspense")
	_, err = e.resolve(c.ID, payments.AssignTo, "")
	require.NoError(t, err)
	e.hasEther("alice", "0.000001", "0", "0")
	require.Zero(t, e.payment(c.ID).Suspended.Sign())

	e.report(e.arrival("0xd0", to, speck, orphaned(speck))) // taken back after it was assigned: as of any deposit
	e.hasEther("alice", "0", "0", "0")
	require.Equal(t, "0.000000000000000000", e.posted(payments.ClearingAccount("sandbox", ether.ID())))
}

// A token that the host did not enable comes to an address of a member: it is in the books, and in nobody's wallet.
func TestAssetNobodyDealsInGoesToSuspense(t *testing.T) {
	e := newEnv(t)
	to := e.address("alice", ether)
	pepe := currency.MustDefine(currency.Info{ID: "eip155:1/erc20:0x6982508145454ce325ddbe47a25d4ec3d2311933", Code: "PEPE", Name: "Pepe", Scale: 18, Kind: currency.Crypto})
	e.report(e.arrival("0xe0", to, mined("0xe0", "b1", currency.MustParse("1000", pepe))))
	require.Zero(t, e.wallet("alice", pepe).Posted.Sign())
	c := e.onlyCase()
	require.Equal(t, "asset_not_enabled", c.Findings[0].Code)
	_, err := e.resolve(c.ID, payments.AssignTo, "")
	require.NoError(t, err)
	require.Equal(t, "1000.000000000000000000", e.wallet("alice", pepe).Posted.Number(), "a person may")
	v, err := e.book.Verify(e.ctx)
	require.NoError(t, err)
	require.Empty(t, v.Problems)
}

// Money on a chain to an address that no operation made, as when somebody sends on the wrong network: it waits for whoever can
// explain it, then lies in suspense, and a person says whose it is.
func TestWrongNetworkIsAssignedByAPerson(t *testing.T) {
	e := newEnv(t)
	e.report(e.arrival("0xf0", "0x00000000000000000000000000000000000000ff", mined("0xf0", "b1", eth("0.7"))))
	require.Empty(t, e.cases())
	e.pass(24 * time.Hour)
	c := e.onlyCase()
	require.Equal(t, "unattributed", c.Findings[0].Code)
	require.Empty(t, c.Member)
	require.Equal(t, "0.700000000000000000", e.posted(payments.SuspenseAccount("sandbox", ether.ID())))
	_, err := e.resolve(c.ID, payments.AssignTo, "carol")
	require.NoError(t, err)
	e.hasEther("carol", "0.7", "0", "0")
}

// What no amount can hold changes no balance: it is a case with everything the chain said, once, and what came beside it is
// credited.
func TestQuarantineIsACaseWithoutPostings(t *testing.T) {
	e := newEnv(t)
	to := e.address("alice", ether)
	const huge = "115792089237316195423570985008687907853269984665640564039457584007913129639935" // 2²⁵⁶−1
	q := providers.Quarantined{
		ID: "eip155:1/0x77/4/b1", Asset: "eip155:1/erc20:0xdeadbeef00000000000000000000000000000000", Quantity: huge,
		Code: "too_large", Raw: []byte{0xde, 0xad, 0x00}, At: e.clock.Now(),
	}
	r := providers.Report{
		Kind: providers.Deposit, Reference: "0x77:4", Address: to, State: providers.Succeeded, Quarantined: []providers.Quarantined{q}, At: e.clock.Now(),
	}
	e.postings()
	e.report(r)
	before := e.history()
	e.report(r)
	r.At = r.At.Add(time.Minute)
	r.Quarantined[0].Raw = []byte("said in other words")
	e.report(r)
	require.Equal(t, before, e.history(), "once")
	require.Empty(t, e.postings())
	require.Empty(t, e.inbox())
	c := e.onlyCase()
	require.Equal(t, "alice", c.Member)
	require.Equal(t, "sandbox", c.Provider)
	f := c.Findings[0]
	require.Equal(t, []string{"too_large", huge, q.Asset, q.ID}, []string{f.Code, f.Quantity, f.Asset, f.Effect})
	require.Equal(t, []byte{0xde, 0xad, 0x00}, f.Raw)
	require.False(t, f.Amount.IsValid())
	for _, action := range []payments.Resolution{payments.AssignTo, payments.WriteOff, payments.Return, payments.Approve, payments.NeverHappened} {
		_, err := e.resolve(c.ID, action, "alice")
		require.ErrorIs(t, err, payments.ErrUnresolvable, action)
	}
	_, err := e.resolve(c.ID, payments.Known, "")
	require.NoError(t, err)

	// Beside an effect, and a thousand at once.
	both := e.arrival("0x78", to, mined("0x78", "b1", eth("1")))
	for i := range providers.MaxQuarantined {
		x := q
		x.ID, x.Raw = strings.Repeat("x", i+1)[:min(i+1, 400)]+e.key(), []byte(strings.Repeat("r", providers.MaxRaw))
		both.Quarantined = append(both.Quarantined, x)
	}
	e.report(both)
	e.hasEther("alice", "1", "0", "0")
	require.Len(t, e.cases(), providers.MaxQuarantined)
}
