package bitcoin

import (
	"context"
	"slices"

	"github.com/koshpay/kosh/providers"
)

// loss is a transaction that spends coins of ours and is not ours.
type loss struct {
	life
	Units   int64    `json:"units"`
	Victims []string `json:"victims,omitempty"` // operations that meant to spend them
}

func foreignKey(txid string) string { return "foreign/" + txid }

// foreign applies the step to a transaction of somebody else's, and fails what it made impossible when it is final.
func (a *application) foreign(ctx context.Context, f foreign) error {
	if a.seen[f.TxID] {
		return nil
	}
	a.seen[f.TxID] = true
	here := slices.Contains(a.block.Foreign, f)
	var victims []string
	if here {
		var err error
		if victims, err = a.victims(ctx, f.TxID); err != nil {
			return err
		}
	}
	l, err := providers.ChangeState(ctx, a.p.state, foreignKey(f.TxID), func(l *loss, _ bool) error {
		if l.Step >= a.scan.Number || !here && !a.grows(&l.life) {
			return providers.ErrStateSame
		}
		l.Step, l.Units, l.Required = a.scan.Number, f.Units, a.p.required(f.Units)
		for _, key := range victims {
			if !slices.Contains(l.Victims, key) {
				l.Victims = append(l.Victims, key)
			}
		}
		a.step(&l.life, here, f.TxID)
		return nil
	})
	if err != nil {
		return err
	}
	a.tier(&l.life)
	if here || a.grows(&l.life) {
		a.events = append(a.events, event{At: a.p.now(), Reference: f.TxID})
	}
	if m := l.now(); m == nil || !m.Final {
		return nil
	}
	for _, key := range l.Victims {
		if err := a.lose(ctx, key); err != nil {
			return err
		}
	}
	return nil
}

// victims are the operations all of whose transactions spend a coin that was spent by another one.
func (a *application) victims(ctx context.Context, by string) (keys []string, err error) {
	for _, s := range a.block.Spends {
		if s.By != by {
			continue
		}
		var o output
		if _, err := providers.LoadState(ctx, a.p.state, outputKey(s.Output), &o); err != nil {
			return nil, err
		}
		if o.Reserved == "" || slices.Contains(keys, o.Reserved) {
			continue
		}
		var op operation
		if _, err := providers.LoadState(ctx, a.p.state, opKey(o.Reserved), &op); err != nil {
			return nil, err
		}
		if op.needs(s.Output) {
			keys = append(keys, o.Reserved)
		}
	}
	return keys, nil
}

// lose fails a withdrawal that can never be mined.
func (a *application) lose(ctx context.Context, key string) error {
	_, err := providers.ChangeState(ctx, a.p.state, opKey(key), func(o *operation, _ bool) error {
		if o.Failed != nil || o.now() != nil {
			return providers.ErrStateSame
		}
		o.Failed = &failure{Code: "inputs_spent", Public: "The payment could not be made."}
		return nil
	})
	a.events = append(a.events, event{At: a.p.now(), Key: key})
	return err
}

// Unexplained is the kind of effect by which coins are gone that somebody else spent with our keys.
const Unexplained providers.EffectKind = "unexplained"

func (p *Provider) reportForeign(ctx context.Context, txid string) (providers.Report, bool, error) {
	var l loss
	version, err := providers.LoadState(ctx, p.state, foreignKey(txid), &l)
	if err != nil || version == 0 {
		return providers.Report{}, false, err
	}
	var s scan
	if _, err := providers.LoadState(ctx, p.state, scanKey, &s); err != nil {
		return providers.Report{}, false, err
	}
	r := providers.Report{Reference: txid, Kind: providers.Settlement}
	p.reportLife(&r, l.life, s.Height, func(mine) string { return txid }, func(mine) []movement {
		return []movement{{kind: Unexplained, units: -l.Units}}
	})
	if r.Reason.Code == "" {
		r.Reason = providers.Reason{Code: "spent_by_others"}
	}
	return r, true, nil
}
