package providertest

import (
	"errors"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/providers"
)

// chainProbe is a check of a chain adapter at work. It keeps books as payments would: what the adapter reports, by effect.
type chainProbe struct {
	*ChainWorld
	verdict
	adapter providers.Provider // the one that drain polls
	cursor  string
	sent    []providers.Operation // whose outcome drain looks up

	reports     map[string]providers.Report // the latest, by reference
	byKey       map[string]providers.Report // the latest, by key
	effects     map[string]sighting
	quarantined map[string]providers.Quarantined
	opening     map[currency.AssetID]*big.Int // custody less what was reported, at the start
}

// start connects an adapter and takes note of what there is already.
func (p *chainProbe) start() {
	p.reports, p.byKey = map[string]providers.Report{}, map[string]providers.Report{}
	p.effects, p.quarantined = map[string]sighting{}, map[string]providers.Quarantined{}
	p.restart(nil)
	p.drain()
	p.opening = map[currency.AssetID]*big.Int{}
	for _, a := range p.assets() {
		p.opening[a.ID()] = new(big.Int).Sub(p.custody(a), p.reported(a.ID()))
	}
}

// restart replaces the adapter, as a new process would.
func (p *chainProbe) restart(tap *Tap) {
	p.adapter = p.Connect(tap)
	if p.adapter == nil {
		p.fatalf("ChainWorld.Connect returned nil")
	}
}

func (p *chainProbe) assets() (list []currency.Asset) {
	for _, a := range []currency.Asset{p.Asset, p.Token, p.NoReturn, p.TakesFee, p.Lies} {
		if a != nil && !slices.ContainsFunc(list, func(b currency.Asset) bool { return b.ID() == a.ID() }) {
			list = append(list, a)
		}
	}
	return list
}

// keepsWhole tells whether what is sent of an asset arrives whole.
func (p *chainProbe) keepsWhole(a currency.Asset) bool {
	return !slices.ContainsFunc([]currency.Asset{p.TakesFee, p.Lies}, func(b currency.Asset) bool { return b != nil && b.ID() == a.ID() })
}

// must fails the check when a hook of the harness fails.
func (p *chainProbe) must(err error, hook string) {
	if err != nil {
		p.fatalf("ChainWorld.%s: %v", hook, err)
	}
}

func (p *chainProbe) mine(n int) { p.must(p.Mine(n), "Mine") }

func (p *chainProbe) custody(a currency.Asset) *big.Int {
	n, err := p.Custody(a)
	p.must(err, "Custody")
	return n
}

func (p *chainProbe) received(address string, a currency.Asset) *big.Int {
	n, err := p.Received(address, a)
	p.must(err, "Received")
	return n
}

func (p *chainProbe) pay(payments ...ChainPayment) (txid string) {
	txid, err := p.Pay(payments...)
	p.must(err, "Pay")
	return txid
}

func (p *chainProbe) reorganise(depth int, drop ...string) {
	p.must(p.Reorganise(depth, drop...), "Reorganise")
}

// token is the asset that checks of tokens are about, or waives the check.
func (p *chainProbe) token() currency.Asset {
	if p.Token == nil {
		p.waive("the harness' chain has no tokens (no ChainWorld.Token)")
	}
	return p.Token
}

// some is the asset for checks that pay several times in one transaction.
func (p *chainProbe) some() currency.Asset {
	if p.Token != nil {
		return p.Token
	}
	return p.Asset
}

// poller returns an adapter's Poller, which every chain adapter has: deposits arrive nowhere else.
func (p *chainProbe) poller() providers.Poller {
	poller, ok := providers.As[providers.Poller](p.adapter)
	if !ok {
		p.fatalf("the adapter is no Poller: deposits cannot arrive")
	}
	return poller
}

// scan polls until there is nothing new, or an error.
func (p *chainProbe) scan() error {
	const limit, enough = 50, 1000
	poller := p.poller()
	for range enough {
		page, next, err := poller.Poll(p.ctx, p.cursor, limit)
		if err != nil {
			return err
		}
		if len(page) > limit {
			p.failf("Poll returned %d events, at most %d were wanted", len(page), limit)
		}
		for _, e := range page {
			p.heard(e)
		}
		if len(page) == 0 && next == p.cursor {
			return nil
		}
		p.cursor = next
	}
	p.fatalf("Poll never came to an end: at the end it returns no event and the cursor it was given")
	return nil
}

// heard takes note of an event.
func (p *chainProbe) heard(e providers.Event) {
	if e.Report != nil {
		p.record(*e.Report, "Poll")
		return
	}
	r, err := p.adapter.Lookup(p.ctx, *e.Lookup)
	if err != nil {
		p.failf("event %s is about an operation that Lookup does not find: %v", e.ID, err)
		return
	}
	p.record(r, "Lookup")
}

// drain polls, and looks up what was sent and is not final, as payments does.
func (p *chainProbe) drain() {
	if err := p.scan(); err != nil {
		p.fatalf("Poll after %q: %v", p.cursor, err)
	}
	p.sent = slices.DeleteFunc(p.sent, func(op providers.Operation) bool {
		return op.Kind == providers.DepositAddress || p.byKey[op.Key].Final
	})
	for _, op := range p.sent {
		r, err := p.adapter.Lookup(p.ctx, query(op))
		if errors.Is(err, providers.ErrNotFound) {
			continue
		}
		if err != nil {
			p.fatalf("Lookup of %s %s: %v", op.Kind, op.Key, err)
		}
		p.record(r, "Lookup")
	}
}

// record keeps a report's effects, and fails the check if they contradict earlier ones.
func (p *chainProbe) record(r providers.Report, from string) {
	p.valid(r, from)
	of := r.Reference
	if r.Key != "" {
		of = r.Key
		p.byKey[r.Key] = r
	}
	if r.Reference != "" {
		p.reports[r.Reference] = r
	}
	for _, e := range r.Effects {
		before, ok := p.effects[e.ID]
		switch {
		case !ok:
			p.effects[e.ID] = sighting{e, of}
		case before.of != of:
			p.failf("effect %s belongs to %s and to %s: payments would post only one of them", e.ID, before.of, of)
		case !sameEffect(before.effect, e):
			p.failf("effect %s was %+v and became %+v: the same id must always be the same movement", e.ID, before.effect, e)
		}
	}
	for _, q := range r.Quarantined {
		p.quarantined[q.ID] = q
	}
}

// settle mines until everything that is going on is final, and hears of it. A block more often than the window is deep may be needed,
// when adapters send on what came of an earlier transaction.
func (p *chainProbe) settle() {
	p.drain()
	for range 3 {
		before := len(p.effects)
		for range p.Window + 1 {
			p.mine(1)
			p.drain()
		}
		if len(p.effects) == before {
			return
		}
	}
}

// reported is the sum of all effects in an asset, and of what is quarantined.
func (p *chainProbe) reported(a currency.AssetID) *big.Int {
	sum := new(big.Int)
	for _, s := range p.effects {
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
	for _, id := range slices.Sorted(maps.Keys(p.effects)) {
		if e := p.effects[id].effect; e.Amount.AssetID() == a {
			text += fmt.Sprintf("\n\t%s %v %s", e.Kind, e.Amount, id)
		}
	}
	return text
}

// withdrawal is one of an amount that is sent for the first time now.
func (p *chainProbe) withdrawal(to string, amount currency.Amount) providers.Operation {
	return providers.Operation{
		Key: uuid.NewString(), Kind: providers.Withdrawal, Method: providers.Chain, Amount: amount, Instrument: to, Member: "alice",
		FirstSent: p.Now(),
	}
}

// addressFor is the operation that makes an address.
func (p *chainProbe) addressFor(a currency.Asset, member string) providers.Operation {
	return providers.Operation{
		Key: uuid.NewString(), Kind: providers.DepositAddress, Method: providers.Chain, Asset: a.ID(), Member: member, FirstSent: p.Now(),
	}
}

// send submits what must go well, and has drain look it up from now on.
func (p *chainProbe) send(op providers.Operation) providers.Report {
	r, err := p.adapter.Submit(p.ctx, op)
	if err != nil {
		p.fatalf("Submit of a %s that should go well: %v", op.Kind, err)
	}
	p.record(r, "Submit")
	p.sent = append(p.sent, op)
	return r
}

// again is what payments makes of an error: it looks the key up, and sends it again when the far side does not know it.
func (p *chainProbe) again(op providers.Operation) (providers.Report, error) {
	r, err := p.adapter.Lookup(p.ctx, query(op))
	if errors.Is(err, providers.ErrNotFound) {
		op.Attempt++
		return p.adapter.Submit(p.ctx, op)
	}
	return r, err
}

// insist is what payments does about an operation whose outcome it does not know, until it does.
func (p *chainProbe) insist(op providers.Operation) providers.Report {
	const enough = 10
	var err error
	for range enough {
		var r providers.Report
		if r, err = p.again(op); err == nil {
			p.record(r, "Submit or Lookup")
			p.sent = append(p.sent, op)
			return r
		}
		if providers.CertaintyOf(err) == providers.Rejected {
			p.fatalf("a %s that may have been sent is Rejected when it is sent again, which releases its money: %v", op.Kind, err)
		}
		p.mine(1)
		p.drain()
	}
	p.fatalf("a %s whose outcome was unknown is still so after %d blocks: %v", op.Kind, enough, err)
	return providers.Report{}
}

// until mines block by block, at most so many as patience has, until something is so.
func (p *chainProbe) until(what string, so func() bool) {
	patience := 20 + p.Window
	for range patience {
		p.drain()
		if so() {
			return
		}
		if p.Bump != nil {
			p.must(p.Bump(p.adapter), "Bump")
		}
		p.mine(1)
	}
	p.fatalf("%s: not so after %d blocks", what, patience)
}

// arrives waits until a withdrawal has arrived and counts.
func (p *chainProbe) arrives(op providers.Operation, when string) {
	p.until(when+": the withdrawal arrives and counts", func() bool {
		return p.received(op.Instrument, op.Amount.Asset()).Sign() > 0 && p.byKey[op.Key].State == providers.Succeeded
	})
	p.paidOut(op, when)
}

// address makes an address for a member.
func (p *chainProbe) address(a currency.Asset, member string) string {
	r := p.send(p.addressFor(a, member))
	return p.addressOf(r)
}

func (p *chainProbe) addressOf(r providers.Report) string {
	address := r.Address
	if address == "" && r.Action != nil {
		address = r.Action.Address
	}
	if r.State != providers.Succeeded || address == "" {
		p.fatalf("an address was asked for, and the report is %s with the address %q", r.State, address)
	}
	return address
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
	for _, s := range p.effects {
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
