package simulation

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/payments"
	"github.com/koshpay/kosh/providers"
	"github.com/koshpay/kosh/providers/sandbox"
)

// scenario is something that somebody does, from the request to rest. Every call of the first process to the store and to a
// provider is a point at which it can die; every call of the one that takes over is one at which that one can.
type scenario struct {
	name   string
	ends   string // a part of how it ends without a crash
	method providers.Method
	token  string // of the instrument that alice has linked; empty: none
	funds  int64  // dollars' cents in her wallet beforehand
	fault  sandbox.Fault
	conf   func(*sandbox.Config)
	rules  []verdict
	// prepare does what must be there before; what it returns is given to ask.
	prepare func(*stage) string
	// ask is done by whichever process is alive, under the same key each time.
	ask func(st *stage, s *payments.Service, instrument string) error
	// restless says that what is there beforehand must not come to rest.
	restless bool
	// outside says that it begins at the provider: nobody has to ask for it.
	outside bool
}

// death is when a process dies: before or after its nth call.
type death struct {
	n     int
	after bool
}

// played is how a scenario went.
type played struct {
	end        string
	calls      [2]int // of the first process, and of the second since the first one died
	unanswered bool   // whoever asked got no answer
}

// nothing is how the world ends when the request was never recorded and nobody asked again.
const nothing = "nothing happened"

// TestEveryCrash kills the first process before and after every call that it makes for a scenario; the second one then
// brings it to the same end. Whoever got no answer never comes back in one run, and asks again in another one.
func TestEveryCrash(t *testing.T) {
	t.Parallel()
	var points atomic.Int64
	stride := 1
	if raced {
		stride = 19
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			whole := s.play(t, nil, true)
			require.Contains(t, whole.end, s.ends)
			require.GreaterOrEqual(t, whole.calls[0], 2)
			for _, d := range deaths(whole.calls[0], stride) {
				s.recovers(t, whole.end, d)
				points.Add(1)
			}
		})
	}
	t.Cleanup(func() {
		report(t, "crash: %d scenarios, %d points, all recovered%s", len(scenarios), points.Load(), unless(t))
	})
}

// TestEveryDoubleCrash kills the first process at a call and the one that takes over at one of its own, and the third one brings it
// to the same end. KOSH_SIM_DOUBLE=all plays every pair, which takes an hour; without it one in so many is played.
func TestEveryDoubleCrash(t *testing.T) {
	t.Parallel()
	var points, pairs atomic.Int64
	stride, asked := int64(41), int64(7) // primes, so that they fall on every kind of call
	if raced {
		stride, asked = 1999, 97
	}
	if os.Getenv("KOSH_SIM_DOUBLE") == "all" {
		stride = 1
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			whole := s.play(t, nil, true)
			for _, first := range deaths(whole.calls[0], 1) {
				once := int64(-1)
				for m := 0; once < 0 || int64(m) < once; m++ {
					n := pairs.Add(1)
					if once >= 0 && n%stride != 0 {
						continue
					}
					if once < 0 {
						if stride > 1 && n%asked != 0 { // not even how many calls there are is asked of each
							break
						}
						once = int64(2 * s.play(t, []death{first}, true).calls[1])
					}
					s.recovers(t, whole.end, first, death{m/2 + 1, m%2 == 1})
					points.Add(1)
				}
			}
		})
	}
	t.Cleanup(func() {
		sampled := ""
		if stride > 1 {
			sampled = ", sampled: KOSH_SIM_DOUBLE=all plays every pair"
		}
		report(t, "double crash: %d scenarios, %d points, all recovered%s%s", len(scenarios), points.Load(), sampled, unless(t))
	})
}

// unless takes back "all recovered" in a report.
func unless(t *testing.T) string {
	if t.Failed() {
		return " BUT FOR THOSE THAT FAILED"
	}
	return ""
}

// deaths are all points of so many calls, or some.
func deaths(calls, stride int) (all []death) {
	for n := 1; n <= calls; n += stride {
		all = append(all, death{n, false}, death{n, true})
	}
	return all
}

// recovers plays a scenario with deaths and wants the same end as without.
func (s scenario) recovers(t *testing.T, want string, at ...death) {
	t.Helper()
	got := s.play(t, at, false)
	if got.end != nothing {
		require.Equal(t, want, got.end, "%s: died at %+v", s.name, at)
	}
	if got.unanswered {
		require.Equal(t, want, s.play(t, at, true).end, "%s: died at %+v, asked again", s.name, at)
	}
}

// stage is a world with one provider, no faults and a member called alice.
type stage struct {
	*testing.T
	*world
	far   *sandbox.Sandbox
	first *process
}

// play runs a scenario in a world of its own: each death is of the process that works then.
func (s scenario) play(t *testing.T, at []death, again bool) (p played) {
	t.Helper()
	st := s.stage(t)
	w := st.world
	instrument := ""
	if s.funds > 0 {
		st.fund(s.funds)
	}
	if s.token != "" {
		instrument = st.link(s.method, s.token)
	}
	if s.prepare != nil {
		instrument = s.prepare(st)
	}
	if !s.restless {
		st.settleDown(st.first)
	}
	before, updates := len(w.money.order), w.truth.updates
	st.far.Script(s.fault)

	alive := 0
	since := w.workers[0].calls
	arm := func() {
		if alive < len(at) {
			w.workers[alive].arm(at[alive].n, at[alive].after)
		}
	}
	count := func() {
		if alive < len(p.calls) {
			p.calls[alive] = w.workers[alive].calls - since
		}
	}
	next := func() { // the next process takes over
		count()
		alive++
		since = w.workers[alive].calls
		arm()
	}
	arm()
	err := s.ask(st, w.workers[alive].service, instrument)
	p.unanswered = w.workers[alive].dead && !s.outside
	for w.workers[alive].dead {
		next()
		if again || s.outside {
			err = s.ask(st, w.workers[alive].service, instrument)
		}
	}
	if !p.unanswered || again {
		require.NoError(t, err, "%s at %+v", s.name, at)
	}
	if w.truth.updates == updates && !s.outside {
		require.False(t, again)
		p.end = nothing
		return p
	}
	least := 0
	if s.outside {
		least = len(steps) // what happens there takes a while to be seen
	}
	st.rest(least, func() *process {
		for w.workers[alive].dead {
			next()
		}
		return w.workers[alive]
	})
	count()
	w.workers[0] = w.workers[alive]
	for _, check := range []func() *Breach{w.audit, w.settled, w.explained, w.delivered, w.verified} {
		w.fail(check())
	}
	if b := w.breach(); b != nil {
		require.Fail(t, b.Error(), "%s at %+v\n%s", s.name, at, strings.Join(w.trace.last(), "\n"))
	}
	if made := w.money.order[before:]; len(made) > 0 || s.outside || !p.unanswered || again {
		p.end = st.ending(made)
	} else if p.end = st.ending(made); !w.decided(s) {
		p.end = nothing
	}
	return p
}

// decided tells whether a scenario that makes no payment has left a trace: a case that a person decided.
func (w *world) decided(scenario) bool {
	for _, c := range w.money.cases {
		if c.state == payments.CaseResolved {
			return true
		}
	}
	return false
}

func (s scenario) stage(t *testing.T) *stage {
	t.Helper()
	w, err := newWorld(Config{Seed: 1, Bare: true})
	require.NoError(t, err)
	w.calm = true
	w.config.MaxNotSent = 5
	w.limit.Kinds, w.money.limit.Kinds = nil, nil
	w.verdicts, w.money.verdicts, w.config.Rules = s.rules, s.rules, nil
	for _, v := range s.rules {
		w.config.Rules = append(w.config.Rules, v)
	}
	conf := sandbox.Config{
		Name: "all", Seed: 1, Clock: w.clock, Secret: []byte("whsec_all"), Assets: []currency.Asset{currency.USD, currency.EUR, ether},
		CardFee: sandbox.Fee{Fixed: 30}, DisputeFee: sandbox.Fee{Fixed: 1_500}, CardSettleAfter: 30 * time.Hour, SettleAfter: 20 * time.Hour, PayoutAfter: 20 * time.Hour,
		KeyRetention: 30 * 24 * time.Hour, // longer than any step, so that nothing is parked
	}
	if s.conf != nil {
		s.conf(&conf)
	}
	far, err := sandbox.New(conf)
	require.NoError(t, err)
	w.sites = []*site{{name: "all", far: far, assets: []*currency.Definition{currency.USD, currency.EUR, ether}}}
	w.workers = make([]*process, 3)
	for i := range w.workers {
		require.NoError(t, w.restart(i))
	}
	return &stage{T: t, world: w, far: far, first: w.workers[0]}
}

// steps are how long the clock waits between rounds: long enough for leases and time-outs, then for banks.
var steps = []time.Duration{20 * time.Second, 3 * time.Minute, 26 * time.Hour}

// rest lets the process that is alive work until everything is done, so many rounds at least.
func (st *stage) rest(least int, alive func() *process) {
	st.Helper()
	left := ""
	for round := range maxRounds {
		for worked := false; !worked; {
			p := alive()
			st.step(p)
			if !p.dead {
				st.pump(p, 100)
			}
			worked = !p.dead
		}
		if left = st.unfinished(); left == "" && round >= least {
			return
		}
		// Every step has calls, and every call is a point to die at.
		st.now = st.now.Add(steps[min(round, len(steps)-1)])
	}
	require.Fail(st, "never comes to rest: "+left, "%s", strings.Join(st.trace.last(), "\n"))
}

// settleDown lets one process work until everything is done.
func (st *stage) settleDown(p *process) {
	st.Helper()
	st.rest(0, func() *process { return p })
}

// ending is everything that matters of how a world ended.
func (st *stage) ending(made []*intent) string {
	var b strings.Builder
	var all []string
	for _, p := range made {
		all = append(all, fmt.Sprintf("%s's payment is %s: %s of %v, moved %v, %d effects, executed %d\n",
			p.Member, p.state, p.Kind, p.Amount, p.moved(), len(p.Effects), st.far.Executed(p.ID)))
	}
	slices.Sort(all)
	b.WriteString(strings.Join(all, ""))
	less := func(a, b ledger.AccountID) int { return strings.Compare(a.String(), b.String()) }
	for _, id := range slices.SortedFunc(maps.Keys(st.truth.accounts), less) {
		a := st.truth.accounts[id]
		if a.Posted.Sign() != 0 || a.Held.Sign() != 0 || a.Terms.DebitsFrozen {
			fmt.Fprintf(&b, "%s: %v, held %v, frozen %v\n", id, a.Posted, a.Held, a.Terms.DebitsFrozen)
		}
	}
	open := len(st.openCases())
	fmt.Fprintf(&b, "%d cases, %d open", len(st.money.cases), open)
	return b.String()
}
