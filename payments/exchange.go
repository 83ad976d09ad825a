package payments

import (
	"cmp"
	"context"
	"slices"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
)

// ExchangeRequest asks to turn an amount of one asset in a member's wallet into another asset, at the platform's rate.
type ExchangeRequest struct {
	Key    string           `json:"-"`
	Actor  Actor            `json:"-"`
	Member string           `json:"member"` // empty: the actor
	Amount currency.Amount  `json:"amount"` // what is given, the platform's fee included
	To     currency.AssetID `json:"to"`     // what is wanted
	// Quote is the id of an ExchangeQuote, which it uses up; empty: at the price of the moment. With it, Amount and To may be left
	// out; if they are there they must be the quote's.
	Quote string `json:"quote,omitempty"`
}

// Exchange gives one asset for another against the platform's own position, at the price of Config.Rates or of a quote, rounded in
// the platform's favour: what is bought down to its unit, what is given and the fee up. It is done when it returns. An in-app coin
// must have been issued first.
//
// A quote is good once, for whoever asked for it: used before it is ErrQuoteUsed, later than its Until ErrQuoteExpired, both
// declines; another's, or one that was never given, is ErrNoQuote of class NotFound; one of another amount or asset is ErrNoQuote of
// class Invalid. Whatever else the exchange is refused for leaves the quote as it was. One that a rule puts before a person has
// used it, and is carried out at its price when it is approved, however long that takes.
func (s *Service) Exchange(ctx context.Context, r ExchangeRequest) (Payment, error) {
	return s.desk.Exchange(ctx, r)
}

// Exchange is [Service.Exchange], done when the host commits. Without a quote Config.Rates is asked while the host's transaction is
// open: it should answer from memory.
func (dk *Desk) Exchange(ctx context.Context, r ExchangeRequest) (Payment, error) {
	r.Member = cmp.Or(r.Member, r.Actor.member)
	if err := first(checkMember("member", r.Member), checkQuote(r.Quote)); err != nil {
		return Payment{}, err
	}
	if r.Quote == "" {
		if err := first(dk.checkAmount("amount", r.Amount), dk.checkAsset("to", r.To)); err != nil {
			return Payment{}, err
		}
	}
	if err := dk.authorize(ctx, r.Actor, ActExchange, r.Member); err != nil {
		return Payment{}, err
	}
	id := dk.config.NewID()
	rec := &record{ID: id.String(), Kind: Exchange, Member: r.Member, Transaction: id}
	if err := dk.priceExchange(ctx, r, rec); err != nil {
		return dk.again(ctx, r.Actor, r.Key, tagged{Exchange, r}, err)
	}
	from, to := rec.Amount.AssetID(), rec.Bought.AssetID()
	move := ledger.Guard{
		Reads: joined(rec.quoteReads(), ledger.Reads{
			Accounts: []ledger.AccountID{
				WalletAccount(r.Member, from), WalletAccount(r.Member, to), ReceivableAccount(r.Member, to),
				ReceivableAccount(r.Member, from), PositionAccount(from), PositionAccount(to), RevenueAccount(from),
			},
			Documents: []ledger.DocumentID{paymentDocument(rec.ID), caseDocument(rec.ID)}, Transactions: []ledger.ID{id},
			Holds: []ledger.ID{id},
		}),
		Check: func(v ledger.View) ([]ledger.Command, error) { return rec.exchangeCommands(v) },
	}
	guards := append(dk.guards(Proposal{Kind: Exchange, Actor: r.Actor, Member: r.Member, Amount: rec.Amount}, rec.ID), move)
	return dk.request(ctx, r.Actor, r.Key, tagged{Exchange, r}, id, ledger.Entry{Guards: guards})
}

func (r *record) exchangeCommands(v ledger.View) ([]ledger.Command, error) {
	quote, err := r.useQuote(v)
	if err != nil {
		return nil, err
	}
	c := newChart(v)
	c.commands = quote
	c.open(openWallet(r.Member, r.Amount.Asset()), openReceivable(r.Member, r.Amount.Asset()))
	if underReview(v, r.ID) {
		return r.waits(c)
	}
	given, err := r.exchangeGiven(c)
	if err != nil {
		return nil, err
	}
	got, err := r.exchangeCredits(v, c)
	if err != nil {
		return nil, err
	}
	postings := slices.Concat([]ledger.Posting{debit(WalletAccount(r.Member, r.Amount.AssetID()), r.Amount)}, given, got)
	document, err := r.put(0, noDue)
	return append(c.commands, ledger.Post{ID: r.Transaction, Postings: postings, Note: r.note()}, document), err
}

// exchangeGiven are who gets what the member gives: the platform, as its position and as its fee.
func (r *record) exchangeGiven(c *chart) ([]ledger.Posting, error) {
	from := r.Amount.Asset()
	c.open(openPosition(from))
	if r.Fee.Sign() <= 0 {
		return []ledger.Posting{credit(PositionAccount(from.ID()), r.Amount)}, nil
	}
	c.open(openRevenue(from))
	net, err := r.Amount.Sub(r.Fee)
	return []ledger.Posting{credit(PositionAccount(from.ID()), net), credit(RevenueAccount(from.ID()), r.Fee)}, err
}

// exchangeCredits are the postings in the asset bought.
func (r *record) exchangeCredits(v ledger.View, c *chart) ([]ledger.Posting, error) {
	to := r.Bought.Asset()
	c.open(openWallet(r.Member, to), openReceivable(r.Member, to), openPosition(to))
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
