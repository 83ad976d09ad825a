// Package host is what a social app writes around kosh: one function for everything that a member asks for. It was finished
// when the app dealt in dollars only, and nothing of it changed since.
package host

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/payments"
	"github.com/koshpay/kosh/providers"
)

// Host answers members.
type Host struct{ service *payments.Service }

// New makes a host over a service.
func New(s *payments.Service) *Host { return &Host{service: s} }

// Request is what a member's phone sends.
type Request struct {
	Key    string // made by the phone, the same when it tries again
	Member string
	Verb   string // link, topup, tip, cashout, wallet
	Amount string // "25.00", of Asset
	Asset  string // an id or a code
	With   string // the token of an instrument to link, or the instrument to take from
	To     string // a member to tip; where to cash out to; of a link, card or bank
}

// ErrUnknownVerb says that the phone asks for something that this app does not do.
var ErrUnknownVerb = errors.New("host: unknown verb")

// Answer is what the phone shows.
type Answer struct {
	Text    string
	Payment payments.Payment
	PayTo   string // where the member can send money to
	Linked  string // the instrument's id
}

// Handle does what a member asks for.
func (h *Host) Handle(ctx context.Context, r Request) (Answer, error) {
	me := payments.Member(r.Member)
	switch r.Verb {
	case "link":
		i, err := h.service.Link(ctx, payments.LinkRequest{Key: r.Key, Actor: me, Method: providers.Method(r.To), Token: r.With})
		return Answer{Text: r.Member + " linked " + i.Label, Linked: i.ID}, err
	case "wallet":
		return h.wallet(ctx, me, r.Member)
	}
	amount, err := h.amount(r)
	if err != nil {
		return Answer{}, err
	}
	var p payments.Payment
	switch r.Verb {
	case "topup":
		p, err = h.service.Deposit(ctx, payments.DepositRequest{Key: r.Key, Actor: me, Amount: amount, Instrument: r.With})
	case "tip":
		p, err = h.service.Tip(ctx, payments.TransferRequest{Key: r.Key, Actor: me, From: r.Member, To: r.To, Amount: amount})
	case "cashout":
		p, err = h.service.Withdraw(ctx, payments.WithdrawRequest{Key: r.Key, Actor: me, Amount: amount, To: r.To})
	default:
		err = fmt.Errorf("%w: %q", ErrUnknownVerb, r.Verb)
	}
	if err != nil {
		return Answer{}, err
	}
	a := Answer{Payment: p, Text: fmt.Sprintf("%s: %s of %s %s", r.Member, r.Verb, h.show(amount), p.State)}
	if p.Action != nil {
		a.PayTo = p.Action.Address
		a.Text = fmt.Sprintf("%s: %s of %s waits for money at %s", r.Member, r.Verb, amount.Asset().Code(), a.PayTo)
	}
	return a, nil
}

// amount reads what the phone sent, in whatever the app deals in today.
func (h *Host) amount(r Request) (currency.Amount, error) {
	asset, err := h.service.Assets().Find(r.Asset)
	if err != nil {
		return currency.Amount{}, err
	}
	return currency.Parse(r.Amount, asset)
}

func (h *Host) show(a currency.Amount) string { return a.Number() + " " + a.Asset().Code() }

func (h *Host) wallet(ctx context.Context, me payments.Actor, member string) (Answer, error) {
	wallets, err := h.service.Wallets(ctx, me, member)
	if err != nil {
		return Answer{}, err
	}
	var lines []string
	for _, w := range wallets {
		if w.Posted.Sign() != 0 {
			lines = append(lines, h.show(w.Posted))
		}
	}
	return Answer{Text: member + " has " + strings.Join(lines, ", ")}, nil
}
