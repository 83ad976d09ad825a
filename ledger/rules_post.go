package ledger

import (
	"fmt"
	"time"

	"github.com/koshpay/kosh/currency"
)

// Transfer is the plainest transaction: it debits one account and credits another. What that means their types say: between
// two wallets, which are liabilities, the money leaves the first and comes to the second; from a bank's account, an asset, to
// a wallet it is a deposit, and both grow.
func Transfer(from, to AccountID, amount currency.Amount) Post {
	return Post{Postings: []Posting{
		{Account: from, Side: Debit, Amount: amount},
		{Account: to, Side: Credit, Amount: amount},
	}}
}

func (s *step) post(c *Post) (Result, error) {
	return s.transact(&Transaction{ID: c.ID, Postings: c.Postings, EffectiveAt: c.EffectiveAt, Note: c.Note}, c.Fact, ID{})
}

// importPast records what happened elsewhere: neither bounds nor freezes have a say about the past.
func (s *step) importPast(c Import) (Result, error) {
	if c.EffectiveAt.After(s.now) {
		return Result{}, invalid("effective_at", "is after the ledger's time; what is yet to happen is no import")
	}
	return s.transact(&Transaction{ID: c.ID, Postings: c.Postings, EffectiveAt: c.EffectiveAt, Note: c.Note, Imported: true}, true, ID{})
}

// transact records a transaction whose postings are checked and balanced: one line a posting, in their order. The first
// posting of a capture takes from the hold it names.
func (s *step) transact(t *Transaction, fact bool, hold ID) (Result, error) {
	if t.ID == (ID{}) {
		t.ID = s.p.ids.id()
	} else if _, exists, named := s.w.transactions.get(t.ID); !named {
		s.w.missing.Transactions = append(s.w.missing.Transactions, t.ID)
		return Result{}, errUnread
	} else if exists {
		return Result{}, refuse(ErrDeclaredTwice, "transaction "+t.ID.String()).in("id")
	}
	if s.postings += len(t.Postings); s.postings > MaxEntryPostings {
		return Result{}, tooLarge("postings", fmt.Sprintf("more than %d postings in all transactions of the entry", MaxEntryPostings))
	}
	t.Key, t.RecordedAt = s.p.key, s.now
	var err error
	if t.EffectiveAt, err = effective(t.EffectiveAt, s.now); err != nil {
		return Result{}, err
	}
	for i := range t.Postings {
		if i > 0 {
			hold = ID{}
		}
		if err := s.apply(t, i, fact, hold); err != nil {
			return Result{}, err
		}
	}
	s.w.transactions.put(t.ID, t)
	s.change(&Change{Kind: ChangeTransaction, Transaction: t.ID})
	return Result{Transaction: t.ID}, nil
}

// effective returns when something that is recorded now takes effect.
func effective(at, now time.Time) (time.Time, error) {
	if at.IsZero() {
		return now, nil
	}
	if at.After(now.Add(MaxPostdate)) {
		return at, invalid("effective_at", fmt.Sprintf("more than %v after the ledger's time", MaxPostdate))
	}
	return at, nil
}

// apply does one posting of a transaction. The account is changed in place: when the posting is refused, so is the entry.
func (s *step) apply(t *Transaction, i int, fact bool, hold ID) error {
	p := &t.Postings[i]
	c, err := s.existing(&p.Account)
	if err != nil {
		return err
	}
	a := s.w.accounts.edit(c)
	line := Line{Kind: LinePosted, Side: p.Side, Amount: p.Amount, Transaction: t.ID, EffectiveAt: t.EffectiveAt}
	if hold != (ID{}) {
		line.Kind, line.Hold = LineCaptured, hold
	}
	if err := a.move(p, line.Kind, fact, !t.Imported); err != nil {
		return err
	}
	p.Account = a.ID // the same, in the store's own words, which it knows at a glance
	return s.writeLine(c, a, &line)
}

// move does one posting to an account: a freeze does not stop a fact, and bounds do not stop what they are not asked
// about. A capture takes what is held, which no bound has a say about.
func (a *AccountInfo) move(p *Posting, kind LineKind, fact, bounded bool) (err error) {
	if err = a.usable(p.Side, fact); err != nil {
		return err
	}
	if kind == LineCaptured {
		if a.Held, err = sub(a.Held, p.Amount, a.ID); err != nil {
			return err
		}
	} else if bounded {
		if err = a.fits(p.Side, p.Amount); err != nil {
			return err
		}
	}
	if p.Side == a.Type.NormalSide() {
		a.Posted, err = add(a.Posted, p.Amount, a.ID)
	} else {
		a.Posted, err = sub(a.Posted, p.Amount, a.ID)
	}
	return err
}

// fits refuses a posting that would cross a bound. A bound is asked only about a change towards it: a balance that is
// beyond one already may always come back.
func (a *AccountInfo) fits(side Side, amount currency.Amount) error {
	room, unlimited := a.headroom(side, true)
	if unlimited {
		return nil
	}
	short, err := below(room, amount, a.ID)
	if err != nil || !short {
		return err
	}
	if side == a.Type.NormalSide() {
		return refuse(ErrCeiling, "").of(a.ID).short(amount, room)
	}
	return refuse(ErrInsufficientFunds, "").of(a.ID).short(amount, room)
}
