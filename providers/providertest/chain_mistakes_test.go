package providertest_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/providers/providertest"
)

// flaw is a mistake that the reference adapter makes: what it does, for people.
type flaw string

// The flaws. Each is met in the reference adapter where the mistake would be made.
const (
	sound flaw = ""

	countsEarly     flaw = "credits with one confirmation less than it wants"
	finalAtOnce     flaw = "calls a deposit final as soon as it counts"
	oneOutput       flaw = "looks at the first output of a transaction only"
	oneReference    flaw = "names deposits by transaction, without the output"
	creditsFailed   flaw = "credits what a failed transaction would have paid"
	creditsZero     flaw = "takes payments of nothing for deposits"
	dropsDust       flaw = "does not say that dust is dust"
	ownIndex        flaw = "counts addresses by itself"
	creditsFakes    flaw = "believes logs whoever wrote them"
	wantsBoolean    flaw = "wants every token to return true"
	believesSent    flaw = "credits what was sent, not what arrived"
	believesLogs    flaw = "credits what a token says, not what arrived"
	narrow          flaw = "quarantines what would fit"
	cutsLarge       flaw = "keeps the lowest bits of what does not fit"
	dropsLarge      flaw = "leaves out what does not fit"
	stopsAtLarge    flaw = "stops at what does not fit"
	keepsOrphans    flaw = "does not take an orphaned deposit back"
	neverLooksBack  flaw = "never looks back"
	looksOnce       flaw = "goes one block back at most"
	sameIDs         flaw = "leaves the block out of effect ids"
	keepsWaiting    flaw = "takes back only what has counted"
	trustsParents   flaw = "does not look at parents while it scans"
	anyDepth        flaw = "follows a reorganisation of any depth"
	sendsWhenHalted flaw = "goes on sending while it is halted"
	anyChain        flaw = "does not ask which chain it is on"
	oneEndpoint     flaw = "believes one endpoint"
	newIDs          flaw = "makes effect ids of the cursor"
	processIDs      flaw = "makes effect ids of the process"
	inMemory        flaw = "keeps what it knows in memory"
	skipsNews       flaw = "skips an event at the border of a page"

	sendsFirst      flaw = "sends first and writes down afterwards"
	showsFirst      flaw = "shows an address before it is written down"
	sendsOldest     flaw = "sends what was replaced again, not what took its place"
	sweepsFirst     flaw = "sweeps first and writes down afterwards"
	notesPlaceFirst flaw = "writes down how far it is before what it found"
	losesAreFinal   flaw = "takes a lost answer for a refusal"
	forgetsOnError  flaw = "forgets a transaction whose broadcast failed"
	mintsAnew       flaw = "signs anew for a key that it signed before"
	resigns         flaw = "has the signer sign again for a key that it signed"
	silenceIsNo     flaw = "takes an endpoint that is away for a refusal"
	sendsEarly      flaw = "counts withdrawals with one confirmation less than it wants"
	asksForNonce    flaw = "asks the node for the next nonce"
	ownNonces       flaw = "counts nonces by itself"
	neverCounts     flaw = "signs whatever it is asked to"
	failsEarly      flaw = "calls a withdrawal failed before it is final"
	revertsArePaid  flaw = "takes every mined transaction for a payment"
	forgetsReverts  flaw = "does not report what a failed transaction cost"
	keepsSpent      flaw = "does not take an orphaned withdrawal back"
	skipsOwn        flaw = "takes every transaction of its own for internal"
	countsOwn       flaw = "takes its own top-ups for deposits"
	forgetsSweeps   flaw = "does not report what sweeping cost"

	ignoresCap    flaw = "does not mind the cap of the fee"
	ignoresExpiry flaw = "does not mind when a quote expired"
	capsSigned    flaw = "rejects a key that it signed when its quote has expired"
	quotesLittle  flaw = "quotes half of what it will cost"
	neverBumps    flaw = "never replaces what is stuck"
	bumpsNonce    flaw = "replaces what is stuck with another nonce"
	forgetsBumps  flaw = "does not report what a replacement cost"
	estimatesFee  flaw = "reports what it thought a transaction would cost"
	oneVersion    flaw = "looks for the newest replacement only"
	bumpsBeyond   flaw = "replaces beyond the cap of the fee"
	sendsOnce     flaw = "never sends a forgotten transaction again"

	signsBlind   flaw = "shows the signer no outputs"
	asksAgain    flaw = "takes a signer's refusal for a passing one"
	leavesGaps   flaw = "takes a nonce for good before it is signed"
	downIsFinal  flaw = "takes a signer that is away for a refusal"
	trustsSigner flaw = "sends what a signer answers, whatever it is"
	keepsHigh    flaw = "leaves s as high as it comes"
)

// brokenAdapters says which check is meant for a flaw.
var brokenAdapters = []struct {
	flaw  flaw
	check string
}{
	{countsEarly, "confirmations-count"},
	{finalAtOnce, "confirmations-count"},
	{oneOutput, "several-in-one-transaction"},
	{oneReference, "several-in-one-transaction"},
	{creditsFailed, "failed-pays-nothing"},
	{creditsZero, "zero-is-nothing"},
	{dropsDust, "dust-is-called-dust"},
	{ownIndex, "addresses-are-distinct"},
	{creditsFakes, "fake-token-credits-nothing"},
	{wantsBoolean, "token-without-return-value"},
	{believesSent, "token-that-takes-a-fee"},
	{believesLogs, "token-that-lies"},
	{narrow, "largest-amount-is-exact"},
	{cutsLarge, "too-large-is-quarantined"},
	{dropsLarge, "too-large-is-quarantined"},
	{stopsAtLarge, "too-large-is-quarantined"},
	{cutsLarge, "largest-word-is-quarantined"},
	{keepsOrphans, "double-spent-is-taken-back"},
	{neverLooksBack, "double-spent-is-taken-back"},
	{looksOnce, "mined-again-is-another-effect"},
	{sameIDs, "mined-again-is-another-effect"},
	{keepsWaiting, "orphaned-before-it-counts"},
	{trustsParents, "reorganised-during-a-scan"},
	{anyDepth, "too-deep-halts"},
	{sendsWhenHalted, "too-deep-halts"},
	{anyChain, "another-chain-halts"},
	{oneEndpoint, "endpoints-that-disagree-halt"},
	{newIDs, "rescan-credits-once"},
	{inMemory, "restart-credits-once"},
	{skipsNews, "pages-skip-nothing"},
	{processIDs, "two-processes-scan"},

	{sendsFirst, "crash-while-withdrawing"},
	{mintsAnew, "crash-while-withdrawing"},
	{showsFirst, "crash-while-making-an-address"},
	{notesPlaceFirst, "crash-while-scanning"},
	{sendsOldest, "crash-while-replacing"},
	{sweepsFirst, "crash-while-sweeping"},
	{losesAreFinal, "unknown-broadcast-pays-once"},
	{forgetsOnError, "unknown-broadcast-pays-once"},
	{resigns, "unknown-broadcast-pays-once"},
	{silenceIsNo, "endpoint-down"},
	{sendsEarly, "withdrawal-counts"},
	{asksForNonce, "eight-at-once"},
	{ownNonces, "two-processes-send"},
	{neverCounts, "more-than-there-is"},
	{neverCounts, "no-gas"},
	{failsEarly, "failed-withdrawal-costs"},
	{revertsArePaid, "failed-withdrawal-costs"},
	{forgetsReverts, "failed-withdrawal-costs"},
	{keepsSpent, "withdrawal-orphaned"},
	{skipsOwn, "withdrawal-to-ourselves"},
	{countsOwn, "sweeping-costs-and-moves-nothing"},
	{forgetsSweeps, "sweeping-costs-and-moves-nothing"},
	{keepsSpent, "sweeping-costs-and-moves-nothing"},

	{ignoresCap, "fee-cap"},
	{ignoresExpiry, "quote-expired"},
	{capsSigned, "signed-stays-signed"},
	{quotesLittle, "quote-bounds-the-fee"},
	{neverBumps, "stuck-is-replaced"},
	{bumpsNonce, "stuck-is-replaced"},
	{forgetsBumps, "stuck-is-replaced"},
	{estimatesFee, "stuck-is-replaced"},
	{oneVersion, "original-is-mined-first"},
	{bumpsBeyond, "replacement-keeps-the-cap"},
	{sendsOnce, "forgotten-is-sent-again"},

	{signsBlind, "signer-sees-what-it-signs"},
	{asksAgain, "signer-refuses"},
	{leavesGaps, "signer-refuses"},
	{leavesGaps, "signer-refuses-some-of-eight"},
	{downIsFinal, "signer-down"},
	{trustsSigner, "wrong-signature-is-not-sent"},
	{keepsHigh, "high-s-is-normalised"},
}

func TestBrokenChainAdaptersAreRejected(t *testing.T) {
	checks, meant, rejected := map[string]providertest.ChainCheck{}, map[string]bool{}, 0
	for _, c := range providertest.ChainChecks() {
		require.NotContains(t, checks, c.Name)
		require.NotEmpty(t, c.Rule)
		checks[c.Name] = c
	}
	for _, tt := range brokenAdapters {
		check, ok := checks[tt.check]
		require.True(t, ok, tt.check)
		meant[tt.check] = true
		f := check.Inspect(t, modelHarness(tt.flaw))
		if len(f.Failures) == 0 {
			t.Errorf("a chain adapter that %s passes %s", tt.flaw, tt.check)
			continue
		}
		rejected++
		t.Logf("a chain adapter that %s: %s", tt.flaw, f.Failures[0])
	}
	for name := range checks {
		assert.True(t, meant[name], "no broken adapter shows what %s is for", name)
	}
	t.Logf("%d of %d broken chain adapters rejected", rejected, len(brokenAdapters))
}
