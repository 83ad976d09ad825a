package providertest_test

import (
	"context"
	"log/slog"
	"strings"
	"sync"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/providers"
)

// amountMistakes concern amounts, and what must not be shown.
var amountMistakes = []mistake{
	{"writes its requests to the log", "no-secret-logged", providers.Card, func(b *broken) {
		b.submit = func(ctx context.Context, op providers.Operation) (providers.Report, error) {
			slog.DebugContext(ctx, "POST /charges", "authorization", "Bearer "+secret, "kind", op.Kind)
			return b.Sandbox.Submit(ctx, op)
		}
	}},
	{"logs what members write", "no-secret-logged", providers.Bank, func(b *broken) {
		b.submit = func(ctx context.Context, op providers.Operation) (providers.Report, error) {
			slog.InfoContext(ctx, "sending", "operation", op)
			return b.Sandbox.Submit(ctx, op)
		}
	}},
	{"drops texts that it may not send", "card-numbers-stay-out", providers.Card, func(b *broken) {
		b.submit = func(ctx context.Context, op providers.Operation) (providers.Report, error) {
			if providers.LooksLikeCardNumber(op.Description) {
				op.Description = ""
			}
			return b.Sandbox.Submit(ctx, op)
		}
	}},
	{"takes every long number for a card's", "card-numbers-stay-out", providers.Card, func(b *broken) {
		b.submit = func(ctx context.Context, op providers.Operation) (providers.Report, error) {
			if digits := strings.Trim(op.Member, "0123456789"); digits == "" && len(op.Member) > 12 {
				return providers.Report{}, &providers.Error{Certainty: providers.NotSent, Err: providers.ErrInvalid}
			}
			return b.Sandbox.Submit(ctx, op)
		}
	}},
	{"sends two decimals of everything", "amounts-are-exact", providers.Card, func(b *broken) {
		inYen := func(a currency.Amount, times bool) currency.Amount {
			if a.AssetID() != "JPY" {
				return a
			}
			if times {
				a, _ = a.MulInt(100)
				return a
			}
			parts, _ := a.Split(100)
			return parts[0]
		}
		// Right from inside: what is multiplied on the way out is divided on the way in.
		rewrite(b, func(r *providers.Report) {
			for i := range r.Effects {
				r.Effects[i].Amount = inYen(r.Effects[i].Amount, false)
			}
		})
		inner := b.submit
		b.submit = func(ctx context.Context, op providers.Operation) (providers.Report, error) {
			op.Amount = inYen(op.Amount, true)
			return inner(ctx, op)
		}
	}},
	{"rounds to what the far side takes", "amount-out-of-bounds", providers.Card, func(b *broken) {
		b.submit = func(ctx context.Context, op providers.Operation) (providers.Report, error) {
			if o, ok := b.Describe().Offer(op.Kind, op.Method, op.AssetID()); ok && o.Step.IsValid() {
				op.Amount, _ = op.Amount.RoundTo(o.Step, currency.HalfUp)
			}
			return b.Sandbox.Submit(ctx, op)
		}
	}},
	{"lifts what is too small to the minimum", "amount-out-of-bounds", providers.Bank, func(b *broken) {
		b.submit = func(ctx context.Context, op providers.Operation) (providers.Report, error) {
			if o, ok := b.Describe().Offer(op.Kind, op.Method, op.AssetID()); ok && o.Min.IsValid() && op.Amount.Sign() > 0 {
				op.Amount, _ = currency.Max(op.Amount, o.Min)
			}
			return b.Sandbox.Submit(ctx, op)
		}
	}},
	{"cuts what its wire has no decimals for", "amount-out-of-bounds", providers.Chain, func(b *broken) {
		b.submit = func(ctx context.Context, op providers.Operation) (providers.Report, error) {
			if op.AssetID() == token.ID() && op.Amount.Sign() > 0 {
				if cut, err := op.Amount.RoundTo(currency.MustNew(1_000_000_000, token), currency.Down); err == nil && cut.Sign() > 0 {
					op.Amount = cut
				}
			}
			return b.Sandbox.Submit(ctx, op)
		}
	}},
	{"cuts amounts to 64 bits", "amount-never-cut", providers.Card, func(b *broken) {
		b.describe = func() providers.Descriptor {
			d := b.Sandbox.Describe()
			for i := range d.Offers {
				d.Offers[i].Max = providers.Offer{}.Max
			}
			return d
		}
		b.submit = func(ctx context.Context, op providers.Operation) (providers.Report, error) {
			if hi, lo := op.Amount.Units(); hi != 0 {
				op.Amount = amount(int64(lo), op)
			}
			return b.Sandbox.Submit(ctx, op)
		}
	}},
	{"reads amounts as JSON numbers", "amount-never-cut", providers.Chain, func(b *broken) {
		b.submit = func(ctx context.Context, op providers.Operation) (providers.Report, error) {
			if _, lo := op.Amount.Units(); lo > 1<<53 && lo%2 == 1 {
				op.Amount, _ = op.Amount.Sub(amount(1, op)) // the nearest number that a double holds
			}
			return b.Sandbox.Submit(ctx, op)
		}
	}},
	{"reports what was asked for", "amount-as-it-moved", providers.Bank, func(b *broken) {
		var asked sync.Map
		rewrite(b, func(r *providers.Report) {
			want, ok := asked.Load(r.Key)
			for i, e := range r.Effects {
				if ok && e.Kind == providers.Moved {
					r.Effects[i].Amount = want.(currency.Amount)
					if e.Amount.Sign() < 0 {
						r.Effects[i].Amount, _ = r.Effects[i].Amount.Neg()
					}
				}
			}
		})
		inner := b.submit
		b.submit = func(ctx context.Context, op providers.Operation) (providers.Report, error) {
			asked.Store(op.Key, op.Amount)
			return inner(ctx, op)
		}
	}},
}
