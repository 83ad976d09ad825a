package ledger

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/koshpay/kosh/currency"
)

// feedSequence is the name of the row that counts the feed's positions.
const feedSequence = "feed"

// maxBlock is how many changes a block has at most, but for an entry that alone has more.
const maxBlock = 5_000

// errLost ends an Update of a sequencer that another one has overtaken.
var errLost = errors.New("ledger: another sequencer was first")

// NumberFeed is the sequencer: it gives the changes of at most limit entries their places in the feed, seals them in one
// [Block] and returns how many changes it numbered; 0 means that none is waiting. Any number of workers may call it, in any
// number of processes: every change gets one position, the positions have no gaps, and the order within every account and
// document is kept, because an entry is later than all it builds on and a page of what is pending is always its
// beginning. Those who call it at the same time do the same work in vain; see [Book.Sequencer].
func (b *Book) NumberFeed(ctx context.Context, limit int) (int, error) {
	limit = min(max(limit, 1), MaxPage)
	if b.poster != nil {
		if n, err := b.numberPlain(ctx, limit); n > 0 || err != nil {
			return n, err
		}
	}
	for {
		last, err := b.lastBlock(ctx)
		if err != nil {
			return 0, err
		}
		rows, err := b.store.Scan(ctx, b.name, Range{List: ListPending, Limit: limit})
		if err != nil {
			return 0, storeError(err)
		}
		if len(rows.Pending) == 0 {
			return 0, nil
		}
		write, err := b.sealPending(ctx, last, firstOf(rows.Pending, maxBlock))
		if err != nil {
			return 0, err
		}
		names := Names{Sequences: []string{feedSequence}, Pending: write.Delete.Pending}.Sorted()
		err = b.store.Update(ctx, b.name, names, func(found Rows) (Rows, Names, error) {
			// While the sequence is where the block begins, nobody else has numbered any of this.
			if n := feedLast(found); n < last.Last {
				return Rows{}, Names{}, corrupt(fmt.Sprintf("the feed is sealed up to %d and numbered up to %d", last.Last, n), nil)
			} else if n > last.Last || len(found.Pending) != len(names.Pending) {
				return Rows{}, Names{}, errLost
			}
			return write, Names{}, nil
		})
		if err == nil {
			return len(write.Feed), nil
		}
		if !errors.Is(err, errLost) {
			return 0, storeError(err)
		}
	}
}

// numberPlain is NumberFeed for what a Poster numbers; 0 means that it left the first.
func (b *Book) numberPlain(ctx context.Context, limit int) (int, error) {
	last, err := b.lastBlock(ctx)
	if err != nil {
		return 0, err
	}
	e := encoder{b: make([]byte, 0, 512)}
	digests := make([]Hash, 0, limit)
	n, err := b.poster.Number(ctx, b.name, min(limit, maxBlock), feedSequence, func(c *Change, t *Transaction) {
		digest, _ := e.digest(c, onlyTransaction{t}) // which is there
		digests = append(digests, digest)
	}, func(numbered uint64) (Block, bool) {
		if numbered != last.Last {
			return Block{}, false // another sequencer was first, or something is wrong: NumberFeed finds out
		}
		return last.seal(b.name, digests, b.Now()), true
	})
	return n, storeError(err)
}

// onlyTransaction is the evidence of a change that refers to a transaction.
type onlyTransaction struct{ t *Transaction }

func (onlyTransaction) opening(AccountID) (*AccountInfo, *AssetRow) { return nil, nil }
func (onlyTransaction) setting(AccountID, uint64) *Terms            { return nil }
func (o onlyTransaction) transaction(ID) *Transaction               { return o.t }
func (onlyTransaction) hold(ID) *Hold                               { return nil }
func (onlyTransaction) version(VersionID) *sealedVersion            { return nil }

// firstOf returns the first entries, up to a number of changes, and at least one.
func firstOf(pending []PendingRow, limit int) []PendingRow {
	changes := 0
	for i := range pending {
		if changes += len(pending[i].Changes); changes > limit && i > 0 {
			return pending[:i]
		}
	}
	return pending
}

func feedLast(found Rows) uint64 {
	for _, s := range found.Sequences {
		if s.Name == feedSequence {
			return s.Last
		}
	}
	return 0
}

// lastBlock returns the last block, the zero Block when nothing is sealed. The sequence is read first, so a chain that
// ends before it has lost blocks.
func (b *Book) lastBlock(ctx context.Context) (Block, error) {
	found, err := b.store.Read(ctx, b.name, Names{Sequences: []string{feedSequence}})
	if err != nil {
		return Block{}, storeError(err)
	}
	rows, err := b.store.Scan(ctx, b.name, Range{List: ListBlocks, Backward: true, Limit: 1})
	if err != nil {
		return Block{}, storeError(err)
	}
	var last Block
	if len(rows.Blocks) > 0 {
		last = rows.Blocks[0]
	}
	if n := feedLast(found); last.Last < n {
		return Block{}, corrupt(fmt.Sprintf("the feed is numbered up to %d and sealed up to %d", n, last.Last), nil)
	}
	return last, nil
}

// sealPending numbers and seals entries that follow a block. It reads what they refer to; none of that ever changes.
func (b *Book) sealPending(ctx context.Context, last Block, pending []PendingRow) (Rows, error) {
	slices.SortFunc(pending, comparePending)
	changes := 0
	for i := range pending {
		changes += len(pending[i].Changes)
	}
	var write Rows
	write.Feed = make([]Change, 0, changes)
	write.Delete.Pending = make([]ID, 0, len(pending))
	at := last.Last
	for i := range pending {
		for j := range pending[i].Changes {
			at++
			write.Feed = append(write.Feed, pending[i].Changes[j])
			write.Feed[len(write.Feed)-1].Position = at
		}
		write.Delete.Pending = append(write.Delete.Pending, pending[i].Entry)
	}
	of, err := b.gather(ctx, write.Feed)
	if err != nil {
		return Rows{}, err
	}
	e := encoder{b: make([]byte, 0, 512)}
	digests := make([]Hash, len(write.Feed))
	for i := range write.Feed {
		found := false
		if digests[i], found = e.digest(&write.Feed[i], of); !found {
			return Rows{}, corrupt(fmt.Sprintf("a %v of entry %s is to be sealed and does not exist", write.Feed[i].Kind, write.Feed[i].Entry), nil)
		}
	}
	block := last.seal(b.name, digests, b.Now())
	write.Blocks = []Block{block}
	write.Sequences = []SequenceRow{{Name: feedSequence, Last: block.Last}}
	return write, nil
}

// comparePending orders rows by their positions, without the texts of the ids.
func comparePending(a, b PendingRow) int {
	if c := a.RecordedAt.Compare(b.RecordedAt); c != 0 {
		return c
	}
	return compareIDs(a.Entry, b.Entry)
}

// gathered is evidence read for one block.
type gathered struct {
	accounts     map[AccountID]*AccountInfo
	assets       map[currency.AssetID]*AssetRow
	settings     map[lineName]*Terms
	transactions inTurn[Transaction]
	holds        inTurn[Hold]
	versions     map[VersionID]*sealedVersion
}

// inTurn finds rows by id. They are asked for in about the order in which they were read; when not, a map is made.
type inTurn[R any] struct {
	rows []R
	id   func(*R) ID
	turn int
	byID map[ID]*R
}

func (t *inTurn[R]) of(id ID) *R {
	if t.turn < len(t.rows) && t.id(&t.rows[t.turn]) == id {
		t.turn++
		return &t.rows[t.turn-1]
	}
	if t.byID == nil {
		t.byID = make(map[ID]*R, len(t.rows))
		for i := range t.rows {
			t.byID[t.id(&t.rows[i])] = &t.rows[i]
		}
	}
	return t.byID[id]
}

type lineName struct {
	account AccountID
	version uint64
}

func (g *gathered) opening(id AccountID) (*AccountInfo, *AssetRow) {
	return g.accounts[id], g.assets[id.Asset]
}
func (g *gathered) setting(id AccountID, v uint64) *Terms { return g.settings[lineName{id, v}] }
func (g *gathered) transaction(id ID) *Transaction        { return g.transactions.of(id) }
func (g *gathered) hold(id ID) *Hold                      { return g.holds.of(id) }
func (g *gathered) version(id VersionID) *sealedVersion   { return g.versions[id] }

func (b *Book) gather(ctx context.Context, changes []Change) (*gathered, error) {
	g := &gathered{
		accounts: map[AccountID]*AccountInfo{}, assets: map[currency.AssetID]*AssetRow{}, settings: map[lineName]*Terms{},
		versions: map[VersionID]*sealedVersion{},
	}
	var n Names
	for i := range changes {
		c := &changes[i]
		switch c.Kind {
		case ChangeAccount:
			if c.Version > 1 {
				if err := b.gatherSetting(ctx, g, c); err != nil {
					return nil, err
				}
				continue
			}
			n.Accounts, n.Assets = append(n.Accounts, c.Account), append(n.Assets, c.Account.Asset)
		case ChangeTransaction:
			n.Transactions = append(n.Transactions, c.Transaction)
		case ChangeHold:
			n.Holds = append(n.Holds, c.Hold)
		case ChangeDocument, ChangeErasure:
			n.Versions = append(n.Versions, VersionID{c.Document, c.Version})
		}
	}
	if n.Empty() {
		return g, nil
	}
	found, err := b.store.Read(ctx, b.name, n.Sorted())
	if err != nil {
		return nil, storeError(err)
	}
	for i := range found.Accounts {
		g.accounts[found.Accounts[i].ID] = &found.Accounts[i]
	}
	for i := range found.Assets {
		g.assets[found.Assets[i].ID] = &found.Assets[i]
	}
	g.transactions = inTurn[Transaction]{rows: found.Transactions, id: func(t *Transaction) ID { return t.ID }}
	g.holds = inTurn[Hold]{rows: found.Holds, id: func(h *Hold) ID { return h.ID }}
	for i := range found.Versions {
		g.versions[versionName(&found.Versions[i])] = new(sealVersion(&found.Versions[i]))
	}
	return g, nil
}

// gatherSetting reads the one line that has terms which were set later. It is rare.
func (b *Book) gatherSetting(ctx context.Context, g *gathered, c *Change) error {
	rows, err := b.store.Scan(ctx, b.name, Range{
		List: ListLines, Account: c.Account, After: &Position{Time: c.RecordedAt, Number: c.Version - 1}, Limit: 1,
	})
	if err != nil {
		return storeError(err)
	}
	if len(rows.Lines) == 1 && rows.Lines[0].Version == c.Version {
		g.settings[lineName{c.Account, c.Version}] = rows.Lines[0].Terms
	}
	return nil
}

// Sequencer numbers and seals the feed of a book under a lease, so that several processes that all would do not do it
// all. Nothing but effort depends on the lease. It is for one goroutine.
type Sequencer struct {
	book  *Book
	token ID
	until time.Time
}

// sequencerLease names the lease; the document does not exist.
var sequencerLease = DocumentID{Kind: "kosh/sequencer", ID: feedSequence}

// Sequencer returns a new sequencer without the lease. It does no I/O.
func (b *Book) Sequencer() *Sequencer { return &Sequencer{book: b, token: b.newID()} }

// term is how long the lease lasts, and so the longest that the feed waits for a sequencer that died.
func (s *Sequencer) term() time.Duration { return max(2*time.Second, 4*s.book.rest) }

// Number is [Book.NumberFeed] for whoever has the lease. It takes the lease, or makes it last, only when changes are
// waiting, so an idle book is not written to. 0 means that nothing is waiting, or that another sequencer is at it.
func (s *Sequencer) Number(ctx context.Context, limit int) (int, error) {
	if now := s.book.Now(); s.until.Sub(now) < s.term()/2 {
		rows, err := s.book.store.Scan(ctx, s.book.name, Range{List: ListPending, Limit: 1})
		if err != nil {
			return 0, storeError(err)
		}
		if len(rows.Pending) == 0 {
			return 0, nil
		}
		if err := s.take(ctx, now); err != nil {
			if errors.Is(err, errLost) {
				return 0, nil
			}
			return 0, storeError(err)
		}
	}
	return s.book.NumberFeed(ctx, limit)
}

func (s *Sequencer) take(ctx context.Context, now time.Time) error {
	lease := Lease{Document: sequencerLease, Token: s.token, Holder: "sequencer", Until: moment(now.Add(s.term()))}
	err := s.book.store.Update(ctx, s.book.name, Names{Leases: []DocumentID{sequencerLease}}, func(found Rows) (Rows, Names, error) {
		if len(found.Leases) > 0 && found.Leases[0].Token != s.token && found.Leases[0].Until.After(now) {
			return Rows{}, Names{}, errLost
		}
		return Rows{Leases: []Lease{lease}}, Names{}, nil
	})
	if err == nil {
		s.until = lease.Until
	}
	return err
}

// Close gives the lease back, so that another sequencer need not wait for its end. Nothing is lost when it fails.
func (s *Sequencer) Close(ctx context.Context) error {
	if s.until.IsZero() {
		return nil
	}
	s.until = time.Time{}
	return s.book.Unlease(ctx, Lease{Document: sequencerLease, Token: s.token})
}
