package bitcoin

import (
	"fmt"

	"github.com/btcsuite/btcd/address/v2"
	"github.com/btcsuite/btcd/chaincfg/v2"
	"github.com/btcsuite/btcd/txscript/v2"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/providers"
)

// Network is a Bitcoin network by its CAIP-2 name: bip122 and the first half of the hash of its first block.
type Network string

// The networks.
const (
	MainNet  Network = "bip122:000000000019d6689c085ae165831e93"
	TestNet3 Network = "bip122:000000000933ea01ad0ee984209779ba"
	TestNet4 Network = "bip122:00000000da84f2bafbbc53dee25a72ae"
	SigNet   Network = "bip122:00000008819873e925422c1ff0f99f7c"
	RegTest  Network = "bip122:0f9188f13cb7b2c71f2a335e3a4fc328"
)

// params returns the network's parameters, or nil if there is no such network.
func (n Network) params() *chaincfg.Params {
	for _, p := range []*chaincfg.Params{
		&chaincfg.MainNetParams, &chaincfg.TestNet3Params, &chaincfg.TestNet4Params, &chaincfg.SigNetParams, &chaincfg.RegressionNetParams,
	} {
		if n.begins(p.GenesisHash.String()) {
			return p
		}
	}
	return nil
}

// begins tells whether the network's first block has that hash.
func (n Network) begins(genesis string) bool {
	const half = 32
	return len(genesis) == 2*half && string(n) == "bip122:"+genesis[:half]
}

// Asset returns the network's own coin, by its CAIP-19 id: bip122:…/slip44:0, eight decimals. Of a test network it is as worthless
// as it is distinct.
func (n Network) Asset() (currency.Asset, error) {
	if n.params() == nil {
		return nil, fmt.Errorf("bitcoin: no network %q", string(n))
	}
	info := currency.Info{ID: currency.AssetID(n) + "/slip44:0", Code: "BTC", Name: "Bitcoin", Scale: 8, Kind: currency.Crypto}
	if n != MainNet {
		info.Code, info.Name = "TBTC", "Test Bitcoin"
	}
	return currency.Define(info)
}

// destination is what an address is paid by: the script of the output. Addresses of other networks, public keys and witness
// versions without a rule are none.
func (n Network) destination(text string) ([]byte, error) {
	params := n.params()
	a, err := address.DecodeAddress(text, params)
	if err != nil || !a.IsForNet(params) {
		return nil, errNoAddress
	}
	switch a.(type) {
	case *address.AddressPubKeyHash, *address.AddressScriptHash, *address.AddressWitnessPubKeyHash,
		*address.AddressWitnessScriptHash, *address.AddressTaproot:
		return txscript.PayToAddrScript(a)
	}
	return nil, errNoAddress
}

// p2wpkh returns the address of a public key, and the script of an output to it.
func (n Network) p2wpkh(public []byte) (string, []byte, error) {
	a, err := address.NewAddressWitnessPubKeyHash(address.Hash160(public), n.params())
	if err != nil {
		return "", nil, fmt.Errorf("bitcoin: an address of a public key: %w", err)
	}
	script, err := txscript.PayToAddrScript(a)
	return a.EncodeAddress(), script, err
}

// CheckAddress implements providers.AddressChecker: whether the text is an address of the configured network, of a kind that there is a rule
// for, with a right checksum.
func (p *Provider) CheckAddress(asset currency.AssetID, text string) error {
	if asset != p.asset.ID() {
		return fmt.Errorf("bitcoin: %w: %s", providers.ErrUnsupported, asset)
	}
	_, err := p.config.Network.destination(text)
	return err
}
