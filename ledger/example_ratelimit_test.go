package ledger_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/koshpay/kosh/ledger"
)

// A sliding rate limit: at most so many cents in any 24 hours. The guard keeps what was spent, with its moments, in a document
// of the member and forgets what is older; the ledger's time, View.Now, is the only clock it looks at. A decline burns its
// key, so tomorrow's try is a new request.
func ExampleGuard_slidingLimit() {
	ctx, book, at := exampleBook()
	type spent struct {
		At    time.Time `json:"at"`
		Cents int64     `json:"cents"`
	}
	atMost := func(cents, limit int64) ledger.Guard {
		id := ledger.DocumentID{Kind: "limit", ID: "ada/tips"}
		return ledger.Guard{Reads: ledger.Reads{Documents: []ledger.DocumentID{id}}, Check: func(v ledger.View) ([]ledger.Command, error) {
			var all, recent []spent
			d, exists := v.Document(id)
			if exists {
				if err := json.Unmarshal(d.Body, &all); err != nil {
					return nil, err
				}
			}
			sum := cents
			for _, s := range all {
				if v.Now().Sub(s.At) < 24*time.Hour {
					recent, sum = append(recent, s), sum+s.Cents
				}
			}
			if sum > limit {
				return nil, ledger.Refuse("daily_limit", "You have reached the limit of today.", fmt.Sprint(sum, " of ", limit))
			}
			body, err := json.Marshal(append(recent, spent{v.Now(), cents}))
			return []ledger.Command{ledger.PutDocument{DocumentID: id, Version: d.Version, Body: body}}, err
		}}
	}
	for i, cents := range []int64{6_00, 5_00, 4_00} {
		_, err := book.Record(ctx, ledger.Entry{
			Key: fmt.Sprint("tip/", i), Guards: []ledger.Guard{atMost(cents, 10_00)},
			Commands: []ledger.Command{ledger.Transfer(at.ada, at.ben, dollars(cents))},
		})
		if r, ok := errors.AsType[*ledger.Refusal](err); ok {
			fmt.Println(r.Public, r.Private)
			continue
		}
		fmt.Println("tipped", dollars(cents))
	}
	// Output:
	// tipped 6.00 USD
	// You have reached the limit of today. 1100 of 1000
	// tipped 4.00 USD
}
