package payments_test

import (
	"reflect"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/payments"
	"github.com/koshpay/kosh/providers"
	"github.com/koshpay/kosh/providers/sandbox"
)

// postID has 19 digits as the ids of large networks have; cardlike has a card's prefix, length and check digit, as one id in
// a few hundred that are drawn by chance.
const (
	postID   = "1790000000000000009"
	cardlike = "4000000000000000006"
)

// requests returns functions that do each request with a text or a reference of the test's choice.
func requests(e *env) (asText, asReference map[string]func(s string) error) {
	card := e.link("alice", sandbox.TokenCard)
	top := e.deposit("alice", card, usd("50.00"))
	alice := payments.Member("alice")
	transfer := func(do func(payments.TransferRequest) (payments.Payment, error), reference, description string) error {
		_, err := do(payments.TransferRequest{
			Key: e.key(), Actor: alice, To: "bob", Amount: usd("1.00"), Reference: reference, Description: description,
		})
		return err
	}
	deposit := func(reference, description string) error {
		_, err := e.svc.Deposit(e.ctx, payments.DepositRequest{
			Key: e.key(), Actor: alice, Amount: usd("1.00"), Instrument: card, Reference: reference, Description: description,
		})
		return err
	}
	withdraw := func(reference, description string) error {
		_, err := e.svc.Withdraw(e.ctx, payments.WithdrawRequest{
			Key: e.key(), Actor: alice, Amount: usd("1.00"), To: card, Reference: reference, Description: description,
		})
		return err
	}
	tip := func(r payments.TransferRequest) (payments.Payment, error) { return e.svc.Tip(e.ctx, r) }
	send := func(r payments.TransferRequest) (payments.Payment, error) { return e.svc.Send(e.ctx, r) }
	asText = map[string]func(string) error{
		"TransferRequest.Description (tip)":  func(s string) error { return transfer(tip, "", s) },
		"TransferRequest.Description (send)": func(s string) error { return transfer(send, "", s) },
		"DepositRequest.Description":         func(s string) error { return deposit("", s) },
		"WithdrawRequest.Description":        func(s string) error { return withdraw("", s) },
		"RefundRequest.Description": func(s string) error {
			_, err := e.svc.Refund(e.ctx, payments.RefundRequest{Key: e.key(), Actor: alice, Of: top.ID, Amount: usd("1.00"), Description: s})
			return err
		},
		"LinkRequest.Token": func(s string) error {
			_, err := e.svc.Link(e.ctx, payments.LinkRequest{Key: e.key(), Actor: alice, Method: providers.Card, Token: s})
			return err
		},
	}
	asReference = map[string]func(string) error{
		"TransferRequest.Reference (tip)":  func(s string) error { return transfer(tip, s, "") },
		"TransferRequest.Reference (send)": func(s string) error { return transfer(send, s, "") },
		"DepositRequest.Reference":         func(s string) error { return deposit(s, "") },
		"WithdrawRequest.Reference":        func(s string) error { return withdraw(s, "") },
	}
	return asText, asReference
}

func TestACardNumberInAFreeTextIsRefused(t *testing.T) {
	e := newEnv(t)
	texts, _ := requests(e)
	for field, do := range texts {
		before := e.dump()
		for _, text := range []string{
			"4242424242424242", "my card: 4242 4242 4242 4242, 12/34", "5555-5555-5555-4444", "３７８２８２２４６３１０００５", "4242\u200b4242\u200b4242\u200b4242",
			"see " + cardlike,
		} {
			err := do(text)
			require.ErrorIs(t, err, payments.ErrCardNumber, "%s: %q", field, text)
			require.NotContains(t, err.Error(), "4242", "an error is logged: it does not repeat what was typed")
		}
		require.Equal(t, before, e.dump(), "%s: a refusal leaves the book as it was to the byte", field)
	}
	for field, do := range texts {
		if field != "LinkRequest.Token" { // a text like any other, but no provider has such a token
			require.NoError(t, do("for post "+postID), field)
		}
	}
}

func TestAPostIDInAReferenceIsNotACardNumber(t *testing.T) {
	require.True(t, providers.LooksLikeCardNumber(cardlike), "or the test shows nothing")
	e := newEnv(t)
	_, references := requests(e)
	for field, do := range references {
		for _, id := range []string{postID, cardlike} {
			require.NoError(t, do(id), "%s: %s", field, id)
			require.Contains(t, e.dump(), id, "%s is kept", field)
		}
	}
}

// A field that is new must be put on one side or the other, and a text among the requests of the tests above.
func TestEveryStringOfARequestIsATextOrAReference(t *testing.T) {
	texts, _ := requests(newEnv(t))
	names := map[string]bool{}
	for name := range texts {
		for i, r := range name {
			if r == ' ' {
				name = name[:i]
				break
			}
		}
		names[name] = true
	}
	references := []string{"Key", "Member", "From", "To", "Of", "Instrument", "Provider", "Reference", "Method", "Asset", "Quote", "TravelRule"}
	for _, request := range []any{
		payments.TransferRequest{},
		payments.DepositRequest{},
		payments.WithdrawRequest{},
		payments.RefundRequest{},
		payments.LinkRequest{},
		payments.ExchangeRequest{},
		payments.IssueRequest{},
		payments.BurnRequest{},
		payments.QuoteRequest{},
		payments.ExchangeQuoteRequest{},
	} {
		kind := reflect.TypeOf(request)
		for i := range kind.NumField() {
			field := kind.Field(i)
			if field.Type.Kind() != reflect.String || slices.Contains(references, field.Name) {
				continue
			}
			require.True(t, names[kind.Name()+"."+field.Name],
				"%s.%s is no typed reference: refuse card numbers in it (checkText), and show it here", kind.Name(), field.Name)
		}
	}
}
