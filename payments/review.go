package payments

import (
	"time"

	"github.com/google/uuid"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/providers"
)

// This file is about payments that a rule put before a person: see ErrReview. They are recorded in the state Review with
// their money held, and a case of the same id. Resolve with Approve carries them out, with Deny they fail.

// findingReview is the code of the finding that a rule's ErrReview makes.
const findingReview = "review"

// underReview tells a guard whether a rule of the same step has put the payment before a person.
func underReview(v ledger.View, id string) bool {
	_, waits := v.Document(caseDocument(id))
	return waits && !planted("skip-review")
}

// await puts the record into the state Review if a rule wants it, and says when the payment is due otherwise.
func (r *record) await(v ledger.View, patience time.Duration) (due time.Time) {
	if r.Review = underReview(v, r.ID); r.Review {
		return noDue
	}
	return v.Now().Add(patience)
}

// waits makes the commands of a transfer or exchange that is under review: its money is held under the payment's id.
func (r *record) waits(c *chart) ([]ledger.Command, error) {
	r.Review = true
	document, err := r.put(0, noDue)
	if planted("review-unheld") {
		return append(c.commands, document), err
	}
	hold := ledger.PlaceHold{ID: mustID(r.ID), Account: WalletAccount(r.Member, r.Amount.AssetID()), Amount: r.Amount, Note: r.note()}
	return append(c.commands, hold, document), err
}

// boughtID is the id of the second posting of an exchange that was approved.
func (r *record) boughtID() ledger.ID { return derivedID("bought", r.ID) }

// reviewReads names what a decision about a payment under review may touch.
func (r *record) reviewReads() ledger.Reads {
	if !r.Review {
		return ledger.Reads{}
	}
	reads := ledger.Reads{Holds: []ledger.ID{mustID(r.ID)}, Transactions: []ledger.ID{repaymentID(mustID(r.ID))}}
	if !r.Amount.IsValid() {
		return reads
	}
	from := r.Amount.AssetID()
	reads.Accounts = append(reads.Accounts, WalletAccount(r.Member, from), ReceivableAccount(r.Member, from))
	if r.viaProvider() {
		return reads
	}
	reads.Accounts = append(reads.Accounts, RevenueAccount(from))
	reads.Transactions = append(reads.Transactions, r.Transaction, r.boughtID())
	if r.Counterparty != "" {
		reads.Accounts = append(reads.Accounts, WalletAccount(r.Counterparty, from), ReceivableAccount(r.Counterparty, from))
	}
	if r.Bought.IsValid() {
		to := r.Bought.AssetID()
		reads.Accounts = append(reads.Accounts, WalletAccount(r.Member, to), ReceivableAccount(r.Member, to), PositionAccount(from), PositionAccount(to))
	}
	return reads
}

// review does what was decided about a payment under review.
func (a *arbiter) review(v ledger.View, rec *record) ([]ledger.Command, error) {
	if !rec.Review {
		return nil, a.unfit("payment %s is not under review", rec.ID)
	}
	if a.request.Action == Approve {
		if _, owes := owing(v, a.debts); owes {
			return nil, a.unfit("%s has come to owe money, which what is held repays when it is denied", rec.Member)
		}
	}
	rec.Review = false
	if a.request.Action == Approve {
		if rec.viaProvider() {
			return nil, nil // it is due now: a worker sends it
		}
		return rec.approved(v)
	}
	rec.GivenUp, rec.Reason = true, providers.Reason{Code: "denied"}
	var commands []ledger.Command
	if h, ok := v.Hold(mustID(rec.ID)); ok && h.State == ledger.HoldOpen && !planted("deny-keeps-hold") {
		f := freeing{view: v, member: rec.Member, owed: map[currency.AssetID]currency.Amount{}}
		var err error
		if commands, err = f.hold(h, rec.note()); err != nil {
			return nil, err
		}
	}
	if rec.Kind != Refund {
		return commands, nil
	}
	settled, err := settleRefund(v, rec, a.config)
	return append(commands, settled...), err
}

// approved carries out a transfer or exchange from its hold.
func (r *record) approved(v ledger.View) ([]ledger.Command, error) {
	c := newChart(v)
	capture := ledger.Capture{ID: r.Transaction, Hold: ledger.ByID(mustID(r.ID)), Final: true, Note: r.note()}
	to := func(postings []ledger.Posting) {
		for _, p := range postings {
			capture.To = append(capture.To, ledger.Portion{Account: p.Account, Amount: p.Amount})
		}
	}
	if r.Kind != Exchange {
		credits, err := r.transferCredits(v, c)
		to(credits)
		return append(c.commands, capture), err
	}
	given, err := r.exchangeGiven(c)
	if err != nil {
		return nil, err
	}
	to(given)
	got, err := r.exchangeCredits(v, c)
	return append(c.commands, capture, ledger.Post{ID: r.boughtID(), Postings: got, Note: r.note()}), err
}

// judged is a rule as a guard: what it wants a person to see becomes the payment's case.
func judged(rule Rule, p Proposal, id uuid.UUID) ledger.Guard {
	reads := rule.Reads(p)
	reads.Documents = append(reads.Documents[:len(reads.Documents):len(reads.Documents)], caseDocument(id.String()))
	return ledger.Guard{Reads: reads, Check: func(v ledger.View) ([]ledger.Command, error) {
		commands, err := rule.Decide(p, v)
		why, wanted := reviewWanted(err)
		if !wanted {
			return commands, err
		}
		findings, err := addFindings(v, id.String(), "", p.Member, []Finding{{Code: findingReview, Text: why}})
		return append(commands[:len(commands):len(commands)], findings...), err
	}}
}
