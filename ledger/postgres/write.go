package postgres

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/koshpay/kosh/ledger"
)

// writer makes calls of the rows that a step writes. A row that was found is updated, one that was not is inserted, and is
// refused by its unique key when somebody else was first.
type writer struct {
	*finder
	want  *ledger.Names
	found *ledger.Rows
	write *ledger.Rows

	fresh   map[ledger.AccountID]int64 // numbers of accounts that are new
	unknown []ledger.AccountID         // accounts that are referred to and not known
	calls   []*call
	spare   []int64 // numbers for placeholders
	learned []*account
	last    bool // composed for the last time
	err     error
}

// prepare makes the calls. It may read what rows to be written refer to.
func (w *writer) prepare(ctx context.Context) ([]*call, error) {
	if err := w.refuseRewriting(); err != nil {
		return nil, err
	}
	if err := w.takeNumbers(ctx); err != nil {
		return nil, err
	}
	if len(w.write.Feed) > 0 {
		if err := w.checkFeed(ctx); err != nil {
			return nil, err
		}
	}
	w.compose()
	if len(w.unknown) > 0 {
		if err := w.resolve(ctx, w.unknown); err != nil {
			return nil, err
		}
		w.last = true
		w.compose() // what is still unknown is written by name
	}
	return w.calls, w.err
}

// refuseRewriting refuses a key that was found: keys are only ever added.
func (w *writer) refuseRewriting() error {
	if len(w.found.Keys) == 0 || len(w.write.Keys) == 0 {
		return nil
	}
	there := make(map[string]bool, len(w.found.Keys))
	for i := range w.found.Keys {
		there[w.found.Keys[i].Key] = true
	}
	for i := range w.write.Keys {
		if there[w.write.Keys[i].Key] {
			return fmt.Errorf("%w: key %q", ErrExists, w.write.Keys[i].Key)
		}
	}
	return nil
}

// takeNumbers gives numbers to accounts that are new, and to placeholders for those that are named, absent and not written.
func (w *writer) takeNumbers(ctx context.Context) error {
	var fresh []ledger.AccountID
	for i := range w.write.Accounts {
		if id := w.write.Accounts[i].ID; w.account(id) == nil {
			fresh = append(fresh, id)
		}
	}
	n := len(fresh)
	if len(w.found.Accounts) < len(w.want.Accounts) {
		n += len(absent(w.want.Accounts, w.found.Accounts, w.write.Accounts, accountOf))
	}
	if n == 0 {
		return nil
	}
	for {
		taken, lacking := w.s.numbers.take(n)
		if lacking == 0 {
			w.fresh = make(map[ledger.AccountID]int64, len(fresh))
			for i, id := range fresh {
				w.fresh[id] = taken[i]
			}
			w.spare = taken[len(fresh):]
			return nil
		}
		c := &call{statement: w.s.sql.takeNumbers, args: [][]byte{wireInt4(lacking)}, row: func(v [][]byte) error {
			w.s.numbers.give(readInt8(v[0]))
			return nil
		}}
		if err := w.session.run(ctx, []*call{c}); err != nil {
			return err
		}
	}
}

// checkFeed refuses changes at places that are taken. The caller has locked the feed's counter.
func (w *writer) checkFeed(ctx context.Context) error {
	var end int64
	c := w.call(w.s.sql.feedEnd, func(v [][]byte) error {
		end = readInt8(v[0])
		return nil
	})
	if err := w.session.run(ctx, []*call{c}); err != nil {
		return err
	}
	for i := range w.write.Feed {
		if p := w.write.Feed[i].Position; p <= uint64(end) { //nolint:gosec // never negative
			return fmt.Errorf("%w: change %d of the feed", ErrExists, p)
		}
	}
	return nil
}

// number is the number of an account for packed bytes. When it is not known it is looked up before the second composition.
func (w *writer) number(id ledger.AccountID) (int64, bool) {
	if a := w.account(id); a != nil {
		return a.number, true
	}
	if n, ok := w.fresh[id]; ok {
		return n, true
	}
	if id != (ledger.AccountID{}) {
		w.unknown = append(w.unknown, id)
	}
	return 0, false
}

// must is number for columns that need one.
func (w *writer) must(id ledger.AccountID) int64 {
	n, ok := w.number(id)
	if !ok && w.last {
		w.err = fmt.Errorf("postgres: a row of account %s, which does not exist", id)
	}
	return n
}

func accountOf(r *ledger.AccountInfo) ledger.AccountID { return r.ID }

func (w *writer) add(s *statement, absent bool, args ...[]byte) {
	c := w.call(s, nil, args...)
	c.absent = absent
	w.calls = append(w.calls, c)
}

// compose makes the calls, in an order that is the same for all writers: unique keys are waited for as locks are.
func (w *writer) compose() {
	w.calls, w.unknown, w.learned, w.err = w.calls[:0], w.unknown[:0], w.learned[:0], nil
	w.drops()
	w.records()
	w.accountRows()
	w.documentRows()
	w.smallRows()
	w.lineRows()
	w.holdRows()
	w.feedRows()
	w.placeholders()
	w.arrange()
}

// arrange brings statements of one plan together, between those that are planned each time: first what changes and deletes
// rows, then what adds them, then what deletes placeholders.
func (w *writer) arrange() {
	first, fixed, last := make([]*call, 0, len(w.calls)+2), []*call{{statement: w.s.sql.fixedPlans}}, []*call{{statement: w.s.sql.freshPlans}}
	for _, c := range w.calls {
		switch {
		case c.fixed:
			fixed = append(fixed, c)
		case c.placeholder:
			last = append(last, c)
		default:
			first = append(first, c)
		}
	}
	if len(fixed) > 1 {
		first = append(first, fixed...)
	}
	if len(last) > 1 {
		first = append(first, last...)
	}
	w.calls = first
}

func (w *writer) drops() {
	d := &w.write.Delete
	if len(d.Leases) > 0 {
		w.add(w.s.sql.dropLeases, false, documentColumnsOf(d.Leases)...)
	}
	if len(d.Pending) > 0 {
		w.add(w.s.sql.dropPending, false, uuids(d.Pending))
	}
	if len(d.Versions) > 0 {
		w.add(w.s.sql.dropVersions, false, versionColumns(d.Versions)...)
	}
}

// record is one row of tx.
type record struct {
	key  *ledger.KeyRow
	move *ledger.Transaction
}

// records adds keys and transactions. A key takes the first transaction of its entry into its own row.
func (w *writer) records() {
	if len(w.write.Keys)+len(w.write.Transactions) == 0 {
		return
	}
	there := make(map[ledger.ID]bool, len(w.found.Transactions))
	for i := range w.found.Transactions {
		there[w.found.Transactions[i].ID] = true
	}
	records := make([]record, 0, len(w.write.Keys)+len(w.write.Transactions))
	byKey := make(map[string]int, len(w.write.Keys))
	for i := range w.write.Keys {
		byKey[w.write.Keys[i].Key] = len(records)
		records = append(records, record{key: &w.write.Keys[i]})
	}
	var changed []*ledger.Transaction
	for i := range w.write.Transactions {
		t := &w.write.Transactions[i]
		if there[t.ID] {
			changed = append(changed, t)
			continue
		}
		at, keyed := byKey[t.Key]
		if keyed && records[at].move == nil && records[at].key.Receipt.RecordedAt == t.RecordedAt {
			records[at].move = t
			continue
		}
		records = append(records, record{move: t})
	}
	slices.SortStableFunc(records, func(a, b record) int { return strings.Compare(a.name(), b.name()) })
	w.addRecords(records)
	if len(changed) > 0 {
		ids, bodies := newColumn(len(changed), 16), newColumn(len(changed), 32)
		for _, t := range changed {
			p := &packer{number: w.number}
			p.packTransaction(t)
			ids.uuid(t.ID)
			bodies.bytes(p.b)
		}
		w.add(w.s.sql.setTx, false, ids.value(oidUUID), bodies.value(oidBytea))
	}
}

func (r record) name() string {
	if r.key != nil {
		return r.key.Key
	}
	return r.move.Key
}

func (w *writer) addRecords(records []record) {
	n := len(records)
	if n == 0 {
		return
	}
	ids, recorded, keyed, moved := newColumn(n, 16), newColumn(n, 8), newColumn(n, 1), newColumn(n, 1)
	keys, inputs, receipts, bodies := newColumn(n, 24), newColumn(n, 32), newColumn(n, 48), newColumn(n, 24)
	p := &packer{number: w.number}
	for _, r := range records {
		var id ledger.ID
		var at time.Time
		switch {
		case r.move != nil:
			id, at = r.move.ID, r.move.RecordedAt
		case r.key.Receipt.ID != ledger.ID{}:
			id, at = rowID(r.key.Receipt.ID), r.key.Receipt.RecordedAt
		default:
			id, at = uuid.New(), r.key.Receipt.RecordedAt
		}
		ids.uuid(id)
		recorded.time(at)
		keyed.bool(r.key != nil)
		moved.bool(r.move != nil)
		keys.text(r.name())
		p.b = p.b[:0]
		if r.key != nil {
			inputs.bytes(r.key.Inputs)
			p.packReceipt(r.key, id, at)
		} else {
			inputs.bytes(nil)
		}
		receipts.bytes(p.b)
		p.b = p.b[:0]
		if r.move != nil {
			p.packTransaction(r.move)
		}
		bodies.bytes(p.b)
	}
	w.add(w.s.sql.addTx, true, ids.value(oidUUID), recorded.value(oidTimestamptz), keyed.value(oidBool), moved.value(oidBool),
		keys.value(oidText), inputs.value(oidBytea), receipts.value(oidBytea), bodies.value(oidBytea))
}

// rowID names the row of a key without a transaction. It must be no id that a caller may take for a transaction's, which that
// of the entry is: then the row would be in the way of the placeholder. It keeps the order in time.
func rowID(entry ledger.ID) ledger.ID {
	entry[8] ^= 0x40 // no variant of RFC 9562
	return entry
}

// accountRows adds accounts that are new, and changes those that were found; terms only where they differ.
func (w *writer) accountRows() {
	var add, set balanceTable
	var addTerms, setTerms termsTable
	accounts := w.write.Accounts
	if len(w.fresh) > 0 {
		accounts = slices.Clone(accounts)
		slices.SortFunc(accounts, func(a, b ledger.AccountInfo) int { return a.Position().Compare(b.Position()) })
	}
	for i := range accounts {
		info := &accounts[i]
		a := w.account(info.ID)
		if a == nil {
			number, revision := w.fresh[info.ID], firstRevision()
			add.row(info, number, revision)
			addTerms.row(info, number, revision)
			w.note(info, number, revision)
			continue
		}
		revision := a.revision
		if !sameTerms(&a.info, info) {
			revision++
			setTerms.row(info, a.number, revision)
			w.note(info, a.number, revision)
		}
		set.row(info, a.number, revision)
	}
	addTerms.call(w, w.s.sql.addTerms, true)
	add.call(w, w.s.sql.addAccounts, true)
	setTerms.call(w, w.s.sql.setTerms, false)
	set.call(w, w.s.sql.setAccounts, false)
}

// firstRevision is the revision of an account's terms when it is opened: a number that no other account begins with. A standby
// that was promoted without the last commits, or a database that was restored, gives numbers of accounts away again; a
// process that remembers one of those finds another revision with it, and looks whose it is.
func firstRevision() int64 { return 1 + rand.Int64N(1<<62) } //nolint:gosec // no secret

// note remembers what will be true of an account once this is committed.
func (w *writer) note(info *ledger.AccountInfo, number, revision int64) {
	w.learned = append(w.learned, &account{number: number, revision: revision, info: withoutBalance(info), asset: info.Posted.Asset()})
}

// withoutBalance leaves what does not change from entry to entry.
func withoutBalance(a *ledger.AccountInfo) ledger.AccountInfo {
	return ledger.AccountInfo{ID: a.ID, Type: a.Type, Owner: a.Owner, Terms: a.Terms, Opening: a.Opening, OpenedAt: a.OpenedAt}
}

func sameTerms(a, b *ledger.AccountInfo) bool {
	return a.Type == b.Type && a.Owner == b.Owner && a.Terms == b.Terms && a.Opening == b.Opening && a.OpenedAt.Equal(b.OpenedAt)
}

type balanceTable struct {
	ids, versions, posted, held, expiries, updated, revisions column
}

func (t *balanceTable) row(a *ledger.AccountInfo, number, revision int64) {
	if t.ids.n == 0 {
		for _, c := range []*column{&t.ids, &t.versions, &t.posted, &t.held, &t.expiries, &t.updated, &t.revisions} {
			c.b = make([]byte, arrayHeader)
		}
	}
	t.ids.int8(number)
	t.versions.int8(int64(a.Version)) //nolint:gosec // counts lines
	t.posted.amount(a.Posted)
	t.held.amount(a.Held)
	t.expiries.optionalTime(a.NextExpiry)
	t.updated.time(a.UpdatedAt)
	t.revisions.int8(revision)
}

func (t *balanceTable) call(w *writer, s *statement, absent bool) {
	if t.ids.n == 0 {
		return
	}
	w.add(s, absent, t.ids.value(oidInt8), t.versions.value(oidInt8), t.posted.value(oidNumeric), t.held.value(oidNumeric),
		t.expiries.value(oidTimestamptz), t.updated.value(oidTimestamptz), t.revisions.value(oidInt8))
}

type termsTable struct {
	ids, revisions, paths, assets, types, owners, floors, ceilings, flags column
	openFloors, openCeilings, openFlags, opened                           column
}

func (t *termsTable) row(a *ledger.AccountInfo, number, revision int64) {
	if t.ids.n == 0 {
		for _, c := range []*column{
			&t.ids, &t.revisions, &t.paths, &t.assets, &t.types, &t.owners, &t.floors, &t.ceilings, &t.flags, &t.openFloors, &t.openCeilings, &t.openFlags, &t.opened,
		} {
			c.b = make([]byte, arrayHeader)
		}
	}
	t.ids.int8(number)
	t.revisions.int8(revision)
	t.paths.text(a.ID.Path)
	t.assets.text(string(a.ID.Asset))
	t.types.int2(int16(a.Type))
	t.owners.text(a.Owner)
	t.floors.amount(a.Terms.Floor)
	t.ceilings.amount(a.Terms.Ceiling)
	t.flags.int2(termFlags(&a.Terms))
	t.openFloors.amount(a.Opening.Floor)
	t.openCeilings.amount(a.Opening.Ceiling)
	t.openFlags.int2(termFlags(&a.Opening))
	t.opened.time(a.OpenedAt)
}

func (t *termsTable) call(w *writer, s *statement, absent bool) {
	if t.ids.n == 0 {
		return
	}
	w.add(s, absent, t.ids.value(oidInt8), t.revisions.value(oidInt8), t.paths.value(oidText), t.assets.value(oidText), t.types.value(oidInt2),
		t.owners.value(oidText), t.floors.value(oidNumeric), t.ceilings.value(oidNumeric), t.flags.value(oidInt2),
		t.openFloors.value(oidNumeric), t.openCeilings.value(oidNumeric), t.openFlags.value(oidInt2), t.opened.value(oidTimestamptz))
}

func (w *writer) lineRows() {
	n := len(w.write.Lines)
	if n == 0 {
		return
	}
	accounts, versions, recorded, moves := newColumn(n, 8), newColumn(n, 8), newColumn(n, 8), newColumn(n, 16)
	kinds, sides, amounts, posted, held, rests := newColumn(n, 2), newColumn(n, 2), newColumn(n, 12), newColumn(n, 12), newColumn(n, 10), newColumn(n, 0)
	p := &packer{number: w.number}
	for i := range w.write.Lines {
		l := &w.write.Lines[i]
		accounts.int8(w.must(l.Account))
		versions.int8(int64(l.Version)) //nolint:gosec // counts lines
		recorded.time(l.RecordedAt)
		moves.uuid(l.Transaction)
		kinds.int2(int16(l.Kind))
		sides.int2(int16(l.Side))
		amounts.amount(l.Amount)
		posted.amount(l.Posted)
		held.amount(l.Held)
		p.b = p.b[:0]
		p.packRest(l)
		rests.bytes(p.b)
	}
	w.add(w.s.sql.addLines, false, accounts.value(oidInt8), versions.value(oidInt8), recorded.value(oidTimestamptz), moves.value(oidUUID), kinds.value(oidInt2),
		sides.value(oidInt2), amounts.value(oidNumeric), posted.value(oidNumeric), held.value(oidNumeric), rests.value(oidBytea))
}

type holdTable struct {
	ids, accounts, states, amounts, captured, released, placed, expires, updated, keys, notes column
}

func (t *holdTable) row(h *ledger.Hold, number int64) error {
	if t.ids.n == 0 {
		for _, c := range []*column{&t.ids, &t.accounts, &t.states, &t.amounts, &t.captured, &t.released, &t.placed, &t.expires, &t.updated, &t.keys, &t.notes} {
			c.b = make([]byte, arrayHeader)
		}
	}
	t.ids.uuid(h.ID)
	t.accounts.int8(number)
	t.states.int2(int16(h.State))
	t.amounts.amount(h.Amount)
	t.captured.amount(h.Captured)
	t.released.amount(h.Released)
	t.placed.time(h.PlacedAt)
	t.expires.optionalTime(h.ExpiresAt)
	t.updated.time(h.UpdatedAt)
	t.keys.text(h.Key)
	if h.Reference == "" && h.Description == "" && len(h.Meta) == 0 {
		t.notes.text("")
		return nil
	}
	note, err := json.Marshal(h.Note)
	t.notes.bytes(note)
	return err
}

func (t *holdTable) call(w *writer, s *statement, absent bool) {
	if t.ids.n == 0 {
		return
	}
	w.add(s, absent, t.ids.value(oidUUID), t.accounts.value(oidInt8), t.states.value(oidInt2), t.amounts.value(oidNumeric), t.captured.value(oidNumeric),
		t.released.value(oidNumeric), t.placed.value(oidTimestamptz), t.expires.value(oidTimestamptz), t.updated.value(oidTimestamptz),
		t.keys.value(oidText), t.notes.value(oidText))
}

func (w *writer) holdRows() {
	if len(w.write.Holds) == 0 {
		return
	}
	there := make(map[ledger.ID]bool, len(w.found.Holds))
	for i := range w.found.Holds {
		there[w.found.Holds[i].ID] = true
	}
	var add, set holdTable
	for i := range w.write.Holds {
		h := &w.write.Holds[i]
		to := &add
		if there[h.ID] {
			to = &set
		}
		if err := to.row(h, w.must(h.Account)); err != nil {
			w.err = err
		}
	}
	add.call(w, w.s.sql.addHolds, true)
	set.call(w, w.s.sql.setHolds, false)
}

type documentTable struct {
	kinds, ids, versions, owners, states, dues, lanes, refs, schemas, bodies, created, updated, erasures column
}

func (t *documentTable) row(d *ledger.Document) error {
	if t.ids.n == 0 {
		for _, c := range []*column{
			&t.kinds, &t.ids, &t.versions, &t.owners, &t.states, &t.dues, &t.lanes, &t.refs, &t.schemas, &t.bodies, &t.created, &t.updated, &t.erasures,
		} {
			c.b = make([]byte, arrayHeader)
		}
	}
	var refs, erased []byte
	var err error
	if len(d.References) > 0 {
		if refs, err = json.Marshal(d.References); err != nil {
			return err
		}
	}
	if d.Erased != (ledger.Erasure{}) {
		if erased, err = json.Marshal(d.Erased); err != nil {
			return err
		}
	}
	t.kinds.text(d.Kind)
	t.ids.text(d.ID)
	t.versions.int8(int64(d.Version)) //nolint:gosec // counts versions
	t.owners.text(d.Owner)
	t.states.text(d.State)
	t.dues.optionalTime(d.Due)
	t.lanes.text(d.Lane)
	t.refs.bytes(refs)
	t.schemas.int4(int32(d.Schema))
	t.bodies.bytes(d.Body)
	t.created.time(d.CreatedAt)
	t.updated.time(d.UpdatedAt)
	t.erasures.bytes(erased)
	return nil
}

func (t *documentTable) call(w *writer, s *statement, absent bool) {
	if t.ids.n == 0 {
		return
	}
	w.add(s, absent, t.kinds.value(oidText), t.ids.value(oidText), t.versions.value(oidInt8), t.owners.value(oidText), t.states.value(oidText),
		t.dues.value(oidTimestamptz), t.lanes.value(oidText), t.refs.value(oidText), t.schemas.value(oidInt4), t.bodies.value(oidBytea),
		t.created.value(oidTimestamptz), t.updated.value(oidTimestamptz), t.erasures.value(oidText))
}

func (w *writer) documentRows() {
	if len(w.write.Documents)+len(w.write.Versions) == 0 {
		return
	}
	there := make(map[ledger.DocumentID]bool, len(w.found.Documents))
	for i := range w.found.Documents {
		there[w.found.Documents[i].DocumentID] = true
	}
	sorted := slices.Clone(w.write.Documents)
	slices.SortFunc(sorted, func(a, b ledger.Document) int {
		return cmp.Or(strings.Compare(a.Kind, b.Kind), strings.Compare(a.ID, b.ID))
	})
	var add, set, versions documentTable
	var err error
	for i := range sorted {
		to := &add
		if there[sorted[i].DocumentID] {
			to = &set
		}
		err = errors.Join(err, to.row(&sorted[i]))
	}
	for i := range w.write.Versions {
		err = errors.Join(err, versions.row(&w.write.Versions[i]))
	}
	if err != nil {
		w.err = err
	}
	add.call(w, w.s.sql.addDocuments, true)
	set.call(w, w.s.sql.setDocuments, false)
	versions.call(w, w.s.sql.addVersions, false)
}

// feedRowBytes is how long a row of the feed becomes at most, but for a change that alone is longer: short enough to stay in
// its page.
const feedRowBytes = 1_700

func (w *writer) feedRows() {
	if len(w.write.Feed) > 0 {
		changes := slices.Clone(w.write.Feed)
		slices.SortFunc(changes, func(a, b ledger.Change) int { return cmp.Compare(a.Position, b.Position) })
		firsts, lasts, bodies := newColumn(0, 0), newColumn(0, 0), newColumn(0, 0)
		p := &packer{number: w.number}
		var before ledger.Change
		first := changes[0].Position
		for i := range changes {
			p.packChange(&changes[i], &before)
			before = changes[i]
			if i+1 < len(changes) && changes[i+1].Position == before.Position+1 && len(p.b) < feedRowBytes {
				continue
			}
			firsts.int8(int64(first))          //nolint:gosec // counts changes
			lasts.int8(int64(before.Position)) //nolint:gosec // counts changes
			bodies.bytes(p.b)
			p.b, before = p.b[:0], ledger.Change{}
			if i+1 < len(changes) {
				first = changes[i+1].Position
			}
		}
		w.add(w.s.sql.addFeed, false, firsts.value(oidInt8), lasts.value(oidInt8), bodies.value(oidBytea))
	}
	if n := len(w.write.Blocks); n > 0 {
		numbers, firsts, lasts, sealed := newColumn(n, 8), newColumn(n, 8), newColumn(n, 8), newColumn(n, 8)
		previous, hashes, marks := newColumn(n, 32), newColumn(n, 32), newColumn(n, 0)
		for i := range w.write.Blocks {
			b := &w.write.Blocks[i]
			numbers.int8(int64(b.Number)) //nolint:gosec // counts blocks
			firsts.int8(int64(b.First))   //nolint:gosec // counts changes
			lasts.int8(int64(b.Last))     //nolint:gosec // counts changes
			sealed.time(b.SealedAt)
			previous.bytes(b.Previous[:])
			hashes.bytes(b.Hash[:])
			marks.bytes(b.Marks)
		}
		w.add(w.s.sql.addBlocks, false, numbers.value(oidInt8), firsts.value(oidInt8), lasts.value(oidInt8), sealed.value(oidTimestamptz),
			previous.value(oidBytea), hashes.value(oidBytea), marks.value(oidBytea))
	}
}
