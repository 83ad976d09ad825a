package memory

import (
	"slices"

	"github.com/koshpay/kosh/ledger"
)

// few is up to how many names comparing each with each is quicker than a set.
const few = 16

// distinct returns the names without repetitions; the slice itself when there is none.
func distinct[K comparable](names []K) []K {
	if !repeats(names, func(n *K) K { return *n }) {
		return names
	}
	seen := make(map[K]struct{}, len(names))
	var once []K
	for _, n := range names {
		if _, ok := seen[n]; !ok {
			seen[n] = struct{}{}
			once = append(once, n)
		}
	}
	return once
}

// repeats reports whether two of the rows have the same name.
func repeats[R any, K comparable](rows []R, name func(*R) K) bool {
	if len(rows) < 2 {
		return false
	}
	if len(rows) <= few {
		for i := range rows {
			n := name(&rows[i])
			for j := range rows[:i] {
				if name(&rows[j]) == n {
					return true
				}
			}
		}
		return false
	}
	seen := make(map[K]struct{}, len(rows))
	for i := range rows {
		seen[name(&rows[i])] = struct{}{}
	}
	return len(seen) < len(rows)
}

// joinNames names what either names.
func joinNames(a, b ledger.Names) ledger.Names {
	return ledger.Names{
		Keys:         slices.Concat(a.Keys, b.Keys),
		Accounts:     slices.Concat(a.Accounts, b.Accounts),
		Holds:        slices.Concat(a.Holds, b.Holds),
		Transactions: slices.Concat(a.Transactions, b.Transactions),
		Documents:    slices.Concat(a.Documents, b.Documents),
		Versions:     slices.Concat(a.Versions, b.Versions),
		References:   slices.Concat(a.References, b.References),
		Leases:       slices.Concat(a.Leases, b.Leases),
		Assets:       slices.Concat(a.Assets, b.Assets),
		Pending:      slices.Concat(a.Pending, b.Pending),
		Sequences:    slices.Concat(a.Sequences, b.Sequences),
		DueHolds:     slices.Concat(a.DueHolds, b.DueHolds),
	}
}

// countNames counts distinct names.
func countNames(n ledger.Names) int {
	return len(distinct(n.Keys)) + len(distinct(n.Accounts)) + len(distinct(n.Holds)) + len(distinct(n.Transactions)) +
		len(distinct(n.Documents)) + len(distinct(n.Versions)) + len(distinct(n.References)) + len(distinct(n.Leases)) +
		len(distinct(n.Assets)) + len(distinct(n.Pending)) + len(distinct(n.Sequences)) + len(distinct(n.DueHolds))
}
