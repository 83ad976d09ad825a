package evm

import (
	"context"
	"fmt"
	"math/big"
	"time"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/providers"
	"github.com/koshpay/kosh/providers/evm/internal/eth"
)

// record is everything that is known of one operation, one deposit or one transaction of ours.
type record struct {
	Kind      providers.Kind    `json:"kind"`
	Purpose   providers.Purpose `json:"purpose,omitempty"` // of a transaction of ours
	Key       string            `json:"key,omitempty"`     // payments'
	Reference string            `json:"reference,omitempty"`
	Amount    currency.Amount   `json:"amount,omitzero"`
	Asset     currency.AssetID  `json:"asset,omitempty"`
	To        string            `json:"to,omitempty"` // where money goes; of an address, itself
	Member    string            `json:"member,omitempty"`
	Index     uint32            `json:"index,omitempty"` // of an address
	At        time.Time         `json:"at"`

	Order *order `json:"order,omitempty"` // a transaction that we make
	Payer *payer `json:"payer,omitempty"` // of money that came

	Dust        bool                    `json:"dust,omitempty"`
	Quarantined []providers.Quarantined `json:"quarantined,omitempty"`

	Mined    *mined             `json:"mined,omitempty"` // where it is on the chain now
	Required uint               `json:"required,omitempty"`
	Effects  []providers.Effect `json:"effects,omitempty"`
	Counted  bool               `json:"counted,omitempty"` // the effects from Standing on stand
	Standing int                `json:"standing,omitempty"`
	Final    bool               `json:"final,omitempty"`
	Gone     *providers.Reason  `json:"gone,omitempty"`     // it will never be mined (again), and why
	Changes  int                `json:"changes,omitempty"`  // each has its event
	Sequence uint64             `json:"sequence,omitempty"` // of the look at the chain that wrote it last
}

// order is a transaction of ours: a nonce, and one or more signed versions of which one at most is ever mined.
type order struct {
	From     eth.Address `json:"from"`
	Key      string      `json:"key"` // the signer's
	Nonce    *uint64     `json:"nonce,omitempty"`
	MaxFee   feeCap      `json:"max_fee,omitzero"`
	Versions []version   `json:"versions,omitempty"`
	Seen     bool        `json:"seen,omitempty"` // a node had it
}

type version struct {
	Hash   eth.Hash  `json:"hash"`
	Raw    []byte    `json:"raw"`
	Tip    *big.Int  `json:"tip"`
	MaxFee *big.Int  `json:"max_fee"` // a unit of gas
	Gas    uint64    `json:"gas"`
	At     time.Time `json:"at"`
}

// feeCap is what the operation allows.
type feeCap struct {
	Amount currency.Amount `json:"amount,omitzero"`
	Until  time.Time       `json:"until,omitzero"`
}

// payer is who made a transaction: when their nonce is used by another one for good, it never comes again.
type payer struct {
	From  eth.Address `json:"from"`
	Nonce uint64      `json:"nonce"`
}

// mined is where a transaction is on the chain, and what it moved there.
type mined struct {
	Height uint64    `json:"height"`
	Block  eth.Hash  `json:"block"`
	Tx     eth.Hash  `json:"tx"`
	At     time.Time `json:"at"`
	Failed string    `json:"failed,omitempty"` // reverted, token_refused
	Moves  []move    `json:"moves,omitempty"`
}

type move struct {
	Name   string               `json:"name"` // within the transaction
	Kind   providers.EffectKind `json:"kind"`
	Amount currency.Amount      `json:"amount"`
}

// count adds the effects of where it is mined now. Their ids contain the block: mined again elsewhere, they are others; and in
// the same block again, after another had been there for a while, they have a number.
func (r *record) count(chain string) {
	r.Standing = len(r.Effects)
	for _, m := range r.Mined.Moves {
		id := fmt.Sprintf("%s/%s/%s/%s", chain, r.Mined.Tx, m.Name, r.Mined.Block)
		for n := 2; r.has(id); n++ {
			id = fmt.Sprintf("%s/%s/%s/%s/%d", chain, r.Mined.Tx, m.Name, r.Mined.Block, n)
		}
		r.Effects = append(r.Effects, providers.Effect{ID: id, Kind: m.Kind, Amount: m.Amount, At: r.Mined.At})
	}
	r.Counted = true
}

func (r *record) has(effect string) bool {
	for _, e := range r.Effects {
		if e.ID == effect {
			return true
		}
	}
	return false
}

// orphan takes back what counted and forgets where it was mined.
func (r *record) orphan(now time.Time) error {
	r.Mined, r.Final = nil, false
	if !r.Counted {
		return nil
	}
	r.Counted = false
	for _, e := range r.Effects[r.Standing:] {
		back, err := e.Amount.Neg()
		if err != nil {
			return err
		}
		e.ID += "/orphaned"
		if e.Kind == providers.Moved {
			e.Kind, e.Reverses = providers.Reversed, e.ID[:len(e.ID)-len("/orphaned")]
		}
		e.Amount, e.At = back, now
		r.Effects = append(r.Effects, e)
	}
	return nil
}

// report says how a record stands when the chain was seen up to a height.
func (p *Provider) report(r record, height uint64) providers.Report {
	out := providers.Report{
		Key: r.Key, Reference: r.Reference, Kind: r.Kind, State: providers.Pending, Effects: r.Effects, At: r.At, Required: r.Required,
	}
	switch r.Kind {
	case providers.DepositAddress:
		out.State, out.Final, out.Address, out.Required = providers.Succeeded, true, r.To, 0
		out.Action = &providers.Action{Kind: "address", Address: r.To}
		return out
	case providers.Deposit:
		out.Address, out.Member = r.To, r.Member
		if r.Dust {
			out.Reason.Code = providers.CodeDust
		}
	default:
	}
	if r.Mined != nil {
		out.At = r.Mined.At
		out.Confirmations = uint(min(max(height+1, r.Mined.Height)-r.Mined.Height, uint64(p.config.Finality)))
	} else if len(r.Effects) > 0 {
		out.Reason = providers.Reason{Code: providers.CodeOrphaned, Public: "The network took the payment back."}
	}
	switch {
	case r.Gone != nil:
		out.Reason, out.Final, out.State = *r.Gone, true, providers.Failed
		if len(r.Effects) > 0 && r.Kind == providers.Deposit {
			out.State = providers.Succeeded // it was, and was taken back
		}
	case r.Counted && r.Mined.Failed == "":
		out.State, out.Final = providers.Succeeded, r.Final
		out.Quarantined = r.Quarantined
	case r.Counted && r.Final:
		out.State, out.Final = providers.Failed, true
		out.Reason = providers.Reason{Code: r.Mined.Failed, Public: "The network turned the payment down."}
		if r.Kind == providers.Settlement {
			out.State = providers.Succeeded // what it cost is what it reports
		}
	}
	return out
}

// changed writes down that a record changed, for Poll.
func (p *Provider) changed(ctx context.Context, key string, r record) error {
	return p.log.add(ctx, logItem{ID: fmt.Sprintf("%s/%d", key, r.Changes), Key: key})
}

func opKey(key string) string        { return "op/" + key }
func refKey(reference string) string { return "ref/" + reference }

// about says which record a reference is about.
type about struct {
	Key string `json:"key"`
}

// refer lets a reference be looked up. It is written before anybody is told of it.
func (p *Provider) refer(ctx context.Context, reference, key string) error {
	_, err := providers.ChangeState(ctx, p.state, refKey(reference), func(a *about, isNew bool) error {
		if !isNew {
			return providers.ErrStateSame
		}
		a.Key = key
		return nil
	})
	return err
}
