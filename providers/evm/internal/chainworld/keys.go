package chainworld

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/koshpay/kosh/providers"
	"github.com/koshpay/kosh/providers/evm"
	"github.com/koshpay/kosh/providers/evm/internal/eth"
	"github.com/koshpay/kosh/providers/hdkey/filesigner"
)

// Keys are an adapter's.
type Keys struct {
	Signer      providers.Signer
	Treasury    evm.Account
	Deposits    string
	DepositKeys string
}

// NewKeys makes the keys of a seed. The same seed makes the same keys.
func NewKeys(t testing.TB, seed string) Keys {
	t.Helper()
	path := filepath.Join(t.TempDir(), "seed")
	if err := filesigner.Create(path, []byte(seed)); err != nil {
		t.Fatal(err)
	}
	signer, err := filesigner.Open(path, filesigner.Options{})
	if err != nil {
		t.Fatal(err)
	}
	k := Keys{Signer: signer, DepositKeys: "m/44'/60'/0'/0"}
	if k.Deposits, err = signer.Account(k.DepositKeys); err != nil {
		t.Fatal(err)
	}
	k.Treasury.Key = "m/44'/60'/1'/0/0"
	public, err := signer.PublicKey(t.Context(), k.Treasury.Key)
	if err != nil {
		t.Fatal(err)
	}
	a, err := eth.AddressOfCompressed(public)
	if err != nil {
		t.Fatal(err)
	}
	k.Treasury.Address = a.String()
	return k
}

// Seed is 32 bytes that are no secret.
const Seed = "kosh test seed, worth nothing ---"

// Address is the deposit address with a number, made from the signer's own key: not from the extended public key, as the adapter
// makes it.
func (k Keys) Address(t testing.TB, index int) string {
	t.Helper()
	public, err := k.Signer.PublicKey(t.Context(), fmt.Sprintf("%s/%d", k.DepositKeys, index))
	if err != nil {
		t.Fatal(err)
	}
	a, err := eth.AddressOfCompressed(public)
	if err != nil {
		t.Fatal(err)
	}
	return a.String()
}
