package stripe

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	api "github.com/stripe/stripe-go/v82"

	"github.com/koshpay/kosh/providers"
)

// destination is a link to an account that money is paid out to. Nothing is made at Stripe for it, so it is kept in our state.
type destination struct {
	Token  string           `json:"token"`
	Method providers.Method `json:"method"`
	Label  string           `json:"label"`
	Last4  string           `json:"last4,omitempty"`
	At     int64            `json:"at"`
	Reason string           `json:"reason,omitempty"` // why it cannot be paid out to
}

// linkDestination links a connected account that the host onboarded, or an external account of our own.
func (p *Provider) linkDestination(ctx context.Context, op providers.Operation) (providers.Report, error) {
	key := "link/" + op.Key
	stored, version, err := p.config.State.Load(ctx, key)
	if err != nil {
		return providers.Report{}, notSent(fmt.Errorf("%w: %w", errState, err))
	}
	if len(stored) == 0 {
		d, err := p.inspect(ctx, op)
		if err != nil {
			return providers.Report{}, p.failure(err, op)
		}
		if stored, err = json.Marshal(d); err != nil {
			return providers.Report{}, notSent(err)
		}
		switch _, err = p.config.State.Store(ctx, key, stored, version); {
		case errors.Is(err, providers.ErrStateConflict): // another worker was first: its answer counts
			if stored, _, err = p.config.State.Load(ctx, key); err != nil {
				return providers.Report{}, notSent(fmt.Errorf("%w: %w", errState, err))
			}
		case err != nil:
			return providers.Report{}, notSent(fmt.Errorf("%w: %w", errState, err))
		}
	}
	r, err := destinationReport(stored, op.Key)
	if err != nil {
		return providers.Report{}, p.failure(err, op)
	}
	return r, nil
}

func (p *Provider) inspect(ctx context.Context, op providers.Operation) (destination, error) {
	d := destination{Token: op.Instrument, Method: op.Method, At: p.config.Clock().Unix()}
	if strings.HasPrefix(op.Instrument, "acct_") {
		a, err := p.client.V1Accounts.GetByID(ctx, op.Instrument, nil)
		if err != nil {
			return d, err
		}
		if a.ID != op.Instrument {
			return d, errAnswer
		}
		d.Label = "Stripe account"
		if a.Capabilities == nil || a.Capabilities.Transfers != api.AccountCapabilityStatusActive {
			d.Reason = "transfers_inactive"
		}
		return d, nil
	}
	own, err := p.client.V1Accounts.Retrieve(ctx, nil)
	if err != nil {
		return d, err
	}
	d.Reason = "no_such_account"
	if own.ExternalAccounts == nil {
		return d, nil
	}
	for _, e := range own.ExternalAccounts.Data {
		switch {
		case e.ID != op.Instrument:
		case e.BankAccount != nil && op.Method == providers.Bank:
			d.Reason, d.Last4 = "", e.BankAccount.Last4
			d.Label = label(cmp.Or(sentence(e.BankAccount.BankName), "Bank account"), d.Last4)
		case e.Card != nil && op.Method == providers.Card:
			d.Reason, d.Last4 = "", e.Card.Last4
			d.Label = label(cmp.Or(sentence(string(e.Card.Brand)), "Card"), d.Last4)
		}
	}
	return d, nil
}

func destinationReport(stored []byte, key string) (providers.Report, error) {
	var d destination
	if err := json.Unmarshal(stored, &d); err != nil {
		return providers.Report{}, fmt.Errorf("%w: %w", errState, err)
	}
	r := providers.Report{Key: key, Reference: d.Token + "/" + key, Kind: providers.Link, State: providers.Succeeded, Final: true, At: moment(d.At)}
	if d.Reason != "" {
		r.State = providers.Failed
		r.Reason = providers.Reason{Code: d.Reason, Public: "This account cannot be paid out to yet."}
		return r, nil
	}
	r.Instrument = &providers.Instrument{Token: d.Token, Method: d.Method, Label: d.Label, Last4: d.Last4}
	return r, nil
}

// readDestination reads a link by the reference that destinationReport made.
func (p *Provider) readDestination(ctx context.Context, reference string) (providers.Report, error) {
	_, key, ok := strings.Cut(reference, "/")
	if !ok {
		return providers.Report{}, providers.ErrNotFound
	}
	stored, _, err := p.config.State.Load(ctx, "link/"+key)
	if err != nil {
		return providers.Report{}, fmt.Errorf("%w: %w", errState, err)
	}
	if len(stored) == 0 {
		return providers.Report{}, providers.ErrNotFound
	}
	r, err := destinationReport(stored, key)
	if err == nil && r.Reference != reference {
		return providers.Report{}, providers.ErrNotFound
	}
	return r, err
}
