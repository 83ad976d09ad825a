package providertest

import (
	"testing"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/providers"
)

// Harness makes what the checks play with.
type Harness struct {
	// Open makes a new adapter over a new, empty far side; each check gets its own. It cleans up with t.Cleanup.
	Open func(t *testing.T) *World
}

// World is an adapter and the far side behind it, for one check. What is not marked optional is required.
type World struct {
	Provider providers.Provider
	// Reopen makes another adapter on the same far side, and on the same StateStore if there is one, as after a restart.
	Reopen func() providers.Provider
	// Operation returns a sample of a kind that goes well, with a new key each time; false for kinds that are not offered. The
	// checks fill in the target of a Refund or Cancel.
	Operation func(kind providers.Kind) (providers.Operation, bool)
	// Executed says by the far side's own books how often money moved because of a key, or is still on its way; of a Link
	// or DepositAddress, how often one was made. What was declined is 0.
	Executed func(key string) int
	// Requests says how many requests to do something came so far, those that met a fault included. Look-ups do not count.
	Requests func() int
	// Fault makes the next Submit, or Lookup, meet a fault, and reports whether it can. It is called before Operation, so a
	// far side that declines by instrument may make the next sample a bad one.
	Fault func(f Fault) bool
	// Advance passes time until something at the far side changes: settlement, a block, the end of a return window. When
	// nothing more will change it passes Descriptor.VisibleAfter and returns false.
	Advance func() bool

	// Moved says what the far side's own books moved because of a key, without its sign, as its people read it there: an amount
	// that an adapter wrote with too many zeros is seen here, not in the adapter's reports. Of several movements, all in
	// one direction, the sum; false: nothing moved. Without it the checks of amounts fail.
	Moved func(key string) (currency.Amount, bool)
	// OperationIn is Operation of a kind in another asset that is offered. Optional: without it the sample of Operation is
	// taken with the amount replaced.
	OperationIn func(kind providers.Kind, asset currency.AssetID) (providers.Operation, bool)

	// Returned returns a sample of a deposit that goes well and is taken back later, as a bank returns a debit. Required when
	// an offer of deposits is Provisional.
	Returned func() (providers.Operation, bool)
	// Bounced returns a sample of a withdrawal that goes well and comes back later. Optional; without it payouts are taken
	// never to bounce.
	Bounced func() (providers.Operation, bool)
	// RefundFails returns a sample of a deposit that goes well, and whose refund goes well and comes back later. Optional;
	// without it refunds are taken never to come back.
	RefundFails func() (providers.Operation, bool)
	// Waiting returns a sample of a deposit that waits for the person, ActionRequired, as a card with 3-D Secure does. Answer is
	// that person: it approves or turns down the deposit under a key. Optional, both or none.
	Waiting func() (providers.Operation, bool)
	Answer  func(key string, approve bool) error

	// Disputed returns a sample of a deposit that goes well, and all of which is disputed later: the money is withdrawn, and comes
	// back if the dispute is won. Optional; without it deposits are taken never to be disputed.
	Disputed func(won bool) (providers.Operation, bool)

	// Deliveries returns the webhooks that the far side sent since the last call. Required of a Receiver.
	Deliveries func() []providers.Delivery
	// Forge signs a delivery anew with a secret that the adapter does not have. Required of a Receiver.
	Forge func(d providers.Delivery) providers.Delivery
	// Unknown returns an authentic delivery of a type that the adapter cannot know. Required of a Receiver.
	Unknown func() providers.Delivery
	// Keyed makes another adapter on the same far side that accepts webhooks signed with any of these secrets, newest first;
	// with none it is an adapter that was configured without. An error says that the constructor refuses them. Where the
	// far side signs with key pairs a secret is the name of one. Without it the check of empty secrets fails.
	Keyed func(secrets ...string) (providers.Provider, error)
	// Sign signs a delivery anew with a secret, as of its ReceivedAt; with an empty one as well as anybody could.
	Sign func(d providers.Delivery, secret string) providers.Delivery
	// Timeless declares that the far side's signatures carry no time, so that an old delivery looks like a new one.
	Timeless bool

	// Unasked makes something happen at the far side that nobody asked for through the adapter and that no address explains:
	// a transfer without a reference, a payment made by hand. It returns how much came. Optional; without it the far side is
	// taken to do nothing unasked.
	Unasked func() (currency.Amount, error)

	// Pay sends money to an address that a DepositAddress operation made. Required when that kind is offered.
	Pay func(address string, amount currency.Amount) error
	// Reorganise takes the last payment out of the chain, to be mined again. Optional; without it the far side is taken
	// to be no chain.
	Reorganise func() error

	// Logged returns what the adapter wrote to a logger of its own so far. What it writes to the default loggers of packages
	// log and slog is seen without. Optional.
	Logged func() string
	// Secrets are texts that must never be printed: API keys, webhook secrets. Optional, but leave none out.
	Secrets []string
}

// Fault is what a harness makes the next request meet.
type Fault string

// The faults. The first five must be possible: without them nothing is known about an adapter. World.Fault returns false for
// one that the far side cannot suffer, and for one that it does not know: there may be more.
const (
	LostRequest  Fault = "lost request"  // the connection drops or times out before the far side acts
	LostResponse Fault = "lost response" // the far side acts, and the answer does not arrive
	ServerError  Fault = "server error"  // a 5xx, whether the far side acted or not
	Garbage      Fault = "garbage"       // an answer that cannot be read, whether the far side acted or not
	FailLookup   Fault = "failed lookup" // the next look-up meets an error
	Refuse       Fault = "refused"       // the connection is refused, before anything is sent
	Reject       Fault = "rejected"      // the far side refuses the request as such, a 400
	Decline      Fault = "declined"      // the far side says no, a card_declined
	RateLimit    Fault = "rate limit"    // a 429: not now, and nothing was done
	Slow         Fault = "slow request"  // it times out, and the far side acts later, within Descriptor.VisibleAfter
	OtherAmount  Fault = "other amount"  // the far side moves another amount than was asked for, and says so
	FailPoll     Fault = "failed poll"   // the next Poll meets an error
	NoFault      Fault = ""              // drops a fault that no call has met: the next goes well; what Fault returns is not looked at
)

// missing names what the world lacks, or returns "".
func (w *World) missing() string {
	switch {
	case w == nil:
		return "Open returned no World"
	case w.Provider == nil:
		return "World.Provider"
	case w.Reopen == nil:
		return "World.Reopen"
	case w.Operation == nil:
		return "World.Operation"
	case w.Executed == nil:
		return "World.Executed"
	case w.Requests == nil:
		return "World.Requests"
	case w.Fault == nil:
		return "World.Fault"
	case w.Advance == nil:
		return "World.Advance"
	}
	if _, ok := providers.As[providers.Receiver](w.Provider); ok && (w.Deliveries == nil || w.Forge == nil || w.Unknown == nil) {
		return "World.Deliveries, Forge or Unknown, though the provider is a Receiver"
	}
	if _, ok := w.Operation(providers.DepositAddress); ok && w.Pay == nil {
		return "World.Pay, though the provider makes addresses"
	}
	return ""
}
