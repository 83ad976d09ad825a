package ledgertest

import (
	"github.com/koshpay/kosh/ledger"
)

var isolationChecks = []Check{
	{
		Name:   "books-are-apart",
		Rule:   "Nothing crosses between books: rows of the same names live side by side, and no method finds, changes, refuses or lists a row of another book.",
		Advice: "Put the book first in every key, every index and every condition, unique ones included.",
		Run:    checkBooksApart,
	},
	{
		Name:   "book-names-are-exact",
		Rule:   "Books whose names differ by a single byte are different books.",
		Advice: "Compare names of books by bytes: no case folding, no trimming, no Unicode normalisation, no joining of book and key with a separator.",
		Run:    checkBookNames,
	},
}

func checkBooksApart(t *T) {
	s := t.Open()
	one, two, empty := newScribe(t, s, "one"), newScribe(t, s, "two"), newScribe(t, s, "three")
	one.fill()
	two.fill() // the same names, all of them
	one.compareAll()
	empty.model = newModel()
	empty.compareLists()
	empty.find("in a book that was never written", one.model.names(), ledger.Rows{})

	// From here on they part; the first must not notice.
	wallet := ledger.AccountID{Path: awkwardPaths[0], Asset: "USD"}
	d := two.entry()
	doc := two.model.documents[ledger.DocumentID{Kind: "withdrawal", ID: awkward[0]}]
	doc.State, doc.Owner = "elsewhere", "elsewhere"
	d.document(doc)
	d.line(ledger.Line{Account: wallet, Kind: ledger.LineSet, Terms: &ledger.Terms{Closed: true}})
	for _, h := range two.model.holds {
		if h.State == ledger.HoldOpen {
			d.release(h)
			break
		}
	}
	d.record()
	two.number(ledger.MaxPage)
	var leases []ledger.DocumentID
	for id := range two.model.leases {
		leases = append(leases, id)
	}
	two.write(ledger.Rows{Delete: ledger.Names{Leases: leases}})
	one.compareAll()
	two.compareAll()
}

func checkBookNames(t *T) {
	s := t.Open()
	names := append([]string{"book", "Book", "book ", "book/", "book%", "book_", "bool"}, awkward...)
	for i, name := range names {
		sc := newScribe(t, s, name)
		sc.write(ledger.Rows{Sequences: []ledger.SequenceRow{{Name: "s", Last: uint64(i)}}, Keys: []ledger.KeyRow{{Key: "k", Inputs: []byte("{}")}}})
	}
	for i, name := range names {
		sc := newScribe(t, s, name)
		sc.model.apply(ledger.Rows{Sequences: []ledger.SequenceRow{{Name: "s", Last: uint64(i)}}, Keys: []ledger.KeyRow{{Key: "k", Inputs: []byte("{}")}}})
		sc.find("in book "+name, sc.model.names(), sc.model.rows())
		sc.compareLists()
	}
}
