package providertest

import (
	"errors"
	"math/big"
	"slices"

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
	effects     sightings
	quarantined map[string]providers.Quarantined
	opening     map[currency.AssetID]*big.Int // custody less what was reported, at the start
}

// start connects an adapter and takes note of what there is already.
func (p *chainProbe) start() {
	p.reports, p.byKey = map[string]providers.Report{}, map[string]providers.Report{}
	p.effects, p.quarantined = sightings{p: &p.verdict}, map[string]providers.Quarantined{}
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

// settle mines until everything that is going on is final, and hears of it. A block more often than the window is deep may be needed,
// when adapters send on what came of an earlier transaction.
func (p *chainProbe) settle() {
	p.drain()
	for range 3 {
		before := len(p.effects.seen)
		for range p.Window + 1 {
			p.mine(1)
			p.drain()
		}
		if len(p.effects.seen) == before {
			return
		}
	}
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
