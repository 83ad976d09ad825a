package bitcoin

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/koshpay/kosh/providers"
)

// coinPage lists outputs that are unspent as of the scan. Its entries are hints for the one who looks for coins: what an output is
// and who reserved it, its own document says.
type coinPage struct {
	Step  uint64 `json:"step"` // the last that was applied
	Coins []coin `json:"coins"`
}

type coin struct {
	Output string `json:"output"`
	Units  int64  `json:"units"`
}

func coinKey(n int) string { return fmt.Sprintf("coins/%d", n) }

// coinPages returns all pages. Pages are made one after the other, and the first that was never stored is the end.
func (p *Provider) coinPages(ctx context.Context) (pages []coinPage, versions []uint64, err error) {
	for n := 0; ; n++ {
		var pg coinPage
		version, err := providers.LoadState(ctx, p.state, coinKey(n), &pg)
		if err != nil || version == 0 {
			return pages, versions, err
		}
		pages, versions = append(pages, pg), append(versions, version)
	}
}

// coins returns what is unspent, with its worth.
func (p *Provider) coins(ctx context.Context) (map[string]int64, error) {
	pages, _, err := p.coinPages(ctx)
	if err != nil {
		return nil, err
	}
	all := map[string]int64{}
	for _, pg := range pages {
		for _, c := range pg.Coins {
			all[c.Output] = c.Units
		}
	}
	return all, nil
}

// indexCoins brings the pages forward by a step: what to add and what to remove. A page that has the step applied stays as it is.
func (p *Provider) indexCoins(ctx context.Context, step uint64, add []coin, remove []string) error {
	if len(add) == 0 && len(remove) == 0 {
		return nil
	}
	for range tries {
		pages, versions, err := p.coinPages(ctx)
		if err != nil {
			return err
		}
		conflict, err := p.indexOnce(ctx, pages, versions, step, add, remove)
		if err != nil || !conflict {
			return err
		}
	}
	return fmt.Errorf("%w: coins", providers.ErrStateBusy)
}

func (p *Provider) indexOnce(
	ctx context.Context, pages []coinPage, versions []uint64, step uint64, add []coin, remove []string,
) (conflict bool, err error) {
	missing := slices.Clone(add)
	for _, pg := range pages {
		missing = slices.DeleteFunc(missing, func(c coin) bool { return slices.Contains(pg.Coins, c) })
	}
	for n := 0; n < len(pages) || len(missing) > 0; n++ {
		var pg coinPage
		version := uint64(0)
		if n < len(pages) {
			pg, version = pages[n], versions[n]
		}
		if pg.Step >= step {
			continue
		}
		before := len(pg.Coins)
		pg.Coins = slices.DeleteFunc(slices.Clone(pg.Coins), func(c coin) bool { return slices.Contains(remove, c.Output) })
		changed := len(pg.Coins) != before
		if room := min(pageSize-len(pg.Coins), len(missing)); room > 0 {
			pg.Coins, missing = append(pg.Coins, missing[:room]...), missing[room:]
			changed = true
		}
		if !changed {
			continue
		}
		pg.Step = step
		_, err := providers.SaveState(ctx, p.state, coinKey(n), pg, version)
		if errors.Is(err, providers.ErrStateConflict) {
			return true, nil
		}
		if err != nil {
			return false, err
		}
	}
	return false, nil
}
