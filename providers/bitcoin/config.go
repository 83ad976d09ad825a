package bitcoin

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/providers"
	"github.com/koshpay/kosh/providers/hdkey"
)

// Tier says how many confirmations an amount needs before it counts.
type Tier struct {
	// Below is the amount, exclusive, up to which the tier goes; Amount{} is no bound.
	Below         currency.Amount
	Confirmations uint
}

// Node is where the node answers JSON-RPC.
type Node struct {
	URL            string // http://127.0.0.1:8332
	User, Password string
	// Client is used for all requests; one with a time-out of 30 seconds when nil. It must not follow redirects or send again by
	// itself.
	Client *http.Client
}

// Config sets a Provider up. Node, Network, XPub and Account are required.
type Config struct {
	Name    string // of the provider; "bitcoin" when empty
	Network Network
	Node    Node

	// XPub is the extended public key of the account (BIP-84: xpub, tpub, zpub or vpub of m/84'/0'/0'), and Account the path of that
	// account, to which the change branch and the index of an address are appended when the signer is asked: m/84'/0'/0'/0/7.
	XPub, Account string

	// StartHeight is the first block to look at. 0 means the block after the one that the chain ends with when the adapter is first
	// used. It is fixed then: no later configuration moves it.
	StartHeight int64

	// Confirmations says how many confirmations an amount needs, deposited or withdrawn; tiers with rising bounds, the last without
	// one. When empty: 1 below 0.01, 3 below 1, 6 from there on. What was mined by ourselves needs 100 more.
	Confirmations []Tier
	// Finality is the number of confirmations after which a report is Final, 144 when 0. A reorganisation that reaches so deep is not
	// followed: the adapter halts.
	Finality uint

	// Dust is what a deposit must have; one below it is reported with the code dust. 1000 satoshi when Amount{}.
	Dust currency.Amount
	// MinWithdrawal and MaxWithdrawal bound one withdrawal: 1000 satoshi and all coins that there can be, when Amount{}. No minimum
	// lies below 546 satoshi, less than which nodes do not relay.
	MinWithdrawal, MaxWithdrawal currency.Amount

	// FeeRates are in satoshi for 1000 virtual bytes. The node's estimate for FeeTarget blocks (6 when 0) is taken within Min (1000
	// when 0) and Max (500,000 when 0), and Fallback (10,000 when 0) when the node has no estimate.
	MinFeeRate, MaxFeeRate, FallbackFeeRate int64
	FeeTarget                               int
	// MaxFee bounds what one transaction may cost, 0.01 when Amount{}.
	MaxFee currency.Amount
	// QuoteFor is how long a quoted fee holds, ten minutes when 0.
	QuoteFor time.Duration
	// BumpAfter is how long a transaction may wait for a block before [Provider.Bump] replaces it at a higher fee; an hour when 0.
	BumpAfter time.Duration
	// BumpInPoll lets Poll call Bump, whose errors are then not told: they must not keep deposits from being told.
	BumpInPoll bool

	// BlocksPerCall bounds how many blocks one call reads, 100 when 0.
	BlocksPerCall int

	Clock func() time.Time // time.Now when nil
}

// Provider moves bitcoin. It is safe for concurrent use, by several processes over one StateStore too. It prints as its name.
type Provider struct {
	config Config
	asset  currency.Asset
	node   node
	signer providers.Signer
	state  providers.StateStore
	keys   *keys

	mu      sync.Mutex
	right   bool              // the node is on our network
	blocks  map[string]*block // that were read lately
	page    int64             // of addresses, where to begin to look for room; behind the truth at worst
	logPage int64
}

var (
	_ providers.Provider = (*Provider)(nil)
	_ providers.Poller   = (*Provider)(nil)
	_ providers.Checker  = (*Provider)(nil)
	_ providers.Quoter   = (*Provider)(nil)

	_ providers.AddressChecker = (*Provider)(nil)
)

// maxUnits is how many satoshi there can be.
const maxUnits = 21_000_000 * 100_000_000

// minUnits is the least output of any kind that nodes relay at their default of 3 satoshi a byte.
const minUnits = 546

// New makes a Provider over what an earlier one, here or elsewhere, left in the state store. It does no I/O.
func New(state providers.StateStore, signer providers.Signer, c Config) (*Provider, error) {
	if state == nil || signer == nil {
		return nil, errors.New("bitcoin: no StateStore or no Signer")
	}
	asset, err := c.Network.Asset()
	if err != nil {
		return nil, err
	}
	p := &Provider{asset: asset, signer: signer, state: state, blocks: map[string]*block{}}
	c.Name = cmp.Or(c.Name, "bitcoin")
	c.Finality = cmp.Or(c.Finality, 144)
	c.Dust = cmp.Or(c.Dust, p.amount(1000))
	c.MinWithdrawal, c.MaxWithdrawal = cmp.Or(c.MinWithdrawal, p.amount(1000)), cmp.Or(c.MaxWithdrawal, p.amount(maxUnits))
	c.MinFeeRate, c.MaxFeeRate, c.FallbackFeeRate = cmp.Or(c.MinFeeRate, 1000), cmp.Or(c.MaxFeeRate, 500_000), cmp.Or(c.FallbackFeeRate, 10_000)
	c.FeeTarget = cmp.Or(c.FeeTarget, 6)
	c.MaxFee = cmp.Or(c.MaxFee, p.amount(1_000_000))
	c.QuoteFor, c.BumpAfter = cmp.Or(c.QuoteFor, 10*time.Minute), cmp.Or(c.BumpAfter, time.Hour)
	c.BlocksPerCall = cmp.Or(c.BlocksPerCall, 100)
	if len(c.Confirmations) == 0 {
		c.Confirmations = []Tier{{p.amount(1_000_000), 1}, {p.amount(100_000_000), 3}, {currency.Amount{}, 6}}
	}
	if c.Clock == nil {
		c.Clock = time.Now //nolint:forbidigo // the default clock
	}
	if err := c.validate(asset); err != nil {
		return nil, err
	}
	account, err := hdkey.ParsePublic(c.XPub)
	if err != nil {
		return nil, fmt.Errorf("bitcoin: Config.XPub: %w", err)
	}
	if p.keys, err = newKeys(c.Network, account, c.Account); err != nil {
		return nil, err
	}
	p.config, p.node = c, newNode(c.Node)
	return p, p.Describe().Validate()
}

// Format prints the provider's name, whatever the verb: its fields hold the node's password.
func (p *Provider) Format(s fmt.State, _ rune) {
	_, _ = io.WriteString(s, "bitcoin.Provider("+p.config.Name+")")
}

// amount is a number of satoshi, which fits into 64 bits.
func (p *Provider) amount(units int64) currency.Amount { return currency.MustNew(units, p.asset) }

func (c Config) validate(asset currency.Asset) error {
	var problems []error
	want := func(ok bool, problem string) {
		if !ok {
			problems = append(problems, errors.New("bitcoin: Config."+problem))
		}
	}
	u, err := url.Parse(c.Node.URL)
	want(err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && u.User == nil,
		"Node.URL is no URL of http or https without a password") // not quoted: it may hold one all the same
	want(c.Account != "", "Account is missing")
	want(c.StartHeight >= 0, "StartHeight is negative")
	want(c.MinFeeRate > 0 && c.MinFeeRate <= c.FallbackFeeRate && c.FallbackFeeRate <= c.MaxFeeRate && c.MaxFeeRate <= 1e9,
		"MinFeeRate, FallbackFeeRate and MaxFeeRate do not rise from above 0")
	want(c.FeeTarget > 0 && c.FeeTarget <= 1008, "FeeTarget is not 1 to 1008")
	want(c.QuoteFor > 0, "QuoteFor is negative")
	want(c.BumpAfter > 0, "BumpAfter is negative")
	want(c.BlocksPerCall > 0, "BlocksPerCall is negative")
	for field, a := range map[string]currency.Amount{
		"Dust": c.Dust, "MinWithdrawal": c.MinWithdrawal, "MaxWithdrawal": c.MaxWithdrawal, "MaxFee": c.MaxFee,
	} {
		n, ok := a.Int64()
		want(a.AssetID() == asset.ID() && ok && n > 0 && n <= maxUnits, field+" is no amount of the network's coin")
	}
	if n, _ := c.MinWithdrawal.Int64(); n < minUnits {
		want(false, "MinWithdrawal is below 546 satoshi")
	}
	last := int64(0)
	for i, t := range c.Confirmations {
		field := fmt.Sprintf("Confirmations[%d]", i)
		want(t.Confirmations > 0 && t.Confirmations <= c.Finality, field+" wants no confirmation, or more than Finality")
		if i == len(c.Confirmations)-1 {
			want(!t.Below.IsValid(), field+" is the last and has a bound")
			continue
		}
		n, ok := t.Below.Int64()
		want(t.Below.AssetID() == asset.ID() && ok && n > last, field+".Below does not rise")
		last = n
	}
	return errors.Join(problems...)
}

// required is how many confirmations an amount needs.
func (p *Provider) required(units int64) uint {
	for _, t := range p.config.Confirmations {
		if n, ok := t.Below.Int64(); !t.Below.IsValid() || ok && units < n {
			return t.Confirmations
		}
	}
	return p.config.Finality
}

// Describe implements providers.Provider.
func (p *Provider) Describe() providers.Descriptor {
	return providers.Descriptor{
		Name: p.config.Name,
		Offers: []providers.Offer{
			{Kind: providers.DepositAddress, Method: providers.Chain, Asset: p.asset.ID(), Exponent: 8},
			{
				Kind: providers.Withdrawal, Method: providers.Chain, Asset: p.asset.ID(),
				Min: p.config.MinWithdrawal, Max: p.config.MaxWithdrawal, Exponent: 8,
			},
		},
		KeyRetention: 100 * 365 * 24 * time.Hour, // the state store forgets nothing
		VisibleAfter: time.Minute,                // a request whose answer was lost may be on its way
	}
}
