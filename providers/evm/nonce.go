package evm

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"slices"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/providers"
	"github.com/koshpay/kosh/providers/evm/internal/eth"
)

// sender is an account that we send from. All who send from it take their nonces here, one after the other.
type sender struct {
	Next uint64   `json:"next"`
	Free []uint64 `json:"free,omitempty"` // taken and given back: nothing was signed with them
	Open []slot   `json:"open,omitempty"` // in use and not final
}

// slot is a nonce in use, and what its transaction may take from the account until it is mined.
type slot struct {
	Nonce uint64           `json:"nonce"`
	Key   string           `json:"key"` // of the record
	Wei   *big.Int         `json:"wei,omitempty"`
	Asset currency.AssetID `json:"asset,omitempty"` // of a token
	Units *big.Int         `json:"units,omitempty"`
	Mined bool             `json:"mined,omitempty"`
}

func senderKey(a eth.Address) string { return "sender/" + a.Lower() }

func (s *sender) find(key string) *slot {
	for i := range s.Open {
		if s.Open[i].Key == key {
			return &s.Open[i]
		}
	}
	return nil
}

// errFunds says that the account has too little for what is to be sent and what it will cost.
var errFunds = &providers.Error{Certainty: providers.NotSent, Code: "insufficient_funds", Public: "The payment cannot be made right now."}

// allocate takes a nonce for a record, or finds the one that it has. It is lost by nobody's crash: whoever comes with the
// same record gets the same nonce. wants is what the transaction may take.
func (p *Provider) allocate(ctx context.Context, e *endpoint, from eth.Address, wants slot) (uint64, error) {
	onChain, err := e.nonce(ctx, from, "latest")
	if err != nil {
		return 0, err
	}
	wei, err := e.balance(ctx, p.native, from, "latest")
	if err != nil {
		return 0, err
	}
	var units *eth.Quantity
	if wants.Asset != "" {
		if units, err = e.balance(ctx, p.assets[wants.Asset], from, "latest"); err != nil {
			return 0, err
		}
	}
	var got uint64
	_, err = providers.ChangeState(ctx, p.state, senderKey(from), func(s *sender, _ bool) error {
		if known := s.find(wants.Key); known != nil {
			got = known.Nonce
			return providers.ErrStateSame
		}
		spentWei, spentUnits := new(big.Int).Set(wants.Wei), new(big.Int)
		if wants.Units != nil {
			spentUnits.Set(wants.Units)
		}
		for _, o := range s.Open {
			if o.Mined || o.Wei == nil {
				continue
			}
			spentWei.Add(spentWei, o.Wei)
			if o.Asset == wants.Asset && o.Units != nil {
				spentUnits.Add(spentUnits, o.Units)
			}
		}
		if spentWei.Cmp(&wei.Int) > 0 || units != nil && spentUnits.Cmp(&units.Int) > 0 {
			return errFunds
		}
		s.Free = slices.DeleteFunc(s.Free, func(n uint64) bool { return n < onChain }) // somebody else used it
		if len(s.Free) > 0 {
			slices.Sort(s.Free)
			got, s.Free = s.Free[0], s.Free[1:]
		} else {
			got = max(s.Next, onChain)
			s.Next = got + 1
		}
		wants.Nonce = got
		s.Open = append(s.Open, wants)
		return nil
	})
	return got, err
}

// giveBack frees the nonce of a record that was not signed, and never will be with this nonce.
func (p *Provider) giveBack(ctx context.Context, from eth.Address, key string) error {
	_, err := providers.ChangeState(ctx, p.state, senderKey(from), func(s *sender, _ bool) error {
		known := s.find(key)
		if known == nil {
			return providers.ErrStateSame
		}
		s.Free = append(s.Free, known.Nonce)
		s.Open = slices.DeleteFunc(s.Open, func(o slot) bool { return o.Key == key })
		return nil
	})
	return err
}

// settled says that what has a nonce is mined, or not any more, or final.
func (p *Provider) settled(ctx context.Context, from eth.Address, key string, isMined, isFinal bool) error {
	_, err := providers.ChangeState(ctx, p.state, senderKey(from), func(s *sender, _ bool) error {
		known := s.find(key)
		switch {
		case known == nil, !isFinal && known.Mined == isMined:
			return providers.ErrStateSame
		case isFinal:
			s.Open = slices.DeleteFunc(s.Open, func(o slot) bool { return o.Key == key })
		default:
			known.Mined = isMined
		}
		return nil
	})
	return err
}

// errDetached says that an order lost its nonce while it was being signed.
var errDetached = errors.New("evm: the nonce was given to another transaction")

// sign makes a version of an order's transaction, checks the signature and stores the bytes. Of several callers at once one is
// stored, and all return that.
func (p *Provider) sign(ctx context.Context, key string, r record, tx eth.Tx, intent providers.Intent) (record, error) {
	public, err := p.publicKey(ctx, r.Order.Key, r.Order.From)
	if err != nil {
		return r, err
	}
	signature, err := p.config.Signer.Sign(ctx, providers.SignRequest{Key: r.Order.Key, Digest: tx.Digest(), Intent: intent})
	if err != nil {
		return r, err
	}
	signed, err := tx.Sign(signature, public)
	if err != nil {
		return r, &providers.Error{Certainty: providers.NotSent, Code: "bad_signature", Err: err}
	}
	if err := p.refer(ctx, signed.Hash.String(), key); err != nil {
		return r, err
	}
	had := len(r.Order.Versions)
	stored, err := providers.ChangeState(ctx, p.state, key, func(now *record, _ bool) error {
		switch {
		case now.Order == nil || now.Gone != nil || now.Order.Nonce == nil || *now.Order.Nonce != tx.Nonce:
			return errDetached
		case len(now.Order.Versions) > had:
			return providers.ErrStateSame
		}
		now.Order.Versions = append(now.Order.Versions, version{
			Hash: signed.Hash, Raw: signed.Raw, Tip: tx.Tip, MaxFee: tx.MaxFee, Gas: tx.Gas, At: p.config.Now().UTC(),
		})
		if now.Reference == "" {
			now.Reference = signed.Hash.String()
		}
		return nil
	})
	if err != nil && !errors.Is(err, errDetached) {
		return r, &providers.Error{Err: err} // the bytes may be stored, and whoever finds them sends them
	}
	return stored, err
}

// publicKey asks the signer for a key, which must be that of an address.
func (p *Provider) publicKey(ctx context.Context, key string, of eth.Address) ([]byte, error) {
	public, err := p.config.Signer.PublicKey(ctx, key)
	if err != nil {
		return nil, fmt.Errorf("evm: the signer's public key: %w", err)
	}
	if a, err := eth.AddressOfCompressed(public); err != nil || a != of {
		return nil, &providers.Error{
			Certainty: providers.NotSent, Code: "wrong_key", Err: fmt.Errorf("evm: the signer's key %q is not that of %s", key, of),
		}
	}
	return public, nil
}
