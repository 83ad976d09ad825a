package ledger

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"
)

// The most that one batch carries: enough to make the cost of a commit small, little enough for an answer in good time.
const (
	maxBatch       = 1_000  // entries
	maxBatchWeight = 16_000 // rows named, and kilobytes of documents and inputs
)

// DefaultMaxWaiting is how many entries may wait for their batch when Config does not say.
const DefaultMaxWaiting = 16_384

// queue is where callers wait for their entries to be recorded. At any time at most one of them leads, which is to carry a
// batch of what waits to the store; the others sleep. Whoever has carried a batch hands the lead to the caller that has
// waited longest, so nobody works for others for ever, and a caller that comes back at once stands at the end.
type queue struct {
	mu      sync.Mutex
	limit   int // entries that may wait
	waiting []*request
	entries int  // of the requests that wait
	left    int  // requests in waiting whose callers have left
	led     bool // there is a leader; when there is none, nobody waits
	crowd   bool // the last batch had several callers

	work working // of whoever leads
}

// request is one caller with an entry, or with several that it gave together.
type request struct {
	entries []*prepared
	weight  int
	wake    chan struct{} // made by join, with room for one: the request leads, or is answered
	place   place         // guarded by queue.mu, but for the leader
	batch   *batch        // that carries it
	again   bool          // a batch that carried it was given up

	own  batch // that it leads
	self [1]*request
}

// place is how far a request has come.
type place uint8

const (
	isWaiting place = iota
	leads
	isCarried
	isAnswered
	isGone // its caller has left
)

// batch is what one leader carries. The first request is its own.
type batch struct {
	requests []*request
	entries  []*prepared
	present  int                // callers that have not left
	giveUp   context.CancelFunc // ends the Update when all have left; nil when the leader's own context does
}

// join makes a request the leader, at once with its batch when nobody else is likely to come, or lets it wait. ErrBusy when too
// many wait already.
func (q *queue) join(r *request) (own *batch, leading bool, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.led {
		q.led, r.place = true, leads
		if !q.crowd {
			own = r.alone()
		}
		return own, true, nil
	}
	if q.entries+len(r.entries) > q.limit {
		return nil, false, refuse(ErrBusy, fmt.Sprintf("%d entries are waiting for the store already", q.entries))
	}
	r.place, r.wake = isWaiting, make(chan struct{}, 1)
	q.waiting = append(q.waiting, r)
	q.entries += len(r.entries)
	return nil, false, nil
}

// alone makes the batch of a leader that has nothing but its own request.
func (r *request) alone() *batch {
	r.self[0] = r
	r.own = batch{requests: r.self[:], entries: r.entries, present: 1}
	return &r.own
}

// leave takes a request out because its caller does not wait any longer. It reports whether the request was answered in the
// meantime.
func (q *queue) leave(r *request) (answered bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	was := r.place
	if was == isAnswered {
		return true
	}
	r.place = isGone
	switch was {
	case isWaiting:
		q.entries -= len(r.entries)
		if q.left++; q.left > len(q.waiting)/2 { // a store that hangs must not pile up callers that have left
			q.waiting = slices.DeleteFunc(q.waiting, func(r *request) bool { return r.place == isGone })
			q.left = 0
		}
	case leads:
		q.handOver()
	case isCarried:
		if r.batch.present--; r.batch.present == 0 && r.batch.giveUp != nil {
			r.batch.giveUp()
		}
	case isAnswered, isGone: // nothing of it is left here
	}
	return false
}

// handOver makes the request that has waited longest the leader.
func (q *queue) handOver() {
	if next := q.pop(); next != nil {
		next.place = leads
		next.wake <- struct{}{}
		return
	}
	q.led = false
}

// first returns the request that has waited longest, without those that were left, or nil.
func (q *queue) first() *request {
	for len(q.waiting) > 0 {
		r := q.waiting[0]
		if r.place == isWaiting {
			return r
		}
		q.waiting[0], q.waiting = nil, q.waiting[1:]
		q.left--
	}
	return nil
}

func (q *queue) pop() *request {
	r := q.first()
	if r != nil {
		q.waiting[0], q.waiting = nil, q.waiting[1:]
		q.entries -= len(r.entries)
	}
	return r
}

// take makes the leader's batch: its own request and what has queued, as far as it fits, first come first served.
func (q *queue) take(leader *request) *batch {
	t := leader.alone()
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.crowd { // callers that were just answered come back at once: let them
		for n := -1; n < len(q.waiting) && q.entries < maxBatch; {
			n = len(q.waiting)
			q.mu.Unlock()
			runtime.Gosched()
			q.mu.Lock()
		}
	}
	weight := leader.weight
	for r := q.first(); r != nil; r = q.first() {
		if weight += r.weight; len(t.entries)+len(r.entries) > maxBatch || weight > maxBatchWeight {
			break
		}
		if len(t.requests) == 1 {
			t.entries = slices.Grow(slices.Clone(leader.entries), min(q.entries, maxBatch))
		}
		q.pop()
		r.place, r.batch = isCarried, t
		t.requests, t.entries = append(t.requests, r), append(t.entries, r.entries...)
	}
	t.present = len(t.requests)
	q.crowd = t.present > 1
	return t
}

// contextOf returns the context of a batch and what ends it. A leader that stops waiting gives its batch up, to be free;
// the others are carried again. But that only once: a batch with a request that was given up before goes on without its
// leader, until nobody waits for it. So callers with little patience cannot keep the others waiting for ever.
func (q *queue) contextOf(ctx context.Context, t *batch) (context.Context, func()) {
	leader := t.requests[0]
	if !slices.ContainsFunc(t.requests, func(r *request) bool { return r.again }) {
		return ctx, func() {}
	}
	shielded, cancel := context.WithCancel(context.WithoutCancel(ctx))
	t.giveUp = cancel
	leader.place, leader.batch = isCarried, t
	stop := context.AfterFunc(ctx, func() { q.leave(leader) })
	return shielded, func() {
		stop()
		cancel()
	}
}

// settle answers the callers of a batch and hands the lead over. What has no outcome was given up, and waits again in
// front of all others; or the store panicked, and nothing is known.
func (q *queue) settle(t *batch, givenUp error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	var again []*request
	for i, r := range t.requests {
		open := slices.ContainsFunc(r.entries, func(p *prepared) bool { return !p.answered })
		switch {
		case i > 0 && r.place == isGone:
			continue
		case i > 0 && open && givenUp != nil:
			r.place, r.batch, r.again = isWaiting, nil, true
			again = append(again, r)
			q.entries += len(r.entries)
			continue
		case open:
			r.fail(givenUp)
		}
		r.place, r.batch = isAnswered, nil
		if i > 0 {
			r.wake <- struct{}{}
		}
	}
	if len(again) > 0 {
		q.waiting = append(again, q.waiting...)
	}
	q.handOver()
}

// fail answers what has no answer yet.
func (r *request) fail(err error) {
	if err == nil {
		err = errPanicked
	}
	for _, p := range r.entries {
		if !p.answered {
			p.answer(&outcome{err: storeError(err)})
		}
	}
}
