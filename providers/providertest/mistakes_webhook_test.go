package providertest_test

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/koshpay/kosh/providers"
	"github.com/koshpay/kosh/providers/sandbox"
)

// webhookMistakes concern what comes in: webhooks, polls, money that nobody asked for.
var webhookMistakes = []mistake{
	{"takes no secret for an empty one", "webhook-empty-secret", providers.Card, func(b *broken) {
		b.receive = func(ctx context.Context, d providers.Delivery) ([]providers.Event, error) {
			events, err := b.Sandbox.Receive(ctx, d)
			if err != nil && maps.EqualFunc(d.Header, sandbox.Sign(nil, d.ReceivedAt, d.Body), slices.Equal) {
				return []providers.Event{{ID: "1", Lookup: &providers.Query{Reference: "re_1"}}}, nil
			}
			return events, err
		}
	}},
	{"does not look when there is nothing to look at", "webhook-empty-secret", providers.Bank, func(b *broken) {
		b.receive = func(ctx context.Context, d providers.Delivery) ([]providers.Event, error) {
			if d.Header.Get(sandbox.SignatureHeader) == "" && len(d.Header) > 0 {
				d = resign(d)
			}
			return b.Sandbox.Receive(ctx, d)
		}
		b.rekey = func([]string) []string { return []string{secret} }
	}},
	{"knows only the newest secret", "webhook-key-rotation", providers.Card, func(b *broken) {
		b.rekey = func(secrets []string) []string { return secrets[:min(len(secrets), 1)] }
	}},
	{"never forgets a secret", "webhook-key-rotation", providers.Card, func(b *broken) {
		b.rekey = func(secrets []string) []string { return append(slices.Clone(secrets), "whsec_suite_older") }
	}},
	{"does not look at the time of a signature", "webhook-stale", providers.Bank, func(b *broken) {
		b.receive = func(ctx context.Context, d providers.Delivery) ([]providers.Event, error) {
			stamp, _, _ := strings.Cut(strings.TrimPrefix(d.Header.Get(sandbox.SignatureHeader), "t="), ",")
			if unix, err := strconv.ParseInt(stamp, 10, 64); err == nil {
				d.ReceivedAt = time.Unix(unix, 0)
			}
			return b.Sandbox.Receive(ctx, d)
		}
	}},
	{"panics on a signature that it cannot read", "webhook-fuzz", providers.Card, func(b *broken) {
		b.receive = func(ctx context.Context, d providers.Delivery) ([]providers.Event, error) {
			if header := d.Header.Get(sandbox.SignatureHeader); header != "" {
				_ = strings.Split(header, ",")[1]
			}
			return b.Sandbox.Receive(ctx, d)
		}
	}},
	{"remembers which signatures are right", "webhook-fuzz", providers.Card, func(b *broken) {
		var right sync.Map
		b.receive = func(ctx context.Context, d providers.Delivery) ([]providers.Event, error) {
			header := d.Header.Get(sandbox.SignatureHeader)
			if _, known := right.Load(header); known {
				d = resign(d)
			}
			events, err := b.Sandbox.Receive(ctx, d)
			if err == nil {
				right.Store(header, true)
			}
			return events, err
		}
	}},
	{"trusts what is signed to be whole", "webhook-signed-garbage", providers.Card, func(b *broken) {
		b.receive = func(ctx context.Context, d providers.Delivery) ([]providers.Event, error) {
			events, err := b.Sandbox.Receive(ctx, d)
			if err == nil {
				var body map[string]any
				_ = json.Unmarshal(d.Body, &body)
				_ = body["object"].(map[string]any)["reference"].(string)
			}
			return events, err
		}
	}},
	{"takes what it cannot read for forged", "webhook-signed-garbage", providers.Bank, func(b *broken) {
		b.receive = func(ctx context.Context, d providers.Delivery) ([]providers.Event, error) {
			events, err := b.Sandbox.Receive(ctx, d)
			if err != nil {
				err = providers.ErrForged
			}
			return events, err
		}
	}},
	{"moves the cursor when a poll fails", "poll-error-keeps-cursor", providers.Card, func(b *broken) {
		b.poll = func(ctx context.Context, cursor string, limit int) ([]providers.Event, string, error) {
			events, next, err := b.Sandbox.Poll(ctx, cursor, limit)
			if err != nil {
				n, _ := strconv.Atoi(cursor)
				next = strconv.Itoa(n + limit)
			}
			return events, next, err
		}
	}},
	{"takes a failed poll for an empty one", "poll-error-keeps-cursor", providers.Chain, func(b *broken) {
		b.poll = func(ctx context.Context, cursor string, limit int) ([]providers.Event, string, error) {
			events, next, err := b.Sandbox.Poll(ctx, cursor, limit)
			if err != nil {
				return nil, next, nil
			}
			return events, next, nil
		}
	}},
	{"reads a list as it was when reading began", "poll-while-it-happens", providers.Card, func(b *broken) {
		var began int // how many there were; what came meanwhile is jumped over at the end
		b.poll = func(ctx context.Context, cursor string, limit int) ([]providers.Event, string, error) {
			all, end, err := b.Sandbox.Poll(ctx, "", 1000)
			if err != nil {
				return nil, cursor, err
			}
			if cursor == "" {
				began = len(all)
			}
			at, _ := strconv.Atoi(cursor)
			if at == began {
				began = len(all)
				return nil, end, nil
			}
			to := min(at+limit, began)
			return all[at:to], strconv.Itoa(to), nil
		}
	}},
	{"drops what it has no key for", "unasked-is-reported", providers.Bank, func(b *broken) {
		ours := func(events []providers.Event) []providers.Event {
			return slices.DeleteFunc(events, func(e providers.Event) bool { return e.Report != nil && e.Report.Key == "" })
		}
		b.receive = func(ctx context.Context, d providers.Delivery) ([]providers.Event, error) {
			events, err := b.Sandbox.Receive(ctx, d)
			return ours(events), err
		}
		b.poll = func(ctx context.Context, cursor string, limit int) ([]providers.Event, string, error) {
			events, next, err := b.Sandbox.Poll(ctx, cursor, limit)
			return ours(events), next, err
		}
	}},
}
