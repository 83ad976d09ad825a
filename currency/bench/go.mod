// Benchmarks of currency beside other libraries. A module of its own, so that nobody who imports kosh gets them.
module github.com/koshpay/kosh/currency/bench

go 1.26.0

require (
	github.com/Rhymond/go-money v1.0.15
	github.com/bojanz/currency v1.4.4
	github.com/cockroachdb/apd/v3 v3.2.3
	github.com/govalues/decimal v0.1.36
	github.com/govalues/money v0.2.4
	github.com/koshpay/kosh v0.1.0
	github.com/shopspring/decimal v1.6.0
	github.com/stretchr/testify v1.12.1
	golang.org/x/text v0.43.0
)

require go.yaml.in/yaml/v3 v3.0.5 // indirect

replace github.com/koshpay/kosh => ../..
