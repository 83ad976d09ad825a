package ledger_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/ledger"
)

// Whatever single thing of whatever command is another, a used key conflicts: no retry that asks for something else is told
// that it was done. What is no command at all is invalid before anybody looks at the key.
func TestEveryFieldOfACommandIsOfItsKey(t *testing.T) {
	w, p := lived(t)
	note := ledger.Note{Reference: "post/1", Description: "for the song", Meta: map[string]string{"a": "1", "b": "2"}}
	pay := ledger.Transfer(alice, bob, dollars(5)).Postings
	at := w.Now().Add(-time.Hour)
	fresh := ledger.AccountID{Path: "wallet/fresh", Asset: "USD"}
	used := []ledger.Command{
		ledger.OpenAccount{Account: fresh, Type: ledger.Liability, Owner: "fay", Floor: dollars(-100), Ceiling: dollars(500)},
		ledger.Post{Postings: pay},
		ledger.Post{ID: ledger.ID{1}, Postings: pay, EffectiveAt: at, Fact: true, Note: note},
		ledger.Import{ID: ledger.ID{2}, Postings: pay, EffectiveAt: at, Note: note},
		ledger.Draw{ID: ledger.ID{3}, Amount: dollars(7), From: []ledger.AccountID{alice, owed}, To: []ledger.AccountID{fresh, bank}, EffectiveAt: at, Note: note},
		ledger.PlaceHold{ID: ledger.ID{4}, Account: alice, Amount: dollars(9), ExpiresAt: w.Now().Add(time.Hour), Note: note},
		ledger.Release{Hold: ledger.ByID(p.open), Amount: dollars(1)},
		ledger.Capture{
			ID: ledger.ID{5}, Hold: ledger.ByID(p.open), EffectiveAt: at, Note: note,
			To: []ledger.Portion{{Account: bob, Amount: dollars(3)}, {Account: fees, Amount: dollars(2)}},
		},
		ledger.Reverse{ID: ledger.ID{6}, Transaction: ledger.ByID(p.paid), Part: pay, Note: note},
		ledger.SetAccount{
			Account: fresh, Floor: new(dollars(-50)), Ceiling: new(dollars(600)), DebitsFrozen: new(true), CreditsFrozen: new(false), Closed: new(false),
		},
		ledger.PutDocument{
			DocumentID: ledger.DocumentID{Kind: "tip", ID: "1"}, Version: 1, Owner: "alice", State: "done", Due: at, Lane: "cards",
			References: []string{"post/8", "post/9"}, Schema: 2, Body: json.RawMessage(`{"a":[1,"x"]}`),
		},
		ledger.EraseDocument{Document: ledger.DocumentID{Kind: "tip", ID: "1"}, Versions: []uint64{1, 2}, Reason: "request 7"},
		ledger.Transfer(alice, bob, dollars(1_000_000)), // which is declined
	}
	for i, c := range used {
		_, err := w.Record(t.Context(), ledger.Entry{Key: fmt.Sprint("used ", i), Commands: []ledger.Command{c}})
		if i < len(used)-1 {
			require.NoError(t, err, "%T", c)
		} else {
			require.ErrorIs(t, err, ledger.Declined)
		}
	}
	before := dump(t, w.store, w.Name())
	tried, conflicts := 0, 0
	for i, c := range used {
		for _, m := range mutants(reflect.ValueOf(c)) {
			e := ledger.Entry{Key: fmt.Sprint("used ", i), Commands: []ledger.Command{m.row.Interface().(ledger.Command)}}
			_, err := w.Record(t.Context(), e)
			tried++
			if errors.Is(err, ledger.ErrKeyConflict) {
				conflicts++
				continue
			}
			require.ErrorIs(t, err, ledger.Invalid, "%T with another %s", c, m.path)
		}
	}
	require.Equal(t, before, dump(t, w.store, w.Name()))
	t.Logf("%d commands with one thing changed: %d conflicts, %d no commands", tried, conflicts, tried-conflicts)
	require.Greater(t, conflicts, 100)
}
