package ledger

import (
	"fmt"
	"time"

	"github.com/koshpay/kosh/currency"
)

// noDeadline stands in AccountInfo.NextExpiry when no open hold has a deadline.
var noDeadline time.Time

// dead reports whether the hold's deadline has come, whoever noticed.
func (h *Hold) dead(now time.Time) bool { return !h.ExpiresAt.IsZero() && !now.Before(h.ExpiresAt) }

// holdSide is the side of the postings that a hold keeps money for: the one that lowers the balance.
func (a *AccountInfo) holdSide() Side { return a.Type.NormalSide().Opposite() }

func (s *step) placeHold(c PlaceHold) (Result, error) {
	a, err := s.account(c.Account)
	if err != nil {
		return Result{}, err
	}
	if !c.ExpiresAt.IsZero() && !c.ExpiresAt.After(s.now) {
		return Result{}, invalid("expires_at", "is not after the ledger's time").of(a.ID)
	}
	id := c.ID
	if id == (ID{}) {
		id = s.p.ids.id()
	} else if _, exists, named := s.w.holds.get(id); !named {
		s.w.missing.Holds = append(s.w.missing.Holds, id)
		return Result{}, errUnread
	} else if exists {
		return Result{}, refuse(ErrDeclaredTwice, "hold "+id.String()).in("id")
	}
	if err := a.usable(a.holdSide(), c.Fact); err != nil {
		return Result{}, err
	}
	if err := a.fits(a.holdSide(), c.Amount); err != nil {
		return Result{}, err
	}
	if a.Held, err = add(a.Held, c.Amount, a.ID); err != nil {
		return Result{}, err
	}
	if !c.ExpiresAt.IsZero() && (a.NextExpiry.IsZero() || c.ExpiresAt.Before(a.NextExpiry)) {
		a.NextExpiry = c.ExpiresAt
	}
	if err := s.write(&a, &Line{Kind: LineHeld, Amount: c.Amount, Hold: id}); err != nil {
		return Result{}, err
	}
	none := currency.Zero(c.Amount.Asset())
	h := Hold{
		ID: id, Key: s.p.key, Account: a.ID, Amount: c.Amount, Captured: none, Released: none, State: HoldOpen,
		PlacedAt: s.now, ExpiresAt: c.ExpiresAt, UpdatedAt: s.now, Note: c.Note,
	}
	s.w.watch(&h)
	s.keep(h, h.Amount, a.Version+1)
	return Result{Hold: id}, nil
}

// keep writes a hold as it is now and tells the feed: once for every line of the hold, with its number and amount.
func (s *step) keep(h Hold, amount currency.Amount, line uint64) {
	h.UpdatedAt = s.now
	s.w.holds.put(h.ID, &h)
	s.change(&Change{Kind: ChangeHold, Hold: h.ID, Account: h.Account, Version: line, State: h.State.String(), Amount: amount})
}

// openHold returns a copy of a hold that can still be captured or released, and what remains of it.
func (s *step) openHold(ref Ref) (h Hold, rest currency.Amount, err error) {
	id := ref.ID
	if ref.New {
		id = s.made[ref.Nth].Hold
	}
	row, exists, named := s.w.holds.get(id)
	switch {
	case !named:
		s.w.missing.Holds = append(s.w.missing.Holds, id)
		return h, rest, errUnread
	case !exists:
		return h, rest, refuse(ErrHoldNotFound, "hold "+id.String()).in("hold")
	case row.State != HoldOpen:
		return h, rest, refuse(ErrHoldClosed, fmt.Sprintf("hold %s is %v", id, row.State)).in("hold").of(row.Account)
	}
	h = *row
	if rest, err = h.Remaining(); err != nil {
		return h, rest, arithmetic(err, h.Account)
	}
	return h, rest, nil
}

func (s *step) capture(c Capture) (Result, error) {
	h, rest, err := s.openHold(c.Hold)
	if err != nil {
		return Result{}, err
	}
	a, err := s.account(h.Account)
	if err != nil {
		return Result{}, err
	}
	postings := carve(&s.w.postings, len(c.To)+1, s.w.carved())
	total, err := capturePostings(postings, &a, &h, c.To)
	if err != nil {
		return Result{}, err
	}
	if more, err := below(rest, total, a.ID); err != nil {
		return Result{}, err
	} else if more {
		return Result{}, refuse(ErrHoldExceeded, "hold "+h.ID.String()).of(a.ID).short(total, rest)
	}
	made, err := s.transact(&Transaction{ID: c.ID, Postings: postings, EffectiveAt: c.EffectiveAt, Note: c.Note}, c.Fact, h.ID)
	if err != nil {
		return Result{}, err
	}
	made.Hold = h.ID
	if h.Captured, err = add(h.Captured, total, a.ID); err != nil {
		return Result{}, err
	}
	if rest, err = sub(rest, total, a.ID); err != nil {
		return Result{}, err
	}
	if rest.Sign() == 0 {
		h.State = HoldCaptured
	}
	s.keep(h, total, a.Version+1) // the first posting made the held account's next line
	if rest.Sign() > 0 && c.Final {
		return made, s.giveBack(h, rest, LineReleased)
	}
	return made, nil
}

// capturePostings takes the sum of the portions from the held account, on the side that lowers it, and gives each
// portion to its account on the other. There is one posting more than portions.
func capturePostings(postings []Posting, a *AccountInfo, h *Hold, to []Portion) (total currency.Amount, err error) {
	total = currency.Zero(h.Amount.Asset())
	for i, p := range to {
		if p.Account == a.ID {
			return total, invalid(fmt.Sprintf("to[%d].account", i), "the held account itself; to give back use Release").of(a.ID)
		}
		if p.Amount.Asset() != h.Amount.Asset() {
			return total, refuse(ErrAssetMismatch, "the hold is in "+string(h.Amount.AssetID())).
				in(fmt.Sprintf("to[%d].amount", i)).of(p.Account)
		}
		if total, err = add(total, p.Amount, a.ID); err != nil {
			return total, err
		}
		postings[i+1] = Posting{Account: p.Account, Side: a.holdSide().Opposite(), Amount: p.Amount}
	}
	postings[0] = Posting{Account: a.ID, Side: a.holdSide(), Amount: total}
	return total, nil
}

func (s *step) release(c Release) (Result, error) {
	h, rest, err := s.openHold(c.Hold)
	if err != nil {
		return Result{}, err
	}
	amount := rest
	if !c.All {
		amount = c.Amount
		if amount.Asset() != h.Amount.Asset() {
			return Result{}, refuse(ErrAssetMismatch, "the hold is in "+string(h.Amount.AssetID())).in("amount").of(h.Account)
		}
		if more, err := below(rest, amount, h.Account); err != nil {
			return Result{}, err
		} else if more {
			return Result{}, refuse(ErrHoldExceeded, "hold "+h.ID.String()).of(h.Account).short(amount, rest)
		}
	}
	return Result{Hold: h.ID}, s.giveBack(h, amount, LineReleased)
}

// giveBack ends a hold's claim on an amount, and the hold when nothing remains. A freeze does not matter: no money moves.
func (s *step) giveBack(h Hold, amount currency.Amount, kind LineKind) error {
	a, err := s.account(h.Account)
	if err != nil {
		return err
	}
	if a.Held, err = sub(a.Held, amount, a.ID); err != nil {
		return err
	}
	if h.Released, err = add(h.Released, amount, a.ID); err != nil {
		return err
	}
	rest, err := h.Remaining()
	if err != nil {
		return arithmetic(err, a.ID)
	}
	if rest.Sign() == 0 {
		switch {
		case kind == LineExpired:
			h.State = HoldExpired
		case h.Captured.Sign() > 0:
			h.State = HoldCaptured
		default:
			h.State = HoldReleased
		}
	}
	if err := s.write(&a, &Line{Kind: kind, Amount: amount, Hold: h.ID}); err != nil {
		return err
	}
	s.keep(h, amount, a.Version+1)
	return nil
}

// expiryWindow is how far beyond now an account's holds are read when one of them is due: far enough that a busy account
// does not need a second round at every entry, near enough that it is no large one.
const expiryWindow = time.Hour

// mayExpire reports whether a hold of the account may be dead.
func (a *AccountInfo) mayExpire(now time.Time) bool {
	return !a.NextExpiry.IsZero() && !a.NextExpiry.After(now)
}

// expire closes the dead holds of every account that is named, before anything else happens to it.
func (s *step) expire() error {
	w := s.w
	for i, c := range s.cells {
		a := w.accounts.at(c)
		if a == nil || !a.mayExpire(s.now) {
			continue
		}
		id := s.accounts[i]
		if known, ok := w.horizon[id]; !ok || known.Before(s.now) {
			w.missing.DueHolds = append(w.missing.DueHolds, DueHolds{Account: id, At: s.now.Add(expiryWindow)})
			continue
		}
		if err := s.expireAccount(id); err != nil {
			return err
		}
	}
	if !w.missing.Empty() {
		return errUnread
	}
	return nil
}

func (s *step) expireAccount(id AccountID) error {
	for _, h := range s.w.due(id, s.now) {
		rest, err := h.Remaining()
		if err != nil {
			return arithmetic(err, id)
		}
		if err := s.giveBack(h, rest, LineExpired); err != nil {
			return err
		}
	}
	a, err := s.account(id)
	if err != nil || a.NextExpiry.IsZero() {
		return err
	}
	// All holds up to the horizon are known; of those beyond it only that they are.
	a.NextExpiry = s.w.horizon[id].Add(time.Microsecond)
	if first := s.w.earliest(id); !first.IsZero() && first.Before(a.NextExpiry) {
		a.NextExpiry = first
	}
	s.w.accounts.put(id, &a)
	return nil
}
