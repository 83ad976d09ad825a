package payments

import (
	"context"

	"github.com/koshpay/kosh/providers"
)

// Deliver takes an event into the book as a webhook or poll would.
func Deliver(ctx context.Context, s *Service, provider string, e providers.Event) error {
	return s.deliver(ctx, provider, e)
}
