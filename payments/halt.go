package payments

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/providers"
)

// This file is about what a provider tells that is for people first: that it stopped by itself, and that something came
// which no amount can hold.

// findingHalted is the code of the finding of a provider that stopped by itself.
const findingHalted = "halted"

// haltRest is how long a payment waits that was not sent because its provider is halted. No number of such waits fails it.
const haltRest = 5 * time.Minute

// maxHalts is how many halts the case of a provider remembers.
const maxHalts = 100

// halted opens the case of a provider that stopped by itself. One that is open stays as it is.
func (s *Service) halted(ctx context.Context, provider string, cause error) error {
	return s.turnHalt(ctx, provider, CaseOpen, func(b *caseBody) {
		b.Provider = provider
		b.Findings = append(b.Findings, Finding{Code: findingHalted, Text: clip(cause.Error()), At: s.book.Now()})
		b.Findings = b.Findings[max(len(b.Findings)-maxHalts, 0):]
	})
}

// resumed closes that case, if it is open: polling works again.
func (s *Service) resumed(ctx context.Context, provider string) error {
	return s.turnHalt(ctx, provider, CaseResolved, func(b *caseBody) {
		b.Resolutions = append(b.Resolutions, Resolved{Action: Known, By: "kosh", Note: "the provider answers again", At: s.book.Now()})
		b.Resolutions = b.Resolutions[max(len(b.Resolutions)-maxHalts, 0):]
	})
}

// turnHalt brings a provider's case into a state, unless it is in it.
func (s *Service) turnHalt(ctx context.Context, provider string, to CaseState, change func(*caseBody)) error {
	id := caseDocument(derivedID(findingHalted, provider).String())
	d, err := s.book.Document(ctx, id)
	switch {
	case err == nil && CaseState(d.State) == to:
		return nil
	case err != nil && ledger.ClassOf(err) != ledger.NotFound:
		return err
	case err != nil && to == CaseResolved:
		return nil
	}
	var body caseBody
	if d.Version > 0 {
		if body, err = readCase(d); err != nil {
			return err
		}
	}
	change(&body)
	d.DocumentID = id
	put, err := body.put(d, to)
	if err != nil {
		return err
	}
	key := stepKey(id.ID, d.Version, string(to))
	_, err = s.book.Record(ctx, ledger.Entry{Key: key, Inputs: key, Commands: []ledger.Command{put}})
	if ledger.ClassOf(err) == ledger.Conflict {
		return nil // another worker, or a person, was first
	}
	return err
}

// quarantine opens a case for everything that arrived and cannot be an amount, once each: of its member, if the address is known.
func (s *Service) quarantine(ctx context.Context, provider string, r providers.Report) error {
	of := ""
	if rec, err := s.keyed(ctx, provider, r.Key); err != nil {
		return err
	} else if rec != nil {
		of = rec.ID
	}
	address, err := s.attribute(ctx, provider, r.Address, of)
	if err != nil {
		return err
	}
	member := ""
	if address != nil {
		member = address.Member
	}
	for _, q := range r.Quarantined {
		id := derivedID("quarantine", provider, q.ID).String()
		err := s.openCase(ctx, "quarantine/"+id, "quarantine", id, provider, member, Finding{
			Code: q.Code, Text: clip(fmt.Sprintf("%s of %s came to %q and is not in our books", q.Quantity, q.Asset, r.Address)),
			Effect: q.ID, Asset: q.Asset, Quantity: q.Quantity, Raw: q.Raw,
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// clip makes what others wrote fit for a finding: one line of text, not too long.
func clip(s string) string {
	s = strings.Join(strings.Fields(strings.ToValidUTF8(s, "�")), " ")
	for len(s) > ledger.MaxTextBytes {
		_, size := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-size]
	}
	return s
}
