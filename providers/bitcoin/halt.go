package bitcoin

import (
	"context"
	"fmt"

	"github.com/koshpay/kosh/providers"
)

// halt is why the adapter stopped, and what a person allows by letting it go on.
type halt struct {
	Why string `json:"why,omitempty"`
	// Deep: to take back blocks that were final. Block: to take in that block, though it has a transaction that spends our coins and is
	// not ours.
	Deep  bool   `json:"deep,omitempty"`
	Block string `json:"block,omitempty"`
}

func halted(why string) error { return fmt.Errorf("bitcoin: %w: %s", providers.ErrHalted, why) }

// halt makes durable that nothing goes on, and why.
func (p *Provider) halt(ctx context.Context, s scan, version uint64, h halt) error {
	s.Halt = &h
	if _, err := providers.SaveState(ctx, p.state, scanKey, s, version); err != nil {
		return err
	}
	return halted(h.Why)
}

// Halted returns why the adapter is halted, or "".
func (p *Provider) Halted(ctx context.Context) (string, error) {
	s, _, err := p.loadScan(ctx)
	if err != nil || s.Halt == nil {
		return "", err
	}
	return s.Halt.Why, nil
}

// Resume lets a halted adapter go on, and is for a person who has looked. After a reorganisation deeper than Config.Finality it allows
// the adapter to follow the chain: what was final is taken back by effects like any other. After a transaction that spends coins of ours
// and that the adapter did not make, it accepts that they are gone: a report of kind Settlement says how much, which payments puts
// against suspense. When the node was on another network, correct that first.
func (p *Provider) Resume(ctx context.Context) error {
	p.setRight(false)
	_, err := providers.ChangeState(ctx, p.state, scanKey, func(s *scan, _ bool) error {
		if s.Halt == nil {
			return providers.ErrStateSame
		}
		s.Allowed, s.Halt = *s.Halt, nil
		return nil
	})
	return err
}
