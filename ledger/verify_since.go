package ledger

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/koshpay/kosh/currency"
)

// VerifySince is [Book.Verify] for what was recorded after a checkpoint, so that a book of millions can be verified each
// night: it believes what the checkpoint covers, and its cost grows with what came since. Like Verify it wants a book in
// which nobody writes, such as last night's copy. Keep the checkpoint outside the store and verify its signature first
// ([Checkpoint.Verify]); of one that nothing was sealed for it verifies the whole book.
//
// The block of the checkpoint must be there as it was; then it reads every later block and change, and everything that these
// and the changes not yet numbered are about: the seals, transactions, their reversals, holds, versions of documents with
// their references, keys, and for every account that they touch all lines since, which must lead from the last line
// before to the account's row, and the holds that are open on it.
//
// It does not find:
//   - an edit of what was sealed up to the checkpoint, while what came since still follows from it: of a transaction, a body
//     or a line long past. Only Verify reads these.
//   - an edit of the row of an account, hold, document, key or reference that no change since is about, or a line that was
//     added to an account that none touches. [Book.TrialBalance] reads the balances of all accounts.
//   - another owner, type of the same side, opening or asset of an account that was opened before, or other terms when nobody
//     has set them since: they are believed.
//   - how much of a hold was captured or released, or of a transaction reversed, before the checkpoint: the row must only
//     leave room for it.
//
// So verify since yesterday each night, and all of it now and then.
func (b *Book) VerifySince(ctx context.Context, since Checkpoint) (Verification, error) {
	if since.Block == 0 {
		return b.Verify(ctx, since)
	}
	c := newChecker(ctx, b)
	c.partial = true
	if there, err := c.readBase(since); err != nil || !there {
		return c.v, err
	}
	return c.run(nil, c.readFeed, c.readChangedTransactions, c.readChangedHolds, c.readTouchedAccounts, c.readChangedDocuments, c.readChangedKeys)
}

// readBase reads the block of the checkpoint, and reports whether there is something to go on from.
func (c *checker) readBase(since Checkpoint) (bool, error) {
	if since.Book != c.b.name {
		c.problem(Problem{Kind: ProblemCheckpoint, Name: since.Book}, "the checkpoint is of another book")
		return false, nil
	}
	rows, err := c.b.store.Scan(c.ctx, c.b.name, Range{List: ListBlocks, After: &Position{Number: since.Block - 1}, Limit: 1})
	if err != nil {
		return false, storeError(err)
	}
	if len(rows.Blocks) == 0 || rows.Blocks[0].Number != since.Block {
		c.problem(Problem{Kind: ProblemCheckpoint, Block: since.Block}, "the checkpoint has this block, the book has not: sealed history is gone")
		return false, nil
	}
	c.base = rows.Blocks[0]
	return c.compareCheckpoint(since, &c.base), nil
}

// readNamed reads rows by their names, some thousand at a time.
func readNamed[K, R any](c *checker, names []K, of func(*Names) *[]K, rows func(*Rows) []R, visit func(*R)) error {
	for part := range slices.Chunk(names, MaxPage) {
		var n Names
		*of(&n) = part
		found, err := c.b.store.Read(c.ctx, c.b.name, n.Sorted())
		if err != nil {
			return storeError(err)
		}
		list := rows(&found)
		for i := range list {
			visit(&list[i])
		}
	}
	return nil
}

func transactionNames(n *Names) *[]ID       { return &n.Transactions }
func transactionRows(r *Rows) []Transaction { return r.Transactions }

func (c *checker) readChangedTransactions() error {
	var ids, reversed []ID
	for i := range c.seen {
		ids = addID(ids, c.seen[i].Transaction)
	}
	if err := readNamed(c, distinct(ids, compareIDs), transactionNames, transactionRows, c.noteTransaction); err != nil {
		return err
	}
	for id := range c.reversed {
		if c.transactions[id] == nil {
			reversed = append(reversed, id)
		}
	}
	return readNamed(c, reversed, transactionNames, transactionRows, func(t *Transaction) {
		c.older[t.ID] = t
		c.noteReversed(t)
	})
}

func (c *checker) readChangedHolds() error {
	first := make(map[ID]time.Time)
	var ids []ID
	for i := range c.seen {
		f := &c.seen[i]
		if _, met := first[f.Hold]; f.Hold != (ID{}) && !met {
			first[f.Hold] = f.RecordedAt
			ids = append(ids, f.Hold)
		}
	}
	return readNamed(c, ids, func(n *Names) *[]ID { return &n.Holds }, func(r *Rows) []Hold { return r.Holds }, func(h *Hold) {
		c.noteHold(h)
		if !first[h.ID].Equal(h.PlacedAt) {
			zero := currency.Zero(h.Amount.Asset())
			c.holdFolds[h.ID] = &holdFold{account: h.Account, placed: h.Amount, captured: zero, released: zero, lines: 1, older: true}
		}
	})
}

// touched returns when each account was first touched since the checkpoint, and those whose terms were set.
func (c *checker) touched() (first map[AccountID]time.Time, set map[AccountID]bool) {
	first, set = make(map[AccountID]time.Time), make(map[AccountID]bool)
	touch := func(id AccountID, at time.Time) {
		if before, met := first[id]; !met || at.Before(before) {
			first[id] = at
		}
	}
	for i := range c.seen {
		f := &c.seen[i]
		switch f.Kind {
		case ChangeAccount:
			touch(f.Account, f.RecordedAt)
			set[f.Account] = set[f.Account] || f.Version > 1
		case ChangeHold:
			touch(f.Account, f.RecordedAt)
		case ChangeTransaction:
			if t := c.transactions[f.Transaction]; t != nil {
				for _, p := range t.Postings {
					touch(p.Account, f.RecordedAt)
				}
			}
		case ChangeDocument, ChangeErasure:
		}
	}
	return first, set
}

func (c *checker) readTouchedAccounts() error {
	first, set := c.touched()
	var ids []AccountID
	var assets []currency.AssetID
	for id := range first {
		ids, assets = append(ids, id), append(assets, id.Asset)
	}
	slices.Sort(assets)
	if err := readNamed(c, slices.Compact(assets), func(n *Names) *[]currency.AssetID { return &n.Assets }, func(r *Rows) []AssetRow { return r.Assets }, c.noteAsset); err != nil {
		return err
	}
	if err := readNamed(c, ids, func(n *Names) *[]AccountID { return &n.Accounts }, func(r *Rows) []AccountInfo { return r.Accounts }, c.noteAccount); err != nil {
		return err
	}
	for id, at := range first {
		f := c.accounts[id]
		if f == nil {
			c.problem(Problem{Kind: ProblemAccount, Account: id}, "changes since the checkpoint touch it, and it does not exist")
			continue
		}
		if err := c.readLinesSince(f, at, set[id]); err != nil {
			return err
		}
	}
	return nil
}

// readLinesSince folds the lines of an account since a moment, on the last line before. The lines of an entry share one time
// and those of the next are later, so the moment lies between two entries.
func (c *checker) readLinesSince(f *accountFold, at time.Time, set bool) error {
	id := f.row.ID
	rows, err := c.b.store.Scan(c.ctx, c.b.name, Range{List: ListLines, Account: id, Backward: true, Limit: 1, Before: &Position{Time: at}})
	if err != nil {
		return storeError(err)
	}
	r := Range{List: ListLines, Account: id}
	for i := range rows.Lines {
		l := &rows.Lines[i]
		f.version, f.posted, f.held, f.recorded = l.Version, l.Posted, l.Held, l.RecordedAt
		f.terms, f.unknown = f.row.Terms, set
		after := l.Position()
		r.After = &after
	}
	err = scanAll(c.ctx, c.b, r, func(r *Rows) []Line { return r.Lines }, Line.Position, func(l *Line) { c.foldLine(f, l) })
	if err != nil {
		return err
	}
	c.compareAccount(f)
	return scanAll(c.ctx, c.b, Range{List: ListOpenHolds, Account: id}, func(r *Rows) []Hold { return r.Holds }, Hold.Position, func(h *Hold) {
		at := Problem{Kind: ProblemHold, Hold: h.ID, Account: id}
		rest, err := h.Remaining()
		if err != nil {
			c.problem(at, "%v", err)
			return
		}
		c.countOpen(f, h, rest, at)
	})
}

func (c *checker) readChangedDocuments() error {
	first := make(map[DocumentID]uint64) // version written since; 0 when one was only erased
	var erased []VersionID
	for i := range c.seen {
		f := &c.seen[i]
		switch f.Kind {
		case ChangeDocument:
			if v := first[f.Document]; v == 0 || f.Version < v {
				first[f.Document] = f.Version
			}
		case ChangeErasure:
			erased = append(erased, VersionID{f.Document, f.Version})
			if _, met := first[f.Document]; !met {
				first[f.Document] = 0
			}
		case ChangeAccount, ChangeTransaction, ChangeHold:
		}
	}
	ids := make([]DocumentID, 0, len(first))
	for id := range first {
		ids = append(ids, id)
	}
	if err := c.readCurrent(ids, func(d *Document) {
		c.v.Documents++
		c.documents[d.DocumentID] = d
	}); err != nil {
		return err
	}
	var refs []string
	for _, id := range ids {
		d := c.documents[id]
		if d == nil {
			c.problem(Problem{Kind: ProblemDocument, Document: id}, "changes since the checkpoint are about it, and it does not exist")
			continue
		}
		refs = append(refs, d.References...)
		if first[id] == 0 {
			first[id] = d.Version + 1
		}
		if err := c.readVersions(d, first[id]); err != nil {
			return err
		}
	}
	if err := c.readErased(first, erased); err != nil {
		return err
	}
	return readNamed(c, refs, func(n *Names) *[]string { return &n.References }, func(r *Rows) []ReferenceRow { return r.References }, c.noteReference)
}

func (c *checker) readCurrent(ids []DocumentID, visit func(*Document)) error {
	return readNamed(c, ids, func(n *Names) *[]DocumentID { return &n.Documents }, func(r *Rows) []Document { return r.Documents }, visit)
}

// readErased reads the versions that were written before the checkpoint and erased since.
func (c *checker) readErased(first map[DocumentID]uint64, erased []VersionID) error {
	erased = slices.DeleteFunc(erased, func(v VersionID) bool { return v.Version >= first[v.DocumentID] })
	return readNamed(c, erased, func(n *Names) *[]VersionID { return &n.Versions }, func(r *Rows) []Document { return r.Versions }, func(v *Document) {
		c.v.Versions++
		c.versions[versionName(v)] = new(sealVersion(v))
		if v.Erased != (Erasure{}) {
			c.expected[change{kind: ChangeErasure, document: v.DocumentID, version: v.Version}]++
		}
		c.compareErasure(v, Problem{Kind: ProblemDocument, Document: v.DocumentID, Version: v.Version})
	})
}

// readChangedKeys reads the keys of the entries since, whose receipts must point at what was read, and those of older holds,
// which must only be there.
func (c *checker) readChangedKeys() error {
	fresh := make(map[string]bool)
	var keys []string
	for i := range c.seen {
		if k := c.seen[i].Key; k != "" && !fresh[k] {
			fresh[k] = true
			keys = append(keys, k)
		}
	}
	for _, u := range c.used {
		if !fresh[u.key] {
			keys = append(keys, u.key)
		}
	}
	err := readNamed(c, distinct(keys, strings.Compare), func(n *Names) *[]string { return &n.Keys }, func(r *Rows) []KeyRow { return r.Keys }, c.noteKey)
	if err != nil {
		return err
	}
	c.receipts = slices.DeleteFunc(c.receipts, func(r Receipt) bool { return !fresh[r.Key] })
	var missing []DocumentID // what was erased already was not changed
	for _, r := range c.receipts {
		for _, made := range slices.Concat(r.Results, r.Guarded) {
			if made.Version > 0 && c.documents[made.Document] == nil {
				missing = append(missing, made.Document)
			}
		}
	}
	return c.readCurrent(missing, func(d *Document) { c.also[d.DocumentID] = d.Version })
}
