package evm

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/koshpay/kosh/providers"
	"github.com/koshpay/kosh/providers/evm/internal/eth"
)

type (
	// addressCount is how many deposit addresses there are. It is written before an address is shown.
	addressCount struct {
		Next uint32 `json:"next"`
	}
	// addressOwner says which operation made an address.
	addressOwner struct {
		Op string `json:"op"`
	}
)

func addressKey(index uint32) string { return fmt.Sprintf("address/%d", index) }

// addressBook knows our deposit addresses, which follow from the extended public key and their number.
type addressBook struct {
	mu    sync.Mutex
	known map[eth.Address]uint32
	next  uint32
}

// derive makes the deposit address with a number.
func (p *Provider) derive(index uint32) (eth.Address, error) {
	child, err := p.deposits.Child(index)
	if err != nil {
		return eth.Address{}, fmt.Errorf("evm: deposit address %d: %w", index, err)
	}
	public := child.Bytes()
	return eth.AddressOfCompressed(public[:])
}

// ours returns the numbers of all deposit addresses that were made before now, by whichever process. What is paid into a
// block that was read before this call was paid to one of these.
func (p *Provider) ours(ctx context.Context) (func(eth.Address) (uint32, bool), error) {
	var c addressCount
	if _, err := providers.LoadState(ctx, p.state, "addresses", &c); err != nil {
		return nil, err
	}
	b := p.addresses
	b.mu.Lock()
	defer b.mu.Unlock()
	for ; b.next < c.Next; b.next++ {
		a, err := p.derive(b.next)
		if err != nil {
			return nil, err
		}
		b.known[a] = b.next
	}
	return func(a eth.Address) (uint32, bool) {
		b.mu.Lock()
		defer b.mu.Unlock()
		n, ok := b.known[a]
		return n, ok
	}, nil
}

// submitAddress makes an address for a member and an asset. Each operation makes one of its own, so that money that comes to it
// is attributed to nobody else and to no other purpose.
func (p *Provider) submitAddress(ctx context.Context, op providers.Operation) (providers.Report, error) {
	var r record
	version, err := providers.LoadState(ctx, p.state, opKey(op.Key), &r)
	if err != nil {
		return providers.Report{}, notSent(err)
	}
	if version == 0 {
		if r, err = p.newAddress(ctx, op); err != nil {
			return providers.Report{}, err
		}
	}
	if r.Kind != providers.DepositAddress || r.Asset != op.Asset || r.Member != op.Member {
		return providers.Report{}, duplicate()
	}
	return p.report(r, 0), nil
}

func (p *Provider) newAddress(ctx context.Context, op providers.Operation) (record, error) {
	count, err := providers.ChangeState(ctx, p.state, "addresses", func(c *addressCount, _ bool) error {
		c.Next++
		return nil
	})
	if err != nil {
		return record{}, notSent(err) // a number that was taken and is not used costs nothing
	}
	index := count.Next - 1
	a, err := p.derive(index)
	if err != nil {
		return record{}, notSent(err)
	}
	key := opKey(op.Key)
	r := record{
		Kind: providers.DepositAddress, Key: op.Key, Reference: a.String(), Asset: op.Asset, To: a.String(), Member: op.Member, Index: index,
		At: p.config.Now().UTC(), Changes: 1,
	}
	_, err = providers.ChangeState(ctx, p.state, addressKey(index), func(o *addressOwner, _ bool) error {
		o.Op = op.Key
		return nil
	})
	if err == nil {
		err = p.refer(ctx, r.Reference, key)
	}
	if err != nil {
		return record{}, notSent(err)
	}
	mine := r
	_, err = providers.SaveState(ctx, p.state, key, r, 0)
	if errors.Is(err, providers.ErrStateConflict) {
		r = record{}
		if _, err = providers.LoadState(ctx, p.state, key, &r); err != nil {
			return record{}, &providers.Error{Err: err}
		}
		if r.Index != mine.Index {
			return r, nil // another call made it; our number is nobody's
		}
	} else if err != nil {
		return record{}, &providers.Error{Err: err} // it may be written
	}
	if err := p.changed(ctx, key, r); err != nil {
		return record{}, &providers.Error{Certainty: providers.Duplicate, Err: err}
	}
	return r, nil
}

// owner returns the record of the operation that made a deposit address; none if a crash kept it from being made.
func (p *Provider) owner(ctx context.Context, index uint32) (record, error) {
	var o addressOwner
	if _, err := providers.LoadState(ctx, p.state, addressKey(index), &o); err != nil {
		return record{}, err
	}
	var r record
	if o.Op == "" {
		return r, nil
	}
	if _, err := providers.LoadState(ctx, p.state, opKey(o.Op), &r); err != nil {
		return record{}, err
	}
	if r.Index != index {
		return record{}, nil
	}
	return r, nil
}

func duplicate() error {
	return &providers.Error{Certainty: providers.Duplicate, Err: errors.New("evm: the key is another operation's")}
}

// AddressOf returns the address, with its checksum, of a public key in the compressed form that a Signer gives: what to configure
// as Config.Treasury.
func AddressOf(publicKey []byte) (string, error) {
	a, err := eth.AddressOfCompressed(publicKey)
	if err != nil {
		return "", fmt.Errorf("evm: %w", err)
	}
	return a.String(), nil
}
