package simulation

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/payments"
	"github.com/koshpay/kosh/providers"
	"github.com/koshpay/kosh/providers/sandbox"
)

// maxRounds bounds how long a world may take to come to rest. The longest wait inside is for an inbox item and for
// a provider's return window: days of the world's time.
const maxRounds = 400

// rest switches every fault off and lets time pass until nothing is left to do; then everything is compared.
func (w *world) rest() {
	w.calm = true
	for _, s := range w.sites {
		if err := s.far.SetFaults(sandbox.Faults{}); err != nil {
			w.fail(breach(Sane, "%s: %v", s.name, err))
		}
	}
	for i := range w.workers {
		if err := w.restart(i); err != nil {
			w.fail(breach(Answered, "restart: %v", err))
			return
		}
	}
	w.dice = newDice(w.seed, 3)
	w.op = "rest"
	for _, s := range w.sites {
		s.downUntil = w.now
	}
	decides := w.dice.chance(600) // people decide about every case before the end
	w.decide()
	w.note("faults off at %s", w.now.Format(time.DateTime))
	left := ""
	for round := range maxRounds {
		for i := range w.workers {
			for range 10 {
				if w.step(w.workers[i]) == 0 {
					break
				}
			}
			w.pump(w.workers[i], 1000)
		}
		if w.breach() != nil {
			return
		}
		now := w.unfinished()
		if now != left {
			w.note("  at %s: %s", w.now.Format(time.DateTime), now)
		}
		if left = now; left == "" {
			if decides && w.decideAll() {
				continue // what they decided may be under way
			}
			break
		}
		w.now = w.next(round)
	}
	if left != "" {
		w.fail(breach(Ends, "%s after %d rounds", left, maxRounds))
		return
	}
	w.note("at rest at %s", w.now.Format(time.DateTime))
	for _, check := range []func() *Breach{
		w.audit, w.settled, w.reconciled, w.explained, w.remembers, w.delivered, w.listed, w.verified, w.apart, w.sealed,
	} {
		if b := check(); b != nil {
			w.fail(b)
			return
		}
	}
}

// next is when something is due, but never sooner than a while from now, which grows.
func (w *world) next(round int) time.Time {
	least := 20 * time.Second
	switch {
	case round > 200:
		least = 6 * time.Hour
	case round > 60:
		least = time.Hour
	case round > 20:
		least = 5 * time.Minute
	}
	next := w.now.Add(12 * time.Hour)
	earlier := func(t time.Time) {
		if t.Before(next) {
			next = t
		}
	}
	rows, err := w.truth.Scan(w.ctx, w.truth.book, ledger.Range{List: ledger.ListDueDocuments, Limit: 20})
	if err != nil {
		w.fail(breach(Sane, "scan: %v", err))
	}
	for _, d := range rows.Documents {
		if d.Kind != "cursor" {
			earlier(d.Due)
		}
	}
	for _, s := range w.sites {
		if t, ok := s.far.NextChange(); ok {
			earlier(t)
		}
	}
	for _, id := range w.escrows {
		if h := w.truth.holds[id]; h.State == ledger.HoldOpen && !h.ExpiresAt.IsZero() {
			earlier(h.ExpiresAt)
		}
	}
	if soonest := w.now.Add(least); next.Before(soonest) {
		return soonest
	}
	return next
}

// unfinished says what is left to do, or nothing.
func (w *world) unfinished() string {
	for _, p := range w.money.order {
		waits := p.Parked || p.state == payments.Review
		if !p.state.Done() && !(waits && w.money.cases[p.ID].state == payments.CaseOpen) {
			return fmt.Sprintf("%s %s is %s", p.Kind, p.ID, p.state)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(w.money.inbox)) {
		if w.money.inbox[id] == "waiting" {
			return "the inbox has " + id
		}
	}
	for _, s := range w.sites {
		if flying := s.far.InFlight(); len(flying) > 0 {
			return fmt.Sprintf("%s has %s %s", s.name, flying[0].Kind, flying[0].Reference)
		}
		for _, o := range s.far.Operations() {
			for _, e := range o.Effects {
				if _, posted := w.money.effects[s.name][e.ID]; !posted {
					return fmt.Sprintf("effect %s of %s is not taken in", e.ID, s.name)
				}
			}
		}
	}
	rows, err := w.truth.Scan(w.ctx, w.truth.book, ledger.Range{List: ledger.ListPending, Limit: 1})
	if err != nil || len(rows.Pending) > 0 {
		return "the feed is not numbered"
	}
	for _, id := range w.truth.placed {
		h := w.truth.holds[id]
		if h.State != ledger.HoldOpen {
			continue
		}
		if p := w.money.intents[h.Reference]; p == nil || !(p.Parked || p.foreign() || p.state == payments.Review) {
			return fmt.Sprintf("hold %s of payment %s is open", id, h.Reference)
		}
	}
	return ""
}

// settled: the clearing accounts equal the providers' own balances to the unit.
func (w *world) settled() *Breach {
	for _, s := range w.sites {
		if err := s.far.Audit(); err != nil {
			return breach(Sane, "%s: %v", s.name, err)
		}
		for _, held := range s.far.Balances() {
			id := payments.ClearingAccount(s.name, held.AssetID())
			if a := w.truth.accounts[id]; a == nil || a.Posted != held {
				return breach(Clearing, "%s holds %v and %s has another amount at rest", s.name, held, id).about(id)
			}
		}
	}
	return nil
}

// reconciled: the providers' statements match the book, movement by movement.
func (w *world) reconciled() *Breach {
	for _, s := range w.sites {
		moved := 0
		for _, o := range s.far.Operations() {
			moved += len(o.Effects)
		}
		got, err := w.workers[0].service.Reconcile(w.ctx, payments.ReconcileRequest{
			Provider: s.name, Since: epoch, Until: w.now.Add(time.Second),
		})
		if err != nil || !got.OK() || got.Matched != moved {
			return breach(Clearing, "%s reconciles %d of %d movements: %+v, %v", s.name, got.Matched, moved, got.Mismatches, err)
		}
	}
	return nil
}

// explained: what is in suspense is the sum of what payments left there, and each of those has a case.
func (w *world) explained() *Breach {
	sums := map[ledger.AccountID]currency.Amount{}
	for _, p := range w.money.order {
		for _, e := range p.Effects {
			if e.Suspense.Sign() == 0 {
				continue
			}
			if w.money.cases[p.ID].state == "" {
				return breach(Explained, "payment %s has %v in suspense and no case", p.ID, e.Suspense)
			}
			id, part := payments.SuspenseAccount(p.Provider, e.Amount.AssetID()), e.Suspense
			if e.Amount.Sign() < 0 {
				part = minus(currency.Zero(part.Asset()), part)
			}
			sums[id] = plus(sums[id], part)
		}
		if p.Parked && w.money.cases[p.ID].state == "" {
			return breach(Ends, "payment %s is parked without a case", p.ID)
		}
	}
	for _, s := range w.sites {
		for _, a := range s.assets {
			id := payments.SuspenseAccount(s.name, a.ID())
			if info := w.truth.accounts[id]; info != nil && !equal(info.Posted, sums[id]) {
				return breach(Explained, "%s has %v, payments left %v there", id, info.Posted, sums[id]).about(id)
			}
		}
	}
	return nil
}

// remembers: everything that was ever acknowledged can be read back.
func (w *world) remembers() *Breach {
	for _, r := range w.requests {
		if r.acked == nil || r.acked.ID == "" {
			continue
		}
		got, err := w.workers[0].service.Payment(w.ctx, payments.Member(r.acked.Member), r.acked.ID)
		if r.acked.Member == "" {
			got, err = w.workers[0].service.Payment(w.ctx, payments.Platform(), r.acked.ID)
		}
		if err != nil {
			return breach(Lasting, "payment %s was acknowledged and reads: %v", r.acked.ID, err)
		}
		if b := w.remembered(r.acked); b != nil {
			return b
		}
		now := w.money.intents[got.ID]
		if now == nil || got.Version != now.version || got.State != now.state || got.Amount != now.Amount || got.Kind != now.Kind {
			return breach(Lasting, "payment %s reads as %+v, last written was %+v", got.ID, got, now)
		}
	}
	return nil
}

// delivered: every change of a payment's state is an event, and a payment's events are in order.
func (w *world) delivered() *Breach {
	seen := map[string]uint64{}
	changes := map[string][]turn{}
	var position uint64
	for e, err := range w.workers[0].service.Events(w.ctx, 0) {
		p := e.Payment
		if err != nil {
			return breach(Delivered, "the feed ends with: %v", err)
		}
		if e.Position <= position || p.Version <= seen[p.ID] {
			return breach(Delivered, "event %d is version %d of %s, after version %d", e.Position, p.Version, p.ID, seen[p.ID])
		}
		position, seen[p.ID] = e.Position, p.Version
		if all := changes[p.ID]; len(all) == 0 || all[len(all)-1].state != p.State {
			changes[p.ID] = append(all, turn{p.Version, p.State})
		}
	}
	for _, p := range w.money.order {
		if !slices.Equal(changes[p.ID], w.money.turns[p.ID]) {
			return breach(Delivered, "payment %s changed %v and the events say %v", p.ID, w.money.turns[p.ID], changes[p.ID])
		}
	}
	return nil
}

// verified asks the ledger for its own proofs.
func (w *world) verified() *Breach {
	book := w.workers[0].service.Book()
	balance, err := book.TrialBalance(w.ctx, ledger.AsOf{})
	if err != nil || !balance.Balanced() {
		return breach(ZeroSum, "the ledger's trial balance: %+v, %v", balance, err)
	}
	proof, err := book.Verify(w.ctx)
	if err != nil || !proof.OK() {
		return breach(Fold, "the ledger's own proof: %v, %v", proof.Problems, err)
	}
	cases := 0
	for c, err := range w.workers[0].service.Cases(w.ctx, payments.CaseQuery{}) {
		if err != nil || w.money.cases[c.ID].state != payments.CaseOpen {
			return breach(Lists, "case %s: %v", c.ID, err)
		}
		cases++
	}
	if open := w.openCases(); cases != len(open) {
		return breach(Lists, "%d cases are listed of %d", cases, len(open))
	}
	return nil
}

// sealed edits one transaction behind the ledger's back, in some worlds, and wants the ledger's proof to find it.
func (w *world) sealed() *Breach {
	if len(w.truth.order) == 0 || !w.dice.chance(200) {
		return nil
	}
	book := w.workers[0].service.Book()
	kept, err := book.Checkpoint(w.ctx)
	if err != nil {
		return breach(Sane, "checkpoint: %v", err)
	}
	was := w.truth.posted[pick(w.dice, w.truth.order...)]
	forged := was
	what := pick(w.dice, "reference", "key", "amount")
	switch what {
	case "reference":
		forged.Reference += "x"
	case "key":
		forged.Key += "x"
	case "amount":
		forged.Postings = slices.Clone(was.Postings)
		for i := range forged.Postings {
			forged.Postings[i].Amount = oneMore(forged.Postings[i].Amount)
		}
	}
	edit := func(t ledger.Transaction) error {
		return w.truth.Store.Update(w.ctx, w.truth.book, ledger.Names{Transactions: []ledger.ID{t.ID}}, func(ledger.Rows) (ledger.Rows, ledger.Names, error) {
			return ledger.Rows{Transactions: []ledger.Transaction{t}}, ledger.Names{}, nil
		})
	}
	if err := edit(forged); err != nil {
		return breach(Sane, "edit: %v", err)
	}
	proof, err := book.Verify(w.ctx, kept)
	if err != nil || proof.OK() {
		return breach(Sealed, "the %s of transaction %s was changed and nobody finds it: %v", what, was.ID, err)
	}
	if err := edit(was); err != nil {
		return breach(Sane, "edit: %v", err)
	}
	if proof, err = book.Verify(w.ctx, kept); err != nil || !proof.OK() {
		return breach(Sealed, "the book is as it was and is not believed: %v, %v", proof.Problems, err)
	}
	return nil
}

// neighbour fills another book of the same store with accounts and keys of the same names.
func (w *world) neighbour() error {
	if w.dump == nil {
		return nil
	}
	book := ledger.New(w.truth, ledger.Config{Book: "neighbour", Clock: w.clock, NewID: w.ids.id})
	a, b := payments.WalletAccount("m1", "USD"), payments.WalletAccount("m2", "USD")
	_, err := book.Record(w.ctx, ledger.Entry{Key: "req/member/m1/k1", Commands: []ledger.Command{
		ledger.OpenAccount{Account: a, Type: ledger.Asset},
		ledger.OpenAccount{Account: b, Type: ledger.Liability, Owner: "m1"},
		ledger.Post{Postings: []ledger.Posting{
			{Account: a, Side: ledger.Debit, Amount: currency.MustNew(7, currency.USD)},
			{Account: b, Side: ledger.Credit, Amount: currency.MustNew(7, currency.USD)},
		}},
		ledger.PutDocument{DocumentID: ledger.DocumentID{Kind: "payment", ID: "x"}, Owner: "m1", Lane: string(providers.Card), Due: w.now, State: "created"},
	}})
	if err != nil {
		return err
	}
	w.other, err = w.dump(w.ctx, w.truth, "neighbour")
	return err
}

// apart: the neighbouring book is as it was.
func (w *world) apart() *Breach {
	if w.dump == nil {
		return nil
	}
	now, err := w.dump(w.ctx, w.truth, "neighbour")
	if err != nil || !slices.Equal(now, w.other) {
		return breach(Apart, "the neighbouring book changed: %v", err)
	}
	return nil
}
