package payments

import (
	"context"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
)

// ForgiveRequest asks to write off what a member owes.
type ForgiveRequest struct {
	Key    string          `json:"-"`
	Actor  Actor           `json:"-"`
	Member string          `json:"member"`
	Amount currency.Amount `json:"amount"` // all of the debt in its asset, or a part
	By     string          `json:"by"`     // the person who decided, by the host's own name for them
	Note   string          `json:"note"`   // why
}

// Forgive writes a member's debt off, whole or in part: W → R. From then on it is a loss of ours, and what comes in is the
// member's. More than is owed is ErrNotOwed.
func (s *Service) Forgive(ctx context.Context, r ForgiveRequest) (Payment, error) {
	dk := s.desk
	if r.By == "" || r.Note == "" {
		return Payment{}, invalid("note", "who decided, and why, must be said")
	}
	if err := first(
		checkMember("member", r.Member), dk.checkAmount("amount", r.Amount), checkReference("by", r.By), checkText("note", r.Note),
	); err != nil {
		return Payment{}, err
	}
	if err := dk.authorize(ctx, r.Actor, ActResolve, r.Member); err != nil {
		return Payment{}, err
	}
	id := dk.config.NewID()
	rec := &record{
		ID: id.String(), Kind: Forgiven, Member: r.Member, Amount: r.Amount, Description: r.Note, Reference: r.By, Transaction: id,
	}
	owed := ReceivableAccount(r.Member, r.Amount.AssetID())
	loss := WriteOffAccount(r.Amount.AssetID())
	return dk.request(ctx, r.Actor, r.Key, tagged{Forgiven, r}, id, ledger.Entry{Guards: []ledger.Guard{{
		Reads: ledger.Reads{
			Accounts: []ledger.AccountID{owed, loss}, Documents: []ledger.DocumentID{paymentDocument(rec.ID)}, Transactions: []ledger.ID{id},
		},
		Check: func(v ledger.View) ([]ledger.Command, error) {
			debt, ok := v.Account(owed)
			if c, err := r.Amount.Cmp(debt.Posted); !ok || err != nil || c > 0 {
				refusal := ledger.Refuse(ErrNotOwed, "more than is owed", "")
				refusal.Account, refusal.Wanted, refusal.Available = owed, r.Amount, debt.Posted
				return nil, refusal
			}
			c := newChart(v)
			c.open(openWriteOff(r.Amount.Asset()))
			document, err := rec.put(0, noDue)
			post := ledger.Post{ID: id, Postings: []ledger.Posting{debit(loss, r.Amount), credit(owed, r.Amount)}, Note: rec.note()}
			return append(c.commands, post, document), err
		},
	}}})
}
