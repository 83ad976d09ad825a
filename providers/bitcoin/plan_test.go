package bitcoin

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

func coinsOf(units ...int64) (list []coin) {
	for i, n := range units {
		list = append(list, coin{fmt.Sprintf("%064x:%d", i, i), n})
	}
	return list
}

func all(c coin) (input, bool, error) { return input{Output: c.Output, Units: c.Units}, true, nil }

var p2wpkh = make([]byte, lenP2WPKH)

func TestCoinsAreChosen(t *testing.T) {
	const rate = 1000 // a satoshi for a virtual byte
	for _, tt := range []struct {
		name   string
		coins  []int64
		units  int64
		want   []int64 // chosen
		change bool
	}{
		{"the smallest that suffices alone", []int64{900_000, 50_000, 70_000, 20_000}, 49_000, []int64{50_000}, true},
		{"the next, when the fee makes the difference", []int64{50_000, 70_000}, 49_950, []int64{70_000}, true},
		{"as few as possible", []int64{10_000, 20_000, 30_000, 40_000}, 65_000, []int64{40_000, 30_000}, true},
		{"without change when it would be dust", []int64{50_000}, 49_500, []int64{50_000}, false},
		{"not what costs more than it is worth", []int64{60, 50_100}, 50_030, nil, false},
		{"too little", []int64{10_000, 20_000}, 30_000, nil, false},
		{"nothing", nil, 1000, nil, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v, ok, err := selectCoins(coinsOf(tt.coins...), all, tt.units, rate, p2wpkh)
			require.NoError(t, err)
			require.Equal(t, tt.want != nil, ok)
			var got []int64
			for _, in := range v.Inputs {
				got = append(got, in.Units)
			}
			require.Equal(t, tt.want, got)
			require.Equal(t, tt.change, v.Change > 0)
		})
	}
}

// Whatever there is and whatever is asked for: nothing is lost, the miners get what the rate wants, and no change is dust.
func TestChosenCoinsAddUp(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	chosen := 0
	for range 20_000 {
		var units []int64
		for range rng.IntN(12) {
			units = append(units, 1+rng.Int64N(1<<(4+rng.IntN(24))))
		}
		ask, rate := minUnits+rng.Int64N(1<<22), 1000+rng.Int64N(200_000)
		script := make([]byte, 22+rng.IntN(13))
		taken := map[string]bool{}
		free := func(c coin) (input, bool, error) {
			if rng.IntN(5) == 0 {
				taken[c.Output] = true
			}
			in, _, _ := all(c)
			return in, !taken[c.Output], nil
		}
		v, ok, err := selectCoins(coinsOf(units...), free, ask, rate, script)
		require.NoError(t, err)
		if !ok {
			continue
		}
		chosen++
		total, seen := int64(0), map[string]bool{}
		for _, in := range v.Inputs {
			require.False(t, taken[in.Output] || seen[in.Output])
			seen[in.Output] = true
			total += in.Units
		}
		outputs := [][]byte{script}
		if v.Change > 0 {
			outputs = append(outputs, p2wpkh)
		}
		require.Equal(t, total, ask+v.Fee+v.Change)
		require.GreaterOrEqual(t, v.Fee, feeFor(rate, vsize(len(v.Inputs), outputs...)))
		require.True(t, v.Change == 0 || v.Change >= minUnits)
		if v.Change == 0 {
			require.Less(t, v.Fee, feeFor(rate, vsize(len(v.Inputs), script, p2wpkh))+minUnits, "more went to the miners than change would have cost")
		}
	}
	require.Greater(t, chosen, 3000)
}

func TestDestinations(t *testing.T) {
	for network, good := range map[Network][]string{
		MainNet: {
			"bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", "BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4",
			"bc1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3qccfmv3", "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2",
			"3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy", "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0",
		},
		RegTest:  {"bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080", "mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn", "2MzQwSSnBHWHqSAqtTVQ6v47XtaisrJa1Vc"},
		TestNet3: {"tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx"},
	} {
		for _, text := range good {
			script, err := network.destination(text)
			require.NoError(t, err, text)
			require.NotEmpty(t, script)
			for _, other := range []Network{MainNet, RegTest, TestNet3} {
				if shared := text[0] == 'm' || text[0] == '2'; other != network && !shared {
					_, err := other.destination(text)
					require.Error(t, err, "%s on %s", text, other)
				}
			}
		}
	}
	for _, text := range []string{
		"", " ", "1", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5", "bc1qW508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
		"1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN3", " 1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2", "bc1pfeessrawgf", // pay to anchor
		"bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqh2y7hd",     // of taproot, with the checksum of version 0
		"bc1zw508d6qejxtdg4y5r3zarvaryvaxxpcs",                               // of a version without a rule
		"0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798", // a public key
		"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
	} {
		_, err := MainNet.destination(text)
		require.ErrorIs(t, err, errNoAddress, text)
	}
}

func TestNetworks(t *testing.T) {
	seen := map[string]bool{}
	for _, n := range []Network{MainNet, TestNet3, TestNet4, SigNet, RegTest} {
		require.NotNil(t, n.params(), n)
		a, err := n.Asset()
		require.NoError(t, err)
		require.Equal(t, string(n)+"/slip44:0", string(a.ID()))
		require.Equal(t, uint8(8), a.Scale())
		require.False(t, seen[string(a.ID())])
		seen[string(a.ID())] = true
	}
	for _, n := range []Network{"", "bip122:", "bip122:0f9188f13cb7b2c71f2a335e3a4fc32", "eip155:1"} {
		require.Nil(t, n.params(), n)
		_, err := n.Asset()
		require.Error(t, err)
	}
}
