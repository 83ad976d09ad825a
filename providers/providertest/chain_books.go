package providertest

import (
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/providers"
)

// record keeps a report's effects, and fails the check if they contradict earlier ones.
func (p *chainProbe) record(r providers.Report, from string) {
	of := r.Reference
	if r.Key != "" {
		of = r.Key
		p.byKey[r.Key] = r
	}
	if r.Reference != "" {
		p.reports[r.Reference] = r
	}
	p.effects.addOf(of, r, from)
	for _, q := range r.Quarantined {
		p.quarantined[q.ID] = q
	}
}

// reported is the sum of all effects in an asset, and of what is quarantined.
func (p *chainProbe) reported(a currency.AssetID) *big.Int {
	sum := new(big.Int)
	for _, s := range p.effects.seen {
		if s.effect.Amount.AssetID() == a {
			sum.Add(sum, s.effect.Amount.Big())
		}
	}
	for _, q := range p.quarantined {
		if q.Asset == string(a) {
			n, ok := new(big.Int).SetString(q.Quantity, 10)
			if !ok {
				p.failf("%s is quarantined with the quantity %q", q.ID, q.Quantity)
				continue
			}
			sum.Add(sum, n)
		}
	}
	return sum
}

// conserved settles and compares what the chain says with what the adapter reported.
func (p *chainProbe) conserved() {
	p.settle()
	for _, a := range p.assets() {
		have := p.custody(a)
		want := new(big.Int).Add(p.opening[a.ID()], p.reported(a.ID()))
		if have.Cmp(want) != 0 {
			p.failf("at the end the chain says that our addresses hold %v units of %s; by the adapter's reports it is %v, which is %v more:%s",
				have, a.ID(), want, new(big.Int).Sub(want, have), p.listed(a.ID()))
		}
	}
}

// listed writes the effects of an asset, for people.
func (p *chainProbe) listed(a currency.AssetID) (text string) {
	for _, id := range slices.Sorted(maps.Keys(p.effects.seen)) {
		if e := p.effects.seen[id].effect; e.Amount.AssetID() == a {
			text += fmt.Sprintf("\n\t%s %v %s", e.Kind, e.Amount, id)
		}
	}
	return text
}

// paidIn is the sum of a deposit's Moved and Reversed effects as it was last reported; nil: nothing ever moved.
func (p *chainProbe) paidIn(txid string) (sum *big.Int) {
	for reference, r := range p.reports {
		if r.Kind != providers.Deposit || reference != txid && !strings.HasPrefix(reference, txid+":") {
			continue
		}
		for _, e := range r.Effects {
			if e.Kind == providers.Moved || e.Kind == providers.Reversed {
				if sum == nil {
					sum = new(big.Int)
				}
				sum.Add(sum, e.Amount.Big())
			}
		}
	}
	return sum
}

// credited fails the check unless a transaction's deposits come to want; nil: no effect was ever reported.
func (p *chainProbe) credited(txid string, want *big.Int, when string) {
	got := p.paidIn(txid)
	if (got == nil) != (want == nil) || got != nil && got.Cmp(want) != 0 {
		p.failf("%s: the deposits of %s come to %v units, want %v (nil: no effect)", when, txid, got, want)
	}
}

// arrived fails the check unless an address of somebody else's holds exactly want.
func (p *chainProbe) arrived(address string, want currency.Amount, when string) {
	if got := p.received(address, want.Asset()); got.Cmp(want.Big()) != 0 {
		p.failf("%s: %s holds %v units, want %v", when, address, got, want.Big())
	}
}

// nothing fails the check if an address of somebody else's holds anything.
func (p *chainProbe) nothing(address string, a currency.Asset, when string) {
	if got := p.received(address, a); got.Sign() != 0 {
		p.failf("%s: %s holds %v units, want none", when, address, got)
	}
}

// moved is the sum of a key's effects of some kinds, in an asset.
func (p *chainProbe) moved(key string, a currency.AssetID, kinds ...providers.EffectKind) *big.Int {
	sum := new(big.Int)
	for _, s := range p.effects.seen {
		if s.of == key && s.effect.Amount.AssetID() == a && slices.Contains(kinds, s.effect.Kind) {
			sum.Add(sum, s.effect.Amount.Big())
		}
	}
	return sum
}

// paidOut fails the check unless a withdrawal arrived once, and its report says so.
func (p *chainProbe) paidOut(op providers.Operation, when string) {
	p.arrived(op.Instrument, op.Amount, when)
	want := new(big.Int).Neg(op.Amount.Big())
	if got := p.moved(op.Key, op.AssetID(), providers.Moved, providers.Reversed); got.Cmp(want) != 0 {
		p.failf("%s: the effects of a withdrawal of %v come to %v units", when, op.Amount, got)
	}
	if r := p.byKey[op.Key]; r.State != providers.Succeeded {
		p.failf("%s: a withdrawal that arrived is reported as %q", when, r.State)
	}
}

// deposit looks up the first deposit of a transaction, if one was reported.
func (p *chainProbe) deposit(txid string) (providers.Report, bool) {
	for _, reference := range slices.Sorted(maps.Keys(p.reports)) {
		if r := p.reports[reference]; r.Kind != providers.Deposit || !strings.HasPrefix(reference, txid+":") {
			continue
		}
		r, err := p.adapter.Lookup(p.ctx, providers.Query{Reference: reference, Kind: providers.Deposit})
		if err != nil {
			p.fatalf("Lookup of the deposit %s, which was reported: %v", reference, err)
		}
		p.record(r, "Lookup")
		return r, true
	}
	return providers.Report{}, false
}
