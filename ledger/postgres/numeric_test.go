package postgres

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
)

func TestNumericReadsWhatItWrote(t *testing.T) {
	t.Parallel()
	amounts := []currency.Amount{currency.Zero(currency.USD)}
	for _, units := range []int64{1, 9_999, 10_000, 10_001, 99_999_999, 100_000_000, math.MaxInt64} {
		amounts = append(amounts, currency.MustNew(units, currency.USD), currency.MustNew(-units, currency.USD))
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 10_000 {
		shift := rnd.IntN(127)
		hi, lo := rnd.Uint64()>>1, rnd.Uint64()
		for range shift {
			lo, hi = lo>>1|hi<<63, hi>>1
		}
		a, err := currency.FromUnits(int64(hi), lo, currency.USD)
		require.NoError(t, err)
		n, err := a.Neg()
		require.NoError(t, err)
		amounts = append(amounts, a, n)
	}
	for _, a := range amounts {
		read, err := readNumeric(appendNumeric(nil, a), currency.USD)
		require.NoError(t, err)
		require.Equal(t, a, read)
	}
	none, err := readNumeric(nil, currency.USD)
	require.NoError(t, err)
	assert.False(t, none.IsValid())
}

func TestNumericRefuses(t *testing.T) {
	t.Parallel()
	for name, b := range map[string][]byte{
		"nothing":             {},
		"a digit too few":     {0, 2, 0, 1, 0, 0, 0, 0, 0, 1},
		"decimals":            {0, 1, 0xff, 0xff, 0, 0, 0, 1, 0x13, 0x88},
		"no number":           {0, 0, 0, 0, 0xc0, 0, 0, 0},
		"more than 128 bits":  {0, 1, 0, 9, 0, 0, 0, 0, 0x27, 0x0f},
		"an endless exponent": {0, 1, 0x7f, 0xff, 0, 0, 0, 0, 0, 1},
	} {
		_, err := readNumeric(b, currency.USD)
		assert.ErrorIs(t, err, ledger.ErrCorrupt, name)
	}
}

// TestUnpackRefusesCutBytes reads every beginning of packed rows: none may panic or be taken for whole.
func TestUnpackRefusesCutBytes(t *testing.T) {
	t.Parallel()
	p := &packer{number: func(id ledger.AccountID) (int64, bool) { return 7, id != ledger.AccountID{} }}
	account := ledger.AccountID{Path: "wallet/alice", Asset: "USD"}
	k := ledger.KeyRow{Key: "key", Refusal: ledger.Refuse(ledger.ErrDenied, "no", "never")}
	k.Receipt.Balances = []ledger.Balance{{Account: account, Version: 3, Posted: currency.MustNew(5, currency.USD), Held: currency.MustNew(1, currency.USD)}}
	k.Receipt.Results = []ledger.Result{{Document: ledger.DocumentID{Kind: "k", ID: "1"}, Version: 1}}
	p.packReceipt(&k, ledger.ID{}, k.Receipt.RecordedAt)
	names := func() *names {
		return &names{accounts: func(int64) (ledger.AccountID, bool) { return account, true }, assets: func(currency.AssetID) *currency.Definition { return currency.USD }}
	}
	for n := range p.b {
		u := &unpacker{b: p.b[:n:n], names: names()}
		u.unpackReceipt(&ledger.KeyRow{}, ledger.ID{}, k.Receipt.RecordedAt)
		require.ErrorIs(t, u.err, ledger.ErrCorrupt, "%d of %d bytes", n, len(p.b))
	}
	u := &unpacker{b: p.b, names: names()}
	whole := ledger.KeyRow{Key: "key"}
	u.unpackReceipt(&whole, ledger.ID{}, k.Receipt.RecordedAt)
	require.NoError(t, u.err)
	require.Equal(t, k, whole)
}
