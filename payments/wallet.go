package payments

import (
	"context"
	"fmt"
	"slices"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
)

// Wallet is what a member has in one asset.
type Wallet struct {
	Member    string
	Asset     *currency.Definition
	Posted    currency.Amount // all of it
	Held      currency.Amount // reserved: withdrawals on the way, deposits that may still be taken back
	Available currency.Amount // posted − held: what can be spent now
	Owes      currency.Amount // what the member owes; repaid first by whatever comes in
	Frozen    bool            // nothing can be taken out
}

// OpenWallet opens a member's wallets in the assets named. Opening one that is open does nothing. Wallets also open by
// themselves when money first comes in.
func (s *Service) OpenWallet(ctx context.Context, actor Actor, member string, assets ...currency.Asset) error {
	return s.desk.OpenWallet(ctx, actor, member, assets...)
}

// OpenWallet is [Service.OpenWallet], done when the host commits.
func (dk *Desk) OpenWallet(ctx context.Context, actor Actor, member string, assets ...currency.Asset) error {
	if err := checkMember("member", member); err != nil {
		return err
	}
	if err := dk.authorize(ctx, actor, ActOpen, member); err != nil {
		return err
	}
	if len(assets) == 0 {
		return invalid("assets", "are missing")
	}
	var ids []string
	var commands []ledger.Command
	for _, a := range assets {
		d, err := currency.Intern(a)
		if err != nil {
			return invalid("assets", "%v", err)
		}
		if err := dk.checkAsset("assets", d.ID()); err != nil {
			return err
		}
		ids = append(ids, string(d.ID()))
		commands = append(commands, openWallet(member, d), openReceivable(member, d))
	}
	slices.Sort(ids)
	_, err := dk.book.Record(ctx, ledger.Entry{Key: "open/" + derivedID(append([]string{member}, ids...)...).String(), Inputs: ids, Commands: commands})
	return err
}

// Wallets returns the member's wallets, by asset id, in one snapshot.
func (s *Service) Wallets(ctx context.Context, actor Actor, member string) ([]Wallet, error) {
	return s.desk.Wallets(ctx, actor, member)
}

// Wallets is [Service.Wallets] as the host's transaction sees them.
func (dk *Desk) Wallets(ctx context.Context, actor Actor, member string) ([]Wallet, error) {
	if err := checkMember("member", member); err != nil {
		return nil, err
	}
	if err := dk.authorize(ctx, actor, ActView, member); err != nil {
		return nil, err
	}
	var wallets []Wallet
	var ids []ledger.AccountID
	for a, err := range dk.book.Accounts(ctx, ledger.Query{List: ledger.ListOwned, Owner: member, Path: "wallet/" + member}) {
		if err != nil {
			return nil, err
		}
		wallets = append(wallets, Wallet{Member: member, Asset: a.Posted.Asset(), Frozen: a.Terms.DebitsFrozen || a.Terms.Closed})
		ids = append(ids, a.ID, ReceivableAccount(member, a.ID.Asset))
	}
	if len(wallets) == 0 {
		return nil, nil
	}
	balances, err := dk.book.Balances(ctx, ledger.AsOf{}, ids...)
	if err != nil {
		return nil, err
	}
	if len(balances) != len(ids) {
		return nil, fmt.Errorf("payments: asked for %d balances, got %d", len(ids), len(balances))
	}
	for i := range wallets {
		own, owes := balances[2*i], balances[2*i+1]
		wallets[i].Posted, wallets[i].Held, wallets[i].Available, wallets[i].Owes = own.Posted, own.Held, own.Available, owes.Posted
		if planted("show-held") {
			wallets[i].Available = own.Posted
		}
	}
	return wallets, nil
}

// Freeze stops what members decide from taking money out of a wallet, and with all from paying into it too; Unfreeze lifts
// both. Facts still happen: what comes in while a wallet takes nothing goes to suspense with a case.
func (s *Service) Freeze(ctx context.Context, actor Actor, key, member string, asset currency.AssetID, all bool) error {
	return s.setFrozen(ctx, actor, "freeze", key, member, asset, true, all)
}

// Unfreeze lifts a freeze.
func (s *Service) Unfreeze(ctx context.Context, actor Actor, key, member string, asset currency.AssetID) error {
	return s.setFrozen(ctx, actor, "unfreeze", key, member, asset, false, false)
}

func (s *Service) setFrozen(ctx context.Context, actor Actor, verb, key, member string, asset currency.AssetID, debits, credits bool) error {
	if err := checkMember("member", member); err != nil {
		return err
	}
	if err := s.desk.authorize(ctx, actor, ActFreeze, member); err != nil {
		return err
	}
	if key == "" {
		return invalid("key", "is empty")
	}
	wallet := WalletAccount(member, asset)
	if err := wallet.Validate(); err != nil {
		return err
	}
	_, err := s.book.Record(ctx, ledger.Entry{
		Key:    requestKey(actor, key),
		Inputs: map[string]any{"verb": verb, "member": member, "asset": asset, "all": credits},
		Commands: []ledger.Command{ledger.SetAccount{
			Account: wallet, DebitsFrozen: new(debits), CreditsFrozen: new(credits),
		}},
	})
	return err
}
