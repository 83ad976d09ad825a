package sandbox

import (
	"container/heap"
	"time"
)

// appointment is something that happens at a time; of equal times, what was made first comes first.
type appointment struct {
	at  time.Time
	seq uint64
	do  func(at time.Time)
	// event is the index of the event to deliver, of an outbox; there do is nil.
	event int
}

// agenda is a priority queue of appointments.
type agenda struct {
	queue queue
	seq   uint64
}

func (a *agenda) push(p appointment) {
	a.seq++
	p.seq = a.seq
	heap.Push(&a.queue, p)
}

// pop takes the next appointment that is due by now.
func (a *agenda) pop(now time.Time) (appointment, bool) {
	if len(a.queue) == 0 || a.queue[0].at.After(now) {
		return appointment{}, false
	}
	next, ok := heap.Pop(&a.queue).(appointment)
	return next, ok
}

type queue []appointment

func (q queue) Len() int      { return len(q) }
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q queue) Less(i, j int) bool {
	if !q[i].at.Equal(q[j].at) {
		return q[i].at.Before(q[j].at)
	}
	return q[i].seq < q[j].seq
}

func (q *queue) Push(x any) {
	if p, ok := x.(appointment); ok {
		*q = append(*q, p)
	}
}

func (q *queue) Pop() any {
	last := len(*q) - 1
	p := (*q)[last]
	(*q)[last] = appointment{}
	*q = (*q)[:last]
	return p
}
