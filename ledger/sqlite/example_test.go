package sqlite_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/ledger/sqlite"
)

// A book in a file: what was recorded is there after a restart, and the same key has no second effect.
func Example() {
	ctx := context.Background()
	folder, err := os.MkdirTemp("", "kosh")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(folder) }()
	path := filepath.Join(folder, "book.db")

	alice := ledger.AccountID{Path: "wallet/alice", Asset: "USD"}
	bob := ledger.AccountID{Path: "wallet/bob", Asset: "USD"}
	tip := ledger.Entry{Key: "tip/1", Commands: []ledger.Command{
		ledger.OpenAccount{Account: alice, Type: ledger.Liability, Owner: "alice"},
		ledger.OpenAccount{Account: bob, Type: ledger.Liability, Owner: "bob"},
		ledger.Transfer(alice, bob, currency.MustParse("5.00", currency.USD)),
	}}
	for range 2 { // the second time is another day
		store, err := sqlite.Open(ctx, path, sqlite.Options{})
		if err != nil {
			panic(err)
		}
		book := ledger.New(store, ledger.Config{Book: "acme"})
		receipt, err := book.Record(ctx, tip)
		if err != nil {
			panic(err)
		}
		b, err := book.Balances(ctx, ledger.AsOf{}, bob)
		if err != nil {
			panic(err)
		}
		fmt.Println("replayed:", receipt.Replayed, "bob:", b[0].Posted)
		if err := store.Close(); err != nil {
			panic(err)
		}
	}

	// Output:
	// replayed: false bob: 5.00 USD
	// replayed: true bob: 5.00 USD
}

// What a person sees with sqlite3 book.db "SELECT … FROM statement".
func Example_views() {
	ctx := context.Background()
	folder, err := os.MkdirTemp("", "kosh")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(folder) }()
	path := filepath.Join(folder, "book.db")
	store, err := sqlite.Open(ctx, path, sqlite.Options{})
	if err != nil {
		panic(err)
	}
	defer func() { _ = store.Close() }()
	book := ledger.New(store, ledger.Config{
		Book: "acme", Clock: func() time.Time { return time.Date(2026, time.November, 23, 9, 0, 0, 0, time.UTC) },
	})
	ether := currency.MustDefine(currency.Info{ID: "eip155:1/slip44:60", Code: "ETH", Scale: 18, Kind: currency.Crypto})
	alice := ledger.AccountID{Path: "wallet/alice", Asset: ether.ID()}
	chain := ledger.AccountID{Path: "chain/ethereum", Asset: ether.ID()}
	_, err = book.Record(ctx, ledger.Entry{Key: "deposit/1", Commands: []ledger.Command{
		ledger.OpenAccount{Account: chain, Type: ledger.Asset},
		ledger.OpenAccount{Account: alice, Type: ledger.Liability, Owner: "alice"},
		ledger.Transfer(chain, alice, currency.MustParse("12.5", ether)),
	}})
	if err != nil {
		panic(err)
	}

	db, err := sql.Open("sqlite", "file:"+path+"?mode=ro")
	if err != nil {
		panic(err)
	}
	defer func() { _ = db.Close() }()
	rows, err := db.QueryContext(ctx, `SELECT path, line, kind, coalesce(side, ''), coalesce(amount, ''), posted, recorded_at, coalesce(key, '')
		FROM statement WHERE book = 'acme' ORDER BY path, line`)
	if err != nil {
		panic(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var path, kind, side, amount, posted, at, key string
		var line int
		if err := rows.Scan(&path, &line, &kind, &side, &amount, &posted, &at, &key); err != nil {
			panic(err)
		}
		fmt.Printf("%s|%d|%s|%s|%s|%s|%s|%s\n", path, line, kind, side, amount, posted, at, key)
	}
	if err := rows.Err(); err != nil {
		panic(err)
	}

	// Output:
	// chain/ethereum|1|opened||0.000000000000000000|0.000000000000000000|2026-11-23 09:00:00.000000|
	// chain/ethereum|2|posted|debit|12.500000000000000000|12.500000000000000000|2026-11-23 09:00:00.000000|deposit/1
	// wallet/alice|1|opened||0.000000000000000000|0.000000000000000000|2026-11-23 09:00:00.000000|
	// wallet/alice|2|posted|credit|12.500000000000000000|12.500000000000000000|2026-11-23 09:00:00.000000|deposit/1
}

// The tip and the app's own row are committed together, or neither is.
func ExampleJoin() {
	ctx := context.Background()
	folder, err := os.MkdirTemp("", "kosh")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(folder) }()
	path := filepath.Join(folder, "app.db")
	store, err := sqlite.Open(ctx, path, sqlite.Options{})
	if err != nil {
		panic(err)
	}
	defer func() { _ = store.Close() }()
	book := ledger.New(store, ledger.Config{Book: "acme"})
	alice := ledger.AccountID{Path: "wallet/alice", Asset: "USD"}
	bob := ledger.AccountID{Path: "wallet/bob", Asset: "USD"}
	_, err = book.Record(ctx, ledger.Entry{Key: "open", Commands: []ledger.Command{
		ledger.OpenAccount{Account: alice, Type: ledger.Liability}, ledger.OpenAccount{Account: bob, Type: ledger.Liability},
	}})
	if err != nil {
		panic(err)
	}

	db, err := sql.Open("sqlite", "file:"+path+"?_txlock=immediate&_busy_timeout=10000&_journal_mode=WAL&_synchronous=FULL")
	if err != nil {
		panic(err)
	}
	defer func() { _ = db.Close() }()
	if _, err := db.ExecContext(ctx, `CREATE TABLE likes (post TEXT, member TEXT)`); err != nil {
		panic(err)
	}
	tip := func(key string, commit bool) error {
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer func() { _ = tx.Rollback() }() // nothing after a commit
		if _, err := tx.ExecContext(ctx, `INSERT INTO likes VALUES ('post/1', 'alice')`); err != nil {
			return err
		}
		_, err = book.In(sqlite.Join(tx)).Record(ctx, ledger.Entry{Key: key, Commands: []ledger.Command{
			ledger.Transfer(alice, bob, currency.MustParse("5.00", currency.USD)),
		}})
		if err != nil || !commit {
			return err
		}
		return tx.Commit()
	}
	for _, commit := range []bool{true, false} {
		if err := tip(fmt.Sprint("tip/", commit), commit); err != nil {
			panic(err)
		}
		var likes int
		if err := db.QueryRowContext(ctx, `SELECT count(*) FROM likes`).Scan(&likes); err != nil {
			panic(err)
		}
		b, err := book.Balances(ctx, ledger.AsOf{}, bob)
		if err != nil {
			panic(err)
		}
		fmt.Println("committed:", commit, "likes:", likes, "bob:", b[0].Posted)
	}

	// Output:
	// committed: true likes: 1 bob: 5.00 USD
	// committed: false likes: 1 bob: 5.00 USD
}
