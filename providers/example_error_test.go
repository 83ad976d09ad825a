package providers_test

import (
	"errors"
	"fmt"
	"net"
	"net/http"

	"github.com/koshpay/kosh/providers"
)

// whatItProves turns what a far side answered into an error, by what the answer proves. A 200 is not its business.
func whatItProves(status int, err error) error {
	switch refused, ok := errors.AsType[*net.OpError](err); {
	case ok && refused.Op == "dial": // there was no connection to send on
		return &providers.Error{Certainty: providers.NotSent, Err: err}
	case err != nil: // it broke, or took too long; the request may have arrived
		return &providers.Error{Err: err}
	case status == http.StatusTooManyRequests: // this far side says that it did nothing
		return &providers.Error{Certainty: providers.NotSent, Code: "rate_limit"}
	case status == http.StatusConflict: // it has the key
		return &providers.Error{Certainty: providers.Duplicate, Code: "key_in_use"}
	case status == http.StatusBadRequest: // it will say the same under this key whenever it is asked
		return &providers.Error{Certainty: providers.Rejected, Code: "bad_request"}
	default: // a 500, a proxy's page, a status nobody heard of
		return &providers.Error{Err: fmt.Errorf("status %d", status)}
	}
}

// The zero value of a certainty is Maybe, so what an adapter forgets to say keeps money held instead of releasing it.
func ExampleError() {
	for _, answer := range []struct {
		status int
		err    error
	}{
		{err: &net.OpError{Op: "dial", Err: errors.New("connection refused")}},
		{err: &net.OpError{Op: "read", Err: errors.New("connection reset by peer")}},
		{status: http.StatusTooManyRequests},
		{status: http.StatusConflict},
		{status: http.StatusBadRequest},
		{status: http.StatusBadGateway},
	} {
		fmt.Println(providers.CertaintyOf(whatItProves(answer.status, answer.err)))
	}
	fmt.Println(providers.CertaintyOf(errors.New("an error that says nothing")))
	// Output:
	// not sent
	// maybe
	// not sent
	// duplicate
	// rejected
	// maybe
	// maybe
}
