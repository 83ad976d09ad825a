package ledger

import (
	"context"
	"slices"
	"time"

	"github.com/koshpay/kosh/currency"
)

// Poster is what a Store may have beside its three methods: a shorter way for the commonest of all entries, which is one
// [Post] of a few postings and nothing else, into the book and from there into the feed. The rules are the same, by the same
// code; what is shorter is the way of the rows, of which the Store knows beforehand which they will be. A [Book] uses it
// when the Store that it was given is one; a Store that wraps another, and so inherits these methods, has to say by Self
// that it means them.
type Poster interface {
	// Self returns the Store whose Post this is.
	Self() Store

	// Post records entries in order, each whole or not at all, and returns how many. It may stop before any of them, and
	// stops before one whose key has a row, or one of whose accounts does not exist, or whose transaction is there, or for
	// which decide returns false. What it stops before goes through Update. When it fails, nothing is recorded but the entries
	// that it counts.
	//
	// For each entry decide is given the accounts as they stand, in the order of PlainEntry.Accounts, and space for a balance a
	// posting. It does not look at an account's Owner, Opening and OpenedAt. When it returns true, it has changed them into
	// what they are afterwards, with the entry's times and the account's posted balance after each posting; then the Store
	// must record the entry. No row named by it changes between decide and that. The Store keeps nothing of what it is given.
	//
	// A recorded entry leaves these rows:
	//
	//   - the accounts, of which Posted, NextExpiry, Version and UpdatedAt have changed
	//   - a Line a posting: LinePosted, with the next version of its account and the balance that decide gave
	//   - the Transaction
	//   - a KeyRow: its Inputs are PlainEntry.Inputs, its Receipt has the ids, the time recorded, the transaction as the one
	//     Result, and the balances in the order of the accounts
	//   - a PendingRow with the one ChangeTransaction
	Post(ctx context.Context, book string, entries []*PlainEntry, decide DecidePlain) (recorded int, err error)

	// Number gives the first rows of ListPending, at most limit, their places in the feed, up to the first that is not one as
	// Post leaves, and returns how many. For each it calls next with its change and the transaction, both good until next
	// returns. Then, when there was any, it calls seal with the number that the sequence stands at, 0 when there is none.
	// When seal returns false nothing changes; else the changes, numbered from the block's First on, the Block and the
	// SequenceRow, which stands at its Last, are added and the pending rows deleted, all or nothing. Nothing that is pending
	// changes between next and that.
	Number(
		ctx context.Context, book string, limit int, sequence string,
		next func(*Change, *Transaction), seal func(last uint64) (Block, bool),
	) (numbered int, err error)
}

// DecidePlain is the rule book as a [Poster] sees it.
type DecidePlain func(e *PlainEntry, accounts []AccountInfo, posted []currency.Amount) bool

// MaxPlainPostings is how many postings a [PlainEntry] has at most.
const MaxPlainPostings = 8

// PlainEntry is an entry that is one Post and nothing else.
type PlainEntry struct {
	ID          ID
	Key         string
	Transaction ID
	Postings    []Posting // 2 to MaxPlainPostings
	Note        *Note
	Accounts    []AccountID             // of the postings, sorted, each once
	Of          [MaxPlainPostings]uint8 // the account of each posting, as an index of Accounts

	Fact                    bool      // as of the Post
	Dated                   bool      // the Post says when it takes effect
	RecordedAt, EffectiveAt time.Time // set by decide
}

// Inputs is what the key of the entry stands for, as KeyRow has it. It follows from Postings, Note and Fact, and from
// EffectiveAt when Dated, so a Store that keeps these need not keep it.
func (e *PlainEntry) Inputs() []byte {
	c := Post{Postings: e.Postings, Note: *e.Note, Fact: e.Fact}
	if e.Dated {
		c.EffectiveAt = e.EffectiveAt
	}
	return c.appendDigest(make([]byte, 0, postDigestBytes))
}

// posterOf returns the store as a Poster, nil when it is none.
func posterOf(s Store) Poster {
	if p, is := s.(Poster); is && p.Self() == s {
		return p
	}
	return nil
}

// atOnce is how many entries a Book gives to a Poster at a time: so few that all that is made of them stays in a
// processor's cache.
const atOnce = 128

// post records the first entries of a batch by the short way, as many as can go by it.
func (b *Book) post(ctx context.Context, batch []*prepared, w *working) int {
	if b.poster == nil || ctx.Err() != nil {
		return 0
	}
	n := b.plainFirst(batch)
	if n == 0 {
		return 0
	}
	r := &w.plain
	r.entries = slices.Grow(again(r.entries), n)
	for _, p := range batch[:n] {
		r.entries = append(r.entries, p.plainEntry())
	}
	if r.decide == nil {
		r.decide = w.decideNext
	}
	w.alone = len(batch) == 1
	r.clock, r.batch = b.Now(), batch
	done, _ := b.poster.Post(ctx, b.name, r.entries, r.decide) // what it left goes through Update, which says what is wrong
	r.batch = nil
	return done
}

// plainRun is a batch that goes the short way.
type plainRun struct {
	clock   time.Time
	batch   []*prepared // not decided yet
	entries []*PlainEntry
	decide  DecidePlain // decideNext
}

// decideNext decides the next entry of the batch, and answers it when it goes.
func (w *working) decideNext(e *PlainEntry, accounts []AccountInfo, posted []currency.Amount) bool {
	p := w.plain.batch[0]
	if !p.decidePlain(w.plain.clock, e, accounts, posted) {
		return false
	}
	p.plainReceipt(w, e, accounts)
	w.plain.batch = w.plain.batch[1:]
	return true
}

// plainFirst returns how many of the first entries can go the short way: that are plain, and about whose assets the book and
// this process agree.
func (b *Book) plainFirst(batch []*prepared) int {
	known := b.agreed.Load()
	if known == nil {
		return 0
	}
	last := currency.AssetID("")
	for n, p := range batch {
		if !p.plain {
			return n
		}
		for i := range p.post.Postings {
			if id := p.post.Postings[i].Account.Asset; id != last {
				if !(*known)[id] {
					return n
				}
				last = id
			}
		}
	}
	return len(batch)
}

// isPlain reports whether an entry that was prepared is a PlainEntry.
func (p *prepared) isPlain() bool {
	return p.only && p.fault == nil && p.digested && len(p.guards)+len(p.leases) == 0 && p.post.ID == ID{} &&
		len(p.post.Postings) <= MaxPlainPostings
}

// plainEntry returns the entry as a Poster wants it.
func (p *prepared) plainEntry() *PlainEntry {
	e := &p.entry
	p.ids.next = 1
	e.ID, e.Key, e.Transaction = p.id, p.key, p.ids.id()
	e.Postings, e.Note, e.Accounts = p.post.Postings, &p.post.Note, p.names.Accounts
	e.Fact, e.Dated = p.post.Fact, !p.post.EffectiveAt.IsZero()
	for i := range e.Postings {
		for j := range e.Accounts {
			if e.Accounts[j] == e.Postings[i].Account {
				e.Of[i] = uint8(j)
			}
		}
	}
	return e
}
