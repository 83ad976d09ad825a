package ledger

// The checker is evidence too: what Verify has read is what the seals are compared with.

func (c *checker) opening(id AccountID) (*AccountInfo, *AssetRow) {
	f := c.accounts[id]
	if f == nil {
		return nil, nil
	}
	return &f.row, c.assets[id.Asset]
}

func (c *checker) setting(id AccountID, v uint64) *Terms { return c.settings[lineName{id, v}] }
func (c *checker) transaction(id ID) *Transaction        { return c.transactions[id] }
func (c *checker) hold(id ID) *Hold                      { return c.holds[id] }
func (c *checker) version(id VersionID) *sealedVersion   { return c.versions[id] }
func (c *checker) numbered() []Change                    { return c.seen[:c.v.Changes] }

// compareBlocks computes every seal again, and compares the chain with checkpoints kept elsewhere.
func (c *checker) compareBlocks(against []Checkpoint) error {
	last := c.base
	changes := c.numbered()
	waiting := make(map[uint64][]Checkpoint)
	for _, cp := range against {
		waiting[cp.Block] = append(waiting[cp.Block], cp)
	}
	delete(waiting, 0) // nothing was sealed then
	err := scanAll(c.ctx, c.b, Range{List: ListBlocks, After: &Position{Number: last.Number}}, func(r *Rows) []Block { return r.Blocks }, Block.Position, func(b *Block) {
		c.v.Blocks++
		at := Problem{Kind: ProblemSeal, Block: b.Number}
		if b.Number != last.Number+1 || b.First != last.Last+1 || b.Last < b.First {
			c.problem(at, "has positions %d to %d, and follows block %d, which ends at %d", b.First, b.Last, last.Number, last.Last)
		}
		if b.Previous != last.Hash {
			c.problem(at, "does not follow the block before: its hash is another")
		}
		if b.SealedAt.IsZero() || !microseconds(b.SealedAt) {
			c.problem(at, "sealed at %v", b.SealedAt)
		}
		var mine []Change
		if mine, changes = stretch(changes, b.First, b.Last); b.Last >= b.First && uint64(len(mine)) != b.Last-b.First+1 {
			c.problem(at, "seals %d changes, and %d are there", b.Last-b.First+1, len(mine))
		}
		c.compareSeal(b, mine)
		for _, cp := range waiting[b.Number] {
			c.compareCheckpoint(cp, b)
		}
		delete(waiting, b.Number)
		last = *b
	})
	if err != nil {
		return err
	}
	for _, rest := range waiting {
		for _, cp := range rest {
			c.problem(Problem{Kind: ProblemCheckpoint, Block: cp.Block}, "the checkpoint has this block, the book ends at block %d: sealed history is gone", last.Number)
		}
	}
	for _, cp := range against {
		if cp.Book != c.b.name {
			c.problem(Problem{Kind: ProblemCheckpoint, Name: cp.Book}, "the checkpoint is of another book")
		}
	}
	for _, f := range changes {
		if f.Position > last.Last {
			c.problem(Problem{Kind: ProblemSeal, Position: f.Position}, "numbered, and not sealed")
			break // one for all of them
		}
	}
	return nil
}

// compareCheckpoint reports whether a block is the one of a checkpoint.
func (c *checker) compareCheckpoint(cp Checkpoint, b *Block) bool {
	if cp.Hash == b.Hash && cp.Position == b.Last && cp.SealedAt.Equal(b.SealedAt) {
		return true
	}
	c.problem(Problem{Kind: ProblemCheckpoint, Block: b.Number}, "the checkpoint has position %d and hash %s, the book position %d and hash %s: what was sealed up to there has been written again", cp.Position, cp.Hash, b.Last, b.Hash)
	return false
}

// stretch returns the changes from first to last, and those after them.
func stretch(changes []Change, first, last uint64) (mine, rest []Change) {
	for len(changes) > 0 && changes[0].Position < first {
		changes = changes[1:]
	}
	n := 0
	for n < len(changes) && changes[n].Position <= last {
		n++
	}
	return changes[:n], changes[n:]
}

// compareSeal computes the hash of a block and, when it is another, says which changes are to blame.
func (c *checker) compareSeal(b *Block, changes []Change) {
	var e encoder
	digests := make([]Hash, len(changes))
	blamed := false
	for i := range changes {
		f := &changes[i]
		at := Problem{
			Kind: ProblemSeal, Block: b.Number, Position: f.Position, Account: f.Account, Document: f.Document,
			Version: f.Version, Transaction: f.Transaction, Hold: f.Hold,
		}
		var found bool
		if digests[i], found = e.digest(f, c); !found {
			blamed = true
			c.problem(at, "what it is about is gone")
			continue
		}
		place := (f.Position - b.First) * markBytes
		if f.Position < b.First || place+markBytes > uint64(len(b.Marks)) || string(b.Marks[place:place+markBytes]) != string(digests[i][:markBytes]) {
			blamed = true
			c.problem(at, "altered since it was sealed")
		}
	}
	if len(b.Marks) != markBytes*len(changes) {
		c.problem(Problem{Kind: ProblemSeal, Block: b.Number}, "has %d bytes of marks for %d changes", len(b.Marks), len(changes))
	}
	if b.sum(c.b.name, digests) != b.Hash && !blamed {
		c.problem(Problem{Kind: ProblemSeal, Block: b.Number}, "the hash is not that of the block and its changes")
	}
}
