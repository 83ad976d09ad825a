package bitcoin

import (
	"context"
	"errors"
	"fmt"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/koshpay/kosh/providers"
)

// block is what is ours in a block, as seen from the end of the chain that it was added to. It is stored for the step that takes it in, and
// never changes.
type block struct {
	Height int64  `json:"height"`
	Parent string `json:"parent"` // its hash
	// Before is the document of the parent, "" where the scan began.
	Before  string    `json:"before,omitempty"`
	Time    int64     `json:"time"`
	Finds   []find    `json:"finds,omitempty"`
	Spends  []spend   `json:"spends,omitempty"`
	Ours    []ours    `json:"ours,omitempty"`
	Foreign []foreign `json:"foreign,omitempty"`
	Rivals  []rival   `json:"rivals,omitempty"`
}

type (
	// find is an output to an address of ours.
	find struct {
		Output   string `json:"output"`
		Units    int64  `json:"units"`
		Place    place  `json:"place"`
		Coinbase bool   `json:"coinbase,omitempty"`
		Change   bool   `json:"change,omitempty"` // of a transaction of ours
		// Inputs are what its transaction spends, the first maxWatched of it.
		Inputs []string `json:"inputs,omitempty"`
	}
	// spend is a coin of ours that was spent.
	spend struct {
		Output string `json:"output"`
		Units  int64  `json:"units"`
		By     string `json:"by"`
	}
	// ours is a transaction that an operation made.
	ours struct {
		Key  string `json:"key"`
		TxID string `json:"tx"`
	}
	// rival is a transaction that spends what the transaction of an orphaned output of ours spends: only one of them can be in a chain.
	rival struct {
		Output string `json:"output"`
		By     string `json:"by"`
	}
	// foreign is a transaction that spends coins of ours and that no operation made.
	foreign struct {
		TxID  string `json:"tx"`
		Units int64  `json:"units"`
	}
)

// blockKey names the document of a block for a step. It has the step's number because what is ours in a block depends on what was unspent
// then: a process that was overtaken while it looked must not leave what it saw for those who come to this block again.
func blockKey(hash string, number uint64) string { return fmt.Sprintf("block/%s/%d", hash, number) }

func outpoint(txid chainhash.Hash, n int) string { return fmt.Sprintf("%s:%d", txid, n) }

// rooted tells whether the header commits to the transactions.
func rooted(b *wire.MsgBlock) bool {
	level := make([]chainhash.Hash, 0, len(b.Transactions)+1)
	for _, tx := range b.Transactions {
		level = append(level, tx.TxHash())
	}
	for len(level) > 1 {
		if n := len(level); n%2 == 1 {
			level = append(level, level[n-1])
		} else if level[n-1] == level[n-2] {
			return false // CVE-2012-2459: a transaction twice has the root of once
		}
		next := level[:0]
		for i := 0; i < len(level); i += 2 {
			var pair [2 * chainhash.HashSize]byte
			copy(pair[:], level[i][:])
			copy(pair[chainhash.HashSize:], level[i+1][:])
			next = append(next, chainhash.DoubleHashH(pair[:]))
		}
		level = next
	}
	return len(level) == 1 && level[0] == b.Header.MerkleRoot
}

// loadBlock returns what is ours in a block that was read before.
func (p *Provider) loadBlock(ctx context.Context, key string) (*block, error) {
	p.mu.Lock()
	b := p.blocks[key]
	p.mu.Unlock()
	if b != nil {
		return b, nil
	}
	b = &block{}
	version, err := providers.LoadState(ctx, p.state, key, b)
	if err == nil && version == 0 {
		err = fmt.Errorf("bitcoin: %s is lost", key)
	}
	if err != nil {
		return nil, err
	}
	p.remember(key, b)
	return b, nil
}

func (p *Provider) remember(key string, b *block) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.blocks) > 4*int(p.config.Finality)+100 {
		clear(p.blocks)
	}
	p.blocks[key] = b
}

// readBlock finds out what is ours in the block that follows the one that was scanned last, and stores it for the next step. It is right if
// that step can be begun: nobody changed then what was looked at.
func (p *Provider) readBlock(ctx context.Context, s scan, hash string) (*block, error) {
	raw, err := p.node.block(ctx, hash)
	if err != nil {
		return nil, err
	}
	// Only now: an address that somebody paid in this block was stored before it was shown.
	if err := p.rewatch(ctx); err != nil {
		return nil, err
	}
	coins, err := p.coins(ctx)
	if err != nil {
		return nil, err
	}
	b := &block{Height: s.Height + 1, Parent: raw.Header.PrevBlock.String(), Before: s.Doc, Time: raw.Header.Timestamp.Unix()}
	orphans, err := p.orphans(ctx, s)
	if err != nil {
		return nil, err
	}
	for i, tx := range raw.Transactions {
		b.rivals(orphans, tx)
		if err := p.match(ctx, b, coins, tx, i == 0); err != nil {
			return nil, err
		}
	}
	key := blockKey(hash, s.Number+1)
	_, err = providers.SaveState(ctx, p.state, key, b, 0)
	if errors.Is(err, providers.ErrStateConflict) {
		return p.loadBlock(ctx, key) // another process was first, at the same step
	}
	if err != nil {
		return nil, err
	}
	p.remember(key, b)
	return b, nil
}

// match adds what is ours in a transaction. coins are what is unspent before it, and then after it.
func (p *Provider) match(ctx context.Context, b *block, coins map[string]int64, tx *wire.MsgTx, coinbase bool) error {
	txid := tx.TxHash()
	spent, units := 0, int64(0)
	for _, in := range tx.TxIn {
		from := outpoint(in.PreviousOutPoint.Hash, int(in.PreviousOutPoint.Index))
		worth, ok := coins[from]
		if !ok {
			continue
		}
		delete(coins, from)
		spent, units = spent+1, units+worth
		b.Spends = append(b.Spends, spend{from, worth, txid.String()})
	}
	key := ""
	if spent > 0 {
		var d sentDoc
		var op operation
		if _, err := providers.LoadState(ctx, p.state, sentKey(txid.String()), &d); err != nil {
			return err
		}
		if d.Key != "" {
			if _, err := providers.LoadState(ctx, p.state, opKey(d.Key), &op); err != nil {
				return err
			}
		}
		if op.variant(txid.String()) != nil {
			key = d.Key
		}
	}
	switch {
	case key != "":
		b.Ours = append(b.Ours, ours{key, txid.String()})
	case spent > 0:
		b.Foreign = append(b.Foreign, foreign{txid.String(), units})
	}
	var inputs []string
	for _, in := range tx.TxIn[:min(len(tx.TxIn), maxWatched)] {
		inputs = append(inputs, outpoint(in.PreviousOutPoint.Hash, int(in.PreviousOutPoint.Index)))
	}
	for n, out := range tx.TxOut {
		w, ok := p.keys.find(out.PkScript)
		if !ok || out.Value <= 0 {
			continue
		}
		f := find{Output: outpoint(txid, n), Units: out.Value, Place: w, Coinbase: coinbase, Change: key != "" && w.Branch == change44}
		if !coinbase {
			f.Inputs = inputs
		}
		b.Finds = append(b.Finds, f)
		coins[f.Output] = f.Units
	}
	return nil
}
