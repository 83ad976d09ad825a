// Command cryptolater is an app that shipped with dollars and cards, and months later adds Ether, a token and Bitcoin. host/host.go
// is what the app wrote around kosh; it is compiled once and serves both days. enable_crypto.go is all that the second day needed.
//
//	go run ./examples/cryptolater              # both chains are pretended, in this process
//	ANVIL=http://127.0.0.1:8545 go run .       # the Ethereum is a running anvil
package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"math/big"
	"os"
	"path/filepath"

	"github.com/shopspring/decimal"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/examples/cryptolater/host"
	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/ledger/memory"
	"github.com/koshpay/kosh/payments"
	"github.com/koshpay/kosh/providers"
	"github.com/koshpay/kosh/providers/bitcoin/bitcointest"
	"github.com/koshpay/kosh/providers/hdkey/filesigner"
	"github.com/koshpay/kosh/providers/sandbox"
)

func main() {
	if err := run(context.Background(), os.Stdout, os.Getenv("ANVIL")); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "cryptolater:", err)
		os.Exit(1)
	}
}

// app is the program: the host, kosh, and the world around.
type app struct {
	*host.Host
	world   *world
	book    *ledger.Book
	service *payments.Service
	out     io.Writer
	keys    int
	shown   []string // deposit addresses on Ethereum
}

func run(ctx context.Context, out io.Writer, anvil string) error {
	w, err := newWorld(ctx, anvil)
	if err != nil {
		return err
	}
	defer w.close()
	a, err := newApp(w, out)
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintln(out, "== the first day: dollars")
	if err := a.firstDay(); err != nil {
		return err
	}
	signer, remove, err := developmentSigner()
	if err != nil {
		return err
	}
	defer remove()
	c, err := enableCrypto(a.service, signer, w)
	if err != nil {
		return err
	}
	if err := w.ether.Endow(c.treasury); err != nil {
		return err
	}
	_, _ = fmt.Fprintln(out, "== months later: the same host")
	if err := a.laterDay(c); err != nil {
		return err
	}
	return a.prove(c)
}

func newApp(w *world, out io.Writer) (*app, error) {
	a := &app{world: w, out: out, book: ledger.New(memory.New(), ledger.Config{Clock: w.clock})}
	var err error
	a.service, err = payments.New(a.book, payments.Config{
		Assets: currency.MustRegistry(currency.USD), TipFee: decimal.RequireFromString("0.05"),
	})
	if err != nil {
		return nil, err
	}
	cards, err := sandbox.New(sandbox.Config{
		Name: "cards", Methods: []providers.Method{providers.Card, providers.Bank}, Assets: []currency.Asset{currency.USD}, Seed: 1, Clock: w.clock,
	})
	if err != nil {
		return nil, err
	}
	a.Host = host.New(a.service)
	return a, a.service.Register(cards)
}

// developmentSigner makes keys in a file, for development chains only.
func developmentSigner() (*filesigner.Signer, func(), error) {
	dir, err := os.MkdirTemp("", "cryptolater")
	if err != nil {
		return nil, nil, err
	}
	remove := func() { _ = os.RemoveAll(dir) }
	seed := make([]byte, 32)
	if _, err := rand.Read(seed); err != nil {
		remove()
		return nil, nil, err
	}
	path := filepath.Join(dir, "seed")
	if err := filesigner.Create(path, seed); err != nil {
		remove()
		return nil, nil, err
	}
	signer, err := filesigner.Open(path, filesigner.Options{})
	if err != nil {
		remove()
	}
	return signer, remove, err
}

// ask is a member's phone.
func (a *app) ask(r host.Request) (host.Answer, error) {
	a.keys++
	r.Key = fmt.Sprintf("phone-%d", a.keys)
	answer, err := a.Handle(a.world.ctx, r)
	if err == nil {
		_, _ = fmt.Fprintln(a.out, "  "+answer.Text)
	}
	return answer, err
}

// work lets the worker do what is due.
func (a *app) work() error {
	const enough = 1000
	for range enough {
		n, err := a.service.Step(a.world.ctx)
		if err != nil || n == 0 {
			return err
		}
	}
	return fmt.Errorf("the worker does not come to rest in %d rounds", enough)
}

// pass passes blocks and time.
func (a *app) pass(blocks int) error {
	for range blocks {
		if err := a.world.pass(); err != nil {
			return err
		}
		if err := a.work(); err != nil {
			return err
		}
	}
	return nil
}

func (a *app) firstDay() error {
	card, err := a.ask(host.Request{Member: "alice", Verb: "link", To: "card", With: sandbox.TokenCard})
	if err != nil {
		return err
	}
	bank, err := a.ask(host.Request{Member: "bob", Verb: "link", To: "bank", With: sandbox.TokenBank})
	if err != nil {
		return err
	}
	for _, r := range []host.Request{
		{Member: "alice", Verb: "topup", Amount: "50.00", Asset: "USD", With: card.Linked},
		{Member: "alice", Verb: "tip", Amount: "20.00", Asset: "USD", To: "bob"},
		{Member: "bob", Verb: "cashout", Amount: "12.50", Asset: "USD", To: bank.Linked},
	} {
		if _, err := a.ask(r); err != nil {
			return err
		}
	}
	if err := a.pass(300); err != nil { // two days, so that the bank has paid
		return err
	}
	_, err = a.ask(host.Request{Member: "bob", Verb: "wallet"})
	return err
}

func (a *app) laterDay(c *crypto) error {
	somebody, err := a.world.miner.NewAddress()
	if err != nil {
		return err
	}
	for _, coin := range []struct {
		asset             *currency.Definition
		in, tip, cash, to string
	}{
		{c.ether, "1.5", "0.2", "0.05", a.world.ether.Somebody()},
		{c.token, "80", "10", "4.25", a.world.ether.Somebody()},
		{c.coin, "0.02", "0.005", "0.003", somebody},
	} {
		if coin.asset == nil {
			continue // anvil has no token
		}
		id := string(coin.asset.ID())
		there, err := a.ask(host.Request{Member: "alice", Verb: "topup", Amount: coin.in, Asset: id})
		if err != nil {
			return err
		}
		if err := a.pays(c, there.PayTo, currency.MustParse(coin.in, coin.asset)); err != nil {
			return err
		}
		if err := a.pass(20); err != nil { // until it counts, and is in the treasury
			return err
		}
		for _, r := range []host.Request{
			{Member: "alice", Verb: "tip", Amount: coin.tip, Asset: id, To: "bob"},
			{Member: "bob", Verb: "cashout", Amount: coin.cash, Asset: id, To: coin.to},
		} {
			if _, err := a.ask(r); err != nil {
				return err
			}
		}
	}
	if err := a.pass(20); err != nil {
		return err
	}
	for _, member := range []string{"alice", "bob"} {
		if _, err := a.ask(host.Request{Member: member, Verb: "wallet"}); err != nil {
			return err
		}
	}
	return nil
}

// pays is somebody out there who sends what alice asked for.
func (a *app) pays(c *crypto, to string, amount currency.Amount) error {
	if amount.Asset() == c.coin {
		units, _ := amount.Int64()
		_, err := a.world.miner.Pay(a.world.ctx, bitcointest.Payment{To: to, Units: units})
		return err
	}
	a.shown = append(a.shown, to)
	token := ""
	if amount.Asset() == c.token {
		token = a.world.ether.Token()
	}
	return a.world.ether.Pay(token, to, amount.Big())
}

// prove compares the Ethereum's own word with the books, and the books with themselves.
func (a *app) prove(c *crypto) error {
	opening := big.NewInt(1e18) // what the treasury was given for gas
	for _, asset := range []*currency.Definition{c.ether, c.token} {
		if asset == nil {
			continue
		}
		token, chain := "", new(big.Int)
		if asset == c.token {
			token = a.world.ether.Token()
		} else {
			chain.Neg(opening)
		}
		for _, address := range append([]string{c.treasury}, a.shown...) {
			n, err := a.world.ether.Balance(token, address)
			if err != nil {
				return err
			}
			chain.Add(chain, n)
		}
		balances, err := a.book.Balances(a.world.ctx, ledger.AsOf{}, payments.ClearingAccount("ethereum", asset.ID()))
		if err != nil {
			return err
		}
		if books := balances[0].Posted.Big(); books.Cmp(chain) != 0 {
			return fmt.Errorf("the chain says %s units of %s, the books %s", chain, asset.Code(), books)
		}
		_, _ = fmt.Fprintf(a.out, "on the chain and in the books: %s %s\n", balances[0].Posted.Number(), asset.Code())
	}
	trial, err := a.book.TrialBalance(a.world.ctx, ledger.AsOf{})
	if err != nil {
		return err
	}
	v, err := a.book.Verify(a.world.ctx)
	if err != nil {
		return err
	}
	if !trial.Balanced() || len(v.Problems) > 0 {
		return fmt.Errorf("the books do not balance: %+v %v", trial.Assets, v.Problems)
	}
	_, _ = fmt.Fprintln(a.out, "books balance: yes")
	return nil
}
