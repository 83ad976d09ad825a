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

// This file is payers who object to deposits, and what the witness knows about it.

// quarrel is a dispute as a payment's document has it.
type quarrel struct {
	ID      string                 `json:"id"`
	State   providers.DisputeState `json:"state"`
	Charged currency.Amount        `json:"charged"`
}

func (q quarrel) decided() bool {
	return q.State == providers.DisputeWon || q.State == providers.DisputeLost
}

// disputed tells whether money of the deposit is disputed and nothing is decided.
func (p *intent) disputed() bool {
	return slices.ContainsFunc(p.Disputes, func(q quarrel) bool { return q.State == providers.DisputeOpen || q.State == "" })
}

func (p *intent) quarrel(id string) quarrel {
	for _, q := range p.Disputes {
		if q.ID == id {
			return q
		}
	}
	return quarrel{}
}

// withdrawn is what the provider holds back of a deposit.
func (p *intent) withdrawn() currency.Amount {
	sum := currency.Zero(p.Amount.Asset())
	for _, e := range p.Effects {
		if e.Dispute != "" && e.Amount.Asset() == sum.Asset() {
			sum = minus(sum, e.Amount)
		}
	}
	return sum
}

// dispute makes a payer object, or a bank decide.
func (w *world) dispute(*process) {
	s := pick(w.dice, w.sites...)
	var open []providers.Dispute
	var fresh []sandbox.Record
	for _, o := range s.far.Operations() {
		for _, d := range o.Disputes {
			if d.State != providers.DisputeWon {
				open = append(open, d)
			}
		}
		if o.Kind == providers.Deposit && o.Key != "" && len(o.Effects) > 0 {
			fresh = append(fresh, o)
		}
	}
	if len(open) > 0 && w.dice.chance(500) {
		d := pick(w.dice, open...)
		var err error
		switch won := w.dice.chance(500); {
		case d.State == providers.DisputeInquiry && !won:
			err = s.far.WithdrawDisputed(d.ID)
		case d.State == providers.DisputeLost && !won:
			return
		default:
			err = s.far.CloseDispute(d.ID, won)
		}
		w.note("  dispute %s was %s%s", d.ID, d.State, cause(err))
		return
	}
	if len(fresh) == 0 {
		return
	}
	o := pick(w.dice, fresh[max(0, len(fresh)-10):]...)
	amount := o.Amount
	if w.dice.chance(400) {
		amount = w.part(amount)
	}
	id, err := s.far.OpenDispute(o.Key, amount, w.dice.chance(250))
	w.note("  dispute %s of %v of %s%s", id, amount, o.Key, cause(err))
}

// decide ends every dispute that is open.
func (w *world) decide() {
	for _, s := range w.sites {
		for _, o := range s.far.Operations() {
			for _, d := range o.Disputes {
				if d.State == providers.DisputeWon || d.State == providers.DisputeLost {
					continue
				}
				won := d.State == providers.DisputeInquiry || w.dice.chance(500)
				if err := s.far.CloseDispute(d.ID, won); err != nil {
					w.fail(breach(Sane, "%s: %v", s.name, err))
				}
			}
		}
	}
}

// settle pays out a batch, in another currency now and then, or charges for the month.
func (w *world) settle(*process) {
	s := pick(w.dice, w.sites...)
	asset := pick(w.dice, s.assets...)
	if w.dice.chance(300) {
		reference, err := s.far.ChargeFee(currency.MustNew(w.dice.between(1, 900), asset))
		w.note("  %s charges a fee: %s%s", s.name, reference, cause(err))
		return
	}
	var terms sandbox.SettleTerms
	if w.dice.chance(500) {
		terms.Fee = currency.MustNew(w.dice.between(1, 90), asset)
	}
	if to := pick(w.dice, s.assets...); to != asset && w.dice.chance(400) {
		rate, err := currency.NewRate(asset, to, worth[asset.ID()].DivRound(worth[to.ID()], 12))
		if err != nil {
			w.fail(breach(Sane, "%v", err))
		}
		terms.Rate = rate
	}
	reference, err := s.far.Settle(asset, terms)
	w.note("  %s settles %s: %s%s", s.name, asset.Code(), reference, cause(err))
}

// quarrels: what is disputed is held as far as the wallet has it, until it is decided, whatever else is taken back.
func (m *ledgerOfPayments) quarrels(w *witness, old, p *intent) *Breach {
	for _, e := range p.Effects {
		if e.Kind != providers.Disputed || e.Hold == uuid.Nil {
			continue
		}
		q := p.quarrel(e.Dispute)
		back := slices.ContainsFunc(p.Effects, func(o taken) bool { return o.Reverses == e.ID })
		if w.holds[e.Hold].State == ledger.HoldOpen && (q.decided() || back) {
			return breach(HoldOnce, "dispute %s of %s is %s and hold %s is open", q.ID, p.ID, q.State, e.Hold)
		}
	}
	wallet := w.accounts[payments.WalletAccount(p.Member, p.Amount.AssetID())]
	moved := slices.ContainsFunc(p.Effects[len(old.Effects):], func(e taken) bool {
		return e.Amount.Asset() == p.Amount.Asset() && (e.Kind == providers.Moved || e.Kind == providers.Reversed || e.Kind == providers.Disputed)
	})
	// With several disputes the report that tells of one may decide, and so free, another.
	if !moved || wallet == nil || len(p.Disputes) != 1 || p.Disputes[0].decided() {
		return nil
	}
	if free := minus(wallet.Posted, wallet.Held); less(p.holds(w), p.withdrawn()) && free.Sign() > 0 {
		return breach(Disputes, "%v of %s is disputed, %v is held and %v is free", p.withdrawn(), p.ID, p.holds(w), free).about(wallet.ID)
	}
	return nil
}

// holds is what remains of all holds for the payment's effects.
func (p *intent) holds(w *witness) currency.Amount {
	sum := currency.Zero(p.Amount.Asset())
	for _, e := range p.Effects {
		if h, held := w.holds[e.Hold]; held && e.Hold != uuid.Nil && h.Amount.Asset() == sum.Asset() {
			sum = plus(sum, minus(minus(h.Amount, h.Captured), h.Released))
		}
	}
	return sum
}

// backs takes over what a version of a deposit says about the account of what is disputed.
func (m *ledgerOfPayments) backs(old, p *intent) {
	for sign, it := range map[int]*intent{-1: old, 1: p} {
		for _, e := range it.Effects {
			if e.Dispute != "" {
				m.inDispute(p.Provider, e.Amount, -sign)
			}
		}
		for _, q := range it.Disputes {
			if q.Charged.IsValid() {
				m.inDispute(p.Provider, q.Charged, -sign)
			}
		}
	}
}

func (m *ledgerOfPayments) inDispute(provider string, a currency.Amount, sign int) {
	at := place{provider, a.AssetID()}
	if sign < 0 {
		a = minus(currency.Zero(a.Asset()), a)
	}
	m.disputed[at] = plus(m.disputed[at], a)
}
