// Package payments over the EVM adapter. A module of its own, so that nobody who imports payments gets a curve's arithmetic.
module github.com/koshpay/kosh/payments/internal/evm

go 1.26.0

require (
	github.com/koshpay/kosh v0.1.0
	github.com/koshpay/kosh/providers/evm v0.1.0
	github.com/koshpay/kosh/providers/hdkey v0.1.0
	github.com/shopspring/decimal v1.6.0
	github.com/stretchr/testify v1.12.1
)

require (
	github.com/decred/dcrd/dcrec/secp256k1/v4 v4.4.1 // indirect
	github.com/google/uuid v1.6.0 // indirect
	go.yaml.in/yaml/v3 v3.0.5 // indirect
	golang.org/x/crypto v0.57.0 // indirect
	golang.org/x/sys v0.48.0 // indirect
	golang.org/x/text v0.43.0 // indirect
)

replace (
	github.com/koshpay/kosh => ../../..
	github.com/koshpay/kosh/providers/evm => ../../../providers/evm
	github.com/koshpay/kosh/providers/hdkey => ../../../providers/hdkey
)
