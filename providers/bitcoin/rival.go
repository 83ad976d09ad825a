package bitcoin

import (
	"context"
	"slices"
	"strings"

	"github.com/btcsuite/btcd/wire/v2"

	"github.com/koshpay/kosh/providers"
)

// This file is about deposits that are orphaned and cannot come back, because what they spend was spent otherwise.

// maxWatched is how many inputs of a transaction are watched. One that is taken back is usually taken back whole.
const maxWatched = 20

// orphans are, by what their transactions spend, the outputs that were in the chain and are not now.
func (p *Provider) orphans(ctx context.Context, s scan) (map[string][]string, error) {
	if len(s.Orphans) == 0 {
		return nil, nil
	}
	by := map[string][]string{}
	for _, ref := range s.Orphans {
		var o output
		if _, err := providers.LoadState(ctx, p.state, outputKey(ref), &o); err != nil {
			return nil, err
		}
		for _, in := range o.Inputs {
			by[in] = append(by[in], ref)
		}
	}
	return by, nil
}

// rivals adds the orphans that a transaction makes impossible.
func (b *block) rivals(orphans map[string][]string, tx *wire.MsgTx) {
	if len(orphans) == 0 {
		return
	}
	txid := tx.TxHash().String()
	for _, in := range tx.TxIn {
		for _, ref := range orphans[outpoint(in.PreviousOutPoint.Hash, int(in.PreviousOutPoint.Index))] {
			r := rival{ref, txid}
			if !strings.HasPrefix(ref, txid) && !slices.Contains(b.Rivals, r) {
				b.Rivals = append(b.Rivals, r)
			}
		}
	}
}

// rival applies the step to the rival of an output: the block has it, no longer has it, or makes it final.
func (a *application) rival(o *output, here int) {
	switch {
	case here >= 0 && a.back:
		o.Rival = nil
	case here >= 0 && o.Rival == nil:
		o.Rival = &mine{TxID: a.block.Rivals[here].By, Height: a.block.Height, Block: a.hash}
	}
	if o.Rival != nil && !a.back {
		o.Rival.Final = o.Rival.Final || confirmations(o.Rival.Height, a.block.Height) >= a.p.config.Finality
	}
}

// gone tells whether the output can never be in the chain again.
func (o *output) gone() bool { return o.Rival != nil && o.Rival.Final && o.now() == nil }

// bury keeps the list of orphans that may come back, and fails what was to be paid with one that cannot.
func (a *application) bury(ctx context.Context, outpoint string, o output) error {
	a.scan.Orphans = slices.DeleteFunc(slices.Clone(a.scan.Orphans), func(ref string) bool { return ref == outpoint })
	if len(o.Mines) == 0 || o.now() != nil {
		return nil
	}
	if !o.gone() {
		a.scan.Orphans = append(a.scan.Orphans, outpoint)
		return nil
	}
	if o.Reserved == "" {
		return nil
	}
	var op operation
	if _, err := providers.LoadState(ctx, a.p.state, opKey(o.Reserved), &op); err != nil || !op.needs(outpoint) {
		return err
	}
	return a.lose(ctx, o.Reserved)
}

// needs tells whether every transaction of the operation spends an output: what replaces a transaction spends all that it spends.
func (o *operation) needs(output string) bool {
	return len(o.Sent) > 0 && slices.ContainsFunc(o.Sent[0].Inputs, func(in input) bool { return in.Output == output })
}
