package stripe

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	api "github.com/stripe/stripe-go/v82"

	"github.com/koshpay/kosh/providers"
)

// refundWindow is how long after it was made a refund may still come back, as a card's account that was closed sends it.
const refundWindow = 30 * day

var refundExpand = []string{"balance_transaction", "failure_balance_transaction"}

// refund gives a deposit back, whole or in part. That all refunds together stay within the charge is Stripe's to keep.
func (p *Provider) refund(ctx context.Context, op providers.Operation) (providers.Report, error) {
	target := op.TargetReference
	if target == "" {
		deposit, err := p.findIntent(ctx, providers.Query{Key: op.Target})
		if err != nil {
			return providers.Report{}, notSent(p.lookupFailure(err))
		}
		target = deposit.Reference
	}
	units, code, err := wire(op.Amount)
	if err != nil {
		return providers.Report{}, notSent(err)
	}
	params := &api.RefundCreateParams{Amount: units, Metadata: map[string]string{keyField: op.Key}, Expand: api.StringSlice(refundExpand)}
	params.IdempotencyKey = &op.Key
	switch prefix, _, _ := strings.Cut(target, "_"); prefix {
	case "pi":
		params.PaymentIntent = &target
	case "ch", "py":
		params.Charge = &target
	default:
		return providers.Report{}, refused("invalid_target", "what is refunded is no deposit of Stripe's")
	}
	r, err := p.client.V1Refunds.Create(ctx, params)
	if err != nil {
		return providers.Report{}, p.failure(err, op)
	}
	if string(r.Currency) != *code || r.Metadata[keyField] != op.Key {
		err = fmt.Errorf("%w: the refund is not what was asked for", errAnswer)
		return providers.Report{}, p.failure(err, op)
	}
	report, err := p.refundReport(r)
	if err != nil {
		return providers.Report{}, p.failure(err, op)
	}
	return report, nil
}

// readRefund reads a refund. One that kosh did not ask for is part of its deposit.
func (p *Provider) readRefund(ctx context.Context, id string) (providers.Report, error) {
	r, err := p.client.V1Refunds.Retrieve(ctx, id, &api.RefundRetrieveParams{Expand: api.StringSlice(refundExpand)})
	if err != nil {
		return providers.Report{}, err
	}
	switch {
	case r.Metadata[keyField] != "":
		return p.refundReport(r)
	case r.PaymentIntent != nil:
		return p.readIntent(ctx, r.PaymentIntent.ID)
	case r.Charge != nil:
		return p.readCharge(ctx, r.Charge.ID)
	}
	return providers.Report{}, errAnswer
}

func (p *Provider) findRefund(ctx context.Context, q providers.Query) (providers.Report, error) {
	params := &api.RefundListParams{CreatedRange: since(q), Expand: api.StringSlice([]string{"data.balance_transaction", "data.failure_balance_transaction"})}
	params.Limit = api.Int64(100)
	r, err := find(p.client.V1Refunds.List(ctx, params), func(r *api.Refund) bool { return r.Metadata[keyField] == q.Key })
	if err != nil {
		return providers.Report{}, err
	}
	return p.refundReport(r)
}

func (p *Provider) refundReport(r *api.Refund) (providers.Report, error) {
	report := providers.Report{Key: r.Metadata[keyField], Reference: r.ID, Kind: providers.Refund, At: moment(r.Created)}
	if !strings.HasPrefix(r.ID, "re_") && !strings.HasPrefix(r.ID, "pyr_") {
		return report, errAnswer
	}
	var m movements
	m.add(providers.Effect{ID: r.ID, Kind: providers.Moved}, -r.Amount, r.Currency, r.BalanceTransaction)
	if f := r.FailureBalanceTransaction; f != nil && r.BalanceTransaction != nil {
		m.add(providers.Effect{ID: f.ID, Kind: providers.Reversed, Reverses: r.ID}, r.Amount, r.Currency, f)
		report.At = moment(f.Created)
	}
	if m.err != nil {
		return report, m.err
	}
	report.Effects = m.effects
	switch r.Status {
	case api.RefundStatusPending, api.RefundStatusRequiresAction:
		report.State = providers.Pending
	case api.RefundStatusSucceeded:
		report.State = providers.Succeeded
		report.Final = !p.config.Clock().Before(moment(r.Created).Add(refundWindow))
	case api.RefundStatusFailed:
		report.State = providers.Failed
		report.Reason = providers.Reason{Code: cmp.Or(short(string(r.FailureReason)), "refund_failed"), Public: "The refund came back."}
	case api.RefundStatusCanceled:
		report.State, report.Reason = providers.Canceled, providers.Reason{Code: "canceled"}
	default:
		return report, fmt.Errorf("%w: status %q of a refund", errAnswer, short(string(r.Status)))
	}
	return ended(report, &m), nil
}

// ended completes the report of something that ended badly. When money had moved, the report says so by a reversal that must
// be there, and is a success that was taken back.
func ended(r providers.Report, m *movements) providers.Report {
	if r.State != providers.Failed && r.State != providers.Canceled {
		return r
	}
	if !m.moved() {
		r.Final = true
		return r
	}
	r.State, r.Final = providers.Succeeded, m.net(r.Effects[0].ID).Sign() == 0
	return r
}
