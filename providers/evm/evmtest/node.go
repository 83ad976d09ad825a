package evmtest

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/koshpay/kosh/providers/evm/internal/eth"
)

// ErrScenario says that what a test asked for cannot be played.
var ErrScenario = errors.New("evmtest: cannot be played")

// Options say what to pretend. All are optional.
type Options struct {
	ChainID uint64        // default 31337
	Start   time.Time     // when the first block is made; default 2030-01-01
	Period  time.Duration // between blocks; default 12 seconds
	// Instant mines a block for every transaction, as development chains do.
	Instant bool
}

// Node is the pretend chain. It is safe for concurrent use.
type Node struct {
	options Options
	servers []*http.Server
	urls    []string

	mu        sync.Mutex
	now       time.Time
	serial    uint64
	baseFee   *big.Int
	blocks    []*block // by height
	byHash    map[eth.Hash]*block
	txs       map[eth.Hash]*transaction // every one that was ever seen
	pool      []*transaction            // those that wait, in the order in which they came
	congested map[eth.Hash]bool
	kinds     map[eth.Address]Kind
	faults    map[string][]Fault
	late      []func()
	requests  int
	stranger  bool
	disagree  bool
}

// New starts a node on two free loopback ports: see URL and OtherURL.
func New(o Options) (*Node, error) {
	if o.ChainID == 0 {
		o.ChainID = 31337
	}
	if o.Start.IsZero() {
		o.Start = time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	if o.Period == 0 {
		o.Period = 12 * time.Second
	}
	n := &Node{
		options: o, now: o.Start, baseFee: big.NewInt(1_000_000_000), byHash: map[eth.Hash]*block{}, txs: map[eth.Hash]*transaction{},
		congested: map[eth.Hash]bool{}, kinds: map[eth.Address]Kind{}, faults: map[string][]Fault{},
	}
	n.seal(nil, newState())
	for i := range 2 {
		listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
		if err != nil {
			n.Close()
			return nil, fmt.Errorf("evmtest: %w", err)
		}
		server := &http.Server{Handler: n.handler(i == 1), ReadHeaderTimeout: time.Minute}
		n.servers = append(n.servers, server)
		n.urls = append(n.urls, "http://"+listener.Addr().String())
		go func() { _ = server.Serve(listener) }()
	}
	return n, nil
}

// URL is where the node answers.
func (n *Node) URL() string { return n.urls[0] }

// OtherURL is a second endpoint to the same chain: see Disagree.
func (n *Node) OtherURL() string { return n.urls[1] }

// Close stops the node.
func (n *Node) Close() {
	for _, s := range n.servers {
		_ = s.Close()
	}
}

// Now is the chain's clock: that of the newest block, or of the next one.
func (n *Node) Now() time.Time {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.now
}

// Height is that of the newest block.
func (n *Node) Height() uint64 {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.head().number
}

// Fund gives an address ether out of nothing, in wei, as a chain's first block does.
func (n *Node) Fund(address string, wei *big.Int) error {
	return n.FundToken("", address, wei)
}

// FundToken gives an address units of a token out of nothing, without an event; of ether when token is empty.
func (n *Node) FundToken(token, address string, units *big.Int) error {
	to, err := eth.ParseAddress(address)
	if err != nil {
		return err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	at, err := n.contract(token)
	if err != nil {
		return err
	}
	n.head().state.add(at, to, units)
	return nil
}

// Balance is what an address holds by the newest block: units of a token, or wei when token is empty.
func (n *Node) Balance(token, address string) (*big.Int, error) {
	of, err := eth.ParseAddress(address)
	if err != nil {
		return nil, err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	at, err := n.contract(token)
	if err != nil {
		return nil, err
	}
	return new(big.Int).Set(n.head().state.of(at, of)), nil
}

// contract reads a token's address; empty is ether.
func (n *Node) contract(token string) (eth.Address, error) {
	if token == "" {
		return ether, nil
	}
	a, err := eth.ParseAddress(token)
	if err == nil && n.kinds[a] == "" {
		err = fmt.Errorf("%w: there is no token at %s", ErrScenario, token)
	}
	return a, err
}

// Address is one that nobody has the key of, another one each time.
func (n *Node) Address() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.fresh("somebody").String()
}

func (n *Node) fresh(what string) (a eth.Address) {
	n.serial++
	h := eth.Keccak(fmt.Appendf(nil, "evmtest %s %d", what, n.serial))
	copy(a[:], h[:])
	return a
}

// Requests is how many transactions were sent to the node, those that met a fault included.
func (n *Node) Requests() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.requests
}

// SetBaseFee changes what the next blocks want for a unit of gas, in wei.
func (n *Node) SetBaseFee(wei *big.Int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.baseFee = new(big.Int).Set(wei)
}

// Stranger makes the node answer as one of another chain.
func (n *Node) Stranger(on bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.stranger = on
}

// Disagree makes the second endpoint tell of other blocks than the first.
func (n *Node) Disagree(on bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.disagree = on
}
