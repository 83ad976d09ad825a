package ledgertest

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/koshpay/kosh/ledger"
)

var bookKeyChecks = []Check{
	{
		Name:   "a-key-has-one-effect",
		Rule:   "Of entries with one key, recorded at once or later, one is executed and all get its receipt; a decline replays as the same decline; other inputs are a conflict.",
		Advice: "Guard absent keys (absent-rows-are-guarded) and give key rows back as they were written (rows-come-back-whole).",
		Run:    checkKeys,
	},
	{
		Name:   "a-refused-entry-leaves-nothing",
		Rule:   "An entry that is refused leaves the book byte for byte as it was; a decline leaves its key and nothing else.",
		Advice: "Change nothing when decide returns an error (an-error-of-decide-changes-nothing).",
		Run:    checkRefused,
	},
	{
		Name:   "answers-outlive-a-restart",
		Rule:   "After a restart each key gets the answer that it got before, receipts and declines alike, figures, reasons and balances included; other inputs are a conflict that names the same field.",
		Advice: "The row of a key is all that remembers an answer: write every field of its receipt and refusal (rows-come-back-whole), and with the entry's other rows or not at all.",
		Reopen: true,
		Run:    checkAnswers,
	},
}

func checkKeys(t *T) {
	te := newTeller(t, t.Open())
	te.openWallets(1_000, "alice", "bob")
	for round := range 10 {
		for _, cents := range []int64{7, 1_000_000} { // accepted; declined
			key := fmt.Sprintf("round %d of %d", round, cents)
			entry := ledger.Entry{Key: key, Commands: []ledger.Command{transfer(walletOf("alice"), walletOf("bob"), cents)}}
			var mu sync.Mutex
			fresh, answers := 0, map[string]int{}
			ask := func() {
				receipt, err := te.Record(t.Context(), entry)
				mu.Lock()
				defer mu.Unlock()
				if !receipt.Replayed {
					fresh++
				}
				answers[answer(receipt, err)]++
			}
			t.Together(writers, func(int) { ask() })
			te.wait(time.Hour)
			ask()
			if fresh != 1 || len(answers) != 1 {
				t.Errorf("%d entries with one key: %d were executed, the answers were %v", writers+1, fresh, answers)
				return
			}
			entry.Commands = []ledger.Command{transfer(walletOf("alice"), walletOf("bob"), cents+1)}
			if _, err := te.Record(t.Context(), entry); !errors.Is(err, ledger.ErrKeyConflict) {
				t.Errorf("other inputs under a used key: %v", err)
			}
		}
	}
	bob, err := te.Info(t.Context(), walletOf("bob"))
	if err != nil || bob.Posted != usd(1_000+10*7) {
		t.Errorf("ten transfers of 0.07, each asked for %d times, left bob with %s instead of 10.70 (%v)", writers+1, bob.Posted, err)
	}
	te.audit()
}

// answer is what a caller was told, without how it was found.
func answer(receipt ledger.Receipt, err error) string {
	text := rowText(receipt)
	if r, ok := asRefusal(err); ok {
		return text + rowText(*r)
	}
	return fmt.Sprint(text, err)
}

func checkRefused(t *T) {
	te := newTeller(t, t.Open())
	te.openWallets(100, "alice", "bob")
	hold := te.must("hold", ledger.PlaceHold{Account: walletOf("alice"), Amount: usd(60)}).Results[0].Hold
	te.must("document", ledger.PutDocument{DocumentID: ledger.DocumentID{Kind: "k", ID: "1"}, References: []string{"taken"}})
	before := te.dump()
	good := transfer(walletOf("alice"), walletOf("bob"), 1)
	for name, bad := range map[string]ledger.Command{
		"invalid":      ledger.Post{Postings: []ledger.Posting{{Account: walletOf("alice"), Side: ledger.Debit, Amount: usd(1)}}},
		"unbalanced":   ledger.Post{Postings: []ledger.Posting{{Account: bank, Side: ledger.Debit, Amount: usd(1)}, {Account: walletOf("bob"), Side: ledger.Credit, Amount: usd(2)}}},
		"not found":    transfer(walletOf("nobody"), walletOf("bob"), 1),
		"conflict":     ledger.PutDocument{DocumentID: ledger.DocumentID{Kind: "k", ID: "1"}, Version: 7},
		"taken":        ledger.PutDocument{DocumentID: ledger.DocumentID{Kind: "k", ID: "2"}, References: []string{"taken"}},
		"terms differ": ledger.OpenAccount{Account: walletOf("alice"), Type: ledger.Asset},
		"no such hold": ledger.Release{Hold: ledger.ByID(ledger.ID{15: 1}), All: true},
	} {
		_, err := te.Record(t.Context(), ledger.Entry{Key: "refused " + name, Commands: []ledger.Command{good, bad}})
		if err == nil {
			t.Errorf("an entry that is %s was recorded", name)
		}
		if diff := Diff(before, te.dump()); diff != "" {
			t.Errorf("an entry refused as %s (%v) changed the book (- before, + after):\n%s", name, err, diff)
			return
		}
	}
	_, err := te.Simulate(t.Context(), ledger.Entry{Key: "simulated", Commands: []ledger.Command{good}})
	if diff := Diff(before, te.dump()); err != nil || diff != "" {
		t.Errorf("a simulated entry (%v) changed the book (- before, + after):\n%s", err, diff)
	}
	for name, bad := range map[string]ledger.Command{
		"too much":       transfer(walletOf("alice"), walletOf("bob"), 41),
		"beyond a hold":  ledger.Capture{Hold: ledger.ByID(hold), To: []ledger.Portion{{Account: walletOf("bob"), Amount: usd(61)}}},
		"another's draw": ledger.Draw{Amount: usd(10_000), From: []ledger.AccountID{walletOf("alice"), walletOf("bob")}, To: []ledger.AccountID{bank}},
	} {
		before := te.dump()
		_, err := te.Record(t.Context(), ledger.Entry{Key: "declined " + name, Commands: []ledger.Command{good, bad}})
		if !errors.Is(err, ledger.Declined) {
			t.Errorf("%s was not declined: %v", name, err)
		}
		diff := Diff(before, te.dump())
		if !strings.HasPrefix(diff, `+ {"list":"keys"`) || strings.Count(diff, "\n") != 1 {
			t.Errorf("a decline (%s) left something else than its key (- before, + after):\n%s", name, diff)
		}
	}
	te.audit()
}

// checkAnswers records one entry of each sort that burns its key and asks for all of them again after restarts.
func checkAnswers(t *T) {
	te := newTeller(t, t.Open())
	te.openWallets(1_000, "alice", "bob")
	hold := te.must("hold", ledger.PlaceHold{Account: walletOf("alice"), Amount: usd(60)}).Results[0].Hold
	te.must("release", ledger.Release{Hold: ledger.ByID(hold), All: true})
	doc := ledger.DocumentID{Kind: "limit", ID: "1"}
	guard := func(err error) []ledger.Guard {
		return []ledger.Guard{{Reads: ledger.Reads{Documents: []ledger.DocumentID{doc}}, Check: func(ledger.View) ([]ledger.Command, error) {
			if err != nil {
				return nil, err
			}
			return []ledger.Command{ledger.PutDocument{DocumentID: doc, Body: []byte(`{"used": 1}`)}}, nil
		}}}
	}
	pay := func(cents int64) []ledger.Command {
		return []ledger.Command{transfer(walletOf("alice"), walletOf("bob"), cents)}
	}
	entries := []ledger.Entry{
		{Key: "plain", Commands: pay(7)},
		{Key: "guarded", Commands: append(pay(7), ledger.PlaceHold{Account: walletOf("bob"), Amount: usd(5)}), Guards: guard(nil)},
		{Key: "with inputs", Commands: pay(7), Inputs: map[string]string{"tip": "7f3c"}},
		{Key: "too much", Commands: pay(1_000_000)},
		{Key: "the second too much", Commands: append(pay(1), pay(1_000_000)...)},
		{Key: "closed hold", Commands: []ledger.Command{ledger.Release{Hold: ledger.ByID(hold), All: true}}},
		{Key: "denied", Commands: pay(1), Guards: guard(ledger.Refuse("daily_limit", "Try again tomorrow.", "limit of 5"))},
	}
	before := make([]string, len(entries))
	for i, e := range entries {
		before[i] = answer(te.Record(t.Context(), e))
	}
	for range 2 {
		te.wait(time.Hour)
		te.store = t.Reopen(te.store)
		te.Book = te.process()
		for i, e := range entries {
			receipt, err := te.Record(t.Context(), e)
			if after := answer(receipt, err); after != before[i] || !receipt.Replayed {
				t.Errorf("the entry %q, sent again after a restart: replayed %v, answered\n%s\nand before\n%s", e.Key, receipt.Replayed, after, before[i])
			}
			e.Commands, e.Inputs = pay(8), nil
			if _, err := te.Record(t.Context(), e); !errors.Is(err, ledger.ErrKeyConflict) {
				t.Errorf("other inputs under the key %q after a restart: %v", e.Key, err)
			}
		}
	}
	te.audit()
}
