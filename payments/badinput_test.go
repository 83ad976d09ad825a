package payments_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/ledger/memory"
	"github.com/koshpay/kosh/payments"
	"github.com/koshpay/kosh/providers"
	"github.com/koshpay/kosh/providers/sandbox"
)

// The corpus of bad input. A door is one method through which a host's requests come in; each is knocked at with everything
// that is wrong with each field that it has, one at a time, the rest of the request being one that it accepts. Every refusal
// must have the right class and code, name its field, say little, and leave the book as it was to the byte, but for the key that a
// decline burns. What is wrong with a field is in badinput_amount_test.go, badinput_text_test.go and badinput_id_test.go;
// deliveries of webhooks and requests as JSON have files of their own.

// field is a kind of input, whatever a request calls it.
type field string

const (
	fActor       field = "actor"
	fKey         field = "key"
	fMember      field = "member" // the one concerned
	fTo          field = "to"     // another member
	fAmount      field = "amount"
	fWanted      field = "wanted" // the asset that an exchange gives
	fAsset       field = "asset"  // of a wallet that is there
	fAssetName   field = "name of an asset"
	fText        field = "text"
	fReference   field = "reference"
	fInstrument  field = "instrument"
	fDestination field = "destination"
	fQuote       field = "quote"
	fSwap        field = "quote of an exchange"
	fTravel      field = "travel rule"
	fPayment     field = "payment"
	fCase        field = "case"
	fToken       field = "token"
	fMethod      field = "method"
	fResolution  field = "resolution"
	fOpens       field = "opens" // the assets of wallets
)

// form is a request to any door.
type form struct {
	actor                                                     payments.Actor
	key, member, to, text, reference, instrument, destination string
	payment, caseID, token, provider, quote, travel           string
	amount                                                    currency.Amount
	bought                                                    currency.Amount
	wanted, asset, from                                       currency.AssetID
	method                                                    providers.Method
	resolution                                                payments.Resolution
	opens                                                     []currency.Asset
}

// door is one method. Its fields are named as its refusals name them.
type door struct {
	name   string
	fields map[field]string
	form   func(w *world) form
	do     func(w *world, f form) error
}

// bad is one thing that may be wrong with a field.
type bad struct {
	name  string
	put   func(w *world, f *form)
	is    error // the code
	class ledger.Class
	field string // empty: the one that was changed; "any": no field can be named
	burns bool   // the refusal is a decline, which burns the key
}

// world is a host in which every door can be passed.
type world struct {
	*env
	card, bank, bobsCard, refused string // instruments
	paid, tip, stray, quote       string // payments, a case, and a quote of alice
	swap, bobsSwap                string // quotes of an exchange, for a dollar in euros
}

var bitcoin = currency.MustDefine(currency.Info{ID: "bip122:000000000019d6689c085ae165831e93/slip44:0", Code: "BTC", Name: "Bitcoin", Scale: 8, Kind: currency.Crypto})

// lookalike is a coin that looks like the one that is enabled, and has its ticker and name.
var lookalike = currency.MustDefine(currency.Info{ID: "app:kosh-test/c0in", Code: "COIN", Name: "Test Coin", Scale: 2, Kind: currency.Virtual})

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{env: newDeskEnv(t, func(c *payments.Config, _ *sandbox.Config) {
		c.Rates = payments.FixedRates(currency.MustRate(currency.USD, currency.EUR, decimal.RequireFromString("0.90")),
			currency.MustRate(currency.USD, coin, decimal.RequireFromString("1000000")))
	})}
	alice := payments.Member("alice")
	w.paid = w.fund("alice", usd("100.00")).ID
	w.card, w.bank, w.bobsCard = w.link("alice", sandbox.TokenCard), w.link("alice", sandbox.TokenBank), w.link("bob", sandbox.TokenCard)
	i, err := w.svc.Link(w.ctx, payments.LinkRequest{Key: w.key(), Actor: alice, Method: providers.Card, Token: sandbox.TokenCardRefused})
	require.NoError(t, err)
	require.Equal(t, payments.Failed, i.State)
	w.refused = i.ID
	p, err := w.svc.Tip(w.ctx, payments.TransferRequest{Key: "used", Actor: alice, To: "bob", Amount: usd("5.00")})
	require.NoError(t, err)
	w.tip = p.ID
	_, err = w.svc.Issue(w.ctx, payments.IssueRequest{Key: "used", Actor: payments.Platform(), Amount: currency.MustParse("10.00", coin)})
	require.NoError(t, err)
	// Carol owes: she has spent what a dispute takes back.
	w.deposit("carol", w.link("carol", sandbox.TokenCardDisputeLost), usd("20.00"))
	_, err = w.svc.Send(w.ctx, payments.TransferRequest{Key: w.key(), Actor: payments.Member("carol"), To: "bob", Amount: usd("20.00")})
	require.NoError(t, err)
	for range 15 {
		w.clock.advance(2 * 24 * time.Hour)
		w.work()
	}
	w.hasWallet("carol", "0.00", "0.00", "20.00")
	w.stray = w.strayed(usd("12.00")).ID
	q, err := w.svc.Quote(w.ctx, payments.QuoteRequest{Actor: alice, Amount: usd("1.00"), To: w.bank})
	require.NoError(t, err)
	w.quote = q.ID
	for member, id := range map[string]*string{"alice": &w.swap, "bob": &w.bobsSwap} {
		q, err := w.svc.QuoteExchange(w.ctx, payments.ExchangeQuoteRequest{Actor: payments.Member(member), Amount: usd("1.00"), To: "EUR"})
		require.NoError(t, err)
		*id = q.ID
	}
	return w
}

// copy is a host with the same book, in which something may be done that the first one does not see. The far side is the same.
func (w *world) copy(t *testing.T) *world {
	t.Helper()
	c, e := *w, *w.env
	c.env, e.T = &e, t
	e.commit(w.store.(*memory.Store).Clone())
	return &c
}

// asAlice is what most doors are asked for.
func asAlice(w *world) form {
	return form{
		actor: payments.Member("alice"), key: "new", member: "alice", to: "bob", amount: usd("1.00"), text: "thanks", reference: "post-1",
		instrument: w.card, destination: w.bank, payment: w.paid, caseID: w.stray, token: sandbox.TokenCard, method: providers.Card,
		wanted: "EUR", asset: "USD", resolution: payments.AssignTo, opens: []currency.Asset{currency.EUR},
	}
}

// asPlatform changes alice's form into one of the host's own.
func asPlatform(change func(*form)) func(w *world) form {
	return func(w *world) form {
		f := asAlice(w)
		f.actor = payments.Platform()
		change(&f)
		return f
	}
}

func last[T any](all iter.Seq2[T, error]) (err error) {
	for _, e := range all {
		err = errors.Join(err, e)
	}
	return err
}

// counterDoors are the doors of the service that its desks have too.
func counterDoors(name string, at func(w *world) counter) []door {
	transfer := func(pay func(counter) func(context.Context, payments.TransferRequest) (payments.Payment, error)) func(w *world, f form) error {
		return func(w *world, f form) error {
			_, err := pay(at(w))(w.ctx, payments.TransferRequest{
				Key: f.key, Actor: f.actor, From: f.member, To: f.to, Amount: f.amount, Reference: f.reference, Description: f.text,
			})
			return err
		}
	}
	money := map[field]string{fActor: "actor", fKey: "key", fMember: "member", fAmount: "amount", fReference: "reference", fText: "description"}
	with := func(base map[field]string, more ...any) map[field]string {
		all := map[field]string{}
		for k, v := range base {
			all[k] = v
		}
		for i := 0; i < len(more); i += 2 {
			all[more[i].(field)] = more[i+1].(string)
		}
		return all
	}
	return []door{
		{name + ".Deposit", with(money, fInstrument, "instrument"), asAlice, func(w *world, f form) error {
			_, err := at(w).Deposit(w.ctx, payments.DepositRequest{
				Key: f.key, Actor: f.actor, Member: f.member, Amount: f.amount, Instrument: f.instrument, Reference: f.reference, Description: f.text,
			})
			return err
		}},
		{name + ".Withdraw", with(money, fDestination, "to", fQuote, "quote", fTravel, "travel_rule"), asAlice, func(w *world, f form) error {
			_, err := at(w).Withdraw(w.ctx, payments.WithdrawRequest{
				Key: f.key, Actor: f.actor, Member: f.member, Amount: f.amount, To: f.destination, Reference: f.reference, Description: f.text,
				Quote: f.quote, TravelRule: f.travel,
			})
			return err
		}},
		{name + ".Send", with(money, fMember, "from", fTo, "to"), asAlice, transfer(func(c counter) func(context.Context, payments.TransferRequest) (payments.Payment, error) {
			return c.Send
		})},
		{name + ".Tip", with(money, fMember, "from", fTo, "to"), asAlice, transfer(func(c counter) func(context.Context, payments.TransferRequest) (payments.Payment, error) {
			return c.Tip
		})},
		{name + ".Refund", map[field]string{fActor: "actor", fKey: "key", fAmount: "amount", fText: "description", fPayment: "id"}, asAlice, func(w *world, f form) error {
			_, err := at(w).Refund(w.ctx, payments.RefundRequest{Key: f.key, Actor: f.actor, Of: f.payment, Amount: f.amount, Description: f.text})
			return err
		}},
		{name + ".Exchange", map[field]string{fActor: "actor", fKey: "key", fMember: "member", fAmount: "amount", fWanted: "to", fSwap: "quote"}, asAlice, func(w *world, f form) error {
			_, err := at(w).Exchange(w.ctx, payments.ExchangeRequest{Key: f.key, Actor: f.actor, Member: f.member, Amount: f.amount, To: f.wanted, Quote: f.quote})
			return err
		}},
		{name + ".QuoteExchange", map[field]string{fActor: "actor", fMember: "member", fAmount: "amount", fWanted: "to"}, asAlice, func(w *world, f form) error {
			_, err := at(w).QuoteExchange(w.ctx, payments.ExchangeQuoteRequest{
				Actor: f.actor, Member: f.member, Amount: f.amount, To: f.wanted, Bought: f.bought, From: f.from,
			})
			return err
		}},
		{
			name + ".Issue",
			map[field]string{fActor: "actor", fKey: "key", fAmount: "amount"},
			asPlatform(func(f *form) { f.amount, f.member = currency.MustParse("1.00", coin), "" }),
			func(w *world, f form) error {
				_, err := at(w).Issue(w.ctx, payments.IssueRequest{Key: f.key, Actor: f.actor, Amount: f.amount})
				return err
			},
		},
		{
			name + ".Burn",
			map[field]string{fActor: "actor", fKey: "key", fAmount: "amount"},
			asPlatform(func(f *form) { f.amount, f.member = currency.MustParse("1.00", coin), "" }),
			func(w *world, f form) error {
				_, err := at(w).Burn(w.ctx, payments.BurnRequest{Key: f.key, Actor: f.actor, Amount: f.amount})
				return err
			},
		},
		{name + ".OpenWallet", map[field]string{fActor: "actor", fMember: "member", fOpens: "assets"}, asAlice, func(w *world, f form) error {
			return at(w).OpenWallet(w.ctx, f.actor, f.member, f.opens...)
		}},
	}
}

// serviceDoors are the doors that a desk has not.
func serviceDoors() []door {
	return []door{
		{"Service.Quote", map[field]string{fActor: "actor", fMember: "member", fAmount: "amount", fDestination: "to"}, asAlice, func(w *world, f form) error {
			_, err := w.svc.Quote(w.ctx, payments.QuoteRequest{Actor: f.actor, Member: f.member, Amount: f.amount, To: f.destination})
			return err
		}},
		{"Service.Link", map[field]string{fActor: "actor", fKey: "key", fMember: "member", fToken: "token", fMethod: "method"}, asAlice, func(w *world, f form) error {
			_, err := w.svc.Link(w.ctx, payments.LinkRequest{Key: f.key, Actor: f.actor, Member: f.member, Method: f.method, Token: f.token, Provider: f.provider})
			return err
		}},
		{
			"Service.Forgive",
			map[field]string{fActor: "actor", fKey: "key", fMember: "member", fAmount: "amount", fText: "note", fReference: "by"},
			asPlatform(func(f *form) { f.member = "carol" }), func(w *world, f form) error {
				_, err := w.svc.Forgive(w.ctx, payments.ForgiveRequest{Key: f.key, Actor: f.actor, Member: f.member, Amount: f.amount, By: f.reference, Note: f.text})
				return err
			},
		},
		{
			"Service.Resolve",
			map[field]string{fActor: "actor", fKey: "key", fMember: "member", fText: "note", fReference: "by", fCase: "case", fResolution: "action"},
			asPlatform(func(*form) {}), func(w *world, f form) error {
				_, err := w.svc.Resolve(w.ctx, payments.ResolveRequest{Key: f.key, Actor: f.actor, Case: f.caseID, Action: f.resolution, Member: f.member, By: f.reference, Note: f.text})
				return err
			},
		},
		{"Service.Freeze", map[field]string{fActor: "actor", fKey: "key", fMember: "member", fAsset: ""}, asPlatform(func(*form) {}), func(w *world, f form) error {
			return w.svc.Freeze(w.ctx, f.actor, f.key, f.member, f.asset, true)
		}},
		{"Service.Unfreeze", map[field]string{fActor: "actor", fKey: "key", fMember: "member", fAsset: ""}, asPlatform(func(*form) {}), func(w *world, f form) error {
			return w.svc.Unfreeze(w.ctx, f.actor, f.key, f.member, f.asset)
		}},
		{"Service.Payment", map[field]string{fActor: "actor", fPayment: "id"}, asAlice, func(w *world, f form) error {
			_, err := w.svc.Payment(w.ctx, f.actor, f.payment)
			return err
		}},
		{"Service.Evidence", map[field]string{fActor: "actor", fPayment: "id"}, asAlice, func(w *world, f form) error {
			_, err := w.svc.Evidence(w.ctx, f.actor, f.payment)
			return err
		}},
		{"Service.Screening", map[field]string{fActor: "actor", fPayment: "id"}, asPlatform(func(*form) {}), func(w *world, f form) error {
			_, err := w.svc.Screening(w.ctx, f.actor, f.payment)
			return err
		}},
		{"Service.Advance", map[field]string{fActor: "actor", fPayment: "id"}, asAlice, func(w *world, f form) error {
			_, err := w.svc.Advance(w.ctx, f.actor, f.payment)
			return err
		}},
		{"Service.Case", map[field]string{fCase: "case"}, asAlice, func(w *world, f form) error {
			_, err := w.svc.Case(w.ctx, f.caseID)
			return err
		}},
		{"Service.Wallets", map[field]string{fActor: "actor", fMember: "member"}, asAlice, func(w *world, f form) error {
			_, err := w.svc.Wallets(w.ctx, f.actor, f.member)
			return err
		}},
		{"Service.Instruments", map[field]string{fActor: "actor", fMember: "member"}, asAlice, func(w *world, f form) error {
			return last(w.svc.Instruments(w.ctx, f.actor, f.member))
		}},
		{"Service.Statement", map[field]string{fActor: "actor", fMember: "member", fAssetName: "asset"}, asAlice, func(w *world, f form) error {
			return last(w.svc.Statement(w.ctx, f.actor, f.member, f.asset, time.Time{}, time.Time{}))
		}},
	}
}

func allDoors() []door {
	doors := counterDoors("Service", func(w *world) counter { return w.svc })
	doors = append(doors, counterDoors("Desk", func(w *world) counter { return w.svc.In(w.store) })...)
	return append(doors, serviceDoors()...)
}

// wrong is all that may be wrong with each field.
func wrong() map[field][]bad {
	return map[field][]bad{
		fActor: badActors(), fKey: badKeys(), fMember: badMembers(), fTo: badPayees(), fAmount: badAmounts(), fWanted: badWanted(),
		fAsset: badAssets(), fAssetName: badAssetNames(), fOpens: badOpens(), fText: badTexts(), fReference: badReferences(), fInstrument: badInstruments(),
		fDestination: badDestinations(), fQuote: badQuotes(), fSwap: badSwaps(), fTravel: badTravelRules(), fPayment: badPayments(), fCase: badCases(), fToken: badTokens(), fMethod: badMethods(), fResolution: badResolutions(),
	}
}

// knocks counts what was refused, and what was delivered again.
type knocks struct{ tried, refused, replayed int }

func TestBadInput(t *testing.T) {
	w := newWorld(t)
	corpus := wrong()
	var total knocks
	for _, d := range allDoors() {
		t.Run(d.name, func(t *testing.T) {
			good := w.copy(t)
			require.NoError(t, d.do(good, d.form(good)), "the request without anything wrong")
			_, method, _ := strings.Cut(d.name, ".")
			for f, name := range d.fields {
				rows := corpus[f]
				if f == fAmount {
					rows = slices.Concat(rows, oddAmounts()[method])
				}
				before := w.dump()
				for _, b := range rows {
					total.tried++
					if w.knock(t, d, f, name, b) {
						total.refused++
					}
					if b.burns {
						after := w.dump()
						require.Equal(t, before, withoutKeys(before, after), "a decline burns its key and nothing else")
						require.NotEqual(t, before, after, "a decline burns its key")
						before = after
					}
				}
				require.Equal(t, before, w.dump(), "the book is as it was before all the requests with a bad %s", f)
			}
		})
	}
	total.add(w.webhooks(t))
	total.add(w.badJSON(t))
	require.GreaterOrEqual(t, total.tried, 500)
	require.Equal(t, total.tried, total.refused)
	fmt.Printf("bad input: %d of %d refused, state unchanged; %d deliveries again without effect\n", total.refused, total.tried, total.replayed)
}

func (k *knocks) add(more knocks) {
	k.tried, k.refused, k.replayed = k.tried+more.tried, k.refused+more.refused, k.replayed+more.replayed
}

// knock makes one bad request and tells whether it was refused as it must be.
func (w *world) knock(t *testing.T, d door, f field, name string, b bad) bool {
	return t.Run(string(f)+" "+b.name, func(t *testing.T) {
		request := d.form(w)
		b.put(w, &request)
		var err error
		require.NotPanics(t, func() { err = d.do(w, request) })
		switch b.field {
		case "":
		case "any":
			name = ""
		default:
			name = b.field
		}
		refusedAs(t, err, b.class, b.is, name)
	})
}
