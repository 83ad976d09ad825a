package ledger_test

import (
	"context"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
)

// checkpoints are all that the book has passed.
func checkpoints(t *testing.T, w *world) (all []ledger.Checkpoint) {
	t.Helper()
	for _, b := range collect(t, w.Blocks(t.Context(), 0)) {
		all = append(all, ledger.Checkpoint{Book: w.Name(), Block: b.Number, Position: b.Last, Hash: b.Hash, SealedAt: b.SealedAt})
	}
	return all
}

// An honest book has no problem since any checkpoint, and what is read is what came since.
func TestVerifySinceOfHonestBooks(t *testing.T) {
	worlds := books(t)
	worlds["thicket"] = thicket(t, 1)
	worlds["striped"] = newStripedWorld(t, 3)
	for name, w := range worlds {
		t.Run(name, func(t *testing.T) {
			whole, err := w.Verify(t.Context())
			require.NoError(t, err)
			all := append([]ledger.Checkpoint{{Book: w.Name()}}, checkpoints(t, w)...)
			for i, c := range all {
				v, err := w.VerifySince(t.Context(), c)
				require.NoError(t, err)
				require.Empty(t, v.Problems, "since block %d", c.Block)
				require.Equal(t, len(all)-1-i, v.Blocks)
				require.Equal(t, whole.Changes-int(c.Position), v.Changes)
				require.Equal(t, whole.Pending, v.Pending)
			}
		})
	}
}

// Of the edits that Verify finds, those of what came after the checkpoint are found, and those of what it covers are not, as
// the documentation says. The checkpoint is of the first block: seven accounts that were opened.
func TestVerifySinceFindsEdits(t *testing.T) {
	before := map[string]bool{
		"terms of a line": true, "a floor that was crossed": true, // of an opening
		"account: owner": true,
	}
	w := richIn(t, 1)
	since := checkpoints(t, w)[0]
	other := map[ledger.ProblemKind]ledger.ProblemKind{ // no totals, and a document that is gone says so itself
		ledger.ProblemTotal: ledger.ProblemAccount, ledger.ProblemReference: ledger.ProblemDocument,
		ledger.ProblemTransaction: ledger.ProblemFeed,
	}
	for name, c := range edits(w) {
		t.Run(name, func(t *testing.T) {
			v, err := ledger.New(edited{w.store, c.edit}, ledger.Config{Clock: w.clock.Now}).VerifySince(t.Context(), since)
			require.NoError(t, err)
			if before[name] {
				require.Empty(t, v.Problems)
				return
			}
			kinds := map[ledger.ProblemKind]bool{}
			for _, p := range v.Problems {
				kinds[p.Kind] = true
			}
			require.True(t, kinds[c.kind] || kinds[other[c.kind]], "no problem of kind %s: %v", c.kind, v.Problems)
		})
	}
	s, _ := sealedIn(t, 1)
	since = checkpoints(t, s)[0]
	for name, edit := range sealedEdits(s) {
		t.Run(name, func(t *testing.T) {
			v, err := ledger.New(edited{s.store, edit}, ledger.Config{Clock: w.clock.Now}).VerifySince(t.Context(), since)
			require.NoError(t, err)
			require.Equal(t, before[name], v.OK(), "%v", v.Problems)
		})
	}
}

// A checkpoint that the book does not have is said to be so, and nothing is built on it.
func TestVerifySinceWantsItsCheckpoint(t *testing.T) {
	w, _ := sealedIn(t, 1)
	all := checkpoints(t, w)
	since := func(c ledger.Checkpoint, b *ledger.Book) []ledger.Problem {
		v, err := b.VerifySince(t.Context(), c)
		require.NoError(t, err)
		return v.Problems
	}
	for name, alter := range map[string]func(*ledger.Checkpoint){
		"hash": func(c *ledger.Checkpoint) { c.Hash[0]++ }, "position": func(c *ledger.Checkpoint) { c.Position++ }, "time": func(c *ledger.Checkpoint) { c.SealedAt = start },
		"block": func(c *ledger.Checkpoint) { c.Block += 1_000 }, "book": func(c *ledger.Checkpoint) { c.Book = "other" },
	} {
		c := all[len(all)/2]
		alter(&c)
		problems := since(c, w.Book)
		require.Len(t, problems, 1, name)
		require.Equal(t, ledger.ProblemCheckpoint, problems[0].Kind, name)
	}
	unavailable := ledger.New(brokenReads{w.store}, ledger.Config{})
	_, err := unavailable.VerifySince(t.Context(), all[0])
	require.ErrorIs(t, err, ledger.Unavailable)
}

// A long past costs nothing: only accounts that were touched since are read, and of them only lines since.
func TestVerifySinceReadsWhatCameSince(t *testing.T) {
	w := bulky(t)
	for n := 1; n > 0; {
		var err error
		n, err = w.NumberFeed(t.Context(), 1)
		require.NoError(t, err)
	}
	c, err := w.Checkpoint(t.Context())
	require.NoError(t, err)
	w.do(ledger.Transfer(alice, bob, dollars(1)))
	counted := &examining{Store: w.store}
	v, err := ledger.New(counted, ledger.Config{}).VerifySince(t.Context(), c)
	require.NoError(t, err)
	require.Empty(t, v.Problems)
	require.Equal(t, [...]int{2, 2, 1, 1}, [...]int{v.Accounts, v.Lines, v.Transactions, v.Pending})
	require.LessOrEqual(t, counted.rows, 4, "two lines, and the line before each")
}

// brokenReads cannot read rows by name.
type brokenReads struct{ ledger.Store }

func (brokenReads) Read(context.Context, string, ledger.Names) (ledger.Rows, error) {
	return ledger.Rows{}, errFull
}

// altered alters one row wherever it is read.
func altered[T any, K comparable](pick func(*ledger.Rows) *[]T, name func(*T) K, victim K, edit func(*T)) func(ledger.List, *ledger.Rows) {
	return func(_ ledger.List, r *ledger.Rows) {
		each(*pick(r), func(x *T) {
			if name(x) == victim {
				edit(x)
			}
		})
	}
}

func oneOf[T any](rng *rand.Rand, options ...T) T { return options[rng.IntN(len(options))] }

// Whatever single field of a row that came after the checkpoint is altered: what Verify finds, VerifySince finds.
func TestVerifySinceFindsWhatVerifyFinds(t *testing.T) {
	w := thicket(t, 5)
	rng := rand.New(rand.NewPCG(8, 8))
	all := checkpoints(t, w)
	since := all[len(all)/2]
	changes := collect(t, w.Changes(t.Context(), ledger.Query{}))[since.Position:]
	var lines []ledger.Line
	var touched []ledger.AccountID
	for _, a := range []ledger.AccountID{alice, aliceE, bob, bank, bankEUR} {
		for _, l := range collect(t, w.Account(a).Lines(t.Context(), ledger.Query{})) {
			if !l.RecordedAt.Before(changes[0].RecordedAt) { // one process: the feed is in the order of time
				lines = append(lines, l)
			}
		}
		touched = append(touched, a)
	}
	of := func(kind ledger.ChangeKind) ledger.Change {
		for {
			if c := changes[rng.IntN(len(changes))]; c.Kind == kind {
				return c
			}
		}
	}
	found := 0
	for range 250 / slowness {
		var edit func(ledger.List, *ledger.Rows)
		what := rng.IntN(7)
		switch what {
		case 0:
			type id struct {
				ledger.AccountID
				uint64
			}
			l := lines[rng.IntN(len(lines))]
			edit = altered(func(r *ledger.Rows) *[]ledger.Line { return &r.Lines }, func(l *ledger.Line) id { return id{l.Account, l.Version} }, id{l.Account, l.Version}, oneOf(rng,
				func(l *ledger.Line) { l.Posted = twice(l.Posted) }, func(l *ledger.Line) { l.Held = twice(l.Held) }, func(l *ledger.Line) { l.Amount = twice(l.Amount) },
				func(l *ledger.Line) { l.Version++ }, func(l *ledger.Line) { l.Kind = ledger.LinePosted }, func(l *ledger.Line) { l.Side = l.Side.Opposite() },
				func(l *ledger.Line) { l.EffectiveAt = start.Add(-1) }, func(l *ledger.Line) { l.RecordedAt = l.RecordedAt.Add(1_000) },
				func(l *ledger.Line) { l.Transaction, l.Hold = l.Hold, l.Transaction }, func(l *ledger.Line) { l.Account = nobody },
			))
		case 1:
			edit = altered(func(r *ledger.Rows) *[]ledger.AccountInfo { return &r.Accounts }, func(a *ledger.AccountInfo) ledger.AccountID { return a.ID }, oneOf(rng, touched...), oneOf(rng,
				func(a *ledger.AccountInfo) { a.Posted = twice(a.Posted) }, func(a *ledger.AccountInfo) { a.Held = twice(a.Held) }, func(a *ledger.AccountInfo) { a.Version++ },
				func(a *ledger.AccountInfo) { a.UpdatedAt = start }, func(a *ledger.AccountInfo) { a.Type = 3 - a.Type }, func(a *ledger.AccountInfo) { a.NextExpiry = start.Add(time.Hour * 99) },
			))
		case 2:
			edit = altered(func(r *ledger.Rows) *[]ledger.Transaction { return &r.Transactions }, func(x *ledger.Transaction) ledger.ID { return x.ID }, of(ledger.ChangeTransaction).Transaction, oneOf(rng,
				func(x *ledger.Transaction) { x.Reference += "x" }, func(x *ledger.Transaction) { x.Key = "key-1" }, func(x *ledger.Transaction) { x.Imported = true },
				func(x *ledger.Transaction) { x.Postings[0].Amount = twice(x.Postings[0].Amount) }, func(x *ledger.Transaction) { x.Reverses = ledger.ID{1} },
				func(x *ledger.Transaction) { x.Reversed = []currency.Amount{dollars(1), dollars(1)} }, func(x *ledger.Transaction) { x.RecordedAt = start },
			))
		case 3:
			edit = altered(func(r *ledger.Rows) *[]ledger.Hold { return &r.Holds }, func(h *ledger.Hold) ledger.ID { return h.ID }, of(ledger.ChangeHold).Hold, oneOf(rng,
				func(h *ledger.Hold) { h.Amount = twice(h.Amount) }, func(h *ledger.Hold) { h.Captured = h.Amount }, func(h *ledger.Hold) { h.Released = dollars(-1) },
				func(h *ledger.Hold) { h.State = 5 - h.State }, func(h *ledger.Hold) { h.ExpiresAt = start }, func(h *ledger.Hold) { h.Account = bankEUR }, func(h *ledger.Hold) { h.Key = "gone" },
			))
		case 4:
			c := of(ledger.ChangeDocument)
			edit = altered(func(r *ledger.Rows) *[]ledger.Document { return &r.Versions }, func(d *ledger.Document) ledger.VersionID {
				return ledger.VersionID{DocumentID: d.DocumentID, Version: d.Version}
			}, ledger.VersionID{DocumentID: c.Document, Version: c.Version}, oneOf(rng,
				func(d *ledger.Document) { d.Owner = "mallory" }, func(d *ledger.Document) { d.State = "x" }, func(d *ledger.Document) { d.Body = []byte("[]") }, func(d *ledger.Document) { d.Version++ },
				func(d *ledger.Document) { d.Due = start }, func(d *ledger.Document) { d.References = nil }, func(d *ledger.Document) { d.UpdatedAt = start },
			))
		case 5:
			edit = altered(func(r *ledger.Rows) *[]ledger.Change { return &r.Feed }, func(c *ledger.Change) uint64 { return c.Position }, oneOf(rng, changes...).Position, oneOf(rng,
				func(c *ledger.Change) { c.Key = "key-1" }, func(c *ledger.Change) { c.RecordedAt = start }, func(c *ledger.Change) { c.Kind = c.Kind%5 + 1 }, func(c *ledger.Change) { c.Version++ },
				func(c *ledger.Change) { c.State = "x" }, func(c *ledger.Change) { c.Entry[1]++ }, func(c *ledger.Change) { c.Position++ },
			))
		default:
			edit = altered(func(r *ledger.Rows) *[]ledger.KeyRow { return &r.Keys }, func(k *ledger.KeyRow) string { return k.Key }, oneOf(rng, changes...).Key, oneOf(rng,
				func(k *ledger.KeyRow) { k.Key = "gone" }, func(k *ledger.KeyRow) { k.Inputs = []byte("{") }, func(k *ledger.KeyRow) { k.Receipt.ID = ledger.ID{} },
				func(k *ledger.KeyRow) { each(k.Receipt.Balances, func(b *ledger.Balance) { b.Version += 9_000 }) },
			))
		}
		b := ledger.New(edited{w.store, edit}, ledger.Config{})
		whole, err := b.Verify(t.Context())
		require.NoError(t, err)
		part, err := b.VerifySince(t.Context(), since)
		require.NoError(t, err)
		if !whole.OK() {
			found++
			require.False(t, part.OK(), "edit of sort %d: %v", what, whole.Problems)
		}
	}
	require.Greater(t, found, 180/slowness)
}

func twice(a currency.Amount) currency.Amount {
	sum, err := a.Add(a)
	if err != nil {
		panic(err)
	}
	return sum
}
