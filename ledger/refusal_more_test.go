package ledger_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
)

// moreRefusals are those of limits, of names and of the commands that are rarer.
func moreRefusals(p past) []refusalCase {
	type c = ledger.Command
	list := func(commands ...c) []c { return commands }
	tip := ledger.DocumentID{Kind: "tip", ID: "1"}
	at := func(path string) ledger.AccountID { return ledger.AccountID{Path: path, Asset: "USD"} }
	open := func(path string) []c { return list(ledger.OpenAccount{Account: at(path), Type: ledger.Asset}) }
	pay := ledger.Transfer(alice, bob, dollars(1)).Postings
	noted := func(n ledger.Note) []c { return list(ledger.Post{Postings: pay, Note: n}) }
	reads := func(r ledger.Reads) []ledger.Guard {
		return []ledger.Guard{{Reads: r, Check: func(ledger.View) ([]ledger.Command, error) { return nil, nil }}}
	}
	adds := func(commands ...c) []ledger.Guard {
		return []ledger.Guard{{Check: func(ledger.View) ([]ledger.Command, error) { return commands, nil }}}
	}
	fails := func(err error) []ledger.Guard {
		return []ledger.Guard{{Check: func(ledger.View) ([]ledger.Command, error) { return nil, err }}}
	}
	manyAccounts := make([]ledger.AccountID, ledger.MaxDrawAccounts+1)
	for i := range manyAccounts {
		manyAccounts[i] = at(fmt.Sprintf("many/%d", i))
	}
	meta := map[string]string{}
	for i := range ledger.MaxMetaEntries + 1 {
		meta[fmt.Sprint(i)] = ""
	}
	portion := func(amount currency.Amount) []ledger.Portion { return []ledger.Portion{{Account: bob, Amount: amount}} }
	year0 := time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC)

	return []refusalCase{
		{name: "empty path", commands: open(""), code: ledger.ErrInvalid, field: "account.path"},
		{name: "path with a line feed", commands: open("wallet/a\nb"), code: ledger.ErrInvalid, field: "account.path"},
		{name: "path with NUL", commands: open("wallet/\x00"), code: ledger.ErrInvalid, field: "account.path"},
		{name: "path with an override", commands: open("wallet/\u202ea"), code: ledger.ErrInvalid, field: "account.path"},
		{name: "path of 10 KB", commands: open(strings.Repeat("x", 10<<10)), code: ledger.ErrInvalid, field: "account.path"},
		{name: "path of nine segments", commands: open("a/b/c/d/e/f/g/h/i"), code: ledger.ErrInvalid, field: "account.path"},
		{name: "path of a posting", commands: list(ledger.Transfer(alice, at("a b"), dollars(1))), code: ledger.ErrInvalid, field: "postings[1].account.path"},
		{name: "asset that is no asset", commands: list(ledger.SetAccount{Account: ledger.AccountID{Path: "a"}, Closed: new(true)}), code: ledger.ErrInvalid, field: "account.asset"},
		{name: "opened above ceiling", commands: list(ledger.OpenAccount{Account: nobody, Type: ledger.Asset, Ceiling: dollars(-1)}), code: ledger.ErrCeiling},
		{name: "other ceiling", commands: list(ledger.OpenAccount{Account: alice, Type: ledger.Liability, Owner: "alice", Floor: dollars(0), Ceiling: dollars(9)}), code: ledger.ErrTermsDiffer, field: "ceiling"},
		{name: "ceiling in another asset", commands: list(ledger.OpenAccount{Account: nobody, Type: ledger.Asset, Ceiling: euros(1)}), code: ledger.ErrAssetMismatch, field: "ceiling"},
		{name: "type that is none", commands: list(ledger.OpenAccount{Account: nobody, Type: 6}), code: ledger.ErrInvalid, field: "type"},
		{name: "long owner", commands: list(ledger.OpenAccount{Account: nobody, Type: ledger.Asset, Owner: strings.Repeat("x", ledger.MaxNameBytes+1)}), code: ledger.ErrTooLarge, field: "owner"},

		{name: "no postings", commands: list(ledger.Post{}), code: ledger.ErrInvalid, field: "postings"},
		{name: "10,001 legs", commands: list(ledger.Post{Postings: slices.Repeat(pay[:1], 10_001)}), code: ledger.ErrTooLarge, field: "postings"},
		{name: "one leg too many", commands: list(ledger.Post{Postings: slices.Repeat(pay, ledger.MaxPostings/2+1)}), code: ledger.ErrTooLarge, field: "postings"},
		{name: "side that is none", commands: list(ledger.Post{Postings: []ledger.Posting{pay[0], {Account: bob, Side: 3, Amount: dollars(1)}}}), code: ledger.ErrInvalid, field: "postings[1].side"},
		{name: "two debits", commands: list(ledger.Post{Postings: []ledger.Posting{pay[0], {Account: bob, Side: ledger.Debit, Amount: dollars(1)}}}), code: ledger.ErrUnbalanced, field: "postings"},
		{name: "off by one cent", commands: list(ledger.Post{Postings: []ledger.Posting{pay[0], {Account: bob, Side: ledger.Credit, Amount: dollars(2)}}}), code: ledger.ErrUnbalanced, field: "postings"},
		{name: "year 0", inputs: "x", commands: list(ledger.Post{Postings: pay, EffectiveAt: year0}), code: ledger.ErrInvalid, field: "effective_at"},
		{name: "too many meta", commands: noted(ledger.Note{Meta: meta}), code: ledger.ErrTooLarge, field: "meta"},
		{name: "meta without a key", commands: noted(ledger.Note{Meta: map[string]string{"": "x"}}), code: ledger.ErrInvalid, field: "meta"},
		{name: "meta too long", commands: noted(ledger.Note{Meta: map[string]string{"a": strings.Repeat("x", ledger.MaxMetaBytes)}}), code: ledger.ErrTooLarge, field: "meta"},
		{name: "long description", commands: noted(ledger.Note{Description: strings.Repeat("x", ledger.MaxTextBytes+1)}), code: ledger.ErrTooLarge, field: "description"},
		{name: "line feed in a reference", commands: noted(ledger.Note{Reference: "a\nb"}), code: ledger.ErrInvalid, field: "reference"},

		{name: "import without a date", commands: list(ledger.Import{Postings: pay}), code: ledger.ErrInvalid, field: "effective_at"},
		{name: "import of the future", commands: list(ledger.Import{Postings: pay, EffectiveAt: start.Add(time.Hour)}), code: ledger.ErrInvalid, field: "effective_at"},
		{name: "import of half a transaction", commands: list(ledger.Import{Postings: pay[:1], EffectiveAt: start}), code: ledger.ErrInvalid, field: "postings"},
		{name: "import into closed", commands: list(ledger.Import{Postings: ledger.Transfer(bank, p.shut, dollars(1)).Postings, EffectiveAt: start}), code: ledger.ErrAccountClosed},
		{name: "import to nobody", commands: list(ledger.Import{Postings: ledger.Transfer(bank, nobody, dollars(1)).Postings, EffectiveAt: start}), code: ledger.ErrAccountNotFound},

		{name: "draw without an amount", commands: list(ledger.Draw{From: []ledger.AccountID{alice}, To: []ledger.AccountID{bob}}), code: ledger.ErrInvalid, field: "amount"},
		{name: "draw to nowhere", commands: list(ledger.Draw{Amount: dollars(1), From: []ledger.AccountID{alice}}), code: ledger.ErrInvalid, field: "to"},
		{name: "draw from too many", commands: list(ledger.Draw{Amount: dollars(1), From: manyAccounts, To: []ledger.AccountID{bob}}), code: ledger.ErrTooLarge, field: "from"},
		{name: "draw from one twice", commands: list(ledger.Draw{Amount: dollars(1), From: []ledger.AccountID{alice, alice}, To: []ledger.AccountID{bob}}), code: ledger.ErrInvalid, field: "from[1]"},
		{name: "draw on a known id", commands: list(ledger.Draw{ID: p.paid, Amount: dollars(1), From: []ledger.AccountID{alice}, To: []ledger.AccountID{bob}}), code: ledger.ErrDeclaredTwice, field: "id"},

		{name: "hold nothing", commands: list(ledger.PlaceHold{Account: alice, Amount: dollars(0)}), code: ledger.ErrInvalid, field: "amount"},
		{name: "hold on nobody", commands: list(ledger.PlaceHold{Account: nobody, Amount: dollars(1)}), code: ledger.ErrAccountNotFound},
		{name: "hold in another asset", commands: list(ledger.PlaceHold{Account: alice, Amount: euros(1)}), code: ledger.ErrAssetMismatch, field: "amount"},
		{name: "same hold twice in one entry", commands: list(
			ledger.PlaceHold{ID: ledger.ID{7}, Account: alice, Amount: dollars(1)}, ledger.PlaceHold{ID: ledger.ID{7}, Account: alice, Amount: dollars(1)},
		), code: ledger.ErrDeclaredTwice, field: "id", command: 1},
		{name: "capture zero", commands: list(ledger.Capture{Hold: ledger.ByID(p.open), To: portion(dollars(0))}), code: ledger.ErrInvalid, field: "to[0].amount"},
		{name: "capture minus one", commands: list(ledger.Capture{Hold: ledger.ByID(p.open), To: portion(dollars(-1))}), code: ledger.ErrInvalid, field: "to[0].amount"},
		{name: "capture for too many", commands: list(ledger.Capture{Hold: ledger.ByID(p.open), To: slices.Repeat(portion(dollars(1)), ledger.MaxPostings)}), code: ledger.ErrTooLarge, field: "to"},
		{name: "captures that exceed together", commands: list(
			ledger.Capture{Hold: ledger.ByID(p.open), To: portion(dollars(2_000))}, ledger.Capture{Hold: ledger.ByID(p.open), To: portion(dollars(1_001))},
		), code: ledger.ErrHoldExceeded, command: 1},
		{name: "capture after the last", commands: list(
			ledger.Capture{Hold: ledger.ByID(p.open), To: portion(dollars(1)), Final: true}, ledger.Capture{Hold: ledger.ByID(p.open), To: portion(dollars(1))},
		), code: ledger.ErrHoldClosed, field: "hold", command: 1},
		{name: "release after expiry", commands: list(ledger.Release{Hold: ledger.ByID(p.expired), All: true}), code: ledger.ErrHoldClosed, field: "hold"},
		{name: "release what nobody placed", commands: list(ledger.Release{Hold: ledger.ByID(ledger.ID{9}), All: true}), code: ledger.ErrHoldNotFound, field: "hold"},

		{name: "reverse a hold", commands: list(ledger.PlaceHold{Account: alice, Amount: dollars(1)}, ledger.Reverse{Transaction: ledger.Nth(0), All: true}), code: ledger.ErrInvalid, field: "transaction", command: 1},
		{name: "reverse nothing named", commands: list(ledger.Reverse{All: true}), code: ledger.ErrInvalid, field: "transaction"},
		{name: "reverse neither part nor all", commands: list(ledger.Reverse{Transaction: ledger.ByID(p.paid)}), code: ledger.ErrInvalid, field: "part"},
		{name: "reverse on a stranger", commands: list(ledger.Reverse{Transaction: ledger.ByID(p.paid), Part: ledger.Transfer(alice, fees, dollars(1)).Postings}), code: ledger.ErrInvalid, field: "part[1]"},
		{name: "reverse what is spent", commands: list(
			ledger.Transfer(bob, bank, dollars(500)), ledger.Reverse{Transaction: ledger.ByID(p.paid), All: true},
		), code: ledger.ErrInsufficientFunds, command: 1},

		{name: "floor above the ceiling there is", commands: list(ledger.SetAccount{Account: p.capped, Floor: new(dollars(501))}), code: ledger.ErrInvalid, field: "ceiling"},
		{name: "new ceiling in euros", commands: list(ledger.SetAccount{Account: alice, Ceiling: new(euros(0))}), code: ledger.ErrAssetMismatch, field: "ceiling"},
		{name: "close with a hold only", commands: list(
			ledger.OpenAccount{Account: nobody, Type: ledger.Liability}, ledger.PlaceHold{Account: nobody, Amount: dollars(1)}, ledger.SetAccount{Account: nobody, Closed: new(true)},
		), code: ledger.ErrAccountInUse, command: 2},

		{name: "document without a kind", commands: list(ledger.PutDocument{DocumentID: ledger.DocumentID{ID: "1"}}), code: ledger.ErrInvalid},
		{name: "new document at version 1", commands: list(ledger.PutDocument{DocumentID: ledger.DocumentID{Kind: "tip", ID: "9"}, Version: 1}), code: ledger.ErrVersion, field: "version"},
		{name: "created twice in one entry", commands: list(
			ledger.PutDocument{DocumentID: ledger.DocumentID{Kind: "tip", ID: "9"}}, ledger.PutDocument{DocumentID: ledger.DocumentID{Kind: "tip", ID: "9"}},
		), code: ledger.ErrVersion, field: "version", command: 1},
		{name: "empty reference", commands: list(ledger.PutDocument{DocumentID: tip, Version: 1, References: []string{""}}), code: ledger.ErrInvalid, field: "references[0]"},
		{name: "long reference", commands: list(ledger.PutDocument{DocumentID: tip, Version: 1, References: []string{strings.Repeat("r", ledger.MaxReferenceBytes+1)}}), code: ledger.ErrTooLarge, field: "references[0]"},
		{name: "too many references", commands: list(ledger.PutDocument{DocumentID: tip, Version: 1, References: make([]string, ledger.MaxReferences+1)}), code: ledger.ErrTooLarge, field: "references"},
		{name: "body of bad UTF-8", inputs: "x", commands: list(ledger.PutDocument{DocumentID: tip, Version: 1, Body: json.RawMessage("\"\xff\"")}), code: ledger.ErrInvalid, field: "body"},
		{name: "state with a tab", commands: list(ledger.PutDocument{DocumentID: tip, Version: 1, State: "a\tb"}), code: ledger.ErrInvalid, field: "state"},

		{name: "erase what is not there", commands: list(ledger.EraseDocument{Document: ledger.DocumentID{Kind: "tip", ID: "9"}, All: true, Reason: "asked"}), code: ledger.ErrDocumentNotFound, field: "document"},
		{name: "erase a later version", commands: list(ledger.EraseDocument{Document: tip, Versions: []uint64{1, 2}, Reason: "asked"}), code: ledger.ErrDocumentNotFound, field: "versions[1]"},
		{name: "erase version 0", commands: list(ledger.EraseDocument{Document: tip, Versions: []uint64{0}, Reason: "asked"}), code: ledger.ErrInvalid, field: "versions[0]"},
		{name: "erase nothing", commands: list(ledger.EraseDocument{Document: tip, Reason: "asked"}), code: ledger.ErrInvalid, field: "versions"},
		{name: "erase for no reason", commands: list(ledger.EraseDocument{Document: tip, All: true}), code: ledger.ErrInvalid, field: "reason"},

		{name: "guard that reads too much", guards: reads(ledger.Reads{References: slices.Repeat([]string{"r"}, ledger.MaxReads+1)}), code: ledger.ErrTooLarge, field: "guards[0].reads", command: -1},
		{name: "guard that reads a bad path", guards: reads(ledger.Reads{Accounts: []ledger.AccountID{alice, at("/")}}), code: ledger.ErrInvalid, field: "guards[0].reads.accounts[1].path", command: -1},
		{name: "guard that reads no document", guards: reads(ledger.Reads{Documents: []ledger.DocumentID{{}}}), code: ledger.ErrInvalid, field: "guards[0].reads.documents[0]", command: -1},
		{name: "guard that adds nil", guards: adds(nil), code: ledger.ErrInvalid, field: "guards[0].commands[0]", command: -1},
		{name: "guard that adds an unbalanced post", guards: adds(ledger.Post{Postings: []ledger.Posting{pay[0], {Account: bob, Side: ledger.Credit, Amount: dollars(2)}}}), code: ledger.ErrUnbalanced, field: "guards[0].commands[0].postings", command: -1},
		{name: "guard that returns a refusal that is nil", guards: fails((*ledger.Refusal)(nil)), code: ledger.ErrInvalid, field: "guards[0]", command: -1},
		{name: "guard that wraps a refusal that is nil", guards: fails(fmt.Errorf("policy: %w", (*ledger.Refusal)(nil))), code: ledger.ErrInvalid, field: "guards[0]", command: -1},
		{name: "guard whose error panics when it is asked", guards: fails(unsayable{}), code: ledger.ErrGuardPanicked, field: "guards[0]", command: -1},
		{name: "lease on nothing", leases: []ledger.Lease{{}}, commands: list(ledger.Transfer(alice, bob, dollars(1))), code: ledger.ErrInvalid, field: "leases[0].document", command: -1},

		{name: "key with a line feed", key: "a\nb", commands: list(ledger.Transfer(alice, bob, dollars(1))), code: ledger.ErrInvalid, field: "key", command: -1},
		{name: "key of bad UTF-8", key: "\xff", commands: list(ledger.Transfer(alice, bob, dollars(1))), code: ledger.ErrInvalid, field: "key", command: -1},
		{name: "used key with one cent more", key: "key-2", commands: list(ledger.Transfer(bank, alice, dollars(10_001))), code: ledger.ErrKeyConflict, field: "commands[0].post.postings[0].amount.amount", command: -1},
		{name: "used key with one command more", key: "key-2", commands: list(ledger.Transfer(bank, alice, dollars(10_000)), ledger.Transfer(bank, alice, dollars(1))), code: ledger.ErrKeyConflict, field: "commands[1]", command: -1},
	}
}

// Bad input of the other doors: each is typed, names its field and changes nothing.
func TestRefusedQuestions(t *testing.T) {
	w, p := lived(t)
	before := dump(t, w.store, w.Name())
	page := func(q ledger.Query) error {
		_, err := w.Page(t.Context(), q)
		return err
	}
	for name, c := range map[string]struct {
		err  error
		code ledger.Code
	}{
		"no list":              {page(ledger.Query{}), ledger.ErrInvalid},
		"unknown list":         {page(ledger.Query{List: 99}), ledger.ErrInvalid},
		"lines of nobody":      {page(ledger.Query{List: ledger.ListLines}), ledger.ErrInvalid},
		"a filter too many":    {page(ledger.Query{List: ledger.ListHolds, Kind: "tip"}), ledger.ErrInvalid},
		"a page of minus one":  {page(ledger.Query{List: ledger.ListAccounts, Limit: -1}), ledger.ErrInvalid},
		"a page too large":     {page(ledger.Query{List: ledger.ListAccounts, Limit: ledger.MaxPage + 1}), ledger.ErrInvalid},
		"a made up cursor":     {page(ledger.Query{List: ledger.ListAccounts, After: "AQAA"}), ledger.ErrInvalid},
		"a balance of nobody":  {second(w.Balances(t.Context(), ledger.AsOf{}, alice, nobody)), ledger.ErrAccountNotFound},
		"a balance of no path": {second(w.Balances(t.Context(), ledger.AsOf{}, ledger.AccountID{Asset: "USD"})), ledger.ErrInvalid},
		"a hold that is none":  {second(w.Hold(t.Context(), p.paid)), ledger.ErrHoldNotFound},
		"a payment that is none": {
			second(w.Transaction(t.Context(), p.open)), ledger.ErrTransactionNotFound,
		},
		"a document that is none": {second(w.Document(t.Context(), ledger.DocumentID{Kind: "tip", ID: "9"})), ledger.ErrDocumentNotFound},
		"a document without kind": {second(w.Document(t.Context(), ledger.DocumentID{ID: "1"})), ledger.ErrInvalid},
		"leases for no time":      {second(w.Lease(t.Context(), ledger.LeaseRequest{Lanes: []string{""}, Limit: 1})), ledger.ErrInvalid},
		"leases without limit":    {second(w.Lease(t.Context(), ledger.LeaseRequest{Lanes: []string{""}, For: time.Minute})), ledger.ErrInvalid},
	} {
		require.ErrorIs(t, c.err, c.code, name)
		require.ErrorIs(t, c.err, c.code.Class(), name)
	}
	require.Equal(t, before, dump(t, w.store, w.Name()))
}

// unsayable is an error that cannot be asked what it is.
type unsayable struct{}

func (unsayable) Error() string { return "never said" }
func (unsayable) As(any) bool   { panic("what am I?") }

func second[T any](_ T, err error) error { return err }
