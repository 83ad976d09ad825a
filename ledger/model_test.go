package ledger_test

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
)

// model is the rule book written a second time, as plainly as can be: whole numbers, maps, a deep copy before every
// entry. It knows one asset and no guards.
type model struct {
	now      time.Time
	accounts map[string]*modelAccount
	holds    []*modelHold
	txs      []*modelTx
	docs     map[string]uint64
	refs     map[string]string
	touched  map[string]bool
}

type modelAccount struct {
	debit                    bool // normal side
	posted, held             int64
	floor, ceiling           *int64
	noDebit, noCredit, close bool
	last                     time.Time
}

type modelHold struct {
	account                    string
	amount, captured, released int64
	expires                    time.Time
	open                       bool
}

type modelTx struct {
	legs     []modelLeg
	reversed []int64
}

type modelLeg struct {
	account string
	debit   bool
	amount  int64
}

func (m *model) clone() *model {
	c := *m
	c.accounts, c.docs, c.refs = map[string]*modelAccount{}, maps.Clone(m.docs), maps.Clone(m.refs)
	for k, a := range m.accounts {
		c.accounts[k] = new(*a)
	}
	c.holds, c.txs = nil, nil
	for _, h := range m.holds {
		c.holds = append(c.holds, new(*h))
	}
	for _, t := range m.txs {
		c.txs = append(c.txs, &modelTx{slices.Clone(t.legs), slices.Clone(t.reversed)})
	}
	return &c
}

// expire closes the dead holds of an account.
func (m *model) expire(account string) {
	for _, h := range m.holds {
		if h.account == account && h.open && !h.expires.IsZero() && !m.now.Before(h.expires) {
			m.accounts[account].held -= h.amount - h.captured - h.released
			h.released = h.amount - h.captured
			h.open = false
			m.touched[account] = true
		}
	}
}

// room is how much a leg may move.
func (a *modelAccount) room(debit bool) (int64, bool) {
	if a.debit == debit {
		if a.ceiling == nil {
			return 0, false
		}
		return max(0, *a.ceiling-a.posted), true
	}
	if a.floor == nil {
		return 0, false
	}
	return max(0, a.posted-a.held-*a.floor), true
}

func (a *modelAccount) usable(debit, fact bool) ledger.Code {
	switch {
	case a.close:
		return ledger.ErrAccountClosed
	case !fact && (debit && a.noDebit || !debit && a.noCredit):
		return ledger.ErrAccountFrozen
	}
	return ""
}

func (m *model) post(legs []modelLeg, fact bool, hold *modelHold) ledger.Code {
	for i, l := range legs {
		a := m.accounts[l.account]
		if a == nil {
			return ledger.ErrAccountNotFound
		}
		if c := a.usable(l.debit, fact); c != "" {
			return c
		}
		if i == 0 && hold != nil {
			a.held -= l.amount
		} else if room, bounded := a.room(l.debit); bounded && l.amount > room {
			if a.debit == l.debit {
				return ledger.ErrCeiling
			}
			return ledger.ErrInsufficientFunds
		}
		if a.debit == l.debit {
			a.posted += l.amount
		} else {
			a.posted -= l.amount
		}
		m.touched[l.account] = true
	}
	m.txs = append(m.txs, &modelTx{legs, make([]int64, len(legs))})
	return ""
}

// script makes random commands together with what the model says of each.
type script struct {
	rng   *rand.Rand
	m     *model
	holds []ledger.ID // ids of the model's holds and transactions, by index
	txs   []ledger.ID
	names []string
}

func (s *script) id(account string) ledger.AccountID {
	return ledger.AccountID{Path: account, Asset: "USD"}
}
func (s *script) name() string      { return s.names[s.rng.IntN(len(s.names))] }
func (s *script) amount() int64     { return s.rng.Int64N(60) + 1 }
func (s *script) chance(n int) bool { return s.rng.IntN(n) == 0 }

// step makes one command and does it on the model; named lists the accounts that the command names.
func (s *script) step() (c ledger.Command, named []string, do func() ledger.Code) {
	m, amount, fact := s.m, s.amount(), s.chance(4)
	switch s.rng.IntN(10) {
	case 0, 1, 2:
		from, to := s.name(), s.name()
		for from == to {
			to = s.name()
		}
		p := ledger.Transfer(s.id(from), s.id(to), dollars(amount))
		p.Fact = fact
		return p, []string{from, to}, func() ledger.Code {
			return s.m.post([]modelLeg{{from, true, amount}, {to, false, amount}}, fact, nil)
		}
	case 3:
		return s.draw(amount, fact)
	case 4:
		return s.placeHold(amount, fact)
	case 5:
		if len(m.holds) > 0 {
			return s.capture(s.rng.IntN(len(m.holds)), amount, fact)
		}
	case 6:
		if len(m.holds) > 0 {
			return s.release(s.rng.IntN(len(m.holds)), amount)
		}
	case 7:
		if len(m.txs) > 0 {
			return s.reverse(s.rng.IntN(len(m.txs)), fact)
		}
	case 8:
		return s.set()
	}
	return s.document()
}

func (s *script) draw(amount int64, fact bool) (ledger.Command, []string, func() ledger.Code) {
	names := slices.Clone(s.names)
	s.rng.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	from, to := names[:1+s.rng.IntN(2)], names[2:3+s.rng.IntN(2)]
	c := ledger.Draw{Amount: dollars(amount), Fact: fact}
	for _, n := range from {
		c.From = append(c.From, s.id(n))
	}
	for _, n := range to {
		c.To = append(c.To, s.id(n))
	}
	return c, slices.Concat(from, to), func() ledger.Code {
		var legs []modelLeg
		for _, side := range []struct {
			names []string
			debit bool
			fact  bool
			code  ledger.Code
		}{{from, true, fact, ledger.ErrInsufficientFunds}, {to, false, false, ledger.ErrCeiling}} {
			rest := amount
			for _, n := range side.names {
				a := s.m.accounts[n]
				if a == nil {
					return ledger.ErrAccountNotFound
				}
				part := rest
				if room, bounded := a.room(side.debit); bounded {
					part = min(part, room)
				}
				if a.usable(side.debit, side.fact) == "" && part > 0 {
					legs = append(legs, modelLeg{n, side.debit, part})
					rest -= part
				}
			}
			if rest > 0 {
				return side.code
			}
		}
		return s.m.post(legs, true, nil)
	}
}

func (s *script) placeHold(amount int64, fact bool) (ledger.Command, []string, func() ledger.Code) {
	n := s.name()
	c := ledger.PlaceHold{Account: s.id(n), Amount: dollars(amount), Fact: fact}
	if s.chance(2) {
		c.ExpiresAt = s.m.now.Add(time.Duration(s.rng.IntN(200)+1) * time.Minute)
	}
	return c, []string{n}, func() ledger.Code {
		a := s.m.accounts[n]
		if a == nil {
			return ledger.ErrAccountNotFound
		}
		if code := a.usable(!a.debit, fact); code != "" {
			return code
		}
		if room, bounded := a.room(!a.debit); bounded && amount > room {
			return ledger.ErrInsufficientFunds
		}
		a.held += amount
		s.m.touched[n] = true
		s.m.holds = append(s.m.holds, &modelHold{account: n, amount: amount, expires: c.ExpiresAt, open: true})
		return ""
	}
}

func (s *script) capture(i int, amount int64, fact bool) (ledger.Command, []string, func() ledger.Code) {
	held, to, final := s.m.holds[i].account, s.name(), s.chance(3)
	for to == held {
		to = s.name()
	}
	c := ledger.Capture{Hold: ledger.ByID(s.holds[i]), To: []ledger.Portion{{Account: s.id(to), Amount: dollars(amount)}}, Fact: fact, Final: final}
	return c, []string{held, to}, func() ledger.Code {
		h := s.m.holds[i]
		rest := h.amount - h.captured - h.released
		switch {
		case !h.open:
			return ledger.ErrHoldClosed
		case amount > rest:
			return ledger.ErrHoldExceeded
		}
		debit := !s.m.accounts[held].debit
		if code := s.m.post([]modelLeg{{held, debit, amount}, {to, !debit, amount}}, fact, h); code != "" {
			return code
		}
		h.captured += amount
		rest -= amount
		if final {
			h.released += rest
			s.m.accounts[held].held -= rest
			rest = 0
		}
		h.open = rest > 0
		return ""
	}
}

func (s *script) release(i int, amount int64) (ledger.Command, []string, func() ledger.Code) {
	held, all := s.m.holds[i].account, s.chance(2)
	c := ledger.Release{Hold: ledger.ByID(s.holds[i]), All: all}
	if !all {
		c.Amount = dollars(amount)
	}
	return c, []string{held}, func() ledger.Code {
		h := s.m.holds[i]
		rest := h.amount - h.captured - h.released
		give := amount
		if all {
			give = rest
		}
		switch {
		case !h.open:
			return ledger.ErrHoldClosed
		case give > rest:
			return ledger.ErrHoldExceeded
		}
		h.released += give
		h.open = rest > give
		s.m.accounts[held].held -= give
		s.m.touched[held] = true
		return ""
	}
}

func (s *script) reverse(i int, fact bool) (ledger.Command, []string, func() ledger.Code) {
	t, all := s.m.txs[i], s.chance(2) || len(s.m.txs[i].legs) > 2
	part := s.rng.Int64N(t.legs[0].amount) + 1
	c := ledger.Reverse{Transaction: ledger.ByID(s.txs[i]), All: all, Fact: fact}
	var named []string
	for _, l := range t.legs {
		side := ledger.Credit
		if l.debit {
			side = ledger.Debit
		}
		if !all {
			c.Part = append(c.Part, ledger.Posting{Account: s.id(l.account), Side: side, Amount: dollars(part)})
		}
		named = append(named, l.account)
	}
	return c, named, func() ledger.Code {
		t := s.m.txs[i]
		var legs []modelLeg
		for j, l := range t.legs {
			take := part
			if all {
				take = l.amount - t.reversed[j]
			}
			if take > l.amount-t.reversed[j] {
				return ledger.ErrAlreadyReversed
			}
			if take > 0 {
				legs = append(legs, modelLeg{l.account, !l.debit, take})
			}
			t.reversed[j] += take
		}
		if len(legs) == 0 {
			return ledger.ErrAlreadyReversed
		}
		return s.m.post(legs, fact, nil)
	}
}

func (s *script) set() (ledger.Command, []string, func() ledger.Code) {
	n := s.name()
	c := ledger.SetAccount{Account: s.id(n)}
	var change func(*modelAccount)
	bound := s.rng.Int64N(200) - 50
	switch s.rng.IntN(6) {
	case 0:
		c.Floor, change = new(dollars(-bound)), func(a *modelAccount) { a.floor = new(-bound) }
	case 1:
		c.Ceiling, change = new(dollars(bound*4)), func(a *modelAccount) { a.ceiling = new(bound * 4) }
	case 2:
		c.Ceiling, c.Floor = new(currency.Amount{}), new(currency.Amount{})
		change = func(a *modelAccount) { a.ceiling, a.floor = nil, nil }
	case 3:
		v := s.chance(3)
		c.DebitsFrozen, change = new(v), func(a *modelAccount) { a.noDebit = v }
	case 4:
		v := s.chance(3)
		c.CreditsFrozen, change = new(v), func(a *modelAccount) { a.noCredit = v }
	default:
		v := s.chance(2)
		c.Closed, change = new(v), func(a *modelAccount) { a.close = v }
	}
	return c, []string{n}, func() ledger.Code {
		a := s.m.accounts[n]
		before := *a
		change(a)
		same := func(x, y *int64) bool { return x == nil && y == nil || x != nil && y != nil && *x == *y }
		if same(a.floor, before.floor) && same(a.ceiling, before.ceiling) && a.noDebit == before.noDebit && a.noCredit == before.noCredit && a.close == before.close {
			return ""
		}
		switch {
		case a.close && !before.close && (a.posted != 0 || a.held != 0):
			return ledger.ErrAccountInUse
		case a.floor != nil && a.ceiling != nil && *a.floor > *a.ceiling:
			return ledger.ErrInvalid
		case c.Floor != nil && a.floor != nil && a.posted-a.held < *a.floor:
			return ledger.ErrInsufficientFunds
		case c.Ceiling != nil && a.ceiling != nil && a.posted > *a.ceiling:
			return ledger.ErrCeiling
		}
		s.m.touched[n] = true
		return ""
	}
}

func (s *script) document() (ledger.Command, []string, func() ledger.Code) {
	id, ref := fmt.Sprint(s.rng.IntN(5)), fmt.Sprint(s.rng.IntN(12))
	version := s.m.docs[id]
	if s.chance(4) {
		version += uint64(s.rng.IntN(3))
	}
	c := ledger.PutDocument{DocumentID: ledger.DocumentID{Kind: "k", ID: id}, Version: version, References: []string{ref}}
	return c, nil, func() ledger.Code {
		if s.m.docs[id] != version {
			return ledger.ErrVersion
		}
		if owner, taken := s.m.refs[ref]; taken && owner != id {
			return ledger.ErrReferenceTaken
		}
		s.m.docs[id]++
		s.m.refs[ref] = id
		return ""
	}
}

func TestAgainstAModel(t *testing.T) {
	seeds, entries := uint64(10), 200
	if testing.Short() {
		seeds = 3
	}
	for seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			codes := againstModel(t, rand.New(rand.NewPCG(seed, 7)), entries)
			require.Greater(t, codes[""], entries/5, "too few entries went through: %v", codes)
			require.Greater(t, len(codes), 6, "too few ways to be refused: %v", codes)
		})
	}
}

func againstModel(t *testing.T, rng *rand.Rand, entries int) map[ledger.Code]int {
	w := newWorld(t)
	s := &script{rng: rng, m: &model{now: start, accounts: map[string]*modelAccount{}, docs: map[string]uint64{}, refs: map[string]string{}, touched: map[string]bool{}}}
	for i, typ := range []ledger.AccountType{ledger.Asset, ledger.Liability, ledger.Liability, ledger.Income, ledger.Expense} {
		n := fmt.Sprintf("a%d", i)
		s.names = append(s.names, n)
		open := ledger.OpenAccount{Account: s.id(n), Type: typ}
		a := &modelAccount{debit: typ.NormalSide() == ledger.Debit}
		if typ == ledger.Liability {
			open.Floor, a.floor = dollars(0), new(int64(0))
		}
		w.do(open)
		a.last = w.info(open.Account).UpdatedAt
		s.m.accounts[n] = a
	}
	past := map[time.Time]map[string][2]int64{}
	codes := map[ledger.Code]int{}
	for range entries {
		if s.chance(4) {
			w.clock.advance(time.Duration(rng.IntN(60)) * time.Minute)
		}
		s.entry(t, w, past, codes)
	}
	w.sound()
	for at, balances := range past {
		for n, want := range balances {
			b, err := w.Account(s.id(n)).Balance(t.Context(), ledger.AsOf{Recorded: at})
			require.NoError(t, err)
			p, _ := b.Posted.Int64()
			h, _ := b.Held.Int64()
			require.Equal(t, want, [2]int64{p, h}, "%s at %v", n, at)
		}
	}
	return codes
}

// entry makes an entry of one to three commands and compares the ledger's answer with the model's.
func (s *script) entry(t *testing.T, w *world, past map[time.Time]map[string][2]int64, codes map[ledger.Code]int) {
	t.Helper()
	before := s.m
	s.m = before.clone()
	s.m.now, s.m.touched = w.Now(), map[string]bool{}
	var commands []ledger.Command
	var steps []func() ledger.Code
	var named []string
	for range 1 + s.rng.IntN(3) {
		c, names, do := s.step()
		commands, steps, named = append(commands, c), append(steps, do), append(named, names...)
	}
	for _, n := range named { // the ledger's time: after the last change of all that is named
		if a := s.m.accounts[n]; !s.m.now.After(a.last) {
			s.m.now = a.last.Add(time.Microsecond)
		}
	}
	for _, n := range named {
		s.m.expire(n)
	}
	want, at := ledger.Code(""), -1
	for i, do := range steps {
		if h, ok := commands[i].(ledger.PlaceHold); ok && !h.ExpiresAt.IsZero() && !h.ExpiresAt.After(s.m.now) {
			want, at = ledger.ErrInvalid, i
			break
		}
		if want = do(); want != "" {
			at = i
			break
		}
	}
	dumped, compare := "", s.chance(8)
	if want != "" && compare {
		dumped = withoutKeys(dump(t, w.store, w.Name()))
	}
	receipt, err := w.try(commands...)
	codes[want]++
	if want != "" {
		require.ErrorIs(t, err, want, "%+v", commands)
		r, _ := errors.AsType[*ledger.Refusal](err)
		require.Equal(t, at, r.Command)
		if compare {
			require.Equal(t, dumped, withoutKeys(dump(t, w.store, w.Name())))
		}
		s.m = before
		return
	}
	require.NoError(t, err, "%+v", commands)
	for i, r := range receipt.Results {
		if r.Transaction != (ledger.ID{}) {
			s.txs = append(s.txs, r.Transaction)
		}
		if _, placed := commands[i].(ledger.PlaceHold); placed {
			s.holds = append(s.holds, r.Hold)
		}
	}
	require.Len(t, s.holds, len(s.m.holds))
	require.Len(t, s.txs, len(s.m.txs))
	changed := map[string]bool{}
	for _, b := range receipt.Balances {
		changed[b.Account.Path] = true
		s.m.accounts[b.Account.Path].last = receipt.RecordedAt
	}
	require.Equal(t, s.m.touched, changed)
	now := map[string][2]int64{}
	for n, a := range s.m.accounts {
		w.has(s.id(n), a.posted, a.held)
		if a.last.Equal(receipt.RecordedAt) {
			now[n] = [2]int64{a.posted, a.held}
		}
	}
	past[receipt.RecordedAt] = now
}
