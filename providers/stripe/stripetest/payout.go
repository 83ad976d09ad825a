package stripetest

import (
	"fmt"
	"net/url"
	"slices"
)

func (s *Server) makeTransfer(form url.Values, decline bool) (object, *problem) {
	units, code, trouble := quantity(form)
	if trouble != nil {
		return nil, trouble
	}
	to, ok := account(form.Get("destination"))
	switch {
	case !ok:
		return nil, missing(form.Get("destination"))
	case decline || to["capabilities"].(map[string]string)["transfers"] != "active": //nolint:forcetypeassert // made with it
		p := invalid("destination", "Your destination account needs to have at least one of the following capabilities enabled: transfers")
		p.code = "insufficient_capabilities_for_transfer"
		return nil, p
	case s.books.held[code] < units:
		return nil, poor()
	}
	tr := s.put("transfer", "tr", object{
		"amount": units, "amount_reversed": int64(0), "reversed": false, "currency": code, "destination": form.Get("destination"),
		"transfer_group": form.Get("transfer_group"), "metadata": metadata(form), "reversals": []string{},
	})
	tr["balance_transaction"] = s.book("transfer", tr.id(), -units, code, 0).id()
	s.tell("transfer.created", tr)
	return tr, nil
}

func poor() *problem {
	p := invalid("amount", "You have insufficient funds in your Stripe account.")
	p.code = "balance_insufficient"
	return p
}

// ReverseTransfer is somebody taking back the transfer under a key, whole or in part, on Stripe's own pages.
func (s *Server) ReverseTransfer(key string, units int64) error {
	s.enter()
	defer s.mu.Unlock()
	for _, id := range s.lists["transfer"] {
		tr := s.objects[id]
		if tr.key() != key || tr.number("amount")-tr.number("amount_reversed") < units {
			continue
		}
		v := s.put("transfer_reversal", "trr", object{"amount": units, "currency": tr.text("currency"), "transfer": tr.id(), "metadata": map[string]string{}})
		v["balance_transaction"] = s.book("transfer_refund", v.id(), units, tr.text("currency"), 0).id()
		tr["amount_reversed"] = tr.number("amount_reversed") + units
		tr["reversed"] = tr.number("amount_reversed") == tr.number("amount")
		tr["reversals"] = append(tr["reversals"].([]string), v.id()) //nolint:forcetypeassert // made with it
		s.tell("transfer.reversed", tr)
		return nil
	}
	return fmt.Errorf("%w: no transfer of so much under %s", errScenario, key)
}

func (s *Server) makePayout(form url.Values, decline bool) (object, *problem) {
	units, code, trouble := quantity(form)
	if trouble != nil {
		return nil, trouble
	}
	to := form.Get("destination")
	switch {
	case !slices.Contains([]string{PayoutBank, PayoutBankBounces, PayoutBankRefuses, PayoutCard}, to):
		return nil, missing(to)
	case s.books.held[code] < units:
		return nil, poor()
	}
	return s.payout(units, code, to, metadata(form), decline || to == PayoutBankRefuses), nil
}

func (s *Server) payout(units int64, code, to string, meta map[string]string, decline bool) object {
	po := s.put("payout", "po", object{
		"amount": units, "currency": code, "destination": to, "metadata": meta, "automatic": len(meta) == 0, "status": "pending",
		"arrival_date": s.now.Add(PayoutAfter).Unix(), "balance_transaction": nil, "failure_balance_transaction": nil, "failure_code": nil,
	})
	if decline {
		po["status"], po["failure_code"], po["failure_message"] = "failed", "declined", "The bank refused the payout."
		s.tell("payout.failed", po)
		return po
	}
	t := s.book("payout", po.id(), -units, code, 0)
	po["balance_transaction"] = t.id()
	if po["automatic"] == true {
		t["_payout"] = po.id()
	}
	s.tell("payout.created", po)
	s.later(PayoutAfter, func() {
		po["status"] = "paid"
		s.tell("payout.paid", po)
		if to != PayoutBankBounces {
			return
		}
		s.later(BounceAfter, func() {
			po["status"], po["failure_code"], po["failure_message"] = "failed", "account_closed", "The bank account has been closed."
			po["failure_balance_transaction"] = s.book("payout_failure", po.id(), units, code, 0).id()
			s.tell("payout.failed", po)
		})
	})
	return po
}

// Sweep pays what we hold in a currency out to our own bank, as Stripe does every day.
func (s *Server) Sweep(code string) error {
	s.enter()
	defer s.mu.Unlock()
	if s.books.held[code] <= 0 {
		return fmt.Errorf("%w: there is nothing to pay out", errScenario)
	}
	before := slices.Clone(s.lists["balance_transaction"])
	po := s.payout(s.books.held[code], code, PayoutBank, map[string]string{}, false)
	for _, id := range before {
		if t := s.objects[id]; t.text("currency") == code && t.text("_payout") == "" {
			t["_payout"] = po.id()
		}
	}
	return nil
}
