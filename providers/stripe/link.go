package stripe

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	api "github.com/stripe/stripe-go/v82"

	"github.com/koshpay/kosh/providers"
)

// What a link can be asked for instead of a token that the member's device has already got from Stripe.
const (
	// TokenElements asks for a client secret: the device collects the card or account with Stripe.js or a mobile SDK and
	// confirms it there. The link is done when Stripe says so.
	TokenElements = "elements"
	// TokenCheckout asks for a page of Stripe's that collects the card or account. It needs Config.ReturnURL.
	TokenCheckout = "checkout"
)

// link turns a token into an instrument: a card or bank account with a SetupIntent or on a Checkout page, a connected or
// external account by looking at it.
func (p *Provider) link(ctx context.Context, op providers.Operation) (providers.Report, error) {
	prefix, _, _ := strings.Cut(op.Instrument, "_")
	switch {
	case prefix == "acct" || prefix == "ba" || prefix == "card":
		return p.linkDestination(ctx, op)
	case op.Instrument == TokenCheckout && p.config.ReturnURL == "":
		return providers.Report{}, refused("no_return_url", "Checkout needs Config.ReturnURL")
	case op.Instrument == TokenElements, op.Instrument == TokenCheckout, prefix == "ctoken":
	case prefix == "pm" && op.Method == providers.Card:
	case prefix == "pm":
		return providers.Report{}, refused("no_mandate", "a bank account needs the member's mandate: link it with a confirmation token "+
			"(ctoken_…), TokenElements or TokenCheckout")
	default:
		return providers.Report{}, refused("invalid_token", "a link's token is a pm_…, ctoken_…, acct_…, ba_… or card_… of Stripe, TokenElements or TokenCheckout")
	}
	customer, err := p.customer(ctx, op)
	if err != nil {
		// Of the link itself nothing was sent yet.
		e := &providers.Error{Certainty: providers.NotSent, Err: p.plain(err)}
		if answer, ok := errors.AsType[*api.Error](err); ok {
			e.Code, e.RetryAfter = code(answer), retryAfter(answer)
		}
		return providers.Report{}, e
	}
	if op.Instrument == TokenCheckout {
		return p.checkout(ctx, op, customer)
	}
	return p.setUp(ctx, op, customer)
}

// customer returns the customer that a member is at Stripe, and makes one at the first link. Two links of one member at once
// may make two: each instrument names its own, so nothing is mixed up.
func (p *Provider) customer(ctx context.Context, op providers.Operation) (string, error) {
	sum := sha256.Sum256([]byte(op.Member)) // members' ids may be longer than a document's
	key := "customer/" + hex.EncodeToString(sum[:])
	stored, version, err := p.config.State.Load(ctx, key)
	if err != nil {
		return "", fmt.Errorf("%w: state: %w", errState, err)
	}
	if len(stored) > 0 && op.Member != "" {
		return string(stored), nil
	}
	params := &api.CustomerCreateParams{}
	if op.Member != "" {
		params.Metadata = map[string]string{"kosh_member": op.Member}
	}
	params.IdempotencyKey = api.String(op.Key + "/customer") // the operation's key is the link's own
	c, err := p.client.V1Customers.Create(ctx, params)
	switch {
	case err != nil:
		return "", err
	case !strings.HasPrefix(c.ID, "cus_"):
		return "", errAnswer
	case op.Member == "":
		return c.ID, nil
	}
	if _, err := p.config.State.Store(ctx, key, []byte(c.ID), version); err != nil && !errors.Is(err, providers.ErrStateConflict) {
		return "", fmt.Errorf("%w: %w", errState, err)
	}
	return c.ID, nil
}

var errState = errors.New("stripe: the state store failed")

func (p *Provider) setUp(ctx context.Context, op providers.Operation, customer string) (providers.Report, error) {
	params := &api.SetupIntentCreateParams{
		Customer: &customer, Usage: api.String(string(api.SetupIntentUsageOffSession)),
		PaymentMethodTypes: []*string{api.String(types[op.Method])},
		Metadata:           map[string]string{keyField: op.Key},
		Expand:             api.StringSlice([]string{"payment_method"}),
	}
	params.IdempotencyKey = &op.Key
	switch {
	case strings.HasPrefix(op.Instrument, "pm_"):
		params.PaymentMethod = &op.Instrument
	case strings.HasPrefix(op.Instrument, "ctoken_"):
		params.ConfirmationToken = &op.Instrument
	}
	if op.Instrument != TokenElements {
		params.Confirm = api.Bool(true)
		if p.config.ReturnURL != "" {
			params.ReturnURL = &p.config.ReturnURL
		}
	}
	si, err := p.client.V1SetupIntents.Create(ctx, params)
	if declined, ok := errors.AsType[*api.Error](err); ok && declined.Type == api.ErrorTypeCard && declined.SetupIntent != nil {
		si, err = declined.SetupIntent, nil
		si.LastSetupError = declined
	}
	if err != nil {
		return providers.Report{}, p.failure(err, op)
	}
	r, err := setupReport(si)
	if err == nil && r.Key != op.Key {
		err = fmt.Errorf("%w: the intent is another operation's", errAnswer)
	}
	if err != nil {
		return providers.Report{}, p.failure(err, op)
	}
	return r, nil
}

func (p *Provider) readSetup(ctx context.Context, id string) (providers.Report, error) {
	si, err := p.client.V1SetupIntents.Retrieve(ctx, id, &api.SetupIntentRetrieveParams{Expand: api.StringSlice([]string{"payment_method"})})
	if err != nil {
		return providers.Report{}, err
	}
	return setupReport(si)
}

func setupReport(si *api.SetupIntent) (providers.Report, error) {
	r := providers.Report{Key: si.Metadata[keyField], Reference: si.ID, Kind: providers.Link, At: moment(si.Created)}
	if !strings.HasPrefix(si.ID, "seti_") {
		return r, errAnswer
	}
	switch si.Status {
	case api.SetupIntentStatusSucceeded:
		i, err := instrument(si)
		if err != nil {
			return r, err
		}
		r.State, r.Instrument, r.Final = providers.Succeeded, i, true
	case api.SetupIntentStatusProcessing, api.SetupIntentStatusRequiresConfirmation:
		r.State = providers.Pending
	case api.SetupIntentStatusRequiresAction:
		r.State, r.Action = providers.ActionRequired, setupAction(si)
	case api.SetupIntentStatusRequiresPaymentMethod:
		if e := si.LastSetupError; e != nil {
			r.State, r.Final = providers.Failed, true
			r.Reason = providers.Reason{Code: code(e), Public: public(e)}
			break
		}
		r.State, r.Action = providers.ActionRequired, setupAction(si)
	case api.SetupIntentStatusCanceled:
		r.State, r.Final = providers.Canceled, true
		r.Reason = providers.Reason{Code: cmp.Or(string(si.CancellationReason), "canceled")}
	default:
		return r, fmt.Errorf("%w: status %q of a setup intent", errAnswer, short(string(si.Status)))
	}
	return r, nil
}

func setupAction(si *api.SetupIntent) *providers.Action {
	if n := si.NextAction; n != nil {
		if n.RedirectToURL != nil && n.RedirectToURL.URL != "" {
			return &providers.Action{Kind: "redirect", URL: n.RedirectToURL.URL}
		}
		if n.VerifyWithMicrodeposits != nil && n.VerifyWithMicrodeposits.HostedVerificationURL != "" {
			return &providers.Action{Kind: "redirect", URL: n.VerifyWithMicrodeposits.HostedVerificationURL}
		}
	}
	return &providers.Action{Kind: "client_secret", Secret: si.ClientSecret}
}

// instrument is what a setup intent has linked.
func instrument(si *api.SetupIntent) (*providers.Instrument, error) {
	pm := si.PaymentMethod
	if pm == nil || !strings.HasPrefix(pm.ID, "pm_") {
		return nil, fmt.Errorf("%w: a setup intent without its payment method", errAnswer)
	}
	customer := ""
	if si.Customer != nil {
		customer = si.Customer.ID
	}
	i := &providers.Instrument{Token: instrumentToken(customer, pm.ID)}
	switch {
	case pm.Card != nil:
		i.Method, i.Last4 = providers.Card, pm.Card.Last4
		i.Label = label(cmp.Or(brands[string(pm.Card.Brand)], "Card"), pm.Card.Last4)
		if pm.Card.ExpYear > 0 && pm.Card.ExpMonth > 0 {
			i.Expiry = fmt.Sprintf("%04d-%02d", pm.Card.ExpYear, pm.Card.ExpMonth)
		}
	case pm.USBankAccount != nil:
		i.Method, i.Last4 = providers.Bank, pm.USBankAccount.Last4
		i.Label = label(cmp.Or(sentence(pm.USBankAccount.BankName), "Bank account"), pm.USBankAccount.Last4)
	default:
		return nil, fmt.Errorf("%w: a payment method of another type", errAnswer)
	}
	return i, nil
}

var brands = map[string]string{
	"amex": "American Express", "diners": "Diners Club", "discover": "Discover", "eftpos_au": "eftpos", "jcb": "JCB",
	"mastercard": "Mastercard", "unionpay": "UnionPay", "visa": "Visa",
}

func label(name, last4 string) string {
	if last4 == "" {
		return name
	}
	return name + " •• " + last4
}

// checkout opens a page of Stripe's in setup mode.
func (p *Provider) checkout(ctx context.Context, op providers.Operation, customer string) (providers.Report, error) {
	params := &api.CheckoutSessionCreateParams{
		Mode: api.String(string(api.CheckoutSessionModeSetup)), Customer: &customer,
		PaymentMethodTypes: []*string{api.String(types[op.Method])},
		SuccessURL:         &p.config.ReturnURL, CancelURL: &p.config.ReturnURL,
		Metadata: map[string]string{keyField: op.Key},
	}
	params.IdempotencyKey = &op.Key
	s, err := p.client.V1CheckoutSessions.Create(ctx, params)
	if err != nil {
		return providers.Report{}, p.failure(err, op)
	}
	r, err := checkoutReport(s)
	if err == nil && r.Key != op.Key {
		err = fmt.Errorf("%w: the session is another operation's", errAnswer)
	}
	if err != nil {
		return providers.Report{}, p.failure(err, op)
	}
	return r, nil
}

func (p *Provider) readCheckout(ctx context.Context, id string) (providers.Report, error) {
	s, err := p.client.V1CheckoutSessions.Retrieve(ctx, id, &api.CheckoutSessionRetrieveParams{
		Expand: api.StringSlice([]string{"setup_intent.payment_method"}),
	})
	if err != nil {
		return providers.Report{}, err
	}
	return checkoutReport(s)
}

func checkoutReport(s *api.CheckoutSession) (providers.Report, error) {
	r := providers.Report{Key: s.Metadata[keyField], Reference: s.ID, Kind: providers.Link, At: moment(s.Created)}
	if !strings.HasPrefix(s.ID, "cs_") {
		return r, errAnswer
	}
	switch s.Status {
	case api.CheckoutSessionStatusOpen:
		r.State = providers.ActionRequired
		r.Action = &providers.Action{Kind: "redirect", URL: s.URL, Until: moment(s.ExpiresAt)}
	case api.CheckoutSessionStatusExpired:
		r.State, r.Final, r.Reason = providers.Canceled, true, providers.Reason{Code: "expired"}
	case api.CheckoutSessionStatusComplete:
		if s.SetupIntent == nil {
			return r, errAnswer
		}
		of, err := setupReport(s.SetupIntent)
		if err != nil {
			return r, err
		}
		r.State, r.Action, r.Instrument, r.Reason, r.Final = of.State, of.Action, of.Instrument, of.Reason, of.Final
	default:
		return r, fmt.Errorf("%w: status %q of a Checkout session", errAnswer, short(string(s.Status)))
	}
	return r, nil
}

func (p *Provider) findLink(ctx context.Context, q providers.Query) (providers.Report, error) {
	if stored, _, err := p.config.State.Load(ctx, "link/"+q.Key); err != nil {
		return providers.Report{}, fmt.Errorf("%w: %w", errState, err)
	} else if len(stored) > 0 {
		return destinationReport(stored, q.Key)
	}
	setups := &api.SetupIntentListParams{CreatedRange: since(q), Expand: api.StringSlice([]string{"data.payment_method"})}
	setups.Limit = api.Int64(100)
	si, err := find(p.client.V1SetupIntents.List(ctx, setups), func(si *api.SetupIntent) bool { return si.Metadata[keyField] == q.Key })
	if err == nil {
		return setupReport(si)
	}
	if !isNotFound(err) {
		return providers.Report{}, err
	}
	sessions := &api.CheckoutSessionListParams{CreatedRange: since(q)}
	sessions.Limit = api.Int64(100)
	s, err := find(p.client.V1CheckoutSessions.List(ctx, sessions), func(s *api.CheckoutSession) bool { return s.Metadata[keyField] == q.Key })
	if err != nil {
		return providers.Report{}, err
	}
	return p.readCheckout(ctx, s.ID)
}
