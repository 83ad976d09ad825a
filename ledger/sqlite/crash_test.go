package sqlite_test

import (
	"bufio"
	"context"
	"fmt"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/ledger/sqlite"
)

// The crash test: a process records entries from several goroutines and writes each key that was acknowledged to a log of
// its own, with an fsync, until it is killed. What was acknowledged must be there, once, whoever opens the file next.
// KOSH_CRASHES says how often; ten times by default, three under the race detector.

const (
	crashWriters  = 8
	crashAccounts = 40
)

func init() { children["crash"] = crashChild }

// crashEntry is the entry of a key, and how many lines it writes. It depends on the key alone, so that whoever knows the key can try
// again.
func crashEntry(key string) (e ledger.Entry, lines int) {
	h := fnv.New64a()
	_, _ = io.WriteString(h, key)
	rnd := rand.New(rand.NewPCG(h.Sum64(), 1))
	from := rnd.IntN(crashAccounts)
	to := (from + 1 + rnd.IntN(crashAccounts-1)) % crashAccounts
	amount := currency.MustNew(1+rnd.Int64N(1_000), currency.USD)
	e.Key = key
	switch rnd.IntN(3) {
	case 0: // a hold that stays for the next entry's eyes, and its capture
		e.Commands = []ledger.Command{
			ledger.PlaceHold{Account: crashAccount(from), Amount: amount},
			ledger.Capture{Hold: ledger.Nth(0), To: []ledger.Portion{{Account: crashAccount(to), Amount: amount}}},
		}
		return e, 3
	case 1:
		e.Commands = []ledger.Command{
			ledger.Transfer(crashAccount(from), crashAccount(to), amount),
			ledger.PutDocument{DocumentID: ledger.DocumentID{Kind: "note", ID: key}, State: "new", Body: []byte(`{"key":"` + key + `"}`)},
		}
		return e, 2
	default:
		e.Commands = []ledger.Command{ledger.Transfer(crashAccount(from), crashAccount(to), amount)}
		return e, 2
	}
}

func crashAccount(i int) ledger.AccountID {
	return ledger.AccountID{Path: fmt.Sprintf("wallet/%02d", i), Asset: "USD"}
}

func crashOpening() ledger.Entry {
	e := ledger.Entry{Key: "open"}
	for i := range crashAccounts {
		e.Commands = append(e.Commands, ledger.OpenAccount{Account: crashAccount(i), Type: ledger.Liability, Owner: "member"})
	}
	return e
}

// crashChild records until it is killed: the file, the log, the number of the run.
func crashChild(args []string) error {
	ctx := context.Background()
	store, err := sqlite.Open(ctx, args[0], sqlite.Options{})
	if err != nil {
		return err
	}
	log, err := os.OpenFile(args[1], os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	book := ledger.New(store, ledger.Config{Rest: time.Millisecond})
	if _, err := book.Record(ctx, crashOpening()); err != nil {
		return err
	}
	failed := make(chan error, crashWriters+1)
	go func() { failed <- book.Run(ctx) }()
	var once sync.Once
	for g := range crashWriters {
		go func() {
			for i := 0; ; i++ {
				e, _ := crashEntry(fmt.Sprintf("%s/%d/%d", args[2], g, i))
				r, err := book.Record(ctx, e)
				if err == nil {
					_, err = fmt.Fprintf(log, "%s %s\n", e.Key, r.ID)
				}
				if err == nil {
					err = log.Sync()
				}
				if err != nil {
					failed <- err
					return
				}
				once.Do(func() { fmt.Println("ready") })
			}
		}()
	}
	return <-failed
}

func TestCrash(t *testing.T) {
	kills := 10
	if raceDetector { // the child has it too
		kills = 3
	}
	if n, err := strconv.Atoi(os.Getenv("KOSH_CRASHES")); err == nil && n > 0 {
		kills = n
	}
	rnd := rand.New(rand.NewPCG(uint64(os.Getpid()), 7))
	var total crashed // of the files before
	var last crashed
	var file, log string
	for run := range kills {
		if run%10 == 0 { // ten crashes a file: everything is read again after each
			folder := t.TempDir()
			file, log = filepath.Join(folder, "book.db"), filepath.Join(folder, "acknowledged")
			total = total.plus(last)
		}
		crash(t, file, log, strconv.Itoa(run), time.Duration(rnd.Int64N(int64(200*time.Millisecond))))
		last = inspect(t, file, log)
	}
	total = total.plus(last)
	t.Logf("%d kills: %d entries acknowledged, all there and replayed; %d more were recorded and not acknowledged; %d lines, %d changes, no problem",
		kills, total.acknowledged, total.silent, total.lines, total.changes)
}

// crash lets a child record and kills it a while after its first answer.
func crash(t *testing.T, file, log, run string, after time.Duration) {
	t.Helper()
	c := child(t, "crash", file, log, run)
	out, err := c.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, c.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err, "the child ended before it was killed")
	require.Equal(t, "ready\n", line)
	time.Sleep(after) // the moment of the kill is random: nothing is decided by it
	require.NoError(t, c.Process.Kill())
	require.Error(t, c.Wait())
}

type crashed struct{ acknowledged, silent, lines, changes int }

func (c crashed) plus(d crashed) crashed {
	return crashed{c.acknowledged + d.acknowledged, c.silent + d.silent, c.lines + d.lines, c.changes + d.changes}
}

// inspect opens what a crash left and checks it.
func inspect(t *testing.T, file, log string) (found crashed) {
	t.Helper()
	ctx := t.Context()
	store, err := sqlite.Open(ctx, file, sqlite.Options{})
	require.NoError(t, err)
	defer func() { require.NoError(t, store.Close()) }()
	book := ledger.New(store, ledger.Config{})

	lines, keys := crashAccounts, map[string]ledger.ID{}
	r := ledger.Range{List: ledger.ListKeys, Limit: ledger.MaxPage}
	for {
		rows, err := store.Scan(ctx, "main", r)
		require.NoError(t, err)
		for _, k := range rows.Keys {
			keys[k.Key] = k.Receipt.ID
			if k.Key != "open" {
				_, n := crashEntry(k.Key)
				lines += n
			}
			r.After = &ledger.Position{A: k.Key}
		}
		if len(rows.Keys) < r.Limit {
			break
		}
	}

	text, err := os.ReadFile(log)
	require.NoError(t, err)
	text = text[:strings.LastIndexByte(string(text), '\n')+1] // the last line may be torn
	var entries []ledger.Entry
	var ids []string
	for line := range strings.Lines(string(text)) {
		key, id, _ := strings.Cut(strings.TrimSpace(line), " ")
		require.Equal(t, keys[key].String(), id, "the acknowledged key %s is lost or is another's", key)
		e, _ := crashEntry(key)
		entries, ids = append(entries, e), append(ids, id)
	}
	for i, o := range book.RecordAll(ctx, entries) {
		require.NoError(t, o.Err)
		require.True(t, o.Receipt.Replayed && o.Receipt.ID.String() == ids[i], "key %s was recorded again", entries[i].Key)
	}

	for n := 1; n > 0; {
		n, err = book.NumberFeed(ctx, ledger.MaxPage)
		require.NoError(t, err)
	}
	v, err := book.Verify(ctx)
	require.NoError(t, err)
	require.Empty(t, v.Problems)
	require.Equal(t, len(keys), v.Keys)
	require.Equal(t, lines, v.Lines, "lines of entries that are not there, or twice")
	require.Equal(t, len(keys)-1, v.Transactions)
	b, err := book.TrialBalance(ctx, ledger.AsOf{})
	require.NoError(t, err)
	require.True(t, b.Balanced())
	return crashed{len(ids), len(keys) - 1 - len(ids), v.Lines, v.Changes}
}
