package payments_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/payments"
	"github.com/koshpay/kosh/providers"
)

// picky is a provider that knows one address by its checksum (the first of EIP-55's own examples).
type picky struct{ providers.Provider }

const checksummed = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"

var errChecksum = errors.New("the checksum of EIP-55 does not fit")

func (p picky) Unwrap() providers.Provider { return p.Provider }

func (picky) CheckAddress(asset currency.AssetID, address string) error {
	if address != checksummed {
		return errChecksum
	}
	return nil
}

// A mistyped address is refused by its own provider, before anything is held; a desk asks too.
func TestMistypedAddressLeavesNothing(t *testing.T) {
	e := newEnv(t)
	e.receive("alice", eth("1"))
	far := &counting{Provider: picky{e.sandbox}}
	svc, err := payments.New(e.book, e.config)
	require.NoError(t, err)
	require.NoError(t, svc.Register(far))

	const typo = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD"
	request := payments.WithdrawRequest{Key: "w", Actor: payments.Member("alice"), Amount: eth("0.5"), To: typo}
	before := e.history()
	for name, withdraw := range map[string]func(payments.WithdrawRequest) (payments.Payment, error){
		"service": func(r payments.WithdrawRequest) (payments.Payment, error) { return svc.Withdraw(e.ctx, r) },
		"desk":    func(r payments.WithdrawRequest) (payments.Payment, error) { return svc.In(e.store).Withdraw(e.ctx, r) },
	} {
		_, err = withdraw(request)
		require.ErrorIs(t, err, payments.ErrBadAddress, name)
		require.ErrorIs(t, err, payments.ErrInvalid)
		require.ErrorIs(t, err, errChecksum, "what the provider says")
		refusal, ok := errors.AsType[*payments.Refusal](err)
		require.True(t, ok)
		require.Equal(t, "to", refusal.Field)
	}
	require.Equal(t, before, e.history())
	require.Zero(t, far.calls(), "a check by form asks nobody")

	request.To = checksummed // the key was not burnt by the typo
	p, err := svc.Withdraw(e.ctx, request)
	require.NoError(t, err)
	require.Equal(t, payments.Pending, p.State)
	require.Equal(t, 1, far.calls())

	// The sandbox has a form of its own.
	_, err = e.withdraw("alice", "not an address", eth("0.1"))
	require.ErrorIs(t, err, payments.ErrBadAddress)
}
