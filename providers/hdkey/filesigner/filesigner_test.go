package filesigner_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	"github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/providers"
	"github.com/koshpay/kosh/providers/hdkey"
	"github.com/koshpay/kosh/providers/hdkey/filesigner"
)

var seed = bytes.Repeat([]byte{0xa5, 0x3c}, 16)

func create(t *testing.T) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "seed")
	require.NoError(t, filesigner.Create(path, seed))
	return path
}

func request(chain, key string) providers.SignRequest {
	return providers.SignRequest{Key: key, Digest: sha256.Sum256([]byte(key)), Intent: providers.Intent{Chain: chain}}
}

func verifies(t *testing.T, public, signature []byte, digest [32]byte) bool {
	t.Helper()
	require.Len(t, signature, 64)
	point, err := secp256k1.ParsePubKey(public)
	require.NoError(t, err)
	var r, s secp256k1.ModNScalar
	require.False(t, r.SetByteSlice(signature[:32]))
	require.False(t, s.SetByteSlice(signature[32:]))
	return ecdsa.NewSignature(&r, &s).Verify(digest[:], point)
}

func TestWhatIsSignedVerifies(t *testing.T) {
	s, err := filesigner.Open(create(t), filesigner.Options{})
	require.NoError(t, err)
	var wait sync.WaitGroup
	for i := range 16 {
		wait.Go(func() {
			r := request("eip155:31337", fmt.Sprintf("m/44'/60'/0'/0/%d", i))
			signature, err := s.Sign(t.Context(), r)
			if !assert.NoError(t, err) {
				return
			}
			public, err := s.PublicKey(t.Context(), r.Key)
			assert.NoError(t, err)
			assert.True(t, verifies(t, public, signature, r.Digest))
		})
	}
	wait.Wait()

	xpub, err := s.Account("m/44'/60'/0'")
	require.NoError(t, err)
	account, err := hdkey.ParsePublic(xpub)
	require.NoError(t, err)
	branch, err := account.Child(0)
	require.NoError(t, err)
	leaf, err := branch.Child(3)
	require.NoError(t, err)
	public, err := s.PublicKey(t.Context(), "m/44'/60'/0'/0/3")
	require.NoError(t, err)
	b := leaf.Bytes()
	assert.Equal(t, b[:], public, "an adapter finds the signer's keys from the account")
}

func TestMainNetworksAreRefused(t *testing.T) {
	path := create(t)
	s, err := filesigner.Open(path, filesigner.Options{TestNetworks: []string{"eip155:424242"}})
	require.NoError(t, err)
	for _, chain := range []string{
		"eip155:1", "eip155:137", "eip155:8453", "eip155:42161", "eip155:7777777", "bip122:000000000019d6689c085ae165831e93", "", "regtest",
	} {
		signature, err := s.Sign(t.Context(), request(chain, "m/0"))
		require.ErrorIs(t, err, providers.ErrSignerRefused, chain)
		assert.Empty(t, signature, chain)
	}
	for _, chain := range []string{"eip155:1337", "eip155:11155111", "eip155:424242", "bip122:0f9188f13cb7b2c71f2a335e3a4fc328"} {
		_, err := s.Sign(t.Context(), request(chain, "m/0"))
		require.NoError(t, err, chain)
	}
	told, err := filesigner.Open(path, filesigner.Options{MainNetworks: true})
	require.NoError(t, err)
	_, err = told.Sign(t.Context(), request("eip155:1", "m/0"))
	require.NoError(t, err)
	_, err = told.Sign(t.Context(), request("", "m/0"))
	require.ErrorIs(t, err, providers.ErrSignerRefused, "a request must say what it is about")
}

func TestARuleIsAskedBeforeSigning(t *testing.T) {
	tooMuch := errors.New("more than a day's worth")
	s, err := filesigner.Open(create(t), filesigner.Options{Rule: func(r providers.SignRequest) error {
		if r.Intent.Purpose == providers.PurposeWithdrawal {
			return tooMuch
		}
		return nil
	}})
	require.NoError(t, err)
	r := request("eip155:1337", "m/0")
	_, err = s.Sign(t.Context(), r)
	require.NoError(t, err)
	r.Intent.Purpose = providers.PurposeWithdrawal
	_, err = s.Sign(t.Context(), r)
	require.ErrorIs(t, err, providers.ErrSignerRefused)
	require.ErrorIs(t, err, tooMuch)
}

func TestUnknownKeysAndContexts(t *testing.T) {
	s, err := filesigner.Open(create(t), filesigner.Options{})
	require.NoError(t, err)
	for _, key := range []string{"", "treasury", "44'/60'", "m/-1", "m" + strings.Repeat("/1", 256)} {
		_, err := s.PublicKey(t.Context(), key)
		require.ErrorIs(t, err, providers.ErrUnknownKey, key)
		_, err = s.Sign(t.Context(), request("eip155:1337", key))
		require.ErrorIs(t, err, providers.ErrUnknownKey, key)
		_, err = s.Account(key)
		require.ErrorIs(t, err, providers.ErrUnknownKey, key)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = s.PublicKey(ctx, "m/0")
	require.ErrorIs(t, err, context.Canceled)
	_, err = s.Sign(ctx, request("eip155:1337", "m/0"))
	require.ErrorIs(t, err, context.Canceled)
}

func TestAFileThatOthersMayReadIsRefused(t *testing.T) {
	path := create(t)
	about, err := os.Stat(path)
	require.NoError(t, err)
	assert.Equal(t, fs.FileMode(0o600), about.Mode())
	for _, mode := range []fs.FileMode{0o644, 0o640, 0o604, 0o620, 0o601, 0o660, 0o777} {
		require.NoError(t, os.Chmod(path, mode))
		_, err := filesigner.Open(path, filesigner.Options{})
		require.ErrorIs(t, err, filesigner.ErrMode, mode)
	}
	require.NoError(t, os.Chmod(path, 0o400))
	_, err = filesigner.Open(path, filesigner.Options{})
	require.NoError(t, err)

	require.NoError(t, os.Chmod(filepath.Dir(path), 0o700))
	_, err = filesigner.Open(filepath.Dir(path), filesigner.Options{})
	require.ErrorIs(t, err, filesigner.ErrMode, "a folder")
	_, err = filesigner.Open(path+".none", filesigner.Options{})
	require.ErrorIs(t, err, fs.ErrNotExist)
}

func TestCreateOverwritesNothing(t *testing.T) {
	path := create(t)
	before, err := os.ReadFile(path)
	require.NoError(t, err)
	require.ErrorIs(t, filesigner.Create(path, make([]byte, 32)), fs.ErrExist)
	after, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, before, after)

	other := path + ".other"
	require.ErrorIs(t, filesigner.Create(other, make([]byte, 15)), hdkey.ErrSeed)
	assert.NoFileExists(t, other)
}

// Every byte of the file matters: with any one changed, or cut off anywhere, it is refused.
func TestADamagedFileIsRefused(t *testing.T) {
	path := create(t)
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	damaged := [][]byte{append(bytes.Clone(text), '\n'), append(bytes.Clone(text), "and more"...), bytes.Repeat(text, 10)}
	for i := range text {
		damaged = append(damaged, text[:i])
		for _, c := range []byte{text[i] ^ 1, text[i] ^ 0x80, '0', ' '} {
			if b := bytes.Clone(text); c != text[i] {
				b[i] = c
				damaged = append(damaged, b)
			}
		}
	}
	for _, b := range damaged {
		require.NoError(t, os.WriteFile(path, b, 0o600))
		_, err := filesigner.Open(path, filesigner.Options{})
		require.ErrorIs(t, err, filesigner.ErrCorrupt, "%q", b)
		assert.NotContains(t, err.Error(), "a53ca53c", "errors quote nothing of the seed")
	}
	t.Logf("%d damaged files refused", len(damaged))
}

func TestNothingPrintsTheSeed(t *testing.T) {
	s, err := filesigner.Open(create(t), filesigner.Options{})
	require.NoError(t, err)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x"} {
		assert.Equal(t, "filesigner.Signer(hidden) filesigner.Signer(hidden)", fmt.Sprintf(verb+" "+verb, s, *s), verb)
	}
}
