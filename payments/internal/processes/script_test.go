package processes

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"os"
	"sync"
	"time"

	"github.com/shopspring/decimal"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/payments"
	"github.com/koshpay/kosh/providers"
)

const (
	members = 12
	hurry   = 60 // how much faster than the wall clock the book's is, so that nobody waits long for a look
)

// clock is the same in every process: a year that began when the test did, and is in a hurry.
type clock struct{ began time.Time }

func (c clock) now() time.Time {
	return c.began.Add(time.Since(c.began) * hurry)
}

func newService(store ledger.Store, now func() time.Time, far string) (*payments.Service, error) {
	book := ledger.New(store, ledger.Config{Clock: now})
	svc, err := payments.New(book, payments.Config{
		TipFee: decimal.RequireFromString("0.05"), Rates: payments.FixedRates(currency.MustRate(currency.USD, currency.EUR, decimal.RequireFromString("0.9"))),
		SubmitTimeout: 30 * time.Second, PollEvery: 3 * time.Second, Interval: 5 * time.Millisecond,
	})
	if err != nil {
		return nil, err
	}
	return svc, svc.Register(newBank(far))
}

// request is one thing that a member asks for. The key says all of it but what it gives back.
type request struct {
	Key        string          `json:"key"`
	Kind       payments.Kind   `json:"kind"`
	Member     string          `json:"member"`
	To         string          `json:"to,omitempty"`
	Instrument string          `json:"instrument,omitempty"`
	Amount     currency.Amount `json:"amount,omitzero"`
	Of         string          `json:"of,omitempty"`
}

// done is how a request was answered: by a payment or a final refusal.
type done struct {
	Payment string        `json:"payment,omitempty"`
	Kind    payments.Kind `json:"kind,omitempty"`
	Refused string        `json:"refused,omitempty"`
}

// line is a line of a host's log: a request before it is made, with its answer after it came.
type line struct {
	request
	Done *done `json:"done,omitempty"`
}

func member(i int) string { return fmt.Sprintf("m%02d", i) }

// next is the request of a key, but for refunds, which are of what was done before.
func next(key string, instruments []string, given []line) request {
	h := fnv.New64a()
	_, _ = io.WriteString(h, key)
	rnd := rand.New(rand.NewPCG(h.Sum64(), 2))
	who := rnd.IntN(members)
	r := request{Key: key, Member: member(who), Amount: currency.MustNew(1+rnd.Int64N(6_000), currency.USD)}
	switch n := rnd.IntN(100); {
	case n < 30:
		r.Kind, r.Instrument = payments.Deposit, instruments[who]
		r.Amount = currency.MustNew(1_000+rnd.Int64N(9_000), currency.USD)
	case n < 50:
		r.Kind, r.To = payments.Tip, member((who+1+rnd.IntN(members-1))%members)
	case n < 65:
		r.Kind, r.To = payments.Send, member((who+1+rnd.IntN(members-1))%members)
	case n < 80:
		r.Kind, r.Instrument = payments.Withdrawal, instruments[who]
	case n < 90 || len(given) == 0:
		r.Kind = payments.Exchange
	default:
		of := given[rnd.IntN(len(given))]
		r.Kind, r.Of, r.Member, r.Amount = payments.Refund, of.Done.Payment, of.Member, currency.Amount{}
		if of.Done.Kind == payments.Deposit {
			r.Amount = currency.MustNew(500+rnd.Int64N(4_500), currency.USD)
		} else {
			r.Member = of.To // whose wallet it leaves
		}
	}
	return r
}

// ask makes a request, and again with the same key while nothing is known about it.
func ask(ctx context.Context, svc *payments.Service, r request) (done, bool, error) {
	for {
		p, err := send(ctx, svc, r)
		switch {
		case err == nil:
			return done{Payment: p.ID, Kind: p.Kind}, p.Replayed, nil
		case errors.Is(err, payments.ErrDeclined):
			refusal, _ := errors.AsType[*payments.Refusal](err)
			return done{Refused: string(refusal.Code)}, p.Replayed, nil
		case ctx.Err() != nil:
			return done{}, false, ctx.Err()
		case !errors.Is(err, payments.ErrUnavailable) && !errors.Is(err, ledger.ErrVersion):
			return done{}, false, fmt.Errorf("%s %s: %w", r.Kind, r.Key, err)
		}
	}
}

func send(ctx context.Context, svc *payments.Service, r request) (payments.Payment, error) {
	actor := payments.Member(r.Member)
	switch r.Kind {
	case payments.Deposit:
		return svc.Deposit(ctx, payments.DepositRequest{Key: r.Key, Actor: actor, Amount: r.Amount, Instrument: r.Instrument, Reference: r.Key, Description: r.Key})
	case payments.Withdrawal:
		return svc.Withdraw(ctx, payments.WithdrawRequest{Key: r.Key, Actor: actor, Amount: r.Amount, To: r.Instrument, Reference: r.Key, Description: r.Key})
	case payments.Tip:
		return svc.Tip(ctx, payments.TransferRequest{Key: r.Key, Actor: actor, To: r.To, Amount: r.Amount, Reference: r.Key})
	case payments.Send:
		return svc.Send(ctx, payments.TransferRequest{Key: r.Key, Actor: actor, To: r.To, Amount: r.Amount, Reference: r.Key})
	case payments.Exchange:
		return svc.Exchange(ctx, payments.ExchangeRequest{Key: r.Key, Actor: actor, Amount: r.Amount, To: "EUR"})
	default:
		return svc.Refund(ctx, payments.RefundRequest{Key: r.Key, Actor: actor, Of: r.Of, Amount: r.Amount, Description: r.Key})
	}
}

// link links every member's bank account, or finds it linked.
func link(ctx context.Context, svc *payments.Service) (instruments []string, err error) {
	for i := range members {
		for {
			linked, err := svc.Link(ctx, payments.LinkRequest{Key: "link", Actor: payments.Member(member(i)), Method: providers.Bank, Token: "tok"})
			if err != nil && !errors.Is(err, payments.ErrUnavailable) {
				return nil, err
			}
			if err == nil && linked.State == payments.Succeeded {
				instruments = append(instruments, linked.ID)
				break
			}
			if err == nil && linked.State == payments.Failed {
				return nil, fmt.Errorf("member %d is not linked: %v", i, linked.Reason)
			}
		}
	}
	return instruments, nil
}

// host takes requests from many members at once until it is killed.
func host(ctx context.Context, svc *payments.Service, run string, log *os.File, callers int) error {
	instruments, err := link(ctx, svc)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var all sync.WaitGroup
	for g := range callers {
		all.Go(func() {
			var given []line
			for i := 0; ctx.Err() == nil; i++ {
				l := line{request: next(fmt.Sprintf("%s/%d/%d", run, g, i), instruments, given)}
				err := l.write(log)
				if err == nil {
					var d done
					d, _, err = ask(ctx, svc, l.request)
					l.Done = &d
				}
				if err == nil {
					err = l.write(log)
				}
				if err != nil {
					cancel(err)
					return
				}
				if k := l.Kind; l.Done.Payment != "" && (k == payments.Deposit || k == payments.Tip || k == payments.Send) {
					given = append(given, l)
				}
			}
		})
	}
	all.Wait()
	return context.Cause(ctx)
}

// write adds a line to the log in one write. A kill loses nothing of it: the machine goes on.
func (l line) write(log *os.File) error {
	b, err := json.Marshal(l)
	if err == nil {
		_, err = log.Write(append(b, '\n'))
	}
	return err
}
