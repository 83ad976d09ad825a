package payments

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/koshpay/kosh/ledger"
)

// Desk is the part of a [Service] that asks no provider: what it does is recorded in the book, and nothing else. Inside a
// transaction of the host it lets a tip, a like and a notification commit together, or not at all; see [Service.In]. There
// is no method that calls a provider, so waiting for one while the host's transaction holds its locks does not compile.
//
// A deposit, withdrawal or refund is only recorded, with its hold, and has the state Created. A worker ([Service.Run])
// sends it as soon as the host has committed; a host that does not want to wait for the worker calls [Service.Advance].
type Desk struct {
	book     *ledger.Book
	config   Config
	offers   catalogue
	patience time.Duration // how long a worker leaves what was recorded to whoever recorded it
}

// In returns a desk inside a transaction of the host: joined is what a store's Join gives for it, for example
// postgres.Join(tx).
//
//	tip, err := svc.In(postgres.Join(tx)).Tip(ctx, request)
//
// Everything that [ledger.Book.In] says holds: until the host commits, what the desk returns is provisional, after a
// rollback nothing of it was ever there and a key that was declined stands for nothing again, and nothing is tried twice: a
// host that repeats its transaction repeats the requests with their keys. Use the desk last in the transaction, because
// the rows that it names stay locked until the end, and only while the transaction is open.
func (s *Service) In(joined ledger.Store) *Desk {
	return &Desk{book: s.book.In(joined), config: s.config, offers: s.lanes}
}

// carryOut takes the first step of a payment that was just recorded; of one that was recorded before, the next one.
func (s *Service) carryOut(ctx context.Context, p Payment, err error) (Payment, error) {
	if err != nil || p.State.Done() {
		return p, err
	}
	if _, err := s.lanes.provider(p.Provider); err != nil && p.Replayed {
		return p, nil // its provider is not here any more: this is how it stands
	}
	replayed := p.Replayed
	d, rec, err := s.desk.record(ctx, p.ID)
	if err != nil {
		return p, err
	}
	p, err = s.advance(ctx, d, rec, replayed)
	p.Replayed = replayed
	return p, err
}

// request records what an actor asks for, under the actor's own key, and returns the payment that it made or that an
// earlier call with this key made.
func (dk *Desk) request(ctx context.Context, actor Actor, key string, inputs any, id uuid.UUID, e ledger.Entry) (Payment, error) {
	if key == "" {
		return Payment{}, invalid("key", "is empty")
	}
	e.Key = requestKey(actor, key)
	e.Inputs = inputs
	if planted("forget-key") {
		e.Key += id.String()
	}
	if planted("any-inputs") {
		e.Inputs = "any"
	}
	receipt, err := dk.book.Record(ctx, e)
	if err != nil {
		return Payment{Replayed: receipt.Replayed}, err
	}
	document := paymentDocument(id.String())
	if receipt.Replayed {
		if document, err = madeBy(receipt); err != nil {
			return Payment{}, err
		}
	}
	d, err := dk.book.Document(ctx, document)
	if err != nil {
		return Payment{}, err
	}
	p, err := payment(d)
	p.Replayed = receipt.Replayed
	return p, err
}

// madeBy finds the payment that an entry made: its request's own document comes last.
func madeBy(r ledger.Receipt) (ledger.DocumentID, error) {
	for _, results := range [][]ledger.Result{r.Results, r.Guarded} {
		for i := len(results) - 1; i >= 0; i-- {
			if results[i].Document.Kind == kindPayment {
				return results[i].Document, nil
			}
		}
	}
	return ledger.DocumentID{}, refuse(ErrConflict, ledger.ErrKeyConflict, "key", "the key made no payment")
}

// Payment is [Service.Payment] as the host's transaction sees it.
func (dk *Desk) Payment(ctx context.Context, actor Actor, id string) (Payment, error) {
	d, rec, err := dk.record(ctx, id)
	if err != nil {
		return Payment{}, err
	}
	if err := dk.maySee(ctx, actor, rec); err != nil {
		return Payment{}, err
	}
	return rec.payment(d)
}

// maySee lets both sides of a transfer see it, each as what is theirs, and those who may view the payer's.
func (dk *Desk) maySee(ctx context.Context, actor Actor, rec *record) error {
	if rec.Counterparty != "" && actor.member == rec.Counterparty {
		return dk.authorize(ctx, actor, ActView, rec.Counterparty)
	}
	return dk.authorize(ctx, actor, ActView, rec.Member)
}

func (dk *Desk) load(ctx context.Context, id string) (Payment, error) {
	d, rec, err := dk.record(ctx, id)
	if err != nil {
		return Payment{}, err
	}
	return rec.payment(d)
}

func (dk *Desk) record(ctx context.Context, id string) (ledger.Document, *record, error) {
	d, err := dk.document(ctx, id)
	if err != nil {
		return d, nil, err
	}
	rec, err := readRecord(d)
	return d, rec, err
}

func (dk *Desk) document(ctx context.Context, id string) (ledger.Document, error) {
	if !parseKey(id) {
		return ledger.Document{}, refuse(ErrNotFound, ErrNoPayment, "id", "%q is not the id of a payment", id)
	}
	d, err := dk.book.Document(ctx, paymentDocument(id))
	if errors.Is(err, ledger.NotFound) {
		return d, refuse(ErrNotFound, ErrNoPayment, "id", "there is no payment %s", id)
	}
	return d, err
}

// again answers a request that cannot be prepared any more, because a provider, rate or instrument has gone since: when
// its key was used before, with what that made; else with the cause.
func (dk *Desk) again(ctx context.Context, actor Actor, key string, inputs any, cause error) (Payment, error) {
	switch _, err := dk.book.Receipt(ctx, requestKey(actor, key)); {
	case errors.Is(err, ledger.ErrKeyNotFound):
		return Payment{}, cause
	case errors.Is(err, ledger.Unavailable):
		return Payment{}, err // the key may have been used or not: the same call again will tell
	}
	return dk.request(ctx, actor, key, inputs, uuid.Nil, ledger.Entry{})
}

func requestKey(actor Actor, key string) string {
	if planted("unscoped-key") {
		actor = Actor{}
	}
	return "req/" + actor.String() + "/" + key
}

// tagged is what a request's key stands for: the request and what was wanted with it.
type tagged struct {
	Kind    Kind `json:"kind"`
	Request any  `json:"request"`
}
