package processes

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"syscall"
	"time"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/providers"
)

// bank is the adapter of the far side. It remembers nothing.
type bank struct {
	url    string
	client *http.Client
}

func newBank(address string) *bank {
	return &bank{url: "http://" + address, client: &http.Client{Timeout: 5 * time.Second}}
}

var _ interface {
	providers.Provider
	providers.Poller
} = (*bank)(nil)

func (b *bank) Describe() providers.Descriptor {
	d := providers.Descriptor{
		Name: "bank", KeyRetention: 30 * 24 * time.Hour, VisibleAfter: time.Second,
		Offers: []providers.Offer{{Kind: providers.Link, Method: providers.Bank}},
	}
	for _, kind := range []providers.Kind{providers.Deposit, providers.Withdrawal, providers.Refund} {
		d.Offers = append(d.Offers, providers.Offer{Kind: kind, Method: providers.Bank, Asset: "USD", Exponent: 2})
	}
	return d
}

// call says of every failure that the bank may have acted, but where nothing can have reached it.
func (b *bank) call(ctx context.Context, method, path string, in, out any, attempt int) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, method, b.url+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	answer, err := b.client.Do(r)
	if err != nil {
		if errors.Is(err, syscall.ECONNREFUSED) && attempt == 0 {
			return &providers.Error{Certainty: providers.NotSent, Err: err}
		}
		return &providers.Error{Err: err}
	}
	defer func() { _ = answer.Body.Close() }()
	switch {
	case answer.StatusCode == http.StatusNotFound:
		return providers.ErrNotFound
	case answer.StatusCode != http.StatusOK:
		return &providers.Error{Code: answer.Status}
	}
	if err := json.NewDecoder(answer.Body).Decode(out); err != nil {
		return &providers.Error{Err: err}
	}
	return nil
}

func (b *bank) Submit(ctx context.Context, op providers.Operation) (providers.Report, error) {
	if err := errors.Join(op.Validate(), b.Describe().Supports(op)); err != nil {
		return providers.Report{}, &providers.Error{Certainty: providers.NotSent, Err: err}
	}
	var d dealing
	err := b.call(ctx, http.MethodPost, "/submit", order{Key: op.Key, Kind: op.Kind, Amount: op.Amount, Note: op.Description, Target: op.Target}, &d, op.Attempt)
	if err != nil {
		return providers.Report{}, err
	}
	return d.report(), nil
}

func (b *bank) Lookup(ctx context.Context, q providers.Query) (providers.Report, error) {
	var d dealing
	if err := b.call(ctx, http.MethodGet, "/lookup?key="+url.QueryEscape(q.Key), nil, &d, 0); err != nil {
		return providers.Report{}, err
	}
	return d.report(), nil
}

func (b *bank) Poll(ctx context.Context, cursor string, _ int) ([]providers.Event, string, error) {
	var all []dealing
	if err := b.call(ctx, http.MethodGet, "/events?after="+cursor, nil, &all, 0); err != nil {
		return nil, cursor, err
	}
	after, _ := strconv.Atoi(cursor) // ours; the empty one is 0
	var events []providers.Event
	for i, d := range all {
		r := d.report()
		events = append(events, providers.Event{ID: strconv.Itoa(after + i), Report: &r})
	}
	return events, strconv.Itoa(after + len(all)), nil
}

// truth is the bank's own account of what it did, once it answers.
func (b *bank) truth(ctx context.Context) (a account, err error) {
	for range 50 {
		if err = b.call(ctx, http.MethodGet, "/truth", nil, &a, 0); err == nil {
			return a, nil
		}
	}
	return a, err
}

func (d dealing) report() providers.Report {
	r := providers.Report{
		Key: d.Order.Key, Reference: "bank-" + d.Order.Key, Kind: d.Order.Kind, State: providers.State(d.State), Final: d.Final,
		Reason: providers.Reason{Code: d.Reason}, At: d.At,
	}
	if d.Order.Kind == providers.Link {
		r.Instrument = &providers.Instrument{Token: "acct_" + d.Order.Key, Method: providers.Bank, Label: "Bank", Last4: "0000"}
	}
	for _, m := range d.Moved {
		r.Effects = append(r.Effects, providers.Effect{ID: m.ID, Kind: providers.EffectKind(m.Kind), Amount: m.Amount, Reverses: m.Reverses, At: m.At})
	}
	return r
}

// balance is what the bank says that we have, in an asset.
func (a account) balance(asset currency.Asset) currency.Amount {
	if b := a.Balances[string(asset.ID())]; b != nil {
		return *b
	}
	return currency.Zero(asset)
}

// doubled counts what was carried out more than once: a key, or a request under several keys.
func (a account) doubled() (n int, what []string) {
	byRequest := map[string]int{}
	for _, d := range a.Dealings {
		if d.Taken != 1 {
			n++
			what = append(what, fmt.Sprintf("key %s was carried out %d times", d.Order.Key, d.Taken))
		}
		if d.Order.Note != "" {
			byRequest[d.Order.Note]++
		}
	}
	for request, times := range byRequest {
		if times != 1 {
			n++
			what = append(what, fmt.Sprintf("request %s has %d keys", request, times))
		}
	}
	return n, what
}

// overRefunded lists the deposits of which more was given back than they brought.
func (a account) overRefunded() (keys []string) {
	left := map[string]int64{}
	for _, d := range a.Dealings {
		if len(d.Moved) == 0 || d.Order.Kind != providers.Deposit && d.Order.Kind != providers.Refund {
			continue
		}
		cents, err := d.Moved[0].Amount.Minor(2)
		if err != nil {
			return []string{err.Error()}
		}
		left[cmp.Or(d.Order.Target, d.Order.Key)] += cents.Int64()
	}
	for key, cents := range left {
		if cents < 0 {
			keys = append(keys, key)
		}
	}
	return keys
}
