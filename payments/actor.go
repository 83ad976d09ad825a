package payments

import "context"

// Actor is who asks. The host authenticates; kosh authorizes. The zero Actor may do nothing.
type Actor struct {
	member   string
	platform bool
}

// Member is an actor that is a member of the host.
func Member(id string) Actor { return Actor{member: id} }

// Platform is the host acting for itself: support staff, a scheduled job.
func Platform() Actor { return Actor{platform: true} }

// MemberID returns the member, or "" when the actor is none.
func (a Actor) MemberID() string { return a.member }

// IsPlatform tells whether the host acts for itself.
func (a Actor) IsPlatform() bool { return a.platform }

// String is "member/ID", "platform" or "nobody".
func (a Actor) String() string {
	switch {
	case a.platform:
		return "platform"
	case a.member != "":
		return "member/" + a.member
	default:
		return "nobody"
	}
}

// Action is what an actor wants to do.
type Action string

// The actions.
const (
	ActView     Action = "view"     // see a wallet, statement, payment or instrument
	ActOpen     Action = "open"     // open wallets
	ActLink     Action = "link"     // link an instrument
	ActDeposit  Action = "deposit"  // put money in
	ActTransfer Action = "transfer" // send or tip
	ActWithdraw Action = "withdraw"
	ActRefund   Action = "refund" // give money back: the member whose wallet it leaves is the one concerned
	ActExchange Action = "exchange"
	ActIssue    Action = "issue"   // make and destroy in-app coins; concerns no member
	ActFreeze   Action = "freeze"  // stop and restart a wallet
	ActResolve  Action = "resolve" // decide about cases, reviews and debts; the member concerned may be empty
)

// Authorizer says whether actor may do action on what belongs to member (the one money leaves, where it leaves). It
// returns nil to allow; any error is wrapped in a refusal with [ErrForbidden]. It is asked again when a request is replayed.
type Authorizer func(ctx context.Context, actor Actor, action Action, member string) error

// OwnerOnly is the default: a member may do everything with what is theirs and nothing with what is not, but for
// ActIssue, ActFreeze and ActResolve; the platform may do what takes no money out of a member's wallet.
func OwnerOnly(_ context.Context, actor Actor, action Action, member string) error {
	reserved := action == ActIssue || action == ActFreeze || action == ActResolve
	if actor.platform {
		switch action {
		case ActView, ActOpen, ActIssue, ActFreeze, ActResolve:
			return nil
		case ActLink, ActDeposit, ActTransfer, ActWithdraw, ActRefund, ActExchange:
		}
	}
	if actor.member != "" && actor.member == member && !reserved {
		return nil
	}
	return refuse(ErrInvalid, ErrForbidden, "actor", "%s may not %s for member %q", actor, action, member)
}

func (dk *Desk) authorize(ctx context.Context, actor Actor, action Action, member string) error {
	if actor.member != "" {
		// Keys are scoped by the actor's name, which therefore must not hold their separator.
		if err := checkMember("actor", actor.member); err != nil {
			return err
		}
	}
	err := dk.config.Authorize(ctx, actor, action, member)
	if err == nil || planted("anyone-may") {
		return nil
	}
	r := refuse(ErrInvalid, ErrForbidden, "actor", "%s may not %s", actor, action)
	r.Cause = err
	return r
}
