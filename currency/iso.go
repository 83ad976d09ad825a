package currency

import "slices"

// Currencies used often. Every other one is at hand too: [Lookup]("CHF").
var (
	AUD = isoByCode["AUD"] // Australian dollar
	BRL = isoByCode["BRL"] // Brazilian real
	CAD = isoByCode["CAD"] // Canadian dollar
	CHF = isoByCode["CHF"] // Swiss franc
	CNY = isoByCode["CNY"] // Yuan renminbi
	EUR = isoByCode["EUR"] // Euro
	GBP = isoByCode["GBP"] // Pound sterling
	HKD = isoByCode["HKD"] // Hong Kong dollar
	IDR = isoByCode["IDR"] // Rupiah
	INR = isoByCode["INR"] // Indian rupee
	JPY = isoByCode["JPY"] // Yen
	KRW = isoByCode["KRW"] // Won
	KWD = isoByCode["KWD"] // Kuwaiti dinar
	MXN = isoByCode["MXN"] // Mexican peso
	NGN = isoByCode["NGN"] // Naira
	NZD = isoByCode["NZD"] // New Zealand dollar
	PLN = isoByCode["PLN"] // Zloty
	SEK = isoByCode["SEK"] // Swedish krona
	SGD = isoByCode["SGD"] // Singapore dollar
	USD = isoByCode["USD"] // US dollar
	ZAR = isoByCode["ZAR"] // Rand
)

// isoByCode is complete before any other code runs and never written again, so
// it is read without a lock.
var isoByCode = loadISO()

func loadISO() map[AssetID]*Definition {
	m := make(map[AssetID]*Definition, len(isoCurrent)+len(isoWithdrawn))
	for _, rows := range [...][]isoRow{isoCurrent[:], isoWithdrawn[:]} {
		for i := range rows {
			r := &rows[i]
			m[AssetID(r.code)] = newDefinition(Info{
				ID: AssetID(r.code), Code: r.code, Name: r.name, Scale: r.scale, Kind: Fiat,
				Symbol: r.symbol, NarrowSymbol: r.narrow, Numeric: r.num,
				CashStep: r.cash, Withdrawn: r.withdrawn,
			})
		}
	}
	return m
}

// ISO returns the currencies and funds of ISO 4217 that are in use, sorted by
// code: what to offer in a menu. Codes without a minor unit (gold, special
// drawing rights, XTS, XXX) are no assets here, because ISO does not say what
// their smallest unit would be and two hosts would choose differently; define
// one of your own, such as "app:acme/gold-gram". The slice is the caller's.
func ISO() []*Definition { return isoList(isoCurrent[:]) }

// WithdrawnISO returns the currencies that ISO 4217 has withdrawn and whose
// minor unit is on record, sorted by code. They are known, so that old records
// can be read.
func WithdrawnISO() []*Definition { return isoList(isoWithdrawn[:]) }

func isoList(rows []isoRow) []*Definition {
	list := make([]*Definition, len(rows))
	for i := range rows {
		list[i] = isoByCode[AssetID(rows[i].code)]
	}
	return list
}

// LookupNumeric returns the current ISO 4217 currency with a numeric code, such
// as 840 for USD. Withdrawn ones are not considered, because their numbers are
// used again.
func LookupNumeric(numeric uint16) (*Definition, bool) {
	i := slices.IndexFunc(isoCurrent[:], func(r isoRow) bool { return r.num == numeric })
	if i < 0 {
		return nil, false
	}
	return isoByCode[AssetID(isoCurrent[i].code)], true
}
