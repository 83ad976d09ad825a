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
		rows.Accounts = page(b.accounts.in[allAccounts], group{}, r, b.accounts.copy)
	case ledger.ListOwned:
		rows.Accounts = page(b.accounts.in[ownedAccounts], group{a: r.Owner}, r, b.accounts.copy)
	case ledger.ListLines:
		rows.Lines = page(b.lines.lists, accountGroup(r.Account), r, b.lines.copy)
	case ledger.ListTransactions:
		rows.Transactions = page(b.transactions.in[0], group{}, r, b.transactions.copy)
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
		rows.Feed = page(b.feed.lists, group{}, r, b.feed.copy)
	case ledger.ListDueHolds:
		rows.Holds = page(b.holds.in[dueHolds], group{}, r, b.holds.copy)
	case ledger.ListDueDocuments:
		rows.Documents = page(b.documents.in[dueDocuments], group{}, r, b.documents.copy)
	case ledger.ListLeases:
		rows.Leases = page(b.leases.in[0], group{}, r, b.leases.copy)
	case ledger.ListKeys:
		rows.Keys = page(b.keys.in[0], group{}, r, b.keys.copy)
	case ledger.ListReferences:
		rows.References = page(b.references.in[0], group{}, r, b.references.copy)
	case ledger.ListAssets:
		rows.Assets = page(b.assets.in[0], group{}, r, b.assets.copy)
	case ledger.ListPending:
		rows.Pending = page(b.pending.in[0], group{}, r, b.pending.copy)
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
	rows := make([]R, 0, min(r.Limit, o.size))
	o.walk(r.After, r.Before, r.Backward, func(_ ledger.Position, row *R) bool {
		rows = append(rows, copied(row))
		return len(rows) < r.Limit
	})
	return rows
}
