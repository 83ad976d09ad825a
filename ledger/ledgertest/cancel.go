package ledgertest

import (
	"context"
	"errors"

	"github.com/koshpay/kosh/ledger"
)

var cancelChecks = []Check{{
	Name:   "a-cancelled-context-does-nothing",
	Rule:   "With a context that has ended already, every method returns its error before anything else: decide is not called and nothing changes.",
	Advice: "Begin each method with ctx.Err(), or let the driver say so; wrap it so that errors.Is still finds it.",
	Run:    checkCancelled,
}}

func checkCancelled(t *T) {
	sc, write := aWorldAndAWrite(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := sc.store.Update(ctx, sc.book, namesOf(write), func(ledger.Rows) (ledger.Rows, ledger.Names, error) {
		t.Errorf("decide was called")
		return write, ledger.Names{}, nil
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Update returned %v", err)
	}
	if _, err := sc.store.Read(ctx, sc.book, ledger.Names{Sequences: []string{"sequence"}}); !errors.Is(err, context.Canceled) {
		t.Errorf("Read returned %v", err)
	}
	if _, err := sc.store.Scan(ctx, sc.book, ledger.Range{List: ledger.ListSequences, Limit: 1}); !errors.Is(err, context.Canceled) {
		t.Errorf("Scan returned %v", err)
	}
	sc.compareAll()
}
