package stripe

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	api "github.com/stripe/stripe-go/v82"

	"github.com/koshpay/kosh/providers"
)

// pollLag keeps the newest seconds for the next poll: what Stripe makes at once may appear in its lists out of order, and
// the cursor must not pass by what comes late.
const pollLag = 10 * time.Second

var errCursor = errors.New("stripe: not a cursor of this adapter")

// Poll implements [providers.Poller]. It reads three lists, each with its own part of the cursor: Stripe's events, which are what
// webhooks bring and go back 30 days; balance transactions, of which it tells those that no operation explains, such as
// Stripe's monthly fees; and bank debits whose return window has passed, which is nothing that Stripe has an event for, so
// that payments learns at once that they are final. A cursor whose event is older than 30 days begins again with the oldest
// event there is: what was between is missed here, and found by looking up what is open and by reconciliation.
//
// A limit below 1 means 100.
func (p *Provider) Poll(ctx context.Context, cursor string, limit int) ([]providers.Event, string, error) {
	lists := []struct {
		prefix string
		read   page
		lag    time.Duration
	}{
		{"evt_", p.eventsAfter, pollLag},
		{"txn_", p.transactionsAfter, pollLag},
		{"txn_", p.finalAfter, max(p.config.BankReturnWindow, pollLag)},
	}
	after := make([]string, len(lists))
	if cursor != "" {
		if after = strings.Split(cursor, ","); len(after) != len(lists) {
			return nil, cursor, errCursor
		}
	}
	if limit < 1 {
		limit = maxPage
	}
	var events []providers.Event
	for i, list := range lists {
		if after[i] != "" && !strings.HasPrefix(after[i], list.prefix) {
			return nil, cursor, errCursor
		}
		if len(events) >= limit {
			continue
		}
		err := p.forward(ctx, after[i], list.lag, list.read, func(x item) bool {
			after[i] = x.id
			events = append(events, x.events...)
			return len(events) < limit
		})
		if err != nil {
			return nil, cursor, p.lookupFailure(err)
		}
	}
	next := strings.Join(after, ",")
	if strings.Trim(next, ",") == "" {
		next = ""
	}
	return events, next, nil
}

const maxPage = 100

// item is an entry of a list with what it tells.
type item struct {
	id     string
	events []providers.Event // one or none
	early  bool              // its time has not come: the walk ends before it
}

// page is how a list is read: newest first, before or after an id.
type page func(ctx context.Context, list api.ListParams, created *api.RangeQueryParams) ([]item, error)

// forward walks a list from after an id to its newest entry, oldest first, until take returns false. Stripe's lists begin at
// the newest entry, so the first walk looks for the oldest.
func (p *Provider) forward(ctx context.Context, after string, lag time.Duration, read page, take func(item) bool) error {
	created := &api.RangeQueryParams{LesserThanOrEqual: p.config.Clock().Add(-lag).Unix()}
	if !p.config.PollFrom.IsZero() {
		created.GreaterThanOrEqual = p.config.PollFrom.Unix()
	}
	for {
		var items []item
		var err error
		if after != "" {
			items, err = read(ctx, api.ListParams{EndingBefore: &after, Limit: api.Int64(maxPage), Single: true}, created)
			if gone, ok := errors.AsType[*api.Error](err); ok && gone.Code == api.ErrorCodeResourceMissing {
				after = "" // the entry has left the list
				continue
			}
		} else {
			items, err = oldest(ctx, read, created)
		}
		if err != nil || len(items) == 0 {
			return err
		}
		for _, i := range items {
			if i.early {
				return nil
			}
			after = i.id
			if !take(i) {
				return nil
			}
		}
	}
}

// oldest returns the oldest page of a list, oldest first.
func oldest(ctx context.Context, read page, created *api.RangeQueryParams) ([]item, error) {
	const enough = 100_000
	var last []item
	list := api.ListParams{Limit: api.Int64(maxPage), Single: true}
	for range enough {
		items, err := read(ctx, list, created)
		if err != nil {
			return nil, err
		}
		if len(items) == 0 {
			return last, nil
		}
		last = items
		list.StartingAfter = &items[0].id
	}
	return nil, fmt.Errorf("%w; set Config.PollFrom", errTooMany)
}

func (p *Provider) eventsAfter(ctx context.Context, list api.ListParams, created *api.RangeQueryParams) ([]item, error) {
	read, err := collectPage(list, p.client.V1Events.List(ctx, &api.EventListParams{ListParams: list, CreatedRange: created}))
	items := make([]item, len(read))
	for i, e := range read {
		items[i] = item{id: e.ID, events: asNotice(e).hints()}
	}
	return items, err
}

// asNotice reads an event of the library's as a notice.
func asNotice(e *api.Event) notice {
	n := notice{ID: e.ID, APIVersion: e.APIVersion, Created: e.Created, Account: e.Account}
	if e.Data == nil {
		return n
	}
	// An object that cannot be read is of no kind known here.
	_ = json.Unmarshal(e.Data.Raw, &n.Data.Object)
	return n
}

func (p *Provider) transactionsAfter(ctx context.Context, list api.ListParams, created *api.RangeQueryParams) ([]item, error) {
	read, err := collectPage(list, p.client.V1BalanceTransactions.List(ctx, &api.BalanceTransactionListParams{ListParams: list, CreatedRange: created}))
	if err != nil {
		return nil, err
	}
	items := make([]item, len(read))
	for i, t := range read {
		items[i].id = t.ID
		if belongs(t) {
			continue
		}
		switch r, err := movementReport(t); {
		case err != nil: // looking it up says why; the cursor moves on
			items[i].events = []providers.Event{{ID: t.ID, At: moment(t.Created), Lookup: &providers.Query{Reference: t.ID, Kind: providers.Settlement}}}
		case len(r.Effects) > 0:
			items[i].events = []providers.Event{{ID: t.ID, At: r.At, Report: &r}}
		}
	}
	return items, nil
}

// finalAfter lists the money of bank debits.
func (p *Provider) finalAfter(ctx context.Context, list api.ListParams, created *api.RangeQueryParams) ([]item, error) {
	read, err := collectPage(list, p.client.V1BalanceTransactions.List(ctx, &api.BalanceTransactionListParams{
		ListParams: list, CreatedRange: created, Type: api.String(string(api.BalanceTransactionTypePayment)), Expand: api.StringSlice([]string{"data.source"}),
	}))
	items := make([]item, len(read))
	for i, t := range read {
		items[i].id = t.ID
		at := p.finalAt(t)
		items[i].early = p.config.Clock().Before(at)
		if key, reference := owner(t); reference != "" {
			q := providers.Query{Key: key, Reference: reference, Kind: providers.Deposit}
			items[i].events = []providers.Event{{ID: t.ID + ".final", At: at, Lookup: &q}}
		}
	}
	return items, err
}

// collectPage takes one page, oldest first. The library has turned a page before an id already.
func collectPage[T any](list api.ListParams, page api.Seq2[*T, error]) ([]*T, error) {
	all, err := collect(page)
	if list.EndingBefore != nil {
		slices.Reverse(all)
	}
	return all, err
}
