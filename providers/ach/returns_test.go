package ach

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	nacha "github.com/moov-io/ach"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/providers"
)

func (w *world) kinds() (kinds []NoticeKind) {
	w.t.Helper()
	notices, _, err := w.p.Notices(w.t.Context(), "", 1000)
	require.NoError(w.t, err)
	for _, n := range notices {
		kinds = append(kinds, n.Kind)
	}
	return kinds
}

// settled submits a payment and waits until it has settled, on Tuesday morning.
func (w *world) settled(kind providers.Kind, token string, cents int64) providers.Operation {
	w.t.Helper()
	op := w.payment(kind, token, cents)
	w.submit(op)
	for len(w.lookup(op.Key).Effects) == 0 {
		require.True(w.t, w.advance())
	}
	return op
}

func TestReturns(t *testing.T) {
	for _, tt := range []struct {
		code              string
		kind              providers.Kind
		business          bool
		debits, credits   providers.State // what becomes of the next payments
		final             string          // when a payment of the same day that does not come back is final
		publicReasonKnown bool
	}{
		{code: "R01", kind: providers.Deposit, debits: providers.Pending, credits: providers.Pending, final: "2026-05-05", publicReasonKnown: true},
		{code: "R02", kind: providers.Deposit, debits: providers.Failed, credits: providers.Failed, final: "2026-05-05", publicReasonKnown: true},
		{code: "R10", kind: providers.Deposit, debits: providers.Failed, credits: providers.Pending, final: "2026-05-05", publicReasonKnown: true},
		{code: "R05", kind: providers.Deposit, debits: providers.Failed, credits: providers.Pending, final: "2026-05-05", publicReasonKnown: true},
		{code: "R07", kind: providers.Deposit, debits: providers.Failed, credits: providers.Pending, final: "2026-05-05", publicReasonKnown: true},
		{code: "R11", kind: providers.Deposit, debits: providers.Failed, credits: providers.Pending, final: "2026-05-05", publicReasonKnown: true},
		{code: "R29", kind: providers.Deposit, business: true, debits: providers.Failed, credits: providers.Pending, final: "2026-03-06", publicReasonKnown: true},
		{code: "R03", kind: providers.Withdrawal, debits: providers.Failed, credits: providers.Failed, final: "2026-03-06", publicReasonKnown: true},
		{code: "R17", kind: providers.Withdrawal, debits: providers.Pending, credits: providers.Pending, final: "2026-03-06"},
	} {
		t.Run(tt.code, func(t *testing.T) {
			w := newWorld(t)
			token, _ := w.linked(func(a *BankAccount) { a.Business = tt.business })
			untouched := w.settled(tt.kind, token, 700)
			op := w.payment(tt.kind, token, 900)
			w.submit(op)
			w.at(at(monday.AddDate(0, 0, 1), 20, 0))
			w.at(at(monday.AddDate(0, 0, 2), 9, 0))
			before := w.lookup(op.Key)
			require.Equal(t, providers.Succeeded, before.State)
			require.False(t, before.Final)
			sign := map[providers.Kind]int64{providers.Deposit: 900, providers.Withdrawal: -900}[tt.kind]
			require.Equal(t, currency.MustNew(sign, currency.USD), before.Effects[0].Amount)

			w.bank.send(returnOf(w.bank.of(op.Key), tt.code))
			w.day()
			r := w.lookup(op.Key)
			assert.Equal(t, providers.Succeeded, r.State)
			assert.True(t, r.Final)
			assert.Equal(t, tt.code, r.Reason.Code)
			assert.Equal(t, tt.publicReasonKnown, r.Reason.Public != "The bank returned the payment.")
			require.Len(t, r.Effects, 2)
			assert.Equal(t, before.Effects[0], r.Effects[0], "the same as before")
			assert.Equal(t, providers.Reversed, r.Effects[1].Kind)
			assert.Equal(t, currency.MustNew(-sign, currency.USD), r.Effects[1].Amount)
			assert.Len(t, w.lookup(untouched.Key).Effects, 1)
			assert.NotContains(t, w.kinds(), LateReturn)

			for kind, want := range map[providers.Kind]providers.State{providers.Deposit: tt.debits, providers.Withdrawal: tt.credits} {
				next := w.submit(w.payment(kind, token, 100))
				assert.Equal(t, want, next.State, kind)
				if want == providers.Failed {
					assert.Equal(t, tt.code, next.Reason.Code)
				}
			}
			for !w.lookup(untouched.Key).Final {
				require.True(t, w.advance())
			}
			assert.Equal(t, tt.final, w.clock.read().In(eastern).Format("2006-01-02"), "settled on 3 March")
		})
	}
}

func TestAReturnAfterItsWindowIsAFactAndNoticed(t *testing.T) {
	for code, late := range map[string]bool{"R01": true, "R10": false} {
		w := newWorld(t)
		token, _ := w.linked()
		op := w.settled(providers.Deposit, token, 900)
		w.at(at(monday.AddDate(0, 0, 30), 9, 0))
		w.bank.send(returnOf(w.bank.of(op.Key), code))
		w.day()
		assert.Len(t, w.lookup(op.Key).Effects, 2)
		assert.Equal(t, late, len(w.kinds()) == 1 && w.kinds()[0] == LateReturn, code)
	}
	w := newWorld(t)
	token, _ := w.linked()
	op := w.settled(providers.Withdrawal, token, 900)
	for w.advance() {
	}
	require.True(t, w.lookup(op.Key).Final)
	w.bank.send(returnOf(w.bank.of(op.Key), "R23"))
	w.day()
	assert.Len(t, w.lookup(op.Key).Effects, 2)
	assert.Equal(t, []NoticeKind{LateReturn}, w.kinds())
}

func TestAReturnBeforeSettlementFails(t *testing.T) {
	w := newWorld(t)
	token, _ := w.linked()
	op := w.payment(providers.Deposit, token, 900)
	w.submit(op)
	w.at(at(monday, 20, 0))
	w.bank.send(returnOf(w.bank.of(op.Key), "R13"))
	w.day()
	r := w.lookup(op.Key)
	assert.Equal(t, providers.Failed, r.State)
	assert.True(t, r.Final)
	assert.Len(t, r.Effects, 2, "the bank's statement has both")
	for w.advance() {
	}
	assert.Equal(t, r, w.lookup(op.Key), "later settlement changes nothing")
}

func TestReturnsThatAreNotOurs(t *testing.T) {
	w := newWorld(t)
	token, _ := w.linked()
	op := w.settled(providers.Deposit, token, 900)
	sent := w.bank.of(op.Key)
	change := func(do func(d *nacha.EntryDetail)) answer {
		a := returnOf(sent, "R01")
		do(a.detail)
		return a
	}
	for name, a := range map[string]answer{
		"another amount":      change(func(d *nacha.EntryDetail) { d.Amount++ }),
		"an unknown trace":    change(func(d *nacha.EntryDetail) { d.Addenda99.OriginalTrace = odfi[:8] + "0000099" }),
		"another bank":        change(func(d *nacha.EntryDetail) { d.Addenda99.OriginalTrace = newRDFI[:8] + "0000001" }),
		"another originator":  change(func(d *nacha.EntryDetail) { d.IdentificationNumber = "SOMEBODY ELSE" }),
		"a link's own number": change(func(d *nacha.EntryDetail) { d.Addenda99.OriginalTrace = odfi[:8] + "0000001" }), // which has no entry
	} {
		before := len(w.kinds())
		w.bank.send(a)
		w.day()
		assert.Equal(t, []NoticeKind{UnmatchedReturn}, w.kinds()[before:], name)
		assert.Len(t, w.lookup(op.Key).Effects, 1, name)
	}
}

func TestTwoReturnsOfOneEntry(t *testing.T) {
	w := newWorld(t)
	token, _ := w.linked()
	op := w.settled(providers.Deposit, token, 900)
	one := returnOf(w.bank.of(op.Key), "R01")
	content := w.bank.file(one)
	w.bank.put("a.ach", content)
	w.day()
	w.bank.put("b.ach", content) // the bank sends the file again
	w.day()
	assert.Empty(t, w.kinds())
	w.bank.send(returnOf(w.bank.of(op.Key), "R09"))
	w.day()
	assert.Equal(t, []NoticeKind{RepeatedReturn}, w.kinds())
	assert.Len(t, w.lookup(op.Key).Effects, 2)
	assert.Equal(t, "R01", w.lookup(op.Key).Reason.Code)
}

func TestChanges(t *testing.T) {
	for _, tt := range []struct {
		code, data                  string
		routing, number             string
		savings, unapplied, unmoved bool
	}{
		{code: "C01", data: "555666777", number: "555666777"},
		{code: "C02", data: newRDFI, routing: newRDFI},
		{code: "C03", data: newRDFI + "   555666777", routing: newRDFI, number: "555666777"},
		{code: "C05", data: "37", savings: true},
		{code: "C06", data: "555666777        37", number: "555666777", savings: true},
		{code: "C07", data: newRDFI + "555666777        37", routing: newRDFI, number: "555666777", savings: true},
		{code: "C02", data: "091000023", unapplied: true}, // a wrong check digit
		{code: "C05", data: "52", unapplied: true},        // a loan
		{code: "C04", data: "BOB", unapplied: true},
		{code: "C09", data: "12345", unapplied: true},
	} {
		t.Run(tt.code+" "+tt.data, func(t *testing.T) {
			w := newWorld(t)
			token, number := w.linked()
			op := w.settled(providers.Withdrawal, token, 900)
			w.bank.send(changeOf(w.bank.of(op.Key), tt.code, tt.data))
			w.day()
			next := w.payment(providers.Withdrawal, token, 901)
			w.submit(next)
			w.at(at(monday.AddDate(0, 0, 1), 20, 0))
			sent := w.bank.of(next.Key).detail
			want := func(changed, old string) string {
				if changed == "" {
					return old
				}
				return changed
			}
			assert.Equal(t, want(tt.routing, rdfi), sent.RDFIIdentification+sent.CheckDigit)
			assert.Equal(t, want(tt.number, number), strings.TrimSpace(sent.DFIAccountNumber))
			assert.Equal(t, tt.savings, sent.TransactionCode == nacha.SavingsCredit)
			if tt.unapplied {
				assert.Equal(t, []NoticeKind{ChangeUnapplied}, w.kinds())
			} else {
				assert.Equal(t, []NoticeKind{ChangeApplied}, w.kinds())
			}
			assert.Len(t, w.lookup(op.Key).Effects, 1, "a correction moves no money")
		})
	}
}

// TestAFileKeepsTheAccountsThatItWasPlannedWith: building a file again gives the same bytes, though an account was corrected
// in between.
func TestAFileKeepsTheAccountsThatItWasPlannedWith(t *testing.T) {
	w := newWorld(t)
	token, _ := w.linked()
	first := w.settled(providers.Withdrawal, token, 900)
	w.submit(w.payment(providers.Withdrawal, token, 901))
	w.clock.set(at(monday.AddDate(0, 0, 1), 20, 0))
	w.work()
	f, version := file{}, uint64(0)
	version, err := providers.LoadState(t.Context(), w.p.state, fileKey(1), &f)
	require.NoError(t, err)
	require.NotZero(t, version)
	before, err := w.p.build(t.Context(), f, nil)
	require.NoError(t, err)
	w.bank.send(changeOf(w.bank.of(first.Key), "C01", "555666777"))
	w.work()
	assert.Equal(t, []NoticeKind{ChangeApplied}, w.kinds())
	after, err := w.p.build(t.Context(), f, nil)
	require.NoError(t, err)
	assert.Equal(t, string(before), string(after))
	names, err := w.p.Outbox()
	require.NoError(t, err)
	require.Len(t, names, 1)
	onDisk, err := os.ReadFile(filepath.Join(w.cfg.Outbox, names[0]))
	require.NoError(t, err)
	assert.Equal(t, string(before), string(onDisk))
}

func TestDishonouredAndContestedReturnsAreForAPerson(t *testing.T) {
	w := newWorld(t)
	token, _ := w.linked()
	op := w.settled(providers.Deposit, token, 900)
	e := w.bank.of(op.Key)
	dishonoured, contested := back(e), back(e)
	dishonoured.Category = nacha.CategoryDishonoredReturn
	dishonoured.Addenda99Dishonored = nacha.NewAddenda99Dishonored()
	dishonoured.Addenda99Dishonored.DishonoredReturnReasonCode = "R68"
	dishonoured.Addenda99Dishonored.OriginalEntryTraceNumber = e.detail.TraceNumber
	dishonoured.Addenda99Dishonored.TraceNumber = dishonoured.TraceNumber
	contested.Category = nacha.CategoryDishonoredReturnContested
	contested.Addenda99Contested = nacha.NewAddenda99Contested()
	contested.Addenda99Contested.ContestedReturnCode = "R71"
	contested.Addenda99Contested.OriginalEntryTraceNumber = e.detail.TraceNumber
	contested.Addenda99Contested.TraceNumber = contested.TraceNumber
	w.bank.send(answer{e.sec, dishonoured})
	w.bank.send(answer{e.sec, contested})
	w.day()
	notices, _, err := w.p.Notices(t.Context(), "", 10)
	require.NoError(t, err)
	require.Len(t, notices, 2)
	for i, code := range []string{"R68", "R71"} {
		assert.Equal(t, DishonoredNote, notices[i].Kind)
		assert.Equal(t, code, notices[i].Code)
		assert.Equal(t, e.detail.TraceNumber, notices[i].Trace)
	}
	assert.Len(t, w.lookup(op.Key).Effects, 1, "no money moved")
}
