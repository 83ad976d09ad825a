package simulation

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/koshpay/kosh/payments"
	"github.com/koshpay/kosh/providers"
)

// trouble is a kind of fault, as the matrix of what was met counts it.
type trouble string

// The troubles: of processes and the store, of answers of a provider, and of what is heard of.
const (
	crashBefore        trouble = "crash before"
	crashAfter         trouble = "crash after"
	overlap            trouble = "overlap"
	canceled           trouble = "given up"
	storeBefore        trouble = "store before"
	storeAfter         trouble = "store after"
	storeAgain         trouble = "decided twice"
	outage             trouble = "outage"
	notSent            trouble = "not sent"
	rejected           trouble = "rejected"
	maybe              trouble = "maybe"
	garbage            trouble = "garbage"
	duplicate          trouble = "duplicate"
	declined           trouble = "declined"
	differs            trouble = "other amount"
	lookupFails        trouble = "lookup fails"
	lookupFindsNothing trouble = "not found"
	webhookTwice       trouble = "webhook twice"
)

var troubles = []trouble{
	crashBefore, crashAfter, overlap, canceled, storeBefore, storeAfter, storeAgain, outage, notSent, rejected, maybe, garbage,
	duplicate, declined, differs, lookupFails, lookupFindsNothing, webhookTwice,
}

// cell is a place of the matrix: a fault met a kind of payment in a state.
type cell struct {
	trouble trouble
	kind    payments.Kind
	state   payments.State
}

// unborn is the state of what is not recorded yet.
const unborn payments.State = "new"

// cover notes that a fault met a payment.
func (w *world) cover(t trouble, about string) {
	if w.calm || about == "" {
		return
	}
	c := cell{t, payments.Kind(w.op), unborn}
	if p := w.money.intents[about]; p != nil {
		c.kind, c.state = p.Kind, p.state
	} else if w.op == "address" {
		c.kind = payments.Address
	} else if w.op == "withdraw" {
		c.kind = payments.Withdrawal
	}
	w.seen[c]++
}

// coverSubmit notes how a submit went.
func (w *world) coverSubmit(op *providers.Operation, r *providers.Report, err error) {
	switch certainty := providers.CertaintyOf(err); {
	case err == nil && r.State == providers.Failed:
		w.cover(declined, op.Key)
	case err == nil:
		for _, e := range r.Effects {
			size, errAbs := e.Amount.Abs()
			if e.Kind == providers.Moved && (errAbs != nil || size != op.Amount) {
				w.cover(differs, op.Key)
			}
		}
	case certainty == providers.NotSent:
		w.cover(notSent, op.Key)
	case certainty == providers.Rejected:
		w.cover(rejected, op.Key)
	case certainty == providers.Duplicate:
		w.cover(duplicate, op.Key)
	default:
		t := garbage
		if _, typed := errors.AsType[*providers.Error](err); typed {
			t = maybe
		}
		w.cover(t, op.Key)
	}
}

// states are those in which the matrix expects payments of each kind. Nothing cancels a payment: the service has no such request.
var states = map[payments.Kind][]payments.State{
	payments.Link: {unborn, payments.Created, payments.Submitting, payments.Unknown, payments.Failed, payments.Succeeded},
	payments.Address: {
		unborn, payments.Created, payments.Submitting, payments.Unknown, payments.Failed, payments.Succeeded,
	},
	payments.Deposit: {
		unborn, payments.Created, payments.Review, payments.Submitting, payments.Unknown, payments.ActionRequired, payments.Pending,
		payments.Failed, payments.Succeeded, payments.Reversed,
	},
	payments.Withdrawal: {
		unborn, payments.Created, payments.Review, payments.Submitting, payments.Unknown, payments.Pending,
		payments.Failed, payments.Succeeded, payments.Reversed,
	},
	payments.Refund: {
		unborn, payments.Created, payments.Review, payments.Submitting, payments.Unknown, payments.Pending,
		payments.Failed, payments.Succeeded, payments.Reversed,
	},
	payments.Send:     {unborn, payments.Review, payments.Succeeded},
	payments.Tip:      {unborn, payments.Review, payments.Succeeded},
	payments.Exchange: {unborn, payments.Review},
	payments.Issue:    {unborn},
	payments.Burn:     {unborn},
}

// Reachable tells whether a fault can meet a payment of a kind in a state.
func reachable(t trouble, kind payments.Kind, state payments.State) bool {
	provider := kind != payments.Send && kind != payments.Tip && kind != payments.Exchange && kind != payments.Issue && kind != payments.Burn
	sending := provider && state == payments.Submitting
	switch t {
	case notSent, maybe, garbage, rejected:
		return sending
	case declined:
		return sending && kind != payments.Address
	case duplicate:
		return sending && kind != payments.Link && kind != payments.Address
	case differs:
		return sending && (kind == payments.Deposit) // payouts move later
	case outage:
		return provider && state != unborn && state != payments.Created && state != payments.Review && state != payments.Failed && state != payments.Canceled &&
			!(kind == payments.Link && state == payments.Succeeded) && !(kind == payments.Address && state == payments.Succeeded)
	case lookupFails:
		return reachable(outage, kind, state)
	case lookupFindsNothing:
		return provider && (state == payments.Submitting || state == payments.Unknown)
	case webhookTwice:
		return provider && state != unborn && state != payments.Created && state != payments.Review && kind != payments.Link && kind != payments.Address
	case crashBefore, crashAfter, overlap, canceled, storeBefore, storeAfter, storeAgain:
		return true
	}
	return false
}

// Matrix is what was met, over all worlds of a run.
type Matrix map[cell]int

// Add takes over what one world met.
func (m Matrix) Add(r *Result) {
	for c, n := range r.met {
		m[c] += n
	}
}

// String draws the matrix: a row for each kind and state of payment, a column for each fault. A dot is where nothing can be.
func (m Matrix) String() string {
	var b strings.Builder
	table := tabwriter.NewWriter(&b, 0, 0, 1, ' ', tabwriter.AlignRight)
	row := func(cells ...string) { _, _ = fmt.Fprintln(table, strings.Join(cells, "\t")+"\t") }
	head := []string{"payment", "state"}
	for _, t := range troubles {
		head = append(head, string(t))
	}
	row(head...)
	for _, kind := range slices.Sorted(maps.Keys(states)) {
		for _, state := range states[kind] {
			line := []string{string(kind), string(state)}
			for _, t := range troubles {
				n := m[cell{t, kind, state}]
				switch {
				case n == 0 && !reachable(t, kind, state):
					line = append(line, ".")
				default:
					line = append(line, fmt.Sprint(n))
				}
			}
			row(line...)
		}
	}
	_ = table.Flush() // a strings.Builder takes everything
	return b.String()
}

// Empty names the cells that can be reached and were not, and says how many there are in all.
func (m Matrix) Empty() (empty []string, all int) {
	for _, kind := range slices.Sorted(maps.Keys(states)) {
		for _, state := range states[kind] {
			for _, t := range troubles {
				if !reachable(t, kind, state) {
					continue
				}
				if all++; m[cell{t, kind, state}] == 0 {
					empty = append(empty, fmt.Sprintf("%s × %s × %s", t, kind, state))
				}
			}
		}
	}
	return empty, all
}
