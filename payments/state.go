package payments

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"

	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/providers"
)

const kindProviderState = "provider_state"

// ProviderState returns the store in which the adapter of that name keeps what it must remember. Give it to the adapter's
// constructor, before it is registered.
func (s *Service) ProviderState(name string) providers.StateStore { return providerState{s.book, name} }

type providerState struct {
	book *ledger.Book
	name string
}

func (p providerState) id(key string) ledger.DocumentID {
	return ledger.DocumentID{Kind: kindProviderState, ID: p.name + "/" + key}
}

// Load implements providers.StateStore.
func (p providerState) Load(ctx context.Context, key string) ([]byte, uint64, error) {
	d, err := p.book.Document(ctx, p.id(key))
	if errors.Is(err, ledger.NotFound) {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, err
	}
	var value []byte
	err = json.Unmarshal(d.Body, &value)
	return value, d.Version, err
}

// Store implements providers.StateStore.
func (p providerState) Store(ctx context.Context, key string, value []byte, version uint64) (uint64, error) {
	body, err := json.Marshal(value)
	if err != nil {
		return 0, err
	}
	entry := "state/" + p.name + "/" + key + "/" + strconv.FormatUint(version, 10)
	receipt, err := p.book.Record(ctx, ledger.Entry{Key: entry, Commands: []ledger.Command{
		ledger.PutDocument{DocumentID: p.id(key), Version: version, State: "stored", Schema: 1, Body: body},
	}})
	if errors.Is(err, ledger.ErrVersion) || errors.Is(err, ledger.ErrKeyConflict) {
		return 0, providers.ErrStateConflict
	}
	if err != nil {
		return 0, err
	}
	if receipt.Replayed {
		// The same value was stored at this version before: by this caller, whose answer was lost, or by another one.
		// Neither can tell, so neither may believe that it was first.
		return 0, providers.ErrStateConflict
	}
	return version + 1, nil
}
