package sandbox

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/providers"
)

// chain is the pretend block chain. Blocks come every BlockTime from genesis on; only those with a transaction of ours are
// ever made.
type chain struct {
	genesis time.Time
	txs     []*transaction
}

// transaction is one on the chain. It waits, is mined, may be orphaned and mined again, or dropped for good.
type transaction struct {
	id      string
	outputs []*output
	mined   bool
	dropped bool
	height  int64  // of its block, while mined
	block   string // that block's hash
	round   int    // times mined; an appointment made for an earlier round is void
}

// output is a payment within a transaction: out by a withdrawal of ours, in to an address of ours, or both in turn.
type output struct {
	index  int
	to     string
	amount currency.Amount
	// operation is the withdrawal, or the deposit once its transaction was first mined.
	operation *operation
	reverts   bool
	raw       *raw // instead of the amount
}

// address is where money can be sent to.
type address struct {
	method providers.Method
	member string
}

func (f *farSide) makeAddress(o *operation) {
	a := address{method: o.request.Method, member: o.request.Member}
	if a.method == providers.Bank {
		o.address = f.newID("sbxacct")
		o.action = &providers.Action{
			Kind: "bank_details", Address: o.address,
			Details: map[string]string{"account": o.address, "bank": "Sandbox Bank", "reference": o.reference},
		}
	} else {
		o.address = fmt.Sprintf("sbx1%032x", f.rng.Uint64())
		o.action = &providers.Action{Kind: "address", Address: o.address}
	}
	f.addresses[o.address] = a
	o.end(providers.Succeeded)
}

// SendTo pays to an address that a DepositAddress operation made. On a chain it is one transaction, with an output for each
// amount, that the next block includes; to a bank account it is a transfer that arrives at once. It returns the transaction's
// id. The address' first asset does not bind the sender, who may send any asset that the sandbox has there.
func (s *Sandbox) SendTo(to string, amount currency.Amount, more ...currency.Amount) (string, error) {
	f := s.far
	f.enter()
	defer f.mu.Unlock()
	a, ok := f.addresses[to]
	if !ok {
		return "", fmt.Errorf("%w: no address %q; SendStray pays to nobody", ErrScenario, to)
	}
	return f.pay(a.method, to, append([]currency.Amount{amount}, more...))
}

// SendStray is money that nobody expected: a payment by bank or chain that names no address of ours.
func (s *Sandbox) SendStray(m providers.Method, amount currency.Amount) (string, error) {
	f := s.far
	f.enter()
	defer f.mu.Unlock()
	return f.pay(m, "", []currency.Amount{amount})
}

func (f *farSide) pay(m providers.Method, to string, amounts []currency.Amount) (string, error) {
	for _, a := range amounts {
		if _, ok := f.descriptor.Offer(providers.DepositAddress, m, a.AssetID()); !ok || a.Sign() <= 0 {
			return "", fmt.Errorf("%w: cannot send %v by %s", ErrScenario, a, m)
		}
	}
	if m == providers.Bank {
		id := f.newID("tr")
		for i, a := range amounts {
			o := f.unasked(m, fmt.Sprintf("%s:%d", id, i), to, a)
			o.move(f.now, o.party())
			o.end(providers.Succeeded)
			o.changed(f.now)
		}
		return id, nil
	}
	tx := f.newTransaction()
	for i, a := range amounts {
		tx.outputs = append(tx.outputs, &output{index: i, to: to, amount: a})
	}
	f.mineNext(tx)
	return tx.id, nil
}

// unasked makes the operation of money that came without one.
func (f *farSide) unasked(m providers.Method, reference, to string, a currency.Amount) *operation {
	o := f.add(providers.Operation{Kind: providers.Deposit, Method: m, Amount: a}, reference, f.now)
	o.address, o.member = to, f.addresses[to].member
	return o
}

// broadcast sends a withdrawal to the chain.
func (f *farSide) broadcast(o *operation) {
	to := o.request.Instrument
	if to == AddressRefused || !validAddress(to) {
		o.fail("invalid_address", "This is not an address.")
		return
	}
	var err error
	if o.gas, err = f.networkFee(o.moving); err != nil {
		f.books.breaks(err)
	}
	o.tx = f.newTransaction()
	o.tx.outputs = append(o.tx.outputs, &output{operation: o, reverts: to == AddressReverts})
	if a, ours := f.addresses[to]; ours && a.method == providers.Chain {
		o.tx.outputs = append(o.tx.outputs, &output{index: 1, to: to, amount: o.moving})
	}
	f.mineNext(o.tx)
}

func (f *farSide) newTransaction() *transaction {
	tx := &transaction{id: fmt.Sprintf("%016x%016x", f.rng.Uint64(), f.rng.Uint64())}
	f.chain.txs = append(f.chain.txs, tx)
	return tx
}

func (f *farSide) height(at time.Time) int64 { return int64(at.Sub(f.chain.genesis) / f.cfg.BlockTime) }

func (f *farSide) timeOf(height int64) time.Time {
	return f.chain.genesis.Add(time.Duration(height) * f.cfg.BlockTime)
}

func (f *farSide) confirmations(tx *transaction, at time.Time) uint {
	if !tx.mined {
		return 0
	}
	n := uint(max(f.height(at)-tx.height+1, 0))
	return min(n, f.cfg.Finality)
}

// mineNext puts a transaction into the next block.
func (f *farSide) mineNext(tx *transaction) {
	height := f.height(f.now) + 1
	f.later(f.timeOf(height), func(at time.Time) { f.mine(tx, height, at) })
}

func (f *farSide) mine(tx *transaction, height int64, at time.Time) {
	tx.mined, tx.height, tx.round = true, height, tx.round+1
	// Orphans are mined again in a later block, so a height never has two blocks of ours.
	hash := sha256.Sum256(fmt.Appendf(nil, "%d %d", f.cfg.Seed, height))
	tx.block = hex.EncodeToString(hash[:16])
	for _, out := range tx.outputs {
		if out.operation == nil {
			out.operation = f.unasked(providers.Chain, fmt.Sprintf("%s:%d", tx.id, out.index), out.to, out.amount)
			if out.raw != nil {
				out.operation.request.Asset = out.raw.asset
			}
			out.operation.tx = tx
		}
	}
	// An appointment is about this block: a reorganisation in between voids it.
	round := tx.round
	still := func(do func(o *output, at time.Time)) func(time.Time) {
		return func(at time.Time) {
			if !tx.mined || tx.round != round {
				return
			}
			for _, out := range tx.outputs {
				do(out, at)
				out.operation.changed(at)
			}
		}
	}
	for _, out := range tx.outputs {
		out.operation.changed(at)
	}
	confirmed, final := height+int64(f.cfg.Confirmations)-1, height+int64(f.cfg.Finality)-1 //nolint:gosec // small
	f.later(f.timeOf(confirmed), still(f.confirm))
	f.later(f.timeOf(final), still(f.finish))
}

// confirm is when a transaction has the confirmations that make it count. One that reverted counts only when it is final,
// because Failed must stay so.
func (f *farSide) confirm(out *output, at time.Time) {
	o := out.operation
	o.reason = providers.Reason{}
	if out.reverts {
		return
	}
	id, amount := effectID(o, out), o.moving
	if out.raw != nil {
		o.quarantined = []providers.Quarantined{out.raw.quarantined(id, at)}
		o.state = providers.Succeeded
		return
	}
	if o.request.Kind == providers.Withdrawal {
		f.payMiners(o, id, at, f.books.neg)
		amount = f.books.neg(amount)
	}
	o.post(providers.Effect{ID: id, Kind: providers.Moved, Amount: amount, At: at}, o.party())
	o.state = providers.Succeeded
	if o.request.Kind == providers.Deposit && f.isDust(amount) {
		o.reason = providers.Reason{Code: providers.CodeDust}
	}
}

// finish is when no reorganisation comes any more.
func (f *farSide) finish(out *output, at time.Time) {
	out.operation.final = true
	if out.reverts {
		f.payMiners(out.operation, effectID(out.operation, out), at, f.books.neg)
		out.operation.fail("reverted", "The network turned the payment down.")
	}
}

// payMiners posts the network fee of a withdrawal, or with another sign gives it back.
func (f *farSide) payMiners(o *operation, id string, at time.Time, sign func(currency.Amount) currency.Amount) {
	if o.gas.Sign() > 0 {
		o.post(providers.Effect{ID: id + "/fee", Kind: providers.Fee, Amount: sign(o.gas), At: at}, "miners")
	}
}

// effectID names a movement on the chain: mined again in another block, it is another one.
func effectID(o *operation, out *output) string {
	asset := o.request.Amount.AssetID()
	if out.raw != nil {
		asset = out.raw.asset
	}
	name, _, _ := strings.Cut(string(asset), "/")
	return fmt.Sprintf("%s/%s/%d/%s", name, o.tx.id, out.index, o.tx.block)
}

// Reorganise replaces the last depth blocks: their transactions are orphaned and mined again in the next block, but for
// those in drop, which are gone for good. It fails, changing nothing, when depth reaches Finality or a dropped
// transaction is not in these blocks.
func (s *Sandbox) Reorganise(depth int, drop ...string) error {
	f := s.far
	f.enter()
	defer f.mu.Unlock()
	if depth < 1 || uint(depth) >= f.cfg.Finality {
		return fmt.Errorf("%w: a reorganisation is 1 to %d blocks deep", ErrScenario, f.cfg.Finality-1)
	}
	var orphans []*transaction
	for _, tx := range f.chain.txs {
		if tx.mined && tx.height > f.height(f.now)-int64(depth) {
			orphans = append(orphans, tx)
		}
	}
	for _, id := range drop {
		if !slices.ContainsFunc(orphans, func(tx *transaction) bool { return tx.id == id }) {
			return fmt.Errorf("%w: no transaction %s in the last %d blocks", ErrScenario, id, depth)
		}
	}
	for _, tx := range orphans {
		tx.mined, tx.dropped = false, slices.Contains(drop, tx.id)
		for _, out := range tx.outputs {
			f.orphan(out, tx.dropped)
		}
		if !tx.dropped {
			f.mineNext(tx)
		}
	}
	return nil
}

func (f *farSide) orphan(out *output, dropped bool) {
	o := out.operation
	why := providers.Reason{Code: providers.CodeOrphaned, Public: "The network took the payment back."}
	id := effectID(o, out)
	if moved, ok := o.standing(); ok && moved.ID == id {
		o.takeBack(f.now, why, id+"/orphaned", o.party())
		if o.request.Kind == providers.Withdrawal {
			f.payMiners(o, id+"/orphaned", f.now, func(fee currency.Amount) currency.Amount { return fee })
		}
	}
	o.reason, o.final, o.state, o.quarantined = why, false, providers.Pending, nil
	if dropped {
		// What moved and came back has succeeded and was reversed; what never counted has failed.
		if o.moved() {
			o.end(providers.Succeeded)
		} else {
			o.end(providers.Failed)
		}
	}
	o.changed(f.now)
}

// SetNetworkFee changes what the chain charges for a withdrawal that is sent from now on: Config.NetworkFee.
func (s *Sandbox) SetNetworkFee(fee Fee) error {
	if fee.Rate.IsNegative() || fee.Fixed < 0 {
		return fmt.Errorf("%w: negative fee", ErrConfig)
	}
	s.far.enter()
	defer s.far.mu.Unlock()
	s.far.cfg.NetworkFee = fee
	return nil
}

// networkFee is what the chain charges for a withdrawal, in its own asset if it has one.
func (f *farSide) networkFee(a currency.Amount) (currency.Amount, error) {
	if f.cfg.Gas != nil {
		a = currency.Zero(f.cfg.Gas)
	}
	if !f.cfg.NetworkFee.isZero() {
		return f.cfg.NetworkFee.of(a)
	}
	units := int64(1)
	for range int(a.Asset().Scale()) - 4 {
		units *= 10
		if units >= 1e18 {
			break
		}
	}
	return currency.New(units, a.Asset())
}

// CheckAddress implements [providers.AddressChecker]: an address is up to 128 printing characters without a space.
func (s *Sandbox) CheckAddress(asset currency.AssetID, address string) error {
	if _, ok := s.Describe().Offer(providers.Withdrawal, providers.Chain, asset); !ok {
		return fmt.Errorf("%w: %s is not sent to addresses", providers.ErrUnsupported, asset)
	}
	if !validAddress(address) {
		return fmt.Errorf("%w: this is not an address", errAddress)
	}
	return nil
}

var errAddress = errors.New("sandbox: bad address")

func validAddress(s string) bool {
	return s != "" && len(s) <= 128 && strings.IndexFunc(s, func(r rune) bool { return r <= ' ' || r > '~' }) < 0
}

func shorten(address string) string {
	if len(address) <= 12 {
		return address
	}
	return address[:6] + "…" + address[len(address)-4:]
}
