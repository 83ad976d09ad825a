package ledger

import (
	"fmt"
	"slices"
	"time"

	"github.com/koshpay/kosh/currency"
)

// Available is posted − held: what a posting or a hold may take as far as the floor lets it.
func (a AccountInfo) Available() currency.Amount {
	available, _ := a.Posted.Sub(a.Held) // no row is written whose difference does not fit
	return available
}

func (a *AccountInfo) balance() Balance {
	available, _ := a.Posted.Sub(a.Held)
	return Balance{Account: a.ID, Version: a.Version, Posted: a.Posted, Held: a.Held, Available: available}
}

// Headroom is how much a posting on a side may still move on this account: nothing when it is closed, or frozen for that
// side and the posting is no fact; else as much as the bound in question leaves. Unlimited means that no bound is in
// question, and the amount is zero.
func (a AccountInfo) Headroom(side Side, fact bool) (amount currency.Amount, unlimited bool) {
	return a.headroom(side, fact)
}

func (a *AccountInfo) headroom(side Side, fact bool) (amount currency.Amount, unlimited bool) {
	none := currency.Zero(a.Posted.Asset())
	if a.Terms.Closed || a.frozen(side) && !fact {
		return none, false
	}
	var room currency.Amount
	var err error
	if side == a.Type.NormalSide() {
		if !a.Terms.Ceiling.IsValid() {
			return none, true
		}
		room, err = a.Terms.Ceiling.Sub(a.Posted)
	} else {
		if !a.Terms.Floor.IsValid() {
			return none, true
		}
		available, _ := a.Posted.Sub(a.Held)
		room, err = available.Sub(a.Terms.Floor)
	}
	switch {
	case err != nil:
		return none, true // more room than any amount can be: bounds and balances of one account differ in nothing but size
	case room.Sign() < 0:
		return none, false
	}
	return room, false
}

func (a *AccountInfo) frozen(side Side) bool {
	if side == Debit {
		return a.Terms.DebitsFrozen
	}
	return a.Terms.CreditsFrozen
}

// placeOf returns the cell of account i of an entry. The names of a batch are those of its entries one after the other,
// unless they were sorted since.
func (w *working) placeOf(p *prepared, i int, id *AccountID) (c uint32, named bool) {
	if at := p.first + i; at < len(w.asked) && w.asked[at] == *id {
		return w.accounts.asked[at], true
	}
	return w.accounts.place(id)
}

// cell returns the cell of an account, whether it exists or not.
func (s *step) cell(id *AccountID) (c uint32, named bool) {
	if len(s.accounts) <= few {
		for i := range s.accounts {
			if s.accounts[i] == *id {
				return s.cells[i], true
			}
		}
	}
	return s.w.accounts.place(id)
}

// existing returns the cell of an account that must exist.
func (s *step) existing(id *AccountID) (uint32, error) {
	c, named := s.cell(id)
	switch {
	case !named:
		s.w.missing.Accounts = append(s.w.missing.Accounts, *id)
		return 0, errUnread
	case s.w.accounts.at(c) == nil:
		return 0, refuse(ErrAccountNotFound, "").of(*id)
	}
	return c, nil
}

// account returns a copy of an account that must exist.
func (s *step) account(id AccountID) (AccountInfo, error) {
	c, err := s.existing(&id)
	if err != nil {
		return AccountInfo{}, err
	}
	return *s.w.accounts.at(c), nil
}

// usable refuses a posting or hold that a closed or frozen account does not take.
func (a *AccountInfo) usable(side Side, fact bool) error {
	if a.Terms.Closed {
		return refuse(ErrAccountClosed, "").of(a.ID)
	}
	if a.frozen(side) && !fact {
		return refuse(ErrAccountFrozen, side.String()+"s are frozen").of(a.ID)
	}
	return nil
}

// write gives the account its next line and makes it what the line says.
func (s *step) write(a *AccountInfo, l *Line) error {
	c, named := s.cell(&a.ID)
	if !named {
		s.w.accounts.put(a.ID, a) // the account is one of those that the entry names
		c, _ = s.w.accounts.place(&a.ID)
	}
	row := s.w.accounts.edit(c)
	*row = *a
	return s.writeLine(c, row, l)
}

// writeLine gives an account that is being changed in its cell its next line, which is what the rest of the line follows
// from. It is the only place where a line is written.
func (s *step) writeLine(c uint32, a *AccountInfo, l *Line) error {
	if err := a.turn(s.now); err != nil {
		return err
	}
	l.Account, l.Version, l.Posted, l.Held, l.RecordedAt = a.ID, a.Version, a.Posted, a.Held, s.now
	if l.EffectiveAt.IsZero() {
		l.EffectiveAt = s.now
	}
	s.w.lines = append(s.w.lines, *l)
	if !slices.Contains(s.touched, c) {
		s.touched = append(s.touched, c)
	}
	return nil
}

// turn makes an account that was changed its next version.
func (a *AccountInfo) turn(now time.Time) error {
	if _, err := sub(a.Posted, a.Held, a.ID); err != nil {
		return err // available must always be a number
	}
	a.Version++
	a.UpdatedAt = now
	if a.Held.Sign() == 0 {
		a.NextExpiry = noDeadline
	}
	return nil
}

// openAccounts opens an account, or every part of a striped one.
func (s *step) openAccounts(c OpenAccount) error {
	for _, id := range c.opened() {
		c.Account = id
		if err := s.openAccount(c); err != nil {
			return err
		}
	}
	return nil
}

// openAccount opens an account, or does nothing when it is there on the same terms: the same type and owner, and the
// bounds that it was opened with or has now. So an entry may open what it needs every time, also after its bounds were
// changed; and it never reopens an account that was closed.
func (s *step) openAccount(c OpenAccount) error {
	cell, named := s.cell(&c.Account)
	if !named {
		s.w.missing.Accounts = append(s.w.missing.Accounts, c.Account)
		return errUnread
	}
	if a := s.w.accounts.at(cell); a != nil {
		return a.sameTerms(c)
	}
	def, known := currency.Lookup(c.Account.Asset)
	if !known {
		return invalid("account.asset", "nobody has defined this asset").of(c.Account)
	}
	if err := s.useAsset(def, c.Account); err != nil {
		return err
	}
	terms := Terms{Floor: c.Floor, Ceiling: c.Ceiling}
	zero := currency.Zero(def)
	opened := AccountInfo{
		ID: c.Account, Type: c.Type, Owner: c.Owner, Terms: terms, Opening: terms,
		OpenedAt: s.now, Posted: zero, Held: zero,
	}
	if err := opened.withinBounds(true, true); err != nil {
		return err
	}
	if err := s.write(&opened, &Line{Kind: LineOpened, Amount: zero, Terms: &terms}); err != nil {
		return err
	}
	s.change(&Change{Kind: ChangeAccount, Account: c.Account, Version: 1})
	return nil
}

func (a *AccountInfo) sameTerms(c OpenAccount) error {
	bounds := Terms{Floor: c.Floor, Ceiling: c.Ceiling}
	now := Terms{Floor: a.Terms.Floor, Ceiling: a.Terms.Ceiling}
	field := ""
	switch {
	case a.Type != c.Type:
		field = "type"
	case a.Owner != c.Owner:
		field = "owner"
	case bounds == a.Opening || bounds == now:
		return nil
	case bounds.Floor != now.Floor:
		field = "floor"
	default:
		field = "ceiling"
	}
	return refuse(ErrTermsDiffer, "").in(field).of(c.Account)
}

// useAsset remembers an asset's definition at its first use, and refuses one that has another scale or kind since.
func (s *step) useAsset(def *currency.Definition, id AccountID) error {
	row, exists, named := s.w.assets.get(def.ID())
	if !named {
		s.w.missing.Assets = append(s.w.missing.Assets, def.ID())
		return errUnread
	}
	if !exists {
		s.w.assets.put(def.ID(), &AssetRow{ID: def.ID(), Code: def.Code(), Name: def.Name(), Scale: def.Scale(), Kind: def.Kind()})
		return nil
	}
	if r := row.agrees(def); r != nil {
		return r.of(id)
	}
	return nil
}

// agrees compares the asset as the book knows it with the asset as this process does.
func (r *AssetRow) agrees(def *currency.Definition) *Refusal {
	if r.Scale == def.Scale() && r.Kind == def.Kind() {
		return nil
	}
	return refuse(ErrAssetChanged, fmt.Sprintf("the book has %s as %v with scale %d, the process as %v with scale %d",
		r.ID, r.Kind, r.Scale, def.Kind(), def.Scale()))
}

func (s *step) setAccount(c SetAccount) error {
	a, err := s.account(c.Account)
	if err != nil {
		return err
	}
	next := a.Terms
	set(&next.Floor, c.Floor)
	set(&next.Ceiling, c.Ceiling)
	set(&next.DebitsFrozen, c.DebitsFrozen)
	set(&next.CreditsFrozen, c.CreditsFrozen)
	set(&next.Closed, c.Closed)
	if next == a.Terms {
		return nil
	}
	if next.Closed && !a.Terms.Closed && (a.Posted.Sign() != 0 || a.Held.Sign() != 0) {
		return refuse(ErrAccountInUse, "posted "+a.Posted.String()+", held "+a.Held.String()).of(a.ID)
	}
	if r := checkBounds(next.Floor, next.Ceiling); r != nil {
		return r.of(a.ID)
	}
	a.Terms = next
	if err := a.withinBounds(c.Floor != nil, c.Ceiling != nil); err != nil {
		return err
	}
	if err := s.write(&a, &Line{Kind: LineSet, Amount: currency.Zero(a.Posted.Asset()), Terms: &next}); err != nil {
		return err
	}
	s.change(&Change{Kind: ChangeAccount, Account: a.ID, Version: a.Version + 1})
	return nil
}

func set[T any](field *T, value *T) {
	if value != nil {
		*field = *value
	}
}

// withinBounds refuses bounds that the balance breaks already.
func (a *AccountInfo) withinBounds(floor, ceiling bool) error {
	if floor && a.Terms.Floor.IsValid() {
		if less, err := below(a.Available(), a.Terms.Floor, a.ID); err != nil {
			return err
		} else if less {
			return refuse(ErrInsufficientFunds, "the balance is below the floor").of(a.ID).short(a.Terms.Floor, a.Available())
		}
	}
	if ceiling && a.Terms.Ceiling.IsValid() {
		if more, err := below(a.Terms.Ceiling, a.Posted, a.ID); err != nil {
			return err
		} else if more {
			return refuse(ErrCeiling, "the balance is above the ceiling").of(a.ID).short(a.Terms.Ceiling, a.Posted)
		}
	}
	return nil
}
