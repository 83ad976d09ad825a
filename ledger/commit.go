package ledger

import (
	"context"
	"errors"
	"slices"
)

// Group commit. Callers that record at the same time share one Update of the store: one lock, one write and one fsync for
// many entries. Every entry keeps its own outcome. Nothing of it runs in a goroutine of the ledger's own: one of the
// callers does the work for all that wait, see queue.

// Outcome is what became of one entry of [Book.RecordAll].
type Outcome struct {
	Receipt Receipt
	Err     error
}

// errPanicked answers callers whose batch ended in a panic of the store, which goes up through the one that carried it.
var errPanicked = errors.New("ledger: the store panicked")

// errUnchanged ends an Update that has nothing to write.
var errUnchanged = errors.New("ledger: nothing to write")

// maxStrikes is how many entries the store may refuse one after the other, each by itself, until that is taken for a
// fault of the store rather than of the entries.
const maxStrikes = 4

// record gets entries that a caller gives together, at most maxBatch, into a batch, waits for their outcomes and finds them in
// the entries. The error means that they have none.
func (b *Book) record(ctx context.Context, r *request) error {
	if b.joined != nil {
		return b.joined.carry(ctx, b, r)
	}
	t, leading, err := b.queue.join(r)
	if err != nil {
		return err
	}
	if !leading {
		select {
		case <-r.wake:
		case <-ctx.Done():
			if b.queue.leave(r) {
				return nil
			}
			return storeError(ctx.Err())
		}
		if r.place != leads {
			return nil
		}
		if err := ctx.Err(); err != nil {
			b.queue.leave(r)
			return storeError(err)
		}
	}
	if t == nil {
		t = b.queue.take(r)
	}
	b.lead(ctx, t)
	return nil
}

// lead carries a batch.
func (b *Book) lead(ctx context.Context, t *batch) {
	ctx, end := b.queue.contextOf(ctx, t)
	var givenUp error
	defer func() { // also when the store panics
		end()
		b.queue.settle(t, givenUp)
	}()
	givenUp = b.carry(ctx, t.entries)
}

// carry answers every entry of a batch, and returns why when it does not. What can goes the short way; what stands in
// between is decided as everything is, and ever more of it at a time when there is much.
func (b *Book) carry(ctx context.Context, batch []*prepared) error {
	var d division
	slow := 1
	for len(batch) > 0 {
		if n := b.post(ctx, batch, &b.queue.work); n > 0 {
			batch, slow = batch[n:], 1
			continue
		}
		n := min(slow, len(batch))
		for b.poster == nil && n < len(batch) || n < len(batch) && !batch[n].plain {
			n++
		}
		if b.divide(ctx, batch[:n], &d); d.givenUp != nil {
			return d.givenUp
		}
		batch, slow = batch[n:], 2*slow
	}
	return nil
}

// division is the state of a batch that may have to be divided.
type division struct {
	strikes int
	last    error
	givenUp error // the context ended: what has no outcome yet gets none
}

// divide answers every entry of a batch. When the store fails, each half is tried by itself, so that a row which the store
// does not take fails only its own entry. A failure that the store itself calls Unavailable or Corrupt is of no entry and
// fails all of them at once; so does one that hits several entries in a row.
//
// What was written although the store failed is not written again: an entry finds its key.
func (b *Book) divide(ctx context.Context, batch []*prepared, d *division) {
	if d.strikes >= maxStrikes {
		failAll(batch, d.last)
		return
	}
	err := b.update(ctx, batch, &b.queue.work)
	switch {
	case err == nil:
		d.strikes = 0
	case ctx.Err() != nil:
		d.givenUp = err
	case isWhole(err):
		d.strikes, d.last = maxStrikes, err
		failAll(batch, err)
	case len(batch) == 1:
		d.strikes, d.last = d.strikes+1, err
		failAll(batch, err)
	default:
		b.divide(ctx, batch[:len(batch)/2], d)
		if d.givenUp == nil {
			b.divide(ctx, batch[len(batch)/2:], d)
		}
	}
}

func failAll(batch []*prepared, err error) {
	for _, p := range batch {
		p.answer(&outcome{err: storeError(err)})
	}
}

// isWhole reports whether an error says itself that it is about the store as a whole. That is so of a store that calls
// itself Corrupt: its rows contradict one another, perhaps because half a batch was written, and whatever else is tried on
// them is decided on what may be wrong. To find out which entry it was is not worth making it worse; a person has to look.
// Nothing is lost: what was written answers under its key once the store is whole again.
func isWhole(err error) bool {
	for _, whole := range [...]error{Unavailable, ErrStore, ErrBusy, Corrupt, ErrCorrupt} {
		if errors.Is(err, whole) {
			return true
		}
	}
	return false
}

// update decides entries in one Update, in the space of work.
func (b *Book) update(ctx context.Context, batch []*prepared, work *working) error {
	asked, err := b.resolve(ctx, namesOf(batch))
	if err != nil {
		return err
	}
	now := b.Now()
	var outcomes []outcome
	err = b.store.Update(ctx, b.name, asked, func(found Rows) (Rows, Names, error) {
		work.reset(now, asked, found)
		decided, write, more := work.decide(batch)
		if !more.Empty() {
			asked = asked.And(more).Sorted() // a Store that starts again names these too
			return Rows{}, more, nil
		}
		outcomes = decided
		if len(write.Keys)+len(write.Accounts) == 0 {
			return Rows{}, Names{}, errUnchanged // refused without a trace, or replayed
		}
		return write, Names{}, nil
	})
	if err != nil && !errors.Is(err, errUnchanged) {
		return err
	}
	for i, p := range batch {
		p.answer(&outcomes[i])
	}
	return nil
}

// answer gives the entry its outcome. A receipt under the id that was made for this very call is no replay: an earlier try
// of it was written although the store failed.
func (p *prepared) answer(o *outcome) {
	if o.receipt.Replayed && o.receipt.ID == p.id {
		o.receipt.Replayed = false
	}
	p.out.Receipt, p.out.Err, p.answered = o.receipt, o.err, true
}

// namesOf is what the entries of a batch name together, in no order: a store sorts what it locks.
func namesOf(batch []*prepared) Names {
	if len(batch) == 1 {
		batch[0].first, batch[0].lent = 0, true
		return batch[0].names
	}
	n := Names{Keys: make([]string, 0, len(batch)), Accounts: make([]AccountID, 0, 2*len(batch))}
	for _, p := range batch {
		m := &p.names
		p.first = len(n.Accounts)
		n.Keys = append(n.Keys, m.Keys...)
		n.Accounts = append(n.Accounts, m.Accounts...)
		n.Holds = append(n.Holds, m.Holds...)
		n.Transactions = append(n.Transactions, m.Transactions...)
		n.Documents = append(n.Documents, m.Documents...)
		n.Versions = append(n.Versions, m.Versions...)
		n.References = append(n.References, m.References...)
		n.Leases = append(n.Leases, m.Leases...)
	}
	return n
}

// RecordAll records many entries that do not depend on each other's success, each all or nothing, in as few writes of the
// store as it can, a [Poster] a few at a time: the outcomes are those of calling [Book.Record] with one after the other.
// What is recorded is recorded also when ctx ends or the store fails halfway; call again with the same entries to learn the
// rest.
func (b *Book) RecordAll(ctx context.Context, entries []Entry) []Outcome {
	outcomes := make([]Outcome, len(entries))
	chunk := min(maxBatch, b.queue.limit)
	if b.poster != nil {
		chunk = min(chunk, atOnce)
	}
	for first := 0; first < len(entries); {
		space := b.slab(min(chunk, len(entries)-first))
		if b.ids != nil {
			space.ids = slices.Grow(space.ids[:0], readyIDs*chunk)[:readyIDs*min(chunk, len(entries)-first)]
			b.ids.fill(space.ids)
		}
		r := new(request)
		from := first
		for ; first < len(entries) && len(space.pointers) < chunk && r.weight < maxBatchWeight; first++ {
			if (first-from)%ahead == 0 {
				space.touched += touch(entries[first:min(first+ahead, len(entries))])
			}
			space.entries = space.entries[:len(space.pointers)+1]
			p := &space.entries[len(space.pointers)]
			if err := b.open(ctx, &entries[first], p, space); err != nil {
				outcomes[first].Err = err
				continue
			}
			p.out = &outcomes[first]
			r.weight += p.weight()
			space.pointers, space.places = append(space.pointers, p), append(space.places, first)
		}
		if len(space.pointers) == 0 {
			continue
		}
		r.entries = space.pointers
		if err := b.record(ctx, r); err != nil {
			outcomes = abandon(outcomes, from, first, space.places, err)
			continue // and leave the space to whoever may still be at it
		}
		if !slices.ContainsFunc(space.pointers, func(p *prepared) bool { return p.lent }) {
			b.slabs.Put(space)
		}
	}
	return outcomes
}

// ahead is how many entries are looked at before they are prepared.
const ahead = 32

// touch looks at what the entries' names are in, one after the other and with nothing between, so that a processor waits
// for the memory of many of them at a time and not of each. What it returns means nothing.
func touch(entries []Entry) (sum int) {
	for i := range entries {
		sum += entries[i].touch()
	}
	return sum
}

func (e *Entry) touch() (sum int) {
	if len(e.Commands) != 1 || e.Key == "" {
		return len(e.Key)
	}
	sum = int(e.Key[0])
	if p, is := e.Commands[0].(Post); is {
		for j := range p.Postings {
			if path := p.Postings[j].Account.Path; path != "" {
				sum += int(path[len(path)-1])
			}
		}
	}
	return sum
}

// slab returns space for so many entries.
func (b *Book) slab(entries int) *slab {
	s, _ := b.slabs.Get().(*slab)
	if s == nil || cap(s.entries) < entries {
		s = &slab{
			entries: make([]prepared, 0, entries), pointers: make([]*prepared, 0, entries), places: make([]int, 0, entries),
			postings: make([]Posting, 0, 2*entries), accounts: make([]AccountID, 0, 2*entries),
		}
	}
	s.entries, s.pointers, s.places = s.entries[:0], s.pointers[:0], s.places[:0]
	s.postings, s.accounts, s.made = s.postings[:0], s.accounts[:0], 0
	return s
}

// abandon returns outcomes in which entries at places, all between from and to, have no answer but err. Whoever carries them
// may still write an answer into the old ones, which nobody reads any more.
func abandon(outcomes []Outcome, from, to int, places []int, err error) []Outcome {
	fresh := make([]Outcome, len(outcomes))
	copy(fresh[:from], outcomes[:from])
	for i := from; i < to; i++ {
		if len(places) > 0 && places[0] == i {
			fresh[i].Err, places = err, places[1:]
		} else {
			fresh[i] = outcomes[i]
		}
	}
	return fresh
}

// recording is one entry on its way, in one piece.
type recording struct {
	request
	prepared prepared
	slab     slab
	out      Outcome
	one      [1]*prepared
	postings [2]Posting // for the slab: enough for a transfer
	accounts [2]AccountID
	ids      [readyIDs]ID
}

// recordOne is record for one entry.
func (b *Book) recordOne(ctx context.Context, r *recording) (Receipt, error) {
	r.one[0], r.prepared.out = &r.prepared, &r.out
	r.entries, r.weight = r.one[:], r.prepared.weight()
	if err := b.record(ctx, &r.request); err != nil {
		return Receipt{}, err // and leave the space to whoever may still be at it
	}
	receipt, err := r.out.Receipt, r.out.Err
	if !r.prepared.lent && ctx.Err() == nil { // a context that ends may still call queue.leave
		b.ones.Put(r)
	}
	return receipt, err
}

// recording returns space for one entry.
func (b *Book) recording() *recording {
	r, _ := b.ones.Get().(*recording)
	if r == nil {
		return new(recording)
	}
	r.request, r.slab, r.out = request{}, slab{}, Outcome{} // prepare does the rest
	return r
}

// weight is how much an entry adds to a batch.
func (p *prepared) weight() int {
	bytes := len(p.inputs)
	for _, c := range p.commands {
		if d, ok := c.(PutDocument); ok {
			bytes += len(d.Body)
		}
	}
	return p.names.count() + bytes/1024
}
