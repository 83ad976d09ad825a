package ach

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	nacha "github.com/moov-io/ach"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/providers"
)

func TestEntries(t *testing.T) {
	for _, tt := range []struct {
		name                       string
		kind                       providers.Kind
		savings, business, sameDay bool
		class                      string
		code                       int
		effective                  string
	}{
		{"a consumer's debit", providers.Deposit, false, false, false, "WEB", nacha.CheckingDebit, "260303"},
		{"from savings", providers.Deposit, true, false, false, "WEB", nacha.SavingsDebit, "260303"},
		{"a consumer's credit", providers.Withdrawal, false, false, false, "PPD", nacha.CheckingCredit, "260303"},
		{"a company's debit", providers.Deposit, false, true, false, "CCD", nacha.CheckingDebit, "260303"},
		{"a company's credit", providers.Withdrawal, true, true, false, "CCD", nacha.SavingsCredit, "260303"},
		{"for the same day", providers.Withdrawal, false, false, true, "PPD", nacha.CheckingCredit, "260302"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, func(c *Config) { c.CutOffs = []CutOff{{Hour: 15, SameDay: tt.sameDay}} })
			token, number := w.linked(func(a *BankAccount) { a.Savings, a.Business = tt.savings, tt.business })
			op := w.payment(tt.kind, token, 12345)
			r := w.submit(op)
			w.at(at(monday, 14, 59))
			assert.Empty(t, w.bank.entries, "before the cut-off")
			w.at(at(monday, 15, 0))
			e := w.bank.of(op.Key)
			assert.Equal(t, tt.class, e.sec)
			assert.Equal(t, tt.code, e.detail.TransactionCode)
			assert.Equal(t, tt.effective, e.effective)
			assert.Equal(t, 12345, e.detail.Amount)
			assert.Equal(t, number, strings.TrimSpace(e.detail.DFIAccountNumber))
			assert.Equal(t, rdfi, e.detail.RDFIIdentification+e.detail.CheckDigit)
			assert.Equal(t, r.Reference, e.detail.TraceNumber)
			assert.Equal(t, "Alice rsted", strings.TrimSpace(e.detail.IndividualName))
		})
	}
}

func TestCutOffs(t *testing.T) {
	w := newWorld(t, func(c *Config) {
		c.CutOffs = []CutOff{{Hour: 20}, {Hour: 10, SameDay: true}, {Hour: 14, Minute: 30, SameDay: true}}
	})
	token, _ := w.linked()
	send := func(submitted time.Time, work ...time.Time) (effective string) {
		t.Helper()
		w.at(submitted)
		op := w.payment(providers.Deposit, token, 100)
		w.submit(op)
		for i, when := range work {
			w.at(when)
			if n := w.bank.executed(op.Key); i < len(work)-1 {
				require.Zero(t, n, when)
			} else {
				require.Equal(t, 1, n, when)
			}
		}
		return w.bank.of(op.Key).effective
	}
	day := func(d, hour, minute int) time.Time { return time.Date(2026, 3, d, hour, minute, 0, 0, eastern) }
	assert.Equal(t, "260302", send(day(2, 9, 30), day(2, 9, 59), day(2, 10, 0)))
	assert.Equal(t, "260302", send(day(2, 10, 1), day(2, 14, 29), day(2, 14, 31)))
	assert.Equal(t, "260303", send(day(2, 14, 40), day(2, 19, 59), day(2, 20, 0)))
	assert.Equal(t, "260303", send(day(2, 21, 0), day(3, 9, 59), day(3, 10, 0)))
	assert.Equal(t, "260304", send(day(3, 12, 0), day(3, 17, 0)), "the worker was down, and it is too late for the same day")
	assert.Equal(t, "260309", send(day(6, 21, 0), day(7, 10, 0), day(8, 23, 0), day(9, 10, 0)), "over a weekend")
}

func TestSameDayLimits(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.CutOffs = []CutOff{{Hour: 10, SameDay: true}} })
	token, _ := w.linked()
	small, large := w.payment(providers.Withdrawal, token, MaxSameDayCents), w.payment(providers.Withdrawal, token, MaxSameDayCents+1)
	w.submit(small)
	w.submit(large)
	w.at(at(monday, 10, 0))
	assert.Equal(t, "260302", w.bank.of(small.Key).effective)
	assert.Equal(t, "260303", w.bank.of(large.Key).effective)
	w.at(at(monday, 13, 0))
	assert.Len(t, w.lookup(small.Key).Effects, 1)
	assert.Empty(t, w.lookup(large.Key).Effects)
}

func TestNothingMovesBeforeItIsHandedOver(t *testing.T) {
	w := newWorld(t)
	token, _ := w.linked()
	op := w.payment(providers.Deposit, token, 100)
	w.submit(op)
	w.clock.set(at(monday, 20, 0))
	w.work()
	w.clock.set(at(monday.AddDate(0, 0, 1), 12, 0)) // the program that hands over is down
	w.work()
	assert.Equal(t, providers.Pending, w.lookup(op.Key).State)
	w.bank.collect(w.p)
	w.work()
	assert.Equal(t, providers.Pending, w.lookup(op.Key).State, "too late for Tuesday")
	w.at(at(monday.AddDate(0, 0, 2), 8, 29))
	assert.Equal(t, providers.Pending, w.lookup(op.Key).State)
	w.at(at(monday.AddDate(0, 0, 2), 8, 30))
	assert.Equal(t, providers.Succeeded, w.lookup(op.Key).State)
}

func TestAcknowledgements(t *testing.T) {
	w := newWorld(t)
	w.cfg.Acknowledged = true
	w.p = w.open()
	token, _ := w.linked()
	op := w.payment(providers.Deposit, token, 100)
	w.submit(op)
	w.clock.set(at(monday, 20, 0))
	w.work()
	names, err := w.p.Outbox()
	require.NoError(t, err)
	require.NoError(t, w.p.Sent(names[0]))
	w.work()
	w.clock.set(at(monday.AddDate(0, 0, 1), 9, 0))
	w.work()
	assert.Equal(t, providers.Pending, w.lookup(op.Key).State, "the bank said nothing")
	w.bank.put("rejected.txt", []byte("NAK "+names[0]+" 0042"))
	w.bank.put("stranger.txt", []byte("ACK other-20260302-000000.ach"))
	w.work()
	r := w.lookup(op.Key)
	assert.Equal(t, providers.Failed, r.State)
	assert.Equal(t, "file_rejected", r.Reason.Code)
	assert.Empty(t, r.Effects)
	assert.Equal(t, []NoticeKind{FileRejected, Unexpected}, w.kinds())
	events, _, err := w.p.Poll(t.Context(), "", 100)
	require.NoError(t, err)
	assert.Equal(t, op.Key, events[len(events)-1].Report.Key)

	// Once entries have settled, a rejection contradicts what was reported.
	second := w.payment(providers.Deposit, token, 100)
	w.submit(second)
	w.at(at(monday.AddDate(0, 0, 1), 20, 0))
	w.at(at(monday.AddDate(0, 0, 2), 9, 0))
	require.Len(t, w.lookup(second.Key).Effects, 1)
	w.bank.put("late.txt", []byte("NAK "+w.bank.of(second.Key).file+" 0042"))
	w.day()
	assert.Equal(t, Contradiction, w.kinds()[2])
	assert.Len(t, w.lookup(second.Key).Effects, 1)
}

func TestMicroDeposits(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Verification = MicroDeposits })
	link := func() providers.Operation {
		token, _ := w.added()
		op := linkOf(token)
		assert.Equal(t, providers.Pending, w.submit(op).State)
		assert.ErrorIs(t, w.p.ConfirmMicroDeposits(t.Context(), op.Key, 1, 1), ErrNotWaiting)
		return op
	}
	amounts := func(op providers.Operation) (a []int64) {
		for _, e := range w.bank.entries {
			if strings.TrimSpace(e.detail.IdentificationNumber) == ident(op.Key) {
				a = append(a, int64(e.detail.Amount))
			}
		}
		return a
	}
	right, wrong, returned, expired, debitBack := link(), link(), link(), link(), link()
	w.at(at(monday, 20, 0))
	w.at(at(monday.AddDate(0, 0, 1), 8, 30))
	for _, op := range []providers.Operation{right, wrong, returned, expired, debitBack} {
		a := amounts(op)
		require.Len(t, a, 3)
		assert.Equal(t, a[2], a[0]+a[1], "they come to nothing")
		assert.Less(t, max(a[0], a[1]), int64(100))
		r := w.lookup(op.Key)
		assert.Equal(t, providers.ActionRequired, r.State)
		assert.Equal(t, MicroDepositsKind, r.Action.Kind)
	}
	assert.Equal(t, providers.Failed, w.submit(w.payment(providers.Deposit, right.Instrument, 100)).State, "not verified yet")

	a := amounts(right)
	require.NoError(t, w.p.ConfirmMicroDeposits(t.Context(), right.Key, a[1], a[0]))
	require.NoError(t, w.p.ConfirmMicroDeposits(t.Context(), right.Key, a[0], a[1]), "again")
	assert.Equal(t, providers.Succeeded, w.lookup(right.Key).State)
	assert.Equal(t, providers.Pending, w.submit(w.payment(providers.Deposit, right.Instrument, 100)).State)

	for range maxTries {
		assert.ErrorIs(t, w.p.ConfirmMicroDeposits(t.Context(), wrong.Key, 0, 0), ErrWrongAmounts)
	}
	a = amounts(wrong)
	assert.ErrorIs(t, w.p.ConfirmMicroDeposits(t.Context(), wrong.Key, a[0], a[1]), ErrNotWaiting, "too late")
	assert.Equal(t, "wrong_amounts", w.lookup(wrong.Key).Reason.Code)

	w.bank.send(returnOf(w.bank.of(returned.Key), "R03"))
	w.day()
	assert.Equal(t, "R03", w.lookup(returned.Key).Reason.Code)

	a = amounts(debitBack)
	require.NoError(t, w.p.ConfirmMicroDeposits(t.Context(), debitBack.Key, a[0], a[1]))
	for _, e := range w.bank.entries {
		if strings.TrimSpace(e.detail.IdentificationNumber) == ident(debitBack.Key) && e.detail.TransactionCode == nacha.CheckingDebit {
			w.bank.send(returnOf(e, "R01"))
		}
	}
	w.day()
	assert.Contains(t, w.kinds(), MicroLoss)
	assert.Equal(t, providers.Succeeded, w.lookup(debitBack.Key).State, "the account is still the member's")

	w.at(at(monday.AddDate(0, 0, 20), 9, 0))
	assert.Equal(t, "verification_expired", w.lookup(expired.Key).Reason.Code)
	a = amounts(expired)
	assert.ErrorIs(t, w.p.ConfirmMicroDeposits(t.Context(), expired.Key, a[0], a[1]), ErrNotWaiting)
}

func TestPrenotes(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Verification, c.CutOffs = Prenote, []CutOff{{Hour: 10, SameDay: true}} })
	token, _ := w.added(func(a *BankAccount) { a.Savings = true })
	bad, _ := w.added()
	op, badOp := linkOf(token), linkOf(bad)
	w.submit(op)
	w.submit(badOp)
	w.at(at(monday, 10, 0))
	e := w.bank.of(op.Key)
	assert.Zero(t, e.detail.Amount)
	assert.Equal(t, nacha.SavingsPrenoteDebit, e.detail.TransactionCode)
	assert.Equal(t, "260303", e.effective, "never for the same day")
	w.at(at(monday.AddDate(0, 0, 2), 9, 0))
	w.bank.send(returnOf(w.bank.of(badOp.Key), "R04"))
	w.day()
	assert.Equal(t, "R04", w.lookup(badOp.Key).Reason.Code)
	w.at(at(monday.AddDate(0, 0, 4), 8, 29))
	assert.Equal(t, providers.Pending, w.lookup(op.Key).State)
	w.at(at(monday.AddDate(0, 0, 4), 8, 30)) // the third banking day after Tuesday
	assert.Equal(t, providers.Succeeded, w.lookup(op.Key).State)
	assert.Equal(t, providers.Failed, w.lookup(badOp.Key).State)
	assert.Equal(t, "account_linked", w.submit(linkOf(token)).Reason.Code, "a token links once")
}

// TestTraceNumbersAreUniqueWhenFilesAreMerged: moov-io/ach#928. Merging also reads every file once more.
func TestTraceNumbersAreUniqueWhenFilesAreMerged(t *testing.T) {
	w := newWorld(t)
	token, _ := w.linked()
	company, _ := w.linked(func(a *BankAccount) { a.Business = true })
	want := 0
	for day := range 9 {
		for i := range 40 {
			w.submit(w.payment([]providers.Kind{providers.Deposit, providers.Withdrawal}[i%2], []string{token, company}[i/2%2], int64(100+i)))
			want++
		}
		w.p = w.open() // the counter is in the state store
		w.at(at(AddBankingDays(monday, day), 20, 0))
	}
	var files []*nacha.File
	paths, err := filepath.Glob(filepath.Join(w.cfg.Outbox, sentFolder, "*.ach"))
	require.NoError(t, err)
	require.Len(t, paths, 9)
	for _, path := range paths {
		f, err := nacha.ReadFile(path)
		require.NoError(t, err)
		files = append(files, f)
	}
	merged, err := nacha.MergeFiles(files)
	require.NoError(t, err)
	traces := map[string]bool{}
	for _, f := range merged {
		for _, b := range f.Batches {
			for _, e := range b.GetEntries() {
				assert.False(t, traces[e.TraceNumber], e.TraceNumber)
				traces[e.TraceNumber] = true
			}
		}
	}
	assert.Len(t, traces, want)
}

func TestTraceNumbersComeRound(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.FirstTrace, c.LastTrace = 500, 502 })
	token, _ := w.linked() // has 500
	first, second := w.payment(providers.Withdrawal, token, 101), w.payment(providers.Withdrawal, token, 102)
	assert.Equal(t, odfi[:8]+"0000501", w.submit(first).Reference)
	assert.Equal(t, odfi[:8]+"0000502", w.submit(second).Reference)
	third, fourth := w.payment(providers.Withdrawal, token, 103), w.payment(providers.Withdrawal, token, 104)
	assert.Equal(t, odfi[:8]+"0000500.1", w.submit(third).Reference, "the link is done with its number")
	_, err := w.p.Submit(t.Context(), fourth)
	assert.Equal(t, providers.NotSent, providers.CertaintyOf(err), "501 is in use: %v", err)
	assert.ErrorIs(t, err, providers.ErrUnsupported)
	for w.advance() {
	}
	assert.Equal(t, odfi[:8]+"0000501.1", w.submit(fourth).Reference)
	w.at(at(w.clock.read().AddDate(0, 0, 1), 20, 0))
	w.bank.send(returnOf(w.bank.of(fourth.Key), "R03"))
	w.day()
	assert.Equal(t, "R03", w.lookup(fourth.Key).Reason.Code, "the later one of the two")
	assert.Empty(t, w.lookup(first.Key).Reason.Code)
	for _, op := range []providers.Operation{first, fourth} {
		r, err := w.p.Lookup(t.Context(), providers.Query{Reference: w.lookup(op.Key).Reference})
		require.NoError(t, err)
		assert.Equal(t, op.Key, r.Key)
	}
	for _, reference := range []string{"", "x", odfi[:8] + "0000503", odfi[:8] + "0000500.0", odfi[:8] + "0000500.-1", odfi[:8] + "0000500.9"} {
		_, err := w.p.Lookup(t.Context(), providers.Query{Reference: reference})
		assert.ErrorIs(t, err, providers.ErrNotFound, reference)
	}
}

func TestCancel(t *testing.T) {
	w := newWorld(t)
	token, _ := w.linked()
	cancelOf := func(op providers.Operation) providers.Operation {
		return providers.Operation{Key: uuid.NewString(), Kind: providers.Cancel, Method: providers.Bank, Target: op.Key}
	}
	op, other := w.payment(providers.Deposit, token, 100), w.payment(providers.Deposit, token, 100)
	w.submit(op)
	w.submit(other)
	c := cancelOf(op)
	assert.Equal(t, providers.Succeeded, w.submit(c).State)
	assert.Equal(t, providers.Succeeded, w.submit(c).State, "again")
	assert.Equal(t, "too_late", w.submit(cancelOf(op)).Reason.Code, "by another key")
	assert.Equal(t, providers.Canceled, w.lookup(op.Key).State)
	w.at(at(monday, 20, 0))
	assert.Zero(t, w.bank.executed(op.Key))
	assert.Equal(t, 1, w.bank.executed(other.Key))
	assert.Equal(t, "too_late", w.submit(cancelOf(other)).Reason.Code)
	assert.Equal(t, "no_such_operation", w.submit(cancelOf(w.payment(providers.Deposit, token, 1))).Reason.Code)
	events, _, err := w.p.Poll(t.Context(), "", 100)
	require.NoError(t, err)
	told := map[string]providers.State{}
	for _, e := range events {
		told[e.Report.Key] = e.Report.State
	}
	assert.Equal(t, providers.Canceled, told[op.Key])
	assert.Equal(t, providers.Succeeded, told[c.Key])
}

// TestACancellationBetweenPlanAndFile: the plan is durable, the pages are not stamped yet, and the member cancels.
func TestACancellationBetweenPlanAndFile(t *testing.T) {
	for _, others := range []int{0, 2} {
		w := newWorld(t)
		token, _ := w.linked()
		op := w.payment(providers.Deposit, token, 100)
		w.submit(op)
		for range others {
			w.submit(w.payment(providers.Deposit, token, 100))
		}
		w.clock.set(at(monday, 20, 0))
		w.state.faultOnce("store", "file/", true, "the process is gone")
		require.Error(t, w.p.Work(t.Context()))
		r := w.submit(providers.Operation{Key: uuid.NewString(), Kind: providers.Cancel, Method: providers.Bank, Target: op.Key})
		require.Equal(t, providers.Succeeded, r.State)
		w.day()
		assert.Zero(t, w.bank.executed(op.Key))
		assert.Len(t, w.bank.entries, others)
		for w.advance() {
		}
		assert.Equal(t, providers.Canceled, w.lookup(op.Key).State)
	}
}

func TestInbox(t *testing.T) {
	w := newWorld(t)
	token, _ := w.linked()
	op := w.settled(providers.Deposit, token, 900)
	good := string(w.bank.file(returnOf(w.bank.of(op.Key), "R01")))
	lines := strings.SplitAfter(good, "\n")
	garbage := map[string]string{
		"empty":             "",
		"words":             "what is this?",
		"binary":            "101\x00\xff\xfe\x00" + strings.Repeat("\xff", 300),
		"cut":               strings.Join(lines[:3], ""),
		"without the end":   strings.Join(lines[:5], ""),
		"a changed amount":  strings.Replace(good, "0000000900", "0000000901", 1),
		"a changed account": strings.Replace(good, "10020030", "10020031", 1) + "x",
		"a changed bank":    strings.Replace(good, odfi+"100", "061000011100", 1),
		"twice the header":  lines[0] + good,
		"too large":         strings.Repeat("x", maxInboxBytes+1),
		"long":              lines[0] + strings.Repeat("7", 5000),
	}
	for name, content := range garbage {
		w.bank.put(name, []byte(content))
	}
	w.bank.put(".hidden", []byte(good))
	w.bank.put("download.tmp", []byte(good))
	w.bank.put("download.part", []byte(good))
	w.day()
	assert.Len(t, w.lookup(op.Key).Effects, 1, "nothing of a broken file is applied")
	notices, _, err := w.p.Notices(t.Context(), "", 100)
	require.NoError(t, err)
	assert.Len(t, notices, len(garbage))
	for _, n := range notices {
		assert.Equal(t, Quarantined, n.Kind)
		assert.NotContains(t, n.Text, "100200301", n.File)
		assert.NotEmpty(t, garbage[n.File]+"x", n.File)
	}
	for name, content := range garbage {
		paths, err := filepath.Glob(filepath.Join(w.cfg.Inbox, quarantineFolder, "*-"+name))
		require.NoError(t, err)
		if assert.Len(t, paths, 1, name) {
			kept, err := os.ReadFile(paths[0])
			require.NoError(t, err)
			assert.Equal(t, content, string(kept), name)
		}
	}
	require.NoError(t, os.Rename(filepath.Join(w.cfg.Inbox, "download.part"), filepath.Join(w.cfg.Inbox, "download")))
	w.day()
	assert.Len(t, w.lookup(op.Key).Effects, 2)
	left, err := w.p.folders.arrived()
	require.NoError(t, err)
	assert.Empty(t, left)
}

func TestAFolderThatFails(t *testing.T) {
	w := newWorld(t)
	w.p.folders.disk = osDisk{} // the real one
	token, _ := w.linked()
	op := w.payment(providers.Deposit, token, 100)
	w.submit(op)
	w.clock.set(at(monday, 20, 0))
	require.NoError(t, os.Rename(w.cfg.Outbox, w.cfg.Outbox+"-unplugged"))
	require.Error(t, w.p.Work(t.Context()))
	require.Error(t, w.p.Check(t.Context()))
	require.NoError(t, os.Rename(w.cfg.Outbox+"-unplugged", w.cfg.Outbox))
	w.day()
	assert.Equal(t, 1, w.bank.executed(op.Key))
	assert.Error(t, w.p.Sent("../"+w.bank.of(op.Key).file))
	path := filepath.Join(w.cfg.Outbox, sentFolder, w.bank.of(op.Key).file)
	info, err := os.Stat(path)
	require.NoError(t, err)
	assert.Zero(t, info.Mode().Perm()&0o077, "account numbers are in it")
}

func TestMoreFilesThanADayHas(t *testing.T) {
	w := newWorld(t, func(c *Config) {
		c.CutOffs = nil
		for i := range 40 {
			c.CutOffs = append(c.CutOffs, CutOff{Hour: 10, Minute: i})
		}
	})
	token, _ := w.linked()
	modifiers := map[string]bool{}
	for i := range 36 {
		w.clock.set(at(monday, 10, i))
		op := w.payment(providers.Deposit, token, 100)
		w.submit(op)
		w.at(at(monday, 10, i+1))
		require.Equal(t, 1, w.bank.executed(op.Key), i)
		f, err := nacha.ReadFile(filepath.Join(w.cfg.Outbox, sentFolder, w.bank.of(op.Key).file))
		require.NoError(t, err)
		modifiers[f.Header.FileIDModifier] = true
	}
	assert.Len(t, modifiers, 36)
	op := w.payment(providers.Deposit, token, 100)
	w.submit(op)
	w.clock.set(at(monday, 10, 39))
	assert.ErrorIs(t, w.p.Work(t.Context()), errManyFiles)
	w.at(at(monday.AddDate(0, 0, 1), 10, 0))
	assert.Equal(t, 1, w.bank.executed(op.Key))
}

// TestManyAtOnce submits from many goroutines and several Providers over one store while others work, and looks at what
// reached the bank.
func TestManyAtOnce(t *testing.T) {
	w := newWorld(t)
	token, _ := w.linked()
	w.clock.set(at(monday, 20, 0)) // every Work writes a file of what there is
	another := []*Provider{w.p, w.open(), w.open()}
	var ops []providers.Operation
	for i := range 300 {
		ops = append(ops, w.payment(providers.Deposit, token, int64(100+i)))
	}
	var group sync.WaitGroup
	for i, op := range ops {
		for j := range 2 {
			group.Go(func() {
				if _, err := another[(i+j)%3].Submit(t.Context(), op); err != nil {
					t.Error(err)
				}
			})
		}
	}
	ctx, stop := context.WithCancel(t.Context())
	var workers sync.WaitGroup
	for _, p := range another {
		workers.Go(func() {
			for ctx.Err() == nil {
				if err := p.Work(ctx); err != nil && !errors.Is(err, ErrLocked) && !errors.Is(err, context.Canceled) {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	stop()
	workers.Wait()
	w.day()
	assert.Len(t, w.bank.entries, len(ops))
	for _, op := range ops {
		assert.Equal(t, 1, w.bank.executed(op.Key))
	}
}

func TestRunStopsWithItsContext(t *testing.T) {
	w := newWorld(t)
	ctx, stop := context.WithCancel(t.Context())
	w.bank.put("what.txt", []byte("what"))
	done := make(chan error)
	go func() { done <- w.p.Run(ctx, time.Millisecond, func(err error) { t.Error(err) }) }()
	for len(w.kinds()) == 0 {
		stopIfDone(t, done)
	}
	stop()
	assert.ErrorIs(t, <-done, context.Canceled)
}

func stopIfDone(t *testing.T, done chan error) {
	t.Helper()
	select {
	case err := <-done:
		t.Fatal(err)
	default:
	}
}

func TestNoticesAndPollRefuseAForeignCursor(t *testing.T) {
	w := newWorld(t)
	for _, cursor := range []string{"x", "1", "1.2.3.4", "-1.0.0", "1.-2", "a.b.c"} {
		_, next, err := w.p.Poll(t.Context(), cursor, 1)
		assert.ErrorIs(t, err, providers.ErrInvalid, cursor)
		assert.Equal(t, cursor, next)
		_, next, err = w.p.Notices(t.Context(), cursor, 1)
		assert.ErrorIs(t, err, providers.ErrInvalid, cursor)
		assert.Equal(t, cursor, next)
	}
}

func TestLogsGoOverPages(t *testing.T) {
	w := newWorld(t)
	for i := range 250 {
		require.NoError(t, w.p.notice(t.Context(), Notice{Kind: Unexpected, Text: fmt.Sprint(i)}))
		if i%70 == 0 {
			w.p = w.open()
		}
	}
	cursor, n := "", 0
	for {
		notices, next, err := w.p.Notices(t.Context(), cursor, 7)
		require.NoError(t, err)
		for _, one := range notices {
			assert.Equal(t, fmt.Sprint(n), one.Text)
			n++
		}
		if len(notices) == 0 {
			assert.Equal(t, cursor, next)
			break
		}
		cursor = next
	}
	assert.Equal(t, 250, n)
}

// TestOneFileThatIsStuck does not keep others from being written and from settling.
func TestOneFileThatIsStuck(t *testing.T) {
	w := newWorld(t)
	lost, _ := w.linked()
	good, _ := w.linked()
	before := w.payment(providers.Deposit, good, 100)
	w.submit(before)
	w.at(at(monday, 20, 0))
	stuck := w.payment(providers.Deposit, lost, 100)
	w.submit(stuck)
	var kept sealed
	damage := func(s *sealed) {
		_, err := providers.ChangeState(t.Context(), w.p.state, accountKey(lost), func(a *account, _ bool) error {
			kept, a.Versions[0].Number = a.Versions[0].Number, *s
			return nil
		})
		require.NoError(t, err)
	}
	damage(&sealed{Key: "k1", Nonce: make([]byte, 12), Text: []byte("damaged")})
	w.clock.set(at(monday.AddDate(0, 0, 1), 20, 0))
	require.ErrorIs(t, w.p.Work(t.Context()), ErrSealed)
	assert.Equal(t, providers.Succeeded, w.lookup(before.Key).State, "it settled on Tuesday morning")
	after := w.payment(providers.Deposit, good, 100)
	w.submit(after)
	w.clock.set(at(monday.AddDate(0, 0, 2), 20, 0))
	require.ErrorIs(t, w.p.Work(t.Context()), ErrSealed)
	w.bank.collect(w.p)
	assert.Equal(t, 1, w.bank.executed(after.Key))
	damage(&kept)
	w.day()
	assert.Equal(t, 1, w.bank.executed(stuck.Key))
	assert.Len(t, w.bank.entries, 3)
}

func TestTheSetupNeverChanges(t *testing.T) {
	w := newWorld(t)
	token, _ := w.linked()
	op := w.payment(providers.Deposit, token, 100)
	w.submit(op)
	for name, change := range map[string]func(*Config){
		"ODFI":        func(c *Config) { c.ODFI = newRDFI },
		"first trace": func(c *Config) { c.FirstTrace = 2 },
		"last trace":  func(c *Config) { c.LastTrace = 1000 },
	} {
		c := w.cfg
		change(&c)
		p, err := New(w.state, w.keys, c)
		require.NoError(t, err, name)
		assert.ErrorIs(t, p.Check(t.Context()), ErrSetupChanged, name)
		assert.ErrorIs(t, p.Work(t.Context()), ErrSetupChanged, name)
		_, err = p.Submit(t.Context(), op)
		assert.ErrorIs(t, err, ErrSetupChanged, name)
		assert.Equal(t, providers.NotSent, providers.CertaintyOf(err))
		_, err = p.Lookup(t.Context(), providers.Query{Key: op.Key})
		assert.ErrorIs(t, err, ErrSetupChanged, name)
		_, _, err = p.Poll(t.Context(), "", 1)
		assert.ErrorIs(t, err, ErrSetupChanged, name)
	}
}

// TestPollInsideABatch: one event of the log is about many operations, and a page may end between them.
func TestPollInsideABatch(t *testing.T) {
	w := newWorld(t)
	token, _ := w.linked()
	want := map[string]bool{}
	for range 5 {
		op := w.payment(providers.Deposit, token, 100)
		w.submit(op)
		want[op.Key] = true
	}
	for len(w.lookup(w.firstKey(want)).Effects) == 0 {
		require.True(t, w.advance())
	}
	for _, limit := range []int{1, 2, 3, 100} {
		got, cursor := map[string]bool{}, ""
		for {
			events, next, err := w.p.Poll(t.Context(), cursor, limit)
			require.NoError(t, err)
			require.LessOrEqual(t, len(events), limit)
			for _, e := range events {
				if want[e.Report.Key] {
					got[e.Report.Key] = true
				}
			}
			if next == cursor {
				break
			}
			cursor = next
		}
		assert.Equal(t, want, got, limit)
	}
}

func (w *world) firstKey(keys map[string]bool) string {
	for key := range keys {
		return key
	}
	w.t.Fatal("no keys")
	return ""
}

// TestNoPlanTakesWhatAnEarlierOneHas: a plan is durable, its entries are not stamped, and stamping fails once more.
func TestNoPlanTakesWhatAnEarlierOneHas(t *testing.T) {
	w := newWorld(t)
	token, _ := w.linked()
	w.work() // the link is told
	op := w.payment(providers.Deposit, token, 100)
	w.submit(op)
	w.clock.set(at(monday, 20, 0))
	for range 2 {
		w.state.faultOnce("store", "page/", false, "i/o timeout")
		require.ErrorContains(t, w.p.Work(t.Context()), "i/o timeout")
	}
	w.day()
	assert.Equal(t, 1, w.bank.executed(op.Key))
	version, err := providers.LoadState(t.Context(), w.p.state, fileKey(1), new(file))
	require.NoError(t, err)
	assert.Zero(t, version, "one file")
}
