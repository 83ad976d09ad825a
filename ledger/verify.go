package ledger

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/koshpay/kosh/currency"
)

// Verification is what [Book.Verify] found: how much there is, and everything that is wrong with it.
type Verification struct {
	Accounts, Lines, Transactions, Holds int
	Documents, Versions, References      int
	Keys, Assets                         int
	Changes, Pending                     int // numbered in the feed, and not yet
	Blocks                               int

	Problems []Problem // sorted by kind and name; empty when all is well
}

// OK reports whether there is no problem.
func (v Verification) OK() bool { return len(v.Problems) == 0 }

// ProblemKind says what sort of row a problem is about.
type ProblemKind string

// The kinds of problem.
const (
	ProblemAccount     ProblemKind = "account"     // the row is not what its lines add up to
	ProblemLine        ProblemKind = "line"        // a gap, a wrong running balance, a time that runs back, a bound crossed
	ProblemTransaction ProblemKind = "transaction" // not balanced, or not exactly its lines, or its reversals
	ProblemHold        ProblemKind = "hold"        // not what its lines add up to
	ProblemDocument    ProblemKind = "document"    // a gap in its versions, or the row is not the last of them
	ProblemReference   ProblemKind = "reference"   // it and its document do not name one another
	ProblemKey         ProblemKind = "key"         // its receipt points at nothing
	ProblemAsset       ProblemKind = "asset"       // unknown to the book, or known with another scale
	ProblemFeed        ProblemKind = "feed"        // a gap, a change that is missing or there twice, or out of order
	ProblemTotal       ProblemKind = "total"       // the trial balance of an asset is not zero
	ProblemSeal        ProblemKind = "seal"        // a change, or what it is about, is not as it was sealed
	ProblemCheckpoint  ProblemKind = "checkpoint"  // the chain is another one than that of a checkpoint
)

// Problem is one thing that is wrong. Fields that do not apply are zero.
type Problem struct {
	Kind        ProblemKind
	Account     AccountID
	Document    DocumentID
	Version     uint64 // of the account's line or of the document
	Transaction ID
	Hold        ID
	Name        string // of a key, reference or asset
	Position    uint64 // in the feed
	Block       uint64
	Detail      string
}

// String says what is wrong and where.
func (p Problem) String() string {
	s := string(p.Kind)
	if p.Account != (AccountID{}) {
		s += " " + p.Account.String()
	}
	if p.Document != (DocumentID{}) {
		s += " " + p.Document.String()
	}
	if p.Version > 0 {
		s += fmt.Sprintf(" version %d", p.Version)
	}
	for _, id := range []ID{p.Transaction, p.Hold} {
		if id != (ID{}) {
			s += " " + id.String()
		}
	}
	if p.Name != "" {
		s += " " + p.Name
	}
	if p.Position > 0 {
		s += fmt.Sprintf(" position %d", p.Position)
	}
	if p.Block > 0 {
		s += fmt.Sprintf(" block %d", p.Block)
	}
	return s + ": " + p.Detail
}

// Verify reads the whole book, folds it again from its lines and versions, and compares everything that is kept twice.
// Run it when nobody writes: an entry recorded meanwhile looks like a problem. It keeps the book's outline in memory,
// some hundred bytes a line. The error is the store's; what is wrong with the book is in Problems.
//
// It finds what does not fit together, and with the seal every edit of a change that is sealed, of the transaction,
// hold, account terms or document version that it is about, and of the lines that follow from these; of a body its
// erasure too, unless it was recorded. Somebody who rewrites all of it, the blocks included, so that it fits together
// again, is found only by comparing with something kept elsewhere: against checkpoints, which [Book.Checkpoint] makes.
// Keys and leases are not sealed; keys are compared with what they made.
func (b *Book) Verify(ctx context.Context, against ...Checkpoint) (Verification, error) {
	c := newChecker(ctx, b)
	return c.run(against, c.readAssets, c.readTransactions, c.readAccounts, c.readHolds, c.readFeed, c.readReferences, c.readDocuments, c.readKeys)
}

// run reads the parts in order and compares what they say.
func (c *checker) run(against []Checkpoint, parts ...func() error) (Verification, error) {
	for _, part := range parts {
		if err := part(); err != nil {
			return Verification{}, err
		}
	}
	c.compareTransactions()
	c.compareHolds()
	c.compareReferences()
	c.compareKeys()
	c.compareChanges()
	if !c.partial {
		c.compareTotals()
	}
	if err := c.compareBlocks(against); err != nil {
		return Verification{}, err
	}
	slices.SortStableFunc(c.v.Problems, compareProblems)
	return c.v, nil
}

func newChecker(ctx context.Context, b *Book) *checker {
	return &checker{
		ctx: ctx, b: b,
		accounts: make(map[AccountID]*accountFold), transactions: make(map[ID]*Transaction), posted: make(map[ID][]Line),
		reversed: make(map[ID][]Posting), holds: make(map[ID]*Hold), holdFolds: make(map[ID]*holdFold),
		documents: make(map[DocumentID]*Document), references: make(map[string]DocumentID), keys: make(map[string]bool),
		assets: make(map[currency.AssetID]*AssetRow), expected: make(map[change]int),
		settings: make(map[lineName]*Terms), versions: make(map[VersionID]*sealedVersion), lines: make(map[ID][]lineName), told: make(map[lineName]told),
		older: make(map[ID]*Transaction), also: make(map[DocumentID]uint64),
	}
}

func compareProblems(a, b Problem) int {
	return cmp.Or(
		cmp.Compare(a.Kind, b.Kind), a.Account.compare(b.Account), a.Document.compare(b.Document), cmp.Compare(a.Version, b.Version),
		compareIDs(a.Transaction, b.Transaction), compareIDs(a.Hold, b.Hold), cmp.Compare(a.Name, b.Name),
		cmp.Compare(a.Position, b.Position), cmp.Compare(a.Block, b.Block), cmp.Compare(a.Detail, b.Detail),
	)
}

// checker is the book's outline while it is verified.
type checker struct {
	ctx context.Context //nolint:containedctx // one call long
	b   *Book
	v   Verification

	// base is the last block that is believed as it is, and partial that there is one: only what the changes after it are
	// about is read. See [Book.VerifySince].
	base    Block
	partial bool
	older   map[ID]*Transaction   // recorded before, and reversed since
	also    map[DocumentID]uint64 // current versions of documents that receipts name and no change

	accounts     map[AccountID]*accountFold
	transactions map[ID]*Transaction
	posted       map[ID][]Line // by transaction
	reversed     map[ID][]Posting
	holds        map[ID]*Hold
	holdFolds    map[ID]*holdFold
	documents    map[DocumentID]*Document
	references   map[string]DocumentID
	keys         map[string]bool
	used         []usedKey // by transactions and holds
	receipts     []Receipt
	assets       map[currency.AssetID]*AssetRow
	settings     map[lineName]*Terms
	versions     map[VersionID]*sealedVersion
	lines        map[ID][]lineName // of a transaction, one a posting
	told         map[lineName]told // of lines that a change tells of by account and version
	expected     map[change]int
	seen         []Change // of the feed, then pending
}

type usedKey struct {
	key string
	at  Problem
}

// told is what a change has to agree with.
type told struct {
	kind LineKind
	at   time.Time
}

// change names a change of the feed.
type change struct {
	kind     ChangeKind
	account  AccountID
	document DocumentID
	version  uint64
	id       ID
	amount   currency.Amount // of a hold's
}

func (c *checker) problem(p Problem, format string, args ...any) {
	p.Detail = fmt.Sprintf(format, args...)
	c.v.Problems = append(c.v.Problems, p)
}

func (c *checker) readAssets() error {
	return scanAll(c.ctx, c.b, Range{List: ListAssets}, func(r *Rows) []AssetRow { return r.Assets }, AssetRow.Position, c.noteAsset)
}

func (c *checker) noteAsset(a *AssetRow) {
	c.v.Assets++
	c.assets[a.ID] = a
	def, known := currency.Lookup(a.ID)
	if !known {
		return
	}
	if r := a.agrees(def); r != nil {
		c.problem(Problem{Kind: ProblemAsset, Name: string(a.ID)}, "%s", r.Private)
	}
}

// compareTotals is the trial balance of the rows read.
func (c *checker) compareTotals() {
	totals := make(map[currency.AssetID]*AssetTotal)
	for id, f := range c.accounts {
		a := totals[id.Asset]
		if a == nil {
			zero := currency.Zero(f.row.Posted.Asset())
			a = &AssetTotal{Asset: id.Asset, Debits: zero, Credits: zero}
			totals[id.Asset] = a
		}
		if err := a.count(&f.row, f.row.Posted); err != nil {
			c.problem(Problem{Kind: ProblemTotal, Account: id}, "%v", err)
		}
	}
	for id, a := range totals {
		if a.Debits != a.Credits {
			c.problem(Problem{Kind: ProblemTotal, Name: string(id)}, "debits %s, credits %s", a.Debits, a.Credits)
		}
	}
}

// microseconds reports whether a time is in the form that the ledger writes.
func microseconds(t time.Time) bool { return t.Equal(moment(t)) }
