package ledger

import (
	"bytes"
	"cmp"
	"slices"
	"strings"

	"github.com/koshpay/kosh/currency"
)

// Sorted returns the names in one fixed order and without repetitions: by kind in the order of the fields, then by name.
// Every lock taken in this order is taken by all writers in the same order. The receiver is left as it is.
func (n Names) Sorted() Names {
	return Names{
		Keys:         distinct(n.Keys, strings.Compare),
		Accounts:     distinct(n.Accounts, AccountID.compare),
		Holds:        distinct(n.Holds, compareIDs),
		Transactions: distinct(n.Transactions, compareIDs),
		Documents:    distinct(n.Documents, DocumentID.compare),
		Versions:     distinct(n.Versions, VersionID.compare),
		References:   distinct(n.References, strings.Compare),
		Leases:       distinct(n.Leases, DocumentID.compare),
		Assets:       distinct(n.Assets, cmp.Compare[currency.AssetID]),
		Pending:      distinct(n.Pending, compareIDs),
		Sequences:    distinct(n.Sequences, strings.Compare),
		DueHolds:     distinct(n.DueHolds, DueHolds.compare),
	}
}

// And returns the names of both, each as often as it occurs; see [Names.Sorted].
func (n Names) And(m Names) Names {
	return Names{
		Keys:         both(n.Keys, m.Keys),
		Accounts:     both(n.Accounts, m.Accounts),
		Holds:        both(n.Holds, m.Holds),
		Transactions: both(n.Transactions, m.Transactions),
		Documents:    both(n.Documents, m.Documents),
		Versions:     both(n.Versions, m.Versions),
		References:   both(n.References, m.References),
		Leases:       both(n.Leases, m.Leases),
		Assets:       both(n.Assets, m.Assets),
		Pending:      both(n.Pending, m.Pending),
		Sequences:    both(n.Sequences, m.Sequences),
		DueHolds:     both(n.DueHolds, m.DueHolds),
	}
}

// Empty reports whether nothing is named.
func (n Names) Empty() bool { return n.count() == 0 }

// forget leaves nothing but the space of what a command can name.
func (n *Names) forget() {
	*n = Names{
		Accounts: n.Accounts[:0], Holds: n.Holds[:0], Transactions: n.Transactions[:0], Documents: n.Documents[:0], Versions: n.Versions[:0],
		References: n.References[:0],
	}
}

func (n Names) count() int {
	return len(n.Keys) + len(n.Accounts) + len(n.Holds) + len(n.Transactions) + len(n.Documents) + len(n.Versions) +
		len(n.References) + len(n.Leases) + len(n.Assets) + len(n.Pending) + len(n.Sequences) + len(n.DueHolds)
}

func distinct[T comparable](names []T, compare func(a, b T) int) []T {
	if ascending(names, compare) {
		return names
	}
	sorted := slices.Clone(names)
	slices.SortFunc(sorted, compare)
	return slices.Compact(sorted)
}

func ascending[T any](names []T, compare func(a, b T) int) bool {
	for i := 1; i < len(names); i++ {
		if compare(names[i-1], names[i]) >= 0 {
			return false
		}
	}
	return true
}

func both[T any](a, b []T) []T {
	switch {
	case len(a) == 0:
		return b
	case len(b) == 0:
		return a
	}
	return slices.Concat(a, b)
}

func (id AccountID) compare(other AccountID) int {
	if c := strings.Compare(id.Path, other.Path); c != 0 {
		return c
	}
	return cmp.Compare(id.Asset, other.Asset)
}

func (id DocumentID) compare(other DocumentID) int {
	if c := strings.Compare(id.Kind, other.Kind); c != 0 {
		return c
	}
	return strings.Compare(id.ID, other.ID)
}

func (v VersionID) compare(other VersionID) int {
	if c := v.DocumentID.compare(other.DocumentID); c != 0 {
		return c
	}
	return cmp.Compare(v.Version, other.Version)
}

func (d DueHolds) compare(other DueHolds) int {
	if c := d.Account.compare(other.Account); c != 0 {
		return c
	}
	return d.At.Compare(other.At)
}

// compareIDs orders by bytes, which is the order of the text form too.
func compareIDs(a, b ID) int { return bytes.Compare(a[:], b[:]) }
