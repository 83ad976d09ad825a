package ach

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/koshpay/kosh/providers"
)

const workKey = "work"

// Work does what is due, once: it reads the inbox, writes the file of a cut-off that has come, notices what was handed
// over, what has settled and what can no longer be returned. Call it every minute or so, or let [Provider.Run] do it. Any
// number of processes may call it on one outbox; one at a time works, the others get [ErrLocked]. It may be stopped at any
// moment: the next call goes on.
func (p *Provider) Work(ctx context.Context) error {
	release, err := p.folders.lock()
	if err != nil {
		return err
	}
	defer release()
	if err := p.hint(ctx); err != nil {
		return err
	}
	return errors.Join(p.readInbox(ctx), p.handleFiles(ctx))
}

// Run calls Work until the context ends, and tells what went wrong; what did is tried again.
func (p *Provider) Run(ctx context.Context, every time.Duration, problem func(error)) error {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		if err := p.Work(ctx); err != nil && !errors.Is(err, ErrLocked) && ctx.Err() == nil {
			problem(err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
	}
}

// Sent says that a file of the outbox was handed over to the bank: it is moved to the outbox's folder "sent", where Work finds
// it. A program that is not written in Go moves it itself, and never deletes a file of the outbox: Work would take it for one
// that was not written yet.
func (p *Provider) Sent(name string) error {
	if filepath.Base(name) != name {
		return fmt.Errorf("ach: %q is no name of a file in the outbox", name)
	}
	return p.folders.send(name)
}

// Outbox lists the files to hand over, oldest first.
func (p *Provider) Outbox() ([]string, error) {
	names, err := p.folders.disk.List(p.config.Outbox)
	names = slices.DeleteFunc(names, func(n string) bool { return n[0] == '.' })
	slices.Sort(names)
	return names, err
}

// Check implements providers.Checker: the folders and the state store can be used, and the store is of this setup.
func (p *Provider) Check(ctx context.Context) error {
	_, err := p.Outbox()
	_, errInbox := p.folders.arrived()
	_, errState := providers.LoadState(ctx, p.state, workKey, new(work))
	return errors.Join(err, errInbox, errState, p.hint(ctx))
}

func (p *Provider) handleFiles(ctx context.Context) error {
	var w work
	version, err := providers.LoadState(ctx, p.state, workKey, &w)
	if err != nil {
		return err
	}
	before := w
	before.Open = slices.Clone(w.Open)
	errWork := p.handle(ctx, &w)
	p.mu.Lock()
	w.Events, w.Notices = p.events, p.notices
	p.mu.Unlock()
	if slices.Equal(before.Open, w.Open) && before.Scan == w.Scan && before.Next == w.Next {
		return errWork
	}
	_, err = providers.SaveState(ctx, p.state, workKey, w, version)
	return errors.Join(errWork, err)
}

// handle brings every open file forward, then keeps a cut-off that has come.
func (p *Provider) handle(ctx context.Context, w *work) error {
	for { // files that were planned when the index could not be written
		version, err := providers.LoadState(ctx, p.state, fileKey(w.Next), new(file))
		if err != nil {
			return err
		}
		if version == 0 {
			break
		}
		w.Open, w.Next = append(w.Open, w.Next), w.Next+1
	}
	var stuck error // of one file, which must not keep the others from settling
	for _, number := range slices.Clone(w.Open) {
		stamped, err := p.advance(ctx, w, number)
		if !stamped {
			return errors.Join(stuck, err) // what it will have is not known to the pages yet: no new plan may take it
		}
		stuck = errors.Join(stuck, err)
	}
	if err := p.tell(ctx, w.Scan); err != nil {
		return errors.Join(stuck, err)
	}
	return errors.Join(stuck, p.keepCutOff(ctx, w))
}

// keepCutOff plans and writes files if a cut-off has come since the oldest waiting entry was accepted.
func (p *Provider) keepCutOff(ctx context.Context, w *work) error {
	slots, done, err := p.waiting(ctx, w.Scan, maxEntries)
	if err != nil {
		return err
	}
	w.Scan = done
	cut, when := p.lastCut(p.now())
	for len(slots) > 0 {
		oldest, err := p.acceptedAt(ctx, slots[0])
		if err != nil {
			return err
		}
		if oldest.After(when) {
			return nil // the next cut-off is theirs
		}
		f, err := p.plan(ctx, w.Next, cut, slots)
		if err != nil {
			return err
		}
		// From here on the entries belong in this file, whatever happens.
		if _, err := providers.SaveState(ctx, p.state, fileKey(w.Next), f, 0); err != nil {
			return err
		}
		w.Open, w.Next = append(w.Open, w.Next), w.Next+1
		if _, err := p.advance(ctx, w, w.Next-1); err != nil {
			return err
		}
		if slots, w.Scan, err = p.waiting(ctx, w.Scan, maxEntries); err != nil {
			return err
		}
	}
	return nil
}

// acceptedAt is when the operation in a slot was submitted.
func (p *Provider) acceptedAt(ctx context.Context, slot int64) (time.Time, error) {
	i, _, err := p.at(ctx, slot)
	if err != nil {
		return time.Time{}, err
	}
	var o operation
	_, err = providers.LoadState(ctx, p.state, opKey(i.Key), &o)
	return o.At, err
}

// lastCut is the latest cut-off that is not after now.
func (p *Provider) lastCut(now time.Time) (CutOff, time.Time) {
	for day := dateOf(now); ; day = day.AddDate(0, 0, -1) {
		if !BankingDay(day) {
			continue
		}
		for _, c := range slices.Backward(p.config.CutOffs) {
			if when := at(day, c.Hour, c.Minute); !when.After(now) {
				return c, when
			}
		}
	}
}

// advance brings a file as far as it can come, and drops it from the index when nothing more will happen to it. It tells whether
// the file's entries are stamped, so that no other file can have them.
func (p *Provider) advance(ctx context.Context, w *work, number int64) (stamped bool, err error) {
	var f file
	version, err := providers.LoadState(ctx, p.state, fileKey(number), &f)
	if err != nil {
		return false, err
	}
	save := func() error {
		version, err = providers.SaveState(ctx, p.state, fileKey(number), f, version)
		return err
	}
	if !f.Written {
		canceled, err := p.stamp(ctx, number, f)
		if err != nil {
			return false, err
		}
		if err := p.writeFile(ctx, &f, canceled); err != nil {
			return true, err
		}
		if err := save(); err != nil {
			return true, err
		}
	}
	return true, p.watch(ctx, w, number, &f, save)
}

// watch notices what became of a file that was written.
func (p *Provider) watch(ctx context.Context, w *work, number int64, f *file, save func() error) error {
	if f.Sent == nil && len(f.Batches) > 0 {
		_, sent, err := p.folders.where(f.Name)
		if err != nil {
			return err
		}
		if sent {
			now := p.now()
			f.Sent = &now
			if err := save(); err != nil {
				return err
			}
		}
	}
	if f.Rejected == nil && p.settle(f, p.now()) {
		if err := save(); err != nil {
			return err
		}
	}
	if events := untold(number, f, p.now().UTC()); len(events) > 0 {
		if err := p.announce(ctx, events...); err != nil {
			return err
		}
		if err := save(); err != nil {
			return err
		}
	}
	if f.done() {
		w.Open = slices.DeleteFunc(w.Open, func(n int64) bool { return n == number })
	}
	return nil
}

// untold are the events of what has become of a file's batches; the file is marked as if they had been announced.
func untold(number int64, f *file, now time.Time) (events []event) {
	for i := range f.Batches {
		b, level := &f.Batches[i], 0
		switch {
		case f.Rejected != nil && !f.Told:
			level = b.Told + 1
		case b.Final:
			level = 2
		case b.Settled != nil:
			level = 1
		}
		if b.Told < level {
			b.Told = level
			events = append(events, event{At: now, File: number + 1, Batch: i})
		}
	}
	f.Told = f.Rejected != nil
	return events
}

// writeFile builds the file and puts it into the outbox, unless it is there or was sent already.
func (p *Provider) writeFile(ctx context.Context, f *file, canceled map[int64]bool) error {
	content, err := p.build(ctx, *f, canceled)
	if err != nil {
		return err
	}
	if content == nil {
		f.Batches, f.Written = nil, true
		return nil
	}
	inOutbox, sent, err := p.folders.where(f.Name)
	switch {
	case err != nil:
		return err
	case inOutbox:
		err = p.folders.disk.SyncDir(p.config.Outbox)
	case !sent:
		err = p.folders.put(f.Name, content)
	}
	if err != nil {
		return err
	}
	f.Written = true
	return nil
}

// tell announces operations that have no entry: links that need none, cancellations, refusals.
func (p *Provider) tell(ctx context.Context, scan int64) error {
	for n := scan; ; n++ {
		var pg page
		version, err := providers.LoadState(ctx, p.state, pageKey(n), &pg)
		if err != nil || version == 0 {
			return err
		}
		var slots []int
		for i, it := range pg.Items {
			if !it.None || it.File != 0 {
				continue
			}
			slots = append(slots, i)
			var o operation
			if _, err := providers.LoadState(ctx, p.state, opKey(it.Key), &o); err != nil {
				return err
			}
			events := []event{{At: p.now().UTC(), Key: it.Key}}
			if o.Target != "" && o.Failed == nil {
				events = append(events, event{At: p.now().UTC(), Key: o.Target})
			}
			if err := p.announce(ctx, events...); err != nil {
				return err
			}
		}
		if len(slots) == 0 {
			continue
		}
		_, err = providers.ChangeState(ctx, p.state, pageKey(n), func(pg *page, _ bool) error {
			for _, i := range slots {
				pg.Items[i].File = told
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
}
