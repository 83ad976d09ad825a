package postgres_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/ledger/postgres"
)

// Tests that kill processes, or need several, run this test program again as a child that works on one book.

// job is what a child does, in its environment.
type job struct {
	Kind      string // "record" until it is killed, "contend" for so many seconds
	URL       string
	Schema    string
	Log       string // where acknowledged keys go, each fsynced
	Shape     string // of contend
	Seconds   int
	Seed      int
	Isolation pgx.TxIsoLevel
}

const jobVariable = "KOSH_POSTGRES_CHILD"

func (j job) String() string {
	return strings.Join([]string{j.Kind, j.URL, j.Schema, j.Log, j.Shape, strconv.Itoa(j.Seconds), strconv.Itoa(j.Seed), string(j.Isolation)}, "\x1f")
}

func jobFrom(text string) (j job) {
	f := strings.Split(text, "\x1f")
	j = job{Kind: f[0], URL: f[1], Schema: f[2], Log: f[3], Shape: f[4], Isolation: pgx.TxIsoLevel(f[7])}
	j.Seconds, _ = strconv.Atoi(f[5])
	j.Seed, _ = strconv.Atoi(f[6])
	return j
}

// child is the main function of a child; what it returns is its exit status.
func child(text string) int {
	j := jobFrom(text)
	ctx := context.Background()
	store, err := postgres.Open(ctx, j.URL, postgres.Options{Schema: j.Schema, Isolation: j.Isolation, Patience: time.Minute})
	for try := 0; err != nil && try < 10; try++ { // over a line that drops connections
		store, err = postgres.Open(ctx, j.URL, postgres.Options{Schema: j.Schema, Isolation: j.Isolation, Patience: time.Minute})
	}
	if err != nil {
		fmt.Println(err)
		return 1
	}
	defer store.Close()
	book := ledger.New(store, ledger.Config{})
	if j.Kind == "contend" {
		err = j.contend(ctx, book)
	} else {
		err = j.record(ctx, book)
	}
	if err != nil {
		fmt.Println(err)
		return 1
	}
	return 0
}

func wallet(i int) ledger.AccountID {
	return ledger.AccountID{Path: fmt.Sprintf("wallet/%d", i), Asset: "USD"}
}

func cents(n int64) currency.Amount { return currency.MustNew(n, currency.USD) }

// record pays a cent a time, until the process is killed, and notes every key once it is acknowledged.
func (j job) record(ctx context.Context, book *ledger.Book) error {
	log, err := os.OpenFile(j.Log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	acknowledged := make(chan string, 1_000)
	failed := make(chan error, 1)
	for g := range 16 {
		go func() {
			rnd := rand.New(rand.NewPCG(uint64(j.Seed), uint64(g)))
			for i := 0; ; i++ {
				key := fmt.Sprintf("%d/%d/%d", j.Seed, g, i)
				if _, err := book.Record(ctx, ledger.Entry{Key: key, Commands: []ledger.Command{ledger.Transfer(bank, wallet(rnd.IntN(wallets)), cents(1))}}); err != nil {
					failed <- fmt.Errorf("record %s: %w", key, err)
					return
				}
				acknowledged <- key
			}
		}()
	}
	for {
		select {
		case err := <-failed:
			return err
		case key := <-acknowledged:
			lines := key + "\n"
			for len(acknowledged) > 0 {
				lines += <-acknowledged + "\n"
			}
			if _, err := log.WriteString(lines); err != nil {
				return err
			}
			if err := log.Sync(); err != nil {
				return err
			}
		}
	}
}

const wallets = 40

// contend has 32 goroutines pay each other in the ways that hurt.
func (j job) contend(ctx context.Context, book *ledger.Book) error {
	deadline := time.Now().Add(time.Duration(j.Seconds) * time.Second)
	var all sync.WaitGroup
	var recorded, number atomic.Int64
	errs := make(chan error, 32)
	for g := range 32 {
		all.Go(func() {
			rnd := rand.New(rand.NewPCG(uint64(j.Seed), uint64(g)))
			for time.Now().Before(deadline) {
				for _, o := range book.RecordAll(ctx, j.entries(rnd, g, &number)) {
					if o.Err != nil {
						errs <- o.Err
						return
					}
					recorded.Add(1)
				}
			}
		})
	}
	all.Wait()
	close(errs)
	var err error
	for e := range errs {
		err = errors.Join(err, e)
	}
	fmt.Println("recorded", recorded.Load())
	return err
}

func (j job) entries(rnd *rand.Rand, g int, number *atomic.Int64) []ledger.Entry {
	transfer := func(key string, from, to int) ledger.Entry {
		return ledger.Entry{Key: key, Commands: []ledger.Command{ledger.Transfer(wallet(from), wallet(to), cents(1))}}
	}
	own := fmt.Sprintf("%s/%d/%d/%d", j.Shape, j.Seed, g, number.Add(1))
	other := 1 + rnd.IntN(wallets-1)
	switch j.Shape {
	case "hot debit":
		return []ledger.Entry{transfer(own, 0, other)}
	case "hot credit":
		return []ledger.Entry{transfer(own, other, 0)}
	case "identical keys":
		// All processes go through the same keys at about the same time, each in an order of its own.
		first := int(number.Load()) / 32 * 20
		entries := make([]ledger.Entry, 20)
		for i, at := range rnd.Perm(20) {
			n := first + at
			entries[i] = transfer(fmt.Sprintf("%s/%s/%d", j.Shape, j.Isolation, n), n%wallets, (n+1+n/wallets)%wallets)
			if n%wallets == (n+1+n/wallets)%wallets {
				entries[i] = transfer(fmt.Sprintf("%s/%s/%d", j.Shape, j.Isolation, n), 0, 1)
			}
		}
		return entries
	default:
		from := rnd.IntN(wallets)
		return []ledger.Entry{transfer(own, from, (from+other)%wallets)}
	}
}

// start runs a child. Its connections are called by the schema.
func (j job) start(t *testing.T) (*exec.Cmd, *bytes.Buffer) {
	t.Helper()
	j.URL = with(t, j.URL, "application_name", j.Schema)
	c := exec.CommandContext(context.WithoutCancel(t.Context()), os.Args[0], "-test.run", "^$")
	c.Env = append(os.Environ(), jobVariable+"="+j.String())
	out := new(bytes.Buffer)
	c.Stdout, c.Stderr = out, out
	require.NoError(t, c.Start())
	return c, out
}

// openBook makes a book with wallets and a bank.
func openBook(t *testing.T, url, schema string) *ledger.Book {
	t.Helper()
	book := ledger.New(open(t, url, postgres.Options{Schema: schema, Patience: time.Minute}), ledger.Config{})
	commands := []ledger.Command{ledger.OpenAccount{Account: bank, Type: ledger.Asset}}
	for i := range wallets {
		commands = append(commands, ledger.OpenAccount{Account: wallet(i), Type: ledger.Liability})
	}
	_, err := book.Record(t.Context(), ledger.Entry{Key: "open", Commands: commands})
	require.NoError(t, err)
	return book
}

// acknowledged reads the log of a child; a last line that was cut off was not acknowledged.
func acknowledged(t *testing.T, path string) (keys []string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		return nil
	}
	require.NoError(t, err)
	text = text[:bytes.LastIndexByte(text, '\n')+1]
	for s := bufio.NewScanner(bytes.NewReader(text)); s.Scan(); {
		keys = append(keys, s.Text())
	}
	return keys
}

// awaitGrowth waits until a child has acknowledged more than it had.
func awaitGrowth(t *testing.T, path string, had int, c *exec.Cmd, out *bytes.Buffer) int {
	t.Helper()
	patience := time.Now().Add(2 * time.Minute)
	for {
		if n := len(acknowledged(t, path)); n > had {
			return n
		}
		if time.Now().After(patience) || syscall.Kill(c.Process.Pid, 0) != nil {
			require.FailNow(t, "the child does not go on", "%s", out)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// awaitEnd waits until the server has noticed that a child is dead: until then its last commit may be under way.
func awaitEnd(t *testing.T, url, schema string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close(t.Context())) }()
	for busy := true; busy; {
		require.NoError(t, conn.QueryRow(t.Context(), "select exists (select from pg_stat_activity where application_name = $1)", schema).Scan(&busy))
	}
}

// audit proves that everything acknowledged is there, that no key had two effects, and that the book adds up. It returns how many
// entries are there that nobody was told of.
func audit(t *testing.T, book *ledger.Book, logs ...string) (told, untold int) {
	t.Helper()
	there := map[string]int{}
	total := currency.Zero(currency.USD)
	for tx, err := range book.Transactions(t.Context(), ledger.Query{Limit: ledger.MaxPage}) {
		require.NoError(t, err)
		there[tx.Key]++
		total, err = total.Add(tx.Postings[0].Amount)
		require.NoError(t, err)
	}
	for key, n := range there {
		require.Equal(t, 1, n, "key %s has %d effects", key, n)
	}
	for _, log := range logs {
		for _, key := range acknowledged(t, log) {
			require.Contains(t, there, key, "acknowledged and lost")
			told++
		}
	}
	info, err := book.Info(t.Context(), bank)
	require.NoError(t, err)
	assert.Equal(t, total, info.Posted, "the bank has paid what the transactions say")
	v, err := book.Verify(t.Context())
	require.NoError(t, err)
	require.Empty(t, v.Problems)
	return told, len(there) - told
}
