package ledger_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
)

// thicket is a book in which every filter has something to tell apart: owners with several accounts, states of every kind,
// references on everything, documents that change hands, erasures, two assets.
func thicket(t *testing.T, seed uint64) *world {
	w := newWorld(t)
	w.furnish(1_000_000)
	w.do(ledger.Transfer(bankEUR, aliceE, euros(1_000_000)))
	rng := rand.New(rand.NewPCG(seed, 1))
	pick := func(options ...string) string { return options[rng.IntN(len(options))] }
	ref := func() string { return pick("", "post/1", "post/2", "post/3") }
	var open []ledger.ID
	made := map[ledger.DocumentID]uint64{}
	for i := range 160 {
		w.clock.advance(time.Duration(rng.IntN(3)) * time.Second)
		post := ledger.Transfer(alice, bob, dollars(2))
		switch rng.IntN(4) {
		case 0:
			post = ledger.Transfer(bankEUR, aliceE, euros(1))
		case 1: // several lines on one account, and two assets
			post.Postings = append(post.Postings, ledger.Transfer(bank, alice, dollars(1)).Postings[0],
				ledger.Posting{Account: bob, Side: ledger.Credit, Amount: dollars(1)})
			post.Postings = append(post.Postings, ledger.Transfer(bankEUR, aliceE, euros(1)).Postings...)
		}
		post.Reference = ref()
		hold := ledger.PlaceHold{Account: []ledger.AccountID{alice, aliceE, bob}[rng.IntN(3)], Note: ledger.Note{Reference: ref()}}
		hold.Amount = currency.MustNew(2, usd)
		if hold.Account == aliceE {
			hold.Amount = euros(2)
		}
		if rng.IntN(2) == 0 {
			hold.ExpiresAt = w.Now().Add(time.Duration(rng.IntN(60)+900) * time.Second)
		}
		id := ledger.DocumentID{Kind: pick("case", "tip"), ID: fmt.Sprint(rng.IntN(60))}
		put := ledger.PutDocument{
			DocumentID: id, Version: made[id], Owner: pick("alice", "bob"), State: pick("open", "done"), Body: []byte("{}"),
			References: []string{fmt.Sprintf("ref/%d", i)},
		}
		if rng.IntN(2) == 0 {
			put.Due = w.Now().Add(time.Duration(rng.IntN(60)) * time.Second)
		}
		commands := []ledger.Command{post, hold, put}
		made[id]++
		if rng.IntN(3) == 0 {
			extra := ledger.AccountID{Path: fmt.Sprintf("w/%d", i), Asset: []currency.AssetID{"USD", "EUR"}[rng.IntN(2)]}
			commands = append(commands, ledger.OpenAccount{Account: extra, Type: ledger.AccountType(rng.IntN(5) + 1), Owner: pick("", "alice", "bob")})
			switch rng.IntN(4) {
			case 0:
				commands = append(commands, ledger.SetAccount{Account: extra, CreditsFrozen: new(true)})
			case 1:
				commands = append(commands, ledger.SetAccount{Account: extra, Closed: new(true)})
			}
		}
		if len(open) > 3 {
			at := rng.IntN(len(open))
			h := ledger.ByID(open[at])
			open = slices.Delete(open, at, at+1)
			if held, err := w.Hold(t.Context(), h.ID); err == nil && held.Account != aliceE && rng.IntN(2) == 0 {
				commands = append(commands, ledger.Capture{Hold: h, To: []ledger.Portion{{Account: bank, Amount: dollars(1)}}, Note: ledger.Note{Reference: ref()}})
			} else {
				commands = append(commands, ledger.Release{Hold: h, All: true})
			}
		}
		open = append(open, w.do(commands...).Results[1].Hold)
		if rng.IntN(12) == 0 {
			w.do(ledger.EraseDocument{Document: id, All: true, Reason: "asked"})
		}
		if rng.IntN(10) == 0 {
			_, err := w.NumberFeed(t.Context(), 1+rng.IntN(20))
			require.NoError(t, err)
		}
	}
	for n := 1; n > 0; {
		var err error
		n, err = w.NumberFeed(t.Context(), 100)
		require.NoError(t, err)
	}
	return w
}

// raw reads a whole list from the store.
func raw(t *testing.T, w *world, r ledger.Range) (all ledger.Rows) {
	t.Helper()
	r.Limit = ledger.MaxPage
	for {
		rows, err := w.store.Scan(t.Context(), w.Name(), r)
		require.NoError(t, err)
		all.Accounts, all.Lines, all.Holds = append(all.Accounts, rows.Accounts...), append(all.Lines, rows.Lines...), append(all.Holds, rows.Holds...)
		all.Transactions, all.Documents = append(all.Transactions, rows.Transactions...), append(all.Documents, rows.Documents...)
		all.Versions, all.Feed = append(all.Versions, rows.Versions...), append(all.Feed, rows.Feed...)
		if len(rows.Feed)+len(rows.Lines)+len(rows.Transactions) < r.Limit {
			return all
		}
		var last ledger.Position
		switch {
		case len(rows.Feed) > 0:
			last = rows.Feed[len(rows.Feed)-1].FeedPosition()
		case len(rows.Lines) > 0:
			last = rows.Lines[len(rows.Lines)-1].Position()
		default:
			last = rows.Transactions[len(rows.Transactions)-1].Position()
		}
		r.After = &last
	}
}

// plainly is the whole book, to be asked in the plainest way.
type plainly struct {
	*testing.T
	w            *world
	owners       map[ledger.AccountID]string
	transactions map[ledger.ID]ledger.Transaction
	holds        map[ledger.ID]ledger.Hold
	documents    []ledger.Document
	versions     map[ledger.VersionID]ledger.Document
}

func plain(t *testing.T, w *world) *plainly {
	p := &plainly{T: t, w: w, owners: map[ledger.AccountID]string{}, transactions: map[ledger.ID]ledger.Transaction{}, holds: map[ledger.ID]ledger.Hold{}, versions: map[ledger.VersionID]ledger.Document{}}
	for _, a := range raw(t, w, ledger.Range{List: ledger.ListAccounts}).Accounts {
		p.owners[a.ID] = a.Owner
	}
	for _, x := range raw(t, w, ledger.Range{List: ledger.ListTransactions}).Transactions {
		p.transactions[x.ID] = x
	}
	for _, h := range raw(t, w, ledger.Range{List: ledger.ListHolds}).Holds {
		p.holds[h.ID] = h
	}
	p.documents = raw(t, w, ledger.Range{List: ledger.ListDocuments}).Documents
	for _, d := range p.documents {
		for _, v := range raw(t, w, ledger.Range{List: ledger.ListVersions, Document: d.DocumentID}).Versions {
			p.versions[ledger.VersionID{DocumentID: d.DocumentID, Version: v.Version}] = v
		}
	}
	return p
}

// facts is what a query can ask about an item: each filter's values, in the words of the query.
type facts struct {
	accounts              []ledger.AccountID
	owners, kinds, states []string
	references            []string
	assets                []currency.AssetID
	document              ledger.DocumentID
	accountType           ledger.AccountType
	line                  ledger.LineKind
	change                ledger.ChangeKind
	path                  string
	at                    time.Time
}

func (f *facts) account(p *plainly, id ledger.AccountID) {
	f.accounts, f.assets, f.owners = append(f.accounts, id), append(f.assets, id.Asset), append(f.owners, p.owners[id])
}

func (f *facts) transaction(p *plainly, id ledger.ID) {
	f.references = append(f.references, p.transactions[id].Reference)
	for _, posting := range p.transactions[id].Postings {
		f.account(p, posting.Account)
	}
}

func (f *facts) answer(q *ledger.Query) bool {
	below := q.Path == "" || f.path == q.Path || strings.HasSuffix(q.Path, "/") && strings.HasPrefix(f.path, q.Path)
	return below && (q.Account == ledger.AccountID{} || slices.Contains(f.accounts, q.Account)) &&
		(q.Owner == "" || slices.Contains(f.owners, q.Owner)) && (q.Kind == "" || slices.Contains(f.kinds, q.Kind)) &&
		(q.State == "" || slices.Contains(f.states, q.State)) && (q.Reference == "" || slices.Contains(f.references, q.Reference)) &&
		(q.Asset == "" || slices.Contains(f.assets, q.Asset)) && (q.Document == ledger.DocumentID{} || q.Document == f.document) &&
		(q.Type == 0 || q.Type == f.accountType) && (q.Line == 0 || q.Line == f.line) && (q.Change == 0 || q.Change == f.change) &&
		(q.Since.IsZero() || !f.at.Before(q.Since)) && (q.Until.IsZero() || f.at.Before(q.Until))
}

func (p *plainly) ask(q ledger.Query) (all []string) {
	p.Helper()
	r := ledger.Range{List: q.List, Account: q.Account, Document: q.Document, Owner: q.Owner}
	rows := raw(p.T, p.w, r)
	keep := func(f facts, it ledger.Item) {
		if f.answer(&q) {
			all = append(all, text(p.T, it))
		}
	}
	for _, a := range rows.Accounts {
		state := "open"
		if a.Terms.DebitsFrozen || a.Terms.CreditsFrozen {
			state = "frozen"
		}
		if a.Terms.Closed {
			state = "closed"
		}
		f := facts{accountType: a.Type, states: []string{state}, at: a.OpenedAt, path: a.ID.Path}
		f.account(p, a.ID)
		keep(f, ledger.Item{Account: &a})
	}
	for _, l := range rows.Lines {
		keep(facts{
			accounts: []ledger.AccountID{l.Account}, references: []string{p.transactions[l.Transaction].Reference, p.holds[l.Hold].Reference},
			line: l.Kind, at: l.RecordedAt,
		}, ledger.Item{Line: &l})
	}
	for _, x := range rows.Transactions {
		f := facts{at: x.RecordedAt}
		f.transaction(p, x.ID)
		keep(f, ledger.Item{Transaction: &x})
	}
	for _, h := range rows.Holds {
		f := facts{references: []string{h.Reference}, states: []string{h.State.String()}, at: h.PlacedAt}
		if q.List == ledger.ListDueHolds {
			f.at = h.ExpiresAt
		}
		f.account(p, h.Account)
		keep(f, ledger.Item{Hold: &h})
	}
	for _, d := range append(rows.Documents, rows.Versions...) {
		f := facts{document: d.DocumentID, owners: []string{d.Owner}, kinds: []string{d.Kind}, states: []string{d.State}, references: d.References, at: d.CreatedAt}
		switch q.List {
		case ledger.ListVersions:
			f.at = d.UpdatedAt
		case ledger.ListDueDocuments:
			f.at = d.Due
		default:
		}
		keep(f, ledger.Item{Document: &d})
	}
	for _, c := range rows.Feed {
		f := facts{document: c.Document, kinds: []string{c.Document.Kind}, states: []string{c.State}, change: c.Kind, at: c.RecordedAt}
		switch c.Kind {
		case ledger.ChangeTransaction:
			f.transaction(p, c.Transaction)
		case ledger.ChangeDocument, ledger.ChangeErasure:
			v := p.versions[ledger.VersionID{DocumentID: c.Document, Version: c.Version}]
			f.owners, f.references = []string{v.Owner}, v.References
		default:
			f.account(p, c.Account)
			f.references = []string{p.holds[c.Hold].Reference}
		}
		keep(f, ledger.Item{Change: &c})
	}
	if q.Backward {
		slices.Reverse(all)
	}
	return all
}
