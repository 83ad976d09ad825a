package ledger

import (
	"cmp"
	"context"
	"slices"

	"github.com/koshpay/kosh/currency"
)

// TrialBalance is what accounting proves its books with: every balance, summed up an asset.
type TrialBalance struct {
	At     AsOf
	Assets []AssetTotal // sorted by asset
}

// Balanced reports whether the difference is zero in every asset.
func (t TrialBalance) Balanced() bool {
	return !slices.ContainsFunc(t.Assets, func(a AssetTotal) bool { return a.Difference.Sign() != 0 })
}

// AssetTotal sums up one asset.
type AssetTotal struct {
	Asset      currency.AssetID
	Debits     currency.Amount // sum of the balances that stand on the debit side
	Credits    currency.Amount // and of those on the credit side
	Difference currency.Amount // debits − credits: zero, or something is wrong
	Types      []TypeTotal     // those that have accounts, in the order of the constants
}

// TypeTotal sums up the accounts of one type in one asset.
type TypeTotal struct {
	Type     AccountType
	Accounts int
	Debits   currency.Amount
	Credits  currency.Amount
}

// maxSnapshots is how often a consistent look at all accounts is tried while accounts are being opened.
const maxSnapshots = 20

// TrialBalance sums up all accounts as they stood at one moment. It reads every account: now in one snapshot, at a past
// moment with a look-up each. A sum that does not fit into an amount is ErrOverflow. When accounts are opened all the
// time, so that no look at all of them succeeds, it is Unavailable.
func (b *Book) TrialBalance(ctx context.Context, at AsOf) (TrialBalance, error) {
	if r := at.check(); r != nil {
		return TrialBalance{}, r
	}
	infos, err := b.snapshot(ctx)
	if err != nil {
		return TrialBalance{}, err
	}
	sums := make(map[currency.AssetID]*AssetTotal)
	for i := range infos {
		balance, err := b.balanceAt(ctx, &infos[i], at)
		if err != nil {
			return TrialBalance{}, err
		}
		a := sums[infos[i].ID.Asset]
		if a == nil {
			zero := currency.Zero(balance.Posted.Asset())
			a = &AssetTotal{Asset: infos[i].ID.Asset, Debits: zero, Credits: zero}
			sums[a.Asset] = a
		}
		if err := a.count(&infos[i], balance.Posted); err != nil {
			return TrialBalance{}, err
		}
	}
	t := TrialBalance{At: at}
	for _, a := range sums {
		if a.Difference, err = sub(a.Debits, a.Credits, AccountID{}); err != nil {
			return TrialBalance{}, err
		}
		t.Assets = append(t.Assets, *a)
	}
	slices.SortFunc(t.Assets, func(a, b AssetTotal) int { return cmp.Compare(a.Asset, b.Asset) })
	return t, nil
}

// count adds a balance, which is positive on the account's normal side.
func (a *AssetTotal) count(info *AccountInfo, posted currency.Amount) error {
	at, known := slices.BinarySearchFunc(a.Types, info.Type, func(t TypeTotal, want AccountType) int { return cmp.Compare(t.Type, want) })
	if !known {
		zero := currency.Zero(posted.Asset())
		a.Types = slices.Insert(a.Types, at, TypeTotal{Type: info.Type, Debits: zero, Credits: zero})
	}
	t := &a.Types[at]
	t.Accounts++
	magnitude, err := posted.Abs()
	if err != nil {
		return arithmetic(err, info.ID)
	}
	total, part := &a.Debits, &t.Debits
	if (info.Type.NormalSide() == Debit) != (posted.Sign() >= 0) {
		total, part = &a.Credits, &t.Credits
	}
	if *total, err = add(*total, magnitude, info.ID); err != nil {
		return err
	}
	*part, err = add(*part, magnitude, info.ID)
	return err
}

// snapshot reads all accounts of the book at one moment: it lists them, reads them together, and lists them again. No
// account ever goes away, so when none has come in between, the reading saw them all.
func (b *Book) snapshot(ctx context.Context) ([]AccountInfo, error) {
	ids, err := b.accountIDs(ctx)
	for range maxSnapshots {
		if err != nil {
			return nil, err
		}
		infos, err := b.infos(ctx, ids)
		if err != nil {
			return nil, err
		}
		again, err := b.accountIDs(ctx)
		if err != nil {
			return nil, err
		}
		if len(again) == len(ids) {
			return infos, nil
		}
		ids = again
	}
	return nil, refuse(ErrStore, "accounts are opened faster than they can be listed")
}

func (b *Book) accountIDs(ctx context.Context) ([]AccountID, error) {
	var ids []AccountID
	err := scanAll(ctx, b, Range{List: ListAccounts}, func(r *Rows) []AccountInfo { return r.Accounts }, AccountInfo.Position,
		func(a *AccountInfo) { ids = append(ids, a.ID) })
	return ids, err
}

// scanAll visits every row of a list.
func scanAll[T any](ctx context.Context, b *Book, r Range, take func(*Rows) []T, at func(T) Position, visit func(*T)) error {
	r.Limit = MaxPage
	for {
		found, err := b.store.Scan(ctx, b.name, r)
		if err != nil {
			return storeError(err)
		}
		rows := take(&found)
		for i := range rows {
			visit(&rows[i])
		}
		if len(rows) < r.Limit {
			return nil
		}
		last := at(rows[len(rows)-1])
		r.After = &last
	}
}
