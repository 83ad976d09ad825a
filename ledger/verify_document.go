package ledger

import (
	"bytes"
	"encoding/json"
	"slices"
)

func (c *checker) readReferences() error {
	return scanAll(c.ctx, c.b, Range{List: ListReferences}, func(r *Rows) []ReferenceRow { return r.References }, ReferenceRow.Position,
		c.noteReference)
}

func (c *checker) noteReference(r *ReferenceRow) {
	c.v.References++
	c.references[r.Reference] = r.Document
}

func (c *checker) readDocuments() error {
	err := scanAll(c.ctx, c.b, Range{List: ListDocuments}, func(r *Rows) []Document { return r.Documents }, Document.Position,
		func(d *Document) {
			c.v.Documents++
			c.documents[d.DocumentID] = d
		})
	if err != nil {
		return err
	}
	for _, d := range c.documents {
		if err := c.readVersions(d, 1); err != nil {
			return err
		}
	}
	return nil
}

// readVersions reads the versions of a document from one on, and believes the one before it.
func (c *checker) readVersions(d *Document, from uint64) error {
	var last Document
	r := Range{List: ListVersions, Document: d.DocumentID}
	if from > 2 {
		r.After = &Position{Number: from - 2}
	}
	err := scanAll(c.ctx, c.b, r, func(r *Rows) []Document { return r.Versions },
		Document.VersionPosition, func(v *Document) {
			if v.Version < from {
				last = *v
				return
			}
			c.v.Versions++
			c.expected[change{kind: ChangeDocument, document: v.DocumentID, version: v.Version}]++
			if v.Erased != (Erasure{}) {
				c.expected[change{kind: ChangeErasure, document: v.DocumentID, version: v.Version}]++
			}
			c.versions[versionName(v)] = new(sealVersion(v))
			c.compareVersions(&last, v, Problem{Kind: ProblemDocument, Document: d.DocumentID, Version: v.Version})
			last = *v
		})
	if err != nil {
		return err
	}
	if !sameDocument(&last, d) {
		c.problem(Problem{Kind: ProblemDocument, Document: d.DocumentID, Version: d.Version}, "the current row is not the last version")
	}
	return nil
}

func (c *checker) compareVersions(last, v *Document, at Problem) {
	if v.Version != last.Version+1 || last.Version > 0 && v.DocumentID != last.DocumentID {
		c.problem(at, "follows version %d", last.Version)
	}
	if v.UpdatedAt.Before(last.UpdatedAt) || !microseconds(v.UpdatedAt) {
		c.problem(at, "updated at %v, after %v", v.UpdatedAt, last.UpdatedAt)
	}
	if last.Version > 0 && !v.CreatedAt.Equal(last.CreatedAt) || last.Version == 0 && !v.CreatedAt.Equal(v.UpdatedAt) {
		c.problem(at, "created at %v", v.CreatedAt)
	}
	if len(v.References) < len(last.References) || !slices.Equal(v.References[:len(last.References)], last.References) {
		c.problem(at, "references of the version before are gone")
	}
	if r := checkBody(v.Body); r != nil {
		c.problem(at, "%v", r)
	}
	c.compareErasure(v, at)
}

func (c *checker) compareErasure(v *Document, at Problem) {
	if e := v.Erased; e != (Erasure{}) && (len(v.Body) > 0 || e.Digest == Hash{} || e.At.Before(v.UpdatedAt) || !microseconds(e.At)) {
		c.problem(at, "erased at %v, with %d bytes of body", e.At, len(v.Body))
	}
}

func sameDocument(a, b *Document) bool {
	return a.DocumentID == b.DocumentID && a.Version == b.Version && a.Owner == b.Owner && a.State == b.State && a.Due.Equal(b.Due) &&
		a.Lane == b.Lane && slices.Equal(a.References, b.References) && a.Schema == b.Schema && bytes.Equal(a.Body, b.Body) &&
		a.CreatedAt.Equal(b.CreatedAt) && a.UpdatedAt.Equal(b.UpdatedAt) && a.Erased.At.Equal(b.Erased.At) &&
		a.Erased.Reason == b.Erased.Reason && a.Erased.Digest == b.Erased.Digest
}

// compareReferences wants references and documents to name one another.
func (c *checker) compareReferences() {
	for ref, id := range c.references {
		at := Problem{Kind: ProblemReference, Name: ref, Document: id}
		if d := c.documents[id]; d == nil {
			c.problem(at, "there is no such document")
		} else if !slices.Contains(d.References, ref) {
			c.problem(at, "the document does not list it")
		}
	}
	for id, d := range c.documents {
		for _, ref := range d.References {
			if c.references[ref] != id {
				c.problem(Problem{Kind: ProblemReference, Name: ref, Document: id}, "the document lists it, and it is not the document's")
			}
		}
	}
}

func (c *checker) readKeys() error {
	return scanAll(c.ctx, c.b, Range{List: ListKeys}, func(r *Rows) []KeyRow { return r.Keys }, KeyRow.Position, c.noteKey)
}

func (c *checker) noteKey(k *KeyRow) {
	c.v.Keys++
	c.keys[k.Key] = true
	at := Problem{Kind: ProblemKey, Name: k.Key}
	if k.Receipt.Key != k.Key || k.Receipt.ID == (ID{}) {
		c.problem(at, "the receipt is of another key")
	}
	if !json.Valid(k.Inputs) {
		c.problem(at, "the inputs are not JSON")
	}
	if k.Refusal != nil {
		if k.Refusal.Class != Declined || len(k.Receipt.Results)+len(k.Receipt.Guarded)+len(k.Receipt.Balances) > 0 {
			c.problem(at, "a decline that did something, or no decline")
		}
		return
	}
	c.receipts = append(c.receipts, k.Receipt)
}

// compareKeys wants receipts to point at things, and things at receipts.
func (c *checker) compareKeys() {
	for _, r := range c.receipts {
		at := Problem{Kind: ProblemKey, Name: r.Key}
		for _, made := range slices.Concat(r.Results, r.Guarded) {
			t, h := c.transactions[made.Transaction], c.holds[made.Hold]
			if made.Transaction != (ID{}) && (t == nil || t.Key != r.Key) {
				c.problem(at, "transaction %s does not exist or is of another key", made.Transaction)
			}
			if made.Hold != (ID{}) && h == nil {
				c.problem(at, "hold %s does not exist", made.Hold)
			}
			if made.Version > 0 && c.currentVersion(made.Document) < made.Version {
				c.problem(at, "version %d of document %s does not exist", made.Version, made.Document)
			}
		}
		for _, b := range r.Balances {
			if a := c.accounts[b.Account]; a == nil || a.version < b.Version {
				c.problem(at, "version %d of account %s does not exist", b.Version, b.Account)
			}
		}
	}
	for i := range c.seen {
		if f := &c.seen[i]; f.Key != "" && !c.keys[f.Key] {
			c.problem(Problem{Kind: ProblemFeed, Position: f.Position}, "its key %q is not recorded", clip(f.Key))
		}
	}
	for _, u := range c.used {
		if !c.keys[u.key] {
			c.problem(u.at, "its key %q is not recorded", clip(u.key))
		}
	}
}

// currentVersion is how many versions a document has; 0 when there is none.
func (c *checker) currentVersion(id DocumentID) uint64 {
	if d := c.documents[id]; d != nil {
		return d.Version
	}
	return c.also[id]
}
