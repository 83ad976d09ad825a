package simulation

import (
	"cmp"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/payments"
	"github.com/koshpay/kosh/providers"
)

// This file is what must follow from a payment's document: who is debited and credited, what is held, what is a case's. It is
// computed from what was asked for and from what the provider did, never from how payments posts it.

// flow is what one payment without a provider has moved so far, debits positive, where what a member owes counts as theirs.
type flow map[ledger.AccountID]currency.Amount

// flows adds the update's transactions to the payments that they belong to, and returns those.
func (m *ledgerOfPayments) flow(w *witness, rows *ledger.Rows) *Breach {
	for i := range rows.Transactions {
		t := &rows.Transactions[i]
		if w.counted[t.ID] {
			continue // it was written before, and is written again because it was reversed
		}
		w.counted[t.ID] = true
		p := m.intents[t.Reference]
		if p == nil {
			if !strings.HasPrefix(t.Key, "host/") {
				return breach(RecordFirst, "transaction %s is of payment %q, which is not there", t.ID, t.Reference)
			}
			continue
		}
		for _, leg := range t.Postings {
			if b := p.concerns(t, leg.Account); b != nil {
				return b
			}
			if p.Provider != "" {
				continue
			}
			if m.flows[p.ID] == nil {
				m.flows[p.ID] = flow{}
			}
			at := leg.Account
			if member, owes := strings.CutPrefix(at.Path, "receivable/"); owes {
				at.Path = "wallet/" + member
			}
			m.flows[p.ID][at] = plus(m.flows[p.ID][at], signed(leg.Side, leg.Amount))
		}
	}
	return nil
}

// concerns: a payment moves the money of its own members only, or of whom a person named.
func (p *intent) concerns(t *ledger.Transaction, account ledger.AccountID) *Breach {
	_, member, of := strings.Cut(account.Path, "/")
	if !of || !strings.HasPrefix(account.Path, "wallet/") && !strings.HasPrefix(account.Path, "receivable/") {
		return nil
	}
	if member == p.Member || member == p.Counterparty || t.Meta["resolution"] == string(payments.AssignTo) {
		return nil
	}
	return breach(Apart, "payment %s of %s moves money of %s", p.ID, p.Member, account).about(account)
}

// expected is what a payment without a provider must have moved.
func (p *intent) expected() flow {
	f := flow{}
	if p.state != payments.Succeeded {
		return f
	}
	add := func(id ledger.AccountID, a currency.Amount, sign int) {
		if !a.IsValid() {
			return
		}
		if sign < 0 {
			a = minus(currency.Zero(a.Asset()), a)
		}
		f[id] = plus(f[id], a)
	}
	asset := p.Amount.AssetID()
	switch p.Kind {
	case payments.Send, payments.Tip:
		add(payments.WalletAccount(p.Member, asset), p.Amount, 1)
		add(payments.WalletAccount(p.Counterparty, asset), minus(p.Amount, p.Fee), -1)
		add(payments.RevenueAccount(asset), p.Fee, -1)
	case payments.Exchange:
		add(payments.WalletAccount(p.Member, asset), p.Amount, 1)
		add(payments.PositionAccount(asset), minus(p.Amount, p.Fee), -1)
		add(payments.RevenueAccount(asset), p.Fee, -1)
		add(payments.PositionAccount(p.Bought.AssetID()), p.Bought, 1)
		add(payments.WalletAccount(p.Member, p.Bought.AssetID()), p.Bought, -1)
	case payments.Issue:
		add(payments.SupplyAccount(asset), p.Amount, 1)
		add(payments.PositionAccount(asset), p.Amount, -1)
	case payments.Burn:
		add(payments.PositionAccount(asset), p.Amount, 1)
		add(payments.SupplyAccount(asset), p.Amount, -1)
	case payments.Forgiven:
		add(payments.WriteOffAccount(asset), p.Amount, 1)
		add(payments.WalletAccount(p.Member, asset), p.Amount, -1)
	default:
		return nil
	}
	return f
}

// flowed: a payment without a provider has moved exactly what was asked for.
func (m *ledgerOfPayments) flowed(p *intent) *Breach {
	want := p.expected()
	if p.Provider != "" || want == nil {
		return nil
	}
	got := m.flows[p.ID]
	for _, both := range []flow{want, got} {
		for _, id := range slices.SortedFunc(maps.Keys(both), inOrder) { // the same seed tells the same
			if !equal(got[id], want[id]) {
				return breach(Shares, "%s %s of %v is %s and moved %v on %s, not %v", p.Kind, p.ID, p.Amount, p.state, got[id], id, want[id]).about(id)
			}
		}
	}
	return nil
}

func inOrder(a, b ledger.AccountID) int {
	return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Asset, b.Asset))
}

// ruled: what a rule refuses is not recorded, and what it wants a person to see waits for them.
func (m *ledgerOfPayments) ruled(p *intent) *Breach {
	if p.FromSuspense != "" || p.Kind == payments.Address || p.Kind == payments.Link {
		return nil
	}
	review := false
	for _, v := range m.verdicts {
		if !v.applies(p.Kind, p.Member, p.Amount) {
			continue
		}
		if v.code != payments.ErrReview {
			return breach(Limits, "%s %s of %v was recorded, which a rule refuses", p.Kind, p.ID, p.Amount)
		}
		review = true
	}
	if review != (p.state == payments.Review) {
		return breach(Limits, "%s %s of %v begins as %s; that a person must see it: %v", p.Kind, p.ID, p.Amount, p.state, review)
	}
	return nil
}

// begun checks a payment as somebody asked for it.
func (m *ledgerOfPayments) begun(w *witness, p *intent) *Breach {
	if b := m.takes(p); b != nil {
		return b
	}
	switch {
	case p.Kind == payments.Exchange && p.Quote == "":
		if b := m.fair(p.Amount, p.Fee, p.Bought, false); b != nil {
			return b
		}
	case p.outward() && p.FromSuspense == "":
		if owed := w.debt(p.Member); owed != nil {
			return breach(Bounds, "%s %s of %s, who owes %v", p.Kind, p.ID, p.Member, owed.Posted).about(owed.ID)
		}
	}
	return m.ruled(p)
}

// debt is what a member owes in some asset; nil: in none.
func (w *witness) debt(member string) (owed *ledger.AccountInfo) {
	for id, a := range w.accounts {
		if id.Path == payments.ReceivableAccount(member, id.Asset).Path && a.Posted.Sign() > 0 && (owed == nil || inOrder(id, owed.ID) < 0) {
			owed = a
		}
	}
	return owed
}

// attributed: what comes to an address belongs to whoever has it.
func (m *ledgerOfPayments) attributed(p *intent) *Breach {
	if p.Kind != payments.Deposit || p.Of == "" {
		return nil
	}
	if a := m.intents[p.Of]; a == nil || a.Kind != payments.Address || a.Member != p.Member {
		return breach(Apart, "deposit %s of %q came to address %s", p.ID, p.Member, p.Of)
	}
	return nil
}

// cased: money in suspense, a parked payment and one under review have an open case, or the money is on its way back.
func (m *ledgerOfPayments) cased(p *intent) *Breach {
	why := ""
	for _, e := range p.Effects {
		if e.Suspense.Sign() < 0 {
			return breach(Explained, "effect %s of payment %s has %v in suspense", e.ID, p.ID, e.Suspense)
		}
		if e.Suspense.Sign() > 0 && !e.Returning {
			why = "has " + e.Suspense.String() + " in suspense"
		}
	}
	if p.Parked {
		why = "is parked"
	}
	if p.state == payments.Review {
		why = "waits for a person"
	}
	if why != "" && m.cases[p.ID].state != payments.CaseOpen {
		return breach(Explained, "payment %s %s and has no open case", p.ID, why)
	}
	return nil
}

// inSuspense: what nobody asked for is not the member's.
func (m *ledgerOfPayments) inSuspense(p *intent, e taken) *Breach {
	if e.Kind != providers.Moved || slices.ContainsFunc(p.Effects, func(o taken) bool { return o.Reverses == e.ID }) || p.FromSuspense != "" {
		return nil
	}
	size := e.Amount
	if size.Sign() < 0 {
		size = minus(currency.Zero(size.Asset()), size)
	}
	excess := size
	doubted := p.asked == "" && p.Kind == payments.Deposit && !m.cases[p.ID].assigned &&
		m.screening.screens(p.Kind, p.Member, p.Amount) != payments.ScreenAllow
	if e.Amount.Asset() == p.Amount.Asset() && !doubted {
		excess = least(size, minus(p.moved(), p.Amount))
	}
	if excess.Sign() > 0 && less(e.Suspense, excess) {
		return breach(Explained, "%v of payment %s, %v in suspense: nobody asked for %v", e.Amount, p.ID, e.Suspense, excess)
	}
	return nil
}

// covered tells whether what is left of a hold is enough: the amount, and what the member bears of the network's fee.
func (p *intent) covered(left currency.Amount) bool {
	if !p.MemberBears {
		return left == p.Amount
	}
	return left == plus(p.Amount, p.MaxFee) || len(p.Effects) > 0 && !less(left, p.Amount)
}

// cleared tells whether the screener, or a person whom it called, lets a withdrawal go.
func (m *ledgerOfPayments) cleared(p *intent) bool {
	switch m.screening.screens(p.Kind, p.Member, p.Amount) {
	case payments.ScreenDeny:
		return false
	case payments.ScreenReview:
		return slices.ContainsFunc(m.turns[p.ID], func(t turn) bool { return t.state == payments.Review })
	default:
		return true
	}
}

// borne: a member bears what the network charged for what moved, up to what they were told, and nothing else.
func borne(p *intent) *Breach {
	if !p.Amount.IsValid() {
		return nil
	}
	due, charged, moved := currency.Zero(p.Amount.Asset()), currency.Zero(p.Amount.Asset()), false
	for _, e := range p.Effects {
		moved = moved || e.Kind == providers.Moved && e.Amount.Asset() == p.Amount.Asset()
		if e.Kind == providers.Fee && e.Amount.Asset() == charged.Asset() {
			charged = minus(charged, e.Amount)
		}
	}
	if p.MemberBears && moved && charged.Sign() > 0 {
		due = least(charged, p.MaxFee)
	}
	if !equal(p.FeeBorne, due) {
		return breach(Shares, "of the fee of %s the member bears %v, not %v", p.ID, p.FeeBorne, due)
	}
	return nil
}

// provisional: what may still be taken back is held.
func provisional(p *intent, e taken, rows *ledger.Rows) *Breach {
	if e.Kind != providers.Moved || !p.Provisional || p.Final || e.Hold != uuid.Nil || p.Kind != payments.Deposit ||
		slices.ContainsFunc(p.Effects, func(o taken) bool { return o.Reverses == e.ID }) {
		return nil
	}
	wallet := payments.WalletAccount(p.Member, e.Amount.AssetID())
	for i := range rows.Transactions {
		t := &rows.Transactions[i]
		for _, leg := range t.Postings {
			if t.Reference == p.ID && leg.Account == wallet && leg.Side == ledger.Credit && leg.Amount == e.Amount {
				return breach(HoldFirst, "%v of deposit %s may be taken back and is not held", e.Amount, p.ID).about(wallet)
			}
		}
	}
	return nil
}

// repaid: all that comes to a member repays first what they owe, so who owes has nothing to spend.
func repaid(w *witness, rows *ledger.Rows) *Breach {
	for i := range rows.Accounts {
		id := rows.Accounts[i].ID
		kind, member, _ := strings.Cut(id.Path, "/")
		if kind != "wallet" && kind != "receivable" {
			continue
		}
		wallet, owed := w.accounts[payments.WalletAccount(member, id.Asset)], w.accounts[payments.ReceivableAccount(member, id.Asset)]
		if wallet == nil || owed == nil || owed.Posted.Sign() <= 0 {
			continue
		}
		if free := minus(wallet.Posted, wallet.Held); free.Sign() > 0 {
			return breach(DebtFirst, "%s can spend %v and owes %v", wallet.ID, free, owed.Posted).about(wallet.ID, owed.ID)
		}
	}
	return nil
}

// tally takes over what a version of a payment says about accounts that belong to a provider: each is the sum of what payments
// have there, at any moment.
func (m *ledgerOfPayments) tally(p *intent, sign int) {
	if p.FeeBorne.Sign() != 0 {
		m.sum(payments.FeesAccount(p.Provider, p.FeeBorne.AssetID()), p.FeeBorne, -sign)
	}
	for _, e := range p.Effects {
		switch e.Kind {
		case providers.Fee:
			m.sum(payments.FeesAccount(p.Provider, e.Amount.AssetID()), e.Amount, -sign)
		case providers.Settled:
			m.sum(payments.BankAccount(e.Amount.AssetID()), e.Amount, -sign)
		default:
		}
		if e.Suspense.Sign() != 0 {
			into := sign
			if e.Amount.Sign() < 0 {
				into = -sign
			}
			m.sum(payments.SuspenseAccount(p.Provider, e.Suspense.AssetID()), e.Suspense, into)
		}
	}
}

func (m *ledgerOfPayments) sum(id ledger.AccountID, a currency.Amount, sign int) {
	if sign < 0 {
		a = minus(currency.Zero(a.Asset()), a)
	}
	m.sums[id] = plus(m.sums[id], a)
}

// summed compares an account of a provider, or of our bank, with what payments have there.
func (m *ledgerOfPayments) summed(w *witness, id ledger.AccountID) *Breach {
	ours := id.Path == "bank/settlement" || strings.HasPrefix(id.Path, "provider/") &&
		(strings.HasSuffix(id.Path, "/fees") || strings.HasSuffix(id.Path, "/suspense"))
	if a := w.accounts[id]; ours && !equal(a.Posted, m.sums[id]) {
		return breach(Explained, "%s has %v, payments say %v", id, a.Posted, m.sums[id]).about(id)
	}
	if a := w.accounts[id]; id.Path == "position" && a.Posted.Asset() == coin && a.Posted.Sign() < 0 {
		return breach(Bounds, "%v were sold that were never issued", a.Posted).about(id)
	}
	return nil
}

// refundableNow is what may still be given back of a deposit.
func (m *ledgerOfPayments) refundableNow(deposit *intent) currency.Amount {
	rest := minus(deposit.moved(), deposit.withdrawn())
	for _, q := range m.order {
		if q.Kind != payments.Refund || q.Of != deposit.ID || q.Amount.Asset() != deposit.Amount.Asset() {
			continue
		}
		reserved := q.Amount
		switch moved := q.moved(); {
		case q.state == payments.Failed || q.state == payments.Canceled || q.state == payments.Reversed:
			reserved = moved
		case less(reserved, moved):
			reserved = moved
		}
		rest = minus(rest, reserved)
	}
	return rest
}

// justified: a decline has its cause in the book. It is of a first try, so it is not about an earlier moment, and nobody else
// has acted since.
func (w *world) justified(r *request, err error) *Breach {
	if r.asked > 1 || !r.amount.IsValid() || r.kind == "" {
		return nil
	}
	why := ""
	owed := w.truth.accounts[payments.ReceivableAccount(r.member, r.amount.AssetID())]
	of := w.money.intents[r.of]
	switch {
	case errors.Is(err, ledger.ErrInsufficientFunds):
		free := w.available(r.member, r.amount.Asset())
		if position := w.truth.accounts[payments.PositionAccount(r.amount.AssetID())]; r.kind == payments.Burn && position != nil {
			free = position.Posted
		}
		if !less(free, r.amount) && r.kind != payments.Exchange && r.kind != payments.Issue {
			why = "available is " + free.String()
		}
	case errors.Is(err, payments.ErrLimit):
		spent := w.money.spent[spender{r.member, w.now.UTC().Format(time.DateOnly)}]
		if !less(w.limit.Max, plus(spent, r.amount)) {
			why = "the limit is " + w.limit.Max.String()
		}
	case errors.Is(err, payments.ErrQuoteUsed):
		if !w.money.offers[r.quote].used {
			why = "nobody used it"
		}
	case errors.Is(err, payments.ErrQuoteExpired):
		if until := w.money.offers[r.quote].Until; w.now.Add(w.skew).Before(until) {
			why = "it is good until " + until.Format(time.DateTime)
		}
	case errors.Is(err, payments.ErrOwes):
		if w.truth.debt(r.member) == nil {
			why = "nothing is owed"
		}
	case errors.Is(err, payments.ErrNotOwed):
		if owed != nil && !less(owed.Posted, r.amount) {
			why = "owed is " + owed.Posted.String()
		}
	case errors.Is(err, payments.ErrDisputed):
		if of != nil && !of.disputed() {
			why = "nothing is disputed"
		}
	case errors.Is(err, payments.ErrNotRefundable):
		if of != nil && of.Kind == payments.Deposit && of.Amount.Asset() == r.amount.Asset() {
			if rest := w.money.refundableNow(of); !less(rest, r.amount) {
				why = "refundable is " + rest.String()
			}
		}
	case errors.Is(err, codeUnwanted):
		if !slices.ContainsFunc(w.verdicts, func(v verdict) bool { return v.code == codeUnwanted && v.applies(r.kind, r.member, r.amount) }) {
			why = "no rule refuses it"
		}
	}
	if why != "" {
		return breach(Answered, "%s was refused (%v) and %s", r.what, err, why)
	}
	return nil
}
