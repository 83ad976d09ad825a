package ledgertest

import (
	"context"
	"strings"

	"github.com/koshpay/kosh/ledger"
)

var scanChecks = []Check{
	{
		Name:   "lists-equal-brute-force",
		Rule:   "Every list has exactly its rows, in its documented order, by bytes and not by locale.",
		Advice: "Order by the columns of the row's Position method; in SQL with collation \"C\" or on bytes, and ids by their text form.",
		Run:    checkLists,
	},
	{
		Name:   "bounds-equal-brute-force",
		Rule:   "Scan returns the rows strictly between After and Before, from the side that Backward says, at most Limit, fewer only when the list ends.",
		Advice: "Compare positions as a tuple (time, number, a, b), with the four parts given, whether or not a row is exactly there. After and Before keep their meaning when Backward.",
		Run:    checkBounds,
	},
	{
		Name:   "pages-neither-skip-nor-repeat",
		Rule:   "Pages of any size, each after the last row of the one before, add up to the whole list, in both directions.",
		Advice: "A page after a position begins with the very next row; rows of equal time are told apart by the further parts.",
		Run:    checkPages,
	},
	{
		Name:   "lists-follow-their-rows",
		Rule:   "A row that changes moves between lists at once: holds that close and documents that are no longer due leave the due lists, an owner's lists follow the owner.",
		Advice: "Update the indexes in the transaction that writes the row.",
		Run:    checkListsFollow,
	},
	{
		Name:   "bad-ranges-are-refused",
		Rule:   "A limit below 1 or above MaxPage, and a list that does not exist, are errors: never the whole list, never silently nothing.",
		Advice: "Check the range before reading; no value of Limit means \"all\".",
		Run:    checkBadRanges,
	},
}

func checkLists(t *T) {
	sc := newScribe(t, t.Open(), "book")
	sc.fill()
	sc.compareLists()
}

// bounds returns places in a list and between its places.
func bounds(all []item, r ledger.Range) []*ledger.Position {
	r.Limit = len(all)
	at := []*ledger.Position{nil, {}}
	for _, i := range pick(all, r) {
		p := i.at
		at = append(at, &p)
		switch {
		case !p.Time.IsZero():
			at = append(at, &ledger.Position{Time: p.Time}, &ledger.Position{Time: p.Time.Add(1000)})
		case p.Number > 0:
			at = append(at, &ledger.Position{Number: p.Number + 1})
		default:
			at = append(at, &ledger.Position{A: p.A}, &ledger.Position{A: strings.TrimRight(p.A, "aZ9")}, &ledger.Position{A: p.A + "0", B: p.B})
		}
	}
	return at
}

func checkBounds(t *T) {
	sc := newScribe(t, t.Open(), "book")
	sc.fill()
	limits := []int{1, 2, 3, 10, ledger.MaxPage}
	for _, base := range sc.model.ranges() {
		all := sc.model.all(base)
		at := bounds(all, base)
		for range min(12, 2+len(all)) {
			r := base
			r.After, r.Before = at[sc.rnd.IntN(len(at))], at[sc.rnd.IntN(len(at))]
			if r.After != nil && r.Before != nil && sc.rnd.IntN(4) > 0 && r.After.Compare(*r.Before) > 0 {
				r.After, r.Before = r.Before, r.After // mostly a stretch, sometimes nothing
			}
			r.Limit = limits[sc.rnd.IntN(len(limits))]
			sc.comparePage(r)
			r.Backward = true
			sc.comparePage(r)
		}
		if t.Failed() {
			return
		}
	}
}

func checkPages(t *T) {
	sc := newScribe(t, t.Open(), "book")
	sc.fill()
	for _, base := range sc.model.ranges() {
		for _, limit := range []int{1, 4} {
			for _, backward := range []bool{false, true} {
				r := base
				r.Limit, r.Backward = limit, backward
				items, err := scanAll(t.Context(), sc.store, sc.book, r)
				if err != nil {
					t.Errorf("%v", err)
					continue
				}
				r.Limit = ledger.MaxPage
				if diff := diffLines(itemTexts(pick(sc.model.all(r), r)), itemTexts(items)); diff != "" {
					t.Errorf("pages of %d of %s do not add up (- wanted, + found):\n%s", limit, describe(r), diff)
				}
			}
		}
	}
}

func checkListsFollow(t *T) {
	sc := newScribe(t, t.Open(), "book")
	sc.fill()
	for _, h := range pick(sc.model.all(ledger.Range{List: ledger.ListDueHolds}), ledger.Range{Limit: 3}) {
		d := sc.entry()
		d.release(h.row.(ledger.Hold))
		d.record()
		sc.compareLists()
	}
	for i, due := range pick(sc.model.all(ledger.Range{List: ledger.ListDueDocuments}), ledger.Range{Limit: 3}) {
		d := sc.entry()
		doc := due.row.(ledger.Document)
		doc.Due = []ledger.Position{{}, {Time: doc.Due.Add(1000)}, {}}[i].Time
		doc.Owner = []string{doc.Owner, "another", ""}[i]
		d.document(doc)
		d.record()
		sc.compareLists()
	}
	d := sc.entry()
	wallet := ledger.AccountID{Path: awkwardPaths[1], Asset: "USD"}
	d.line(ledger.Line{Account: wallet, Kind: ledger.LineSet, Terms: &ledger.Terms{}})
	a := d.accounts[wallet]
	a.Owner = "another"
	d.accounts[wallet] = a
	d.record()
	sc.number(ledger.MaxPage)
	sc.compareLists()
}

func checkBadRanges(t *T) {
	sc := newScribe(t, t.Open(), "book")
	sc.write(ledger.Rows{Sequences: []ledger.SequenceRow{{Name: "s", Last: 1}}})
	for _, r := range []ledger.Range{
		{List: ledger.ListSequences},
		{List: ledger.ListSequences, Limit: -1},
		{List: ledger.ListSequences, Limit: ledger.MaxPage + 1},
		{Limit: 1},
		{List: ledger.ListBlocks + 1, Limit: 1},
	} {
		if rows, err := sc.store.Scan(context.WithoutCancel(t.Context()), sc.book, r); err == nil {
			t.Errorf("Scan of list %d with limit %d was answered with %s", r.List, r.Limit, rowText(rows))
		}
	}
}
