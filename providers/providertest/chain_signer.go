package providertest

import (
	"bytes"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"sync"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/providers"
)

var intentCheck = ChainCheck{
	Name: "signer-sees-what-it-signs",
	Rule: "A signer is shown what the digest stands for: the chain, the purpose, the operation, who gets how much, and what it can cost at most. With it a " +
		"signer can have rules of its own.",
	run: func(p *chainProbe) {
		tap := &Tap{}
		p.restart(tap)
		for _, a := range []currency.Asset{p.Asset, p.some()} {
			op := p.withdrawal(p.NewAddress(), p.Usual(a))
			before := len(tap.signed())
			p.send(op)
			requests := tap.signed()[before:]
			if len(requests) == 0 {
				p.fatalf("a withdrawal was sent and the tap saw nothing signed: let the harness give the adapter tap.Signer")
			}
			for _, r := range requests {
				p.shown(op, r)
			}
			p.arrives(op, "signed")
			if fee := p.moved(op.Key, p.Asset.ID(), providers.Fee); fee.CmpAbs(requests[0].Intent.MaxFee.Big()) > 0 {
				p.failf("the signer was shown a fee of at most %v, and it cost %v units", requests[0].Intent.MaxFee, fee)
			}
		}
	},
}

// shown checks the intent of a withdrawal.
func (p *chainProbe) shown(op providers.Operation, r providers.SignRequest) {
	i := r.Intent
	chain, _, _ := strings.Cut(string(p.Asset.ID()), "/")
	if i.Chain != chain || i.Purpose != providers.PurposeWithdrawal || i.Operation != op.Key || r.Key == "" || r.Digest == [32]byte{} {
		p.failf("the signer is shown key %q, chain %q, purpose %q, operation %q; want a key, %q, %q, %q", r.Key, i.Chain, i.Purpose, i.Operation, chain, providers.PurposeWithdrawal, op.Key)
	}
	var paid []providers.Output
	for _, o := range i.Outputs {
		if !o.Change {
			paid = append(paid, o)
		}
	}
	if len(paid) != 1 || !strings.EqualFold(paid[0].To, op.Instrument) || paid[0].Amount != op.Amount {
		p.failf("the signer is shown the outputs %+v of a withdrawal of %v to %s", i.Outputs, op.Amount, op.Instrument)
	}
	if i.MaxFee.AssetID() != p.Asset.ID() || i.MaxFee.Sign() <= 0 {
		p.failf("the signer is shown a fee of at most %v", i.MaxFee)
	}
}

// answering is a Tap whose signer answers otherwise.
func answering(sign func(signature []byte) ([]byte, error)) *Tap {
	return &Tap{sign: func(_ providers.SignRequest, signature []byte) ([]byte, error) { return sign(signature) }}
}

var signerRefusesCheck = ChainCheck{
	Name: "signer-refuses",
	Rule: "What the signer will not sign is Rejected: it never leaves, and holds up nothing that comes after it.",
	run: func(p *chainProbe) {
		op := p.withdrawal(p.NewAddress(), p.Usual(p.Asset))
		tap := answering(func([]byte) ([]byte, error) {
			return nil, fmt.Errorf("%w: not on a Sunday", providers.ErrSignerRefused)
		})
		_, err := p.Connect(tap).Submit(p.ctx, op)
		if c := providers.CertaintyOf(err); err == nil || c != providers.Rejected {
			p.failf("the signer refuses, and Submit returns %v, want Rejected", err)
		}
		p.neverSent(tap, op, "the signer refused")
	},
}

// neverSent checks that nothing of a withdrawal left, and that the next one arrives.
func (p *chainProbe) neverSent(tap *Tap, op providers.Operation, why string) {
	if n := tap.broadcasts(); n > 0 {
		p.failf("%s, and %d transactions were sent", why, n)
	}
	p.restart(nil)
	p.goesOn()
	p.nothing(op.Instrument, p.Asset, why)
}

var someRefusedCheck = ChainCheck{
	Name: "signer-refuses-some-of-eight",
	Rule: "Of eight withdrawals at once the signer refuses two and does not answer for a third. These are never paid, and whatever they had taken is free " +
		"again or filled: the other five arrive.",
	run: func(p *chainProbe) {
		const n = 8
		var ops []providers.Operation
		for range n {
			ops = append(ops, p.withdrawal(p.NewAddress(), p.Usual(p.Asset)))
		}
		answers := map[string]error{
			ops[1].Key: fmt.Errorf("%w: not to them", providers.ErrSignerRefused), ops[4].Key: fmt.Errorf("%w: not so much", providers.ErrSignerRefused),
			ops[2].Key: errors.New("deadline exceeded"),
		}
		tap := &Tap{sign: func(r providers.SignRequest, signature []byte) ([]byte, error) {
			return signature, answers[r.Intent.Operation]
		}}
		p.restart(tap)
		errs := make([]error, n)
		var group sync.WaitGroup
		for i, op := range ops {
			group.Go(func() { _, errs[i] = p.adapter.Submit(p.ctx, op) })
		}
		group.Wait()
		for i, op := range ops {
			answer, never := answers[op.Key]
			want := providers.NotSent
			if errors.Is(answer, providers.ErrSignerRefused) {
				want = providers.Rejected
			}
			switch {
			case never && (errs[i] == nil || providers.CertaintyOf(errs[i]) != want):
				p.failf("the signer answers %q, and Submit returns %v, want %s", answer, errs[i], want)
			case !never:
				p.insist(op)
			}
		}
		for _, op := range ops {
			if _, never := answers[op.Key]; !never {
				p.arrives(op, "beside others that the signer did not sign")
			}
		}
		p.settle()
		for _, op := range ops {
			if _, never := answers[op.Key]; never {
				p.nothing(op.Instrument, p.Asset, "the signer did not sign it")
			}
		}
	},
}

var signerDownCheck = ChainCheck{
	Name: "signer-down",
	Rule: "A signer that does not answer has decided nothing: NotSent. The same key may be sent again, and is paid once; one that is given up holds up " +
		"nothing and is never paid.",
	run: func(p *chainProbe) {
		down := func() *Tap {
			return answering(func([]byte) ([]byte, error) { return nil, errors.New("deadline exceeded") })
		}
		for _, again := range []bool{false, true} {
			op := p.withdrawal(p.NewAddress(), p.Usual(p.Asset))
			tap := down()
			_, err := p.Connect(tap).Submit(p.ctx, op)
			if c := providers.CertaintyOf(err); err == nil || c != providers.NotSent {
				p.failf("the signer does not answer, and Submit returns %v, want NotSent", err)
			}
			if !again {
				p.neverSent(tap, op, "the signer did not answer, and it was given up")
				continue
			}
			op.Attempt++
			p.send(op)
			p.arrives(op, "the signer answers again")
			p.goesOn()
		}
	},
}

var wrongSignatureCheck = ChainCheck{
	Name: "wrong-signature-is-not-sent",
	Rule: "A signature is checked against the public key before it is used: of another key, cut, empty, nothing but zeros, it is not sent. On some chains it " +
		"would spend somebody else's money, or nobody's, and the nonce is thought to be taken.",
	run: func(p *chainProbe) {
		for what, change := range map[string]func(signature []byte) []byte{
			"of another key":       func(s []byte) []byte { return append(bytes.Repeat([]byte{0x5a}, 32), s[32:]...) },
			"with a bit flipped":   func(s []byte) []byte { s[63] ^= 1; return s },
			"cut":                  func(s []byte) []byte { return s[:63] },
			"with a byte too many": func(s []byte) []byte { return append(s, 0) },
			"empty":                func([]byte) []byte { return nil },
			"of zeros":             func([]byte) []byte { return make([]byte, 64) },
		} {
			op := p.withdrawal(p.NewAddress(), p.Usual(p.Asset))
			tap := answering(func(s []byte) ([]byte, error) { return change(bytes.Clone(s)), nil })
			_, err := p.Connect(tap).Submit(p.ctx, op)
			if c := providers.CertaintyOf(err); err == nil || c != providers.NotSent && c != providers.Rejected {
				p.failf("the signer's answer is a signature %s, and Submit returns %v, want NotSent or Rejected", what, err)
			}
			p.neverSent(tap, op, "the signature was "+what)
		}
	},
}

// groupOrder is the order of secp256k1: with (r, s) also (r, groupOrder-s) is a signature.
var groupOrder, _ = new(big.Int).SetString("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141", 16)

var highCheck = ChainCheck{
	Name: "high-s-is-normalised",
	Rule: "A signer may answer with s in the upper half; some nodes refuse that and some do not, so the adapter turns it into the lower one (BIP-62, EIP-2).",
	run: func(p *chainProbe) {
		tap := answering(func(signature []byte) ([]byte, error) {
			s := new(big.Int).SetBytes(signature[32:])
			if new(big.Int).Lsh(s, 1).Cmp(groupOrder) <= 0 {
				s.Sub(groupOrder, s)
			}
			return append(bytes.Clone(signature[:32]), s.FillBytes(make([]byte, 32))...), nil
		})
		p.restart(tap)
		for range 4 {
			op := p.withdrawal(p.NewAddress(), p.Usual(p.Asset))
			p.send(op)
			p.arrives(op, "signed with a high s")
		}
	},
}
