package postgres

import (
	"encoding/binary"
	"math/big"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
)

var (
	packedAccount = ledger.AccountID{Path: "wallet/alice", Asset: "USD"}
	packedID      = ledger.ID{0: 1, 6: 0x70, 8: 0x80, 15: 9}
	packedAt      = time.UnixMicro(1_700_000_000_000_001).UTC()
)

// packedForms are the things that are packed, each with what reads one and writes it again.
var packedForms = []struct {
	read  func(*unpacker) any
	write func(*packer, any)
}{
	{
		func(u *unpacker) any {
			k := ledger.KeyRow{Key: "key"}
			u.unpackReceipt(&k, packedID, packedAt)
			return k
		},
		func(p *packer, v any) { k := v.(ledger.KeyRow); p.packReceipt(&k, packedID, packedAt) },
	},
	{
		func(u *unpacker) any {
			t := ledger.Transaction{ID: packedID, RecordedAt: packedAt}
			u.unpackTransaction(&t)
			return t
		},
		func(p *packer, v any) { t := v.(ledger.Transaction); p.packTransaction(&t) },
	},
	{
		func(u *unpacker) any {
			l := ledger.Line{Account: packedAccount, Transaction: packedID, RecordedAt: packedAt}
			u.unpackRest(&l)
			return l
		},
		func(p *packer, v any) { l := v.(ledger.Line); p.packRest(&l) },
	},
	{
		func(u *unpacker) any { return u.unpackChanges(ledger.Change{Entry: packedID, RecordedAt: packedAt}) },
		func(p *packer, v any) {
			p.packChanges(v.([]ledger.Change), ledger.Change{Entry: packedID, RecordedAt: packedAt})
		},
	},
}

func unpackForm(form int, b []byte) (any, error) {
	n := &names{
		accounts: func(number int64) (ledger.AccountID, bool) { return packedAccount, true },
		assets:   func(currency.AssetID) *currency.Definition { return currency.USD },
	}
	u := &unpacker{b: b, names: n}
	return packedForms[form].read(u), u.err
}

// Whatever bytes there are, they are refused as corrupt, or read as something that is packed, read and packed again to the
// same bytes.
func FuzzUnpack(f *testing.F) {
	p := func() *packer {
		return &packer{number: func(id ledger.AccountID) (int64, bool) { return 7, id == packedAccount }}
	}
	five := currency.MustNew(5, currency.USD)
	wide, err := currency.FromUnits(1<<40, 3, currency.USD)
	require.NoError(f, err)
	k := ledger.KeyRow{Key: "key", Refusal: ledger.Refuse(ledger.ErrDenied, "no", "never")}
	k.Receipt = ledger.Receipt{
		ID: ledger.ID{3}, Key: "other", RecordedAt: packedAt.Add(time.Hour),
		Results:  []ledger.Result{{Document: ledger.DocumentID{Kind: "k", ID: "1"}, Version: 1}, {Transaction: packedID, Hold: ledger.ID{5}}},
		Balances: []ledger.Balance{{Account: packedAccount, Version: 3, Posted: wide, Held: five, Available: five}},
	}
	t := ledger.Transaction{
		ID: packedID, RecordedAt: packedAt, EffectiveAt: packedAt.Add(-time.Hour), Reverses: ledger.ID{2}, Imported: true,
		Postings: []ledger.Posting{{Account: packedAccount, Side: ledger.Debit, Amount: wide}, {Account: ledger.AccountID{Path: "x", Asset: "EUR"}, Side: ledger.Credit, Amount: five}},
		Reversed: []currency.Amount{five, five}, Note: ledger.Note{Reference: "r", Meta: map[string]string{"a": "b"}},
	}
	l := ledger.Line{
		Account: packedAccount, Transaction: packedID, RecordedAt: packedAt, EffectiveAt: packedAt.Add(time.Second), Hold: ledger.ID{4},
		Terms: &ledger.Terms{Floor: five, CreditsFrozen: true},
	}
	changes := []ledger.Change{
		{Entry: packedID, RecordedAt: packedAt, Kind: ledger.ChangeHold, Account: packedAccount, Hold: ledger.ID{4}, Version: 2, State: "open", Amount: wide},
		{Entry: ledger.ID{8}, Key: "k", RecordedAt: packedAt.Add(-time.Hour), Kind: ledger.ChangeDocument, Document: ledger.DocumentID{Kind: "k", ID: "1"}},
	}
	for form, row := range []any{k, t, l, changes} {
		w := p()
		packedForms[form].write(w, row)
		f.Add(uint8(form), w.b)
	}
	f.Add(uint8(1), []byte{1 << 4, 0, 1, 1}) // an amount reversed of no posting
	f.Fuzz(func(t *testing.T, form uint8, b []byte) {
		at := int(form) % len(packedForms)
		row, err := unpackForm(at, b)
		if err != nil {
			require.ErrorIs(t, err, ledger.ErrCorrupt)
			return
		}
		first, second := p(), p()
		packedForms[at].write(first, row)
		again, err := unpackForm(at, first.b)
		require.NoError(t, err)
		packedForms[at].write(second, again)
		require.Equal(t, first.b, second.b)
	})
}

// A numeric is refused as corrupt, or is the whole number that its digits say; what was read is written back the same.
func FuzzNumeric(f *testing.F) {
	for _, units := range []int64{0, 1, -1, 10_000, -99_990_000} {
		f.Add(appendNumeric(nil, currency.MustNew(units, currency.USD)))
	}
	f.Add([]byte{0, 1, 0, 9, 0, 0, 0, 0, 0, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := readNumeric(b, currency.USD)
		if err != nil {
			require.ErrorIs(t, err, ledger.ErrCorrupt)
			return
		}
		if b == nil {
			require.False(t, a.IsValid())
			return
		}
		n, weight := int(binary.BigEndian.Uint16(b)), int(int16(binary.BigEndian.Uint16(b[2:])))
		sum := new(big.Int)
		for i := range n {
			digit := big.NewInt(int64(binary.BigEndian.Uint16(b[numericHeader+2*i:])))
			sum.Add(sum, digit.Mul(digit, new(big.Int).Exp(big.NewInt(base), big.NewInt(int64(weight-i)), nil)))
		}
		if binary.BigEndian.Uint16(b[4:]) == numericNegative {
			sum.Neg(sum)
		}
		hi, lo := a.Units()
		read := new(big.Int).Lsh(big.NewInt(hi), 64)
		require.Zero(t, sum.Cmp(read.Add(read, new(big.Int).SetUint64(lo))), "%s read as %s", sum, a)
		again, err := readNumeric(appendNumeric(nil, a), currency.USD)
		require.NoError(t, err)
		require.Equal(t, a, again)
	})
}
