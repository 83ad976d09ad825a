package sandbox

import (
	"fmt"
	"slices"
	"time"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/providers"
)

// This file is the payer's bank: inquiries and chargebacks of deposits that have moved.

var (
	fraud        = providers.Reason{Code: "fraudulent", Public: "The card's owner says that they did not pay."}
	unrecognized = providers.Reason{Code: "unrecognized", Public: "The card's owner asks what this was."}
)

// OpenDispute makes the payer of the deposit under a key object to an amount of it, and returns the dispute's id. With
// inquiry no money is concerned yet: WithdrawDisputed makes more of it, CloseDispute ends it. Without, the money is withdrawn at
// once, and Config.DisputeFee charged. A deposit can be disputed for all that moved, refunded or not, as banks let it
// happen, but for no part of it twice.
func (s *Sandbox) OpenDispute(key string, amount currency.Amount, inquiry bool) (id string, err error) {
	f := s.far
	f.enter()
	defer f.mu.Unlock()
	all := f.byKey[key]
	if len(all) == 0 {
		return "", fmt.Errorf("%w: there is no deposit under key %s", ErrScenario, key)
	}
	if id, err = all[0].dispute(f.now, amount, inquiry); err != nil {
		return "", err
	}
	all[0].changed(f.now)
	return id, nil
}

// WithdrawDisputed makes a chargeback of an inquiry: the money is withdrawn.
func (s *Sandbox) WithdrawDisputed(id string) error {
	return s.disputed(id, func(o *operation, d *providers.Dispute) error {
		if d.State != providers.DisputeInquiry {
			return fmt.Errorf("%w: dispute %s is %s", ErrScenario, id, d.State)
		}
		o.withdraw(o.far.now, d)
		return nil
	})
}

// CloseDispute decides a dispute. Won, the money comes back, also on appeal after the dispute was lost; an inquiry that is won
// is just over. Lost, it stays away, and nothing moves.
func (s *Sandbox) CloseDispute(id string, won bool) error {
	return s.disputed(id, func(o *operation, d *providers.Dispute) error {
		if d.State == providers.DisputeWon || !won && d.State != providers.DisputeOpen {
			return fmt.Errorf("%w: dispute %s is %s", ErrScenario, id, d.State)
		}
		o.decide(o.far.now, d, won)
		return nil
	})
}

func (s *Sandbox) disputed(id string, do func(o *operation, d *providers.Dispute) error) error {
	f := s.far
	f.enter()
	defer f.mu.Unlock()
	for _, o := range f.operations {
		for i := range o.disputes {
			if o.disputes[i].ID != id {
				continue
			}
			o.disputes = slices.Clone(o.disputes) // events share what was
			if err := do(o, &o.disputes[i]); err != nil {
				return err
			}
			o.changed(f.now)
			return nil
		}
	}
	return fmt.Errorf("%w: there is no dispute %s", ErrScenario, id)
}

func (o *operation) dispute(at time.Time, amount currency.Amount, inquiry bool) (string, error) {
	moved, ok := o.standing()
	if o.request.Kind != providers.Deposit || !ok {
		return "", fmt.Errorf("%w: %s has not moved money in", ErrScenario, o.reference)
	}
	left := moved.Amount
	for _, d := range o.disputes {
		if d.State == providers.DisputeWon {
			continue
		}
		left = o.far.books.sub(left, d.Amount)
	}
	if c, err := amount.Cmp(left); err != nil || c > 0 || amount.Sign() <= 0 {
		return "", fmt.Errorf("%w: %v of %v cannot be disputed", ErrScenario, amount, left)
	}
	d := providers.Dispute{
		ID: o.far.newID("dp"), State: providers.DisputeInquiry, Amount: amount, Reason: unrecognized,
		EvidenceBy: at.Add(7 * 24 * time.Hour), At: at,
	}
	if !inquiry {
		o.withdraw(at, &d)
	}
	o.disputes = append(slices.Clone(o.disputes), d)
	return d.ID, nil
}

// withdraw takes the disputed money, and the fee for the trouble.
func (o *operation) withdraw(at time.Time, d *providers.Dispute) {
	moved, _ := o.standing()
	books := &o.far.books
	d.State, d.Reason, d.At = providers.DisputeOpen, fraud, at
	o.post(providers.Effect{
		Kind: providers.Disputed, Amount: books.neg(d.Amount), Reverses: moved.ID, Dispute: d.ID, At: at,
	}, o.party())
	if fee, err := o.far.cfg.DisputeFee.of(d.Amount); err != nil {
		books.breaks(err)
	} else if fee.Sign() > 0 {
		o.post(providers.Effect{Kind: providers.Fee, Amount: books.neg(fee), At: at}, "fees")
	}
}

// withdrawn is the effect that took the dispute's money, and whether that stands.
func (o *operation) withdrawn(d *providers.Dispute) (taken providers.Effect, stands bool) {
	for _, e := range o.effects {
		switch {
		case e.Dispute == d.ID && e.Kind == providers.Disputed:
			taken, stands = e, true
		case e.Dispute == d.ID && e.Kind == providers.Reinstated:
			stands = false
		}
	}
	return taken, stands
}

func (o *operation) decide(at time.Time, d *providers.Dispute, won bool) {
	d.State, d.EvidenceBy, d.At = providers.DisputeLost, time.Time{}, at
	if !won {
		return
	}
	d.State = providers.DisputeWon
	if taken, stands := o.withdrawn(d); stands {
		o.post(providers.Effect{
			Kind: providers.Reinstated, Amount: o.far.books.neg(taken.Amount), Reverses: taken.ID, Dispute: d.ID, At: at,
		}, o.party())
	}
}

// disputing tells whether a dispute is open, or will be by itself.
func (o *operation) disputing() bool {
	return len(o.troubles) > 0 || slices.ContainsFunc(o.disputes, func(d providers.Dispute) bool {
		return d.State == providers.DisputeInquiry || d.State == providers.DisputeOpen
	})
}

// trouble is a step of the dispute that an instrument brings with it.
type trouble uint8

const (
	inquires trouble = iota + 1
	withdraws
	wins
	loses
)

// troubled lets the instrument's dispute take its course, a step every DisputeAfter.
func (o *operation) troubled(at time.Time) {
	o.troubles = o.instrument.troubles
	o.nextTrouble(at)
}

func (o *operation) nextTrouble(at time.Time) {
	if len(o.troubles) == 0 {
		return
	}
	o.far.later(at.Add(o.far.cfg.DisputeAfter), func(at time.Time) {
		step := o.troubles[0]
		o.troubles = o.troubles[1:]
		o.disputes = slices.Clone(o.disputes)
		var last *providers.Dispute
		if len(o.disputes) > 0 {
			last = &o.disputes[len(o.disputes)-1]
		}
		switch {
		case step == inquires || step == withdraws && last == nil:
			moved, _ := o.standing()
			if _, err := o.dispute(at, moved.Amount, step == inquires); err != nil {
				o.troubles = nil // somebody disputed it before: see OpenDispute
				return
			}
		case last == nil:
			o.troubles = nil
			return
		case step == withdraws && last.State == providers.DisputeInquiry:
			o.withdraw(at, last)
		case step == wins && last.State != providers.DisputeWon, step == loses && last.State == providers.DisputeOpen:
			o.decide(at, last, step == wins)
		default:
			o.troubles = nil // somebody went another way: see OpenDispute and CloseDispute
			return
		}
		o.nextTrouble(at)
		o.changed(at)
	})
}
