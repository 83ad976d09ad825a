package providertest_test

import (
	"context"
	"errors"
	"math/big"
	"slices"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/providers"
)

// tend sends again what the network forgot, and replaces what waits for too long.
func (a *reference) tend(ctx context.Context) error {
	b, _, err := a.load(ctx)
	if err != nil {
		return err
	}
	for i, s := range b.Sends {
		if s.Mined != nil {
			continue
		}
		known, err := a.node.knows(s.Hashes[len(s.Hashes)-1])
		if err != nil {
			return err
		}
		if !known && a.flaw == sendsOldest {
			_ = a.node.send(s.Versions[0])
		} else if !known && a.flaw != sendsOnce {
			if err := a.broadcast(ctx, i); err != nil && !errors.Is(err, errNonceTooLow) {
				return err
			}
		}
		if err := a.bump(ctx, i); err != nil {
			return err
		}
	}
	return nil
}

// bump replaces a send that waits for too long and pays less than is asked, within its bound.
func (a *reference) bump(ctx context.Context, at int) error {
	bumped := false
	err := a.change(ctx, func(b *book) error {
		bumped = false
		s := &b.Sends[at]
		price, err := a.node.price()
		if err != nil {
			return err
		}
		last := s.Versions[len(s.Versions)-1].Price
		if s.Mined != nil || len(b.Seen)-1-s.SignedAt < stuck || price <= last || a.flaw == neverBumps {
			return nil
		}
		price = max(price, last+last/10+1)
		if s.MaxFee > 0 && gasOf(s.Asset)*price > s.MaxFee && a.flaw != bumpsBeyond {
			return nil
		}
		bumped = true
		return a.sign(ctx, b, s, price)
	})
	if err != nil || !bumped {
		return err
	}
	return a.broadcast(ctx, at)
}

// Sweep collects what came to addresses of ours. A token's address gets what its transaction costs first.
func (a *reference) Sweep(ctx context.Context) error {
	hot, err := a.from(ctx, "hot")
	if err != nil {
		return err
	}
	price, err := a.node.price()
	if err != nil {
		return err
	}
	var made []int
	err = a.change(ctx, func(b *book) error {
		made = nil
		for _, o := range b.Addresses {
			s, ok, err := a.sweepOf(b, o, hot, price)
			if err != nil {
				return err
			}
			if !ok {
				continue
			}
			if err := a.sign(ctx, b, &s, price); err != nil {
				return err
			}
			if a.flaw == sweepsFirst {
				if err := a.node.send(s.Versions[0]); err != nil {
					return err
				}
			}
			b.Sends = append(b.Sends, s)
			made = append(made, len(b.Sends)-1)
			b.News = append(b.News, s.name())
		}
		return nil
	})
	for _, at := range made {
		err = errors.Join(err, a.broadcast(ctx, at))
	}
	return err
}

// sweepOf is the next step to collect what an address holds.
func (a *reference) sweepOf(b *book, o owned, hot string, price int64) (s send, ok bool, err error) {
	if slices.ContainsFunc(b.Sends, func(s send) bool { return s.Mined == nil && (s.Key == o.Key || s.To == o.Address) }) {
		return s, false, nil
	}
	gas, err := a.node.balance(ether.ID(), o.Address, "")
	if err != nil {
		return s, false, err
	}
	tokens, err := a.node.balance(coin.ID(), o.Address, "")
	if err != nil {
		return s, false, err
	}
	cost := big.NewInt(gasOf(coin.ID()) * price)
	switch {
	case tokens.Sign() > 0 && gas.Cmp(cost) < 0:
		return send{Purpose: providers.PurposeGas, Asset: ether.ID(), Quantity: cost, To: o.Address, Key: "hot"}, true, nil
	case tokens.Sign() > 0:
		return send{Purpose: providers.PurposeSweep, Asset: coin.ID(), Quantity: tokens, To: hot, Key: o.Key}, true, nil
	}
	rest := new(big.Int).Sub(gas, big.NewInt(gasOf(ether.ID())*price))
	return send{Purpose: providers.PurposeSweep, Asset: ether.ID(), Quantity: rest, To: hot, Key: o.Key}, rest.Sign() > 0, nil
}

// Resume goes on after a person has looked: along the chain as it is now.
func (a *reference) Resume(ctx context.Context) error {
	return a.change(ctx, func(b *book) error {
		b.Halted, b.Resync = "", true
		return nil
	})
}

// Quote implements providers.Quoter: room for a replacement or two.
func (a *reference) Quote(_ context.Context, op providers.Operation) (providers.Quote, error) {
	price, err := a.node.price()
	if err != nil {
		return providers.Quote{}, err
	}
	fee := gasOf(op.AssetID()) * price * 3
	if a.flaw == quotesLittle {
		fee /= 6
	}
	return providers.Quote{Fee: currency.MustNew(fee, ether), Until: a.now().Add(quoteValid)}, nil
}
