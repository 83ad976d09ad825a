package providertest_test

import (
	"fmt"
	"math/big"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/providers"
)

// amount of a deposit; false: no amount holds it, or nobody defined the asset.
func (d deposit) amount(flaw flaw) (currency.Amount, bool) {
	asset, ok := currency.Lookup(d.Asset)
	if !ok {
		return currency.Amount{}, false
	}
	q := d.Quantity
	if flaw == narrow && q.BitLen() > 126 {
		return currency.Amount{}, false
	}
	if flaw == cutsLarge && q.BitLen() > 127 {
		q = new(big.Int).And(q, new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 127), big.NewInt(1)))
	}
	amount, err := currency.FromBig(q, asset)
	return amount, err == nil
}

func (d deposit) id(flaw flaw) string {
	if flaw == sameIDs {
		return fmt.Sprintf("%s/%s/%d", modelID, d.Tx, d.Index)
	}
	return fmt.Sprintf("%s/%s/%d/%s", modelID, d.Tx, d.Index, d.Mined.Block)
}

// report is what is known of a deposit by its reference, or of a send by its operation's key or its reference.
func (b *book) report(name string, flaw flaw) (providers.Report, error) {
	for _, d := range b.Deposits {
		if d.reference() == name {
			return b.ofDeposit(d, flaw), nil
		}
	}
	for _, s := range b.Sends {
		if s.Operation == name || s.reference() == name {
			return b.ofSend(s, flaw), nil
		}
	}
	return providers.Report{}, fmt.Errorf("%w: %s", providers.ErrNotFound, name)
}

func (b *book) confirmations(at *place) int {
	if at == nil {
		return 0
	}
	return len(b.Seen) - at.Height
}

func (b *book) ofDeposit(d deposit, flaw flaw) providers.Report {
	n := b.confirmations(d.Mined)
	r := providers.Report{
		Reference: d.reference(), Kind: providers.Deposit, State: providers.Pending, Effects: d.Effects, Member: d.Member, Address: d.To,
		Confirmations: uint(n), Required: wanted,
	}
	if d.Mined == nil && len(d.Effects) > 0 {
		r.Reason = providers.Reason{Code: providers.CodeOrphaned}
	}
	if !d.Counted {
		return r
	}
	r.State, r.Final = providers.Succeeded, n > window || flaw == finalAtOnce
	amount, ok := d.amount(flaw)
	switch {
	case !ok && flaw != dropsLarge:
		code := "too_large"
		if _, known := currency.Lookup(d.Asset); !known {
			code = "unknown_asset"
		}
		r.Quarantined = []providers.Quarantined{{ID: d.id(flaw), Asset: string(d.Asset), Quantity: d.Quantity.String(), Code: code}}
	case ok && amount.AssetID() == ether.ID() && amount.Big().Cmp(big.NewInt(dust)) <= 0 && flaw != dropsDust:
		r.Reason = providers.Reason{Code: providers.CodeDust}
	}
	return r
}

const dust = 10

func (b *book) ofSend(s send, flaw flaw) providers.Report {
	n := b.confirmations(s.Mined)
	r := providers.Report{
		Key: s.Operation, Reference: s.reference(), Kind: providers.Withdrawal, State: providers.Pending, Effects: s.Effects,
		Confirmations: uint(n), Required: wanted,
	}
	if s.Operation == "" {
		r.Kind = providers.Settlement
	}
	if s.Mined != nil && !s.OK && flaw == failsEarly {
		r.State, r.Reason.Code = providers.Failed, "reverted"
	}
	if s.Counted {
		r.State, r.Final = providers.Succeeded, n > window
		if !s.OK {
			r.State, r.Reason.Code = providers.Failed, "reverted"
			if flaw == revertsArePaid {
				r.State, r.Reason.Code = providers.Succeeded, ""
			}
		}
	}
	return r
}
