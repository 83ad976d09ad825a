package evm

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/providers"
	"github.com/koshpay/kosh/providers/evm/internal/eth"
	"github.com/koshpay/kosh/providers/hdkey"
)

// ErrConfig says that a Config cannot be used; the text says why, and repeats no secret.
var ErrConfig = errors.New("evm: invalid configuration")

// Config says which chain, through whom, and what is accepted there.
type Config struct {
	Name    string // of the provider; default evm
	ChainID uint64 // EIP-155; required, and compared with what every endpoint says
	// Endpoints are JSON-RPC servers of the chain, the preferred one first; at least one. They should be run by different people:
	// money counts when Agree of them have the same block, and one that contradicts what is final halts the adapter.
	Endpoints []Endpoint
	// Agree is how many endpoints must have the block in which money came before it counts; 0: all.
	Agree int
	// Assets are what is accepted and paid out; at least one. The chain's own asset must be among them: fees are paid in it.
	Assets []Asset
	// Signer signs; Treasury is the account that withdrawals, and gas for sweeps, are paid from, and that sweeps pay to.
	Signer   providers.Signer
	Treasury Account
	// Deposits is the extended public key (BIP-32) whose children 0, 1, 2 … are the deposit addresses, usually that of the path
	// m/44'/60'/0'/0, and DepositKeys what the signer calls that path: a child's key is DepositKeys + "/" + its number. It may
	// be empty when nothing is ever swept.
	Deposits    string
	DepositKeys string
	// State remembers nonces, signed bytes, addresses and the cursor; required. Several processes may share it.
	State providers.StateStore
	// Start is the first block that is looked at; 0: the one after the latest, at first use.
	Start uint64
	// Finality is after how many confirmations a block is taken to stay: a reorganisation as deep as that halts the adapter.
	// Default 64. Nodes keep the state of some 128 blocks, which bounds it from above.
	Finality uint
	// MaxFee bounds what one transaction may cost, in the chain's own asset; default 0.1 of it.
	MaxFee currency.Amount
	// QuoteFor is how long a quote holds; default 2 minutes.
	QuoteFor time.Duration
	// StuckAfter is after how long a transaction that was sent and not mined is replaced by one that pays more, and a nonce
	// that nobody used is filled; default 10 minutes.
	StuckAfter time.Duration
	// Manual leaves replacing, filling and sweeping to Bump, Fill and Sweep; else Poll does it too.
	Manual bool
	// OnError, if set, is told what failed of that; it is tried again.
	OnError func(error)
	// IgnoreUnknown leaves tokens that are not among Assets alone; else they are reported as quarantined.
	IgnoreUnknown bool
	// MaxBlocks is how many blocks one call looks at, at most; default 200.
	MaxBlocks int
	HTTP      *http.Client     // default: one with a time-out of 30 seconds
	Now       func() time.Time // default time.Now
}

// Endpoint is a JSON-RPC server. Its URL and its header may hold keys: they are never printed.
type Endpoint struct {
	URL    string
	Header http.Header
}

// Format prints nothing of an endpoint, because providers put keys into URLs.
func (Endpoint) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte("evm.Endpoint{…}")) }

// Account is an account whose key the signer has.
type Account struct {
	Address string // with its checksum
	Key     string // what the signer calls the key
}

// Asset is something that is accepted.
type Asset struct {
	// Asset is the chain's own, eip155:N/slip44:60, or a token, eip155:N/erc20:0x…, whose scale must be what the contract says.
	Asset currency.Asset
	// Confirmations are how many blocks money waits for, its own included, by amount: of the steps whose From is not above the
	// amount, the last one counts. None: 12. More than Config.Finality is cut to it.
	Confirmations []Step
	// Dust is the least that is worth a credit: less is reported with the reason dust.
	Dust currency.Amount
	// SweepFrom is from what balance on a deposit address is swept to the treasury; Amount{}: never.
	SweepFrom currency.Amount
	// TrustLogs credits what the token's Transfer event says without asking what the balance became. Without it the node must have
	// the state of the blocks that are looked at.
	TrustLogs bool
}

// Step is a number of confirmations from an amount on.
type Step struct {
	From          currency.Amount // Amount{}: from nothing
	Confirmations uint
}

const (
	defaultConfirmations = 12
	defaultFinality      = 64
)

// asset is one that is accepted, ready to use.
type asset struct {
	Asset
	id    currency.AssetID
	def   *currency.Definition
	token *eth.Address // nil: the chain's own
}

// Provider implements providers.Provider, Poller, Quoter, Checker and Lister for one EVM chain. It is safe for concurrent use,
// by several processes on one StateStore too.
type Provider struct {
	config    Config
	chain     string // CAIP-2
	endpoints []*endpoint
	state     providers.StateStore
	treasury  eth.Address
	deposits  *hdkey.Public
	native    *asset
	assets    map[currency.AssetID]*asset
	tokens    map[eth.Address]*asset
	waits     []uint // every number of confirmations that something waits for, ascending; the last is finality
	addresses *addressBook
	log       *eventLog
	scanning  sync.Mutex // one scan a process: others would only repeat it
}

// New makes the adapter. It does no I/O.
func New(c Config) (*Provider, error) {
	bad := func(format string, args ...any) (*Provider, error) {
		return nil, fmt.Errorf("%w: %s", ErrConfig, fmt.Sprintf(format, args...))
	}
	c.defaults()
	p := &Provider{
		config: c, chain: "eip155:" + strconv.FormatUint(c.ChainID, 10), state: c.State,
		assets: map[currency.AssetID]*asset{}, tokens: map[eth.Address]*asset{},
	}
	p.addresses = &addressBook{known: map[eth.Address]uint32{}}
	p.log = &eventLog{store: p.state}
	var err error
	switch {
	case c.ChainID == 0:
		return bad("ChainID is missing")
	case len(c.Endpoints) == 0 || c.Agree < 0 || c.Agree > len(c.Endpoints):
		return bad("Endpoints are missing, or Agree is more than there are")
	case c.Signer == nil || c.State == nil:
		return bad("Signer or State is missing")
	case len(c.Assets) == 0:
		return bad("Assets are missing")
	case c.Finality < 2 || c.Finality > maxFinality:
		return bad("Finality is not from 2 to %d", maxFinality)
	}
	if p.treasury, err = eth.ParseAddress(c.Treasury.Address); err != nil || c.Treasury.Key == "" {
		return bad("Treasury needs an address with its checksum and a key")
	}
	if p.deposits, err = hdkey.ParsePublic(c.Deposits); err != nil {
		return bad("Deposits is no extended public key")
	}
	for i, e := range c.Endpoints {
		if !strings.HasPrefix(e.URL, "http://") && !strings.HasPrefix(e.URL, "https://") {
			return bad("Endpoints[%d] is no http or https URL", i)
		}
		p.endpoints = append(p.endpoints, newEndpoint(c.HTTP, e, i))
	}
	for i, a := range c.Assets {
		if problem := p.accept(a); problem != "" {
			return bad("Assets[%d] %s", i, problem)
		}
	}
	if p.native == nil {
		return bad("Assets lack the chain's own, in which fees are paid")
	}
	if p.config.MaxFee == (currency.Amount{}) {
		p.config.MaxFee, err = currency.FromMinor(int64(1), 1, p.native.def)
	}
	if err != nil || p.config.MaxFee.AssetID() != p.native.id || p.config.MaxFee.Sign() <= 0 {
		return bad("MaxFee is not a positive amount of the chain's own asset")
	}
	p.config.Endpoints, p.config.HTTP = nil, nil // they hold secrets; the endpoints have them behind a function
	p.waits = append(p.waits, c.Finality)
	slices.Sort(p.waits)
	p.waits = slices.Compact(p.waits)
	return p, p.Describe().Validate()
}

// maxFinality bounds the window of hashes, and how far back state is asked for.
const maxFinality = 1000

func (c *Config) defaults() {
	set := func(unset bool, do func()) {
		if unset {
			do()
		}
	}
	set(c.Name == "", func() { c.Name = "evm" })
	set(c.Agree == 0, func() { c.Agree = len(c.Endpoints) })
	set(c.Finality == 0, func() { c.Finality = defaultFinality })
	set(c.QuoteFor == 0, func() { c.QuoteFor = 2 * time.Minute })
	set(c.StuckAfter == 0, func() { c.StuckAfter = 10 * time.Minute })
	set(c.MaxBlocks == 0, func() { c.MaxBlocks = 200 })
	set(c.HTTP == nil, func() { c.HTTP = &http.Client{Timeout: 30 * time.Second} })
	set(c.Now == nil, func() { c.Now = time.Now }) //nolint:forbidigo // the default clock
	c.Assets, c.Endpoints = slices.Clone(c.Assets), slices.Clone(c.Endpoints)
}

// accept adds an asset, or says what is wrong with it.
func (p *Provider) accept(a Asset) (problem string) {
	if a.Asset == nil {
		return "is nothing"
	}
	def, ok := currency.Lookup(a.Asset.ID())
	rest, here := strings.CutPrefix(string(a.Asset.ID()), p.chain+"/")
	switch {
	case !ok:
		return "is not defined"
	case !here:
		return "is not on " + p.chain
	}
	known := &asset{Asset: a, id: def.ID(), def: def}
	switch kind, name, _ := strings.Cut(rest, ":"); kind {
	case "slip44":
		if p.native != nil {
			return "is a second asset of the chain's own"
		}
		p.native = known
	case "erc20":
		token, err := eth.ParseAddress(name)
		if err != nil {
			return "is no token's address"
		}
		known.token = &token
		p.tokens[token] = known
	default:
		return "is neither slip44 nor erc20"
	}
	if p.assets[known.id] != nil {
		return "is there twice"
	}
	p.assets[known.id] = known
	for _, bound := range []currency.Amount{a.Dust, a.SweepFrom} {
		if bound.IsValid() && (bound.AssetID() != known.id || bound.Sign() <= 0) {
			return "has a bound that is not a positive amount of it"
		}
	}
	for _, s := range a.Confirmations {
		if s.Confirmations == 0 || s.From.IsValid() && s.From.AssetID() != known.id {
			return "has a step of no confirmations, or in another asset"
		}
		p.waits = append(p.waits, min(s.Confirmations, p.config.Finality))
	}
	p.waits = append(p.waits, min(defaultConfirmations, p.config.Finality))
	return ""
}

// required is how many confirmations an amount waits for.
func (p *Provider) required(a currency.Amount) uint {
	n := uint(defaultConfirmations)
	if known := p.assets[a.AssetID()]; known != nil {
		for _, s := range known.Confirmations {
			if less, err := a.Less(s.From); !s.From.IsValid() || err == nil && !less {
				n = s.Confirmations
			}
		}
	}
	return min(n, p.config.Finality)
}

// Describe implements providers.Provider.
func (p *Provider) Describe() providers.Descriptor {
	d := providers.Descriptor{
		Name: p.config.Name, KeyRetention: 100 * 365 * 24 * time.Hour, // the state store forgets nothing
		VisibleAfter: time.Minute, // a request whose answer was lost may be on its way
	}
	for _, a := range p.config.Assets {
		scale := a.Asset.Scale()
		d.Offers = append(d.Offers,
			providers.Offer{Kind: providers.DepositAddress, Method: providers.Chain, Asset: a.Asset.ID(), Exponent: scale},
			providers.Offer{Kind: providers.Withdrawal, Method: providers.Chain, Asset: a.Asset.ID(), Exponent: scale},
		)
	}
	return d
}
