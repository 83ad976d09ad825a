package ledger_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/ledger/memory"
)

// Whatever is restored is exported again byte for byte, and whatever is refused leaves nothing.
func FuzzRestore(f *testing.F) {
	f.Add([]byte(`{"header":{"format":"kosh-book-1","book":"main","position":0,"block":0,"hash":"0000000000000000000000000000000000000000000000000000000000000000"}}` + "\n"))
	empty := ledger.New(memory.New(), ledger.Config{})
	f.Add(exported(f, empty))
	busy := ledger.New(memory.New(), ledger.Config{NewID: counter(), Clock: newClock().Now})
	_, err := busy.Record(f.Context(), ledger.Entry{Key: "k", Commands: []ledger.Command{
		ledger.OpenAccount{Account: bank, Type: ledger.Asset},
		ledger.OpenAccount{Account: alice, Type: ledger.Liability, Owner: "alice", Floor: dollars(0)},
		ledger.Transfer(bank, alice, dollars(5)),
		ledger.PlaceHold{Account: alice, Amount: dollars(2)},
		ledger.PutDocument{DocumentID: ledger.DocumentID{Kind: "k", ID: "1"}, References: []string{"r"}, Body: []byte(`{"a": 1}`)},
	}})
	require.NoError(f, err)
	f.Add(exported(f, busy))
	_, err = busy.NumberFeed(f.Context(), 9)
	require.NoError(f, err)
	f.Add(exported(f, busy))
	f.Fuzz(func(t *testing.T, text []byte) {
		s := memory.New()
		b := ledger.New(s, ledger.Config{})
		if err := b.Restore(t.Context(), bytes.NewReader(text)); err != nil {
			require.Empty(t, whole(t, s))
			return
		}
		require.Equal(t, string(text), string(exported(t, b)))
	})
}

// What parses is what String writes.
func FuzzParseCheckpoint(f *testing.F) {
	f.Add(ledger.Checkpoint{Book: "main"}.String())
	f.Add(ledger.Checkpoint{Book: "a \"b\"", Block: 7, Position: 99, Hash: ledger.Hash{1, 2}, SealedAt: start, Signature: []byte("sig")}.String())
	f.Fuzz(func(t *testing.T, line string) {
		if c, err := ledger.ParseCheckpoint(line); err == nil {
			require.Equal(t, line, c.String())
		} else {
			require.ErrorIs(t, err, ledger.ErrDamaged)
		}
	})
}
