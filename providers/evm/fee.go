package evm

import (
	"context"
	"errors"
	"fmt"
	"math/big"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/providers"
	"github.com/koshpay/kosh/providers/evm/internal/eth"
)

const (
	gasOfTransfer = 21_000
	// gasMargin is what is added to a node's estimate, in percent: estimates differ between nodes, and what is not used is not paid.
	gasMargin = 25
	// bump is by how much a replacement pays more, in percent. Nodes want 10; some round the other way.
	bump = 13
	// defaultTip is for nodes that do not suggest one, in wei.
	defaultTip = 1_000_000_000
)

// price is what a transaction may cost a unit of gas (EIP-1559), in wei.
type price struct{ base, tip, max *big.Int }

// prices asks what is paid now. The most that is paid leaves room for the base fee to double, which takes six full blocks.
func (e *endpoint) prices(ctx context.Context) (price, error) {
	h, err := e.latest(ctx)
	if err != nil {
		return price{}, err
	}
	if h.BaseFee == nil {
		return price{}, errors.New("evm: the chain has no base fee: it does not know transactions of EIP-1559")
	}
	tip := new(eth.Quantity)
	if err := e.call(ctx, tip, "eth_maxPriorityFeePerGas"); err != nil {
		if _, answered := errors.AsType[*rpcError](err); !answered {
			return price{}, err
		}
		tip.SetInt64(defaultTip)
	}
	base := &h.BaseFee.Int
	most := new(big.Int).Lsh(base, 1)
	return price{base: base, tip: &tip.Int, max: most.Add(most, &tip.Int)}, nil
}

// within lowers the price so that gas units of it cost no more than the cap. It fails with fee_cap when that would not do for
// the next block, even if the base fee rises as it can from one to the next.
func (p price) within(gas uint64, most currency.Amount) (price, error) {
	unit := new(big.Int).Div(most.Big(), new(big.Int).SetUint64(gas))
	if unit.Cmp(p.max) >= 0 {
		return p, nil
	}
	least := new(big.Int).Add(p.base, new(big.Int).Rsh(p.base, 3))
	if least.Add(least, p.tip); unit.Cmp(least) < 0 {
		return p, &providers.Error{
			Certainty: providers.Rejected, Code: providers.CodeFeeCap, Public: "The network charges more than was agreed to.",
			Err: fmt.Errorf("evm: the network wants %s wei a unit of gas, %s are allowed", least, unit),
		}
	}
	p.max = unit
	return p, nil
}

// raised is a price that replaces a version: enough more that nodes take it, and never less than is paid now.
func (p price) raised(v version) price {
	more := func(n *big.Int) *big.Int {
		n = new(big.Int).Mul(n, big.NewInt(100+bump))
		return n.Add(n.Div(n, big.NewInt(100)), big.NewInt(1))
	}
	tip, most := more(v.Tip), more(v.MaxFee)
	if tip.Cmp(p.tip) < 0 {
		tip = p.tip
	}
	if most.Cmp(p.max) < 0 {
		most = p.max
	}
	return price{base: p.base, tip: tip, max: most}
}

func (p price) cost(gas uint64) *big.Int { return new(big.Int).Mul(p.max, new(big.Int).SetUint64(gas)) }

// lesser is the smaller of the adapter's own bound and an operation's, if it has one.
func (p *Provider) lesser(of feeCap) currency.Amount {
	if less, err := of.Amount.Less(p.config.MaxFee); err == nil && less {
		return of.Amount
	}
	return p.config.MaxFee
}

// payment is what is asked of the chain: so much of an asset from here to there.
type payment struct {
	asset *asset
	from  eth.Address
	to    eth.Address
	units *big.Int
}

// call is the transaction of a payment, without nonce and price.
func (p *Provider) call(m payment) eth.Tx {
	if m.asset.token == nil {
		return eth.Tx{ChainID: p.config.ChainID, To: m.to, Value: m.units}
	}
	return eth.Tx{ChainID: p.config.ChainID, To: *m.asset.token, Value: new(big.Int), Data: eth.Transfer(m.to, m.units)}
}

// gas asks how much gas a payment needs. What would be reverted is not made: it would cost gas and pay nobody.
func (e *endpoint) gas(ctx context.Context, from eth.Address, tx eth.Tx) (uint64, error) {
	var n eth.Uint64
	err := e.call(ctx, &n, "eth_estimateGas", map[string]any{
		"from": from, "to": tx.To, "value": eth.NewQuantity(tx.Value), "data": eth.Data(tx.Data),
	})
	switch {
	case says(err, "insufficient funds", "insufficient balance"):
		return 0, errFunds
	case says(err, "revert"):
		return 0, &providers.Error{
			Certainty: providers.NotSent, Code: "would_revert", Public: "The network would turn the payment down.", Err: err,
		}
	case err != nil:
		return 0, err
	case n == gasOfTransfer && len(tx.Data) == 0:
		return gasOfTransfer, nil
	}
	return uint64(n) + uint64(n)*gasMargin/100, nil
}

// Quote implements providers.Quoter: the most that a withdrawal would cost now, in the chain's own asset. Pass it on as
// Operation.MaxFee and FeeUntil.
func (p *Provider) Quote(ctx context.Context, op providers.Operation) (providers.Quote, error) {
	if err := p.Describe().Supports(op); err != nil {
		return providers.Quote{}, notSent(err)
	}
	if op.Kind == providers.DepositAddress {
		return providers.Quote{Fee: currency.Zero(p.native.def), Until: p.config.Now().Add(p.config.QuoteFor)}, nil
	}
	m, err := p.payment(op)
	if err != nil {
		return providers.Quote{}, notSent(err)
	}
	e, err := p.pick(ctx)
	if err != nil {
		return providers.Quote{}, err
	}
	gas, err := e.gas(ctx, m.from, p.call(m))
	if err != nil {
		return providers.Quote{}, err
	}
	now, err := e.prices(ctx)
	if err != nil {
		return providers.Quote{}, err
	}
	fee, err := currency.FromBig(now.cost(gas), p.native.def)
	return providers.Quote{Fee: fee, Until: p.config.Now().Add(p.config.QuoteFor)}, err
}
