package ach

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/providers"
)

// Lookup implements providers.Provider. It reads the state store only.
func (p *Provider) Lookup(ctx context.Context, q providers.Query) (providers.Report, error) {
	if err := errors.Join(ctx.Err(), p.hint(ctx)); err != nil {
		return providers.Report{}, err
	}
	key, _, err := p.find(ctx, q.Key, q.Reference)
	if err != nil {
		return providers.Report{}, err
	}
	return p.report(ctx, key)
}

// find returns an accepted operation by its key, its reference, or both.
func (p *Provider) find(ctx context.Context, key, reference string) (string, operation, error) {
	missing := fmt.Errorf("ach: %w", providers.ErrNotFound)
	if key == "" {
		slot, ok := p.slotOf(reference)
		if !ok {
			return "", operation{}, missing
		}
		i, ok, err := p.at(ctx, slot)
		if err != nil {
			return "", operation{}, err
		}
		if !ok || i.Part != 0 {
			return "", operation{}, missing
		}
		key = i.Key
	}
	var o operation
	version, err := providers.LoadState(ctx, p.state, opKey(key), &o)
	if err != nil {
		return "", operation{}, err
	}
	if version == 0 {
		return "", operation{}, missing
	}
	ok, err := p.accepted(ctx, key, o)
	if err != nil {
		return "", operation{}, err
	}
	if !ok || reference != "" && p.reference(o.Slot) != reference {
		return "", operation{}, missing
	}
	return key, o, nil
}

// standing is where an entry is.
type standing struct {
	item  item
	file  file
	batch batch
}

func (p *Provider) standing(ctx context.Context, slot int64) (s standing, err error) {
	if s.item, _, err = p.at(ctx, slot); err != nil || s.item.File <= 0 {
		return s, err
	}
	if _, err = providers.LoadState(ctx, p.state, fileKey(s.item.File-1), &s.file); err != nil {
		return s, err
	}
	for _, b := range s.file.Batches {
		if b.has(slot) {
			s.batch = b
		}
	}
	return s, nil
}

// report says how an accepted operation stands. It is derived from the operation, its page and its file.
func (p *Provider) report(ctx context.Context, key string) (providers.Report, error) {
	_, o, err := p.find(ctx, key, "")
	if err != nil {
		return providers.Report{}, err
	}
	r := providers.Report{Key: key, Reference: p.reference(o.Slot), Kind: o.Kind, State: providers.Pending, At: o.At}
	if o.Failed != nil {
		return failed(r, o.Failed.Code, o.Failed.Public, o.At), nil
	}
	s, err := p.standing(ctx, o.Slot)
	if err != nil {
		return providers.Report{}, err
	}
	switch o.Kind {
	case providers.Link:
		return p.reportLink(ctx, r, o, s)
	case providers.Cancel:
		r.State, r.Final = providers.Succeeded, true
		return r, nil
	default:
		return p.reportPayment(r, o, s), nil
	}
}

func failed(r providers.Report, code, public string, at time.Time) providers.Report {
	r.State, r.Final, r.At = providers.Failed, true, at
	r.Reason = providers.Reason{Code: code, Public: public}
	return r
}

func (p *Provider) reportPayment(r providers.Report, o operation, s standing) providers.Report {
	switch {
	case s.item.Canceled != "":
		r.State, r.Final = providers.Canceled, true
		r.Reason = providers.Reason{Code: "canceled", Public: "It was canceled."}
		return r
	case s.file.Rejected != nil:
		return failed(r, s.file.Rejected.Code, s.file.Rejected.Public, r.At)
	case s.batch.Settled == nil && len(o.Returns) == 0:
		return r
	}
	units := o.Parts[0].Cents
	if o.Parts[0].Credit {
		units = -units
	}
	moved := providers.Effect{ID: r.Reference + "/settled", Kind: providers.Moved, Amount: currency.MustNew(units, currency.USD)}
	r.State, r.Final = providers.Succeeded, s.batch.Final
	if len(o.Returns) == 0 {
		moved.At, r.At = *s.batch.Settled, *s.batch.Settled
		r.Effects = []providers.Effect{moved}
		return r
	}
	// Whether it came before or after the entry settled, the bank's statement has two lines.
	ret := o.Returns[0]
	moved.At, r.At, r.Final = ret.At, ret.At, true
	if ret.Early {
		r.State = providers.Failed
	} else if s.batch.Settled != nil {
		moved.At = *s.batch.Settled
	}
	back := providers.Effect{
		ID: r.Reference + "/returned", Kind: providers.Reversed, Amount: currency.MustNew(-units, currency.USD), Reverses: moved.ID, At: ret.At,
	}
	r.Effects = []providers.Effect{moved, back}
	r.Reason = providers.Reason{Code: ret.Code, Public: publicReason(ret.Code)}
	return r
}

// MicroDepositsKind is the Kind of the Action of a link that waits for the member to tell two amounts, see
// [Provider.ConfirmMicroDeposits].
const MicroDepositsKind = "micro_deposits"

// maxTries is how often a member may tell wrong amounts.
const maxTries = 3

func (p *Provider) reportLink(ctx context.Context, r providers.Report, o operation, s standing) (providers.Report, error) {
	verified := len(o.Parts) == 0
	switch {
	case o.Confirmed != nil:
		verified, r.At = true, *o.Confirmed
	case len(o.Returns) > 0:
		return failed(r, o.Returns[0].Code, publicReason(o.Returns[0].Code), o.Returns[0].At), nil
	case s.file.Rejected != nil:
		return failed(r, s.file.Rejected.Code, s.file.Rejected.Public, r.At), nil
	case o.Tries >= maxTries:
		return failed(r, "wrong_amounts", "The amounts were wrong too often.", r.At), nil
	case o.Micro != nil && s.batch.Final:
		return failed(r, "verification_expired", "The amounts were not told in time.", r.At), nil
	case o.Micro != nil && s.batch.Settled != nil:
		r.State, r.At = providers.ActionRequired, *s.batch.Settled
		r.Action = &providers.Action{Kind: MicroDepositsKind, Until: microExpiry(*s.batch.Settled)}
	case o.Micro == nil && s.batch.Final:
		verified, r.At = true, verifiedAfterPrenote(*s.batch.Settled)
	}
	if !verified {
		return r, nil
	}
	var a account
	if _, err := providers.LoadState(ctx, p.state, accountKey(o.Instrument), &a); err != nil {
		return providers.Report{}, err
	}
	i := a.instrument(o.Instrument)
	r.State, r.Final, r.Instrument = providers.Succeeded, true, &i
	return r, nil
}

// microExpiry is when it is too late to tell the amounts.
func microExpiry(settled time.Time) time.Time { return at(dateOf(settled).AddDate(0, 0, 14), 8, 30) }
