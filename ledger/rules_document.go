package ledger

import (
	"fmt"
	"slices"
)

// putDocument writes the next version of a document, if it is still at the version that the caller saw.
func (s *step) putDocument(c PutDocument) (Result, error) {
	old, exists, named := s.w.documents.get(c.DocumentID)
	if !named {
		s.w.missing.Documents = append(s.w.missing.Documents, c.DocumentID)
		return Result{}, errUnread
	}
	d := Document{
		DocumentID: c.DocumentID, Version: c.Version + 1, Owner: c.Owner, State: c.State, Due: c.Due, Lane: c.Lane,
		Schema: c.Schema, Body: c.Body, CreatedAt: s.now, UpdatedAt: s.now,
	}
	var at uint64
	if exists {
		at = old.Version
		d.CreatedAt, d.References = old.CreatedAt, old.References
	}
	if at != c.Version {
		return Result{}, refuse(ErrVersion, fmt.Sprintf("document %s is at version %d, not %d", c.DocumentID, at, c.Version)).in("version")
	}
	if err := s.claim(&d, c.References); err != nil {
		return Result{}, err
	}
	if s.bytes += d.bytes(); s.bytes > MaxEntryBytes {
		return Result{}, tooLarge("body", fmt.Sprintf("more than %d bytes in all document versions of the entry", MaxEntryBytes))
	}
	s.w.documents.put(d.DocumentID, &d)
	s.w.versions = append(s.w.versions, d)
	s.change(&Change{Kind: ChangeDocument, Document: d.DocumentID, Version: d.Version, State: d.State})
	return Result{Document: d.DocumentID, Version: d.Version}, nil
}

// bytes is how much a version has to say: its body, and the references of all versions so far, which each has.
func (d *Document) bytes() int {
	n := len(d.Body)
	for _, ref := range d.References {
		n += len(ref)
	}
	return n
}

// claim gives the document its new references. One that it has already is fine; one of another document is not.
func (s *step) claim(d *Document, references []string) error {
	all := slices.Clip(d.References) // appending must not reach the earlier version
	for i, ref := range references {
		row, exists, named := s.w.references.get(ref)
		if !named {
			s.w.missing.References = append(s.w.missing.References, ref)
			return errUnread
		}
		if exists {
			if row.Document != d.DocumentID {
				return refuse(ErrReferenceTaken, fmt.Sprintf("%q is of document %s", clip(ref), row.Document)).
					in(fmt.Sprintf("references[%d]", i))
			}
			continue
		}
		if len(all) == MaxReferences {
			return tooLarge(fmt.Sprintf("references[%d]", i), fmt.Sprintf("a document has at most %d references", MaxReferences))
		}
		all = append(all, ref)
		s.w.references.put(ref, &ReferenceRow{Reference: ref, Document: d.DocumentID})
	}
	d.References = all
	return nil
}
