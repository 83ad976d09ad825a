package ach

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/koshpay/kosh/providers"
)

// logPage is a page of what happened, for Poll, or of notices.
type logPage[T any] struct {
	Items []T `json:"items"`
}

const logSize = 100

// event says that something became known of an operation, or of all operations of a batch.
type event struct {
	At    time.Time `json:"at"`
	Key   string    `json:"key,omitempty"`
	File  int64     `json:"file,omitempty"` // number and one
	Batch int       `json:"batch,omitempty"`
}

func logKey(log string, n int64) string { return fmt.Sprintf("%s/%d", log, n) }

// appendLog appends to the last page of a log, which is at or behind from, and returns where that is.
func appendLog[T any](ctx context.Context, d providers.StateStore, log string, from int64, items ...T) (last int64, err error) {
	for len(items) > 0 {
		n := 0
		_, err := providers.ChangeState(ctx, d, logKey(log, from), func(pg *logPage[T], _ bool) error {
			if n = min(logSize-len(pg.Items), len(items)); n == 0 {
				return providers.ErrStateSame
			}
			pg.Items = append(pg.Items, items[:n]...)
			return nil
		})
		if err != nil {
			return from, err
		}
		if items = items[n:]; n == 0 {
			from++
		}
	}
	return from, nil
}

// readLog calls do with what follows a position, in order, until do returns false; and returns whether it came to the end.
func readLog[T any](ctx context.Context, d providers.StateStore, log string, n int64, i int, do func(n int64, i int, item T) bool) error {
	for ; ; n, i = n+1, 0 {
		var pg logPage[T]
		if _, err := providers.LoadState(ctx, d, logKey(log, n), &pg); err != nil {
			return err
		}
		for ; i < len(pg.Items); i++ {
			if !do(n, i, pg.Items[i]) {
				return nil
			}
		}
		if len(pg.Items) < logSize {
			return nil
		}
	}
}

func (p *Provider) announce(ctx context.Context, events ...event) error {
	if err := p.hint(ctx); err != nil {
		return err
	}
	p.mu.Lock()
	from := p.events
	p.mu.Unlock()
	last, err := appendLog(ctx, p.state, "events", from, events...)
	p.mu.Lock()
	p.events = max(p.events, last)
	p.mu.Unlock()
	return err
}

// setup is what must never change: trace numbers are made of it.
type setup struct {
	ODFI  string `json:"odfi"`
	First int    `json:"first_trace"`
	Last  int    `json:"last_trace"`
}

// ErrSetupChanged says that the bank or the range of trace numbers is another than that of the StateStore: references would be
// read wrongly. Use a new Config.Name with its own StateStore for a new bank.
var ErrSetupChanged = errors.New("ach: Config.ODFI, FirstTrace or LastTrace changed")

// hint checks once that the state store is of this setup, and loads where its logs were last seen to end.
func (p *Provider) hint(ctx context.Context) error {
	p.mu.Lock()
	done := p.hinted
	p.mu.Unlock()
	if done {
		return nil
	}
	mine := setup{p.config.ODFI, p.config.FirstTrace, p.config.LastTrace}
	_, err := providers.ChangeState(ctx, p.state, "setup", func(s *setup, _ bool) error {
		switch *s {
		case mine:
			return providers.ErrStateSame
		case setup{}:
			*s = mine
			return nil
		}
		return ErrSetupChanged
	})
	if err != nil {
		return err
	}
	var w work
	if _, err := providers.LoadState(ctx, p.state, workKey, &w); err != nil {
		return err
	}
	p.mu.Lock()
	p.events, p.notices, p.page, p.hinted = max(p.events, w.Events), max(p.notices, w.Notices), max(p.page, w.Scan), true
	p.mu.Unlock()
	return nil
}

// Poll implements providers.Poller. An event carries the report as it is now.
func (p *Provider) Poll(ctx context.Context, cursor string, limit int) (events []providers.Event, next string, err error) {
	var at [3]int64 // page, item, operation of a batch
	if err := errors.Join(parseCursor(cursor, at[:]), p.hint(ctx)); err != nil {
		return nil, cursor, err
	}
	next = cursor
	if limit <= 0 {
		return nil, cursor, ctx.Err()
	}
	skip := at[2]
	var failed error
	err = readLog(ctx, p.state, "events", at[0], int(at[1]), func(n int64, i int, e event) bool {
		var keys []string
		if keys, failed = p.keysOf(ctx, e); failed != nil {
			return false
		}
		for j := skip; j < int64(len(keys)); j++ {
			if len(events) == limit {
				return false
			}
			var r providers.Report
			if r, failed = p.report(ctx, keys[j]); failed != nil {
				return false
			}
			events = append(events, providers.Event{ID: fmt.Sprintf("%d.%d.%d", n, i, j), Report: &r, At: e.At})
			next = fmt.Sprintf("%d.%d.%d", n, i, j+1)
		}
		skip = 0
		return len(events) < limit
	})
	if err := errors.Join(err, failed); err != nil {
		return nil, cursor, err
	}
	return events, next, nil
}

// keysOf are the operations that an event is about.
func (p *Provider) keysOf(ctx context.Context, e event) ([]string, error) {
	if e.Key != "" {
		return []string{e.Key}, nil
	}
	var f file
	if _, err := providers.LoadState(ctx, p.state, fileKey(e.File-1), &f); err != nil {
		return nil, err
	}
	var keys []string
	if e.Batch >= len(f.Batches) {
		return nil, nil
	}
	pages := map[int64]page{}
	for _, entry := range f.Batches[e.Batch].Entries {
		n := entry.Slot / pageSize
		pg, ok := pages[n]
		if !ok {
			if _, err := providers.LoadState(ctx, p.state, pageKey(n), &pg); err != nil {
				return nil, err
			}
			pages[n] = pg
		}
		if i := pg.Items[entry.Slot%pageSize]; i.Canceled == "" && i.Part == 0 {
			keys = append(keys, i.Key)
		}
	}
	return keys, nil
}

func parseCursor(cursor string, into []int64) error {
	if cursor == "" {
		return nil
	}
	words := strings.Split(cursor, ".")
	if len(words) != len(into) {
		return fmt.Errorf("ach: %w: cursor", providers.ErrInvalid)
	}
	for i, w := range words {
		n, err := strconv.ParseInt(w, 10, 32)
		if err != nil || n < 0 {
			return fmt.Errorf("ach: %w: cursor", providers.ErrInvalid)
		}
		into[i] = n
	}
	return nil
}
