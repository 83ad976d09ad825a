package payments

import (
	"context"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/providers"
)

// Evidence is everything that a provider said about a payment and that the book has posted.
type Evidence struct {
	Payment   Payment
	Reference string   // the provider's
	Effects   []Posted // in the order in which they were heard of
	Disputes  []Dispute
	Covers    []string // of a settlement: the provider's references of what it settles, if it tells
}

// Posted is an effect as it was posted.
type Posted struct {
	providers.Effect
	Suspense currency.Amount // the part of it that lies in suspense, positive; invalid: nothing ever did
}

// Evidence returns what a provider said about a payment. Whoever may view the payment may see it.
func (s *Service) Evidence(ctx context.Context, actor Actor, id string) (Evidence, error) {
	d, rec, err := s.desk.record(ctx, id)
	if err != nil {
		return Evidence{}, err
	}
	if err := s.desk.maySee(ctx, actor, rec); err != nil {
		return Evidence{}, err
	}
	e := Evidence{Reference: rec.ProviderReference, Covers: rec.Covers}
	if e.Payment, err = rec.payment(d); err != nil {
		return e, err
	}
	for _, x := range rec.Effects {
		e.Effects = append(e.Effects, Posted{
			Effect:   providers.Effect{ID: x.ID, Kind: x.Kind, Amount: x.Amount, Reverses: x.Reverses, Dispute: x.Dispute, At: x.At},
			Suspense: x.Suspense,
		})
	}
	for _, x := range rec.Disputes {
		withdrawn, err := rec.withdrawn(x.ID)
		if err != nil {
			return e, err
		}
		e.Disputes = append(e.Disputes, Dispute{
			ID: x.ID, State: x.State, Amount: x.Amount, Withdrawn: withdrawn, Charged: x.Charged, Reason: x.Reason,
			EvidenceBy: x.EvidenceBy, At: x.At,
		})
	}
	return e, nil
}
