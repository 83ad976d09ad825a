package evm

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/koshpay/kosh/providers"
)

// What the adapter remembers, as JSON documents of the StateStore:
//
//	scan               how far the chain was looked at: see scan.go
//	block/<height>     what of ours is in a block
//	dep/<tx>:<index>   money that came
//	op/<key>           an operation of payments': an address, or a withdrawal with its signed bytes
//	tx/<hash>          a transaction from an address of ours that we did not make
//	own/<address>/<n>  a sweep, a top-up of gas or a fill, with its signed bytes
//	ref/<reference>    which document a reference is about
//	sender/<address>   nonces: the next, those given back, those in use
//	addresses          how many deposit addresses there are
//	address/<n>        whose the n-th is
//	lost               transactions that a reorganisation took out and that were not mined again
//	sweeps, sweep/<n>  which addresses have something to sweep, and what is under way there
//	totals             what came and went in all final blocks
//	log/<n>            what happened, for Poll
//	halt               why the adapter stopped, and whether a person resumed it

// errStale says that another process has looked further than this one.
var errStale = errors.New("evm: another process is ahead")

// eventLog is what happened, in the order in which it was written down.
type eventLog struct {
	store providers.StateStore
	mu    sync.Mutex
	last  int // the page that was last seen to be the last
}

type (
	logPage struct {
		Items []logItem `json:"items"`
	}
	// logItem says that a document changed; the same change always has the same id.
	logItem struct {
		ID  string `json:"id"`
		Key string `json:"key"`
	}
)

const logSize = 20

func logKey(n int) string { return fmt.Sprintf("log/%d", n) }

// add appends an item, unless it is on the last page already.
func (l *eventLog) add(ctx context.Context, item logItem) error {
	l.mu.Lock()
	n := l.last
	l.mu.Unlock()
	for {
		full := false
		_, err := providers.ChangeState(ctx, l.store, logKey(n), func(pg *logPage, _ bool) error {
			for _, known := range pg.Items {
				if known == item {
					full = false
					return providers.ErrStateSame
				}
			}
			if full = len(pg.Items) >= logSize; full {
				return providers.ErrStateSame
			}
			pg.Items = append(pg.Items, item)
			return nil
		})
		if err != nil {
			return err
		}
		if !full {
			break
		}
		n++
	}
	l.mu.Lock()
	l.last = max(l.last, n)
	l.mu.Unlock()
	return nil
}

// read returns at most limit items after the first n.
func (l *eventLog) read(ctx context.Context, n, limit int) (items []logItem, err error) {
	for len(items) < limit {
		var pg logPage
		at := n + len(items)
		if _, err := providers.LoadState(ctx, l.store, logKey(at/logSize), &pg); err != nil {
			return nil, err
		}
		rest := pg.Items[min(at%logSize, len(pg.Items)):]
		items = append(items, rest[:min(len(rest), limit-len(items))]...)
		if len(pg.Items) < logSize {
			break
		}
	}
	return items, nil
}

// halted is what stopped the adapter.
type halted struct {
	Reason string `json:"reason,omitempty"`
	// Accept lets the next look at the chain go back as far as it must.
	Accept bool `json:"accept,omitempty"`
}

// halt stops the adapter until Resume, and returns why.
func (p *Provider) halt(ctx context.Context, reason string) error {
	_, err := providers.ChangeState(ctx, p.state, "halt", func(h *halted, _ bool) error {
		if h.Reason != "" {
			return providers.ErrStateSame
		}
		h.Reason, h.Accept = reason, false
		return nil
	})
	if err != nil {
		return err
	}
	return fmt.Errorf("evm: %s: %w", reason, providers.ErrHalted)
}

// running returns nil, or ErrHalted with the reason.
func (p *Provider) running(ctx context.Context) (halted, error) {
	var h halted
	if _, err := providers.LoadState(ctx, p.state, "halt", &h); err != nil {
		return h, err
	}
	if h.Reason != "" {
		return h, fmt.Errorf("evm: %s: %w", h.Reason, providers.ErrHalted)
	}
	return h, nil
}

// Resume lets an adapter that halted go on, after a person has looked. What the endpoints say now is taken to be the chain, however
// far back it differs from what was seen before: what is no longer on it is reported as taken back, final or not. Without a
// halt it does nothing.
func (p *Provider) Resume(ctx context.Context) error {
	_, err := providers.ChangeState(ctx, p.state, "halt", func(h *halted, _ bool) error {
		if h.Reason == "" {
			return providers.ErrStateSame
		}
		*h = halted{Accept: true}
		return nil
	})
	return err
}
