package providertest_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"

	"github.com/google/uuid"

	"github.com/koshpay/kosh/providers"
	"github.com/koshpay/kosh/providers/sandbox"
)

// mistakes are those that concern the contract's first half: keys, certainty, look-ups, effects.
var mistakes = []mistake{
	{"names itself after the request", "descriptor", providers.Card, func(b *broken) {
		n := 0
		b.describe = func() providers.Descriptor {
			d := b.Sandbox.Describe()
			n++
			d.Name = fmt.Sprintf("%s-%d", d.Name, n)
			return d
		}
	}},
	{"quotes its credentials in errors", "no-secret-printed", providers.Card, func(b *broken) {
		b.submit = func(ctx context.Context, op providers.Operation) (providers.Report, error) {
			r, err := b.Sandbox.Submit(ctx, op)
			if err != nil {
				err = fmt.Errorf("POST https://key:%s@acme.example/charges: %w", secret, err)
			}
			return r, err
		}
	}},
	{"sends whatever it is given", "unsupported-is-not-sent", providers.Card, func(b *broken) {
		b.submit = func(ctx context.Context, op providers.Operation) (providers.Report, error) {
			r, err := b.Sandbox.Submit(ctx, op)
			if err != nil && providers.CertaintyOf(err) == providers.NotSent {
				return r, err.(*providers.Error).Err //nolint:errorlint // the sandbox wraps it in nothing else
			}
			return r, err
		}
	}},
	{"mints keys of its own", "same-key-executes-once", providers.Card, func(b *broken) {
		underKeys(b, func(string) string { return uuid.NewString() })
	}},
	{"looks before it leaps, unlocked", "same-key-at-once", providers.Card, func(b *broken) {
		var known sync.Map
		underKeys(b, func(key string) string {
			if made, ok := known.Load(key); ok {
				return made.(string)
			}
			for range 1000 {
				runtime.Gosched() // as a request to a database would
			}
			made := uuid.NewString()
			known.Store(key, made)
			return made
		})
	}},
	{"remembers keys in memory", "same-key-after-reopen", providers.Bank, func(b *broken) {
		process := uuid.New()
		underKeys(b, func(key string) string { return uuid.NewSHA1(process, []byte(key)).String() })
	}},
	{"takes a conflict for a refusal", "same-key-other-amount", providers.Card, func(b *broken) {
		asCertainty(b, providers.Duplicate, providers.Rejected)
	}},
	{"claims Rejected after a lost response", "lost-response-is-maybe", providers.Bank, func(b *broken) {
		asCertainty(b, providers.Maybe, providers.Rejected)
	}},
	{"claims NotSent after a time-out", "lost-request-is-maybe", providers.Card, func(b *broken) {
		asCertainty(b, providers.Maybe, providers.NotSent)
	}},
	{"takes a 503 for a refusal", "server-error-is-maybe", providers.Chain, func(b *broken) {
		b.submit = func(ctx context.Context, op providers.Operation) (providers.Report, error) {
			r, err := b.Sandbox.Submit(ctx, op)
			if e, ok := errors.AsType[*providers.Error](err); ok && e.Code == "503" {
				e.Certainty = providers.Rejected
			}
			return r, err
		}
	}},
	{"fails what it cannot read", "garbage-is-maybe", providers.Card, func(b *broken) {
		b.submit = func(ctx context.Context, op providers.Operation) (providers.Report, error) {
			r, err := b.Sandbox.Submit(ctx, op)
			if _, typed := errors.AsType[*providers.Error](err); err != nil && !typed {
				return providers.Report{Key: op.Key, Kind: op.Kind, State: providers.Failed}, nil
			}
			return r, err
		}
	}},
	{"says NotSent and sends later", "refused-is-not-sent", providers.Bank, func(b *broken) {
		var queue []providers.Operation
		b.submit = func(ctx context.Context, op providers.Operation) (providers.Report, error) {
			r, err := b.Sandbox.Submit(ctx, op)
			if err != nil {
				queue = append(queue, op)
			}
			return r, err
		}
		b.lookup = func(ctx context.Context, q providers.Query) (providers.Report, error) {
			for _, op := range queue {
				_, _ = b.Sandbox.Submit(ctx, op)
			}
			queue = nil
			return b.Sandbox.Lookup(ctx, q)
		}
	}},
	{"is hopeful about refusals", "rejected-means-never", providers.Bank, func(b *broken) {
		b.submit = func(ctx context.Context, op providers.Operation) (providers.Report, error) {
			r, err := b.Sandbox.Submit(ctx, op)
			if providers.CertaintyOf(err) == providers.Rejected {
				return providers.Report{Key: op.Key, Kind: op.Kind, State: providers.Pending}, nil
			}
			return r, err
		}
	}},
	{"raises declines", "declined-is-a-report", providers.Card, func(b *broken) {
		b.submit = func(ctx context.Context, op providers.Operation) (providers.Report, error) {
			r, err := b.Sandbox.Submit(ctx, op)
			if err == nil && r.State == providers.Failed {
				return r, &providers.Error{Certainty: providers.Rejected, Code: r.Reason.Code}
			}
			return r, err
		}
	}},
	{"tries again on its own", "no-hidden-retries", providers.Card, func(b *broken) {
		b.submit = func(ctx context.Context, op providers.Operation) (r providers.Report, err error) {
			for range 3 {
				if r, err = b.Sandbox.Submit(ctx, op); err == nil || providers.CertaintyOf(err) != providers.Maybe {
					break
				}
			}
			return r, err
		}
	}},
	{"does not care for contexts", "canceled-context", providers.Card, func(b *broken) {
		b.submit = func(ctx context.Context, op providers.Operation) (providers.Report, error) {
			return b.Sandbox.Submit(context.WithoutCancel(ctx), op)
		}
	}},
	{"takes not found for failed", "unknown-is-not-found", providers.Bank, func(b *broken) {
		b.lookup = func(ctx context.Context, q providers.Query) (providers.Report, error) {
			r, err := b.Sandbox.Lookup(ctx, q)
			if err != nil {
				return providers.Report{Key: q.Key, Reference: q.Reference, Kind: q.Kind, State: providers.Failed, Final: true}, nil
			}
			return r, nil
		}
	}},
	{"overwrites the state when a look-up fails", "lookup-error-has-no-state", providers.Bank, func(b *broken) {
		b.lookup = func(ctx context.Context, q providers.Query) (providers.Report, error) {
			r, err := b.Sandbox.Lookup(ctx, q)
			if _, ok := errors.AsType[*providers.Error](err); ok {
				return providers.Report{Key: q.Key, Reference: q.Reference, Kind: q.Kind, State: providers.Failed}, nil
			}
			return r, err
		}
	}},
	{"believes any reference", "lookup-by-key-and-reference", providers.Card, func(b *broken) {
		b.lookup = func(ctx context.Context, q providers.Query) (providers.Report, error) {
			ours := q.Key
			if q.Reference != "" {
				q.Key = ""
			}
			r, err := b.Sandbox.Lookup(ctx, q)
			if ours != "" {
				r.Key = ours
			}
			return r, err
		}
	}},
	{"numbers effects as it goes", "effects-are-stable", providers.Bank, func(b *broken) {
		n := 0
		rewrite(b, func(r *providers.Report) {
			for i := range r.Effects {
				n++
				r.Effects[i].ID = fmt.Sprintf("effect-%d", n)
			}
		})
	}},
	{"is final too early", "final-is-final", providers.Bank, func(b *broken) {
		rewrite(b, func(r *providers.Report) { r.Final = r.Final || r.State == providers.Succeeded })
	}},
	{"does not say that banks return debits", "final-is-final", providers.Bank, func(b *broken) {
		b.describe = func() providers.Descriptor {
			d := b.Sandbox.Describe()
			for i := range d.Offers {
				d.Offers[i].Provisional = false
			}
			return d
		}
	}},
	{"numbers effects from 1 in each operation", "operations-are-distinct", providers.Card, func(b *broken) {
		rewrite(b, func(r *providers.Report) {
			for i := range r.Effects {
				r.Effects[i].ID = fmt.Sprint(i + 1)
			}
		})
	}},
	{"does not verify webhooks", "webhook-flipped-byte", providers.Card, func(b *broken) {
		b.receive = func(ctx context.Context, d providers.Delivery) ([]providers.Event, error) {
			return b.Sandbox.Receive(ctx, resign(d))
		}
	}},
	{"accepts every secret", "webhook-wrong-secret", providers.Card, func(b *broken) {
		b.receive = func(ctx context.Context, d providers.Delivery) ([]providers.Event, error) {
			if d.Header.Get(sandbox.SignatureHeader) != "" {
				d = resign(d)
			}
			return b.Sandbox.Receive(ctx, d)
		}
	}},
	{"drops what it has seen", "webhook-redelivery", providers.Card, func(b *broken) {
		seen := map[string]bool{}
		b.receive = func(ctx context.Context, d providers.Delivery) ([]providers.Event, error) {
			events, err := b.Sandbox.Receive(ctx, d)
			return slices.DeleteFunc(events, func(e providers.Event) bool {
				before := seen[e.ID]
				seen[e.ID] = true
				return before
			}), err
		}
	}},
	{"drops what is older than it has seen", "webhook-order", providers.Bank, func(b *broken) {
		latest := map[string]providers.Event{}
		b.receive = func(ctx context.Context, d providers.Delivery) ([]providers.Event, error) {
			events, err := b.Sandbox.Receive(ctx, d)
			return slices.DeleteFunc(events, func(e providers.Event) bool {
				if e.At.Before(latest[e.Report.Reference].At) {
					return true
				}
				latest[e.Report.Reference] = e
				return false
			}), err
		}
	}},
	{"refuses unknown types", "webhook-unknown-type", providers.Card, func(b *broken) {
		b.receive = func(ctx context.Context, d providers.Delivery) ([]providers.Event, error) {
			events, err := b.Sandbox.Receive(ctx, d)
			if err == nil && len(events) == 0 {
				err = providers.ErrMalformed
			}
			return events, err
		}
	}},
	{"skips an event between pages", "poll-without-gaps", providers.Card, func(b *broken) {
		b.poll = func(ctx context.Context, cursor string, limit int) ([]providers.Event, string, error) {
			events, next, err := b.Sandbox.Poll(ctx, cursor, limit+1)
			if len(events) > limit {
				events = events[:limit]
			}
			return events, next, err
		}
	}},
	{"polls states and no effects", "poll-tells-all", providers.Bank, func(b *broken) {
		b.poll = func(ctx context.Context, cursor string, limit int) ([]providers.Event, string, error) {
			events, next, err := b.Sandbox.Poll(ctx, cursor, limit)
			for i := range events {
				events[i].Report.Effects = nil
			}
			return events, next, err
		}
	}},
	{"refunds by paying out", "refunds-within-the-deposit", providers.Card, func(b *broken) { refundByPayout(b, sandbox.TokenCard) }},
	{"cancels by refunding", "cancel-comes-too-late", providers.Card, func(b *broken) {
		b.submit = func(ctx context.Context, op providers.Operation) (providers.Report, error) {
			r, err := b.Sandbox.Submit(ctx, op)
			if err == nil && op.Kind == providers.Cancel && r.State == providers.Failed {
				r.State = providers.Succeeded
			}
			return r, err
		}
	}},
	{"makes a token of each look", "link-yields-an-instrument", providers.Card, func(b *broken) {
		rewrite(b, func(r *providers.Report) {
			if r.Instrument != nil {
				r.Instrument.Token = uuid.NewString()
			}
		})
	}},
	{"gives everybody one address", "address-receives", providers.Chain, func(b *broken) {
		var first *providers.Report
		b.submit = func(ctx context.Context, op providers.Operation) (providers.Report, error) {
			r, err := b.Sandbox.Submit(ctx, op)
			if err == nil && op.Kind == providers.DepositAddress {
				if first == nil {
					first = &r
				}
				r.Address, r.Action = first.Address, first.Action
			}
			return r, err
		}
	}},
	{"leaves the block out of effect ids", "reorganisation-takes-back", providers.Chain, func(b *broken) {
		rewrite(b, func(r *providers.Report) {
			for i, e := range r.Effects {
				if e.Kind == providers.Moved {
					r.Effects[i].ID = r.Reference
				}
				if e.Kind == providers.Reversed {
					r.Effects[i].ID, r.Effects[i].Reverses = r.Reference+"/orphaned", r.Reference
				}
			}
		})
	}},
}
