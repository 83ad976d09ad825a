package payments_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/payments"
	"github.com/koshpay/kosh/providers"
	"github.com/koshpay/kosh/providers/sandbox"
)

// What the bank of a payer takes back and what the payer disputes besides is held of the member's other money, in whatever order
// the two are heard of, and is theirs again when the dispute is won.
func TestDisputeIsHeldWhateverElseIsTakenBack(t *testing.T) {
	at := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	moved := providers.Effect{ID: "m", Kind: providers.Moved, Amount: usd("50.00"), At: at}
	returned := providers.Effect{ID: "r", Kind: providers.Reversed, Amount: usd("-50.00"), Reverses: "m", At: at}
	disputed := providers.Effect{ID: "d", Kind: providers.Disputed, Amount: usd("-50.00"), Reverses: "m", Dispute: "dp", At: at}
	all := []providers.Effect{moved, returned, disputed}
	for _, won := range []bool{true, false} {
		permutations(len(all), func(order []int) {
			e := newEnv(t, noPolling)
			e.receiveUSD("alice", usd("80.00"))
			p := e.deposit("alice", e.link("alice", sandbox.TokenBank), usd("50.00"))
			tell := func(state providers.DisputeState, hour int, effects ...providers.Effect) {
				r := about(p, false, effects)
				if state != "" {
					r.Disputes = []providers.Dispute{{ID: "dp", State: state, Amount: usd("50.00"), At: at.Add(time.Duration(hour) * time.Hour)}}
				}
				e.report(r)
				e.report(r)
			}
			for _, i := range order {
				state := providers.DisputeState("")
				if all[i].Kind == providers.Disputed {
					state = providers.DisputeOpen
				}
				tell(state, 0, all[i])
			}
			e.hasWallet("alice", "80.00", "50.00", "0.00")
			_, err := e.withdraw("alice", e.link("alice", sandbox.TokenBank), usd("31.00"))
			require.ErrorIs(t, err, payments.ErrDeclined, "%v", order)
			if won {
				tell(providers.DisputeWon, 1, providers.Effect{ID: "b", Kind: providers.Reinstated, Amount: usd("50.00"), Reverses: "d", Dispute: "dp", At: at})
				e.hasWallet("alice", "80.00", "0.00", "0.00")
			} else {
				tell(providers.DisputeLost, 1)
				e.hasWallet("alice", "30.00", "0.00", "0.00")
			}
			e.balanced()
			require.Equal(t, "0.00", e.posted(payments.DisputedAccount("sandbox", "USD")))
		})
	}
}

// One provisional hold stands for as much of several disputes as it has, and not for each of them.
func TestDisputesShareTheProvisionalHold(t *testing.T) {
	at := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	e := newEnv(t, noPolling)
	e.receiveUSD("alice", usd("100.00"))
	p := e.deposit("alice", e.link("alice", sandbox.TokenBank), usd("50.00"))
	effects := []providers.Effect{{ID: "m", Kind: providers.Moved, Amount: usd("50.00"), At: at}}
	e.report(about(p, false, effects))
	e.hasWallet("alice", "150.00", "50.00", "0.00")
	took := func(id, amount string) {
		effects = append(slices.Clone(effects), providers.Effect{
			ID: id, Kind: providers.Disputed, Amount: usd("-" + amount), Reverses: "m", Dispute: "dp-" + id, At: at,
		})
		e.report(about(p, false, effects))
	}
	took("1", "30.00")
	e.hasWallet("alice", "150.00", "50.00", "0.00")
	took("2", "50.00")
	e.hasWallet("alice", "150.00", "80.00", "0.00")
	effects = append(slices.Clone(effects), providers.Effect{ID: "r", Kind: providers.Reversed, Amount: usd("-50.00"), Reverses: "m", At: at})
	e.report(about(p, false, effects))
	e.hasWallet("alice", "100.00", "80.00", "0.00")

	// Each is decided by itself.
	decided := about(p, false, effects)
	decided.Disputes = []providers.Dispute{{ID: "dp-1", State: providers.DisputeLost, At: at.Add(time.Hour)}}
	e.report(decided)
	e.hasWallet("alice", "70.00", "50.00", "0.00")
	decided.Disputes[0] = providers.Dispute{ID: "dp-2", State: providers.DisputeWon, At: at.Add(time.Hour)}
	e.report(decided)
	e.hasWallet("alice", "70.00", "0.00", "0.00")
	e.balanced()
}

// Two disputes that are lost at once are charged one after the other: neither takes what the other has taken.
func TestDisputesLostAtOnce(t *testing.T) {
	at := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	e := newEnv(t, noPolling)
	p := e.deposit("alice", e.link("alice", sandbox.TokenBank), usd("50.00"))
	e.report(about(p, true, []providers.Effect{{ID: "m", Kind: providers.Moved, Amount: usd("50.00"), At: at}}))
	e.send("alice", "bob", usd("20.00"))
	r := about(p, true, []providers.Effect{
		{ID: "1", Kind: providers.Disputed, Amount: usd("-20.00"), Reverses: "m", Dispute: "dp-1", At: at},
		{ID: "2", Kind: providers.Disputed, Amount: usd("-30.00"), Reverses: "m", Dispute: "dp-2", At: at},
	})
	r.Disputes = []providers.Dispute{
		{ID: "dp-1", State: providers.DisputeLost, At: at}, {ID: "dp-2", State: providers.DisputeLost, At: at},
	}
	e.report(r)
	e.hasWallet("alice", "0.00", "0.00", "20.00")
	require.Equal(t, "0.00", e.posted(payments.DisputedAccount("sandbox", "USD")))
	e.balanced()
}

// A hundred disputes that are lost in one report, over as many holds as there may be and more, fit the steps that they need.
func TestManyDisputesLostAtOnce(t *testing.T) {
	at := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	e := newEnv(t, noPolling)
	p := e.deposit("alice", e.link("alice", sandbox.TokenBank), usd("10.00"))
	e.report(about(p, false, many(providers.Moved, usd("0.01"))))
	e.hasWallet("alice", "10.00", "10.00", "0.00")
	r := about(p, false, nil)
	for i := range providers.MaxDisputes {
		id := fmt.Sprint(i)
		r.Effects = append(r.Effects, providers.Effect{ID: "d" + id, Kind: providers.Disputed, Amount: usd("-0.05"), Reverses: "moved-" + id, Dispute: id, At: at})
		r.Disputes = append(r.Disputes, providers.Dispute{ID: id, State: providers.DisputeOpen, At: at})
	}
	e.report(r)
	e.hasWallet("alice", "10.00", "10.00", "0.00")
	for i := range r.Disputes {
		r.Disputes[i].State, r.Disputes[i].At = providers.DisputeLost, at.Add(time.Hour)
	}
	e.report(r)
	require.Equal(t, "0.00", e.posted(payments.DisputedAccount("sandbox", "USD")))
	r.Final = true
	e.report(r)
	e.clock.advance(time.Minute)
	e.work()
	e.hasWallet("alice", "5.00", "0.00", "0.00")
	e.balanced()
}
