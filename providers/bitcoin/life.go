package bitcoin

import (
	"fmt"
	"time"

	"github.com/koshpay/kosh/providers"
)

// life is where something was mined: every block that ever had it, oldest first.
type life struct {
	Step     uint64 `json:"step"` // the last that was applied
	Required uint   `json:"required,omitempty"`
	Mines    []mine `json:"mines,omitempty"`
}

// mine is one block that had it.
type mine struct {
	TxID   string `json:"tx,omitempty"` // which of several that replace one another
	Height int64  `json:"height"`
	Block  string `json:"block"`
	Time   int64  `json:"time"` // of the block, in seconds
	// Counted says that it had its confirmations, whatever became of the block later.
	Counted  bool  `json:"counted,omitempty"`
	Final    bool  `json:"final,omitempty"`
	Orphaned int64 `json:"orphaned,omitempty"` // when that was noticed, in seconds; 0: it is in the chain
}

// now returns the block that has it, or nil.
func (l *life) now() *mine {
	if n := len(l.Mines); n > 0 && l.Mines[n-1].Orphaned == 0 {
		return &l.Mines[n-1]
	}
	return nil
}

// mined takes in that a block has it.
func (l *life) mined(m mine) {
	if l.now() == nil {
		l.Mines = append(l.Mines, m)
	}
}

// orphaned takes in that a block is no longer in the chain.
func (l *life) orphaned(block string, at time.Time) {
	if m := l.now(); m != nil && m.Block == block {
		m.Orphaned, m.Final = at.Unix(), false
	}
}

// grow takes in that the chain has that height.
func (l *life) grow(height int64, finality uint) {
	m := l.now()
	if m == nil {
		return
	}
	n := confirmations(m.Height, height)
	m.Counted = m.Counted || n >= l.Required
	m.Final = m.Final || n >= max(finality, l.Required)
}

func confirmations(mined, height int64) uint {
	return uint(max(height-mined+1, 0))
}

// round says how often that block had it before: a chain can come back to a block that it had left.
func (l *life) round(i int) (n int) {
	for _, m := range l.Mines[:i] {
		if m.Block == l.Mines[i].Block && m.TxID == l.Mines[i].TxID {
			n++
		}
	}
	return n
}

// movement is what one block that counts means for our balance.
type movement struct {
	kind   providers.EffectKind
	suffix string // of the effect's id
	units  int64
}

// report fills in what the blocks say: effects, state, confirmations and times. name is the transaction and output that
// effects are named after, for a transaction.
func (p *Provider) reportLife(r *providers.Report, l life, height int64, name func(m mine) string, moves func(m mine) []movement) {
	r.State, r.Required = providers.Pending, l.Required
	for i, m := range l.Mines {
		if !m.Counted {
			continue
		}
		id := string(p.config.Network) + "/" + name(m) + "/" + m.Block
		if n := l.round(i); n > 0 {
			id += fmt.Sprintf("/%d", n+1)
		}
		at := time.Unix(m.Time, 0).UTC()
		for _, move := range moves(m) {
			if move.units == 0 {
				continue
			}
			e := providers.Effect{ID: id + move.suffix, Kind: move.kind, Amount: p.amount(move.units), At: at}
			r.Effects = append(r.Effects, e)
			if m.Orphaned == 0 {
				continue
			}
			back := providers.Effect{ID: e.ID + "/orphaned", Kind: move.kind, Amount: p.amount(-move.units), At: time.Unix(m.Orphaned, 0).UTC()}
			if move.kind == providers.Moved {
				back.Kind, back.Reverses = providers.Reversed, e.ID
			}
			r.Effects = append(r.Effects, back)
		}
		r.At = at
	}
	switch m := l.now(); {
	case m != nil:
		r.Confirmations = min(confirmations(m.Height, height), max(p.config.Finality, l.Required))
		if m.Counted {
			r.State, r.Final = providers.Succeeded, m.Final
		} else {
			r.At = time.Unix(m.Time, 0).UTC()
		}
	case len(l.Mines) > 0:
		r.At = time.Unix(l.Mines[len(l.Mines)-1].Orphaned, 0).UTC()
		r.Reason = providers.Reason{Code: "orphaned", Public: "The network took the payment back."}
	}
}
