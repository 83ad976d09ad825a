package evm

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/koshpay/kosh/providers"
)

// Lookup implements providers.Provider. It first looks at what is new on the chain. A withdrawal that was signed and that no
// node has is ErrNotFound: the worker may submit it again.
func (p *Provider) Lookup(ctx context.Context, q providers.Query) (providers.Report, error) {
	_, r, err := p.find(ctx, q)
	if err != nil {
		return providers.Report{}, err
	}
	if r.Kind == providers.DepositAddress {
		return p.report(r, 0), nil
	}
	height, err := p.sync(ctx)
	if err != nil {
		return providers.Report{}, err
	}
	key, r, err := p.find(ctx, q) // it may have come just now
	if err != nil {
		return providers.Report{}, err
	}
	if r.Kind == "" {
		return providers.Report{}, fmt.Errorf("evm: %w", providers.ErrNotFound)
	}
	if r.Order != nil && !r.Order.Seen && r.Mined == nil && r.Gone == nil {
		if r, err = p.look(ctx, key, r); err != nil {
			return providers.Report{}, err
		}
	}
	return p.report(r, height), nil
}

// find returns the record that a query is about; the zero value when there is none.
func (p *Provider) find(ctx context.Context, q providers.Query) (key string, r record, err error) {
	key = opKey(q.Key)
	if q.Reference != "" {
		var a about
		if _, err := providers.LoadState(ctx, p.state, refKey(q.Reference), &a); err != nil {
			return "", r, err
		}
		if a.Key == "" || q.Key != "" && a.Key != key {
			return "", r, nil
		}
		key = a.Key
	}
	_, err = providers.LoadState(ctx, p.state, key, &r)
	return key, r, err
}

// look asks the node for a transaction that was signed and of which nobody said that it arrived.
func (p *Provider) look(ctx context.Context, key string, r record) (record, error) {
	e, err := p.pick(ctx)
	if err != nil {
		return r, err
	}
	known, err := p.known(ctx, e, r)
	if err != nil {
		return r, err
	}
	if !known {
		return r, fmt.Errorf("evm: no node has it: %w", providers.ErrNotFound)
	}
	return p.seen(ctx, key)
}

// Poll implements providers.Poller. It looks at what is new on the chain, does what Config.Manual does not leave to others, and
// returns what happened after the cursor.
func (p *Provider) Poll(ctx context.Context, cursor string, limit int) ([]providers.Event, string, error) {
	n := 0
	if cursor != "" {
		var err error
		if n, err = strconv.Atoi(cursor); err != nil || n < 0 {
			return nil, cursor, errors.New("evm: not a cursor of this provider")
		}
	}
	height, err := p.sync(ctx)
	if err == nil && !p.config.Manual {
		err = p.tend(ctx)
	}
	if err != nil {
		return nil, cursor, err
	}
	items, err := p.log.read(ctx, n, limit)
	if err != nil {
		return nil, cursor, err
	}
	events := make([]providers.Event, 0, len(items))
	for _, item := range items {
		var r record
		if _, err := providers.LoadState(ctx, p.state, item.Key, &r); err != nil {
			return nil, cursor, err
		}
		report := p.report(r, height)
		events = append(events, providers.Event{ID: item.ID, Report: &report, At: report.At})
	}
	if len(events) == 0 {
		return nil, cursor, nil
	}
	return events, strconv.Itoa(n + len(items)), nil
}

// Check implements providers.Checker: every endpoint answers and is on the right chain, and the signer has the treasury's key.
func (p *Provider) Check(ctx context.Context) error {
	var errs []error
	if _, err := p.running(ctx); err != nil {
		errs = append(errs, err)
	}
	for _, e := range p.endpoints {
		one := &Provider{config: p.config, state: p.state, endpoints: []*endpoint{e}}
		_, err := one.pick(ctx)
		errs = append(errs, err)
	}
	_, err := p.publicKey(ctx, p.config.Treasury.Key, p.treasury)
	return errors.Join(append(errs, err)...)
}
