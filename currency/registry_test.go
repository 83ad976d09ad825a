package currency

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRegistryRefuses(t *testing.T) {
	var r Registry // the zero value accepts nothing
	_, err := r.Lookup("USD")
	require.ErrorIs(t, err, ErrAssetDisabled)
	_, err = r.Lookup("app:registry/unknown")
	require.ErrorIs(t, err, ErrUnknownAsset)
	_, err = r.Find("NOPE")
	require.ErrorIs(t, err, ErrUnknownAsset)
	_, err = r.Find("")
	require.ErrorIs(t, err, ErrUnknownAsset)
	require.ErrorIs(t, r.Enable(nil), ErrInvalidAsset)
	require.ErrorIs(t, r.Enable(new(Definition)), ErrInvalidAsset)
	require.False(t, r.Enabled("USD"))
	require.Empty(t, r.All())
	r.Disable("USD")

	var none *Registry
	_, err = none.Lookup("USD")
	require.ErrorIs(t, err, ErrAssetDisabled)
	_, err = none.Find("dollar")
	require.ErrorIs(t, err, ErrUnknownAsset)
	require.Error(t, none.Enable(USD))
	none.Disable("USD")
	require.Nil(t, none.All())

	_, err = NewRegistry(USD, nil)
	require.ErrorIs(t, err, ErrInvalidAsset)
	require.Panics(t, func() { MustRegistry(nil) })
}

func TestRegistry(t *testing.T) {
	r := MustRegistry(USD, EUR, USD)
	require.Equal(t, []*Definition{EUR, USD}, r.All())
	d, err := r.Lookup("USD")
	require.NoError(t, err)
	require.Same(t, USD, d)
	r.Disable("USD")
	r.Disable("USD")
	require.False(t, r.Enabled("USD"))
	_, err = r.Find("USD")
	require.ErrorIs(t, err, ErrAssetDisabled)
	require.NoError(t, r.Enable(USD))
	require.Equal(t, []*Definition{EUR, USD}, r.All())
}

// Two tokens called USDC, and one that calls itself USD.
func TestFindNeverGuesses(t *testing.T) {
	one := MustDefine(Info{ID: "eip155:1/erc20:0x00000000000000000000000000000000000000a1", Code: "USDZ", Scale: 6, Kind: Crypto})
	two := MustDefine(Info{ID: "eip155:137/erc20:0x00000000000000000000000000000000000000a2", Code: "USDZ", Scale: 18, Kind: Crypto})
	fake := MustDefine(Info{ID: "eip155:1/erc20:0x00000000000000000000000000000000000000a3", Code: "USD", Scale: 2, Kind: Crypto})
	r := MustRegistry(one, two, fake)

	_, err := r.Find("USDZ")
	require.ErrorIs(t, err, ErrAmbiguous)
	require.ErrorContains(t, err, string(one.ID())+", "+string(two.ID()))
	_, err = r.Find("USD")
	require.ErrorIs(t, err, ErrAssetDisabled, "a token never passes for the dollar")
	require.NoError(t, r.Enable(USD))
	d, err := r.Find("USD")
	require.NoError(t, err)
	require.Same(t, USD, d)

	d, err = r.Find(string(two.ID()))
	require.NoError(t, err)
	require.Same(t, two, d)
	r.Disable(two.ID())
	d, err = r.Find("USDZ")
	require.NoError(t, err)
	require.Same(t, one, d)
	r.Disable(one.ID())
	_, err = r.Find("USDZ")
	require.ErrorIs(t, err, ErrUnknownAsset)
}

func TestRegistryIsSafeForConcurrentUse(t *testing.T) {
	r := MustRegistry(EUR)
	assets := ISO()
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 400 {
				d := assets[(g*31+i)%len(assets)]
				if d != EUR {
					if i%3 == 0 {
						r.Disable(d.ID())
					} else if err := r.Enable(d); err != nil {
						t.Error(err)
					}
				}
				_, _ = r.Find(d.Code())
				_, _ = r.Lookup(d.ID())
				if i%50 == 0 {
					_ = r.All()
				}
				if !r.Enabled("EUR") {
					t.Error("an asset nobody touched disappeared")
				}
			}
		})
	}
	wg.Wait()
}
