package payments_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/payments"
	"github.com/koshpay/kosh/providers"
	"github.com/koshpay/kosh/providers/sandbox"
)

// twoChains is a host with two providers that both pay ether out to addresses, and alice, who has some.
func twoChains(t *testing.T, r payments.Router) (e *env, a, b *sandbox.Sandbox) {
	t.Helper()
	e = newEnv(t, func(c *payments.Config, s *sandbox.Config) {
		c.Route = r
		s.Assets = []currency.Asset{currency.USD}
		c.Rates = payments.FixedRates()
	})
	for _, far := range []struct {
		name string
		at   **sandbox.Sandbox
	}{{"chain-a", &a}, {"chain-b", &b}} {
		var err error
		*far.at, err = sandbox.New(sandbox.Config{
			Name: far.name, Assets: []currency.Asset{ether}, Methods: []providers.Method{providers.Chain}, Clock: e.clock.Now, Seed: 7,
		})
		require.NoError(t, err)
		require.NoError(t, e.svc.Register(*far.at))
	}
	p, err := e.svc.Deposit(e.ctx, payments.DepositRequest{Key: "addr", Actor: payments.Member("alice"), Amount: currency.MustParse("1", ether)})
	require.NoError(t, err)
	home := a
	if p.Provider == "chain-b" {
		home = b
	}
	_, err = home.SendTo(p.Action.Address, currency.MustParse("1", ether))
	require.NoError(t, err)
	e.pass(time.Hour)
	require.Equal(t, "1", e.wallet("alice", ether).Posted.Decimal().String())
	return e, a, b
}

func TestRouteOnlyWhatCertainlyDidNotHappen(t *testing.T) {
	for _, c := range []struct {
		fault     sandbox.Fault
		elsewhere bool
	}{
		{sandbox.None, false},
		{sandbox.Refuse, true},
		{sandbox.Reject, true},
		{sandbox.Decline, false},
		{sandbox.LostRequest, false},
		{sandbox.LostResponse, false},
		{sandbox.SlowRequest, false},
		{sandbox.ServerError, false},
		{sandbox.Garbage, false},
	} {
		t.Run(c.fault.String(), func(t *testing.T) {
			e, a, b := twoChains(t, nil)
			a.Script(c.fault)
			p, err := e.withdraw("alice", "0x00000000000000000000000000000000000000aa", currency.MustParse("0.5", ether))
			require.NoError(t, err)
			if c.elsewhere {
				require.Equal(t, "chain-b", p.Provider)
				require.Equal(t, payments.Pending, p.State, "at once, in the same call")
			} else {
				require.Equal(t, "chain-a", p.Provider)
			}
			e.pass(3 * time.Hour)
			now := e.payment(p.ID)
			require.Equal(t, p.Provider, now.Provider)
			require.True(t, now.State.Done(), now.State)
			if c.fault == sandbox.Decline {
				require.Equal(t, payments.Failed, now.State, "a decline is an answer")
				require.Zero(t, a.Executed(p.ID)+b.Executed(p.ID))
				return
			}
			require.Equal(t, payments.Succeeded, now.State)
			require.Equal(t, 1, a.Executed(p.ID)+b.Executed(p.ID))
			require.Equal(t, "0.5", e.wallet("alice", ether).Posted.Decimal().String())
			e.balanced()
		})
	}
}

func TestRouteEndsWhenNobodyIsLeft(t *testing.T) {
	e, a, b := twoChains(t, nil)
	a.Script(sandbox.Refuse)
	b.Script(sandbox.Reject)
	p, err := e.withdraw("alice", "0x00000000000000000000000000000000000000aa", currency.MustParse("0.5", ether))
	require.NoError(t, err)
	require.Equal(t, payments.Failed, p.State)
	require.Equal(t, "0", e.wallet("alice", ether).Held.Decimal().String())
	require.Zero(t, a.Executed(p.ID)+b.Executed(p.ID))
}

func TestRouteIsChosenByTheRouter(t *testing.T) {
	var asked []string
	e, _, b := twoChains(t, func(kind providers.Kind, _ providers.Method, asset currency.AssetID, able []string) []string {
		asked = append(asked, string(kind)+" "+string(asset))
		able = slices.Clone(able)
		slices.Reverse(able)
		return append(able, "nobody", able[0])
	})
	p, err := e.withdraw("alice", "0x00000000000000000000000000000000000000aa", currency.MustParse("0.5", ether))
	require.NoError(t, err)
	require.Equal(t, "chain-b", p.Provider)
	require.Equal(t, 1, b.Executed(p.ID))
	require.Contains(t, asked, "withdrawal eip155:1/slip44:60")
	require.Contains(t, asked, "deposit_address eip155:1/slip44:60")

	e.config.Route = func(providers.Kind, providers.Method, currency.AssetID, []string) []string { return nil }
	e.svc, err = payments.New(e.book, e.config)
	require.NoError(t, err)
	require.NoError(t, e.svc.Register(b))
	_, err = e.withdraw("alice", "0x00000000000000000000000000000000000000aa", currency.MustParse("0.1", ether))
	require.ErrorIs(t, err, payments.ErrUnsupported)
}

// An attempt that may have arrived binds the payment to its provider, however certain the next one is.
func TestRouteNeverAfterAMaybe(t *testing.T) {
	for _, then := range []sandbox.Fault{sandbox.Refuse, sandbox.LostRequest} {
		e, a, b := twoChains(t, nil)
		a.Script(sandbox.LostRequest, then, sandbox.Refuse)
		p, err := e.withdraw("alice", "0x00000000000000000000000000000000000000aa", currency.MustParse("0.5", ether))
		require.NoError(t, err)
		require.Equal(t, payments.Unknown, p.State)
		e.pass(24 * time.Hour)
		require.Equal(t, "chain-a", e.payment(p.ID).Provider)
		require.Equal(t, []int{1, 0}, []int{a.Executed(p.ID), b.Executed(p.ID)})
		require.Zero(t, b.Requests())
		require.Equal(t, payments.Succeeded, e.payment(p.ID).State)
	}
}
