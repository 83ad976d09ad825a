package currency

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestEveryISORow(t *testing.T) {
	require.Len(t, ISO(), 165)
	require.Len(t, WithdrawnISO(), 54)
	require.Len(t, isoByCode, 165+54, "no code is in both lists")

	numerics := map[uint16]AssetID{}
	symbols := map[string]AssetID{}
	for _, d := range ISO() {
		info := d.Info()
		require.Empty(t, info.Withdrawn, info.ID)
		require.Empty(t, numerics[info.Numeric], "%s shares its number", info.ID)
		numerics[info.Numeric] = info.ID
		require.Empty(t, symbols[info.Symbol], "%s shares its symbol", info.ID)
		symbols[info.Symbol] = info.ID
		back, ok := LookupNumeric(info.Numeric)
		require.True(t, ok)
		require.Same(t, d, back)
	}
	for _, d := range slices.Concat(ISO(), WithdrawnISO()) {
		info := d.Info()
		require.NoError(t, info.ID.Validate())
		require.Empty(t, info.check(Fiat), info.ID)
		require.Equal(t, string(info.ID), info.Code)
		require.NotEmpty(t, info.Name)
		require.Contains(t, []uint8{0, 2, 3, 4}, info.Scale)
		require.NotZero(t, info.Numeric)
		require.Same(t, d, must(Intern(d)))
		require.False(t, slices.Contains(isoWithoutScale[:], info.Code))
	}
	for _, d := range WithdrawnISO() {
		require.NotEmpty(t, Withdrawn(d), d.ID())
	}
	for _, list := range [][]*Definition{ISO(), WithdrawnISO()} {
		require.True(t, slices.IsSortedFunc(list, func(a, b *Definition) int {
			if a.ID() < b.ID() {
				return -1
			}
			return 1
		}))
	}
	_, ok := LookupNumeric(0)
	require.False(t, ok)
}

// Every current scale that is not 2, by heart rather than from the table.
func TestISOScales(t *testing.T) {
	want := map[uint8][]AssetID{
		0: {"BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"},
		3: {"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"},
		4: {"CLF", "UYW"},
	}
	got := map[uint8][]AssetID{}
	for _, d := range ISO() {
		if d.Scale() != 2 {
			got[d.Scale()] = append(got[d.Scale()], d.ID())
		}
	}
	require.Equal(t, want, got)
	for _, id := range []AssetID{"HUF", "IDR", "PKR", "COP", "MRU", "MGA", "VES", "VED", "SLE", "XCG", "ZWG", "XAD"} {
		d, ok := Lookup(id)
		require.True(t, ok, id)
		require.EqualValues(t, 2, d.Scale(), id)
		require.Empty(t, Withdrawn(d), id)
	}
}

func TestWithdrawnCurrenciesStayReadable(t *testing.T) {
	for id, when := range map[AssetID]string{"HRK": "2023-01", "BGN": "2026-01", "ANG": "2025-03", "SLL": "2023-12", "ZWL": "2024-09", "DEM": "2002-03"} {
		d, ok := Lookup(id)
		require.True(t, ok, id)
		require.Equal(t, when, Withdrawn(d), id)
		a, err := ParseText("12.34 " + string(id))
		require.NoError(t, err)
		require.Same(t, d, a.Asset())
	}
	xcg, ok := LookupNumeric(532) // was ANG's
	require.True(t, ok)
	require.Equal(t, AssetID("XCG"), xcg.ID())
}

func TestCodesWithoutMinorUnitAreNoAssets(t *testing.T) {
	for _, id := range isoWithoutScale {
		_, ok := Lookup(AssetID(id))
		require.False(t, ok)
		_, err := Define(Info{ID: AssetID(id), Code: id, Scale: 2, Kind: Fiat})
		require.ErrorIs(t, err, ErrInvalidAsset)
		require.ErrorContains(t, err, "no minor unit")
	}
}

func TestCommonCurrencies(t *testing.T) {
	for id, d := range map[AssetID]*Definition{
		"AUD": AUD, "BRL": BRL, "CAD": CAD, "CHF": CHF, "CNY": CNY, "EUR": EUR, "GBP": GBP, "HKD": HKD, "IDR": IDR, "INR": INR, "JPY": JPY,
		"KRW": KRW, "KWD": KWD, "MXN": MXN, "NGN": NGN, "NZD": NZD, "PLN": PLN, "SEK": SEK, "SGD": SGD, "USD": USD, "ZAR": ZAR,
	} {
		require.Equal(t, id, d.ID())
	}
}

func TestListsAreTheCallers(t *testing.T) {
	ISO()[0] = nil
	require.NotNil(t, ISO()[0])
}
