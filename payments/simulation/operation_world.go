package simulation

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/payments"
	"github.com/koshpay/kosh/providers"
)

// This file is what happens around kosh: strangers send money, people approve, webhooks arrive, time passes.

// chainSend sends money to one of our addresses, to several outputs of it, or to nobody we know.
func (w *world) chainSend(*process) {
	all := w.addresses()
	if len(all) == 0 || w.dice.chance(80) {
		w.stray()
		return
	}
	address := pick(w.dice, all...)
	s := w.site(address.Provider)
	var amounts []currency.Amount
	for range w.dice.between(1, 2) {
		a := ether
		if address.Method == providers.Bank {
			a = w.fiat()
		}
		amounts = append(amounts, w.amount(a))
	}
	tx, err := s.far.SendTo(address.Instrument, amounts[0], amounts[1:]...)
	w.note("  %v to %s: %s%s", amounts, address.Instrument, tx, cause(err))
	if err == nil && address.Method == providers.Chain {
		w.sent = append(w.sent, sent{s, tx})
	}
}

// stray sends money that nobody expects.
func (w *world) stray() {
	s := pick(w.dice, w.sites...)
	method, asset := providers.Bank, w.fiat()
	if s.chain {
		method, asset = providers.Chain, ether
	}
	tx, err := s.far.SendStray(method, w.amount(asset))
	w.note("  stray money: %s%s", tx, cause(err))
}

// reorganise replaces the last blocks of a chain; now and then a transaction is gone for good.
func (w *world) reorganise(*process) {
	for _, s := range w.sites {
		if !s.chain {
			continue
		}
		var drop []string
		if len(w.sent) > 0 && w.dice.chance(400) {
			if last := w.sent[len(w.sent)-1]; last.site == s {
				drop = append(drop, last.tx)
			}
		}
		depth := int(w.dice.between(1, 3))
		err := s.far.Reorganise(depth, drop...)
		w.note("  %s loses %d blocks and %v%s", s.name, depth, drop, cause(err))
	}
}

// approve is a person who says yes or no to a charge that waits.
func (w *world) approve(*process) {
	for _, s := range w.sites {
		for _, o := range s.far.InFlight() {
			if o.State != providers.ActionRequired {
				continue
			}
			answer := s.far.Approve
			if w.dice.chance(250) {
				answer = s.far.Deny
			}
			w.note("  the person answers %s%s", o.Key, cause(answer(o.Key)))
			return
		}
	}
}

func (w *world) site(name string) *site {
	for _, s := range w.sites {
		if s.name == name {
			return s
		}
	}
	return w.sites[0]
}

// webhooks delivers what is due.
func (w *world) webhooks(p *process) { w.pump(p, int(w.dice.between(1, 20))) }

// pump takes webhooks from the providers' outboxes to the handler, some of them twice.
func (w *world) pump(p *process, atMost int) {
	for _, s := range w.sites {
		if w.now.Before(s.downUntil) {
			continue
		}
		for _, d := range s.far.Deliveries(atMost) {
			times := 1
			if !w.calm && w.dice.chance(w.rates.webhookAgain) {
				times = 2
			}
			for n := range times {
				if n > 0 {
					w.cover(webhookTwice, webhookKey(d.Body))
				}
				status := w.deliver(p, s, d)
				w.note("  webhook of %s to %s: %d", s.name, p.name, status)
			}
		}
	}
}

// webhookKey is the key of what a webhook is about, if it tells.
func webhookKey(body []byte) string {
	var event struct {
		Object struct {
			Key string `json:"key"`
		} `json:"object"`
	}
	if json.Unmarshal(body, &event) != nil {
		return ""
	}
	return event.Object.Key
}

// deliver posts one webhook. A 2xx means that it is durable, so its effects must be in the book then.
func (w *world) deliver(p *process, s *site, d providers.Delivery) int {
	w.result.Webhooks++
	faults := p.faults
	status := w.post(p, s.name, d.Header, d.Body)
	switch {
	case status == http.StatusNoContent:
		w.fail(w.durable(s, d.Body))
	case p.faults == faults && !p.dead && w.asking.Err() == nil:
		w.fail(breach(FactsStand, "a webhook of %s was answered with %d: %s", s.name, status, d.Body))
	}
	return status
}

func (w *world) post(p *process, provider string, header http.Header, body []byte) int {
	r, err := http.NewRequestWithContext(w.asking, http.MethodPost, "/webhooks/"+provider, bytes.NewReader(body))
	if err != nil {
		return 0
	}
	r.Header = header.Clone()
	answer := &recorder{header: http.Header{}, status: http.StatusOK}
	p.handler.ServeHTTP(answer, r)
	return answer.status
}

// recorder is the least http.ResponseWriter.
type recorder struct {
	header http.Header
	status int
}

func (r *recorder) Header() http.Header         { return r.header }
func (r *recorder) Write(b []byte) (int, error) { return len(b), nil }
func (r *recorder) WriteHeader(status int)      { r.status = status }

// durable: what a delivery said is posted, or kept in the inbox.
func (w *world) durable(s *site, body []byte) *Breach {
	var event struct {
		ID     string `json:"id"`
		Object struct {
			Effects []struct {
				ID string `json:"id"`
			} `json:"effects"`
		} `json:"object"`
	}
	if err := json.Unmarshal(body, &event); err != nil {
		return breach(Sane, "a webhook of %s does not read: %v", s.name, err)
	}
	for _, e := range event.Object.Effects {
		if _, posted := w.money.effects[s.name][e.ID]; !posted && !w.money.events[event.ID] {
			return breach(Delivered, "webhook %s was answered with 204 and effect %s is nowhere", event.ID, e.ID)
		}
	}
	return nil
}

// forge delivers what no provider has signed.
func (w *world) forge(p *process) {
	s := pick(w.dice, w.sites...)
	body := []byte(`{"id":"evt_1","type":"operation.changed","object":{"reference":"ch_1","kind":"deposit","state":"succeeded",` +
		`"member":"m1","effects":[{"id":"x","kind":"moved","amount":{"amount":"1000.00","asset":"USD"},"at":"2030-01-01T00:00:00Z"}]}}`)
	writes := p.writes
	for _, name := range []string{s.name, "nobody"} {
		status := w.post(p, name, http.Header{"Sandbox-Signature": {"t=1898636400,v1=00"}}, body)
		if status/100 == 2 || p.writes != writes {
			w.fail(breach(Spotless, "a forged webhook for %s was answered with %d after %d updates", name, status, p.writes-writes))
		}
	}
}

// passTime moves the clock: moments, minutes, hours or days.
func (w *world) passTime(*process) {
	w.now = w.now.Add(pick(w.dice,
		w.dice.duration(time.Second, 30*time.Second), w.dice.duration(time.Second, 30*time.Second),
		w.dice.duration(time.Minute, 20*time.Minute), w.dice.duration(time.Minute, 20*time.Minute),
		w.dice.duration(time.Hour, 12*time.Hour), w.dice.duration(24*time.Hour, 72*time.Hour),
	))
	w.note("  it is %s", w.now.Format(time.DateTime))
}

func (w *world) worker(p *process) { w.step(p) }

// advance is a host that wants to know how a payment stands.
func (w *world) advance(p *process) {
	all := w.some(func(p *intent) bool { return p.Provider != "" && !p.state.Done() && p.Member != "" })
	if len(all) == 0 {
		return
	}
	it, faults := pick(w.dice, all...), p.faults
	got, err := p.service.Advance(w.asking, payments.Member(it.Member), it.ID)
	w.note("  advance %s: %s", it.ID, outcome(got, err))
	if err == nil {
		w.fail(w.remembered(&got))
	} else if !p.dead {
		w.excuse(p, faults, err, "advance "+it.ID)
	}
}

// badRequest asks for what must be refused without a trace.
func (w *world) badRequest(p *process) {
	a, b := w.members[0], w.members[1]
	key := w.nextKey()
	usd := func(units int64) currency.Amount { return currency.MustNew(units, currency.USD) }
	transfer := payments.TransferRequest{Key: key, Actor: payments.Member(a), From: a, To: b, Amount: usd(1)}
	withdraw := payments.WithdrawRequest{Key: key, Actor: payments.Member(a), Member: a, Amount: usd(1), To: uuid.Nil.String()}
	deposit := payments.DepositRequest{Key: key, Actor: payments.Member(a), Member: a, Amount: usd(1), Instrument: uuid.Nil.String()}
	what := pick(w.dice, "no amount", "zero", "negative", "unknown asset", "to oneself", "card number", "no key", "bad member", "forbidden",
		"no instrument", "no payment", "long text", "overdraft", "issue dollars", "control character", "platform withdraws", "tip of others",
		"instrument of others", "refund by the payer")
	ask := func(s *payments.Service) (payments.Payment, error) { return s.Send(w.asking, transfer) }
	switch what {
	case "no amount":
		transfer.Amount = currency.Amount{}
	case "zero":
		transfer.Amount = usd(0)
	case "negative":
		transfer.Amount = usd(-5)
	case "unknown asset":
		transfer.Amount = currency.MustNew(5, currency.CHF)
	case "to oneself":
		transfer.To = a
	case "card number":
		transfer.Description = "my card is 4242 4242 4242 4242"
	case "no key":
		transfer.Key = ""
	case "bad member":
		transfer.To = "no/body"
	case "forbidden":
		transfer.Actor = payments.Member(b)
	case "long text":
		transfer.Description = strings.Repeat("long ", 1000)
	case "control character":
		transfer.Reference = "a\x00b"
	case "overdraft":
		transfer.Amount = currency.MustNew(1<<60, currency.USD)
	case "tip of others":
		transfer.Actor = payments.Actor{}
		ask = func(s *payments.Service) (payments.Payment, error) { return s.Tip(w.asking, transfer) }
	case "no instrument":
		ask = func(s *payments.Service) (payments.Payment, error) { return s.Deposit(w.asking, deposit) }
	case "instrument of others":
		if all := w.instruments(b); len(all) > 0 {
			deposit.Instrument = all[0].ID
		}
		ask = func(s *payments.Service) (payments.Payment, error) { return s.Deposit(w.asking, deposit) }
	case "refund by the payer":
		of := uuid.Nil.String()
		if all := w.some(func(p *intent) bool { return p.Kind == payments.Send && p.Member == a && p.state == payments.Succeeded }); len(all) > 0 {
			of = all[0].ID
		}
		ask = func(s *payments.Service) (payments.Payment, error) {
			return s.Refund(w.asking, payments.RefundRequest{Key: key, Actor: payments.Member(a), Of: of})
		}
	case "platform withdraws":
		withdraw.Actor = payments.Platform()
		ask = func(s *payments.Service) (payments.Payment, error) { return s.Withdraw(w.asking, withdraw) }
	case "no payment":
		ask = func(s *payments.Service) (payments.Payment, error) {
			return s.Refund(w.asking, payments.RefundRequest{Key: key, Actor: payments.Member(a), Of: uuid.Nil.String(), Amount: usd(1)})
		}
	case "issue dollars":
		ask = func(s *payments.Service) (payments.Payment, error) {
			return s.Issue(w.asking, payments.IssueRequest{Key: key, Actor: payments.Platform(), Amount: usd(1)})
		}
	}
	w.ask(p, &request{
		what: key + " bad: " + what, bad: true,
		call: func(s *payments.Service, _ bool) (payments.Payment, error) { return ask(s) },
	}, false)
}
