package ledger_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/ledger"
)

// Every lock is taken in this order, once, by every writer.
func TestNamesAreSortedAndDistinct(t *testing.T) {
	n := ledger.Names{
		Keys: []string{"b", "a", "b"}, Accounts: []ledger.AccountID{bob, alice, aliceE, bob}, Holds: []ledger.ID{{2}, {1}, {2}},
		Documents: []ledger.DocumentID{{Kind: "k", ID: "2"}, {Kind: "k", ID: "1"}, {Kind: "a", ID: "3"}, {Kind: "k", ID: "1"}},
		Versions:  []ledger.VersionID{{Version: 2}, {Version: 1}, {Version: 2}},
		DueHolds:  []ledger.DueHolds{{Account: bob, At: start}, {Account: alice, At: start}, {Account: bob, At: start}},
	}
	given := n.Keys
	s := n.And(n).Sorted()
	require.Equal(t, ledger.Names{
		Keys: []string{"a", "b"}, Accounts: []ledger.AccountID{aliceE, alice, bob}, Holds: []ledger.ID{{1}, {2}},
		Documents: []ledger.DocumentID{{Kind: "a", ID: "3"}, {Kind: "k", ID: "1"}, {Kind: "k", ID: "2"}},
		Versions:  []ledger.VersionID{{Version: 1}, {Version: 2}},
		DueHolds:  []ledger.DueHolds{{Account: alice, At: start}, {Account: bob, At: start}},
	}, s)
	require.Equal(t, []string{"b", "a", "b"}, given, "the receiver is left as it is")
	require.False(t, s.Empty())
	require.True(t, ledger.Names{}.Empty())
}

// Enumerations are words in JSON and read back; the zero value is empty; nonsense is refused.
func TestEnumerationsReadAsWords(t *testing.T) {
	line := ledger.Line{Account: alice, Kind: ledger.LineCaptured, Side: ledger.Credit, Amount: dollars(1), Posted: dollars(0), Held: dollars(0)}
	raw, err := json.Marshal(line)
	require.NoError(t, err)
	require.Contains(t, string(raw), `"kind":"captured","side":"credit"`)
	require.Contains(t, string(raw), `"posted":{"amount":"0.00","asset":"USD"}`, "no money is not no amount")
	var back ledger.Line
	require.NoError(t, json.Unmarshal(raw, &back))
	require.Equal(t, line, back)
	for v := range ledger.AccountType(ledger.Expense + 1) {
		text, err := v.MarshalText()
		require.NoError(t, err)
		require.Equal(t, v.String(), string(text))
		var again ledger.AccountType
		require.NoError(t, again.UnmarshalText(text))
		require.Equal(t, v, again)
	}
	_, err = ledger.Side(9).MarshalText()
	require.ErrorIs(t, err, ledger.ErrInvalid)
	require.ErrorIs(t, new(ledger.HoldState).UnmarshalText([]byte("lost")), ledger.ErrInvalid)
	require.Equal(t, "ChangeKind(9)", ledger.ChangeKind(9).String())
}
