package evm_test

import (
	"context"
	"fmt"
	"log"
	"math/big"
	"os"
	"path/filepath"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/providers"
	"github.com/koshpay/kosh/providers/evm"
	"github.com/koshpay/kosh/providers/evm/evmtest"
	"github.com/koshpay/kosh/providers/hdkey/filesigner"
)

// An adapter on a pretend chain: a member gets an address, somebody pays to it, and the deposit counts with its third block. Then a part
// of it is sent on, at no more than what was quoted.
func Example() {
	ctx := context.Background()
	node, err := evmtest.New(evmtest.Options{ChainID: 31337})
	check(err)
	defer node.Close()

	dir, err := os.MkdirTemp("", "kosh")
	check(err)
	defer func() { check(os.RemoveAll(dir)) }()
	check(filesigner.Create(filepath.Join(dir, "seed"), []byte("a seed of 32 bytes worth nothing")))
	signer, err := filesigner.Open(filepath.Join(dir, "seed"), filesigner.Options{})
	check(err)
	xpub, err := signer.Account("m/44'/60'/0'/0")
	check(err)
	public, err := signer.PublicKey(ctx, "m/44'/60'/1'/0/0")
	check(err)
	treasury, err := evm.AddressOf(public)
	check(err)
	check(node.Fund(treasury, big.NewInt(2e18)))

	ether := currency.MustDefine(currency.Info{ID: "eip155:31337/slip44:60", Code: "ETH", Name: "Ether", Scale: 18, Kind: currency.Crypto})
	adapter, err := evm.New(evm.Config{
		ChainID: 31337, Endpoints: []evm.Endpoint{{URL: node.URL()}}, Signer: signer,
		Treasury: evm.Account{Address: treasury, Key: "m/44'/60'/1'/0/0"}, Deposits: xpub, DepositKeys: "m/44'/60'/0'/0",
		State:  &evmtest.State{}, // payments.Service.ProviderState in a host
		Assets: []evm.Asset{{Asset: ether, Confirmations: []evm.Step{{Confirmations: 3}}}}, Now: node.Now,
	})
	check(err)

	made, err := adapter.Submit(ctx, providers.Operation{
		Key: "01980000-0000-7000-8000-000000000001", Kind: providers.DepositAddress, Method: providers.Chain, Asset: ether.ID(), Member: "alice",
	})
	check(err)
	fmt.Println("pay to", made.Address)

	hash, err := node.Pay(evmtest.Payment{To: made.Address, Units: big.NewInt(5e17)})
	check(err)
	for range 3 {
		node.Mine(1)
		r, err := adapter.Lookup(ctx, providers.Query{Reference: hash + ":native"})
		check(err)
		fmt.Println(r.State, r.Confirmations, "of", r.Required, "for", r.Member)
	}

	withdrawal := providers.Operation{
		Key: "01980000-0000-7000-8000-000000000002", Kind: providers.Withdrawal, Method: providers.Chain,
		Amount: currency.MustParse("0.25", ether), Instrument: node.Address(), Member: "alice",
	}
	quote, err := adapter.Quote(ctx, withdrawal)
	check(err)
	withdrawal.MaxFee, withdrawal.FeeUntil = quote.Fee, quote.Until
	sent, err := adapter.Submit(ctx, withdrawal)
	check(err)
	fmt.Println(sent.State, "for at most", quote.Fee.Number())
	node.Mine(3)
	sent, err = adapter.Lookup(ctx, providers.Query{Key: withdrawal.Key})
	check(err)
	for _, e := range sent.Effects {
		fmt.Println(e.Kind, e.Amount.Number())
	}

	// Output:
	// pay to 0xDDB5849230F5ff4B62F215c91126CC0B72C6d475
	// pending 1 of 3 for alice
	// pending 2 of 3 for alice
	// succeeded 3 of 3 for alice
	// pending for at most 0.000063000000000000
	// fee -0.000042000000000000
	// moved -0.250000000000000000
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
