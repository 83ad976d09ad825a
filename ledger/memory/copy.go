package memory

import (
	"maps"
	"slices"

	"github.com/koshpay/kosh/ledger"
)

// Every row is copied when it comes in and when it goes out, down to the last slice, map and pointer, so that neither
// side can change what the other has.

func copyPlain[R any](r *R) R { return *r }

func copyHold(h *ledger.Hold) ledger.Hold {
	c := *h
	c.Meta = maps.Clone(h.Meta)
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
