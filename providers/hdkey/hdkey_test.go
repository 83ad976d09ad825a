package hdkey_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/big"
	"strings"
	"testing"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	"github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/providers/hdkey"
)

func master(t testing.TB, seed string) *hdkey.Private {
	t.Helper()
	b, err := hex.DecodeString(seed)
	require.NoError(t, err)
	m, err := hdkey.NewMaster(b)
	require.NoError(t, err)
	return m
}

func TestVectorsOfBIP32(t *testing.T) {
	n := 0
	for _, v := range vectors {
		m := master(t, v.seed)
		for i, s := range v.steps {
			key, err := m.Derive(s.path)
			require.NoError(t, err)
			assert.Equal(t, s.public, key.Public().String(), s.path)

			read, err := hdkey.ParsePrivate(s.private)
			require.NoError(t, err)
			assert.Equal(t, s.public, read.Public().String(), s.path)

			public, err := hdkey.ParsePublic(s.public)
			require.NoError(t, err)
			assert.Equal(t, s.public, public.String())
			assert.Equal(t, key.PublicKey(), public.Bytes())
			n++

			// The way from the public parent ends at the same key, or is closed.
			if i == 0 {
				continue
			}
			path, err := hdkey.ParsePath(s.path)
			require.NoError(t, err)
			parent, err := hdkey.ParsePublic(v.steps[i-1].public)
			require.NoError(t, err)
			child, err := parent.Child(path[len(path)-1])
			if path[len(path)-1] >= hdkey.Hardened {
				require.ErrorIs(t, err, hdkey.ErrChild)
				continue
			}
			require.NoError(t, err)
			assert.Equal(t, s.public, child.String())
		}
	}
	t.Logf("%d keys of the vectors 1 to 4", n)
	assert.Equal(t, 17, n)

	for text, why := range invalid {
		_, err := hdkey.ParsePublic(text)
		require.ErrorIs(t, err, hdkey.ErrKey, why)
		assert.NotContains(t, err.Error(), text[4:], why)
		_, err = hdkey.ParsePrivate(text)
		require.ErrorIs(t, err, hdkey.ErrKey, why)
		assert.NotContains(t, err.Error(), text[4:], why)
	}
	t.Logf("%d invalid keys of vector 5 refused", len(invalid))
}

// The mnemonic of BIP-84's vectors, eleven times "abandon" and "about"; the root is given there as well.
func TestVectorsOfBIP84(t *testing.T) {
	root, err := hdkey.ParsePrivate("zprvAWgYBBk7JR8Gjrh4UJQ2uJdG1r3WNRRfURiABBE3RvMXYSrRJL62XuezvGdPvG6GFBZduosCc1YP5wixPox7zhZLfiUm8aunE96BBa4Kei5")
	require.NoError(t, err)
	account, err := root.Derive("m/84'/0'/0'")
	require.NoError(t, err)
	want, err := hdkey.ParsePrivate("zprvAdG4iTXWBoARxkkzNpNh8r6Qag3irQB8PzEMkAFeTRXxHpbF9z4QgEvBRmfvqWvGp42t42nvgGpNgYSJA9iefm1yYNZKEm7z6qUWCroSQnE")
	require.NoError(t, err)
	assert.Equal(t, want.Public(), account.Public())
	assert.True(t, strings.HasPrefix(account.Public().String(), "zpub"), "in the form that it was read in")

	public, err := hdkey.ParsePublic(account.Public().String())
	require.NoError(t, err)
	for path, key := range map[[2]uint32]string{
		{0, 0}: "0330d54fd0dd420a6e5f8d3624f5f3482cae350f79d5f0753bf5beef9c2d91af3c",
		{0, 1}: "03e775fd51f0dfb8cd865d9ff1cca2a158cf651fe997fdc9fee9c1d3b5e995ea77",
		{1, 0}: "03025324888e429ab8e3dbaf1f7802648b9cd01e9b418485c5fa4c1b9b5700e1a6",
	} {
		branch, err := public.Child(path[0])
		require.NoError(t, err)
		leaf, err := branch.Child(path[1])
		require.NoError(t, err)
		assert.Equal(t, key, fmt.Sprintf("%x", leaf.Bytes()), path)
		private, err := account.Derive(hdkey.Path{path[0], path[1]}.String())
		require.NoError(t, err)
		assert.Equal(t, leaf.Bytes(), private.PublicKey())
	}
}

// The same mnemonic on BIP-44's path of Ether. Its first address, known from every wallet, is
// 0x9858EfFD232B4033E47d90003D41EC34EcaEda94; its public key was computed with another implementation.
func TestSeedOfAMnemonic(t *testing.T) {
	m := master(t, "5eb00bbddcf069084889a8ab9155568165f5c453ccb85e70811aaed6f6da5fc19a5ac40b389cd370d086206dec8aa6c43daea6690f20ad3d8d48b2d2ce9e38e4")
	root, err := hdkey.ParsePrivate("zprvAWgYBBk7JR8Gjrh4UJQ2uJdG1r3WNRRfURiABBE3RvMXYSrRJL62XuezvGdPvG6GFBZduosCc1YP5wixPox7zhZLfiUm8aunE96BBa4Kei5")
	require.NoError(t, err)
	assert.Equal(t, root.PublicKey(), m.PublicKey())
	key, err := m.Derive("m/44'/60'/0'/0/0")
	require.NoError(t, err)
	assert.Equal(t, "0237b0bb7a8288d38ed49a524b5dc98cff3eb5ca824c9f9dc0dfdb3d9cd600f299", fmt.Sprintf("%x", key.PublicKey()))
}

func TestSeedsAndDepthsAreBounded(t *testing.T) {
	for size, fine := range map[int]bool{0: false, 15: false, 16: true, 32: true, 64: true, 65: false} {
		_, err := hdkey.NewMaster(make([]byte, size))
		if fine {
			require.NoError(t, err, size)
		} else {
			require.ErrorIs(t, err, hdkey.ErrSeed, size)
		}
	}
	m := master(t, vectors[0].seed)
	deep, err := m.Derive("m" + strings.Repeat("/1", 255))
	require.NoError(t, err)
	_, err = deep.Derive("m/1")
	require.ErrorIs(t, err, hdkey.ErrChild)
	_, err = deep.Public().Child(1)
	require.ErrorIs(t, err, hdkey.ErrChild)
	_, err = new(hdkey.Public).Child(1)
	require.ErrorIs(t, err, hdkey.ErrChild, "the zero Public is no key")
	back, err := hdkey.ParsePublic(deep.Public().String())
	require.NoError(t, err)
	assert.Equal(t, deep.Public(), back)
}

func TestPaths(t *testing.T) {
	for text, want := range map[string]hdkey.Path{
		"m":                  {},
		"m/0":                {0},
		"m/44'/60h/0H/0/7":   {hdkey.Hardened + 44, hdkey.Hardened + 60, hdkey.Hardened, 0, 7},
		"m/2147483647'":      {1<<32 - 1},
		"m/2147483647/0/0/0": {hdkey.Hardened - 1, 0, 0, 0},
	} {
		path, err := hdkey.ParsePath(text)
		require.NoError(t, err, text)
		assert.Equal(t, want, path, text)
	}
	for _, text := range []string{
		"", "M", "n/0", "/0", "0", "m/", "m//0", "m/0/", "m/-1", "m/+1", "m/00", "m/01", "m/ 1", "m/1 ", "m/0x1", "m/1''", "m/1'h",
		"m/'", "m/2147483648", "m/4294967296'", "m/99999999999999999999", "m/a", "m/1.0", "m/١", "m" + strings.Repeat("/1", 256),
	} {
		_, err := hdkey.ParsePath(text)
		require.ErrorIs(t, err, hdkey.ErrPath, text)
	}
	_, err := hdkey.ParsePath("m/" + vectors[0].steps[0].private)
	require.ErrorIs(t, err, hdkey.ErrPath)
	assert.NotContains(t, err.Error(), vectors[0].steps[0].private[16:], "what is in the wrong place is not quoted whole")
}

func TestSignaturesVerifyAndAreLow(t *testing.T) {
	half := new(big.Int).Rsh(secp256k1.Params().N, 1)
	m := master(t, vectors[1].seed)
	for i := range 64 {
		key, err := m.Derive(fmt.Sprintf("m/44'/60'/0'/0/%d", i))
		require.NoError(t, err)
		digest := sha256.Sum256([]byte{byte(i)})
		b := key.Sign(digest)
		assert.Equal(t, b, key.Sign(digest), "deterministic")
		assert.LessOrEqual(t, new(big.Int).SetBytes(b[32:]).Cmp(half), 0, "s is low")
		public := key.PublicKey()
		point, err := secp256k1.ParsePubKey(public[:])
		require.NoError(t, err)
		var r, s secp256k1.ModNScalar
		require.False(t, r.SetByteSlice(b[:32]))
		require.False(t, s.SetByteSlice(b[32:]))
		assert.True(t, ecdsa.NewSignature(&r, &s).Verify(digest[:], point))
		digest[0] ^= 1
		assert.False(t, ecdsa.NewSignature(&r, &s).Verify(digest[:], point))
	}
}

func TestNothingPrintsAPrivateKey(t *testing.T) {
	key, err := hdkey.ParsePrivate(vectors[0].steps[0].private)
	require.NoError(t, err)
	secret := "e8f32e723decf4051aefac8e2c93c9c5b214313817cdb01a1494b917c8436b35"
	chain := "873dff81c02f525623fd1fe5167eac3a55a049de3d314bb42ee227ffed37d508"
	var out strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%p", "%t"} {
		fmt.Fprintf(&out, verb+"\n"+verb+"\n", *key, []hdkey.Private{*key})
		fmt.Fprintf(&out, verb+"\n"+verb+"\n", struct{ Key any }{key}, struct{ key hdkey.Private }{*key})
	}
	j, err := json.Marshal(map[string]any{"key": key})
	require.NoError(t, err)
	out.Write(j)
	slog.New(slog.NewTextHandler(&out, nil)).Info("key", "key", key)
	slog.New(slog.NewJSONHandler(&out, nil)).Info("key", "key", *key)
	for _, s := range []string{secret, chain} {
		b, err := hex.DecodeString(s)
		require.NoError(t, err)
		for _, form := range []string{s, strings.ToUpper(s), string(b), fmt.Sprint(b), strings.Trim(fmt.Sprintf("%#v", b), "[]byte{}")} {
			assert.NotContains(t, out.String(), form)
		}
	}
	assert.NotContains(t, out.String(), vectors[0].steps[0].private[4:])
	assert.Contains(t, out.String(), "hdkey.Private(hidden)")
	assert.NotContains(t, out.String(), "3359861557", "a word of the key as the curve's package keeps it")
}

// A text that is read is written the same again, and one that is written differs in every byte that was changed.
func FuzzParsePublic(f *testing.F) {
	for _, v := range vectors {
		for _, s := range v.steps {
			f.Add(s.public)
			f.Add(s.private)
		}
	}
	for text := range invalid {
		f.Add(text)
	}
	f.Add("")
	f.Add("1" + vectors[0].steps[0].public)
	f.Add(strings.Repeat("1", 111))
	f.Fuzz(func(t *testing.T, text string) {
		key, err := hdkey.ParsePublic(text)
		if err != nil {
			require.ErrorIs(t, err, hdkey.ErrKey)
			return
		}
		require.Equal(t, text, key.String())
		b := key.Bytes()
		_, err = secp256k1.ParsePubKey(b[:])
		require.NoError(t, err)
	})
}

// Base 58 against arithmetic on big integers, through keys with any chain code and index.
func FuzzPublicRoundTrip(f *testing.F) {
	f.Add(uint8(0), uint32(0), make([]byte, 32))
	f.Add(uint8(3), uint32(1<<31), bytes.Repeat([]byte{0xff}, 32))
	f.Fuzz(func(t *testing.T, depth uint8, index uint32, chain []byte) {
		if len(chain) != 32 || (depth == 0 && index != 0) {
			return
		}
		key, err := hdkey.ParsePublic(vectors[0].steps[0].public)
		require.NoError(t, err)
		b := key.Bytes()
		payload := []byte{0x04, 0x88, 0xb2, 0x1e, depth, 0, 0, 0, 0, byte(index >> 24), byte(index >> 16), byte(index >> 8), byte(index)}
		payload = append(append(payload, chain...), b[:]...)
		once := sha256.Sum256(payload)
		twice := sha256.Sum256(once[:])
		n := new(big.Int).SetBytes(append(payload, twice[:4]...))
		var text []byte
		for rest := new(big.Int); n.Sign() > 0; {
			n.DivMod(n, big.NewInt(58), rest)
			text = append([]byte{"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"[rest.Int64()]}, text...)
		}
		read, err := hdkey.ParsePublic(string(text))
		require.NoError(t, err)
		require.Equal(t, string(text), read.String())
	})
}

func FuzzPath(f *testing.F) {
	for _, s := range []string{"m", "m/0", "m/44'/60'/0'/0/7", "m/1h", "m/2147483648", "m//", "m/00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		path, err := hdkey.ParsePath(text)
		if err != nil {
			require.ErrorIs(t, err, hdkey.ErrPath)
			return
		}
		require.Equal(t, strings.NewReplacer("h", "'", "H", "'").Replace(text), path.String())
		again, err := hdkey.ParsePath(path.String())
		require.NoError(t, err)
		require.Equal(t, path, again)
	})
}
