package ledger_test

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/koshpay/kosh/ledger"
)

// A limit is a counter document that a guard reads and writes in the step that records, so that parallel requests cannot
// pass it together. The document's name carries the day; tomorrow has another.
func ExampleGuard() {
	ctx, book, at := exampleBook()
	counter := ledger.DocumentID{Kind: "limit", ID: "ada/tips/2026-07-01"}

	atMostTwo := ledger.Guard{
		Reads: ledger.Reads{Documents: []ledger.DocumentID{counter}},
		Check: func(v ledger.View) ([]ledger.Command, error) {
			d, exists := v.Document(counter)
			var used int
			if exists {
				if err := json.Unmarshal(d.Body, &used); err != nil {
					return nil, err // burns no key: nobody said no
				}
			}
			if used == 2 {
				return nil, ledger.Refuse("daily_limit", "You can tip again tomorrow.", "2 a day")
			}
			body, err := json.Marshal(used + 1)
			if err != nil {
				return nil, err
			}
			return []ledger.Command{ledger.PutDocument{DocumentID: counter, Version: d.Version, Body: body}}, nil
		},
	}
	for i := range 3 {
		_, err := book.Record(ctx, ledger.Entry{
			Key:      fmt.Sprintf("tip/%d", i),
			Guards:   []ledger.Guard{atMostTwo},
			Commands: []ledger.Command{ledger.Transfer(at.ada, at.ben, dollars(1_00))},
		})
		if r, ok := errors.AsType[*ledger.Refusal](err); ok {
			fmt.Println(r.Code.Error(), "·", r.Public)
			continue
		}
		fmt.Println("tipped")
	}
	// Output:
	// tipped
	// tipped
	// ledger: daily limit · You can tip again tomorrow.
}
