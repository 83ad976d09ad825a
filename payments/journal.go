package payments

import (
	"bytes"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/providers"
)

// This file turns what a provider reports into postings: one guard an effect, so that each sees the balances that the
// one before left, then one guard that finishes. All of them run in one step of the ledger.
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
	config   Config
	salt     string        // makes ids differ; only a planted bug sets it
	offset   time.Duration // when to look again; 0: as record.due says
}

// reads names everything that the guards may touch, given the payment as it stands outside the step.
func (n *news) reads(rec *record) ledger.Reads {
	r := ledger.Reads{Documents: []ledger.DocumentID{paymentDocument(n.id), caseDocument(n.id)}}
	assets := map[currency.AssetID]bool{}
	account := func(a *currency.Definition) {
		if a == nil || assets[a.ID()] {
			return
		}
		assets[a.ID()] = true
		for _, o := range n.accounts(rec.Member, a) {
			r.Accounts = append(r.Accounts, o.Account)
		}
		if rec.Kind == Deposit {
			r.Accounts = append(r.Accounts, DisputedAccount(n.provider, a.ID()))
		}
	}
	if n.screened != nil {
		r.Documents = append(r.Documents, screeningDocument(n.id))
	}
	account(rec.Amount.Asset())
	switch rec.Kind {
	case Withdrawal, Refund:
		r.Holds = append(r.Holds, mustID(rec.ID))
		r.Transactions = append(r.Transactions, n.feeIDs(rec.FeeTurns)...)
	default:
	}
	if rec.Kind == Refund {
		r.Documents = append(r.Documents, paymentDocument(rec.Of), caseDocument(rec.Of))
	}
	holds := map[uuid.UUID]bool{}
	hold := func(effect string) {
		if id := n.holdID(effect); effect != "" && !holds[id] {
			holds[id] = true
			r.Holds = append(r.Holds, id)
		}
	}
	turns := map[string]int{} // of each dispute
	for _, d := range rec.Disputes {
		turns[d.ID] = d.Turns
	}
	for _, d := range n.report.Disputes {
		turns[d.ID] += 0
	}
	for _, e := range rec.Effects {
		if e.Hold != uuid.Nil {
			hold(e.ID)
		}
		if e.Dispute != "" {
			account(e.Amount.Asset())
		}
	}
	for _, e := range n.report.Effects {
		account(e.Amount.Asset())
		if e.Kind == providers.Converted {
			r.Accounts = append(r.Accounts, PositionAccount(e.Amount.AssetID()))
		}
		hold(e.ID)
		hold(e.Reverses)
		r.References = append(r.References, n.effectReference(e.ID))
		r.Transactions = append(r.Transactions, n.transactionIDs(e)...)
		if e.Dispute != "" {
			turns[e.Dispute] += 0
		}
	}
	for id, turn := range turns { // names have no order
		r.Transactions = append(r.Transactions, n.disputeIDs(id, turn)...)
	}
	if n.report.Reference != "" {
		r.References = append(r.References, providerReference(n.provider, n.report.Reference))
	}
	if n.report.Address != "" {
		r.References = append(r.References, addressReference(n.provider, n.report.Address))
	}
	if a := n.report.Action; a != nil && a.Address != "" && a.Address != n.report.Address {
		r.References = append(r.References, addressReference(n.provider, a.Address))
	}
	return r
}

// accounts is every account that facts of this provider about this member may touch, in one asset.
func (n *news) accounts(member string, a *currency.Definition) []ledger.OpenAccount {
	all := openProvider(n.provider, a)
	if member != "" {
		all = append(all, openWallet(member, a), openReceivable(member, a))
	}
	return all
}

func (n *news) effectReference(effect string) string { return "effect/" + n.provider + "/" + effect }

func providerReference(provider, reference string) string { return "ref/" + provider + "/" + reference }

func addressReference(provider, address string) string { return "address/" + provider + "/" + address }

func (n *news) holdID(effect string) uuid.UUID { return derivedID("hold", n.provider, effect+n.salt) }

// transactionIDs are the ids of the postings that an effect may need; one effect never needs more. What takes a movement back
// may find it in several places, and so may a payout.
func (n *news) transactionIDs(e providers.Effect) []ledger.ID {
	ids := make([]ledger.ID, 3)
	if e.Kind == providers.Reversed || e.Kind == providers.Moved && e.Amount.Sign() < 0 {
		ids = make([]ledger.ID, 8)
	}
	for i := range ids {
		ids[i] = derivedID("post", n.provider, e.ID+n.salt, fmt.Sprint(i))
	}
	return ids
}

// guards makes the step: an effect each, then the finish.
func (n *news) guards(rec *record) []ledger.Guard {
	reads := n.reads(rec)
	var guards []ledger.Guard
	for _, e := range n.report.Effects {
		guards = append(guards, ledger.Guard{Reads: reads, Check: func(v ledger.View) ([]ledger.Command, error) { return n.post(v, e) }})
	}
	return append(guards, ledger.Guard{Reads: reads, Check: n.finish})
}

// current reads the payment inside the step.
func (n *news) current(v ledger.View) (*record, ledger.Document, error) {
	d, found := v.Document(paymentDocument(n.id))
	if found {
		r, err := readRecord(d)
		return r, d, err
	}
	if n.fresh == nil {
		return nil, d, refuse(ErrNotFound, ErrNoPayment, "id", "there is no payment %s", n.id)
	}
	r := *n.fresh
	r.Effects, r.Disputes = slices.Clone(n.fresh.Effects), slices.Clone(n.fresh.Disputes)
	return &r, d, nil
}

// post records one effect, unless it is recorded already.
func (n *news) post(v ledger.View, e providers.Effect) ([]ledger.Command, error) {
	reference := n.effectReference(e.ID)
	if _, taken := v.Reference(reference); taken && !planted("skip-dedup") {
		return nil, nil
	} else if taken {
		reference = ""
	}
	rec, d, err := n.current(v)
	if err != nil {
		return nil, err
	}
	n.merge(rec)
	j := &journal{news: n, view: v, rec: rec, chart: newChart(v), ids: n.transactionIDs(e), effect: &effect{
		ID: e.ID, Kind: e.Kind, Amount: e.Amount, Reverses: e.Reverses, Dispute: e.Dispute, At: e.At,
	}}
	j.chart.open(n.accounts(rec.Member, e.Amount.Asset())...)
	if err := j.post(); err != nil {
		return nil, err
	}
	rec.Effects = append(rec.Effects, *j.effect)
	cases, err := addFindings(v, n.id, n.provider, rec.Member, j.findings)
	if err != nil {
		return nil, err
	}
	var references []string
	if reference != "" {
		references = append(references, reference)
	}
	document, err := rec.put(d.Version, rec.due(v.Now(), n.config), append(references, n.newReferences(v, rec)...)...)
	if err != nil {
		return nil, err
	}
	return slices.Concat(j.chart.commands, j.commands, cases, []ledger.Command{document}), nil
}

// newReferences are the provider's names for this payment that nothing has yet.
func (n *news) newReferences(v ledger.View, rec *record) []string {
	var references []string
	if n.report.Reference != "" {
		if r := providerReference(n.provider, n.report.Reference); !isTaken(v, r) {
			references = append(references, r)
		}
	}
	if rec.Kind == Address && rec.Instrument != "" && n.report.Action != nil && n.report.Action.Address == rec.Instrument {
		if r := addressReference(n.provider, rec.Instrument); !isTaken(v, r) {
			references = append(references, r)
		}
	}
	return references
}

func isTaken(v ledger.View, reference string) bool {
	_, taken := v.Reference(reference)
	return taken
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

// finish takes over the report, gives held money back where that is certain, and says when to look again.
func (n *news) finish(v ledger.View) ([]ledger.Command, error) {
	rec, d, err := n.current(v)
	if err != nil {
		return nil, err
	}
	n.merge(rec)
	j := &journal{news: n, view: v, rec: rec, chart: newChart(v), effect: new(effect)}
	if err := j.settleDisputes(); err != nil {
		return nil, err
	}
	if err := j.settleFee(); err != nil {
		return nil, err
	}
	if err := j.release(); err != nil {
		return nil, err
	}
	commands := slices.Concat(j.chart.commands, j.commands)
	if rec.Kind == Refund {
		settled, err := settleRefund(v, rec, n.config)
		if err != nil {
			return nil, err
		}
		commands = append(commands, settled...)
	}
	if rec.Review && n.screened != nil {
		j.find(findingScreening, n.suspicion(), currency.Amount{})
	}
	verdict, err := n.keepVerdict(v, rec)
	if err != nil {
		return nil, err
	}
	commands = append(commands, verdict...)
	if rec.Parked {
		j.find("lost", "the provider does not know it and its key is too old to be sent again", currency.Amount{})
	}
	cases, err := addFindings(v, n.id, n.provider, rec.Member, j.findings)
	if err != nil {
		return nil, err
	}
	commands = append(commands, cases...)
	due := rec.due(v.Now(), n.config)
	if n.offset > 0 && !due.IsZero() {
		due = v.Now().Add(n.offset)
	}
	document, err := rec.put(d.Version, due, n.newReferences(v, rec)...)
	if err != nil {
		return nil, err
	}
	if bytes.Equal(document.Body, d.Body) && len(document.References) == 0 && !n.touch {
		return commands, nil
	}
	return append(commands, document), nil
}

// due says when a worker should look at the payment again; zero: never.
func (r *record) due(now time.Time, c Config) time.Time {
	age := now.Sub(r.FirstSent)
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
