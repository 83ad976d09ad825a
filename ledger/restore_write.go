package ledger

import "encoding/json"

// begin finds out where to begin: at the start of an empty book, or where this file was left.
func (s *restorer) begin() error {
	found, err := s.b.store.Read(s.ctx, s.b.name, Names{Sequences: []string{s.marker}})
	if err != nil {
		return storeError(err)
	}
	if len(found.Sequences) > 0 {
		s.done = found.Sequences[0].Last
		return nil
	}
	for _, l := range []List{
		ListAssets, ListAccounts, ListTransactions, ListHolds, ListDocuments, ListKeys, ListReferences, ListFeed, ListBlocks, ListPending,
		ListSequences,
	} {
		rows, err := s.b.store.Scan(s.ctx, s.b.name, Range{List: l, Limit: 1})
		if err != nil {
			return storeError(err)
		}
		if !rows.empty() {
			return refuse(ErrBookNotEmpty, "there are "+l.String())
		}
	}
	return nil
}

func (r *Rows) empty() bool {
	return len(r.Keys)+len(r.Accounts)+len(r.Lines)+len(r.Holds)+len(r.Transactions)+len(r.Documents)+len(r.Versions)+
		len(r.References)+len(r.Leases)+len(r.Assets)+len(r.Pending)+len(r.Feed)+len(r.Blocks)+len(r.Sequences) == 0
}

// write takes the row of a line into the batch.
func (s *restorer) write(l *exportLine) error {
	if l.Header != nil || l.Sum != nil || l.End != nil {
		return nil
	}
	if s.rows++; s.rows <= s.done {
		return nil
	}
	w := &s.batch
	switch {
	case l.Asset != nil:
		w.Assets = append(w.Assets, *l.Asset)
	case l.Account != nil:
		w.Accounts = append(w.Accounts, *l.Account)
	case l.Line != nil:
		w.Lines = append(w.Lines, *l.Line)
	case l.Transaction != nil:
		w.Transactions = append(w.Transactions, *l.Transaction)
	case l.Hold != nil:
		w.Holds = append(w.Holds, *l.Hold)
	case l.Version != nil:
		s.writeVersion(l.Version)
	case l.Key != nil:
		k := l.Key.KeyRow
		k.Inputs = []byte(l.Key.Inputs)
		w.Keys = append(w.Keys, k)
	case l.Change != nil:
		w.Feed = append(w.Feed, *l.Change)
		w.Sequences = []SequenceRow{{Name: feedSequence, Last: l.Change.Position}}
	case l.Block != nil:
		w.Blocks = append(w.Blocks, *l.Block)
	case l.Pending != nil:
		w.Pending = append(w.Pending, *l.Pending)
	}
	if s.size++; s.size < exportBlock {
		return nil
	}
	return s.flush()
}

// writeVersion adds a version, and makes it the current one: the last of them stays that.
func (s *restorer) writeVersion(v *exportedVersion) {
	d := v.Document
	if d.Body = nil; v.Body != "" {
		d.Body = json.RawMessage(v.Body)
	}
	w := &s.batch
	w.Versions = append(w.Versions, d)
	fresh := d.References
	if n := len(w.Documents); n > 0 && w.Documents[n-1].DocumentID == d.DocumentID {
		fresh = d.References[min(len(w.Documents[n-1].References), len(d.References)):] // they only accumulate
		w.Documents[n-1] = d
	} else {
		w.Documents = append(w.Documents, d)
	}
	for _, ref := range fresh {
		w.References = append(w.References, ReferenceRow{Reference: ref, Document: d.DocumentID})
	}
}

// flush writes the batch, if nobody else has written to the book.
func (s *restorer) flush() error {
	if s.size == 0 {
		return nil
	}
	write, next := s.batch, s.done+s.size
	write.Sequences = append(write.Sequences, SequenceRow{Name: s.marker, Last: next})
	err := s.b.store.Update(s.ctx, s.b.name, s.names(&write), func(found Rows) (Rows, Names, error) {
		var done uint64
		for _, q := range found.Sequences {
			if q.Name == s.marker {
				done = q.Last
			}
		}
		// What continues from an earlier batch is there; what begins in this one must not be.
		if done != s.done || len(found.Keys)+len(found.Accounts)+len(found.Holds)+len(found.Transactions)+len(found.Assets)+len(found.Pending) > 0 {
			return Rows{}, Names{}, refuse(ErrBookNotEmpty, "somebody else writes to the book")
		}
		return write, Names{}, nil
	})
	if err != nil {
		return storeError(err)
	}
	s.batch, s.size, s.done = Rows{}, 0, next
	return nil
}

// names names the rows of a batch that begin in it, its documents and its sequences.
func (s *restorer) names(w *Rows) Names {
	n := Names{Sequences: []string{s.marker, feedSequence}}
	for i := range w.Keys {
		n.Keys = append(n.Keys, w.Keys[i].Key)
	}
	for i := range w.Accounts {
		n.Accounts = append(n.Accounts, w.Accounts[i].ID)
	}
	for i := range w.Holds {
		n.Holds = append(n.Holds, w.Holds[i].ID)
	}
	for i := range w.Transactions {
		n.Transactions = append(n.Transactions, w.Transactions[i].ID)
	}
	for i := range w.Documents {
		n.Documents = append(n.Documents, w.Documents[i].DocumentID)
	}
	for i := range w.References {
		n.References = append(n.References, w.References[i].Reference)
	}
	for i := range w.Assets {
		n.Assets = append(n.Assets, w.Assets[i].ID)
	}
	for i := range w.Pending {
		n.Pending = append(n.Pending, w.Pending[i].Entry)
	}
	return n.Sorted()
}
