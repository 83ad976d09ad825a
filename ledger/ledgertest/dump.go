package ledgertest

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"

	"github.com/koshpay/kosh/ledger"
)

// Dump writes a whole book as text: every row of every list, one line of JSON each, in an order that depends on nothing
// but the rows. Two books with the same rows have the same dump, byte for byte, whatever stores they are in; compare
// two with [Diff].
//
// The lines of every account and the versions of every document are included. Lists that show rows of another list in
// another order (by owner, by due time, the open holds) are written as places only. Nothing else may write to the book
// meanwhile.
func Dump(ctx context.Context, s ledger.Store, book string) ([]byte, error) {
	d := dump{ctx: ctx, store: s, book: book, owners: map[string]bool{}}
	d.list(ledger.Range{List: ledger.ListAssets}, nil)
	var accounts []ledger.AccountID
	d.list(ledger.Range{List: ledger.ListAccounts}, func(row any) {
		account := row.(ledger.AccountInfo)
		accounts = append(accounts, account.ID)
		d.owners[account.Owner] = true
	})
	for _, id := range accounts {
		d.list(ledger.Range{List: ledger.ListLines, Account: id}, nil)
		d.list(ledger.Range{List: ledger.ListOpenHolds, Account: id}, nil)
	}
	d.list(ledger.Range{List: ledger.ListTransactions}, nil)
	d.list(ledger.Range{List: ledger.ListHolds}, nil)
	d.list(ledger.Range{List: ledger.ListDueHolds}, nil)
	d.list(ledger.Range{List: ledger.ListKeys}, nil)
	for _, list := range []ledger.List{
		ledger.ListReferences, ledger.ListLeases, ledger.ListDueDocuments, ledger.ListPending, ledger.ListFeed, ledger.ListBlocks,
		ledger.ListSequences,
	} {
		d.list(ledger.Range{List: list}, nil)
	}
	d.documents()
	for _, owner := range slices.Sorted(maps.Keys(d.owners)) {
		d.list(ledger.Range{List: ledger.ListOwned, Owner: owner}, nil)
		d.list(ledger.Range{List: ledger.ListDossier, Owner: owner}, nil)
	}
	if d.err != nil {
		return nil, fmt.Errorf("ledgertest: dump book %q: %w", book, d.err)
	}
	return d.text, nil
}

type dump struct {
	ctx    context.Context // of one call of Dump
	store  ledger.Store
	book   string
	text   []byte
	owners map[string]bool
	err    error
}

func (d *dump) documents() {
	var ids []ledger.DocumentID
	d.list(ledger.Range{List: ledger.ListDocuments}, func(row any) {
		document := row.(ledger.Document)
		ids = append(ids, document.DocumentID)
		d.owners[document.Owner] = true
	})
	for _, id := range ids {
		d.list(ledger.Range{List: ledger.ListVersions, Document: id}, nil)
	}
	delete(d.owners, "")
}

func (d *dump) field(name string, value any) {
	d.text = appendValue(append(d.text, name...), reflect.ValueOf(value))
}

// list writes one list and shows each row to look.
func (d *dump) list(r ledger.Range, look func(row any)) {
	if d.err != nil {
		return
	}
	r.Limit = ledger.MaxPage
	items, err := scanAll(d.ctx, d.store, d.book, r)
	if err != nil {
		d.err = err
		return
	}
	for _, i := range items {
		d.text = append(strconv.AppendQuote(append(d.text, `{"list":`...), listNames[r.List]), ',')
		switch r.List {
		case ledger.ListOwned, ledger.ListDossier:
			d.field(`"owner":`, r.Owner)
			d.text = append(d.text, ',')
			d.field(`"place":`, i.at)
		case ledger.ListDueHolds, ledger.ListDueDocuments, ledger.ListOpenHolds:
			d.field(`"place":`, i.at)
		default:
			d.field(`"row":`, i.row)
		}
		d.text = append(d.text, "}\n"...)
		if look != nil {
			look(i.row)
		}
	}
}
