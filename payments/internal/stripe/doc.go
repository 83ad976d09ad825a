// Package stripe tries package payments over the Stripe adapter, end to end: a host's HTTP server, a pretend Stripe across a real
// connection, and webhooks that come twice, late, in any order, and before the response that they are about. It is here and not
// with the adapter because providers know nothing of payments.
package stripe
