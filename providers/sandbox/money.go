package sandbox

import (
	"errors"
	"fmt"
	"time"

	"github.com/koshpay/kosh/providers"
)

// This file is the card network and the bank.

// charge takes a deposit: from a card at once, from a bank account by a debit that settles later and may be returned.
func (f *farSide) charge(o *operation) {
	i, problem := f.find(o.request)
	switch {
	case problem.Code != "":
		o.failFor(problem)
		return
	case i.chargeFails.Code != "":
		o.failFor(i.chargeFails)
		return
	}
	o.instrument = i
	if o.request.Method == providers.Bank {
		f.later(f.now.Add(f.cfg.SettleAfter), func(at time.Time) { f.settleDebit(o, at) })
		return
	}
	if i.needsAction {
		until := f.now.Add(f.cfg.ActionWindow)
		o.state = providers.ActionRequired
		o.action = &providers.Action{Kind: "redirect", URL: "https://sandbox.invalid/approve/" + o.reference, Until: until}
		f.later(until, func(at time.Time) {
			if o.state == providers.ActionRequired {
				f.deny(o, at, "action_expired")
			}
		})
		return
	}
	f.capture(o, f.now)
}

// capture moves a card deposit and charges its fee.
func (f *farSide) capture(o *operation, at time.Time) {
	o.action = nil
	o.move(at, o.party())
	o.troubled(at)
	if !f.cfg.CardFee.isZero() {
		if fee, err := f.cfg.CardFee.of(o.moving); err != nil {
			f.books.breaks(err)
		} else if fee.Sign() > 0 {
			o.post(providers.Effect{Kind: providers.Fee, Amount: f.books.neg(fee), At: at}, "fees")
		}
	}
	if f.cfg.CardSettleAfter <= 0 {
		o.end(providers.Succeeded)
		return
	}
	f.later(at.Add(f.cfg.CardSettleAfter), func(at time.Time) {
		net := f.books.sum(o.effects)
		if net.Sign() > 0 {
			o.post(providers.Effect{Kind: providers.Settled, Amount: f.books.neg(net), At: at}, "our bank")
		}
		o.end(providers.Succeeded)
		o.changed(at)
	})
}

func (f *farSide) settleDebit(o *operation, at time.Time) {
	if o.state != providers.Pending {
		return // canceled
	}
	if o.instrument.failsLater.Code != "" {
		o.failFor(o.instrument.failsLater)
		o.changed(at)
		return
	}
	o.move(at, o.party())
	f.watchReturn(o, at, o.instrument.chargeReturns)
	o.changed(at)
}

// watchReturn ends the return window of what has just moved, or takes it back in the middle of the window.
func (f *farSide) watchReturn(o *operation, at time.Time, why providers.Reason) {
	after := f.cfg.ReturnWindow
	if why.Code != "" {
		after /= 2
	}
	f.later(at.Add(after), func(at time.Time) {
		if why.Code != "" {
			o.takeBack(at, why, "", o.party())
		}
		o.end(providers.Succeeded)
		o.changed(at)
	})
}

func (f *farSide) payOut(o *operation) {
	i, problem := f.find(o.request)
	switch {
	case problem.Code != "":
		o.failFor(problem)
		return
	case i.payoutFails.Code != "":
		o.failFor(i.payoutFails)
		return
	}
	o.instrument = i
	f.later(f.now.Add(f.cfg.PayoutAfter), func(at time.Time) { f.sendOut(o, at, i.payoutReturns) })
}

// sendOut moves a payout or refund that was pending.
func (f *farSide) sendOut(o *operation, at time.Time, returns providers.Reason) {
	if o.state != providers.Pending {
		return // canceled
	}
	if o.instrument.failsLater.Code != "" {
		o.failFor(o.instrument.failsLater)
	} else {
		o.move(at, o.party())
		f.watchReturn(o, at, returns)
	}
	o.changed(at)
}

// refund gives a deposit back, by card at once, by bank like a payout. What is on its way back counts as given back.
func (f *farSide) refund(o *operation) {
	target := f.targetOf(o.request)
	if target == nil || target.request.Kind != providers.Deposit || target.request.Method != o.request.Method {
		o.fail("no_such_payment", "The payment to refund was not found.")
		return
	}
	moved, ok := target.standing()
	if !ok {
		o.fail("not_captured", "There is nothing to refund.")
		return
	}
	if moved.Amount.AssetID() != o.moving.AssetID() {
		o.fail("wrong_asset", "The payment was made in something else.")
		return
	}
	left := moved.Amount
	for _, d := range target.disputes {
		if d.State == providers.DisputeOpen {
			o.fail("charge_disputed", "The payment is disputed.")
			return
		}
		if taken, stands := target.withdrawn(&d); stands {
			left = f.books.add(left, taken.Amount)
		}
	}
	if target.refunded.IsValid() {
		left = f.books.sub(left, target.refunded)
	}
	if f.books.sub(left, o.request.Amount).Sign() < 0 {
		o.fail("exceeds_payment", "This is more than is left of the payment.")
		return
	}
	if target.refunded.IsValid() {
		target.refunded = f.books.add(target.refunded, o.moving)
	} else {
		target.refunded = o.moving
	}
	o.target, o.instrument, o.payer = target, target.instrument, target.party()
	if o.request.Method == providers.Bank {
		f.later(f.now.Add(f.cfg.PayoutAfter), func(at time.Time) { f.sendOut(o, at, o.instrument.refundReturns) })
		return
	}
	o.move(f.now, o.party())
	if o.instrument.refundReturns.Code == "" {
		o.end(providers.Succeeded)
	} else {
		f.watchReturn(o, f.now, o.instrument.refundReturns)
	}
}

// cancel stops what has not moved.
func (f *farSide) cancel(o *operation) {
	target := f.targetOf(o.request)
	switch {
	case target == nil:
		o.fail("no_such_operation", "There is nothing to cancel.")
	case target.request.Method == providers.Chain, target.final, target.moved():
		o.fail("not_cancelable", "It is too late to cancel.")
	default:
		target.release()
		target.action = nil
		target.reason = providers.Reason{Code: "canceled", Public: "It was canceled."}
		target.end(providers.Canceled)
		target.changed(f.now)
		o.end(providers.Succeeded)
	}
}

// ErrScenario says that there is nothing to which a call like Approve or SendTo could apply.
var ErrScenario = errors.New("sandbox: does not apply")

// Approve is the person saying yes to the charge under a key that waits for them.
func (s *Sandbox) Approve(key string) error {
	return s.answer(key, func(f *farSide, o *operation) {
		f.capture(o, f.now)
		o.changed(f.now)
	})
}

// Deny is the person saying no.
func (s *Sandbox) Deny(key string) error {
	return s.answer(key, func(f *farSide, o *operation) { f.deny(o, f.now, "action_denied") })
}

func (s *Sandbox) answer(key string, do func(f *farSide, o *operation)) error {
	f := s.far
	f.enter()
	defer f.mu.Unlock()
	for _, o := range f.byKey[key] {
		if o.state == providers.ActionRequired {
			do(f, o)
			return nil
		}
	}
	return fmt.Errorf("%w: nothing under key %s waits for a person", ErrScenario, key)
}

func (f *farSide) deny(o *operation, at time.Time, code string) {
	o.action = nil
	o.fail(code, "The payment was not approved.")
	o.changed(at)
}
