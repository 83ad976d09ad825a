// Bank debits and credits as Nacha files. A module of its own, so that nobody who imports kosh gets the file format's library.
module github.com/koshpay/kosh/providers/ach

go 1.26.0

require (
	github.com/google/uuid v1.6.0
	github.com/koshpay/kosh v0.1.0
	github.com/moov-io/ach v1.40.0
	github.com/moov-io/base v0.49.4
	github.com/stretchr/testify v1.12.1
	golang.org/x/text v0.43.0
)

require (
	github.com/igrmk/treemap/v2 v2.0.1 // indirect
	github.com/moov-io/iso4217 v0.3.0 // indirect
	github.com/rickar/cal/v2 v2.1.15 // indirect
	github.com/shopspring/decimal v1.6.0 // indirect
	go.yaml.in/yaml/v3 v3.0.5 // indirect
	golang.org/x/exp v0.0.0-20240604190554-fc45aab8b7f8 // indirect
	golang.org/x/net v0.26.0 // indirect
	golang.org/x/sync v0.24.0 // indirect
)

replace github.com/koshpay/kosh => ../..
