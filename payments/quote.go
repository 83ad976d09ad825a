package payments

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/providers"
)

// QuoteRequest asks what a withdrawal would cost.
type QuoteRequest struct {
	Actor  Actor
	Member string // empty: the actor
	Amount currency.Amount
	To     string // as in WithdrawRequest
}

// Quote is the price of one withdrawal. Whoever asked for it gives its ID to Withdraw, once, before Until. The price of an
// exchange is an [ExchangeQuote].
type Quote struct {
	ID       string
	Member   string
	Amount   currency.Amount
	To       string
	Provider string
	// Fee is the most that the network may charge, perhaps in another asset. The provider refuses a withdrawal that could cost
	// more, or that it comes to sign after Until: it fails with the reason "fee_cap" or "quote_expired", and the money is given back.
	Fee currency.Amount
	// Held is what the withdrawal holds of the wallet: Amount, and Fee too if the member bears it.
	Held  currency.Amount
	Until time.Time // zero: it does not expire
}

const kindQuote = "quote"

// States of a quote's document.
const (
	quoteOpen = "open"
	quoteUsed = "used"
)

// quote is the body of a quote's document: the evidence of a price that somebody was told.
type quote struct {
	Kind     Kind            `json:"kind"`  // of the one payment that may use it: Withdrawal or Exchange
	Actor    string          `json:"actor"` // who asked, and alone may use it
	Member   string          `json:"member"`
	Amount   currency.Amount `json:"amount"`
	To       string          `json:"to"` // a destination; the id of the asset bought
	Provider string          `json:"provider,omitempty"`
	Fee      currency.Amount `json:"fee"` // the network's at most; of an exchange the platform's, part of Amount
	Until    time.Time       `json:"until,omitzero"`
	Payment  string          `json:"payment,omitempty"` // that used it

	// Of an exchange: what it gives, the rate of Amount less Fee, what that was made from, and how the side that was not fixed was
	// rounded.
	Bought   currency.Amount `json:"bought,omitzero"`
	Rate     currency.Rate   `json:"rate,omitzero"`
	Market   currency.Rate   `json:"market,omitzero"`
	Rounding string          `json:"rounding,omitempty"`
}

func quoteDocument(id string) ledger.DocumentID { return ledger.DocumentID{Kind: kindQuote, ID: id} }

func readQuote(d ledger.Document) (q quote, err error) {
	if err := json.Unmarshal(d.Body, &q); err != nil {
		return q, refuse(ledger.Corrupt, ErrForeignBody, "body", "%s: %v", d.DocumentID, err)
	}
	return q, nil
}

func (q quote) put(id string, version uint64, state string) (ledger.PutDocument, error) {
	body, err := json.Marshal(q)
	return ledger.PutDocument{
		DocumentID: quoteDocument(id), Version: version, Owner: q.Member, State: state, Schema: 1, Body: body,
	}, err
}

// Quote asks the provider what a withdrawal would cost, and records the price: it is good for one withdrawal of this amount,
// to this destination. Of a provider that names no price beforehand the fee is zero, and the quote binds nobody. One that cannot
// be reached is ErrNoQuote, of class Unavailable.
func (s *Service) Quote(ctx context.Context, r QuoteRequest) (Quote, error) {
	r.Member = cmp.Or(r.Member, r.Actor.member)
	if err := first(checkMember("member", r.Member), s.desk.checkAmount("amount", r.Amount), checkDestination("to", r.To)); err != nil {
		return Quote{}, err
	}
	if err := s.desk.authorize(ctx, r.Actor, ActWithdraw, r.Member); err != nil {
		return Quote{}, err
	}
	rec := &record{ID: s.config.NewID().String(), Kind: Withdrawal, Member: r.Member, Amount: r.Amount}
	if err := s.desk.routeWithdrawal(ctx, WithdrawRequest{Member: r.Member, Amount: r.Amount, To: r.To}, rec); err != nil {
		return Quote{}, err
	}
	price, err := s.ask(ctx, rec)
	if err != nil {
		return Quote{}, err
	}
	q, err := s.desk.give(ctx, rec.ID, quote{
		Kind: Withdrawal, Actor: r.Actor.String(), Member: r.Member, Amount: r.Amount, To: r.To, Provider: rec.Provider, Fee: price.Fee, Until: price.Until,
	}, 0)
	if err != nil {
		return Quote{}, err
	}
	rec.price(q, s.config)
	held, err := rec.held()
	return Quote{
		ID: rec.ID, Member: q.Member, Amount: q.Amount, To: q.To, Provider: q.Provider, Fee: q.Fee, Held: held, Until: q.Until,
	}, err
}

// give records a quote. One that is good for some time expires that long after it was recorded, by the ledger's time.
func (dk *Desk) give(ctx context.Context, id string, q quote, goodFor time.Duration) (quote, error) {
	offer := ledger.Guard{
		Reads: ledger.Reads{Documents: []ledger.DocumentID{quoteDocument(id)}},
		Check: func(v ledger.View) ([]ledger.Command, error) {
			given := q
			if goodFor > 0 {
				given.Until = v.Now().Add(goodFor)
			}
			put, err := given.put(id, 0, quoteOpen)
			return []ledger.Command{put}, err
		},
	}
	if _, err := dk.book.Record(ctx, ledger.Entry{Key: "quote/" + id, Inputs: q, Guards: []ledger.Guard{offer}}); err != nil {
		return quote{}, err
	}
	d, err := dk.book.Document(ctx, quoteDocument(id))
	if err != nil {
		return quote{}, err
	}
	return readQuote(d)
}

// given returns a quote for a payment of this kind that the actor was given for the member, used or not. Of any other nothing is
// told but that it is not theirs.
func (dk *Desk) given(ctx context.Context, id string, kind Kind, actor Actor, member string) (quote, error) {
	unknown := refuse(ErrNotFound, ErrNoQuote, "quote", "%s was given no such quote for %s", actor, member)
	d, err := dk.book.Document(ctx, quoteDocument(id))
	if errors.Is(err, ledger.NotFound) {
		return quote{}, unknown
	}
	if err != nil {
		return quote{}, err
	}
	q, err := readQuote(d)
	if err == nil && (q.Kind != kind || (q.Actor != actor.String() || q.Member != member) && !planted("anyones-quote")) {
		return quote{}, unknown
	}
	return q, err
}

// ask gets the provider's price.
func (s *Service) ask(ctx context.Context, rec *record) (providers.Quote, error) {
	free := providers.Quote{Fee: currency.Zero(rec.Amount.Asset())}
	p, err := s.lanes.provider(rec.Provider)
	if err != nil {
		return free, err
	}
	quoter, ok := providers.As[providers.Quoter](p)
	if !ok {
		return free, nil
	}
	asking, cancel := context.WithTimeout(ctx, s.config.SubmitTimeout)
	defer cancel()
	price, cause := quoter.Quote(asking, rec.operation())
	if cause == nil && (!price.Fee.IsValid() || price.Fee.Sign() < 0) {
		cause = errors.New("payments: the provider's quote is no amount")
	}
	if cause != nil {
		r := refuse(ErrUnavailable, ErrNoQuote, "quote", "%s gives no quote", rec.Provider)
		r.Cause = cause
		return free, r
	}
	return price, nil
}

// checkQuote refuses what cannot be the id of a quote.
func checkQuote(id string) error {
	if id == "" || parseKey(id) {
		return nil
	}
	return refuse(ErrNotFound, ErrNoQuote, "quote", "that is not the id of a quote")
}

// price makes a quote the withdrawal's.
func (r *record) price(q quote, c Config) {
	r.MaxFee, r.FeeUntil = q.Fee, q.Until
	r.MemberBears = c.WithdrawalFees == MemberBears && q.Fee.Sign() > 0 && q.Fee.Asset() == r.Amount.Asset()
}

// priced takes over the quote that a withdrawal names. Whether it is still good is for the step that records the withdrawal.
func (dk *Desk) priced(ctx context.Context, r WithdrawRequest, rec *record) error {
	if r.Quote == "" {
		if dk.config.WithdrawalFees == MemberBears && dk.offers.quotes(rec.Provider) {
			return refuse(ErrInvalid, ErrNoQuote, "quote", "is empty, but the member bears the fee and must have seen it")
		}
		return nil
	}
	q, err := dk.given(ctx, r.Quote, Withdrawal, r.Actor, r.Member)
	if err != nil {
		return err
	}
	if q.Amount != r.Amount || q.To != r.To {
		return refuse(ErrInvalid, ErrNoQuote, "quote", "is for %s to another destination, or of another amount", q.Amount)
	}
	if !rec.only(q.Provider) {
		return refuse(ErrUnavailable, ErrNoProvider, "quote", "%s, whose quote it is, is not to be had", q.Provider)
	}
	rec.Quote = r.Quote
	rec.price(q, dk.config)
	return nil
}

// quoteReads names what useQuote looks at.
func (r *record) quoteReads() ledger.Reads {
	if r.Quote == "" {
		return ledger.Reads{}
	}
	return ledger.Reads{Documents: []ledger.DocumentID{quoteDocument(r.Quote)}}
}

// useQuote uses the payment's quote up, in the step that records the payment.
func (r *record) useQuote(v ledger.View) ([]ledger.Command, error) {
	if r.Quote == "" {
		return nil, nil
	}
	d, found := v.Document(quoteDocument(r.Quote))
	if !found {
		return nil, refuse(ErrNotFound, ErrNoQuote, "quote", "there is no quote %s", r.Quote)
	}
	q, err := readQuote(d)
	if err != nil {
		return nil, err
	}
	if d.State != quoteOpen && !planted("quote-reused") {
		return nil, ledger.Refuse(ErrQuoteUsed, "the price was for one payment", "quote "+r.Quote+" was used by "+q.Payment)
	}
	if !q.Until.IsZero() && v.Now().After(q.Until) && !planted("quote-outlived") {
		return nil, ledger.Refuse(ErrQuoteExpired, "the price has expired", "quote "+r.Quote)
	}
	q.Payment = r.ID
	put, err := q.put(r.Quote, d.Version, quoteUsed)
	return []ledger.Command{put}, err
}
