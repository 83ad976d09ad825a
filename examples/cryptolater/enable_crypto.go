package main

import (
	"fmt"
	"net/url"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/payments"
	"github.com/koshpay/kosh/providers"
	"github.com/koshpay/kosh/providers/bitcoin"
	"github.com/koshpay/kosh/providers/evm"
	"github.com/koshpay/kosh/providers/hdkey/filesigner"
)

// crypto is what was enabled: for the world to pay with, and for the proof at the end.
type crypto struct {
	ether, token, coin *currency.Definition
	treasury           string // an address of the app's, which pays withdrawals of ether and tokens, and for their gas
}

const (
	treasuryKey = "m/44'/60'/1'/0/0"
	etherKeys   = "m/44'/60'/0'/0"
	coinKeys    = "m/84'/1'/0'"
)

// enableCrypto is all that the app's developers write to deal in Ether, a token and Bitcoin from now on: assets, and providers for
// them. The service runs; the host does not change.
func enableCrypto(service *payments.Service, signer *filesigner.Signer, w *world) (*crypto, error) {
	public, err := signer.PublicKey(w.ctx, treasuryKey)
	if err != nil {
		return nil, err
	}
	c := &crypto{}
	if c.treasury, err = evm.AddressOf(public); err != nil {
		return nil, err
	}
	etherXPub, err := signer.Account(etherKeys)
	if err != nil {
		return nil, err
	}
	c.ether, err = currency.Define(currency.Info{
		ID: currency.AssetID(fmt.Sprintf("eip155:%d/slip44:60", chainID)), Code: "ETH", Name: "Ether", Scale: 18, Kind: currency.Crypto,
	})
	if err != nil {
		return nil, err
	}
	confirmations := []evm.Step{{Confirmations: 3}}
	// What comes to deposit addresses is moved to the treasury, which pays withdrawals.
	assets := []evm.Asset{{Asset: c.ether, Confirmations: confirmations, SweepFrom: currency.MustParse("0.1", c.ether)}}
	if contract := w.ether.Token(); contract != "" {
		c.token, err = currency.Define(currency.Info{
			ID: currency.AssetID(fmt.Sprintf("eip155:%d/erc20:%s", chainID, contract)), Code: "USDX", Name: "Dollar token", Scale: 6,
			Kind: currency.Crypto,
		})
		if err != nil {
			return nil, err
		}
		assets = append(assets, evm.Asset{Asset: c.token, Confirmations: confirmations, SweepFrom: currency.MustParse("1", c.token)})
	}
	ethereum, err := evm.New(evm.Config{
		Name: "ethereum", ChainID: chainID, Endpoints: []evm.Endpoint{{URL: w.ether.URL()}}, Assets: assets, Signer: signer,
		Treasury: evm.Account{Address: c.treasury, Key: treasuryKey}, Deposits: etherXPub, DepositKeys: etherKeys,
		State: service.ProviderState("ethereum"), Finality: 6, Now: w.clock,
	})
	if err != nil {
		return nil, err
	}
	coinXPub, err := signer.Account(coinKeys)
	if err != nil {
		return nil, err
	}
	coin, err := bitcoin.RegTest.Asset()
	if err != nil {
		return nil, err
	}
	c.coin, _ = currency.Lookup(coin.ID())
	btc, err := bitcoin.New(service.ProviderState("bitcoin"), signer, bitcoin.Config{
		Network: bitcoin.RegTest, Node: w.bitcoin.Endpoint(), XPub: coinXPub, Account: coinKeys, Clock: w.clock,
		Confirmations: []bitcoin.Tier{{Confirmations: 3}}, Finality: 12,
	})
	if err != nil {
		return nil, err
	}
	for _, a := range []*currency.Definition{c.ether, c.token, c.coin} {
		if a == nil {
			continue
		}
		if err := service.Assets().Enable(a); err != nil {
			return nil, err
		}
	}
	for _, p := range []providers.Provider{ethereum, btc} {
		if err := service.Register(p); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// isURL tells whether an environment variable names a server.
func isURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
}
