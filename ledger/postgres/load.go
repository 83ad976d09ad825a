package postgres

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/koshpay/kosh/ledger"
)

// errMoved says that what was remembered of accounts was not what is there: look again.
var errMoved = errors.New("postgres: an account appeared or changed its number meanwhile")

// resolve learns the numbers and terms of accounts. Those that do not exist stay unknown.
func (f *finder) resolve(ctx context.Context, ids []ledger.AccountID) error {
	if len(ids) == 0 {
		return nil
	}
	if err := f.session.run(ctx, []*call{f.call(f.s.sql.accountNumbers, f.readTerms, accountColumns(ids)...)}); err != nil {
		return err
	}
	return f.settle(ctx)
}

// settle makes accounts of the terms that were read.
func (f *finder) settle(ctx context.Context) error {
	for len(f.rawTerms) > 0 {
		before := len(f.rawTerms)
		n := &names{accounts: f.idOf, assets: f.definition}
		balances := f.balances
		f.balances = nil
		err := f.decodeAccounts(n, &ledger.Rows{})
		f.balances = balances
		if err != nil {
			return err
		}
		if !n.complete() {
			if err := f.lookUp(ctx, n); err != nil {
				return err
			}
		} else if len(f.rawTerms) == before {
			return errCorrupt
		}
		if len(f.rawTerms) == before && len(n.missingAssets) > 0 && f.definition(n.missingAssets[0]) == nil {
			return errCorrupt
		}
	}
	return nil
}

func accountColumns(ids []ledger.AccountID) [][]byte {
	paths, assets := newColumn(len(ids), 20), newColumn(len(ids), 4)
	for i := range ids {
		paths.text(ids[i].Path)
		assets.text(string(ids[i].Asset))
	}
	return [][]byte{paths.value(oidText), assets.value(oidText)}
}

func documentColumnsOf(ids []ledger.DocumentID) [][]byte {
	kinds, names := newColumn(len(ids), 12), newColumn(len(ids), 20)
	for _, id := range ids {
		kinds.text(id.Kind)
		names.text(id.ID)
	}
	return [][]byte{kinds.value(oidText), names.value(oidText)}
}

func versionColumns(ids []ledger.VersionID) [][]byte {
	kinds, names, versions := newColumn(len(ids), 12), newColumn(len(ids), 20), newColumn(len(ids), 8)
	for _, id := range ids {
		kinds.text(id.Kind)
		names.text(id.ID)
		versions.int8(int64(min(id.Version, maxInt8)))
	}
	return [][]byte{kinds.value(oidText), names.value(oidText), versions.value(oidInt8)}
}

const maxInt8 = 1<<63 - 1

func texts[T ~string](names []T) []byte {
	c := newColumn(len(names), 24)
	for _, s := range names {
		c.text(string(s))
	}
	return c.value(oidText)
}

func uuids(ids []ledger.ID) []byte {
	c := newColumn(len(ids), 16)
	for _, id := range ids {
		c.uuid(id)
	}
	return c.value(oidUUID)
}

func int8s(numbers []int64) []byte {
	c := newColumn(len(numbers), 8)
	for _, n := range numbers {
		c.int8(n)
	}
	return c.value(oidInt8)
}

// lock locks the rows named, in one order for all, and reads them; calls before are sent with it. errMoved when accounts are not
// what was remembered of them: then nothing of it counts, and the transaction begins again.
func (f *finder) lock(ctx context.Context, want *ledger.Names, before ...*call) (ledger.Rows, error) {
	var unknown []ledger.AccountID
	for _, id := range want.Accounts {
		if f.account(id) == nil {
			unknown = append(unknown, id)
		}
	}
	if err := f.resolve(ctx, unknown); err != nil {
		return ledger.Rows{}, err
	}
	numbers := make([]int64, 0, len(want.Accounts))
	unknown = unknown[:0]
	for _, id := range want.Accounts {
		if a := f.account(id); a != nil {
			numbers = append(numbers, a.number)
		} else {
			unknown = append(unknown, id)
		}
	}
	slices.Sort(numbers)

	calls := before
	q := f.s.sql
	if len(numbers) > 0 {
		calls = append(calls, f.call(q.lockAccounts, f.readBalance, int8s(numbers)))
	}
	calls = append(calls, f.named(&q.locked, want)...)
	// Statements of their own, after the locks: at READ COMMITTED each sees what was committed before it began.
	calls = append(calls, f.unlocked(want)...)
	appeared := len(f.rawTerms)
	if len(unknown) > 0 {
		calls = append(calls, f.call(q.accountNumbers, f.readTerms, accountColumns(unknown)...))
	}
	if err := f.session.run(ctx, calls); err != nil {
		return ledger.Rows{}, err
	}
	if len(f.rawTerms) > appeared {
		if err := f.settle(ctx); err != nil {
			return ledger.Rows{}, err
		}
		return ledger.Rows{}, errMoved
	}
	if err := f.refresh(ctx, numbers); err != nil {
		return ledger.Rows{}, err
	}
	return f.complete(ctx)
}

// refresh compares the rows of accounts with what is remembered, and reads terms that changed.
func (f *finder) refresh(ctx context.Context, numbers []int64) error {
	if len(f.balances) < len(numbers) {
		found := make(map[int64]bool, len(f.balances))
		for i := range f.balances {
			found[f.balances[i].number] = true
		}
		for _, n := range numbers {
			if a := f.numbered[n]; !found[n] {
				f.s.accounts.forget(f.book, a)
			}
		}
		return errMoved
	}
	var changed []int64
	for i := range f.balances {
		b := &f.balances[i]
		if a := f.numbered[b.number]; a == nil || a.revision != b.revision {
			changed = append(changed, b.number)
		}
	}
	if len(changed) == 0 {
		return nil
	}
	remembered := make(map[int64]*account, len(changed))
	for _, n := range changed {
		remembered[n] = f.numbered[n]
	}
	if err := f.session.run(ctx, []*call{f.call(f.s.sql.accountsByNumber, f.readTerms, int8s(changed))}); err != nil {
		return err
	}
	if err := f.settle(ctx); err != nil {
		return err
	}
	var moved error
	for n, before := range remembered {
		if now := f.numbered[n]; before != nil && (now == nil || now.info.ID != before.info.ID) {
			f.s.accounts.forget(f.book, before) // the number is another account's: see firstRevision
			moved = errMoved
		}
	}
	return moved
}

// named are the calls for the rows of the kinds whose rows change, but for accounts.
func (f *finder) named(q *named, want *ledger.Names) (calls []*call) {
	if len(want.Documents) > 0 {
		calls = append(calls, f.call(q.documents, f.readDocument, documentColumnsOf(want.Documents)...))
	}
	if len(want.Holds) > 0 {
		calls = append(calls, f.call(q.holds, f.readHold, uuids(want.Holds)))
	}
	if len(want.Transactions) > 0 {
		calls = append(calls, f.call(q.transactions, f.readTransaction, uuids(want.Transactions)))
	}
	if len(want.References) > 0 {
		calls = append(calls, f.call(q.references, f.readReference, texts(want.References)))
	}
	if len(want.Leases) > 0 {
		calls = append(calls, f.call(q.leases, f.readLease, documentColumnsOf(want.Leases)...))
	}
	if len(want.Sequences) > 0 {
		calls = append(calls, f.call(q.counters, f.readCounter, texts(want.Sequences)))
	}
	if len(want.Pending) > 0 {
		calls = append(calls, f.call(q.pending, f.readPending, uuids(want.Pending)))
	}
	return calls
}

// unlocked are the calls for rows that never change, or that change only while a row is locked that is named with them.
func (f *finder) unlocked(want *ledger.Names) (calls []*call) {
	q := f.s.sql
	if len(want.Keys) > 0 {
		calls = append(calls, f.call(q.keys, f.readKey, texts(want.Keys)))
	}
	if len(want.Assets) > 0 {
		calls = append(calls, f.call(q.assets, f.readAsset, texts(want.Assets)))
	}
	if len(want.Versions) > 0 {
		calls = append(calls, f.call(q.versions, f.readVersion, versionColumns(want.Versions)...))
	}
	if len(want.DueHolds) > 0 {
		ids, at := make([]ledger.AccountID, len(want.DueHolds)), newColumn(len(want.DueHolds), 8)
		for i, d := range want.DueHolds {
			ids[i] = d.Account
			at.time(d.At)
		}
		calls = append(calls, f.call(q.dueHolds, f.readHold, append(accountColumns(ids), at.value(oidTimestamptz))...))
	}
	return calls
}

// unlockedAll are the calls for all rows named, for a reader.
func (f *finder) unlockedAll(want *ledger.Names) (calls []*call) {
	q := f.s.sql
	if len(want.Accounts) > 0 {
		calls = append(calls, f.call(q.accounts, f.readAccount, accountColumns(want.Accounts)...))
	}
	calls = append(calls, f.named(&q.read, want)...)
	return append(calls, f.unlocked(want)...)
}

// grace is how long an answer to a commit is waited for when the caller's context has ended: giving up at once would make
// many outcomes unknown that are about to be known.
const grace = 2 * time.Second

// shield returns a context that ends a little after ctx does.
func shield(ctx context.Context) (context.Context, context.CancelFunc) {
	shielded, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		t := time.NewTimer(grace)
		defer t.Stop()
		select {
		case <-t.C:
			cancel()
		case <-shielded.Done():
		}
	})
	return shielded, func() {
		stop()
		cancel()
	}
}
