package ledgertest

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
)

// awkward are texts that sort differently, or are taken for one another, where a store compares by locale, without case,
// in UTF-16 or with trailing spaces cut. Stores compare bytes.
var awkward = []string{"Z", "a", "A", "aa", "a b", "a-b", "a_b", "a%b", "ab", "ß", "ss", "é", "e\u0301", "\uffee", "\U0001f4b0", "10", "9", "null", "'quoted'", `back\slash`, "a/b", "a "}

// awkwardPaths are the same for account paths, which are plainer.
var awkwardPaths = []string{"wallet/Z", "wallet/a", "wallet/A", "wallet/a-b", "wallet/a_b", "wallet/a.b", "wallet/ab", "wallet/a/b", "wallet/10", "wallet/9", "wallet-x", "wallet", "wallet0", "fees/~1", "fees/+1=2", "fees/@x:y"}

// fill writes a small world with rows in every list: some 60 entries.
func (sc *scribe) fill() {
	d := sc.entry()
	cash := ledger.AccountID{Path: "bank/cash", Asset: "USD"}
	d.open(cash, ledger.Asset, "", ledger.Terms{})
	var wallets []ledger.AccountID
	for i, path := range awkwardPaths {
		id := ledger.AccountID{Path: path, Asset: "USD"}
		d.open(id, ledger.Liability, awkward[i%5], ledger.Terms{Floor: currency.Zero(currency.USD)})
		wallets = append(wallets, id)
	}
	for _, asset := range []currency.AssetID{"JPY", "EUR", gem.ID()} {
		d.open(ledger.AccountID{Path: awkwardPaths[0], Asset: asset}, ledger.Liability, awkward[0], ledger.Terms{})
	}
	d.record()
	sc.number(1)

	var holds []ledger.Hold
	for i := range 24 {
		d := sc.entry()
		wallet := wallets[i%len(wallets)]
		for range 1 + i%3 {
			d.post(cash, wallet, sc.amount(cash, int64(100+i)), ledger.Note{Reference: awkward[i%len(awkward)]})
		}
		d.record()
	}
	for i := range 12 {
		d := sc.entry()
		wallet := wallets[i%3]
		var deadline time.Time
		if i%4 != 3 {
			deadline = epoch.Add(time.Duration(i%5) * time.Hour)
		}
		holds = append(holds, d.hold(wallet, sc.amount(wallet, int64(1+i)), deadline))
		d.record()
	}
	for i := range 4 {
		d := sc.entry()
		holds[i*3] = d.release(holds[i*3])
		d.record()
	}
	sc.number(20)
	sc.fillDocuments()
	for i, name := range awkward {
		sc.write(ledger.Rows{Sequences: []ledger.SequenceRow{{Name: name, Last: uint64(i)}}})
	}
}

func (sc *scribe) fillDocuments() {
	kinds := []string{"withdrawal", "Withdrawal", "deposit"}
	var leases []ledger.Lease
	for i, id := range awkward {
		d := sc.entry()
		d.key = "key " + id
		for _, kind := range kinds[:1+i%3] {
			doc := ledger.Document{DocumentID: ledger.DocumentID{Kind: kind, ID: id}, Owner: awkward[i%5], State: "new", Lane: "sandbox", Body: json.RawMessage(fmt.Sprintf(`{"n":%d}`, i))}
			if i%3 != 1 {
				doc.Due = epoch.Add(time.Duration(i%4) * time.Minute)
			}
			if kind == "withdrawal" {
				doc.References = []string{"ref " + id}
			}
			d.document(doc)
			leases = append(leases, ledger.Lease{Document: doc.DocumentID, Token: sc.id(), Holder: "worker", Until: epoch.Add(time.Hour)})
		}
		d.record()
	}
	sc.write(ledger.Rows{Leases: leases[:len(leases)/2]})
	sc.write(ledger.Rows{Delete: ledger.Names{Leases: []ledger.DocumentID{leases[0].Document, leases[3].Document}}})
	for i, id := range awkward[:6] { // second versions: one no longer due, one with another owner
		d := sc.entry()
		doc := sc.model.documents[ledger.DocumentID{Kind: "withdrawal", ID: id}]
		doc.State = "done"
		if i%2 == 0 {
			doc.Due = time.Time{}
		} else {
			doc.Due, doc.Owner = epoch.Add(-time.Hour), "heir"
		}
		doc.References = append([]string{"more " + id}, doc.References...)
		d.document(doc)
		d.record()
	}
}
