package stripe

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	api "github.com/stripe/stripe-go/v82"

	"github.com/koshpay/kosh/providers"
)

var (
	errQuery   = errors.New("stripe: the query names no operation")
	errTooMany = errors.New("stripe: too many operations since then to look through")
)

func isNotFound(err error) bool { return errors.Is(err, providers.ErrNotFound) }

// notSent is an error before anything was sent.
func notSent(err error) error { return &providers.Error{Certainty: providers.NotSent, Err: err} }

// failure says what an error of a request that does something tells about the far side. An error of Stripe's or of the network
// is not wrapped but told in words of ours: theirs can carry a client secret, and hosts print errors.
//
//	not connected                              NotSent
//	401, 403: the key is wrong or may not      NotSent: refused before anything is executed
//	429: too many requests, or a locked object NotSent: Stripe documents that it limits before executing, and stores no answer
//	400 idempotency_error                      Duplicate: the key's first operation is alive
//	400, 402, 404: refused as such             Rejected; a moment's lack of balance is Maybe on a second attempt
//	409: the key is in use                     Maybe: the first request under it is running
//	5xx, garbage, a lost connection, time-out  Maybe
func (p *Provider) failure(err error, op providers.Operation) error {
	e := &providers.Error{Err: p.plain(err)}
	answer, ok := errors.AsType[*api.Error](err)
	if !ok {
		if dial, ok := errors.AsType[*net.OpError](err); ok && dial.Op == "dial" {
			e.Certainty = providers.NotSent
		}
		return e
	}
	e.Code, e.RetryAfter = code(answer), retryAfter(answer)
	switch {
	case answer.HTTPStatusCode == http.StatusConflict:
	case answer.HTTPStatusCode == http.StatusTooManyRequests,
		answer.HTTPStatusCode == http.StatusUnauthorized, answer.HTTPStatusCode == http.StatusForbidden:
		if known(answer) {
			e.Certainty = providers.NotSent
		}
	case answer.Type == api.ErrorTypeIdempotency:
		e.Certainty = providers.Duplicate
	case answer.HTTPStatusCode >= 400 && answer.HTTPStatusCode < 500 && known(answer):
		e.Certainty = providers.Rejected
		if answer.Type == api.ErrorTypeCard {
			e.Public = public(answer)
		}
		// What was refused for a reason of the moment may have been accepted before.
		if op.Attempt > 0 && answer.Code == api.ErrorCodeBalanceInsufficient {
			e.Certainty = providers.Maybe
		}
	}
	return e
}

// known tells whether an answer is Stripe's: something in between may answer 403 too, and not know whether it passed the request on.
func known(e *api.Error) bool {
	switch e.Type {
	case api.ErrorTypeCard, api.ErrorTypeInvalidRequest, api.ErrorTypeIdempotency:
		return true
	case api.ErrorTypeAPI, api.ErrorTypeTemporarySessionExpired:
	}
	return false
}

// lookupFailure is failure of a request that only reads.
func (p *Provider) lookupFailure(err error) error {
	if answer, ok := errors.AsType[*api.Error](err); ok {
		if answer.HTTPStatusCode == http.StatusNotFound && answer.Code == api.ErrorCodeResourceMissing {
			return fmt.Errorf("stripe: %w", providers.ErrNotFound)
		}
		return &providers.Error{Code: code(answer), RetryAfter: retryAfter(answer), Err: p.plain(err)}
	}
	if isNotFound(err) || errors.Is(err, errQuery) {
		return err
	}
	return &providers.Error{Err: p.plain(err)}
}

// plain says in words of ours what went wrong, without a secret. What ended the context stays recognisable.
func (p *Provider) plain(err error) error {
	var text string
	if answer, ok := errors.AsType[*api.Error](err); ok {
		text = "stripe: answered " + strconv.Itoa(answer.HTTPStatusCode)
		switch answer.HTTPStatusCode {
		case http.StatusUnauthorized:
			text += ": the API key is wrong or was revoked; put the account's current one into Config.Key"
		case http.StatusForbidden:
			text += ": the API key may not do this; give the restricted key that permission, or the account that capability"
		case http.StatusTooManyRequests:
			text += ": too many requests, or the object is locked by another one; nothing was executed"
		case http.StatusConflict:
			text += ": another request under the same key is running"
		}
		for _, part := range []struct{ name, value string }{
			{"code", code(answer)}, {"parameter", answer.Param}, {"request", answer.RequestID}, {"message", answer.Msg},
		} {
			if part.value != "" && !hasSecret(part.value) {
				text += fmt.Sprintf("; %s %.300q", part.name, part.value)
			}
		}
		return errors.New(p.redact(text))
	}
	for _, ended := range []error{context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, ended) {
			return fmt.Errorf("stripe: no answer: %w", ended)
		}
	}
	if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
		return errors.New("stripe: no answer in time")
	}
	if network, ok := errors.AsType[*net.OpError](err); ok {
		return errors.New(p.redact("stripe: " + network.Op + ": " + network.Err.Error()))
	}
	if errors.Is(err, errAnswer) || errors.Is(err, errTooMany) || errors.Is(err, errState) {
		return errors.New(p.redact(err.Error()))
	}
	// The rest quotes the answer, whatever was in it.
	return errors.New("stripe: the connection broke or the answer cannot be read")
}

// redact takes the secrets out of a text that quotes the far side. Stripe shortens keys itself; what pretends to be Stripe need not.
func (p *Provider) redact(text string) string {
	for _, secret := range append([]string{p.config.Key}, p.config.WebhookSecrets...) {
		text = strings.ReplaceAll(text, secret, "[secret]")
	}
	return text
}

// hasSecret tells whether a text of the far side's quotes what looks like a key or a client secret.
func hasSecret(text string) bool {
	return slices.ContainsFunc([]string{"_secret_", "sk_live_", "sk_test_", "rk_live_", "rk_test_", "whsec_"}, func(mark string) bool {
		return strings.Contains(text, mark)
	})
}

// code is Stripe's code of an error, the issuer's reason for a decline, or the type.
func code(e *api.Error) string {
	for _, c := range []string{string(e.DeclineCode), string(e.Code), string(e.Type)} {
		if c != "" && c != string(api.DeclineCodeGenericDecline) {
			return short(c)
		}
	}
	return strconv.Itoa(e.HTTPStatusCode)
}

func short(s string) string { return strings.ToValidUTF8(s[:min(len(s), providers.MaxName)], "") }

func retryAfter(e *api.Error) time.Duration {
	if e.LastResponse == nil {
		return 0
	}
	seconds, err := strconv.Atoi(e.LastResponse.Header.Get("Retry-After"))
	if err != nil || seconds < 0 || seconds > 3600 {
		return 0
	}
	return time.Duration(seconds) * time.Second
}

// public is what may be shown to the person of a decline: Stripe writes the messages of card errors for them.
func public(e *api.Error) string {
	if e == nil {
		return ""
	}
	return sentence(e.Msg)
}

// sentence makes a text fit to be a reason: printing, not too long, and without a card's number.
func sentence(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	if len(s) > providers.MaxText {
		s = strings.ToValidUTF8(s[:providers.MaxText], "")
	}
	if providers.LooksLikeCardNumber(s) || hasSecret(s) {
		return ""
	}
	return s
}
