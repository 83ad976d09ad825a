package postgres

import (
	"strings"

	"github.com/jackc/pgx/v5"
)

// statements are all texts of a schema. Every one says book = $1, and none depends on what the planner knows about a table.
type statements struct {
	begin, beginRead, commit, rollback *statement
	settings, settingsOfLines          *statement
	fixedPlans, freshPlans             *statement

	lockAccounts, accounts, accountsByNumber, accountNames, accountNumbers *statement
	read, locked                                                           named
	keys, dueHolds, versions, assets, feedEnd                              *statement

	addAccounts, setAccounts, addTerms, setTerms, dropTerms *statement
	addLines, addTx, setTx, dropTx                          *statement
	addHolds, setHolds, dropHolds                           *statement
	addDocuments, setDocuments, dropDocuments               *statement
	addVersions, dropVersions                               *statement
	addReferences, setReferences, dropReferences            *statement
	addLeases, setLeases, dropLeases                        *statement
	addAssets, dropAssets                                   *statement
	addPending, setPending, dropPending                     *statement
	addCounters, setCounters, dropCounters                  *statement
	addFeed, addBlocks                                      *statement

	takeNumbers *statement

	hostSettings, restore, savepoint, release, rollbackTo *statement

	schema string // quoted, with its dot
}

// named read the rows of the kinds whose rows change, by their names: to look at them, or locked in one order for all.
type named struct {
	transactions, holds, documents, references, leases, pending, counters *statement
}

const (
	termsColumns    = "id, revision, path, asset, type, owner, floor, ceiling, flags, opening_floor, opening_ceiling, opening_flags, opened_at"
	balanceColumns  = "id, version, posted, held, next_expiry, updated_at, revision"
	holdColumns     = "id, account, state, amount, captured, released, placed_at, expires_at, updated_at, key, note"
	documentColumns = "kind, id, version, owner, state, due, lane, refs, schema, body, created_at, updated_at, erasure"
	lineColumns     = "version, recorded_at, transaction, kind, side, amount, posted, held, rest"
	blockColumns    = "number, first, last, sealed_at, previous, hash, marks"
)

func columnsOf(alias, columns string) string {
	return alias + "." + strings.ReplaceAll(columns, ", ", ", "+alias+".")
}

// settingsText makes plans that do not depend on statistics: in new tables PostgreSQL would rather read the whole table than
// use the index that names our rows, and would keep that plan.
const settingsText = "select set_config('plan_cache_mode', 'force_custom_plan', true), set_config('enable_seqscan', 'off', true), set_config('jit', 'off', true)"

func newStatements(schema string, isolation pgx.TxIsoLevel) *statements {
	q := &statements{schema: pgx.Identifier{schema}.Sanitize() + "."}
	in := func(sql string, oids ...uint32) *statement {
		return newStatement(strings.ReplaceAll(sql, "@", q.schema), append([]uint32{oidText}, oids...)...)
	}
	if isolation == "" {
		isolation = pgx.ReadCommitted
	}
	q.begin = newStatement("begin isolation level " + string(isolation))
	q.beginRead = newStatement("begin isolation level repeatable read read only")
	q.commit, q.rollback = newStatement("commit"), newStatement("rollback")
	q.settings = newStatement(settingsText)
	q.fixedPlans = newStatement("select set_config('plan_cache_mode', 'force_generic_plan', true)")
	q.freshPlans = newStatement("select set_config('plan_cache_mode', 'force_custom_plan', true)")
	// The lines lie in a table with one index: there is one plan, and making it anew each time costs more than the page.
	q.settingsOfLines = newStatement(strings.Replace(settingsText, "force_custom_plan", "force_generic_plan", 1))
	q.takeNumbers = newStatement("select nextval('"+strings.ReplaceAll(q.schema, "'", "''")+"account_number') from generate_series(1, $1)", oidInt4)
	q.hostSettings = newStatement("select current_setting('lock_timeout'), (extract(epoch from current_setting('lock_timeout')::interval) * 1000)::bigint, " +
		"current_setting('plan_cache_mode'), current_setting('enable_seqscan'), current_setting('jit'), current_setting('citus.version', true)")
	q.restore = newStatement("select set_config('plan_cache_mode', $1, true), set_config('enable_seqscan', $2, true), set_config('jit', $3, true)", oidText, oidText, oidText)
	q.savepoint, q.release, q.rollbackTo = newStatement("savepoint kosh"), newStatement("release savepoint kosh"), newStatement("rollback to savepoint kosh")
	q.reading(in)
	q.adding(in)
	q.changing(in)
	q.dropping(in)
	return q
}

type maker func(sql string, oids ...uint32) *statement

func (q *statements) reading(in maker) {
	const lock = " for update"
	q.lockAccounts = in("select "+balanceColumns+" from @account where book = $1 and id = any($2) order by id"+lock, oidInt8Array)
	q.accounts = in("select "+columnsOf("t", termsColumns)+", "+columnsOf("a", balanceColumns)+` from unnest($2, $3) u(path, asset)
		join @account_terms t on t.book = $1 and t.path = u.path and t.asset = u.asset
		join @account a on a.book = $1 and a.id = t.id`, oidTextArray, oidTextArray)
	q.accountsByNumber = in("select "+termsColumns+" from @account_terms where book = $1 and id = any($2)", oidInt8Array)
	q.accountNames = in("select id, path, asset from @account_terms where book = $1 and id = any($2)", oidInt8Array)
	q.accountNumbers = in("select "+columnsOf("t", termsColumns)+` from unnest($2, $3) u(path, asset)
		join @account_terms t on t.book = $1 and t.path = u.path and t.asset = u.asset`, oidTextArray, oidTextArray)

	transactions := "select id, key, recorded_at, body from @tx where book = $1 and id = any($2) and moved"
	q.read.transactions = in(transactions, oidUUIDArray)
	q.locked.transactions = in(transactions+" order by id"+lock, oidUUIDArray)
	q.keys = in("select key, id, recorded_at, inputs, receipt from @tx where book = $1 and key = any($2) and keyed", oidTextArray)

	holds := "select " + holdColumns + " from @hold where book = $1 and id = any($2)"
	q.read.holds = in(holds, oidUUIDArray)
	q.locked.holds = in(holds+" order by id"+lock, oidUUIDArray)
	q.dueHolds = in("select "+columnsOf("h", holdColumns)+` from unnest($2, $3, $4) u(path, asset, at)
		join @account_terms t on t.book = $1 and t.path = u.path and t.asset = u.asset
		join @hold h on h.book = $1 and h.account = t.id and h.state = 1 and h.expires_at <= u.at`, oidTextArray, oidTextArray, oidTimestamptzArray)

	documents := "select " + columnsOf("d", documentColumns) + " from unnest($2, $3) u(kind, id) join @document d on d.book = $1 and d.kind = u.kind and d.id = u.id"
	q.read.documents = in(documents, oidTextArray, oidTextArray)
	q.locked.documents = in(documents+" order by d.kind, d.id for update of d", oidTextArray, oidTextArray)
	q.versions = in("select "+columnsOf("d", documentColumns)+` from unnest($2, $3, $4) u(kind, id, version)
		join @version d on d.book = $1 and d.kind = u.kind and d.id = u.id and d.version = u.version`, oidTextArray, oidTextArray, oidInt8Array)

	references := "select reference, kind, id from @reference where book = $1 and reference = any($2)"
	q.read.references = in(references, oidTextArray)
	q.locked.references = in(references+" order by reference"+lock, oidTextArray)
	leases := "select l.kind, l.id, l.token, l.holder, l.until from unnest($2, $3) u(kind, id) join @lease l on l.book = $1 and l.kind = u.kind and l.id = u.id"
	q.read.leases = in(leases, oidTextArray, oidTextArray)
	q.locked.leases = in(leases+" order by l.kind, l.id for update of l", oidTextArray, oidTextArray)
	q.assets = in("select id, code, name, scale, kind from @asset where book = $1 and id = any($2)", oidTextArray)
	pending := "select entry, recorded_at, changes from @pending where book = $1 and entry = any($2)"
	q.read.pending = in(pending, oidUUIDArray)
	q.locked.pending = in(pending+" order by entry"+lock, oidUUIDArray)
	counters := "select name, last from @counter where book = $1 and name = any($2)"
	q.read.counters = in(counters, oidTextArray)
	q.locked.counters = in(counters+" order by name"+lock, oidTextArray)
	q.feedEnd = in("select last from @feed where book = $1 order by first desc limit 1")
}

var documentArrays = []uint32{
	oidTextArray, oidTextArray, oidInt8Array, oidTextArray, oidTextArray, oidTimestamptzArray, oidTextArray, oidTextArray, oidInt4Array,
	oidByteaArray, oidTimestamptzArray, oidTimestamptzArray, oidTextArray,
}

var holdArrays = []uint32{
	oidUUIDArray, oidInt8Array, oidInt2Array, oidNumericArray, oidNumericArray, oidNumericArray, oidTimestamptzArray, oidTimestamptzArray,
	oidTimestamptzArray, oidTextArray, oidTextArray,
}

var termsArrays = []uint32{
	oidInt8Array, oidInt8Array, oidTextArray, oidTextArray, oidInt2Array, oidTextArray, oidNumericArray, oidNumericArray, oidInt2Array,
	oidNumericArray, oidNumericArray, oidInt2Array, oidTimestamptzArray,
}

var balanceArrays = []uint32{
	oidInt8Array, oidInt8Array, oidNumericArray, oidNumericArray, oidTimestamptzArray, oidTimestamptzArray, oidInt8Array,
}

// unnested is "unnest($2, $3, …)" for a number of arrays.
func unnested(arrays int) string {
	const places = "$2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15"
	list := strings.Split(places, ", ")[:arrays]
	return "unnest(" + strings.Join(list, ", ") + ")"
}

func insertText(table, columns string, arrays int) string {
	return "insert into @" + table + " (book, " + columns + ") select $1, u.* from " + unnested(arrays) + " u(" + columns + ")"
}

func (q *statements) adding(in maker) {
	add := func(table, columns string, arrays ...uint32) *statement {
		s := in(insertText(table, columns, len(arrays)), arrays...)
		s.fixed = true
		return s
	}
	q.addAccounts = add("account", balanceColumns, balanceArrays...)
	q.addTerms = add("account_terms", termsColumns, termsArrays...)
	q.addLines = add("entry", "account, "+lineColumns, oidInt8Array, oidInt8Array, oidTimestamptzArray, oidUUIDArray, oidInt2Array, oidInt2Array,
		oidNumericArray, oidNumericArray, oidNumericArray, oidByteaArray)
	q.addTx = add("tx", "id, recorded_at, keyed, moved, key, inputs, receipt, body", oidUUIDArray, oidTimestamptzArray, oidBoolArray, oidBoolArray,
		oidTextArray, oidByteaArray, oidByteaArray, oidByteaArray)
	q.addHolds = add("hold", holdColumns, holdArrays...)
	q.addDocuments = add("document", documentColumns, documentArrays...)
	q.addVersions = add("version", documentColumns, documentArrays...)
	q.addReferences = add("reference", "reference, kind, id", oidTextArray, oidTextArray, oidTextArray)
	q.addLeases = add("lease", "kind, id, token, holder, until", oidTextArray, oidTextArray, oidUUIDArray, oidTextArray, oidTimestamptzArray)
	q.addAssets = add("asset", "id, code, name, scale, kind", oidTextArray, oidTextArray, oidTextArray, oidInt2Array, oidInt2Array)
	q.addPending = add("pending", "entry, recorded_at, changes", oidUUIDArray, oidTimestamptzArray, oidByteaArray)
	q.addCounters = add("counter", "name, last", oidTextArray, oidInt8Array)
	q.addFeed = add("feed", "first, last, changes", oidInt8Array, oidInt8Array, oidByteaArray)
	q.addBlocks = add("block", blockColumns, oidInt8Array, oidInt8Array, oidInt8Array, oidTimestamptzArray, oidByteaArray, oidByteaArray, oidByteaArray)
}

// updateText sets all columns but the names.
func updateText(table, columns string, names ...string) string {
	var set, where []string
	all := strings.Split(columns, ", ")
	for _, c := range all {
		named := false
		for _, n := range names {
			named = named || n == c
		}
		if named {
			where = append(where, "r."+c+" = u."+c)
		} else {
			set = append(set, c+" = u."+c)
		}
	}
	return "update @" + table + " r set " + strings.Join(set, ", ") + " from " + unnested(len(all)) + " u(" + columns + ") where r.book = $1 and " + strings.Join(where, " and ")
}

func (q *statements) changing(in maker) {
	// Not an update that joins arrays with the table: this finds each row by its key whatever the planner thinks.
	q.setAccounts = in(insertText("account", balanceColumns, len(balanceArrays))+" on conflict (book, id) do update set version = excluded.version, "+
		"posted = excluded.posted, held = excluded.held, next_expiry = excluded.next_expiry, updated_at = excluded.updated_at, revision = excluded.revision", balanceArrays...)
	q.setAccounts.fixed = true
	q.setTerms = in(updateText("account_terms", termsColumns, "id"), termsArrays...)
	q.setTx = in(updateText("tx", "id, body", "id"), oidUUIDArray, oidByteaArray)
	q.setHolds = in(updateText("hold", holdColumns, "id"), holdArrays...)
	q.setDocuments = in(updateText("document", documentColumns, "kind", "id"), documentArrays...)
	q.setReferences = in(updateText("reference", "reference, kind, id", "reference"), oidTextArray, oidTextArray, oidTextArray)
	q.setLeases = in(updateText("lease", "kind, id, token, holder, until", "kind", "id"), oidTextArray, oidTextArray, oidUUIDArray, oidTextArray, oidTimestamptzArray)
	q.setPending = in(updateText("pending", "entry, recorded_at, changes", "entry"), oidUUIDArray, oidTimestamptzArray, oidByteaArray)
	q.setCounters = in(updateText("counter", "name, last", "name"), oidTextArray, oidInt8Array)
}

func (q *statements) dropping(in maker) {
	q.dropTerms = in("delete from @account_terms where book = $1 and id = any($2)", oidInt8Array)
	q.dropTx = in("delete from @tx where book = $1 and id = any($2)", oidUUIDArray)
	q.dropHolds = in("delete from @hold where book = $1 and id = any($2)", oidUUIDArray)
	q.dropDocuments = in("delete from @document d using unnest($2, $3) u(kind, id) where d.book = $1 and d.kind = u.kind and d.id = u.id", oidTextArray, oidTextArray)
	q.dropVersions = in("delete from @version d using unnest($2, $3, $4) u(kind, id, version) where d.book = $1 and d.kind = u.kind and d.id = u.id and d.version = u.version", oidTextArray, oidTextArray, oidInt8Array)
	q.dropReferences = in("delete from @reference where book = $1 and reference = any($2)", oidTextArray)
	q.dropLeases = in("delete from @lease l using unnest($2, $3) u(kind, id) where l.book = $1 and l.kind = u.kind and l.id = u.id", oidTextArray, oidTextArray)
	q.dropAssets = in("delete from @asset where book = $1 and id = any($2)", oidTextArray)
	q.dropPending = in("delete from @pending where book = $1 and entry = any($2)", oidUUIDArray)
	q.dropCounters = in("delete from @counter where book = $1 and name = any($2)", oidTextArray)
}
