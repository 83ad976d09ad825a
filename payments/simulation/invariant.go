package simulation

import (
	"fmt"

	"github.com/koshpay/kosh/ledger"
)

// Invariant names what must always hold; the numbers are those of DESIGN section 6.
type Invariant string

// The invariants that the simulation checks.
const (
	ZeroSum     Invariant = "1 every asset sums to zero"
	Fold        Invariant = "2 a balance is the fold of its lines, now and at any past moment"
	Bounds      Invariant = "3 no balance goes beyond its bounds"
	HeldSum     Invariant = "4 held is the sum of the open holds"
	OneEffect   Invariant = "5 a key has at most one effect"
	Lasting     Invariant = "6 an acknowledged result never changes or vanishes"
	Spotless    Invariant = "7 a refusal leaves no trace but its key"
	Clearing    Invariant = "8 clearing is the provider's own truth, less what is not taken in yet"
	Once        Invariant = "9 a key is executed at most once at the provider"
	HoldOnce    Invariant = "10 a hold resolves once and backs its payment"
	Legal       Invariant = "11 derived states are legal"
	Refundable  Invariant = "12 refunds stay within what was captured"
	Limits      Invariant = "13 limits hold"
	Shares      Invariant = "14 allocations sum exactly"
	Sealed      Invariant = "15 an edit of sealed history is found"
	Ends        Invariant = "16 every operation ends or is parked with a case"
	Delivered   Invariant = "17 every event is delivered, in order"
	Apart       Invariant = "18 one book never sees another"
	Lists       Invariant = "19 a filtered list equals brute force"
	RecordFirst Invariant = "record before effect"
	Certain     Invariant = "money is released only when it certainly did not move"
	FactsStand  Invariant = "a fact is never declined"
	HoldFirst   Invariant = "what is taken back comes first from its provisional hold"
	DebtFirst   Invariant = "who owes has nothing to spend"
	Disputes    Invariant = "what is disputed is held, and is where the disputes say"
	OwnersOnly  Invariant = "only its owner takes money out of a wallet, or a fact does"
	Explained   Invariant = "suspense is explained by cases"
	Answered    Invariant = "no error without a cause"
	Sane        Invariant = "the pretend providers agree with themselves"
)

// Breach says how an invariant was broken.
type Breach struct {
	Invariant Invariant
	Detail    string
	Accounts  []ledger.AccountID // whose journal explains it
}

// Error describes the breach.
func (b *Breach) Error() string { return string(b.Invariant) + ": " + b.Detail }

func breach(i Invariant, format string, args ...any) *Breach {
	return &Breach{Invariant: i, Detail: fmt.Sprintf(format, args...)}
}

func (b *Breach) about(accounts ...ledger.AccountID) *Breach {
	b.Accounts = append(b.Accounts, accounts...)
	return b
}
