package ledger

import (
	"fmt"
	"slices"

	"github.com/koshpay/kosh/currency"
)

// reverse records the opposite of a transaction, or of a part of it, and remembers in the original how much of each
// posting is taken back. A reversal is a transaction like any other: it can be reversed itself, which moves the money
// again but does not make more of the original reversible. Reversing a capture does not bring back its hold.
func (s *step) reverse(c Reverse) (Result, error) {
	id := c.Transaction.ID
	if c.Transaction.New {
		id = s.made[c.Transaction.Nth].Transaction
	}
	row, exists, named := s.w.transactions.get(id)
	switch {
	case !named:
		s.w.missing.Transactions = append(s.w.missing.Transactions, id)
		return Result{}, errUnread
	case !exists:
		return Result{}, refuse(ErrTransactionNotFound, "transaction "+id.String()).in("transaction")
	}
	original := *row
	rest, err := original.remaining()
	if err != nil {
		return Result{}, err
	}
	postings := original.opposite(rest)
	if !c.All {
		if postings, err = original.match(rest, c.Part); err != nil {
			return Result{}, err
		}
	} else if len(postings) == 0 {
		return Result{}, refuse(ErrAlreadyReversed, "nothing remains of transaction "+id.String())
	} else {
		for i := range rest {
			rest[i] = currency.Zero(rest[i].Asset())
		}
	}
	if original.Reversed, err = original.reversedBut(rest); err != nil {
		return Result{}, err
	}
	s.w.transactions.put(id, &original)
	return s.transact(&Transaction{ID: c.ID, Postings: postings, Reverses: id, Note: c.Note}, c.Fact, ID{})
}

// remaining is what can still be reversed of each posting.
func (t *Transaction) remaining() ([]currency.Amount, error) {
	rest := make([]currency.Amount, len(t.Postings))
	for i, p := range t.Postings {
		rest[i] = p.Amount
		if t.Reversed != nil {
			var err error
			if rest[i], err = sub(p.Amount, t.Reversed[i], p.Account); err != nil {
				return nil, err
			}
		}
	}
	return rest, nil
}

// reversedBut is how much of each posting is reversed when rest still is not.
func (t *Transaction) reversedBut(rest []currency.Amount) ([]currency.Amount, error) {
	reversed := make([]currency.Amount, len(rest))
	for i, p := range t.Postings {
		var err error
		if reversed[i], err = sub(p.Amount, rest[i], p.Account); err != nil {
			return nil, err
		}
	}
	return reversed, nil
}

// opposite returns postings that take back an amount of each posting; those of nothing are left out.
func (t *Transaction) opposite(amounts []currency.Amount) []Posting {
	var postings []Posting
	for i, p := range t.Postings {
		if amounts[i].Sign() > 0 {
			postings = append(postings, Posting{Account: p.Account, Side: p.Side.Opposite(), Amount: amounts[i]})
		}
	}
	return postings
}

// match finds the postings that a part means and takes them from rest. When the original has several postings on one
// account, a part is taken from them in their order.
func (t *Transaction) match(rest []currency.Amount, part []Posting) ([]Posting, error) {
	taken := make([]currency.Amount, len(rest))
	for i, p := range t.Postings {
		taken[i] = currency.Zero(p.Amount.Asset())
	}
	for i, want := range part {
		open, known := want.Amount, false
		for j, p := range t.Postings {
			if p.Account != want.Account || p.Side != want.Side {
				continue
			}
			known = true
			now, err := currency.Min(open, rest[j])
			if err != nil {
				return nil, arithmetic(err, p.Account)
			}
			for _, step := range []struct {
				of *currency.Amount
				f  func(a, b currency.Amount, id AccountID) (currency.Amount, error)
			}{{&taken[j], add}, {&rest[j], sub}, {&open, sub}} {
				if *step.of, err = step.f(*step.of, now, p.Account); err != nil {
					return nil, err
				}
			}
		}
		field := fmt.Sprintf("part[%d]", i)
		if !known {
			return nil, invalid(field, "the transaction has no such posting").of(want.Account)
		}
		if open.Sign() > 0 {
			found, err := sub(want.Amount, open, want.Account)
			if err != nil {
				return nil, err
			}
			return nil, refuse(ErrAlreadyReversed, "more than remains of the posting").in(field).of(want.Account).short(want.Amount, found)
		}
	}
	return slices.Clip(t.opposite(taken)), nil
}
