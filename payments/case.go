package payments

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"slices"
	"time"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
)

const kindCase = "case"

// maxFindings is how many findings with an effect a case lists.
const maxFindings = 500

// CaseState says whether a person still has to do something.
type CaseState string

// The states of a case. A new finding opens a resolved case again.
const (
	CaseOpen     CaseState = "open"
	CaseResolved CaseState = "resolved"
)

// Case is something that a person must look at. It has the id of the payment, or of the inbox item, that it is about;
// [Service.Resolve] ends it.
type Case struct {
	ID          string
	State       CaseState
	Provider    string
	Member      string
	Findings    []Finding
	Resolutions []Resolved
	OpenedAt    time.Time
}

// Finding is one thing that is wrong.
type Finding struct {
	// Code is amount_differs, not_taken, unattributed, unknown_effect, lost, unexplained, disputed_and_refunded, review, unrecorded; of chains
	// dust, asset_not_enabled, orphaned, halted, too_large, unknown_asset …
	Code   string          `json:"code"`
	Text   string          `json:"text"`
	Effect string          `json:"effect,omitempty"` // the provider's id
	Amount currency.Amount `json:"amount,omitzero"`  // what is in suspense because of it, signed
	At     time.Time       `json:"at"`

	// Asset, Quantity and Raw are of value that arrived and that no Amount can hold, as the provider tells of it: see
	// providers.Quarantined. Nothing was posted.
	Asset    string `json:"asset,omitempty"`
	Quantity string `json:"quantity,omitempty"` // smallest units
	Raw      []byte `json:"raw,omitempty"`
}

// Resolved is what a person decided about a case.
type Resolved struct {
	Action Resolution `json:"action"`
	Member string     `json:"member,omitempty"`
	By     string     `json:"by"`
	Note   string     `json:"note"`
	At     time.Time  `json:"at"`
}

type caseBody struct {
	Provider    string     `json:"provider,omitempty"`
	Findings    []Finding  `json:"findings"`
	Resolutions []Resolved `json:"resolutions,omitempty"`
}

func caseDocument(id string) ledger.DocumentID { return ledger.DocumentID{Kind: kindCase, ID: id} }

func readCase(d ledger.Document) (body caseBody, err error) {
	if err := json.Unmarshal(d.Body, &body); err != nil {
		return body, refuse(ledger.Corrupt, ErrForeignBody, "body", "%s: %v", d.DocumentID, err)
	}
	return body, nil
}

func (b caseBody) put(d ledger.Document, state CaseState) (ledger.PutDocument, error) {
	raw, err := json.Marshal(b)
	return ledger.PutDocument{
		DocumentID: d.DocumentID, Version: d.Version, Owner: d.Owner, State: string(state), Schema: 1, Body: raw,
	}, err
}

// addFindings opens the case, or adds to it, as a guard sees it. A finding that is there already is not added again.
func addFindings(v ledger.View, id, provider, member string, findings []Finding) ([]ledger.Command, error) {
	if len(findings) == 0 || planted("forget-case") {
		return nil, nil
	}
	d, found := v.Document(caseDocument(id))
	body := caseBody{Provider: provider}
	if found {
		var err error
		if body, err = readCase(d); err != nil {
			return nil, err
		}
	}
	known := map[[2]string]bool{}
	for _, f := range body.Findings {
		known[[2]string{f.Code, f.Effect}] = true
	}
	changed := false
	for _, f := range findings {
		switch id := [2]string{f.Code, f.Effect}; {
		case known[id]:
			continue
		case len(body.Findings) >= maxFindings && f.Effect != "":
			if changed = true; known[[2]string{f.Code, ""}] {
				continue
			}
			f = Finding{Code: f.Code, Text: "there are more of them than are listed"}
		}
		f.At, changed = v.Now(), true
		known[[2]string{f.Code, f.Effect}] = true
		body.Findings = append(body.Findings, f)
	}
	if !changed {
		return nil, nil
	}
	d.DocumentID, d.Owner = caseDocument(id), member
	put, err := body.put(d, CaseOpen)
	return []ledger.Command{put}, err
}

// openCase records a finding by itself, once for a key.
func (s *Service) openCase(ctx context.Context, key string, inputs any, id, provider, member string, f Finding) error {
	_, err := s.book.Record(ctx, ledger.Entry{Key: key, Inputs: inputs, Guards: []ledger.Guard{{
		Reads: ledger.Reads{Documents: []ledger.DocumentID{caseDocument(id)}},
		Check: func(v ledger.View) ([]ledger.Command, error) {
			return addFindings(v, id, provider, member, []Finding{f})
		},
	}}})
	return err
}

// CaseQuery says which cases are wanted. The zero value: all that are open.
type CaseQuery struct {
	State    CaseState // empty: CaseOpen
	Code     string    // with a finding of this code
	Provider string
	Member   string
}

func (q CaseQuery) fits(c Case) bool {
	return (q.Provider == "" || q.Provider == c.Provider) && (q.Member == "" || q.Member == c.Member) &&
		(q.Code == "" || slices.ContainsFunc(c.Findings, func(f Finding) bool { return f.Code == q.Code }))
}

// Cases yields the cases asked for, oldest first. Only the host should see them.
func (s *Service) Cases(ctx context.Context, q CaseQuery) iter.Seq2[Case, error] {
	if q.State == "" {
		q.State = CaseOpen
	}
	return func(yield func(Case, error) bool) {
		for d, err := range s.book.Documents(ctx, ledger.Query{List: ledger.ListDocuments, Kind: kindCase, State: string(q.State)}) {
			c := Case{}
			if err == nil {
				c, err = asCase(d)
			}
			if err == nil && !q.fits(c) {
				continue
			}
			if !yield(c, err) || err != nil {
				return
			}
		}
	}
}

// Case returns one case. Only the host should see it. An id without a case is ErrNoCase.
func (s *Service) Case(ctx context.Context, id string) (Case, error) {
	d, err := s.book.Document(ctx, caseDocument(id))
	if errors.Is(err, ledger.NotFound) || errors.Is(err, ledger.Invalid) { // what cannot be an id is none
		return Case{}, refuse(ErrNotFound, ErrNoCase, "case", "there is no case %q", id)
	}
	if err != nil {
		return Case{}, err
	}
	return asCase(d)
}

func asCase(d ledger.Document) (Case, error) {
	body, err := readCase(d)
	return Case{
		ID: d.ID, State: CaseState(d.State), Provider: body.Provider, Member: d.Owner, Findings: body.Findings,
		Resolutions: body.Resolutions, OpenedAt: d.CreatedAt,
	}, err
}
