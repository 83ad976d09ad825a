package stripe

import (
	"context"
	"fmt"
	"strings"

	api "github.com/stripe/stripe-go/v82"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/providers"
)

// movements collects the effects of one operation. The first thing that cannot be read ends it.
type movements struct {
	effects []providers.Effect
	err     error
}

// add appends what one balance transaction did: the movement itself under an id of its own, the exchange if the balance is
// kept in another currency, and the fee. size is the amount in the operation's currency, signed.
func (m *movements) add(e providers.Effect, units int64, code api.Currency, t *api.BalanceTransaction) {
	if m.err != nil || t == nil {
		return
	}
	if t.ID == "" || t.Currency == "" {
		m.err = fmt.Errorf("%w: a balance transaction is not expanded", errAnswer)
		return
	}
	e.At = moment(t.Created)
	if t.Currency == code {
		units = t.Amount // what the balance says is what moved
	}
	m.put(e, units, code)
	if t.Currency != code {
		m.put(providers.Effect{ID: t.ID + ".out", Kind: providers.Converted, At: e.At}, -units, code)
		m.put(providers.Effect{ID: t.ID + ".in", Kind: providers.Converted, At: e.At}, t.Amount, t.Currency)
	}
	m.put(providers.Effect{ID: t.ID + ".fee", Kind: providers.Fee, At: e.At}, -t.Fee, t.Currency)
}

func (m *movements) put(e providers.Effect, units int64, code api.Currency) {
	if m.err != nil || units == 0 {
		return
	}
	if e.Amount, m.err = amount(units, code); m.err == nil {
		m.effects = append(m.effects, e)
	}
}

// net is what a movement still amounts to after what took it back.
func (m *movements) net(id string) currency.Amount {
	var sum currency.Amount
	for _, e := range m.effects {
		switch {
		case e.ID == id && e.Kind == providers.Moved:
			sum = e.Amount
		case e.Reverses == id && sum.IsValid():
			if next, err := sum.Add(e.Amount); err == nil {
				sum = next
			}
		}
	}
	return sum
}

// moved tells whether anything moved at all.
func (m *movements) moved() bool {
	for _, e := range m.effects {
		if e.Kind == providers.Moved {
			return true
		}
	}
	return false
}

// readMovement reports a balance transaction that belongs to no operation: Stripe's own fees, top-ups, adjustments.
func (p *Provider) readMovement(ctx context.Context, id string) (providers.Report, error) {
	t, err := p.client.V1BalanceTransactions.Retrieve(ctx, id, nil)
	if err != nil {
		return providers.Report{}, err
	}
	if belongs(t) {
		return providers.Report{}, providers.ErrNotFound // it is told of with its operation
	}
	return movementReport(t)
}

func movementReport(t *api.BalanceTransaction) (providers.Report, error) {
	if !strings.HasPrefix(t.ID, "txn_") {
		return providers.Report{}, errAnswer
	}
	m := movements{}
	m.put(providers.Effect{ID: t.ID, Kind: movementKind(t), At: moment(t.Created)}, t.Amount, t.Currency)
	m.put(providers.Effect{ID: t.ID + ".fee", Kind: providers.Fee, At: moment(t.Created)}, -t.Fee, t.Currency)
	return providers.Report{
		Reference: t.ID, Kind: providers.Settlement, State: providers.Succeeded, Effects: m.effects, Final: true, At: moment(t.Created),
	}, m.err
}

// movementKind says why a balance transaction moved money that no operation explains. A kind of Stripe's that has no name in
// package providers keeps Stripe's: payments then puts the money into suspense for a person to look at.
func movementKind(t *api.BalanceTransaction) providers.EffectKind {
	switch t.Type {
	case api.BalanceTransactionTypeStripeFee, api.BalanceTransactionTypeStripeFxFee, api.BalanceTransactionTypeTaxFee:
		return providers.Fee
	case api.BalanceTransactionTypeTopup, api.BalanceTransactionTypeTopupReversal:
		return providers.Settled
	default:
		if t.Type == "" {
			return "unknown"
		}
		return providers.EffectKind(short(string(t.Type)))
	}
}

// belongs tells whether a balance transaction is part of an operation, whose report has it: a charge, refund, dispute,
// transfer or payout.
func belongs(t *api.BalanceTransaction) bool {
	if t.Source == nil {
		return false
	}
	prefix, _, _ := strings.Cut(t.Source.ID, "_")
	switch prefix {
	case "ch", "py", "re", "pyr", "dp", "du", "tr", "trr", "po":
		return true
	}
	return false
}
