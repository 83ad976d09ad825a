package providertest_test

import (
	"context"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/providers"
	"github.com/koshpay/kosh/providers/providertest"
	"github.com/koshpay/kosh/providers/sandbox"
)

// amount is a count of an operation's smallest units.
func amount(units int64, op providers.Operation) currency.Amount {
	return currency.MustNew(units, op.Amount.Asset())
}

func check(t *testing.T, name string) providertest.Check {
	t.Helper()
	for _, c := range providertest.Checks() {
		if c.Name == name {
			return c
		}
	}
	t.Fatalf("no check %s", name)
	return providertest.Check{}
}

// altered is the card harness with a change to its world.
func altered(change func(w *providertest.World)) providertest.Harness {
	h := harness(providers.Card, asIs)
	return providertest.Harness{Open: func(t *testing.T) *providertest.World {
		w := h.Open(t)
		change(w)
		return w
	}}
}

func TestAnIncompleteHarnessFails(t *testing.T) {
	for name, change := range map[string]func(w *providertest.World){
		"World.Provider":   func(w *providertest.World) { w.Provider = nil },
		"World.Reopen":     func(w *providertest.World) { w.Reopen = nil },
		"World.Operation":  func(w *providertest.World) { w.Operation = nil },
		"World.Executed":   func(w *providertest.World) { w.Executed = nil },
		"World.Requests":   func(w *providertest.World) { w.Requests = nil },
		"World.Fault":      func(w *providertest.World) { w.Fault = nil },
		"World.Advance":    func(w *providertest.World) { w.Advance = nil },
		"World.Deliveries": func(w *providertest.World) { w.Forge = nil },
	} {
		f := check(t, "descriptor").Inspect(t, altered(change))
		require.Len(t, f.Failures, 1, name)
		assert.Contains(t, f.Failures[0], name)
	}
	f := check(t, "lost-response-is-maybe").Inspect(t, altered(func(w *providertest.World) {
		w.Fault = func(providertest.Fault) bool { return false }
	}))
	require.Len(t, f.Failures, 1)
	assert.Contains(t, f.Failures[0], `cannot play "lost response"`)
	assert.Empty(t, f.Waived, "money safety is never waived")

	f = check(t, "descriptor").Inspect(t, altered(func(w *providertest.World) {
		inner := w.Operation
		w.Operation = func(k providers.Kind) (providers.Operation, bool) {
			op, ok := inner(k)
			return op, ok && k != providers.Refund
		}
	}))
	require.Len(t, f.Failures, 1)
	assert.Contains(t, f.Failures[0], "no sample")
}

// What money safety needs and an older harness lacks fails the check that needs it, and no other.
func TestAHookThatMoneySafetyNeedsIsNeverWaived(t *testing.T) {
	for name, tt := range map[string]struct {
		check  string
		method providers.Method
		change func(w *providertest.World)
	}{
		"World.Moved":    {"amounts-are-exact", providers.Chain, func(w *providertest.World) { w.Moved = nil }},
		"World.Keyed":    {"webhook-empty-secret", providers.Card, func(w *providertest.World) { w.Keyed = nil }},
		"Sign":           {"webhook-key-rotation", providers.Card, func(w *providertest.World) { w.Sign = nil }},
		"World.Returned": {"returned-deposit", providers.Bank, func(w *providertest.World) { w.Returned = nil }},
	} {
		h := harness(tt.method, asIs)
		f := check(t, tt.check).Inspect(t, providertest.Harness{Open: func(t *testing.T) *providertest.World {
			w := h.Open(t)
			tt.change(w)
			return w
		}})
		require.Len(t, f.Failures, 1, name)
		assert.Contains(t, f.Failures[0], "the harness lacks")
		assert.Contains(t, f.Failures[0], name)
		assert.Empty(t, f.Waived, name)
	}
	for name, want := range map[string]string{
		"returned-deposit":        "no offer of deposits is Provisional",
		"bounced-payout":          "the harness' far side has no payouts that bounce",
		"action-required":         "the harness' far side has no deposit that waits for the person",
		"refund-that-fails-later": "the harness' far side has no refunds that come back",
		"dispute":                 "the harness' far side has no disputes",
		"unasked-is-reported":     "the harness' far side does nothing unasked",
		"webhook-stale":           "the harness declares that signatures carry no time",
	} {
		f := check(t, name).Inspect(t, altered(func(w *providertest.World) {
			w.Returned, w.Bounced, w.Waiting, w.RefundFails, w.Disputed, w.Unasked, w.Timeless = nil, nil, nil, nil, nil, nil, true
		}))
		assert.Equal(t, want, f.Waived, name)
		assert.Empty(t, f.Failures, name)
	}
}

// A fault that a far side cannot suffer does not waive a check that plays others too.
func TestAFaultThatCannotBePlayedWaivesNoMoreThanItsOwnCheck(t *testing.T) {
	rare := []providertest.Fault{
		providertest.Refuse, providertest.Reject, providertest.Decline, providertest.RateLimit, providertest.Slow,
		providertest.OtherAmount, providertest.FailPoll, providertest.NoFault,
	}
	waived := map[string]bool{
		"refused-is-not-sent": true, "rejected-means-never": true, "declined-is-a-report": true, "rate-limit-is-for-now": true,
		"slow-request-is-maybe": true, "amount-as-it-moved": true,
	}
	full := harness(providers.Bank, asIs)
	plain := providertest.Harness{Open: func(t *testing.T) *providertest.World {
		w := full.Open(t)
		play := w.Fault
		w.Fault = func(f providertest.Fault) bool { return !slices.Contains(rare, f) && play(f) }
		return w
	}}
	for _, c := range providertest.Checks() {
		before, f := c.Inspect(t, full), c.Inspect(t, plain)
		assert.Empty(t, f.Failures, c.Name)
		assert.Equal(t, waived[c.Name] || before.Waived != "", f.Waived != "", "%s: %s", c.Name, f.Waived)
	}
}

type silent struct{ providers.Provider }

func TestOnlyWhatIsDeclaredAbsentIsWaived(t *testing.T) {
	bare := harness(providers.Card, func(s *sandbox.Sandbox) providers.Provider { return silent{s} })
	for name, want := range map[string]string{
		"webhook-flipped-byte":      "the provider is no Receiver",
		"poll-without-gaps":         "the provider is no Poller",
		"address-receives":          "the descriptor offers no addresses",
		"reorganisation-takes-back": "the harness' far side is no chain",
		"lost-response-is-maybe":    "",
	} {
		f := check(t, name).Inspect(t, bare)
		assert.Equal(t, want, f.Waived, name)
		assert.Empty(t, f.Failures, name)
	}
	keyless := harness(providers.Card, func(s *sandbox.Sandbox) providers.Provider {
		return &broken{Sandbox: s, describe: func() providers.Descriptor {
			d := s.Describe()
			d.KeyRetention = 0
			return d
		}}
	})
	assert.Contains(t, check(t, "same-key-executes-once").Inspect(t, keyless).Waived, "without keys")
	assert.Empty(t, check(t, "lost-response-is-maybe").Inspect(t, keyless).Waived)
}

func TestAPanicIsAFailure(t *testing.T) {
	f := check(t, "unknown-is-not-found").Inspect(t, harness(providers.Card, func(s *sandbox.Sandbox) providers.Provider {
		return &broken{Sandbox: s, lookup: func(context.Context, providers.Query) (providers.Report, error) { panic("nil map") }}
	}))
	require.Len(t, f.Failures, 1)
	assert.Contains(t, f.Failures[0], "panicked: nil map")
}
