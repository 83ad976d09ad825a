package payments_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/payments"
	"github.com/koshpay/kosh/providers/sandbox"
)

// The authorization matrix: who may pass which door under OwnerOnly. Alice owns what the requests are about, bob is the other
// side of her tip, mallory is anybody.
type gate struct {
	door
	may    []string // of actors; everybody else is refused
	action payments.Action
	member string // whom the authorizer is asked about, when the owner asks
}

var actors = map[string]payments.Actor{
	"owner": payments.Member("alice"), "other side": payments.Member("bob"), "another": payments.Member("mallory"), "host": payments.Platform(),
	"nobody": {},
}

// rights are by the method's name without the part before the dot.
var rights = map[string]gate{
	"Deposit":       {may: []string{"owner"}, action: payments.ActDeposit, member: "alice"},
	"Withdraw":      {may: []string{"owner"}, action: payments.ActWithdraw, member: "alice"},
	"Quote":         {may: []string{"owner"}, action: payments.ActWithdraw, member: "alice"},
	"Send":          {may: []string{"owner"}, action: payments.ActTransfer, member: "alice"},
	"Tip":           {may: []string{"owner"}, action: payments.ActTransfer, member: "alice"},
	"Refund":        {may: []string{"owner"}, action: payments.ActRefund, member: "alice"},
	"Exchange":      {may: []string{"owner"}, action: payments.ActExchange, member: "alice"},
	"QuoteExchange": {may: []string{"owner"}, action: payments.ActExchange, member: "alice"},
	"Link":          {may: []string{"owner"}, action: payments.ActLink, member: "alice"},
	"OpenWallet":    {may: []string{"owner", "host"}, action: payments.ActOpen, member: "alice"},
	"Payment":       {may: []string{"owner", "host"}, action: payments.ActView, member: "alice"},
	"Evidence":      {may: []string{"owner", "host"}, action: payments.ActView, member: "alice"},
	"Advance":       {may: []string{"owner", "host"}, action: payments.ActView, member: "alice"},
	"Wallets":       {may: []string{"owner", "host"}, action: payments.ActView, member: "alice"},
	"Instruments":   {may: []string{"owner", "host"}, action: payments.ActView, member: "alice"},
	"Statement":     {may: []string{"owner", "host"}, action: payments.ActView, member: "alice"},
	"Issue":         {may: []string{"host"}, action: payments.ActIssue},
	"Burn":          {may: []string{"host"}, action: payments.ActIssue},
	"Freeze":        {may: []string{"host"}, action: payments.ActFreeze, member: "alice"},
	"Unfreeze":      {may: []string{"host"}, action: payments.ActFreeze, member: "alice"},
	"Resolve":       {may: []string{"host"}, action: payments.ActResolve, member: "alice"},
	"Screening":     {may: []string{"host"}, action: payments.ActResolve, member: "alice"},
	"Forgive":       {may: []string{"host"}, action: payments.ActResolve, member: "carol"},
}

// noActor are the methods that ask for no actor, each with the reason why that is no door for members.
var noActor = map[string]string{
	"Service.Book": "the host's own book", "Service.Assets": "configuration", "Service.Providers": "configuration",
	"Service.ProviderState": "for adapters", "Service.Register": "configuration", "Service.In": "makes a desk, whose methods ask",
	"Service.Webhooks": "the provider's signature is the authentication", "Service.Run": "the worker", "Service.Step": "the worker",
	"Service.Cases": "for the host only, as it says", "Service.Case": "for the host only, as it says",
	"Service.Events": "for the host only", "Service.Reconcile": "for the host only",
}

// gates are all doors with their rights: those of the corpus, reads at a desk, and what is about a tip instead of a deposit.
func gates() (all []gate) {
	doors := append(allDoors(), deskReads()...)
	for _, d := range doors {
		_, method, _ := strings.Cut(d.name, ".")
		g, known := rights[method]
		if !known {
			continue
		}
		g.door = d
		all = append(all, g)
		switch method {
		case "Payment", "Evidence", "Advance":
			g.may = []string{"owner", "other side", "host"}
		case "Refund":
			g.may, g.member = []string{"other side"}, "bob" // whose wallet the money leaves
		default:
			continue
		}
		g.name += " of a tip"
		g.form = ofTip(d.form)
		all = append(all, g)
	}
	return all
}

func ofTip(of func(*world) form) func(*world) form {
	return func(w *world) form {
		f := of(w)
		f.payment, f.amount = w.tip, usd("5.00")
		return f
	}
}

func deskReads() []door {
	return []door{
		{name: "Desk.Payment", form: asAlice, do: func(w *world, f form) error {
			_, err := w.svc.In(w.store).Payment(w.ctx, f.actor, f.payment)
			return err
		}},
		{name: "Desk.Wallets", form: asAlice, do: func(w *world, f form) error {
			_, err := w.svc.In(w.store).Wallets(w.ctx, f.actor, f.member)
			return err
		}},
	}
}

func TestAuthorizationMatrix(t *testing.T) {
	allowed, refused := 0, 0
	first := newWorld(t)
	for _, g := range gates() {
		t.Run(g.name, func(t *testing.T) {
			w := first.copy(t)
			for name, actor := range actors {
				if slices.Contains(g.may, name) {
					continue
				}
				before := w.dump()
				f := g.form(w)
				f.actor = actor
				refusedAs(t, g.do(w, f), payments.ErrInvalid, payments.ErrForbidden, "actor")
				require.Equal(t, before, w.dump(), name)
				refused++
			}
			for i, name := range g.may {
				f := g.form(w)
				f.actor, f.key = actors[name], fmt.Sprint("allowed-", i)
				require.NoError(t, g.do(w, f), name)
				allowed++
			}
		})
	}
	require.Greater(t, refused, 100)
	t.Logf("authorization: %d doors, %d allowed, %d refused", len(gates()), allowed, refused)
}

// Whoever writes an authorizer is asked every time, about the right action and member, a replay and the other side of a tip
// included; and what it says goes.
func TestAuthorizerIsAskedEveryTime(t *testing.T) {
	type question struct {
		actor  payments.Actor
		action payments.Action
		member string
	}
	suspended := errors.New("suspended")
	first := newWorld(t)
	for _, g := range gates() {
		t.Run(g.name, func(t *testing.T) {
			w := first.copy(t)
			f := g.form(w)
			f.actor, f.key = actors[g.may[0]], "asked"
			require.NoError(t, g.do(w, f))
			before := w.dump()
			config := w.config
			var asked []question
			config.Authorize = func(_ context.Context, actor payments.Actor, action payments.Action, member string) error {
				asked = append(asked, question{actor, action, member})
				return suspended
			}
			svc, err := payments.New(w.book, config)
			require.NoError(t, err)
			require.NoError(t, svc.Register(w.sandbox))
			w.svc = svc
			for name, actor := range actors {
				asked = nil
				f.actor = actor
				err := g.do(w, f)
				refusedAs(t, err, payments.ErrInvalid, payments.ErrForbidden, "actor")
				require.ErrorIs(t, err, suspended)
				want := question{actor, g.action, g.member}
				if name == "other side" && slices.Contains(g.may, name) {
					want.member = "bob"
				}
				require.Equal(t, []question{want}, asked, name)
			}
			require.Equal(t, before, w.dump())
		})
	}
}

// A new method, or one that takes a new kind of request, must come into the matrix or say why not.
func TestEveryMethodIsInTheMatrix(t *testing.T) {
	covered := map[string]bool{}
	for _, g := range gates() {
		covered[strings.TrimSuffix(g.name, " of a tip")] = true
	}
	for _, of := range []reflect.Type{reflect.TypeFor[*payments.Service](), reflect.TypeFor[*payments.Desk]()} {
		for i := range of.NumMethod() {
			m := of.Method(i)
			name := of.Elem().Name() + "." + m.Name
			if _, exempt := noActor[name]; exempt {
				require.False(t, takesActor(m.Type), "%s takes an actor: it must be in the matrix", name)
				continue
			}
			require.True(t, takesActor(m.Type), "%s takes no actor: say in noActor why that is right", name)
			require.True(t, covered[name], "%s is not in the matrix", name)
			delete(covered, name)
		}
	}
	require.Empty(t, covered, "in the matrix, and no methods")
}

func takesActor(method reflect.Type) bool {
	actor := reflect.TypeFor[payments.Actor]()
	for i := range method.NumIn() {
		in := method.In(i)
		if in == actor {
			return true
		}
		if in.Kind() == reflect.Struct {
			if f, has := in.FieldByName("Actor"); has && f.Type == actor {
				return true
			}
		}
	}
	return false
}

// What the corpus of bad input knocks with must keep up with what requests have.
func TestEveryFieldOfARequestIsInTheCorpus(t *testing.T) {
	for request, fields := range map[reflect.Type]string{
		reflect.TypeFor[payments.DepositRequest]():       "Key Actor Member Amount Instrument Reference Description",
		reflect.TypeFor[payments.WithdrawRequest]():      "Key Actor Member Amount To Quote Reference Description TravelRule",
		reflect.TypeFor[payments.QuoteRequest]():         "Actor Member Amount To",
		reflect.TypeFor[payments.TransferRequest]():      "Key Actor From To Amount Reference Description",
		reflect.TypeFor[payments.RefundRequest]():        "Key Actor Of Amount Description",
		reflect.TypeFor[payments.ExchangeRequest]():      "Key Actor Member Amount To Quote",
		reflect.TypeFor[payments.ExchangeQuoteRequest](): "Actor Member Amount To Bought From",
		reflect.TypeFor[payments.IssueRequest]():         "Key Actor Amount",
		reflect.TypeFor[payments.BurnRequest]():          "Key Actor Amount",
		reflect.TypeFor[payments.LinkRequest]():          "Key Actor Member Method Token Provider",
		reflect.TypeFor[payments.ForgiveRequest]():       "Key Actor Member Amount By Note",
		reflect.TypeFor[payments.ResolveRequest]():       "Key Actor Case Action Member Method By Note",
	} {
		var got []string
		for i := range request.NumField() {
			got = append(got, request.Field(i).Name)
		}
		require.Equal(t, fields, strings.Join(got, " "), "%s: knock at the new field too, in badinput_test.go", request)
	}
}

// Two books of one store are two tenants: an id, key or delivery of one is nothing in the other, whoever asks.
func TestNoBookSeesAnother(t *testing.T) {
	w := newWorld(t)
	there := &world{env: new(env), card: w.card, bank: w.bank, bobsCard: w.bobsCard, refused: w.refused, paid: w.paid, tip: w.tip, stray: w.stray}
	*there.env = *w.env
	there.book = ledger.New(w.store, ledger.Config{Book: "another", Clock: w.clock.Now})
	var err error
	there.svc, err = payments.New(there.book, w.config)
	require.NoError(t, err)
	there.sandbox, err = sandbox.New(sandbox.Config{Name: "sandbox", Assets: []currency.Asset{currency.USD}, Clock: w.clock.Now, Secret: []byte("whsec_test")})
	require.NoError(t, err)
	require.NoError(t, there.svc.Register(there.sandbox))
	// The same people are there, with money, a card and keys that were used here.
	there.keys = 0
	there.fund("alice", usd("100.00"))
	for _, book := range []*world{w, there} {
		for range 3 {
			book.work()
		}
	}
	here, other := w.dump(), there.dump()
	require.NotEqual(t, here, other)
	tried := 0
	for _, g := range gates() {
		for f := range idFields {
			if _, has := g.fields[f]; !has && !strings.HasPrefix(g.name, "Desk.Payment") {
				continue
			}
			for name := range actors {
				request := g.form(w)
				request.actor = actors[name]
				err := g.do(there, request)
				require.Error(t, err, "%s of another book by %s", g.name, name)
				class := ledger.ClassOf(err)
				require.True(t, class == ledger.NotFound || errors.Is(err, payments.ErrForbidden), "%s by %s: %v", g.name, name, err)
				tried++
			}
		}
	}
	_, err = there.svc.Case(there.ctx, w.stray)
	require.ErrorIs(t, err, payments.ErrNoCase)
	require.Equal(t, other, there.dump())
	for _, actor := range []payments.Actor{payments.Member("alice"), payments.Platform()} {
		for i, err := range there.svc.Instruments(there.ctx, actor, "alice") {
			require.NoError(t, err)
			require.NotContains(t, []string{w.card, w.bank}, i.ID)
		}
	}
	for c, err := range there.svc.Cases(there.ctx, payments.CaseQuery{}) {
		require.Fail(t, "a case of the other book", "%v %v", c, err)
	}
	for event, err := range there.svc.Events(there.ctx, 0) {
		require.NoError(t, err)
		require.NotEqual(t, w.paid, event.Payment.ID)
	}
	require.Equal(t, here, w.dump())
	t.Logf("cross-book: %d of %d refused", tried, tried)
}

// idFields are the fields that name something that was recorded.
var idFields = map[field]bool{fInstrument: true, fDestination: true, fPayment: true, fCase: true, fQuote: true}

// A delivery about a payment of one book that is sent to another is no money there, even where both have the same secret.
func TestADeliveryForAnotherBookIsNoMoneyHere(t *testing.T) {
	w := newDeskEnv(t, noPolling)
	p := w.deposit("alice", w.link("alice", sandbox.TokenBank), usd("50.00"))
	hooks := w.deliveries(100 * time.Hour)
	require.NotEmpty(t, hooks)
	there := new(env)
	*there = *w
	there.book = ledger.New(w.store, ledger.Config{Book: "another", Clock: w.clock.Now})
	var err error
	there.svc, err = payments.New(there.book, w.config)
	require.NoError(t, err)
	there.sandbox, err = sandbox.New(sandbox.Config{Name: "sandbox", Assets: []currency.Asset{currency.USD}, Clock: w.clock.Now, Secret: []byte("whsec_test"), Tolerance: 1_000 * time.Hour})
	require.NoError(t, err)
	require.NoError(t, there.svc.Register(there.sandbox))
	here := w.dump()
	for _, d := range hooks {
		require.Equal(t, http.StatusNoContent, there.hook(d), "it is kept for a person")
	}
	there.pass(14 * 24 * time.Hour)
	for _, account := range []ledger.AccountID{payments.WalletAccount("alice", "USD"), payments.ClearingAccount("sandbox", "USD"), payments.SuspenseAccount("sandbox", "USD")} {
		require.Contains(t, []string{"none", "0.00"}, there.posted(account), account)
	}
	require.NotEmpty(t, there.cases(), "somebody should know that deliveries go astray")
	require.Equal(t, here, w.dump())
	for _, d := range hooks {
		require.Equal(t, http.StatusNoContent, w.hook(d))
	}
	require.Equal(t, payments.Succeeded, w.payment(p.ID).State)
}
