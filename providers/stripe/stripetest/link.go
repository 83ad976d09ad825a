package stripetest

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

func (s *Server) makeCustomer(form url.Values, _ bool) (object, *problem) {
	return s.put("customer", "cus", object{"metadata": metadata(form)}), nil
}

// attach makes a payment method of a test token, for one customer.
func (s *Server) attach(token, customer string) object {
	b := behaviours[token]
	pm := object{"customer": customer, "_token": token, "type": "card", "card": object{
		"brand": "visa", "last4": b.last4, "exp_month": 12, "exp_year": 2034, "funding": "credit",
	}}
	if b.bank {
		delete(pm, "card")
		pm["type"] = "us_bank_account"
		pm["us_bank_account"] = object{"bank_name": "STRIPE TEST BANK", "last4": b.last4, "account_type": "checking"}
	}
	return s.put("payment_method", "pm", pm)
}

// Instrument links a test token to a new customer and returns the token that the adapter gives to linked instruments.
func (s *Server) Instrument(token string) string {
	s.enter()
	defer s.mu.Unlock()
	customer := s.put("customer", "cus", object{"metadata": map[string]string{}}).id()
	return customer + "/" + s.attach(token, customer).id()
}

func (s *Server) makeSetup(form url.Values, decline bool) (object, *problem) {
	customer := form.Get("customer")
	if customer != "" && s.objects[customer].text("object") != "customer" {
		return nil, missing(customer)
	}
	method := first(form, "payment_method_types")
	if method != "card" && method != "us_bank_account" {
		return nil, invalid("payment_method_types", "Invalid payment method type")
	}
	token := strings.TrimPrefix(form.Get("confirmation_token"), "ctoken_")
	if token == "" {
		token = form.Get("payment_method")
	}
	b, known := behaviours[token]
	confirm := form.Get("confirm") == "true"
	switch {
	case confirm && !known:
		return nil, missing(token)
	case confirm && b.bank != (method == "us_bank_account"):
		return nil, invalid("payment_method", "The payment method is of another type")
	case confirm && b.bank && form.Get("confirmation_token") == "":
		return nil, invalid("mandate_data", "A mandate is required")
	}
	si := s.put("setup_intent", "seti", object{
		"customer": customer, "metadata": metadata(form), "status": "requires_payment_method", "usage": form.Get("usage"),
		"payment_method": nil, "last_setup_error": nil, "next_action": nil, "payment_method_types": []any{method},
	})
	si["client_secret"] = si.id() + "_secret_stripetest"
	s.tell("setup_intent.created", si)
	if !confirm {
		return si, nil
	}
	if decline {
		b.unlinkable = "generic_decline"
	}
	return si, s.confirmSetup(si, token, b)
}

func (s *Server) confirmSetup(si object, token string, b behaviour) *problem {
	if b.unlinkable != "" {
		e := object{"type": "card_error", "code": "card_declined", "decline_code": b.unlinkable, "message": "Your card was declined."}
		si["last_setup_error"] = e
		s.tell("setup_intent.setup_failed", si)
		return &problem{
			status: http.StatusPaymentRequired, kind: "card_error", code: "card_declined", decline: b.unlinkable,
			message: "Your card was declined.", about: si,
		}
	}
	si["payment_method"] = s.attach(token, si.text("customer")).id()
	si["status"] = "succeeded"
	s.tell("setup_intent.succeeded", si)
	return nil
}

// ConfirmSetup is the member's device confirming the link that waits under a key, with a test token.
func (s *Server) ConfirmSetup(key, token string) error {
	s.enter()
	defer s.mu.Unlock()
	for _, id := range s.lists["setup_intent"] {
		si := s.objects[id]
		if si.key() == key && si.text("status") == "requires_payment_method" {
			s.confirmSetup(si, token, behaviours[token])
			return nil
		}
	}
	return fmt.Errorf("%w: no link waits under %s", errScenario, key)
}

func (s *Server) makeCheckout(form url.Values, _ bool) (object, *problem) {
	if form.Get("mode") != "setup" || form.Get("success_url") == "" {
		return nil, invalid("mode", "stripetest has Checkout in setup mode only")
	}
	si := s.put("setup_intent", "seti", object{
		"customer": form.Get("customer"), "metadata": map[string]string{}, "status": "requires_payment_method",
		"payment_method": nil, "last_setup_error": nil, "next_action": nil, "payment_method_types": []any{first(form, "payment_method_types")},
	})
	si["client_secret"] = si.id() + "_secret_stripetest"
	cs := s.put("checkout.session", "cs_test", object{
		"mode": "setup", "status": "open", "customer": form.Get("customer"), "metadata": metadata(form), "setup_intent": si.id(),
		"expires_at": s.now.Unix() + 86400,
	})
	cs["url"] = "https://checkout.stripe.invalid/c/pay/" + cs.id()
	return cs, nil
}

// CompleteCheckout is the member finishing the Checkout page that is open under a key, with a test token.
func (s *Server) CompleteCheckout(key, token string) error {
	s.enter()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.lists["checkout.session"], func(id string) bool {
		return s.objects[id].key() == key && s.objects[id].text("status") == "open"
	})
	if i < 0 {
		return fmt.Errorf("%w: no page is open under %s", errScenario, key)
	}
	cs := s.objects[s.lists["checkout.session"][i]]
	if s.confirmSetup(s.objects[cs.text("setup_intent")], token, behaviours[token]) == nil {
		cs["status"] = "complete"
		s.tell("checkout.session.completed", cs)
	}
	return nil
}
