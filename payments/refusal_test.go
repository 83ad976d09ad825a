package payments_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/payments"
	"github.com/koshpay/kosh/providers"
	"github.com/koshpay/kosh/providers/sandbox"
)

// Every refusal is typed, names its field and leaves the book as it was to the byte.
func TestRefusalsNameTheirFieldAndChangeNothing(t *testing.T) {
	e := newEnv(t)
	e.fund("alice", usd("10.00"))
	card := e.link("alice", sandbox.TokenCard)
	bobs := e.link("bob", sandbox.TokenCard)
	alice := payments.Member("alice")
	tip := func(change func(*payments.TransferRequest)) func() error {
		return func() error {
			r := payments.TransferRequest{Key: "new", Actor: alice, From: "alice", To: "bob", Amount: usd("1.00")}
			change(&r)
			_, err := e.svc.Tip(e.ctx, r)
			return err
		}
	}
	deposit := func(change func(*payments.DepositRequest)) func() error {
		return func() error {
			r := payments.DepositRequest{Key: "new", Actor: alice, Member: "alice", Amount: usd("1.00"), Instrument: card}
			change(&r)
			_, err := e.svc.Deposit(e.ctx, r)
			return err
		}
	}
	withdraw := func(change func(*payments.WithdrawRequest)) func() error {
		return func() error {
			r := payments.WithdrawRequest{Key: "new", Actor: alice, Member: "alice", Amount: usd("1.00"), To: card}
			change(&r)
			_, err := e.svc.Withdraw(e.ctx, r)
			return err
		}
	}
	link := func(change func(*payments.LinkRequest)) func() error {
		return func() error {
			r := payments.LinkRequest{Key: "new", Actor: alice, Member: "alice", Method: providers.Card, Token: "tok"}
			change(&r)
			_, err := e.svc.Link(e.ctx, r)
			return err
		}
	}
	refund := func(change func(*payments.RefundRequest)) func() error {
		return func() error {
			r := payments.RefundRequest{Key: "new", Actor: alice, Of: card, Amount: usd("1.00")}
			change(&r)
			_, err := e.svc.Refund(e.ctx, r)
			return err
		}
	}
	minus, err := usd("1.00").Neg()
	require.NoError(t, err)
	for name, c := range map[string]struct {
		do    func() error
		is    error
		field string
	}{
		"no key":              {tip(func(r *payments.TransferRequest) { r.Key = "" }), payments.ErrInvalid, "key"},
		"huge key":            {tip(func(r *payments.TransferRequest) { r.Key = strings.Repeat("k", 300) }), payments.ErrInvalid, "key"},
		"nobody":              {tip(func(r *payments.TransferRequest) { r.Actor = payments.Actor{} }), payments.ErrForbidden, "actor"},
		"somebody else":       {tip(func(r *payments.TransferRequest) { r.Actor = payments.Member("bob") }), payments.ErrForbidden, "actor"},
		"the platform":        {tip(func(r *payments.TransferRequest) { r.Actor = payments.Platform() }), payments.ErrForbidden, "actor"},
		"slash in to":         {tip(func(r *payments.TransferRequest) { r.To = "bob/x" }), payments.ErrInvalid, "to"},
		"look-alike to":       {tip(func(r *payments.TransferRequest) { r.To = "bоb" }), payments.ErrInvalid, "to"},
		"long to":             {tip(func(r *payments.TransferRequest) { r.To = strings.Repeat("b", 101) }), payments.ErrInvalid, "to"},
		"to oneself":          {tip(func(r *payments.TransferRequest) { r.To = "alice" }), payments.ErrSelf, "to"},
		"no amount":           {tip(func(r *payments.TransferRequest) { r.Amount = currency.Amount{} }), payments.ErrInvalid, "amount"},
		"zero":                {tip(func(r *payments.TransferRequest) { r.Amount = currency.Zero(currency.USD) }), payments.ErrInvalid, "amount"},
		"negative":            {tip(func(r *payments.TransferRequest) { r.Amount = minus }), payments.ErrInvalid, "amount"},
		"asset not enabled":   {tip(func(r *payments.TransferRequest) { r.Amount = currency.MustNew(1, currency.INR) }), payments.ErrUnsupported, "amount"},
		"card in description": {tip(func(r *payments.TransferRequest) { r.Description = "my card 4242 4242-4242 4242 ok" }), payments.ErrCardNumber, "description"},
		"control character":   {tip(func(r *payments.TransferRequest) { r.Description = "a\x00b" }), payments.ErrInvalid, "description"},
		"bidi":                {tip(func(r *payments.TransferRequest) { r.Description = "a\u202eb" }), payments.ErrInvalid, "description"},
		"bad UTF-8":           {tip(func(r *payments.TransferRequest) { r.Description = "\xff" }), payments.ErrInvalid, "description"},
		"long description":    {tip(func(r *payments.TransferRequest) { r.Description = strings.Repeat("x", 1<<20) }), payments.ErrInvalid, "description"},
		"long reference":      {tip(func(r *payments.TransferRequest) { r.Reference = strings.Repeat("x", 1000) }), payments.ErrInvalid, "reference"},

		"unknown instrument":   {deposit(func(r *payments.DepositRequest) { r.Instrument = "nope" }), payments.ErrNoInstrument, "instrument"},
		"another's instrument": {deposit(func(r *payments.DepositRequest) { r.Instrument = bobs }), payments.ErrNoInstrument, "instrument"},
		"coin from a card":     {deposit(func(r *payments.DepositRequest) { r.Amount = currency.MustNew(1, coin) }), payments.ErrUnsupported, "amount"},
		"another's wallet":     {deposit(func(r *payments.DepositRequest) { r.Member = "bob" }), payments.ErrForbidden, "actor"},

		"no destination":        {withdraw(func(r *payments.WithdrawRequest) { r.To = "" }), payments.ErrInvalid, "to"},
		"card number as target": {withdraw(func(r *payments.WithdrawRequest) { r.To = "4242424242424242" }), payments.ErrCardNumber, "to"},
		"coin cannot leave":     {withdraw(func(r *payments.WithdrawRequest) { r.Amount = currency.MustNew(1, coin); r.To = "somewhere" }), payments.ErrUnsupported, "to"},
		"another takes it":      {withdraw(func(r *payments.WithdrawRequest) { r.Actor = payments.Member("bob") }), payments.ErrForbidden, "actor"},

		"no token":       {link(func(r *payments.LinkRequest) { r.Token = "" }), payments.ErrInvalid, "token"},
		"card as token":  {link(func(r *payments.LinkRequest) { r.Token = "4242424242424242" }), payments.ErrCardNumber, "token"},
		"no method":      {link(func(r *payments.LinkRequest) { r.Method = "" }), payments.ErrInvalid, "method"},
		"unknown method": {link(func(r *payments.LinkRequest) { r.Method = "pigeon" }), payments.ErrUnsupported, "method"},

		"refund of a link":    {refund(func(*payments.RefundRequest) {}), payments.ErrInvalid, "of"},
		"refund of nothing":   {refund(func(r *payments.RefundRequest) { r.Of = "nope" }), payments.ErrNoPayment, "id"},
		"refund of a missing": {refund(func(r *payments.RefundRequest) { r.Of = "01890000-0000-7000-8000-000000000000" }), payments.ErrNoPayment, "id"},
	} {
		t.Run(name, func(t *testing.T) {
			before := e.dump()
			err := c.do()
			require.ErrorIs(t, err, c.is)
			refusal, ok := errors.AsType[*payments.Refusal](err)
			require.True(t, ok, "%T is not a refusal", err)
			require.Contains(t, strings.ToLower(refusal.Field), c.field)
			require.Equal(t, before, e.dump())
		})
	}
}

func TestViewsAreForOwners(t *testing.T) {
	e := newEnv(t)
	p := e.fund("alice", usd("10.00"))
	mallory := payments.Member("mallory")
	_, err := e.svc.Payment(e.ctx, mallory, p.ID)
	require.ErrorIs(t, err, payments.ErrForbidden)
	_, err = e.svc.Advance(e.ctx, mallory, p.ID)
	require.ErrorIs(t, err, payments.ErrForbidden)
	_, err = e.svc.Wallets(e.ctx, mallory, "alice")
	require.ErrorIs(t, err, payments.ErrForbidden)
	for _, err := range e.svc.Instruments(e.ctx, mallory, "alice") {
		require.ErrorIs(t, err, payments.ErrForbidden)
	}
	require.ErrorIs(t, e.svc.Freeze(e.ctx, payments.Member("alice"), "k", "alice", "USD", false), payments.ErrForbidden)
	require.ErrorIs(t, e.svc.OpenWallet(e.ctx, mallory, "alice", currency.USD), payments.ErrForbidden)
}

func TestUnregisteredProviderAndReplay(t *testing.T) {
	// A request that was recorded replays even when what it needed has gone.
	e := newEnv(t)
	card := e.link("alice", sandbox.TokenCard)
	request := payments.DepositRequest{Key: "k", Actor: payments.Member("alice"), Member: "alice", Amount: usd("5.00"), Instrument: card}
	first, err := e.svc.Deposit(e.ctx, request)
	require.NoError(t, err)
	fresh, err := payments.New(ledger.New(e.store, ledger.Config{Clock: e.clock.Now}), payments.Config{})
	require.NoError(t, err)
	again, err := fresh.Deposit(e.ctx, request)
	require.NoError(t, err)
	require.True(t, again.Replayed)
	require.Equal(t, first.ID, again.ID)
	request.Key = "k2"
	_, err = fresh.Deposit(e.ctx, request)
	require.ErrorIs(t, err, payments.ErrUnsupported)
}
