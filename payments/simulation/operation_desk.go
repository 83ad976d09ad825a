package simulation

import (
	"encoding/json"
	"hash/fnv"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/payments"
	"github.com/koshpay/kosh/providers"
)

// This file is what the platform's own people and rules do: they decide about cases and reviews, write debts off, bound and
// close wallets, and reserve money of the host's.

// verdict is a rule that says the same about the same proposal every time.
type verdict struct {
	code  ledger.Code
	of    uint32 // one proposal in so many
	salt  string
	kinds []payments.Kind
}

// Reads implements payments.Rule.
func (verdict) Reads(payments.Proposal) ledger.Reads { return ledger.Reads{} }

// Decide implements payments.Rule.
func (v verdict) Decide(p payments.Proposal, _ ledger.View) ([]ledger.Command, error) {
	if !v.applies(p.Kind, p.Member, p.Amount) {
		return nil, nil
	}
	return nil, ledger.Refuse(v.code, "", "the simulation's rule")
}

func (v verdict) applies(kind payments.Kind, member string, a currency.Amount) bool {
	if !a.IsValid() || !slices.Contains(v.kinds, kind) {
		return false
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(v.salt + string(kind) + member + a.String()))
	return h.Sum32()%v.of == 0
}

// screener is what a host knows about destinations: the same about the same withdrawal or arrival every time.
type screener struct{ verdict }

func (s *screener) screens(kind payments.Kind, member string, a currency.Amount) payments.Decision {
	if s == nil {
		return payments.ScreenAllow
	}
	deny, review := s.verdict, s.verdict
	deny.of, review.of, review.salt = 8, 6, s.salt+"review"
	switch {
	case deny.applies(kind, member, a):
		return payments.ScreenDeny
	case review.applies(kind, member, a):
		return payments.ScreenReview
	}
	return payments.ScreenAllow
}

const codeUnwanted ledger.Code = "unwanted"

// drawVerdicts draws rules that put payments before a person, or refuse them.
func (w *world) drawVerdicts() {
	some := []payments.Kind{payments.Send, payments.Tip, payments.Exchange, payments.Withdrawal, payments.Refund, payments.Deposit}
	for _, code := range []ledger.Code{payments.ErrReview, codeUnwanted} {
		if v := (verdict{code: code, of: pick(w.dice, uint32(0), 4, 12), salt: strconv.Itoa(int(w.dice.between(0, 999)))}); v.of > 0 {
			v.kinds = some[w.dice.IntN(len(some)):]
			w.verdicts = append(w.verdicts, v)
		}
	}
	w.money.verdicts = w.verdicts
	if w.dice.chance(400) {
		w.screening = &screener{verdict{salt: strconv.Itoa(int(w.dice.between(0, 999))), kinds: some}}
		w.money.screening = w.screening
	}
}

func (w *world) rules() []payments.Rule {
	rules := []payments.Rule{w.limit}
	for _, v := range w.verdicts {
		rules = append(rules, v)
	}
	return rules
}

// route tries providers in another order every day.
func (w *world) route(_ providers.Kind, _ providers.Method, _ currency.AssetID, able []string) []string {
	if w.now.YearDay()%2 == 0 {
		able = slices.Clone(able)
		slices.Reverse(able)
	}
	return able
}

// dossierOfCase is a case as the witness read it.
type dossierOfCase struct {
	state    payments.CaseState
	assigned bool // a person gave its money to a member: what a reorganisation brings again is theirs, whatever the screener says
}

func readDossier(d *ledger.Document) (dossierOfCase, error) {
	var body struct {
		Resolutions []payments.Resolved `json:"resolutions"`
	}
	err := json.Unmarshal(d.Body, &body)
	return dossierOfCase{
		state: payments.CaseState(d.State),
		assigned: slices.ContainsFunc(body.Resolutions, func(r payments.Resolved) bool {
			return r.Action == payments.AssignTo
		}),
	}, err
}

// openCases are the cases that nobody has decided, in the order of their ids.
func (w *world) openCases() []string {
	var open []string
	for _, id := range slices.Sorted(maps.Keys(w.money.cases)) {
		if w.money.cases[id].state == payments.CaseOpen {
			open = append(open, id)
		}
	}
	return open
}

// resolve is a person who decides about a case, fittingly most of the time.
func (w *world) resolve(p *process) {
	open := w.openCases()
	if len(open) == 0 {
		w.look(p)
		return
	}
	id := pick(w.dice, open...)
	action, fits := w.fitting(id)
	switch {
	case w.dice.chance(150):
		action = pick(w.dice, payments.AssignTo, payments.Return, payments.WriteOff, payments.Approve, payments.Deny, payments.Known)
	case !fits && w.dice.chance(100): // a person who is wrong
		action = payments.NeverHappened
	case !fits:
		return
	}
	w.decideCase(p, id, action)
}

// decideCase asks for a resolution.
func (w *world) decideCase(p *process, id string, action payments.Resolution) {
	r := payments.ResolveRequest{Actor: payments.Platform(), Case: id, Action: action, By: "ann", Note: "because"}
	if it := w.money.intents[id]; action == payments.AssignTo && (it == nil || it.Member == "" || w.dice.chance(300)) {
		r.Member = pick(w.dice, w.members...)
	}
	if action == payments.Return {
		r.Method = w.methodOf(id)
	}
	if _, fits := w.fitting(id); action == payments.NeverHappened && !fits {
		w.lies[id] = true
	}
	r.Key = w.keyOf(r.Actor)
	what := r.Key + " " + string(action) + " " + id
	if r.Member != "" {
		what += " to " + r.Member
	}
	w.make(p, &request{
		what: what, actor: r.Actor,
		call: func(s *payments.Service, altered bool) (payments.Payment, error) {
			r := r
			if altered {
				r.Note = "for another reason"
			}
			_, err := s.Resolve(w.asking, r)
			return payments.Payment{}, err
		},
	})
}

// fitting is what a person who knows the truth would do about a case; there may be nothing yet.
func (w *world) fitting(id string) (payments.Resolution, bool) {
	p := w.money.intents[id]
	switch {
	case p == nil:
		return payments.Known, true
	case p.state == payments.Review:
		return pick(w.dice, payments.Approve, payments.Approve, payments.Deny), true
	case p.Parked: // what was sent last has had its time
		return payments.NeverHappened, !w.happened(p) && w.now.Sub(p.updated) > 30*time.Minute
	case p.orphaned(w.truth):
		return payments.NeverHappened, !w.happened(p)
	case p.suspended().Sign() != 0:
		if p.Kind == payments.Deposit && w.dice.chance(400) && !p.disputed() && p.withdrawn().Sign() == 0 {
			return payments.Return, true
		}
		return pick(w.dice, payments.AssignTo, payments.AssignTo, payments.WriteOff), true
	default:
		return payments.Known, true
	}
}

// orphaned tells whether a payout was taken back and may move again, so that its money is held.
func (p *intent) orphaned(w *witness) bool {
	return p.Kind == payments.Withdrawal && slices.ContainsFunc(p.Effects, func(e taken) bool {
		return e.Kind == providers.Reversed && e.Hold != uuid.Nil && w.holds[e.Hold].State == ledger.HoldOpen
	})
}

// happened tells whether the provider did, or still may do, what a payment asked for.
func (w *world) happened(p *intent) bool {
	for _, s := range w.sites {
		if s.far.Executed(p.ID) > 0 {
			return true
		}
	}
	return false
}

func (w *world) methodOf(id string) providers.Method {
	p := w.money.intents[id]
	if p != nil && p.Method != "" {
		return p.Method
	}
	if p != nil && len(p.Effects) > 0 && p.Effects[0].Amount.Asset() == ether {
		return providers.Chain
	}
	return providers.Bank
}

// forgive writes off what somebody owes, or more than that.
func (w *world) forgive(p *process) {
	var owing []ledger.AccountID
	for _, m := range w.members {
		for _, a := range slices.Concat(fiat, []*currency.Definition{ether, coin}) {
			id := payments.ReceivableAccount(m, a.ID())
			if info := w.truth.accounts[id]; info != nil && info.Posted.Sign() > 0 {
				owing = append(owing, id)
			}
		}
	}
	if len(owing) == 0 {
		w.look(p)
		return
	}
	id := pick(w.dice, owing...)
	amount, member := w.part(w.truth.accounts[id].Posted), id.Path[len("receivable/"):]
	actor := payments.Platform()
	key := w.keyOf(actor)
	w.make(p, &request{
		what: key + " forgive " + amount.String() + " of " + member, actor: actor, kind: payments.Forgiven, member: member, amount: amount,
		call: func(s *payments.Service, altered bool) (payments.Payment, error) {
			r := payments.ForgiveRequest{Key: key, Actor: actor, Member: member, Amount: amount, By: "ann", Note: "bad luck"}
			if altered {
				r.Amount = oneMore(amount)
			}
			return s.Forgive(w.asking, r)
		},
	})
}

// terms bounds a wallet, closes it or opens it again, by the host's own hand.
func (w *world) terms(p *process) {
	asset := w.asset()
	id := payments.WalletAccount(pick(w.dice, w.members...), asset.ID())
	info := w.truth.accounts[id]
	if info == nil {
		return
	}
	set := ledger.SetAccount{Account: id}
	switch {
	case info.Terms.Closed:
		set.Closed = new(false)
	case info.Posted.Sign() == 0 && info.Held.Sign() == 0 && w.dice.chance(600):
		set.Closed = new(true)
	case info.Terms.Ceiling.IsValid():
		set.Ceiling = new(currency.Amount)
	default:
		set.Ceiling = new(plus(info.Posted, w.amount(asset)))
	}
	w.host(p, "terms of "+id.String(), set)
}

// open opens wallets, which changes nothing where they are open.
func (w *world) open(p *process) {
	member, asset := pick(w.dice, w.members...), w.asset()
	actor := pick(w.dice, payments.Member(member), payments.Platform())
	w.make(p, &request{
		what: "open " + asset.Code() + " of " + member, actor: actor,
		call: func(s *payments.Service, altered bool) (payments.Payment, error) {
			if altered {
				return payments.Payment{}, s.OpenWallet(w.asking, actor, member, currency.CHF) // not enabled
			}
			return payments.Payment{}, s.OpenWallet(w.asking, actor, member, asset)
		},
	})
}

// host records an entry of the host's own, beside what payments does.
func (w *world) host(p *process, what string, commands ...ledger.Command) {
	key := "host/" + w.nextKey()
	w.make(p, &request{
		what: key + " " + what, actor: payments.Platform(),
		call: func(s *payments.Service, altered bool) (payments.Payment, error) {
			e := ledger.Entry{Key: key, Commands: commands}
			if altered {
				e.Inputs = "something else"
			}
			_, err := s.Book().Record(w.asking, e)
			return payments.Payment{}, err
		},
	})
}

var escrow, till = ledger.AccountID{Path: "host/escrow", Asset: currency.USD.ID()}, ledger.AccountID{Path: "host/till", Asset: currency.USD.ID()}

// escrow is money of the host's, held until a deadline.
func (w *world) escrow(p *process) {
	if w.truth.accounts[escrow] == nil {
		w.host(p, "escrow", ledger.OpenAccount{Account: escrow, Type: ledger.Liability, Floor: currency.Zero(currency.USD)},
			ledger.OpenAccount{Account: till, Type: ledger.Asset}, ledger.Post{Postings: []ledger.Posting{
				{Account: till, Side: ledger.Debit, Amount: currency.MustNew(100_000, currency.USD)},
				{Account: escrow, Side: ledger.Credit, Amount: currency.MustNew(100_000, currency.USD)},
			}})
		return
	}
	amount := currency.MustNew(w.dice.between(1, 9_000), currency.USD)
	if len(w.escrows) == 0 || w.dice.chance(500) {
		id := w.ids.id()
		w.escrows = append(w.escrows, id)
		w.host(p, "hold "+amount.String(), ledger.PlaceHold{
			ID: id, Account: escrow, Amount: amount, ExpiresAt: w.now.Add(w.dice.duration(time.Minute, 60*time.Hour)),
		})
		return
	}
	hold := ledger.ByID(pick(w.dice, w.escrows...))
	if w.dice.chance(300) {
		w.host(p, "release", ledger.Release{Hold: hold, All: true})
		return
	}
	w.host(p, "capture "+amount.String(), ledger.Capture{ID: w.ids.id(), Hold: hold, To: []ledger.Portion{{Account: till, Amount: amount}}, Final: w.dice.chance(300)})
}

// outage takes a provider away for a while, which may be longer than it remembers keys.
func (w *world) outage(*process) {
	s := pick(w.dice, w.sites...)
	s.downUntil = w.now.Add(pick(w.dice, w.dice.duration(time.Minute, time.Hour), w.dice.duration(time.Hour, 100*time.Hour)))
	w.note("  %s is away until %s", s.name, s.downUntil.Format(time.DateTime))
}

// decideAll lets people decide about everything that waits for them, and tells whether they did anything.
func (w *world) decideAll() bool {
	did := false
	for _, id := range w.openCases() {
		action, fits := w.fitting(id)
		if it := w.money.intents[id]; !fits || it != nil && slices.ContainsFunc(it.Effects, func(e taken) bool { return e.Returning }) {
			continue
		}
		w.decideCase(w.workers[0], id, action)
		if w.money.cases[id].state == payments.CaseOpen && (action == payments.AssignTo || action == payments.Return) {
			w.decideCase(w.workers[0], id, payments.WriteOff) // the wallet takes nothing, or the payer cannot have it
		}
		if w.money.cases[id].state == payments.CaseOpen && action == payments.Approve {
			w.decideCase(w.workers[0], id, payments.Deny)
		}
		did = did || w.money.cases[id].state != payments.CaseOpen
	}
	return did
}

// suspended is what an intent has in suspense, by size.
func (p *intent) suspended() (sum currency.Amount) {
	for _, e := range p.Effects {
		if e.Suspense.Sign() != 0 && (!sum.IsValid() || sum.Asset() == e.Suspense.Asset()) {
			sum = plus(sum, e.Suspense)
		}
	}
	return sum
}
