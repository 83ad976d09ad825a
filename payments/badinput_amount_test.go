package payments_test

import (
	"math"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/payments"
)

// most and least are the ends of what an amount can be: ±(2¹²⁷−1) smallest units.
func most(a currency.Asset) currency.Amount {
	m, err := currency.FromUnits(math.MaxInt64, math.MaxUint64, a)
	if err != nil {
		panic(err)
	}
	return m
}

func negative(a currency.Amount) currency.Amount {
	n, err := a.Neg()
	if err != nil {
		panic(err)
	}
	return n
}

// badAmounts are wrong for every door.
func badAmounts() []bad {
	amount := func(name string, a currency.Amount, is error) bad {
		return bad{name: name, put: func(_ *world, f *form) { f.amount = a }, is: is, class: payments.ErrInvalid}
	}
	return []bad{
		amount("missing", currency.Amount{}, ledger.ErrInvalid),
		amount("zero dollars", currency.Zero(currency.USD), ledger.ErrInvalid),
		amount("zero coins", currency.Zero(coin), ledger.ErrInvalid),
		amount("minus one cent", negative(currency.MustNew(1, currency.USD)), ledger.ErrInvalid),
		amount("minus one coin", negative(currency.MustParse("1.00", coin)), ledger.ErrInvalid),
		amount("the lowest of all", negative(most(currency.USD)), ledger.ErrInvalid),
		amount("a currency that is not enabled", currency.MustNew(100, currency.INR), payments.ErrUnsupported),
		amount("three decimals, not enabled", currency.MustNew(1_000, currency.KWD), payments.ErrUnsupported),
		amount("a coin that is not enabled", currency.MustNew(100, bitcoin), payments.ErrUnsupported),
		amount("the highest of what is not enabled", most(bitcoin), payments.ErrUnsupported),
		amount("a look-alike of the app's coin", currency.MustNew(100, lookalike), payments.ErrUnsupported),
	}
}

func badWanted() []bad {
	wanted := func(name string, id currency.AssetID, is error) bad {
		return bad{name: name, put: func(_ *world, f *form) { f.wanted = id }, is: is, class: payments.ErrInvalid}
	}
	rows := []bad{
		wanted("the same asset", "USD", payments.ErrNoRate),
		wanted("no rate", "JPY", payments.ErrNoRate),
		wanted("not enabled", "INR", payments.ErrUnsupported),
		wanted("a look-alike", lookalike.ID(), payments.ErrUnsupported),
		{name: "more than can be bought", put: func(_ *world, f *form) { f.wanted, f.amount = coin.ID(), most(currency.USD) }, is: ledger.ErrInvalid, class: payments.ErrInvalid, field: "amount"},
	}
	for _, s := range notAssets() {
		rows = append(rows, wanted(s.name, currency.AssetID(s.text), payments.ErrUnsupported))
	}
	return rows
}

// notAssets are texts that name no asset.
func notAssets() []sample {
	return []sample{
		{"empty", ""},
		{"lower case", "usd"},
		{"with spaces", " USD "},
		{"Cyrillic", "U\u0405D"},
		{"with a zero-width joiner", "US\u200dD"},
		{"NUL", "US\x00D"},
		{"bad UTF-8", "US\xff"},
		{"a path", "../USD"},
		{"a megabyte", huge},
	}
}

// badAssets name wallets that are not there.
func badAssets() []bad {
	asset := func(name string, id currency.AssetID, is error, class ledger.Class) bad {
		return bad{name: name, put: func(_ *world, f *form) { f.asset = id }, is: is, class: class, field: "any"}
	}
	return append(badAssetNames(), asset("a wallet that is not open", "JPY", ledger.ErrAccountNotFound, payments.ErrNotFound))
}

// badAssetNames could name no wallet at all.
func badAssetNames() (rows []bad) {
	for _, s := range notAssets() {
		rows = append(rows, bad{
			name: s.name, put: func(_ *world, f *form) { f.asset = currency.AssetID(s.text) },
			is: ledger.ErrInvalid, class: payments.ErrInvalid, field: "asset",
		})
	}
	return rows
}

// scaled is a host's own asset type that is wrong about a known asset.
type scaled struct {
	*currency.Definition
	scale uint8
}

func (s scaled) Scale() uint8 { return s.scale }

// wants is a price that is asked for wrongly.
func wants(name string, put func(f *form), is error, field string) bad {
	return bad{name: name, put: func(_ *world, f *form) { put(f) }, is: is, class: payments.ErrInvalid, field: field}
}

// bought asks what an amount costs.
func bought(name string, a currency.Amount, from currency.AssetID, is error, field string) bad {
	return wants(name, func(f *form) { f.amount, f.wanted, f.bought, f.from = currency.Amount{}, "", a, from }, is, field)
}

func badOpens() []bad {
	opens := func(name string, is error, all ...currency.Asset) bad {
		return bad{name: name, put: func(_ *world, f *form) { f.opens = all }, is: is, class: payments.ErrInvalid}
	}
	return []bad{
		opens("none", ledger.ErrInvalid),
		opens("nil", ledger.ErrInvalid, nil),
		opens("a nil definition", ledger.ErrInvalid, (*currency.Definition)(nil)),
		opens("one that is enabled and one that is not", payments.ErrUnsupported, currency.EUR, currency.INR),
		opens("a look-alike", payments.ErrUnsupported, lookalike),
		opens("another scale", ledger.ErrInvalid, scaled{currency.USD, 3}),
		opens("a scale beyond all", ledger.ErrInvalid, scaled{currency.USD, 200}),
	}
}

// oddAmounts are wrong for some doors only, by name without the part before the dot.
func oddAmounts() map[string][]bad {
	amount := func(name string, a currency.Amount, is error) bad {
		return bad{name: name, put: func(_ *world, f *form) { f.amount = a }, is: is, class: payments.ErrInvalid}
	}
	declined := func(name string, a currency.Amount, is error) bad {
		return bad{name: name, put: func(w *world, f *form) { f.amount, f.key = a, w.key() }, is: is, class: payments.ErrDeclined, field: "any", burns: true}
	}
	coins := currency.MustParse("1.00", coin)
	poor := []bad{
		declined("a cent more than there is", usd("95.01"), ledger.ErrInsufficientFunds),
		declined("the highest of all", most(currency.USD), ledger.ErrInsufficientFunds),
		declined("coins that nobody has", coins, ledger.ErrInsufficientFunds),
	}
	return map[string][]bad{
		"Deposit": {
			amount("more than a card takes", most(currency.USD), payments.ErrUnsupported),
			amount("coins from a card", coins, payments.ErrUnsupported),
		},
		"Withdraw": {
			amount("more than a bank takes", most(currency.USD), payments.ErrUnsupported),
			declined("a cent more than there is", usd("95.01"), ledger.ErrInsufficientFunds),
		},
		"Send": poor,
		"Tip":  poor,
		"Refund": {
			amount("more than a card gives", most(currency.USD), payments.ErrUnsupported),
			amount("another currency", currency.MustParse("1.00", currency.EUR), ledger.ErrInvalid),
			amount("coins", coins, ledger.ErrInvalid),
			declined("a cent more than came in", usd("100.01"), payments.ErrNotRefundable),
			declined("more than there is", usd("95.01"), ledger.ErrInsufficientFunds),
		},
		"Exchange": {
			{name: "for itself", put: func(_ *world, f *form) { f.amount = currency.MustParse("1.00", currency.EUR) }, is: payments.ErrNoRate, class: payments.ErrInvalid, field: "to"},
			{name: "no rate for it", put: func(_ *world, f *form) { f.amount = currency.MustNew(100, currency.JPY) }, is: payments.ErrNoRate, class: payments.ErrInvalid, field: "to"},
			declined("a cent more than there is", usd("95.01"), ledger.ErrInsufficientFunds),
			{name: "buys nothing", put: func(_ *world, f *form) { f.amount = currency.MustNew(1, currency.USD) }, is: ledger.ErrInvalid, class: payments.ErrInvalid},
			{name: "more coins than were issued", put: func(w *world, f *form) {
				f.amount, f.wanted, f.key = usd("1.00"), coin.ID(), w.key()
			}, is: ledger.ErrInsufficientFunds, class: payments.ErrDeclined, field: "any", burns: true},
		},
		"QuoteExchange": {
			{name: "for itself", put: func(_ *world, f *form) { f.amount = currency.MustParse("1.00", currency.EUR) }, is: payments.ErrNoRate, class: payments.ErrInvalid, field: "to"},
			{name: "buys nothing", put: func(_ *world, f *form) { f.amount = currency.MustNew(1, currency.USD) }, is: ledger.ErrInvalid, class: payments.ErrInvalid},
			wants("both sides fixed", func(f *form) { f.bought, f.wanted = currency.MustParse("1.00", currency.EUR), "" }, ledger.ErrInvalid, "bought"),
			wants("an asset to give for an amount to give", func(f *form) { f.from = "EUR" }, ledger.ErrInvalid, "bought"),
			wants("two assets and no amount", func(f *form) { f.amount, f.from = currency.Amount{}, "USD" }, ledger.ErrInvalid, "to"),
			wants("an asset to give and no amount", func(f *form) { f.amount, f.from, f.wanted = currency.Amount{}, "USD", "" }, ledger.ErrInvalid, "bought"),
			bought("nothing wanted", currency.Zero(currency.EUR), "USD", ledger.ErrInvalid, "bought"),
			bought("less than nothing wanted", negative(currency.MustNew(1, currency.EUR)), "USD", ledger.ErrInvalid, "bought"),
			bought("not enabled", currency.MustNew(100, currency.INR), "USD", payments.ErrUnsupported, "bought"),
			bought("for what is not enabled", currency.MustNew(100, currency.EUR), "INR", payments.ErrUnsupported, "from"),
			bought("for nothing", currency.MustNew(100, currency.EUR), "", payments.ErrUnsupported, "from"),
			bought("for a path", currency.MustNew(100, currency.EUR), "../USD", payments.ErrUnsupported, "from"),
			bought("for itself", currency.MustNew(100, currency.USD), "USD", payments.ErrNoRate, "from"),
			bought("the other way", currency.MustNew(100, currency.USD), "EUR", payments.ErrNoRate, "from"),
			bought("for more than there can be", most(currency.EUR), "USD", ledger.ErrInvalid, "bought"),
		},
		"Issue": {
			amount("dollars", usd("1.00"), ledger.ErrInvalid),
			amount("ether", currency.MustNew(1, ether), ledger.ErrInvalid),
			{name: "more than an account holds", put: func(_ *world, f *form) { f.amount = most(coin) }, is: ledger.ErrOverflow, class: payments.ErrInvalid, field: "any"},
		},
		"Burn": {
			amount("dollars", usd("1.00"), ledger.ErrInvalid),
			amount("ether", currency.MustNew(1, ether), ledger.ErrInvalid),
			declined("a unit more than there is", currency.MustParse("10.01", coin), ledger.ErrInsufficientFunds),
			declined("the highest of all", most(coin), ledger.ErrInsufficientFunds),
		},
		"Forgive": {
			declined("a cent more than is owed", usd("20.01"), payments.ErrNotOwed),
			declined("in a currency that is not owed", currency.MustParse("1.00", currency.EUR), payments.ErrNotOwed),
			declined("the highest of all", most(currency.USD), payments.ErrNotOwed),
		},
	}
}
