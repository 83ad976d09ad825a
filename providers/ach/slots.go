package ach

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/koshpay/kosh/providers"
)

// A slot is a place in the one list of everything that was ever accepted. Its number gives the trace number, so trace
// numbers are unique across files and days, whoever writes the files, until all seven digits are used up.

func (p *Provider) span() int64 { return int64(p.config.LastTrace - p.config.FirstTrace + 1) }

// trace is the trace number of a slot's entry: the bank's first eight digits and seven of ours.
func (p *Provider) trace(slot int64) string {
	return fmt.Sprintf("%s%07d", p.config.ODFI[:8], int64(p.config.FirstTrace)+slot%p.span())
}

// reference is the trace number and, when all were used before, how often: it is never used again.
func (p *Provider) reference(slot int64) string {
	if round := slot / p.span(); round > 0 {
		return fmt.Sprintf("%s.%d", p.trace(slot), round)
	}
	return p.trace(slot)
}

func (p *Provider) slotOf(reference string) (slot int64, ok bool) {
	trace, round, more := strings.Cut(reference, ".")
	if len(trace) != 15 || !strings.HasPrefix(trace, p.config.ODFI[:8]) {
		return 0, false
	}
	n, err := strconv.ParseInt(trace[8:], 10, 64)
	if err != nil || n < int64(p.config.FirstTrace) || n > int64(p.config.LastTrace) {
		return 0, false
	}
	slot = n - int64(p.config.FirstTrace)
	if more {
		r, err := strconv.ParseInt(round, 10, 32)
		if err != nil || r <= 0 {
			return 0, false
		}
		slot += r * p.span()
	}
	return slot, p.reference(slot) == reference
}

// at returns the item in a slot.
func (p *Provider) at(ctx context.Context, slot int64) (i item, ok bool, err error) {
	var pg page
	if _, err := providers.LoadState(ctx, p.state, pageKey(slot/pageSize), &pg); err != nil {
		return item{}, false, err
	}
	if slot < 0 || slot%pageSize >= int64(len(pg.Items)) {
		return item{}, false, nil
	}
	return pg.Items[slot%pageSize], true, nil
}

// accepted tells whether an operation has the slot that it asks for. It is the only thing that counts: an operation that
// was stored and has no slot does not exist.
func (p *Provider) accepted(ctx context.Context, key string, o operation) (bool, error) {
	i, ok, err := p.at(ctx, o.Slot)
	return ok && err == nil && i.Key == key, err
}

// accept gives an operation its slots. The error's certainty is of the far side that Submit has: what is in a page will
// be sent, what is not never will. Only when writing the page fails is it unknown which.
//
// Two callers with one key: an operation's slot is changed only when another key has it, so nobody can be given two; and
// appending is compare-and-swap, so nobody can be given one twice.
func (p *Provider) accept(ctx context.Context, key string, o *operation, version uint64) error {
	n := max(len(o.Parts), 1)
	for range tries {
		if err := ctx.Err(); err != nil {
			return notSent(err)
		}
		var pg page
		var pageVersion uint64
		slot, has := o.Slot, false
		if version > 0 {
			var err error
			if pageVersion, err = providers.LoadState(ctx, p.state, pageKey(slot/pageSize), &pg); err != nil {
				return notSent(err)
			}
			i, taken := slot%pageSize, int64(len(pg.Items))
			if i > taken {
				return notSent(fmt.Errorf("ach: %s is shorter than it was", pageKey(slot/pageSize)))
			}
			if has = i == taken; !has && pg.Items[i].Key == key {
				return nil
			}
		}
		// That another key has the slot must be seen in the same reading as that ours has it not: between two readings another
		// caller with our key may get it.
		if !has {
			var err error
			if pg, slot, pageVersion, err = p.room(ctx, n); err != nil {
				return notSent(err)
			}
		}
		if version == 0 || slot != o.Slot {
			if err := p.free(ctx, slot, n); err != nil {
				return notSent(err)
			}
			o.Slot = slot
			switch next, err := providers.SaveState(ctx, p.state, opKey(key), *o, version); {
			case err == nil:
				version = next
			case errors.Is(err, providers.ErrStateConflict):
				var other operation
				if version, err = providers.LoadState(ctx, p.state, opKey(key), &other); err != nil {
					return notSent(err)
				}
				if version > 0 && !other.same(*o) {
					return duplicate()
				}
				*o = other
				continue
			default:
				return notSent(err)
			}
		}
		for i := range n {
			pg.Items = append(pg.Items, item{Key: key, Part: i, None: len(o.Parts) == 0})
		}
		_, err := providers.SaveState(ctx, p.state, pageKey(slot/pageSize), pg, pageVersion)
		switch {
		case err == nil:
			return nil
		case !errors.Is(err, providers.ErrStateConflict):
			return &providers.Error{Certainty: providers.Maybe, Err: err}
		}
	}
	return notSent(providers.ErrStateBusy)
}

// room finds n free slots next to each other in one page.
func (p *Provider) room(ctx context.Context, n int) (pg page, slot int64, version uint64, err error) {
	p.mu.Lock()
	number := p.page
	p.mu.Unlock()
	for behindFull := true; ; number++ {
		pg = page{}
		version, err := providers.LoadState(ctx, p.state, pageKey(number), &pg)
		if err != nil {
			return page{}, 0, 0, err
		}
		if behindFull && len(pg.Items) < pageSize {
			behindFull = false // an operation of several entries may have to go further; the next one need not
			p.mu.Lock()
			p.page = max(p.page, number)
			p.mu.Unlock()
		}
		if len(pg.Items)+n <= pageSize {
			return pg, number*pageSize + int64(len(pg.Items)), version, nil
		}
	}
}

// free checks, once trace numbers come round, that the operation that had them before is done with.
func (p *Provider) free(ctx context.Context, slot int64, n int) error {
	for s := slot - p.span(); s < slot-p.span()+int64(n); s++ {
		if s < 0 {
			continue
		}
		i, ok, err := p.at(ctx, s)
		if err != nil || !ok {
			return err
		}
		r, err := p.report(ctx, i.Key)
		if err != nil {
			return err
		}
		if !r.Final {
			return fmt.Errorf("%w: every trace number of the range is in use", providers.ErrUnsupported)
		}
	}
	return nil
}

func notSent(err error) error { return &providers.Error{Certainty: providers.NotSent, Err: err} }

func duplicate() error {
	return &providers.Error{Certainty: providers.Duplicate, Code: "key_in_use", Err: errors.New("ach: the key stands for another operation")}
}
