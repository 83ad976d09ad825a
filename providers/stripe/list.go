package stripe

import (
	"cmp"
	"context"
	"strconv"
	"strings"
	"time"

	api "github.com/stripe/stripe-go/v82"

	"github.com/koshpay/kosh/providers"
)

// List implements [providers.Lister] over Stripe's balance transactions, newest first. A balance transaction is one movement with
// the fee and the exchange that it may bring: up to four, under the ids that reports have them under.
//
// A limit below 1 means 100.
func (p *Provider) List(ctx context.Context, since, until time.Time, cursor string, limit int) ([]providers.Movement, string, error) {
	after, given := "", 0
	if cursor != "" {
		var err error
		id, count, ok := strings.Cut(cursor, ":")
		if given, err = strconv.Atoi(count); !ok || err != nil || given < 0 || id != "" && !strings.HasPrefix(id, "txn_") {
			return nil, cursor, errCursor
		}
		after = id
	}
	if limit < 1 {
		limit = maxPage
	}
	params := &api.BalanceTransactionListParams{
		CreatedRange: &api.RangeQueryParams{GreaterThanOrEqual: ceil(since), LesserThan: ceil(until)},
		Expand:       api.StringSlice([]string{"data.source"}),
	}
	params.Limit = api.Int64(int64(min(limit+1, maxPage)))
	if after != "" {
		params.StartingAfter = &after
	}
	var list []providers.Movement
	for t, err := range p.client.V1BalanceTransactions.List(ctx, params) {
		var all []providers.Movement
		if err == nil {
			all, err = statement(t)
		}
		if err != nil {
			return nil, cursor, p.lookupFailure(err)
		}
		for i, m := range all[min(given, len(all)):] {
			if len(list) == limit {
				return list, after + ":" + strconv.Itoa(given+i), nil
			}
			list = append(list, m)
		}
		after, given = t.ID, 0
	}
	return list, "", nil
}

// ceil is the first whole second from t on: Stripe's times are whole seconds.
func ceil(t time.Time) int64 {
	if t.Nanosecond() > 0 {
		return t.Unix() + 1
	}
	return t.Unix()
}

// owner is the operation that a balance transaction with an expanded source belongs to: our key, and the reference that the
// operation is reported under.
func owner(t *api.BalanceTransaction) (key, reference string) {
	deposit := func(metadata map[string]string, pi *api.PaymentIntent, c *api.Charge) (string, string) {
		switch {
		case pi != nil:
			return metadata[keyField], pi.ID
		case c != nil:
			return metadata[keyField], c.ID
		}
		return metadata[keyField], ""
	}
	switch s := t.Source; {
	case s == nil:
	case s.Charge != nil:
		return deposit(s.Charge.Metadata, s.Charge.PaymentIntent, s.Charge)
	case s.Refund != nil && s.Refund.Metadata[keyField] != "":
		return s.Refund.Metadata[keyField], s.Refund.ID
	case s.Refund != nil:
		return deposit(nil, s.Refund.PaymentIntent, s.Refund.Charge)
	case s.Dispute != nil:
		return deposit(nil, s.Dispute.PaymentIntent, s.Dispute.Charge)
	case s.Payout != nil:
		return s.Payout.Metadata[keyField], s.Payout.ID
	case s.Transfer != nil:
		return s.Transfer.Metadata[keyField], s.Transfer.ID
	case s.TransferReversal != nil && s.TransferReversal.Transfer != nil:
		return "", s.TransferReversal.Transfer.ID
	}
	return "", ""
}

// statement turns a balance transaction with an expanded source into movements, as the report of its operation has them.
// A bank debit that is booked and not decided yet is none.
func statement(t *api.BalanceTransaction) ([]providers.Movement, error) {
	if t.Source != nil && t.Source.Charge != nil && t.Source.Charge.Status == api.ChargeStatusPending {
		return nil, nil
	}
	key, reference := owner(t)
	var m movements
	if !belongs(t) {
		r, err := movementReport(t)
		if err != nil {
			return nil, err
		}
		m.effects, reference = r.Effects, t.ID
	} else {
		first, units, code := source(t, key)
		first.ID = cmp.Or(first.ID, t.ID)
		m.add(first, units, code, t)
	}
	list := make([]providers.Movement, len(m.effects))
	for i, e := range m.effects {
		list[i] = providers.Movement{Effect: e, Key: key, Reference: reference}
	}
	return list, m.err
}

// source is the movement that an operation's object stands behind, with its size in the operation's own currency. Without an
// id of the object's the movement has that of the balance transaction: it took back what the object had done.
func source(t *api.BalanceTransaction, key string) (e providers.Effect, units int64, code api.Currency) {
	sign := int64(1)
	if t.Amount < 0 {
		sign = -1
	}
	of := func(id string, kind providers.EffectKind, size int64, c api.Currency) (providers.Effect, int64, api.Currency) {
		return providers.Effect{ID: id, Kind: kind}, sign * size, c
	}
	ours := map[bool]providers.EffectKind{true: providers.Moved, false: providers.Reversed}
	switch s := t.Source; {
	case s.Charge != nil && t.Amount < 0:
		return of("", providers.Reversed, s.Charge.Amount, s.Charge.Currency)
	case s.Charge != nil:
		return of(s.Charge.ID, providers.Moved, s.Charge.Amount, s.Charge.Currency)
	case s.Refund != nil && t.Amount < 0:
		return of(s.Refund.ID, ours[key != ""], s.Refund.Amount, s.Refund.Currency)
	case s.Refund != nil:
		return of("", ours[key == ""], s.Refund.Amount, s.Refund.Currency)
	case s.Dispute != nil:
		kind := map[bool]providers.EffectKind{true: providers.Disputed, false: providers.Reinstated}[t.Amount < 0]
		e, units, code := of("", kind, s.Dispute.Amount, s.Dispute.Currency)
		e.Dispute = s.Dispute.ID
		return e, units, code
	case s.Payout != nil && key == "":
		if t.Amount < 0 {
			return of(s.Payout.ID, providers.Settled, s.Payout.Amount, s.Payout.Currency)
		}
		return of("", providers.Settled, s.Payout.Amount, s.Payout.Currency)
	case s.Payout != nil && t.Amount < 0:
		return of(s.Payout.ID, providers.Moved, s.Payout.Amount, s.Payout.Currency)
	case s.Payout != nil:
		return of("", providers.Reversed, s.Payout.Amount, s.Payout.Currency)
	case s.Transfer != nil:
		return of(s.Transfer.ID, providers.Moved, s.Transfer.Amount, s.Transfer.Currency)
	case s.TransferReversal != nil:
		return of(s.TransferReversal.ID, providers.Reversed, s.TransferReversal.Amount, s.TransferReversal.Currency)
	}
	return providers.Effect{Kind: movementKind(t)}, t.Amount, t.Currency
}
