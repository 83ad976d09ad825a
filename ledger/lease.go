package ledger

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Lease takes leases on documents that are due and that nobody else has, first due first, and returns them with the
// documents as they stand. Fewer than Limit means that no more are due; the call does not wait. A lease is lost at its
// Until, or never: while it lasts, entries that carry it in Entry.Leases are recorded; afterwards they are ErrLeaseLost.
func (b *Book) Lease(ctx context.Context, r LeaseRequest) ([]Leased, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	now := b.Now()
	var leased []Leased
	at := Range{List: ListDueDocuments, Limit: DefaultPage, Before: &Position{Time: now.Add(time.Microsecond)}}
	for {
		rows, err := b.store.Scan(ctx, b.name, at)
		if err != nil {
			return leased, storeError(err)
		}
		taken, err := b.leaseSome(ctx, r, now, rows.Documents, r.Limit-len(leased))
		leased = append(leased, taken...)
		if err != nil || len(rows.Documents) < at.Limit || len(leased) == r.Limit {
			return leased, err
		}
		last := rows.Documents[len(rows.Documents)-1].DuePosition()
		at.After = &last // the front is leased or of other lanes: look further
	}
}

func (r *LeaseRequest) check() error {
	if len(r.Lanes) == 0 || len(r.Lanes) > MaxReads {
		return invalid("lanes", fmt.Sprintf("1 to %d lanes", MaxReads))
	}
	for i, lane := range r.Lanes {
		if f := checkName(fmt.Sprintf("lanes[%d]", i), lane, MaxNameBytes); f != nil {
			return f
		}
	}
	if r.Limit < 1 || r.Limit > MaxPage {
		return invalid("limit", fmt.Sprintf("is 1 to %d", MaxPage))
	}
	if r.For < time.Microsecond {
		return invalid("for", "must be positive")
	}
	if f := checkName("who", r.Who, MaxNameBytes); f != nil {
		return f
	}
	return nil
}

// leaseSome takes up to limit of the documents of a page.
func (b *Book) leaseSome(ctx context.Context, r LeaseRequest, now time.Time, page []Document, limit int) ([]Leased, error) {
	ids, err := b.free(ctx, r.Lanes, now, page, limit)
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	tokens := make([]ID, len(ids))
	for i := range tokens {
		tokens[i] = b.newID()
	}
	var taken []Leased
	err = b.store.Update(ctx, b.name, Names{Documents: ids, Leases: ids}.Sorted(), func(found Rows) (Rows, Names, error) {
		taken = r.take(now, ids, tokens, found)
		if len(taken) == 0 {
			return Rows{}, Names{}, errUnchanged
		}
		var write Rows
		for _, t := range taken {
			write.Leases = append(write.Leases, t.Lease)
		}
		return write, Names{}, nil
	})
	if err != nil {
		if errors.Is(err, errUnchanged) {
			return nil, nil
		}
		return nil, storeError(err)
	}
	return taken, nil
}

// free returns the documents of the lanes that look as if nobody had them.
func (b *Book) free(ctx context.Context, lanes []string, now time.Time, page []Document, limit int) ([]DocumentID, error) {
	var ids []DocumentID
	for i := range page {
		if slices.Contains(lanes, page[i].Lane) {
			ids = append(ids, page[i].DocumentID)
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	found, err := b.store.Read(ctx, b.name, Names{Leases: ids})
	if err != nil {
		return nil, storeError(err)
	}
	leased := make(map[DocumentID]bool, len(found.Leases))
	for _, l := range found.Leases {
		leased[l.Document] = l.Until.After(now)
	}
	ids = slices.DeleteFunc(ids, func(id DocumentID) bool { return leased[id] })
	return ids[:min(limit, len(ids))], nil
}

// take leases those of the documents that are, inside the step, still due, of a lane asked for and not leased.
func (r *LeaseRequest) take(now time.Time, ids []DocumentID, tokens []ID, found Rows) []Leased {
	documents := make(map[DocumentID]*Document, len(found.Documents))
	for i := range found.Documents {
		documents[found.Documents[i].DocumentID] = &found.Documents[i]
	}
	leased := make(map[DocumentID]bool, len(found.Leases))
	for _, l := range found.Leases {
		leased[l.Document] = l.Until.After(now)
	}
	var taken []Leased
	for i, id := range ids {
		d := documents[id]
		if d == nil || d.Due.IsZero() || d.Due.After(now) || leased[id] || !slices.Contains(r.Lanes, d.Lane) {
			continue
		}
		taken = append(taken, Leased{*d, Lease{Document: id, Token: tokens[i], Holder: r.Who, Until: moment(now.Add(r.For))}})
	}
	return taken
}

// Renew makes a lease last for a duration from now and returns it with the new Until. One that ended or was taken over is
// ErrLeaseLost, even when nobody has it now.
func (b *Book) Renew(ctx context.Context, l Lease, duration time.Duration) (Lease, error) {
	if r := checkDocumentID(l.Document); r != nil {
		return Lease{}, within("document", r)
	}
	if duration < time.Microsecond {
		return Lease{}, invalid("for", "must be positive")
	}
	now := b.Now()
	next := l
	var lost error
	err := b.store.Update(ctx, b.name, Names{Leases: []DocumentID{l.Document}}, func(found Rows) (Rows, Names, error) {
		lost = nil
		if len(found.Leases) == 0 || found.Leases[0].Token != l.Token || !found.Leases[0].Until.After(now) {
			lost = refuse(ErrLeaseLost, "document "+l.Document.String())
			return Rows{}, Names{}, errUnchanged
		}
		next = found.Leases[0]
		next.Until = moment(now.Add(duration))
		return Rows{Leases: []Lease{next}}, Names{}, nil
	})
	if err != nil {
		if lost != nil && errors.Is(err, errUnchanged) {
			return Lease{}, lost
		}
		return Lease{}, storeError(err)
	}
	return next, nil
}

// Unlease gives leases back before they end. Those that are lost already are left alone: they are somebody else's.
func (b *Book) Unlease(ctx context.Context, leases ...Lease) error {
	tokens := make(map[DocumentID]ID, len(leases))
	var names Names
	for _, l := range leases {
		if r := checkDocumentID(l.Document); r != nil {
			return within("document", r)
		}
		tokens[l.Document] = l.Token
		names.Leases = append(names.Leases, l.Document)
	}
	if len(leases) == 0 {
		return nil
	}
	err := b.store.Update(ctx, b.name, names.Sorted(), func(found Rows) (Rows, Names, error) {
		var write Rows
		for _, l := range found.Leases {
			if l.Token == tokens[l.Document] {
				write.Delete.Leases = append(write.Delete.Leases, l.Document)
			}
		}
		if len(write.Delete.Leases) == 0 {
			return Rows{}, Names{}, errUnchanged
		}
		return write, Names{}, nil
	})
	if errors.Is(err, errUnchanged) {
		return nil
	}
	return storeError(err)
}
