package sandbox

import (
	"errors"
	"fmt"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/providers"
)

// books are the far side's own: what it holds for us, and per party what came from it (negative: what went to it). They are
// kept apart from the operations' effects on purpose, so that Audit has two things to compare.
type books struct {
	held    map[currency.AssetID]currency.Amount
	parties map[claim]currency.Amount
	posted  map[string]providers.Effect
	log     []providers.Movement // everything posted, in order
	broken  error                // the first arithmetic that failed; see Audit
}

type claim struct {
	party string
	asset currency.AssetID
}

func (b *books) init() {
	b.held = make(map[currency.AssetID]currency.Amount)
	b.parties = make(map[claim]currency.Amount)
	b.posted = make(map[string]providers.Effect)
}

func (b *books) post(o *operation, e providers.Effect, party string) {
	if _, twice := b.posted[e.ID]; twice {
		b.breaks(fmt.Errorf("effect %s posted twice", e.ID))
	}
	b.posted[e.ID] = e
	b.log = append(b.log, providers.Movement{Effect: e, Key: o.request.Key, Reference: o.reference})
	asset := e.Amount.AssetID()
	b.held[asset] = b.add(orZero(b.held[asset], e.Amount), e.Amount)
	c := claim{party, asset}
	b.parties[c] = b.add(orZero(b.parties[c], e.Amount), e.Amount)
}

func orZero(a, like currency.Amount) currency.Amount {
	if a.IsValid() {
		return a
	}
	return currency.Zero(like.Asset())
}

// breaks remembers that the sandbox itself went wrong.
func (b *books) breaks(err error) {
	if b.broken == nil {
		b.broken = err
	}
}

func (b *books) add(x, y currency.Amount) currency.Amount {
	sum, err := x.Add(y)
	if err != nil {
		b.breaks(err)
		return x
	}
	return sum
}

func (b *books) neg(x currency.Amount) currency.Amount {
	n, err := x.Neg()
	if err != nil {
		b.breaks(err)
	}
	return n
}

func (b *books) sub(x, y currency.Amount) currency.Amount { return b.add(x, b.neg(y)) }

// sum adds effects of one asset.
func (b *books) sum(effects []providers.Effect) currency.Amount {
	var total currency.Amount
	for _, e := range effects {
		total = b.add(orZero(total, e.Amount), e.Amount)
	}
	return total
}

var errBooks = errors.New("sandbox: the far side's books do not agree")
