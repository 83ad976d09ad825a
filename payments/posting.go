package payments

import (
	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/providers"
)

// journal makes the commands of one effect, or of a finish, as a guard sees the book.
type journal struct {
	*news
	view     ledger.View
	rec      *record
	chart    *chart
	effect   *effect // that money belongs to: the new one, or of a finish one of the record
	commands []ledger.Command
	findings []Finding
	ids      []ledger.ID        // for transactions
	made     int                // of them
	beyond   map[ledger.ID]bool // holds that are left as they are
	freeing  *freeing
}

func (j *journal) find(code, text string, suspense currency.Amount) {
	j.findings = append(j.findings, Finding{Code: code, Text: text, Effect: j.effect.ID, Amount: suspense})
}

// post makes the postings of the effect.
func (j *journal) post() error {
	size, err := j.effect.Amount.Abs()
	if err != nil {
		return err
	}
	in := j.effect.Amount.Sign() > 0
	asset := j.effect.Amount.AssetID()
	switch {
	case j.effect.Kind == providers.Fee && planted("drop-provider-fee"):
		return nil
	case j.effect.Kind == providers.Settled && planted("settle-into-fees"):
		return j.against(FeesAccount(j.provider, asset), size, in)
	case j.effect.Kind == providers.Reversed && planted("drop-reversal"):
		return nil
	case j.effect.Kind == providers.Fee:
		return j.against(FeesAccount(j.provider, asset), size, in)
	case j.effect.Kind == providers.Converted:
		j.chart.open(openPosition(size.Asset()))
		return j.against(PositionAccount(asset), size, in)
	case j.effect.Kind == providers.Settled:
		return j.against(BankAccount(asset), size, in)
	case j.effect.Kind == providers.Moved && in && j.rec.Kind == Deposit:
		return j.depositMoved(size)
	case j.effect.Kind == providers.Moved && !in && j.rec.outward():
		return j.payoutMoved(size)
	case j.effect.Kind == providers.Reversed && !in && j.rec.Kind == Deposit:
		return j.depositTakenBack(size)
	case j.effect.Kind == providers.Reversed && in && j.rec.outward():
		return j.payoutCameBack(size)
	case j.effect.Kind == providers.Disputed && !in && j.rec.Kind == Deposit:
		return j.disputeTook(size)
	case j.effect.Kind == providers.Reinstated && in && j.rec.Kind == Deposit:
		return j.disputeGaveBack(size)
	}
	j.find("unknown_effect", "a movement that this payment should not have", j.effect.Amount)
	return j.suspend(size, in)
}

// depositMoved credits the member with what really came, up to what was asked for; the rest is in suspense.
func (j *journal) depositMoved(size currency.Amount) error {
	if code, text := j.doubt(); code != "" {
		j.find(code, text, size)
		return j.suspend(size, true)
	}
	mine, err := j.wanted(size)
	if err != nil {
		return err
	}
	if planted("trust-amount") && j.rec.Amount.Asset() == size.Asset() {
		mine = j.rec.Amount
		size = mine
	}
	if planted("decline-fact") && j.rec.Member != "" {
		if wallet, ok := j.view.Account(WalletAccount(j.rec.Member, size.AssetID())); ok {
			if room, all := wallet.Headroom(ledger.Credit, false); !all && room.Sign() == 0 {
				return ledger.Refuse(ledger.ErrAccountFrozen, "", "planted")
			}
		}
	}
	if mine != size {
		j.find("amount_differs", "more came in than was asked for, or in another asset", currency.Amount{})
	} else if !j.reversalKnown() && j.short(size) {
		j.find("amount_differs", "less came in than was asked for", currency.Amount{})
	}
	credited, err := j.creditMember(j.clearing(size), size, mine)
	if err != nil || !j.rec.Provisional || planted("unheld-provisional") || j.rec.Final || j.report.Final || credited.Sign() == 0 || j.reversalKnown() {
		return err
	}
	j.keep(credited)
	return nil
}

// keep holds an amount in the wallet because of the effect.
func (j *journal) keep(a currency.Amount) {
	j.effect.Hold = j.holdID(j.effect.ID)
	j.commands = append(j.commands, ledger.PlaceHold{
		ID: j.effect.Hold, Account: WalletAccount(j.rec.Member, a.AssetID()), Amount: a, Fact: true, Note: j.note(),
	})
}

// doubt says why money that came in goes to suspense whole, for a person to decide; an empty code: it does not.
func (j *journal) doubt() (code, text string) {
	if j.rec.Screened == ScreenReview || j.rec.Screened == ScreenDeny {
		return findingScreening, j.suspicion()
	}
	if j.report.Reason.Code == providers.CodeDust || j.rec.Reason.Code == providers.CodeDust {
		return providers.CodeDust, "too little to be worth what it costs to move"
	}
	if j.rec.Stray {
		return "asset_not_enabled", "an asset that nobody here deals in came to a member's address"
	}
	return "", ""
}

// reversalKnown tells whether the effect was taken back before it was heard of.
func (j *journal) reversalKnown() bool {
	for _, e := range j.rec.Effects {
		if e.Kind == providers.Reversed && e.Reverses == j.effect.ID {
			return true
		}
	}
	return false
}

// short tells whether the effect, the first of its payment, is less than was asked for.
func (j *journal) short(size currency.Amount) bool {
	_, any, err := j.rec.moved()
	c, errCmp := size.Cmp(j.rec.Amount)
	return err == nil && errCmp == nil && !any && c < 0
}

// wanted is the part of size that the payment still asked for: nothing in another asset.
func (j *journal) wanted(size currency.Amount) (currency.Amount, error) {
	nothing := currency.Zero(size.Asset())
	if planted("credit-excess") && j.rec.Amount.Asset() == size.Asset() {
		return size, nil
	}
	if j.rec.Amount.Asset() != size.Asset() {
		return nothing, nil
	}
	moved, _, err := j.rec.moved()
	if err != nil {
		return nothing, err
	}
	rest, err := j.rec.Amount.Sub(moved)
	if err != nil || rest.Sign() <= 0 {
		return nothing, err
	}
	return least(size, rest), nil
}

// clearing is the provider's clearing account in the asset of an amount.
func (j *journal) clearing(a currency.Amount) ledger.AccountID {
	return ClearingAccount(j.provider, a.AssetID())
}

// creditMember posts from → R, U, X: of size, which came in, the member gets what of mine the receivable and the wallet can
// take. It returns what the wallet got.
func (j *journal) creditMember(from ledger.AccountID, size, mine currency.Amount) (wallet currency.Amount, err error) {
	nothing := currency.Zero(size.Asset())
	repaid, wallet, rest := nothing, nothing, size
	owed, own := ReceivableAccount(j.rec.Member, size.AssetID()), WalletAccount(j.rec.Member, size.AssetID())
	if j.rec.Member != "" {
		repaid = least(j.room(owed, ledger.Credit, nothing), mine)
		if mine, err = mine.Sub(repaid); err != nil {
			return nothing, err
		}
		wallet = least(j.room(own, ledger.Credit, mine), mine)
		if mine.Sign() > 0 && wallet != mine {
			j.find("not_taken", "the wallet is frozen, closed or at its ceiling", nothing)
		}
	} else {
		j.find("unattributed", "money that belongs to nobody we know", size)
	}
	for _, part := range []currency.Amount{repaid, wallet} {
		if rest, err = rest.Sub(part); err != nil {
			return nothing, err
		}
	}
	if err := j.effect.suspend(rest); err != nil {
		return nothing, err
	}
	return wallet, j.transact(
		debit(from, size),
		credit(owed, repaid), credit(own, wallet), credit(SuspenseAccount(j.provider, size.AssetID()), rest),
	)
}

// room is how much a posting on this side may move; an account that is not open yet has what unopened says.
func (j *journal) room(id ledger.AccountID, side ledger.Side, unopened currency.Amount) currency.Amount {
	a, ok := j.view.Account(id)
	if !ok {
		return unopened
	}
	room, unlimited := a.Headroom(side, side == ledger.Debit)
	if unlimited || planted("overfill-wallet") && side == ledger.Credit {
		return unopened
	}
	return room
}

// depositTakenBack takes from suspense what came beside it and was too much, as when a chain's block was replaced and that was
// heard of late; then from its provisional hold, from suspense what is still there of it, from the holds of what stands in its
// place, then from the wallet, then as a receivable.
func (j *journal) depositTakenBack(size currency.Amount) error {
	if j.report.Reason.Code == providers.CodeOrphaned || j.report.Required > 0 {
		j.find(providers.CodeOrphaned, "a reorganisation took back what had been credited; it may be mined again", currency.Amount{})
	}
	rest, err := j.takeFrom(size, func(e *effect) bool { return e.ID != j.effect.Reverses }, j.unsuspend)
	if err != nil {
		return err
	}
	own := func(e *effect) bool { return e.ID == j.effect.Reverses }
	if rest, err = j.takeFrom(rest, own, j.unhold); err != nil {
		return err
	}
	if rest, err = j.takeFrom(rest, own, j.unsuspend); err != nil {
		return err
	}
	if rest, err = j.takeFrom(rest, func(e *effect) bool { return !own(e) && e.Dispute == "" }, j.unhold); err != nil {
		return err
	}
	return j.charge(rest, j.clearing(size))
}

// takeFrom gives back to the provider what some of the payment's own movements still have somewhere, and returns what is
// left to take.
func (j *journal) takeFrom(rest currency.Amount, which func(*effect) bool, take func(*effect, currency.Amount) (currency.Amount, error)) (currency.Amount, error) {
	for i := range j.rec.Effects {
		e := &j.rec.Effects[i]
		// One id is kept for what the wallet gives.
		if rest.Sign() <= 0 || j.made >= len(j.ids)-1 || e.Kind != providers.Moved || e.Amount.Asset() != rest.Asset() || !which(e) {
			continue
		}
		taken, err := take(e, rest)
		if err != nil {
			return rest, err
		}
		if rest, err = rest.Sub(taken); err != nil {
			return rest, err
		}
	}
	return rest, nil
}

// unsuspend leaves alone what is on its way back to where it came from: when both happen, the member got it twice.
func (j *journal) unsuspend(e *effect, size currency.Amount) (currency.Amount, error) {
	if e.Returning {
		return currency.Zero(size.Asset()), nil
	}
	return j.fromSuspense(e, size, false)
}

func (j *journal) unhold(e *effect, size currency.Amount) (currency.Amount, error) {
	if !e.held() || planted("ignore-provisional-hold") {
		return currency.Zero(size.Asset()), nil
	}
	return j.captureOf(e, size, j.clearing(size))
}

// captureOf is capture from what an effect holds.
func (j *journal) captureOf(e *effect, size currency.Amount, to ledger.AccountID) (currency.Amount, error) {
	if j.beyond[e.Hold] {
		return currency.Zero(size.Asset()), nil
	}
	taken, left, err := j.capture(e.Hold, size, to)
	e.Freed = err == nil && !left
	return taken, err
}

// capture moves up to size from a hold to an account. It returns what it moved, and whether anything is left.
func (j *journal) capture(hold ledger.ID, size currency.Amount, to ledger.AccountID) (taken currency.Amount, left bool, err error) {
	taken = currency.Zero(size.Asset())
	h, ok := j.view.Hold(hold)
	if !ok || h.State != ledger.HoldOpen {
		return taken, false, nil
	}
	remaining, err := h.Remaining()
	if err != nil || h.Amount.Asset() != size.Asset() || size.Sign() <= 0 {
		return taken, true, err
	}
	taken = least(remaining, size)
	j.commands = append(j.commands, ledger.Capture{
		ID: j.nextID(), Hold: ledger.ByID(hold), Fact: true, Note: j.note(),
		To: []ledger.Portion{{Account: to, Amount: taken}},
	})
	return taken, taken != remaining, nil
}

// fromSuspense undoes what an earlier effect left in suspense, up to size, and returns how much.
func (j *journal) fromSuspense(origin *effect, size currency.Amount, in bool) (currency.Amount, error) {
	// What is on its way back is spoken for: who gets it twice is charged for it.
	if !origin.Suspense.IsValid() || origin.Suspense.Sign() <= 0 || origin.Returning {
		return currency.Zero(size.Asset()), nil
	}
	part := least(origin.Suspense, size)
	rest, err := origin.Suspense.Sub(part)
	if err != nil {
		return part, err
	}
	origin.Suspense = rest
	return part, j.against(SuspenseAccount(j.provider, size.AssetID()), part, in)
}

// charge posts U, R → to: what the wallet can give down to its floor, frozen or not, and the rest as a receivable.
func (j *journal) charge(size currency.Amount, to ledger.AccountID) error {
	if size.Sign() <= 0 {
		return nil
	}
	if j.rec.Member == "" {
		j.find("unattributed", "money taken back from nobody we know", size)
		if err := j.effect.suspend(size); err != nil {
			return err
		}
		return j.transact(debit(SuspenseAccount(j.provider, size.AssetID()), size), credit(to, size))
	}
	asset := size.AssetID()
	own := least(j.room(WalletAccount(j.rec.Member, asset), ledger.Debit, currency.Zero(size.Asset())), size)
	owed, err := size.Sub(own)
	if err != nil {
		return err
	}
	return j.transact(
		debit(WalletAccount(j.rec.Member, asset), own), debit(ReceivableAccount(j.rec.Member, asset), owed),
		credit(to, size),
	)
}

// payoutMoved captures the hold; what the hold no longer has, though it was asked for, is charged to the member, and what
// nobody asked for is in suspense.
func (j *journal) payoutMoved(size currency.Amount) error {
	if planted("hold-is-what-moved") && j.rec.Amount.Asset() == size.Asset() {
		size = j.rec.Amount
	}
	mine, err := j.wanted(size)
	if err != nil {
		return err
	}
	captured, _, err := j.capture(mustID(j.rec.ID), mine, j.clearing(size))
	if err != nil {
		return err
	}
	rest, err := mine.Sub(captured)
	if err != nil {
		return err
	}
	if rest, err = j.fromOrphans(rest); err != nil {
		return err
	}
	if err := j.charge(rest, j.clearing(size)); err != nil {
		return err
	}
	excess, err := size.Sub(mine)
	if err != nil || excess.Sign() == 0 {
		return err
	}
	j.find("amount_differs", "more was paid out than was asked for, or in another asset", excess)
	return j.suspend(excess, false)
}

// fromOrphans takes what is still to be paid from the holds on what came back, and returns the rest.
func (j *journal) fromOrphans(rest currency.Amount) (currency.Amount, error) {
	for i := range j.rec.Effects {
		e := &j.rec.Effects[i]
		// Two ids are kept: for what the wallet gives, and for what nobody asked for.
		if rest.Sign() <= 0 || j.made >= len(j.ids)-2 || e.Kind != providers.Reversed || !e.held() {
			continue
		}
		taken, err := j.captureOf(e, rest, j.clearing(rest))
		if err != nil {
			return rest, err
		}
		if rest, err = rest.Sub(taken); err != nil {
			return rest, err
		}
	}
	return rest, nil
}

// payoutCameBack gives the member back what the payout took, but for what was paid beside it and is in suspense as too much: that
// stands in its place. What the provider may send again, as an orphaned transaction that waits for its next block, stays held.
func (j *journal) payoutCameBack(size currency.Amount) error {
	back := func(e *effect, size currency.Amount) (currency.Amount, error) { return j.fromSuspense(e, size, true) }
	rest := size
	for _, own := range []bool{true, false} {
		var err error
		if rest, err = j.takeFrom(rest, func(e *effect) bool { return own == (e.ID == j.effect.Reverses) }, back); err != nil {
			return err
		}
	}
	if rest.Sign() <= 0 {
		return nil
	}
	if planted("bounce-into-suspense") {
		return j.against(SuspenseAccount(j.provider, rest.AssetID()), rest, true)
	}
	if j.rec.FromSuspense != "" { // it is the deposit's again: see settleReturn
		return j.against(SuspenseAccount(j.provider, rest.AssetID()), rest, true)
	}
	credited, err := j.creditMember(j.clearing(rest), rest, rest)
	if err != nil || credited.Sign() <= 0 || j.rec.Kind != Withdrawal || j.rec.Final || j.report.State != providers.Pending {
		return err
	}
	j.keep(credited)
	return nil
}

// suspend posts against suspense and remembers how much.
func (j *journal) suspend(size currency.Amount, in bool) error {
	if err := j.effect.suspend(size); err != nil {
		return err
	}
	return j.against(SuspenseAccount(j.provider, size.AssetID()), size, in)
}

// against posts clearing against one other account: money that came in credits it, money that left debits it.
func (j *journal) against(other ledger.AccountID, size currency.Amount, in bool) error {
	clearing := ClearingAccount(j.provider, size.AssetID())
	if in {
		return j.transact(debit(clearing, size), credit(other, size))
	}
	return j.transact(debit(other, size), credit(clearing, size))
}

// transact records one transaction; postings of zero are left out.
func (j *journal) transact(postings ...ledger.Posting) error {
	kept := postings[:0]
	for _, p := range postings {
		if p.Amount.Sign() != 0 {
			kept = append(kept, p)
		}
	}
	if len(kept) == 0 {
		return nil
	}
	j.commands = append(j.commands, ledger.Post{ID: j.nextID(), Postings: kept, Fact: !planted("fact-may-fail"), Note: j.note()})
	return nil
}

func (j *journal) nextID() ledger.ID {
	id := j.ids[j.made]
	j.made++
	return id
}

func (j *journal) note() ledger.Note {
	n := j.rec.note()
	n.Meta["effect"] = string(j.effect.Kind)
	return n
}

func debit(account ledger.AccountID, amount currency.Amount) ledger.Posting {
	return ledger.Posting{Account: account, Side: ledger.Debit, Amount: amount}
}

func credit(account ledger.AccountID, amount currency.Amount) ledger.Posting {
	return ledger.Posting{Account: account, Side: ledger.Credit, Amount: amount}
}
