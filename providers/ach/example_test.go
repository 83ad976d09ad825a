package ach_test

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/providers"
	"github.com/koshpay/kosh/providers/ach"
)

// state is a StateStore for an example; payments.Service.ProviderState is a durable one.
type state map[string]struct {
	value   []byte
	version uint64
}

func (s state) Load(_ context.Context, key string) ([]byte, uint64, error) {
	return s[key].value, s[key].version, nil
}

func (s state) Store(_ context.Context, key string, value []byte, version uint64) (uint64, error) {
	row := s[key]
	if row.version != version {
		return 0, providers.ErrStateConflict
	}
	row.value, row.version = value, version+1
	s[key] = row
	return row.version, nil
}

func Example() {
	dir, err := os.MkdirTemp("", "ach")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	block, err := aes.NewCipher(make([]byte, 32)) // from your key management
	if err != nil {
		panic(err)
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		panic(err)
	}
	eastern, err := time.LoadLocation("America/New_York")
	if err != nil {
		panic(err)
	}
	now := time.Date(2026, time.June, 18, 9, 0, 0, 0, eastern) // a Thursday; Friday is Juneteenth
	bank, err := ach.New(state{}, ach.Keys{Current: "2026", ByID: map[string]cipher.AEAD{"2026": gcm}}, ach.Config{
		Company: ach.Company{Name: "Chirp", ID: "1123456789"}, ODFI: "061000010",
		Destination: ach.Party{ID: "061000010", Name: "Our Bank"}, Origin: ach.Party{ID: "1123456789", Name: "Chirp"},
		Outbox: filepath.Join(dir, "outbox"), Inbox: filepath.Join(dir, "inbox"),
		Verification: ach.ByHost, Clock: func() time.Time { return now },
	})
	if err != nil {
		panic(err)
	}

	ctx := context.Background()
	account, err := bank.AddAccount(ctx, ach.BankAccount{Holder: "Alice Example", Routing: "072000012", Number: "100200300"})
	if err != nil {
		panic(err)
	}
	fmt.Println(account.Label)
	submit := func(op providers.Operation) {
		r, err := bank.Submit(ctx, op)
		if err != nil {
			panic(err)
		}
		fmt.Println(op.Kind, r.State)
	}
	work := func(t time.Time) {
		now = t
		if err := bank.Work(ctx); err != nil {
			panic(err)
		}
	}
	submit(providers.Operation{
		Key: "6f0d4e1c-7d0a-4d5e-9d56-6a3c3d1f0001", Kind: providers.Link, Method: providers.Bank, Instrument: account.Token,
	})
	const deposit = "6f0d4e1c-7d0a-4d5e-9d56-6a3c3d1f0002"
	submit(providers.Operation{
		Key: deposit, Kind: providers.Deposit, Method: providers.Bank, Instrument: account.Token, Amount: currency.MustParse("25.00", currency.USD),
	})

	work(now.Add(11 * time.Hour)) // the cut-off
	files, err := bank.Outbox()
	if err != nil {
		panic(err)
	}
	for _, name := range files {
		fmt.Println("hand over", name)
		if err := bank.Sent(name); err != nil {
			panic(err)
		}
	}
	work(now.Add(time.Minute))
	for _, day := range []int{20, 23} {
		work(time.Date(2026, time.June, day, 9, 0, 0, 0, eastern))
		r, err := bank.Lookup(ctx, providers.Query{Key: deposit})
		if err != nil {
			panic(err)
		}
		fmt.Println(now.Weekday(), r.State, len(r.Effects), "effects, final:", r.Final)
	}
	// Output:
	// Checking •• 0300
	// link succeeded
	// deposit pending
	// hand over ach-20260618-000000.ach
	// Saturday pending 0 effects, final: false
	// Tuesday succeeded 1 effects, final: false
}
