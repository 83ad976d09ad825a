package simulation

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/payments"
)

// request is something that a member asks for under a key, perhaps more than once.
type request struct {
	what  string
	actor payments.Actor
	// call makes the request. Altered is the same request with other content, under the same key.
	call func(s *payments.Service, altered bool) (payments.Payment, error)
	bad  bool // it must be refused without a trace

	kind   payments.Kind // with member and amount, of those whose declines must have a cause
	member string
	amount currency.Amount
	of     string // of a refund
	quote  string // of an exchange

	asked   int               // how often
	acked   *payments.Payment // what the first nil error came with
	refused ledger.Code       // what the first decline said
}

// nextKey makes an idempotency key. It tells which operation it belongs to.
func (w *world) nextKey() string {
	w.keys++
	return fmt.Sprintf("k%d.%d", w.number, w.keys)
}

// keyOf makes a key for an actor. Members choose their own keys, so two of them may choose the same.
func (w *world) keyOf(actor payments.Actor) string {
	if w.dice.chance(80) {
		key := pick(w.dice, "one", "two", "three")
		if id := actor.String() + "/" + key; !w.used[id] {
			w.used[id] = true
			return key
		}
	}
	return w.nextKey()
}

// ask makes a request and judges the answer by what was answered before.
func (w *world) ask(p *process, r *request, altered bool) {
	outer := w.running
	w.running = r
	if altered {
		w.running = nil
	}
	writes, faults, overlaps := p.writes, p.faults, p.overlaps
	before := w.photograph(r)
	r.asked++
	got, err := r.call(p.service, altered)
	w.running = outer
	w.note("  %s on %s: %s", r.what, p.name, outcome(got, err))
	switch class := ledger.ClassOf(err); {
	case err == nil && altered:
		if r.acked != nil {
			w.fail(breach(OneEffect, "%s: the same key with other content gave %s after %s", r.what, got.ID, r.acked.ID))
		}
	case err == nil && r.bad:
		w.fail(breach(Answered, "%s was not refused", r.what))
	case err == nil:
		w.acknowledge(r, got)
	case class == ledger.Invalid, class == ledger.NotFound, class == ledger.Conflict, class == ledger.Declined:
		if !altered && p.overlaps == overlaps && w.depth == 0 {
			w.fail(w.justified(r, err))
		}
		w.refuse(r, err, altered)
		if p.writes != writes {
			w.fail(breach(Spotless, "%s was refused (%v) after %d updates", r.what, err, p.writes-writes))
		}
		w.compare(r, class, before)
	case p.faults == faults && !p.dead && w.asking.Err() == nil:
		w.fail(breach(Answered, "%s: %v", r.what, err))
	}
}

// acknowledge checks a nil error's payment against what the key was told before and against the book.
func (w *world) acknowledge(r *request, got payments.Payment) {
	switch {
	case r.refused != "":
		w.fail(breach(Lasting, "%s was declined with %s and is now payment %s", r.what, r.refused, got.ID))
		return
	case r.acked != nil && r.acked.ID != got.ID:
		w.fail(breach(OneEffect, "%s made payment %s and payment %s", r.what, r.acked.ID, got.ID))
		return
	case r.acked == nil:
		r.acked = &got
	}
	if got.ID != "" {
		w.fail(w.remembered(&got))
	}
}

// remembered: the book has what a caller was told, and nothing that identifies it has changed.
func (w *world) remembered(p *payments.Payment) *Breach {
	now := w.money.intents[p.ID]
	switch {
	case now == nil:
		return breach(Lasting, "payment %s was acknowledged and is not in the book", p.ID)
	case p.Kind != now.Kind || p.Member != now.Member || p.Counterparty != now.Counterparty || p.Amount != now.Amount ||
		p.Fee != now.Fee || p.Bought != now.Bought || p.Provider != now.Provider && !slices.Contains(now.Tried, p.Provider) || p.Of != now.Of:
		return breach(Lasting, "payment %s was acknowledged as %+v and is %+v", p.ID, *p, *now)
	case p.Version > now.version:
		return breach(Lasting, "payment %s was acknowledged at version %d, the book has %d", p.ID, p.Version, now.version)
	case p.State.Done() && !follows(p.State, now.state):
		return breach(Lasting, "payment %s was acknowledged as %s and is %s", p.ID, p.State, now.state)
	}
	return nil
}

// refuse checks a refusal against what the key was told before.
func (w *world) refuse(r *request, err error, altered bool) {
	if altered {
		return // it may be refused for its key or for its content
	}
	if r.acked != nil {
		w.fail(breach(Lasting, "%s made payment %s and is refused now: %v", r.what, r.acked.ID, err))
		return
	}
	if errors.Is(err, ledger.ErrKeyConflict) {
		w.fail(breach(OneEffect, "%s: its key is somebody else's: %v", r.what, err))
	}
	refusal, ok := errors.AsType[*ledger.Refusal](err)
	if !ok || refusal.Class != ledger.Declined {
		return
	}
	if r.refused != "" && r.refused != refusal.Code {
		w.fail(breach(Lasting, "%s was declined with %s and then with %s", r.what, r.refused, refusal.Code))
	}
	r.refused = refusal.Code
}

// photograph dumps the whole book before a bad request, now and then: it costs as much as the book is long.
func (w *world) photograph(r *request) []byte {
	if !r.bad || w.dump == nil || w.depth > 0 || w.dumps >= 1 || !w.dice.chance(150) {
		return nil
	}
	w.dumps++
	w.depth++ // nobody acts meanwhile
	text, err := w.dump(w.ctx, w.truth.Store, w.truth.book)
	if err != nil {
		w.fail(breach(Sane, "dump: %v", err))
	}
	return text
}

// compare wants the dump after a refusal to be the one before it, but for the key of a decline.
func (w *world) compare(r *request, class ledger.Class, before []byte) {
	if before == nil {
		return
	}
	w.depth--
	after, err := w.dump(w.ctx, w.truth.Store, w.truth.book)
	if err != nil {
		w.fail(breach(Sane, "dump: %v", err))
	}
	if bytes.Equal(before, after) {
		return
	}
	if class == ledger.Declined {
		before, after = withoutKeys(before), withoutKeys(after)
	}
	if !bytes.Equal(before, after) {
		w.fail(breach(Spotless, "%s was refused and changed the book's dump", r.what))
	}
}

func withoutKeys(dump []byte) []byte {
	var kept []byte
	for line := range bytes.Lines(dump) {
		if !bytes.HasPrefix(line, []byte(`{"list":"keys"`)) {
			kept = append(kept, line...)
		}
	}
	return kept
}

// outcome is an answer in a line of the trace.
func outcome(p payments.Payment, err error) string {
	if err != nil {
		return strings.TrimPrefix(cause(err), ": ")
	}
	s := string(p.State)
	if p.ID != "" {
		s = p.ID + " " + s
	}
	if p.Replayed {
		s += ", replayed"
	}
	return s
}

// cause is an error in a line of the trace.
func cause(err error) string {
	if err == nil {
		return ""
	}
	text := strings.ReplaceAll(err.Error(), "\n", "; ")
	if len(text) > 200 {
		text = text[:200] + "…"
	}
	return ": " + text
}
