package ledger_test

import (
	"errors"
	"slices"
	"time"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
)

// model is the rule book written a second time, as plainly as can be: whole numbers, maps, and an undo log instead of
// anything clever. Balances of the past are sums over all that ever happened to an account. It shares no code with the
// ledger but the commands themselves.
type model struct {
	now      time.Time // the ledger's time of the entry
	accounts map[ledger.AccountID]*modelAccount
	holds    map[ledger.ID]*modelHold
	txs      map[ledger.ID]*modelTx
	docs     map[ledger.DocumentID]*modelDoc
	refs     map[string]ledger.DocumentID
	feed     int // changes that the feed must tell

	touched map[ledger.AccountID]bool
	made    []any // by the commands of one list: *modelTx, *modelHold or nil
	undo    []func()
}

type modelAccount struct {
	id                      ledger.AccountID
	typ                     ledger.AccountType
	owner                   string
	posted, held            int64
	floor, ceiling          *int64
	opening                 [2]*int64
	noDebit, noCredit, shut bool
	last                    time.Time
	lines                   []modelLine
}

// modelLine is what one line did.
type modelLine struct {
	recorded, effective time.Time
	posted, held        int64
}

type modelHold struct {
	account                    ledger.AccountID
	amount, captured, released int64
	expires                    time.Time
	open                       bool
}

type modelTx struct {
	legs     []modelLeg
	reversed []int64
}

type modelLeg struct {
	account ledger.AccountID
	debit   bool
	amount  int64
}

type modelDoc struct {
	bodies []bool // of version i+1: whether there is one
	erased []bool
	last   time.Time
}

func newModel() *model {
	return &model{
		accounts: map[ledger.AccountID]*modelAccount{}, holds: map[ledger.ID]*modelHold{}, txs: map[ledger.ID]*modelTx{},
		docs: map[ledger.DocumentID]*modelDoc{}, refs: map[string]ledger.DocumentID{}, touched: map[ledger.AccountID]bool{},
	}
}

// keep remembers a value, so that rollback can bring it back.
func keep[T any](m *model, p *T) *T {
	old := *p
	m.undo = append(m.undo, func() { *p = old })
	return p
}

func put[K comparable, V any](m *model, rows map[K]V, k K, v V) {
	old, was := rows[k]
	m.undo = append(m.undo, func() {
		if delete(rows, k); was {
			rows[k] = old
		}
	})
	rows[k] = v
}

func (m *model) begin() {
	m.undo, m.touched = nil, map[ledger.AccountID]bool{}
}

func (m *model) rollback() {
	for _, f := range slices.Backward(m.undo) {
		f()
	}
	m.begin()
}

func units(a currency.Amount) int64 {
	n, ok := a.Int64()
	if !ok {
		panic("the model's amounts are small")
	}
	return n
}

func bound(a currency.Amount) *int64 {
	if !a.IsValid() {
		return nil
	}
	return new(units(a))
}

func same(x, y *int64) bool { return x == nil && y == nil || x != nil && y != nil && *x == *y }

// raises reports whether a posting on a side makes the balance larger.
func (a *modelAccount) raises(debit bool) bool {
	return debit == (a.typ == ledger.Asset || a.typ == ledger.Expense)
}

// room is how much a posting may move before it meets a bound.
func (a *modelAccount) room(debit bool) (room int64, bounded bool) {
	switch {
	case a.raises(debit) && a.ceiling != nil:
		return max(0, *a.ceiling-a.posted), true
	case !a.raises(debit) && a.floor != nil:
		return max(0, a.posted-a.held-*a.floor), true
	}
	return 0, false
}

func (a *modelAccount) usable(debit, fact bool) ledger.Code {
	switch {
	case a.shut:
		return ledger.ErrAccountClosed
	case !fact && (debit && a.noDebit || !debit && a.noCredit):
		return ledger.ErrAccountFrozen
	}
	return ""
}

// line changes the balances of an account.
func (m *model) line(a *modelAccount, posted, held int64, effective time.Time) {
	keep(m, a)
	a.posted += posted
	a.held += held
	a.last = m.now
	a.lines = append(slices.Clip(a.lines), modelLine{m.now, effective, posted, held})
	m.touched[a.id] = true
}

// at is a balance of the past by brute force.
func (a *modelAccount) at(recorded, effective time.Time) (posted, held int64, version uint64) {
	for _, l := range a.lines {
		if !recorded.IsZero() && l.recorded.After(recorded) {
			continue
		}
		version++
		held += l.held
		if effective.IsZero() || !l.effective.After(effective) {
			posted += l.posted
		}
	}
	return posted, held, version
}

// post does the postings of a transaction, in their order; the first of a capture takes from its hold.
func (m *model) post(id ledger.ID, legs []modelLeg, effective time.Time, fact, imported bool, hold *modelHold) ledger.Code {
	if m.txs[id] != nil {
		return ledger.ErrDeclaredTwice
	}
	if effective.IsZero() {
		effective = m.now
	}
	if effective.After(m.now.Add(48 * time.Hour)) {
		return ledger.ErrInvalid
	}
	for i, l := range legs {
		a := m.accounts[l.account]
		if a == nil {
			return ledger.ErrAccountNotFound
		}
		if c := a.usable(l.debit, fact); c != "" {
			return c
		}
		var held int64
		if i == 0 && hold != nil {
			held = -l.amount
		} else if room, bounded := a.room(l.debit); bounded && l.amount > room && !imported {
			if a.raises(l.debit) {
				return ledger.ErrCeiling
			}
			return ledger.ErrInsufficientFunds
		}
		posted := l.amount
		if !a.raises(l.debit) {
			posted = -posted
		}
		m.line(a, posted, held, effective)
	}
	m.make(id, &modelTx{legs, make([]int64, len(legs))})
	return ""
}

// make notes what the command in hand makes; under an id of the caller's at once, else when the receipt tells the id.
func (m *model) make(id ledger.ID, thing any) {
	m.feed++
	m.made[len(m.made)-1] = thing
	if id == (ledger.ID{}) {
		return
	}
	switch thing := thing.(type) {
	case *modelTx:
		put(m, m.txs, id, thing)
	case *modelHold:
		put(m, m.holds, id, thing)
	}
}

func legsOf(postings []ledger.Posting) (legs []modelLeg) {
	for _, p := range postings {
		legs = append(legs, modelLeg{p.Account, p.Side == ledger.Debit, units(p.Amount)})
	}
	return legs
}

// arrive fixes the time of an entry: after the last change of all that it names, then ends the holds that are dead by
// then on all accounts named.
func (m *model) arrive(clock time.Time, n ledger.Names) {
	named := map[ledger.AccountID]bool{}
	for _, id := range n.Accounts {
		named[id] = true
	}
	for _, id := range n.Holds {
		if h := m.holds[id]; h != nil {
			named[h.account] = true
		}
	}
	for _, id := range n.Transactions {
		if t := m.txs[id]; t != nil {
			for _, l := range t.legs {
				named[l.account] = true
			}
		}
	}
	m.now = clock
	after := func(last time.Time) {
		if !m.now.After(last) {
			m.now = last.Add(time.Microsecond)
		}
	}
	for id := range named {
		if a := m.accounts[id]; a != nil {
			after(a.last)
		}
	}
	for _, id := range n.Documents {
		if d := m.docs[id]; d != nil {
			after(d.last)
		}
	}
	for _, h := range m.holds {
		if named[h.account] && h.open && !h.expires.IsZero() && !m.now.Before(h.expires) {
			m.giveBack(h, h.amount-h.captured-h.released)
		}
	}
}

func (m *model) giveBack(h *modelHold, amount int64) {
	keep(m, h)
	h.released += amount
	h.open = h.amount > h.captured+h.released
	m.feed++
	m.line(m.accounts[h.account], 0, -amount, m.now)
}

// list does commands in order; it says which one was refused.
func (m *model) list(commands []ledger.Command) (ledger.Code, int) {
	m.made = nil
	for i, c := range commands {
		m.made = append(m.made, nil)
		if code := m.do(c); code != "" {
			return code, i
		}
	}
	return "", -1
}

// modelGuard is a guard of which the model knows what it will say.
type modelGuard struct {
	names    ledger.Names
	account  ledger.AccountID // whose balance it looks at
	least    int64            // it denies when less is available
	commands []ledger.Command
	mood     mood
}

type mood uint8

const (
	fair mood = iota
	peeks
	panics
	fails
	reachesOut
)

var errPolicyAway = errors.New("the policy server is away")

const codeTooPoor = ledger.Code("too_poor")

// guard is what the model expects of a guard; err is for errors that are no refusals.
func (m *model) guard(g modelGuard) (code ledger.Code, err error) {
	switch g.mood {
	case peeks, reachesOut:
		return ledger.ErrUndeclared, nil
	case panics:
		return ledger.ErrGuardPanicked, nil
	case fails:
		return "", errPolicyAway
	}
	a := m.accounts[g.account]
	if a == nil || a.posted-a.held < g.least {
		return codeTooPoor, nil
	}
	code, _ = m.list(g.commands)
	return code, nil
}

// settle: what was made without an id gets its own from the receipt.
func (m *model) settle(made []any, results []ledger.Result) {
	for i, thing := range made {
		switch thing := thing.(type) {
		case *modelTx:
			m.txs[results[i].Transaction] = thing
		case *modelHold:
			m.holds[results[i].Hold] = thing
		}
	}
}
