package payments_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/payments"
	"github.com/koshpay/kosh/providers"
)

// A fact is never refused, whatever is odd about it: what its member cannot be credited with ends in suspense with a case, and
// what cannot even be posted in a case alone. Nothing that comes after it waits for it.
func TestOddFactsEndInSuspenseOrACase(t *testing.T) {
	for _, c := range []struct {
		name     string
		change   func(*providers.Report)
		code     string // of the case
		suspense currency.Amount
	}{
		{"to nobody", func(r *providers.Report) { r.Member = "" }, "unattributed", usd("5.00")},
		{"to a member that is a path", func(r *providers.Report) { r.Member = "bob/x" }, "unattributed", usd("5.00")},
		{"to a look-alike of bob", func(r *providers.Report) { r.Member = "bоb" }, "unattributed", usd("5.00")},
		{"to a dot segment", func(r *providers.Report) { r.Member = ".." }, "unattributed", usd("5.00")},
		{"to a long name", func(r *providers.Report) { r.Member = strings.Repeat("b", 150) }, "unattributed", usd("5.00")},
		{"in a currency that is not enabled", func(r *providers.Report) {
			r.Effects[0].Amount = currency.MustParse("5.00", currency.INR)
		}, "asset_not_enabled", currency.MustParse("5.00", currency.INR)},
		{"of the highest amount, after another", func(r *providers.Report) { r.Effects[0].Amount = most(currency.USD) }, "unexplained", currency.Amount{}},
		{"with a reason that cannot be read", func(r *providers.Report) { r.Reason.Public = "a\x00\xff" }, "unexplained", currency.Amount{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := newDeskEnv(t)
			e.fund("alice", usd("1.00"))
			r := providers.Report{
				Reference: "r", Kind: providers.Deposit, State: providers.Succeeded, Member: "bob", At: e.clock.Now(),
				Effects: []providers.Effect{{ID: "odd", Kind: providers.Moved, Amount: usd("5.00"), At: e.clock.Now()}},
			}
			c.change(&r)
			for i := range 3 { // as a webhook does
				require.NoError(t, payments.Deliver(e.ctx, e.svc, "sandbox", providers.Event{ID: fmt.Sprint("e", i), Report: &r}))
			}
			e.pass(14 * 24 * time.Hour)
			var codes []string
			for _, found := range e.cases() {
				codes = append(codes, found...)
			}
			require.Contains(t, codes, c.code)
			for _, asset := range []currency.Asset{currency.USD, currency.INR} {
				want := currency.Zero(asset).Number()
				if c.suspense.AssetID() == asset.ID() {
					want = c.suspense.Number()
				}
				got := e.posted(payments.SuspenseAccount("sandbox", asset.ID()))
				require.Contains(t, []string{want, "none"}, got)
				require.Equal(t, c.suspense.IsValid() && c.suspense.AssetID() == asset.ID(), got == "5.00", "in suspense, once")
			}
			require.Equal(t, "none", e.posted(payments.WalletAccount("bob", "USD")))
			v, err := e.book.Verify(e.ctx)
			require.NoError(t, err)
			require.Empty(t, v.Problems)
			// What comes afterwards is taken.
			before := e.posted(payments.ClearingAccount("sandbox", "USD"))
			e.fund("alice", usd("2.00"))
			require.NotEqual(t, before, e.posted(payments.ClearingAccount("sandbox", "USD")))
		})
	}
}

// Two ids that a person could confuse are two members: kosh keeps no list of members, so whom a name belongs to is the host's
// to decide, who should hand out ids that nobody chooses. Letters of other scripts cannot be confused with these: see TestBadInput.
func TestIdsThatLookAlikeInASCIIAreTwoMembers(t *testing.T) {
	e := newDeskEnv(t)
	alike := []string{"alice", "Alice", "a1ice", "aIice", "al1ce", "alice.", "alice_"}
	e.fund("alice", usd("10.00"))
	for _, to := range alike[1:] {
		_, err := e.svc.Send(e.ctx, payments.TransferRequest{Key: e.key(), Actor: payments.Member("alice"), To: to, Amount: usd("1.00")})
		require.NoError(t, err)
		_, err = e.svc.Wallets(e.ctx, payments.Member("alice"), to)
		require.ErrorIs(t, err, payments.ErrForbidden)
		e.hasWallet(to, "1.00", "0.00", "0.00")
	}
	e.hasWallet("alice", "4.00", "0.00", "0.00")
	var owners []string
	for a, err := range e.book.Accounts(e.ctx, ledger.Query{}) {
		require.NoError(t, err)
		if strings.HasPrefix(a.ID.Path, "wallet/") {
			owners = append(owners, a.Owner)
		}
	}
	slices.Sort(owners)
	slices.Sort(alike)
	require.Equal(t, alike, owners)
}
