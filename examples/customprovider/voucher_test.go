package main

import (
	"testing"

	"github.com/koshpay/kosh/examples/customprovider/internal/scheme"
	"github.com/koshpay/kosh/providers"
	"github.com/koshpay/kosh/providers/providertest"
)

// TestConformance is all that an adapter's author has to write, once the far side can be pretended.
func TestConformance(t *testing.T) {
	providertest.Run(t, providertest.Harness{Open: func(t *testing.T) *providertest.World {
		s := scheme.Open(t.Cleanup)
		open := func() providers.Provider { return NewVouchers(s.URL, scheme.Secret) }
		return &providertest.World{
			Provider: open(), Reopen: open, Secrets: []string{scheme.Secret}, Operation: s.Sample,
			Executed: s.Executed, Moved: s.Moved, Requests: s.Requests, Advance: s.Advance,
			Fault: func(f providertest.Fault) bool { return s.Fault(string(f)) },
		}
	}})
}

func Example() {
	main()
	// Output:
	// Gift card •• 0001
	// topped up: succeeded 40.00 USD
	// too much: failed insufficient_funds
	// given back: succeeded 15.00 USD
	// alice has 25.00 USD
}
