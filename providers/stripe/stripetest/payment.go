package stripetest

import (
	"fmt"
	"net/http"
	"net/url"
	"time"
)

// How long things take.
const (
	DebitAfter   = 4 * day  // from a bank debit to its success or failure
	ReturnAfter  = 2 * day  // from the success of a debit to its return
	DisputeAfter = 1 * day  // from a card charge to its dispute
	DecideAfter  = 10 * day // from a dispute to its decision
	UnauthAfter  = 20 * day // from the success of a debit to the dispute of an account holder who never agreed
	RefundAfter  = 3 * day  // until a refund to a bank account is done
	RefundFails  = 5 * day  // from a refund to its coming back
	PayoutAfter  = 2 * day  // from a payout to its arrival
	BounceAfter  = 3 * day  // from its arrival to its coming back

	day = 24 * time.Hour
)

// disputeFee is what a dispute costs, won or lost, in the smallest units.
const disputeFee = 1500

func (s *Server) makeIntent(form url.Values, decline bool) (object, *problem) {
	units, code, trouble := quantity(form)
	if trouble != nil {
		return nil, trouble
	}
	id, customer := form.Get("payment_method"), form.Get("customer")
	token := id
	if pm, ok := s.objects[id]; ok && pm.text("object") == "payment_method" {
		token = pm.text("_token")
		if pm.text("customer") != customer {
			return nil, invalid("payment_method", "The payment method belongs to another customer")
		}
	}
	b, known := behaviours[token]
	method := first(form, "payment_method_types")
	switch {
	case !known:
		return nil, missing(id)
	case form.Get("confirm") != "true":
		return nil, invalid("confirm", "stripetest confirms intents at once")
	case b.bank != (method == "us_bank_account") || method == "":
		return nil, invalid("payment_method_types", "The payment method is of another type")
	}
	if decline {
		b.declines = "generic_decline"
	}
	pi := s.put("payment_intent", "pi", object{
		"amount": units, "amount_received": int64(0), "currency": code, "customer": customer, "metadata": metadata(form),
		"description": form.Get("description"), "payment_method": id, "latest_charge": nil, "last_payment_error": nil, "next_action": nil,
		"status": "requires_confirmation", "_token": token, "capture_method": form.Get("capture_method"),
	})
	pi["client_secret"] = pi.id() + "_secret_stripetest"
	s.tell("payment_intent.created", pi)
	switch {
	case b.action:
		pi["status"] = "requires_action"
		pi["next_action"] = object{"type": "use_stripe_sdk", "use_stripe_sdk": object{"type": "three_d_secure_redirect"}}
		if back := form.Get("return_url"); back != "" {
			pi["next_action"] = object{"type": "redirect_to_url", "redirect_to_url": object{
				"url": "https://hooks.stripe.invalid/3d_secure_2/" + pi.id(), "return_url": back,
			}}
		}
		s.tell("payment_intent.requires_action", pi)
	case b.declines != "":
		s.newCharge(pi, b)
		return pi, s.declineIntent(pi, b.declines, "Your card was declined.")
	case b.bank:
		ch := s.newCharge(pi, b)
		pi["status"], ch["status"] = "processing", "pending"
		units, code := s.convert(ch.number("amount"), ch.text("currency"))
		fee := price(units, code, b)
		t := s.book("payment", ch.id(), units, code, fee)
		t["status"], t["available_on"] = "pending", s.now.Add(DebitAfter).Unix()
		ch["balance_transaction"] = t.id()
		s.tell("payment_intent.processing", pi)
		s.tell("charge.pending", ch)
		s.later(DebitAfter, func() {
			t["status"] = "available"
			if b.fails != "" {
				ch["failure_balance_transaction"] = s.book("payment_failure_refund", ch.id(), -units, code, -fee).id()
				s.declineIntent(pi, b.fails, "The bank refused the debit.")
				return
			}
			s.capture(pi, ch, b)
		})
	default:
		s.capture(pi, s.newCharge(pi, b), b)
	}
	return pi, nil
}

func (s *Server) newCharge(pi object, b behaviour) object {
	details := object{"type": "card", "card": object{"brand": "visa", "last4": b.last4}}
	if b.bank {
		details = object{"type": "us_bank_account", "us_bank_account": object{"bank_name": "STRIPE TEST BANK", "last4": b.last4}}
	}
	ch := s.put("charge", "ch", object{
		"amount": pi.number("amount"), "amount_refunded": int64(0), "currency": pi.text("currency"), "payment_intent": pi.id(),
		"customer": pi.text("customer"), "metadata": pi["metadata"], "status": "failed", "paid": false, "captured": false, "disputed": false,
		"balance_transaction": nil, "failure_balance_transaction": nil, "failure_code": nil, "payment_method_details": details, "refunds": []string{},
	})
	pi["latest_charge"] = ch.id()
	return ch
}

// declineIntent ends an attempt; the intent waits for another payment method.
func (s *Server) declineIntent(pi object, code, message string) *problem {
	pi["status"], pi["next_action"] = "requires_payment_method", nil
	pi["last_payment_error"] = object{"type": "card_error", "code": "card_declined", "decline_code": code, "message": message}
	if ch, ok := s.objects[pi.text("latest_charge")]; ok {
		ch["status"], ch["failure_code"], ch["failure_message"] = "failed", code, message
		s.tell("charge.failed", ch)
	}
	s.tell("payment_intent.payment_failed", pi)
	return &problem{status: http.StatusPaymentRequired, kind: "card_error", code: "card_declined", decline: code, message: message, about: pi}
}

// price is what a charge costs. Currencies that Stripe writes with decimals that they do not have cost whole units.
func price(units int64, code string, b behaviour) int64 {
	fee := units*29/1000 + 30
	if b.bank {
		fee = min(units*8/1000, 500)
	}
	if code == "isk" || code == "ugx" {
		fee -= fee % 100
	}
	return fee
}

func (s *Server) capture(pi, ch object, b behaviour) {
	pi["status"], pi["next_action"], pi["amount_received"] = "succeeded", nil, pi["amount"]
	ch["status"], ch["paid"], ch["captured"] = "succeeded", true, true
	if !b.bank { // a debit was booked when it was made
		units, code := s.convert(ch.number("amount"), ch.text("currency"))
		ch["balance_transaction"] = s.book("charge", ch.id(), units, code, price(units, code, b)).id()
	}
	s.tell("payment_intent.succeeded", pi)
	s.tell("charge.succeeded", ch)
	switch {
	case b.returned != "":
		s.later(ReturnAfter, func() { s.returnDebit(pi, ch, b.returned) })
	case b.disputed && b.bank:
		s.later(UnauthAfter, func() {
			d := s.dispute(ch, ch.number("amount")-ch.number("amount_refunded"), "debit_not_authorized")
			s.closeDispute(d, false) // a bank's word cannot be contested
		})
	case b.disputed:
		s.later(DisputeAfter, func() {
			d := s.dispute(ch, ch.number("amount")-ch.number("amount_refunded"), "fraudulent")
			if b.won || b.lost {
				s.later(DecideAfter, func() { s.closeDispute(d, b.won) })
			}
		})
	case b.inquiry:
		s.later(DisputeAfter, func() { s.inquire(ch) })
	}
}

// returnDebit takes a debit back that had succeeded.
func (s *Server) returnDebit(pi, ch object, code string) {
	units, currency := s.convert(ch.number("amount"), ch.text("currency"))
	ch["failure_balance_transaction"] = s.book("payment_failure_refund", ch.id(), -units, currency, 0).id()
	s.declineIntent(pi, code, "The bank returned the debit.")
}

// PayByHand is a charge that was made on Stripe's own pages: nobody asked for it through the adapter.
func (s *Server) PayByHand(units int64, code string) {
	s.enter()
	defer s.mu.Unlock()
	pi := s.put("payment_intent", "pi", object{
		"amount": units, "amount_received": int64(0), "currency": code, "customer": "", "metadata": map[string]string{}, "latest_charge": nil,
		"last_payment_error": nil, "next_action": nil, "status": "requires_confirmation", "_token": Card,
	})
	s.capture(pi, s.newCharge(pi, behaviours[Card]), behaviours[Card])
}

func (s *Server) intentOf(key string) (pi, ch object, err error) {
	for _, id := range s.lists["payment_intent"] {
		if pi := s.objects[id]; pi.key() == key {
			return pi, s.objects[pi.text("latest_charge")], nil
		}
	}
	return nil, nil, fmt.Errorf("%w: no intent under %s", errScenario, key)
}

// Approve is the person passing the 3-D Secure challenge of the charge under a key.
func (s *Server) Approve(key string) error {
	s.enter()
	defer s.mu.Unlock()
	pi, _, err := s.intentOf(key)
	if err != nil || pi.text("status") != "requires_action" {
		return fmt.Errorf("%w: nothing under %s waits for a person", errScenario, key)
	}
	b := behaviours[pi.text("_token")]
	s.capture(pi, s.newCharge(pi, b), b)
	return nil
}

// Deny is the person failing it.
func (s *Server) Deny(key string) error {
	s.enter()
	defer s.mu.Unlock()
	pi, _, err := s.intentOf(key)
	if err != nil || pi.text("status") != "requires_action" {
		return fmt.Errorf("%w: nothing under %s waits for a person", errScenario, key)
	}
	s.declineIntent(pi, "authentication_required", "We are unable to authenticate your payment method.")
	return nil
}

func (s *Server) makeRefund(form url.Values, decline bool) (object, *problem) {
	ch := s.objects[form.Get("charge")]
	if pi, ok := s.objects[form.Get("payment_intent")]; ok {
		ch = s.objects[pi.text("latest_charge")]
	}
	if ch.text("object") != "charge" {
		return nil, missing(form.Get("payment_intent") + form.Get("charge"))
	}
	form = url.Values{"amount": {form.Get("amount")}, "currency": {ch.text("currency")}, "_": {""}, "metadata[kosh_key]": form["metadata[kosh_key]"]}
	units, _, trouble := quantity(form)
	switch left := ch.number("amount") - ch.number("amount_refunded"); {
	case trouble != nil:
		return nil, trouble
	case ch["paid"] != true || ch.text("status") != "succeeded":
		return nil, invalid("charge", "The charge has not succeeded")
	case ch["disputed"] == true && ch["_won"] != true:
		p := invalid("charge", "The charge is disputed")
		p.code = "charge_disputed"
		return nil, p
	case left == 0:
		p := invalid("charge", "The charge has already been refunded")
		p.code = "charge_already_refunded"
		return nil, p
	case units > left:
		return nil, invalid("amount", "Refund amount is greater than unrefunded amount on charge")
	}
	return s.refund(ch, units, metadata(form), decline), nil
}

func (s *Server) refund(ch object, units int64, meta map[string]string, decline bool) object {
	re := s.put("refund", "re", object{
		"amount": units, "currency": ch.text("currency"), "charge": ch.id(), "payment_intent": ch.text("payment_intent"), "metadata": meta,
		"status": "succeeded", "balance_transaction": nil, "failure_balance_transaction": nil,
	})
	ch["refunds"] = append(ch["refunds"].([]string), re.id()) //nolint:forcetypeassert // made with it
	if decline {
		re["status"], re["failure_reason"] = "failed", "declined"
		s.tell("refund.failed", re)
		return re
	}
	ch["amount_refunded"] = ch.number("amount_refunded") + units
	out, code := s.convert(units, ch.text("currency"))
	re["balance_transaction"] = s.book("refund", re.id(), -out, code, 0).id()
	s.tell("refund.created", re)
	s.tell("charge.refunded", ch)
	pi := s.objects[ch.text("payment_intent")]
	switch b := behaviours[pi.text("_token")]; {
	case b.refundFails:
		s.later(RefundFails, func() {
			re["status"], re["failure_reason"] = "failed", "lost_or_stolen_card"
			re["failure_balance_transaction"] = s.book("refund_failure", re.id(), out, code, 0).id()
			ch["amount_refunded"] = ch.number("amount_refunded") - units
			s.tell("refund.failed", re)
			s.tell("charge.refund.updated", re)
		})
	case b.bank:
		re["status"] = "pending"
		s.later(RefundAfter, func() {
			re["status"] = "succeeded"
			s.tell("refund.updated", re)
		})
	}
	return re
}

// RefundByHand is somebody giving back the charge under a key on Stripe's own pages.
func (s *Server) RefundByHand(key string, units int64) error {
	s.enter()
	defer s.mu.Unlock()
	_, ch, err := s.intentOf(key)
	if err != nil {
		return err
	}
	if ch["paid"] != true || units > ch.number("amount")-ch.number("amount_refunded") {
		return fmt.Errorf("%w: so much is not left of the charge", errScenario)
	}
	s.refund(ch, units, map[string]string{}, false)
	return nil
}
