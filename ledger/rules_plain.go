package ledger

import (
	"time"

	"github.com/koshpay/kosh/currency"
)

// decidePlain is what step.run does of an entry that is nothing but a Post, on the accounts themselves and by the same
// rules. It only ever says yes or no: what is refused is run again by step.run, which says why and remembers it.
func (p *prepared) decidePlain(clock time.Time, e *PlainEntry, accounts []AccountInfo, posted []currency.Amount) bool {
	now := clock
	for i := range accounts {
		now = later(now, accounts[i].UpdatedAt)
	}
	for i := range accounts {
		if accounts[i].mayExpire(now) {
			return false
		}
	}
	at, err := effective(p.post.EffectiveAt, now)
	if err != nil {
		return false
	}
	for i := range e.Postings {
		a := &accounts[e.Of[i]]
		if a.move(&e.Postings[i], LinePosted, p.post.Fact, true) != nil || a.turn(now) != nil {
			return false
		}
		posted[i] = a.Posted
	}
	e.RecordedAt, e.EffectiveAt = now, at
	return true
}

// plainReceipt answers an entry that is recorded.
func (p *prepared) plainReceipt(w *working, e *PlainEntry, accounts []AccountInfo) {
	r := &p.out.Receipt
	r.ID, r.Key, r.RecordedAt = e.ID, e.Key, e.RecordedAt
	if w.alone && len(accounts) == 2 {
		whole := new(transferReceipt)
		r.Results, r.Balances = whole.results[:], whole.balances[:]
	} else {
		r.Results, r.Balances = carve(&w.results, 1, w.carved()), carve(&w.balances, len(accounts), w.carved())
	}
	r.Results[0].Transaction = e.Transaction
	for i := range accounts {
		r.Balances[i] = accounts[i].balance()
	}
	p.answered = true
}

// transferReceipt is what the receipt of a transfer points at, in one piece.
type transferReceipt struct {
	results  [1]Result
	balances [2]Balance
}
