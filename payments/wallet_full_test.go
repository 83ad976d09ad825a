package payments_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/payments"
	"github.com/koshpay/kosh/providers/sandbox"
)

// A fact about a wallet that takes nothing, or not all of it, is posted all the same: what the wallet cannot take is in
// suspense with a case, and a person gives it to the wallet when it can.
func TestFactsToWalletsThatCannotTakeThem(t *testing.T) {
	set := func(e *env, c ledger.SetAccount) {
		e.Helper()
		c.Account = payments.WalletAccount("alice", "USD")
		_, err := e.book.Record(e.ctx, ledger.Entry{Key: e.key(), Commands: []ledger.Command{c}})
		require.NoError(e, err)
	}
	for name, c := range map[string]struct {
		shut, open ledger.SetAccount
		takes      string
		suspense   string
	}{
		"frozen": {
			ledger.SetAccount{DebitsFrozen: new(true), CreditsFrozen: new(true)},
			ledger.SetAccount{DebitsFrozen: new(false), CreditsFrozen: new(false)},
			"0.00", "50.00",
		},
		"closed": {ledger.SetAccount{Closed: new(true)}, ledger.SetAccount{Closed: new(false)}, "0.00", "50.00"},
		"at its ceiling": {
			ledger.SetAccount{Ceiling: new(usd("20.00"))}, ledger.SetAccount{Ceiling: new(currency.Amount{})}, "20.00", "30.00",
		},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEnv(t)
			require.NoError(t, e.svc.OpenWallet(e.ctx, payments.Member("alice"), "alice", currency.USD))
			card := e.link("alice", sandbox.TokenCard)
			set(e, c.shut)
			p := e.deposit("alice", card, usd("50.00"))
			require.Equal(t, payments.Succeeded, p.State)
			e.hasWallet("alice", c.takes, "0.00", "0.00")
			require.Equal(t, c.suspense, e.posted(payments.SuspenseAccount("sandbox", "USD")))
			require.Equal(t, []string{"not_taken"}, e.cases()[p.ID])
			e.sound()
			_, err := e.resolve(p.ID, payments.AssignTo, "")
			require.ErrorIs(t, err, payments.ErrDeclined, "it still cannot")
			set(e, c.open)
			_, err = e.resolve(p.ID, payments.AssignTo, "")
			require.NoError(t, err)
			e.hasWallet("alice", "50.00", "0.00", "0.00")
			require.Equal(t, "0.00", e.posted(payments.SuspenseAccount("sandbox", "USD")))
			e.pass(time.Hour)
			e.sound()
			e.balanced()
		})
	}
}
