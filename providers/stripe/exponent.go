package stripe

import (
	"github.com/koshpay/kosh/currency"
)

// exponents are the decimals of Stripe's wire amounts where they are not two. They are Stripe's own, not ISO 4217's: MGA
// has two decimals in ISO and none at Stripe; ISK and UGX have none in ISO, and Stripe kept the two that they had before,
// so that 5 ISK are sent as 500.
var exponents = map[currency.AssetID]uint8{
	"BIF": 0, "CLP": 0, "DJF": 0, "GNF": 0, "JPY": 0, "KMF": 0, "KRW": 0, "MGA": 0, "PYG": 0, "RWF": 0, "VND": 0, "VUV": 0,
	"XAF": 0, "XOF": 0, "XPF": 0,
	"BHD": 3, "JOD": 3, "KWD": 3, "OMR": 3, "TND": 3,
	"ISK": 2, "UGX": 2,
}

// wholePayouts are the currencies that are charged with two decimals and paid out in whole units only.
var wholePayouts = map[currency.AssetID]bool{"HUF": true, "TWD": true}

// minima are the least amounts that Stripe charges, in wire units, where its documentation names one. Stripe converts
// them to the currency that the account settles in, so it may ask for more; it then refuses the charge itself.
var minima = map[currency.AssetID]int64{
	"AED": 200, "AUD": 50, "BGN": 100, "BRL": 50, "CAD": 50, "CHF": 50, "CZK": 1500, "DKK": 250, "EUR": 50, "GBP": 30,
	"HKD": 400, "HUF": 17500, "INR": 50, "JPY": 50, "MXN": 1000, "MYR": 200, "NOK": 300, "NZD": 50, "PLN": 200, "RON": 200,
	"SEK": 300, "SGD": 50, "THB": 1000, "USD": 50,
}

// maxUnits is twelve digits, the most that Stripe takes of any currency. Of most it takes eight, and says so itself.
const maxUnits = 999_999_999_999

func exponent(id currency.AssetID) uint8 {
	if e, ok := exponents[id]; ok {
		return e
	}
	return 2
}

// carries tells whether amounts of the asset can be sent to Stripe. What is not in the tables must have two decimals in ISO
// 4217 as well: guessing would move a hundred times too much.
func carries(a currency.Asset) bool {
	_, listed := exponents[a.ID()]
	return a.Kind() == currency.Fiat && len(a.ID()) == 3 && (listed || a.Scale() == 2)
}

// chargeStep is the increment of deposits and refunds: the last of three decimals must be 0. Amount{}: any amount.
func chargeStep(a currency.Asset) (currency.Amount, error) {
	if exponent(a.ID()) == 3 {
		return currency.FromMinor(10, 3, a)
	}
	return currency.Amount{}, nil
}

// payoutStep is the increment of withdrawals.
func payoutStep(a currency.Asset) (currency.Amount, error) {
	if wholePayouts[a.ID()] {
		return currency.FromMinor(100, 2, a)
	}
	return chargeStep(a)
}
