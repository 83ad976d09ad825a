package bitcoin

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/koshpay/kosh/providers"
)

// logPage is a page of what happened, for Poll.
type logPage struct {
	Items []event `json:"items"`
}

// event says that something became known of an operation, by its key, or of what nobody asked for, by its reference.
type event struct {
	At        time.Time `json:"at"`
	Key       string    `json:"key,omitempty"`
	Reference string    `json:"reference,omitempty"`
}

func logKey(n int64) string { return fmt.Sprintf("events/%d", n) }

// announce appends to the log. Its last page is at or behind p.logPage.
func (p *Provider) announce(ctx context.Context, events ...event) error {
	p.mu.Lock()
	n := p.logPage
	p.mu.Unlock()
	for len(events) > 0 {
		room := 0
		_, err := providers.ChangeState(ctx, p.state, logKey(n), func(pg *logPage, _ bool) error {
			if room = min(pageSize-len(pg.Items), len(events)); room == 0 {
				return providers.ErrStateSame
			}
			pg.Items = append(pg.Items, events[:room]...)
			return nil
		})
		if err != nil {
			return err
		}
		if events = events[room:]; room == 0 {
			n++
		}
	}
	p.mu.Lock()
	p.logPage = max(p.logPage, n)
	p.mu.Unlock()
	return nil
}

// Poll implements providers.Poller. It reads what the chain has got since the last call, at most Config.BlocksPerCall blocks, and
// returns what happened; an event carries the report as it is now. While the adapter is halted it returns ErrHalted.
func (p *Provider) Poll(ctx context.Context, cursor string, limit int) (events []providers.Event, next string, err error) {
	page, item, err := parseCursor(cursor)
	if err != nil {
		return nil, cursor, err
	}
	if err := p.sync(ctx); err != nil {
		return nil, cursor, err
	}
	if p.config.BumpInPoll {
		if err := p.Bump(ctx); errors.Is(err, providers.ErrHalted) { // no other may keep deposits from being told
			return nil, cursor, err
		}
	}
	if limit <= 0 {
		return nil, cursor, nil
	}
	next = cursor
	for ; len(events) < limit; page, item = page+1, 0 {
		var pg logPage
		if _, err := providers.LoadState(ctx, p.state, logKey(page), &pg); err != nil {
			return nil, cursor, err
		}
		for ; item < len(pg.Items) && len(events) < limit; item++ {
			e := pg.Items[item]
			r, err := p.find(ctx, e.Key, e.Reference)
			if err != nil && !errors.Is(err, providers.ErrNotFound) {
				return nil, cursor, err
			}
			next = fmt.Sprintf("%d.%d", page, item+1)
			if err == nil {
				events = append(events, providers.Event{ID: fmt.Sprintf("%d.%d", page, item), Report: &r, At: e.At})
			}
		}
		if item < pageSize {
			break
		}
	}
	return events, next, nil
}

func parseCursor(cursor string) (page int64, item int, err error) {
	if cursor == "" {
		return 0, 0, nil
	}
	first, second, _ := strings.Cut(cursor, ".")
	page, err1 := strconv.ParseInt(first, 10, 32)
	n, err2 := strconv.ParseInt(second, 10, 32)
	if err1 != nil || err2 != nil || page < 0 || n < 0 || n > pageSize {
		return 0, 0, fmt.Errorf("bitcoin: %w: cursor", providers.ErrInvalid)
	}
	return page, int(n), nil
}
