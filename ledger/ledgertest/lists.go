package ledgertest

import (
	"context"
	"fmt"
	"reflect"
	"slices"

	"github.com/koshpay/kosh/ledger"
)

// listNames has the name of every list, in the order of a dump.
var listNames = map[ledger.List]string{
	ledger.ListAccounts: "accounts", ledger.ListOwned: "owned", ledger.ListLines: "lines",
	ledger.ListTransactions: "transactions", ledger.ListHolds: "holds", ledger.ListDocuments: "documents",
	ledger.ListDossier: "dossier", ledger.ListVersions: "versions", ledger.ListFeed: "feed",
	ledger.ListDueHolds: "due holds", ledger.ListDueDocuments: "due documents", ledger.ListLeases: "leases",
	ledger.ListKeys: "keys", ledger.ListReferences: "references", ledger.ListAssets: "assets",
	ledger.ListPending: "pending", ledger.ListSequences: "sequences", ledger.ListOpenHolds: "open holds",
	ledger.ListBlocks: "blocks",
}

// item is a row at its place in a list.
type item struct {
	at  ledger.Position
	row any
}

func (i item) String() string { return rowText(i.row) }

func place[R any](rows []R, at func(R) ledger.Position) []item {
	items := make([]item, len(rows))
	for i, r := range rows {
		items[i] = item{at(r), r}
	}
	return items
}

// itemsOf returns the rows of a page of a list, and an error when rows that the list is not about are filled.
func itemsOf(list ledger.List, rows ledger.Rows) ([]item, error) {
	var items []item
	switch list {
	case ledger.ListAccounts, ledger.ListOwned:
		items, rows.Accounts = place(rows.Accounts, ledger.AccountInfo.Position), nil
	case ledger.ListLines:
		items, rows.Lines = place(rows.Lines, ledger.Line.Position), nil
	case ledger.ListTransactions:
		items, rows.Transactions = place(rows.Transactions, ledger.Transaction.Position), nil
	case ledger.ListHolds, ledger.ListOpenHolds:
		items, rows.Holds = place(rows.Holds, ledger.Hold.Position), nil
	case ledger.ListDueHolds:
		items, rows.Holds = place(rows.Holds, ledger.Hold.DuePosition), nil
	case ledger.ListDocuments, ledger.ListDossier:
		items, rows.Documents = place(rows.Documents, ledger.Document.Position), nil
	case ledger.ListDueDocuments:
		items, rows.Documents = place(rows.Documents, ledger.Document.DuePosition), nil
	case ledger.ListVersions:
		items, rows.Versions = place(rows.Versions, ledger.Document.VersionPosition), nil
	case ledger.ListFeed:
		items, rows.Feed = place(rows.Feed, ledger.Change.FeedPosition), nil
	case ledger.ListBlocks:
		items, rows.Blocks = place(rows.Blocks, ledger.Block.Position), nil
	case ledger.ListLeases:
		items, rows.Leases = place(rows.Leases, ledger.Lease.Position), nil
	case ledger.ListKeys:
		items, rows.Keys = place(rows.Keys, ledger.KeyRow.Position), nil
	case ledger.ListReferences:
		items, rows.References = place(rows.References, ledger.ReferenceRow.Position), nil
	case ledger.ListAssets:
		items, rows.Assets = place(rows.Assets, ledger.AssetRow.Position), nil
	case ledger.ListPending:
		items, rows.Pending = place(rows.Pending, ledger.PendingRow.PendingPosition), nil
	case ledger.ListSequences:
		items, rows.Sequences = place(rows.Sequences, ledger.SequenceRow.Position), nil
	default:
		return nil, fmt.Errorf("there is no list %d", list)
	}
	if other := rowText(rows); other != "{}" {
		return items, fmt.Errorf("a page of %s has other rows too: %s", listNames[list], other)
	}
	return items, nil
}

// within says whether a position is strictly between the bounds of a range.
func within(r ledger.Range, at ledger.Position) bool {
	return (r.After == nil || at.Compare(*r.After) > 0) && (r.Before == nil || at.Compare(*r.Before) < 0)
}

// pick is a list by brute force: the part of all rows of a list that a range asks for, in its order.
func pick(all []item, r ledger.Range) []item {
	var items []item
	for _, i := range all {
		if within(r, i.at) {
			items = append(items, i)
		}
	}
	slices.SortFunc(items, func(a, b item) int { return a.at.Compare(b.at) })
	if r.Backward {
		slices.Reverse(items)
	}
	return items[:min(len(items), r.Limit)]
}

// scanAll reads a whole list, page by page.
func scanAll(ctx context.Context, s ledger.Store, book string, r ledger.Range) ([]item, error) {
	var all []item
	for {
		rows, err := s.Scan(ctx, book, r)
		if err != nil {
			return all, fmt.Errorf("scan %s: %w", listNames[r.List], err)
		}
		items, err := itemsOf(r.List, rows)
		if err != nil {
			return all, err
		}
		all = append(all, items...)
		if len(items) < r.Limit {
			return all, nil
		}
		last := items[len(items)-1].at
		bound := &r.After
		if r.Backward {
			bound = &r.Before
		}
		if *bound != nil && (last.Compare(**bound) > 0) == r.Backward {
			return all, fmt.Errorf("scan %s: the page after %+v ends at %+v, so reading on would never end", listNames[r.List], **bound, last)
		}
		*bound = &last
	}
}

// describe names the part of a list that a range asks for, for messages.
func describe(r ledger.Range) string {
	text := listNames[r.List]
	switch r.List {
	case ledger.ListLines, ledger.ListOpenHolds:
		text += " of " + r.Account.String()
	case ledger.ListOwned, ledger.ListDossier:
		text += " of owner " + r.Owner
	case ledger.ListDocuments:
		if r.Kind != "" {
			text += " of kind " + r.Kind
		}
	case ledger.ListVersions:
		text += " of " + r.Document.String()
	default: // one a book
	}
	if r.After != nil {
		text += " after " + rowText(*r.After)
	}
	if r.Before != nil {
		text += " before " + rowText(*r.Before)
	}
	if r.Backward {
		text += ", last first"
	}
	return fmt.Sprintf("%s, at most %d", text, r.Limit)
}

// sameRows compares rows as they were written with those found, whatever their order.
func sameRows(want, found ledger.Rows) error {
	w, f := reflect.ValueOf(want), reflect.ValueOf(found)
	for i := range w.NumField() {
		name := w.Type().Field(i).Name
		if name == "Delete" {
			continue
		}
		a, b := texts(w.Field(i)), texts(f.Field(i))
		if !slices.Equal(a, b) {
			return fmt.Errorf("%s differ (- wanted, + found):\n%s", name, diffLines(a, b))
		}
	}
	return nil
}

func texts(rows reflect.Value) []string {
	lines := make([]string, rows.Len())
	for i := range lines {
		lines[i] = rowText(rows.Index(i).Interface())
	}
	slices.Sort(lines)
	return lines
}
