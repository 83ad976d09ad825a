package ledger

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
)

func versionName(d *Document) VersionID { return VersionID{d.DocumentID, d.Version} }

// eraseDocument takes the bodies of versions and leaves their digests. A version that has no body is left alone, so that
// erasing twice is erasing once, with the first reason.
func (s *step) eraseDocument(c EraseDocument) (Result, error) {
	row, exists, named := s.w.documents.get(c.Document)
	switch {
	case !named:
		s.w.missing.Documents = append(s.w.missing.Documents, c.Document)
		return Result{}, errUnread
	case !exists:
		return Result{}, refuse(ErrDocumentNotFound, "document "+c.Document.String()).in("document")
	}
	d := *row
	versions := c.Versions
	if c.All {
		versions = make([]uint64, d.Version)
		for i := range versions {
			versions[i] = uint64(i) + 1
		}
	}
	for i, v := range versions {
		if v > d.Version {
			return Result{}, refuse(ErrDocumentNotFound, fmt.Sprintf("document %s is at version %d", c.Document, d.Version)).
				in(fmt.Sprintf("versions[%d]", i))
		}
		if err := s.eraseVersion(&d, v, c.Reason); err != nil {
			return Result{}, err
		}
	}
	if !s.w.missing.Empty() {
		return Result{}, errUnread
	}
	return Result{Document: c.Document, Version: d.Version}, nil
}

// eraseVersion takes the body of one version. A version that nobody has read yet is only noted.
func (s *step) eraseVersion(current *Document, number uint64, reason string) error {
	id := VersionID{current.DocumentID, number}
	row, named := s.w.version(id)
	switch {
	case row == nil && named:
		return corrupt(fmt.Sprintf("document %s is at version %d and has no version %d", id.DocumentID, current.Version, number), nil)
	case row == nil:
		s.w.missing.Versions = append(s.w.missing.Versions, id)
		return nil
	case len(row.Body) == 0:
		return nil
	}
	d := *row
	d.Erased = Erasure{At: s.now, Reason: reason, Digest: sha256.Sum256(d.Body)}
	d.Body = nil
	s.w.history.put(id, &d)
	if number == current.Version {
		s.w.documents.put(d.DocumentID, &d)
	}
	s.change(&Change{Kind: ChangeErasure, Document: d.DocumentID, Version: number})
	return nil
}

// version returns a version as the entries of the step have left it, one that was read or one that was written just now,
// and whether it was asked for when it is neither.
func (w *working) version(id VersionID) (d *Document, named bool) {
	d, exists, named := w.history.get(id)
	if exists {
		return d, true
	}
	for i := len(w.versions) - 1; i >= 0; i-- {
		if versionName(&w.versions[i]) == id {
			return &w.versions[i], true
		}
	}
	return nil, named
}

// erase puts erased versions into the rows to be written: in the place of one that is new, else of the one that is stored.
func (w *working) erase(rows *Rows) {
	erased := w.history.changed()
	if len(erased) == 0 {
		return
	}
	rows.Versions = slices.Clone(rows.Versions) // another run of the step may still want the bodies
	for i := range erased {
		id := versionName(&erased[i])
		if at := slices.IndexFunc(rows.Versions, func(d Document) bool { return versionName(&d) == id }); at >= 0 {
			rows.Versions[at] = erased[i]
			continue
		}
		rows.Delete.Versions = append(rows.Delete.Versions, id)
		rows.Versions = append(rows.Versions, erased[i])
	}
}

func (c EraseDocument) check() *Refusal {
	if r := checkDocumentID(c.Document); r != nil {
		return within("document", r)
	}
	if c.All == (len(c.Versions) > 0) {
		return invalid("versions", "exactly one of versions and all is given")
	}
	if len(c.Versions) > MaxReads {
		return tooLarge("versions", fmt.Sprintf("%d versions; at most %d", len(c.Versions), MaxReads))
	}
	for i, v := range c.Versions {
		if v == 0 {
			return invalid(fmt.Sprintf("versions[%d]", i), "versions count from 1")
		}
	}
	if c.Reason == "" {
		return invalid("reason", "is required")
	}
	return checkText("reason", c.Reason, MaxTextBytes)
}

func (c Import) check() *Refusal {
	if c.EffectiveAt.IsZero() {
		return invalid("effective_at", "is required")
	}
	return (&Post{Postings: c.Postings, EffectiveAt: c.EffectiveAt, Note: c.Note}).check()
}

// withoutBody is what a key remembers of the command: of the body its digest, so that erasing a document leaves
// nothing of it under the key that wrote it. As JSON the same body is the same whatever its spaces and the order of
// its fields, as it is for all that a key stands for.
func (c PutDocument) withoutBody() Command {
	if len(c.Body) == 0 {
		return c
	}
	canonical, err := canonicalJSON(c.Body)
	if err != nil {
		canonical = c.Body
	}
	sum := sha256.Sum256(canonical)
	c.Body = append(hex.AppendEncode([]byte(`{"sha256":"`), sum[:]), `"}`...)
	return c
}
