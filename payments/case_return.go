package payments

import (
	"context"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/providers"
)

// This file is about money in suspense that goes back to where it came from: a refund that is paid from suspense instead
// of from a wallet. The amount stays the effect's until the provider has moved it, so a return that fails leaves it where it
// was, and opens the case again.

// giveBack prepares the refund that a Return makes, or refuses.
func (s *Service) giveBack(ctx context.Context, r ResolveRequest, rec *record) (*record, error) {
	var of *effect
	for i := range rec.Effects {
		if rec.Effects[i].Suspense.Sign() == 0 {
			continue
		}
		if of != nil {
			return nil, refuse(ErrConflict, ErrUnresolvable, "action", "%s: several movements of payment %s are in suspense", r.Action, rec.ID)
		}
		of = &rec.Effects[i]
	}
	if of == nil || of.Kind != providers.Moved || of.Suspense.Sign() < 0 || of.Amount.Sign() < 0 || rec.Kind != Deposit {
		return nil, refuse(ErrConflict, ErrUnresolvable, "action", "%s: nothing that came in by payment %s is in suspense", r.Action, rec.ID)
	}
	method := r.Method
	if method == "" {
		method = rec.Method
	}
	if method == "" && rec.Of != "" {
		_, address, err := s.desk.record(ctx, rec.Of)
		if err != nil {
			return nil, err
		}
		method = address.Method
	}
	if method == "" {
		return nil, invalid("method", "is empty, and nobody knows how the money came")
	}
	way, ok := s.desk.offering(rec.Provider, providers.Refund, method, of.Suspense.AssetID())
	if !ok {
		return nil, refuse(ErrInvalid, ErrUnsupported, "method", "%s gives no %s back by %s", rec.Provider, of.Suspense.AssetID(), method)
	}
	if err := within(way.offer, of.Suspense); err != nil {
		return nil, err
	}
	return &record{
		ID: derivedID("return", requestKey(r.Actor, r.Key), r.Case).String(), Kind: Refund, Amount: of.Suspense, Provider: way.name, Method: method,
		Of: rec.ID, OfReference: rec.ProviderReference, Description: r.Note, FromSuspense: of.ID,
	}, nil
}

// refund records the refund and holds its money in suspense.
func (a *arbiter) refund(v ledger.View, rec *record) ([]ledger.Command, error) {
	back := *a.back
	of := rec.effect(back.FromSuspense)
	if of == nil || of.Suspense != back.Amount || of.Returning {
		return nil, refuse(ErrConflict, ledger.ErrVersion, "case", "payment %s has changed", rec.ID)
	}
	if err := a.returnable(rec, back.Amount); err != nil {
		return nil, err
	}
	of.Returning = true
	if rec.Refunds == nil {
		rec.Refunds = map[string]currency.Amount{}
	}
	rec.Refunds[back.ID] = back.Amount
	document, err := back.put(0, v.Now())
	hold := ledger.PlaceHold{
		ID: mustID(back.ID), Account: SuspenseAccount(back.Provider, back.Amount.AssetID()), Amount: back.Amount, Fact: true, Note: back.note(),
	}
	return []ledger.Command{hold, document}, err
}

// returnable refuses to give back what the payer's bank takes back, or has taken back, because of a dispute.
func (a *arbiter) returnable(rec *record, amount currency.Amount) error {
	if rec.disputed() {
		return a.unfit("payment %s is disputed", rec.ID)
	}
	if amount.Asset() != rec.Amount.Asset() {
		return nil // disputes are about what was asked for
	}
	rest, err := rec.refundable()
	if err != nil {
		return err
	}
	if c, err := amount.Cmp(rest); err != nil || c > 0 {
		return a.unfit("of payment %s only %s can be given back", rec.ID, rest)
	}
	return nil
}

// settleReturn keeps what is in suspense of a deposit in step with what became of a return of it, and opens the case again
// when it failed. News says that what the refund reserves has changed: a late word about one that had failed before must not
// be taken for the end of the one that was tried since. It tells whether anything of the deposit changed.
func settleReturn(v ledger.View, refund, deposit *record, moved currency.Amount, news bool) (changed bool, cases []ledger.Command, err error) {
	of := deposit.effect(refund.FromSuspense)
	if of == nil || moved.Asset() != refund.Amount.Asset() {
		return false, nil, nil
	}
	before := refund.Returned
	if !before.IsValid() {
		before = currency.Zero(moved.Asset())
	}
	more, err := moved.Sub(before)
	if err != nil {
		return false, nil, err
	}
	if more.Sign() != 0 {
		less, err := more.Neg()
		if err != nil {
			return false, nil, err
		}
		if err := of.suspend(less); err != nil {
			return false, nil, err
		}
		refund.Returned, changed = moved, true
	}
	if state := refund.state(); of.Returning && news && (state == Failed || state == Canceled || state == Reversed) {
		of.Returning, changed = false, true
		cases, err = addFindings(v, deposit.ID, deposit.Provider, deposit.Member, []Finding{{
			Code: "return_failed", Text: "what was to go back is in suspense again: " + refund.Reason.Code, Effect: refund.ID,
		}})
	}
	return changed, cases, err
}
