package stripe

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	api "github.com/stripe/stripe-go/v82"

	"github.com/koshpay/kosh/providers"
)

// instrument is the token of a linked card or bank account: the payment method, with the customer it belongs to.
func instrumentToken(customer, method string) string {
	if customer == "" {
		return method
	}
	return customer + "/" + method
}

func splitToken(token string) (customer, method string) {
	if c, m, ok := strings.Cut(token, "/"); ok {
		return c, m
	}
	return "", token
}

// types are Stripe's names of the methods.
var types = map[providers.Method]string{providers.Card: "card", providers.Bank: "us_bank_account"}

// charge takes a deposit with a PaymentIntent that is confirmed at once.
func (p *Provider) charge(ctx context.Context, op providers.Operation) (providers.Report, error) {
	customer, method := splitToken(op.Instrument)
	if !strings.HasPrefix(method, "pm_") || customer != "" && !strings.HasPrefix(customer, "cus_") {
		return providers.Report{}, refused("invalid_instrument", "a deposit is charged to a linked card or bank account")
	}
	units, code, err := wire(op.Amount)
	if err != nil {
		return providers.Report{}, notSent(err)
	}
	params := &api.PaymentIntentCreateParams{
		Amount: units, Currency: code, PaymentMethod: &method, Confirm: api.Bool(true),
		PaymentMethodTypes: []*string{api.String(types[op.Method])},
		// Captured before the answer, so that the answer has the fee.
		CaptureMethod: api.String(string(api.PaymentIntentCaptureMethodAutomatic)),
		Metadata:      map[string]string{keyField: op.Key},
		Expand:        []*string{api.String("latest_charge.balance_transaction")},
	}
	params.IdempotencyKey = &op.Key
	if customer != "" {
		params.Customer = &customer
	}
	if op.Description != "" {
		params.Description = &op.Description
	}
	if p.config.ReturnURL != "" {
		params.ReturnURL = &p.config.ReturnURL
	}
	pi, err := p.client.V1PaymentIntents.Create(ctx, params)
	if declined, ok := errors.AsType[*api.Error](err); ok && declined.Type == api.ErrorTypeCard && declined.PaymentIntent != nil {
		// The issuer said no, and the intent stays as it is: an answer. What it says of itself is in the error.
		pi, err = declined.PaymentIntent, nil
		pi.LastPaymentError = declined
		pi.LatestCharge = nil
	}
	if err != nil {
		return providers.Report{}, p.failure(err, op)
	}
	var charges []*api.Charge
	if pi.LatestCharge != nil && pi.LatestCharge.Status != "" {
		charges = append(charges, pi.LatestCharge)
	}
	r, err := p.depositReport(pi, charges, nil)
	if err == nil && r.Key != op.Key {
		err = fmt.Errorf("%w: the intent is another operation's", errAnswer)
	}
	if err != nil {
		return providers.Report{}, p.failure(err, op)
	}
	return r, nil
}

// readIntent reads a deposit with all that ever moved because of it.
func (p *Provider) readIntent(ctx context.Context, id string) (providers.Report, error) {
	charges, err := p.charges(ctx, id)
	if err != nil {
		return providers.Report{}, err
	}
	var pi *api.PaymentIntent
	disputed := false
	for _, c := range charges {
		disputed = disputed || c.Disputed
		if c.PaymentIntent != nil && c.PaymentIntent.Status != "" {
			pi = c.PaymentIntent
		}
	}
	if pi == nil {
		if pi, err = p.client.V1PaymentIntents.Retrieve(ctx, id, nil); err != nil {
			return providers.Report{}, err
		}
	}
	var disputes []*api.Dispute
	if disputed {
		params := &api.DisputeListParams{PaymentIntent: &id}
		if disputes, err = collect(p.client.V1Disputes.List(ctx, params)); err != nil {
			return providers.Report{}, err
		}
	}
	return p.depositReport(pi, charges, disputes)
}

// charges are those of an intent, oldest first: there is another after each attempt of the person's.
func (p *Provider) charges(ctx context.Context, intent string) ([]*api.Charge, error) {
	params := &api.ChargeListParams{PaymentIntent: &intent, Expand: api.StringSlice([]string{
		"data.payment_intent", "data.balance_transaction", "data.failure_balance_transaction",
		"data.refunds.data.balance_transaction", "data.refunds.data.failure_balance_transaction",
	})}
	params.Limit = api.Int64(100)
	charges, err := collect(p.client.V1Charges.List(ctx, params))
	if err != nil {
		return nil, err
	}
	for _, c := range charges {
		if c.Refunds == nil || !c.Refunds.HasMore {
			continue
		}
		more := &api.RefundListParams{Charge: &c.ID, Expand: api.StringSlice([]string{"data.balance_transaction", "data.failure_balance_transaction"})}
		more.Limit = api.Int64(100)
		refunds, err := collect(p.client.V1Refunds.List(ctx, more))
		if err != nil {
			return nil, err
		}
		slices.Reverse(refunds)
		c.Refunds.Data = refunds
	}
	return charges, nil
}

// collect takes a whole list, oldest first.
func collect[T any](list api.Seq2[*T, error]) ([]*T, error) {
	const enough = 10_000
	var all []*T
	for item, err := range list {
		if err != nil {
			return nil, err
		}
		if all = append(all, item); len(all) > enough {
			return nil, errTooMany
		}
	}
	slices.Reverse(all)
	return all, nil
}

// readCharge reads the deposit that a charge belongs to. A charge that was made without an intent is a deposit of its own.
func (p *Provider) readCharge(ctx context.Context, id string) (providers.Report, error) {
	c, err := p.client.V1Charges.Retrieve(ctx, id, &api.ChargeRetrieveParams{Expand: api.StringSlice([]string{
		"balance_transaction", "failure_balance_transaction", "refunds.data.balance_transaction", "refunds.data.failure_balance_transaction",
	})})
	if err != nil {
		return providers.Report{}, err
	}
	if c.PaymentIntent != nil {
		return p.readIntent(ctx, c.PaymentIntent.ID)
	}
	var disputes []*api.Dispute
	if c.Disputed {
		if disputes, err = collect(p.client.V1Disputes.List(ctx, &api.DisputeListParams{Charge: &id})); err != nil {
			return providers.Report{}, err
		}
	}
	status := map[api.ChargeStatus]api.PaymentIntentStatus{
		api.ChargeStatusSucceeded: api.PaymentIntentStatusSucceeded, api.ChargeStatusPending: api.PaymentIntentStatusProcessing,
		api.ChargeStatusFailed: api.PaymentIntentStatusRequiresPaymentMethod,
	}[c.Status]
	return p.depositReport(&api.PaymentIntent{ID: c.ID, Status: status, Created: c.Created, Metadata: c.Metadata}, []*api.Charge{c}, disputes)
}

// findIntent looks for the intent with our key among those made since the operation was first sent.
func (p *Provider) findIntent(ctx context.Context, q providers.Query) (providers.Report, error) {
	params := &api.PaymentIntentListParams{CreatedRange: since(q)}
	params.Limit = api.Int64(100)
	pi, err := find(p.client.V1PaymentIntents.List(ctx, params), func(pi *api.PaymentIntent) bool { return pi.Metadata[keyField] == q.Key })
	if err != nil {
		return providers.Report{}, err
	}
	return p.readIntent(ctx, pi.ID)
}

// since bounds a search by key. Clocks differ, so it begins an hour early. There is no other end: the same key may
// have been sent again much later.
func since(q providers.Query) *api.RangeQueryParams {
	if q.SentAt.IsZero() {
		return nil
	}
	return &api.RangeQueryParams{GreaterThanOrEqual: q.SentAt.Add(-time.Hour).Unix()}
}

// find looks through a list, newest first.
func find[T any](list api.Seq2[*T, error], wanted func(*T) bool) (*T, error) {
	const enough = 20_000
	seen := 0
	for item, err := range list {
		if err != nil {
			return nil, err
		}
		if wanted(item) {
			return item, nil
		}
		if seen++; seen >= enough {
			return nil, errTooMany
		}
	}
	return nil, providers.ErrNotFound
}

// depositReport turns an intent with its charges, refunds that kosh did not ask for and disputes into a report. It depends on
// nothing but them and the clock, so the same effects have the same ids whichever way they are learnt.
func (p *Provider) depositReport(pi *api.PaymentIntent, charges []*api.Charge, disputes []*api.Dispute) (providers.Report, error) {
	r := providers.Report{Key: pi.Metadata[keyField], Reference: pi.ID, Kind: providers.Deposit, At: moment(pi.Created)}
	if prefix, _, _ := strings.Cut(pi.ID, "_"); prefix != "pi" && prefix != "ch" && prefix != "py" {
		return r, errAnswer
	}
	m := movements{}
	provisional := false
	for _, c := range charges {
		p.chargeMovements(&m, c, &r)
		provisional = provisional || c.BalanceTransaction != nil && isBank(c) && p.config.Clock().Before(p.finalAt(c.BalanceTransaction))
	}
	contested := disputeMovements(&m, disputes, charges, &r)
	if m.err != nil {
		return r, m.err
	}
	r.Effects = m.effects
	for _, e := range r.Effects {
		if e.At.After(r.At) {
			r.At = e.At
		}
	}
	switch pi.Status {
	case api.PaymentIntentStatusSucceeded:
		r.State = providers.Succeeded
		r.Final = m.moved() && !contested && !provisional // the balance transaction may come a moment after the success
	case api.PaymentIntentStatusProcessing, api.PaymentIntentStatusRequiresCapture, api.PaymentIntentStatusRequiresConfirmation:
		r.State = providers.Pending
	case api.PaymentIntentStatusRequiresAction:
		r.State, r.Action = providers.ActionRequired, intentAction(pi)
	case api.PaymentIntentStatusRequiresPaymentMethod:
		r.State = providers.Pending
		if e := pi.LastPaymentError; e != nil || len(charges) > 0 {
			r.State, r.Final = providers.Failed, true
			if e != nil {
				r.Reason = providers.Reason{Code: code(e), Public: public(e)}
			}
		}
	case api.PaymentIntentStatusCanceled:
		r.State, r.Final = providers.Canceled, true
		r.Reason = providers.Reason{Code: cmp.Or(string(pi.CancellationReason), "canceled")}
	default:
		return r, fmt.Errorf("%w: status %q of an intent", errAnswer, short(string(pi.Status)))
	}
	if m.moved() && r.State != providers.Succeeded {
		// It moved and was taken back; "failed" would say that it never moved.
		r.State, r.Action, r.Final = providers.Succeeded, nil, !contested
	}
	return r, nil
}

func isBank(c *api.Charge) bool {
	return c.PaymentMethodDetails != nil && c.PaymentMethodDetails.USBankAccount != nil
}

// finalAt is when the return window of a bank debit has passed. Stripe books a debit when it is made and says when it expects the
// money to be there; it does not say when the debit succeeded.
func (p *Provider) finalAt(t *api.BalanceTransaction) time.Time {
	return moment(max(t.Created, t.AvailableOn)).Add(p.config.BankReturnWindow)
}

// chargeMovements are what a charge, its failure after the fact and refunds by hand moved. Refunds that kosh asked for are
// operations of their own.
//
// Stripe books a bank debit when it is made. It counts here only once it has succeeded: until then the money is an expectation.
func (p *Provider) chargeMovements(m *movements, c *api.Charge, r *providers.Report) {
	if c.Status == api.ChargeStatusPending {
		return
	}
	m.add(providers.Effect{ID: c.ID, Kind: providers.Moved}, c.Amount, c.Currency, c.BalanceTransaction)
	if c.FailureBalanceTransaction != nil {
		m.add(providers.Effect{ID: c.FailureBalanceTransaction.ID, Kind: providers.Reversed, Reverses: c.ID}, -c.Amount, c.Currency, c.FailureBalanceTransaction)
		r.Reason = providers.Reason{Code: cmp.Or(short(c.FailureCode), "returned"), Public: sentence(c.FailureMessage)}
	}
	if c.Refunds == nil {
		return
	}
	for _, refund := range slices.Backward(c.Refunds.Data) { // Stripe lists the newest first
		if refund.Metadata[keyField] != "" {
			continue
		}
		m.add(providers.Effect{ID: refund.ID, Kind: providers.Reversed, Reverses: c.ID}, -refund.Amount, c.Currency, refund.BalanceTransaction)
		if f := refund.FailureBalanceTransaction; f != nil {
			m.add(providers.Effect{ID: f.ID, Kind: providers.Moved}, refund.Amount, c.Currency, f)
		}
		if refund.BalanceTransaction != nil {
			r.Reason = providers.Reason{Code: "refunded"}
		}
	}
}

// intentAction is what the person must do: on their bank's page, or with Stripe.js and the client secret.
func intentAction(pi *api.PaymentIntent) *providers.Action {
	if n := pi.NextAction; n != nil {
		if n.RedirectToURL != nil && n.RedirectToURL.URL != "" {
			return &providers.Action{Kind: "redirect", URL: n.RedirectToURL.URL}
		}
		if n.VerifyWithMicrodeposits != nil && n.VerifyWithMicrodeposits.HostedVerificationURL != "" {
			return &providers.Action{Kind: "redirect", URL: n.VerifyWithMicrodeposits.HostedVerificationURL}
		}
	}
	return &providers.Action{Kind: "client_secret", Secret: pi.ClientSecret}
}

// refused is a request that is not sent because Stripe could only refuse it.
func refused(code, why string) error {
	return &providers.Error{Certainty: providers.Rejected, Code: code, Err: errors.New("stripe: " + why)}
}
