package payments

import (
	"context"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
)

// This file is about in-app coins (currency.Virtual). S is the supply, P the platform's position, U a wallet (debit → credit):
//
//	issue               S → P
//	sell, redeem        Exchange, at the rate of Config.Rates in that direction: U → P in what is given, P → U in what is got
//	tip, send           U → U, as of any asset
//	burn                P → S
//
// What members and platform hold is therefore always what was issued less what was burned, and the supply account shows it.

// IssueRequest asks to make new in-app coins.
type IssueRequest struct {
	Key    string          `json:"-"`
	Actor  Actor           `json:"-"`
	Amount currency.Amount `json:"amount"`
}

// Issue makes new coins of an in-app asset (currency.Virtual) and puts them into the platform's position, from where they
// can be sold by Exchange. SupplyAccount shows how many there are.
func (s *Service) Issue(ctx context.Context, r IssueRequest) (Payment, error) {
	return s.desk.Issue(ctx, r)
}

// Issue is [Service.Issue], done when the host commits.
func (dk *Desk) Issue(ctx context.Context, r IssueRequest) (Payment, error) {
	return dk.changeSupply(ctx, Issue, r.Actor, r.Key, r, r.Amount)
}

// BurnRequest asks to destroy in-app coins.
type BurnRequest struct {
	Key    string          `json:"-"`
	Actor  Actor           `json:"-"`
	Amount currency.Amount `json:"amount"`
}

// Burn destroys coins of an in-app asset that are in the platform's position: never issued to anybody, or redeemed. More than
// there are is ledger.ErrInsufficientFunds. What a member has can only be burned after the member has given it.
func (s *Service) Burn(ctx context.Context, r BurnRequest) (Payment, error) {
	return s.desk.Burn(ctx, r)
}

// Burn is [Service.Burn], done when the host commits.
func (dk *Desk) Burn(ctx context.Context, r BurnRequest) (Payment, error) {
	return dk.changeSupply(ctx, Burn, r.Actor, r.Key, r, r.Amount)
}

// changeSupply issues or burns.
func (dk *Desk) changeSupply(ctx context.Context, kind Kind, actor Actor, key string, inputs any, amount currency.Amount) (Payment, error) {
	if err := dk.checkAmount("amount", amount); err != nil {
		return Payment{}, err
	}
	asset := amount.Asset()
	if asset.Kind() != currency.Virtual {
		return Payment{}, invalid("amount", "%s is not an in-app asset", asset.ID())
	}
	if err := dk.authorize(ctx, actor, ActIssue, ""); err != nil {
		return Payment{}, err
	}
	id := dk.config.NewID()
	rec := &record{ID: id.String(), Kind: kind, Amount: amount, Transaction: id}
	document, err := rec.put(0, noDue)
	if err != nil {
		return Payment{}, err
	}
	from, to := SupplyAccount(asset.ID()), PositionAccount(asset.ID())
	if kind == Burn {
		from, to = to, from
	}
	return dk.request(ctx, actor, key, tagged{kind, inputs}, id, ledger.Entry{Commands: []ledger.Command{
		ledger.OpenAccount{Account: SupplyAccount(asset.ID()), Type: ledger.Asset, Floor: currency.Zero(asset)},
		openPosition(asset),
		ledger.Post{ID: id, Note: rec.note(), Postings: []ledger.Posting{debit(from, amount), credit(to, amount)}},
		document,
	}})
}
