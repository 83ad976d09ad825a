package providertest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"sync"
	"time"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/providers"
)

const (
	wanted = 3 // confirmations
	window = 6
	stuck  = 2 // blocks after which what waits is replaced
)

// reference is a chain adapter as small as a correct one can be: all that it remembers is one document, changed by
// compare-and-swap, so that two processes cannot take one nonce, and nothing leaves before it is written down. A real one
// spreads this over many keys. The flaw, if any, is the mistake that it makes: see chain_mistakes_test.go.
type reference struct {
	store  providers.StateStore
	signer providers.Signer
	node   *node
	now    func() time.Time
	flaw   flaw
	mu     sync.Mutex // one change at a time in a process; between processes the store decides
	memory *book      // of an adapter with the flaw of keeping all in memory
	nonce  uint64     // of one that counts by itself
	index  int        // of one that counts by itself
	number int        // of the process
}

// book is the document.
type book struct {
	Addresses []owned
	Sends     []send
	Nonces    map[string]uint64 // next, by key
	Seen      []seen            // the chain as it was scanned, from genesis
	Deposits  []deposit
	News      []string // references and keys, in the order in which something became known
	Halted    string
	Resync    bool // a person said that any common ancestor will do
}

type owned struct{ Operation, Key, Address, Member string }

type seen struct{ Hash, Parent string }

// place is where a transaction is mined.
type place struct {
	Height int
	Block  string
}

// send is a transaction of ours, in all its versions.
type send struct {
	Operation string // empty: a sweep or gas
	Member    string
	Purpose   providers.Purpose
	Asset     currency.AssetID
	Quantity  *big.Int
	To, Key   string
	Nonce     uint64
	Versions  []modelTx
	Hashes    []string // of the versions
	MaxFee    int64    // 0: none
	SignedAt  int      // height
	Mined     *place
	Winner    int // index of the version that was mined
	Cost      int64
	OK        bool
	Counted   bool
	Effects   []providers.Effect
}

func (s send) reference() string { return s.Hashes[0] }

// deposit is a log that names an address of ours.
type deposit struct {
	Tx       string
	Index    int
	To       string
	Member   string
	Asset    currency.AssetID
	Quantity *big.Int
	Mined    *place
	Counted  bool
	Final    bool
	Effects  []providers.Effect
}

func (d deposit) reference() string { return fmt.Sprintf("%s:%d", d.Tx, d.Index) }

func (a *reference) Describe() providers.Descriptor {
	d := providers.Descriptor{Name: "model", KeyRetention: 365 * 24 * time.Hour}
	for _, asset := range []*currency.Definition{ether, coin, mute, taxed, liar} {
		for _, k := range []providers.Kind{providers.DepositAddress, providers.Withdrawal} {
			d.Offers = append(d.Offers, providers.Offer{Kind: k, Method: providers.Chain, Asset: asset.ID(), Exponent: asset.Scale()})
		}
	}
	return d
}

// load reads the document.
func (a *reference) load(ctx context.Context) (*book, uint64, error) {
	if a.memory != nil {
		return a.memory, 1, nil
	}
	text, version, err := a.store.Load(ctx, "book")
	if err != nil {
		return nil, 0, err
	}
	b := &book{Nonces: map[string]uint64{}}
	if version > 0 {
		err = json.Unmarshal(text, b)
	}
	return b, version, err
}

// change reads the document, changes it, and writes it if nobody else did in the meantime; otherwise it starts again.
func (a *reference) change(ctx context.Context, do func(b *book) error) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	for {
		b, version, err := a.load(ctx)
		if err != nil {
			return err
		}
		before, err := json.Marshal(b)
		if err != nil {
			return err
		}
		if err := do(b); err != nil {
			return err
		}
		text, err := json.Marshal(b)
		if err != nil || bytes.Equal(before, text) || a.memory != nil {
			return err
		}
		if _, err = a.store.Store(ctx, "book", text, version); !errors.Is(err, providers.ErrStateConflict) {
			return err
		}
	}
}

func notSent(code string, err error) error {
	return &providers.Error{Certainty: providers.NotSent, Code: code, Err: err}
}

func rejected(code string, err error) error {
	return &providers.Error{Certainty: providers.Rejected, Code: code, Err: err}
}

// Submit implements providers.Provider.
func (a *reference) Submit(ctx context.Context, op providers.Operation) (providers.Report, error) {
	if err := errors.Join(op.Validate(), a.Describe().Supports(op)); err != nil {
		return providers.Report{}, notSent("", err)
	}
	if op.Kind == providers.DepositAddress {
		return a.allocate(ctx, op)
	}
	if a.flaw == sendsFirst {
		return a.sendsFirst(ctx, op)
	}
	var at int
	err := a.change(ctx, func(b *book) error {
		if at = b.find(op.Key); at >= 0 && a.flaw != mintsAnew && a.flaw != resigns && (a.flaw != capsSigned || a.now().Before(op.FeeUntil)) {
			return nil // signed before: what follows is harmless
		}
		if at >= 0 && a.flaw == resigns {
			if _, err := a.signer.Sign(ctx, providers.SignRequest{Key: b.Sends[at].Key}); err != nil {
				return rejected("", err)
			}
			return nil
		}
		if b.Halted != "" && a.flaw != sendsWhenHalted {
			return fmt.Errorf("%w: %s", providers.ErrHalted, b.Halted)
		}
		s, err := a.make(ctx, b, op)
		if err == nil {
			b.Sends = append(b.Sends, s)
			at = len(b.Sends) - 1
			b.News = append(b.News, op.Key)
		}
		return err
	})
	if a.flaw == leavesGaps && errors.Is(err, providers.ErrSignerRefused) {
		_ = a.change(ctx, func(b *book) error {
			b.Nonces["hot"]++
			return nil
		})
	}
	if err != nil {
		return providers.Report{}, err
	}
	if err := a.broadcast(ctx, at); err != nil {
		certainty := providers.Maybe
		if a.flaw == losesAreFinal {
			certainty = providers.Rejected
		}
		return providers.Report{}, &providers.Error{Certainty: certainty, Err: err}
	}
	return a.Lookup(ctx, providers.Query{Key: op.Key})
}

// make prices, signs and checks a withdrawal.
func (a *reference) make(ctx context.Context, b *book, op providers.Operation) (send, error) {
	price, err := a.node.price()
	switch {
	case err != nil && a.flaw == silenceIsNo:
		return send{}, rejected("", err)
	case err != nil:
		return send{}, notSent("", err)
	case a.flaw == wantsBoolean && op.AssetID() == mute.ID():
		return send{}, rejected("", errors.New("the token did not return true"))
	}
	s := send{
		Operation: op.Key, Member: op.Member, Purpose: providers.PurposeWithdrawal, Asset: op.AssetID(), Quantity: op.Amount.Big(),
		To: op.Instrument, Key: "hot",
	}
	if op.MaxFee.IsValid() {
		s.MaxFee, _ = op.MaxFee.Int64()
		if gasOf(s.Asset)*price > s.MaxFee && a.flaw != ignoresCap {
			return s, rejected(providers.CodeFeeCap, errors.New("the network charges more"))
		}
	}
	if !op.FeeUntil.IsZero() && a.now().After(op.FeeUntil) && a.flaw != ignoresExpiry {
		return s, rejected(providers.CodeQuoteExpired, errors.New("the quote has expired"))
	}
	if err := a.funded(ctx, b, s, price); err != nil {
		return s, err
	}
	return s, a.sign(ctx, b, &s, price)
}

// funded tells whether the sender can pay, all that it has signed already included.
func (a *reference) funded(ctx context.Context, b *book, s send, price int64) error {
	if a.flaw == neverCounts {
		return nil
	}
	from, err := a.from(ctx, s.Key)
	if err != nil {
		return notSent("", err)
	}
	need := map[currency.AssetID]*big.Int{ether.ID(): big.NewInt(gasOf(s.Asset) * price)}
	add := func(asset currency.AssetID, n *big.Int) {
		if need[asset] == nil {
			need[asset] = new(big.Int)
		}
		need[asset].Add(need[asset], n)
	}
	add(s.Asset, s.Quantity)
	for _, o := range b.Sends {
		if o.Key == s.Key && o.Mined == nil {
			add(o.Asset, o.Quantity)
			add(ether.ID(), big.NewInt(gasOf(o.Asset)*o.Versions[len(o.Versions)-1].Price))
		}
	}
	for asset, n := range need {
		has, err := a.node.balance(asset, from, "")
		if err != nil {
			return notSent("", err)
		}
		if has.Cmp(n) < 0 {
			return notSent("insufficient_funds", fmt.Errorf("the sender has %v of %s and needs %v", has, asset, n))
		}
	}
	return nil
}

func (a *reference) from(ctx context.Context, key string) (string, error) {
	public, err := a.signer.PublicKey(ctx, key)
	if err != nil {
		return "", err
	}
	return modelAddress(public), nil
}

func gasOf(asset currency.AssetID) int64 {
	return modelTx{Outputs: []modelOutput{{Asset: asset}}}.gas()
}

// sign takes the next nonce, unless the send has one, and adds a version.
func (a *reference) sign(ctx context.Context, b *book, s *send, price int64) error {
	public, err := a.signer.PublicKey(ctx, s.Key)
	if err != nil {
		return notSent("", err)
	}
	replaces := ""
	if len(s.Versions) > 0 {
		replaces = s.Hashes[len(s.Hashes)-1]
	} else {
		s.Nonce = b.Nonces[s.Key]
		if a.flaw == asksForNonce {
			if s.Nonce, err = a.node.nonce(modelAddress(public)); err != nil {
				return notSent("", err)
			}
		}
		if a.flaw == ownNonces {
			s.Nonce = a.nonce
			a.nonce++
		}
		b.Nonces[s.Key]++
	}
	tx := modelTx{Public: public, Nonce: s.Nonce, Price: price, Outputs: []modelOutput{{s.To, s.Asset, s.Quantity}}}
	if a.flaw == bumpsNonce && replaces != "" {
		tx.Nonce = b.Nonces[s.Key]
		b.Nonces[s.Key]++
	}
	asset, _ := currency.Lookup(s.Asset)
	amount, err := currency.FromBig(s.Quantity, asset)
	if err != nil {
		return notSent("", err)
	}
	maxFee := currency.MustNew(tx.gas()*price, ether)
	intent := providers.Intent{
		Chain: modelID, Purpose: s.Purpose, Operation: s.Operation, Outputs: []providers.Output{{To: s.To, Amount: amount}},
		MaxFee: maxFee, Nonce: tx.Nonce, Replaces: replaces,
	}
	if a.flaw == signsBlind {
		intent.Outputs = nil
	}
	signature, err := a.signer.Sign(ctx, providers.SignRequest{Key: s.Key, Digest: tx.digest(), Intent: intent})
	switch {
	case errors.Is(err, providers.ErrSignerRefused) && a.flaw == asksAgain:
		return notSent("", err)
	case errors.Is(err, providers.ErrSignerRefused):
		return rejected("signer_refused", err)
	case err != nil && a.flaw == downIsFinal:
		return rejected("", err)
	case err != nil:
		return notSent("", err)
	}
	if len(signature) == 64 && a.flaw != keepsHigh {
		if n := new(big.Int).SetBytes(signature[32:]); isHigh(n) {
			signature = append(bytes.Clone(signature[:32]), n.Sub(order, n).FillBytes(make([]byte, 32))...)
		}
	}
	if a.flaw != trustsSigner && !a.node.verifies(public, tx.digest(), signature) {
		return notSent("", errors.New("the signer's answer is no signature of its key"))
	}
	tx.Signature = signature
	s.Versions, s.Hashes = append(s.Versions, tx), append(s.Hashes, tx.hash())
	s.SignedAt = len(b.Seen) - 1
	return nil
}

// broadcast sends the newest version. That the network has it, or has mined it, is no failure.
func (a *reference) broadcast(ctx context.Context, at int) error {
	b, _, err := a.load(ctx)
	if err != nil || b.Sends[at].Mined != nil {
		return err
	}
	s := b.Sends[at]
	err = a.node.send(s.Versions[len(s.Versions)-1])
	switch {
	case errors.Is(err, errKnown):
		return nil
	case errors.Is(err, errNonceTooLow), errors.Is(err, errUnderpriced): // perhaps an earlier version of it was faster
		for _, hash := range s.Hashes {
			if known, err := a.node.knows(hash); known && err == nil {
				return nil
			}
		}
	case err != nil && (a.flaw == forgetsOnError || a.flaw == losesAreFinal):
		_ = a.change(ctx, func(b *book) error {
			b.Sends = slices.Delete(b.Sends, at, at+1)
			return nil
		})
	}
	return err
}

// sendsFirst is Submit of an adapter that writes down what it has sent.
func (a *reference) sendsFirst(ctx context.Context, op providers.Operation) (providers.Report, error) {
	b, _, err := a.load(ctx)
	if err != nil {
		return providers.Report{}, err
	}
	at := b.find(op.Key)
	if at < 0 {
		s, err := a.make(ctx, b, op)
		if err != nil {
			return providers.Report{}, err
		}
		if err := a.node.send(s.Versions[0]); err != nil {
			return providers.Report{}, err
		}
		if err := a.change(ctx, func(b *book) error {
			b.Sends = append(b.Sends, s)
			b.Nonces[s.Key]++
			return nil
		}); err != nil {
			return providers.Report{}, err
		}
	}
	return a.Lookup(ctx, providers.Query{Key: op.Key})
}

// allocate makes an address: the index is taken for good before it is shown.
func (a *reference) allocate(ctx context.Context, op providers.Operation) (providers.Report, error) {
	if a.flaw == showsFirst {
		b, _, err := a.load(ctx)
		if err != nil {
			return providers.Report{}, err
		}
		if b.owner(op.Key) == nil {
			key := fmt.Sprintf("deposit/%d", len(b.Addresses))
			address, err := a.from(ctx, key)
			if err != nil {
				return providers.Report{}, notSent("", err)
			}
			a.memory = b // and written down with the next change that comes
			b.Addresses = append(b.Addresses, owned{op.Key, key, address, op.Member})
		}
		return a.Lookup(ctx, providers.Query{Key: op.Key})
	}
	err := a.change(ctx, func(b *book) error {
		if b.owner(op.Key) != nil {
			return nil
		}
		key := fmt.Sprintf("deposit/%d", len(b.Addresses))
		if a.flaw == ownIndex {
			key = fmt.Sprintf("deposit/%d", a.index)
			a.index++
		}
		address, err := a.from(ctx, key)
		if err != nil {
			return notSent("", err)
		}
		b.Addresses = append(b.Addresses, owned{op.Key, key, address, op.Member})
		return nil
	})
	if err != nil {
		return providers.Report{}, err
	}
	return a.Lookup(ctx, providers.Query{Key: op.Key})
}

func (b *book) find(operation string) int {
	return slices.IndexFunc(b.Sends, func(s send) bool { return s.Operation == operation && operation != "" })
}

func (b *book) owner(operation string) *owned {
	for i := range b.Addresses {
		if b.Addresses[i].Operation == operation {
			return &b.Addresses[i]
		}
	}
	return nil
}
