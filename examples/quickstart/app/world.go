package app

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/payments"
	"github.com/koshpay/kosh/providers"
	"github.com/koshpay/kosh/providers/sandbox"
)

// World is everything that is not the app: the time, the members' phones and what they hold in their hands, strangers who
// send money, and the providers' ends of the line. Nothing in it would be in a real program.
type World struct {
	now      time.Time
	midnight time.Time
	ids      uint64
	tape     *Tape

	service  *payments.Service
	webhooks http.Handler
	lines    []*line
	plans    []plan // by time

	Delivered, Undelivered int // webhooks
}

// NewWorld makes a world at the beginning of a day. With a tape the providers are as they were when it ends.
func NewWorld(day time.Time, t *Tape) *World { return &World{now: day, midnight: day, tape: t} }

// Now is the clock that everything here goes by, kosh and the pretend providers alike.
func (w *World) Now() time.Time { return w.now }

// NewID makes UUIDs that are the same in every run, so that the output is too. A real program leaves this to kosh.
func (w *World) NewID() ledger.ID {
	w.ids++
	var id ledger.ID
	binary.BigEndian.PutUint64(id[:], uint64(w.now.UnixMilli())<<16|0x7000)
	binary.BigEndian.PutUint64(id[8:], w.ids|1<<63)
	return id
}

// Serves tells the world whose webhooks to call and whose worker runs.
func (w *World) Serves(s *payments.Service) { w.service, w.webhooks = s, s.Webhooks() }

// plan is what somebody has in mind to do at some time of the day.
type plan struct {
	at time.Duration // since midnight
	do func(context.Context) error
}

// At plans something for later than what is planned already.
func (w *World) At(at time.Duration, do func(context.Context) error) {
	w.plans = append(w.plans, plan{at, do})
}

// Connect registers a pretend provider with the service.
func (w *World) Connect(ctx context.Context, c sandbox.Config) (*line, error) {
	l, err := newLine(ctx, w, c, w.tape)
	if err != nil {
		return nil, err
	}
	w.lines = append(w.lines, l)
	return l, w.service.Register(l)
}

// Device is the app on a member's phone. It turns a card or an account into a one-time token, as a provider's own form does:
// no number ever reaches the app's server.
type Device func(member, what string) (method providers.Method, token string)

// silent is the name of a bank account with which every answer is lost.
const silent = "bank-silent"

// hands is what members may hold in their hands, by the name that they give it in the input.
var hands = []struct {
	name   string
	method providers.Method
	token  string
	what   string
}{
	{"card", providers.Card, sandbox.TokenCard, "a card that works"},
	{"card-declined", providers.Card, sandbox.TokenCardDeclined, "links; every charge is declined"},
	{"card-empty", providers.Card, sandbox.TokenCardInsufficient, "links; it has no money"},
	{"card-asks", providers.Card, sandbox.TokenCardAction, "asks the member before every charge"},
	{"card-refused", providers.Card, sandbox.TokenCardRefused, "does not link"},
	{"bank", providers.Bank, sandbox.TokenBank, "an account that works; debits take a day"},
	{"bank-returned", providers.Bank, sandbox.TokenBankReturned, "debits settle, and are returned a day later"},
	{"bank-bounces", providers.Bank, sandbox.TokenBankBounces, "payouts arrive, and come back a day later"},
	{"bank-fails", providers.Bank, sandbox.TokenBankFails, "debits and payouts fail after a day"},
	{silent, providers.Bank, sandbox.TokenBank, "works, but no answer to a request ever arrives"},
}

// Device implements the function type of that name. What is unknown gets a token that nobody issued.
func (w *World) Device(_, what string) (providers.Method, string) {
	for _, h := range hands {
		if h.name == what {
			return h.method, h.token
		}
	}
	return providers.Card, "tok_unknown"
}

// Before lets happen what a line of the input meets on its way.
func (w *World) Before(l Line) {
	for _, to := range w.lines {
		to.drops = l.With == silent && (l.Verb == "deposit" || l.Verb == "withdraw")
	}
}

// After is the member doing what the app asks for: approving a charge, or sending money to the address that it shows.
func (w *World) After(l Line, p payments.Payment) error {
	for _, to := range w.lines {
		to.drops = false
		if p.Action == nil || to.name != p.Provider {
			continue
		}
		if p.State == payments.ActionRequired {
			return to.once("approve "+p.ID, call{Do: "approve", Text: p.ID})
		}
		asset, err := w.service.Assets().Find(l.Asset)
		if err != nil {
			return err
		}
		amount, err := currency.Parse(l.Amount, asset)
		if err != nil {
			return err
		}
		if most, ok := to.Describe().Offer(providers.Withdrawal, p.Method, asset.ID()); !ok || most.Admits(amount) != nil {
			return nil // nobody has that much to send
		}
		return to.once("send "+p.ID, call{Do: "send", Text: p.Action.Address, Amount: amount})
	}
	return nil
}

// tick is how often the worker gets its turn at least.
const tick = time.Hour

// PassUntil lets the time pass: whatever is due at a provider happens then, webhooks are delivered, the worker runs.
// It never runs back.
func (w *World) PassUntil(ctx context.Context, at time.Time) error {
	for w.now.Before(at) {
		w.now = w.next(at)
		for len(w.plans) > 0 && !w.now.Before(w.midnight.Add(w.plans[0].at)) {
			next := w.plans[0]
			w.plans = w.plans[1:]
			if err := next.do(ctx); err != nil {
				return fmt.Errorf("what was planned for %v: %w", next.at, err)
			}
		}
		if err := w.Work(ctx); err != nil {
			return err
		}
	}
	return nil
}

// next is the next moment at which something happens, until at the latest.
func (w *World) next(until time.Time) time.Time {
	next := w.now.Add(tick)
	if len(w.plans) > 0 {
		if planned := w.midnight.Add(w.plans[0].at); planned.Before(next) {
			next = planned
		}
	}
	for _, l := range w.lines {
		if change, ok := l.NextChange(); ok && change.Before(next) {
			next = change
		}
	}
	if next.Before(w.now) {
		next = w.now
	}
	if until.Before(next) {
		next = until
	}
	return next
}

// Work delivers the webhooks that are due and gives the worker its turn until it has nothing left to do.
func (w *World) Work(ctx context.Context) error {
	for _, l := range w.lines {
		due, err := l.deliveries(1_000)
		if err != nil {
			return err
		}
		for _, d := range due {
			if err := w.deliver(ctx, l.name, d); err != nil {
				return err
			}
		}
	}
	for range 1_000 {
		n, err := w.service.Step(ctx)
		if err != nil {
			return fmt.Errorf("worker: %w", err)
		}
		if n == 0 {
			return nil
		}
	}
	return errors.New("the worker does not come to an end")
}

// deliver calls the app's webhook as the provider's server would. What is not taken now the worker finds when it polls.
func (w *World) deliver(ctx context.Context, provider string, d providers.Delivery) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "/webhooks/"+provider, bytes.NewReader(d.Body))
	if err != nil {
		return err
	}
	r.Header = d.Header
	answer := httptest.NewRecorder()
	w.webhooks.ServeHTTP(answer, r)
	if answer.Code == http.StatusNoContent {
		w.Delivered++
	} else {
		w.Undelivered++
	}
	return nil
}

// Settle lets days pass until nothing at any provider can change any more.
func (w *World) Settle(ctx context.Context) error {
	const longest = 30
	for range longest {
		if err := w.PassUntil(ctx, w.now.Add(24*time.Hour)); err != nil {
			return err
		}
		open := 0
		for _, l := range w.lines {
			open += len(l.InFlight())
		}
		if open == 0 {
			return w.PassUntil(ctx, w.now.Add(24*time.Hour)) // what a lost webhook did not tell, polling does
		}
	}
	return errors.New("the providers do not come to rest")
}
