package payments

import (
	"cmp"
	"context"
	"maps"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
)

// TransferRequest asks for a send or a tip between two members.
type TransferRequest struct {
	Key         string          `json:"-"` // idempotency key of the request, unique for the actor
	Actor       Actor           `json:"-"`
	From        string          `json:"from"` // member; empty: the actor
	To          string          `json:"to"`   // member
	Amount      currency.Amount `json:"amount"`
	Reference   string          `json:"reference,omitempty"` // the host's own: the post that is tipped
	Description string          `json:"description,omitempty"`
}

// Send moves an amount from one member's wallet to another's, whole. It is done when it returns.
func (s *Service) Send(ctx context.Context, r TransferRequest) (Payment, error) {
	return s.desk.Send(ctx, r)
}

// Tip moves an amount from one member's wallet to another's, less the platform's fee (Config.TipFee). It is done when it
// returns.
func (s *Service) Tip(ctx context.Context, r TransferRequest) (Payment, error) {
	return s.desk.Tip(ctx, r)
}

// Send is [Service.Send], done when the host commits.
func (dk *Desk) Send(ctx context.Context, r TransferRequest) (Payment, error) {
	return dk.transfer(ctx, Send, r, currency.Amount{})
}

// Tip is [Service.Tip], done when the host commits.
func (dk *Desk) Tip(ctx context.Context, r TransferRequest) (Payment, error) {
	if !r.Amount.IsValid() {
		return Payment{}, invalid("amount", "is missing")
	}
	rounding := currency.HalfEven
	if planted("round-fee-up") {
		rounding = currency.Up
	}
	fee, err := r.Amount.Mul(dk.config.TipFee, rounding)
	if err != nil {
		return Payment{}, invalid("amount", "%v", err)
	}
	return dk.transfer(ctx, Tip, r, fee)
}

func (dk *Desk) transfer(ctx context.Context, kind Kind, r TransferRequest, fee currency.Amount) (Payment, error) {
	r.From = cmp.Or(r.From, r.Actor.member)
	if err := first(
		checkMember("from", r.From), checkMember("to", r.To), dk.checkAmount("amount", r.Amount),
		checkReference("reference", r.Reference), checkText("description", r.Description),
	); err != nil {
		return Payment{}, err
	}
	if r.From == r.To {
		return Payment{}, refuse(ErrInvalid, ErrSelf, "to", "%s cannot pay themselves", r.From)
	}
	if err := dk.authorize(ctx, r.Actor, ActTransfer, r.From); err != nil {
		return Payment{}, err
	}
	id := dk.config.NewID()
	rec := &record{
		ID: id.String(), Kind: kind, Member: r.From, Counterparty: r.To, Amount: r.Amount, Fee: fee,
		Reference: r.Reference, Description: r.Description, Transaction: id,
	}
	asset := r.Amount.Asset()
	accounts := []ledger.AccountID{
		WalletAccount(r.From, asset.ID()), WalletAccount(r.To, asset.ID()), ReceivableAccount(r.To, asset.ID()),
		ReceivableAccount(r.From, asset.ID()), RevenueAccount(asset.ID()),
	}
	move := ledger.Guard{
		Reads: ledger.Reads{
			Accounts: accounts, Documents: []ledger.DocumentID{paymentDocument(rec.ID), caseDocument(rec.ID)},
			Transactions: []ledger.ID{id}, Holds: []ledger.ID{id},
		},
		Check: func(v ledger.View) ([]ledger.Command, error) { return rec.transferCommands(v) },
	}
	guards := append(dk.guards(Proposal{
		Kind: kind, Actor: r.Actor, Member: r.From, Counterparty: r.To, Amount: r.Amount, Reference: r.Reference,
	}, rec.ID), move)
	return dk.request(ctx, r.Actor, r.Key, tagged{kind, r}, id, ledger.Entry{Guards: guards})
}

// transferCommands debits the payer and credits the fee and the payee, whose debts come first.
func (r *record) transferCommands(v ledger.View) ([]ledger.Command, error) {
	asset := r.Amount.Asset()
	c := newChart(v)
	c.open(openWallet(r.Member, asset), openReceivable(r.Member, asset))
	if underReview(v, r.ID) {
		return r.waits(c)
	}
	credits, err := r.transferCredits(v, c)
	if err != nil {
		return nil, err
	}
	postings := append([]ledger.Posting{debit(WalletAccount(r.Member, asset.ID()), r.Amount)}, credits...)
	document, err := r.put(0, noDue)
	if err != nil {
		return nil, err
	}
	post := ledger.Post{ID: r.Transaction, Postings: postings, Note: r.note()}
	return append(c.commands, post, document), nil
}

// transferCredits are who gets what of a transfer.
func (r *record) transferCredits(v ledger.View, c *chart) ([]ledger.Posting, error) {
	asset := r.Amount.Asset()
	c.open(openWallet(r.Counterparty, asset), openReceivable(r.Counterparty, asset), openRevenue(asset))
	rest := r.Amount
	var postings []ledger.Posting
	if r.Fee.Sign() > 0 && !planted("drop-fee") {
		postings = append(postings, credit(RevenueAccount(asset.ID()), r.Fee))
		var err error
		if rest, err = rest.Sub(r.Fee); err != nil {
			return nil, err
		}
	}
	credits, err := creditRepaying(v, r.Counterparty, rest)
	return append(postings, credits...), err
}

// creditRepaying gives a member an amount: first what they owe in this asset is repaid, the rest is theirs.
func creditRepaying(v ledger.View, member string, amount currency.Amount) ([]ledger.Posting, error) {
	repaid := repays(v, member, amount)
	rest, err := amount.Sub(repaid)
	if err != nil {
		return nil, err
	}
	var postings []ledger.Posting
	if repaid.Sign() > 0 {
		postings = append(postings, credit(ReceivableAccount(member, amount.AssetID()), repaid))
	}
	if rest.Sign() > 0 {
		postings = append(postings, credit(WalletAccount(member, amount.AssetID()), rest))
	}
	return postings, nil
}

// repays is the part of an amount that comes to a member and that repays what they owe in its asset.
func repays(v ledger.View, member string, amount currency.Amount) currency.Amount {
	debt, ok := v.Account(ReceivableAccount(member, amount.AssetID()))
	if !ok || debt.Posted.Sign() <= 0 || planted("skip-repayment") {
		return currency.Zero(amount.Asset())
	}
	return least(debt.Posted, amount)
}

// note ties a posting or hold to its payment.
func (r *record) note() ledger.Note {
	n := ledger.Note{Reference: r.ID, Description: r.Description, Meta: map[string]string{"kind": string(r.Kind)}}
	if r.Reference != "" {
		n.Meta["reference"] = r.Reference
	}
	if r.Counterparty != "" {
		n.Meta["from"], n.Meta["to"] = r.Member, r.Counterparty
	}
	return n
}

// repaying is the note of a movement by which what has come to a member repays what they owe.
func repaying(n ledger.Note) ledger.Note {
	n.Meta = maps.Clone(n.Meta)
	n.Meta["effect"] = "repaid"
	return n
}

// least is the smaller of two amounts of one asset.
func least(a, b currency.Amount) currency.Amount {
	if c, err := a.Cmp(b); err == nil && c < 0 {
		return a
	}
	return b
}
