package payments

import (
	"bytes"
	"slices"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/providers"
)

// This file is about how much of a report one entry of the ledger takes. A short report is one entry. A long one is several, in
// the order of its effects, and the last of them finishes: until then the payment stays in the state that it had, and is due again
// soon. Every effect is recorded once, by its reference, so whoever hears of the report again goes on where it broke off.

// maxHeld is how many of a payment's holds one entry looks at. Others are left as they are: what is over of them is given back
// when the payment is due next.
const maxHeld = 200

// partRows is what the effects of one part of several may touch. Every guard of a part may look at all of it, so a part of twice as
// many takes four times as long.
const partRows = 300

// part is what one entry takes of news: a guard an effect, so that each sees the balances that the one before left, then those that
// bring in line what follows from all of them, then one that writes the payment.
type part struct {
	*news
	effects  []providers.Effect
	disputes []string           // for which the member is to be charged, or given back
	last     bool               // nothing of the report is left after it
	bears    bool               // the member may bear the network's fee
	beyond   map[ledger.ID]bool // holds of the payment that it does not look at
	secures  []ledger.ID        // holds that it may make for disputes
	seen     uint64             // version of the payment outside the step
	reads    ledger.Reads

	// What a guard leaves to the next. The first begins anew, because a step may be decided more than once.
	rec        *record
	document   ledger.Document
	references []string
	findings   []Finding
}

// hearing says that a part of a long report is recorded.
type hearing struct {
	State   State `json:"state"`             // in which the payment stays meanwhile
	Effects int   `json:"effects,omitempty"` // of that report
}

// part makes the next part, given the payment as it stands outside the step.
func (n *news) part(rec *record, version uint64) (*part, error) {
	waiting, after := n.foresee(rec)
	disputes, err := after.outOfLine()
	if err != nil {
		return nil, err
	}
	p := &part{news: n, effects: waiting, last: true, bears: rec.MemberBears, seen: version}
	s := n.scope(rec)
	if slices.ContainsFunc(waiting, func(e providers.Effect) bool { return unsettles(e.Kind) }) {
		p.secure(s, after)
	}
	room := ledger.MaxReads - s.rows() - holdRows*min(rec.holding(), maxHeld)
	fit, rest := s.fitting(waiting, room)
	if fit < len(waiting) {
		fit, rest = s.fitting(waiting, min(room, partRows))
		p.effects, p.last = waiting[:fit], false
	}
	for _, e := range p.effects {
		s.effect(e)
		if len(after.Disputes) > 0 && e.Kind == providers.Disputed && rec.Member != "" {
			p.secures = append(p.secures, n.holdID(e.ID))
		}
	}
	if !slices.ContainsFunc(p.effects, func(e providers.Effect) bool { return unsettles(e.Kind) }) {
		p.secures = nil
	}
	if p.last = p.last && (rest >= disputeRows*len(disputes) || len(p.effects) == 0); p.last {
		p.disputes = disputes
		for _, id := range disputes {
			s.reads.Transactions = append(s.reads.Transactions, n.disputeIDs(id, rec.turns(id))...)
		}
	}
	for i := range rec.Effects {
		switch e := &rec.Effects[i]; {
		case !e.held() || s.holds[e.Hold]:
		case len(s.holds) < maxHeld && s.rows()+holdRows+assetRows <= ledger.MaxReads:
			s.asset(e.Amount.Asset())
			s.hold(e.Hold)
		default:
			if p.beyond == nil {
				p.beyond = map[ledger.ID]bool{}
			}
			p.beyond[e.Hold] = true
		}
	}
	p.reads = s.reads
	return p, nil
}

// foresee tells what of the report is not recorded yet, and how the payment stands after it but for what follows from its effects.
func (n *news) foresee(rec *record) (waiting []providers.Effect, now *record) {
	known := make(map[string]bool, len(rec.Effects))
	for i := range rec.Effects {
		known[rec.Effects[i].ID] = !planted("skip-dedup")
	}
	after := *rec
	after.Effects, after.Disputes = slices.Clip(rec.Effects), slices.Clone(rec.Disputes)
	for _, e := range n.report.Effects {
		if known[e.ID] {
			continue
		}
		waiting = append(waiting, e)
		if after.Effects = append(after.Effects, effectOf(e)); e.Dispute != "" && rec.Kind == Deposit {
			after.dispute(e.Dispute)
		}
	}
	n.merge(&after)
	return waiting, &after
}

// outOfLine are the disputes that the member is to be charged or given back for.
func (r *record) outOfLine() (disputes []string, err error) {
	for i := range r.Disputes {
		more, _, err := r.chargeable(&r.Disputes[i])
		if err != nil {
			return nil, err
		}
		if more.Sign() != 0 {
			disputes = append(disputes, r.Disputes[i].ID)
		}
	}
	return disputes, nil
}

func effectOf(e providers.Effect) effect {
	return effect{ID: e.ID, Kind: e.Kind, Amount: e.Amount, Reverses: e.Reverses, Dispute: e.Dispute, At: e.At}
}

// key is the part's, given that of the report. The last part has the report's own.
func (p *part) key(report string) string {
	if p.last {
		return report
	}
	return report + "/" + derivedID("part", p.effects[0].ID).String()
}

// guards makes the step.
func (p *part) guards() []ledger.Guard {
	var checks []func(ledger.View) ([]ledger.Command, error)
	for _, e := range p.effects {
		checks = append(checks, func(v ledger.View) ([]ledger.Command, error) { return p.post(v, e) })
	}
	if len(p.secures) > 0 {
		checks = append(checks, p.holdDisputed)
	}
	for _, id := range p.disputes {
		checks = append(checks, func(v ledger.View) ([]ledger.Command, error) { return p.settleDispute(v, id) })
	}
	if p.last && p.bears {
		checks = append(checks, p.settleFee)
	}
	if p.last {
		checks = append(checks, p.finish)
	} else {
		checks = append(checks, p.write)
	}
	guards := make([]ledger.Guard, len(checks))
	for i, check := range checks {
		guards[i] = ledger.Guard{Reads: p.reads, Check: check}
	}
	first := checks[0]
	guards[0].Check = func(v ledger.View) ([]ledger.Command, error) {
		if err := p.begin(v); err != nil {
			return nil, err
		}
		return first(v)
	}
	return guards
}

// begin reads the payment inside the step and takes over what the report says besides its effects.
func (p *part) begin(v ledger.View) error {
	rec, d, err := p.current(v)
	if err != nil {
		return err
	}
	p.rec, p.document, p.references, p.findings = rec, d, nil, nil
	if before := rec.state(); !p.last && rec.Hearing == nil {
		if before == Created {
			before = Pending // nobody is to send it
		}
		rec.Hearing = &hearing{State: before, Effects: len(p.report.Effects)}
	}
	p.merge(rec)
	return nil
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

func (p *part) journal(v ledger.View) *journal {
	return &journal{news: p.news, view: v, rec: p.rec, chart: newChart(v), effect: new(effect), beyond: p.beyond}
}

// done hands on what a guard found, and returns its commands.
func (p *part) done(j *journal) []ledger.Command {
	p.findings = append(p.findings, j.findings...)
	return slices.Concat(j.chart.commands, j.commands)
}

// post records one effect, unless it is recorded already.
func (p *part) post(v ledger.View, e providers.Effect) ([]ledger.Command, error) {
	switch reference := p.effectReference(e.ID); {
	case !isTaken(v, reference):
		p.references = append(p.references, reference)
	case !planted("skip-dedup"):
		return nil, nil
	}
	j := p.journal(v)
	j.effect, j.ids = new(effectOf(e)), p.transactionIDs(e)
	j.chart.open(p.accounts(p.rec.Member, e.Amount.Asset())...)
	if err := j.post(); err != nil {
		return nil, err
	}
	p.rec.Effects = append(p.rec.Effects, *j.effect)
	return p.done(j), nil
}

// settleDispute charges the member with what was lost, or gives back what was won after that.
func (p *part) settleDispute(v ledger.View, id string) ([]ledger.Command, error) {
	j := p.journal(v)
	err := j.settleDispute(p.rec.dispute(id))
	return p.done(j), err
}

// settleFee brings in line what the member bears of the network's fee.
func (p *part) settleFee(v ledger.View) ([]ledger.Command, error) {
	j := p.journal(v)
	err := j.settleFee()
	return p.done(j), err
}

// finish gives held money back where that is certain, keeps what a refund has reserved in step, and writes the payment.
func (p *part) finish(v ledger.View) ([]ledger.Command, error) {
	rec := p.rec
	if more, err := rec.outOfLine(); err != nil {
		return nil, err
	} else if len(more) > 0 {
		return nil, ledger.ErrUndeclared // the payment has changed meanwhile: read it again
	}
	if h := rec.Hearing; h != nil && (p.asked || len(p.report.Effects) >= h.Effects) {
		rec.Hearing = nil
	}
	j := p.journal(v)
	if err := j.release(); err != nil {
		return nil, err
	}
	if p.touch { // a worker has looked: an event may be an old one
		j.findOrphans()
	}
	if rec.Review && p.screened != nil {
		j.find(findingScreening, p.suspicion(), currency.Amount{})
	}
	if rec.Parked {
		j.find("lost", "the provider does not know it and its key is too old to be sent again", currency.Amount{})
	}
	commands := p.done(j)
	if rec.Kind == Refund {
		settled, err := settleRefund(v, rec, p.config)
		if err != nil {
			return nil, err
		}
		commands = append(commands, settled...)
	}
	verdict, err := p.keepVerdict(v, rec)
	if err != nil {
		return nil, err
	}
	rest, err := p.write(v)
	return slices.Concat(commands, verdict, rest), err
}

// write writes the payment's next version, and says when to look again.
func (p *part) write(v ledger.View) ([]ledger.Command, error) {
	commands, err := addFindings(v, p.id, p.provider, p.rec.Member, p.findings)
	if err != nil {
		return nil, err
	}
	due := p.rec.due(v.Now(), p.config)
	if p.offset > 0 && !due.IsZero() {
		due = v.Now().Add(p.offset)
	}
	document, err := p.rec.put(p.document.Version, due, append(p.references, p.newReferences(v, p.rec)...)...)
	if err != nil {
		return nil, err
	}
	if bytes.Equal(document.Body, p.document.Body) && len(document.References) == 0 && !p.touch {
		return commands, nil
	}
	return append(commands, document), nil
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
