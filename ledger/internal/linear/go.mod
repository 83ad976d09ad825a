// Linearizability of concurrent histories. A module of its own, so that nobody who imports kosh gets the checker.
module github.com/koshpay/kosh/ledger/internal/linear

go 1.26.0

require (
	github.com/anishathalye/porcupine v1.3.1
	github.com/google/uuid v1.6.0
	github.com/koshpay/kosh v0.1.0
	github.com/stretchr/testify v1.12.1
)

require (
	github.com/shopspring/decimal v1.6.0 // indirect
	go.yaml.in/yaml/v3 v3.0.5 // indirect
	golang.org/x/text v0.43.0 // indirect
)

replace github.com/koshpay/kosh => ../../..
