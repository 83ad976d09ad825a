package ledger

import (
	"context"
	"iter"
)

// Account returns a handle of one account. It does no I/O: a handle of an account that does not exist is fine until it
// is asked something.
func (b *Book) Account(id AccountID) Account { return account{b, id} }

type account struct {
	book *Book
	id   AccountID
}

func (a account) ID() AccountID { return a.id }

func (a account) Balance(ctx context.Context, at AsOf) (Balance, error) {
	balances, err := a.book.Balances(ctx, at, a.id)
	if err != nil {
		return Balance{}, err
	}
	return balances[0], nil
}

func (a account) Lines(ctx context.Context, q Query) iter.Seq2[Line, error] {
	q.List, q.Account = ListLines, a.id
	return a.book.Lines(ctx, q)
}

// Info returns an account as it stands, or ErrAccountNotFound. A hold past its deadline counts as held until an entry
// names the account or [Book.Run] sweeps it. Of a striped account, such as fees/*, it is the sum of the parts, with the terms
// of the first.
func (b *Book) Info(ctx context.Context, id AccountID) (AccountInfo, error) {
	infos, err := b.wholeInfos(ctx, []AccountID{id})
	if err != nil {
		return AccountInfo{}, err
	}
	if id.isStriped() {
		return sumInfo(id, infos[0])
	}
	return infos[0][0], nil
}

// Document returns the current version of a document, or ErrDocumentNotFound.
func (b *Book) Document(ctx context.Context, id DocumentID) (Document, error) {
	if r := checkDocumentID(id); r != nil {
		return Document{}, r
	}
	found, err := b.store.Read(ctx, b.name, Names{Documents: []DocumentID{id}})
	return only(found.Documents, err, ErrDocumentNotFound, id.String())
}

// Version returns one version of a document, past or current, or ErrDocumentNotFound.
func (b *Book) Version(ctx context.Context, id VersionID) (Document, error) {
	if r := checkDocumentID(id.DocumentID); r != nil {
		return Document{}, r
	}
	found, err := b.store.Read(ctx, b.name, Names{Versions: []VersionID{id}})
	return only(found.Versions, err, ErrDocumentNotFound, id.String())
}

// ByReference returns the current version of the document that has a unique reference, or ErrDocumentNotFound.
func (b *Book) ByReference(ctx context.Context, ref string) (Document, error) {
	if r := checkReference("reference", ref); r != nil {
		return Document{}, r
	}
	found, err := b.store.Read(ctx, b.name, Names{References: []string{ref}})
	row, err := only(found.References, err, ErrDocumentNotFound, clip(ref))
	if err != nil {
		return Document{}, err
	}
	return b.Document(ctx, row.Document) // a reference never goes to another document
}

// Hold returns a hold as it stands, or ErrHoldNotFound.
func (b *Book) Hold(ctx context.Context, id ID) (Hold, error) {
	found, err := b.store.Read(ctx, b.name, Names{Holds: []ID{id}})
	return only(found.Holds, err, ErrHoldNotFound, id.String())
}

// Transaction returns a transaction, with what has been reversed of it, or ErrTransactionNotFound.
func (b *Book) Transaction(ctx context.Context, id ID) (Transaction, error) {
	found, err := b.store.Read(ctx, b.name, Names{Transactions: []ID{id}})
	return only(found.Transactions, err, ErrTransactionNotFound, id.String())
}

// Receipt returns what the entry with a key was told, Replayed: its receipt, or the decline that burned the key as the
// error. ErrKeyNotFound means that nothing with this key is recorded; an entry under way may still be.
func (b *Book) Receipt(ctx context.Context, key string) (Receipt, error) {
	if r := checkKey(key); r != nil {
		return Receipt{}, r
	}
	found, err := b.store.Read(ctx, b.name, Names{Keys: []string{key}})
	row, err := only(found.Keys, err, ErrKeyNotFound, clip(key))
	if err != nil {
		return Receipt{}, err
	}
	o := row.answer()
	return o.receipt, o.err
}

func only[T any](rows []T, err error, missing Code, name string) (row T, _ error) {
	if err != nil {
		return row, storeError(err)
	}
	if len(rows) == 0 {
		return row, refuse(missing, name)
	}
	return rows[0], nil
}

// Accounts yields accounts, of Query.Owner when that is given. This and the other iterators read page by page: Limit is
// the size of the pages, After where to begin, List may be left zero. At most one error is yielded, last.
func (b *Book) Accounts(ctx context.Context, q Query) iter.Seq2[AccountInfo, error] {
	return list(ctx, b, q, []List{ListAccounts, ListOwned}, func(i *Item) *AccountInfo { return i.Account })
}

// Lines yields the lines of Query.Account.
func (b *Book) Lines(ctx context.Context, q Query) iter.Seq2[Line, error] {
	return list(ctx, b, q, []List{ListLines}, func(i *Item) *Line { return i.Line })
}

// Transactions yields transactions by recorded time, all or those of Query.Account.
func (b *Book) Transactions(ctx context.Context, q Query) iter.Seq2[Transaction, error] {
	return list(ctx, b, q, []List{ListTransactions}, func(i *Item) *Transaction { return i.Transaction })
}

// Holds yields holds by the time they were placed, all or those of Query.Account; when List is ListOpenHolds only the
// account's open ones, when it is ListDueHolds all open ones that have a deadline, by deadline.
func (b *Book) Holds(ctx context.Context, q Query) iter.Seq2[Hold, error] {
	return list(ctx, b, q, []List{ListHolds, ListOpenHolds, ListDueHolds}, func(i *Item) *Hold { return i.Hold })
}

// Documents yields the documents of Query.Kind, or without a kind those of Query.Owner, or without either all; with List
// ListDossier those of an owner and a kind from the owner's side, with ListDueDocuments those that are due some time, by
// due time.
func (b *Book) Documents(ctx context.Context, q Query) iter.Seq2[Document, error] {
	lists := []List{ListDocuments, ListDossier, ListDueDocuments}
	if q.List == 0 && q.Kind == "" && q.Owner != "" {
		q.List = ListDossier
	}
	return list(ctx, b, q, lists, func(i *Item) *Document { return i.Document })
}

// Versions yields the versions of Query.Document, oldest first.
func (b *Book) Versions(ctx context.Context, q Query) iter.Seq2[Document, error] {
	return list(ctx, b, q, []List{ListVersions}, func(i *Item) *Document { return i.Document })
}

// Feed yields the numbered changes after a position (0: all), in order, and ends at the last one. To follow the feed call
// again with the last position seen; each change is seen at least once by whoever keeps that position safe.
func (b *Book) Feed(ctx context.Context, after uint64) iter.Seq2[Change, error] {
	return func(yield func(Change, error) bool) {
		r := Range{List: ListFeed, Limit: MaxPage}
		for {
			r.After = &Position{Number: after}
			rows, err := b.store.Scan(ctx, b.name, r)
			if err != nil {
				yield(Change{}, storeError(err))
				return
			}
			for _, c := range rows.Feed {
				if !yield(c, nil) {
					return
				}
				after = c.Position
			}
			if len(rows.Feed) < r.Limit {
				return
			}
		}
	}
}

// Changes yields the numbered changes that the filters of a query let through, and ends at the last one.
func (b *Book) Changes(ctx context.Context, q Query) iter.Seq2[Change, error] {
	return list(ctx, b, q, []List{ListFeed}, func(i *Item) *Change { return i.Change })
}

// list yields the items of one of the lists, the first when the query names none.
func list[T any](ctx context.Context, b *Book, q Query, lists []List, take func(*Item) *T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		q := q
		if q.List == 0 {
			q.List = lists[0]
		}
		allowed := false
		for _, l := range lists {
			allowed = allowed || l == q.List
		}
		if !allowed {
			yield(none, invalid("list", "not a list of this iterator: "+q.List.String()))
			return
		}
		for {
			page, err := b.Page(ctx, q)
			if err != nil {
				yield(none, err)
				return
			}
			for i := range page.Items {
				if !yield(*take(&page.Items[i]), nil) {
					return
				}
			}
			if page.Next == "" {
				return
			}
			q.After = page.Next
		}
	}
}
