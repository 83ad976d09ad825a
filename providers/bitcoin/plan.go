package bitcoin

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/koshpay/kosh/providers"
)

// Weights of a transaction of P2WPKH inputs (BIP-141), with the longest signature of low s.
const (
	weightBase   = 4*(4+4+1+1) + 2 // version, lock time, the numbers of inputs and outputs; marker and flag
	weightInput  = 4*(36+1+4) + 1 + 1 + 72 + 1 + 33
	weightOutput = 4 * (8 + 1) // and four for each byte of its script
	lenP2WPKH    = 22
	maxInputs    = 200 // bounds a transaction to 14,000 virtual bytes, far below what nodes relay
)

// replaceable is the sequence of an input that allows replacement (BIP-125).
const replaceable = wire.MaxTxInSequenceNum - 2

func vsize(inputs int, scripts ...[]byte) int64 {
	w := weightBase + inputs*weightInput
	for _, s := range scripts {
		w += weightOutput + 4*len(s)
	}
	return int64(w+3) / 4
}

// feeFor rounds up.
func feeFor(rate, vbytes int64) int64 { return (rate*vbytes + 999) / 1000 }

var (
	errFunds = errors.New("bitcoin: the confirmed coins that are free do not suffice")
	errCap   = errors.New("bitcoin: it would cost more than it may")
)

// selectCoins chooses coins for a payment of units to a script: the smallest that suffices alone, or as few as possible. free looks at a
// coin, and tells whether it can be had. One that costs more to spend than it is worth is left. Change below what nodes relay goes to the
// miners.
func selectCoins(coins []coin, free func(c coin) (input, bool, error), units, rate int64, script []byte) (v variant, ok bool, err error) {
	slices.SortFunc(coins, func(a, b coin) int {
		return cmp.Or(cmp.Compare(b.Units, a.Units), cmp.Compare(a.Output, b.Output))
	})
	least := feeFor(rate, weightInput/4)
	if n := slices.IndexFunc(coins, func(c coin) bool { return c.Units <= least }); n >= 0 {
		coins = coins[:n]
	}
	need := units + feeFor(rate, vsize(1, script))
	alone := slices.IndexFunc(coins, func(c coin) bool { return c.Units < need })
	if alone < 0 {
		alone = len(coins)
	}
	for _, c := range slices.Backward(coins[:alone]) {
		in, ok, err := free(c)
		if err != nil {
			return v, false, err
		}
		if ok {
			v.Inputs = []input{in}
			return v, v.settle(units, func(vbytes int64) int64 { return feeFor(rate, vbytes) }, script), nil
		}
	}
	for _, c := range coins[alone:] {
		in, ok, err := free(c)
		if err != nil {
			return v, false, err
		}
		if !ok {
			continue
		}
		v.Inputs = append(v.Inputs, in)
		if v.settle(units, func(vbytes int64) int64 { return feeFor(rate, vbytes) }, script) {
			return v, true, nil
		}
		if len(v.Inputs) == maxInputs {
			break
		}
	}
	return variant{}, false, nil
}

// settle says what goes to the miners and what comes back, if the inputs suffice. fee is what a size costs.
func (v *variant) settle(units int64, fee func(vbytes int64) int64, script []byte) bool {
	rest, back := -units, make([]byte, lenP2WPKH)
	for _, in := range v.Inputs {
		rest += in.Units
	}
	if with := fee(vsize(len(v.Inputs), script, back)); rest-with >= minUnits {
		v.Fee, v.Change = with, rest-with
		return true
	}
	v.Fee, v.Change = rest, 0
	return rest >= fee(vsize(len(v.Inputs), script))
}

// free tells, of the coins that are unspent, which are confirmed and not another operation's.
func (p *Provider) free(ctx context.Context, key string) (coins []coin, free func(c coin) (input, bool, error), err error) {
	var s scan
	if _, err := providers.LoadState(ctx, p.state, scanKey, &s); err != nil {
		return nil, nil, err
	}
	unspent, err := p.coins(ctx)
	if err != nil {
		return nil, nil, err
	}
	for outpoint, units := range unspent {
		coins = append(coins, coin{outpoint, units})
	}
	return coins, func(c coin) (input, bool, error) {
		var o output
		if _, err := providers.LoadState(ctx, p.state, outputKey(c.Output), &o); err != nil || !o.spendable(s.Height) {
			return input{}, false, err
		}
		taken, err := p.taken(ctx, c.Output, o, key)
		return input{c.Output, o.Units, o.Place}, !taken, err
	}, nil
}

// taken tells whether an output is reserved for another operation. A reservation that was left behind by an operation which then took other
// coins, or failed, is none.
func (p *Provider) taken(ctx context.Context, outpoint string, o output, key string) (bool, error) {
	if o.Reserved == "" || o.Reserved == key {
		return false, nil
	}
	var holder operation
	_, err := providers.LoadState(ctx, p.state, opKey(o.Reserved), &holder)
	return holder.spends(outpoint), err
}

// reserve takes the coins of a plan for an operation, after the plan was stored. It returns false when another one has one of them. It
// writes even where it finds its own reservation: another operation may be about to take what an earlier plan left behind.
func (p *Provider) reserve(ctx context.Context, key string, v variant) (bool, error) {
	for _, in := range v.Inputs {
		taken := false
		_, err := providers.ChangeState(ctx, p.state, outputKey(in.Output), func(o *output, _ bool) error {
			if taken = o.SpentBy != "" || o.now() == nil; taken {
				return providers.ErrStateSame
			}
			var err error
			if taken, err = p.taken(ctx, in.Output, *o, key); taken && err == nil {
				err = providers.ErrStateSame
			}
			o.Reserved, o.Claims = key, o.Claims+1
			return err
		})
		if err != nil || taken {
			return false, err
		}
	}
	return true, nil
}

// rate is what a virtual kilobyte costs now, within the configured bounds.
func (p *Provider) rate(ctx context.Context) (int64, error) {
	rate, err := p.node.feeRate(ctx, p.config.FeeTarget)
	if err != nil {
		return 0, err
	}
	return min(max(cmp.Or(rate, p.config.FallbackFeeRate), p.config.MinFeeRate), p.config.MaxFeeRate), nil
}

// plan chooses coins, at most for what the operation may cost.
func (p *Provider) plan(ctx context.Context, key string, o operation) (variant, error) {
	script, err := p.config.Network.destination(o.Instrument)
	if err != nil {
		return variant{}, err
	}
	rate, err := p.rate(ctx)
	if err != nil {
		return variant{}, err
	}
	coins, free, err := p.free(ctx, key)
	if err != nil {
		return variant{}, err
	}
	units, _ := o.Amount.Int64()
	v, ok, err := selectCoins(coins, free, units, rate, script)
	if err != nil {
		return variant{}, err
	}
	if !ok {
		return variant{}, errFunds
	}
	if v.Fee > o.MaxFee {
		return v, errCap
	}
	if v.Change > 0 {
		if v.Back, err = p.nextChange(ctx); err != nil {
			return variant{}, err
		}
	}
	v.At = p.now()
	tx, err := p.unsigned(v, units, script)
	if err != nil {
		return variant{}, err
	}
	v.TxID = tx.TxHash().String()
	return v, nil
}

// unsigned builds the transaction: the payment is its first output, change the second.
func (p *Provider) unsigned(v variant, units int64, script []byte) (*wire.MsgTx, error) {
	tx := wire.NewMsgTx(2)
	for _, in := range v.Inputs {
		from, err := parseOutpoint(in.Output)
		if err != nil {
			return nil, err
		}
		txIn := wire.NewTxIn(&from, nil, nil)
		txIn.Sequence = replaceable
		tx.AddTxIn(txIn)
	}
	tx.AddTxOut(wire.NewTxOut(units, script))
	if v.Change > 0 {
		l, err := p.keys.at(v.Back)
		if err != nil {
			return nil, err
		}
		tx.AddTxOut(wire.NewTxOut(v.Change, l.script))
	}
	return tx, nil
}

func parseOutpoint(text string) (wire.OutPoint, error) {
	const hashLen = 2 * chainhash.HashSize
	var n uint32
	if len(text) < hashLen+2 {
		return wire.OutPoint{}, fmt.Errorf("bitcoin: %q is no output", text)
	}
	hash, err := chainhash.NewHashFromStr(text[:hashLen])
	if err != nil {
		return wire.OutPoint{}, fmt.Errorf("bitcoin: %q is no output: %w", text, err)
	}
	if _, err := fmt.Sscanf(text[hashLen:], ":%d", &n); err != nil {
		return wire.OutPoint{}, fmt.Errorf("bitcoin: %q is no output: %w", text, err)
	}
	return *wire.NewOutPoint(hash, n), nil
}

// Quote implements providers.Quoter: what a withdrawal would cost now, with as much again for what may change until it is sent, within
// Config.MaxFee. Payments of which the adapter has not enough coins are quoted too, as if it had them in one.
func (p *Provider) Quote(ctx context.Context, op providers.Operation) (providers.Quote, error) {
	if err := errors.Join(ctx.Err(), p.Describe().Supports(op)); err != nil {
		return providers.Quote{}, err
	}
	if op.Kind != providers.Withdrawal {
		return providers.Quote{Fee: p.amount(0), Until: p.now().Add(p.config.QuoteFor)}, nil
	}
	o, err := p.asked(op)
	if err != nil {
		return providers.Quote{}, err
	}
	script, err := p.config.Network.destination(o.Instrument)
	if err != nil {
		return providers.Quote{}, &providers.Error{Certainty: providers.NotSent, Code: codeInvalidAddress, Err: err}
	}
	if err := p.sync(ctx); err != nil {
		return providers.Quote{}, err
	}
	rate, err := p.rate(ctx)
	if err != nil {
		return providers.Quote{}, err
	}
	coins, free, err := p.free(ctx, op.Key)
	if err != nil {
		return providers.Quote{}, err
	}
	units, _ := op.Amount.Int64()
	v, ok, err := selectCoins(coins, free, units, rate, script)
	if err != nil {
		return providers.Quote{}, err
	}
	if !ok {
		v.Fee = feeFor(rate, vsize(1, script, make([]byte, lenP2WPKH)))
	}
	bound, _ := p.config.MaxFee.Int64()
	return providers.Quote{Fee: p.amount(min(2*v.Fee, bound)), Until: p.now().Add(p.config.QuoteFor)}, nil
}
