package payments

import (
	"cmp"
	"context"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
)

// ExchangeRequest asks to turn an amount of one asset in a member's wallet into another asset, at the platform's rate.
type ExchangeRequest struct {
	Key    string           `json:"-"`
	Actor  Actor            `json:"-"`
	Member string           `json:"member"` // empty: the actor
	Amount currency.Amount  `json:"amount"` // what is given
	To     currency.AssetID `json:"to"`     // what is wanted
}

// Exchange gives one asset for another against the platform's own position, at the rate of Config.Rates, rounded down to
// the unit of the asset bought. It is done when it returns. An in-app coin must have been issued first.
func (s *Service) Exchange(ctx context.Context, r ExchangeRequest) (Payment, error) {
	return s.desk.Exchange(ctx, r)
}

// Exchange is [Service.Exchange], done when the host commits. Config.Rates is asked while the host's transaction is open: it
// should answer from memory.
func (dk *Desk) Exchange(ctx context.Context, r ExchangeRequest) (Payment, error) {
	r.Member = cmp.Or(r.Member, r.Actor.member)
	if err := first(checkMember("member", r.Member), dk.checkAmount("amount", r.Amount), dk.checkAsset("to", r.To)); err != nil {
		return Payment{}, err
	}
	if err := dk.authorize(ctx, r.Actor, ActExchange, r.Member); err != nil {
		return Payment{}, err
	}
	to, err := dk.config.Assets.Lookup(r.To)
	if err != nil {
		return Payment{}, err
	}
	bought, err := dk.price(ctx, r.Amount, to)
	if err != nil {
		return dk.again(ctx, r.Actor, r.Key, tagged{Exchange, r}, err)
	}
	id := dk.config.NewID()
	rec := &record{ID: id.String(), Kind: Exchange, Member: r.Member, Amount: r.Amount, Bought: bought, Transaction: id}
	from := r.Amount.Asset()
	move := ledger.Guard{
		Reads: ledger.Reads{
			Accounts: []ledger.AccountID{
				WalletAccount(r.Member, from.ID()), WalletAccount(r.Member, to.ID()), ReceivableAccount(r.Member, to.ID()),
				ReceivableAccount(r.Member, from.ID()), PositionAccount(from.ID()), PositionAccount(to.ID()),
			},
			Documents: []ledger.DocumentID{paymentDocument(rec.ID), caseDocument(rec.ID)}, Transactions: []ledger.ID{id},
			Holds: []ledger.ID{id},
		},
		Check: func(v ledger.View) ([]ledger.Command, error) { return rec.exchangeCommands(v) },
	}
	guards := append(dk.guards(Proposal{Kind: Exchange, Actor: r.Actor, Member: r.Member, Amount: r.Amount}, rec.ID), move)
	return dk.request(ctx, r.Actor, r.Key, tagged{Exchange, r}, id, ledger.Entry{Guards: guards})
}

func (dk *Desk) price(ctx context.Context, give currency.Amount, to *currency.Definition) (currency.Amount, error) {
	none := refuse(ErrInvalid, ErrNoRate, "to", "%s is not exchanged for %s", give.AssetID(), to.ID())
	if dk.config.Rates == nil || give.AssetID() == to.ID() {
		return currency.Amount{}, none
	}
	rate, ok, err := dk.config.Rates(ctx, give.Asset(), to)
	switch {
	case err != nil:
		r := refuse(ErrUnavailable, ErrNoRate, "to", "the rate source failed")
		r.Cause = err
		return currency.Amount{}, r
	case !ok:
		return currency.Amount{}, none
	}
	rounding := currency.Down
	if planted("round-exchange-up") {
		rounding = currency.Up
	}
	bought, err := rate.Convert(give, rounding)
	if err != nil {
		return currency.Amount{}, invalid("amount", "%v", err)
	}
	if bought.AssetID() != to.ID() {
		return currency.Amount{}, none
	}
	if bought.Sign() <= 0 {
		return currency.Amount{}, invalid("amount", "%s buys nothing", give)
	}
	return bought, nil
}

func (r *record) exchangeCommands(v ledger.View) ([]ledger.Command, error) {
	c := newChart(v)
	c.open(openWallet(r.Member, r.Amount.Asset()), openReceivable(r.Member, r.Amount.Asset()))
	if underReview(v, r.ID) {
		return r.waits(c)
	}
	got, err := r.exchangeCredits(v, c)
	if err != nil {
		return nil, err
	}
	from := r.Amount.AssetID()
	postings := append([]ledger.Posting{debit(WalletAccount(r.Member, from), r.Amount), credit(PositionAccount(from), r.Amount)}, got...)
	document, err := r.put(0, noDue)
	return append(c.commands, ledger.Post{ID: r.Transaction, Postings: postings, Note: r.note()}, document), err
}

// exchangeCredits are the postings in the asset bought.
func (r *record) exchangeCredits(v ledger.View, c *chart) ([]ledger.Posting, error) {
	to := r.Bought.Asset()
	c.open(openWallet(r.Member, to), openReceivable(r.Member, to), openPosition(r.Amount.Asset()), openPosition(to))
	credits, err := creditRepaying(v, r.Member, r.Bought)
	return append([]ledger.Posting{debit(PositionAccount(to.ID()), r.Bought)}, credits...), err
}

// openPosition opens the platform's position. That of an in-app coin has a floor of zero: only coins that were issued can
// be sold. In other assets the platform may be short.
func openPosition(a *currency.Definition) ledger.OpenAccount {
	o := ledger.OpenAccount{Account: PositionAccount(a.ID()), Type: ledger.Equity}
	if a.Kind() == currency.Virtual && !planted("sell-unissued") {
		o.Floor = currency.Zero(a)
	}
	return o
}

// FixedRates is a RateSource that knows the rates given, in the direction given.
func FixedRates(rates ...currency.Rate) RateSource {
	return func(_ context.Context, from, to currency.Asset) (currency.Rate, bool, error) {
		for _, r := range rates {
			if r.From().ID() == from.ID() && r.To().ID() == to.ID() {
				return r, true, nil
			}
		}
		return currency.Rate{}, false, nil
	}
}
