package ledgertest

import (
	"fmt"
	"time"

	"github.com/koshpay/kosh/ledger"
)

var appendChecks = []Check{{
	Name:   "history-is-only-added-to",
	Rule:   "A key, line, version or change that is there already is refused with an error, and nothing of that write stays.",
	Advice: "Make (book, key), (book, account, version), (book, kind, id, version) and (book, position) unique and insert without \"on conflict\"; roll back the whole write.",
	Run:    checkAppendOnly,
}, {
	Name:   "erased-versions-are-replaced",
	Rule:   "A write that deletes a version and adds it again replaces it whole: the erased body is nowhere any more, past and current.",
	Advice: "Apply write.Delete first, versions included; then insert. The body must be gone from Read, Update and every list.",
	Run:    checkErase,
}}

func checkErase(t *T) {
	sc := newScribe(t, t.Open(), "book")
	doc := ledger.Document{DocumentID: ledger.DocumentID{Kind: "k", ID: "1"}, Owner: "alice", Due: epoch, References: []string{"r"}}
	var written []ledger.Document
	for i := range 3 {
		doc.Body = fmt.Appendf(nil, `{"secret": %d}`, i)
		d := sc.entry()
		written = append(written, d.document(doc))
		d.record()
	}
	sc.erase(written[1])
	sc.compareAll()
	sc.erase(written[2])
	sc.erase(written[0])
	sc.compareAll()
	doc.Body = []byte(`{}`)
	d := sc.entry()
	d.document(doc)
	d.record()
	sc.compareAll()
}

func checkAppendOnly(t *T) {
	sc := newScribe(t, t.Open(), "book")
	account := ledger.AccountID{Path: "wallet/alice", Asset: "USD"}
	doc := ledger.DocumentID{Kind: "k", ID: "1"}
	d := sc.entry()
	d.open(account, ledger.Liability, "alice", ledger.Terms{})
	d.document(ledger.Document{DocumentID: doc})
	d.record()
	sc.number(1)

	key, line, version, change := sc.model.keys[d.key], sc.model.lines[account][0], sc.model.documents[doc], sc.model.feed[0]
	block := sc.model.blocks[0]
	block.Last++
	key.Inputs = []byte(`"other"`)
	line.RecordedAt = line.RecordedAt.Add(time.Microsecond) // an older number at a new time is still there already
	version.State = "other"
	change.State = "other"
	late := line
	late.Version, late.RecordedAt = 2, late.RecordedAt.Add(time.Microsecond)
	for name, bad := range map[string]ledger.Rows{
		"a key":                   {Keys: []ledger.KeyRow{{Key: "new", Inputs: []byte("{}")}, key}},
		"a line":                  {Lines: []ledger.Line{line}},
		"a line beside a new one": {Lines: []ledger.Line{late, line}},
		"a version":               {Versions: []ledger.Document{version}},
		"a change":                {Feed: []ledger.Change{change}},
		"a block":                 {Blocks: []ledger.Block{block}},
	} {
		bad.Sequences = []ledger.SequenceRow{{Name: "beside " + name, Last: 1}}
		bad.References = []ledger.ReferenceRow{{Reference: "beside " + name, Document: doc}}
		if err := writeRows(t.Context(), sc.store, sc.book, bad); err == nil {
			t.Errorf("writing %s a second time was accepted", name)
		}
	}
	sc.compareAll()
}
