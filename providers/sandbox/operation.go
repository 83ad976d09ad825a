package sandbox

import (
	"fmt"
	"slices"
	"time"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/providers"
)

// operation is one thing that the far side was asked to do, or that happened unasked.
type operation struct {
	far       *farSide
	request   providers.Operation // its Key is empty when nobody asked
	reference string
	sentAt    time.Time // when the request that made it was sent
	at        time.Time // of the last change

	state   providers.State
	effects []providers.Effect // grows only: snapshots share it
	final   bool
	reason  providers.Reason
	action  *providers.Action
	linked  *providers.Instrument
	address string
	member  string
	tx      *transaction
	gas     currency.Amount // what the network charges for a chain withdrawal, as it was when that was broadcast

	// moving is the amount that moves; it differs from what was asked for after a WrongAmount.
	moving     currency.Amount
	instrument instrument
	target     *operation      // of a refund
	payer      string          // of a refund, whom the deposit came from
	refunded   currency.Amount // given back of a deposit, or on its way back

	disputes []providers.Dispute // replaced, never changed: events share it
	troubles []trouble           // what the instrument's dispute still has to come
	covers   []string            // of a settlement

	quarantined []providers.Quarantined // replaced, never changed
}

// add makes an operation and registers it, in the state Pending.
func (f *farSide) add(request providers.Operation, reference string, sentAt time.Time) *operation {
	o := &operation{
		far: f, request: request, reference: reference, sentAt: sentAt, at: f.now,
		state: providers.Pending, moving: request.Amount, member: request.Member,
	}
	f.operations = append(f.operations, o)
	f.byReference[reference] = o
	if request.Key != "" {
		f.byKey[request.Key] = append(f.byKey[request.Key], o)
	}
	return o
}

// end sets a state after which nothing more happens.
func (o *operation) end(s providers.State) { o.state, o.final = s, true }

func (o *operation) fail(code, public string) {
	o.failFor(providers.Reason{Code: code, Public: public})
}

func (o *operation) failFor(r providers.Reason) {
	o.reason = r
	o.release()
	o.end(providers.Failed)
}

// release gives back what a refund that moved nothing had reserved of its target.
func (o *operation) release() {
	if o.target != nil && o.state != providers.Failed && o.state != providers.Canceled && !o.moved() {
		o.target.refunded = o.far.books.sub(o.target.refunded, o.moving)
	}
}

// changed stamps the operation and makes the change known.
func (o *operation) changed(at time.Time) {
	o.at = at
	o.far.publish(o, at)
}

// post records an effect: in the operation and in the far side's books, against whom the money came from or went to.
func (o *operation) post(e providers.Effect, party string) string {
	if e.ID == "" {
		e.ID = fmt.Sprintf("%s.%d", o.reference, len(o.effects)+1)
	}
	o.effects = append(o.effects, e)
	o.far.books.post(o, e, party)
	return e.ID
}

// move posts that the operation's money moved.
func (o *operation) move(at time.Time, party string) {
	amount := o.moving
	if o.request.Kind != providers.Deposit {
		amount = o.far.books.neg(amount)
	}
	o.post(providers.Effect{Kind: providers.Moved, Amount: amount, At: at}, party)
	o.state = providers.Succeeded
}

// takeBack posts the reversal of the operation's movement.
func (o *operation) takeBack(at time.Time, why providers.Reason, id, party string) {
	moved, ok := o.standing()
	if !ok {
		return
	}
	o.post(providers.Effect{
		ID: id, Kind: providers.Reversed, Amount: o.far.books.neg(moved.Amount), Reverses: moved.ID, At: at,
	}, party)
	o.reason = why
	if o.target != nil {
		o.target.refunded = o.far.books.sub(o.target.refunded, o.moving)
	}
}

// standing returns the movement that was not taken back.
func (o *operation) standing() (providers.Effect, bool) {
	for i := len(o.effects) - 1; i >= 0; i-- {
		e := o.effects[i]
		if e.Kind != providers.Moved {
			continue
		}
		taken := slices.ContainsFunc(o.effects, func(r providers.Effect) bool { return r.Kind == providers.Reversed && r.Reverses == e.ID })
		return e, !taken
	}
	return providers.Effect{}, false
}

// moved tells whether money ever moved.
func (o *operation) moved() bool {
	return slices.ContainsFunc(o.effects, func(e providers.Effect) bool { return e.Kind == providers.Moved })
}

// executed tells whether money moved because of the operation, or still may; of a link or address, whether it was made.
func (o *operation) executed() bool {
	return o.moved() || o.state != providers.Failed && o.state != providers.Canceled
}

// party is whom the operation's money comes from or goes to, in the far side's books.
func (o *operation) party() string {
	if o.payer != "" {
		return o.payer
	}
	if o.address != "" {
		return "address:" + o.address
	}
	return "instrument:" + o.request.Instrument
}

// snapshot returns the report as it stood at a time. Its effects are shared; see report.
func (o *operation) snapshot(at time.Time) providers.Report {
	r := providers.Report{
		Key: o.request.Key, Reference: o.reference, Kind: o.request.Kind, State: o.state,
		Effects: o.effects[:len(o.effects):len(o.effects)], Final: o.final, Reason: o.reason,
		Action: o.action, Instrument: o.linked, Member: o.member, Address: o.address, At: o.at,
		Disputes: o.disputes, Covers: o.covers, Quarantined: o.quarantined,
	}
	if o.tx != nil {
		r.Confirmations, r.Required = o.far.confirmations(o.tx, at), o.far.cfg.Confirmations
	}
	return r
}

// report returns the operation as it stands now, in memory of its own.
func (o *operation) report() providers.Report { return unshare(o.snapshot(o.far.now)) }

func unshare(r providers.Report) providers.Report {
	r.Effects, r.Disputes, r.Covers = slices.Clone(r.Effects), slices.Clone(r.Disputes), slices.Clone(r.Covers)
	r.Quarantined = slices.Clone(r.Quarantined)
	if r.Action != nil {
		a := *r.Action
		r.Action = &a
	}
	if r.Instrument != nil {
		i := *r.Instrument
		r.Instrument = &i
	}
	return r
}
