package payments

import (
	"time"

	"github.com/koshpay/kosh/providers"
)

// This file is about what a provider reports, and how a payment takes it over. posting.go and the files that it names turn effects
// into postings, part.go makes steps of the ledger of them.
//
//	C provider clearing · U wallet · F provider's fees · S bank · R receivable · X suspense · P position        (debit → credit)
//
//	deposit moved           C → R, U, X     what U takes and a provisional hold on it until the report is final
//	deposit taken back      hold → C, X → C, then U, R → C
//	withdrawal, refund out  hold → C, then U, R → C up to what was asked for, the rest X → C
//	payout that came back   C → X, then C → R, U, X and a hold on what U got while the provider may send it again
//	fee                     F → C; what the member bears of a withdrawal's: hold → F, then U, R → F (see fee.go)
//	settled                 S → C
//	converted               P → C of what is given, C → P of what is got
//	disputes                see dispute.go

// news is what became known about one payment, on its way into the book.
type news struct {
	provider string
	id       string           // of the payment
	fresh    *record          // the payment, when the report is the first that is heard of it
	report   providers.Report // its effects sorted: Moved first
	learn    func(*record)    // what else to note on the record; may be nil, must be pure
	screened *Screened        // the screener's verdict, if it was asked
	touch    bool             // write a new version, with a new due time, even when nothing changed
	asked    bool             // the report is the provider's answer to us: all that it knows
	config   Config
	salt     string        // makes ids differ; only a planted bug sets it
	offset   time.Duration // when to look again; 0: as record.due says
}

// merge takes over what the report says besides its effects. Merging is idempotent and, but for the last reason given,
// does not depend on the order of reports.
func (n *news) merge(rec *record) {
	if n.learn != nil {
		n.learn(rec)
	}
	rec.heed(n.screened)
	rep := n.report
	if rep.State == "" {
		return
	}
	rec.InFlight, rec.Parked = false, false
	rec.Maybe = true
	if rec.ProviderReference == "" {
		rec.ProviderReference = rep.Reference
	}
	was, is := rank(rec.Reported), rank(rep.State)
	if is > was || planted("last-report-wins") || is == was && rep.At.After(rec.ReportedAt) {
		rec.Reported, rec.ReportedAt = rep.State, rep.At
		if rep.Reason != (providers.Reason{}) {
			rec.Reason = rep.Reason
		}
	}
	rec.Final = rec.Final || rep.Final
	switch rec.Kind {
	case Deposit:
		rec.hear(rep.Disputes)
	case Settlement:
		if len(rec.Covers) == 0 {
			rec.Covers = rep.Covers
		}
	default:
	}
	if rep.Instrument != nil && rec.Kind == Link {
		rec.Linked = rep.Instrument
	}
	if rec.Kind == Address && rep.Action != nil && rec.Instrument == "" {
		rec.Instrument = rep.Action.Address
	}
}

// rank orders reports by how much they decide, so that a late one never takes back what an early one decided.
func rank(s providers.State) int {
	switch s {
	case providers.Pending, providers.ActionRequired:
		return 1
	case providers.Canceled:
		return 2
	case providers.Failed:
		return 3
	case providers.Succeeded:
		return 4
	}
	return 0
}

// due says when a worker should look at the payment again; zero: never.
func (r *record) due(now time.Time, c Config) time.Time {
	age := now.Sub(r.FirstSent)
	if r.Hearing != nil {
		return now.Add(backoff(r.Looks + 4)) // whoever was told the rest may not come back
	}
	if r.lingers() {
		return now.Add(backoff(4))
	}
	if orphans := r.orphans(); len(orphans) > 0 {
		return now.Add(clamp(now.Sub(orphans[len(orphans)-1].At)/2, time.Minute, 24*time.Hour))
	}
	switch r.state() {
	case Created:
		return now.Add(backoff(r.Attempts))
	case Submitting:
		return now.Add(c.SubmitTimeout)
	case Unknown:
		if r.Parked || planted("never-look-again") {
			return noDue
		}
		return now.Add(backoff(r.Looks))
	case Pending, ActionRequired: // half its age again: few looks, and none much too late
		return now.Add(clamp(age/2, 30*time.Second, 24*time.Hour))
	case Succeeded, Reversed:
		if r.watched() {
			return now.Add(clamp(age/8, time.Hour, 7*24*time.Hour)) // decisions take weeks, and a webhook may be lost
		}
		if r.viaProvider() && r.Amount.IsValid() && !r.Final && age < c.WatchFor {
			return now.Add(clamp(age/2, time.Minute, 30*24*time.Hour))
		}
	case Failed, Canceled, Review:
	}
	return noDue
}

var noDue time.Time

// backoff doubles from 2 seconds to an hour.
func backoff(n int) time.Duration {
	if n > 10 {
		return time.Hour
	}
	return clamp(2*time.Second<<max(n, 0), 0, time.Hour)
}

func clamp(d, low, high time.Duration) time.Duration { return min(max(d, low), high) }
