package payments

import (
	"cmp"
	"context"
	"slices"

	"github.com/google/uuid"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/providers"
)

// WithdrawRequest asks to pay money out of a member's wallet.
type WithdrawRequest struct {
	Key    string          `json:"-"`
	Actor  Actor           `json:"-"`
	Member string          `json:"member"` // empty: the actor
	Amount currency.Amount `json:"amount"`
	// To is the id of a linked instrument, or an address that the asset's provider understands.
	To string `json:"to"`
	// Quote is the id of a Quote for just this, which it uses up; empty: at whatever the network charges, if the platform bears it.
	Quote       string `json:"quote,omitempty"`
	Reference   string `json:"reference,omitempty"`
	Description string `json:"description,omitempty"`
	// TravelRule is the host's reference to what it exchanged about payer and payee (FATF recommendation 16). It is stored and
	// given to the provider, and means nothing here.
	TravelRule string `json:"travel_rule,omitempty"`
}

// Withdraw pays money out. The amount is held in the wallet in the same step that records the withdrawal, before the
// provider is called; it leaves the wallet when the provider reports that it moved, and is given back only when it
// certainly did not. A member who owes money, in whatever asset, is refused with ErrOwes, an address that the provider can tell is
// mistyped with ErrBadAddress, before anything is recorded. When the member comes to owe before anything was sent, the withdrawal fails
// with the reason "owes", and what was held repays the debt.
func (s *Service) Withdraw(ctx context.Context, r WithdrawRequest) (Payment, error) {
	p, err := s.desk.Withdraw(ctx, r)
	return s.carryOut(ctx, p, err)
}

// Withdraw records what [Service.Withdraw] records, the hold included. A worker sends it to the provider after the host has
// committed, or [Service.Advance] at once.
func (dk *Desk) Withdraw(ctx context.Context, r WithdrawRequest) (Payment, error) {
	r.Member = cmp.Or(r.Member, r.Actor.member)
	if err := first(
		checkMember("member", r.Member), dk.checkAmount("amount", r.Amount),
		checkReference("reference", r.Reference), checkText("description", r.Description), checkDestination("to", r.To),
		checkQuote(r.Quote), checkReference("travel_rule", r.TravelRule),
	); err != nil {
		return Payment{}, err
	}
	if err := dk.authorize(ctx, r.Actor, ActWithdraw, r.Member); err != nil {
		return Payment{}, err
	}
	id := dk.config.NewID()
	rec := &record{
		ID: id.String(), Kind: Withdrawal, Member: r.Member, Amount: r.Amount, Instrument: r.To,
		Reference: r.Reference, Description: r.Description, TravelRule: r.TravelRule,
	}
	err := dk.routeWithdrawal(ctx, r, rec)
	if err == nil {
		err = dk.priced(ctx, r, rec)
	}
	if err != nil {
		return dk.again(ctx, r.Actor, r.Key, tagged{Withdrawal, r}, err)
	}
	reserve, err := dk.reserve(ctx, rec)
	if err != nil {
		return Payment{}, err
	}
	guards := append(dk.guards(Proposal{
		Kind: Withdrawal, Actor: r.Actor, Member: r.Member, Amount: r.Amount, Instrument: r.To, Reference: r.Reference,
	}, rec.ID), reserve)
	if planted("submit-before-record") {
		if all, ok := dk.offers.(*lanes); ok {
			_, _ = all.byName[rec.Provider].Submit(ctx, rec.operation())
		}
	}
	return dk.startWith(ctx, r.Actor, r.Key, r, rec, guards)
}

func (dk *Desk) routeWithdrawal(ctx context.Context, r WithdrawRequest, rec *record) error {
	asset := r.Amount.AssetID()
	if _, err := uuid.Parse(r.To); err == nil {
		instrument, err := dk.usable(ctx, r.To, r.Member)
		if err != nil {
			return err
		}
		way, ok := dk.offering(instrument.Provider, providers.Withdrawal, instrument.Method, asset)
		if !ok {
			return refuse(ErrInvalid, ErrUnsupported, "to", "%s does not pay out %s", instrument.Provider, asset)
		}
		rec.Provider, rec.Method, rec.Token = way.name, way.offer.Method, instrument.Linked.Token
		return within(way.offer, r.Amount)
	}
	// An address belongs to providers that give addresses in this asset themselves.
	homes := dk.offers.offerings("", providers.DepositAddress, "", asset)
	if len(homes) == 0 {
		return refuse(ErrInvalid, ErrUnsupported, "to", "%s is not paid out to addresses; name a linked instrument", asset)
	}
	var all []route
	var refusal error = refuse(ErrInvalid, ErrUnsupported, "to", "%s does not pay out %s", homes[0].name, asset)
	for _, way := range dk.routes("", providers.Withdrawal, homes[0].offer.Method, asset) {
		if !slices.ContainsFunc(homes, func(h route) bool { return h.name == way.name }) {
			continue
		}
		if err := first(dk.offers.checkAddress(way.name, asset, r.To), within(way.offer, r.Amount)); err != nil {
			refusal = err
			continue
		}
		all = append(all, way)
	}
	if len(all) == 0 {
		return refusal
	}
	rec.take(all)
	rec.Token = r.To
	return nil
}

// reserve holds the money and records the withdrawal in one step, unless the member owes something, be it in another asset. The
// hold has the payment's id and no deadline.
func (dk *Desk) reserve(ctx context.Context, rec *record) (ledger.Guard, error) {
	id, asset := mustID(rec.ID), rec.Amount.Asset()
	wallet := WalletAccount(rec.Member, asset.ID())
	debts, err := dk.debts(ctx, ReceivableAccount(rec.Member, asset.ID()), rec.Member)
	if err != nil {
		return ledger.Guard{}, err
	}
	return ledger.Guard{
		Reads: joined(rec.quoteReads(), ledger.Reads{
			Accounts: append(debts[:len(debts):len(debts)], wallet), Holds: []ledger.ID{id},
			Documents: []ledger.DocumentID{paymentDocument(rec.ID), caseDocument(rec.ID)},
		}),
		Check: func(v ledger.View) ([]ledger.Command, error) {
			quote, err := rec.useQuote(v)
			if err != nil {
				return nil, err
			}
			held, err := rec.held()
			if err != nil {
				return nil, err
			}
			if debt, owes := owing(v, debts); owes {
				r := ledger.Refuse(ErrOwes, "money is owed", "")
				r.Account, r.Wanted, r.Available = debt.ID, rec.Amount, debt.Posted
				return nil, r
			}
			c := newChart(v)
			c.open(openWallet(rec.Member, asset), openReceivable(rec.Member, asset))
			document, err := rec.put(0, rec.await(v, dk.patience))
			if err != nil {
				return nil, err
			}
			if planted("forget-hold") {
				return append(c.commands, document), nil
			}
			hold := ledger.PlaceHold{ID: id, Account: wallet, Amount: held, Note: rec.note()}
			if planted("hold-too-little") {
				hold.Amount, _ = held.Sub(currency.MustNew(1, asset))
			}
			return slices.Concat(c.commands, quote, []ledger.Command{hold, document}), nil
		},
	}, nil
}

func mustID(id string) uuid.UUID {
	u, err := uuid.Parse(id)
	if err != nil {
		return uuid.Nil // ids of records are made by this package; an unreadable one names nothing
	}
	return u
}
