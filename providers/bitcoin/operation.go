package bitcoin

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/providers"
)

// operation is one that was submitted.
type operation struct {
	life
	Kind       providers.Kind   `json:"kind"`
	Amount     currency.Amount  `json:"amount,omitzero"`
	Asset      currency.AssetID `json:"asset,omitempty"`
	Instrument string           `json:"instrument,omitempty"`
	At         time.Time        `json:"at"`
	Index      int64            `json:"index"` // of the address that it asks for, of a DepositAddress; -1: none yet
	Failed     *failure         `json:"failed,omitempty"`
	// MaxFee is what its transactions may cost at most, in satoshi.
	MaxFee int64 `json:"max_fee,omitempty"`
	// Plan is a transaction that is not signed yet; Sent are those that were, oldest first: they spend one coin in common.
	Plan *variant  `json:"plan,omitempty"`
	Sent []variant `json:"sent,omitempty"`
}

// failure is final: nothing was signed, or what was signed can never be mined.
type failure struct {
	Code     string `json:"code"`
	Public   string `json:"public,omitempty"`
	Rejected bool   `json:"rejected,omitempty"` // Submit says so by an error
}

// variant is one transaction of an operation.
type variant struct {
	TxID   string    `json:"tx"`
	Inputs []input   `json:"inputs"`
	Fee    int64     `json:"fee"`
	Change int64     `json:"change,omitempty"`
	Back   place     `json:"back,omitzero"` // of the change
	At     time.Time `json:"at"`
	Raw    string    `json:"raw,omitempty"` // signed, in hexadecimal
}

type input struct {
	Output string `json:"output"`
	Units  int64  `json:"units"`
	Place  place  `json:"place"`
}

func opKey(key string) string { return "op/" + key }

func sentKey(txid string) string { return "sent/" + txid }

// sentDoc names the operation that a transaction was signed for. It counts only if the operation has the transaction, too.
type sentDoc struct {
	Key string `json:"key"`
}

func notSent(err error) error { return &providers.Error{Certainty: providers.NotSent, Err: err} }

func refused(code string, err error) error {
	return &providers.Error{Certainty: providers.NotSent, Code: code, Err: err}
}

func duplicate() error {
	return &providers.Error{Certainty: providers.Duplicate, Err: errors.New("bitcoin: this key asked for something else before")}
}

func (p *Provider) now() time.Time { return p.config.Clock().UTC() }

// asked begins an operation.
func (p *Provider) asked(op providers.Operation) (operation, error) {
	o := operation{Kind: op.Kind, Amount: op.Amount, Asset: op.Asset, Instrument: op.Instrument, At: p.now()}
	if op.Kind != providers.Withdrawal {
		return o, nil
	}
	units, ok := op.Amount.Int64()
	if !ok {
		return o, fmt.Errorf("%w: more than 64 bits of satoshi", providers.ErrUnsupported)
	}
	o.Required = p.required(units)
	o.MaxFee, _ = p.config.MaxFee.Int64()
	if op.MaxFee.IsValid() {
		n, ok := op.MaxFee.Int64()
		if op.MaxFee.AssetID() != p.asset.ID() {
			return o, fmt.Errorf("%w: a fee in %s", providers.ErrUnsupported, op.MaxFee.AssetID())
		}
		if ok {
			o.MaxFee = min(o.MaxFee, n)
		}
	}
	return o, nil
}

// asks tells whether the operation is the one that was asked for before.
func (o *operation) asks(op providers.Operation) bool {
	return o.Kind == op.Kind && o.Amount == op.Amount && o.Asset == op.Asset && o.Instrument == op.Instrument
}

// variant returns the signed transaction of that name.
func (o *operation) variant(txid string) *variant {
	for i := range o.Sent {
		if o.Sent[i].TxID == txid {
			return &o.Sent[i]
		}
	}
	return nil
}

// spends tells whether the operation means to spend an output.
func (o *operation) spends(output string) bool {
	if o.Failed != nil {
		return false
	}
	all := o.Sent
	if m := o.now(); m != nil && m.Final { // the others will never be mined
		all = []variant{*o.variant(m.TxID)}
	}
	if o.Plan != nil {
		all = append(all[:len(all):len(all)], *o.Plan)
	}
	for _, v := range all {
		for _, in := range v.Inputs {
			if in.Output == output {
				return true
			}
		}
	}
	return false
}

// Submit implements providers.Provider.
//
// An address is made in the StateStore alone. A withdrawal is planned, its coins are reserved, it is signed, the signed bytes are
// stored, and then they are broadcast; a key that was signed is broadcast again as it is. An address that this network does not have is
// a Failed report.
func (p *Provider) Submit(ctx context.Context, op providers.Operation) (providers.Report, error) {
	if err := errors.Join(ctx.Err(), op.Validate()); err != nil {
		return providers.Report{}, notSent(err)
	}
	if err := p.Describe().Supports(op); err != nil {
		return providers.Report{}, notSent(err)
	}
	if op.Kind == providers.DepositAddress {
		return p.makeAddress(ctx, op)
	}
	return p.withdraw(ctx, op)
}

// Lookup implements providers.Provider. It first reads what the chain has got since the last call. A withdrawal that was signed and
// that is neither mined nor known to the node is ErrNotFound: sending the same key again broadcasts the same bytes.
func (p *Provider) Lookup(ctx context.Context, q providers.Query) (providers.Report, error) {
	if err := ctx.Err(); err != nil {
		return providers.Report{}, err
	}
	return p.lookup(ctx, q)
}

func (p *Provider) lookup(ctx context.Context, q providers.Query) (providers.Report, error) {
	key, err := p.keyOf(ctx, q)
	if err != nil {
		return providers.Report{}, err
	}
	switch r, err := p.find(ctx, key, q.Reference); {
	case err == nil && r.Kind == providers.DepositAddress:
		return r, nil // the chain has nothing to say about it
	case err != nil && !errors.Is(err, providers.ErrNotFound):
		return providers.Report{}, err
	}
	// The pool before the blocks: what goes from one into the other is then seen in one of them.
	waits, err := p.waits(ctx, key)
	if err != nil {
		return providers.Report{}, err
	}
	done, err := p.catchUp(ctx)
	if err != nil && !errors.Is(err, providers.ErrHalted) {
		return providers.Report{}, err
	}
	r, errFind := p.find(ctx, key, q.Reference)
	if errFind != nil {
		return providers.Report{}, errFind
	}
	if r.Kind != providers.Withdrawal || r.State != providers.Pending || len(r.Effects) > 0 || r.Confirmations > 0 || waits {
		return r, nil
	}
	switch {
	case err != nil:
		return providers.Report{}, err
	case !done:
		return providers.Report{}, errBehind
	case r.Reason.Code == "orphaned":
		return r, nil // it was on the chain, and its bytes are everywhere
	}
	return providers.Report{}, fmt.Errorf("bitcoin: %w: the node does not have transaction %s", providers.ErrNotFound, r.Reference)
}

// keyOf returns the key of what is asked for; "" when it has none or there is no such thing.
func (p *Provider) keyOf(ctx context.Context, q providers.Query) (string, error) {
	if q.Key != "" || q.Reference == "" {
		return q.Key, nil
	}
	var d sentDoc
	if !couldBeOurs(q.Reference) {
		return "", nil
	}
	_, err := providers.LoadState(ctx, p.state, sentKey(q.Reference), &d)
	return d.Key, err
}

// couldBeOurs tells whether a reference can be one of this adapter's; another text might be one that the store refuses as a key.
func couldBeOurs(reference string) bool {
	const longest = 100
	return reference != "" && len(reference) <= longest && !strings.ContainsFunc(reference, func(r rune) bool {
		return (r < '0' || r > ':') && (r < 'a' || r > 'z')
	})
}

// waits tells whether a transaction of an operation waits in the node's pool.
func (p *Provider) waits(ctx context.Context, key string) (bool, error) {
	var o operation
	if key == "" {
		return false, nil
	}
	if _, err := providers.LoadState(ctx, p.state, opKey(key), &o); err != nil || o.now() != nil {
		return false, err
	}
	for i := len(o.Sent) - 1; i >= 0; i-- {
		if known, err := p.node.knows(ctx, o.Sent[i].TxID); known || err != nil {
			return known, err
		}
	}
	return false, nil
}

// find reports, from the StateStore alone, what has a key, a reference, or both.
func (p *Provider) find(ctx context.Context, key, reference string) (providers.Report, error) {
	missing := fmt.Errorf("bitcoin: %w", providers.ErrNotFound)
	if key == "" {
		return p.findReference(ctx, reference)
	}
	var o operation
	version, err := providers.LoadState(ctx, p.state, opKey(key), &o)
	if err != nil {
		return providers.Report{}, err
	}
	if version == 0 {
		return providers.Report{}, missing
	}
	var r providers.Report
	if o.Kind == providers.DepositAddress {
		r, err = p.reportAddress(ctx, key, o)
	} else {
		r, err = p.reportWithdrawal(ctx, key, o)
	}
	if err == nil && reference != "" && r.Reference != reference {
		return providers.Report{}, missing
	}
	return r, err
}

// findReference reports what has a reference: a deposit, a withdrawal, an address or a loss.
func (p *Provider) findReference(ctx context.Context, reference string) (providers.Report, error) {
	missing := fmt.Errorf("bitcoin: %w", providers.ErrNotFound)
	if !couldBeOurs(reference) {
		return providers.Report{}, missing
	}
	for _, report := range []func(context.Context, string) (providers.Report, bool, error){
		p.reportDeposit, p.reportForeign,
	} {
		if r, ok, err := report(ctx, reference); ok || err != nil {
			return r, err
		}
	}
	var d sentDoc
	if _, err := providers.LoadState(ctx, p.state, sentKey(reference), &d); err != nil {
		return providers.Report{}, err
	}
	if d.Key == "" {
		var err error
		if d.Key, err = p.keyOfAddress(ctx, reference); err != nil {
			return providers.Report{}, err
		}
		if d.Key == "" {
			return providers.Report{}, missing
		}
	}
	return p.find(ctx, d.Key, reference)
}

// keyOfAddress returns the operation that made an address.
func (p *Provider) keyOfAddress(ctx context.Context, text string) (string, error) {
	script, err := p.config.Network.destination(text)
	if err != nil {
		return "", nil //nolint:nilerr // no address, so nobody's
	}
	if err := p.rewatch(ctx); err != nil {
		return "", err
	}
	w, ok := p.keys.find(script)
	if !ok || w.Branch != receiving {
		return "", nil
	}
	item, _, err := p.addressAt(ctx, int64(w.Index))
	return item.Key, err
}
