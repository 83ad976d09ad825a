package ledger

import (
	"time"

	"github.com/koshpay/kosh/currency"
)

// accountFold is an account's row, and what its lines add up to so far.
type accountFold struct {
	row      AccountInfo
	version  uint64
	posted   currency.Amount
	held     currency.Amount
	terms    Terms
	unknown  bool // the terms are, until a line sets them
	recorded time.Time

	open     currency.Amount // what remains of its open holds
	deadline time.Time       // the first of them
}

// holdFold is what the lines of a hold add up to.
type holdFold struct {
	account                    AccountID
	placed, captured, released currency.Amount
	lines                      int
	updated                    time.Time // by the last of them
	older                      bool      // its first lines were not read
}

func (c *checker) readAccounts() error {
	err := scanAll(c.ctx, c.b, Range{List: ListAccounts}, func(r *Rows) []AccountInfo { return r.Accounts }, AccountInfo.Position,
		c.noteAccount)
	if err != nil {
		return err
	}
	for id, f := range c.accounts {
		err := scanAll(c.ctx, c.b, Range{List: ListLines, Account: id}, func(r *Rows) []Line { return r.Lines }, Line.Position,
			func(l *Line) { c.foldLine(f, l) })
		if err != nil {
			return err
		}
		c.compareAccount(f)
	}
	return nil
}

func (c *checker) noteAccount(a *AccountInfo) {
	c.v.Accounts++
	zero := currency.Zero(a.Posted.Asset())
	c.accounts[a.ID] = &accountFold{row: *a, posted: zero, held: zero, open: zero}
	if a.Posted.AssetID() != a.ID.Asset || a.Held.AssetID() != a.ID.Asset {
		c.problem(Problem{Kind: ProblemAccount, Account: a.ID}, "balances in another asset")
	}
	if c.assets[a.ID.Asset] == nil {
		c.problem(Problem{Kind: ProblemAsset, Name: string(a.ID.Asset), Account: a.ID}, "not among the assets of the book")
	}
}

// foldLine adds a line and compares what it says with what it must say.
func (c *checker) foldLine(f *accountFold, l *Line) {
	c.v.Lines++
	at := Problem{Kind: ProblemLine, Account: f.row.ID, Version: l.Version, Transaction: l.Transaction, Hold: l.Hold}
	if l.Account != f.row.ID {
		c.problem(at, "belongs to account %s", l.Account)
	}
	if l.Version != f.version+1 {
		c.problem(at, "follows version %d", f.version)
	}
	if (l.Kind == LineOpened) != (l.Version == 1) {
		c.problem(at, "an account is opened by its first line and no other")
	}
	if l.RecordedAt.Before(f.recorded) || !microseconds(l.RecordedAt) {
		c.problem(at, "recorded at %v, after %v", l.RecordedAt, f.recorded)
	}
	before := *f
	f.version, f.recorded = l.Version, l.RecordedAt
	if err := f.add(l); err != nil {
		c.problem(at, "%v", err)
	}
	if f.posted != l.Posted || f.held != l.Held {
		c.problem(at, "says posted %s and held %s; the lines add up to %s and %s", l.Posted, l.Held, f.posted, f.held)
		f.posted, f.held = l.Posted, l.Held // one edit is one problem
	}
	c.compareBounds(&before, f, l, at)
	c.noteLine(f, l, at)
}

// add folds a line.
func (f *accountFold) add(l *Line) (err error) {
	id := f.row.ID
	switch l.Kind {
	case LinePosted, LineCaptured:
		if l.Side == f.row.Type.NormalSide() {
			f.posted, err = add(f.posted, l.Amount, id)
		} else {
			f.posted, err = sub(f.posted, l.Amount, id)
		}
		if err == nil && l.Kind == LineCaptured {
			f.held, err = sub(f.held, l.Amount, id)
		}
	case LineHeld:
		f.held, err = add(f.held, l.Amount, id)
	case LineReleased, LineExpired:
		f.held, err = sub(f.held, l.Amount, id)
	case LineOpened, LineSet:
		if l.Terms == nil {
			return corrupt("no terms", nil).of(id)
		}
		f.terms, f.unknown = *l.Terms, false
		return nil
	default:
		return corrupt("no such kind of line", nil).of(id)
	}
	if l.Terms != nil {
		return corrupt("terms on a line that sets none", nil).of(id)
	}
	return err
}

// compareBounds asks whether the line was allowed.
func (c *checker) compareBounds(before, after *accountFold, l *Line, at Problem) {
	if l.Kind == LineOpened || l.Kind == LineSet {
		now := AccountInfo{ID: at.Account, Posted: after.posted, Held: after.held, Terms: after.terms}
		floor, ceiling := !before.unknown && after.terms.Floor != before.terms.Floor, !before.unknown && after.terms.Ceiling != before.terms.Ceiling
		if err := now.withinBounds(floor, ceiling); err != nil {
			c.problem(at, "%v", err)
		}
		if after.terms.Closed && (after.posted.Sign() != 0 || after.held.Sign() != 0) {
			c.problem(at, "closed with posted %s and held %s", after.posted, after.held)
		}
		return
	}
	if before.unknown {
		return
	}
	was := AccountInfo{ID: at.Account, Type: before.row.Type, Posted: before.posted, Held: before.held, Terms: before.terms}
	if was.Terms.Closed {
		c.problem(at, "the account was closed")
	}
	var err error
	switch l.Kind {
	case LinePosted:
		if t := c.transactions[l.Transaction]; t != nil && t.Imported {
			return
		}
		err = was.fits(l.Side, l.Amount)
	case LineHeld:
		err = was.fits(was.holdSide(), l.Amount)
	default: // the others lower nothing that is available, and raise nothing that is posted
	}
	if err != nil {
		c.problem(at, "%v", err)
	}
}

// noteLine files the line under its transaction, its hold and the changes of the feed.
func (c *checker) noteLine(f *accountFold, l *Line, at Problem) {
	if !l.saysOnly(f.row.ID) {
		c.problem(at, "it says what no line that is %v does", l.Kind)
	}
	if l.Kind != LinePosted {
		c.told[lineName{f.row.ID, l.Version}] = told{l.Kind, l.RecordedAt}
	}
	switch l.Kind {
	case LineOpened, LineSet:
		c.expected[change{kind: ChangeAccount, account: f.row.ID, version: l.Version}]++
		if l.Version > 1 {
			c.settings[lineName{f.row.ID, l.Version}] = l.Terms
		} else if l.Terms != nil && *l.Terms != f.row.Opening {
			c.problem(at, "the terms are not those that the account says it was opened with")
		}
		return
	case LinePosted, LineCaptured:
		c.posted[l.Transaction] = append(c.posted[l.Transaction], *l)
	default: // no posting
	}
	if l.Amount.Sign() <= 0 || l.Amount.AssetID() != f.row.ID.Asset {
		c.problem(at, "the amount is %s", l.Amount)
		return
	}
	if l.Kind == LinePosted {
		return
	}
	c.expected[change{kind: ChangeHold, account: f.row.ID, version: l.Version, id: l.Hold, amount: l.Amount}]++
	h := c.holdFolds[l.Hold]
	if h == nil {
		zero := currency.Zero(l.Amount.Asset())
		h = &holdFold{account: f.row.ID, placed: zero, captured: zero, released: zero}
		c.holdFolds[l.Hold] = h
	}
	h.lines++
	h.updated = l.RecordedAt
	if h.account != f.row.ID || (l.Kind == LineHeld) != (h.lines == 1) {
		c.problem(at, "not a line that follows in its hold")
		return
	}
	sum := &h.released
	switch l.Kind {
	case LineHeld:
		sum = &h.placed
	case LineCaptured:
		sum = &h.captured
	default: // released or expired
	}
	var err error
	if *sum, err = add(*sum, l.Amount, f.row.ID); err != nil {
		c.problem(at, "%v", err)
	}
}

// saysOnly reports whether the line leaves out what a line of its kind has nothing to say about.
func (l *Line) saysOnly(account AccountID) bool {
	posting := l.Kind == LinePosted || l.Kind == LineCaptured
	setting := l.Kind == LineOpened || l.Kind == LineSet
	holding := l.Kind != LinePosted && !setting
	return posting == (l.Transaction != ID{}) && holding == (l.Hold != ID{}) && posting == (l.Side == Debit || l.Side == Credit) &&
		(posting || l.Side == 0 && l.EffectiveAt.Equal(l.RecordedAt)) &&
		(!setting || l.Amount.Sign() == 0 && l.Amount.AssetID() == account.Asset)
}

// compareAccount compares the row with the fold.
func (c *checker) compareAccount(f *accountFold) {
	a, at := &f.row, Problem{Kind: ProblemAccount, Account: f.row.ID}
	if a.Version != f.version {
		c.problem(at, "the row is at version %d, the lines at %d", a.Version, f.version)
	}
	if a.Posted != f.posted || a.Held != f.held {
		c.problem(at, "the row has posted %s and held %s; the lines add up to %s and %s", a.Posted, a.Held, f.posted, f.held)
	}
	if a.Terms != f.terms {
		c.problem(at, "the terms are not those of the last line that set them")
	}
	if !a.UpdatedAt.Equal(f.recorded) {
		c.problem(at, "updated at %v, the last line is of %v", a.UpdatedAt, f.recorded)
	}
	if a.Type < Asset || a.Type > Expense {
		c.problem(at, "no such type")
	}
}
