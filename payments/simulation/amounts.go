package simulation

import (
	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
)

// Sums of the witness. An invalid amount counts as zero of the other's asset; what cannot be added gives an invalid
// amount, which equals nothing, so that the comparison after it fails.

func plus(a, b currency.Amount) currency.Amount {
	switch {
	case !a.IsValid():
		return b
	case !b.IsValid():
		return a
	}
	sum, err := a.Add(b)
	if err != nil {
		return currency.Amount{}
	}
	return sum
}

func minus(a, b currency.Amount) currency.Amount {
	if !b.IsValid() {
		return a
	}
	less, err := b.Neg()
	if err != nil {
		return currency.Amount{}
	}
	return plus(a, less)
}

// less compares; an invalid amount counts as zero.
func less(a, b currency.Amount) bool { return minus(a, b).Sign() < 0 }

func least(a, b currency.Amount) currency.Amount {
	if less(a, b) {
		return a
	}
	return b
}

// equal tells whether two amounts are the same, where an invalid one is zero.
func equal(a, b currency.Amount) bool {
	return minus(a, b).Sign() == 0 && (!a.IsValid() || !b.IsValid() || a.Asset() == b.Asset())
}

// signed counts debits as positive.
func signed(s ledger.Side, a currency.Amount) currency.Amount {
	if s == ledger.Debit {
		return a
	}
	return minus(currency.Zero(a.Asset()), a)
}
