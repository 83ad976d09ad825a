package stripe

import (
	"strings"
	"time"

	api "github.com/stripe/stripe-go/v82"

	"github.com/koshpay/kosh/providers"
)

// disputeStates are Stripe's states in words of ours. A warning is an inquiry; one that is closed is over.
var disputeStates = map[api.DisputeStatus]providers.DisputeState{
	api.DisputeStatusWarningNeedsResponse: providers.DisputeInquiry, api.DisputeStatusWarningUnderReview: providers.DisputeInquiry,
	api.DisputeStatusNeedsResponse: providers.DisputeOpen, api.DisputeStatusUnderReview: providers.DisputeOpen,
	api.DisputeStatusWon: providers.DisputeWon, api.DisputeStatusWarningClosed: providers.DisputeWon,
	api.DisputeStatusLost: providers.DisputeLost,
}

// disputeMovements are what disputes took from our balance and gave back, how each stands, and whether one is undecided.
func disputeMovements(m *movements, disputes []*api.Dispute, charges []*api.Charge, r *providers.Report) (contested bool) {
	for _, d := range disputes {
		state, ok := disputeStates[d.Status]
		if !ok || m.err != nil {
			m.err = errAnswer
			return false
		}
		contested = contested || state == providers.DisputeInquiry || state == providers.DisputeOpen
		size, err := amount(d.Amount, d.Currency)
		if err != nil {
			m.err = err
			return false
		}
		told := providers.Dispute{
			ID: d.ID, State: state, Amount: size, Reason: providers.Reason{Code: short(string(d.Reason))}, At: disputedAt(d, state),
		}
		if e := d.EvidenceDetails; e != nil && (state == providers.DisputeInquiry || state == providers.DisputeOpen) {
			told.EvidenceBy = moment(e.DueBy)
		}
		r.Disputes = append(r.Disputes, told)
		last := chargeOf(d, charges)
		for _, t := range d.BalanceTransactions {
			if t.Amount < 0 {
				m.add(providers.Effect{ID: t.ID, Kind: providers.Disputed, Reverses: last, Dispute: d.ID}, -d.Amount, d.Currency, t)
			} else {
				m.add(providers.Effect{ID: t.ID, Kind: providers.Reinstated, Reverses: last, Dispute: d.ID}, d.Amount, d.Currency, t)
			}
			last = t.ID
		}
	}
	return contested
}

// disputedAt is when a dispute came to stand as it does. Stripe says when it was made and when its money moved, but not when it was
// decided; so that a decision is later than what it decides, it counts as a moment after the last that is known.
func disputedAt(d *api.Dispute, state providers.DisputeState) time.Time {
	at := d.Created
	for _, t := range d.BalanceTransactions {
		at = max(at, t.Created)
	}
	switch state {
	case providers.DisputeInquiry:
	case providers.DisputeOpen:
		at++
	case providers.DisputeWon, providers.DisputeLost:
		at += 2
	}
	return moment(at)
}

func chargeOf(d *api.Dispute, charges []*api.Charge) string {
	if d.Charge != nil && strings.Contains(d.Charge.ID, "_") {
		return d.Charge.ID
	}
	for _, c := range charges {
		if c.Disputed {
			return c.ID
		}
	}
	return ""
}
