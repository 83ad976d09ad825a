package payments_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/payments"
	"github.com/koshpay/kosh/providers"
	"github.com/koshpay/kosh/providers/sandbox"
)

// arrival is a report of a chain about output 0 of a transaction to an address.
func (e *env) arrival(tx, address string, effects ...providers.Effect) providers.Report {
	return providers.Report{
		Kind: providers.Deposit, Reference: tx + ":0", Address: address, State: providers.Succeeded, Effects: effects,
		Confirmations: 3, Required: 3, At: e.clock.Now(),
	}
}

func mined(tx, block string, a currency.Amount) providers.Effect {
	return providers.Effect{ID: "eip155:1/" + tx + "/0/" + block, Kind: providers.Moved, Amount: a, At: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)}
}

func orphaned(e providers.Effect) providers.Effect {
	back, err := e.Amount.Neg()
	if err != nil {
		panic(err)
	}
	return providers.Effect{ID: e.ID + "/orphaned", Kind: providers.Reversed, Amount: back, Reverses: e.ID, At: e.At.Add(time.Minute)}
}

func (e *env) report(r providers.Report) {
	e.Helper()
	require.NoError(e, r.Validate())
	require.NoError(e, payments.Deliver(e.ctx, e.svc, "sandbox", providers.Event{ID: fmt.Sprint(e.key()), Report: &r, At: r.At}))
}

func (e *env) hasEther(member, posted, held, owes string) {
	e.Helper()
	w := e.wallet(member, ether)
	require.Equal(e, []string{posted, held, owes}, []string{w.Posted.Decimal().String(), w.Held.Decimal().String(), w.Owes.Decimal().String()}, "posted, held and owed of %s", member)
}

// On the pretend chain: what was credited and spent is taken from the wallet, then owed; mined again it repays the debt first.
func TestDeepReorganisationAfterItWasSpent(t *testing.T) {
	e := newEnv(t)
	_, err := e.sandbox.SendTo(e.address("alice", ether), eth("1.5"))
	require.NoError(t, err)
	e.clock.advance(4 * time.Minute)
	e.work()
	e.hasEther("alice", "1.5", "0", "0")
	_, err = e.svc.Send(e.ctx, payments.TransferRequest{Key: "s", Actor: payments.Member("alice"), To: "bob", Amount: eth("1")})
	require.NoError(t, err)
	require.Empty(t, e.cases())
	e.postings()

	require.NoError(t, e.sandbox.Reorganise(8))
	e.clock.advance(15 * time.Second)
	e.work()
	e.hasEther("alice", "0", "0", "1")
	e.hasEther("bob", "1", "0", "0")
	const asset = " eip155:1/slip44:60"
	require.Equal(t, []string{"R 1.000000000000000000" + asset + ", U 0.500000000000000000" + asset + " → C 1.500000000000000000" + asset}, e.postings())
	require.Len(t, e.cases(), 1)
	for id, codes := range e.cases() {
		require.Equal(t, []string{"orphaned"}, codes)
		require.Equal(t, payments.Reversed, e.payment(id).State)
	}

	e.clock.advance(time.Hour)
	e.work()
	e.hasEther("alice", "0.5", "0", "0")
	require.Equal(t, []string{"C 1.500000000000000000" + asset + " → R 1.000000000000000000" + asset + ", U 0.500000000000000000" + asset}, e.postings())
	e.sound()
}

// Whatever the order and the number of times in which reports about one deposit come, the books end the same.
func TestReorganisationReportsInAnyOrder(t *testing.T) {
	first, second := mined("0xaa", "b1", eth("2")), mined("0xaa", "b2", eth("2"))
	again := mined("0xaa", "b3", eth("2"))
	all := [][]providers.Effect{
		{first},
		{first, orphaned(first)},
		{first, orphaned(first), second},
		{orphaned(first)},
		{second, orphaned(second)},
		{again},
	}
	rounds := 0
	permutations(len(all), func(order []int) {
		if rounds++; rounds%4 > 1 { // half of them: a quarter spendable at once, a quarter held until it is final
			return
		}
		e := newEnv(t)
		if rounds%4 == 1 {
			e.provisionally()
		}
		to := e.address("alice", ether)
		for _, i := range order {
			e.report(e.arrival("0xaa", to, all[i]...))
			e.report(e.arrival("0xaa", to, all[i]...))
		}
		last := e.arrival("0xaa", to, again)
		last.Final = true
		e.report(last)
		e.hasEther("alice", "2", "0", "0")
		require.Contains(t, []string{"none", "0.000000000000000000"}, e.posted(payments.SuspenseAccount("sandbox", ether.ID())), "%v", order)
		require.Equal(t, "2.000000000000000000", e.posted(payments.ClearingAccount("sandbox", ether.ID())), "%v", order)
		v, err := e.book.Verify(e.ctx)
		require.NoError(t, err)
		require.Empty(t, v.Problems)
		for id, codes := range e.cases() {
			// When a block is heard of before the one that it replaces was taken back, it looks like too much for a while.
			codes = slices.DeleteFunc(codes, func(code string) bool { return code == "amount_differs" })
			require.Equal(t, []string{"orphaned", "orphaned"}, codes, "%v", order)
			require.Equal(t, payments.Succeeded, e.payment(id).State)
		}
	})
	require.Equal(t, 720/oneOrderIn, rounds)
}

// provisional is a chain whose deposits are seen after their confirmations, and spendable when they are final.
type provisional struct{ *sandbox.Sandbox }

func (p provisional) Describe() providers.Descriptor {
	d := p.Sandbox.Describe()
	for i := range d.Offers {
		d.Offers[i].Provisional = d.Offers[i].Kind == providers.DepositAddress
	}
	return d
}

// provisionally gives the host that chain.
func (e *env) provisionally() {
	e.Helper()
	svc, err := payments.New(e.book, e.config)
	require.NoError(e, err)
	require.NoError(e, svc.Register(provisional{e.sandbox}))
	e.svc = svc
}

// A provisional deposit is taken back from its hold first, whatever else is in the wallet.
func TestReorganisationTakesFromTheProvisionalHoldFirst(t *testing.T) {
	e := newEnv(t)
	e.provisionally()
	to := e.address("alice", ether)
	safe := mined("0x01", "b0", eth("1"))
	r := e.arrival("0x01", to, safe)
	r.Final = true
	e.report(r)
	e.hasEther("alice", "1", "0", "0")

	deposit := mined("0x02", "b1", eth("2"))
	e.report(e.arrival("0x02", to, deposit))
	e.hasEther("alice", "3", "2", "0")
	_, err := e.svc.Send(e.ctx, payments.TransferRequest{Key: "s", Actor: payments.Member("alice"), To: "bob", Amount: eth("1.1")})
	require.ErrorIs(t, err, payments.ErrDeclined, "it is not spendable yet")
	_, err = e.svc.Send(e.ctx, payments.TransferRequest{Key: "s2", Actor: payments.Member("alice"), To: "bob", Amount: eth("1")})
	require.NoError(t, err)

	e.report(e.arrival("0x02", to, deposit, orphaned(deposit)))
	e.hasEther("alice", "0", "0", "0")
	minedAgain := mined("0x02", "b2", eth("2"))
	e.report(e.arrival("0x02", to, deposit, orphaned(deposit), minedAgain))
	e.hasEther("alice", "2", "2", "0")
	r = e.arrival("0x02", to, deposit, orphaned(deposit), minedAgain)
	r.Final = true
	e.report(r)
	e.hasEther("alice", "2", "0", "0")
}

// The hold that was made for one block stands in for the next one, when that was heard of before the first was taken back.
func TestReorganisationHoldStandsForWhatReplacedIt(t *testing.T) {
	e := newEnv(t)
	e.provisionally()
	to := e.address("alice", ether)
	first, second := mined("0x02", "b1", eth("2")), mined("0x02", "b2", eth("2"))
	e.report(e.arrival("0x02", to, first))
	e.report(e.arrival("0x02", to, second))
	require.Equal(t, "2.000000000000000000", e.posted(payments.SuspenseAccount("sandbox", ether.ID())), "twice is too much, for now")
	e.report(e.arrival("0x02", to, orphaned(first)))
	require.Equal(t, "0.000000000000000000", e.posted(payments.SuspenseAccount("sandbox", ether.ID())))
	e.hasEther("alice", "2", "2", "0")
	e.report(e.arrival("0x02", to, orphaned(second)))
	e.hasEther("alice", "0", "0", "0")
}

// sent is a report about a withdrawal whose transaction is in several blocks, one after the other.
func (e *env) sent(p payments.Payment, s providers.State, effects ...providers.Effect) providers.Report {
	return providers.Report{
		Key: p.ID, Reference: "0x99", Kind: providers.Withdrawal, State: s, Effects: effects, Confirmations: 3, Required: 3, At: e.clock.Now(),
	}
}

// What was paid out and is orphaned may be mined again any moment: until that is decided it is the member's, and cannot be spent.
func TestOrphanedWithdrawalCannotBeSpentTwice(t *testing.T) {
	e := newEnv(t)
	e.receive("alice", eth("1"))
	p, err := e.withdraw("alice", outside, eth("0.9"))
	require.NoError(t, err)
	e.pass(4 * time.Minute)
	e.hasEther("alice", "0.1", "0", "0")
	require.NoError(t, e.sandbox.Reorganise(8))
	e.clock.advance(15 * time.Second)
	e.work()
	e.hasEther("alice", "1", "0.9", "0")
	e.sound()
	_, err = e.withdraw("alice", outside, eth("0.9"))
	require.ErrorIs(t, err, payments.ErrDeclined)
	e.pass(3 * time.Hour)
	e.hasEther("alice", "0.1", "0", "0")
	require.Equal(t, payments.Succeeded, e.payment(p.ID).State)
	e.sound()

	// Another one is double-spent: gone for good, so the money is free again.
	gone, err := e.withdraw("alice", outside, eth("0.05"))
	require.NoError(t, err)
	e.pass(4 * time.Minute)
	e.hasEther("alice", "0.05", "0", "0")
	require.NoError(t, e.sandbox.Reorganise(8, e.txOf(gone)))
	e.clock.advance(15 * time.Second)
	e.work()
	e.hasEther("alice", "0.1", "0", "0")
	require.Equal(t, payments.Reversed, e.payment(gone.ID).State)
	e.sound()
}

// txOf is the transaction of a withdrawal on the pretend chain, which names its effects by it.
func (e *env) txOf(p payments.Payment) string {
	e.Helper()
	evidence, err := e.svc.Evidence(e.ctx, payments.Platform(), p.ID)
	require.NoError(e, err)
	require.NotEmpty(e, evidence.Effects)
	return strings.Split(evidence.Effects[0].ID, "/")[1]
}

// One report may tell the whole story, when nobody asked for a while, and reports may come in any order: it was paid once.
func TestReorganisedWithdrawalReportsInAnyOrder(t *testing.T) {
	out := func(block string) providers.Effect {
		return providers.Effect{ID: "eip155:1/0x99/0/" + block, Kind: providers.Moved, Amount: eth("-0.5"), At: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)}
	}
	first, second, third := out("b1"), out("b2"), out("b3")
	whole := []providers.Effect{first, orphaned(first), second, orphaned(second), third}
	start := func() (*env, payments.Payment) {
		e := newEnv(t)
		svc, err := payments.New(e.book, e.config)
		require.NoError(t, err)
		require.NoError(t, svc.Register(gasChain{e.sandbox}))
		e.svc = svc
		e.receive("alice", eth("1"))
		p, err := e.withdrawQuoted(e.quote("alice", outside, eth("0.5")))
		require.NoError(t, err)
		return e, p
	}
	e, p := start()
	e.report(e.sent(p, providers.Succeeded, whole...))
	e.hasEther("alice", "0.5", "0", "0")
	require.Empty(t, e.cases(), "it is all in order")
	require.Equal(t, "0.500000000000000000", e.posted(payments.ClearingAccount("sandbox", ether.ID())))

	permutations(len(whole), func(order []int) {
		e, p := start()
		for _, i := range order {
			state := providers.Succeeded
			if whole[i].Kind == providers.Reversed {
				state = providers.Pending
			}
			e.report(e.sent(p, state, whole[i]))
		}
		last := e.sent(p, providers.Succeeded)
		last.Final = true
		e.report(last)
		e.hasEther("alice", "0.5", "0", "0")
		require.Contains(t, []string{"none", "0.000000000000000000"}, e.posted(payments.SuspenseAccount("sandbox", ether.ID())), "%v", order)
		require.Equal(t, "0.500000000000000000", e.posted(payments.ClearingAccount("sandbox", ether.ID())), "%v", order)
		require.Equal(t, payments.Succeeded, e.payment(p.ID).State, "%v", order)
		v, err := e.book.Verify(e.ctx)
		require.NoError(t, err)
		require.Empty(t, v.Problems)
	})
}
