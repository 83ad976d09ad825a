package memory

import (
	"maps"
	"slices"

	"github.com/koshpay/kosh/ledger"
)

// Every row is copied when it comes in and when it goes out, down to the last slice, map and pointer, so that neither
// side can change what the other has.

func copyPlain[R any](r *R) R { return *r }

func copyKey(k *ledger.KeyRow) ledger.KeyRow {
	c := *k
	c.Inputs = slices.Clone(k.Inputs)
	c.Receipt.Replayed = false // says how an answer was found; no part of the row
	c.Receipt.Results = slices.Clone(k.Receipt.Results)
	c.Receipt.Guarded = slices.Clone(k.Receipt.Guarded)
	c.Receipt.Balances = slices.Clone(k.Receipt.Balances)
	if k.Refusal != nil {
		refusal := *k.Refusal
		refusal.Cause = nil // not stored
		c.Refusal = &refusal
	}
	return c
}

func copyLine(l *ledger.Line) ledger.Line {
	c := *l
	if l.Terms != nil {
		terms := *l.Terms
		c.Terms = &terms
	}
	return c
}

func copyHold(h *ledger.Hold) ledger.Hold {
	c := *h
	c.Meta = maps.Clone(h.Meta)
	return c
}

func copyTransaction(t *ledger.Transaction) ledger.Transaction {
	c := *t
	c.Postings = slices.Clone(t.Postings)
	c.Meta = maps.Clone(t.Meta)
	c.Reversed = slices.Clone(t.Reversed)
	return c
}

func copyDocument(d *ledger.Document) ledger.Document {
	c := *d
	c.References = slices.Clone(d.References)
	c.Body = slices.Clone(d.Body)
	return c
}

func copyBlock(b *ledger.Block) ledger.Block {
	c := *b
	c.Marks = slices.Clone(b.Marks)
	return c
}

func copyPending(p *ledger.PendingRow) ledger.PendingRow {
	c := *p
	c.Changes = slices.Clone(p.Changes)
	return c
}
