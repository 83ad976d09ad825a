package bitcointest

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"

	"github.com/btcsuite/btcd/address/v2"
	"github.com/btcsuite/btcd/chaincfg/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/koshpay/kosh/providers/bitcoin"
)

// Now is the time of the newest block, which is the time on this chain.
func (m *Miner) Now() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return timeOf(m.height)
}

// Height is that of the newest block.
func (m *Miner) Height() int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.height
}

func scriptOf(to string) ([]byte, error) {
	a, err := address.DecodeAddress(to, &chaincfg.RegressionNetParams)
	if err != nil {
		return nil, err
	}
	return txscript.PayToAddrScript(a)
}

// Tip is the hash of the newest block.
func (m *Miner) Tip(ctx context.Context) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	_, err := m.branch(ctx) // to know it later, for Return
	if err != nil {
		return "", err
	}
	hash, _, err := m.tip(ctx)
	return hash.String(), err
}

// Received says how much an address, or several, hold by the newest block.
func (m *Miner) Received(ctx context.Context, addresses ...string) (units int64, err error) {
	_, units, err = m.unspent(ctx, false, addresses)
	return units, err
}

// Paid says how many unspent outputs an address has, those that wait for a block included, and what they hold together.
func (m *Miner) Paid(ctx context.Context, to string) (outputs int, units int64, err error) {
	return m.unspent(ctx, true, []string{to})
}

func (m *Miner) unspent(ctx context.Context, waiting bool, addresses []string) (outputs int, units int64, err error) {
	mine := map[string]bool{}
	for _, text := range addresses {
		script, err := scriptOf(text)
		if err != nil {
			return 0, 0, err
		}
		mine[string(script)] = true
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	branch, err := m.branch(ctx)
	if err != nil {
		return 0, 0, err
	}
	if waiting {
		txs, err := m.waiting(ctx)
		if err != nil {
			return 0, 0, err
		}
		branch = append(branch, &wire.MsgBlock{Transactions: txs})
	}
	coins := map[wire.OutPoint]int64{}
	for _, b := range branch {
		for _, tx := range b.Transactions {
			for _, in := range tx.TxIn {
				delete(coins, in.PreviousOutPoint)
			}
			hash := tx.TxHash()
			for n, out := range tx.TxOut {
				if mine[string(out.PkScript)] {
					coins[*wire.NewOutPoint(&hash, uint32(n))] = out.Value
				}
			}
		}
	}
	for _, n := range coins {
		units += n
	}
	return len(coins), units, nil
}

// branch returns the blocks of the node's best chain, oldest first, without the genesis block. Blocks never change, so each is asked for once.
func (m *Miner) branch(ctx context.Context) (list []*wire.MsgBlock, err error) {
	hash, height, err := m.tip(ctx)
	if err != nil {
		return nil, err
	}
	for range height {
		b := m.blocks[hash]
		if b == nil {
			var text string
			if err := m.call(ctx, &text, "getblock", hash.String(), 0); err != nil {
				return nil, err
			}
			raw, err := hex.DecodeString(text)
			if err != nil {
				return nil, err
			}
			b = &wire.MsgBlock{}
			if err := b.Deserialize(bytes.NewReader(raw)); err != nil {
				return nil, err
			}
			m.blocks[hash] = b
		}
		list = append(list, b)
		hash = b.Header.PrevBlock
	}
	slices.Reverse(list)
	return list, nil
}

func (m *Miner) tip(ctx context.Context) (hash chainhash.Hash, height int64, err error) {
	if err := m.call(ctx, &height, "getblockcount"); err != nil {
		return hash, 0, err
	}
	var text string
	if err := m.call(ctx, &text, "getblockhash", height); err != nil {
		return hash, 0, err
	}
	h, err := chainhash.NewHashFromStr(text)
	if err != nil {
		return hash, 0, err
	}
	return *h, height, nil
}

// call speaks JSON-RPC.
func (m *Miner) call(ctx context.Context, v any, method string, params ...any) error {
	if params == nil {
		params = []any{}
	}
	body, err := json.Marshal(map[string]any{"jsonrpc": "1.0", "id": "miner", "method": method, "params": params})
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, m.node.URL, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.SetBasicAuth(m.node.User, m.node.Password)
	client := m.node.Client
	if client == nil {
		client = http.DefaultClient
	}
	res, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("bitcointest: %s: %w", method, err)
	}
	defer func() { _ = res.Body.Close() }()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		return fmt.Errorf("bitcointest: %s: %w", method, err)
	}
	var envelope struct {
		Result json.RawMessage `json:"result"`
		Error  *rpcError       `json:"error"`
	}
	if err := json.Unmarshal(answer, &envelope); err != nil {
		return fmt.Errorf("bitcointest: %s: status %d: %w", method, res.StatusCode, err)
	}
	if envelope.Error != nil {
		return fmt.Errorf("bitcointest: %s: the node says %d: %s", method, envelope.Error.Code, envelope.Error.Message)
	}
	return json.Unmarshal(envelope.Result, v)
}

// Address is the P2WPKH address of a compressed public key on the regression-test network.
func Address(public [33]byte) string {
	a, err := address.NewAddressWitnessPubKeyHash(address.Hash160(public[:]), &chaincfg.RegressionNetParams)
	if err != nil {
		panic("bitcointest: 20 bytes are refused") // of a hash that has 20
	}
	return a.EncodeAddress()
}

// Ping returns nil when a node answers.
func Ping(ctx context.Context, node bitcoin.Node) error {
	var height int64
	return (&Miner{node: node}).call(ctx, &height, "getblockcount")
}
