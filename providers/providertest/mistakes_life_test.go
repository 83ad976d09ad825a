package providertest_test

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/providers"
	"github.com/koshpay/kosh/providers/sandbox"
)

// refundByPayout pays refunds out to an instrument, whatever they are refunds of.
func refundByPayout(b *broken, instrument string) {
	var refunds sync.Map
	b.submit = func(ctx context.Context, op providers.Operation) (providers.Report, error) {
		if op.Kind != providers.Refund {
			return b.Sandbox.Submit(ctx, op)
		}
		refunds.Store(op.Key, true)
		op.Kind, op.Instrument, op.Target, op.TargetReference = providers.Withdrawal, instrument, "", ""
		r, err := b.Sandbox.Submit(ctx, op)
		r.Kind = providers.Refund
		return r, err
	}
	b.lookup = func(ctx context.Context, q providers.Query) (providers.Report, error) {
		r, err := b.Sandbox.Lookup(ctx, q)
		if _, ok := refunds.Load(q.Key); ok {
			r.Kind = providers.Refund
		}
		return r, err
	}
}

// drop leaves effects of a kind out of every report and event.
func drop(b *broken, kind providers.EffectKind) {
	without := func(r *providers.Report) {
		r.Effects = slices.DeleteFunc(r.Effects, func(e providers.Effect) bool { return e.Kind == kind })
	}
	rewrite(b, without)
	b.poll = func(ctx context.Context, cursor string, limit int) ([]providers.Event, string, error) {
		events, next, err := b.Sandbox.Poll(ctx, cursor, limit)
		for _, e := range events {
			without(e.Report)
		}
		return events, next, err
	}
}

// lifeMistakes concern what happens after it went well: returns, bounces, refunds, cancellations, disputes.
var lifeMistakes = []mistake{
	{"does not read returns", "returned-deposit", providers.Bank, func(b *broken) { drop(b, providers.Reversed) }},
	{"turns what is returned into a failure", "returned-deposit", providers.Bank, func(b *broken) {
		rewrite(b, func(r *providers.Report) {
			if r.Kind == providers.Deposit && slices.ContainsFunc(r.Effects, func(e providers.Effect) bool { return e.Kind == providers.Reversed }) {
				r.State, r.Effects = providers.Failed, nil
			}
		})
	}},
	{"takes a bounce for a payment of its own", "bounced-payout", providers.Bank, func(b *broken) {
		rewrite(b, func(r *providers.Report) {
			for i, e := range r.Effects {
				if r.Kind == providers.Withdrawal && e.Kind == providers.Reversed {
					r.Effects[i].Kind, r.Effects[i].Reverses = "returned_payout", ""
				}
			}
		})
	}},
	{"stops looking at refunds that succeeded", "refund-that-fails-later", providers.Card, func(b *broken) {
		var done sync.Map
		rewrite(b, func(r *providers.Report) {
			if r.Kind != providers.Refund || r.State != providers.Succeeded {
				return
			}
			if first, ok := done.LoadOrStore(r.Key, *r); ok {
				*r = first.(providers.Report)
			}
		})
	}},
	{"refunds without looking at what was returned", "refund-of-what-went-back", providers.Bank, func(b *broken) {
		refundByPayout(b, sandbox.TokenBank)
	}},
	{"refunds what it does not find", "refund-of-nothing", providers.Card, func(b *broken) { refundByPayout(b, sandbox.TokenCard) }},
	{"waits for a deposit that does not exist", "refund-of-nothing", providers.Bank, func(b *broken) {
		rewrite(b, func(r *providers.Report) {
			if r.Reason.Code == "no_such_payment" {
				r.State, r.Reason, r.Final = providers.Pending, providers.Reason{}, false
			}
		})
	}},
	{"refunds the whole", "partial-refunds", providers.Card, func(b *broken) {
		var deposits sync.Map
		b.submit = func(ctx context.Context, op providers.Operation) (providers.Report, error) {
			if whole, ok := deposits.Load(op.Target); ok && op.Kind == providers.Refund {
				op.Amount = whole.(currency.Amount)
			}
			deposits.Store(op.Key, op.Amount)
			return b.Sandbox.Submit(ctx, op)
		}
	}},
	{"takes equal refunds for one", "partial-refunds", providers.Bank, func(b *broken) {
		var mu sync.Mutex
		type part struct {
			target string
			amount currency.Amount
		}
		keys := map[part]string{}
		under := map[string]string{}
		b.submit = func(ctx context.Context, op providers.Operation) (providers.Report, error) {
			ours := op.Key
			if op.Kind == providers.Refund {
				mu.Lock()
				if key, ok := keys[part{op.Target, op.Amount}]; ok {
					op.Key = key
				}
				keys[part{op.Target, op.Amount}], under[ours] = op.Key, op.Key
				mu.Unlock()
			}
			r, err := b.Sandbox.Submit(ctx, op)
			r.Key = ours
			return r, err
		}
		b.lookup = func(ctx context.Context, q providers.Query) (providers.Report, error) {
			ours := q.Key
			mu.Lock()
			if key, ok := under[ours]; ok {
				q.Key = key
			}
			mu.Unlock()
			r, err := b.Sandbox.Lookup(ctx, q)
			r.Key = ours
			return r, err
		}
	}},
	{"takes 3-D Secure for a decline", "action-required", providers.Card, func(b *broken) {
		rewrite(b, func(r *providers.Report) {
			if r.State == providers.ActionRequired {
				r.State, r.Action, r.Reason = providers.Failed, nil, providers.Reason{Code: "authentication_required"}
			}
		})
	}},
	{"takes 3-D Secure for a success", "action-required", providers.Card, func(b *broken) {
		rewrite(b, func(r *providers.Report) {
			if r.State == providers.ActionRequired {
				r.State = providers.Succeeded
			}
		})
	}},
	{"cancels in its own memory", "cancel-in-time", providers.Bank, func(b *broken) {
		var canceled sync.Map
		b.submit = func(ctx context.Context, op providers.Operation) (providers.Report, error) {
			if op.Kind == providers.Cancel {
				canceled.Store(op.Target, true)
				return providers.Report{Key: op.Key, Reference: "ca_" + op.Key, Kind: op.Kind, State: providers.Succeeded, Final: true}, nil
			}
			return b.Sandbox.Submit(ctx, op)
		}
		b.lookup = func(ctx context.Context, q providers.Query) (providers.Report, error) {
			r, err := b.Sandbox.Lookup(ctx, q)
			if _, ok := canceled.Load(q.Key); ok {
				r.State, r.Effects, r.Final = providers.Canceled, nil, true
			}
			return r, err
		}
	}},
	{"reverses what is disputed", "dispute", providers.Card, func(b *broken) {
		rewrite(b, func(r *providers.Report) {
			for i, e := range r.Effects {
				if e.Kind == providers.Disputed {
					r.Effects[i].Kind = providers.Reversed
				}
			}
		})
	}},
	{"does not hear that a dispute was won", "dispute", providers.Card, func(b *broken) { drop(b, providers.Reinstated) }},
	{"lists what it pages by time twice", "statement-lists-all", providers.Bank, func(b *broken) {
		b.list = func(ctx context.Context, since, until time.Time, cursor string, limit int) ([]providers.Movement, string, error) {
			return b.Sandbox.List(ctx, since, until.Add(time.Second), cursor, limit) // until included
		}
	}},
	{"lists no fees", "statement-lists-all", providers.Card, func(b *broken) {
		b.list = func(ctx context.Context, since, until time.Time, cursor string, limit int) ([]providers.Movement, string, error) {
			movements, next, err := b.Sandbox.List(ctx, since, until, cursor, limit)
			return slices.DeleteFunc(movements, func(m providers.Movement) bool { return m.Kind == providers.Fee }), next, err
		}
	}},
}
