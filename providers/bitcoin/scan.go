package bitcoin

import (
	"context"
	"errors"
	"fmt"

	"github.com/koshpay/kosh/providers"
)

// scan is how far the chain was read.
type scan struct {
	Height int64  `json:"height"`
	Block  string `json:"block"`         // its hash
	Doc    string `json:"doc,omitempty"` // its document; "" where the scan began
	Start  int64  `json:"start"`         // the first height that was looked at
	High   int64  `json:"high"`          // the highest ever
	// Number counts steps; Step is the one at hand, if any, and has that number.
	Number uint64 `json:"number"`
	Step   *step  `json:"step,omitempty"`
	// Tiers are the numbers of confirmations that something ever waited for.
	Tiers []uint `json:"tiers,omitempty"`
	// Orphans are the outputs that were in the chain, are not now, and may come back.
	Orphans []string `json:"orphans,omitempty"`
	// Halt says why nothing goes on, and Allowed what a person allowed since, until the next block is taken in.
	Halt    *halt `json:"halt,omitempty"`
	Allowed halt  `json:"allowed,omitzero"`
	// Where to begin to look for the end of the log and of the addresses.
	Events    int64 `json:"events,omitempty"`
	Addresses int64 `json:"addresses,omitempty"`
}

// step takes in a block, or takes it back.
type step struct {
	Block string `json:"block"`
	Doc   string `json:"doc"`
	Back  bool   `json:"back,omitempty"`
}

const scanKey = "scan"

// errBehind says that the node has more blocks than one call reads.
var errBehind = errors.New("bitcoin: still reading the chain: call Poll until it has caught up")

// sync reads what the chain has got, and takes back what it no longer has.
func (p *Provider) sync(ctx context.Context) error {
	_, err := p.catchUp(ctx)
	return err
}

// catchUp is sync that also tells whether the end of the chain was reached.
func (p *Provider) catchUp(ctx context.Context) (done bool, err error) {
	for n := 0; n < p.config.BlocksPerCall; {
		s, version, err := p.loadScan(ctx)
		if err != nil {
			return false, err
		}
		if s.Halt != nil {
			return false, halted(s.Halt.Why)
		}
		if err := p.onNetwork(ctx); err != nil {
			if errors.Is(err, providers.ErrHalted) && version > 0 {
				err = p.halt(ctx, s, version, halt{Why: err.Error()})
			}
			return false, err
		}
		switch {
		case version == 0:
			err = p.startScan(ctx)
		case s.Step != nil:
			n++
			err = p.finish(ctx, s, version)
		default:
			if done, err = p.beginStep(ctx, s, version); done {
				return true, err
			}
		}
		// Of two processes that do the same one is first; both go on from there.
		if err != nil && !errors.Is(err, providers.ErrStateConflict) {
			return false, err
		}
	}
	return false, nil
}

func (p *Provider) loadScan(ctx context.Context) (s scan, version uint64, err error) {
	version, err = providers.LoadState(ctx, p.state, scanKey, &s)
	p.mu.Lock()
	p.logPage, p.page = max(p.logPage, s.Events), max(p.page, s.Addresses)
	p.mu.Unlock()
	return s, version, err
}

// begun makes sure that the scan has begun and goes on: what the chain had before is never looked at. Of the node it needs nothing more.
func (p *Provider) begun(ctx context.Context) error {
	s, version, err := p.loadScan(ctx)
	switch {
	case err != nil:
		return err
	case s.Halt != nil:
		return halted(s.Halt.Why)
	case version == 0:
		return p.sync(ctx)
	}
	return nil
}

// startScan fixes where the scan begins.
func (p *Provider) startScan(ctx context.Context) error {
	height := p.config.StartHeight - 1
	if height < 0 {
		var err error
		if height, err = p.node.height(ctx); err != nil {
			return err
		}
	}
	hash, err := p.node.blockHash(ctx, height)
	if err != nil {
		return err
	}
	_, err = providers.SaveState(ctx, p.state, scanKey, scan{Height: height, Block: hash, Start: height + 1, High: height}, 0)
	return err
}

// beginStep compares the chain with what was scanned and decides what is next; done says that nothing is.
func (p *Provider) beginStep(ctx context.Context, s scan, version uint64) (done bool, err error) {
	tip, err := p.node.height(ctx)
	if err != nil {
		return false, err
	}
	if tip < s.Start-1 {
		return true, nil // the node has yet to come to where we began
	}
	mine, err := p.ancestor(ctx, s, min(tip, s.Height))
	if err != nil {
		return false, err
	}
	theirs, err := p.node.blockHash(ctx, min(tip, s.Height))
	switch {
	case hasCode(err, codeOutOfRange, codeBtcdOutOfRange, codeNotFound):
		return false, nil // it lost blocks in between
	case err != nil:
		return false, err
	case theirs != mine:
		return false, p.goBack(ctx, s, version)
	case tip <= s.Height:
		return true, nil // a node that is behind us on our own chain says nothing against it
	}
	next, err := p.node.blockHash(ctx, s.Height+1)
	if hasCode(err, codeOutOfRange, codeBtcdOutOfRange, codeNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	b, err := p.readBlock(ctx, s, next)
	if err != nil {
		return false, err
	}
	if b.Parent != s.Block {
		return false, nil // the chain was reorganised while we asked
	}
	if len(b.Foreign) > 0 && s.Allowed.Block != next {
		return false, p.halt(ctx, s, version, halt{Block: next, Why: fmt.Sprintf(
			"transaction %s in block %s spends coins of ours, and this adapter did not make it", b.Foreign[0].TxID, next)})
	}
	s.Number++
	s.Step = &step{Block: next, Doc: blockKey(next, s.Number)}
	_, err = providers.SaveState(ctx, p.state, scanKey, s, version)
	return false, err
}

// ancestor returns the hash of the scanned chain's block at a height; it is at most Finality deep, or the scan's own.
func (p *Provider) ancestor(ctx context.Context, s scan, height int64) (string, error) {
	hash, doc := s.Block, s.Doc
	for h := s.Height; h > height && doc != ""; h-- {
		b, err := p.loadBlock(ctx, doc)
		if err != nil {
			return "", err
		}
		hash, doc = b.Parent, b.Before
	}
	return hash, nil
}

// goBack takes back the block that was scanned last, unless it was final.
func (p *Provider) goBack(ctx context.Context, s scan, version uint64) error {
	p.setRight(false) // the next block is asked of a node that is looked at again
	if s.Doc == "" {
		return p.halt(ctx, s, version, halt{Why: fmt.Sprintf("the chain no longer has block %s, where the scan began", s.Block)})
	}
	if depth := confirmations(s.Height, s.High); depth >= p.config.Finality && !s.Allowed.Deep {
		return p.halt(ctx, s, version, halt{Deep: true, Why: fmt.Sprintf(
			"the chain was reorganised more than %d blocks deep: it no longer has block %s at height %d", p.config.Finality-1, s.Block, s.Height)})
	}
	s.Number++
	s.Step = &step{Block: s.Block, Doc: s.Doc, Back: true}
	_, err := providers.SaveState(ctx, p.state, scanKey, s, version)
	return err
}

// finish applies the step at hand to all that it touches, and marks it done.
func (p *Provider) finish(ctx context.Context, s scan, version uint64) error {
	b, err := p.loadBlock(ctx, s.Step.Doc)
	if err != nil {
		return err
	}
	a := application{p: p, scan: s, block: b, hash: s.Step.Block, back: s.Step.Back}
	if err := a.run(ctx); err != nil {
		return err
	}
	if s.Step.Back {
		s.Height, s.Block, s.Doc = s.Height-1, b.Parent, b.Before
	} else {
		s.Height, s.Block, s.Doc, s.High = b.Height, s.Step.Block, s.Step.Doc, max(s.High, b.Height)
		s.Allowed = halt{}
	}
	s.Step, s.Tiers, s.Orphans = nil, a.scan.Tiers, a.scan.Orphans
	p.mu.Lock()
	s.Events, s.Addresses = p.logPage, p.page
	p.mu.Unlock()
	_, err = providers.SaveState(ctx, p.state, scanKey, s, version)
	return err
}
