package providertest

import (
	"math/big"
	"time"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/providers"
)

var feeCapCheck = ChainCheck{
	Name: "fee-cap",
	Rule: "A transaction that could cost more than Operation.MaxFee is not signed: Rejected with the code fee_cap. The member agreed to a price.",
	run: func(p *chainProbe) {
		op := p.withdrawal(p.NewAddress(), p.Usual(p.Asset))
		op.MaxFee = currency.MustNew(1, p.Asset)
		p.refused(op, providers.CodeFeeCap, "a cap of one unit")
		p.goesOn()
	},
}

var quoteExpiredCheck = ChainCheck{
	Name: "quote-expired",
	Rule: "After Operation.FeeUntil nothing is signed at the old price: Rejected with the code quote_expired.",
	run: func(p *chainProbe) {
		op := p.withdrawal(p.NewAddress(), p.Usual(p.Asset))
		op.FeeUntil = p.Now().Add(-time.Second)
		p.refused(op, providers.CodeQuoteExpired, "a quote that expired a second ago")
		p.goesOn()
	},
}

// goesOn checks that what was refused holds up nothing.
func (p *chainProbe) goesOn() {
	op := p.withdrawal(p.NewAddress(), p.Usual(p.Asset))
	p.send(op)
	p.arrives(op, "after what was refused")
}

var signedStaysCheck = ChainCheck{
	Name: "signed-stays-signed",
	Rule: "A key that was signed is never Rejected afterwards, though its quote has expired by now: the transaction may be on its way, and Rejected releases " +
		"the money.",
	run: func(p *chainProbe) {
		op := p.withdrawal(p.NewAddress(), p.Usual(p.Asset))
		op.FeeUntil = p.Now().Add(time.Second)
		tap := &Tap{before: func(s step) error { return whenBroadcast(s, nil) }}
		if _, err := p.Connect(tap).Submit(p.ctx, op); providers.CertaintyOf(err) == providers.Rejected {
			p.fatalf("a quote that is good for a second more is refused: %v", err)
		}
		if len(tap.signed()) == 0 {
			p.fatalf("nothing was signed")
		}
		p.mine(1)
		op.Attempt++
		if _, err := p.Connect(nil).Submit(p.ctx, op); err != nil && providers.CertaintyOf(err) == providers.Rejected {
			p.failf("a key that was signed is refused when it is sent again after its quote expired: %v", err)
		}
		p.insist(op)
		p.arrives(op, "signed before its quote expired")
	},
}

var quoteCheck = ChainCheck{
	Name: "quote-bounds-the-fee",
	Rule: "A quote is a promise: what was quoted is enough as a cap until it expires, and the fee is no more.",
	run: func(p *chainProbe) {
		quoter, ok := providers.As[providers.Quoter](p.adapter)
		if !ok {
			p.waive("the adapter is no Quoter")
		}
		for _, a := range []currency.Asset{p.Asset, p.some()} {
			op := p.withdrawal(p.NewAddress(), p.Usual(a))
			q, err := quoter.Quote(p.ctx, op)
			if err != nil {
				p.fatalf("Quote: %v", err)
			}
			if q.Fee.AssetID() != p.Asset.ID() || q.Fee.Sign() <= 0 || !q.Until.After(p.Now()) {
				p.fatalf("a withdrawal of %v is quoted at %v until %v; it is %v", op.Amount, q.Fee, q.Until, p.Now())
			}
			op.MaxFee, op.FeeUntil = q.Fee, q.Until
			p.send(op)
			p.arrives(op, "at the price that was quoted")
			if fee := p.moved(op.Key, p.Asset.ID(), providers.Fee); fee.CmpAbs(q.Fee.Big()) > 0 {
				p.failf("quoted at %v, it cost %v units", q.Fee, fee)
			}
		}
	},
}

// congested sends a withdrawal that no block takes until something that pays more takes its place.
func (p *chainProbe) congested(maxFee currency.Amount) (op providers.Operation, tap *Tap) {
	if p.Congest == nil {
		p.waive("nothing is ever replaced (no ChainWorld.Congest)")
	}
	tap = &Tap{}
	p.restart(tap)
	op = p.withdrawal(p.NewAddress(), p.Usual(p.Asset))
	op.MaxFee = maxFee
	p.send(op)
	p.must(p.Congest(), "Congest")
	p.mine(1)
	p.nothing(op.Instrument, p.Asset, "the harness' chain is congested")
	return op, tap
}

// replaced waits for a replacement.
func (p *chainProbe) replaced(op providers.Operation, tap *Tap) providers.SignRequest {
	var found providers.SignRequest
	p.until("what is stuck is replaced", func() bool {
		for _, r := range tap.signed() {
			if r.Intent.Operation == op.Key && r.Intent.Replaces != "" && tap.broadcasts() > 1 {
				found = r
				return true
			}
		}
		return false
	})
	return found
}

var stuckCheck = ChainCheck{
	Name: "stuck-is-replaced",
	Rule: "A withdrawal that pays too little for its time is replaced by one that pays more and takes the same nonce or outputs, so that only one of the two " +
		"can ever be mined. It is paid once.",
	run: func(p *chainProbe) {
		op, tap := p.congested(currency.Amount{})
		second := p.replaced(op, tap)
		first := tap.signed()[0]
		if second.Intent.Nonce != first.Intent.Nonce || !sameOutputs(second.Intent, first.Intent) {
			p.failf("%+v replaces %+v: another nonce, or other outputs", second.Intent, first.Intent)
		}
		if more, err := first.Intent.MaxFee.Less(second.Intent.MaxFee); err != nil || !more {
			p.failf("a replacement may cost %v, the first %v: it must pay more", second.Intent.MaxFee, first.Intent.MaxFee)
		}
		p.arrives(op, "stuck and replaced")
		p.goesOn()
	},
}

// sameOutputs compares what two transactions pay to others.
func sameOutputs(a, b providers.Intent) bool {
	pays := func(i providers.Intent) (text string) {
		for _, o := range i.Outputs {
			if !o.Change {
				text += o.To + " " + o.Amount.String() + "\n"
			}
		}
		return text
	}
	return pays(a) == pays(b)
}

// unbump has what was replaced mined, before the adapter sends anything again.
func (p *chainProbe) unbump() {
	p.must(p.Unbump(), "Unbump")
	p.mine(1)
}

var originalFirstCheck = ChainCheck{
	Name: "original-is-mined-first",
	Rule: "A block may hold the transaction that was replaced and not the one that took its place. The withdrawal is paid once, and its fee is what that one cost.",
	run: func(p *chainProbe) {
		op, tap := p.congested(currency.Amount{})
		p.replaced(op, tap)
		p.unbump()
		p.arrives(op, "the transaction that was replaced is mined")
		p.settle()
		p.paidOut(op, "the transaction that was replaced is mined, for good")
		p.goesOn()
	},
}

var capHoldsCheck = ChainCheck{
	Name: "replacement-keeps-the-cap",
	Rule: "Operation.MaxFee bounds replacements too: what is stuck below it waits.",
	run: func(p *chainProbe) {
		if p.Congest == nil {
			p.waive("nothing is ever replaced (no ChainWorld.Congest)")
		}
		trial := &Tap{}
		p.restart(trial)
		usual := p.withdrawal(p.NewAddress(), p.Usual(p.Asset))
		p.send(usual)
		p.arrives(usual, "a trial")
		most := trial.signed()[0].Intent.MaxFee
		room := new(big.Int).Add(most.Big(), new(big.Int).Quo(most.Big(), big.NewInt(50)))
		op, tap := p.congested(p.units(room, p.Asset))
		for range p.Confirmations + 10 {
			p.drain()
			if p.Bump != nil {
				p.must(p.Bump(p.adapter), "Bump")
			}
			p.mine(1)
		}
		for _, r := range tap.signed() {
			if more, err := op.MaxFee.Less(r.Intent.MaxFee); r.Intent.Operation == op.Key && (err != nil || more) {
				p.failf("with a cap of %v a transaction was signed that may cost %v", op.MaxFee, r.Intent.MaxFee)
			}
		}
		p.unbump()
		p.arrives(op, "waited within its cap")
	},
}

var forgottenCheck = ChainCheck{
	Name: "forgotten-is-sent-again",
	Rule: "Nodes forget what waits: they restart, their pools are full. What was signed is sent again as it is, until it is mined. It is paid once.",
	run: func(p *chainProbe) {
		if p.Forget == nil {
			p.waive("nodes forget nothing (no ChainWorld.Forget)")
		}
		tap := &Tap{}
		p.restart(tap)
		op := p.withdrawal(p.NewAddress(), p.Usual(p.Asset))
		p.send(op)
		p.must(p.Forget(), "Forget")
		p.mine(1)
		p.nothing(op.Instrument, p.Asset, "the nodes have forgotten it")
		p.arrives(op, "forgotten by the nodes")
		for _, r := range tap.signed()[1:] {
			if r.Intent.Operation == op.Key && r.Intent.Replaces == "" && r.Digest != tap.signed()[0].Digest {
				p.failf("what the nodes forgot is not sent again but signed anew: %+v", r.Intent)
			}
		}
	},
}
