package app

import (
	"context"
	"time"

	"github.com/shopspring/decimal"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/ledger/memory"
	"github.com/koshpay/kosh/payments"
	"github.com/koshpay/kosh/providers"
	"github.com/koshpay/kosh/providers/sandbox"
)

// App is what a program that embeds kosh sets up when it starts, and the pretend world around it.
type App struct {
	*Host
	World *World

	book    *ledger.Book
	service *payments.Service
	prices  map[[2]currency.AssetID]decimal.Decimal
}

// webhookSecret is shared with the pretend providers. A real one comes from the environment.
const webhookSecret = "whsec_quickstart"

// Backing is what outlives the program.
type Backing struct {
	Store ledger.Store // nil: the day is kept in memory
	Book  string       // the tenant; empty is the ledger's own default
	Tape  *Tape        // nil: so are the pretend providers
}

// NewApp sets the app up as it was on its first morning: a book, five currencies, one provider.
func NewApp(ctx context.Context, day time.Time, b Backing) (*App, error) {
	w := NewWorld(day, b.Tape)
	a := &App{World: w, prices: map[[2]currency.AssetID]decimal.Decimal{}}
	var newID func() ledger.ID // kosh's own
	if b.Store == nil {
		b.Store, newID = memory.New(), w.NewID // the same output in every run
	}
	a.book = ledger.New(b.Store, ledger.Config{Book: b.Book, Clock: w.Now, NewID: newID})

	fiat := []currency.Asset{currency.USD, currency.EUR, currency.INR, currency.JPY, currency.KWD}
	assets, err := currency.NewRegistry(fiat...)
	if err != nil {
		return nil, err
	}
	a.service, err = payments.New(a.book, payments.Config{
		Assets: assets,
		TipFee: decimal.RequireFromString("0.05"),
		Rates:  a.rate,
		// Webhooks bring the news; polling once an hour finds those that were lost.
		PollEvery: time.Hour,
		Worker:    "quickstart",
		NewID:     newID,
	})
	if err != nil {
		return nil, err
	}
	a.Host = NewHost(a.service, w.Device)
	w.Serves(a.service)
	w.At(12*time.Hour, a.Noon)
	_, err = w.Connect(ctx, sandbox.Config{
		Name: "paynet", Methods: []providers.Method{providers.Card, providers.Bank}, Assets: fiat,
		Seed: 1, Secret: []byte(webhookSecret),
		CardFee: sandbox.Fee{Rate: decimal.RequireFromString("0.029")},
		Faults:  weather,
	})
	return a, err
}

// weather is how badly the pretend providers deliver webhooks, per thousand.
var weather = sandbox.Faults{WebhookLost: 20, WebhookDuplicated: 100, WebhookReordered: 100, WebhookDelayed: 10}

// Noon is all that the app's developers write to deal in an in-app coin and in Ether from now on: two assets, one provider,
// and the prices of the coin. Host does not change.
func (a *App) Noon(ctx context.Context) error {
	coin, err := currency.Define(currency.Info{
		ID: "app:quickstart/chirp", Code: "CHIRP", Name: "Chirp coin", Scale: 0, Kind: currency.Virtual,
	})
	if err != nil {
		return err
	}
	ether, err := currency.Define(currency.Info{
		ID: "eip155:1/slip44:60", Code: "ETH", Name: "Ether", Scale: 18, Kind: currency.Crypto,
	})
	if err != nil {
		return err
	}
	for _, asset := range []currency.Asset{coin, ether} {
		if err := a.service.Assets().Enable(asset); err != nil {
			return err
		}
	}

	chain, err := a.World.Connect(ctx, sandbox.Config{
		Name: "chain", Methods: []providers.Method{providers.Chain}, Assets: []currency.Asset{ether},
		Seed: 2, Secret: []byte(webhookSecret), Faults: weather,
	})
	if err != nil {
		return err
	}
	// Such things happen on chains: money that nobody expected, and ten minutes that turn out not to have been.
	a.World.At(15*time.Hour, func(context.Context) error {
		return chain.once("stray", call{Do: "stray", Text: string(providers.Chain), Amount: currency.MustParse("0.0123", ether)})
	})
	a.World.At(18*time.Hour, func(context.Context) error {
		return chain.once("reorganisation", call{Do: "reorganise", Number: 10})
	})

	for _, p := range []struct {
		from, to currency.Asset
		price    string
	}{
		{currency.USD, coin, "100"},
		{currency.EUR, coin, "108"},
		{currency.INR, coin, "1.2"},
		{currency.JPY, coin, "0.66"},
		{currency.KWD, coin, "325"},
		{ether, coin, "250000"},
		{coin, currency.USD, "0.0095"},
	} {
		a.prices[[2]currency.AssetID{p.from.ID(), p.to.ID()}] = decimal.RequireFromString(p.price)
	}
	_, err = a.service.Issue(ctx, payments.IssueRequest{
		Key: "first-issue", Actor: payments.Platform(), Amount: currency.MustNew(10_000_000, coin),
	})
	return err
}

// rate is the app's price list, as payments.Config wants it.
func (a *App) rate(_ context.Context, from, to currency.Asset) (payments.Price, bool, error) {
	price, ok := a.prices[[2]currency.AssetID{from.ID(), to.ID()}]
	if !ok {
		return payments.Price{}, false, nil
	}
	rate, err := currency.NewRate(from, to, price)
	return payments.Price{Rate: rate}, err == nil, err
}
