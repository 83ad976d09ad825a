package simulation

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/payments"
	"github.com/koshpay/kosh/providers"
	"github.com/koshpay/kosh/providers/sandbox"
)

// Assets of every world: fiat with two, none and three decimals, a chain's coin, and one of the platform's own.
var (
	ether = currency.MustDefine(currency.Info{ID: "eip155:1/slip44:60", Code: "ETH", Name: "Ether", Scale: 18, Kind: currency.Crypto})
	coin  = currency.MustDefine(currency.Info{ID: "app:kosh-simulation/coin", Code: "SIM", Name: "Simulated Coin", Scale: 0, Kind: currency.Virtual})
	fiat  = []*currency.Definition{currency.USD, currency.EUR, currency.JPY, currency.KWD}
)

// epoch is when every world begins: an hour before midnight, so that days change early.
var epoch = time.Date(2030, 3, 1, 23, 0, 0, 0, time.UTC)

// world is one run.
type world struct {
	ctx    context.Context //nolint:containedctx // a world lasts as long as one call of Run
	asking context.Context //nolint:containedctx // that of the request under way, which may be given up
	dice   dice
	ids    dice
	now    time.Time
	rates  rates
	config payments.Config
	limit  payments.DailyLimit
	share  decimal.Decimal

	truth   *witness
	money   *ledgerOfPayments
	sites   []*site
	workers []*process
	skew    time.Duration // how far the clocks of processes are off
	started int           // processes so far
	members []string
	kinds   []kind // of operations, with the weights of this world

	requests []*request
	running  *request // the one under way
	sent     []sent   // money sent to chain addresses lately
	keys     int
	depth    int  // > 0: one process acts in the middle of another one's call
	calm     bool // no faults any more
	dumps    int

	ops  int
	keep []int
	seed uint64
	// auditEvery is after how many operations the providers' truth is compared: after each in some worlds.
	auditEvery int
	number     int                      // of the operation under way
	op         string                   // its kind
	used       map[string]bool          // keys of requests that several members choose alike
	lies       map[string]bool          // payments of which a person said wrongly that they never happened
	escrows    []uuid.UUID              // holds of the host
	quotes     []payments.Quote         // that were given
	swaps      []payments.ExchangeQuote // likewise
	screening  *screener                // nil: nobody is screened
	verdicts   []verdict                // rules that are pure functions of the proposal
	seen       map[cell]int             // faults met

	result *Result
	trace  trace
	broken *Breach
	dump   func(context.Context, ledger.Store, string) ([]byte, error)
	other  []byte // the dump of the neighbouring book
}

// site is a pretend provider.
type site struct {
	name      string
	far       *sandbox.Sandbox
	assets    []*currency.Definition
	chain     bool
	noKeys    bool
	faults    sandbox.Faults
	outage    providers.Certainty // of an error while it is away
	downUntil time.Time
}

// sent is a transaction that somebody sent to an address.
type sent struct {
	site *site
	tx   string
}

// rates are those of the simulation's own faults, per thousand.
type rates struct {
	crash        int // an operation in which the process dies
	storeBefore  int // an update fails and nothing is written
	storeAfter   int // an update fails and is written all the same
	storeAgain   int // an update decides twice
	storeRead    int
	meanwhile    int // the other process acts in the middle of a call
	giveUp       int // an operation whose context ends while it waits
	webhookAgain int
	screener     int // the screener does not answer
	rateSource   int // the source of rates does not answer
}

// newWorld draws a world.
func newWorld(c Config) (*world, error) {
	w := &world{
		ctx: context.Background(), asking: context.Background(), dice: newDice(c.Seed, 1), ids: newDice(c.Seed, 2), now: epoch, dump: c.Dump,
		money: newLedgerOfPayments(), result: &Result{Seed: c.Seed}, trace: newTrace(), seed: c.Seed,
		used: map[string]bool{}, lies: map[string]bool{}, seen: map[cell]int{}, workers: make([]*process, 2),
	}
	w.truth = newWitness("main", w.money)
	if c.Bare {
		w.rates = rates{}
	} else {
		w.rates = rates{
			crash: w.dice.rate(20, 120), storeBefore: w.dice.rate(5, 30), storeAfter: w.dice.rate(5, 30),
			storeAgain: w.dice.rate(20, 200), storeRead: w.dice.rate(1, 8), meanwhile: w.dice.rate(20, 150), giveUp: w.dice.rate(20, 120),
			rateSource: w.dice.rate(100, 500), screener: w.dice.rate(50, 300), webhookAgain: w.dice.rate(100, 400),
		}
		w.workers = make([]*process, w.dice.between(2, 3))
		w.skew = pick(w.dice, 0, 2*time.Second, 20*time.Second)
	}
	w.kinds = drawKinds(w.dice)
	w.auditEvery = pick(w.dice, 1, 8, 8, 8)
	for i := range w.dice.between(3, 6) {
		w.members = append(w.members, fmt.Sprintf("m%d", i+1))
	}
	w.drawPolicy()
	if err := w.drawSites(c); err != nil {
		return nil, err
	}
	if err := w.neighbour(); err != nil {
		return nil, err
	}
	for i := range w.workers {
		if err := w.restart(i); err != nil {
			return nil, err
		}
	}
	return w, nil
}

func (w *world) clock() time.Time { return w.now }

// restart replaces a process.
func (w *world) restart(i int) error {
	w.started++
	p, err := w.newProcess(fmt.Sprintf("p%d", w.started))
	w.workers[i] = p
	return err
}

// drawPolicy draws the platform's own rules.
func (w *world) drawPolicy() {
	w.share = decimal.RequireFromString(pick(w.dice, "0", "0.05", "0.125", "0.333"))
	w.drawVerdicts()
	bearer := pick(w.dice, payments.PlatformBears, payments.PlatformBears, payments.MemberBears)
	w.limit = payments.DailyLimit{
		Name: "day", Max: currency.MustNew(w.dice.between(2_000, 60_000), currency.USD), Now: w.clock,
		Kinds: pick(w.dice, nil, []payments.Kind{payments.Withdrawal}, []payments.Kind{payments.Send, payments.Tip, payments.Withdrawal},
			[]payments.Kind{payments.Deposit}),
	}
	w.money.limit, w.money.clock, w.money.cut = w.limit, w.clock, w.share.Shift(-1)
	w.money.share = func(a currency.Amount) currency.Amount {
		fee, err := currency.FromDecimal(a.Decimal().Mul(w.share).RoundBank(int32(a.Asset().Scale())), a.Asset())
		if err != nil {
			return currency.Amount{}
		}
		return fee
	}
	assets := currency.MustRegistry(ether, coin)
	for _, a := range fiat {
		if err := assets.Enable(a); err != nil {
			w.fail(breach(Sane, "enable %s: %v", a.ID(), err))
		}
	}
	w.config = payments.Config{
		Assets: assets, TipFee: w.share, Rules: w.rules(), NewID: w.ids.id, Route: w.route, WithdrawalFees: bearer, MaxNotSent: int(w.dice.between(1, 5)),
		Rates: func(_ context.Context, from, to currency.Asset) (payments.Price, bool, error) {
			rate, err := currency.NewRate(from, to, market(from.ID(), to.ID(), w.now))
			return payments.Price{Rate: rate, Market: rate, Fee: w.money.cut, QuoteFor: swapFor}, true, err
		},
	}
}

// drawSites draws the providers: one that does everything, or one a method, the last of which may be missing.
func (w *world) drawSites(c Config) error {
	card, bank, chain := providers.Card, providers.Bank, providers.Chain
	layout := pick(w.dice,
		[][]providers.Method{{card, bank, chain}}, [][]providers.Method{{card}, {bank}, {chain}},
		[][]providers.Method{{card, bank}, {chain}}, [][]providers.Method{{card}, {bank}},
		[][]providers.Method{{card, bank, chain}, {bank, chain}}, [][]providers.Method{{card}, {bank}, {bank}, {chain}, {chain}},
	)
	for i, methods := range layout {
		s := &site{name: "all", outage: pick(w.dice, providers.Maybe, providers.NotSent)}
		if len(layout) > 1 {
			s.name = string(methods[0])
		}
		for slices.ContainsFunc(w.sites, func(o *site) bool { return o.name == s.name }) {
			s.name += "2"
		}
		conf := sandbox.Config{
			Name: s.name, Methods: methods, Seed: c.Seed*16 + uint64(i), Clock: w.clock,
			Secret:          []byte("whsec_" + s.name),
			HintsOnly:       w.dice.chance(200),
			DuplicateErrors: w.dice.chance(500),
			CardFee:         sandbox.Fee{Rate: decimal.RequireFromString(pick(w.dice, "0", "0.029")), Fixed: pick(w.dice, int64(0), 30)},
			CardSettleAfter: pick(w.dice, 0, 48*time.Hour),
			DisputeFee:      sandbox.Fee{Fixed: pick(w.dice, int64(0), 1_500)},
			DisputeAfter:    w.dice.duration(time.Hour, 60*time.Hour),
			SettleAfter:     w.dice.duration(time.Minute, 30*time.Hour),
			ReturnWindow:    w.dice.duration(time.Hour, 60*time.Hour),
			PayoutAfter:     w.dice.duration(time.Minute, 30*time.Hour),
			VisibleAfter:    pick(w.dice, 5*time.Second, time.Minute, 10*time.Minute),
			KeyRetention:    pick(w.dice, time.Hour, 24*time.Hour, 240*time.Hour),
			Confirmations:   uint(w.dice.between(1, 3)), //nolint:gosec // small
		}
		if !c.Bare {
			conf.NoKeys = w.dice.chance(100)
			s.noKeys = conf.NoKeys
			s.faults = drawFaults(w.dice)
		}
		for _, m := range methods {
			if m == chain {
				s.chain = true
				s.assets = append(s.assets, ether)
			}
		}
		if methods[0] != chain {
			s.assets = append(s.assets, fiat...)
		}
		for _, a := range s.assets {
			conf.Assets = append(conf.Assets, a)
		}
		var err error
		if s.far, err = sandbox.New(conf); err != nil {
			return err
		}
		if err := s.far.SetFaults(s.faults); err != nil {
			return err
		}
		w.sites = append(w.sites, s)
	}
	return nil
}

// drawFaults draws the rate of each kind of fault: off, low or high.
func drawFaults(d dice) sandbox.Faults {
	return sandbox.Faults{
		Refuse: d.rate(15, 90), Reject: d.rate(10, 60), Decline: d.rate(15, 90), LostRequest: d.rate(15, 90),
		LostResponse: d.rate(15, 90), RateLimit: d.rate(15, 90), SlowRequest: d.rate(15, 90), ServerError: d.rate(15, 90), Garbage: d.rate(15, 90),
		WrongAmount: d.rate(10, 60), LookupFails: d.rate(20, 200), LookupNotFoundLag: d.rate(100, 700), PollFails: d.rate(20, 200),
		WebhookLost: d.rate(50, 500), WebhookDuplicated: d.rate(50, 400), WebhookReordered: d.rate(50, 400), WebhookDelayed: d.rate(30, 200),
	}
}

// fault decides whether a call of a process goes wrong.
func (w *world) fault(p *process, perMille int) bool {
	if p.dead || w.calm || !w.dice.chance(perMille) {
		return false
	}
	p.faults++
	w.result.Faults++
	return true
}

// meanwhile lets another process act in the middle of a call of this one, and tells whether it did.
func (w *world) meanwhile(p *process) bool {
	if w.depth > 0 || w.calm || !w.dice.chance(w.rates.meanwhile) {
		return false
	}
	other := w.alive(p)
	if other == nil || other.dead || other == p {
		return false
	}
	p.overlaps++
	w.depth++
	asking := w.asking
	w.asking = w.ctx
	defer func() {
		w.depth--
		w.asking = asking
	}()
	w.result.Overlaps++
	switch {
	case w.running != nil && w.dice.chance(300):
		w.note("  meanwhile, on %s: the same request", other.name)
		w.ask(other, w.running, false)
	case w.dice.chance(500):
		w.note("  meanwhile, on %s: step", other.name)
		w.step(other)
	default:
		w.note("  meanwhile, on %s: webhooks", other.name)
		w.pump(other, 5)
	}
	return true
}

// step does one round of a worker's work. Whatever fails without a fault of ours or of a provider is a breach.
func (w *world) step(p *process) int {
	faults := p.faults
	n, err := p.service.Step(w.asking)
	if !w.calm || err != nil {
		w.note("  %s did %d things%s", p.name, n, cause(err))
	}
	w.excuse(p, faults, err, "step")
	return n
}

// excuse wants a cause for an error of a worker: a fault, or somebody who was first. A decline never has one: facts are
// not declined.
func (w *world) excuse(p *process, faults int, err error, what string) {
	if err == nil {
		return
	}
	errs := []error{err}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		errs = joined.Unwrap()
	}
	for _, e := range errs {
		switch class := ledger.ClassOf(e); {
		case class == ledger.Declined:
			w.fail(breach(FactsStand, "%s: %v", what, e))
		case class == ledger.Conflict, p.faults > faults, w.asking.Err() != nil, errors.Is(e, errDead):
		default:
			w.fail(breach(Answered, "%s: %v", what, e))
		}
	}
}

// fail keeps the first breach; what the witness saw came before what follows from it.
func (w *world) fail(b *Breach) {
	if w.breach() == nil && b != nil {
		w.broken = b
	}
}

// breach returns the first breach that anybody found.
func (w *world) breach() *Breach {
	if w.broken == nil {
		w.broken = w.truth.broken
	}
	return w.broken
}
