package payments

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/providers"
)

// This file is about payers who object to a deposit with their bank. D is the account of what is disputed, the other letters
// are those of journal.go (debit → credit):
//
//	inquiry                   nothing
//	funds withdrawn           D → C, and a hold on the wallet up to what it has, for which a provisional hold on the
//	                          deposit stands in; refunds stop; the fee is F → C as always
//	won                       C → D, the hold is released
//	lost                      hold → D, then U, R → D
//	won on appeal after that  C → D, then D → R, U, X
//
// The effects of the provider move money between C and D. What the member is charged with follows from how the dispute
// stands, and is brought in line with it after every report: so it does not matter in which order a decision and its money are
// heard of.

// Dispute is a payer's objection to a deposit, as it stands.
type Dispute struct {
	ID         string // the provider's
	State      providers.DisputeState
	Amount     currency.Amount // what is disputed; invalid if the provider does not say
	Withdrawn  currency.Amount // what the provider holds back because of it now
	Charged    currency.Amount // what the member was charged with because it was lost
	Reason     providers.Reason
	EvidenceBy time.Time // zero: not said, or not any more
	At         time.Time // when it came to stand so
}

// dispute is a dispute in its deposit's record.
type dispute struct {
	ID         string                 `json:"id"`
	State      providers.DisputeState `json:"state,omitempty"` // empty: only its money was heard of
	Amount     currency.Amount        `json:"amount,omitzero"`
	Reason     providers.Reason       `json:"reason,omitzero"`
	EvidenceBy time.Time              `json:"evidence_by,omitzero"`
	At         time.Time              `json:"at,omitzero"`
	Charged    currency.Amount        `json:"charged,omitzero"`
	Turns      int                    `json:"turns,omitempty"` // times that the member was charged or given back
}

// turns is how often a dispute of the payment was charged or given back.
func (r *record) turns(id string) int {
	for i := range r.Disputes {
		if r.Disputes[i].ID == id {
			return r.Disputes[i].Turns
		}
	}
	return 0
}

func (r *record) dispute(id string) *dispute {
	if i := slices.IndexFunc(r.Disputes, func(d dispute) bool { return d.ID == id }); i >= 0 {
		return &r.Disputes[i]
	}
	r.Disputes = append(r.Disputes, dispute{ID: id})
	return &r.Disputes[len(r.Disputes)-1]
}

// hear takes over how disputes stand. Of two words about one the later counts, so the order in which they come does not.
func (r *record) hear(all []providers.Dispute) {
	for _, now := range all {
		d := r.dispute(now.ID)
		if d.State != "" && (now.At.Before(d.At) || now.At.Equal(d.At) && weight(now.State) <= weight(d.State)) {
			continue
		}
		d.State, d.Amount, d.Reason, d.EvidenceBy, d.At = now.State, now.Amount, now.Reason, now.EvidenceBy, now.At
	}
}

// weight orders states that are said to have begun at the same moment.
func weight(s providers.DisputeState) int {
	return slices.Index([]providers.DisputeState{providers.DisputeInquiry, providers.DisputeOpen, providers.DisputeLost, providers.DisputeWon}, s)
}

// disputed tells whether a dispute of the payment waits for its decision with money withdrawn, or about to be.
func (r *record) disputed() bool {
	return slices.ContainsFunc(r.Disputes, func(d dispute) bool { return d.State == providers.DisputeOpen || d.State == "" })
}

// watched tells whether the provider may still say something about a dispute.
func (r *record) watched() bool {
	return r.disputed() || slices.ContainsFunc(r.Disputes, func(d dispute) bool { return d.State == providers.DisputeInquiry })
}

// withdrawn is what the provider holds back because of a dispute, or of all of them when none is named: never negative. Of
// several assets only the first withdrawn counts; with none named, only the payment's.
func (r *record) withdrawn(id string) (currency.Amount, error) {
	var net currency.Amount
	if id == "" && r.Amount.IsValid() {
		net = currency.Zero(r.Amount.Asset())
	}
	for _, e := range r.Effects {
		if e.Dispute == "" || id != "" && e.Dispute != id || net.IsValid() && e.Amount.Asset() != net.Asset() {
			continue
		}
		if !net.IsValid() {
			net = currency.Zero(e.Amount.Asset())
		}
		var err error
		if net, err = net.Sub(e.Amount); err != nil {
			return net, err
		}
	}
	if net.Sign() < 0 {
		net = currency.Zero(net.Asset()) // the money came back before it was heard that it went
	}
	return net, nil
}

// charged is what the member was charged with for disputes that were lost, in the payment's asset.
func (r *record) charged() (currency.Amount, error) {
	sum := currency.Zero(r.Amount.Asset())
	var err error
	for _, d := range r.Disputes {
		if d.Charged.IsValid() && d.Charged.Asset() == sum.Asset() {
			if sum, err = sum.Add(d.Charged); err != nil {
				return sum, err
			}
		}
	}
	return sum, nil
}

// disputeStands is the state of the dispute that matters most to a host: one that is open, else the last heard of.
func (r *record) disputeStands() providers.DisputeState {
	for _, d := range r.Disputes {
		if d.State == providers.DisputeOpen {
			return d.State
		}
	}
	if n := len(r.Disputes); n > 0 {
		return r.Disputes[n-1].State
	}
	return ""
}

// disputeIDs are the ids of the postings that one turn of a dispute may need: captures, and what the holds did not have.
func (n *news) disputeIDs(id string, turn int) []ledger.ID {
	ids := make([]ledger.ID, disputeRows)
	for i := range ids {
		ids[i] = derivedID("dispute", n.provider, id+n.salt, strconv.Itoa(turn), strconv.Itoa(i))
	}
	return ids
}

// disputeTook is money that the provider withdrew. What is held because of it: see dispute_hold.go.
func (j *journal) disputeTook(size currency.Amount) error {
	j.rec.dispute(j.effect.Dispute)
	j.chart.open(openDisputed(j.provider, size.Asset()))
	if err := j.against(DisputedAccount(j.provider, size.AssetID()), size, false); err != nil {
		return err
	}
	refunded, err := j.rec.refunded()
	if err != nil {
		return err
	}
	j.rec.Effects = append(j.rec.Effects, *j.effect) // for a moment, to count it
	withdrawn, err := j.rec.withdrawn("")
	j.rec.Effects = j.rec.Effects[:len(j.rec.Effects)-1]
	if err != nil {
		return err
	}
	if left, err := j.rec.keeps(withdrawn, refunded); err == nil && left.Sign() < 0 && refunded.Sign() > 0 {
		j.find("disputed_and_refunded", "the payer disputes what was given back: hand in the refund as evidence", currency.Amount{})
	}
	return nil
}

// keeps is what moved in less amounts.
func (r *record) keeps(less ...currency.Amount) (currency.Amount, error) {
	left, _, err := r.moved()
	for _, a := range less {
		if err == nil {
			left, err = left.Sub(a)
		}
	}
	return left, err
}

// disputeGaveBack is money that the provider reinstated.
func (j *journal) disputeGaveBack(size currency.Amount) error {
	j.rec.dispute(j.effect.Dispute)
	j.chart.open(openDisputed(j.provider, size.Asset()))
	origin := j.rec.effect(j.effect.Reverses)
	if origin != nil && origin.held() && origin.Amount.Asset() == size.Asset() {
		if left, err := origin.Amount.Add(size); err == nil && left.Sign() >= 0 && !planted("keep-disputed-hold") {
			if err := j.free(origin); err != nil {
				return err
			}
		}
	}
	return j.against(DisputedAccount(j.provider, size.AssetID()), size, true)
}

// chargeable is what the member is to be charged with for a dispute beyond what they were charged with, negative when they are to
// get it back, and what they will have been charged with then. The zero amounts: no money of it was heard of.
func (r *record) chargeable(d *dispute) (more, target currency.Amount, err error) {
	if d.State != providers.DisputeLost && d.Charged.Sign() == 0 {
		return more, target, nil
	}
	net, err := r.withdrawn(d.ID)
	if err != nil || !net.IsValid() {
		return more, target, err
	}
	charged := d.Charged
	if !charged.IsValid() {
		charged = currency.Zero(net.Asset())
	}
	target = net
	if d.State != providers.DisputeLost {
		target = least(charged, net) // nobody is charged before the decision, or given back what has not come back
	}
	more, err = target.Sub(charged)
	return more, target, err
}

// settleDispute posts what brings a dispute in line with how it stands.
func (j *journal) settleDispute(d *dispute) error {
	more, target, err := j.rec.chargeable(d)
	if err != nil || more.Sign() == 0 {
		return err
	}
	j.ids = j.disputeIDs(d.ID, d.Turns)
	d.Charged, d.Turns = target, d.Turns+1
	j.chart.open(j.accounts(j.rec.Member, target.Asset())...)
	j.chart.open(openDisputed(j.provider, target.Asset()))
	switch {
	case more.Sign() > 0 && planted("lost-uncharged"), more.Sign() < 0 && planted("appeal-kept"):
		return nil
	case more.Sign() > 0:
		return j.chargeLost(d.ID, more)
	default:
		return j.giveBackWon(d.ID, more)
	}
}

// chargeLost posts hold → D, then U, R → D.
func (j *journal) chargeLost(id string, rest currency.Amount) error {
	to := DisputedAccount(j.provider, rest.AssetID())
	for i := range j.rec.Effects {
		if e := &j.rec.Effects[i]; e.Dispute == id && e.Kind == providers.Disputed {
			j.effect = e
		}
	}
	for i := range j.rec.Effects {
		e := &j.rec.Effects[i]
		if e.Dispute != id && e.Kind != providers.Moved { // a provisional hold on the deposit itself serves too
			continue
		}
		if !e.held() || j.made == len(j.ids)-1 {
			continue
		}
		captured, err := j.captureOf(e, rest, to)
		if err != nil {
			return err
		}
		if rest, err = rest.Sub(captured); err != nil {
			return err
		}
	}
	return j.charge(rest, to)
}

// giveBackWon posts D → R, U, X.
func (j *journal) giveBackWon(id string, less currency.Amount) error {
	back, err := less.Neg()
	if err != nil {
		return err
	}
	for i := range j.rec.Effects {
		if e := &j.rec.Effects[i]; e.Dispute == id && e.Kind == providers.Reinstated {
			j.effect = e
		}
	}
	_, err = j.creditMember(DisputedAccount(j.provider, back.AssetID()), back, back)
	return err
}

// heldBack stops an attempt to send what must not leave now.
type heldBack struct{ why providers.Reason }

func (h *heldBack) Error() string { return "payments: not sent: " + h.why.Code }

// sendable are the guards that let a payment be sent.
func (dk *Desk) sendable(ctx context.Context, rec *record) ([]ledger.Guard, error) {
	switch rec.Kind {
	case Refund:
		return undisputed(rec), nil
	case Withdrawal:
		return dk.solvent(ctx, rec)
	default:
		return nil, nil
	}
}

// undisputed lets a refund be sent only while its deposit is not disputed: the payer's bank may be giving the same money
// back.
func undisputed(rec *record) []ledger.Guard {
	if planted("refund-disputed") {
		return nil
	}
	of := paymentDocument(rec.Of)
	return []ledger.Guard{{
		Reads: ledger.Reads{Documents: []ledger.DocumentID{of}},
		Check: func(v ledger.View) ([]ledger.Command, error) {
			d, found := v.Document(of)
			if !found {
				return nil, refuse(ledger.Corrupt, ledger.ErrCorrupt, "of", "refund %s of a payment that is not there", rec.ID)
			}
			deposit, err := readRecord(d)
			if err == nil && deposit.disputed() {
				err = &heldBack{providers.Reason{Code: "disputed", Public: "The payment is disputed."}}
			}
			return nil, err
		},
	}}
}
