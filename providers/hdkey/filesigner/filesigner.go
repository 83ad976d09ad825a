package filesigner

import (
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/koshpay/kosh/providers"
	"github.com/koshpay/kosh/providers/hdkey"
)

// Options say what a Signer signs. The zero Options sign for the test networks that are known.
type Options struct {
	// MainNetworks lets the signer sign for every chain. Without it, every chain that is not a known test network or one of
	// TestNetworks counts as a main network.
	MainNetworks bool
	// TestNetworks are further chains (CAIP-2) whose money is worth nothing.
	TestNetworks []string
	// Rule, if any, is asked before each signature; what it returns is the reason for refusing. It is called concurrently.
	Rule func(r providers.SignRequest) error
}

// testNetworks are the public test networks, and what development nodes call themselves.
var testNetworks = []string{
	"eip155:1337", "eip155:31337", // geth in development mode, anvil and hardhat
	"eip155:11155111", "eip155:17000", "eip155:560048", // Sepolia, Holesky, Hoodi
	"eip155:84532", "eip155:421614", "eip155:11155420", "eip155:80002", // of Base, Arbitrum, Optimism and Polygon
	"bip122:0f9188f13cb7b2c71f2a335e3a4fc328",                                            // regtest
	"bip122:683e86bd5c6d110d91b94b97137ba6bf",                                            // btcd's simnet
	"bip122:000000000933ea01ad0ee984209779ba", "bip122:00000000da84f2bafbbc53dee25a72ae", // testnet3, testnet4
	"bip122:00000008819873e925422c1ff0f99f7c", // signet
}

// Signer signs with the keys below one seed. It is safe for concurrent use, and package fmt does not print what is in it.
type Signer struct {
	master  *hdkey.Private
	options Options
}

var _ providers.Signer = (*Signer)(nil)

// Open reads the seed. A file that others may read is ErrMode, one that was changed ErrCorrupt.
func Open(path string, o Options) (*Signer, error) {
	seed, err := read(path)
	if err != nil {
		return nil, err
	}
	master, err := hdkey.NewMaster(seed)
	if err != nil {
		return nil, fmt.Errorf("%w: %s", ErrCorrupt, path)
	}
	o.TestNetworks = slices.Clone(o.TestNetworks)
	return &Signer{master: master, options: o}, nil
}

// Account returns the extended public key at a path, from which an adapter makes addresses. A path that is none, or leads nowhere, is
// providers.ErrUnknownKey.
func (s *Signer) Account(path string) (xpub string, err error) {
	key, err := s.key(path)
	if err != nil {
		return "", err
	}
	return key.Public().String(), nil
}

// PublicKey implements providers.Signer; keys are paths of BIP-32.
func (s *Signer) PublicKey(ctx context.Context, key string) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	k, err := s.key(key)
	if err != nil {
		return nil, err
	}
	public := k.PublicKey()
	return public[:], nil
}

// Sign implements providers.Signer. A chain that it does not sign for, an Intent without a chain, and what the Rule is against are
// providers.ErrSignerRefused.
func (s *Signer) Sign(ctx context.Context, r providers.SignRequest) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if r.Intent.Chain == "" {
		return nil, fmt.Errorf("%w: the request names no chain", providers.ErrSignerRefused)
	}
	if !s.options.MainNetworks && !slices.Contains(testNetworks, r.Intent.Chain) && !slices.Contains(s.options.TestNetworks, r.Intent.Chain) {
		return nil, fmt.Errorf("%w: %q is not a test network that it knows", providers.ErrSignerRefused, r.Intent.Chain)
	}
	if s.options.Rule != nil {
		if err := s.options.Rule(r); err != nil {
			return nil, fmt.Errorf("%w: %w", providers.ErrSignerRefused, err)
		}
	}
	k, err := s.key(r.Key)
	if err != nil {
		return nil, err
	}
	signature := k.Sign(r.Digest)
	return signature[:], nil
}

func (s *Signer) key(path string) (*hdkey.Private, error) {
	key, err := s.master.Derive(path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", providers.ErrUnknownKey, err)
	}
	return key, nil
}

// Format writes the same text whatever the verb.
func (Signer) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "filesigner.Signer(hidden)") }
