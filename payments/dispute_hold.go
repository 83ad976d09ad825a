package payments

import (
	"errors"
	"slices"
	"strconv"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/providers"
)

// This file is about what is held while disputes wait for their decision. What is held at all, of which disputes, and how much of
// that the deposit's own provisional holds stand for, is looked at as a whole whenever the deposit's money moves: a bank that takes
// the deposit back takes the provisional hold too, and the dispute is then held of the member's other money. So it does not
// matter in which order the two are heard of.

// maxSecured is for how many movements of earlier reports one entry holds more.
const maxSecured = 100

// disputeHoldID is the id of the hold on what an effect disputes: the first, or the next, when it holds more than before.
func (n *news) disputeHoldID(effect string, turn int) ledger.ID {
	if turn == 0 {
		return n.holdID(effect)
	}
	return derivedID("hold", n.provider, effect+n.salt, strconv.Itoa(turn))
}

// undecided tells whether an effect took money because of a dispute that waits for its decision.
func (r *record) undecided(e *effect) bool {
	return e.Kind == providers.Disputed && r.Kind == Deposit && !r.decided(e.Dispute)
}

// decided tells whether a dispute is won or lost.
func (r *record) decided(id string) bool {
	for i := range r.Disputes {
		if d := &r.Disputes[i]; d.ID == id {
			return d.State == providers.DisputeWon || d.State == providers.DisputeLost
		}
	}
	return false
}

// unsettles tells whether an effect changes what should be held for disputes.
func unsettles(k providers.EffectKind) bool {
	return k == providers.Disputed || (k == providers.Moved || k == providers.Reversed) && !planted("return-frees-dispute")
}

// secure names the holds that a part may make for disputes, given the payment as it will be after the report.
func (p *part) secure(s *scope, after *record) {
	if after.Kind != Deposit || after.Member == "" || len(after.Disputes) == 0 {
		return
	}
	for i := range s.rec.Effects {
		if e := &after.Effects[i]; after.undecided(e) && len(p.secures) < maxSecured {
			p.secures = append(p.secures, p.disputeHoldID(e.ID, e.Holds))
			s.hold(p.disputeHoldID(e.ID, e.Holds))
		}
	}
}

// holdDisputed is the guard that holds more for disputes after the effects of a part.
func (p *part) holdDisputed(v ledger.View) ([]ledger.Command, error) {
	if p.document.Version != p.seen {
		return nil, ledger.ErrUndeclared // other holds may be wanted than those that were named: read the payment again
	}
	j := p.journal(v)
	err := j.holdDisputed(p.secures)
	return p.done(j), err
}

func (j *journal) holdDisputed(may []ledger.ID) error {
	c, err := j.count()
	if err != nil || planted("dispute-unheld") {
		return err
	}
	for i := range j.rec.Effects {
		e := &j.rec.Effects[i]
		asset := e.Amount.AssetID()
		id := j.disputeHoldID(e.ID, e.Holds)
		if !j.rec.undecided(e) || j.beyond[e.Hold] || c.unheld[asset].Sign() <= 0 || !slices.Contains(may, id) {
			continue
		}
		if _, known := c.room[asset]; !known {
			c.room[asset] = j.room(WalletAccount(j.rec.Member, asset), ledger.Debit, currency.Zero(e.Amount.Asset()))
		}
		held, err := j.remains(e)
		if err != nil {
			return err
		}
		gap, err := c.taken[[2]string{e.ID, string(asset)}].Sub(held)
		if err != nil {
			return err
		}
		more := least(least(gap, c.unheld[asset]), c.room[asset])
		if more.Sign() <= 0 {
			continue
		}
		for _, left := range []map[currency.AssetID]currency.Amount{c.unheld, c.room} {
			if left[asset], err = left[asset].Sub(more); err != nil {
				return err
			}
		}
		if err := j.holdMore(e, id, held, more); err != nil {
			return err
		}
	}
	return nil
}

// holdMore puts one hold in the place of what an effect holds.
func (j *journal) holdMore(e *effect, id ledger.ID, held, more currency.Amount) error {
	all, err := held.Add(more)
	if err != nil {
		return err
	}
	if held.Sign() > 0 {
		j.commands = append(j.commands, ledger.Release{Hold: ledger.ByID(e.Hold), All: true})
	}
	j.effect = e
	e.Hold, e.Freed, e.Holds = id, false, e.Holds+1
	j.commands = append(j.commands, ledger.PlaceHold{
		ID: id, Account: WalletAccount(j.rec.Member, all.AssetID()), Amount: all, Fact: true, Note: j.note(),
	})
	return nil
}

// remains is what an effect still holds. Of holds that are not looked at it is taken that they are whole.
func (j *journal) remains(e *effect) (currency.Amount, error) {
	nothing := currency.Zero(e.Amount.Asset())
	if !e.held() {
		return nothing, nil
	}
	if j.beyond[e.Hold] {
		return e.Amount.Abs()
	}
	h, ok := j.view.Hold(e.Hold)
	if !ok || h.State != ledger.HoldOpen || h.Amount.Asset() != nothing.Asset() {
		return nothing, nil
	}
	return h.Remaining()
}

// disputedCount is how those disputes of a deposit stand that wait for their decision.
type disputedCount struct {
	taken  map[[2]string]currency.Amount        // by an effect, in an asset, and not reinstated
	unheld map[currency.AssetID]currency.Amount // neither held for a dispute nor because the deposit is provisional
	room   map[currency.AssetID]currency.Amount // of the wallet, as far as it was looked at
}

func (j *journal) count() (disputedCount, error) {
	c := disputedCount{taken: map[[2]string]currency.Amount{}, unheld: map[currency.AssetID]currency.Amount{}, room: map[currency.AssetID]currency.Amount{}}
	nets := map[[2]string]currency.Amount{} // what a dispute has taken of an asset
	var order [][2]string
	for i := range j.rec.Effects {
		e := &j.rec.Effects[i]
		asset := string(e.Amount.AssetID())
		out, err := e.Amount.Neg()
		if err != nil {
			return c, err
		}
		held, err := j.remains(e)
		if err != nil {
			return c, err
		}
		if e.Dispute == "" || !j.rec.decided(e.Dispute) {
			err = addTo(c.unheld, e.Amount.AssetID(), held, -1)
		}
		if err == nil && e.Dispute != "" && !j.rec.decided(e.Dispute) {
			key := [2]string{e.Dispute, asset}
			if !nets[key].IsValid() {
				order = append(order, key)
			}
			by := e.ID
			if e.Kind != providers.Disputed {
				by = e.Reverses
			}
			err = errors.Join(addTo(nets, key, out, 1), addTo(c.taken, [2]string{by, asset}, out, 1))
		}
		if err != nil {
			return c, err
		}
	}
	for _, key := range order {
		if net := nets[key]; net.Sign() > 0 { // less than nothing: it came back before it was heard that it went
			if err := addTo(c.unheld, net.AssetID(), net, 1); err != nil {
				return c, err
			}
		}
	}
	return c, nil
}

// addTo adds an amount to one of several sums, or takes it away.
func addTo[K comparable](sums map[K]currency.Amount, key K, a currency.Amount, sign int) (err error) {
	sum := sums[key]
	if !sum.IsValid() {
		sum = currency.Zero(a.Asset())
	}
	if sign < 0 {
		sums[key], err = sum.Sub(a)
	} else {
		sums[key], err = sum.Add(a)
	}
	return err
}
