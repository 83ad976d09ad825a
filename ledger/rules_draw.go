package ledger

import "github.com/koshpay/kosh/currency"

// draw works out the postings and records them as a transaction. All accounts named must exist, also those that are not
// reached, so that a missing one is found on the first day and not on the first bad one.
func (s *step) draw(c Draw) (Result, error) {
	postings := make([]Posting, 0, len(c.From)+len(c.To))
	postings, err := s.fill(postings, c.From, Debit, c.Amount, c.Fact)
	if err != nil {
		return Result{}, err
	}
	if postings, err = s.fill(postings, c.To, Credit, c.Amount, false); err != nil {
		return Result{}, err
	}
	// What is frozen gave and took nothing above, unless it may.
	return s.transact(&Transaction{ID: c.ID, Postings: postings, EffectiveAt: c.EffectiveAt, Note: c.Note}, true, ID{})
}

// fill divides an amount over accounts in order, each as far as its headroom goes.
func (s *step) fill(postings []Posting, accounts []AccountID, side Side, amount currency.Amount, fact bool) ([]Posting, error) {
	rest := amount
	for _, id := range accounts {
		a, err := s.account(id)
		if err != nil {
			return nil, err
		}
		part := rest
		if room, unlimited := a.Headroom(side, fact); !unlimited {
			less, err := below(room, rest, id)
			if err != nil {
				return nil, err
			}
			if less {
				part = room
			}
		}
		if part.Sign() == 0 {
			continue
		}
		postings = append(postings, Posting{Account: id, Side: side, Amount: part})
		if rest, err = sub(rest, part, id); err != nil {
			return nil, err
		}
	}
	if rest.Sign() == 0 {
		return postings, nil
	}
	found, err := sub(amount, rest, AccountID{})
	if err != nil {
		return nil, err
	}
	code := ErrInsufficientFunds
	if side == Credit {
		code = ErrCeiling
	}
	return nil, refuse(code, "all "+[...]string{Debit: "sources", Credit: "destinations"}[side]+" together").
		of(accounts[len(accounts)-1]).short(amount, found)
}
