package providertest

import (
	"math/big"
	"testing"
	"time"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/providers"
)

// ChainHarness makes what the checks of a chain adapter play with.
type ChainHarness struct {
	// Open makes a new chain, on which no two checks meet, and what the adapter needs there: a store, a signer, and on the chain
	// enough of every asset, at the addresses that the adapter pays from, for some fifty withdrawals of ChainWorld.Usual.
	// What it paid in is reported by the adapter before the first block that the check mines, or never. It cleans up with t.Cleanup.
	Open func(t *testing.T) *ChainWorld
	// Poor is Open, but at the addresses that the adapter pays from there is enough of ChainWorld.Token and nothing of the chain's own
	// asset. Optional; without it the chain is taken to charge in the asset that it moves.
	Poor func(t *testing.T) *ChainWorld
}

// ChainWorld is a chain, and an adapter to it, for one check. Hooks are called one at a time, except for those of the Tap. An error of a
// hook fails the check. What is not marked optional is required.
type ChainWorld struct {
	// Connect makes an adapter on this world's chain, store and signer, as a process that starts would. It may be called many times;
	// adapters that were made earlier then stand for other processes, or for processes that died. The adapter reaches its
	// StateStore, its Signer and its endpoints only through the tap: see Tap. A nil Tap lets everything pass.
	Connect func(tap *Tap) providers.Provider
	// Asset is the chain's own, which it charges in. Token is another asset on the chain that is offered; optional, nil if there is none.
	Asset, Token currency.Asset
	// Usual is an amount of an asset that is paid in and withdrawn as a matter of course: above Dust, far above what a transaction
	// costs, not a round number.
	Usual func(a currency.Asset) currency.Amount
	// Confirmations is how many blocks must hold a transaction, its own among them, before it counts: at least 2. Window is how deep a
	// reorganisation the adapter follows by itself: at least Confirmations. What is deeper than that is final.
	// Choose small ones: the checks mine Window+1 blocks many times.
	Confirmations, Window int
	// Now is the adapter's clock. It moves by Mine alone.
	Now func() time.Time

	// Mine makes n blocks and passes as much time as they take. The first holds all transactions that wait and pay enough.
	Mine func(n int) error
	// NewAddress returns an address of somebody else's, never used before.
	NewAddress func() string
	// Received says how much of an asset an address of somebody else's holds by the chain's newest block.
	Received func(address string, a currency.Asset) (*big.Int, error)
	// Custody says how much of an asset all addresses of the adapter's hold by the chain's newest block, as the chain itself tells: ask
	// a node, not the adapter.
	Custody func(a currency.Asset) (*big.Int, error)
	// Pay sends a transaction of somebody else's that makes all these payments, and returns its id as references have it. It waits for
	// a block. Several payments in one transaction are of one asset, Token where there is one.
	Pay func(payments ...ChainPayment) (txid string, err error)
	// Reorganise replaces the newest depth blocks by depth+1 others that hold no transaction of those blocks. Such transactions wait
	// again, but for those in drop (ids that Pay returned): the other branch spends their money elsewhere, so they never come back.
	Reorganise func(depth int, drop ...string) error
	// Resume is what a person does when the adapter has halted.
	Resume func(p providers.Provider) error

	// PayRaw is one payment of a quantity, which need not be an amount: 0, 2^256-1. Optional; without it the chain
	// is taken to have no such payments.
	PayRaw func(to string, a currency.Asset, quantity *big.Int) (txid string, err error)
	// PayFails sends a transaction of somebody else's that would have paid, is mined, and fails. Optional; without it, what fails is
	// taken not to be mined.
	PayFails func(payment ChainPayment) (txid string, err error)
	// PayFake makes a contract that nobody enabled say that a payment was made. Optional.
	PayFake func(to string, quantity *big.Int) (txid string, err error)
	// NoReturn is a token whose transfers return nothing, TakesFee one that keeps a part of what is transferred, and Lies one that does and
	// whose log says that all arrived. They are offered. Optional.
	NoReturn, TakesFee, Lies currency.Asset
	// Dust is an amount of Asset below the least that the adapter is configured to attribute. Optional, Amount{} if there is no least.
	Dust currency.Amount
	// Fails returns an address, as NewAddress does, to which a withdrawal of Asset is mined and fails. Optional.
	Fails func() string

	// Congest makes blocks leave out what waits now, until something that pays more takes its place. The adapter is configured to take that
	// for stuck after a few blocks, or has Bump. Optional; without it nothing is ever replaced.
	Congest func() error
	// Bump makes the adapter replace what is stuck now, if it does not do so when it polls. Optional.
	Bump func(p providers.Provider) error
	// Unbump ends congestion, and makes the next block hold the transactions of ours that were replaced, not those that took their
	// place; the check mines it at once. Required with Congest.
	Unbump func() error
	// Forget makes the nodes forget all that waits, as after a restart. Optional.
	Forget func() error
	// Sweep makes the adapter collect what came to its addresses, if it does not do so when it polls. It may have to be called again after
	// a block. Optional.
	Sweep func(p providers.Provider) error

	// Stranger makes the endpoints answer as those of another chain would. Optional; but leave it out only if adapters are not
	// told which chain they are on.
	Stranger func(on bool) error
	// Disagree makes one of several endpoints tell of another block than the others, below the Window. Optional; without it there is
	// one endpoint.
	Disagree func(on bool) error
}

// ChainPayment is a payment within a transaction.
type ChainPayment struct {
	To     string
	Amount currency.Amount
}

// missing names what the world lacks, or returns "".
func (w *ChainWorld) missing() string {
	switch {
	case w == nil:
		return "Open returned no ChainWorld"
	case w.Connect == nil:
		return "ChainWorld.Connect"
	case w.Asset == nil:
		return "ChainWorld.Asset"
	case w.Usual == nil:
		return "ChainWorld.Usual"
	case w.Confirmations < 2:
		return "ChainWorld.Confirmations of at least 2"
	case w.Window < w.Confirmations:
		return "a ChainWorld.Window of at least Confirmations"
	case w.Now == nil:
		return "ChainWorld.Now"
	case w.Mine == nil:
		return "ChainWorld.Mine"
	case w.NewAddress == nil:
		return "ChainWorld.NewAddress"
	case w.Received == nil:
		return "ChainWorld.Received"
	case w.Custody == nil:
		return "ChainWorld.Custody"
	case w.Pay == nil:
		return "ChainWorld.Pay"
	case w.Reorganise == nil:
		return "ChainWorld.Reorganise"
	case w.Resume == nil:
		return "ChainWorld.Resume"
	case w.Congest != nil && w.Unbump == nil:
		return "ChainWorld.Unbump, though the chain can be congested"
	}
	return ""
}

// ChainCheck is one rule of chain adapters and the way to find out whether one keeps it.
type ChainCheck struct {
	Name string // as in the name of RunChain's subtest
	Rule string // what must hold, and why
	// poor: the check plays in a world of ChainHarness.Poor.
	poor bool
	run  func(p *chainProbe)
}

// RunChain runs every check as a subtest, in addition to Run. A waived check is skipped and says why. Whatever a check is about, at its
// end the chain's own word on what our addresses hold must be what the adapter reported, to the unit.
func RunChain(t *testing.T, h ChainHarness) {
	t.Helper()
	for _, c := range ChainChecks() {
		t.Run(c.Name, func(t *testing.T) { c.Inspect(t, h).tell(t) })
	}
}

// Inspect runs the check and returns what it found, without failing t: for those who test a test.
func (c ChainCheck) Inspect(t *testing.T, h ChainHarness) Finding {
	t.Helper()
	named := Check{Name: c.Name, Rule: c.Rule}
	open := h.Open
	if c.poor {
		if open = h.Poor; open == nil {
			return Finding{Check: named, Waived: "the harness' chain charges in the asset that it moves (no ChainHarness.Poor)"}
		}
	}
	p := &chainProbe{verdict: verdict{ctx: t.Context()}, ChainWorld: open(t)}
	if missing := p.missing(); missing != "" {
		return Finding{Check: named, Failures: []string{"the harness lacks " + missing}}
	}
	p.try(p.start)
	if len(p.failures) == 0 {
		p.try(func() { c.run(p) })
	}
	return p.judge(named, func() {
		if p.waived == "" && len(p.failures) == 0 {
			p.conserved()
		}
	})
}

// ChainChecks returns every check of chain adapters, in the order in which RunChain runs them.
func ChainChecks() []ChainCheck {
	return []ChainCheck{
		confirmationsCheck, severalCheck, failedCheck, zeroCheck, dustCheck, addressesCheck,
		fakeCheck, noReturnCheck, takesFeeCheck, liesCheck,
		largestCheck, tooLargeCheck, largestOfAllCheck,
		orphanedCheck, minedAgainCheck, orphanedEarlyCheck, duringScanCheck, tooDeepCheck, strangerCheck, disagreeCheck,
		rescanCheck, restartCreditsCheck, pagesCheck, twoScannersCheck,
		crashWithdrawalCheck, crashAddressCheck, crashScanCheck, crashReplacingCheck, crashSweepingCheck, lostAnswerCheck, endpointDownCheck,
		withdrawalCheck, eightCheck, twoProcessesSendCheck, tooMuchCheck, noGasCheck, revertedCheck, withdrawalOrphanedCheck, ownAddressCheck, sweepCheck,
		feeCapCheck, quoteExpiredCheck, signedStaysCheck, quoteCheck, stuckCheck, originalFirstCheck, capHoldsCheck, forgottenCheck,
		intentCheck, signerRefusesCheck, someRefusedCheck, signerDownCheck, wrongSignatureCheck, highCheck,
	}
}
