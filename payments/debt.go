package payments

import (
	"context"

	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/providers"
)

// This file is about who owes money: they are paid out nothing, in no asset.

// debts are the accounts of what a member may owe: in the asset of an account that need not be there yet, and in those in which they
// ever had a wallet.
func (dk *Desk) debts(ctx context.Context, own ledger.AccountID, member string) ([]ledger.AccountID, error) {
	all := []ledger.AccountID{own}
	for a, err := range dk.book.Accounts(ctx, ledger.Query{List: ledger.ListOwned, Owner: member, Path: own.Path}) {
		if err != nil {
			return nil, err
		}
		if a.ID != own {
			all = append(all, a.ID)
		}
	}
	return all, nil
}

// owing is the first of several accounts on which something is owed, as a guard sees the book.
func owing(v ledger.View, debts []ledger.AccountID) (ledger.AccountInfo, bool) {
	for _, id := range debts {
		if debt, ok := v.Account(id); ok && debt.Posted.Sign() > 0 && !planted("pay-out-debtors") {
			return debt, true
		}
	}
	return ledger.AccountInfo{}, false
}

// solvent lets a withdrawal be sent only while its member owes nothing: what is held has to repay what they came to owe since they
// asked.
func (dk *Desk) solvent(ctx context.Context, rec *record) ([]ledger.Guard, error) {
	debts, err := dk.debts(ctx, ReceivableAccount(rec.Member, rec.Amount.AssetID()), rec.Member)
	if err != nil {
		return nil, err
	}
	return []ledger.Guard{{
		Reads: ledger.Reads{Accounts: debts},
		Check: func(v ledger.View) ([]ledger.Command, error) {
			if _, owes := owing(v, debts); owes {
				return nil, &heldBack{providers.Reason{Code: string(ErrOwes), Public: "Money is owed."}}
			}
			return nil, nil
		},
	}}, nil
}
