// Package postgres keeps books in PostgreSQL: the store for more than one process, and for more than one machine.
//
//	conn, err := pgx.Connect(ctx, url)
//	err = postgres.Migrate(ctx, conn, postgres.MigrateOptions{}) // once a deployment
//
//	store, err := postgres.Open(ctx, url, postgres.Options{})
//	book := ledger.New(store, ledger.Config{Book: "acme"})
//
// All rules stay in package ledger. This package locks the rows that a batch of entries names, in one order for all
// processes, hands them to the rule book, and writes what it decides with a handful of array statements: two round trips
// and one commit for up to a thousand entries. There are no triggers, functions or advisory locks on the way, and no row
// that every entry of a book must lock.
package postgres
