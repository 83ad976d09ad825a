package simulation

import (
	"slices"

	"github.com/google/uuid"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/payments"
	"github.com/koshpay/kosh/providers"
	"github.com/koshpay/kosh/providers/sandbox"
)

// This file compares the book with the providers' own truth.

// beforeSubmit: what is sent is in the book, and money that is to leave is held.
func (w *world) beforeSubmit(s *site, op providers.Operation) {
	p := w.money.intents[op.Key]
	switch {
	case p == nil:
		w.fail(breach(RecordFirst, "%s %s was sent to %s and is not in the book", op.Kind, op.Key, s.name))
	case p.Provider != s.name:
		w.fail(breach(RecordFirst, "%s %s of %s was sent to %s", op.Kind, op.Key, p.Provider, s.name))
	case op.Amount.IsValid() && op.Amount != p.Amount:
		w.fail(breach(RecordFirst, "%s %s of %v was sent as %v", op.Kind, op.Key, p.Amount, op.Amount))
	case p.Kind == payments.Withdrawal && !w.money.cleared(p):
		w.fail(breach(Limits, "withdrawal %s of %v was sent, which the screener says is to be: %s", p.ID, p.Amount, w.screening.screens(p.Kind, p.Member, p.Amount)))
	case p.outward() && !p.state.Done():
		w.fail(w.money.backed(w.truth, p))
	}
}

// audit compares every site's truth with the book.
func (w *world) audit() *Breach {
	executed := map[string]int{}
	for _, s := range w.sites {
		if b := w.auditSite(s, executed); b != nil {
			return b
		}
	}
	return nil
}

func (w *world) auditSite(s *site, executed map[string]int) *Breach {
	known := map[string]bool{}
	flying := map[currency.AssetID]currency.Amount{} // what moved and is not taken in
	for _, o := range s.far.Operations() {
		if b := w.auditOperation(s, &o, executed); b != nil {
			return b
		}
		for _, e := range o.Effects {
			known[e.ID] = true
			got, posted := w.money.effects[s.name][e.ID]
			if !posted {
				flying[e.Amount.AssetID()] = plus(flying[e.Amount.AssetID()], e.Amount)
			} else if got.Kind != e.Kind || got.Amount != e.Amount || got.Reverses != e.Reverses {
				return breach(Clearing, "effect %s of %s is %+v and was taken in as %+v", e.ID, s.name, e, got)
			}
		}
	}
	var strange []string
	for id := range w.money.effects[s.name] {
		if !known[id] {
			strange = append(strange, id)
		}
	}
	if len(strange) > 0 {
		return breach(Clearing, "effect %s was taken in and %s knows nothing of it", slices.Min(strange), s.name)
	}
	for _, held := range s.far.Balances() {
		id := payments.ClearingAccount(s.name, held.AssetID())
		posted := currency.Zero(held.Asset())
		if a := w.truth.accounts[id]; a != nil {
			posted = a.Posted
		}
		rest := plus(currency.Zero(held.Asset()), flying[held.AssetID()])
		if plus(posted, rest) != held {
			return breach(Clearing, "%s holds %v, %s has %v and %v is not taken in", s.name, held, id, posted, rest).about(id)
		}
	}
	return nil
}

// auditOperation: a key is executed once, and what is live there is neither unknown nor given up here.
func (w *world) auditOperation(s *site, o *sandbox.Record, executed map[string]int) *Breach {
	live := o.State != providers.Failed && o.State != providers.Canceled
	for _, e := range o.Effects {
		live = live || e.Kind == providers.Moved
	}
	if o.Key == "" || !live {
		return nil
	}
	if executed[o.Key]++; executed[o.Key] > 1 {
		return breach(Once, "key %s was executed %d times, last by %s", o.Key, executed[o.Key], s.name)
	}
	p := w.money.intents[o.Key]
	if p == nil {
		return breach(RecordFirst, "%s has %s %s, the book has not", s.name, o.Kind, o.Key)
	}
	if w.lies[p.ID] {
		return nil // a person said that it never happened, and was wrong: facts win once they are heard of
	}
	if p.Provider != s.name {
		return breach(Certain, "payment %s is %s's and %s has it %s", p.ID, p.Provider, s.name, o.State)
	}
	if p.state == payments.Failed || p.state == payments.Canceled {
		return breach(Certain, "payment %s is %s and %s has it %s", p.ID, p.state, s.name, o.State)
	}
	if p.outward() && p.moved().Sign() == 0 && len(p.Effects) == 0 {
		id, err := uuid.Parse(p.ID)
		if h := w.truth.holds[id]; err != nil || h.State != ledger.HoldOpen || !p.covered(minus(minus(h.Amount, h.Captured), h.Released)) {
			return breach(Certain, "%s %s is under way at %s and its money is not held", p.Kind, p.ID, s.name).
				about(payments.WalletAccount(p.Member, p.Amount.AssetID()))
		}
	}
	return nil
}
