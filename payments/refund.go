package payments

import (
	"context"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/providers"
)

// RefundRequest asks to give a payment back.
type RefundRequest struct {
	Key   string `json:"-"`
	Actor Actor  `json:"-"`
	Of    string `json:"of"` // the id of a deposit, send or tip
	// Amount to give back of a deposit. A send or tip is always given back whole, fee included: leave it out there.
	Amount      currency.Amount `json:"amount,omitzero"`
	Description string          `json:"description,omitempty"`
}

// Refund gives a payment back to where it came from. Of a deposit it makes a payment of kind Refund that the deposit's
// provider carries out, whole or in parts, never more than came in less what is disputed, and not while it is (ErrDisputed): one
// that was not sent yet when a dispute comes fails with the reason "disputed". The money is held in the wallet until then. A send or
// tip is reversed at once, and the payment returned is that one; what its payer owes is repaid first from what they get back. The
// member whose wallet the money leaves is the one who must be allowed to.
func (s *Service) Refund(ctx context.Context, r RefundRequest) (Payment, error) {
	p, err := s.desk.Refund(ctx, r)
	return s.carryOut(ctx, p, err)
}

// Refund is [Service.Refund], but that of a deposit is only recorded: a worker sends it to the provider after the host has
// committed, or [Service.Advance] at once.
func (dk *Desk) Refund(ctx context.Context, r RefundRequest) (Payment, error) {
	if err := checkText("description", r.Description); err != nil {
		return Payment{}, err
	}
	d, err := dk.document(ctx, r.Of)
	if err != nil {
		return Payment{}, err
	}
	of, err := readRecord(d)
	if err != nil {
		return Payment{}, err
	}
	payer := of.Member
	if of.Counterparty != "" && !planted("refund-by-payer") {
		payer = of.Counterparty
	}
	if err := dk.authorize(ctx, r.Actor, ActRefund, payer); err != nil {
		return Payment{}, err
	}
	switch of.Kind {
	case Send, Tip:
		if r.Amount.IsValid() && r.Amount != of.Amount {
			return Payment{}, invalid("amount", "a %s is given back whole", of.Kind)
		}
		return dk.undo(ctx, r, of)
	case Deposit:
		return dk.refundDeposit(ctx, r, of)
	case Address, Withdrawal, Refund, Link, Exchange, Issue, Burn, Settlement, Forgiven:
	}
	return Payment{}, invalid("of", "a %s cannot be refunded", of.Kind)
}

// undo reverses the transaction of a send or tip. What the payer gets back repays what they owe, as all that comes in does; and
// what had repaid a debt of the payee comes from the payee's wallet, as far as that has it, before it is owed again.
func (dk *Desk) undo(ctx context.Context, r RefundRequest, of *record) (Payment, error) {
	id, asset := paymentDocument(of.ID), of.Amount.AssetID()
	toPayer, byPayee := derivedID("repaid", of.ID), derivedID("repaid", of.ID, of.Counterparty)
	guard := ledger.Guard{
		Reads: ledger.Reads{
			Accounts: []ledger.AccountID{
				WalletAccount(of.Member, asset), ReceivableAccount(of.Member, asset),
				WalletAccount(of.Counterparty, asset), ReceivableAccount(of.Counterparty, asset),
			},
			Documents: []ledger.DocumentID{id}, Transactions: []ledger.ID{of.Transaction, toPayer, byPayee},
		},
		Check: func(v ledger.View) ([]ledger.Command, error) {
			d, found := v.Document(id)
			if !found {
				return nil, refuse(ErrNotFound, ErrNoPayment, "of", "there is no payment %s", of.ID)
			}
			now, err := readRecord(d)
			if err != nil {
				return nil, err
			}
			if now.state() != Succeeded {
				return nil, ledger.Refuse(ErrNotRefundable, "already given back, or never paid", "")
			}
			now.Undone = true
			document, err := now.put(d.Version, noDue)
			note := now.note()
			note.Description, note.Meta["kind"] = r.Description, string(Refund)
			commands := []ledger.Command{ledger.Reverse{Transaction: ledger.ByID(of.Transaction), All: true, Note: note}}
			// The payer repays from what comes in, frozen or not; that the payee gives is the payee's decision, and a freeze stops it.
			commands = append(commands, repayment(toPayer, of.Member, repays(v, of.Member, of.Amount), true, note)...)
			commands = append(commands, repayment(byPayee, of.Counterparty, of.owedAgain(v), false, note)...)
			return append(commands, document), err
		},
	}
	return dk.request(ctx, r.Actor, r.Key, tagged{Refund, r}, mustID(of.ID), ledger.Entry{Guards: []ledger.Guard{guard}})
}

// repayment posts U → R, unless it is of nothing.
func repayment(id ledger.ID, member string, amount currency.Amount, fact bool, note ledger.Note) []ledger.Command {
	if amount.Sign() <= 0 {
		return nil
	}
	return []ledger.Command{ledger.Post{ID: id, Fact: fact, Note: repaying(note), Postings: []ledger.Posting{
		debit(WalletAccount(member, amount.AssetID()), amount), credit(ReceivableAccount(member, amount.AssetID()), amount),
	}}}
}

// owedAgain is what the payee's wallet has for the debt that a send or tip had repaid, after its transaction is reversed.
func (r *record) owedAgain(v ledger.View) currency.Amount {
	owed := currency.Zero(r.Amount.Asset())
	wallet, open := v.Account(WalletAccount(r.Counterparty, r.Amount.AssetID()))
	free, all := wallet.Headroom(ledger.Debit, true)
	if !open || all || planted("skip-repayment") {
		return owed
	}
	t, _ := v.Transaction(r.Transaction)
	for _, p := range t.Postings {
		switch p.Account {
		case wallet.ID:
			if left, err := free.Sub(p.Amount); err == nil {
				free = left
			}
		case ReceivableAccount(r.Counterparty, r.Amount.AssetID()):
			owed = p.Amount
		}
	}
	return least(owed, free)
}

func (dk *Desk) refundDeposit(ctx context.Context, r RefundRequest, of *record) (Payment, error) {
	if err := dk.checkAmount("amount", r.Amount); err != nil {
		return Payment{}, err
	}
	if r.Amount.Asset() != of.Amount.Asset() {
		return Payment{}, invalid("amount", "the deposit was in %s", of.Amount.AssetID())
	}
	way, ok := dk.offering(of.Provider, providers.Refund, of.Method, r.Amount.AssetID())
	if !ok {
		err := refuse(ErrInvalid, ErrUnsupported, "of", "%s gives no %s back", of.Provider, r.Amount.AssetID())
		return dk.again(ctx, r.Actor, r.Key, tagged{Refund, r}, err)
	}
	if err := within(way.offer, r.Amount); err != nil {
		return Payment{}, err
	}
	rec := &record{
		ID: dk.config.NewID().String(), Kind: Refund, Member: of.Member, Amount: r.Amount, Provider: way.name, Method: of.Method,
		Instrument: of.Instrument, Of: of.ID, OfReference: of.ProviderReference, Description: r.Description,
	}
	reserve, err := dk.reserveRefund(ctx, rec)
	if err != nil {
		return Payment{}, err
	}
	guards := append(dk.guards(Proposal{Kind: Refund, Actor: r.Actor, Member: of.Member, Amount: r.Amount}, rec.ID), reserve)
	return dk.startWith(ctx, r.Actor, r.Key, r, rec, guards)
}

// reserveRefund reserves the amount on the deposit, so that two refunds cannot give back the same money, holds it in the
// wallet and records the refund, in one step.
func (dk *Desk) reserveRefund(ctx context.Context, rec *record) (ledger.Guard, error) {
	hold, err := dk.reserve(ctx, rec)
	if err != nil {
		return hold, err
	}
	of := paymentDocument(rec.Of)
	hold.Reads.Documents = append(hold.Reads.Documents, of)
	withHold := hold.Check
	hold.Check = func(v ledger.View) ([]ledger.Command, error) {
		d, found := v.Document(of)
		if !found {
			return nil, refuse(ErrNotFound, ErrNoPayment, "of", "there is no payment %s", rec.Of)
		}
		deposit, err := readRecord(d)
		if err != nil {
			return nil, err
		}
		if deposit.disputed() && !planted("refund-disputed") {
			return nil, ledger.Refuse(ErrDisputed, "the payment is disputed", "the payer's bank may be giving the same money back")
		}
		rest, err := deposit.refundable()
		if err != nil {
			return nil, err
		}
		if c, err := rec.Amount.Cmp(rest); err != nil || c > 0 {
			r := ledger.Refuse(ErrNotRefundable, "more than can be given back", "")
			r.Wanted, r.Available = rec.Amount, rest
			return nil, r
		}
		if deposit.Refunds == nil {
			deposit.Refunds = map[string]currency.Amount{}
		}
		if !planted("refund-unreserved") {
			deposit.Refunds[rec.ID] = rec.Amount
		}
		reserved, err := deposit.put(d.Version, deposit.due(v.Now(), dk.config))
		if err != nil {
			return nil, err
		}
		commands, err := withHold(v)
		return append([]ledger.Command{reserved}, commands...), err
	}
	return hold, nil
}

// settleRefund keeps the deposit's reservation in step with what became of its refund.
func settleRefund(v ledger.View, refund *record, c Config) ([]ledger.Command, error) {
	d, found := v.Document(paymentDocument(refund.Of))
	if !found {
		return nil, refuse(ledger.Corrupt, ledger.ErrCorrupt, "of", "refund %s of a payment that is not there", refund.ID)
	}
	deposit, err := readRecord(d)
	if err != nil {
		return nil, err
	}
	moved, any, err := refund.moved()
	if err != nil {
		return nil, err
	}
	reserved := refund.Amount
	switch state := refund.state(); {
	case (state == Failed || state == Canceled || state == Reversed) && !planted("keep-reservation"):
		reserved = moved
	case any:
		if more, err := moved.Cmp(reserved); err != nil || more > 0 {
			reserved = moved
		}
	}
	changed := deposit.Refunds[refund.ID] != reserved && !planted("refund-unreserved")
	if changed {
		deposit.Refunds[refund.ID] = reserved
	}
	var cases []ledger.Command
	if refund.FromSuspense != "" {
		returned, opened, err := settleReturn(v, refund, deposit, moved, changed)
		if err != nil {
			return nil, err
		}
		changed, cases = changed || returned, opened
	}
	if !changed {
		return cases, nil
	}
	document, err := deposit.put(d.Version, deposit.due(v.Now(), c))
	return append(cases, document), err
}
