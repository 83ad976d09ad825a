package ledger_test

import (
	"slices"
	"time"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
)

// do performs one command on the model and says why not.
func (m *model) do(c ledger.Command) ledger.Code {
	switch c := c.(type) {
	case ledger.OpenAccount:
		return m.open(c)
	case ledger.SetAccount:
		return m.set(c)
	case ledger.Post:
		return m.post(c.ID, legsOf(c.Postings), c.EffectiveAt, c.Fact, false, nil)
	case ledger.Import:
		if c.EffectiveAt.After(m.now) {
			return ledger.ErrInvalid
		}
		return m.post(c.ID, legsOf(c.Postings), c.EffectiveAt, true, true, nil)
	case ledger.Draw:
		return m.draw(c)
	case ledger.PlaceHold:
		return m.place(c)
	case ledger.Capture:
		return m.capture(c)
	case ledger.Release:
		return m.release(c)
	case ledger.Reverse:
		return m.reverse(c)
	case ledger.PutDocument:
		return m.document(c)
	case ledger.EraseDocument:
		return m.erase(c)
	}
	panic("a command that the model does not know")
}

func (m *model) open(c ledger.OpenAccount) ledger.Code {
	floor, ceiling := bound(c.Floor), bound(c.Ceiling)
	if a := m.accounts[c.Account]; a != nil {
		asOpened := same(floor, a.opening[0]) && same(ceiling, a.opening[1])
		asNow := same(floor, a.floor) && same(ceiling, a.ceiling)
		if a.typ != c.Type || a.owner != c.Owner || !asOpened && !asNow {
			return ledger.ErrTermsDiffer
		}
		return ""
	}
	switch {
	case floor != nil && *floor > 0:
		return ledger.ErrInsufficientFunds
	case ceiling != nil && *ceiling < 0:
		return ledger.ErrCeiling
	}
	a := &modelAccount{id: c.Account, typ: c.Type, owner: c.Owner, floor: floor, ceiling: ceiling, opening: [2]*int64{floor, ceiling}}
	put(m, m.accounts, c.Account, a)
	m.feed++
	m.line(a, 0, 0, m.now)
	return ""
}

func (m *model) set(c ledger.SetAccount) ledger.Code {
	a := m.accounts[c.Account]
	if a == nil {
		return ledger.ErrAccountNotFound
	}
	keep(m, a)
	before := *a
	if c.Floor != nil {
		a.floor = bound(*c.Floor)
	}
	if c.Ceiling != nil {
		a.ceiling = bound(*c.Ceiling)
	}
	for _, f := range []struct{ to, from *bool }{{&a.noDebit, c.DebitsFrozen}, {&a.noCredit, c.CreditsFrozen}, {&a.shut, c.Closed}} {
		if f.from != nil {
			*f.to = *f.from
		}
	}
	switch {
	case same(a.floor, before.floor) && same(a.ceiling, before.ceiling) && a.noDebit == before.noDebit && a.noCredit == before.noCredit && a.shut == before.shut:
		return ""
	case a.shut && !before.shut && (a.posted != 0 || a.held != 0):
		return ledger.ErrAccountInUse
	case a.floor != nil && a.ceiling != nil && *a.floor > *a.ceiling:
		return ledger.ErrInvalid
	case c.Floor != nil && a.floor != nil && a.posted-a.held < *a.floor:
		return ledger.ErrInsufficientFunds
	case c.Ceiling != nil && a.ceiling != nil && a.posted > *a.ceiling:
		return ledger.ErrCeiling
	}
	m.feed++
	m.line(a, 0, 0, m.now)
	return ""
}

func (m *model) draw(c ledger.Draw) ledger.Code {
	var legs []modelLeg
	for _, side := range []struct {
		names []ledger.AccountID
		debit bool
		fact  bool
		code  ledger.Code
	}{{c.From, true, c.Fact, ledger.ErrInsufficientFunds}, {c.To, false, false, ledger.ErrCeiling}} {
		rest := units(c.Amount)
		for _, id := range side.names {
			a := m.accounts[id]
			if a == nil {
				return ledger.ErrAccountNotFound
			}
			part := rest
			if room, bounded := a.room(side.debit); bounded {
				part = min(part, room)
			}
			if a.usable(side.debit, side.fact) == "" && part > 0 {
				legs = append(legs, modelLeg{id, side.debit, part})
				rest -= part
			}
		}
		if rest > 0 {
			return side.code
		}
	}
	return m.post(c.ID, legs, c.EffectiveAt, true, false, nil)
}

func (m *model) place(c ledger.PlaceHold) ledger.Code {
	a, amount := m.accounts[c.Account], units(c.Amount)
	switch {
	case a == nil:
		return ledger.ErrAccountNotFound
	case !c.ExpiresAt.IsZero() && !c.ExpiresAt.After(m.now):
		return ledger.ErrInvalid
	case m.holds[c.ID] != nil:
		return ledger.ErrDeclaredTwice
	}
	lowers := !a.raises(true) // a debit
	if code := a.usable(lowers, c.Fact); code != "" {
		return code
	}
	if room, bounded := a.room(lowers); bounded && amount > room {
		return ledger.ErrInsufficientFunds
	}
	m.make(c.ID, &modelHold{account: c.Account, amount: amount, expires: c.ExpiresAt, open: true})
	m.line(a, 0, amount, m.now)
	return ""
}

// openHold finds a hold that is not dead, and what remains of it.
func (m *model) openHold(ref ledger.Ref) (*modelHold, int64, ledger.Code) {
	h := m.holds[ref.ID]
	if ref.New {
		h, _ = m.made[ref.Nth].(*modelHold)
	}
	switch {
	case h == nil:
		return nil, 0, ledger.ErrHoldNotFound
	case !h.open:
		return nil, 0, ledger.ErrHoldClosed
	}
	return h, h.amount - h.captured - h.released, ""
}

func (m *model) capture(c ledger.Capture) ledger.Code {
	h, rest, code := m.openHold(c.Hold)
	if code != "" {
		return code
	}
	lowers, total := !m.accounts[h.account].raises(true), int64(0)
	legs := []modelLeg{{account: h.account, debit: lowers}}
	for _, p := range c.To {
		switch {
		case p.Account == h.account:
			return ledger.ErrInvalid
		case p.Account.Asset != h.account.Asset:
			return ledger.ErrAssetMismatch
		}
		total += units(p.Amount)
		legs = append(legs, modelLeg{p.Account, !lowers, units(p.Amount)})
	}
	if total > rest {
		return ledger.ErrHoldExceeded
	}
	legs[0].amount = total
	if code := m.post(c.ID, legs, c.EffectiveAt, c.Fact, false, h); code != "" {
		return code
	}
	keep(m, h)
	h.captured += total
	h.open = rest > total
	m.feed++
	if h.open && c.Final {
		m.giveBack(h, rest-total)
	}
	return ""
}

func (m *model) release(c ledger.Release) ledger.Code {
	h, rest, code := m.openHold(c.Hold)
	if code != "" {
		return code
	}
	give := rest
	if !c.All {
		if c.Amount.AssetID() != h.account.Asset {
			return ledger.ErrAssetMismatch
		}
		give = units(c.Amount)
	}
	if give > rest {
		return ledger.ErrHoldExceeded
	}
	m.giveBack(h, give)
	return ""
}

func (m *model) reverse(c ledger.Reverse) ledger.Code {
	t := m.txs[c.Transaction.ID]
	if c.Transaction.New {
		t, _ = m.made[c.Transaction.Nth].(*modelTx)
	}
	if t == nil {
		return ledger.ErrTransactionNotFound
	}
	take := make([]int64, len(t.legs))
	if c.All {
		for i, l := range t.legs {
			take[i] = l.amount - t.reversed[i]
		}
	}
	for _, want := range legsOf(c.Part) {
		rest, known := want.amount, false
		for i, l := range t.legs {
			if l.account == want.account && l.debit == want.debit {
				part := min(rest, l.amount-t.reversed[i]-take[i])
				take[i] += part
				rest -= part
				known = true
			}
		}
		switch {
		case !known:
			return ledger.ErrInvalid
		case rest > 0:
			return ledger.ErrAlreadyReversed
		}
	}
	var legs []modelLeg
	keep(m, t)
	t.reversed = slices.Clone(t.reversed)
	for i, l := range t.legs {
		if t.reversed[i] += take[i]; take[i] > 0 {
			legs = append(legs, modelLeg{l.account, !l.debit, take[i]})
		}
	}
	if len(legs) == 0 {
		return ledger.ErrAlreadyReversed
	}
	return m.post(c.ID, legs, time.Time{}, c.Fact, false, nil)
}

func (m *model) document(c ledger.PutDocument) ledger.Code {
	d := m.docs[c.DocumentID]
	if d == nil {
		if d = new(modelDoc); c.Version == 0 {
			put(m, m.docs, c.DocumentID, d)
		}
	}
	if uint64(len(d.bodies)) != c.Version {
		return ledger.ErrVersion
	}
	for _, ref := range c.References {
		if owner, taken := m.refs[ref]; taken && owner != c.DocumentID {
			return ledger.ErrReferenceTaken
		}
		put(m, m.refs, ref, c.DocumentID)
	}
	keep(m, d)
	d.bodies, d.erased = append(slices.Clip(d.bodies), len(c.Body) > 0), append(slices.Clip(d.erased), false)
	d.last = m.now
	m.feed++
	return ""
}

func (m *model) erase(c ledger.EraseDocument) ledger.Code {
	d := m.docs[c.Document]
	if d == nil {
		return ledger.ErrDocumentNotFound
	}
	keep(m, d)
	d.bodies, d.erased = slices.Clone(d.bodies), slices.Clone(d.erased)
	versions := c.Versions
	if c.All {
		for i := range d.bodies {
			versions = append(versions, uint64(i)+1)
		}
	}
	for _, v := range versions {
		if v > uint64(len(d.bodies)) {
			return ledger.ErrDocumentNotFound
		}
		if d.bodies[v-1] {
			d.bodies[v-1], d.erased[v-1] = false, true
			m.feed++
		}
	}
	return ""
}

func cents(amount int64, asset currency.AssetID) currency.Amount {
	if asset == "EUR" {
		return euros(amount)
	}
	return dollars(amount)
}
