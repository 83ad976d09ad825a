package memory

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
)

func keyOf(t *testing.T, s *Store, key string) ledger.KeyRow {
	t.Helper()
	found, err := s.Read(t.Context(), "main", ledger.Names{Keys: []string{key}})
	require.NoError(t, err)
	require.Len(t, found.Keys, 1)
	return found.Keys[0]
}

// TestKeysOfTransfers reads rows back that are kept in few bytes, because the transaction and the lines say the rest.
func TestKeysOfTransfers(t *testing.T) {
	s := New()
	book := ledger.New(s, ledger.Config{})
	wallets := make([]ledger.AccountID, 12)
	var open []ledger.Command
	for i := range wallets {
		wallets[i] = ledger.AccountID{Path: "wallet/" + string(rune('l'-i)), Asset: "USD"}
		open = append(open, ledger.OpenAccount{Account: wallets[i], Type: ledger.Liability})
	}
	_, err := book.Record(t.Context(), ledger.Entry{Key: "open", Commands: open})
	require.NoError(t, err)
	one, many := currency.MustNew(1, currency.USD), currency.MustNew(9, currency.USD)
	eleven := ledger.Post{Postings: []ledger.Posting{{Account: wallets[0], Side: ledger.Debit, Amount: currency.MustNew(11, currency.USD)}}}
	for _, w := range wallets[1:] {
		eleven.Postings = append(eleven.Postings, ledger.Posting{Account: w, Side: ledger.Credit, Amount: one})
	}
	entries := []ledger.Entry{
		{Key: "there", Commands: []ledger.Command{ledger.Transfer(wallets[0], wallets[1], many)}},
		{Key: "back", Commands: []ledger.Command{ledger.Transfer(wallets[1], wallets[0], one)}}, // the same accounts, later lines
		{Key: "eleven", Commands: []ledger.Command{eleven}},
		{Key: "twice on one account", Commands: []ledger.Command{ledger.Post{Postings: []ledger.Posting{
			{Account: wallets[2], Side: ledger.Debit, Amount: one},
			{Account: wallets[2], Side: ledger.Debit, Amount: one},
			{Account: wallets[3], Side: ledger.Credit, Amount: currency.MustNew(2, currency.USD)},
		}}}},
		{Key: "two", Commands: []ledger.Command{ledger.Transfer(wallets[4], wallets[5], one), ledger.Transfer(wallets[5], wallets[6], one)}},
		{Key: "inputs", Inputs: "mine", Commands: []ledger.Command{ledger.Transfer(wallets[4], wallets[5], one)}},
		{Key: "hold", Commands: []ledger.Command{
			ledger.PlaceHold{Account: wallets[0], Amount: one, Note: ledger.Note{Reference: "r"}},
			ledger.Capture{Hold: ledger.Nth(0), To: []ledger.Portion{{Account: wallets[7], Amount: one}}},
		}},
	}
	said := make([]ledger.Receipt, len(entries))
	for i, o := range book.RecordAll(t.Context(), entries) {
		require.NoError(t, o.Err)
		said[i] = o.Receipt
	}
	check := func(s *Store) {
		for i, e := range entries {
			require.Equal(t, said[i], keyOf(t, s, e.Key).Receipt, e.Key)
		}
	}
	check(s)
	check(s.Clone())

	// Somebody else than a ledger puts a line between: the lines are numbered anew, the keys say what they said.
	rows, err := s.Scan(t.Context(), "main", ledger.Range{List: ledger.ListLines, Account: wallets[0], Limit: 10})
	require.NoError(t, err)
	last := rows.Lines[len(rows.Lines)-1]
	last.Version, last.RecordedAt = last.Version+10, last.RecordedAt.Add(-time.Nanosecond*1_000_000)
	require.NoError(t, s.Update(t.Context(), "main", ledger.Names{}, func(ledger.Rows) (ledger.Rows, ledger.Names, error) {
		return ledger.Rows{Lines: []ledger.Line{last}}, ledger.Names{}, nil
	}))
	check(s)
}

// TestOddKeys writes rows that look like those of a transfer and are not quite.
func TestOddKeys(t *testing.T) {
	s := New()
	id, other := uuid.UUID{15: 1}, uuid.UUID{15: 2}
	at := time.Date(2026, 1, 2, 3, 4, 5, 6_000, time.UTC)
	cash, bank := ledger.AccountID{Path: "cash", Asset: "USD"}, ledger.AccountID{Path: "bank", Asset: "USD"}
	one, zero := currency.MustNew(1, currency.USD), currency.Zero(currency.USD)
	balance := ledger.Balance{Account: cash, Version: 1, Posted: one, Held: zero, Available: one}
	with := func(change func(*ledger.Balance)) []ledger.Balance {
		b := balance
		change(&b)
		return []ledger.Balance{b}
	}
	receipt := func(balances []ledger.Balance) ledger.Receipt {
		return ledger.Receipt{ID: other, RecordedAt: at, Results: []ledger.Result{{Transaction: id}}, Balances: balances}
	}
	whole := `"post:` + strings.Repeat("A", 22) + `"`
	rows := ledger.Rows{
		Accounts: []ledger.AccountInfo{{ID: cash, Posted: one, Held: zero, Version: 1}},
		Lines:    []ledger.Line{{Account: cash, Version: 1, Transaction: id, Amount: one, Posted: one, Held: zero, RecordedAt: at, EffectiveAt: at}},
		Transactions: []ledger.Transaction{{ID: id, Key: "plain", RecordedAt: at, EffectiveAt: at, Postings: []ledger.Posting{
			{Account: cash, Side: ledger.Debit, Amount: one}, {Account: bank, Side: ledger.Credit, Amount: one},
		}}},
		Keys: []ledger.KeyRow{
			{Key: "plain", Inputs: []byte(whole), Receipt: receipt([]ledger.Balance{balance})},
			{Key: "loose bits", Inputs: []byte(`"post:` + strings.Repeat("A", 21) + `B"`), Receipt: receipt(nil)},
			{Key: "line feed", Inputs: []byte("\"post:\n" + strings.Repeat("A", 21) + `"`), Receipt: receipt([]ledger.Balance{})},
			{Key: "longer", Inputs: []byte(whole + " ")},
			{Key: "other base64", Inputs: []byte(`"post:++` + strings.Repeat("A", 20) + `"`)},
			{Key: "unquoted", Inputs: []byte(`"post:` + strings.Repeat("A", 23))},
			{Key: "posted", Receipt: receipt(with(func(b *ledger.Balance) { b.Posted, b.Available = zero, zero }))},
			{Key: "held", Receipt: receipt(with(func(b *ledger.Balance) { b.Held, b.Available = one, zero }))},
			{Key: "available", Receipt: receipt(with(func(b *ledger.Balance) { b.Available = zero }))},
			{Key: "no version", Receipt: receipt(with(func(b *ledger.Balance) { b.Version = 0 }))},
			{Key: "version", Receipt: receipt(with(func(b *ledger.Balance) { b.Version = 2 }))},
			{Key: "no line", Receipt: receipt(with(func(b *ledger.Balance) { b.Account = bank }))},
			{Key: "elsewhere", Receipt: receipt(with(func(b *ledger.Balance) { b.Account.Path = "new" }))},
			{Key: "no account", Receipt: receipt(with(func(b *ledger.Balance) { b.Account = ledger.AccountID{} }))},
			{Key: "later", Receipt: ledger.Receipt{RecordedAt: at.Add(time.Microsecond), Results: []ledger.Result{{Transaction: id}}}},
			{Key: "not kept", Receipt: ledger.Receipt{RecordedAt: at, Results: []ledger.Result{{Transaction: other}}, Balances: []ledger.Balance{balance}}},
			{Key: "and a hold", Receipt: ledger.Receipt{RecordedAt: at, Results: []ledger.Result{{Transaction: id, Hold: other}}}},
			{Key: "guarded", Receipt: ledger.Receipt{RecordedAt: at, Results: []ledger.Result{{Transaction: id}}, Guarded: []ledger.Result{{}}}},
			{Key: "refused", Receipt: receipt(nil), Refusal: &ledger.Refusal{Code: "c", Account: cash}},
		},
	}
	for i := range rows.Keys {
		rows.Keys[i].Receipt.Key = rows.Keys[i].Key
		if rows.Keys[i].Receipt.RecordedAt.IsZero() {
			rows.Keys[i].Receipt.RecordedAt = at
		}
	}
	require.NoError(t, s.Update(t.Context(), "main", ledger.Names{}, func(ledger.Rows) (ledger.Rows, ledger.Names, error) {
		return rows, ledger.Names{}, nil
	}))
	for _, want := range rows.Keys {
		t.Run(want.Key, func(t *testing.T) { require.Equal(t, want, keyOf(t, s, want.Key)) })
	}
}
