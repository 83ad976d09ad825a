package payments_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/shopspring/decimal"
	"golang.org/x/text/language"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/ledger/memory"
	"github.com/koshpay/kosh/payments"
	"github.com/koshpay/kosh/providers"
	"github.com/koshpay/kosh/providers/sandbox"
)

// must keeps the examples short; a host handles its errors.
func must[T any](v T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return v
}

// A member links a card, tops up and tips a post. The platform keeps five percent of tips.
func Example_tip() {
	ctx := context.Background()
	book := ledger.New(memory.New(), ledger.Config{})
	svc := must(payments.New(book, payments.Config{TipFee: decimal.RequireFromString("0.05")}))
	cards := must(sandbox.New(sandbox.Config{Assets: []currency.Asset{currency.USD}}))
	if err := svc.Register(cards); err != nil {
		log.Fatal(err)
	}

	alice := payments.Member("alice")
	card := must(svc.Link(ctx, payments.LinkRequest{
		Key: "request-1", Actor: alice, Member: "alice", Method: providers.Card, Token: sandbox.TokenCard,
	}))
	deposit := must(svc.Deposit(ctx, payments.DepositRequest{
		Key: "request-2", Actor: alice, Member: "alice", Amount: currency.MustParse("20.00", currency.USD), Instrument: card.ID,
	}))
	fmt.Println(card.Label, "->", deposit.State, deposit.Moved)

	tip := must(svc.Tip(ctx, payments.TransferRequest{
		Key: "request-3", Actor: alice, From: "alice", To: "bob", Amount: currency.MustParse("5.00", currency.USD), Reference: "post-42",
	}))
	fmt.Println(tip.State, tip.Amount, "fee", tip.Fee)
	for _, member := range []string{"alice", "bob"} {
		for _, w := range must(svc.Wallets(ctx, payments.Member(member), member)) {
			fmt.Println(member, "has", w.Available)
		}
	}
	// Output:
	// Visa •• 4242 -> succeeded 20.00 USD
	// succeeded 5.00 USD fee 0.25 USD
	// alice has 15.00 USD
	// bob has 4.75 USD
}

// A bank debit takes days. The provider's webhook says when the money came; it may come often and in any order.
func Example_depositWithWebhook() {
	ctx := context.Background()
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	clock := func() time.Time { return now }
	svc := must(payments.New(ledger.New(memory.New(), ledger.Config{Clock: clock}), payments.Config{}))
	bank := must(sandbox.New(sandbox.Config{
		Name: "bank", Assets: []currency.Asset{currency.EUR}, Clock: clock, Secret: []byte("whsec_example"),
	}))
	if err := svc.Register(bank); err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/webhooks/", svc.Webhooks()) // the provider's name is the last path segment

	alice := payments.Member("alice")
	account := must(svc.Link(ctx, payments.LinkRequest{
		Key: "1", Actor: alice, Member: "alice", Method: providers.Bank, Token: sandbox.TokenBank,
	}))
	p := must(svc.Deposit(ctx, payments.DepositRequest{
		Key: "2", Actor: alice, Member: "alice", Amount: currency.MustParse("50.00", currency.EUR), Instrument: account.ID,
	}))
	fmt.Println(p.State)

	now = now.Add(25 * time.Hour) // the bank has settled the debit and calls us, twice to be sure
	for _, d := range bank.Deliveries(100) {
		for range 2 {
			r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/webhooks/bank", bytesReader(d.Body))
			r.Header = d.Header
			w := httptest.NewRecorder()
			mux.ServeHTTP(w, r)
			if w.Code != http.StatusNoContent {
				log.Fatal(w.Code)
			}
		}
	}
	p = must(svc.Payment(ctx, alice, p.ID))
	fmt.Println(p.State, p.Moved)
	w := must(svc.Wallets(ctx, alice, "alice"))[0]
	fmt.Println("posted", w.Posted, "held", w.Held, "until the bank cannot take it back")
	// Output:
	// pending
	// succeeded 50.00 EUR
	// posted 50.00 EUR held 50.00 EUR until the bank cannot take it back
}

// Months later the host adds Ether: one asset, one provider. The function that tips does not change.
func Example_addingCryptoLater() {
	ctx := context.Background()
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	clock := func() time.Time { return now }
	assets := currency.MustRegistry(currency.USD)
	svc := must(payments.New(ledger.New(memory.New(), ledger.Config{Clock: clock}), payments.Config{Assets: assets}))

	tip := func(from, to, amount, asset string) { // the host's code, written when there were only dollars
		a := must(currency.Parse(amount, must(svc.Assets().Find(asset))))
		p := must(svc.Tip(ctx, payments.TransferRequest{Key: from + to + amount, Actor: payments.Member(from), From: from, To: to, Amount: a}))
		fmt.Println(from, "tips", to, currency.Format(p.Amount, language.English))
	}

	// What is added later.
	eth := currency.MustDefine(currency.Info{ID: "eip155:1/slip44:60", Code: "ETH", Name: "Ether", Scale: 18, Kind: currency.Crypto})
	if err := assets.Enable(eth); err != nil {
		log.Fatal(err)
	}
	chain := must(sandbox.New(sandbox.Config{
		Name: "chain", Methods: []providers.Method{providers.Chain}, Assets: []currency.Asset{eth}, Clock: clock,
	}))
	if err := svc.Register(chain); err != nil {
		log.Fatal(err)
	}

	// Alice asks where to send her ether, and sends some from her own wallet software.
	address := must(svc.Deposit(ctx, payments.DepositRequest{
		Key: "1", Actor: payments.Member("alice"), Member: "alice", Amount: currency.MustParse("0.5", eth),
	}))
	must(chain.SendTo(address.Action.Address, currency.MustParse("0.5", eth)))
	now = now.Add(time.Hour)
	must(svc.Step(ctx)) // the worker: in a host, go svc.Run(ctx)
	must(svc.Step(ctx))

	tip("alice", "bob", "0.02", "ETH")
	// Output:
	// alice tips bob ETH 0.02
}
