package bitcoin

import (
	"context"
	"errors"
	"fmt"

	"github.com/koshpay/kosh/providers"
)

// addressPage is a page of addresses. Its place in the pages is an address' index in the account.
type addressPage struct {
	Items []addressItem `json:"items"`
}

type addressItem struct {
	Key    string `json:"key"`
	Member string `json:"member,omitempty"`
}

func pageKey(n int64) string { return fmt.Sprintf("addresses/%d", n) }

// countAddresses returns how many addresses were made.
func (p *Provider) countAddresses(ctx context.Context) (uint32, error) {
	n, err := p.freeAddress(ctx)
	return uint32(n), err //nolint:gosec // indexes have 31 bits
}

// freeAddress returns the first index that no address has.
func (p *Provider) freeAddress(ctx context.Context) (int64, error) {
	p.mu.Lock()
	from := p.page
	p.mu.Unlock()
	for n := from; ; n++ {
		var pg addressPage
		if _, err := providers.LoadState(ctx, p.state, pageKey(n), &pg); err != nil {
			return 0, err
		}
		if len(pg.Items) < pageSize {
			p.mu.Lock()
			p.page = max(p.page, n)
			p.mu.Unlock()
			return n*pageSize + int64(len(pg.Items)), nil
		}
	}
}

// addressAt returns who an address was made for.
func (p *Provider) addressAt(ctx context.Context, index int64) (addressItem, bool, error) {
	var pg addressPage
	if _, err := providers.LoadState(ctx, p.state, pageKey(index/pageSize), &pg); err != nil {
		return addressItem{}, false, err
	}
	if i := index % pageSize; i < int64(len(pg.Items)) {
		return pg.Items[i], true, nil
	}
	return addressItem{}, false, nil
}

// makeAddress gives an operation an index. The operation first says which it asks for, and has it when the page says so: two
// processes with one key then ask for the same, and two keys that ask for one index find out.
func (p *Provider) makeAddress(ctx context.Context, op providers.Operation) (providers.Report, error) {
	if err := p.begun(ctx); err != nil {
		return providers.Report{}, notSent(err)
	}
	for range tries {
		var o operation
		version, err := providers.LoadState(ctx, p.state, opKey(op.Key), &o)
		if err != nil {
			return providers.Report{}, notSent(err)
		}
		if version > 0 && !o.asks(op) {
			return providers.Report{}, duplicate()
		}
		if version == 0 {
			if o, err = p.asked(op); err != nil {
				return providers.Report{}, notSent(err)
			}
			o.Index = -1
		}
		taken := addressItem{Key: "nobody"}
		if o.Index >= 0 {
			var ok bool
			if taken, ok, err = p.addressAt(ctx, o.Index); err != nil {
				return providers.Report{}, notSent(err)
			}
			if !ok {
				taken.Key = ""
			}
		}
		switch taken.Key {
		case op.Key:
			return p.addressMade(ctx, op.Key)
		case "":
			err := p.takeAddress(ctx, op, o.Index)
			switch {
			case err == nil:
				return p.addressMade(ctx, op.Key)
			case !errors.Is(err, providers.ErrStateConflict):
				return providers.Report{}, &providers.Error{Certainty: providers.Maybe, Err: err}
			}
		default:
			if o.Index, err = p.freeAddress(ctx); err != nil {
				return providers.Report{}, notSent(err)
			}
			if _, err := providers.SaveState(ctx, p.state, opKey(op.Key), o, version); err != nil && !errors.Is(err, providers.ErrStateConflict) {
				return providers.Report{}, notSent(err) // it only says what the operation asks for
			}
		}
	}
	return providers.Report{}, notSent(fmt.Errorf("%w: %s", providers.ErrStateBusy, opKey(op.Key)))
}

// takeAddress writes a key into the page, if its place is still free.
func (p *Provider) takeAddress(ctx context.Context, op providers.Operation, index int64) error {
	var pg addressPage
	version, err := providers.LoadState(ctx, p.state, pageKey(index/pageSize), &pg)
	if err != nil {
		return err
	}
	if int64(len(pg.Items)) != index%pageSize {
		return providers.ErrStateConflict
	}
	pg.Items = append(pg.Items, addressItem{op.Key, op.Member})
	_, err = providers.SaveState(ctx, p.state, pageKey(index/pageSize), pg, version)
	return err
}

// addressMade tells Poll and reports.
func (p *Provider) addressMade(ctx context.Context, key string) (providers.Report, error) {
	if err := p.announce(ctx, event{At: p.now(), Key: key}); err != nil {
		return providers.Report{}, &providers.Error{Certainty: providers.Maybe, Err: err}
	}
	r, err := p.find(ctx, key, "")
	if err != nil {
		return providers.Report{}, &providers.Error{Certainty: providers.Duplicate, Err: err} // it is made; a look-up will say
	}
	return r, nil
}

// reportAddress reports an address that was made.
func (p *Provider) reportAddress(ctx context.Context, key string, o operation) (providers.Report, error) {
	missing := fmt.Errorf("bitcoin: %w", providers.ErrNotFound)
	if o.Index < 0 {
		return providers.Report{}, missing
	}
	item, ok, err := p.addressAt(ctx, o.Index)
	if err != nil {
		return providers.Report{}, err
	}
	if !ok || item.Key != key {
		return providers.Report{}, missing
	}
	l, err := p.keys.at(place{receiving, uint32(o.Index)}) //nolint:gosec // indexes have 31 bits
	if err != nil {
		return providers.Report{}, err
	}
	return providers.Report{
		Key: key, Reference: l.address, Kind: providers.DepositAddress, State: providers.Succeeded, Final: true, Address: l.address,
		Action: &providers.Action{Kind: "address", Address: l.address}, Member: item.Member, At: o.At,
	}, nil
}
