package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	_ "modernc.org/sqlite"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/ledger/sqlite"
	"github.com/koshpay/kosh/payments"
	"github.com/koshpay/kosh/providers"
	"github.com/koshpay/kosh/providers/sandbox"
)

// A tip, the like that goes with it and the notification are one commit: the app's own tables lie in the same database.
// When the app's transaction is rolled back, nobody was ever paid.
func Example_oneCommit() {
	ctx := context.Background()
	folder := must(os.MkdirTemp("", "kosh"))
	defer func() { _ = os.RemoveAll(folder) }()
	file := filepath.Join(folder, "app.db")

	// kosh's tables and the app's in one file.
	store := must(sqlite.Open(ctx, file, sqlite.Options{}))
	defer func() { _ = store.Close() }()
	db := must(sql.Open("sqlite", "file:"+file+"?_txlock=immediate&_busy_timeout=10000"))
	defer func() { _ = db.Close() }()
	must(db.ExecContext(ctx, `CREATE TABLE likes (post TEXT, member TEXT); CREATE TABLE notifications (member TEXT, text TEXT)`))

	svc := must(payments.New(ledger.New(store, ledger.Config{}), payments.Config{}))
	if err := svc.Register(must(sandbox.New(sandbox.Config{Assets: []currency.Asset{currency.USD}, Secret: []byte("s")}))); err != nil {
		panic(err)
	}
	alice := payments.Member("alice")
	for _, member := range []string{"alice", "bob"} {
		if err := svc.OpenWallet(ctx, payments.Member(member), member, currency.USD); err != nil {
			panic(err)
		}
	}
	card := must(svc.Link(ctx, payments.LinkRequest{Key: "1", Actor: alice, Member: "alice", Method: providers.Card, Token: sandbox.TokenCard}))
	must(svc.Deposit(ctx, payments.DepositRequest{Key: "2", Actor: alice, Member: "alice", Amount: currency.MustParse("20.00", currency.USD), Instrument: card.ID}))

	// What the app's handler of a like with a tip does.
	like := func(post, key string, fail error) error {
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer func() { _ = tx.Rollback() }() // does nothing after a commit
		if _, err := tx.ExecContext(ctx, `INSERT INTO likes VALUES (?, 'alice')`, post); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO notifications VALUES ('bob', 'alice likes your post')`); err != nil {
			return err
		}
		_, err = svc.In(sqlite.Join(tx)).Tip(ctx, payments.TransferRequest{
			Key: key, Actor: alice, From: "alice", To: "bob", Amount: currency.MustParse("2.00", currency.USD), Reference: post,
		})
		if err := errors.Join(err, fail); err != nil {
			return err
		}
		return tx.Commit()
	}
	show := func(err error) {
		var likes, notifications int
		if err := db.QueryRowContext(ctx, `SELECT (SELECT count(*) FROM likes), (SELECT count(*) FROM notifications)`).Scan(&likes, &notifications); err != nil {
			panic(err)
		}
		wallets := must(svc.Wallets(ctx, payments.Member("bob"), "bob"))
		fmt.Printf("%d likes, %d notifications, bob has %v; error: %v\n", likes, notifications, wallets[0].Posted, err)
	}

	show(like("post-1", "a", nil))
	show(like("post-2", "b", errors.New("the app changed its mind")))
	show(like("post-2", "b", nil)) // nothing was there, so the same key is new

	// Output:
	// 1 likes, 1 notifications, bob has 2.00 USD; error: <nil>
	// 1 likes, 1 notifications, bob has 2.00 USD; error: the app changed its mind
	// 2 likes, 2 notifications, bob has 4.00 USD; error: <nil>
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
