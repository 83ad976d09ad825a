package memory_test

import (
	"testing"

	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/ledger/ledgertest"
	"github.com/koshpay/kosh/ledger/memory"
)

// TestConformance lets Clone stand in for a restart: a copy keeps all, in every list.
func TestConformance(t *testing.T) {
	ledgertest.Run(t, ledgertest.Harness{
		Open:   func(*testing.T) ledger.Store { return memory.New() },
		Reopen: func(_ *testing.T, s ledger.Store) ledger.Store { return s.(*memory.Store).Clone() },
	})
}

// TestConformanceOfTheZeroValue runs the same on a store that New did not make.
func TestConformanceOfTheZeroValue(t *testing.T) {
	ledgertest.Run(t, ledgertest.Harness{Open: func(*testing.T) ledger.Store { return new(memory.Store) }})
}
