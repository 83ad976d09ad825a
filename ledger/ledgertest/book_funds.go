package ledgertest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/koshpay/kosh/ledger"
)

var bookFundsChecks = []Check{
	{
		Name:   "nobody-overdraws",
		Rule:   "However many spend from one wallet at once, it never goes below its floor, and everything it has can be spent.",
		Advice: "Guard accounts (every-kind-of-row-is-guarded): a decision on a balance that has changed since must start again.",
		Run:    checkOverdraw,
	},
	{
		Name:   "money-is-conserved",
		Rule:   "Whatever is recorded at once, every asset sums to zero, every balance is the fold of its lines and what is held is the sum of the open holds.",
		Advice: "The audit says which account is wrong: compare its row with its lines. Rows of one write belong together (reads-are-one-snapshot).",
		Run:    checkConserved,
	},
	{
		Name:   "a-hold-resolves-once",
		Rule:   "Of a capture and a release of the same hold at once, one happens.",
		Advice: "Guard accounts; a hold changes only together with its account.",
		Run:    checkHoldOnce,
	},
}

func checkOverdraw(t *T) {
	te := newTeller(t, t.Open())
	te.openWallets(0, "alice", "bob")
	te.must("top up", transfer(bank, walletOf("alice"), 100))
	const spenders, tries, price = 32, 3, 7
	var outcomes tally
	t.Together(spenders, func(i int) {
		for n := range tries {
			_, err := te.Record(t.Context(), ledger.Entry{Key: fmt.Sprintf("spend %d %d", i, n), Commands: []ledger.Command{transfer(walletOf("alice"), walletOf("bob"), price)}})
			if err != nil && !errors.Is(err, ledger.ErrInsufficientFunds) {
				t.Errorf("Record: %v", err)
			}
			outcomes.add(err)
		}
	})
	alice, err := te.Info(t.Context(), walletOf("alice"))
	if err != nil || alice.Posted != usd(100%price) || outcomes.of["accepted"] != 100/price {
		t.Errorf("%d tries to spend 0.07 of 1.00 left %s (%v); outcomes: %v", spenders*tries, alice.Posted, err, &outcomes)
	}
	te.audit()
}

// checkConserved has clerks do everything that moves money, at random, between a few accounts.
func checkConserved(t *T) {
	te := newTeller(t, t.Open())
	names := []string{"alice", "bob", "carol", "dave"}
	te.openWallets(500, names...)
	t.Together(writers, func(i int) {
		rnd := rand.New(rand.NewPCG(uint64(i), 1)) //nolint:gosec // repeatable on purpose
		var holds []ledger.ID
		var last ledger.ID
		for n := range each {
			who, whom := walletOf(names[rnd.IntN(4)]), walletOf(names[rnd.IntN(4)])
			cents := 1 + rnd.Int64N(200)
			e := ledger.Entry{Key: fmt.Sprintf("clerk %d %d", i, n)}
			switch rnd.IntN(7) {
			case 0, 1:
				e.Commands = []ledger.Command{transfer(who, bank, cents), transfer(bank, whom, cents)}
			case 2:
				e.Commands = []ledger.Command{ledger.PlaceHold{Account: who, Amount: usd(cents), ExpiresAt: te.Now().Add(150 * time.Minute)}}
			case 3:
				e.Commands = []ledger.Command{ledger.Draw{Amount: usd(cents), From: []ledger.AccountID{who, bank}, To: []ledger.AccountID{walletOf("alice")}}}
				if who == walletOf("alice") {
					e.Commands[0] = transfer(bank, who, cents)
				}
			case 4:
				if last == (ledger.ID{}) {
					continue
				}
				e.Commands = []ledger.Command{ledger.Reverse{Transaction: ledger.ByID(last), All: true}}
			default:
				if len(holds) == 0 {
					continue
				}
				h := holds[0]
				holds = holds[1:]
				e.Commands = []ledger.Command{ledger.Capture{Hold: ledger.ByID(h), To: []ledger.Portion{{Account: bank, Amount: usd(1)}}, Final: n%2 == 0}}
			}
			receipt, err := te.Record(t.Context(), e)
			if _, placing := e.Commands[0].(ledger.PlaceHold); placing && errors.Is(err, ledger.ErrInvalid) {
				continue // the deadline came before its turn did
			}
			if err != nil && !errors.Is(err, ledger.Declined) {
				t.Errorf("Record: %v", err)
				return
			}
			for _, r := range receipt.Results {
				if r.Hold != (ledger.ID{}) {
					holds = append(holds, r.Hold)
				}
				if r.Transaction != (ledger.ID{}) {
					last = r.Transaction
				}
			}
			if i == 0 && n%8 == 7 {
				te.wait(time.Hour) // three times: the holds of the beginning die while others work
			}
			if n%9 == 0 {
				if _, err := te.ExpireHolds(t.Context(), 3); err != nil {
					t.Errorf("ExpireHolds: %v", err)
				}
			}
		}
	})
	te.audit()
}

func checkHoldOnce(t *T) {
	te := newTeller(t, t.Open())
	te.openWallets(1_000, "alice", "bob")
	for round := range 10 {
		hold := te.must(fmt.Sprintf("hold %d", round), ledger.PlaceHold{Account: walletOf("alice"), Amount: usd(10)}).Results[0].Hold
		var outcomes tally
		t.Together(writers, func(i int) {
			e := ledger.Entry{Key: fmt.Sprintf("resolve %d %d", round, i), Commands: []ledger.Command{ledger.Release{Hold: ledger.ByID(hold), All: true}}}
			if i%2 == 0 {
				e.Commands = []ledger.Command{ledger.Capture{Hold: ledger.ByID(hold), To: []ledger.Portion{{Account: walletOf("bob"), Amount: usd(10)}}}}
			}
			_, err := te.Record(t.Context(), e)
			outcomes.add(err)
		})
		if outcomes.of["accepted"] != 1 || outcomes.of[string(ledger.ErrHoldClosed)] != writers-1 {
			t.Errorf("%d captures and releases of one hold: %v", writers, &outcomes)
			return
		}
	}
	te.audit()
}
