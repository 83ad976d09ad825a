package payments_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/payments"
	"github.com/koshpay/kosh/providers"
)

// orphan makes a payout of 0.9 of alice's 1 ether whose transaction a reorganisation took back, and that nobody hears of any more.
func orphan(t *testing.T) (*env, payments.Payment, providers.Effect) {
	t.Helper()
	e := newEnv(t, noPolling)
	silent := &deaf{Provider: e.sandbox}
	svc, err := payments.New(e.book, e.config)
	require.NoError(t, err)
	require.NoError(t, svc.Register(silent))
	e.svc = svc
	e.report(providers.Report{
		Kind: providers.Deposit, Reference: "0x01:0", Member: "alice", State: providers.Succeeded, Final: true, At: e.clock.Now(),
		Effects: []providers.Effect{mined("0x01", "b0", eth("1"))},
	})
	p, err := e.withdraw("alice", outside, eth("0.9"))
	require.NoError(t, err)
	silent.off = true
	out := providers.Effect{ID: "eip155:1/0x99/0/b1", Kind: providers.Moved, Amount: eth("-0.9"), At: e.clock.Now()}
	e.report(e.sent(p, providers.Succeeded, out))
	e.hasEther("alice", "0.1", "0", "0")
	e.report(e.sent(p, providers.Pending, out, orphaned(out)))
	e.hasEther("alice", "1", "0.9", "0")
	return e, p, out
}

// deaf is a provider that answers no look-up while it is off.
type deaf struct {
	providers.Provider
	off bool
}

func (d *deaf) Lookup(ctx context.Context, q providers.Query) (providers.Report, error) {
	if d.off {
		return providers.Report{}, errDown
	}
	return d.Provider.Lookup(ctx, q)
}

// A payout that is not mined again is put before a person after a while, and only then: most are mined again in minutes.
func TestOrphanedPayoutGetsACase(t *testing.T) {
	e, p, out := orphan(t)
	e.pass(30 * time.Minute)
	require.Empty(t, e.cases())
	e.pass(3 * time.Hour)
	require.Equal(t, []string{"orphaned"}, e.cases()[p.ID])
	e.hasEther("alice", "1", "0.9", "0")
	_, err := e.resolve(p.ID, payments.Known, "")
	require.ErrorIs(t, err, payments.ErrUnresolvable, "its money is still held")
	e.pass(400 * 24 * time.Hour)
	require.Equal(t, []string{"orphaned"}, e.cases()[p.ID], "one case, however long it lasts")
	again := out
	again.ID = "eip155:1/0x99/0/b2"
	e.report(e.sent(p, providers.Succeeded, out, orphaned(out), again))
	e.hasEther("alice", "0.1", "0", "0")
	e.resolved(p.ID, payments.Known)
	e.balanced()
}

// A person who knows that it will not be mined again releases what is held, in writing. Facts win: mined after all, it is charged,
// and what a reorganisation takes back after that is held like the first time.
func TestOrphanedPayoutIsReleasedByAPerson(t *testing.T) {
	for name, spent := range map[string]bool{"not spent": false, "spent": true} {
		t.Run(name, func(t *testing.T) {
			e, p, out := orphan(t)
			e.pass(3 * time.Hour)
			c, err := e.resolve(p.ID, payments.NeverHappened, "")
			require.NoError(t, err)
			require.Equal(t, payments.CaseResolved, c.State)
			require.Equal(t, "ines", c.Resolutions[0].By)
			require.Equal(t, payments.NeverHappened, c.Resolutions[0].Action)
			e.hasEther("alice", "1", "0", "0")
			now := e.payment(p.ID)
			require.Equal(t, payments.Reversed, now.State)
			require.Equal(t, "never_happened", now.Reason.Code)
			_, err = e.resolve(p.ID, payments.NeverHappened, "")
			require.ErrorIs(t, err, payments.ErrResolved)
			e.pass(48 * time.Hour)
			require.Empty(t, e.cases())
			e.report(e.sent(p, providers.Pending, out, orphaned(out)))
			e.hasEther("alice", "1", "0", "0")

			if spent {
				_, err = e.svc.Send(e.ctx, payments.TransferRequest{Key: "s", Actor: payments.Member("alice"), To: "bob", Amount: eth("0.6")})
				require.NoError(t, err)
			}
			again := out
			again.ID = "eip155:1/0x99/0/b2"
			e.report(e.sent(p, providers.Succeeded, out, orphaned(out), again))
			require.Equal(t, payments.Succeeded, e.payment(p.ID).State)
			if spent {
				e.hasEther("alice", "0", "0", "0.5")
			} else {
				e.hasEther("alice", "0.1", "0", "0")
			}
			require.Equal(t, "0.100000000000000000", e.posted(payments.ClearingAccount("sandbox", ether.ID())))
			e.report(e.sent(p, providers.Pending, out, orphaned(out), again, orphaned(again)))
			if spent {
				e.hasEther("alice", "0.4", "0.4", "0")
			} else {
				e.hasEther("alice", "1", "0.9", "0")
			}
			e.balanced()
			v, err := e.book.Verify(e.ctx)
			require.NoError(t, err)
			require.Empty(t, v.Problems)
		})
	}
}

// What is released repays what the member owes by now.
func TestOrphanedPayoutOfADebtor(t *testing.T) {
	e, p, _ := orphan(t)
	e.pass(3 * time.Hour)
	gone := mined("0x01", "b0", eth("1"))
	e.report(providers.Report{
		Kind: providers.Deposit, Reference: "0x01:0", State: providers.Succeeded, At: e.clock.Now(), Effects: []providers.Effect{gone, orphaned(gone)},
	})
	e.hasEther("alice", "0.9", "0.9", "0.9")
	e.resolved(p.ID, payments.NeverHappened)
	e.hasEther("alice", "0", "0", "0")
	e.balanced()
}
