package providers

import (
	"context"
	"errors"

	"github.com/koshpay/kosh/currency"
)

// Signer signs chain transactions. Keys never enter kosh: behind a Signer stands a hardware security module, a key
// management service, or for development a file (providers/hdkey/filesigner). It is safe for concurrent use.
//
// A Signer may apply rules of its own: a request carries what the digest stands for, so that it can refuse what it would not
// pay. It can recompute the digest only if it knows the chain's encoding; one that does not must trust the adapter.
type Signer interface {
	// PublicKey returns the compressed SEC 1 encoding of a secp256k1 public key, 33 bytes. A key that the signer does not
	// have is ErrUnknownKey.
	PublicKey(ctx context.Context, key string) ([]byte, error)
	// Sign returns the ECDSA signature of the digest as r and s, 32 bytes each, big-endian. It need not be deterministic, and s may
	// be high: adapters normalise it, and check the signature against PublicKey before they use it. A request that the signer
	// will not sign, now or later, is ErrSignerRefused; any other error says only that it was not signed this time.
	Sign(ctx context.Context, r SignRequest) ([]byte, error)
}

// Errors of a Signer, as they are or wrapped.
var (
	// ErrSignerRefused: the signer looked at the request and will not sign it.
	ErrSignerRefused = errors.New("providers: the signer refuses")
	// ErrUnknownKey: the signer has no such key.
	ErrUnknownKey = errors.New("providers: the signer has no such key")
)

// SignRequest is what a Signer is asked to sign.
type SignRequest struct {
	// Key names the key, as the adapter was configured: a path of BIP-32 (m/84'/0'/0'/0/7), a name in a key service.
	Key    string
	Digest [32]byte
	Intent Intent
}

// Purpose says why a transaction is made.
type Purpose string

// The purposes.
const (
	PurposeWithdrawal Purpose = "withdrawal" // pays somebody
	PurposeSweep      Purpose = "sweep"      // collects what came to an address of ours
	PurposeGas        Purpose = "gas"        // gives an address of ours what its next transaction costs
	PurposeFill       Purpose = "fill"       // moves nothing: takes a nonce that would leave a gap, or replaces what is stuck
)

// Intent is the decoded meaning of a transaction that is to be signed.
type Intent struct {
	Chain     string // CAIP-2: eip155:1, bip122:000000000019d6689c085ae165831e93
	Purpose   Purpose
	Operation string // key of the operation that it is for; empty for a sweep, gas or a fill
	Outputs   []Output
	// MaxFee is the most that the transaction can cost beside its outputs, in the chain's own asset.
	MaxFee currency.Amount
	// Nonce of the sender, on chains that have one.
	Nonce uint64
	// Replaces is the hash of the transaction that this one takes the place of, at a higher fee; empty if none.
	Replaces string
}

// Output is one payment within a transaction. Change back to our own addresses has Change set.
type Output struct {
	To     string // the address
	Amount currency.Amount
	Change bool
}
