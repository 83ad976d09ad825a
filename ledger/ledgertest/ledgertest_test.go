package ledgertest_test

import (
	"testing"

	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/ledger/ledgertest"
	"github.com/koshpay/kosh/ledger/memory"
)

func harness() ledgertest.Harness {
	return ledgertest.Harness{
		Open:   func(*testing.T) ledger.Store { return memory.New() },
		Reopen: func(_ *testing.T, s ledger.Store) ledger.Store { return s.(*memory.Store).Clone() },
	}
}

func TestMemory(t *testing.T) { ledgertest.Run(t, harness()) }
