package ledger_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
)

// past holds what a book looks like before an entry is refused.
type past struct {
	open, expired, closed ledger.ID // holds on alice
	paid, reversed        ledger.ID // transactions
	frozen, shut          ledger.AccountID
	capped                ledger.AccountID
}

// lived returns a world with a past: alice has 100.00 of which 30.00 are held, and there is one of everything.
func lived(t *testing.T) (*world, past) {
	w := newWorld(t)
	w.furnish(10_000)
	p := past{
		frozen: ledger.AccountID{Path: "wallet/frozen", Asset: "USD"},
		shut:   ledger.AccountID{Path: "wallet/shut", Asset: "USD"},
		capped: ledger.AccountID{Path: "wallet/capped", Asset: "USD"},
	}
	w.do(
		ledger.OpenAccount{Account: p.frozen, Type: ledger.Liability, Floor: dollars(0)},
		ledger.OpenAccount{Account: p.shut, Type: ledger.Liability, Floor: dollars(0)},
		ledger.OpenAccount{Account: p.capped, Type: ledger.Liability, Floor: dollars(0), Ceiling: dollars(500)},
		ledger.Transfer(bank, p.frozen, dollars(100)),
		ledger.Transfer(bank, p.capped, dollars(300)),
		ledger.SetAccount{Account: p.frozen, DebitsFrozen: new(true), CreditsFrozen: new(true)},
		ledger.SetAccount{Account: p.shut, Closed: new(true)},
	)
	p.open = w.do(ledger.PlaceHold{Account: alice, Amount: dollars(3_000)}).Results[0].Hold
	p.expired = w.do(ledger.PlaceHold{Account: alice, Amount: dollars(100), ExpiresAt: w.Now().Add(time.Minute)}).Results[0].Hold
	p.closed = w.do(ledger.PlaceHold{Account: alice, Amount: dollars(100)}).Results[0].Hold
	w.do(ledger.Release{Hold: ledger.ByID(p.closed), All: true})
	p.paid = w.do(ledger.Transfer(alice, bob, dollars(500))).Results[0].Transaction
	p.reversed = w.do(ledger.Transfer(bank, bob, dollars(500))).Results[0].Transaction
	w.do(ledger.Reverse{Transaction: ledger.ByID(p.reversed), All: true})
	w.do(ledger.PutDocument{DocumentID: ledger.DocumentID{Kind: "tip", ID: "1"}, References: []string{"post/1"}})
	w.clock.advance(2 * time.Minute)
	return w, p
}

// refusalCase is an entry that the rule book refuses on the lived world.
type refusalCase struct {
	name     string
	commands []ledger.Command
	guards   []ledger.Guard
	leases   []ledger.Lease
	inputs   any
	key      string // when another than the case's name
	code     ledger.Code
	field    string
	command  int
}

func refusals(p past) []refusalCase {
	type c = ledger.Command
	list := func(commands ...c) []c { return commands }
	huge := must128()
	tip := ledger.DocumentID{Kind: "tip", ID: "1"}
	var many []c
	for range ledger.MaxCommands + 1 {
		many = append(many, ledger.Transfer(alice, bob, dollars(1)))
	}
	return append([]refusalCase{
		{name: "nothing", code: ledger.ErrInvalid, field: "commands", command: -1},
		{name: "nil command", commands: list(nil), code: ledger.ErrInvalid},
		{name: "nil pointer", commands: list((*ledger.Post)(nil)), code: ledger.ErrInvalid},
		{name: "foreign command", commands: list(struct{ ledger.Post }{}), code: ledger.ErrInvalid},
		{name: "too many commands", commands: many, code: ledger.ErrTooLarge, field: "commands", command: -1},

		{name: "bad path", commands: list(ledger.OpenAccount{Account: ledger.AccountID{Path: "a//b", Asset: "USD"}, Type: ledger.Asset}), code: ledger.ErrInvalid, field: "account.path"},
		{name: "no such asset", commands: list(ledger.OpenAccount{Account: ledger.AccountID{Path: "a", Asset: "app:test/none"}, Type: ledger.Asset}), code: ledger.ErrInvalid, field: "account.asset"},
		{name: "malformed asset", commands: list(ledger.OpenAccount{Account: ledger.AccountID{Path: "a", Asset: "usd"}, Type: ledger.Asset}), code: ledger.ErrInvalid, field: "account.asset"},
		{name: "no type", commands: list(ledger.OpenAccount{Account: nobody}), code: ledger.ErrInvalid, field: "type"},
		{name: "control in owner", commands: list(ledger.OpenAccount{Account: nobody, Type: ledger.Asset, Owner: "a\x00b"}), code: ledger.ErrInvalid, field: "owner"},
		{name: "floor in another asset", commands: list(ledger.OpenAccount{Account: nobody, Type: ledger.Asset, Floor: euros(0)}), code: ledger.ErrAssetMismatch, field: "floor"},
		{name: "ceiling below floor", commands: list(ledger.OpenAccount{Account: nobody, Type: ledger.Asset, Floor: dollars(0), Ceiling: dollars(-1)}), code: ledger.ErrInvalid, field: "ceiling"},
		{name: "opened below floor", commands: list(ledger.OpenAccount{Account: nobody, Type: ledger.Asset, Floor: dollars(1)}), code: ledger.ErrInsufficientFunds},
		{name: "other type", commands: list(ledger.OpenAccount{Account: alice, Type: ledger.Asset, Owner: "alice", Floor: dollars(0)}), code: ledger.ErrTermsDiffer, field: "type"},
		{name: "other owner", commands: list(ledger.OpenAccount{Account: alice, Type: ledger.Liability, Owner: "bob", Floor: dollars(0)}), code: ledger.ErrTermsDiffer, field: "owner"},
		{name: "no floor where one is", commands: list(ledger.OpenAccount{Account: alice, Type: ledger.Liability, Owner: "alice"}), code: ledger.ErrTermsDiffer, field: "floor"},

		{name: "one posting", commands: list(ledger.Post{Postings: []ledger.Posting{{Account: alice, Side: ledger.Debit, Amount: dollars(1)}}}), code: ledger.ErrInvalid, field: "postings"},
		{name: "zero leg", commands: list(ledger.Transfer(alice, bob, dollars(0))), code: ledger.ErrInvalid, field: "postings[0].amount"},
		{name: "negative leg", commands: list(ledger.Transfer(alice, bob, dollars(-1))), code: ledger.ErrInvalid, field: "postings[0].amount"},
		{name: "no amount", commands: list(ledger.Transfer(alice, bob, currency.Amount{})), code: ledger.ErrInvalid, field: "postings[0].amount"},
		{name: "no side", commands: list(ledger.Post{Postings: []ledger.Posting{{Account: alice, Amount: dollars(1)}, {Account: bob, Side: ledger.Credit, Amount: dollars(1)}}}), code: ledger.ErrInvalid, field: "postings[0].side"},
		{name: "both sides", commands: list(ledger.Transfer(alice, alice, dollars(1))), code: ledger.ErrInvalid, field: "postings[1]"},
		{name: "asset of another account", commands: list(ledger.Transfer(alice, bob, euros(1))), code: ledger.ErrAssetMismatch, field: "postings[0].amount"},
		{name: "unbalanced in one of two assets", commands: list(ledger.Post{Postings: []ledger.Posting{
			{Account: bank, Side: ledger.Debit, Amount: dollars(100)},
			{Account: alice, Side: ledger.Credit, Amount: dollars(100)},
			{Account: bankEUR, Side: ledger.Debit, Amount: euros(100)},
			{Account: aliceE, Side: ledger.Credit, Amount: euros(99)},
		}}), code: ledger.ErrUnbalanced, field: "postings"},
		{name: "more credits than debits", commands: list(ledger.Post{Postings: []ledger.Posting{
			{Account: bank, Side: ledger.Debit, Amount: dollars(99)}, {Account: alice, Side: ledger.Credit, Amount: dollars(100)},
		}}), code: ledger.ErrUnbalanced, field: "postings"},
		{name: "balanced only across assets", commands: list(ledger.Post{Postings: []ledger.Posting{
			{Account: bank, Side: ledger.Debit, Amount: dollars(100)}, {Account: aliceE, Side: ledger.Credit, Amount: euros(100)},
		}}), code: ledger.ErrUnbalanced, field: "postings"},
		{name: "no such account", commands: list(ledger.Transfer(alice, nobody, dollars(1))), code: ledger.ErrAccountNotFound},
		{name: "more than available", commands: list(ledger.Transfer(alice, bob, dollars(6_501))), code: ledger.ErrInsufficientFunds},
		{name: "second command too much", commands: list(ledger.Transfer(alice, bob, dollars(6_500)), ledger.Transfer(alice, bob, dollars(1))), code: ledger.ErrInsufficientFunds, command: 1},
		{name: "above the ceiling", commands: list(ledger.Transfer(bank, p.capped, dollars(201))), code: ledger.ErrCeiling},
		{name: "frozen debit", commands: list(ledger.Transfer(p.frozen, bob, dollars(1))), code: ledger.ErrAccountFrozen},
		{name: "frozen credit", commands: list(ledger.Transfer(alice, p.frozen, dollars(1))), code: ledger.ErrAccountFrozen},
		{name: "fact into closed", commands: list(ledger.Post{Postings: ledger.Transfer(bank, p.shut, dollars(1)).Postings, Fact: true}), code: ledger.ErrAccountClosed},
		{name: "fact beyond floor", commands: list(ledger.Post{Postings: ledger.Transfer(alice, bank, dollars(6_501)).Postings, Fact: true}), code: ledger.ErrInsufficientFunds},
		{name: "far future", commands: list(ledger.Post{Postings: ledger.Transfer(alice, bob, dollars(1)).Postings, EffectiveAt: start.Add(1_000 * time.Hour)}), code: ledger.ErrInvalid, field: "effective_at"},
		{name: "year 10000", commands: list(ledger.Post{Postings: ledger.Transfer(alice, bob, dollars(1)).Postings, EffectiveAt: time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC)}), code: ledger.ErrInvalid, inputs: "x", field: "effective_at"},
		{name: "sum overflows", commands: list(ledger.Transfer(bank, fees, huge), ledger.Transfer(bank, fees, dollars(1))), code: ledger.ErrOverflow, command: 0},
		{name: "sides overflow", commands: list(ledger.Post{Postings: []ledger.Posting{
			{Account: bank, Side: ledger.Debit, Amount: huge},
			{Account: owed, Side: ledger.Debit, Amount: huge},
			{Account: fees, Side: ledger.Credit, Amount: huge},
			{Account: bob, Side: ledger.Credit, Amount: huge},
		}}), code: ledger.ErrOverflow, field: "postings"},
		{name: "same id twice", commands: list(ledger.Post{ID: p.paid, Postings: ledger.Transfer(alice, bob, dollars(1)).Postings}), code: ledger.ErrDeclaredTwice, field: "id"},
		{name: "same id twice in one entry", commands: list(
			ledger.Post{ID: ledger.ID{1}, Postings: ledger.Transfer(alice, bob, dollars(1)).Postings},
			ledger.Draw{ID: ledger.ID{1}, Amount: dollars(1), From: []ledger.AccountID{alice}, To: []ledger.AccountID{bob}},
		), code: ledger.ErrDeclaredTwice, field: "id", command: 1},
		{name: "note too long", commands: list(ledger.Post{Postings: ledger.Transfer(alice, bob, dollars(1)).Postings, Note: ledger.Note{Reference: strings.Repeat("x", ledger.MaxNameBytes+1)}}), code: ledger.ErrTooLarge, field: "reference"},
		{name: "bad UTF-8", commands: list(ledger.Post{Postings: ledger.Transfer(alice, bob, dollars(1)).Postings, Note: ledger.Note{Description: "\xff"}}), code: ledger.ErrInvalid, field: "description"},
		{name: "NUL in meta", commands: list(ledger.Post{Postings: ledger.Transfer(alice, bob, dollars(1)).Postings, Note: ledger.Note{Meta: map[string]string{"a": "\x00"}}}), code: ledger.ErrInvalid, field: "meta.a"},

		{name: "draw of nothing", commands: list(ledger.Draw{Amount: dollars(0), From: []ledger.AccountID{alice}, To: []ledger.AccountID{bob}}), code: ledger.ErrInvalid, field: "amount"},
		{name: "draw from nowhere", commands: list(ledger.Draw{Amount: dollars(1), To: []ledger.AccountID{bob}}), code: ledger.ErrInvalid, field: "from"},
		{name: "draw in two assets", commands: list(ledger.Draw{Amount: dollars(1), From: []ledger.AccountID{alice}, To: []ledger.AccountID{aliceE}}), code: ledger.ErrAssetMismatch, field: "to[0]"},
		{name: "draw in a circle", commands: list(ledger.Draw{Amount: dollars(1), From: []ledger.AccountID{alice}, To: []ledger.AccountID{bob, alice}}), code: ledger.ErrInvalid, field: "to[1]"},
		{name: "draw too much", commands: list(ledger.Draw{Amount: dollars(7_100), From: []ledger.AccountID{alice, bob}, To: []ledger.AccountID{bank}}), code: ledger.ErrInsufficientFunds},
		{name: "draw into too little", commands: list(ledger.Draw{Amount: dollars(201), From: []ledger.AccountID{bank}, To: []ledger.AccountID{p.capped, p.frozen, p.shut}}), code: ledger.ErrCeiling},
		{name: "draw with an unknown last", commands: list(ledger.Draw{Amount: dollars(1), From: []ledger.AccountID{alice}, To: []ledger.AccountID{bank, nobody}}), code: ledger.ErrAccountNotFound},

		{name: "hold too much", commands: list(ledger.PlaceHold{Account: alice, Amount: dollars(6_501)}), code: ledger.ErrInsufficientFunds},
		{name: "hold on frozen", commands: list(ledger.PlaceHold{Account: p.frozen, Amount: dollars(1)}), code: ledger.ErrAccountFrozen},
		{name: "hold on closed", commands: list(ledger.PlaceHold{Account: p.shut, Amount: dollars(1), Fact: true}), code: ledger.ErrAccountClosed},
		{name: "hold already dead", commands: list(ledger.PlaceHold{Account: alice, Amount: dollars(1), ExpiresAt: start}), code: ledger.ErrInvalid, field: "expires_at"},
		{name: "hold with a known id", commands: list(ledger.PlaceHold{ID: p.open, Account: alice, Amount: dollars(1)}), code: ledger.ErrDeclaredTwice, field: "id"},
		{name: "capture more than held", commands: list(ledger.Capture{Hold: ledger.ByID(p.open), To: []ledger.Portion{{Account: bob, Amount: dollars(3_001)}}}), code: ledger.ErrHoldExceeded},
		{name: "capture after expiry", commands: list(ledger.Capture{Hold: ledger.ByID(p.expired), To: []ledger.Portion{{Account: bob, Amount: dollars(1)}}}), code: ledger.ErrHoldClosed, field: "hold"},
		{name: "capture what was released", commands: list(ledger.Capture{Hold: ledger.ByID(p.closed), To: []ledger.Portion{{Account: bob, Amount: dollars(1)}}}), code: ledger.ErrHoldClosed, field: "hold"},
		{name: "capture to nobody", commands: list(ledger.Capture{Hold: ledger.ByID(p.open), Final: true}), code: ledger.ErrInvalid, field: "to"},
		{name: "capture to itself", commands: list(ledger.Capture{Hold: ledger.ByID(p.open), To: []ledger.Portion{{Account: alice, Amount: dollars(1)}}}), code: ledger.ErrInvalid, field: "to[0].account"},
		{name: "capture in another asset", commands: list(ledger.Capture{Hold: ledger.ByID(p.open), To: []ledger.Portion{{Account: aliceE, Amount: euros(1)}}}), code: ledger.ErrAssetMismatch, field: "to[0].amount"},
		{name: "capture of nothing known", commands: list(ledger.Capture{Hold: ledger.ByID(ledger.ID{9}), To: []ledger.Portion{{Account: bob, Amount: dollars(1)}}}), code: ledger.ErrHoldNotFound, field: "hold"},
		{name: "capture into frozen", commands: list(ledger.Capture{Hold: ledger.ByID(p.open), To: []ledger.Portion{{Account: p.frozen, Amount: dollars(1)}}}), code: ledger.ErrAccountFrozen},
		{name: "hold of a transfer", commands: list(ledger.Transfer(alice, bob, dollars(1)), ledger.Release{Hold: ledger.Nth(0), All: true}), code: ledger.ErrInvalid, field: "hold", command: 1},
		{name: "hold of a later command", commands: list(ledger.Release{Hold: ledger.Nth(1), All: true}, ledger.PlaceHold{Account: alice, Amount: dollars(1)}), code: ledger.ErrInvalid, field: "hold"},
		{name: "id and nth", commands: list(ledger.PlaceHold{Account: alice, Amount: dollars(1)}, ledger.Release{Hold: ledger.Ref{ID: p.open, New: true}, All: true}), code: ledger.ErrInvalid, field: "hold", command: 1},
		{name: "no hold", commands: list(ledger.Release{All: true}), code: ledger.ErrInvalid, field: "hold"},
		{name: "release part and all", commands: list(ledger.Release{Hold: ledger.ByID(p.open), All: true, Amount: dollars(1)}), code: ledger.ErrInvalid, field: "amount"},
		{name: "release zero", commands: list(ledger.Release{Hold: ledger.ByID(p.open), Amount: dollars(0)}), code: ledger.ErrInvalid, field: "amount"},
		{name: "release too much", commands: list(ledger.Release{Hold: ledger.ByID(p.open), Amount: dollars(3_001)}), code: ledger.ErrHoldExceeded},
		{name: "release euros", commands: list(ledger.Release{Hold: ledger.ByID(p.open), Amount: euros(1)}), code: ledger.ErrAssetMismatch, field: "amount"},

		{name: "reverse the unknown", commands: list(ledger.Reverse{Transaction: ledger.ByID(ledger.ID{9}), All: true}), code: ledger.ErrTransactionNotFound, field: "transaction"},
		{name: "reverse again", commands: list(ledger.Reverse{Transaction: ledger.ByID(p.reversed), All: true}), code: ledger.ErrAlreadyReversed},
		{name: "reverse too much", commands: list(ledger.Reverse{Transaction: ledger.ByID(p.paid), Part: ledger.Transfer(alice, bob, dollars(501)).Postings}), code: ledger.ErrAlreadyReversed, field: "part[0]"},
		{name: "reverse the wrong side", commands: list(ledger.Reverse{Transaction: ledger.ByID(p.paid), Part: ledger.Transfer(bob, alice, dollars(1)).Postings}), code: ledger.ErrInvalid, field: "part[0]"},
		{name: "reverse all and a part", commands: list(ledger.Reverse{Transaction: ledger.ByID(p.paid), All: true, Part: ledger.Transfer(alice, bob, dollars(1)).Postings}), code: ledger.ErrInvalid, field: "part"},
		{name: "reverse unbalanced", commands: list(ledger.Reverse{Transaction: ledger.ByID(p.paid), Part: []ledger.Posting{{Account: alice, Side: ledger.Debit, Amount: dollars(2)}, {Account: bob, Side: ledger.Credit, Amount: dollars(1)}}}), code: ledger.ErrUnbalanced, field: "part"},

		{name: "set nothing", commands: list(ledger.SetAccount{Account: alice}), code: ledger.ErrInvalid},
		{name: "set nobody", commands: list(ledger.SetAccount{Account: nobody, Closed: new(true)}), code: ledger.ErrAccountNotFound},
		{name: "floor above balance", commands: list(ledger.SetAccount{Account: alice, Floor: new(dollars(6_501))}), code: ledger.ErrInsufficientFunds},
		{name: "ceiling below balance", commands: list(ledger.SetAccount{Account: alice, Ceiling: new(dollars(9_499))}), code: ledger.ErrCeiling},
		{name: "floor in euros", commands: list(ledger.SetAccount{Account: alice, Floor: new(euros(0))}), code: ledger.ErrAssetMismatch, field: "floor"},
		{name: "close with money", commands: list(ledger.SetAccount{Account: bob, Closed: new(true)}), code: ledger.ErrAccountInUse},

		{name: "stale document", commands: list(ledger.PutDocument{DocumentID: tip}), code: ledger.ErrVersion, field: "version"},
		{name: "document from the future", commands: list(ledger.PutDocument{DocumentID: tip, Version: 2}), code: ledger.ErrVersion, field: "version"},
		{name: "taken reference", commands: list(ledger.PutDocument{DocumentID: ledger.DocumentID{Kind: "tip", ID: "2"}, References: []string{"post/2", "post/1"}}), code: ledger.ErrReferenceTaken, field: "references[1]"},
		{name: "body is no JSON", inputs: "x", commands: list(ledger.PutDocument{DocumentID: tip, Version: 1, Body: json.RawMessage(`{`)}), code: ledger.ErrInvalid, field: "body"},
		{name: "body too large", commands: list(ledger.PutDocument{DocumentID: tip, Version: 1, Body: json.RawMessage(`"` + strings.Repeat("x", ledger.MaxBodyBytes) + `"`)}), code: ledger.ErrTooLarge, field: "body"},
		{name: "document without id", commands: list(ledger.PutDocument{DocumentID: ledger.DocumentID{Kind: "tip"}}), code: ledger.ErrInvalid},

		{name: "lease nobody has", leases: []ledger.Lease{{Document: tip, Token: ledger.ID{1}}}, commands: list(ledger.Transfer(alice, bob, dollars(1))), code: ledger.ErrLeaseLost, field: "leases[0]", command: -1},
		{name: "guard that looks around", guards: []ledger.Guard{{Check: func(v ledger.View) ([]ledger.Command, error) {
			v.Account(bob)
			return nil, nil
		}}}, code: ledger.ErrUndeclared, field: "guards[0]", command: -1},
		{name: "guard that reaches out", guards: []ledger.Guard{{Reads: ledger.Reads{Accounts: []ledger.AccountID{alice}}, Check: func(ledger.View) ([]ledger.Command, error) {
			return list(ledger.Transfer(alice, bob, dollars(1))), nil
		}}}, code: ledger.ErrUndeclared, field: "guards[0].commands[0]", command: -1},
		{name: "guard that panics", guards: []ledger.Guard{{Check: func(ledger.View) ([]ledger.Command, error) { panic("boom") }}}, code: ledger.ErrGuardPanicked, field: "guards[0]", command: -1},
		{name: "guard without a check", guards: []ledger.Guard{{}}, code: ledger.ErrInvalid, field: "guards[0].check", command: -1},
		{name: "guard that says no", guards: []ledger.Guard{{Check: func(ledger.View) ([]ledger.Command, error) {
			return nil, ledger.Refuse("daily_limit", "Try tomorrow.", "limit 5")
		}}}, code: "daily_limit", command: -1},
		{name: "guard that says no in a word", guards: []ledger.Guard{{Check: func(ledger.View) ([]ledger.Command, error) {
			return nil, fmt.Errorf("policy: %w", ledger.ErrDenied)
		}}}, code: ledger.ErrDenied, command: -1},
		{name: "guard whose command is declined", guards: []ledger.Guard{{Reads: ledger.Reads{Accounts: []ledger.AccountID{alice, bob}}, Check: func(ledger.View) ([]ledger.Command, error) {
			return list(ledger.Transfer(alice, bob, dollars(6_501))), nil
		}}}, code: ledger.ErrInsufficientFunds, field: "guards[0].commands[0]", command: -1},

		{name: "no key", key: "-", commands: list(ledger.Transfer(alice, bob, dollars(1))), code: ledger.ErrInvalid, field: "key", command: -1},
		{name: "key with NUL", key: "a\x00", commands: list(ledger.Transfer(alice, bob, dollars(1))), code: ledger.ErrInvalid, field: "key", command: -1},
		{name: "long key", key: strings.Repeat("k", ledger.MaxKeyBytes+1), commands: list(ledger.Transfer(alice, bob, dollars(1))), code: ledger.ErrTooLarge, field: "key", command: -1},
		{name: "used key", key: "key-1", commands: list(ledger.Transfer(alice, bob, dollars(1))), code: ledger.ErrKeyConflict, field: "commands[0].open_account", command: -1},
		{name: "inputs that are no JSON", inputs: math.Inf, commands: list(ledger.Transfer(alice, bob, dollars(1))), code: ledger.ErrInvalid, field: "inputs", command: -1},
		{name: "inputs too large", inputs: strings.Repeat("x", ledger.MaxInputsBytes), commands: list(ledger.Transfer(alice, bob, dollars(1))), code: ledger.ErrTooLarge, field: "inputs", command: -1},
	}, moreRefusals(p)...)
}

func must128() currency.Amount {
	huge, err := currency.FromUnits(math.MaxInt64, math.MaxUint64, usd)
	if err != nil {
		panic(err)
	}
	return huge
}

// Every refusal leaves the book as it was, byte for byte; a decline leaves its key besides, and comes back with it.
func TestRefusals(t *testing.T) {
	_, p := lived(t)
	cases := refusals(p)
	require.Greater(t, len(cases), 150)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			w, _ := lived(t)
			key := "case"
			switch c.key {
			case "-":
				key = ""
			case "":
			default:
				key = c.key
			}
			e := ledger.Entry{Key: key, Commands: c.commands, Guards: c.guards, Leases: c.leases, Inputs: c.inputs}
			before := dump(t, w.store, w.Name())

			_, simulated := w.Simulate(t.Context(), e)
			require.Equal(t, before, dump(t, w.store, w.Name()), "a simulation changed the book")
			receipt, err := w.Record(t.Context(), e)
			require.ErrorIs(t, err, c.code)
			require.Equal(t, simulated, err)
			r, ok := errors.AsType[*ledger.Refusal](err)
			require.True(t, ok)
			require.Equal(t, c.field, r.Field, "%v", err)
			require.Equal(t, c.command, r.Command, "%v", err)
			require.Equal(t, c.code.Class(), r.Class)
			require.ErrorIs(t, err, r.Class)

			after := dump(t, w.store, w.Name())
			if r.Class != ledger.Declined {
				require.Equal(t, before, after)
				return
			}
			require.Equal(t, withoutKeys(before), withoutKeys(after))
			require.Contains(t, after, `"key":"case"`)
			again, errAgain := w.Record(t.Context(), e)
			require.Equal(t, err, errAgain)
			require.True(t, again.Replayed)
			require.False(t, receipt.Replayed)
			again.Replayed = false
			require.Equal(t, receipt, again)
			_, stored := w.Receipt(t.Context(), key)
			require.Equal(t, err, stored)
			require.Equal(t, after, dump(t, w.store, w.Name()))
			w.sound()
		})
	}
}

func withoutKeys(dump string) string {
	var b strings.Builder
	for line := range strings.Lines(dump) {
		if !strings.HasPrefix(line, `{"list":"keys"`) {
			b.WriteString(line)
		}
	}
	return b.String()
}

// The table above provokes every code but those that need a broken store or another process.
func TestRefusalsCoverTheCodes(t *testing.T) {
	_, p := lived(t)
	seen := map[ledger.Code]bool{
		ledger.ErrAssetChanged: true, // TestAssetChanged
		ledger.ErrStore:        true, // TestStoreFails
		ledger.ErrCorrupt:      true, // TestVerify…
		ledger.ErrKeyNotFound:  true, // TestLookUps
	}
	for _, c := range refusals(p) {
		seen[c.code] = true
	}
	for _, c := range []ledger.Code{
		ledger.ErrInvalid, ledger.ErrTooLarge, ledger.ErrUnbalanced, ledger.ErrAssetMismatch, ledger.ErrAssetChanged, ledger.ErrOverflow,
		ledger.ErrUndeclared, ledger.ErrGuardPanicked, ledger.ErrDeclaredTwice, ledger.ErrTermsDiffer, ledger.ErrVersion,
		ledger.ErrReferenceTaken, ledger.ErrKeyConflict, ledger.ErrLeaseLost, ledger.ErrAccountNotFound, ledger.ErrHoldNotFound,
		ledger.ErrTransactionNotFound, ledger.ErrDocumentNotFound, ledger.ErrKeyNotFound, ledger.ErrInsufficientFunds, ledger.ErrCeiling,
		ledger.ErrAccountFrozen, ledger.ErrAccountClosed, ledger.ErrAccountInUse, ledger.ErrHoldClosed, ledger.ErrHoldExceeded,
		ledger.ErrAlreadyReversed, ledger.ErrDenied, ledger.ErrStore, ledger.ErrCorrupt,
	} {
		require.True(t, seen[c], "no case provokes %v", c)
	}
}

func TestRefusalFigures(t *testing.T) {
	w, _ := lived(t)
	_, err := w.try(ledger.Transfer(alice, bob, dollars(7_000)))
	r, ok := errors.AsType[*ledger.Refusal](err)
	require.True(t, ok)
	require.Equal(t, alice, r.Account)
	require.Equal(t, "70.00 USD", r.Wanted.String())
	require.Equal(t, dollars(6_500), r.Available, "a dead hold counts no more, though nobody has written its end")
	require.Equal(t, dollars(3_100), w.info(alice).Held)
	require.Equal(t, "ledger: insufficient funds: command 0: account wallet/alice USD: wanted 70.00 USD, available 65.00 USD", err.Error())

	for cents, why := range map[int64]string{99: "credits exceed debits by 0.01 USD", 101: "debits exceed credits by 0.01 USD"} {
		_, err = w.try(ledger.Post{Postings: []ledger.Posting{
			{Account: bank, Side: ledger.Debit, Amount: dollars(cents)}, {Account: alice, Side: ledger.Credit, Amount: dollars(100)},
		}})
		require.EqualError(t, err, "ledger: unbalanced: command 0: postings: "+why)
	}
}

func TestGuardErrorsThatBurnNothing(t *testing.T) {
	w, _ := lived(t)
	own := errors.New("the policy server is away")
	for name, give := range map[string]error{
		"untyped":     own,
		"timed out":   context.DeadlineExceeded,
		"not a no":    ledger.ErrDocumentNotFound,
		"unavailable": ledger.Refuse(ledger.ErrStore, "", ""),
		"wrapped":     fmt.Errorf("policy: %w", own),
	} {
		before := dump(t, w.store, w.Name())
		guard := ledger.Guard{Check: func(ledger.View) ([]ledger.Command, error) { return nil, give }}
		_, err := w.Record(t.Context(), ledger.Entry{Key: name, Guards: []ledger.Guard{guard}})
		require.ErrorIs(t, err, give)
		require.Equal(t, before, dump(t, w.store, w.Name()), name)
		guard.Check = func(ledger.View) ([]ledger.Command, error) { return nil, nil }
		_, err = w.Record(t.Context(), ledger.Entry{Key: name, Guards: []ledger.Guard{guard}})
		require.NoError(t, err, "the key is free")
	}
}

// What a guard says is cleaned, so that every store can keep it, and its replay is equal.
func TestGuardRefusalIsCleaned(t *testing.T) {
	w := newWorld(t)
	bad := &ledger.Refusal{
		Code: ledger.Code("no\x00" + strings.Repeat("é", 300)), Command: 7, Public: "a\xffb", Private: strings.Repeat("é", 5_000),
		Account: ledger.AccountID{Path: "x\x00"}, Cause: errors.New("secret"),
	}
	e := ledger.Entry{Key: "k", Guards: []ledger.Guard{{Check: func(ledger.View) ([]ledger.Command, error) { return nil, bad }}}}
	_, err := w.Record(t.Context(), e)
	r, ok := errors.AsType[*ledger.Refusal](err)
	require.True(t, ok)
	require.Equal(t, ledger.Declined, r.Class)
	require.LessOrEqual(t, len(r.Private), ledger.MaxTextBytes)
	require.Equal(t, "a\uFFFDb", r.Public)
	require.NotContains(t, string(r.Code), "\x00")
	require.NoError(t, r.Cause)
	_, again := w.Record(t.Context(), e)
	require.Equal(t, err, again)
}
