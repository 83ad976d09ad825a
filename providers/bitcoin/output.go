package bitcoin

import (
	"context"
	"strings"

	"github.com/koshpay/kosh/providers"
)

// output is an output to an address of ours: a coin, and a deposit unless it is change.
type output struct {
	life
	Units    int64    `json:"units"`
	Place    place    `json:"place"`
	Change   bool     `json:"change,omitempty"`
	Coinbase bool     `json:"coinbase,omitempty"`
	Dust     bool     `json:"dust,omitempty"`
	Inputs   []string `json:"inputs,omitempty"`   // what its transaction spends
	Rival    *mine    `json:"rival,omitempty"`    // the transaction that spends one of those while this one is not in the chain
	SpentBy  string   `json:"spent_by,omitempty"` // a transaction in the chain
	// Reserved is the operation that means to spend it. It holds only as long as that operation's plan or transactions have the
	// output: see Provider.taken.
	Reserved string `json:"reserved,omitempty"`
	Claims   uint64 `json:"claims,omitempty"` // counts reservations, so that each one is a write that others notice
}

// coinbaseMaturity is how many blocks must follow one before what it mined can be spent.
const coinbaseMaturity = 100

func outputKey(outpoint string) string { return "output/" + outpoint }

// spendable tells whether a new transaction may spend it, reservations aside.
func (o *output) spendable(height int64) bool {
	m := o.now()
	if m == nil || o.SpentBy != "" {
		return false
	}
	return m.Counted && (!o.Coinbase || confirmations(m.Height, height) > coinbaseMaturity)
}

// begin sets an output up when a block first has it.
func (p *Provider) begin(o *output, f find) {
	o.Units, o.Place, o.Coinbase, o.Change, o.Inputs = f.Units, f.Place, f.Coinbase, f.Change, f.Inputs
	if o.Required > 0 {
		return
	}
	dust, _ := p.config.Dust.Int64()
	o.Dust = !o.Change && o.Units < dust
	o.Required = p.required(o.Units)
	if o.Change {
		o.Required = 1
	}
	if o.Coinbase {
		o.Required += coinbaseMaturity
	}
}

// reportDeposit reports money that came to an address. Change is no deposit.
func (p *Provider) reportDeposit(ctx context.Context, reference string) (providers.Report, bool, error) {
	var o output
	version, err := providers.LoadState(ctx, p.state, outputKey(reference), &o)
	if err != nil || version == 0 || o.Change {
		return providers.Report{}, false, err
	}
	var s scan
	if _, err := providers.LoadState(ctx, p.state, scanKey, &s); err != nil {
		return providers.Report{}, false, err
	}
	l, err := p.keys.at(o.Place)
	if err != nil {
		return providers.Report{}, false, err
	}
	r := providers.Report{Reference: reference, Kind: providers.Deposit, Address: l.address}
	if o.Place.Branch == receiving {
		item, ok, err := p.addressAt(ctx, int64(o.Place.Index))
		if err != nil {
			return providers.Report{}, false, err
		}
		if ok {
			r.Member = item.Member
		}
	}
	name := strings.Replace(reference, ":", "/", 1)
	p.reportLife(&r, o.life, s.Height, func(mine) string { return name }, func(mine) []movement {
		return []movement{{kind: providers.Moved, units: o.Units}}
	})
	if o.gone() {
		r.State, r.Final = providers.Failed, true
		if len(r.Effects) > 0 { // it came, and was taken back
			r.State = providers.Succeeded
		}
		r.Reason = providers.Reason{Code: "double_spent", Public: "The payer spent the money otherwise."}
	}
	if o.Dust && r.State == providers.Succeeded {
		r.Reason = providers.Reason{Code: "dust", Public: "This is less than we accept."}
	}
	return r, true, nil
}
