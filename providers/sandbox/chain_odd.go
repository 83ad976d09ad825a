package sandbox

import (
	"fmt"
	"math/big"
	"time"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/providers"
)

// This file is what chains do that banks do not: quantities that are no amounts, dust, and halts.

// raw is a quantity that no amount holds, or of an asset that nobody defined.
type raw struct {
	asset    currency.AssetID
	quantity *big.Int
	code     string
}

func (r raw) quarantined(id string, at time.Time) providers.Quarantined {
	return providers.Quarantined{
		ID: id, Asset: string(r.asset), Quantity: r.quantity.String(), Code: r.code, Raw: r.quantity.FillBytes(make([]byte, wordSize)), At: at,
	}
}

// wordSize is how many bytes a chain counts in.
const wordSize = 32

// SendRaw pays a quantity of up to 256 bits to an address that a DepositAddress operation made, or to any other, in the next block:
// one that no amount holds, or of an asset that the sandbox does not deal in. It is reported as quarantined. What fits is ErrScenario: SendTo
// sends it. SendRaw returns the transaction's id.
func (s *Sandbox) SendRaw(to string, asset currency.AssetID, quantity *big.Int) (string, error) {
	f := s.far
	f.enter()
	defer f.mu.Unlock()
	r := raw{asset: asset, quantity: new(big.Int).Set(quantity)}
	switch _, offered := f.descriptor.Offer(providers.DepositAddress, providers.Chain, asset); {
	case asset.Validate() != nil || quantity.Sign() <= 0 || quantity.BitLen() > 8*wordSize:
		return "", fmt.Errorf("%w: cannot send %v of %q", ErrScenario, quantity, asset)
	case !offered:
		r.code = "unknown_asset"
	case quantity.BitLen() > 127:
		r.code = "too_large"
	default:
		return "", fmt.Errorf("%w: %v of %s is an amount", ErrScenario, quantity, asset)
	}
	tx := f.newTransaction()
	tx.outputs = append(tx.outputs, &output{to: to, raw: &r})
	f.mineNext(tx)
	return tx.id, nil
}

// isDust tells whether an amount is below the least of its asset.
func (f *farSide) isDust(a currency.Amount) bool {
	for _, least := range f.cfg.Dust {
		if less, err := a.Less(least); err == nil && less {
			return true
		}
	}
	return false
}

// Halt makes the adapter stop as one does whose chain was reorganised deeper than its window: Poll and Submit return
// [providers.ErrHalted] with the reason, and nothing is sent, until Resume. The chain itself goes on.
func (s *Sandbox) Halt(reason string) {
	s.far.enter()
	defer s.far.mu.Unlock()
	s.far.halted = fmt.Errorf("%w: %s", providers.ErrHalted, reason)
}

// Resume is what a person does after a Halt. Everything that happened in between is told by Poll.
func (s *Sandbox) Resume() {
	s.far.enter()
	defer s.far.mu.Unlock()
	s.far.halted = nil
}
