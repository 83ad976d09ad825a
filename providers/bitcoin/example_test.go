package bitcoin_test

import (
	"bytes"
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/providers"
	"github.com/koshpay/kosh/providers/bitcoin"
	"github.com/koshpay/kosh/providers/bitcoin/bitcointest"
	"github.com/koshpay/kosh/providers/hdkey/filesigner"
)

// An adapter on a pretend node: a member gets an address, somebody pays to it, and the deposit counts with its second confirmation. Then a
// part of it is sent on.
func Example() {
	ctx := context.Background()
	node := bitcointest.NewNode()
	miner, err := bitcointest.NewMiner(ctx, node.Endpoint())
	check(err)

	dir, err := os.MkdirTemp("", "kosh")
	check(err)
	defer func() { check(os.RemoveAll(dir)) }()
	check(filesigner.Create(filepath.Join(dir, "seed"), bytes.Repeat([]byte{1}, 32)))
	signer, err := filesigner.Open(filepath.Join(dir, "seed"), filesigner.Options{})
	check(err)
	xpub, err := signer.Account("m/84'/1'/0'")
	check(err)

	btc, err := bitcoin.RegTest.Asset()
	check(err)
	state := &bitcointest.State{} // payments.Service.ProviderState in a host
	adapter, err := bitcoin.New(state, signer, bitcoin.Config{
		Network: bitcoin.RegTest, Node: node.Endpoint(), XPub: xpub, Account: "m/84'/1'/0'", Clock: miner.Now,
		Confirmations: []bitcoin.Tier{{Below: currency.MustNew(1_000_000, btc), Confirmations: 2}, {Confirmations: 6}},
	})
	check(err)

	made, err := adapter.Submit(ctx, providers.Operation{
		Key: "01980000-0000-7000-8000-000000000001", Kind: providers.DepositAddress, Method: providers.Chain, Asset: btc.ID(), Member: "alice",
	})
	check(err)
	fmt.Println("pay to", made.Action.Address)

	txid, err := miner.Pay(ctx, bitcointest.Payment{To: made.Action.Address, Units: 500_000})
	check(err)
	for range 2 {
		check(miner.Mine(ctx, 1))
		r, err := adapter.Lookup(ctx, providers.Query{Reference: txid + ":0"})
		check(err)
		fmt.Println(r.State, r.Confirmations, "of", r.Required, "for", r.Member)
	}

	to, err := miner.NewAddress()
	check(err)
	withdrawal := providers.Operation{
		Key: "01980000-0000-7000-8000-000000000002", Kind: providers.Withdrawal, Method: providers.Chain,
		Amount: currency.MustNew(200_000, btc), Instrument: to, Member: "alice",
	}
	quote, err := adapter.Quote(ctx, withdrawal)
	check(err)
	withdrawal.MaxFee, withdrawal.FeeUntil = quote.Fee, quote.Until
	sent, err := adapter.Submit(ctx, withdrawal)
	check(err)
	fmt.Println(sent.State)
	check(miner.Mine(ctx, 2))
	sent, err = adapter.Lookup(ctx, providers.Query{Key: withdrawal.Key})
	check(err)
	for _, e := range sent.Effects {
		fmt.Println(e.Kind, e.Amount.Number())
	}

	// Output:
	// pay to bcrt1q022amqf3jv7mg744rcjmst222dfazqvmurt943
	// pending 1 of 2 for alice
	// succeeded 2 of 2 for alice
	// pending
	// moved -0.00200000
	// fee -0.00001410
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
