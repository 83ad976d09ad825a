package app

import (
	"context"
	"errors"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/payments"
)

// Host is the money side of the app: what its request handlers call. It was written on the app's first day and never
// changed since, whatever can be paid with now. A test reads this file and fails when it names an asset, a kind of
// asset, or anybody who moves money.
type Host struct {
	Pay    *payments.Service
	Device Device // the app on the member's phone

	members     map[string]bool
	instruments map[[2]string]string // member and what they call it: its id
	made        map[string]string    // request: the payment that it made
}

// NewHost makes the money side of an app without members.
func NewHost(pay *payments.Service, device Device) *Host {
	return &Host{
		Pay: pay, Device: device,
		members: map[string]bool{}, instruments: map[[2]string]string{}, made: map[string]string{},
	}
}

// What the app itself refuses, before kosh is asked.
var (
	errNoRequest     = errors.New("empty request id")
	errNoMember      = errors.New("unknown member")
	errMemberAlready = errors.New("is a member already")
	errNoOther       = errors.New("unknown other member")
	errNoSuchRequest = errors.New("unknown request to refund")
	errNoVerb        = errors.New("unknown verb")
)

// Handle does what one line asks for. It may be given a line again: the request id is the idempotency key.
func (h *Host) Handle(ctx context.Context, l Line) (payments.Payment, error) {
	if l.Request == "" {
		return payments.Payment{}, errNoRequest
	}
	if l.Verb == "join" {
		return payments.Payment{}, h.join(ctx, l)
	}
	if !h.members[l.Member] {
		return payments.Payment{}, errNoMember
	}
	p, err := h.ask(ctx, l)
	if _, known := h.made[l.Request]; err == nil && !known {
		h.made[l.Request] = p.ID
	}
	return p, err
}

// ask turns the line into a call of the service.
func (h *Host) ask(ctx context.Context, l Line) (payments.Payment, error) {
	me := payments.Member(l.Member)
	amount, err := h.amount(l)
	if err != nil {
		return payments.Payment{}, err
	}
	switch l.Verb {
	case "link":
		return h.link(ctx, l)
	case "deposit":
		return h.Pay.Deposit(ctx, payments.DepositRequest{
			Key: l.Request, Actor: me, Member: l.Member, Amount: amount, Instrument: h.instrument(l),
			Reference: l.Reference, Description: l.Note,
		})
	case "tip", "send":
		if !h.members[l.Other] {
			return payments.Payment{}, errNoOther
		}
		transfer := payments.TransferRequest{
			Key: l.Request, Actor: me, From: l.Member, To: l.Other, Amount: amount, Reference: l.Reference, Description: l.Note,
		}
		if l.Verb == "tip" {
			return h.Pay.Tip(ctx, transfer)
		}
		return h.Pay.Send(ctx, transfer)
	case "exchange":
		wanted, err := h.Pay.Assets().Find(l.Other)
		if err != nil {
			return payments.Payment{}, err
		}
		return h.Pay.Exchange(ctx, payments.ExchangeRequest{Key: l.Request, Actor: me, Member: l.Member, Amount: amount, To: wanted.ID()})
	case "withdraw":
		return h.Pay.Withdraw(ctx, payments.WithdrawRequest{
			Key: l.Request, Actor: me, Member: l.Member, Amount: amount, To: h.instrument(l), Reference: l.Reference, Description: l.Note,
		})
	case "refund":
		of, known := h.made[l.Other]
		if !known {
			return payments.Payment{}, errNoSuchRequest
		}
		return h.Pay.Refund(ctx, payments.RefundRequest{Key: l.Request, Actor: me, Of: of, Amount: amount, Description: l.Note})
	}
	return payments.Payment{}, errNoVerb
}

// amount reads what the member typed. No amount at all is for kosh to judge: linking needs none, and giving a tip back
// is always the whole of it.
func (h *Host) amount(l Line) (currency.Amount, error) {
	if l.Amount == "" && l.Asset == "" {
		return currency.Amount{}, nil
	}
	asset, err := h.Pay.Assets().Find(l.Asset)
	if err != nil {
		return currency.Amount{}, err
	}
	return currency.Parse(l.Amount, asset)
}

func (h *Host) join(ctx context.Context, l Line) error {
	if h.members[l.Member] {
		return errMemberAlready
	}
	home, err := h.Pay.Assets().Find(l.Asset)
	if err != nil {
		return err
	}
	if err := h.Pay.OpenWallet(ctx, payments.Member(l.Member), l.Member, home); err != nil {
		return err
	}
	h.members[l.Member] = true
	return nil
}

func (h *Host) link(ctx context.Context, l Line) (payments.Payment, error) {
	method, token := h.Device(l.Member, l.With)
	i, err := h.Pay.Link(ctx, payments.LinkRequest{
		Key: l.Request, Actor: payments.Member(l.Member), Member: l.Member, Method: method, Token: token,
	})
	if err != nil {
		return payments.Payment{}, err
	}
	h.instruments[[2]string{l.Member, l.With}] = i.ID
	return h.Pay.Payment(ctx, payments.Member(l.Member), i.ID)
}

// instrument is what the member calls by this name, or else the text itself, which may be an address.
func (h *Host) instrument(l Line) string {
	if id, ok := h.instruments[[2]string{l.Member, l.With}]; ok {
		return id
	}
	return l.With
}
