package evm

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/koshpay/kosh/providers"
	"github.com/koshpay/kosh/providers/evm/internal/eth"
)

// fork looks whether the last block is still on the chain, and if not how far back the chain is another. It tells whether the
// look went back.
func (l *look) fork(ctx context.Context) (back bool, err error) {
	at := min(l.s.Height, l.head)
	same := func(height uint64) (*eth.Header, bool, error) {
		h, err := l.e.headerAt(ctx, height)
		return h, err == nil && h != nil && bytes.Equal(h.Hash[:prefix], l.s.hashAt(height)), err
	}
	if l.s.hashAt(at) == nil {
		return false, fmt.Errorf("evm: %s is at block %d, far behind block %d", l.e.name, l.head, l.s.Height)
	}
	h, ok, err := same(at)
	if err != nil || ok || h == nil {
		return false, err // a node that is behind knows nothing new
	}
	oldest := l.s.Height - uint64(len(l.s.Window)/prefix) + 1
	full := uint(len(l.s.Window)/prefix) >= l.config.Finality // then its oldest is the newest that is final
	for at > oldest {
		at--
		if h, ok, err = same(at); err != nil {
			return false, err
		}
		if ok {
			return true, l.intendBack(ctx, at, h.Hash)
		}
	}
	switch {
	case l.accept:
		return true, l.goBack(ctx, oldest)
	case full:
		return false, l.Provider.halt(ctx, fmt.Sprintf("the chain is another from before block %d, which was final", oldest))
	}
	// Nothing was looked at before the window began.
	h, err = l.e.headerAt(ctx, oldest)
	if err != nil || h == nil {
		return false, err
	}
	return true, l.intendBack(ctx, oldest, h.Hash)
}

func (l *look) intendBack(ctx context.Context, to uint64, block eth.Hash) error {
	return l.intend(ctx, intent{Height: to, Block: block, Back: true})
}

// takeOut takes everything above a height off the books.
func (l *look) takeOut(ctx context.Context, again bool) error {
	i := *l.s.Intent
	for height := l.s.Height + 1; height > i.Height; height-- { // one more: a block may have been taken in by half
		if err := l.clear(ctx, height, again); err != nil {
			return err
		}
	}
	if known := l.s.hashAt(i.Height); bytes.Equal(known, i.Block[:prefix]) {
		l.s.Window = slices.Clone(l.s.Window[:len(l.s.Window)-int(l.s.Height-i.Height)*prefix]) //nolint:gosec // within the window
	} else {
		l.s.Window = slices.Clone(i.Block[:prefix])
	}
	l.s.Height, l.s.Block, l.s.Intent = i.Height, i.Block, nil
	l.s.Busy = slices.DeleteFunc(l.s.Busy, func(h uint64) bool { return h > i.Height })
	return l.save(ctx)
}

// clear orphans what is in a block.
func (l *look) clear(ctx context.Context, height uint64, again bool) error {
	var b busyBlock
	version, err := providers.LoadState(ctx, l.state, blockKey(height), &b)
	if err != nil || version == 0 {
		return err
	}
	if err := l.takeOff(ctx, height, b); err != nil {
		return err
	}
	for _, key := range b.Keys {
		if err := l.orphan(ctx, key, b.Block, again); err != nil {
			return err
		}
	}
	return l.putBlock(ctx, height, eth.Hash{}, nil)
}

// goBack goes back beyond the window, after a person resumed: to the newest block with something of ours that is still on the
// chain, or to where looking began.
func (l *look) goBack(ctx context.Context, oldest uint64) error {
	to := oldest
	for to > l.s.First {
		to--
		var b busyBlock
		if _, err := providers.LoadState(ctx, l.state, blockKey(to), &b); err != nil {
			return err
		}
		if b.Block == (eth.Hash{}) {
			continue
		}
		h, err := l.e.headerAt(ctx, to)
		if err != nil {
			return err
		}
		if h != nil && h.Hash == b.Block {
			break
		}
	}
	h, err := l.e.headerAt(ctx, to)
	if err != nil || h == nil {
		return errors.Join(err, fmt.Errorf("evm: block %d is not there", to))
	}
	return l.intendBack(ctx, to, h.Hash)
}
