package stripetest

import (
	"errors"
	"fmt"
	"maps"
	"slices"
)

// books are what we hold, by currency, in smallest units as on the wire.
type books struct{ held map[string]int64 }

func newBooks() books { return books{held: map[string]int64{}} }

func (b books) render() object {
	available := []object{}
	for _, code := range slices.Sorted(maps.Keys(b.held)) {
		available = append(available, object{"amount": b.held[code], "currency": code})
	}
	return object{"object": "balance", "livemode": false, "available": available, "pending": []object{}}
}

// book makes a balance transaction.
func (s *Server) book(kind, source string, units int64, code string, fee int64) object {
	t := s.put("balance_transaction", "txn", object{
		"type": kind, "source": source, "amount": units, "currency": code, "fee": fee, "net": units - fee, "status": "available",
		"reporting_category": kind,
	})
	s.books.held[code] += units - fee
	return t
}

// convert changes an amount into the currency that our balance is kept in.
func (s *Server) convert(units int64, code string) (int64, string) {
	rate, ok := s.options.Rates[code]
	if !ok {
		return units, code
	}
	return units * rate[0] / rate[1], s.options.Settlement
}

// TopUp brings money from our bank, so that there is something to pay out.
func (s *Server) TopUp(units int64, code string) {
	s.enter()
	defer s.mu.Unlock()
	s.book("topup", "", units, code, 0)
}

// ChargeFee takes a fee that belongs to no payment, as the monthly ones.
func (s *Server) ChargeFee(units int64, code string) {
	s.enter()
	defer s.mu.Unlock()
	s.book("stripe_fee", "", -units, code, 0)
}

// Balance is what we hold in a currency, in smallest units as on the wire.
func (s *Server) Balance(code string) int64 {
	s.enter()
	defer s.mu.Unlock()
	return s.books.held[code]
}

// Undecided is the part of Balance that debits have been booked with which may still fail.
func (s *Server) Undecided(code string) (units int64) {
	s.enter()
	defer s.mu.Unlock()
	for _, id := range s.lists["balance_transaction"] {
		if t := s.objects[id]; t.text("status") == "pending" && t.text("currency") == code {
			units += t.number("net")
		}
	}
	return units
}

// Executed says how often money moved because of a key, or is still on its way; of a link, how often one was made. What was
// declined is 0.
func (s *Server) Executed(key string) (n int) {
	s.enter()
	defer s.mu.Unlock()
	for _, kind := range []string{"payment_intent", "refund", "transfer", "payout", "setup_intent", "checkout.session"} {
		for _, id := range s.lists[kind] {
			if o := s.objects[id]; key != "" && o.key() == key && s.acted(o) {
				n++
			}
		}
	}
	return n
}

func (s *Server) acted(o object) bool {
	switch o.text("object") {
	case "payment_intent":
		ch := s.objects[o.text("latest_charge")]
		return ch.text("balance_transaction") != "" || o.text("status") != "requires_payment_method"
	case "setup_intent":
		return o.text("status") == "succeeded"
	case "refund", "payout":
		return o.text("balance_transaction") != ""
	}
	return true
}

// Moved is what the books moved because of a key, without its sign, in smallest units as on the wire; of several movements
// the sum. Fees do not count. false: nothing moved.
func (s *Server) Moved(key string) (units int64, code string, ok bool) {
	s.enter()
	defer s.mu.Unlock()
	for _, id := range s.lists["balance_transaction"] {
		t := s.objects[id]
		of := s.objects[t.text("source")]
		if of.text("object") == "transfer_reversal" {
			of = s.objects[of.text("transfer")]
		}
		if of.text("object") == "dispute" || key == "" || of.key() != key {
			continue
		}
		units, code, ok = units+t.number("amount"), t.text("currency"), true
	}
	return max(units, -units), code, ok
}

// InFlight are the ids of what may still move by itself: debits, refunds and payouts on their way.
func (s *Server) InFlight() (ids []string) {
	s.enter()
	defer s.mu.Unlock()
	for _, kind := range []string{"payment_intent", "refund", "payout"} {
		for _, id := range s.lists[kind] {
			if slices.Contains([]string{"processing", "requires_action", "pending"}, s.objects[id].text("status")) {
				ids = append(ids, id)
			}
		}
	}
	return ids
}

// Audit checks the server against itself; an error is a bug of the server.
func (s *Server) Audit() error {
	s.enter()
	defer s.mu.Unlock()
	sums := map[string]int64{}
	var errs []error
	for _, id := range s.lists["balance_transaction"] {
		t := s.objects[id]
		sums[t.text("currency")] += t.number("net")
	}
	if !maps.Equal(sums, s.books.held) {
		errs = append(errs, fmt.Errorf("stripetest: the balance is %v, its transactions come to %v", s.books.held, sums))
	}
	for _, id := range s.lists["charge"] {
		ch := s.objects[id]
		var given int64
		for _, re := range s.lists["refund"] {
			if r := s.objects[re]; r.text("charge") == id && r.text("status") != "failed" {
				given += r.number("amount")
			}
		}
		if given != ch.number("amount_refunded") || given > ch.number("amount") {
			errs = append(errs, fmt.Errorf("stripetest: %s has %d refunded, its refunds come to %d", id, ch.number("amount_refunded"), given))
		}
	}
	return errors.Join(errs...)
}
