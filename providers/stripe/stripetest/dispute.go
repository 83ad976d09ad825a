package stripetest

import "fmt"

// dispute takes money back because the account holder's bank said so.
func (s *Server) dispute(ch object, units int64, reason string) object {
	ch["disputed"], ch["_won"] = true, false
	d := s.put("dispute", "dp", object{
		"amount": units, "currency": ch.text("currency"), "charge": ch.id(), "payment_intent": ch.text("payment_intent"), "reason": reason,
		"status": "needs_response", "balance_transactions": []object{}, "metadata": map[string]string{},
	})
	s.tell("charge.dispute.created", d)
	s.withdraw(d)
	return d
}

func (s *Server) withdraw(d object) {
	out, code := s.convert(d.number("amount"), d.text("currency"))
	t := s.book("adjustment", d.id(), -out, code, disputeFee)
	d["balance_transactions"] = append(d["balance_transactions"].([]object), t) //nolint:forcetypeassert // made with it
	s.tell("charge.dispute.funds_withdrawn", d)
}

// inquire is a bank asking before it disputes: no money moves.
func (s *Server) inquire(ch object) {
	ch["disputed"] = true
	d := s.put("dispute", "dp", object{
		"amount": ch.number("amount"), "currency": ch.text("currency"), "charge": ch.id(), "payment_intent": ch.text("payment_intent"),
		"reason": "general", "status": "warning_needs_response", "balance_transactions": []object{}, "metadata": map[string]string{},
	})
	s.tell("charge.dispute.created", d)
}

// Dispute disputes the charge under a key, for an amount in the smallest units.
func (s *Server) Dispute(key string, units int64) error {
	s.enter()
	defer s.mu.Unlock()
	_, ch, err := s.intentOf(key)
	if err != nil {
		return err
	}
	if ch["paid"] != true || units > ch.number("amount") {
		return fmt.Errorf("%w: the charge is not there or not worth that much", errScenario)
	}
	s.dispute(ch, units, "fraudulent")
	return nil
}

// CloseDispute ends the dispute of the charge under a key. Won, the money comes back. A dispute that was won can be
// lost afterwards, on appeal: the money leaves again.
func (s *Server) CloseDispute(key string, won bool) error {
	s.enter()
	defer s.mu.Unlock()
	_, ch, err := s.intentOf(key)
	if err != nil {
		return err
	}
	for _, id := range s.lists["dispute"] {
		if d := s.objects[id]; d.text("charge") == ch.id() {
			s.closeDispute(d, won)
			return nil
		}
	}
	return fmt.Errorf("%w: the charge under %s is not disputed", errScenario, key)
}

func (s *Server) closeDispute(d object, won bool) {
	ch := s.objects[d.text("charge")]
	switch {
	case d.text("status") == "warning_needs_response":
		d["status"] = "warning_closed"
	case won:
		d["status"], ch["_won"] = "won", true
		in, code := s.convert(d.number("amount"), d.text("currency"))
		t := s.book("adjustment", d.id(), in, code, 0)
		d["balance_transactions"] = append(d["balance_transactions"].([]object), t) //nolint:forcetypeassert // made with it
		s.tell("charge.dispute.funds_reinstated", d)
	case d.text("status") == "won":
		d["status"], ch["_won"] = "lost", false
		s.withdraw(d)
	default:
		d["status"] = "lost"
	}
	s.tell("charge.dispute.closed", d)
}
