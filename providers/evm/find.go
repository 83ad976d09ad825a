package evm

import (
	"context"
	"encoding/json"
	"fmt"
	"math/big"
	"strconv"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/providers"
	"github.com/koshpay/kosh/providers/evm/internal/eth"
)

// finding is something of ours in a block.
type finding struct {
	key      string // of the record
	fresh    record // what it is if it was not known
	mined    mined
	displace string // the record whose nonce this transaction used
}

// search goes through one block.
type search struct {
	*look
	b     *eth.Block
	at    mined // without transaction and moves
	index func(eth.Address) (uint32, bool)
	logs  []eth.Log
	found []finding
}

func (s *search) isOurs(a eth.Address) bool {
	_, ok := s.index(a)
	return ok || a == s.treasury
}

// nativeIndex stands for the transaction's own value where a log has its number.
const nativeIndex = "native"

// find returns what of ours is in a block: transactions from our addresses, and money to them. It asks for the receipts of these
// transactions only.
func (l *look) find(ctx context.Context, b *eth.Block, ours func(eth.Address) (uint32, bool)) ([]finding, error) {
	s := &search{look: l, b: b, index: ours, at: mined{Height: uint64(b.Number), Block: b.Hash, At: timeOf(b)}}
	var err error
	if s.logs, err = l.e.transfers(ctx, b.Hash); err != nil {
		return nil, err
	}
	touched := map[eth.Hash]bool{}
	for _, log := range s.logs {
		from, to, value, ok := eth.ParseTransferLog(log.Topics, log.Data)
		if ok && value.Sign() > 0 && (s.isOurs(to) || s.isOurs(from)) {
			touched[log.TransactionHash] = true
		}
	}
	for _, tx := range b.Transactions {
		out := s.isOurs(tx.From)
		in := tx.To != nil && s.isOurs(*tx.To) && tx.Value != nil && tx.Value.Sign() > 0
		if !out && !in && !touched[tx.Hash] {
			continue
		}
		receipt, err := l.e.receipt(ctx, tx.Hash)
		if err != nil {
			return nil, err
		}
		if receipt == nil || receipt.BlockHash != b.Hash {
			return nil, fmt.Errorf("%w: %s has transaction %s in another block than it said", errStale, l.e.name, tx.Hash)
		}
		internal := false
		if out {
			if internal, err = s.ourTransaction(ctx, tx, receipt); err != nil {
				return nil, err
			}
		}
		if !internal {
			if err := s.deposits(ctx, tx, receipt); err != nil {
				return nil, err
			}
		}
	}
	return s.found, nil
}

// ourTransaction finds what a transaction from an address of ours is, and what it moved. It tells whether it only moves money
// between our addresses.
func (s *search) ourTransaction(ctx context.Context, tx eth.BlockTx, receipt *eth.Receipt) (internal bool, err error) {
	var a about
	if _, err := providers.LoadState(ctx, s.state, refKey(tx.Hash.String()), &a); err != nil {
		return false, err
	}
	f := finding{key: a.Key, mined: s.at}
	f.mined.Tx = tx.Hash
	var r record
	if a.Key != "" {
		if _, err := providers.LoadState(ctx, s.state, a.Key, &r); err != nil {
			return false, err
		}
	}
	if r.Order == nil { // somebody used the key elsewhere
		if f.displace, err = s.holder(ctx, tx); err != nil {
			return false, err
		}
		f.key = "tx/" + tx.Hash.String()
		r = record{
			Kind: providers.Settlement, Reference: tx.Hash.String(), At: s.at.At, Required: s.required(currency.Zero(s.native.def)),
			Payer: &payer{From: tx.From, Nonce: uint64(tx.Nonce)},
		}
		f.fresh = r
	}
	if err := s.moves(ctx, &f.mined, r, tx, receipt); err != nil {
		return false, err
	}
	s.found = append(s.found, f)
	return r.Purpose != providers.PurposeWithdrawal, nil
}

// holder is the record to which we gave a nonce that a transaction uses which is not ours.
func (s *search) holder(ctx context.Context, tx eth.BlockTx) (string, error) {
	var from sender
	if _, err := providers.LoadState(ctx, s.state, senderKey(tx.From), &from); err != nil {
		return "", err
	}
	for _, o := range from.Open {
		if o.Nonce == uint64(tx.Nonce) {
			return o.Key, nil
		}
	}
	return "", nil
}

// moves says what a transaction of ours moved: what it paid to others, and what it cost.
func (s *search) moves(ctx context.Context, m *mined, r record, tx eth.BlockTx, receipt *eth.Receipt) error {
	kind := providers.Settled // by hand, out of our sight
	switch r.Purpose {
	case providers.PurposeWithdrawal:
		kind = providers.Moved
	case providers.PurposeSweep, providers.PurposeGas, providers.PurposeFill:
		kind = providers.Fee // what a token keeps for itself
	}
	cost := new(big.Int)
	if receipt.EffectiveGasPrice != nil {
		cost.Mul(&receipt.EffectiveGasPrice.Int, new(big.Int).SetUint64(uint64(receipt.GasUsed)))
	}
	if receipt.L1Fee != nil {
		cost.Add(cost, &receipt.L1Fee.Int)
	}
	if err := m.add("gas", providers.Fee, cost, s.native); err != nil {
		return err
	}
	if receipt.Status != 1 {
		m.Failed = "reverted"
		return nil
	}
	paid := false
	if tx.Value != nil && tx.Value.Sign() > 0 && tx.To != nil && (kind == providers.Moved || !s.isOurs(*tx.To)) {
		if err := m.add("out-"+nativeIndex, kind, &tx.Value.Int, s.native); err != nil {
			return err
		}
		paid = true
	}
	for i, log := range receipt.Logs {
		from, to, value, ok := eth.ParseTransferLog(log.Topics, log.Data)
		token := s.tokens[log.Address]
		if !ok || token == nil || value.Sign() == 0 || !s.isOurs(from) {
			continue
		}
		if kind != providers.Moved && s.isOurs(to) {
			kept, err := s.kept(ctx, token, to, value)
			if err != nil {
				return err
			}
			if err := m.add("kept-"+strconv.Itoa(i), providers.Fee, kept, token); err != nil {
				return err
			}
			continue
		}
		if err := m.add("out-"+strconv.Itoa(i), kind, value, token); err != nil {
			return err
		}
		paid = true
	}
	if kind == providers.Moved && !paid {
		m.Failed = "token_refused" // it returned false, and moved nothing
	}
	return nil
}

// add adds what left us.
func (m *mined) add(name string, kind providers.EffectKind, units *big.Int, of *asset) error {
	if units.Sign() == 0 {
		return nil
	}
	amount, err := currency.FromBig(new(big.Int).Neg(units), of.def)
	if err != nil {
		return fmt.Errorf("evm: transaction %s moved more of %s than can be: %w", m.Tx, of.id, err)
	}
	m.Moves = append(m.Moves, move{Name: name, Kind: kind, Amount: amount})
	return nil
}

// deposits finds the money that a transaction brought.
func (s *search) deposits(ctx context.Context, tx eth.BlockTx, receipt *eth.Receipt) error {
	if receipt.Status != 1 {
		return nil
	}
	if tx.To != nil && s.isOurs(*tx.To) && tx.Value != nil && tx.Value.Sign() > 0 {
		raw, err := json.Marshal(tx)
		if err != nil {
			return err
		}
		if err := s.deposit(ctx, tx, nativeIndex, *tx.To, s.native, s.native.id, &tx.Value.Int, raw); err != nil {
			return err
		}
	}
	for i, log := range receipt.Logs {
		from, to, value, ok := eth.ParseTransferLog(log.Topics, log.Data)
		if !ok || value.Sign() == 0 || !s.isOurs(to) || s.isOurs(from) && from != tx.From {
			continue
		}
		token := s.tokens[log.Address]
		id := currency.AssetID(s.chain + "/erc20:" + log.Address.Lower())
		if token == nil && s.config.IgnoreUnknown {
			continue
		}
		if token != nil && !token.TrustLogs {
			really, err := s.verify(ctx, token, to, value)
			if err != nil {
				return err
			}
			if value = really; value.Sign() == 0 {
				continue
			}
		}
		raw, err := json.Marshal(log)
		if err != nil {
			return err
		}
		if err := s.deposit(ctx, tx, strconv.Itoa(i), to, token, id, value, raw); err != nil {
			return err
		}
	}
	return nil
}

// verify compares what the Transfer events of a block say came to an address with what its balance became. A token that
// says more than it gives is believed what it gave, if that can be told: of one event. What several events bring is then
// nobody's: the finalized balance, see Reconcile, brings it to light.
func (s *search) verify(ctx context.Context, token *asset, to eth.Address, value *big.Int) (*big.Int, error) {
	got, said, events, err := s.arrived(ctx, token, to)
	switch {
	case err != nil:
		return nil, err
	case got.Cmp(said) >= 0:
		return value, nil
	case events == 1 && got.Sign() > 0:
		return got, nil
	}
	return new(big.Int), nil
}

// kept is what a token took of a move between our addresses without saying so, if that can be told: of one event.
func (s *search) kept(ctx context.Context, token *asset, to eth.Address, value *big.Int) (*big.Int, error) {
	if token.TrustLogs {
		return new(big.Int), nil
	}
	got, said, events, err := s.arrived(ctx, token, to)
	if err != nil || events != 1 || got.Sign() < 0 || got.Cmp(said) >= 0 {
		return new(big.Int), err
	}
	return new(big.Int).Sub(value, got), nil
}

// arrived is by how much an address' balance of a token changed in the block, by the balance itself and by how many events of the token.
func (s *search) arrived(ctx context.Context, token *asset, to eth.Address) (got, said *big.Int, events int, err error) {
	said = new(big.Int)
	for _, log := range s.logs {
		from, into, n, ok := eth.ParseTransferLog(log.Topics, log.Data)
		if !ok || log.Address != *token.token {
			continue
		}
		if into == to {
			said.Add(said, n)
			events++
		}
		if from == to {
			said.Sub(said, n)
			events++
		}
	}
	before, err := s.e.balance(ctx, token, to, hexNumber(s.at.Height-1))
	if err != nil {
		return nil, nil, 0, err
	}
	after, err := s.e.balance(ctx, token, to, hexNumber(s.at.Height))
	if err != nil {
		return nil, nil, 0, err
	}
	return new(big.Int).Sub(&after.Int, &before.Int), said, events, nil
}

// deposit adds money that came to an address of ours.
func (s *search) deposit(
	ctx context.Context, tx eth.BlockTx, index string, to eth.Address, known *asset, id currency.AssetID, units *big.Int, raw []byte,
) error {
	reference := tx.Hash.String() + ":" + index
	f := finding{key: "dep/" + reference, mined: s.at}
	f.mined.Tx = tx.Hash
	f.fresh = record{
		Kind: providers.Deposit, Reference: reference, To: to.String(), At: s.at.At, Payer: &payer{From: tx.From, Nonce: uint64(tx.Nonce)},
	}
	if n, ok := s.index(to); ok {
		owner, err := s.owner(ctx, n)
		if err != nil {
			return err
		}
		f.fresh.Member = owner.Member
	}
	effect := fmt.Sprintf("%s/%s/%s/%s", s.chain, tx.Hash, index, s.b.Hash)
	quarantine := func(code string) {
		f.fresh.Quarantined = []providers.Quarantined{{
			ID: effect, Asset: string(id), Quantity: units.String(), Code: code, Raw: raw[:min(len(raw), providers.MaxRaw)], At: s.at.At,
		}}
	}
	if known == nil {
		quarantine("unknown_asset")
	} else if amount, err := currency.FromBig(units, known.def); err != nil {
		quarantine("too_large")
	} else {
		f.fresh.Amount = amount
		less, err := amount.Less(known.Dust)
		f.fresh.Dust = known.Dust.IsValid() && err == nil && less
		f.mined.Moves = []move{{Name: index, Kind: providers.Moved, Amount: amount}}
	}
	f.fresh.Required = s.required(f.fresh.Amount)
	s.found = append(s.found, f)
	return nil
}
