package payments

import (
	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
)

// The chart of accounts. Hosts may read these accounts through the ledger and may post to accounts of their own beside
// them; only this package posts to these.

// WalletAccount is what we owe a member in one asset.
func WalletAccount(member string, asset currency.AssetID) ledger.AccountID {
	return ledger.AccountID{Path: "wallet/" + member, Asset: asset}
}

// ReceivableAccount is what a member owes us in one asset.
func ReceivableAccount(member string, asset currency.AssetID) ledger.AccountID {
	return ledger.AccountID{Path: "receivable/" + member, Asset: asset}
}

// ClearingAccount is our balance at a provider; it equals the provider's own truth but for operations in flight.
func ClearingAccount(provider string, asset currency.AssetID) ledger.AccountID {
	return ledger.AccountID{Path: "provider/" + provider + "/clearing", Asset: asset}
}

// FeesAccount is what a provider charged us.
func FeesAccount(provider string, asset currency.AssetID) ledger.AccountID {
	return ledger.AccountID{Path: "provider/" + provider + "/fees", Asset: asset}
}

// SuspenseAccount is money that a provider moved and nobody can be credited or charged with yet; each amount has a [Case].
func SuspenseAccount(provider string, asset currency.AssetID) ledger.AccountID {
	return ledger.AccountID{Path: "provider/" + provider + "/suspense", Asset: asset}
}

// DisputedAccount is what a provider holds back of ours because payers dispute deposits.
func DisputedAccount(provider string, asset currency.AssetID) ledger.AccountID {
	return ledger.AccountID{Path: "provider/" + provider + "/disputed", Asset: asset}
}

// BankAccount is our own bank account, where providers settle.
func BankAccount(asset currency.AssetID) ledger.AccountID {
	return ledger.AccountID{Path: "bank/settlement", Asset: asset}
}

// WriteOffAccount is what we lost, less what we gained, where a person decided that nobody else can be charged or credited.
func WriteOffAccount(asset currency.AssetID) ledger.AccountID {
	return ledger.AccountID{Path: "write-offs", Asset: asset}
}

// RevenueAccount is the platform's fees earned.
func RevenueAccount(asset currency.AssetID) ledger.AccountID {
	return ledger.AccountID{Path: "revenue/fees", Asset: asset}
}

// PositionAccount is our position in an asset: one side of every exchange.
func PositionAccount(asset currency.AssetID) ledger.AccountID {
	return ledger.AccountID{Path: "position", Asset: asset}
}

// SupplyAccount is the outstanding supply of an in-app coin: issued minus burned.
func SupplyAccount(asset currency.AssetID) ledger.AccountID {
	return ledger.AccountID{Path: "supply", Asset: asset}
}

func openWallet(member string, a *currency.Definition) ledger.OpenAccount {
	return ledger.OpenAccount{
		Account: WalletAccount(member, a.ID()), Type: ledger.Liability, Owner: member, Floor: currency.Zero(a),
	}
}

func openReceivable(member string, a *currency.Definition) ledger.OpenAccount {
	return ledger.OpenAccount{
		Account: ReceivableAccount(member, a.ID()), Type: ledger.Asset, Owner: member, Floor: currency.Zero(a),
	}
}

func openWriteOff(a *currency.Definition) ledger.OpenAccount {
	return ledger.OpenAccount{Account: WriteOffAccount(a.ID()), Type: ledger.Expense}
}

func openRevenue(a *currency.Definition) ledger.OpenAccount {
	return ledger.OpenAccount{Account: RevenueAccount(a.ID()), Type: ledger.Income}
}

func openDisputed(provider string, a *currency.Definition) ledger.OpenAccount {
	return ledger.OpenAccount{Account: DisputedAccount(provider, a.ID()), Type: ledger.Asset}
}

// openProvider opens the accounts that facts of a provider are posted to.
func openProvider(provider string, a *currency.Definition) []ledger.OpenAccount {
	return []ledger.OpenAccount{
		{Account: ClearingAccount(provider, a.ID()), Type: ledger.Asset},
		{Account: FeesAccount(provider, a.ID()), Type: ledger.Expense},
		{Account: SuspenseAccount(provider, a.ID()), Type: ledger.Liability},
		{Account: BankAccount(a.ID()), Type: ledger.Asset},
	}
}

// chart opens, once each, those accounts that are not open yet as a guard sees the book.
type chart struct {
	view     ledger.View
	commands []ledger.Command
	opened   map[ledger.AccountID]bool
}

func newChart(v ledger.View) *chart { return &chart{view: v, opened: map[ledger.AccountID]bool{}} }

func (c *chart) open(all ...ledger.OpenAccount) {
	for _, o := range all {
		if _, there := c.view.Account(o.Account); there || c.opened[o.Account] {
			continue
		}
		c.opened[o.Account] = true
		c.commands = append(c.commands, o)
	}
}
