package linear

import (
	"fmt"

	"github.com/anishathalye/porcupine"

	"github.com/koshpay/kosh/ledger"
)

// The world is small on purpose: clients must meet.
const (
	wallets  = 4 // account 0 is the bank, without bounds; the others are wallets with a floor of zero
	places   = 48
	maxHolds = places // hold i is the one that the request of key i places
	limit    = 2      // of the counter document
)

type action uint8

const (
	transfer action = iota
	place
	capture
	release
	limited // a transfer behind a guard that counts in a document
	balances
	receipt // asks what became of a key
)

// request is what a client asks. A key stands for one request, so sending it again is a replay; changed makes it another
// request under the same key.
type request struct {
	action   action
	key      uint8
	changed  bool
	from, to uint8
	hold     uint8
	amount   int32
	final    bool
}

// money is what a client sees of an account.
type money struct {
	posted, held int32
	version      uint16
}

// answer is what a client was told; two answers are the same when they are equal.
type answer struct {
	code      ledger.Code
	replayed  bool
	touched   [wallets]bool
	money     [wallets]money // of the accounts touched, after the entry
	version   uint16         // of the counter document
	wanted    int32          // the figures of a refusal
	available int32
	retried   bool // nobody can say whether the first try was the one that did it
	unknown   bool // it may have happened, then or later, or never
}

type hold struct {
	placed, open bool
	account      uint8
	rest         int32
}

// state is a naive ledger: a value, so that copying it is undoing it.
type state struct {
	accounts [wallets]money
	holds    [maxHolds]hold
	counter  uint16
	keys     [places]struct {
		used    bool
		changed bool
		answer  answer
	}
}

// naive is the rule book as the checker knows it.
var naive = porcupine.Model{
	Init: func() any { return first() },
	Step: func(before, input, output any) (bool, any) {
		after, want := before.(state).step(input.(request))
		got := output.(answer)
		if got.retried {
			got.retried, got.replayed = false, want.replayed
		}
		return got.unknown || got == want, after
	},
	Equal:             func(a, b any) bool { return a.(state) == b.(state) },
	DescribeOperation: func(input, output any) string { return fmt.Sprintf("%+v → %+v", input, output) },
}

func first() (s state) {
	for i := range s.accounts {
		s.accounts[i].version = 1
		if i > 0 {
			s.accounts[0].posted += funds
			s.accounts[0].version++
			s.accounts[i] = money{posted: funds, version: 2}
		}
	}
	return s
}

func (s state) step(r request) (state, answer) {
	if r.action == balances {
		a := answer{money: s.accounts}
		for i := range a.touched {
			a.touched[i] = true
		}
		return s, a
	}
	key := &s.keys[r.key]
	switch {
	case r.action == receipt && !key.used:
		return s, answer{code: ledger.ErrKeyNotFound}
	case key.used && r.action != receipt && key.changed != r.changed:
		return s, answer{code: ledger.ErrKeyConflict}
	case key.used:
		a := key.answer
		a.replayed = true
		return s, a
	}
	before := s
	a := s.do(r)
	if a.code != "" {
		s = before
	}
	if a.code.Class() == ledger.Declined || a.code == "" {
		key.used, key.changed, key.answer = true, r.changed, a
	}
	return s, a
}

// do performs a request on a state that is thrown away when it is refused.
func (s *state) do(r request) (a answer) {
	if r.changed {
		r.amount++
	}
	switch r.action {
	case limited:
		if s.counter == limit {
			return answer{code: ledger.ErrDenied}
		}
		s.counter++
		a.version = s.counter
		fallthrough
	case transfer:
		if free, bounded := s.free(r.from); bounded && r.amount > free {
			return answer{code: ledger.ErrInsufficientFunds, wanted: r.amount, available: free}
		}
		s.move(&a, r.from, r.to, r.amount)
	case place:
		if free, bounded := s.free(r.from); bounded && r.amount > free {
			return answer{code: ledger.ErrInsufficientFunds, wanted: r.amount, available: free}
		}
		s.holds[r.key] = hold{placed: true, open: true, account: r.from, rest: r.amount}
		s.reserve(&a, r.from, r.amount)
	case capture, release:
		return s.settle(r)
	}
	return s.tell(a)
}

func (s *state) settle(r request) (a answer) {
	h := &s.holds[r.hold]
	switch {
	case !h.placed:
		return answer{code: ledger.ErrHoldNotFound}
	case !h.open:
		return answer{code: ledger.ErrHoldClosed}
	case r.action == capture && h.account == r.to:
		return answer{code: ledger.ErrInvalid}
	case r.action == capture && r.amount > h.rest:
		return answer{code: ledger.ErrHoldExceeded, wanted: r.amount, available: h.rest}
	}
	if r.action == capture {
		h.rest -= r.amount
		s.accounts[h.account].held -= r.amount // the posting and the end of the hold are one line
		s.move(&a, h.account, r.to, r.amount)
	}
	if h.rest > 0 && (r.action == release || r.final) {
		s.reserve(&a, h.account, -h.rest)
		h.rest = 0
	}
	h.open = h.rest > 0
	return s.tell(a)
}

func (s *state) free(i uint8) (amount int32, bounded bool) {
	return s.accounts[i].posted - s.accounts[i].held, i > 0
}

// move debits one account and credits another. The bank is an asset and grows by debits, wallets are liabilities.
func (s *state) move(a *answer, from, to uint8, amount int32) {
	for i, sign := range map[uint8]int32{from: -1, to: 1} {
		if i == 0 {
			sign = -sign
		}
		s.accounts[i].posted += sign * amount
		s.accounts[i].version++
		a.touched[i] = true
	}
}

func (s *state) reserve(a *answer, i uint8, amount int32) {
	s.accounts[i].held += amount
	s.accounts[i].version++
	a.touched[i] = true
}

func (s *state) tell(a answer) answer {
	for i, touched := range a.touched {
		if touched {
			a.money[i] = s.accounts[i]
		}
	}
	return a
}
