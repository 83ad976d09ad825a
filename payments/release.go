package payments

import (
	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/providers"
)

// This file is about money that need not be held any more. It comes to the member like any other: while they owe, it repays that
// first (hold → R), and the rest is released.

// release gives held money back where that is certain: a payout that finally did not happen, or that finally moved less
// than was held; a provisional deposit whose window has passed and that nobody disputes; what was disputed, after the decision.
func (j *journal) release() error {
	for i := range j.rec.Effects {
		e := &j.rec.Effects[i]
		over, err := j.rec.over(e)
		if err == nil && over {
			err = j.free(e)
		}
		if err != nil {
			return err
		}
	}
	if !j.rec.outward() {
		return nil
	}
	own := mustID(j.rec.ID)
	switch state := j.rec.state(); {
	case (state == Failed || state == Canceled) && !planted("keep-failed-hold") || state == Pending && planted("release-while-pending"):
		_, err := j.releaseHold(own)
		return err
	case (state == Succeeded || state == Reversed) && !j.otherAsset():
		whole, err := j.rec.paidWhole()
		if err != nil {
			return err
		}
		switch {
		case whole && (j.rec.Final || j.rec.feeHeard()):
			_, err = j.releaseHold(own) // all that can be left is of the fee
			return err
		case j.rec.Final:
			released, err := j.releaseHold(own)
			if released {
				j.find("amount_differs", "less was paid out than was asked for; the rest was given back to the member", currency.Amount{})
			}
			return err
		}
	}
	return nil
}

// over tells whether nothing needs any more what an effect holds.
func (r *record) over(e *effect) (bool, error) {
	switch {
	case !e.held():
		return false, nil
	case e.Dispute != "":
		if planted("keep-disputed-hold") {
			return false, nil
		}
		d := r.dispute(e.Dispute)
		if d.State == providers.DisputeWon || d.State == providers.DisputeLost {
			return true, nil
		}
		net, err := r.withdrawn(d.ID)
		return net.Sign() == 0, err
	case r.Kind == Deposit:
		return r.Final && !r.disputed() && !planted("keep-provisional-hold"), nil
	default:
		return r.Final, nil
	}
}

// lingers tells whether something is still held that is over: there was too much of it for one entry.
func (r *record) lingers() bool {
	for i := range r.Effects {
		if over, err := r.over(&r.Effects[i]); over && err == nil {
			return true
		}
	}
	return false
}

// otherAsset tells whether the payment moved money in an asset that nobody asked for; then a person must decide.
func (j *journal) otherAsset() bool {
	for _, e := range j.rec.Effects {
		if e.Kind == providers.Moved && e.Amount.Asset() != j.rec.Amount.Asset() {
			return true
		}
	}
	return false
}

// free gives back what an effect holds.
func (j *journal) free(e *effect) error {
	if j.beyond[e.Hold] {
		return nil
	}
	_, err := j.releaseHold(e.Hold)
	e.Freed = err == nil
	return err
}

// releaseHold gives back what remains of a hold and tells whether anything did.
func (j *journal) releaseHold(id ledger.ID) (bool, error) {
	h, ok := j.view.Hold(id)
	if !ok || h.State != ledger.HoldOpen {
		return false, nil
	}
	if j.freeing == nil {
		j.freeing = &freeing{view: j.view, member: j.rec.Member, owed: map[currency.AssetID]currency.Amount{}}
	}
	commands, err := j.freeing.hold(h, j.rec.note())
	j.commands = append(j.commands, commands...)
	return true, err
}

// freeing gives holds back to a member in one guard.
type freeing struct {
	view   ledger.View
	member string
	owed   map[currency.AssetID]currency.Amount // what is still owed after the holds before
}

// hold makes the commands that give back what remains of a hold.
func (f *freeing) hold(h ledger.Hold, note ledger.Note) ([]ledger.Command, error) {
	asset := h.Account.Asset
	if h.Account != WalletAccount(f.member, asset) || planted("skip-repayment") {
		return []ledger.Command{ledger.Release{Hold: ledger.ByID(h.ID), All: true}}, nil
	}
	remaining, err := h.Remaining()
	if err != nil {
		return nil, err
	}
	owed, known := f.owed[asset]
	if debt, ok := f.view.Account(ReceivableAccount(f.member, asset)); ok && !known {
		owed, known = debt.Posted, true
	}
	if !known || owed.Sign() <= 0 {
		return []ledger.Command{ledger.Release{Hold: ledger.ByID(h.ID), All: true}}, nil
	}
	repaid := least(owed, remaining)
	if f.owed[asset], err = owed.Sub(repaid); err != nil {
		return nil, err
	}
	return []ledger.Command{ledger.Capture{
		ID: repaymentID(h.ID), Hold: ledger.ByID(h.ID), Fact: true, Final: true, Note: repaying(note),
		To: []ledger.Portion{{Account: ReceivableAccount(f.member, asset), Amount: repaid}},
	}}, nil
}
