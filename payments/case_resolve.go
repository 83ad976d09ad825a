package payments

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/providers"
)

// Resolution is what a person does about a case.
type Resolution string

// The resolutions.
const (
	// AssignTo moves what the case has in suspense to or from a member: what came in repays their debt and then credits their
	// wallet, X → R, U; what went out is charged to them, U, R → X.
	AssignTo Resolution = "assign"
	// Return gives what came in and is in suspense back to where it came from, by a refund of the provider's: X → C when it moves.
	// A return that fails opens the case again.
	Return Resolution = "return"
	// WriteOff takes what the case has in suspense as a gain or a loss of ours: X → W, or W → X.
	WriteOff Resolution = "write_off"
	// NeverHappened says of a payment that is parked, because nobody can tell, that the provider did not do it: it fails and
	// what was held is released. Of a withdrawal that was taken back, as by a reorganisation, it says that it will not happen again, and
	// releases what is held because it might. Should its money move after all, the member is charged for it: facts win.
	NeverHappened Resolution = "never_happened"
	// Approve carries out a payment that a rule put before a person: a transfer or exchange at once, at the rate it was asked
	// for at; what needs a provider is sent by a worker, or by [Service.Advance]. While who pays owes money in that asset, or who
	// is paid out owes any, it does not fit: what is held has to repay it.
	Approve Resolution = "approve"
	// Deny ends such a payment: it fails with the reason "denied" and what was held is released.
	Deny Resolution = "deny"
	// Known says that nothing is left to do. It is refused while money of the case is in suspense, or its payment is parked,
	// under review, or a withdrawal that was taken back and whose money is held.
	Known Resolution = "known"
)

var resolutions = []Resolution{AssignTo, Return, WriteOff, NeverHappened, Approve, Deny, Known}

// ResolveRequest is a person's decision about a case.
type ResolveRequest struct {
	Key    string     `json:"-"`
	Actor  Actor      `json:"-"`
	Case   string     `json:"case"`
	Action Resolution `json:"action"`
	Member string     `json:"member,omitempty"` // of AssignTo; empty: the case's own
	// Method of a Return, when the money came by itself and nobody knows how.
	Method providers.Method `json:"method,omitempty"`
	By     string           `json:"by"`   // the person who decided, by the host's own name for them
	Note   string           `json:"note"` // why
}

// Resolve records a person's decision about a case, with the postings that follow from it, in one entry. The same key again
// returns the case as it stands. A case that is resolved already is ErrResolved; a decision that does not fit the case is
// ErrUnresolvable, of class Conflict too, so look at the case again.
func (s *Service) Resolve(ctx context.Context, r ResolveRequest) (Case, error) {
	if r.Key == "" {
		return Case{}, invalid("key", "is empty")
	}
	if r.By == "" || r.Note == "" {
		return Case{}, invalid("note", "who decided, and why, must be said")
	}
	if !slices.Contains(resolutions, r.Action) {
		return Case{}, invalid("action", "%q is unknown", r.Action)
	}
	if err := first(checkReference("by", r.By), checkText("note", r.Note)); err != nil {
		return Case{}, err
	}
	if r.Member != "" {
		if err := checkMember("member", r.Member); err != nil {
			return Case{}, err
		}
	}
	if err := s.desk.authorize(ctx, r.Actor, ActResolve, r.Member); err != nil {
		return Case{}, err
	}
	entry := ledger.Entry{Key: requestKey(r.Actor, r.Key), Inputs: r}
	if _, err := s.book.Receipt(ctx, entry.Key); !errors.Is(err, ledger.ErrKeyNotFound) {
		// The case has changed since, so only the key can tell what was decided.
		if _, err = s.book.Record(ctx, entry); err != nil {
			return Case{}, err
		}
		return s.Case(ctx, r.Case)
	}
	for range maxTries {
		guard, err := s.resolution(ctx, r)
		if err != nil {
			return Case{}, err
		}
		entry.Guards = []ledger.Guard{guard}
		_, err = s.book.Record(ctx, entry)
		if err == nil {
			return s.Case(ctx, r.Case)
		}
		// What was read before the step may be out of date: read again.
		if !errors.Is(err, ledger.ErrUndeclared) && !errors.Is(err, ledger.ErrVersion) {
			return Case{}, err
		}
	}
	return Case{}, refuse(ErrConflict, ledger.ErrVersion, "case", "%s keeps changing", r.Case)
}

// resolution reads the case and makes the guard that decides about it.
func (s *Service) resolution(ctx context.Context, r ResolveRequest) (ledger.Guard, error) {
	if _, err := s.Case(ctx, r.Case); err != nil {
		return ledger.Guard{}, err
	}
	a := &arbiter{request: r, config: s.config}
	reads := ledger.Reads{Documents: []ledger.DocumentID{caseDocument(r.Case), paymentDocument(r.Case)}}
	_, rec, err := s.desk.record(ctx, r.Case)
	switch {
	case errors.Is(err, ledger.NotFound): // an inbox item
	case err != nil:
		return ledger.Guard{}, err
	default:
		if r.Action == Approve && rec.Review && rec.Kind != Deposit && rec.Amount.IsValid() {
			a.debts = []ledger.AccountID{ReceivableAccount(rec.Member, rec.Amount.AssetID())}
			if rec.outward() {
				if a.debts, err = s.desk.debts(ctx, a.debts[0], rec.Member); err != nil {
					return ledger.Guard{}, err
				}
			}
			reads.Accounts = append(reads.Accounts, a.debts...)
		}
		if r.Action == Return {
			if a.back, err = s.giveBack(ctx, r, rec); err != nil {
				return ledger.Guard{}, err
			}
			reads.Documents = append(reads.Documents, paymentDocument(a.back.ID))
			reads.Holds = append(reads.Holds, mustID(a.back.ID))
		}
		member := cmp.Or(r.Member, rec.Member)
		reads = joined(joined(reads, rec.reviewReads()), rec.orphanReads())
		if rec.outward() {
			if asset := rec.Amount.AssetID(); rec.Member != "" {
				reads.Accounts = append(reads.Accounts, WalletAccount(rec.Member, asset), ReceivableAccount(rec.Member, asset))
			}
			reads.Holds = append(reads.Holds, mustID(rec.ID))
			reads.Transactions = append(reads.Transactions, repaymentID(mustID(rec.ID)))
		}
		if rec.Kind == Refund {
			reads.Documents = append(reads.Documents, paymentDocument(rec.Of), caseDocument(rec.Of))
		}
		nets, err := rec.suspense()
		if err != nil {
			return ledger.Guard{}, err
		}
		for _, net := range nets {
			asset := net.AssetID()
			reads.Accounts = append(reads.Accounts, SuspenseAccount(rec.Provider, asset), WriteOffAccount(asset))
			if member != "" {
				reads.Accounts = append(reads.Accounts, WalletAccount(member, asset), ReceivableAccount(member, asset))
			}
			reads.Transactions = append(reads.Transactions, a.transaction(asset))
		}
	}
	return ledger.Guard{Reads: reads, Check: a.decide}, nil
}

// joined is what both name.
func joined(a, b ledger.Reads) ledger.Reads {
	return ledger.Reads{
		Accounts: slices.Concat(a.Accounts, b.Accounts), Holds: slices.Concat(a.Holds, b.Holds),
		Transactions: slices.Concat(a.Transactions, b.Transactions), Documents: slices.Concat(a.Documents, b.Documents),
		References: slices.Concat(a.References, b.References),
	}
}

// arbiter turns a person's decision into commands, as a guard sees the book.
type arbiter struct {
	request ResolveRequest
	config  Config
	back    *record            // the refund of a Return
	debts   []ledger.AccountID // that stand against an Approve
}

// transaction is the id of the posting in an asset. Several decisions about one case differ by who made them.
func (a *arbiter) transaction(asset currency.AssetID) ledger.ID {
	return derivedID("resolve", a.request.Case, string(asset), requestKey(a.request.Actor, a.request.Key))
}

func (a *arbiter) decide(v ledger.View) ([]ledger.Command, error) {
	r := a.request
	d, found := v.Document(caseDocument(r.Case))
	if !found {
		return nil, refuse(ErrNotFound, ErrNoCase, "case", "there is no case %q", r.Case)
	}
	if CaseState(d.State) != CaseOpen {
		return nil, refuse(ErrConflict, ErrResolved, "case", "%s is resolved", r.Case)
	}
	body, err := readCase(d)
	if err != nil {
		return nil, err
	}
	var rec *record
	payment, found := v.Document(paymentDocument(r.Case))
	if found {
		if rec, err = readRecord(payment); err != nil {
			return nil, err
		}
	}
	var commands []ledger.Command
	if rec == nil || r.Action == Known {
		err = a.known(rec)
	} else {
		if commands, err = a.settle(v, rec); err == nil {
			var put ledger.PutDocument
			put, err = rec.put(payment.Version, rec.due(v.Now(), a.config))
			commands = append(commands, put)
		}
	}
	if err != nil {
		return nil, err
	}
	body.Resolutions = append(body.Resolutions, Resolved{Action: r.Action, Member: r.Member, By: r.By, Note: r.Note, At: v.Now()})
	put, err := body.put(d, CaseResolved)
	return append(commands, put), err
}

func (a *arbiter) unfit(format string, args ...any) error {
	return refuse(ErrConflict, ErrUnresolvable, "action", "%s: %s", a.request.Action, fmt.Sprintf(format, args...))
}

// known refuses to forget money.
func (a *arbiter) known(rec *record) error {
	switch {
	case a.request.Action != Known:
		return a.unfit("the case is about no payment")
	case rec == nil:
	case rec.Parked:
		return a.unfit("payment %s is parked", rec.ID)
	case rec.Review:
		return a.unfit("payment %s is under review", rec.ID)
	case rec.suspended():
		return a.unfit("money of payment %s is in suspense", rec.ID)
	case len(rec.orphans()) > 0:
		return a.unfit("money of payment %s is held, because it may move again", rec.ID)
	}
	return nil
}

// suspended tells whether money of the payment is in suspense.
func (r *record) suspended() bool {
	for _, e := range r.Effects {
		if e.Suspense.Sign() > 0 {
			return true
		}
	}
	return false
}

// suspense is what of the payment lies in suspense, an amount an asset: what came in less what went out. Of assets where these
// are the same it has zero.
func (r *record) suspense() (nets []currency.Amount, err error) {
	for _, e := range r.Effects {
		if e.Suspense.Sign() <= 0 {
			continue
		}
		i := slices.IndexFunc(nets, func(n currency.Amount) bool { return n.Asset() == e.Suspense.Asset() })
		if i < 0 {
			i, nets = len(nets), append(nets, currency.Zero(e.Suspense.Asset()))
		}
		add := nets[i].Add
		if e.Amount.Sign() < 0 {
			add = nets[i].Sub
		}
		if nets[i], err = add(e.Suspense); err != nil {
			return nil, err
		}
	}
	return nets, nil
}

// settle does what was decided about a payment.
func (a *arbiter) settle(v ledger.View, rec *record) ([]ledger.Command, error) {
	switch a.request.Action {
	case NeverHappened:
		return a.never(v, rec)
	case Approve, Deny:
		return a.review(v, rec)
	case AssignTo, WriteOff, Return, Known:
	}
	if !rec.suspended() {
		return nil, a.unfit("nothing of payment %s is in suspense", rec.ID)
	}
	if rec.Parked {
		return nil, a.unfit("payment %s is parked: say first whether it happened", rec.ID)
	}
	if slices.ContainsFunc(rec.Effects, func(e effect) bool { return e.Returning }) {
		return nil, a.unfit("money of payment %s is on its way back", rec.ID)
	}
	if a.request.Action == Return {
		return a.refund(v, rec)
	}
	member := cmp.Or(a.request.Member, rec.Member)
	c := newChart(v)
	var commands []ledger.Command
	nets, err := rec.suspense()
	if err != nil {
		return nil, err
	}
	for _, net := range nets {
		size, err := net.Abs()
		if err != nil {
			return nil, err
		}
		if size.Sign() == 0 {
			continue
		}
		in := net.Sign() > 0
		suspense := SuspenseAccount(rec.Provider, size.AssetID())
		var postings []ledger.Posting
		switch a.request.Action {
		case WriteOff:
			c.open(openWriteOff(size.Asset()))
			postings = between(suspense, WriteOffAccount(size.AssetID()), size, in)
		case AssignTo:
			if member == "" {
				return nil, invalid("member", "is empty, and the case has none")
			}
			c.open(openWallet(member, size.Asset()), openReceivable(member, size.Asset()))
			postings, err = a.assign(v, member, suspense, size, in)
		case Known, NeverHappened, Approve, Deny, Return:
		}
		if err != nil {
			return nil, err
		}
		note := rec.note()
		note.Description, note.Meta["resolution"] = a.request.Note, string(a.request.Action)
		commands = append(commands, ledger.Post{ID: a.transaction(size.AssetID()), Postings: postings, Fact: !in, Note: note})
	}
	for i := range rec.Effects {
		if e := &rec.Effects[i]; e.Suspense.Sign() > 0 && !planted("keep-resolved-suspense") {
			e.Suspense = currency.Amount{}
		}
	}
	if a.request.Action == AssignTo {
		rec.Stray = false // a person has looked: mined again it is theirs
		if rec.Screened != "" {
			rec.Screened = ScreenAllow
		}
		if rec.Member == "" {
			rec.Member = member // what is taken back later is theirs too
		}
	}
	return append(c.commands, commands...), nil
}

// between moves an amount from suspense to another account, or back.
func between(suspense, other ledger.AccountID, size currency.Amount, in bool) []ledger.Posting {
	if in {
		return []ledger.Posting{debit(suspense, size), credit(other, size)}
	}
	return []ledger.Posting{debit(other, size), credit(suspense, size)}
}

// assign posts X → R, U, or U, R → X.
func (a *arbiter) assign(v ledger.View, member string, suspense ledger.AccountID, size currency.Amount, in bool) ([]ledger.Posting, error) {
	if in {
		credits, err := creditRepaying(v, member, size)
		return append([]ledger.Posting{debit(suspense, size)}, credits...), err
	}
	own := currency.Zero(size.Asset())
	if wallet, ok := v.Account(WalletAccount(member, size.AssetID())); ok {
		if room, all := wallet.Headroom(ledger.Debit, true); !all {
			own = least(room, size)
		}
	}
	owed, err := size.Sub(own)
	if err != nil {
		return nil, err
	}
	var postings []ledger.Posting
	for _, p := range []ledger.Posting{debit(WalletAccount(member, size.AssetID()), own), debit(ReceivableAccount(member, size.AssetID()), owed)} {
		if p.Amount.Sign() > 0 {
			postings = append(postings, p)
		}
	}
	return append(postings, credit(suspense, size)), nil
}

// never ends a payment that is parked, or releases what is held of one that was taken back.
func (a *arbiter) never(v ledger.View, rec *record) ([]ledger.Command, error) {
	orphans := rec.orphans()
	if !rec.Parked && len(orphans) == 0 {
		return nil, a.unfit("payment %s is neither parked nor held because it may move again", rec.ID)
	}
	if rec.Parked {
		rec.Parked, rec.InFlight, rec.Maybe, rec.GivenUp = false, false, false, true
	}
	rec.Reason = providers.Reason{Code: "never_happened"}
	j := &journal{news: &news{provider: rec.Provider, id: rec.ID, config: a.config}, view: v, rec: rec, chart: newChart(v), effect: new(effect)}
	for _, e := range orphans {
		if err := j.free(e); err != nil {
			return nil, err
		}
	}
	if err := j.release(); err != nil {
		return nil, err
	}
	if planted("never-keeps-hold") {
		j.commands = nil
	}
	if rec.Kind != Refund {
		return j.commands, nil
	}
	settled, err := settleRefund(v, rec, a.config)
	return append(j.commands, settled...), err
}
