package ledger_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/ledger/ledgertest"
	"github.com/koshpay/kosh/ledger/memory"
)

func exported(t testing.TB, b *ledger.Book) []byte {
	t.Helper()
	var w bytes.Buffer
	require.NoError(t, b.Export(t.Context(), &w))
	return w.Bytes()
}

// whole is a dump without what Restore counts with.
func whole(t testing.TB, s ledger.Store) string {
	t.Helper()
	text, err := ledgertest.Dump(t.Context(), s, "main")
	require.NoError(t, err)
	var kept []string
	for line := range strings.Lines(string(text)) {
		if !strings.Contains(line, `"restored/`) && !strings.Contains(line, `"list":"leases"`) {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "")
}

func books(t *testing.T) map[string]*world {
	all := map[string]*world{"empty": newWorld(t), "rich": rich(t), "crowded": crowded(t), "tangled": tangled(t)}
	all["sealed"], _ = sealed(t)
	w := rich(t)
	w.do(ledger.EraseDocument{Document: ledger.DocumentID{Kind: "tip", ID: "1"}, Versions: []uint64{1}, Reason: "asked <for>"},
		ledger.PutDocument{DocumentID: ledger.DocumentID{Kind: "odd", ID: "é\u2028"}, Body: json.RawMessage("{ \"a\" : \"<&>\u2028\",\n\t\"n\": 1.50 }"), References: []string{"r/<1>"}},
		ledger.Import{Postings: ledger.Transfer(bank, alice, dollars(5)).Postings, EffectiveAt: start.AddDate(-20, 0, 0)})
	all["odd"] = w
	all["big"] = bulky(t)
	return all
}

// bulky is a book that takes several batches.
func bulky(t *testing.T) *world {
	w := newWorld(t)
	w.furnish(1_000_000)
	for i := range 3 {
		var c []ledger.Command
		for range 900 {
			c = append(c, ledger.Transfer(alice, bob, dollars(1)))
		}
		c = append(c, ledger.PutDocument{DocumentID: ledger.DocumentID{Kind: "k", ID: "1"}, Version: uint64(i), References: []string{fmt.Sprint("ref ", i)}})
		w.do(c...)
	}
	_, err := w.NumberFeed(t.Context(), 2)
	require.NoError(t, err)
	return w
}

// What is exported, restored and exported again is the same, byte for byte, and the book is the same, row for row.
func TestExportRoundTrip(t *testing.T) {
	for name, w := range books(t) {
		t.Run(name, func(t *testing.T) {
			first := exported(t, w.Book)
			s := memory.New()
			b := ledger.New(s, ledger.Config{Clock: w.clock.Now})
			require.NoError(t, b.Restore(t.Context(), bytes.NewReader(first)))
			require.Equal(t, string(first), string(exported(t, b)))
			require.Equal(t, whole(t, w.store), whole(t, s))
			require.NoError(t, b.Restore(t.Context(), bytes.NewReader(first)), "again is nothing")
			require.Equal(t, string(first), string(exported(t, b)))
			c, err := w.Checkpoint(t.Context())
			require.NoError(t, err)
			v, err := b.Verify(t.Context(), c)
			require.NoError(t, err)
			require.Empty(t, v.Problems)
			for line := range bytes.Lines(first) {
				require.True(t, json.Valid(line))
			}
			if name == "empty" {
				return
			}
			// It goes on as any book does.
			_, err = b.Record(t.Context(), ledger.Entry{Key: "after", Commands: []ledger.Command{ledger.Transfer(bank, alice, dollars(1))}})
			require.NoError(t, err)
			_, err = b.NumberFeed(t.Context(), ledger.MaxPage)
			require.NoError(t, err)
			v, err = b.Verify(t.Context(), c)
			require.NoError(t, err)
			require.Empty(t, v.Problems)
			err = w.Restore(t.Context(), bytes.NewReader(first))
			require.ErrorIs(t, err, ledger.ErrBookNotEmpty)
		})
	}
}

// Every damage is found before anything changes, and where.
func TestRestoreRefusesDamage(t *testing.T) {
	w, _ := sealed(t)
	good := exported(t, w.Book)
	lines := strings.SplitAfter(string(good), "\n")
	lines = lines[:len(lines)-1]
	refused := func(what string, text string) {
		t.Helper()
		s := memory.New()
		err := ledger.New(s, ledger.Config{}).Restore(t.Context(), strings.NewReader(text))
		require.ErrorIs(t, err, ledger.ErrDamaged, what)
		require.Contains(t, err.Error(), "line ", what)
		require.Empty(t, whole(t, s), what)
	}
	refused("nothing", "")
	refused("no line", "\n")
	refused("twice", string(good)+string(good))
	refused("a line more", string(good)+lines[1])
	refused("no newline at the end", strings.TrimSuffix(string(good), "\n"))
	for i := range lines {
		at := fmt.Sprintf("line %d", i+1)
		refused("without "+at, strings.Join(append(append([]string{}, lines[:i]...), lines[i+1:]...), ""))
		refused("up to "+at, strings.Join(lines[:i], ""))
		refused(at+" twice", strings.Join(lines[:i+1], "")+strings.Join(lines[i:], ""))
		if i > 0 {
			swapped := append([]string{}, lines...)
			swapped[i-1], swapped[i] = swapped[i], swapped[i-1]
			refused(at+" before the one before", strings.Join(swapped, ""))
		}
		refused(at+" with a space", strings.Join(lines[:i], "")+strings.Replace(lines[i], ":", ": ", 1)+strings.Join(lines[i+1:], ""))
		refused(at+" with a field", strings.Join(lines[:i], "")+strings.Replace(lines[i], "{", `{"x":1,`, 1)+strings.Join(lines[i+1:], ""))
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for range 400 {
		altered := bytes.Clone(good)
		altered[rng.IntN(len(altered))] ^= 1 << rng.IntN(8)
		s := memory.New()
		err := ledger.New(s, ledger.Config{}).Restore(t.Context(), bytes.NewReader(altered))
		require.Error(t, err)
		require.Empty(t, whole(t, s))
	}
	err := ledger.New(memory.New(), ledger.Config{Book: "other"}).Restore(t.Context(), bytes.NewReader(good))
	require.ErrorIs(t, err, ledger.ErrInvalid, "of another book")
}

// failing is a store whose nth update fails.
type failing struct {
	ledger.Store
	after *int
}

func (f failing) Update(ctx context.Context, book string, want ledger.Names, decide ledger.Decide) error {
	if *f.after--; *f.after < 0 {
		return errors.New("connection reset")
	}
	return f.Store.Update(ctx, book, want, decide)
}

func TestRestoreGoesOnWhereItStopped(t *testing.T) {
	w := bulky(t)
	text := exported(t, w.Book)
	s := memory.New()
	for after, over := 0, false; !over; {
		left := after
		err := ledger.New(failing{s, &left}, ledger.Config{}).Restore(t.Context(), bytes.NewReader(text))
		if over = err == nil; !over {
			require.ErrorIs(t, err, ledger.Unavailable)
			after = 2
		}
	}
	require.Equal(t, whole(t, w.store), whole(t, s))
	partly, left := memory.New(), 2
	require.Error(t, ledger.New(failing{partly, &left}, ledger.Config{}).Restore(t.Context(), bytes.NewReader(text)))
	other := exported(t, rich(t).Book)
	require.ErrorIs(t, ledger.New(partly, ledger.Config{}).Restore(t.Context(), bytes.NewReader(other)), ledger.ErrBookNotEmpty, "another file")
}

// recording is a store that somebody writes to while a list is read.
type recording struct {
	ledger.Store
	during ledger.List
	do     func()
}

func (r *recording) Scan(ctx context.Context, book string, at ledger.Range) (ledger.Rows, error) {
	if at.List == r.during && r.do != nil {
		do := r.do
		r.do = nil
		do()
	}
	return r.Store.Scan(ctx, book, at)
}

func TestExportWantsABookThatStandsStill(t *testing.T) {
	for _, l := range []ledger.List{ledger.ListAccounts, ledger.ListTransactions, ledger.ListKeys, ledger.ListFeed} {
		for what, do := range map[string]func(w *world){
			"recorded": func(w *world) { w.do(ledger.Transfer(bank, alice, dollars(1))) },
			"numbered": func(w *world) { _, _ = w.NumberFeed(w.Context(), 100) },
		} {
			w := rich(t)
			err := ledger.New(&recording{w.store, l, func() { do(w) }}, ledger.Config{}).Export(t.Context(), &bytes.Buffer{})
			require.ErrorIs(t, err, ledger.Conflict, "%s while %v were read", what, l)
		}
	}
	require.ErrorIs(t, rich(t).Export(t.Context(), full{}), errFull)
}

var errFull = errors.New("no space left")

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errFull }
