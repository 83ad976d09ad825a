package simulation

import (
	"context"
	"slices"
	"time"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/payments"
	"github.com/koshpay/kosh/providers"
	"github.com/koshpay/kosh/providers/sandbox"
)

// kind is a kind of operation.
type kind struct {
	name   string
	weight int // in this world
	do     func(*world, *process)
}

// drawKinds draws how often each kind of operation happens in a world: what is optional may be off.
func drawKinds(d dice) []kind {
	kinds := []kind{
		{"link", 40, (*world).link},
		{"deposit", 160, (*world).deposit},
		{"address", 40, (*world).address},
		{"chain send", 100, (*world).chainSend},
		{"reorganise", 30, (*world).reorganise},
		{"approve", 30, (*world).approve},
		{"dispute", 50, (*world).dispute},
		{"settle", 20, (*world).settle},
		{"send", 60, (*world).send},
		{"tip", 60, (*world).tip},
		{"exchange", 40, (*world).exchange},
		{"supply", 15, (*world).supply},
		{"withdraw", 160, (*world).withdraw},
		{"refund", 90, (*world).refund},
		{"freeze", 40, (*world).freeze},
		{"terms", 30, (*world).terms},
		{"open", 20, (*world).open},
		{"resolve", 70, (*world).resolve},
		{"forgive", 25, (*world).forgive},
		{"escrow", 30, (*world).escrow},
		{"outage", 15, (*world).outage},
		{"replay", 50, (*world).replay},
		{"alter", 25, (*world).alter},
		{"bad", 30, (*world).badRequest},
		{"webhooks", 120, (*world).webhooks},
		{"forge", 10, (*world).forge},
		{"clock", 200, (*world).passTime},
		{"worker", 160, (*world).worker},
		{"advance", 30, (*world).advance},
		{"look", 25, (*world).look},
	}
	for i := range kinds {
		switch kinds[i].name {
		case "link", "deposit", "clock", "worker": // without these nothing happens
		default:
			kinds[i].weight = kinds[i].weight * int(d.between(0, 3)) / 2
		}
	}
	return kinds
}

// operate does the next operation.
func (w *world) operate(n int) {
	w.dice = newDice(w.seed, uint64(n)+16) //nolint:gosec // never negative
	k := w.draw(n)
	w.op, w.keys = k.name, 0
	w.number = n
	p := w.workers[w.dice.IntN(len(w.workers))]
	w.note("%d %s at %s on %s", n, k.name, w.now.Format(time.DateTime), p.name)
	if !w.calm && w.dice.chance(w.rates.crash) {
		p.arm(int(w.dice.between(1, 12)), w.dice.chance(500))
	}
	stop := w.patience(p)
	k.do(w, p)
	stop()
	p.arm(0, false)
	w.now = w.now.Add(w.dice.duration(time.Millisecond, 3*time.Second))
	for i := range w.workers {
		if w.workers[i].dead {
			if err := w.restart(i); err != nil {
				w.fail(breach(Answered, "restart: %v", err))
			}
		}
	}
}

// patience draws how long whoever asks waits for this operation; the function that it returns ends that.
func (w *world) patience(p *process) func() {
	if w.calm || !w.dice.chance(w.rates.giveUp) {
		return func() {}
	}
	w.asking, p.cancel = context.WithCancel(w.ctx)
	p.wait = int(w.dice.between(1, 8))
	return func() {
		p.cancel()
		p.wait, w.asking = 0, w.ctx
	}
}

// draw picks a kind; the first operations give the world something to work with.
func (w *world) draw(n int) kind {
	if n < 3*len(w.members) {
		return w.kinds[n%3%2] // link, deposit, link, …
	}
	total := 0
	for _, k := range w.kinds {
		total += k.weight
	}
	at := w.dice.IntN(total)
	for _, k := range w.kinds {
		if at -= k.weight; at < 0 {
			return k
		}
	}
	return w.kinds[0]
}

// available is what a member can spend of an asset.
func (w *world) available(member string, a *currency.Definition) currency.Amount {
	info := w.truth.accounts[payments.WalletAccount(member, a.ID())]
	if info == nil {
		return currency.Zero(a)
	}
	return minus(info.Posted, info.Held)
}

// richest picks a member, rather one that has something of the asset.
func (w *world) richest(a *currency.Definition) string {
	from := w.dice.IntN(len(w.members))
	for i := range w.members {
		if m := w.members[(from+i)%len(w.members)]; w.available(m, a).Sign() > 0 {
			return m
		}
	}
	return w.members[from]
}

// asset picks one of all assets, rather dollars.
func (w *world) asset() *currency.Definition {
	if w.dice.chance(400) {
		return currency.USD
	}
	return pick(w.dice, append([]*currency.Definition{ether, coin}, fiat...)...)
}

// amount draws a positive amount: small, ordinary or odd.
func (w *world) amount(a *currency.Definition) currency.Amount {
	units := w.dice.between(1, 20_000)
	if w.dice.chance(100) {
		units = w.dice.between(1, 5)
	}
	if a.Scale() > 3 {
		units *= w.dice.between(1, 100_000_000_000_000)
	}
	return currency.MustNew(units, a)
}

// part draws an amount up to what there is, or sometimes more than that.
func (w *world) part(of currency.Amount) currency.Amount {
	switch {
	case of.Sign() <= 0 || w.dice.chance(120):
		return w.amount(of.Asset())
	case w.dice.chance(250):
		return of
	}
	parts, err := of.Allocate(w.dice.between(1, 9), w.dice.between(1, 9))
	if err != nil || parts[0].Sign() <= 0 {
		return of
	}
	return parts[0]
}

// oneMore is a and one smallest unit.
func oneMore(a currency.Amount) currency.Amount {
	return plus(a, currency.MustNew(1, a.Asset()))
}

// instruments are the links of a member that have succeeded.
func (w *world) instruments(member string) []*intent {
	return w.some(func(p *intent) bool {
		return p.Kind == payments.Link && p.Member == member && p.state == payments.Succeeded
	})
}

// some are the latest payments that fit, newest first, at most 20.
func (w *world) some(fits func(*intent) bool) []*intent {
	var found []*intent
	for _, p := range slices.Backward(w.money.order) {
		if fits(p) {
			if found = append(found, p); len(found) == 20 {
				break
			}
		}
	}
	return found
}

// tokens that a member's device may get, by method; good ones are more likely.
var tokens = map[providers.Method][]string{
	providers.Card: {
		sandbox.TokenCard, sandbox.TokenCard, sandbox.TokenCard, sandbox.TokenCardDeclined, sandbox.TokenCardInsufficient,
		sandbox.TokenCardAction, sandbox.TokenCardAction, sandbox.TokenCardRefundFails, sandbox.TokenCardRefused, "tok_unknown",
		sandbox.TokenCardInquiry, sandbox.TokenCardDisputeWon, sandbox.TokenCardDisputeLost, sandbox.TokenCardDisputeAppeals,
	},
	providers.Bank: {
		sandbox.TokenBank, sandbox.TokenBank, sandbox.TokenBankReturned, sandbox.TokenBankReturned, sandbox.TokenBankBounces,
		sandbox.TokenBankBounces, sandbox.TokenBankFails, sandbox.TokenBankRefused,
	},
	providers.Chain: {"0x52908400098527886E0F7030069857D2E4169EE7", sandbox.AddressReverts, sandbox.AddressRefused},
}
