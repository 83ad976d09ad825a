package bitcoin

import (
	"context"
	"fmt"
	"sync"

	"github.com/koshpay/kosh/providers"
	"github.com/koshpay/kosh/providers/hdkey"
)

// The branches of an account (BIP-44).
const (
	receiving = 0
	change44  = 1
)

// lookahead is how many addresses beyond the last that was made are watched: the gap limit of BIP-44. Money that comes to one of them is
// seen, though nobody asked for it.
const lookahead = 20

// place is where in the account a key is.
type place struct {
	Branch uint32 `json:"branch,omitempty"`
	Index  uint32 `json:"index"`
}

// keys are the public keys of an account, their addresses and scripts. They are derived once a process.
type keys struct {
	network  Network
	path     string // of the account, at the signer
	branches [2]*hdkey.Public

	mu      sync.Mutex
	known   [2][]lock
	scripts map[string]place
}

// lock is what money to a key is locked with.
type lock struct {
	public  [33]byte
	address string
	script  []byte
}

func newKeys(n Network, account *hdkey.Public, path string) (*keys, error) {
	k := &keys{network: n, path: path, scripts: map[string]place{}}
	for i := range k.branches {
		branch, err := account.Child(uint32(i))
		if err != nil {
			return nil, fmt.Errorf("bitcoin: Config.XPub: %w", err)
		}
		k.branches[i] = branch
	}
	return k, nil
}

// at returns the lock at a place.
func (k *keys) at(w place) (lock, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.derive(w.Branch, w.Index+1); err != nil {
		return lock{}, err
	}
	return k.known[w.Branch][w.Index], nil
}

// watch makes sure that the first n keys of a branch are recognised, and those of the look-ahead.
func (k *keys) watch(branch, n uint32) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.derive(branch, n+lookahead)
}

// find returns whose script it is.
func (k *keys) find(script []byte) (place, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	w, ok := k.scripts[string(script)]
	return w, ok
}

func (k *keys) derive(branch, n uint32) error {
	for i := uint32(len(k.known[branch])); i < n; i++ { //nolint:gosec // indexes have 31 bits
		child, err := k.branches[branch].Child(i)
		if err != nil { // of one key in 2¹²⁷
			return fmt.Errorf("bitcoin: key %d/%d: %w", branch, i, err)
		}
		l := lock{public: child.Bytes()}
		if l.address, l.script, err = k.network.p2wpkh(l.public[:]); err != nil {
			return err
		}
		k.known[branch] = append(k.known[branch], l)
		k.scripts[string(l.script)] = place{branch, i}
	}
	return nil
}

// name is what the signer calls a key.
func (k *keys) name(w place) string { return fmt.Sprintf("%s/%d/%d", k.path, w.Branch, w.Index) }

// changeDoc is the next index of the branch of change.
type changeDoc struct {
	Next uint32 `json:"next"`
}

const changeKey = "change"

// nextChange takes an address for change. One that is not used in the end leaves a gap, which costs nothing: what is watched goes by this
// number.
func (p *Provider) nextChange(ctx context.Context) (place, error) {
	d, err := providers.ChangeState(ctx, p.state, changeKey, func(d *changeDoc, _ bool) error { d.Next++; return nil })
	return place{change44, d.Next - 1}, err
}

// rewatch learns of addresses that other processes made.
func (p *Provider) rewatch(ctx context.Context) error {
	var d changeDoc
	if _, err := providers.LoadState(ctx, p.state, changeKey, &d); err != nil {
		return err
	}
	n, err := p.countAddresses(ctx)
	if err != nil {
		return err
	}
	if err := p.keys.watch(receiving, n); err != nil {
		return err
	}
	return p.keys.watch(change44, d.Next)
}
