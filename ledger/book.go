package ledger

import (
	"context"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/koshpay/kosh/currency"
)

// Config configures a [Book]. The zero value is safe.
type Config struct {
	// Book is the tenant's name: at most MaxNameBytes bytes of text in one line; empty means "main". Nothing crosses between
	// books. Of a book with another name every method is ErrInvalid.
	Book string
	// Clock is where the time comes from; nil means the system's. It must be safe for concurrent use.
	Clock func() time.Time
	// NewID makes ids; nil means UUIDv7. Every id must be new in the whole world, and NewID safe for concurrent use.
	NewID func() uuid.UUID
	// Rest is how long [Book.Run] waits when there was nothing to do; zero means DefaultRest.
	Rest time.Duration
	// MaxWaiting is how many entries may wait while others are written; one more is ErrBusy. Zero means DefaultMaxWaiting.
	MaxWaiting int
	// Stripes says which accounts are kept in parts. Every process may have its own numbers.
	Stripes Stripes
}

// DefaultRest is how long [Book.Run] waits when there was nothing to do. It is most of what the feed lags behind.
const DefaultRest = 25 * time.Millisecond

// Book is one tenant's ledger in a [Store]. It is safe for concurrent use; any number of Books, in any number of
// processes, may work on the same tenant of the same store. It keeps no state but a memory of assets that were checked.
//
// Errors of its methods are *[Refusal]s; only what a guard returned comes back in its own type.
type Book struct {
	store  Store
	poster Poster // the store too, when it is one
	name   string
	clock  func() time.Time
	newID  func() uuid.UUID
	ids    *ids // what newID is when Config does not say
	rest   time.Duration
	queue  queue     // of entries to be recorded
	slabs  sync.Pool // of *slab, to prepare entries in
	ones   sync.Pool // of *recording
	joined *joined   // of a book inside a transaction of the host, which needs no queue

	stripes Stripes

	mu     sync.Mutex                                // of writers of agreed
	agreed atomic.Pointer[map[currency.AssetID]bool] // assets on whose definition the book and this process agree; never changed in place
}

var _ Ledger = (*Book)(nil)

// New returns the book of one tenant in a store. It does no I/O and starts no goroutine.
func New(s Store, c Config) *Book {
	b := &Book{name: c.Book, clock: c.Clock, newID: c.NewID, rest: c.Rest}
	if b.name == "" {
		b.name = "main"
	}
	b.store = named(s, b.name)
	b.poster = posterOf(b.store)
	if b.clock == nil {
		b.clock = time.Now //nolint:forbidigo // the default clock
	}
	if b.newID == nil {
		b.ids = &ids{clock: b.clock}
		b.newID = b.ids.next
	}
	if b.rest <= 0 {
		b.rest = DefaultRest
	}
	b.stripes = maps.Clone(c.Stripes)
	b.queue.limit = c.MaxWaiting
	if b.queue.limit <= 0 {
		b.queue.limit = DefaultMaxWaiting
	}
	return b
}

// Name returns the tenant's name.
func (b *Book) Name() string { return b.name }

// Now returns the clock's time in the ledger's form: UTC, in microseconds. The ledger's time of an entry may be later,
// see [Receipt].
func (b *Book) Now() time.Time { return moment(b.clock()) }

// Record implements [Ledger]. A refusal leaves everything as it was, but that one of class [Declined] is kept under the
// key and comes back, equal and with Receipt.Replayed, whenever the key does. An entry with a ctx that has ended already
// changes nothing.
//
// Callers that record at the same time share one write of the store, up to 1,000 of them, in the order in which they came:
// one of them does the work for all, and the lead goes round. Every entry keeps its own outcome; neither a refusal nor a
// guard that panics nor a row that the store does not take fails another's. A caller whose ctx ends returns, whoever does
// the work. When more than Config.MaxWaiting entries wait, because the store is slow or down, the next is ErrBusy, of
// class [Unavailable], and nothing of it is recorded.
func (b *Book) Record(ctx context.Context, e Entry) (Receipt, error) {
	one := b.recording()
	one.slab.postings, one.slab.accounts, one.slab.touched = one.postings[:0], one.accounts[:0], e.touch()
	if b.ids != nil {
		one.slab.ids = one.ids[:]
		b.ids.fill(one.slab.ids)
	}
	if err := b.open(ctx, &e, &one.prepared, &one.slab); err != nil {
		return Receipt{}, err
	}
	return b.recordOne(ctx, one)
}

// Simulate implements [Ledger]. It reads one snapshot and asks the same rule book; guards run.
func (b *Book) Simulate(ctx context.Context, e Entry) (Receipt, error) {
	p := new(prepared)
	if err := b.open(ctx, &e, p, new(slab)); err != nil {
		return Receipt{}, err
	}
	names, err := b.resolve(ctx, p.names)
	if err != nil {
		return Receipt{}, storeError(err)
	}
	now := b.Now()
	for {
		found, err := b.store.Read(ctx, b.name, names)
		if err != nil {
			return Receipt{}, storeError(err)
		}
		outcomes, _, more := decide(now, []*prepared{p}, names, found)
		if more.Empty() {
			return outcomes[0].receipt, outcomes[0].err
		}
		names = names.And(more).Sorted()
	}
}

// open makes an entry ready for the rule book.
func (b *Book) open(ctx context.Context, e *Entry, p *prepared, space *slab) error {
	if err := ctx.Err(); err != nil {
		return storeError(err)
	}
	if len(b.stripes) > 0 {
		chosen, r := b.unstripe(*e)
		if r != nil {
			return r
		}
		e = &chosen
	}
	if r := p.prepare(e, b.newID, space); r != nil {
		return r
	}
	if b.poster == nil {
		p.fingerprint() // here, where nobody waits for it
	}
	return nil
}

// named returns the store of a book, or when no store could keep its name one that says so to whoever asks anything.
func named(s Store, book string) Store {
	if r := checkName("book", book, MaxNameBytes); r != nil {
		return misnamed{*r}
	}
	return s
}

type misnamed struct{ why Refusal }

func (m misnamed) Update(context.Context, string, Names, Decide) error { return &m.why }
func (m misnamed) Read(context.Context, string, Names) (Rows, error)   { return Rows{}, &m.why }
func (m misnamed) Scan(context.Context, string, Range) (Rows, error)   { return Rows{}, &m.why }

// resolve adds the accounts of named holds and transactions, which never change, so that one Update names everything at
// once, and checks assets that this Book meets for the first time. What cannot be found is left to the rule book.
func (b *Book) resolve(ctx context.Context, names Names) (Names, error) {
	look := Names{Holds: names.Holds, Transactions: names.Transactions, Assets: b.unchecked(names.Accounts)}
	for !look.Empty() {
		found, err := b.store.Read(ctx, b.name, look)
		if err != nil {
			return names, err
		}
		if err := b.checkAssets(found.Assets); err != nil {
			return names, err
		}
		more := accountsOf(found)
		names.Accounts = distinct(slices.Concat(names.Accounts, more), AccountID.compare)
		look = Names{Assets: b.unchecked(more)}
	}
	return names, nil
}

func accountsOf(found Rows) []AccountID {
	var ids []AccountID
	for i := range found.Holds {
		ids = append(ids, found.Holds[i].Account)
	}
	for i := range found.Transactions {
		for _, p := range found.Transactions[i].Postings {
			ids = append(ids, p.Account)
		}
	}
	return ids
}

// unchecked returns the assets of accounts that are not known to mean the same in the book and in this process.
func (b *Book) unchecked(ids []AccountID) []currency.AssetID {
	var known map[currency.AssetID]bool
	if p := b.agreed.Load(); p != nil {
		known = *p
	}
	var assets []currency.AssetID
	last := currency.AssetID("") // known
	for i := range ids {
		id := ids[i].Asset
		if id == last {
			continue
		}
		if known[id] {
			last = id
		} else if !slices.Contains(assets, id) {
			assets = append(assets, id)
		}
	}
	return assets
}

// checkAssets compares definitions. A row never changes, so one look is enough for the life of a Book.
func (b *Book) checkAssets(rows []AssetRow) error {
	if len(rows) == 0 {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	agreed := make(map[currency.AssetID]bool)
	if p := b.agreed.Load(); p != nil {
		maps.Copy(agreed, *p)
	}
	for i := range rows {
		def, known := currency.Lookup(rows[i].ID)
		if !known {
			continue
		}
		if r := rows[i].agrees(def); r != nil {
			return r
		}
		agreed[rows[i].ID] = true
	}
	b.agreed.Store(&agreed)
	return nil
}
