package ledger_test

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
)

// limitCase asks for n of something whose limit has a name.
type limitCase struct {
	limit string // the constant
	at    int    // its value, in what ask counts
	what  string
	ask   func(w *world, n int) error
	over  ledger.Code // what one more is; empty is ErrTooLarge
	else_ ledger.Code // what exactly the limit is refused with for another reason; empty is nothing
}

// Exactly the limit passes, and one more is refused and changes nothing.
func TestLimitsAtTheEdge(t *testing.T) {
	cases := slices.Concat(limitsOfNames(), limitsOfTransactions(), limitsOfEntries(), limitsOfDocuments(), limitsOfQuestions())
	for _, c := range cases {
		t.Run(c.limit+" "+c.what, func(t *testing.T) {
			w := newWorld(t)
			w.furnish(100_000)
			if c.over == "" {
				c.over = ledger.ErrTooLarge
			}
			before := dump(t, w.store, w.Name())
			require.ErrorIs(t, c.ask(w, c.at+1), c.over)
			require.Equal(t, before, dump(t, w.store, w.Name()))
			if err := c.ask(w, c.at); c.else_ == "" {
				require.NoError(t, err)
			} else {
				require.ErrorIs(t, err, c.else_)
			}
			w.sound()
		})
	}
	tested := map[string]bool{
		"MaxStripes":       true, // TestMoreStripesThanThereMayBe
		"MaxPlainPostings": true, // TestShortWayIsTheLongWay: one more goes the long way
	}
	for _, c := range cases {
		tested[c.limit] = true
	}
	for _, name := range declaredLimits(t) {
		require.True(t, tested[name], "nobody has tried %s", name)
	}
}

// declaredLimits are the package's constants whose names begin with Max.
func declaredLimits(t *testing.T) (names []string) {
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		for _, d := range file.Decls {
			if g, is := d.(*ast.GenDecl); is && g.Tok == token.CONST {
				for _, s := range g.Specs {
					for _, id := range s.(*ast.ValueSpec).Names {
						if strings.HasPrefix(id.Name, "Max") {
							names = append(names, id.Name)
						}
					}
				}
			}
		}
	}
	require.Greater(t, len(names), 15)
	return names
}

func long(n int) string { return strings.Repeat("x", n) }

// did records commands that must be refused or not as a whole.
func did(w *world, commands ...ledger.Command) error { return second(w.try(commands...)) }

func limitsOfNames() []limitCase {
	open := func(w *world, path string) error {
		return did(w, ledger.OpenAccount{Account: ledger.AccountID{Path: path, Asset: "USD"}, Type: ledger.Liability})
	}
	put := func(change func(d *ledger.PutDocument, text string)) func(*world, int) error {
		return func(w *world, n int) error {
			d := ledger.PutDocument{DocumentID: ledger.DocumentID{Kind: "k", ID: "1"}}
			change(&d, long(n))
			return did(w, d)
		}
	}
	pay := func(change func(*ledger.Note, int)) func(*world, int) error {
		return func(w *world, n int) error {
			p := ledger.Transfer(alice, bob, dollars(1))
			change(&p.Note, n)
			return did(w, p)
		}
	}
	return []limitCase{
		{limit: "MaxKeyBytes", at: ledger.MaxKeyBytes, what: "key", ask: func(w *world, n int) error {
			return second(w.Record(w.Context(), ledger.Entry{Key: long(n), Commands: []ledger.Command{ledger.Transfer(alice, bob, dollars(1))}}))
		}},
		{limit: "MaxKeyBytes", at: ledger.MaxKeyBytes, what: "key that is looked up", else_: ledger.ErrKeyNotFound, ask: func(w *world, n int) error {
			return second(w.Receipt(w.Context(), long(n)))
		}},
		{limit: "MaxPathBytes", at: ledger.MaxPathBytes, what: "path", over: ledger.ErrInvalid, ask: func(w *world, n int) error { return open(w, long(n)) }},
		{limit: "MaxPathSegments", at: ledger.MaxPathSegments, what: "path", over: ledger.ErrInvalid, ask: func(w *world, n int) error {
			return open(w, strings.Repeat("a/", n-1)+"a")
		}},
		{limit: "MaxNameBytes", at: ledger.MaxNameBytes, what: "owner of an account", ask: func(w *world, n int) error {
			return did(w, ledger.OpenAccount{Account: nobody, Type: ledger.Liability, Owner: long(n)})
		}},
		{limit: "MaxNameBytes", at: ledger.MaxNameBytes, what: "kind", ask: put(func(d *ledger.PutDocument, s string) { d.Kind = s })},
		{limit: "MaxNameBytes", at: ledger.MaxNameBytes, what: "id of a document", ask: put(func(d *ledger.PutDocument, s string) { d.DocumentID.ID = s })},
		{limit: "MaxNameBytes", at: ledger.MaxNameBytes, what: "owner of a document", ask: put(func(d *ledger.PutDocument, s string) { d.Owner = s })},
		{limit: "MaxNameBytes", at: ledger.MaxNameBytes, what: "state", ask: put(func(d *ledger.PutDocument, s string) { d.State = s })},
		{limit: "MaxNameBytes", at: ledger.MaxNameBytes, what: "lane", ask: put(func(d *ledger.PutDocument, s string) { d.Lane = s })},
		{limit: "MaxReferenceBytes", at: ledger.MaxReferenceBytes, what: "reference of a document", ask: put(func(d *ledger.PutDocument, s string) { d.References = []string{s} })},
		{limit: "MaxNameBytes", at: ledger.MaxNameBytes, what: "reference of a note", ask: pay(func(n *ledger.Note, size int) { n.Reference = long(size) })},
		{limit: "MaxTextBytes", at: ledger.MaxTextBytes, what: "description", ask: pay(func(n *ledger.Note, size int) { n.Description = long(size) })},
		{limit: "MaxMetaBytes", at: ledger.MaxMetaBytes, what: "meta", ask: pay(func(n *ledger.Note, size int) {
			n.Meta = map[string]string{"k": long(size - 1001), "l": long(999)}
		})},
		{limit: "MaxMetaEntries", at: ledger.MaxMetaEntries, what: "meta", ask: pay(func(n *ledger.Note, size int) {
			n.Meta = make(map[string]string)
			for i := range size {
				n.Meta[fmt.Sprint(i)] = ""
			}
		})},
	}
}

// legs is a balanced transaction of n postings.
func legs(n int) []ledger.Posting {
	postings := []ledger.Posting{{Account: bank, Side: ledger.Debit, Amount: dollars(int64(n - 1))}}
	for range n - 1 {
		postings = append(postings, ledger.Posting{Account: bob, Side: ledger.Credit, Amount: dollars(1)})
	}
	return postings
}

// posts is as few transactions of so many postings together as there can be.
func posts(n int) (commands []ledger.Command) {
	for n > 0 {
		size := min(n, ledger.MaxPostings)
		if n-size == 1 {
			size--
		}
		commands, n = append(commands, ledger.Post{Postings: legs(size)}), n-size
	}
	return commands
}

func limitsOfTransactions() []limitCase {
	draw := func(change func(*ledger.Draw, []ledger.AccountID)) func(*world, int) error {
		return func(w *world, n int) error {
			var many []ledger.AccountID
			for i := range n {
				many = append(many, ledger.AccountID{Path: fmt.Sprintf("many/%d", i), Asset: "USD"})
			}
			if n <= ledger.MaxDrawAccounts {
				for _, id := range many {
					w.do(ledger.OpenAccount{Account: id, Type: ledger.Liability, Floor: dollars(0), Ceiling: dollars(1)})
				}
				w.do(ledger.Draw{Amount: dollars(int64(n / 2)), From: []ledger.AccountID{bank}, To: many})
			}
			d := ledger.Draw{Amount: dollars(int64(n / 2)), From: []ledger.AccountID{bank}, To: []ledger.AccountID{bank}}
			change(&d, many)
			return did(w, d)
		}
	}
	return []limitCase{
		{limit: "MaxPostings", at: ledger.MaxPostings, what: "post", ask: func(w *world, n int) error { return did(w, ledger.Post{Postings: legs(n)}) }},
		{limit: "MaxPostings", at: ledger.MaxPostings, what: "import", ask: func(w *world, n int) error {
			return did(w, ledger.Import{Postings: legs(n), EffectiveAt: start})
		}},
		{limit: "MaxPostings", at: ledger.MaxPostings, what: "capture", ask: func(w *world, n int) error {
			portions := slices.Repeat([]ledger.Portion{{Account: bob, Amount: dollars(1)}}, n-1)
			return did(w, ledger.PlaceHold{Account: alice, Amount: dollars(5_000)}, ledger.Capture{Hold: ledger.Nth(0), To: portions})
		}},
		{limit: "MaxPostings", at: ledger.MaxPostings, what: "reversed part", ask: func(w *world, n int) error {
			return did(w, ledger.Post{Postings: legs(ledger.MaxPostings)}, ledger.Reverse{Transaction: ledger.Nth(0), Part: legs(n)})
		}},
		{limit: "MaxEntryPostings", at: ledger.MaxEntryPostings, what: "posts", ask: func(w *world, n int) error { return did(w, posts(n)...) }},
		{limit: "MaxEntryPostings", at: ledger.MaxEntryPostings, what: "posts, reversals and a guard's", ask: func(w *world, n int) error {
			guard := ledger.Guard{Reads: ledger.Reads{Accounts: []ledger.AccountID{bank, bob}}, Check: func(ledger.View) ([]ledger.Command, error) {
				return posts(1_234), nil
			}}
			all := posts(n - 1_234 - 2*777)
			all = append(all, ledger.Post{Postings: legs(777)})
			all = append(all, ledger.Reverse{Transaction: ledger.Nth(len(all) - 1), All: true})
			return second(w.Record(w.Context(), ledger.Entry{Key: "many", Guards: []ledger.Guard{guard}, Commands: all}))
		}},
		{limit: "MaxDrawAccounts", at: ledger.MaxDrawAccounts, what: "sources", ask: draw(func(d *ledger.Draw, many []ledger.AccountID) { d.From = many })},
		{limit: "MaxDrawAccounts", at: ledger.MaxDrawAccounts, what: "destinations", ask: draw(func(d *ledger.Draw, many []ledger.AccountID) { d.To = many })},
		{limit: "MaxPostdate", at: int(ledger.MaxPostdate / time.Microsecond), what: "effect", over: ledger.ErrInvalid, ask: func(w *world, n int) error {
			w.clock.advance(time.Second) // so that the entry is recorded at the clock's time
			return did(w, ledger.Post{Postings: legs(2), EffectiveAt: w.Now().Add(time.Duration(n) * time.Microsecond)})
		}},
	}
}

func limitsOfEntries() []limitCase {
	agree := func(ledger.View) ([]ledger.Command, error) { return nil, nil }
	guarded := func(w *world, r ledger.Reads) error {
		return second(w.Record(w.Context(), ledger.Entry{Key: "guarded", Guards: []ledger.Guard{{Reads: r, Check: agree}}}))
	}
	return []limitCase{
		{limit: "MaxCommands", at: ledger.MaxCommands, what: "commands", ask: func(w *world, n int) error {
			return did(w, slices.Repeat([]ledger.Command{ledger.OpenAccount{Account: bank, Type: ledger.Asset}}, n)...)
		}},
		{limit: "MaxCommands", at: ledger.MaxCommands, what: "guards", ask: func(w *world, n int) error {
			return second(w.Record(w.Context(), ledger.Entry{Key: "guarded", Guards: slices.Repeat([]ledger.Guard{{Check: agree}}, n)}))
		}},
		{limit: "MaxCommands", at: ledger.MaxCommands, what: "leases", else_: ledger.ErrLeaseLost, ask: func(w *world, n int) error {
			leases := slices.Repeat([]ledger.Lease{{Document: ledger.DocumentID{Kind: "k", ID: "1"}}}, n)
			return second(w.Record(w.Context(), ledger.Entry{Key: "leased", Leases: leases, Commands: []ledger.Command{ledger.Transfer(alice, bob, dollars(1))}}))
		}},
		{limit: "MaxReads", at: ledger.MaxReads, what: "guard", ask: func(w *world, n int) error {
			return guarded(w, ledger.Reads{
				Accounts: []ledger.AccountID{alice}, Holds: []ledger.ID{{1}}, Transactions: []ledger.ID{{1}},
				Documents: []ledger.DocumentID{{Kind: "k", ID: "1"}}, References: slices.Repeat([]string{"r"}, n-4),
			})
		}},
		{limit: "MaxReferenceBytes", at: ledger.MaxReferenceBytes, what: "guard", ask: func(w *world, n int) error {
			return guarded(w, ledger.Reads{References: []string{long(n)}})
		}},
		{limit: "MaxInputsBytes", at: ledger.MaxInputsBytes, what: "inputs", ask: func(w *world, n int) error {
			return second(w.Record(w.Context(), ledger.Entry{Key: "in", Inputs: long(n - 2), Commands: []ledger.Command{ledger.Transfer(alice, bob, dollars(1))}}))
		}},
	}
}

func limitsOfDocuments() []limitCase {
	id := ledger.DocumentID{Kind: "k", ID: "1"}
	return []limitCase{
		{limit: "MaxBodyBytes", at: ledger.MaxBodyBytes, what: "body", ask: func(w *world, n int) error {
			return did(w, ledger.PutDocument{DocumentID: id, Body: json.RawMessage(`"` + long(n-2) + `"`)})
		}},
		{limit: "MaxEntryBytes", at: ledger.MaxEntryBytes, what: "bodies", ask: func(w *world, n int) error {
			var commands []ledger.Command
			for n > 0 {
				size := min(n, ledger.MaxBodyBytes)
				if n-size == 1 {
					size-- // a text has two quotes
				}
				d := ledger.PutDocument{DocumentID: id, Version: uint64(len(commands)), Body: json.RawMessage(`"` + long(size-2) + `"`)}
				commands, n = append(commands, d), n-size
			}
			return did(w, commands...)
		}},
		{limit: "MaxEntryBytes", at: ledger.MaxEntryBytes / (200 * ledger.MaxReferenceBytes), what: "references that each version repeats", ask: func(w *world, n int) error {
			first := ledger.PutDocument{DocumentID: id}
			for i := range 200 {
				first.References = append(first.References, fmt.Sprintf("%0*d", ledger.MaxReferenceBytes, i))
			}
			commands := []ledger.Command{first}
			for v := range n - 1 {
				commands = append(commands, ledger.PutDocument{DocumentID: id, Version: uint64(v) + 1})
			}
			return did(w, commands...)
		}},
		{limit: "MaxReferences", at: ledger.MaxReferences, what: "references", ask: func(w *world, n int) error {
			d := ledger.PutDocument{DocumentID: id}
			for i := range n {
				d.References = append(d.References, fmt.Sprint(i))
			}
			return did(w, d)
		}},
		{limit: "MaxReferences", at: ledger.MaxReferences, what: "references of all versions", ask: func(w *world, n int) error {
			half := n / 2
			first, second := ledger.PutDocument{DocumentID: id}, ledger.PutDocument{DocumentID: id, Version: 1}
			for i := range n {
				if i < half {
					first.References = append(first.References, fmt.Sprint(i))
				} else {
					second.References = append(second.References, fmt.Sprint(i))
				}
			}
			return did(w, first, second)
		}},
		{limit: "MaxReads", at: ledger.MaxReads, what: "versions to erase", ask: func(w *world, n int) error {
			return did(w, ledger.PutDocument{DocumentID: id}, ledger.EraseDocument{Document: id, Versions: slices.Repeat([]uint64{1}, n), Reason: "asked"})
		}},
		{limit: "MaxTextBytes", at: ledger.MaxTextBytes, what: "reason", ask: func(w *world, n int) error {
			return did(w, ledger.PutDocument{DocumentID: id}, ledger.EraseDocument{Document: id, All: true, Reason: long(n)})
		}},
	}
}

func limitsOfQuestions() []limitCase {
	lease := func(w *world, r ledger.LeaseRequest) error { return second(w.Lease(w.Context(), r)) }
	return []limitCase{
		{limit: "MaxPage", at: ledger.MaxPage, what: "page", over: ledger.ErrInvalid, ask: func(w *world, n int) error {
			return second(w.Page(w.Context(), ledger.Query{List: ledger.ListAccounts, Limit: n}))
		}},
		{limit: "MaxPage", at: ledger.MaxPage, what: "leases", over: ledger.ErrInvalid, ask: func(w *world, n int) error {
			return lease(w, ledger.LeaseRequest{Lanes: []string{""}, Limit: n, For: time.Second})
		}},
		{limit: "MaxReads", at: ledger.MaxReads, what: "lanes", over: ledger.ErrInvalid, ask: func(w *world, n int) error {
			return lease(w, ledger.LeaseRequest{Lanes: make([]string, n), Limit: 1, For: time.Second})
		}},
		{limit: "MaxNameBytes", at: ledger.MaxNameBytes, what: "lane of a lease", ask: func(w *world, n int) error {
			return lease(w, ledger.LeaseRequest{Lanes: []string{long(n)}, Limit: 1, For: time.Second})
		}},
		{limit: "MaxNameBytes", at: ledger.MaxNameBytes, what: "holder of a lease", ask: func(w *world, n int) error {
			return lease(w, ledger.LeaseRequest{Lanes: []string{""}, Limit: 1, For: time.Second, Who: long(n)})
		}},
		{limit: "MaxReferenceBytes", at: ledger.MaxReferenceBytes, what: "reference that is looked up", else_: ledger.ErrDocumentNotFound, ask: func(w *world, n int) error {
			return second(w.ByReference(w.Context(), long(n)))
		}},
		{limit: "MaxReferenceBytes", at: ledger.MaxReferenceBytes, what: "filter", ask: func(w *world, n int) error {
			return second(w.Page(w.Context(), ledger.Query{List: ledger.ListTransactions, Reference: long(n)}))
		}},
		{limit: "MaxPathBytes", at: ledger.MaxPathBytes, what: "filter", over: ledger.ErrInvalid, ask: func(w *world, n int) error {
			return second(w.Page(w.Context(), ledger.Query{List: ledger.ListAccounts, Path: long(n)}))
		}},
		{limit: "MaxPathBytes", at: ledger.MaxPathBytes, what: "balance", over: ledger.ErrInvalid, else_: ledger.ErrAccountNotFound, ask: func(w *world, n int) error {
			return second(w.Balances(w.Context(), ledger.AsOf{}, ledger.AccountID{Path: long(n), Asset: currency.USD.ID()}))
		}},
	}
}
