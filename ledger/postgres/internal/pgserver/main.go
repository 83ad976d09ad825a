// Command pgserver runs a throwaway PostgreSQL server for tests outside this module: it prints the server's address on a line of
// its own and runs until its standard input ends, or it is told to stop; then the server and its folder are removed.
//
// It exits with 77 when PostgreSQL is not installed.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/koshpay/kosh/ledger/postgres/internal/pgtest"
)

const missing = 77

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	server, err := pgtest.Launch(ctx, "fsync=off") // it lives as long as its clients: nothing of it is to survive a power cut
	if err != nil {
		_, _ = fmt.Fprintln(os.Stderr, err)
		if errors.Is(err, pgtest.ErrMissing) {
			os.Exit(missing)
		}
		os.Exit(1)
	}
	_, _ = fmt.Fprintln(os.Stdout, server.URL("postgres"))
	ended := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		close(ended)
	}()
	select {
	case <-ended:
	case <-ctx.Done():
	}
	if err := server.Remove(); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
