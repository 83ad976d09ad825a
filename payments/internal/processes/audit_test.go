package processes

import (
	"bufio"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/payments"
)

// audit looks at what the killed processes left, with a service of its own over the same store.
type audit struct {
	*testing.T
	svc   *payments.Service
	bank  *bank
	log   string
	ahead atomic.Int64 // how far the audit's clock is ahead, so that nothing is waited for

	acknowledged, begun, lost, doubled, payments, dealings, parked int
	wanted                                                         map[payments.Kind]int // payments that there must be
}

func newAudit(t *testing.T, j job, log string) *audit {
	t.Helper()
	a := &audit{T: t, log: log, bank: newBank(j.Far), wanted: map[payments.Kind]int{payments.Link: members}}
	store, closeStore, err := j.open(t.Context())
	require.NoError(t, err)
	t.Cleanup(closeStore)
	now := func() time.Time { return clock{j.Began}.now().Add(time.Duration(a.ahead.Load())) }
	a.svc, err = newService(store, now, j.Far)
	require.NoError(t, err)
	for calm := ""; calm != "calm"; { // no more faults
		if err := a.bank.call(t.Context(), "POST", "/calm", nil, &calm, 0); err != nil {
			calm = ""
		}
	}
	return a
}

// settle works until every payment has ended or is parked, the bank has nothing more to say, and that was heard.
func (a *audit) settle() {
	a.Helper()
	resting := 0
	for range 200 {
		for n := 1; n > 0; {
			var err error
			n, err = a.svc.Step(a.Context())
			require.NoError(a, err)
		}
		if resting++; a.open() > 0 || a.bankIsBusy() {
			resting = 0
			time.Sleep(20 * time.Millisecond) // the bank's clock is the wall's
		}
		if resting == 3 {
			return
		}
		a.ahead.Add(int64(10 * time.Minute))
	}
	require.FailNow(a, "payments do not end", "%d", a.open())
}

func (a *audit) bankIsBusy() bool {
	a.Helper()
	truth, err := a.bank.truth(a.Context())
	require.NoError(a, err)
	return slices.ContainsFunc(truth.Dealings, func(d dealing) bool { return !d.Final })
}

// each yields every payment of the book.
func (a *audit) each(look func(p payments.Payment)) {
	a.Helper()
	for d, err := range a.svc.Book().Documents(a.Context(), ledger.Query{List: ledger.ListDocuments, Kind: "payment", Limit: ledger.MaxPage}) {
		require.NoError(a, err)
		p, err := a.svc.Payment(a.Context(), payments.Platform(), d.ID)
		require.NoError(a, err)
		look(p)
	}
}

func (a *audit) open() (n int) {
	a.Helper()
	a.each(func(p payments.Payment) {
		if !p.State.Done() && !p.Parked {
			n++
		}
	})
	return n
}

// lines reads the log: what was begun, and how it was answered. A last line that was torn was not acknowledged.
func (a *audit) lines() (order []string, all map[string]line) {
	a.Helper()
	all = map[string]line{}
	f, err := os.Open(a.log)
	require.NoError(a, err)
	defer func() { _ = f.Close() }()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		var l line
		if json.Unmarshal(lines.Bytes(), &l) != nil {
			continue
		}
		if _, known := all[l.Key]; !known {
			order = append(order, l.Key)
		} else {
			require.NotNil(a, l.Done, "%s was begun twice", l.Key)
		}
		all[l.Key] = l
	}
	require.NoError(a, lines.Err())
	return order, all
}

// replay makes every request again, with its key: what was acknowledged must be as it was, what was only begun happens now or
// has happened.
func (a *audit) replay() {
	a.Helper()
	order, all := a.lines()
	for _, key := range order {
		l := all[key]
		got, _, err := ask(a.Context(), a.svc, l.request)
		require.NoError(a, err)
		switch {
		case l.Done == nil:
			a.begun++
		case *l.Done != got:
			a.lost++
			a.Logf("lost: %s was %+v and is %+v", key, *l.Done, got)
		default:
			a.acknowledged++
		}
		if got.Payment != "" && (l.Kind != payments.Refund || got.Kind == payments.Refund) {
			a.wanted[l.Kind]++
		}
	}
}

// check compares the book with the requests, with the bank's own truth, and with itself.
func (a *audit) check() {
	a.Helper()
	there := map[payments.Kind]int{}
	byRequest := map[string]int{}
	known := map[string]payments.Payment{}
	a.each(func(p payments.Payment) {
		a.payments++
		there[p.Kind]++
		known[p.ID] = p
		if p.Reference != "" {
			byRequest[p.Reference]++
		}
		if p.Parked {
			a.parked++
			_, err := a.svc.Case(a.Context(), p.ID)
			require.NoError(a, err, "a payment that is parked has a case")
		}
	})
	assert.Equal(a, a.wanted, there, "payments by kind: one for every request that made one")
	for request, n := range byRequest {
		if n != 1 {
			a.doubled++
			a.Logf("request %s made %d payments", request, n)
		}
	}
	truth, err := a.bank.truth(a.Context())
	require.NoError(a, err)
	n, what := truth.doubled()
	a.doubled += n
	for _, w := range what {
		a.Log(w)
	}
	for _, d := range truth.Dealings {
		a.dealings++
		p, ok := known[d.Order.Key]
		require.True(a, ok, "the bank did %s, of which the book knows nothing", d.Order.Key)
		require.Equal(a, d.State == "failed", p.State == payments.Failed, "%s is %s at the bank and %s here", p.ID, d.State, p.State)
	}
	a.nobodyOwes()
	require.Empty(a, truth.overRefunded(), "more was given back than came in")
	clearing, err := a.svc.Book().Info(a.Context(), payments.ClearingAccount("bank", "USD"))
	require.NoError(a, err)
	require.Equal(a, truth.balance(currency.USD), clearing.Posted, "clearing is what the bank says")
	balance, err := a.svc.Book().TrialBalance(a.Context(), ledger.AsOf{})
	require.NoError(a, err)
	require.True(a, balance.Balanced())
	for n := 1; n > 0; {
		n, err = a.svc.Book().NumberFeed(a.Context(), ledger.MaxPage)
		require.NoError(a, err)
	}
	v, err := a.svc.Book().Verify(a.Context())
	require.NoError(a, err)
	require.Empty(a, v.Problems)
}

// nobodyOwes wants that nobody ever owed anything, for this bank takes no deposit back, and no hold to be left.
func (a *audit) nobodyOwes() {
	a.Helper()
	for info, err := range a.svc.Book().Accounts(a.Context(), ledger.Query{Limit: ledger.MaxPage}) {
		require.NoError(a, err)
		require.Zero(a, info.Held.Sign(), "%s holds %s", info.ID, info.Held)
		if strings.HasPrefix(info.ID.Path, "receivable/") || strings.HasSuffix(info.ID.Path, "/suspense") {
			require.EqualValues(a, 1, info.Version, "%s has more lines than that of its opening", info.ID)
		}
	}
}
