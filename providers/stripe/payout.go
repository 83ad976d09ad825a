package stripe

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	api "github.com/stripe/stripe-go/v82"

	"github.com/koshpay/kosh/providers"
)

// payoutWindow is how long after its arrival a payout may come back: Stripe says most do within five business days.
const payoutWindow = 10 * day

// withdraw sends money out: to a connected account with a Transfer, to an external account of our own with a Payout.
func (p *Provider) withdraw(ctx context.Context, op providers.Operation) (providers.Report, error) {
	units, code, err := wire(op.Amount)
	if err != nil {
		return providers.Report{}, notSent(err)
	}
	switch prefix, _, _ := strings.Cut(op.Instrument, "_"); prefix {
	case "acct":
		return p.transfer(ctx, op, units, code)
	case "ba", "card":
		return p.payout(ctx, op, units, code, prefix == "card")
	}
	return providers.Report{}, refused("invalid_instrument", "a withdrawal goes to a connected account (acct_…) or an external account (ba_…, card_…)")
}

func (p *Provider) transfer(ctx context.Context, op providers.Operation, units *int64, code *string) (providers.Report, error) {
	params := &api.TransferCreateParams{
		Amount: units, Currency: code, Destination: &op.Instrument,
		TransferGroup: &op.Key, // transfers can be listed by group: a look-up by key is one request
		Metadata:      map[string]string{keyField: op.Key},
		Expand:        api.StringSlice([]string{"balance_transaction"}),
	}
	params.IdempotencyKey = &op.Key
	if op.Description != "" {
		params.Description = &op.Description
	}
	t, err := p.client.V1Transfers.Create(ctx, params)
	if err != nil {
		return providers.Report{}, p.failure(err, op)
	}
	r, err := p.transferReport(t)
	if err == nil && r.Key != op.Key {
		err = fmt.Errorf("%w: the transfer is another operation's", errAnswer)
	}
	if err != nil {
		return providers.Report{}, p.failure(err, op)
	}
	return r, nil
}

func (p *Provider) readTransfer(ctx context.Context, id string) (providers.Report, error) {
	t, err := p.client.V1Transfers.Retrieve(ctx, id, &api.TransferRetrieveParams{
		Expand: api.StringSlice([]string{"balance_transaction", "reversals.data.balance_transaction"}),
	})
	if err != nil {
		return providers.Report{}, err
	}
	return p.transferReport(t)
}

// transferReport reports a transfer. It is done when it is made: the money is the connected account's. What its holder's bank
// makes of the account's own payouts moves nothing here; only a reversal, which somebody must ask Stripe for, brings money back.
func (p *Provider) transferReport(t *api.Transfer) (providers.Report, error) {
	r := providers.Report{
		Key: t.Metadata[keyField], Reference: t.ID, Kind: providers.Withdrawal, State: providers.Succeeded, At: moment(t.Created),
	}
	if !strings.HasPrefix(t.ID, "tr_") {
		return r, errAnswer
	}
	var m movements
	m.add(providers.Effect{ID: t.ID, Kind: providers.Moved}, -t.Amount, t.Currency, t.BalanceTransaction)
	if t.Reversals != nil {
		for _, v := range slices.Backward(t.Reversals.Data) { // Stripe lists the newest first
			m.add(providers.Effect{ID: v.ID, Kind: providers.Reversed, Reverses: t.ID}, v.Amount, v.Currency, v.BalanceTransaction)
			r.At, r.Reason = moment(v.Created), providers.Reason{Code: "transfer_reversed"}
		}
	}
	r.Effects, r.Final = m.effects, m.moved()
	return r, m.err
}

func (p *Provider) payout(ctx context.Context, op providers.Operation, units *int64, code *string, instant bool) (providers.Report, error) {
	params := &api.PayoutCreateParams{
		Amount: units, Currency: code, Destination: &op.Instrument, Metadata: map[string]string{keyField: op.Key},
		Expand: api.StringSlice([]string{"balance_transaction"}),
	}
	params.IdempotencyKey = &op.Key
	if instant {
		params.Method = api.String(string(api.PayoutMethodInstant))
	}
	if op.Description != "" {
		params.Description = &op.Description
	}
	po, err := p.client.V1Payouts.Create(ctx, params)
	if err != nil {
		return providers.Report{}, p.failure(err, op)
	}
	r, err := p.payoutReport(po)
	if err == nil && r.Key != op.Key {
		err = fmt.Errorf("%w: the payout is another operation's", errAnswer)
	}
	if err != nil {
		return providers.Report{}, p.failure(err, op)
	}
	return r, nil
}

func (p *Provider) readPayout(ctx context.Context, id string) (providers.Report, error) {
	po, err := p.client.V1Payouts.Retrieve(ctx, id, &api.PayoutRetrieveParams{
		Expand: api.StringSlice([]string{"balance_transaction", "failure_balance_transaction"}),
	})
	if err != nil {
		return providers.Report{}, err
	}
	r, err := p.payoutReport(po)
	if err == nil && r.Kind == providers.Settlement && po.Automatic {
		r.Covers, err = p.covers(ctx, id)
	}
	return r, err
}

// covers are the operations whose money Stripe paid out to our bank with one of its own payouts; none when they are too many.
func (p *Provider) covers(ctx context.Context, payout string) ([]string, error) {
	params := &api.BalanceTransactionListParams{Payout: &payout, Expand: api.StringSlice([]string{"data.source"})}
	params.Limit = api.Int64(100)
	var covers []string
	seen := map[string]bool{payout: true, "": true}
	for t, err := range p.client.V1BalanceTransactions.List(ctx, params) {
		if err != nil {
			return nil, err
		}
		if _, reference := owner(t); !seen[reference] {
			seen[reference] = true
			covers = append(covers, reference)
		}
		if len(covers) > providers.MaxEffects {
			return nil, nil
		}
	}
	slices.Reverse(covers)
	return covers, nil
}

// payoutReport reports a payout. The money leaves our balance when it is made. A payout that kosh did not ask for, as
// Stripe's daily one, is the settlement of our balance to our own bank.
func (p *Provider) payoutReport(po *api.Payout) (providers.Report, error) {
	r := providers.Report{Key: po.Metadata[keyField], Reference: po.ID, Kind: providers.Withdrawal, At: moment(po.Created)}
	if !strings.HasPrefix(po.ID, "po_") {
		return r, errAnswer
	}
	var m movements
	out, back := providers.Effect{ID: po.ID, Kind: providers.Moved}, providers.Effect{Kind: providers.Reversed, Reverses: po.ID}
	if r.Key == "" {
		r.Kind, out.Kind, back.Kind, back.Reverses = providers.Settlement, providers.Settled, providers.Settled, ""
	}
	m.add(out, -po.Amount, po.Currency, po.BalanceTransaction)
	if f := po.FailureBalanceTransaction; f != nil && po.BalanceTransaction != nil {
		back.ID = f.ID
		m.add(back, po.Amount, po.Currency, f)
		r.At = moment(f.Created)
	}
	if m.err != nil {
		return r, m.err
	}
	r.Effects = m.effects
	switch po.Status {
	case api.PayoutStatusPending, api.PayoutStatusInTransit:
		r.State = providers.Pending
	case api.PayoutStatusPaid:
		r.State = providers.Succeeded
		r.Final = !p.config.Clock().Before(moment(max(po.ArrivalDate, po.Created)).Add(payoutWindow))
	case api.PayoutStatusFailed:
		r.State = providers.Failed
		r.Reason = providers.Reason{Code: cmp.Or(short(string(po.FailureCode)), "payout_failed"), Public: sentence(po.FailureMessage)}
	case api.PayoutStatusCanceled:
		r.State, r.Reason = providers.Canceled, providers.Reason{Code: "canceled"}
	default:
		return r, fmt.Errorf("%w: status %q of a payout", errAnswer, short(string(po.Status)))
	}
	return ended(r, &m), nil
}

func (p *Provider) findWithdrawal(ctx context.Context, q providers.Query) (providers.Report, error) {
	group := &api.TransferListParams{TransferGroup: &q.Key, Expand: api.StringSlice([]string{"data.balance_transaction"})}
	t, err := find(p.client.V1Transfers.List(ctx, group), func(t *api.Transfer) bool { return t.Metadata[keyField] == q.Key })
	if err == nil {
		return p.readTransfer(ctx, t.ID)
	}
	if !isNotFound(err) {
		return providers.Report{}, err
	}
	params := &api.PayoutListParams{CreatedRange: since(q), Expand: api.StringSlice([]string{"data.balance_transaction", "data.failure_balance_transaction"})}
	params.Limit = api.Int64(100)
	po, err := find(p.client.V1Payouts.List(ctx, params), func(po *api.Payout) bool { return po.Metadata[keyField] == q.Key })
	if err != nil {
		return providers.Report{}, err
	}
	return p.payoutReport(po)
}
