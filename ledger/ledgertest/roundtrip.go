package ledgertest

import (
	"encoding/json"
	"math"
	"strings"
	"time"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
)

var roundTripChecks = []Check{
	{
		Name:   "rows-come-back-whole",
		Rule:   "Every field of every kind of row is found as it was written: by Read, by Update and by Scan.",
		Advice: "Compare the two lines field by field. Times are UTC with microseconds; an amount keeps its asset, and zero of an asset is not Amount{}; a body keeps its bytes.",
		Run:    checkRoundTrip,
	},
	{
		Name:   "edges-come-back-whole",
		Rule:   "The largest and smallest values, empty texts and any Unicode are found as they were written.",
		Advice: "Amounts need 128 bits, texts need UTF-8 compared by bytes, bodies and inputs are bytes (not a JSON type that reorders or normalises), numbers must not pass through a float64.",
		Run:    checkEdges,
	},
	{
		Name:   "absent-rows-are-absent",
		Rule:   "Rows that do not exist are left out without an error; nothing is found that was not named; no name is found twice.",
		Advice: "Read and Update answer with exactly those of the named rows that exist. Drop names that are asked for twice.",
		Run:    checkAbsent,
	},
	{
		Name:   "rows-are-replaced-whole",
		Rule:   "A row of write replaces the row of the same name whole: optional fields that are no longer set are gone.",
		Advice: "Write every column on a replacement, null or empty ones too; do not merge.",
		Run:    checkReplace,
	},
}

// compareAll checks that everything of the model, and nothing else, is found by name and in the lists.
func (sc *scribe) compareAll() {
	names, want := sc.model.names(), sc.model.rows()
	found, err := sc.store.Read(sc.t.Context(), sc.book, names)
	if err != nil {
		sc.t.Fatalf("Read: %v", err)
	}
	if err := sameRows(want, found); err != nil {
		sc.t.Errorf("Read: %v", err)
	}
	err = sc.store.Update(sc.t.Context(), sc.book, names, func(rows ledger.Rows) (ledger.Rows, ledger.Names, error) {
		found = rows
		return ledger.Rows{}, ledger.Names{}, nil
	})
	if err != nil {
		sc.t.Fatalf("Update that writes nothing: %v", err)
	}
	if err := sameRows(want, found); err != nil {
		sc.t.Errorf("decide was given other rows than were written: %v", err)
	}
	sc.compareLists()
}

// compareLists checks every list, read from first to last.
func (sc *scribe) compareLists() {
	for _, r := range sc.model.ranges() {
		r.Limit = ledger.MaxPage
		sc.comparePage(r)
	}
}

// comparePage compares one page with brute force.
func (sc *scribe) comparePage(r ledger.Range) {
	rows, err := sc.store.Scan(sc.t.Context(), sc.book, r)
	if err != nil {
		sc.t.Errorf("Scan of %s: %v", describe(r), err)
		return
	}
	items, err := itemsOf(r.List, rows)
	if err != nil {
		sc.t.Errorf("Scan of %s: %v", describe(r), err)
		return
	}
	if diff := diffLines(itemTexts(pick(sc.model.all(r), r)), itemTexts(items)); diff != "" {
		sc.t.Errorf("Scan of %s differs from brute force (- wanted, + found):\n%s", describe(r), diff)
	}
}

func itemTexts(items []item) []string {
	text := make([]string, len(items))
	for i, it := range items {
		text[i] = it.String()
	}
	return text
}

func checkRoundTrip(t *T) {
	sc := newScribe(t, t.Open(), "book")
	sc.everyField()
	sc.compareAll()
}

// everyField writes rows of every kind, in which together every field is set.
func (sc *scribe) everyField() {
	cash, wallet := ledger.AccountID{Path: "bank/cash", Asset: "USD"}, ledger.AccountID{Path: "wallet/alice", Asset: "USD"}
	d := sc.entry()
	d.open(cash, ledger.Asset, "", ledger.Terms{})
	d.open(wallet, ledger.Liability, "alice", ledger.Terms{Floor: sc.amount(wallet, -5), Ceiling: sc.amount(wallet, 1_000_000), DebitsFrozen: true, CreditsFrozen: true, Closed: true})
	d.record()

	d = sc.entry()
	note := ledger.Note{Reference: "post/1", Description: "a tip", Meta: map[string]string{"a": "1", "b": ""}}
	first := d.post(cash, wallet, sc.amount(wallet, 900), note)
	d.record()
	d = sc.entry()
	back := d.post(wallet, cash, sc.amount(wallet, 300), ledger.Note{})
	back.Reverses, back.Imported = first.ID, true
	back.EffectiveAt = epoch.Add(-24 * time.Hour)
	d.write.Transactions[0] = back
	first.Reversed = []currency.Amount{sc.amount(wallet, 300), sc.amount(wallet, 0)}
	d.write.Transactions = append(d.write.Transactions, first)
	d.record()

	d = sc.entry()
	h := d.hold(wallet, sc.amount(wallet, 100), epoch.Add(time.Hour))
	d.write.Holds[0].Note = note
	d.record()
	d = sc.entry()
	h.Captured, h.Released, h.State, h.Note, h.UpdatedAt = sc.amount(wallet, 60), sc.amount(wallet, 40), ledger.HoldCaptured, note, d.at
	taken := ledger.Transaction{ID: sc.id(), Key: d.key, RecordedAt: d.at, EffectiveAt: d.at.Add(time.Second), Postings: []ledger.Posting{
		{Account: wallet, Side: ledger.Debit, Amount: h.Captured}, {Account: cash, Side: ledger.Credit, Amount: h.Captured},
	}}
	d.line(ledger.Line{Account: wallet, Kind: ledger.LineCaptured, Side: ledger.Debit, Amount: h.Captured, Transaction: taken.ID, Hold: h.ID, EffectiveAt: taken.EffectiveAt})
	d.line(ledger.Line{Account: wallet, Kind: ledger.LineReleased, Amount: h.Released, Hold: h.ID})
	d.line(ledger.Line{Account: cash, Kind: ledger.LinePosted, Side: ledger.Credit, Amount: h.Captured, Transaction: taken.ID, EffectiveAt: taken.EffectiveAt})
	d.write.Holds, d.write.Transactions = []ledger.Hold{h}, []ledger.Transaction{taken}
	a := d.accounts[wallet]
	a.NextExpiry = time.Time{}
	d.accounts[wallet] = a
	d.record()

	d = sc.entry()
	doc := ledger.Document{
		DocumentID: ledger.DocumentID{Kind: "withdrawal", ID: "w1"}, Owner: "alice", State: "sent", Due: epoch.Add(time.Minute), Lane: "sandbox",
		References: []string{"sandbox/77", "a reference"}, Schema: 3, Body: json.RawMessage(`{"b": 1, "a": [1.50, "x"],  "c": null}`),
	}
	d.document(doc)
	d.write.Leases = []ledger.Lease{{Document: doc.DocumentID, Token: sc.id(), Holder: "worker 1", Until: epoch.Add(time.Second)}}
	d.changed(ledger.Change{Kind: ledger.ChangeHold, Account: wallet, Transaction: first.ID, Hold: h.ID, Document: doc.DocumentID, Version: 1, State: "captured"})
	d.record()

	sc.write(ledger.Rows{Keys: []ledger.KeyRow{{
		Key: "declined", Inputs: []byte(`{"amount":"1.50"}`), Refusal: &ledger.Refusal{
			Code: ledger.ErrInsufficientFunds, Class: ledger.Declined, Command: 2, Account: wallet, Wanted: sc.amount(wallet, 150),
			Available: sc.amount(wallet, 20), Field: "amount", Public: "not enough", Private: "alice's floor",
		},
	}, {
		Key: "full", Inputs: []byte(`[]`), Receipt: ledger.Receipt{
			ID: sc.id(), Key: "full", RecordedAt: epoch,
			Results:  []ledger.Result{{Transaction: first.ID, Hold: h.ID, Document: doc.DocumentID, Version: 1}, {}},
			Guarded:  []ledger.Result{{Hold: h.ID}, {Transaction: taken.ID, Document: doc.DocumentID, Version: 1}},
			Balances: []ledger.Balance{{Account: wallet, Version: 4, Posted: sc.amount(wallet, 540), Held: sc.amount(wallet, 1), Available: sc.amount(wallet, 539)}},
		},
	}}})
	sc.number(2)
	sc.number(ledger.MaxPage)
	d = sc.entry()
	gone := d.document(ledger.Document{DocumentID: ledger.DocumentID{Kind: "withdrawal", ID: "w2"}, Body: json.RawMessage(`{"iban":"x"}`)})
	d.record()
	sc.erase(gone)
	d = sc.entry()
	d.hold(wallet, sc.amount(wallet, 1), epoch.Add(time.Hour))
	d.changed(ledger.Change{Kind: ledger.ChangeDocument, Account: wallet, Transaction: first.ID, Hold: h.ID, Document: doc.DocumentID, Version: 1, State: "sent", Amount: sc.amount(wallet, 1)})
	d.record()
}

func checkEdges(t *T) {
	sc := newScribe(t, t.Open(), "книга/本")
	most, err := currency.FromUnits(math.MaxInt64, math.MaxUint64, gem)
	if err != nil {
		t.Fatalf("the check's own arithmetic: %v", err)
	}
	least, _ := most.Neg()
	// Two accounts end at the ends of the range, one on each normal side.
	up, down := ledger.AccountID{Path: "up", Asset: gem.ID()}, ledger.AccountID{Path: strings.Repeat("p", ledger.MaxPathBytes), Asset: gem.ID()}
	d := sc.entry()
	d.open(up, ledger.Asset, "", ledger.Terms{Floor: least, Ceiling: most})
	d.open(down, ledger.Asset, strings.Repeat("ö", ledger.MaxNameBytes/2), ledger.Terms{Floor: currency.Zero(gem), Ceiling: currency.Zero(gem)})
	d.record()
	d = sc.entry()
	text := strings.Repeat("\U0001f4b0", ledger.MaxTextBytes/4)
	big := d.post(up, down, most, ledger.Note{Reference: awkward[7], Description: text, Meta: map[string]string{"ключ": text, "": "empty key"}})
	big.EffectiveAt = time.Date(1969, time.December, 31, 23, 59, 59, 999_999_000, time.UTC)
	d.write.Transactions[0] = big
	d.record()
	d = sc.entry()
	d.hold(up, most, time.Date(2300, time.January, 1, 0, 0, 0, 999_999_000, time.UTC)) // beyond 64 bits of nanoseconds
	d.record()

	d = sc.entry()
	d.key = strings.Repeat("k", ledger.MaxKeyBytes)
	d.document(ledger.Document{DocumentID: ledger.DocumentID{Kind: "k", ID: "bare"}})
	doc := ledger.Document{
		DocumentID: ledger.DocumentID{Kind: "k", ID: strings.Repeat("本", ledger.MaxNameBytes/3)}, Schema: math.MaxUint16, State: awkward[9],
		Body: json.RawMessage(`{"text":"` + strings.Repeat("<&>\u2028é", 20_000) + `","n":12345678901234567890.10}`),
	}
	for _, text := range awkward {
		doc.References = append(doc.References, strings.Repeat(text, 1+ledger.MaxReferenceBytes/20)+"!")
	}
	d.document(doc)
	d.record()
	refusal := ledger.Refuse(ledger.ErrInsufficientFunds, "", "")
	refusal.Account, refusal.Wanted, refusal.Available = up, most, currency.Zero(gem)
	w := ledger.Rows{
		Sequences: []ledger.SequenceRow{{Name: "zero"}, {Name: "above a float's precision", Last: 1<<53 + 1}},
		Keys:      []ledger.KeyRow{{Key: "nothing at all", Inputs: []byte("null")}, {Key: "nothing available", Inputs: []byte(`"` + text + `"`), Refusal: refusal}},
	}
	for _, key := range awkward {
		w.Keys = append(w.Keys, ledger.KeyRow{Key: key, Inputs: []byte(`{}`)})
	}
	sc.write(w)
	sc.compareAll()
}

func checkAbsent(t *T) {
	sc := newScribe(t, t.Open(), "book")
	id, doc := sc.id(), ledger.DocumentID{Kind: "k", ID: "1"}
	account := ledger.AccountID{Path: "wallet/alice", Asset: "USD"}
	names := ledger.Names{
		Keys: []string{"k", ""}, Accounts: []ledger.AccountID{account, {Path: "wallet/alice", Asset: gem.ID()}, {}}, Holds: []ledger.ID{id, {}},
		Transactions: []ledger.ID{id, {}}, Documents: []ledger.DocumentID{doc, {}}, Versions: []ledger.VersionID{{DocumentID: doc, Version: 1}, {}},
		References: []string{"r", ""}, Leases: []ledger.DocumentID{doc, {}}, Assets: []currency.AssetID{"USD", gem.ID(), ""}, Pending: []ledger.ID{id, {}},
		Sequences: []string{"s", ""}, DueHolds: []ledger.DueHolds{{Account: account, At: epoch}},
	}
	sc.find("before the book was ever written", names, ledger.Rows{})
	d := sc.entry()
	d.open(account, ledger.Liability, "alice", ledger.Terms{})
	d.document(ledger.Document{DocumentID: ledger.DocumentID{Kind: "k", ID: "2"}})
	d.record()
	names = ledger.Names{
		Keys: []string{"entry-1", "entry-2", "entry-1"}, Accounts: []ledger.AccountID{account, account, {Path: "wallet/ALICE", Asset: "USD"}},
		Versions: []ledger.VersionID{{DocumentID: ledger.DocumentID{Kind: "k", ID: "2"}, Version: 1}, {DocumentID: ledger.DocumentID{Kind: "k", ID: "2"}, Version: 2}, {DocumentID: ledger.DocumentID{Kind: "k", ID: "2"}}},
		DueHolds: []ledger.DueHolds{{Account: account, At: epoch.Add(time.Hour)}},
	}
	sc.find("of names some of which exist", names, ledger.Rows{Keys: d.write.Keys, Accounts: d.write.Accounts, Versions: d.write.Versions})
	sc.find("of nothing", ledger.Names{}, ledger.Rows{})
}

// find checks what Read and Update find for the names.
func (sc *scribe) find(when string, names ledger.Names, want ledger.Rows) {
	found, err := sc.store.Read(sc.t.Context(), sc.book, names)
	if err != nil {
		sc.t.Errorf("Read %s: %v", when, err)
	} else if err := sameRows(want, found); err != nil {
		sc.t.Errorf("Read %s: %v", when, err)
	}
	err = sc.store.Update(sc.t.Context(), sc.book, names, func(rows ledger.Rows) (ledger.Rows, ledger.Names, error) {
		found = rows
		return ledger.Rows{}, ledger.Names{}, nil
	})
	if err != nil {
		sc.t.Errorf("Update %s: %v", when, err)
	} else if err := sameRows(want, found); err != nil {
		sc.t.Errorf("Update %s gave decide other rows: %v", when, err)
	}
}

func checkReplace(t *T) {
	sc := newScribe(t, t.Open(), "book")
	account := ledger.AccountID{Path: "wallet/alice", Asset: "USD"}
	d := sc.entry()
	d.open(account, ledger.Liability, "alice", ledger.Terms{Floor: sc.amount(account, 0), Ceiling: sc.amount(account, 9), DebitsFrozen: true})
	h := d.hold(account, sc.amount(account, 5), epoch.Add(time.Hour))
	doc := d.document(ledger.Document{DocumentID: ledger.DocumentID{Kind: "k", ID: "1"}, Owner: "alice", State: "new", Due: epoch, Lane: "l", References: []string{"r"}, Schema: 2, Body: json.RawMessage(`{"a":1}`)})
	d.write.Leases = []ledger.Lease{{Document: doc.DocumentID, Token: sc.id(), Holder: "worker", Until: epoch}}
	d.write.Sequences = []ledger.SequenceRow{{Name: "s", Last: 7}}
	d.record()

	d = sc.entry()
	d.line(ledger.Line{Account: account, Kind: ledger.LineSet, Terms: &ledger.Terms{}})
	a := d.accounts[account]
	a.Owner = ""
	d.accounts[account] = a
	d.release(h)
	d.document(ledger.Document{DocumentID: doc.DocumentID, References: doc.References})
	d.write.Leases = []ledger.Lease{{Document: doc.DocumentID, Token: sc.id(), Until: epoch.Add(1000)}}
	d.write.Sequences = []ledger.SequenceRow{{Name: "s"}}
	d.record()
	sc.compareAll()
}
