package ledgertest

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/koshpay/kosh/ledger"
)

var bookLargeChecks = []Check{{
	Name:   "the-largest-entries-are-taken",
	Rule:   "Whatever package ledger accepts a store takes: names, notes and references of the greatest length, and entries with the most postings, references and bytes there may be.",
	Advice: "Look for limits of the database below: bytes of an index entry or of a message, parameters of a statement, columns with a length.",
	Run:    checkLargest,
}}

func checkLargest(t *T) {
	te := newTeller(t, t.Open())
	text := func(n int) string { return strings.Repeat("é", n/2) } // two bytes each
	account := func(path string) ledger.AccountID { return ledger.AccountID{Path: path, Asset: "USD"} }
	long := account(strings.Repeat("p", ledger.MaxPathBytes))
	te.must("open", ledger.OpenAccount{Account: bank, Type: ledger.Asset}, ledger.OpenAccount{Account: long, Type: ledger.Liability, Owner: text(ledger.MaxNameBytes)})

	note := ledger.Note{Reference: text(ledger.MaxNameBytes), Description: text(ledger.MaxTextBytes), Meta: map[string]string{"k": text(ledger.MaxMetaBytes - 2)}}
	var posts []ledger.Command
	for range ledger.MaxEntryPostings / ledger.MaxPostings {
		p := ledger.Post{Note: note, Postings: []ledger.Posting{{Account: bank, Side: ledger.Debit, Amount: usd(ledger.MaxPostings - 1)}}}
		for range ledger.MaxPostings - 1 {
			p.Postings = append(p.Postings, ledger.Posting{Account: long, Side: ledger.Credit, Amount: usd(1)})
		}
		posts = append(posts, p)
	}
	te.must(text(ledger.MaxKeyBytes), posts...)

	name := text(ledger.MaxNameBytes)
	named := ledger.PutDocument{DocumentID: ledger.DocumentID{Kind: name, ID: name}, Owner: name, State: name, Lane: name, Due: epoch}
	for i := range ledger.MaxReferences {
		named.References = append(named.References, fmt.Sprintf("%0*d", ledger.MaxReferenceBytes, i))
	}
	te.must("references", named)
	var bodies []ledger.Command
	for i := range ledger.MaxEntryBytes / ledger.MaxBodyBytes {
		bodies = append(bodies, ledger.PutDocument{
			DocumentID: ledger.DocumentID{Kind: "large", ID: fmt.Sprint(i)}, Body: json.RawMessage(`"` + text(ledger.MaxBodyBytes-2) + `"`),
		})
	}
	te.must("bodies", bodies...)

	all, err := te.Balances(t.Context(), ledger.AsOf{}, bank, long)
	if want := usd(ledger.MaxEntryPostings / ledger.MaxPostings * (ledger.MaxPostings - 1)); err != nil || all[0].Posted != want || all[1].Posted != want {
		t.Errorf("after the most postings that an entry may have: %v, %v; both must stand at %s", all, err, want)
	}
	if d, err := te.ByReference(t.Context(), named.References[ledger.MaxReferences-1]); err != nil || d.DocumentID != named.DocumentID {
		t.Errorf("by the last of the most references that a document may have: document %s, %v", d.DocumentID, err)
	}
	te.audit()
}
