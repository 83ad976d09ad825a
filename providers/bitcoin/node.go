package bitcoin

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/btcsuite/btcd/wire/v2"
	"github.com/shopspring/decimal"

	"github.com/koshpay/kosh/providers"
)

// onNetwork makes sure, once a process and whenever something is odd, that the node is on our network.
func (p *Provider) onNetwork(ctx context.Context) error {
	p.mu.Lock()
	right := p.right
	p.mu.Unlock()
	if right {
		return nil
	}
	genesis, err := p.node.blockHash(ctx, 0)
	if err != nil {
		return err
	}
	if !p.config.Network.begins(genesis) {
		return fmt.Errorf("%w: the node's chain begins with block %s, which is not %s", providers.ErrHalted, genesis, p.config.Network)
	}
	p.setRight(true)
	return nil
}

func (p *Provider) setRight(right bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.right = right
}

func (n node) height(ctx context.Context) (h int64, err error) {
	return h, n.call(ctx, &h, "getblockcount")
}

// blockHash returns the hash of the block at a height of the best chain; a height beyond it is an *rpcError.
func (n node) blockHash(ctx context.Context, height int64) (hash string, err error) {
	if err := n.call(ctx, &hash, "getblockhash", height); err != nil {
		return "", err
	}
	if b, err := hex.DecodeString(hash); err != nil || len(b) != 32 {
		return "", errors.New("bitcoin: getblockhash: a result that is no hash")
	}
	return strings.ToLower(hash), nil
}

// block returns a block, and checks that it is the one that was asked for.
func (n node) block(ctx context.Context, hash string) (*wire.MsgBlock, error) {
	var text string
	if err := n.call(ctx, &text, "getblock", hash, 0); err != nil {
		return nil, err
	}
	raw, err := hex.DecodeString(text)
	if err != nil {
		return nil, fmt.Errorf("bitcoin: block %s is not hexadecimal", hash)
	}
	var b wire.MsgBlock
	if err := b.Deserialize(bytes.NewReader(raw)); err != nil {
		return nil, fmt.Errorf("bitcoin: block %s cannot be read: %w", hash, err)
	}
	if got := b.BlockHash().String(); got != hash {
		return nil, fmt.Errorf("bitcoin: asked for block %s and got %s", hash, got)
	}
	if !rooted(&b) {
		return nil, fmt.Errorf("bitcoin: the transactions of block %s are not those of its header", hash)
	}
	return &b, nil
}

// knows tells whether a transaction waits in the node's pool, or the node has it by an index of its own.
func (n node) knows(ctx context.Context, txid string) (bool, error) {
	var raw string
	err := n.call(ctx, &raw, "getrawtransaction", txid)
	if hasCode(err, codeNotFound) {
		return false, nil
	}
	return err == nil, err
}

// send broadcasts a transaction. That the node has it already is no error.
func (n node) send(ctx context.Context, raw string) error {
	var txid string
	err := n.call(ctx, &txid, "sendrawtransaction", raw)
	if e, ok := errors.AsType[*rpcError](err); ok {
		text := strings.ToLower(e.Message)
		if e.Code == codeKnown || strings.Contains(text, "already have transaction") || strings.Contains(text, "already-known") ||
			strings.Contains(text, "already-in-mempool") || strings.Contains(text, "already in mempool") {
			return nil
		}
	}
	return err
}

// feeRate returns the node's estimate in satoshi for 1000 virtual bytes; 0: it has none. Bitcoin Core and btcd ask for it by different
// names, and both answer in whole coins.
func (n node) feeRate(ctx context.Context, blocks int) (int64, error) {
	var smart struct {
		FeeRate json.Number `json:"feerate"`
	}
	err := n.call(ctx, &smart, "estimatesmartfee", blocks)
	rate := smart.FeeRate
	if hasCode(err, codeNoMethod) {
		err = n.call(ctx, &rate, "estimatefee", blocks)
	}
	if err != nil {
		if _, ok := errors.AsType[*rpcError](err); ok { // it has seen too few blocks
			return 0, nil
		}
		return 0, err
	}
	const longest = 40
	if rate == "" || len(rate) > longest {
		return 0, nil
	}
	d, err := decimal.NewFromString(rate.String())
	if err != nil || d.Exponent() > 8 || d.Exponent() < -longest {
		return 0, nil //nolint:nilerr // no estimate that can be read is none
	}
	units := d.Shift(8).Ceil()
	if units.Sign() <= 0 || units.GreaterThan(decimal.NewFromInt(maxUnits)) {
		return 0, nil
	}
	return units.IntPart(), nil
}
