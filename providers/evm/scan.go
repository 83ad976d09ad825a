package evm

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/koshpay/kosh/providers"
	"github.com/koshpay/kosh/providers/evm/internal/eth"
)

// scan is how far the chain was looked at. Blocks in which nothing of ours is are passed over, many in one write. For every other
// the intent is written first and the block's documents are written after it, so that a crash, or another process, finishes
// what was begun; Sequence fences a process that comes late with what is no longer so.
type scan struct {
	First    uint64   `json:"first"`  // the block before the first that was looked at
	Height   uint64   `json:"height"` // the last block that was looked at
	Block    eth.Hash `json:"block"`
	Window   []byte   `json:"window"` // the first bytes of the hashes of the last blocks, up to Height
	Busy     []uint64 `json:"busy,omitempty"`
	Sequence uint64   `json:"sequence,omitempty"`
	Intent   *intent  `json:"intent,omitempty"`
}

// intent is what is being done: a block taken in, or, with Back, everything above a height taken out.
type intent struct {
	Height uint64    `json:"height"`
	Block  eth.Hash  `json:"block"`
	Parent eth.Hash  `json:"parent"`
	At     time.Time `json:"at"`
	Back   bool      `json:"back,omitempty"`
}

// prefix is how much of a hash is kept in the window: enough that two blocks never look alike.
const prefix = 12

// busyBlock is what of ours is in a block.
type busyBlock struct {
	Block    eth.Hash `json:"block"`
	Keys     []string `json:"keys,omitempty"` // of records
	Sequence uint64   `json:"sequence"`
}

func blockKey(height uint64) string { return fmt.Sprintf("block/%d", height) }

// hashAt returns what is kept of the hash at a height, nil when that is out of the window.
func (s *scan) hashAt(height uint64) []byte {
	n := uint64(len(s.Window) / prefix)
	if height > s.Height || s.Height-height >= n {
		return nil
	}
	i := (n - 1 - (s.Height - height)) * prefix
	return s.Window[i : i+prefix]
}

// push appends a block.
func (s *scan) push(height uint64, block eth.Hash, finality uint) {
	s.Window = append(s.Window, block[:prefix]...)
	if most := int(finality) * prefix; len(s.Window) > most {
		s.Window = slices.Clone(s.Window[len(s.Window)-most:])
	}
	s.Height, s.Block = height, block
	s.Busy = slices.DeleteFunc(s.Busy, func(h uint64) bool { return h+uint64(finality) <= height })
}

// height is how far the chain was looked at.
func (p *Provider) height(ctx context.Context) (uint64, error) {
	var s scan
	_, err := providers.LoadState(ctx, p.state, "scan", &s)
	return s.Height, err
}

// started sees to it that the chain is looked at from before anything of ours can be on it.
func (p *Provider) started(ctx context.Context) error {
	version, err := providers.LoadState(ctx, p.state, "scan", &scan{})
	if err != nil || version > 0 {
		return err
	}
	_, err = p.sync(ctx)
	return err
}

// sync looks at what is new on the chain and returns how far it got.
func (p *Provider) sync(ctx context.Context) (uint64, error) {
	p.scanning.Lock()
	defer p.scanning.Unlock()
	h, err := p.running(ctx)
	if err != nil {
		return 0, err
	}
	e, err := p.pick(ctx)
	if err != nil {
		return 0, err
	}
	head, err := e.latest(ctx)
	if err != nil {
		return 0, err
	}
	l := &look{Provider: p, e: e, head: uint64(head.Number), accept: h.Accept}
	const again = 100
	for range again {
		err := l.run(ctx)
		if errors.Is(err, providers.ErrStateConflict) || errors.Is(err, errStale) {
			continue // another process looks too: go on from where it is
		}
		if err == nil && l.accept {
			_, err = providers.ChangeState(ctx, p.state, "halt", func(h *halted, _ bool) error {
				h.Accept = false
				return nil
			})
		}
		return l.s.Height, err
	}
	return 0, fmt.Errorf("%w: scan", providers.ErrStateBusy)
}

// look is one look at the chain.
type look struct {
	*Provider
	e       *endpoint
	head    uint64
	accept  bool // a person resumed: go back as far as it takes
	s       scan
	version uint64
	dirty   bool // s passed over blocks since it was stored
	done    int
}

func (l *look) run(ctx context.Context) error {
	if err := l.begin(ctx); err != nil {
		return err
	}
	for l.done < l.config.MaxBlocks {
		if l.s.Intent != nil {
			if err := l.perform(ctx, true); err != nil {
				return err
			}
		}
		if back, err := l.fork(ctx); err != nil {
			return err
		} else if back {
			continue
		}
		if l.s.Height >= l.head {
			break
		}
		if moved, err := l.next(ctx); err != nil {
			return err
		} else if !moved {
			break
		}
		l.done++
	}
	if err := l.store(ctx); err != nil {
		return err
	}
	if err := l.contradicted(ctx); err != nil {
		return err
	}
	return l.giveUp(ctx)
}

// contradicted halts if another endpoint has another block where the newest final one is. One that does not answer, or is behind,
// contradicts nobody.
func (l *look) contradicted(ctx context.Context) error {
	if uint(len(l.s.Window)/prefix) < l.config.Finality {
		return nil
	}
	final := l.s.Height - uint64(l.config.Finality) + 1
	for _, e := range l.endpoints {
		if e == l.e {
			continue
		}
		if h, err := e.headerAt(ctx, final); err == nil && h != nil && !bytes.Equal(h.Hash[:prefix], l.s.hashAt(final)) {
			return l.Provider.halt(ctx, fmt.Sprintf("%s and %s disagree about block %d, which is final", l.e.name, e.name, final))
		}
	}
	return ctx.Err()
}

// begin reads where the last look ended, or begins.
func (l *look) begin(ctx context.Context) (err error) {
	l.s, l.dirty = scan{}, false
	if l.version, err = providers.LoadState(ctx, l.state, "scan", &l.s); err != nil || l.version > 0 {
		return err
	}
	before := l.head
	if l.config.Start > 0 {
		before = min(l.config.Start-1, l.head)
	}
	h, err := l.e.headerAt(ctx, before)
	if err != nil || h == nil {
		return errors.Join(err, errors.New("evm: the first block is not there"))
	}
	l.s.First = before
	l.s.push(before, h.Hash, l.config.Finality)
	return l.save(ctx)
}

func (l *look) save(ctx context.Context) error {
	if _, err := providers.SaveState(ctx, l.state, "scan", l.s, l.version); err != nil {
		return err
	}
	l.version++
	l.dirty = false
	return nil
}

func (l *look) store(ctx context.Context) error {
	if !l.dirty {
		return nil
	}
	return l.save(ctx)
}

// intend stores what is about to be done, and with it the blocks that were passed over.
func (l *look) intend(ctx context.Context, i intent) error {
	l.s.Sequence++
	l.s.Intent = &i
	return l.save(ctx)
}

// next takes in the block after the last. It tells false when the node is in between: the next look finds out.
func (l *look) next(ctx context.Context) (moved bool, err error) {
	b, err := l.e.block(ctx, l.s.Height+1)
	if err != nil {
		return false, err
	}
	if b == nil || b.ParentHash != l.s.Block {
		return false, nil
	}
	ours, err := l.ours(ctx) // after the block: what it pays to was written down before
	if err != nil {
		return false, err
	}
	found, err := l.find(ctx, b, ours)
	if err != nil {
		return false, err
	}
	i := intent{Height: uint64(b.Number), Block: b.Hash, Parent: b.ParentHash, At: timeOf(b)}
	if len(found) == 0 && !l.due(i.Height) {
		l.s.push(i.Height, i.Block, l.config.Finality)
		l.dirty = true
		return true, nil
	}
	if err := l.intend(ctx, i); err != nil {
		return false, err
	}
	return true, l.take(ctx, found, false)
}

func timeOf(b *eth.Block) time.Time {
	return time.Unix(int64(b.Timestamp), 0).UTC() //nolint:gosec // far below 2^63
}

// due tells whether something of an earlier block gets the confirmations that it waits for with the block at this height, or
// whether something waits to be given up.
func (l *look) due(height uint64) bool {
	for _, busy := range l.s.Busy {
		for _, w := range l.waits {
			if busy+uint64(w) == height+1 {
				return true
			}
		}
	}
	return false
}

// perform does what was intended. again says that somebody may have done it in part.
func (l *look) perform(ctx context.Context, again bool) error {
	i := *l.s.Intent
	if i.Back {
		return l.takeOut(ctx, again)
	}
	canonical, err := l.e.headerAt(ctx, i.Height)
	if err != nil {
		return err
	}
	if canonical == nil || canonical.Hash != i.Block { // it is off the chain: undo what was written of it
		return l.intend(ctx, intent{Height: l.s.Height, Block: l.s.Block, Back: true})
	}
	b, err := l.e.blockByHash(ctx, i.Block)
	if err != nil {
		return err
	}
	if b == nil {
		return fmt.Errorf("evm: %s does not have block %s, which it names", l.e.name, i.Block)
	}
	ours, err := l.ours(ctx)
	if err != nil {
		return err
	}
	found, err := l.find(ctx, b, ours)
	if err != nil {
		return err
	}
	return l.take(ctx, found, again)
}

// take writes what a block has of ours, counts what has its confirmations with it, and ends the intent.
func (l *look) take(ctx context.Context, found []finding, again bool) error {
	i := *l.s.Intent
	keys := make([]string, len(found))
	for n, f := range found {
		keys[n] = f.key
	}
	if len(found) > 0 {
		if err := l.putBlock(ctx, i.Height, i.Block, keys); err != nil {
			return err
		}
		if !slices.Contains(l.s.Busy, i.Height) {
			l.s.Busy = append(l.s.Busy, i.Height)
		}
	}
	for _, f := range found {
		if err := l.arrive(ctx, f, again); err != nil {
			return err
		}
	}
	for _, w := range l.waits {
		for _, busy := range l.s.Busy {
			if busy+uint64(w) == i.Height+1 {
				if err := l.mature(ctx, busy, w, again); err != nil {
					return err
				}
			}
		}
	}
	l.s.push(i.Height, i.Block, l.config.Finality)
	l.s.Intent = nil
	return l.save(ctx)
}

// putBlock writes which records are in a block.
func (l *look) putBlock(ctx context.Context, height uint64, block eth.Hash, keys []string) error {
	_, err := providers.ChangeState(ctx, l.state, blockKey(height), func(b *busyBlock, _ bool) error {
		if b.Sequence > l.s.Sequence {
			return errStale
		}
		if b.Block == block && slices.Equal(b.Keys, keys) {
			return providers.ErrStateSame
		}
		*b = busyBlock{Block: block, Keys: keys, Sequence: l.s.Sequence}
		return nil
	})
	return err
}

// touch changes a record as the chain has it, fenced, and writes the event. again writes the event also when there was
// nothing to change any more, because whoever changed it may have died before.
func (l *look) touch(ctx context.Context, key string, again bool, do func(r *record, isNew bool) error) (record, error) {
	did := false
	r, err := providers.ChangeState(ctx, l.state, key, func(r *record, isNew bool) error {
		did = false
		if r.Sequence > l.s.Sequence {
			return errStale
		}
		if err := do(r, isNew); err != nil {
			return err
		}
		r.Sequence = l.s.Sequence
		r.Changes++
		did = true
		return nil
	})
	if err != nil || !did && !again || r.Changes == 0 {
		return r, err
	}
	return r, l.changed(ctx, key, r)
}
