package providertest_test

// flaw is a mistake that the reference adapter makes: what it does, for people.
type flaw string

// The flaws.
const (
	sound flaw = ""

	countsEarly     flaw = "credits with one confirmation less than it wants"
	finalAtOnce     flaw = "calls a deposit final as soon as it counts"
	oneOutput       flaw = "looks at the first output of a transaction only"
	oneReference    flaw = "names deposits by transaction, without the output"
	creditsFailed   flaw = "credits what a failed transaction would have paid"
	creditsZero     flaw = "takes payments of nothing for deposits"
	creditsFakes    flaw = "believes logs whoever wrote them"
	believesLogs    flaw = "credits what a token says, not what arrived"
	wantsBoolean    flaw = "wants every token to return true"
	dropsDust       flaw = "does not say that dust is dust"
	keepsOrphans    flaw = "does not take an orphaned deposit back"
	sameIDs         flaw = "leaves the block out of effect ids"
	newIDs          flaw = "makes up effect ids that depend on when it looked"
	countsTwice     flaw = "counts a deposit again when it is seen again"
	looksOnce       flaw = "goes one block back at most"
	neverLooksBack  flaw = "never looks back"
	trustsParents   flaw = "does not look at parents while it scans"
	anyDepth        flaw = "follows a reorganisation of any depth"
	sendsWhenHalted flaw = "goes on sending while it is halted"
	skipsNews       flaw = "skips an event at the border of a page"
	inMemory        flaw = "keeps what it knows in memory"

	sendsFirst     flaw = "sends first and writes down afterwards"
	showsFirst     flaw = "shows an address before it is written down"
	overwrites     flaw = "writes its state without looking who else did"
	losesAreFinal  flaw = "takes a lost answer for a refusal"
	forgetsOnError flaw = "forgets a transaction whose broadcast failed"
	mintsAnew      flaw = "signs anew for a key that it signed before"
	asksForNonce   flaw = "asks the node for the next nonce"
	neverBumps     flaw = "never replaces what is stuck"
	bumpsNonce     flaw = "replaces what is stuck with another nonce"
	bumpsBeyond    flaw = "replaces beyond the cap of the fee"
	oneVersion     flaw = "looks for the newest replacement only"
	sendsOnce      flaw = "never sends a forgotten transaction again"
	ignoresCap     flaw = "does not mind the cap of the fee"
	ignoresExpiry  flaw = "does not mind when a quote expired"
	capsSigned     flaw = "rejects a key that it signed because of a later cap"
	neverCounts    flaw = "signs whatever it has the money for"
	quotesLittle   flaw = "quotes half of what it will cost"
	failsEarly     flaw = "calls a withdrawal failed before it is final"
	revertsArePaid flaw = "takes every mined transaction for a payment"
	keepsSpent     flaw = "does not take an orphaned withdrawal back"

	forgetsReverts flaw = "does not report what a failed transaction cost"
	forgetsBumps   flaw = "does not report what a replacement cost"
	forgetsSweeps  flaw = "does not report what sweeping cost"
	estimatesFee   flaw = "reports what it thought a transaction would cost"
	countsOwn      flaw = "takes its own top-ups for deposits"

	signsBlind   flaw = "shows the signer no outputs"
	asksAgain    flaw = "takes a signer's refusal for a passing one"
	downIsFinal  flaw = "takes a signer that is away for a refusal"
	trustsSigner flaw = "sends what a signer answers, whatever it is"
	keepsHigh    flaw = "leaves s as high as it comes"

	cutsLarge    flaw = "keeps the lowest bits of what does not fit"
	dropsLarge   flaw = "leaves out what does not fit"
	stopsAtLarge flaw = "stops at what does not fit"

	anyChain    flaw = "does not ask which chain it is on"
	oneEndpoint flaw = "believes one endpoint"
)
