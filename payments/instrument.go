package payments

import (
	"cmp"
	"context"
	"iter"

	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/providers"
)

// LinkRequest asks to link a card or bank account.
type LinkRequest struct {
	Key    string           `json:"-"`
	Actor  Actor            `json:"-"`
	Member string           `json:"member"` // empty: the actor
	Method providers.Method `json:"method"`
	// Token is the one-time token that the member's device got from the provider; never a card or account number.
	Token    string `json:"token"`
	Provider string `json:"provider,omitempty"` // empty: the first that links this method
}

// Instrument is a linked card, bank account or address.
type Instrument struct {
	ID       string // of the payment of kind Link that made it
	Member   string
	State    State // Succeeded: usable
	Provider string
	Method   providers.Method
	Label    string // for people: "Visa •• 4242"
	Last4    string
	Expiry   string
	Reason   providers.Reason
	Action   *providers.Action // see Payment.Action
	Replayed bool
}

// Link links a card or bank account by the provider's token. An instrument whose provider wants something of the member
// first has the state ActionRequired; one that the provider refuses has the state Failed with a Reason.
func (s *Service) Link(ctx context.Context, r LinkRequest) (Instrument, error) {
	r.Member = cmp.Or(r.Member, r.Actor.member)
	if err := checkMember("member", r.Member); err != nil {
		return Instrument{}, err
	}
	if r.Method == "" {
		return Instrument{}, invalid("method", "is empty")
	}
	if err := first(checkReference("method", string(r.Method)), checkNoCard("token", r.Token), checkOpaque("token", r.Token)); err != nil {
		return Instrument{}, err
	}
	if err := s.desk.authorize(ctx, r.Actor, ActLink, r.Member); err != nil {
		return Instrument{}, err
	}
	all := s.desk.routes(r.Provider, providers.Link, r.Method, "") // a link is about no asset
	if len(all) == 0 {
		err := refuse(ErrInvalid, ErrUnsupported, "method", "no provider links a %q", r.Method)
		p, again := s.desk.again(ctx, r.Actor, r.Key, tagged{Link, r}, err)
		if again != nil {
			return Instrument{Replayed: p.Replayed}, again
		}
		return s.instrument(ctx, p.ID)
	}
	id := s.config.NewID()
	rec := &record{ID: id.String(), Kind: Link, Member: r.Member, Token: r.Token}
	rec.Provider, rec.Method = all[0].name, r.Method // the token is that provider's: no other one can link it
	p, err := s.desk.start(ctx, r.Actor, r.Key, r, rec, s.desk.guards(Proposal{Kind: Link, Actor: r.Actor, Member: r.Member}, rec.ID))
	p, err = s.carryOut(ctx, p, err)
	if err != nil {
		return Instrument{Replayed: p.Replayed}, err
	}
	i, err := s.instrument(ctx, p.ID)
	i.Action, i.Replayed = p.Action, p.Replayed
	return i, err
}

// Instruments yields the member's instruments, oldest first, whatever their state.
func (s *Service) Instruments(ctx context.Context, actor Actor, member string) iter.Seq2[Instrument, error] {
	return func(yield func(Instrument, error) bool) {
		err := first(checkMember("member", member), s.desk.authorize(ctx, actor, ActView, member))
		if err != nil {
			yield(Instrument{}, err)
			return
		}
		for d, err := range s.book.Documents(ctx, ledger.Query{List: ledger.ListDossier, Owner: member, Kind: kindPayment}) {
			if err != nil {
				yield(Instrument{}, err)
				return
			}
			r, err := readRecord(d)
			if err == nil && r.Kind != Link {
				continue
			}
			if !yield(r.asInstrument(), err) || err != nil {
				return
			}
		}
	}
}

func (s *Service) instrument(ctx context.Context, id string) (Instrument, error) {
	d, err := s.desk.document(ctx, id)
	if err != nil {
		return Instrument{}, err
	}
	r, err := readRecord(d)
	return r.asInstrument(), err
}

func (r *record) asInstrument() Instrument {
	if r == nil {
		return Instrument{}
	}
	i := Instrument{ID: r.ID, Member: r.Member, State: r.state(), Provider: r.Provider, Method: r.Method, Reason: r.Reason}
	if r.Linked != nil {
		i.Label, i.Last4, i.Expiry = r.Linked.Label, r.Linked.Last4, r.Linked.Expiry
	}
	return i
}

// usable loads a member's own linked instrument.
func (dk *Desk) usable(ctx context.Context, id, member string) (*record, error) {
	d, err := dk.document(ctx, id)
	if err != nil {
		if ledger.ClassOf(err) == ErrUnavailable {
			return nil, err
		}
		return nil, refuse(ErrNotFound, ErrNoInstrument, "instrument", "there is no instrument %q", id)
	}
	r, err := readRecord(d)
	if err != nil {
		return nil, err
	}
	if r.Kind != Link || r.Member != member && !planted("anyones-instrument") {
		return nil, refuse(ErrNotFound, ErrNoInstrument, "instrument", "%s has no instrument %q", member, id)
	}
	if r.state() != Succeeded || r.Linked == nil {
		return nil, refuse(ErrNotFound, ErrNoInstrument, "instrument", "instrument %s is %s", id, r.state())
	}
	return r, nil
}
