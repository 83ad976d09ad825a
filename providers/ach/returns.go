package ach

import (
	"context"
	"errors"
	"strings"

	nacha "github.com/moov-io/ach"

	"github.com/koshpay/kosh/providers"
)

// matched is an entry of ours that the bank writes about.
type matched struct {
	key      string
	slot     int64
	part     int
	op       operation
	standing standing
}

// match finds the entry with a trace number that was sent, the latest if trace numbers came round, and checks that the
// identification number is the one we sent.
func (p *Provider) match(ctx context.Context, trace string, e *nacha.EntryDetail) (m matched, ok bool, err error) {
	trace = strings.TrimSpace(trace)
	first, ok := p.slotOf(trace)
	if !ok {
		return m, false, nil
	}
	p.mu.Lock()
	round := ((p.page+1)*pageSize + pageSize) / p.span()
	p.mu.Unlock()
	for ; round >= 0; round-- {
		m.slot = first + round*p.span()
		if m.standing, err = p.standing(ctx, m.slot); err != nil {
			return m, false, err
		}
		i := m.standing.item
		if i.File <= 0 || i.Canceled != "" {
			continue
		}
		m.key, m.part = i.Key, i.Part
		if _, err := providers.LoadState(ctx, p.state, opKey(m.key), &m.op); err != nil {
			return m, false, err
		}
		sent := strings.TrimSpace(e.IdentificationNumber)
		return m, sent == "" || sent == ident(m.key), nil
	}
	return m, false, nil
}

// takeReturn records that an entry came back.
func (p *Provider) takeReturn(ctx context.Context, name string, e *nacha.EntryDetail) error {
	a := e.Addenda99
	note := Notice{File: name, Trace: strings.TrimSpace(a.OriginalTrace), Code: a.ReturnCode}
	m, ok, err := p.match(ctx, a.OriginalTrace, e)
	if err != nil {
		return err
	}
	if !ok {
		note.Kind, note.Text = UnmatchedReturn, "a return of an entry that is not ours: "+describe(a.ReturnCode)
		return p.notice(ctx, note)
	}
	note.Key, note.Token = m.key, m.op.Instrument
	sent, err := p.entry(ctx, m.slot)
	if err != nil {
		return err
	}
	if int64(e.Amount) != sent.cents {
		note.Kind, note.Text = UnmatchedReturn, "a return of another amount than was sent: "+describe(a.ReturnCode)
		return p.notice(ctx, note)
	}
	repeated := false
	_, err = providers.ChangeState(ctx, p.state, opKey(m.key), func(o *operation, _ bool) error {
		repeated = false
		for _, r := range o.Returns {
			if r.Part == m.part {
				repeated = r.Trace != e.TraceNumber || r.Code != a.ReturnCode
				return providers.ErrStateSame // the file is read again after a crash
			}
		}
		o.Returns = append(o.Returns, returned{
			Part: m.part, Code: a.ReturnCode, Trace: e.TraceNumber, At: p.now().UTC(), Early: m.standing.batch.Settled == nil,
		})
		return nil
	})
	if err != nil {
		return err
	}
	if repeated {
		note.Kind, note.Text = RepeatedReturn, "a second return of one entry: "+describe(a.ReturnCode)
		return p.notice(ctx, note)
	}
	if err := p.block(ctx, m, a.ReturnCode); err != nil {
		return err
	}
	if p.late(m.standing.batch, a.ReturnCode) {
		note.Kind, note.Text = LateReturn, "a return after its window; the bank may dishonour it as untimely (R68): "+describe(a.ReturnCode)
		if err := p.notice(ctx, note); err != nil {
			return err
		}
	}
	if m.op.Parts[m.part].Purpose == micro && !m.op.Parts[m.part].Credit {
		note.Kind, note.Text = MicroLoss, "the debit that takes micro-deposits back was returned: "+describe(a.ReturnCode)
		if err := p.notice(ctx, note); err != nil {
			return err
		}
	}
	return p.announce(ctx, event{At: p.now().UTC(), Key: m.key})
}

// late tells whether a return comes after its window.
func (p *Provider) late(b batch, code string) bool {
	if b.Settled == nil {
		return false
	}
	if extended(code) && !b.Credit && b.SEC != "CCD" {
		return !p.now().Before(finalAfterUnauthorized(*b.Settled, 60))
	}
	return !p.now().Before(finalAfterReturnWindow(*b.Settled))
}

// block keeps us from sending again to an account that its bank gave us reason to leave alone.
func (p *Provider) block(ctx context.Context, m matched, code string) error {
	all := dead[code]
	if !all && !unauthorized[code] {
		return nil
	}
	_, err := providers.ChangeState(ctx, p.state, accountKey(m.op.Instrument), func(acc *account, _ bool) error {
		field := &acc.NoDebits
		if all {
			field = &acc.Blocked
		}
		if len(acc.Versions) == 0 || *field != "" {
			return providers.ErrStateSame
		}
		*field = code
		return nil
	})
	return err
}

// takeChange applies a notification of change to the account, which the rules want within six banking days or before
// the next entry.
func (p *Provider) takeChange(ctx context.Context, name string, e *nacha.EntryDetail) error {
	a := e.Addenda98
	note := Notice{File: name, Trace: strings.TrimSpace(a.OriginalTrace), Code: a.ChangeCode, Kind: ChangeUnapplied}
	m, ok, err := p.match(ctx, a.OriginalTrace, e)
	if err != nil {
		return err
	}
	if !ok {
		note.Text = "a notification of change about an entry that is not ours: " + describe(a.ChangeCode)
		return p.notice(ctx, note)
	}
	note.Key, note.Token = m.key, m.op.Instrument
	correct, ok := p.correction(a)
	if !ok {
		note.Text = "a notification of change that a person must read: " + describe(a.ChangeCode)
		return p.notice(ctx, note)
	}
	token := m.op.Instrument
	_, err = providers.ChangeState(ctx, p.state, accountKey(token), func(acc *account, _ bool) error {
		if len(acc.Versions) == 0 {
			return errUnknownAccount
		}
		old, err := p.keys.open(accountKey(token), acc.latest().Number)
		if err != nil {
			return err
		}
		d, number := acc.latest(), old
		correct(&d, &number)
		if d.Routing == acc.latest().Routing && d.Savings == acc.latest().Savings && number == old {
			return providers.ErrStateSame // read again after a crash, or told twice
		}
		if d.Number, err = p.keys.seal(p.config.Rand, accountKey(token), number); err != nil {
			return err
		}
		d.Last4, d.Since, d.Why = last4(number), p.now().UTC(), a.ChangeCode
		acc.Versions = append(acc.Versions, d)
		return nil
	})
	if err != nil {
		return err
	}
	note.Kind, note.Text = ChangeApplied, "the account was corrected: "+describe(a.ChangeCode)
	return p.notice(ctx, note)
}

// correction reads what to change. False: the data does not make sense, or the code is not about an account.
func (p *Provider) correction(a *nacha.Addenda98) (func(d *details, number *string), bool) {
	c := a.ParseCorrectedData()
	if c == nil {
		return nil, false
	}
	wants := map[string]struct{ routing, number, code bool }{
		"C01": {number: true}, "C02": {routing: true}, "C03": {routing: true, number: true}, "C05": {code: true},
		"C06": {number: true, code: true}, "C07": {routing: true, number: true, code: true},
	}
	w, known := wants[a.ChangeCode]
	if !known {
		return nil, false
	}
	number := ""
	if w.number {
		var err error
		if number, err = checkNumber(c.AccountNumber); err != nil {
			return nil, false
		}
	}
	if w.routing && CheckRouting(c.RoutingNumber) != nil {
		return nil, false
	}
	kind := c.TransactionCode / 10
	if w.code && kind != nacha.CheckingCredit/10 && kind != nacha.SavingsCredit/10 {
		return nil, false // a loan or a general ledger account, which we do not serve
	}
	return func(d *details, n *string) {
		if w.number {
			*n = number
		}
		if w.routing {
			d.Routing = c.RoutingNumber
		}
		if w.code {
			d.Savings = kind == nacha.SavingsCredit/10
		}
	}, true
}

// ErrWrongAmounts says that a member told other amounts than the micro-deposits'. After three times the link fails.
var ErrWrongAmounts = errors.New("ach: wrong amounts")

// ErrNotWaiting says that a link does not wait for the amounts of micro-deposits.
var ErrNotWaiting = errors.New("ach: the link waits for no amounts")

// ConfirmMicroDeposits takes the two amounts, in cents and in any order, that the member saw on their statement, for the
// link under key. Right amounts make it succeed; wrong ones are [ErrWrongAmounts]. Calling again with right amounts is
// harmless.
func (p *Provider) ConfirmMicroDeposits(ctx context.Context, key string, first, second int64) error {
	r, err := p.Lookup(ctx, providers.Query{Key: key})
	if err != nil {
		return err
	}
	var o operation
	if _, err := providers.LoadState(ctx, p.state, opKey(key), &o); err != nil {
		return err
	}
	if o.Confirmed == nil && r.State != providers.ActionRequired {
		return ErrNotWaiting
	}
	amounts, err := p.microAmounts(key, o)
	if err != nil {
		return err
	}
	right := amounts[0] == min(first, second) && amounts[1] == max(first, second)
	_, err = providers.ChangeState(ctx, p.state, opKey(key), func(o *operation, _ bool) error {
		switch {
		case o.Confirmed != nil:
			return providers.ErrStateSame
		case o.Tries >= maxTries || len(o.Returns) > 0:
			return ErrNotWaiting
		case !right:
			o.Tries++
			return nil
		}
		now := p.now().UTC()
		o.Confirmed = &now
		return nil
	})
	if err != nil {
		return err
	}
	if err := p.announce(ctx, event{At: p.now().UTC(), Key: key}); err != nil {
		return err
	}
	if !right {
		return ErrWrongAmounts
	}
	return nil
}
