package payments_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/payments"
	"github.com/koshpay/kosh/providers"
	"github.com/koshpay/kosh/providers/sandbox"
)

// analyst is a screener that says what the test tells it to.
type analyst struct {
	mu      sync.Mutex
	verdict payments.Verdict
	err     error
	asked   []payments.ScreenRequest
}

func (a *analyst) screen(_ context.Context, r payments.ScreenRequest) (payments.Verdict, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.asked = append(a.asked, r)
	return a.verdict, a.err
}

func (a *analyst) says(v payments.Verdict, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.verdict, a.err, a.asked = v, err, nil
}

func screenEnv(t *testing.T) (*env, *analyst) {
	t.Helper()
	a := &analyst{verdict: payments.Verdict{Decision: payments.ScreenAllow}}
	e := newEnv(t, func(c *payments.Config, _ *sandbox.Config) { c.Screen = a.screen })
	e.receive("alice", eth("1"))
	a.says(payments.Verdict{Decision: payments.ScreenAllow, Evidence: "report-1"}, nil)
	return e, a
}

func TestScreenAllowsAWithdrawal(t *testing.T) {
	e, a := screenEnv(t)
	e.sandbox.Script(sandbox.Refuse, sandbox.LostRequest) // so that it is sent three times
	p, err := e.svc.Withdraw(e.ctx, payments.WithdrawRequest{
		Key: "w", Actor: payments.Member("alice"), Amount: eth("0.4"), To: outside, TravelRule: "tr-1",
	})
	require.NoError(t, err)
	e.pass(3 * time.Hour)
	require.Equal(t, payments.Succeeded, e.payment(p.ID).State)
	require.Equal(t, []payments.ScreenRequest{{
		Payment: p.ID, Kind: payments.Withdrawal, Member: "alice", Amount: eth("0.4"), Provider: "sandbox", Method: providers.Chain,
		Address: outside, TravelRule: "tr-1",
	}}, a.asked, "once, however often it is sent")
	s, err := e.svc.Screening(e.ctx, payments.Platform(), p.ID)
	require.NoError(t, err)
	require.Equal(t, "report-1", s.Evidence)
	require.Equal(t, p.CreatedAt.Truncate(time.Minute), s.At.Truncate(time.Minute), "dated")
	e.sound()

	a.says(payments.Verdict{Decision: payments.ScreenAllow}, nil)
	e.fund("alice", usd("50.00"))
	require.Empty(t, a.asked, "what somebody asked a card for did not come by itself")
	bank := e.link("alice", sandbox.TokenBank)
	_, err = e.withdraw("alice", bank, usd("10.00"))
	require.NoError(t, err)
	require.Len(t, a.asked, 1)
	require.Equal(t, []string{bank, ""}, []string{a.asked[0].Instrument, a.asked[0].Address})
}

func TestScreenDeniesAWithdrawal(t *testing.T) {
	e, a := screenEnv(t)
	a.says(payments.Verdict{Decision: payments.ScreenDeny, Code: "destination", Public: "We cannot send there.", Private: "mixer, 83 % exposure"}, nil)
	p, err := e.withdraw("alice", outside, eth("0.4"))
	require.NoError(t, err)
	require.Equal(t, payments.Failed, p.State)
	require.Equal(t, providers.Reason{Code: "destination", Public: "We cannot send there."}, p.Reason)
	e.hasEther("alice", "1", "0", "0")
	require.Zero(t, e.sandbox.Executed(p.ID))
	e.pass(24 * time.Hour)
	require.Len(t, a.asked, 1)
	for event, err := range e.svc.Events(e.ctx, 0) {
		require.NoError(t, err)
		require.NotContains(t, event.Payment.Reason.Public+event.Payment.Reason.Code, "mixer")
	}
	s, err := e.svc.Screening(e.ctx, payments.Platform(), p.ID)
	require.NoError(t, err)
	require.Equal(t, "mixer, 83 % exposure", s.Private)
	_, err = e.svc.Screening(e.ctx, payments.Member("alice"), p.ID)
	require.ErrorIs(t, err, payments.ErrForbidden)
	require.Empty(t, e.cases(), "nothing is left to decide")
	e.sound()
}

func TestScreenLetsAPersonDecideAboutAWithdrawal(t *testing.T) {
	for _, action := range []payments.Resolution{payments.Approve, payments.Deny} {
		e, a := screenEnv(t)
		a.says(payments.Verdict{Decision: payments.ScreenReview, Private: "new address, large amount"}, nil)
		p, err := e.withdraw("alice", outside, eth("0.4"))
		require.NoError(t, err)
		require.Equal(t, payments.Review, p.State)
		e.hasEther("alice", "1", "0.4", "0")
		e.pass(24 * time.Hour)
		require.Zero(t, e.sandbox.Executed(p.ID))
		c := e.onlyCase()
		require.Equal(t, p.ID, c.ID)
		require.Equal(t, []string{"screening", "new address, large amount"}, []string{c.Findings[0].Code, c.Findings[0].Text})
		_, err = e.resolve(c.ID, action, "")
		require.NoError(t, err)
		e.pass(3 * time.Hour)
		require.Len(t, a.asked, 1, "what a person decided is not asked again")
		if action == payments.Approve {
			require.Equal(t, payments.Succeeded, e.payment(p.ID).State)
			e.hasEther("alice", "0.6", "0", "0")
		} else {
			require.Equal(t, payments.Failed, e.payment(p.ID).State)
			e.hasEther("alice", "1", "0", "0")
		}
		e.sound()
	}
}

// No answer, nonsense, or an answer that comes too late decides nothing: nothing is sent, the money stays held, and it is
// asked again, less and less often.
func TestScreenWithoutAnAnswerSendsNothing(t *testing.T) {
	failures := map[string]func(*analyst){
		"error":            func(a *analyst) { a.says(payments.Verdict{Decision: payments.ScreenAllow}, errors.New("503")) },
		"no decision":      func(a *analyst) { a.says(payments.Verdict{}, nil) },
		"unknown decision": func(a *analyst) { a.says(payments.Verdict{Decision: "perhaps\x00"}, nil) },
	}
	for name, fail := range failures {
		t.Run(name, func(t *testing.T) {
			var told []error
			a := &analyst{verdict: payments.Verdict{Decision: payments.ScreenAllow}}
			e := newEnv(t, func(c *payments.Config, _ *sandbox.Config) {
				c.Screen, c.OnError = a.screen, func(err error) { told = append(told, err) }
			})
			e.receive("alice", eth("1"))
			fail(a)
			p, err := e.withdraw("alice", outside, eth("0.4"))
			require.NoError(t, err)
			require.Equal(t, payments.Created, p.State)
			e.turnsFor(24 * time.Hour)
			require.Equal(t, payments.Created, e.payment(p.ID).State)
			require.Zero(t, e.sandbox.Executed(p.ID))
			e.hasEther("alice", "1", "0.4", "0")
			require.Greater(t, len(a.asked), 20)
			require.Less(t, len(a.asked), 60, "a day")
			require.Len(t, told, len(a.asked))
			s, err := e.svc.Screening(e.ctx, payments.Platform(), p.ID)
			require.NoError(t, err)
			require.Equal(t, payments.Screened{}, s)

			a.says(payments.Verdict{Decision: payments.ScreenAllow}, nil)
			e.pass(3 * time.Hour)
			require.Equal(t, payments.Succeeded, e.payment(p.ID).State)
			e.sound()
		})
	}
	t.Run("too late", func(t *testing.T) {
		e, a := screenEnv(t)
		config := e.config
		config.SubmitTimeout = time.Millisecond
		config.Screen = func(ctx context.Context, r payments.ScreenRequest) (payments.Verdict, error) {
			<-ctx.Done() // as one does that does not heed its context, and answers then
			return a.screen(ctx, r)
		}
		svc, err := payments.New(e.book, config)
		require.NoError(t, err)
		require.NoError(t, svc.Register(e.sandbox))
		p, err := svc.Withdraw(e.ctx, payments.WithdrawRequest{Key: "w", Actor: payments.Member("alice"), Amount: eth("0.4"), To: outside})
		require.NoError(t, err)
		require.Equal(t, payments.Created, p.State)
		require.Len(t, a.asked, 1)
		require.Zero(t, e.sandbox.Executed(p.ID))
	})
}

// What may have been sent already is not screened: a denial could not undo it.
func TestScreenIsNotAskedAboutWhatMayBeSent(t *testing.T) {
	e := newEnv(t)
	e.receive("alice", eth("1"))
	e.sandbox.Script(sandbox.LostRequest)
	p, err := e.withdraw("alice", outside, eth("0.4"))
	require.NoError(t, err)
	require.Equal(t, payments.Unknown, p.State)
	a := &analyst{verdict: payments.Verdict{Decision: payments.ScreenDeny}}
	e.config.Screen = a.screen // the host begins to screen now
	e.svc, err = payments.New(e.book, e.config)
	require.NoError(t, err)
	require.NoError(t, e.svc.Register(e.sandbox))
	e.pass(3 * time.Hour)
	require.Equal(t, payments.Succeeded, e.payment(p.ID).State)
	require.Empty(t, a.asked)
	e.sound()
}

func TestScreenOfADepositBeforeItIsCredited(t *testing.T) {
	for _, decision := range []payments.Decision{payments.ScreenAllow, payments.ScreenReview, payments.ScreenDeny} {
		t.Run(string(decision), func(t *testing.T) {
			e, a := screenEnv(t)
			a.says(payments.Verdict{Decision: decision, Public: "never shown", Private: "stolen in 2024"}, nil)
			tx, err := e.sandbox.SendTo(e.address("alice", ether), eth("0.5"))
			require.NoError(t, err)
			e.pass(3 * time.Hour)
			require.Len(t, a.asked, 1, "once, whatever is reported of it")
			asked := a.asked[0]
			require.Equal(t, tx+":0", asked.Reference)
			require.Equal(t, e.address("alice", ether), asked.Address)
			require.Equal(t, []any{payments.Deposit, "alice", eth("0.5")}, []any{asked.Kind, asked.Member, asked.Amount})
			e.sound() // it is in the books, whatever was said
			s, err := e.svc.Screening(e.ctx, payments.Platform(), asked.Payment)
			require.NoError(t, err)
			require.Equal(t, decision, s.Decision)
			if decision == payments.ScreenAllow {
				e.hasEther("alice", "1.5", "0", "0")
				require.Empty(t, e.cases())
				return
			}
			e.hasEther("alice", "1", "0", "0")
			p := e.payment(asked.Payment)
			require.Equal(t, eth("0.5"), p.Suspended)
			require.Zero(t, p.Reason, "the member is not tipped off")
			c := e.onlyCase()
			require.Equal(t, []string{"screening", "stolen in 2024"}, []string{c.Findings[0].Code, c.Findings[0].Text})
			require.Equal(t, eth("0.5"), c.Findings[0].Amount)
			_, err = e.resolve(c.ID, payments.AssignTo, "")
			require.NoError(t, err)
			e.hasEther("alice", "1.5", "0", "0")
			e.sound()
		})
	}
}

// A reorganisation does not wash a deposit: mined again it is in suspense again, and screened no more; once a person gave it to
// the member it is theirs.
func TestScreenedDepositThatIsMinedAgain(t *testing.T) {
	e, a := screenEnv(t)
	a.says(payments.Verdict{Decision: payments.ScreenDeny}, nil)
	to := e.address("alice", ether)
	first, second, third := mined("0xaa", "b1", eth("2")), mined("0xaa", "b2", eth("2")), mined("0xaa", "b3", eth("2"))
	e.report(e.arrival("0xaa", to, first))
	e.report(e.arrival("0xaa", to, first, orphaned(first), second))
	require.Len(t, a.asked, 1)
	e.hasEther("alice", "1", "0", "0")
	require.Equal(t, "2.000000000000000000", e.posted(payments.SuspenseAccount("sandbox", ether.ID())))
	c := e.onlyCase()
	_, err := e.resolve(c.ID, payments.AssignTo, "")
	require.NoError(t, err)
	e.hasEther("alice", "3", "0", "0")
	e.report(e.arrival("0xaa", to, first, orphaned(first), second, orphaned(second)))
	e.hasEther("alice", "1", "0", "0")
	e.report(e.arrival("0xaa", to, third))
	e.hasEther("alice", "3", "0", "0")
	require.Len(t, a.asked, 1)
}

// While the screener is silent a deposit waits, and nothing else waits for it; then it is credited, once.
func TestScreenWithoutAnAnswerCreditsNothing(t *testing.T) {
	e, a := screenEnv(t)
	a.says(payments.Verdict{}, errors.New("503"))
	_, err := e.sandbox.SendTo(e.address("alice", ether), eth("0.5"))
	require.NoError(t, err)
	e.pass(6 * time.Hour)
	e.hasEther("alice", "1", "0", "0")
	require.Equal(t, "1.000000000000000000", e.posted(payments.ClearingAccount("sandbox", ether.ID())))
	e.fund("bob", usd("5.00")) // the world goes on
	_, err = e.sandbox.SendStray(providers.Bank, usd("3.00"))
	require.NoError(t, err)
	e.pass(14 * 24 * time.Hour)
	require.Equal(t, "3.00", e.posted(payments.SuspenseAccount("sandbox", "USD")))
	e.hasEther("alice", "1", "0", "0")
	require.Less(t, len(a.asked), 2*(14*24+20), "two reports, an hour apart at last")
	for _, codes := range e.cases() {
		require.Equal(t, []string{"unattributed"}, codes, "it is no case: it waits")
	}
	a.says(payments.Verdict{Decision: payments.ScreenAllow}, nil)
	e.pass(3 * time.Hour)
	e.hasEther("alice", "1.5", "0", "0")
	require.Len(t, a.asked, 1)
	e.sound()
}

// A screener that is down is not asked about everything that a poll brings, and what it was not asked about waits as well.
func TestScreenerThatIsDownIsLeftAlone(t *testing.T) {
	e, a := screenEnv(t)
	a.says(payments.Verdict{}, errors.New("timeout"))
	to := e.address("alice", ether)
	for range 20 {
		_, err := e.sandbox.SendTo(to, eth("0.1"))
		require.NoError(t, err)
	}
	e.clock.advance(4 * time.Minute)
	e.work()
	require.Len(t, a.asked, 1)
	e.hasEther("alice", "1", "0", "0")
	e.clock.advance(time.Minute)
	e.work()
	require.Len(t, a.asked, 2)
	a.says(payments.Verdict{Decision: payments.ScreenAllow}, nil)
	e.pass(6 * time.Hour)
	require.Len(t, a.asked, 20)
	e.hasEther("alice", "3", "0", "0")
	e.sound()
}

// The same of a deposit that is delivered twice at once.
func TestScreenOfADepositThatIsDeliveredTwiceAtOnce(t *testing.T) {
	e, _ := screenEnv(t)
	to := e.address("alice", ether)
	first, second := mined("0xaa", "b1", eth("2")), mined("0xaa", "b2", eth("2"))
	denies := e.config
	denies.Screen = func(context.Context, payments.ScreenRequest) (payments.Verdict, error) {
		return payments.Verdict{Decision: payments.ScreenDeny, Private: "first"}, nil
	}
	other, err := payments.New(e.book, denies)
	require.NoError(t, err)
	require.NoError(t, other.Register(e.sandbox))
	id := ""
	e.config.Screen = func(ctx context.Context, r payments.ScreenRequest) (payments.Verdict, error) {
		id = r.Payment
		report := e.arrival("0xaa", to, first)
		err := payments.Deliver(ctx, other, "sandbox", providers.Event{ID: "other", Report: &report})
		return payments.Verdict{Decision: payments.ScreenAllow, Private: "second"}, err
	}
	e.svc, err = payments.New(e.book, e.config)
	require.NoError(t, err)
	require.NoError(t, e.svc.Register(e.sandbox))
	late := e.arrival("0xaa", to, first)
	late.Confirmations++ // it is not the same report
	e.report(late)
	e.report(e.arrival("0xaa", to, orphaned(first)))
	e.report(e.arrival("0xaa", to, second))
	e.hasEther("alice", "1", "0", "0")
	s, err := e.svc.Screening(e.ctx, payments.Platform(), id)
	require.NoError(t, err)
	require.Equal(t, "first", s.Private)
}

// Two workers who come at once may both ask; the first answer counts, for both.
func TestScreenByTwoWorkersAtOnce(t *testing.T) {
	e, _ := screenEnv(t)
	config := e.config
	var other *payments.Service
	var id string
	once := true
	config.Screen = func(ctx context.Context, r payments.ScreenRequest) (payments.Verdict, error) {
		if once { // while this one is asked, the other worker is told to deny
			once = false
			id = r.Payment
			p, err := other.Advance(ctx, payments.Platform(), id)
			require.NoError(t, err)
			require.Equal(t, payments.Failed, p.State)
		}
		return payments.Verdict{Decision: payments.ScreenAllow}, nil
	}
	denies := e.config
	denies.Screen = func(context.Context, payments.ScreenRequest) (payments.Verdict, error) {
		return payments.Verdict{Decision: payments.ScreenDeny, Private: strings.Repeat("long ", 1_000)}, nil
	}
	var err error
	other, err = payments.New(e.book, denies)
	require.NoError(t, err)
	require.NoError(t, other.Register(e.sandbox))
	svc, err := payments.New(e.book, config)
	require.NoError(t, err)
	require.NoError(t, svc.Register(e.sandbox))
	p, err := svc.Withdraw(e.ctx, payments.WithdrawRequest{Key: "w", Actor: payments.Member("alice"), Amount: eth("0.4"), To: outside})
	require.NoError(t, err)
	require.Equal(t, payments.Failed, p.State)
	e.hasEther("alice", "1", "0", "0")
	require.Zero(t, e.sandbox.Executed(id))
	s, err := svc.Screening(e.ctx, payments.Platform(), id)
	require.NoError(t, err)
	require.Equal(t, payments.ScreenDeny, s.Decision)
	require.LessOrEqual(t, len(s.Private), ledger.MaxTextBytes)
}
