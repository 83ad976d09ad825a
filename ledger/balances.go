package ledger

import (
	"context"
	"math"
	"slices"
	"time"

	"github.com/koshpay/kosh/currency"
)

// Balances implements [Ledger]. At the zero AsOf it is one read. A past balance is one look-up an account; a balance at
// an effective moment also reads the lines recorded since MaxPostdate before it, because one of them may be dated back.
// An id that is named twice is answered twice; a striped account, such as fees/*, is the sum of its parts.
func (b *Book) Balances(ctx context.Context, at AsOf, ids ...AccountID) ([]Balance, error) {
	if r := at.check(); r != nil {
		return nil, r
	}
	if slices.ContainsFunc(ids, AccountID.isStriped) {
		return b.stripedBalances(ctx, at, ids)
	}
	infos, err := b.infos(ctx, ids)
	if err != nil {
		return nil, err
	}
	balances := make([]Balance, len(ids))
	for i := range infos {
		if balances[i], err = b.balanceAt(ctx, &infos[i], at); err != nil {
			return nil, err
		}
	}
	return balances, nil
}

func (at AsOf) check() *Refusal {
	if r := checkTime("recorded", at.Recorded); r != nil {
		return r
	}
	return checkTime("effective", at.Effective)
}

// infos reads accounts that must exist, in one snapshot, in the order asked for.
func (b *Book) infos(ctx context.Context, ids []AccountID) ([]AccountInfo, error) {
	for _, id := range ids {
		if r := checkAccount(id); r != nil {
			return nil, r.of(safe(id))
		}
	}
	found, err := b.store.Read(ctx, b.name, Names{Accounts: distinct(ids, AccountID.compare)})
	if err != nil {
		return nil, storeError(err)
	}
	byID := make(map[AccountID]*AccountInfo, len(found.Accounts))
	for i := range found.Accounts {
		byID[found.Accounts[i].ID] = &found.Accounts[i]
	}
	infos := make([]AccountInfo, len(ids))
	for i, id := range ids {
		a := byID[id]
		if a == nil {
			return nil, refuse(ErrAccountNotFound, "").of(id)
		}
		infos[i] = *a
	}
	return infos, nil
}

// balanceAt answers from the snapshot that a belongs to: lines after it do not count, so many accounts asked together
// agree with one another also while entries are recorded.
func (b *Book) balanceAt(ctx context.Context, a *AccountInfo, at AsOf) (Balance, error) {
	recorded := a.balance()
	if !at.Recorded.IsZero() {
		var err error
		if recorded, err = b.recordedAt(ctx, a, at.Recorded); err != nil {
			return Balance{}, err
		}
	}
	if at.Effective.IsZero() {
		return recorded, nil
	}
	return b.effectiveAt(ctx, a, recorded, at.Effective)
}

// recordedAt is the balance after the last line recorded at or before a moment.
func (b *Book) recordedAt(ctx context.Context, a *AccountInfo, at time.Time) (Balance, error) {
	at = at.UTC()
	if !at.Before(a.UpdatedAt) {
		return a.balance(), nil
	}
	zero := currency.Zero(a.Posted.Asset())
	before := Balance{Account: a.ID, Posted: zero, Held: zero, Available: zero}
	if at.Before(a.OpenedAt) {
		return before, nil
	}
	rows, err := b.store.Scan(ctx, b.name, Range{
		List: ListLines, Account: a.ID, Backward: true, Limit: 1, Before: &Position{Time: at, Number: math.MaxUint64},
	})
	if err != nil {
		return Balance{}, storeError(err)
	}
	if len(rows.Lines) == 0 {
		return before, nil
	}
	return rows.Lines[0].balance()
}

func (l *Line) balance() (Balance, error) {
	available, err := l.Posted.Sub(l.Held)
	if err != nil {
		return Balance{}, corrupt("a line's balances do not go together", err).of(l.Account)
	}
	return Balance{Account: l.Account, Version: l.Version, Posted: l.Posted, Held: l.Held, Available: available}, nil
}

// effectiveAt corrects the posted balance: of what was recorded up to the given balance, only what had taken effect by
// then. Nothing recorded earlier than MaxPostdate before the moment can take effect after it, so the fold starts there.
func (b *Book) effectiveAt(ctx context.Context, a *AccountInfo, recorded Balance, at time.Time) (Balance, error) {
	at = at.UTC()
	start, err := b.recordedAt(ctx, a, at.Add(-MaxPostdate))
	if err != nil {
		return Balance{}, err
	}
	if start.Version >= recorded.Version {
		return recorded, nil
	}
	posted, running := start.Posted, start.Posted
	r := Range{List: ListLines, Account: a.ID, Limit: MaxPage, After: &Position{Time: at.Add(-MaxPostdate), Number: math.MaxUint64}}
	for done := false; !done; {
		rows, err := b.store.Scan(ctx, b.name, r)
		if err != nil {
			return Balance{}, storeError(err)
		}
		done = len(rows.Lines) < r.Limit
		for i := range rows.Lines {
			l := &rows.Lines[i]
			if l.Version > recorded.Version {
				done = true
				break
			}
			delta, err := sub(l.Posted, running, a.ID)
			if err != nil {
				return Balance{}, err
			}
			if running = l.Posted; !l.EffectiveAt.After(at) {
				if posted, err = add(posted, delta, a.ID); err != nil {
					return Balance{}, err
				}
			}
			after := l.Position()
			r.After = &after
		}
	}
	available, err := sub(posted, recorded.Held, a.ID)
	if err != nil {
		return Balance{}, err
	}
	return Balance{Account: a.ID, Version: recorded.Version, Posted: posted, Held: recorded.Held, Available: available}, nil
}
