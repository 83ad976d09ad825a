package memory

import (
	"fmt"

	"github.com/koshpay/kosh/ledger"
)

// scan returns one page of one list.
func (b *book) scan(r ledger.Range) (rows ledger.Rows, err error) {
	if r.Limit < 1 || r.Limit > ledger.MaxPage {
		return rows, fmt.Errorf("memory: a page of %d rows; it has 1 to %d", r.Limit, ledger.MaxPage)
	}
	switch r.List {
	case ledger.ListAccounts:
		rows.Accounts = b.accounts.page(&b.accounts.all, r)
	case ledger.ListOwned:
		if list := b.accounts.ownedBy(r.Owner); list != nil {
			rows.Accounts = b.accounts.page(list, r)
		}
	case ledger.ListLines:
		rows.Lines = b.pageOfLines(r)
	case ledger.ListTransactions:
		rows.Transactions = pageOf(&b.transactions.list, r, b.readTransactions(min(r.Limit, b.transactions.list.size)))
	case ledger.ListHolds:
		rows.Holds = page(b.holds.in[allHolds], group{}, r, b.holds.copy)
	case ledger.ListDocuments:
		if r.Kind == "" {
			rows.Documents = page(b.documents.in[allDocuments], group{}, r, b.documents.copy)
		} else {
			rows.Documents = page(b.documents.in[kindDocuments], group{a: r.Kind}, r, b.documents.copy)
		}
	case ledger.ListDossier:
		rows.Documents = page(b.documents.in[dossier], group{a: r.Owner}, r, b.documents.copy)
	case ledger.ListVersions:
		rows.Versions = page(b.versions.lists, documentGroup(r.Document), r, b.versions.copy)
	case ledger.ListFeed:
		rows.Feed = b.pageOfFeed(r)
	case ledger.ListDueHolds:
		rows.Holds = page(b.holds.in[dueHolds], group{}, r, b.holds.copy)
	case ledger.ListDueDocuments:
		rows.Documents = page(b.documents.in[dueDocuments], group{}, r, b.documents.copy)
	case ledger.ListLeases:
		rows.Leases = page(b.leases.in[0], group{}, r, b.leases.copy)
	case ledger.ListKeys:
		rows.Keys = b.pageOfKeys(r)
	case ledger.ListReferences:
		rows.References = page(b.references.in[0], group{}, r, b.references.copy)
	case ledger.ListAssets:
		rows.Assets = page(b.assets.in[0], group{}, r, b.assets.copy)
	case ledger.ListPending:
		rows.Pending = pageOf(&b.pending.list, r, b.pending.reader(min(r.Limit, b.pending.list.size)))
	case ledger.ListSequences:
		rows.Sequences = page(b.sequences.in[0], group{}, r, b.sequences.copy)
	case ledger.ListOpenHolds:
		rows.Holds = page(b.holds.in[openHolds], accountGroup(r.Account), r, b.holds.copy)
	case ledger.ListBlocks:
		rows.Blocks = page(b.blocks.lists, group{}, r, b.blocks.copy)
	default:
		return rows, fmt.Errorf("memory: there is no list %d", r.List)
	}
	return rows, nil
}

func page[R any](l *lists[R], g group, r ledger.Range, copied func(*R) R) []R {
	o := l.groups[g]
	if o == nil {
		return nil
	}
	return pageOf(o, r, func(e entry[R]) R { return copied(e.row) })
}

func pageOf[T, R any](o *order[T], r ledger.Range, read func(T) R) []R {
	size := min(r.Limit, o.size)
	if r.Before != nil { // often few: what is due
		size = min(size, few)
	}
	rows := make([]R, 0, size)
	o.walk(r.After, r.Before, r.Backward, func(item T) bool {
		rows = append(rows, read(item))
		return len(rows) < r.Limit
	})
	return rows
}
