package sqlite

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
)

var codedAccount = ledger.AccountID{Path: "wallet/alice", Asset: "USD"}

// codedForms are the things that are written as bytes, each with what reads one and writes it again.
var codedForms = []struct {
	read  func(*decoder) any
	write func(*encoder, any)
}{
	{
		func(d *decoder) any {
			var r ledger.Receipt
			d.receipt(&r, "key")
			return r
		},
		func(e *encoder, v any) { r := v.(ledger.Receipt); e.receipt(&r, "key") },
	},
	{func(d *decoder) any { return d.postings() }, func(e *encoder, v any) { e.postings(v.([]ledger.Posting)) }},
	{func(d *decoder) any { return d.terms("USD") }, func(e *encoder, v any) { t := v.(ledger.Terms); e.terms(&t, "USD") }},
	{
		func(d *decoder) any { return d.change(codedEntry()) },
		func(e *encoder, v any) { c := v.(ledger.Change); e.change(&c, codedEntry()) },
	},
}

func codedEntry() *entryRow {
	return &entryRow{uuid: ledger.ID{0: 1, 6: 0x70, 8: 0x80}, key: "key", recordedAt: time.UnixMicro(1_700_000_000_000_001).UTC()}
}

func codedWork() *work {
	w := &work{facts: newFacts(10), session: nowhere{}}
	w.learnt.account(1, codedAccount)
	return w
}

// Whatever bytes there are, they are refused as corrupt, or read as something that is written, read and written again to the
// same bytes.
func FuzzDecode(f *testing.F) {
	five := currency.MustNew(5, currency.USD)
	wide, err := currency.FromUnits(-1<<40, 3, currency.USD)
	require.NoError(f, err)
	for form, row := range []any{
		ledger.Receipt{
			Key:      "other",
			Results:  []ledger.Result{{Document: ledger.DocumentID{Kind: "k", ID: "1"}, Version: 1}, {Transaction: ledger.ID{4}, Hold: ledger.ID{5}}},
			Balances: []ledger.Balance{{Account: codedAccount, Version: 3, Posted: wide, Held: five, Available: five}},
		},
		[]ledger.Posting{{Account: codedAccount, Side: ledger.Debit, Amount: wide}, {Account: ledger.AccountID{Path: "x", Asset: "EUR"}, Side: ledger.Credit, Amount: five}},
		ledger.Terms{Floor: five, Ceiling: currency.MustNew(7, currency.EUR), CreditsFrozen: true},
		ledger.Change{Key: "k", Kind: ledger.ChangeHold, Account: codedAccount, Hold: ledger.ID{4}, Version: 2, State: "open", Amount: wide},
	} {
		e := &encoder{work: codedWork()}
		codedForms[form].write(e, row)
		require.NoError(f, e.err)
		f.Add(uint8(form), e.buf)
	}
	f.Add(uint8(1), []byte{1, 2, 1, smallAmount, 9}) // on an account of which there is a row
	f.Add(uint8(1), []byte{1, 2, 1, otherAmount, 3, 'U', 'S', 'D'})
	f.Fuzz(func(t *testing.T, form uint8, b []byte) {
		at := codedForms[int(form)%len(codedForms)]
		d := &decoder{buf: b, work: codedWork()}
		row := at.read(d)
		if d.err != nil {
			require.ErrorIs(t, d.err, ledger.ErrCorrupt)
			return
		}
		first, second := &encoder{work: codedWork()}, &encoder{work: codedWork()}
		at.write(first, row)
		require.NoError(t, first.err)
		d = &decoder{buf: first.buf, work: codedWork()}
		again := at.read(d)
		require.NoError(t, d.err)
		at.write(second, again)
		require.Equal(t, first.buf, second.buf)
	})
}

// Marks are refused as corrupt, or written as they read.
func FuzzMarks(f *testing.F) {
	f.Add(marks{{1, 16}, {3, 64}}.bytes())
	f.Add([]byte{0x80})
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := readMarks(b)
		if err != nil {
			require.ErrorIs(t, err, ledger.ErrCorrupt)
			return
		}
		again, err := readMarks(m.bytes())
		require.NoError(t, err)
		require.Equal(t, m, again)
	})
}
