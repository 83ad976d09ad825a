package ledgertest

import (
	"maps"
	"slices"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
)

// model is a book as it should be: plain maps and slices, and every list by brute force.
type model struct {
	keys         map[string]ledger.KeyRow
	accounts     map[ledger.AccountID]ledger.AccountInfo
	lines        map[ledger.AccountID][]ledger.Line
	holds        map[ledger.ID]ledger.Hold
	transactions map[ledger.ID]ledger.Transaction
	documents    map[ledger.DocumentID]ledger.Document
	versions     map[ledger.DocumentID][]ledger.Document
	references   map[string]ledger.ReferenceRow
	leases       map[ledger.DocumentID]ledger.Lease
	assets       map[currency.AssetID]ledger.AssetRow
	pending      map[ledger.ID]ledger.PendingRow
	feed         []ledger.Change
	blocks       []ledger.Block
	sequences    map[string]ledger.SequenceRow
}

func newModel() *model {
	return &model{
		keys: map[string]ledger.KeyRow{}, accounts: map[ledger.AccountID]ledger.AccountInfo{},
		lines: map[ledger.AccountID][]ledger.Line{}, holds: map[ledger.ID]ledger.Hold{},
		transactions: map[ledger.ID]ledger.Transaction{}, documents: map[ledger.DocumentID]ledger.Document{},
		versions: map[ledger.DocumentID][]ledger.Document{}, references: map[string]ledger.ReferenceRow{},
		leases: map[ledger.DocumentID]ledger.Lease{}, assets: map[currency.AssetID]ledger.AssetRow{},
		pending: map[ledger.ID]ledger.PendingRow{}, sequences: map[string]ledger.SequenceRow{},
	}
}

func (m *model) apply(w ledger.Rows) {
	for _, id := range w.Delete.Leases {
		delete(m.leases, id)
	}
	for _, id := range w.Delete.Pending {
		delete(m.pending, id)
	}
	for _, id := range w.Delete.Versions {
		m.versions[id.DocumentID] = slices.DeleteFunc(m.versions[id.DocumentID], func(d ledger.Document) bool { return d.Version == id.Version })
	}
	for _, r := range w.Keys {
		m.keys[r.Key] = r
	}
	for _, r := range w.Accounts {
		m.accounts[r.ID] = r
	}
	for _, r := range w.Lines {
		m.lines[r.Account] = append(m.lines[r.Account], r)
	}
	for _, r := range w.Holds {
		m.holds[r.ID] = r
	}
	for _, r := range w.Transactions {
		m.transactions[r.ID] = r
	}
	for _, r := range w.Documents {
		m.documents[r.DocumentID] = r
	}
	for _, r := range w.Versions {
		m.versions[r.DocumentID] = append(m.versions[r.DocumentID], r)
	}
	for _, r := range w.References {
		m.references[r.Reference] = r
	}
	for _, r := range w.Leases {
		m.leases[r.Document] = r
	}
	for _, r := range w.Assets {
		m.assets[r.ID] = r
	}
	for _, r := range w.Pending {
		m.pending[r.Entry] = r
	}
	m.feed = append(m.feed, w.Feed...)
	m.blocks = append(m.blocks, w.Blocks...)
	for _, r := range w.Sequences {
		m.sequences[r.Name] = r
	}
}

// names names every row that has a name.
func (m *model) names() ledger.Names {
	n := ledger.Names{
		Keys: slices.Collect(maps.Keys(m.keys)), Accounts: slices.Collect(maps.Keys(m.accounts)),
		Holds: slices.Collect(maps.Keys(m.holds)), Transactions: slices.Collect(maps.Keys(m.transactions)),
		Documents: slices.Collect(maps.Keys(m.documents)), References: slices.Collect(maps.Keys(m.references)),
		Leases: slices.Collect(maps.Keys(m.leases)), Assets: slices.Collect(maps.Keys(m.assets)),
		Pending: slices.Collect(maps.Keys(m.pending)), Sequences: slices.Collect(maps.Keys(m.sequences)),
	}
	for id, versions := range m.versions {
		for _, d := range versions {
			n.Versions = append(n.Versions, ledger.VersionID{DocumentID: id, Version: d.Version})
		}
	}
	return n
}

// rows returns every row that has a name.
func (m *model) rows() ledger.Rows {
	r := ledger.Rows{
		Keys: slices.Collect(maps.Values(m.keys)), Accounts: slices.Collect(maps.Values(m.accounts)),
		Holds: slices.Collect(maps.Values(m.holds)), Transactions: slices.Collect(maps.Values(m.transactions)),
		Documents: slices.Collect(maps.Values(m.documents)), References: slices.Collect(maps.Values(m.references)),
		Leases: slices.Collect(maps.Values(m.leases)), Assets: slices.Collect(maps.Values(m.assets)),
		Pending: slices.Collect(maps.Values(m.pending)), Sequences: slices.Collect(maps.Values(m.sequences)),
	}
	for _, versions := range m.versions {
		r.Versions = append(r.Versions, versions...)
	}
	return r
}

// all returns all items of the list that a range is about, in no order.
func (m *model) all(r ledger.Range) []item {
	switch r.List {
	case ledger.ListAccounts:
		return placeIf(maps.Values(m.accounts), ledger.AccountInfo.Position, nil)
	case ledger.ListOwned:
		return placeIf(maps.Values(m.accounts), ledger.AccountInfo.Position, func(a ledger.AccountInfo) bool { return a.Owner == r.Owner })
	case ledger.ListLines:
		return place(m.lines[r.Account], ledger.Line.Position)
	case ledger.ListTransactions:
		return placeIf(maps.Values(m.transactions), ledger.Transaction.Position, nil)
	case ledger.ListHolds:
		return placeIf(maps.Values(m.holds), ledger.Hold.Position, nil)
	case ledger.ListDueHolds:
		return placeIf(maps.Values(m.holds), ledger.Hold.DuePosition, func(h ledger.Hold) bool {
			return h.State == ledger.HoldOpen && !h.ExpiresAt.IsZero()
		})
	case ledger.ListOpenHolds:
		return placeIf(maps.Values(m.holds), ledger.Hold.Position, func(h ledger.Hold) bool {
			return h.State == ledger.HoldOpen && h.Account == r.Account
		})
	case ledger.ListDocuments:
		return placeIf(maps.Values(m.documents), ledger.Document.Position, func(d ledger.Document) bool { return r.Kind == "" || d.Kind == r.Kind })
	case ledger.ListDossier:
		return placeIf(maps.Values(m.documents), ledger.Document.Position, func(d ledger.Document) bool { return d.Owner == r.Owner })
	case ledger.ListDueDocuments:
		return placeIf(maps.Values(m.documents), ledger.Document.DuePosition, func(d ledger.Document) bool { return !d.Due.IsZero() })
	case ledger.ListVersions:
		return place(m.versions[r.Document], ledger.Document.VersionPosition)
	case ledger.ListFeed:
		return place(m.feed, ledger.Change.FeedPosition)
	case ledger.ListBlocks:
		return place(m.blocks, ledger.Block.Position)
	case ledger.ListLeases:
		return placeIf(maps.Values(m.leases), ledger.Lease.Position, nil)
	case ledger.ListKeys:
		return placeIf(maps.Values(m.keys), ledger.KeyRow.Position, nil)
	case ledger.ListReferences:
		return placeIf(maps.Values(m.references), ledger.ReferenceRow.Position, nil)
	case ledger.ListAssets:
		return placeIf(maps.Values(m.assets), ledger.AssetRow.Position, nil)
	case ledger.ListPending:
		return placeIf(maps.Values(m.pending), ledger.PendingRow.PendingPosition, nil)
	case ledger.ListSequences:
		return placeIf(maps.Values(m.sequences), ledger.SequenceRow.Position, nil)
	default:
		panic("ledgertest: a list that the model does not have")
	}
}

func placeIf[R any](rows func(func(R) bool), at func(R) ledger.Position, in func(R) bool) []item {
	var items []item
	for r := range rows {
		if in == nil || in(r) {
			items = append(items, item{at(r), r})
		}
	}
	return items
}

// ranges returns one range for every list that the book has, and for some that are empty, without bounds.
func (m *model) ranges() []ledger.Range {
	var all []ledger.Range
	owners, kinds := map[string]bool{"nobody": true}, map[string]bool{"nothing": true}
	for _, id := range slices.SortedFunc(maps.Keys(m.accounts), compareAccounts) {
		owners[m.accounts[id].Owner] = true
		all = append(all, ledger.Range{List: ledger.ListLines, Account: id}, ledger.Range{List: ledger.ListOpenHolds, Account: id})
	}
	for _, id := range slices.SortedFunc(maps.Keys(m.documents), compareDocuments) {
		owners[m.documents[id].Owner], kinds[id.Kind] = true, true
		all = append(all, ledger.Range{List: ledger.ListVersions, Document: id})
	}
	delete(owners, "") // a query by owner always names one
	for _, owner := range slices.Sorted(maps.Keys(owners)) {
		all = append(all, ledger.Range{List: ledger.ListOwned, Owner: owner}, ledger.Range{List: ledger.ListDossier, Owner: owner})
	}
	for _, kind := range slices.Sorted(maps.Keys(kinds)) {
		all = append(all, ledger.Range{List: ledger.ListDocuments, Kind: kind})
	}
	for _, list := range []ledger.List{
		ledger.ListAccounts, ledger.ListTransactions, ledger.ListHolds, ledger.ListFeed, ledger.ListDueHolds,
		ledger.ListDueDocuments, ledger.ListLeases, ledger.ListKeys, ledger.ListReferences, ledger.ListAssets,
		ledger.ListPending, ledger.ListSequences, ledger.ListDocuments, ledger.ListBlocks,
	} {
		all = append(all, ledger.Range{List: list})
	}
	return append(all,
		ledger.Range{List: ledger.ListLines, Account: ledger.AccountID{Path: "never/opened", Asset: "USD"}},
		ledger.Range{List: ledger.ListOpenHolds, Account: ledger.AccountID{Path: "never/opened", Asset: "USD"}},
		ledger.Range{List: ledger.ListVersions, Document: ledger.DocumentID{Kind: "nothing", ID: "never"}})
}

func compareAccounts(a, b ledger.AccountID) int {
	return ledger.AccountInfo{ID: a}.Position().Compare(ledger.AccountInfo{ID: b}.Position())
}

func compareDocuments(a, b ledger.DocumentID) int {
	return ledger.Document{DocumentID: a}.Position().Compare(ledger.Document{DocumentID: b}.Position())
}
