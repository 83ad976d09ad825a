package payments_test

import (
	"context"

	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/payments"
	"github.com/koshpay/kosh/providers"
)

// takeBack makes the provider's far side take a deposit back long after it was final: an event that the sandbox has no
// scene for, told through a poll of a provider that plays only this.
func (e *env) takeBack(p payments.Payment, a currency.Amount) {
	e.Helper()
	less, err := a.Neg()
	require.NoError(e, err)
	report, err := e.sandbox.Lookup(e.ctx, providers.Query{Key: p.ID})
	require.NoError(e, err)
	var moved string
	for _, effect := range report.Effects {
		if effect.Kind == providers.Moved {
			moved = effect.ID
		}
	}
	report.Effects = append(report.Effects, providers.Effect{
		ID: "late-" + moved, Kind: providers.Reversed, Reverses: moved, Amount: less, At: e.clock.Now(),
	})
	require.NoError(e, payments.Deliver(context.WithoutCancel(e.ctx), e.svc, "sandbox", providers.Event{ID: "late-" + moved, Report: &report}))
}
