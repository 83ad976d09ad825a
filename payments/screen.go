package payments

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/providers"
)

// This file is about evidence that only somebody else has: sanctions lists, the history of an address. A Rule decides inside
// the step that records a payment and must be pure; a Screener is asked outside of it, may be slow and remote, and what it says
// is recorded before anything follows from it.

// Screener judges money that is to leave, before anything is sent or signed, and money that came by itself, before anybody is
// credited. It is asked outside every lock and transaction, for at most Config.SubmitTimeout, once a payment: its answer is
// kept with the payment, dated, so neither a retry nor another worker asks again. Only two workers who come to ask at the same
// moment both do, and the first answer counts.
//
// An error, or no answer in time, decides nothing: a withdrawal is not sent, a deposit is not credited but waits, outside the
// clearing account too, and it is asked again later; for some seconds it is asked about nothing else. Config.OnError is told.
// A Screener must be safe for concurrent use.
type Screener func(ctx context.Context, r ScreenRequest) (Verdict, error)

// ScreenRequest is what a Screener is asked about.
type ScreenRequest struct {
	Payment    string // id; the same for the same money, if it is asked again
	Kind       Kind   // Withdrawal or Deposit
	Member     string
	Amount     currency.Amount
	Provider   string
	Method     providers.Method // empty of a deposit
	Address    string           // where the money goes, or the address of ours it came to; empty when an instrument decides
	Instrument string           // id of a linked instrument that it goes to
	Reference  string           // the provider's, of a deposit: on a chain transaction and output
	TravelRule string
}

// Decision is what a Screener says.
type Decision string

// The decisions.
const (
	// ScreenAllow: it is sent, or credited.
	ScreenAllow Decision = "allow"
	// ScreenReview: a person decides. A withdrawal is in the state Review with its money held, until Resolve with Approve or Deny;
	// a deposit lies in suspense, until AssignTo, Return or WriteOff.
	ScreenReview Decision = "review"
	// ScreenDeny: a withdrawal fails and its money is released. A deposit is a fact, and is never declined: it lies in suspense as
	// after ScreenReview.
	ScreenDeny Decision = "deny"
)

// Verdict is a Screener's answer.
type Verdict struct {
	Decision Decision `json:"decision"`
	// Code and Public are for the member, of a withdrawal that is denied: they become Payment.Reason. An empty Code is "denied".
	Code   string `json:"code,omitempty"`
	Public string `json:"public,omitempty"`
	// Private is for the host alone: it is in the case and in Service.Screening, and nowhere that a member can see.
	Private string `json:"private,omitempty"`
	// Evidence is the screener's own reference: the id of its report.
	Evidence string `json:"evidence,omitempty"`
}

// Screened is a verdict as it was recorded.
type Screened struct {
	Verdict
	At time.Time `json:"at"` // when it was given
}

const (
	kindScreening    = "screening"
	findingScreening = "screening"
)

// errUnscreened says that a screener has not answered.
var errUnscreened = errors.New("payments: not screened yet")

// screenRest is how long a screener that did not answer is left alone: what a poll brings must not wait for it a hundred times.
const screenRest = 10 * time.Second

func screeningDocument(id string) ledger.DocumentID {
	return ledger.DocumentID{Kind: kindScreening, ID: id}
}

// Screening returns what the Screener said about a payment; the zero value if it was not asked. Members never see it.
func (s *Service) Screening(ctx context.Context, actor Actor, id string) (Screened, error) {
	_, rec, err := s.desk.record(ctx, id)
	if err != nil {
		return Screened{}, err
	}
	if err := s.desk.authorize(ctx, actor, ActResolve, rec.Member); err != nil {
		return Screened{}, err
	}
	d, err := s.book.Document(ctx, screeningDocument(id))
	if errors.Is(err, ledger.NotFound) {
		return Screened{}, nil
	}
	var is Screened
	if err == nil && json.Unmarshal(d.Body, &is) != nil {
		err = refuse(ledger.Corrupt, ErrForeignBody, "body", "%s cannot be read", d.DocumentID)
	}
	return is, err
}

// screen asks the screener.
func (s *Service) screen(ctx context.Context, r ScreenRequest) (*Screened, error) {
	if silent := s.silent.Load(); silent != nil && s.book.Now().Before(silent.Add(screenRest)) {
		return nil, fmt.Errorf("%w: no answer to another payment a moment ago", errUnscreened)
	}
	asking, cancel := context.WithTimeout(ctx, s.config.SubmitTimeout)
	defer cancel()
	v, err := s.config.Screen(asking, r)
	if err == nil {
		err = asking.Err() // an answer that came too late may be no answer
	}
	if err == nil && v.Decision != ScreenAllow && v.Decision != ScreenReview && v.Decision != ScreenDeny {
		err = fmt.Errorf("the decision %q is unknown", clip(string(v.Decision)))
	}
	if err != nil {
		s.silent.Store(new(s.book.Now()))
		err = fmt.Errorf("%w: %s of %s: %w", errUnscreened, r.Kind, r.Payment, err)
		if s.config.OnError != nil {
			s.config.OnError(err)
		}
		return nil, err
	}
	v.Code, v.Public, v.Private, v.Evidence = clip(v.Code), clip(v.Public), clip(v.Private), clip(v.Evidence)
	return &Screened{Verdict: v, At: s.book.Now()}, nil
}

// screenable tells whether a screener is to be asked before the payment is sent: once, and never when it may have been sent.
func (s *Service) screenable(rec *record) bool {
	return s.config.Screen != nil && rec.Kind == Withdrawal && rec.Screened == "" && rec.unsent()
}

// unsent tells whether nothing was ever sent.
func (r *record) unsent() bool {
	return r.Attempts == 0 && !r.Maybe && r.Reported == "" && len(r.Effects) == 0
}

// screenOut has a withdrawal screened, and returns it as it stands then.
func (s *Service) screenOut(ctx context.Context, d ledger.Document, rec *record) (ledger.Document, *record, error) {
	r := ScreenRequest{
		Payment: rec.ID, Kind: Withdrawal, Member: rec.Member, Amount: rec.Amount, Provider: rec.Provider, Method: rec.Method, TravelRule: rec.TravelRule,
	}
	if rec.Token == rec.Instrument {
		r.Address = rec.Token
	} else {
		r.Instrument = rec.Instrument
	}
	n := news{provider: rec.Provider, id: rec.ID, touch: true}
	step := "screened"
	var err error
	if n.screened, err = s.screen(ctx, r); err != nil {
		step, n.offset = "unscreened", backoff(rec.Looks+1)
		n.learn = func(now *record) {
			if now.Looks == rec.Looks && now.unsent() {
				now.Looks++
			}
		}
	}
	ctx = context.WithoutCancel(ctx) // the answer is not to be asked for twice
	if err := s.settle(ctx, stepKey(rec.ID, d.Version, step), n); err != nil {
		return d, rec, err
	}
	if d, err = s.desk.document(ctx, rec.ID); err != nil {
		return d, rec, err
	}
	rec, err = readRecord(d)
	return d, rec, err
}

// screenIn has money screened that came by itself and is heard of for the first time. What is not credited to anybody anyway
// need not be.
func (s *Service) screenIn(ctx context.Context, n *news) error {
	f := n.fresh
	if s.config.Screen == nil || f == nil || f.Kind != Deposit || f.Member == "" || f.Stray || n.report.Reason.Code == providers.CodeDust {
		return nil
	}
	var err error
	n.screened, err = s.screen(ctx, ScreenRequest{
		Payment: n.id, Kind: Deposit, Member: f.Member, Amount: f.Amount, Provider: n.provider, Address: n.report.Address, Reference: n.report.Reference,
	})
	return err
}

// heed takes over a verdict, the first that is heard.
func (r *record) heed(v *Screened) {
	if v == nil || r.Screened != "" || r.Kind == Withdrawal && !r.unsent() {
		return
	}
	r.Screened, r.Looks = v.Decision, 0
	if r.Kind != Withdrawal {
		return
	}
	switch v.Decision {
	case ScreenReview:
		r.Review = true
	case ScreenDeny:
		if planted("screen-ignored") {
			return
		}
		r.GivenUp, r.Reason = true, providers.Reason{Code: cmp.Or(v.Code, "denied"), Public: v.Public}
	case ScreenAllow:
	}
}

// keepVerdict records the verdict that the payment heeds.
func (n *news) keepVerdict(v ledger.View, rec *record) ([]ledger.Command, error) {
	if n.screened == nil || rec.Screened == "" {
		return nil, nil
	}
	id := screeningDocument(n.id)
	if _, kept := v.Document(id); kept {
		return nil, nil
	}
	body, err := json.Marshal(n.screened)
	return []ledger.Command{ledger.PutDocument{
		DocumentID: id, Owner: rec.Member, State: string(rec.Screened), Schema: 1, Body: body,
	}}, err
}

// suspicion is the text of a finding about a verdict.
func (n *news) suspicion() string {
	text := "see Service.Screening"
	if n.screened != nil {
		text = cmp.Or(n.screened.Private, n.screened.Code, text)
	}
	return text
}
