package payments

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/providers"
)

// ReconcileRequest asks to compare a provider's own account statement with our books.
type ReconcileRequest struct {
	Provider    string
	Since       time.Time // movements from here on, inclusive, by the provider's own time
	Until       time.Time // up to here, exclusive
	OpenCases   bool      // open a case for everything that does not match and is older than Grace
	Grace       time.Duration
	MaxFindings int // how many differences are told at most; 0: 1,000. Sums and counts are of all
}

// Difference says how a movement of a provider does not match.
type Difference string

// The differences.
const (
	MissingHere  Difference = "missing_here"  // the provider has it, our books have not: on its way, or lost
	MissingThere Difference = "missing_there" // our books have it, the provider has not
	Differing    Difference = "differing"     // both have it, with another amount or of another kind
)

// Mismatch is a movement that does not match.
type Mismatch struct {
	Difference Difference
	Theirs     providers.Movement // the zero value when it is missing there
	Ours       providers.Effect   // the zero value when it is missing here
	Payment    string             // the id of ours, if it is known
	Age        time.Duration      // since it moved, by the provider's own time
}

// Reconciliation is the outcome of a comparison.
type Reconciliation struct {
	Provider     string
	Since, Until time.Time
	Matched      int
	Missing      int // here or there
	Differing    int
	Mismatches   []Mismatch // the provider's own first, in its order; then ours
	Totals       []ReconciledTotal
	Cases        []string // opened, or open already
}

// ReconciledTotal compares what moved in one asset.
type ReconciledTotal struct {
	Asset   currency.AssetID
	Theirs  currency.Amount // the sum of the provider's movements
	Ours    currency.Amount // the sum of those posted in our books, by the provider's time
	Differs currency.Amount // theirs − ours: zero, or the sum of the mismatches
}

// OK tells whether everything matches.
func (r Reconciliation) OK() bool { return r.Missing == 0 && r.Differing == 0 }

// maxMismatches is how many differences are told when nobody says.
const maxMismatches = 1_000

// Reconcile compares what the provider says moved on our balance in a period with what the clearing accounts were posted with,
// movement by movement. It changes nothing but the cases that it is asked to open, one a movement, each once however often
// it is reconciled. The provider must implement providers.Lister; else it is ErrUnsupported. What happened in the last
// minutes is often missing here only because its webhook is under way: see Mismatch.Age and Grace.
func (s *Service) Reconcile(ctx context.Context, r ReconcileRequest) (Reconciliation, error) {
	p, err := s.lanes.provider(r.Provider)
	if err != nil {
		return Reconciliation{}, err
	}
	lister, ok := providers.As[providers.Lister](p)
	if !ok {
		return Reconciliation{}, refuse(ErrInvalid, ErrUnsupported, "provider", "%s lists no movements", r.Provider)
	}
	if !r.Since.Before(r.Until) {
		return Reconciliation{}, invalid("until", "is not after since")
	}
	if r.Grace < 0 {
		return Reconciliation{}, invalid("grace", "is negative")
	}
	if r.MaxFindings <= 0 {
		r.MaxFindings = maxMismatches
	}
	c := &comparison{
		service: s, request: r, now: s.book.Now(), theirs: map[string]bool{}, totals: map[currency.AssetID]*ReconciledTotal{},
		result: Reconciliation{Provider: r.Provider, Since: r.Since, Until: r.Until},
	}
	if err := c.listTheirs(ctx, lister); err != nil {
		return Reconciliation{}, err
	}
	if err := c.listOurs(ctx); err != nil {
		return Reconciliation{}, err
	}
	return c.result, c.sum()
}

// comparison is a reconciliation under way.
type comparison struct {
	service *Service
	request ReconcileRequest
	now     time.Time
	theirs  map[string]bool // effects that the provider lists
	order   []currency.AssetID
	totals  map[currency.AssetID]*ReconciledTotal
	result  Reconciliation
}

func (c *comparison) total(asset *currency.Definition) *ReconciledTotal {
	t := c.totals[asset.ID()]
	if t == nil {
		t = &ReconciledTotal{Asset: asset.ID(), Theirs: currency.Zero(asset), Ours: currency.Zero(asset)}
		c.totals[asset.ID()] = t
		c.order = append(c.order, asset.ID())
	}
	return t
}

func (c *comparison) listTheirs(ctx context.Context, l providers.Lister) error {
	cursor := ""
	for {
		movements, next, err := l.List(ctx, c.request.Since, c.request.Until, cursor, batch)
		if err != nil {
			r := refuse(ErrUnavailable, ErrNoProvider, "provider", "%s does not list its movements", c.request.Provider)
			r.Cause = err
			return r
		}
		for _, m := range movements {
			if err := c.match(ctx, m); err != nil {
				return err
			}
		}
		if next == "" {
			return nil
		}
		if next == cursor {
			return refuse(ErrUnavailable, ErrUnsupported, "provider", "%s lists the same page again", c.request.Provider)
		}
		cursor = next
	}
}

// match looks for one of their movements in our books.
func (c *comparison) match(ctx context.Context, m providers.Movement) error {
	if m.ID == "" || !m.Amount.IsValid() || c.theirs[m.ID] {
		return refuse(ErrUnavailable, ErrUnsupported, "provider", "%s lists movement %q without an amount, or twice", c.request.Provider, m.ID)
	}
	c.theirs[m.ID] = true
	t := c.total(m.Amount.Asset())
	var err error
	if t.Theirs, err = t.Theirs.Add(m.Amount); err != nil {
		return err
	}
	n := news{provider: c.request.Provider}
	found := Mismatch{Difference: MissingHere, Theirs: m, Payment: m.Key}
	switch d, err := c.service.book.ByReference(ctx, n.effectReference(m.ID)); {
	case errors.Is(err, ledger.NotFound):
	case err != nil:
		return err
	default:
		rec, err := readRecord(d)
		if err != nil {
			return err
		}
		e := rec.effect(m.ID)
		if e == nil {
			return refuse(ledger.Corrupt, ledger.ErrCorrupt, "effect", "payment %s has the reference of effect %s and not the effect", rec.ID, m.ID)
		}
		if !c.within(e.At) { // it belongs to another period here
			if t.Ours, err = t.Ours.Add(e.Amount); err != nil {
				return err
			}
		}
		if e.Amount == m.Amount && e.Kind == m.Kind {
			c.result.Matched++
			return nil
		}
		found.Difference, found.Ours, found.Payment = Differing, e.public(), rec.ID
	}
	return c.report(ctx, found, m.At)
}

func (e *effect) public() providers.Effect {
	return providers.Effect{ID: e.ID, Kind: e.Kind, Amount: e.Amount, Reverses: e.Reverses, Dispute: e.Dispute, At: e.At}
}

// listOurs goes through the lines of the clearing accounts. What moved in the period was posted after it began.
func (c *comparison) listOurs(ctx context.Context) error {
	accounts := ledger.Query{List: ledger.ListAccounts, Path: ClearingAccount(c.request.Provider, "").Path}
	seen := map[string]bool{}
	for a, err := range c.service.book.Accounts(ctx, accounts) {
		if err != nil {
			return err
		}
		// A provider's clock may be behind ours, or ahead of it: nothing is posted long before it happened.
		since := c.request.Since.Add(-ledger.MaxPostdate)
		for l, err := range c.service.book.Lines(ctx, ledger.Query{List: ledger.ListLines, Account: a.ID, Since: since}) {
			if err != nil {
				return err
			}
			if l.Transaction == (ledger.ID{}) {
				continue
			}
			t, err := c.service.book.Transaction(ctx, l.Transaction)
			if err != nil {
				return err
			}
			if seen[t.Reference] {
				continue
			}
			seen[t.Reference] = true
			if err := c.ours(ctx, t.Reference); err != nil {
				return err
			}
		}
	}
	return nil
}

// ours looks for the effects of one of our payments among theirs.
func (c *comparison) ours(ctx context.Context, payment string) error {
	_, rec, err := c.service.desk.record(ctx, payment)
	if err != nil {
		return err
	}
	if rec.Provider != c.request.Provider {
		return nil
	}
	for i := range rec.Effects {
		e := &rec.Effects[i]
		if !c.within(e.At) {
			continue
		}
		t := c.total(e.Amount.Asset())
		if t.Ours, err = t.Ours.Add(e.Amount); err != nil {
			return err
		}
		if c.theirs[e.ID] {
			continue
		}
		if err := c.report(ctx, Mismatch{Difference: MissingThere, Ours: e.public(), Payment: rec.ID}, e.At); err != nil {
			return err
		}
	}
	return nil
}

func (c *comparison) within(at time.Time) bool {
	return !at.Before(c.request.Since) && at.Before(c.request.Until)
}

// report counts a mismatch, tells it and opens its case.
func (c *comparison) report(ctx context.Context, m Mismatch, at time.Time) error {
	if m.Age = max(c.now.Sub(at), 0); m.Difference == Differing {
		c.result.Differing++
	} else {
		c.result.Missing++
	}
	if len(c.result.Mismatches) < c.request.MaxFindings {
		c.result.Mismatches = append(c.result.Mismatches, m)
	}
	if !c.request.OpenCases || m.Age < c.request.Grace {
		return nil
	}
	effect, amount := m.Theirs.ID, m.Theirs.Amount
	if m.Difference == MissingThere {
		effect, amount = m.Ours.ID, m.Ours.Amount
	}
	id := derivedID("reconcile", c.request.Provider, effect).String()
	text := strings.ReplaceAll(string(m.Difference), "_", " ") + ": " + amount.String() + " of " + c.request.Provider
	if m.Payment != "" {
		text += ", payment " + m.Payment
	}
	finding := Finding{Code: string(m.Difference), Text: text, Effect: effect}
	key := "reconcile/" + id + "/" + string(m.Difference)
	err := c.service.openCase(ctx, key, []string{c.request.Provider, effect, string(m.Difference)}, id, c.request.Provider, "", finding)
	if err == nil {
		c.result.Cases = append(c.result.Cases, id)
	}
	return err
}

// sum makes the totals, in the order in which assets were met.
func (c *comparison) sum() error {
	for _, asset := range c.order {
		t := c.totals[asset]
		var err error
		if t.Differs, err = t.Theirs.Sub(t.Ours); err != nil {
			return err
		}
		c.result.Totals = append(c.result.Totals, *t)
	}
	return nil
}
