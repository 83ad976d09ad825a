package evm_test

import (
	"math/big"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/payments"
	"github.com/koshpay/kosh/providers/evm/evmtest"
)

// TestStory is a host's life on a chain: opening, top-up, tip, withdrawal of a token that costs ether, and what went by itself. After
// every step the chain's own word on our addresses is the ledger's clearing account and what is in flight.
func TestStory(t *testing.T) {
	w := newWorld(t)
	w.opening()
	none := new(big.Int)

	// A top-up counts with its third block.
	alices := w.address("alice", w.dollar)
	topUp := w.amount(w.dollar, "25.5")
	w.pay(alices, topUp)
	for range confirms - 1 {
		w.mine(1)
		w.conserved(w.dollar, topUp.Big(), "before it counts")
		require.Zero(t, w.wallet("alice", w.dollar).Sign())
	}
	w.mine(1)
	w.conserved(w.dollar, none, "when it counts")
	require.Equal(t, topUp.Big(), w.wallet("alice", w.dollar))

	// A tip touches no chain.
	before := w.node.Requests()
	_, err := w.svc.Tip(w.ctx, payments.TransferRequest{
		Key: w.key(), Actor: payments.Member("alice"), From: "alice", To: "bob", Amount: w.amount(w.dollar, "10"),
	})
	require.NoError(t, err)
	require.Equal(t, w.amount(w.dollar, "9.5").Big(), w.wallet("bob", w.dollar))
	require.Equal(t, before, w.node.Requests())

	// Bob pays out to an address of his; gas is paid in ether, by the platform.
	outside := w.node.Address()
	out := w.amount(w.dollar, "9.25")
	p := w.withdraw("bob", outside, out)
	w.settle()
	arrived, err := w.node.Balance(w.contract, outside)
	require.NoError(t, err)
	require.Equal(t, out.Big(), arrived)
	require.Equal(t, payments.Succeeded, w.payment(p.ID).State)
	require.Equal(t, 1, w.node.Executed(outside))
	gas := w.posted(payments.FeesAccount("evm", ether.ID()))
	require.Positive(t, gas.Sign(), "gas is an expense in ether")
	require.Zero(t, w.posted(payments.FeesAccount("evm", w.dollar.ID())).Sign())
	w.sound("after a token went out")

	// Ether that a contract sends is found by reconciling, and is nobody's.
	inside := w.amount(ether, "0.25")
	_, err = w.node.PayInside(alices, inside.Big())
	require.NoError(t, err)
	w.settle()
	w.conserved(ether, inside.Big(), "before it is found")
	balances, err := w.adapter.Reconcile(w.ctx)
	require.NoError(t, err)
	require.Equal(t, inside.Big(), balances[0].Surplus)
	require.Zero(t, balances[1].Surplus.Sign())
	suspense := w.posted(payments.SuspenseAccount("evm", ether.ID()))
	w.wait()
	suspense.Sub(w.posted(payments.SuspenseAccount("evm", ether.ID())), suspense)
	require.Zero(t, suspense.CmpAbs(inside.Big()), "it is in suspense")
	w.sound("when it is found")
	again, err := w.adapter.Reconcile(w.ctx)
	require.NoError(t, err)
	require.Zero(t, again[0].Surplus.Sign(), "once")
	t.Logf("gas posted: %s wei; findings: %v", gas, w.findings())
}

// TestReorganisationAfterCredit takes a deposit back that was credited and partly spent, and credits it again.
func TestReorganisationAfterCredit(t *testing.T) {
	w := newWorld(t)
	w.opening()
	none := new(big.Int)
	amount := w.amount(ether, "1.000000000000000001")
	id := w.pay(w.address("alice", ether), amount)
	w.mine(confirms)
	require.Equal(t, amount.Big(), w.wallet("alice", ether))
	_, err := w.svc.Send(w.ctx, payments.TransferRequest{
		Key: w.key(), Actor: payments.Member("alice"), From: "alice", To: "bob", Amount: w.amount(ether, "0.4"),
	})
	require.NoError(t, err)

	require.NoError(t, w.node.Reorganise(confirms))
	w.work()
	w.conserved(ether, none, "after it was taken out")
	require.Zero(t, w.wallet("alice", ether).Sign())
	owed := w.posted(payments.ReceivableAccount("alice", ether.ID()))
	require.Zero(t, owed.CmpAbs(w.amount(ether, "0.4").Big()), "what was spent is owed")
	require.Positive(t, w.findings()["orphaned"], "somebody should look: %v", w.findings())

	w.mine(confirms)
	w.conserved(ether, none, "when it counts again")
	require.Zero(t, w.posted(payments.ReceivableAccount("alice", ether.ID())).Sign(), "the debt is paid first")
	require.Equal(t, w.amount(ether, "0.600000000000000001").Big(), w.wallet("alice", ether))
	w.settle()
	w.sound("at the end")

	// A double spend never comes back.
	lost := w.pay(w.address("bob", ether), w.amount(ether, "0.3"))
	w.mine(confirms)
	require.Equal(t, w.amount(ether, "0.7").Big(), w.wallet("bob", ether))
	require.NoError(t, w.node.Reorganise(confirms, lost))
	w.settle()
	require.Equal(t, w.amount(ether, "0.4").Big(), w.wallet("bob", ether))
	w.sound("after a double spend")
	assert.NotEqual(t, id, lost)
}

// TestSweep collects what came, with ether for what tokens cost, and posts what it cost.
func TestSweep(t *testing.T) {
	w := newWorld(t)
	w.sweep = true
	w.start()
	w.opening()
	before := w.custody(ether)
	alices, bobs := w.address("alice", w.dollar), w.address("bob", ether)
	w.pay(alices, w.amount(w.dollar, "30"))
	w.pay(bobs, w.amount(ether, "2"))
	w.mine(12 * finality)
	left, err := w.node.Balance(w.contract, alices)
	require.NoError(t, err)
	require.Zero(t, left.Sign(), "the token was swept")
	left, err = w.node.Balance("", bobs)
	require.NoError(t, err)
	require.Negative(t, left.Cmp(w.amount(ether, "0.01").Big()), "%s wei are left", left)
	cost := w.posted(payments.FeesAccount("evm", ether.ID()))
	require.Positive(t, cost.Sign())
	want := new(big.Int).Add(before, w.amount(ether, "2").Big())
	require.Equal(t, want.Sub(want, cost), w.custody(ether), "what sweeping cost is what is missing")
	require.Equal(t, w.amount(w.dollar, "30").Big(), w.wallet("alice", w.dollar), "sweeping is nothing to members")
	w.sound("after sweeping")
	t.Logf("two addresses swept by %d transactions for %s wei", w.node.Requests(), cost)
}

// TestStrangeMoney comes in ways that must credit nobody.
func TestStrangeMoney(t *testing.T) {
	w := newWorld(t)
	w.opening()
	alices := w.address("alice", ether)
	_, _, err := w.node.PayFake(alices, big.NewInt(1_000_000_000))
	require.NoError(t, err)
	_, err = w.node.PayFails(evmtest.Payment{To: alices, Units: w.amount(ether, "3").Big()})
	require.NoError(t, err)
	w.pay(alices, w.amount(ether, "0.00005")) // dust
	w.pay(w.treasury, w.amount(ether, "0.125"))
	w.settle()
	w.wait()
	require.Zero(t, w.wallet("alice", ether).Sign())
	w.sound("after strange money")
	t.Logf("findings: %v", w.findings())
	assert.Positive(t, w.findings()["unknown_asset"]+w.findings()["quarantined"], "a token that nobody enabled: %v", w.findings())
}
