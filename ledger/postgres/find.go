package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
)

// finder reads rows of one book: it collects what the server sends and makes rows of it when all names that packed bytes
// refer to are known.
type finder struct {
	s       *Store
	session session
	book    string
	joined  bool // rows may be uncommitted: remember nothing of them beyond this call

	known    map[ledger.AccountID]*account // of this call
	numbered map[int64]*account
	ids      map[int64]ledger.AccountID // of accounts of which only the name was asked

	balances []balance
	lines    []rawLine
	keys     []rawTx
	moves    []rawTx
	holds    []rawHold
	seen     map[ledger.ID]bool // holds
	pending  []rawPending
	feed     []rawFeed
	rows     ledger.Rows // of kinds that refer to nothing
	rawTerms []rawTerms
}

func (s *Store) finder(session session, book string, joined bool) *finder {
	return &finder{s: s, session: session, book: book, joined: joined}
}

type balance struct {
	number, version, revision int64
	posted, held              []byte
	nextExpiry, updatedAt     time.Time
}

type rawTerms struct {
	account
	path, asset                            string
	floor, ceiling, openFloor, openCeiling []byte
	flags, openFlags                       int16
}

type rawTx struct {
	id                     ledger.ID
	key                    string
	recorded               time.Time
	inputs, receipt, posts []byte
}

type rawHold struct {
	ledger.Hold
	account                    int64
	amount, captured, released []byte
}

type rawPending struct {
	ledger.PendingRow
	changes []byte
}

type rawFeed struct {
	first, last uint64
	changes     []byte
}

type rawLine struct {
	ledger.Line
	amount, held, post []byte
	rest               []byte
}

func clone(b []byte) []byte {
	if b == nil {
		return nil
	}
	return append([]byte{}, b...)
}

// account looks an account up, among those of this call and then among those remembered, and keeps it for this call.
func (f *finder) account(id ledger.AccountID) *account {
	a := f.known[id]
	if a == nil {
		if a = f.s.accounts.named(f.book, id); a != nil {
			f.keep(a)
		}
	}
	return a
}

func (f *finder) keep(a *account) {
	if f.known == nil {
		f.known, f.numbered = make(map[ledger.AccountID]*account), make(map[int64]*account)
	}
	f.known[a.info.ID], f.numbered[a.number] = a, a
}

func (f *finder) learn(a *account) {
	f.keep(a)
	if !f.joined {
		f.s.accounts.put(f.book, a)
	}
}

// idOf is the name of an account by its number.
func (f *finder) idOf(number int64) (ledger.AccountID, bool) {
	if a := f.numbered[number]; a != nil {
		return a.info.ID, true
	}
	if id, ok := f.ids[number]; ok {
		return id, true
	}
	if a := f.s.accounts.numbered(f.book, number); a != nil {
		f.keep(a)
		return a.info.ID, true
	}
	return ledger.AccountID{}, false
}

func (f *finder) definition(id currency.AssetID) *currency.Definition {
	if d, ok := currency.Lookup(id); ok {
		return d
	}
	return nil
}

// The rows of each statement.

func (f *finder) readTerms(v [][]byte) error {
	f.rawTerms = append(f.rawTerms, parseTerms(v))
	return nil
}

func parseTerms(v [][]byte) rawTerms {
	var r rawTerms
	r.number, r.revision = readInt8(v[0]), readInt8(v[1])
	r.path, r.asset = string(v[2]), string(v[3])
	r.info.ID = ledger.AccountID{Path: r.path, Asset: currency.AssetID(r.asset)}
	r.info.Type, r.info.Owner = ledger.AccountType(readInt2(v[4])), string(v[5]) //nolint:gosec // a small enumeration
	r.floor, r.ceiling, r.flags = clone(v[6]), clone(v[7]), readInt2(v[8])
	r.openFloor, r.openCeiling, r.openFlags = clone(v[9]), clone(v[10]), readInt2(v[11])
	r.info.OpenedAt = readTime(v[12])
	return r
}

const termsWidth = 13

func parseBalance(v [][]byte) balance {
	return balance{
		number: readInt8(v[0]), version: readInt8(v[1]), posted: clone(v[2]), held: clone(v[3]),
		nextExpiry: readTime(v[4]), updatedAt: readTime(v[5]), revision: readInt8(v[6]),
	}
}

func (f *finder) readBalance(v [][]byte) error {
	f.balances = append(f.balances, parseBalance(v))
	return nil
}

func (f *finder) readAccount(v [][]byte) error {
	f.rawTerms = append(f.rawTerms, parseTerms(v[:termsWidth]))
	f.balances = append(f.balances, parseBalance(v[termsWidth:]))
	return nil
}

func (f *finder) readName(v [][]byte) error {
	if f.ids == nil {
		f.ids = make(map[int64]ledger.AccountID)
	}
	f.ids[readInt8(v[0])] = ledger.AccountID{Path: string(v[1]), Asset: currency.AssetID(v[2])}
	return nil
}

func (f *finder) readKey(v [][]byte) error {
	f.keys = append(f.keys, rawTx{key: string(v[0]), id: readUUID(v[1]), recorded: readTime(v[2]), inputs: clone(v[3]), receipt: clone(v[4])})
	return nil
}

func (f *finder) readTransaction(v [][]byte) error {
	f.moves = append(f.moves, rawTx{id: readUUID(v[0]), key: string(v[1]), recorded: readTime(v[2]), posts: clone(v[3])})
	return nil
}

func (f *finder) readHold(v [][]byte) error {
	var h rawHold
	h.ID, h.account, h.State = readUUID(v[0]), readInt8(v[1]), ledger.HoldState(readInt2(v[2])) //nolint:gosec // a small enumeration
	if f.seen[h.ID] {
		return nil // named, and due too
	}
	if f.seen == nil {
		f.seen = make(map[ledger.ID]bool)
	}
	f.seen[h.ID] = true
	h.amount, h.captured, h.released = clone(v[3]), clone(v[4]), clone(v[5])
	h.PlacedAt, h.ExpiresAt, h.UpdatedAt, h.Key = readTime(v[6]), readTime(v[7]), readTime(v[8]), string(v[9])
	err := unmarshal(v[10], &h.Note)
	f.holds = append(f.holds, h)
	return err
}

// unmarshal reads JSON that may be empty.
func unmarshal(text []byte, into any) error {
	if len(text) == 0 {
		return nil
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("%w: %w", errCorrupt, err)
	}
	return nil
}

func parseDocument(v [][]byte) (ledger.Document, error) {
	var d ledger.Document
	d.Kind, d.ID, d.Version = string(v[0]), string(v[1]), uint64(readInt8(v[2])) //nolint:gosec // never negative
	d.Owner, d.State, d.Due, d.Lane = string(v[3]), string(v[4]), readTime(v[5]), string(v[6])
	d.Schema = uint16(readInt4(v[8])) //nolint:gosec // written from 16 bits
	if len(v[9]) > 0 {
		d.Body = clone(v[9])
	}
	d.CreatedAt, d.UpdatedAt = readTime(v[10]), readTime(v[11])
	if err := unmarshal(v[7], &d.References); err != nil {
		return d, err
	}
	return d, unmarshal(v[12], &d.Erased)
}

func (f *finder) readDocument(v [][]byte) error {
	d, err := parseDocument(v)
	f.rows.Documents = append(f.rows.Documents, d)
	return err
}

func (f *finder) readVersion(v [][]byte) error {
	d, err := parseDocument(v)
	f.rows.Versions = append(f.rows.Versions, d)
	return err
}

func (f *finder) readReference(v [][]byte) error {
	f.rows.References = append(f.rows.References, ledger.ReferenceRow{Reference: string(v[0]), Document: ledger.DocumentID{Kind: string(v[1]), ID: string(v[2])}})
	return nil
}

func (f *finder) readLease(v [][]byte) error {
	f.rows.Leases = append(f.rows.Leases, ledger.Lease{
		Document: ledger.DocumentID{Kind: string(v[0]), ID: string(v[1])}, Token: readUUID(v[2]), Holder: string(v[3]), Until: readTime(v[4]),
	})
	return nil
}

func parseAsset(v [][]byte) ledger.AssetRow {
	return ledger.AssetRow{ID: currency.AssetID(v[0]), Code: string(v[1]), Name: string(v[2]), Scale: uint8(readInt2(v[3])), Kind: currency.Kind(readInt2(v[4]))} //nolint:gosec // written from these types
}

func (f *finder) readAsset(v [][]byte) error {
	f.rows.Assets = append(f.rows.Assets, parseAsset(v))
	return nil
}

func (f *finder) readPending(v [][]byte) error {
	f.pending = append(f.pending, rawPending{PendingRow: ledger.PendingRow{Entry: readUUID(v[0]), RecordedAt: readTime(v[1])}, changes: clone(v[2])})
	return nil
}

func (f *finder) readCounter(v [][]byte) error {
	f.rows.Sequences = append(f.rows.Sequences, ledger.SequenceRow{Name: string(v[0]), Last: uint64(readInt8(v[1]))}) //nolint:gosec // the bits
	return nil
}

func (f *finder) readLine(v [][]byte) error {
	var l rawLine
	l.Version, l.RecordedAt, l.Transaction = uint64(readInt8(v[0])), readTime(v[1]), readUUID(v[2]) //nolint:gosec // never negative
	l.Kind, l.Side = ledger.LineKind(readInt2(v[3])), ledger.Side(readInt2(v[4]))                   //nolint:gosec // small enumerations
	l.amount, l.post, l.held, l.rest = clone(v[5]), clone(v[6]), clone(v[7]), clone(v[8])
	f.lines = append(f.lines, l)
	return nil
}

func (f *finder) readFeed(v [][]byte) error {
	f.feed = append(f.feed, rawFeed{first: uint64(readInt8(v[0])), last: uint64(readInt8(v[1])), changes: clone(v[2])}) //nolint:gosec // never negative
	return nil
}

func (f *finder) readBlock(v [][]byte) error {
	b := ledger.Block{
		Number: uint64(readInt8(v[0])), First: uint64(readInt8(v[1])), Last: uint64(readInt8(v[2])), SealedAt: readTime(v[3]), Marks: clone(v[6]), //nolint:gosec // never negative
	}
	copy(b.Previous[:], v[4])
	copy(b.Hash[:], v[5])
	f.rows.Blocks = append(f.rows.Blocks, b)
	return nil
}

// call makes a call of a statement whose first parameter is the book.
func (f *finder) call(s *statement, row func([][]byte) error, args ...[]byte) *call {
	return &call{statement: s, args: append([][]byte{[]byte(f.book)}, args...), row: row}
}

// complete makes rows of what was read. What packed bytes refer to and nobody knows yet is looked up once.
func (f *finder) complete(ctx context.Context) (ledger.Rows, error) {
	for range 3 {
		n := &names{accounts: f.idOf, assets: f.definition}
		rows, err := f.decode(n)
		if n.complete() {
			return rows, err
		}
		if err := f.lookUp(ctx, n); err != nil {
			return ledger.Rows{}, err
		}
	}
	return ledger.Rows{}, fmt.Errorf("%w: rows name accounts or assets that are not there", errCorrupt)
}

// lookUp reads the names of accounts, which never change, and the definitions of assets as the book knows them.
func (f *finder) lookUp(ctx context.Context, n *names) error {
	var calls []*call
	if len(n.missingAccounts) > 0 {
		numbers := newColumn(len(n.missingAccounts), 8)
		for _, number := range n.missingAccounts {
			numbers.int8(number)
		}
		calls = append(calls, f.call(f.s.sql.accountNames, f.readName, numbers.value(oidInt8)))
	}
	if len(n.missingAssets) > 0 {
		ids := newColumn(len(n.missingAssets), 8)
		for _, id := range n.missingAssets {
			ids.text(string(id))
		}
		calls = append(calls, f.call(f.s.sql.assets, func(v [][]byte) error {
			r := parseAsset(v)
			_, err := currency.Define(currency.Info{ID: r.ID, Code: r.Code, Name: r.Name, Scale: r.Scale, Kind: r.Kind})
			return err
		}, ids.value(oidText)))
	}
	return f.session.run(ctx, calls)
}

// decode makes rows as far as names are known.
func (f *finder) decode(n *names) (ledger.Rows, error) {
	rows := f.rows
	if err := f.decodeAccounts(n, &rows); err != nil {
		return rows, err
	}
	if err := f.decodeRecords(n, &rows); err != nil {
		return rows, err
	}
	for i := range f.holds {
		h := f.holds[i].Hold
		h.Account = n.account(f.holds[i].account)
		asset := n.asset(h.Account.Asset)
		if asset == nil {
			continue
		}
		if err := readNumerics(asset, numeric{&h.Amount, f.holds[i].amount}, numeric{&h.Captured, f.holds[i].captured},
			numeric{&h.Released, f.holds[i].released}); err != nil {
			return rows, err
		}
		rows.Holds = append(rows.Holds, h)
	}
	return rows, f.decodeLines(n, &rows)
}

func (f *finder) decodeAccounts(n *names, rows *ledger.Rows) error {
	for len(f.rawTerms) > 0 {
		r := &f.rawTerms[0]
		asset := n.asset(r.info.ID.Asset)
		if asset == nil {
			return nil
		}
		a := r.account
		a.asset = asset
		setTermFlags(&a.info.Terms, r.flags)
		setTermFlags(&a.info.Opening, r.openFlags)
		if err := readNumerics(asset, numeric{&a.info.Terms.Floor, r.floor}, numeric{&a.info.Terms.Ceiling, r.ceiling},
			numeric{&a.info.Opening.Floor, r.openFloor}, numeric{&a.info.Opening.Ceiling, r.openCeiling}); err != nil {
			return err
		}
		f.learn(&a)
		f.rawTerms = f.rawTerms[1:]
	}
	if len(f.balances) > 0 {
		rows.Accounts = make([]ledger.AccountInfo, 0, len(f.balances))
	}
	for i := range f.balances {
		b := &f.balances[i]
		a := f.numbered[b.number]
		if a == nil || a.revision != b.revision {
			return fmt.Errorf("%w: the terms of account %d are not those of its row", errCorrupt, b.number)
		}
		info := a.info
		info.Version = uint64(b.version) //nolint:gosec // never negative
		info.NextExpiry, info.UpdatedAt = b.nextExpiry, b.updatedAt
		if err := readNumerics(a.asset, numeric{&info.Posted, b.posted}, numeric{&info.Held, b.held}); err != nil {
			return err
		}
		rows.Accounts = append(rows.Accounts, info)
	}
	return nil
}

func (f *finder) decodeRecords(n *names, rows *ledger.Rows) error {
	for i := range f.keys {
		r := &f.keys[i]
		k := ledger.KeyRow{Key: r.key, Inputs: clone(r.inputs)}
		u := &unpacker{b: r.receipt, names: n}
		u.unpackReceipt(&k, r.id, r.recorded)
		if u.err != nil {
			return u.err
		}
		rows.Keys = append(rows.Keys, k)
	}
	for i := range f.moves {
		r := &f.moves[i]
		t := ledger.Transaction{ID: r.id, Key: r.key, RecordedAt: r.recorded}
		u := &unpacker{b: r.posts, names: n}
		u.unpackTransaction(&t)
		if u.err != nil {
			return u.err
		}
		rows.Transactions = append(rows.Transactions, t)
	}
	for i := range f.pending {
		r := f.pending[i].PendingRow
		u := &unpacker{b: f.pending[i].changes, names: n}
		r.Changes = u.unpackChanges(ledger.Change{Entry: r.Entry, RecordedAt: r.RecordedAt})
		if u.err != nil {
			return u.err
		}
		rows.Pending = append(rows.Pending, r)
	}
	for i := range f.feed {
		u := &unpacker{b: f.feed[i].changes, names: n}
		changes := u.unpackChanges(ledger.Change{})
		if u.err != nil {
			return u.err
		}
		for j := range changes {
			changes[j].Position = f.feed[i].first + uint64(j)
		}
		rows.Feed = append(rows.Feed, changes...)
	}
	return nil
}

func (f *finder) decodeLines(n *names, rows *ledger.Rows) error {
	for i := range f.lines {
		r := &f.lines[i]
		l := r.Line
		asset := n.asset(l.Account.Asset)
		if asset == nil {
			continue
		}
		if err := readNumerics(asset, numeric{&l.Amount, r.amount}, numeric{&l.Posted, r.post}, numeric{&l.Held, r.held}); err != nil {
			return err
		}
		u := &unpacker{b: r.rest, names: n}
		u.unpackRest(&l)
		if u.err != nil {
			return u.err
		}
		rows.Lines = append(rows.Lines, l)
	}
	return nil
}
