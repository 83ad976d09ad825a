package ach

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/koshpay/kosh/providers"
)

// maxEntries keeps a file's document small, and its lines far below the 10,000 that some banks take.
const maxEntries = 2000

// waiting are the slots that no file has, in order, at most limit; and how far everything is done with.
func (p *Provider) waiting(ctx context.Context, scan int64, limit int) (slots []int64, done int64, err error) {
	done, gap := scan, false
	for n := scan; ; n++ {
		var pg page
		version, err := providers.LoadState(ctx, p.state, pageKey(n), &pg)
		if err != nil {
			return nil, 0, err
		}
		if version == 0 {
			return slots, done, nil
		}
		open := len(pg.Items) < pageSize
		for i, it := range pg.Items {
			if it.File == 0 && it.Canceled == "" {
				open = true
				if !it.None && len(slots) < limit {
					slots = append(slots, n*pageSize+int64(i))
				}
			}
		}
		if gap = gap || open; !gap {
			done = n + 1
		}
	}
}

// plan fixes what belongs in the next file and when it settles. Batches are by entry class, direction, purpose and speed.
func (p *Provider) plan(ctx context.Context, number int64, cut CutOff, slots []int64) (file, error) {
	now := p.now()
	f := file{Created: now.In(eastern)}
	if err := p.name(ctx, number, &f); err != nil {
		return file{}, err
	}
	limit, err := cents(p.config.MaxSameDay)
	if err != nil {
		return file{}, err
	}
	today := cut.SameDay && isSameDayOpen(now)
	for _, slot := range slots {
		e, err := p.entry(ctx, slot)
		if err != nil {
			return file{}, err
		}
		b := batch{SEC: entryClass(e.account.Business, e.part.Credit), Credit: e.part.Credit, Purpose: e.part.Purpose}
		b.SameDay = today && e.part.Purpose != prenote && e.cents <= limit
		b.Effective = AddBankingDays(now, 1)
		if b.SameDay {
			b.Effective = dateOf(now)
		}
		i := slices.IndexFunc(f.Batches, func(o batch) bool {
			return o.SEC == b.SEC && o.Credit == b.Credit && o.Purpose == b.Purpose && o.SameDay == b.SameDay
		})
		if i < 0 {
			i = len(f.Batches)
			f.Batches = append(f.Batches, b)
		}
		f.Batches[i].Entries = append(f.Batches[i].Entries, entry{Slot: slot, Version: len(e.account.Versions) - 1})
	}
	for _, b := range f.Batches { // trace numbers rise within a batch, also where they come round
		slices.SortFunc(b.Entries, func(x, y entry) int { return strings.Compare(p.trace(x.Slot), p.trace(y.Slot)) })
	}
	return f, nil
}

// entryClass is the standard entry class: what consumers agreed to on the Internet is WEB, what they receive PPD, and between
// companies both are CCD.
func entryClass(business, credit bool) string {
	switch {
	case business:
		return "CCD"
	case credit:
		return "PPD"
	default:
		return "WEB"
	}
}

const modifiers = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

// errManyFiles says that all file id modifiers of a day are used.
var errManyFiles = errors.New("ach: the day has 36 files; what waits goes tomorrow")

// name gives a file its name and its id modifier, which tells files of one day apart.
func (p *Provider) name(ctx context.Context, number int64, f *file) error {
	f.Name = fmt.Sprintf("%s-%s-%06d.ach", p.config.Name, f.Created.Format("20060102"), number)
	f.Modifier = modifiers[:1]
	if number == 0 {
		return nil
	}
	var before file
	if _, err := providers.LoadState(ctx, p.state, fileKey(number-1), &before); err != nil {
		return err
	}
	if dateOf(before.Created).Equal(dateOf(f.Created)) {
		n := strings.Index(modifiers, before.Modifier) + 1
		if n == len(modifiers) {
			return errManyFiles
		}
		f.Modifier = modifiers[n : n+1]
	}
	return nil
}

// outgoing is an entry with all that a file says about it.
type outgoing struct {
	key     string
	part    part
	cents   int64
	account account
	token   string
}

func (p *Provider) entry(ctx context.Context, slot int64) (outgoing, error) {
	i, ok, err := p.at(ctx, slot)
	if err != nil {
		return outgoing{}, err
	}
	var o operation
	if _, err := providers.LoadState(ctx, p.state, opKey(i.Key), &o); err != nil {
		return outgoing{}, err
	}
	if !ok || i.Part >= len(o.Parts) || o.Slot+int64(i.Part) != slot {
		return outgoing{}, fmt.Errorf("ach: slot %d and operation %s do not agree", slot, i.Key)
	}
	e := outgoing{key: i.Key, part: o.Parts[i.Part], token: o.Instrument}
	e.cents = e.part.Cents
	if e.part.Purpose == micro {
		amounts, err := p.microAmounts(i.Key, o)
		if err != nil {
			return outgoing{}, err
		}
		e.cents = amounts[i.Part]
	}
	if _, err := providers.LoadState(ctx, p.state, accountKey(e.token), &e.account); err != nil {
		return outgoing{}, err
	}
	if len(e.account.Versions) == 0 {
		return outgoing{}, fmt.Errorf("ach: slot %d: %w", slot, errUnknownAccount)
	}
	return e, nil
}

// stamp marks the file's entries in their pages, and returns those that were canceled before it could. Afterwards they are
// in this file for good.
func (p *Provider) stamp(ctx context.Context, number int64, f file) (canceled map[int64]bool, err error) {
	canceled = map[int64]bool{}
	pages := map[int64][]int64{}
	for _, b := range f.Batches {
		for _, e := range b.Entries {
			pages[e.Slot/pageSize] = append(pages[e.Slot/pageSize], e.Slot)
		}
	}
	mine := number + 1 // 0 is none
	for n, slots := range pages {
		_, err := providers.ChangeState(ctx, p.state, pageKey(n), func(pg *page, _ bool) error {
			changed := false
			for _, slot := range slots {
				i := &pg.Items[slot%pageSize]
				switch {
				case i.Canceled != "":
					canceled[slot] = true
				case i.File == 0:
					i.File, changed = mine, true
				case i.File != mine:
					return fmt.Errorf("ach: slot %d is in two files, %d and %d", slot, i.File-1, number)
				}
			}
			if !changed {
				return providers.ErrStateSame
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return canceled, nil
}

// settle marks what has settled and what can no longer be returned, and tells whether anything changed.
func (p *Provider) settle(f *file, now time.Time) (changed bool) {
	handedOver := f.Sent
	if p.config.Acknowledged && f.Accepted == nil || handedOver == nil {
		return false
	}
	for i := range f.Batches {
		b := &f.Batches[i]
		if b.Settled == nil {
			if at := settlement(b.Effective, b.SameDay, *handedOver); !now.Before(at) {
				b.Settled, changed = &at, true
			}
		}
		if b.Settled != nil && !b.Final && !now.Before(p.finalAt(*b)) {
			b.Final, changed = true, true
		}
	}
	return changed
}

// finalAt is when a settled batch's entries can no longer be returned, or have verified their account, or failed to.
func (p *Provider) finalAt(b batch) time.Time {
	switch {
	case b.Purpose == prenote:
		return verifiedAfterPrenote(*b.Settled)
	case b.Purpose == micro:
		return microExpiry(*b.Settled)
	case !b.Credit && b.SEC != "CCD":
		return finalAfterUnauthorized(*b.Settled, p.config.UnauthorizedDays)
	default:
		return finalAfterReturnWindow(*b.Settled)
	}
}

func (f file) done() bool {
	if f.Rejected != nil {
		return f.Told
	}
	for _, b := range f.Batches {
		if !b.Final || b.Told < 2 {
			return false
		}
	}
	return f.Written
}
