package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/ledger"
)

// steps is how many entries a run has.
const steps = 100

// A thousand runs of a hundred random entries each: every answer, every balance after it and at the end every balance of the
// past are those of the model.
func TestAgainstAModel(t *testing.T) {
	runs := modelRuns
	if testing.Short() {
		runs /= 10
	}
	const shards = 4
	said := make([]map[string]int, shards)
	begin, entries, commands := time.Now(), new(atomic.Int64), new(atomic.Int64)
	t.Run("runs", func(t *testing.T) {
		for shard := range shards {
			said[shard] = map[string]int{}
			t.Run(fmt.Sprint(shard), func(t *testing.T) {
				t.Parallel()
				for seed := shard; seed < runs; seed += shards {
					n := againstModel(t, rand.New(rand.NewPCG(uint64(seed), 7)), steps, said[shard])
					entries.Add(steps)
					commands.Add(int64(n))
				}
			})
		}
	})
	all := map[string]int{}
	for _, m := range said {
		for what, n := range m {
			all[what] += n
		}
	}
	t.Logf("%d runs × %d entries = %d, %d commands, in %v: %v", runs, steps, entries.Load(), commands.Load(), time.Since(begin).Round(time.Millisecond), all)

	// What never happened was never compared.
	require.Greater(t, all["accepted"], runs*steps/5, "too few entries went through")
	for _, c := range []ledger.Code{
		ledger.ErrInvalid, ledger.ErrAssetMismatch, ledger.ErrUndeclared, ledger.ErrGuardPanicked, ledger.ErrDeclaredTwice, ledger.ErrTermsDiffer,
		ledger.ErrVersion, ledger.ErrReferenceTaken, ledger.ErrKeyConflict, ledger.ErrAccountNotFound, ledger.ErrHoldNotFound,
		ledger.ErrTransactionNotFound, ledger.ErrDocumentNotFound, ledger.ErrInsufficientFunds, ledger.ErrCeiling, ledger.ErrAccountFrozen,
		ledger.ErrAccountClosed, ledger.ErrAccountInUse, ledger.ErrHoldClosed, ledger.ErrHoldExceeded, ledger.ErrAlreadyReversed, codeTooPoor,
	} {
		require.Positive(t, all[string(c)], "no entry was refused with %v", c)
	}
	for _, c := range []ledger.Command{
		ledger.OpenAccount{},
		ledger.Post{},
		ledger.Import{},
		ledger.Draw{},
		ledger.PlaceHold{},
		ledger.Capture{},
		ledger.Release{},
		ledger.Reverse{},
		ledger.SetAccount{},
		ledger.PutDocument{},
		ledger.EraseDocument{},
	} {
		require.Positive(t, all[fmt.Sprintf("%T", c)], "no %T was accepted", c)
	}
	for _, what := range []string{"replayed", "replayed decline", "guard failed", "expired"} {
		require.Positive(t, all[what], what)
	}
}

// done is an entry that burned its key.
type done struct {
	entry   ledger.Entry
	receipt ledger.Receipt
	err     error
}

type modelRun struct {
	*script
	t    *testing.T
	w    *world
	said map[string]int
	done []done
}

// againstModel runs entries on a book and on the model and returns how many commands there were. Of said it counts what
// happened.
func againstModel(t *testing.T, rng *rand.Rand, entries int, said map[string]int) (commands int) {
	t.Helper()
	w := newWorld(t)
	r := &modelRun{t: t, w: w, said: said, script: &script{rng: rng, m: newModel(), clock: w.clock}}
	for i := range 8 {
		id := ledger.AccountID{Path: string(rune('a' + i)), Asset: "USD"}
		if i > 4 {
			id.Asset = "EUR"
		}
		r.all = append(r.all, id)
	}
	r.openMost()
	for range entries {
		if r.chance(4) {
			w.clock.advance(time.Duration(rng.IntN(60)) * time.Minute)
		}
		if len(r.done) > 0 && r.chance(10) {
			r.again()
			continue
		}
		commands += r.entry()
	}
	r.end()
	return commands
}

// openMost opens most accounts, the first of each asset without bounds.
func (r *modelRun) openMost() {
	for i, id := range r.all {
		c := ledger.OpenAccount{Account: id, Type: ledger.AccountType(1 + (i*3)%5)}
		if i != 0 && i != 5 && r.chance(2) {
			c.Floor = cents(0, id.Asset)
		}
		if i != 4 {
			r.compare(ledger.Entry{Commands: []ledger.Command{c}}, nil)
		}
	}
}

func (r *modelRun) entry() int {
	e := ledger.Entry{}
	var guards []modelGuard
	for range r.rng.IntN(6) / 4 {
		g, twin := r.guard()
		e.Guards, guards = append(e.Guards, g), append(guards, twin)
	}
	if len(guards) == 0 || !r.chance(4) {
		e.Commands = r.commands()
	}
	r.compare(e, guards)
	return len(e.Commands)
}

// compare gives an entry to both and compares what they say.
func (r *modelRun) compare(e ledger.Entry, guards []modelGuard) {
	m, t := r.m, r.t
	r.w.keys++
	e.Key = fmt.Sprintf("key-%d", r.w.keys)
	names := namesOf(e.Commands)
	for _, g := range guards {
		names = names.And(g.names)
	}
	m.begin()
	changes := m.feed
	m.arrive(r.w.Now(), names)
	expired := m.feed > changes

	var made [][]any
	var code ledger.Code
	var own error
	at := -1
	for _, g := range guards {
		m.made = nil
		if code, own = m.guard(g); code != "" || own != nil {
			break
		}
		made = append(made, m.made)
	}
	if code == "" && own == nil {
		code, at = m.list(e.Commands)
	}
	before := ""
	if dumps := (code != "" || own != nil) && r.chance(150); dumps {
		before = dump(t, r.w.store, r.w.Name())
	}
	receipt, err := r.w.Record(context.Background(), e)
	if code != "" || own != nil {
		m.rollback()
		m.feed = changes
		r.refused(e, receipt, err, code, own, at, before)
		return
	}
	require.NoError(t, err, "%+v", e.Commands)
	require.Equal(t, m.now, receipt.RecordedAt)
	results := receipt.Guarded
	for _, list := range made {
		m.settle(list, results[:len(list)])
		results = results[len(list):]
	}
	require.Empty(t, results)
	require.Len(t, receipt.Results, len(e.Commands))
	m.settle(m.made, receipt.Results)
	r.remember(receipt)
	require.Len(t, receipt.Balances, len(m.touched))
	for _, b := range receipt.Balances {
		require.True(t, m.touched[b.Account])
		r.like(b, m.accounts[b.Account])
	}
	r.said["accepted"]++
	if expired {
		r.said["expired"]++
	}
	for _, c := range e.Commands {
		r.said[fmt.Sprintf("%T", c)]++
	}
	r.done = append(r.done, done{e, receipt, nil})
}

// remember keeps the ids of what was made, for later commands.
func (r *modelRun) remember(receipt ledger.Receipt) {
	for _, made := range slices.Concat(receipt.Guarded, receipt.Results) {
		if made.Transaction != (ledger.ID{}) {
			r.txs = append(r.txs, made.Transaction)
		}
		if made.Hold != (ledger.ID{}) && !slices.Contains(r.holds, made.Hold) {
			r.holds = append(r.holds, made.Hold)
		}
	}
}

func (r *modelRun) like(b ledger.Balance, a *modelAccount) {
	r.t.Helper()
	require.Equal(r.t, []int64{a.posted, a.held, a.posted - a.held, int64(len(a.lines))},
		[]int64{units(b.Posted), units(b.Held), units(b.Available), int64(b.Version)}, "%v", b.Account)
}

func (r *modelRun) refused(e ledger.Entry, receipt ledger.Receipt, err error, code ledger.Code, own error, at int, before string) {
	t := r.t
	if own != nil {
		require.ErrorIs(t, err, own)
		r.said["guard failed"]++
	} else {
		require.ErrorIs(t, err, code, "%+v", e.Commands)
		refusal, ok := errors.AsType[*ledger.Refusal](err)
		require.True(t, ok)
		require.Equal(t, code.Class(), refusal.Class)
		require.Equal(t, at, refusal.Command, "%v: %+v", err, e.Commands)
		r.said[string(code)]++
		if refusal.Class == ledger.Declined {
			r.done = append(r.done, done{e, receipt, err})
		}
	}
	if before != "" {
		require.Equal(t, withoutKeys(before), withoutKeys(dump(t, r.w.store, r.w.Name())), "a refusal left a trace")
	}
}

// again sends an earlier entry once more, as it was or with something else under its key.
func (r *modelRun) again() {
	d := r.done[r.rng.IntN(len(r.done))]
	if r.chance(3) {
		d.entry.Commands = append(slices.Clone(d.entry.Commands), ledger.SetAccount{Account: bank, Closed: new(true)})
		_, err := r.w.Record(context.Background(), d.entry)
		require.ErrorIs(r.t, err, ledger.ErrKeyConflict)
		r.said[string(ledger.ErrKeyConflict)]++
		return
	}
	receipt, err := r.w.Record(context.Background(), d.entry)
	require.Equal(r.t, d.err, err)
	require.True(r.t, receipt.Replayed)
	receipt.Replayed = false
	require.Equal(r.t, d.receipt, receipt)
	if err != nil {
		r.said["replayed decline"]++
	} else {
		r.said["replayed"]++
	}
}

// end compares all that there is with the model.
func (r *modelRun) end() {
	t, ctx, m := r.t, context.Background(), r.m
	for id, h := range m.holds {
		got, err := r.w.Hold(ctx, id)
		require.NoError(t, err)
		require.Equal(t, [3]int64{h.amount, h.captured, h.released}, [3]int64{units(got.Amount), units(got.Captured), units(got.Released)})
		require.Equal(t, h.open, got.State == ledger.HoldOpen)
	}
	for id, tx := range m.txs {
		got, err := r.w.Transaction(ctx, id)
		require.NoError(t, err)
		require.Equal(t, tx.legs, legsOf(got.Postings))
		for i := range got.Reversed {
			require.Equal(t, tx.reversed[i], units(got.Reversed[i]))
		}
	}
	for id, d := range m.docs {
		for i, body := range d.bodies {
			got, err := r.w.Version(ctx, ledger.VersionID{DocumentID: id, Version: uint64(i) + 1})
			require.NoError(t, err)
			require.Equal(t, []bool{body, d.erased[i]}, []bool{len(got.Body) > 0, got.Erased.Digest != ledger.Hash{}})
		}
	}
	for ref, id := range m.refs {
		got, err := r.w.ByReference(ctx, ref)
		require.NoError(t, err)
		require.Equal(t, id, got.DocumentID)
	}
	for id, a := range m.accounts {
		for range 6 {
			r.past(id, a)
		}
	}
	numbered := 0
	for {
		n, err := r.w.NumberFeed(ctx, 1_000)
		require.NoError(t, err)
		if numbered += n; n == 0 {
			break
		}
	}
	require.Equal(t, m.feed, numbered, "changes in the feed")
	if r.chance(5) {
		v, err := r.w.Verify(ctx)
		require.NoError(t, err)
		require.Empty(t, v.Problems)
	}
}

// past compares a balance of the past, by either time, with the sum of what happened.
func (r *modelRun) past(id ledger.AccountID, a *modelAccount) {
	var at ledger.AsOf
	lines := a.lines
	if !r.chance(3) {
		at.Recorded = lines[r.rng.IntN(len(lines))].recorded.Add(time.Duration(r.rng.IntN(3)-1) * time.Microsecond)
	}
	if !r.chance(3) {
		at.Effective = lines[r.rng.IntN(len(lines))].effective.Add(time.Duration(r.rng.IntN(3)-1) * time.Microsecond)
	}
	b, err := r.w.Account(id).Balance(context.Background(), at)
	require.NoError(r.t, err)
	posted, held, version := a.at(at.Recorded, at.Effective)
	require.Equal(r.t, []int64{posted, held, int64(version)}, []int64{units(b.Posted), units(b.Held), int64(b.Version)}, "%v at %+v", id, at)
}
