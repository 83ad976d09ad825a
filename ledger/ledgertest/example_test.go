package ledgertest_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/ledger/ledgertest"
	"github.com/koshpay/kosh/ledger/memory"
)

// The whole of the test that a new store needs; here the store is package memory, and a restart is a copy.
func Example() {
	_ = func(t *testing.T) { // func TestStore(t *testing.T)
		ledgertest.Run(t, ledgertest.Harness{
			Open:   func(*testing.T) ledger.Store { return memory.New() },
			Reopen: func(_ *testing.T, s ledger.Store) ledger.Store { return s.(*memory.Store).Clone() },
		})
	}
}

// A test shows that something left a book as it was by comparing dumps, and when it did not, in which rows.
func ExampleDiff() {
	ctx, s := context.Background(), memory.New()
	count := func(to uint64) error {
		return s.Update(ctx, "acme", ledger.Names{Sequences: []string{"tips"}}, func(ledger.Rows) (ledger.Rows, ledger.Names, error) {
			return ledger.Rows{Sequences: []ledger.SequenceRow{{Name: "tips", Last: to}}}, ledger.Names{}, nil
		})
	}
	_ = count(1)
	before, _ := ledgertest.Dump(ctx, s, "acme")
	_ = count(2)
	after, _ := ledgertest.Dump(ctx, s, "acme")
	fmt.Print(ledgertest.Diff(before, after))
	// Output:
	// - {"list":"sequences","row":{"name":"tips","last":1}}
	// + {"list":"sequences","row":{"name":"tips","last":2}}
}
