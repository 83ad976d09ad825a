package ledger_test

import (
	"encoding/json"
	"math"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
)

// FuzzCommandJSON holds the ledger's own writer against encoding/json: what a key stands for is the same bytes, or the same
// refusal.
func FuzzCommandJSON(f *testing.F) {
	f.Add("wallet/alice", "USD", "tip <&> \"ünï\" \u2028", "k", int64(1), uint64(5), int64(1_700_000_000_000_001), uint8(1), uint8(0xff), uint8(2))
	f.Add("", "", "", "", int64(0), uint64(0), int64(0), uint8(0), uint8(0), uint8(0))
	f.Add("a\xff\x00", "app:acme/coin", "\t\n", "\x7f", int64(math.MinInt64), uint64(math.MaxUint64), int64(-62135596800_000_000), uint8(9), uint8(0x0f), uint8(1))
	f.Add("p", "USD", "r", "m", int64(-1), uint64(1), int64(math.MaxInt64), uint8(5), uint8(0xf0), uint8(7))
	f.Fuzz(func(t *testing.T, path, asset, text, key string, hi int64, lo uint64, micros int64, kind, flags, n uint8) {
		for _, c := range jsonCommands(path, asset, text, key, hi, lo, micros, kind, flags, n) {
			want, wantErr := json.Marshal(c)
			got, err := ledger.AppendCommand([]byte("before"), c)
			require.Equal(t, wantErr != nil, err != nil, "%T: %v, %v", c, wantErr, err)
			if err == nil {
				require.Equal(t, "before"+string(want), string(got), "%T", c)
			}
		}
	})
}

func jsonCommands(path, asset, text, key string, hi int64, lo uint64, micros int64, kind, flags, n uint8) []ledger.Command {
	is := func(bit int) bool { return flags>>bit&1 != 0 }
	account := ledger.AccountID{Path: path, Asset: currency.AssetID(asset)}
	amount, _ := currency.FromUnits(hi, lo, currency.USD) // one too large is no amount
	var id uuid.UUID
	if is(0) {
		id = uuid.UUID{0: kind, 15: n}
	}
	var at time.Time
	if is(1) {
		at = time.UnixMicro(micros).UTC()
	}
	if is(2) {
		at = at.In(time.FixedZone("", int(kind)*3600))
	}
	note := ledger.Note{Reference: text}
	if is(3) {
		note = ledger.Note{Description: text, Meta: map[string]string{key: text, "b": "", "a": path}}
	}
	var accounts []ledger.AccountID
	var postings []ledger.Posting
	var portions []ledger.Portion
	if is(4) {
		accounts, postings, portions = []ledger.AccountID{}, []ledger.Posting{}, []ledger.Portion{}
	}
	for i := range int(n % 4) {
		accounts = append(accounts, account)
		postings = append(postings, ledger.Posting{Account: account, Side: ledger.Side(int(kind) + i), Amount: amount})
		portions = append(portions, ledger.Portion{Account: account, Amount: amount})
	}
	ref := ledger.Ref{ID: id, Nth: int(int8(n)), New: is(5)}
	return []ledger.Command{
		ledger.OpenAccount{Account: account, Type: ledger.AccountType(kind), Owner: text, Floor: amount},
		ledger.OpenAccount{Account: account, Type: ledger.Liability, Ceiling: amount},
		ledger.Post{ID: id, Postings: postings, EffectiveAt: at, Fact: is(6), Note: note},
		ledger.Import{ID: id, Postings: postings, EffectiveAt: at, Note: note},
		ledger.Draw{ID: id, Amount: amount, From: accounts, To: accounts, EffectiveAt: at, Fact: is(6), Note: note},
		ledger.PlaceHold{ID: id, Account: account, Amount: amount, ExpiresAt: at, Fact: is(6), Note: note},
		ledger.Capture{ID: id, Hold: ref, To: portions, Final: is(7), EffectiveAt: at, Fact: is(6), Note: note},
		ledger.Release{Hold: ref, Amount: amount, All: is(7)},
		ledger.Reverse{ID: id, Transaction: ref, Part: postings, All: is(7), Fact: is(6), Note: note},
		ledger.SetAccount{Account: account, Floor: &amount, Closed: new(is(7))},
		ledger.EraseDocument{Document: ledger.DocumentID{Kind: key, ID: path}, All: is(7), Reason: text},
		ledger.PutDocument{
			DocumentID: ledger.DocumentID{Kind: key, ID: path}, Version: lo, Owner: text, State: asset, Due: at, Lane: key,
			References: []string{text, key, ""}[:n%4], Schema: uint16(kind), Body: json.RawMessage(text[:len(text)*int(flags&1)]),
		},
	}
}
