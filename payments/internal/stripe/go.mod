// Package payments over the Stripe adapter. A module of its own, so that nobody who imports payments gets Stripe's library.
module github.com/koshpay/kosh/payments/internal/stripe

go 1.26.0

require (
	github.com/koshpay/kosh v0.1.0
	github.com/koshpay/kosh/providers/stripe v0.1.0
	github.com/shopspring/decimal v1.6.0
	github.com/stretchr/testify v1.12.1
)

require (
	github.com/google/uuid v1.6.0 // indirect
	github.com/stripe/stripe-go/v82 v82.2.1 // indirect
	go.yaml.in/yaml/v3 v3.0.5 // indirect
	golang.org/x/text v0.43.0 // indirect
)

replace (
	github.com/koshpay/kosh => ../../..
	github.com/koshpay/kosh/providers/stripe => ../../../providers/stripe
)
