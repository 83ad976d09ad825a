package payments

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
)

// Proposal is a payment that somebody asks for, before it is recorded.
type Proposal struct {
	Kind         Kind
	Actor        Actor
	Member       string // whose money it is
	Counterparty string
	Amount       currency.Amount
	Instrument   string
	Reference    string
}

// Rule judges proposals inside the step that records them, so that parallel requests cannot pass one limit together.
// A fact that a provider reports is never put to a rule.
type Rule interface {
	// Reads names what Decide looks at and what its commands touch; see ledger.Guard.
	Reads(p Proposal) ledger.Reads
	// Decide returns nil to allow, with commands that count the payment if it wants to, or a refusal: see ledger.Refuse. A
	// refusal with ErrReview refuses nothing: the payment is recorded with its money held, and a person decides about its case
	// (Service.Resolve with Approve or Deny). It must be pure; it may run more than once.
	Decide(p Proposal, v ledger.View) ([]ledger.Command, error)
}

// guards turns the rules into guards. A rule's refusal is a decline whatever its own class; the strictest verdict wins: who
// denies ends the step, who wants a review leaves a case that the guard of the payment itself finds.
func (dk *Desk) guards(p Proposal, id string) []ledger.Guard {
	guards := make([]ledger.Guard, 0, len(dk.config.Rules)+1)
	for _, rule := range dk.config.Rules {
		guards = append(guards, judged(rule, p, mustID(id)))
	}
	return guards
}

// reviewWanted tells whether a rule wants a person to decide, and why.
func reviewWanted(err error) (why string, wanted bool) {
	if !errors.Is(err, ErrReview) {
		return "", false
	}
	if r, ok := errors.AsType[*Refusal](err); ok {
		return cmp.Or(r.Private, r.Public), true
	}
	return "", true
}

// DailyLimit is a rule: at most Max a member a day (UTC) of the kinds named, in Max's asset. Payments in other assets pass.
// What was counted is not given back when the payment fails later.
type DailyLimit struct {
	Name  string // of the limit: part of its counter's name; letters, digits and dashes
	Kinds []Kind
	Max   currency.Amount
	// Now tells the day when the rule names its counter; the step itself uses the ledger's time. Required.
	Now func() time.Time
}

type spent struct {
	Sum currency.Amount `json:"sum"`
}

func (l DailyLimit) applies(p Proposal) bool {
	if p.Amount.AssetID() != l.Max.AssetID() {
		return false
	}
	for _, k := range l.Kinds {
		if k == p.Kind {
			return true
		}
	}
	return false
}

func (l DailyLimit) counter(p Proposal) ledger.DocumentID {
	return ledger.DocumentID{Kind: "limit", ID: fmt.Sprintf("%s/%s/%s", l.Name, p.Member, l.Now().UTC().Format(time.DateOnly))}
}

// Reads names the member's counter of the day.
func (l DailyLimit) Reads(p Proposal) ledger.Reads {
	if !l.applies(p) {
		return ledger.Reads{}
	}
	return ledger.Reads{Documents: []ledger.DocumentID{l.counter(p)}}
}

// Decide counts the payment, or refuses it with ErrLimit.
func (l DailyLimit) Decide(p Proposal, v ledger.View) ([]ledger.Command, error) {
	if !l.applies(p) {
		return nil, nil
	}
	id := l.counter(p)
	total := spent{Sum: currency.Zero(l.Max.Asset())}
	d, found := v.Document(id)
	if found {
		if err := json.Unmarshal(d.Body, &total); err != nil {
			return nil, fmt.Errorf("payments: counter %s: %w", id, err)
		}
	}
	sum, err := total.Sum.Add(p.Amount)
	if err != nil {
		return nil, err
	}
	judged := sum
	if planted("limit-each") {
		judged = p.Amount
	}
	if over, err := judged.Cmp(l.Max); err != nil {
		return nil, err
	} else if over > 0 {
		r := ledger.Refuse(ErrLimit, "daily limit reached", fmt.Sprintf("limit %s: %s of %s used", l.Name, total.Sum, l.Max))
		r.Wanted = p.Amount
		r.Available, _ = l.Max.Sub(total.Sum) // both are in range, or the sum would have failed
		return nil, r
	}
	if planted("limit-uncounted") {
		return nil, nil
	}
	body, err := json.Marshal(spent{Sum: sum})
	if err != nil {
		return nil, err
	}
	return []ledger.Command{ledger.PutDocument{DocumentID: id, Version: d.Version, Owner: p.Member, State: "counting", Schema: 1, Body: body}}, nil
}
