package payments

import (
	"context"
	"encoding/json"
	"iter"
	"time"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
)

const kindCase = "case"

// Case is something that a person must look at. It has the id of the payment, or of the inbox item, that it is about.
type Case struct {
	ID       string
	Provider string
	Member   string
	Findings []Finding
	OpenedAt time.Time
}

// Finding is one thing that is wrong.
type Finding struct {
	Code   string          `json:"code"` // amount_differs, wrong_asset, not_taken, unattributed, unknown_effect, lost …
	Text   string          `json:"text"`
	Effect string          `json:"effect,omitempty"` // the provider's id
	Amount currency.Amount `json:"amount,omitzero"`  // what is in suspense because of it, signed
	At     time.Time       `json:"at"`
}

type caseBody struct {
	Provider string    `json:"provider,omitempty"`
	Findings []Finding `json:"findings"`
}

func caseDocument(id string) ledger.DocumentID { return ledger.DocumentID{Kind: kindCase, ID: id} }

// addFindings opens the case, or adds to it, as a guard sees it. A finding that is there already is not added again.
func addFindings(v ledger.View, id, provider, member string, findings []Finding) ([]ledger.Command, error) {
	if len(findings) == 0 {
		return nil, nil
	}
	d, found := v.Document(caseDocument(id))
	body := caseBody{Provider: provider}
	if found {
		if err := json.Unmarshal(d.Body, &body); err != nil {
			return nil, refuse(ledger.Corrupt, ErrForeignBody, "body", "%s: %v", d.DocumentID, err)
		}
	}
	known := map[[2]string]bool{}
	for _, f := range body.Findings {
		known[[2]string{f.Code, f.Effect}] = true
	}
	before := len(body.Findings)
	for _, f := range findings {
		if !known[[2]string{f.Code, f.Effect}] {
			f.At = v.Now()
			body.Findings = append(body.Findings, f)
		}
	}
	if len(body.Findings) == before {
		return nil, nil
	}
	raw, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	return []ledger.Command{ledger.PutDocument{
		DocumentID: caseDocument(id), Version: d.Version, Owner: member, State: "open", Schema: 1, Body: raw,
	}}, nil
}

// Cases yields the open cases, oldest first. Only the host should see them.
func (s *Service) Cases(ctx context.Context) iter.Seq2[Case, error] {
	return func(yield func(Case, error) bool) {
		for d, err := range s.book.Documents(ctx, ledger.Query{List: ledger.ListDocuments, Kind: kindCase, State: "open"}) {
			c := Case{ID: d.ID, Member: d.Owner, OpenedAt: d.CreatedAt}
			if err == nil {
				var body caseBody
				err = json.Unmarshal(d.Body, &body)
				c.Provider, c.Findings = body.Provider, body.Findings
			}
			if !yield(c, err) || err != nil {
				return
			}
		}
	}
}
