package payments

import (
	"cmp"
	"context"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/providers"
)

// DepositRequest asks to put money into a member's wallet.
type DepositRequest struct {
	Key    string          `json:"-"`
	Actor  Actor           `json:"-"`
	Member string          `json:"member"` // empty: the actor
	Amount currency.Amount `json:"amount"`
	// Instrument is the id of a linked instrument to take the money from. Empty asks for an address to send it to: the
	// payment is then of kind Address, its Action says where to, and every arrival becomes a Deposit of its own.
	Instrument  string `json:"instrument,omitempty"`
	Reference   string `json:"reference,omitempty"`
	Description string `json:"description,omitempty"`
}

// Deposit puts money into a wallet. The wallet is credited when the provider reports that the money moved, which may be
// before Deposit returns (cards) or days later (banks, chains): see Payment.State. A card that is declined is no error
// but a payment with the state Failed and a Reason.
func (s *Service) Deposit(ctx context.Context, r DepositRequest) (Payment, error) {
	p, err := s.desk.Deposit(ctx, r)
	return s.carryOut(ctx, p, err)
}

// Deposit records what [Service.Deposit] records. A worker sends it to the provider after the host has committed, or
// [Service.Advance] at once.
func (dk *Desk) Deposit(ctx context.Context, r DepositRequest) (Payment, error) {
	r.Member = cmp.Or(r.Member, r.Actor.member)
	if err := first(
		checkMember("member", r.Member), dk.checkAmount("amount", r.Amount),
		checkReference("reference", r.Reference), checkText("description", r.Description),
	); err != nil {
		return Payment{}, err
	}
	if err := dk.authorize(ctx, r.Actor, ActDeposit, r.Member); err != nil {
		return Payment{}, err
	}
	id := dk.config.NewID()
	rec := &record{
		ID: id.String(), Kind: Deposit, Member: r.Member, Amount: r.Amount,
		Reference: r.Reference, Description: r.Description,
	}
	if err := dk.routeDeposit(ctx, r, rec); err != nil {
		return dk.again(ctx, r.Actor, r.Key, tagged{Deposit, r}, err)
	}
	proposal := Proposal{
		Kind: rec.Kind, Actor: r.Actor, Member: r.Member, Amount: r.Amount, Instrument: r.Instrument, Reference: r.Reference,
	}
	return dk.start(ctx, r.Actor, r.Key, r, rec, dk.guards(proposal, rec.ID))
}

// routeDeposit chooses who takes the money.
func (dk *Desk) routeDeposit(ctx context.Context, r DepositRequest, rec *record) error {
	asset := r.Amount.AssetID()
	if r.Instrument == "" {
		all := dk.routes("", providers.DepositAddress, "", asset)
		if len(all) == 0 {
			return refuse(ErrInvalid, ErrUnsupported, "instrument", "no provider gives addresses for %s; name an instrument", asset)
		}
		rec.Kind, rec.Asset, rec.Amount = Address, asset, currency.Amount{}
		rec.take(all)
		return nil
	}
	instrument, err := dk.usable(ctx, r.Instrument, r.Member)
	if err != nil {
		return err
	}
	way, ok := dk.offering(instrument.Provider, providers.Deposit, instrument.Method, asset)
	if !ok {
		return refuse(ErrInvalid, ErrUnsupported, "amount", "%s takes no deposit of %s from a %s", instrument.Provider, asset, instrument.Method)
	}
	if err := within(way.offer, r.Amount); err != nil {
		return err
	}
	rec.Provider, rec.Method, rec.Provisional = way.name, way.offer.Method, way.offer.Provisional
	rec.Instrument, rec.Token = r.Instrument, instrument.Linked.Token
	return nil
}

// start records a payment that a provider will carry out.
func (dk *Desk) start(ctx context.Context, actor Actor, key string, inputs any, rec *record, guards []ledger.Guard) (Payment, error) {
	id := paymentDocument(rec.ID)
	guards = append(guards, ledger.Guard{
		Reads: ledger.Reads{Documents: []ledger.DocumentID{id, caseDocument(rec.ID)}},
		Check: func(v ledger.View) ([]ledger.Command, error) {
			document, err := rec.put(0, rec.await(v, dk.patience))
			return []ledger.Command{document}, err
		},
	})
	return dk.startWith(ctx, actor, key, inputs, rec, guards)
}

// startWith is start for payments whose guards record the document themselves.
func (dk *Desk) startWith(ctx context.Context, actor Actor, key string, inputs any, rec *record, guards []ledger.Guard) (Payment, error) {
	kind := rec.Kind
	if kind == Address {
		kind = Deposit // it is what was asked for
	}
	return dk.request(ctx, actor, key, tagged{kind, inputs}, mustID(rec.ID), ledger.Entry{Guards: guards})
}
