package simulation

import (
	"bytes"
	"slices"
	"strings"
	"time"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/payments"
)

// This file reads the book through kosh and compares what it says with brute force over what was written.

// look is somebody who looks at a list or at a past balance.
func (w *world) look(p *process) {
	faults := p.faults
	b := w.compareLists(p.service, pick(w.dice, w.members...))
	if b == nil && len(w.truth.order) > 0 {
		b = w.past(p.service.Book(), w.truth.posted[pick(w.dice, w.truth.order...)])
	}
	if p.faults == faults && !p.dead {
		w.fail(b)
	}
}

// listed looks at everything.
func (w *world) listed() *Breach {
	s := w.workers[0].service
	for _, m := range w.members {
		if b := w.compareLists(s, m); b != nil {
			return b
		}
	}
	for i := 0; i < len(w.truth.order); i += 1 + len(w.truth.order)/8 {
		if b := w.past(s.Book(), w.truth.posted[w.truth.order[i]]); b != nil {
			return b
		}
	}
	return nil
}

// past: the balances of a transaction's accounts as they stood just after it.
func (w *world) past(book *ledger.Book, t ledger.Transaction) *Breach {
	for _, p := range t.Postings {
		got, err := book.Account(p.Account).Balance(w.ctx, ledger.AsOf{Recorded: t.RecordedAt})
		if err != nil {
			return breach(Fold, "the balance of %s at %s: %v", p.Account, t.RecordedAt, err)
		}
		var want ledger.Line
		for _, l := range w.truth.lines[p.Account] {
			if !l.RecordedAt.After(t.RecordedAt) {
				want = l
			}
		}
		if got.Version != want.Version || got.Posted != want.Posted || got.Held != want.Held {
			return breach(Fold, "%s at %s had %v, line %d said %v held %v", p.Account, t.RecordedAt, got, want.Version, want.Posted, want.Held).about(p.Account)
		}
	}
	return nil
}

// compareLists looks at what one member sees.
func (w *world) compareLists(s *payments.Service, member string) *Breach {
	for _, check := range []func(*payments.Service, string) *Breach{w.wallets, w.statement, w.dossier, w.periods} {
		if b := check(s, member); b != nil {
			return b
		}
	}
	return nil
}

func (w *world) wallets(s *payments.Service, member string) *Breach {
	got, err := s.Wallets(w.ctx, payments.Member(member), member)
	if err != nil {
		return breach(Lists, "the wallets of %s: %v", member, err)
	}
	want := 0
	for id := range w.truth.accounts {
		if id.Path == "wallet/"+member {
			want++
		}
	}
	if len(got) != want {
		return breach(Lists, "%s has %d wallets, %d are listed", member, want, len(got))
	}
	for _, g := range got {
		own := w.truth.accounts[payments.WalletAccount(member, g.Asset.ID())]
		owes := w.truth.accounts[payments.ReceivableAccount(member, g.Asset.ID())]
		if own == nil || owes == nil || g.Posted != own.Posted || g.Held != own.Held || g.Available != minus(own.Posted, own.Held) ||
			g.Owes != owes.Posted || g.Frozen != (own.Terms.DebitsFrozen || own.Terms.Closed) {
			return breach(Lists, "the wallet of %s in %s is shown as %+v", member, g.Asset.ID(), g).about(payments.WalletAccount(member, g.Asset.ID()))
		}
	}
	return nil
}

// statement: what it shows adds up to the balances.
func (w *world) statement(s *payments.Service, member string) *Breach {
	asset := w.asset()
	id := payments.WalletAccount(member, asset.ID())
	lines := w.truth.lines[id]
	posted, held, n := currency.Zero(asset), currency.Zero(asset), 0
	for l, err := range s.Statement(w.ctx, payments.Member(member), member, asset.ID(), time.Time{}, time.Time{}) {
		if err != nil {
			if len(lines) == 0 {
				return nil
			}
			return breach(Lists, "the statement of %s: %v", id, err)
		}
		posted, held = plus(posted, l.Amount), plus(held, l.Held)
		n++
		if l.Posted != posted || l.HeldAfter != held || l.Payment == "" || w.money.intents[l.Payment] == nil {
			return breach(Lists, "line %d of the statement of %s: %+v; it adds up to %v and %v", n, id, l, posted, held).about(id)
		}
	}
	want := 0
	for _, l := range lines {
		if l.Kind != ledger.LineOpened && l.Kind != ledger.LineSet {
			want++
		}
	}
	if n != want {
		return breach(Lists, "the statement of %s has %d lines of %d", id, n, want).about(id)
	}
	return nil
}

// dossier: documents by owner, by kind and by state, and an owner's instruments.
func (w *world) dossier(s *payments.Service, member string) *Breach {
	state := pick(w.dice, payments.Succeeded, payments.Failed, payments.Pending, payments.Unknown)
	queries := []struct {
		query ledger.Query
		fits  func(*intent) bool
	}{
		{ledger.Query{List: ledger.ListDossier, Owner: member, Kind: "payment"}, func(p *intent) bool { return p.Member == member }},
		{ledger.Query{List: ledger.ListDocuments, Kind: "payment", State: string(state), Backward: true, Limit: 7}, func(p *intent) bool { return p.state == state }},
		{ledger.Query{List: ledger.ListDocuments, Kind: "payment", Owner: member, Limit: 3}, func(p *intent) bool { return p.Member == member }},
	}
	for _, q := range queries {
		var got, want []string
		for d, err := range s.Book().Documents(w.ctx, q.query) {
			if err != nil {
				return breach(Lists, "%+v: %v", q.query, err)
			}
			got = append(got, d.ID)
		}
		for _, p := range w.money.order {
			if q.fits(p) {
				want = append(want, p.ID)
			}
		}
		if !sameSet(got, want, strings.Compare) {
			return breach(Lists, "%+v lists %d payments of %d", q.query, len(got), len(want))
		}
	}
	links := 0
	for i, err := range s.Instruments(w.ctx, payments.Member(member), member) {
		if p := w.money.intents[i.ID]; err != nil || p == nil || p.Member != member || p.state != i.State {
			return breach(Lists, "instrument %+v of %s: %v", i, member, err)
		}
		links++
	}
	for _, p := range w.money.order {
		if p.Kind == payments.Link && p.Member == member {
			links--
		}
	}
	if links != 0 {
		return breach(Lists, "%d instruments of %s too many", links, member)
	}
	return nil
}

// periods: transactions and lines of a stretch of time, and of one payment.
func (w *world) periods(s *payments.Service, member string) *Breach {
	if len(w.truth.order) == 0 {
		return nil
	}
	since := w.truth.posted[pick(w.dice, w.truth.order...)].RecordedAt
	until := since.Add(w.dice.duration(time.Minute, 48*time.Hour))
	reference := w.truth.posted[pick(w.dice, w.truth.order...)].Reference
	if reference == "" { // the host's own
		reference = "nothing"
	}
	asset := w.asset().ID()
	within := func(t time.Time) bool { return !t.Before(since) && t.Before(until) }
	for _, q := range []struct {
		query ledger.Query
		fits  func(ledger.Transaction) bool
	}{
		{ledger.Query{List: ledger.ListTransactions, Since: since, Until: until, Limit: 5}, func(t ledger.Transaction) bool { return within(t.RecordedAt) }},
		{ledger.Query{List: ledger.ListTransactions, Reference: reference, Backward: true}, func(t ledger.Transaction) bool { return t.Reference == reference }},
		{ledger.Query{List: ledger.ListTransactions, Asset: asset, Since: since}, func(t ledger.Transaction) bool {
			return !t.RecordedAt.Before(since) && slices.ContainsFunc(t.Postings, func(p ledger.Posting) bool { return p.Account.Asset == asset })
		}},
	} {
		var got, want []ledger.ID
		for t, err := range s.Book().Transactions(w.ctx, q.query) {
			if err != nil {
				return breach(Lists, "%+v: %v", q.query, err)
			}
			got = append(got, t.ID)
		}
		for _, id := range w.truth.order {
			if q.fits(w.truth.posted[id]) {
				want = append(want, id)
			}
		}
		if !sameSet(got, want, compareIDs) {
			return breach(Lists, "%+v lists %d transactions of %d", q.query, len(got), len(want))
		}
	}
	id := payments.WalletAccount(member, asset)
	n := 0
	for l, err := range s.Book().Lines(w.ctx, ledger.Query{List: ledger.ListLines, Account: id, Since: since, Until: until, Limit: 2}) {
		if err != nil || !within(l.RecordedAt) {
			return breach(Lists, "line %d of %s from %s to %s: %v", l.Version, id, since, until, err)
		}
		n++
	}
	for _, l := range w.truth.lines[id] {
		if within(l.RecordedAt) {
			n--
		}
	}
	if n != 0 {
		return breach(Lists, "%d lines of %s too many from %s to %s", n, id, since, until)
	}
	return nil
}

// sameSet sorts both.
func sameSet[T comparable](a, b []T, compare func(a, b T) int) bool {
	slices.SortFunc(a, compare)
	slices.SortFunc(b, compare)
	return slices.Equal(a, b)
}

func compareIDs(a, b ledger.ID) int { return bytes.Compare(a[:], b[:]) }
