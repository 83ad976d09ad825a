package ledger

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/koshpay/kosh/currency"
)

// plain copies a command down to its last slice, so that the caller may reuse its own, brings its times to the ledger's
// form and takes a pointer for what it points to.
func plain(given Command) (Command, bool) {
	switch c := given.(type) {
	case OpenAccount, Release: // nobody can change what an interface has
		return given, true
	case Post:
		c.Postings, c.EffectiveAt = slices.Clone(c.Postings), moment(c.EffectiveAt)
		c.Meta = maps.Clone(c.Meta)
		return c, true
	case Import:
		c.Postings, c.EffectiveAt, c.Meta = slices.Clone(c.Postings), moment(c.EffectiveAt), maps.Clone(c.Meta)
		return c, true
	case Draw:
		c.From, c.To, c.EffectiveAt = slices.Clone(c.From), slices.Clone(c.To), moment(c.EffectiveAt)
		c.Meta = maps.Clone(c.Meta)
		return c, true
	case PlaceHold:
		if at := moment(c.ExpiresAt); c.Meta != nil || at != c.ExpiresAt {
			c.ExpiresAt, c.Meta = at, maps.Clone(c.Meta)
			return c, true
		}
		return given, true
	case Capture:
		c.To, c.EffectiveAt, c.Meta = slices.Clone(c.To), moment(c.EffectiveAt), maps.Clone(c.Meta)
		return c, true
	case Reverse:
		c.Part, c.Meta = slices.Clone(c.Part), maps.Clone(c.Meta)
		return c, true
	case SetAccount:
		c.Floor, c.Ceiling = own(c.Floor), own(c.Ceiling)
		c.DebitsFrozen, c.CreditsFrozen, c.Closed = own(c.DebitsFrozen), own(c.CreditsFrozen), own(c.Closed)
		return c, true
	case PutDocument:
		c.Due, c.References, c.Body = moment(c.Due), slices.Clone(c.References), slices.Clone(c.Body)
		return c, true
	case EraseDocument:
		c.Versions = slices.Clone(c.Versions)
		return c, true
	default:
		return pointed(given)
	}
}

func pointed(c Command) (Command, bool) {
	switch c := c.(type) {
	case *OpenAccount:
		return follow(c)
	case *Post:
		return follow(c)
	case *Import:
		return follow(c)
	case *Draw:
		return follow(c)
	case *PlaceHold:
		return follow(c)
	case *Capture:
		return follow(c)
	case *Release:
		return follow(c)
	case *Reverse:
		return follow(c)
	case *SetAccount:
		return follow(c)
	case *PutDocument:
		return follow(c)
	case *EraseDocument:
		return follow(c)
	}
	return nil, false
}

func follow[C Command](p *C) (Command, bool) {
	if p == nil {
		return nil, false
	}
	return plain(*p)
}

func own[T any](p *T) *T {
	if p == nil {
		return nil
	}
	return new(*p)
}

// checkList copies and checks the commands of an entry, or of a guard. The refusal names the first one at fault.
func checkList(list []Command) ([]Command, *Refusal) {
	if len(list) > MaxCommands {
		return nil, tooLarge("commands", fmt.Sprintf("%d commands; at most %d", len(list), MaxCommands))
	}
	checked := make([]Command, len(list))
	for i, c := range list {
		p, ok := plain(c)
		var r *Refusal
		if ok {
			checked[i] = p
			r = checkCommand(checked[:i], p)
		} else {
			r = invalid("", fmt.Sprintf("no command of the ledger: %T", c))
		}
		if r != nil {
			r.Command = i
			return nil, r
		}
	}
	return checked, nil
}

func checkCommand(before []Command, c Command) *Refusal {
	switch c := c.(type) {
	case OpenAccount:
		return c.check()
	case Post:
		return c.check()
	case Import:
		return c.check()
	case Draw:
		return c.check()
	case PlaceHold:
		return c.check()
	case Capture:
		return c.check(before)
	case Release:
		return c.check(before)
	case Reverse:
		return c.check(before)
	case SetAccount:
		return c.check()
	case PutDocument:
		return c.check()
	case EraseDocument:
		return c.check()
	}
	return invalid("", fmt.Sprintf("no command of the ledger: %T", c))
}

func (c OpenAccount) check() *Refusal {
	if r := checkAccount(c.Account); r != nil {
		return within("account", r)
	}
	if _, known := currency.Lookup(c.Account.Asset); !known {
		return invalid("account.asset", "nobody has defined this asset")
	}
	if c.Type < Asset || c.Type > Expense {
		return invalid("type", fmt.Sprintf("no account type %d", uint8(c.Type)))
	}
	if r := checkName("owner", c.Owner, MaxNameBytes); r != nil {
		return r
	}
	if r := checkBound("floor", c.Floor, c.Account.Asset); r != nil {
		return r
	}
	if r := checkBound("ceiling", c.Ceiling, c.Account.Asset); r != nil {
		return r
	}
	return checkBounds(c.Floor, c.Ceiling)
}

func (c SetAccount) check() *Refusal {
	if r := checkAccount(c.Account); r != nil {
		return within("account", r)
	}
	if c.Floor == nil && c.Ceiling == nil && c.DebitsFrozen == nil && c.CreditsFrozen == nil && c.Closed == nil {
		return invalid("", "sets nothing")
	}
	if c.Floor != nil {
		if r := checkBound("floor", *c.Floor, c.Account.Asset); r != nil {
			return r
		}
	}
	if c.Ceiling != nil {
		return checkBound("ceiling", *c.Ceiling, c.Account.Asset)
	}
	return nil
}

func (c *Post) check() *Refusal {
	if r := checkPostings("postings", c.Postings); r != nil {
		return r
	}
	if r := checkBalanced(c.Postings); r != nil {
		return r.in("postings")
	}
	return checkEffect(c.EffectiveAt, c.Note)
}

// checkPostings checks each posting by itself, and that no account is on both sides.
func checkPostings(field string, postings []Posting) *Refusal {
	if len(postings) < 2 {
		return invalid(field, "a transaction has at least two postings")
	}
	if len(postings) > MaxPostings {
		return tooLarge(field, fmt.Sprintf("%d postings; at most %d", len(postings), MaxPostings))
	}
	for i := range postings {
		p := &postings[i]
		r := checkPath(p.Account.Path)
		if r == nil && p.Account.Asset != p.Amount.AssetID() { // whose asset is a known one
			r = checkAccount(p.Account)
		}
		switch {
		case r != nil:
			r = within("account", r)
		case p.Side != Debit && p.Side != Credit:
			r = invalid("side", "neither debit nor credit")
		default:
			r = checkAmount("amount", p.Amount, p.Account.Asset)
		}
		if r != nil {
			return within(fmt.Sprintf("%s[%d]", field, i), r.of(safe(p.Account)))
		}
	}
	return checkSides(field, postings)
}

// safe leaves an account out of a refusal when its name is not fit to be shown.
func safe(id AccountID) AccountID {
	if checkAccount(id) != nil {
		return AccountID{}
	}
	return id
}

// few is up to how many names comparing each with each is quicker than a set.
const few = 16

func checkSides(field string, postings []Posting) *Refusal {
	twice := func(i int) *Refusal {
		return invalid(fmt.Sprintf("%s[%d]", field, i), "an account on both sides").of(postings[i].Account)
	}
	if len(postings) <= few {
		for i := range postings {
			for j := range postings[:i] {
				if postings[i].Side != postings[j].Side && postings[i].Account == postings[j].Account {
					return twice(i)
				}
			}
		}
		return nil
	}
	sides := make(map[AccountID]Side, len(postings))
	for i := range postings {
		if s, ok := sides[postings[i].Account]; ok && s != postings[i].Side {
			return twice(i)
		}
		sides[postings[i].Account] = postings[i].Side
	}
	return nil
}

// checkBalanced wants debits equal to credits in every asset.
func checkBalanced(postings []Posting) *Refusal {
	if len(postings) == 2 && postings[0].Side != postings[1].Side && postings[0].Amount == postings[1].Amount {
		return nil
	}
	var space [4]currency.Amount
	excess := space[:0] // debits less credits, one an asset, in the order met
	for i := range postings {
		p := &postings[i]
		at := slices.IndexFunc(excess, func(a currency.Amount) bool { return a.Asset() == p.Amount.Asset() })
		if at < 0 {
			at = len(excess)
			excess = append(excess, currency.Zero(p.Amount.Asset()))
		}
		var err error
		if p.Side == Debit {
			excess[at], err = excess[at].Add(p.Amount)
		} else {
			excess[at], err = excess[at].Sub(p.Amount)
		}
		if err != nil {
			return arithmetic(err, AccountID{})
		}
	}
	for _, e := range excess {
		switch {
		case e.Sign() > 0:
			return refuse(ErrUnbalanced, "debits exceed credits by "+e.String())
		case e.Sign() < 0:
			return refuse(ErrUnbalanced, "credits exceed debits by "+strings.TrimPrefix(e.String(), "-"))
		}
	}
	return nil
}

func checkEffect(at time.Time, n Note) *Refusal {
	if r := checkTime("effective_at", at); r != nil {
		return r
	}
	return checkNote(n)
}

func (c Draw) check() *Refusal {
	if !c.Amount.IsValid() {
		return invalid("amount", "no amount")
	}
	if r := checkAmount("amount", c.Amount, c.Amount.AssetID()); r != nil {
		return r
	}
	seen := make(map[AccountID]bool, len(c.From)+len(c.To))
	for _, side := range []struct {
		field    string
		accounts []AccountID
	}{{"from", c.From}, {"to", c.To}} {
		if len(side.accounts) == 0 {
			return invalid(side.field, "no account")
		}
		if len(side.accounts) > MaxDrawAccounts {
			return tooLarge(side.field, fmt.Sprintf("%d accounts; at most %d", len(side.accounts), MaxDrawAccounts))
		}
		for i, id := range side.accounts {
			field := fmt.Sprintf("%s[%d]", side.field, i)
			if r := checkAccount(id); r != nil {
				return within(field, r)
			}
			if id.Asset != c.Amount.AssetID() {
				return refuse(ErrAssetMismatch, "all accounts of a draw have the asset of its amount").in(field).of(id)
			}
			if seen[id] {
				return invalid(field, "named twice").of(id)
			}
			seen[id] = true
		}
	}
	return checkEffect(c.EffectiveAt, c.Note)
}

func (c PlaceHold) check() *Refusal {
	if r := checkAccount(c.Account); r != nil {
		return within("account", r)
	}
	if r := checkAmount("amount", c.Amount, c.Account.Asset); r != nil {
		return r
	}
	if r := checkTime("expires_at", c.ExpiresAt); r != nil {
		return r
	}
	return checkNote(c.Note)
}

func (c Capture) check(before []Command) *Refusal {
	if r := checkRef("hold", c.Hold, before, makesHold); r != nil {
		return r
	}
	if len(c.To) == 0 {
		return invalid("to", "no account; to give everything back use Release")
	}
	if len(c.To) > MaxPostings-1 {
		return tooLarge("to", fmt.Sprintf("%d accounts; at most %d", len(c.To), MaxPostings-1))
	}
	for i, p := range c.To {
		r := checkAccount(p.Account)
		if r != nil {
			r = within("account", r)
		} else {
			r = checkAmount("amount", p.Amount, p.Account.Asset)
		}
		if r != nil {
			return within(fmt.Sprintf("to[%d]", i), r.of(safe(p.Account)))
		}
	}
	return checkEffect(c.EffectiveAt, c.Note)
}

func (c Release) check(before []Command) *Refusal {
	if c.All == c.Amount.IsValid() {
		return invalid("amount", "exactly one of amount and all is given")
	}
	if !c.All {
		if r := checkAmount("amount", c.Amount, c.Amount.AssetID()); r != nil {
			return r
		}
	}
	return checkRef("hold", c.Hold, before, makesHold)
}

func (c Reverse) check(before []Command) *Refusal {
	if c.All == (len(c.Part) > 0) {
		return invalid("part", "exactly one of part and all is given")
	}
	if !c.All {
		if r := checkPostings("part", c.Part); r != nil {
			return r
		}
		if r := checkBalanced(c.Part); r != nil {
			return r.in("part")
		}
	}
	if r := checkRef("transaction", c.Transaction, before, makesTransaction); r != nil {
		return r
	}
	return checkNote(c.Note)
}

func (c PutDocument) check() *Refusal {
	if r := checkDocumentID(c.DocumentID); r != nil {
		return r
	}
	for _, n := range []struct{ field, value string }{{"owner", c.Owner}, {"state", c.State}, {"lane", c.Lane}} {
		if r := checkName(n.field, n.value, MaxNameBytes); r != nil {
			return r
		}
	}
	if len(c.References) > MaxReferences {
		return tooLarge("references", fmt.Sprintf("%d references; at most %d", len(c.References), MaxReferences))
	}
	for i, ref := range c.References {
		if r := checkReference(fmt.Sprintf("references[%d]", i), ref); r != nil {
			return r
		}
	}
	if r := checkTime("due", c.Due); r != nil {
		return r
	}
	return checkBody(c.Body)
}

// checkRef wants an id, or the place of an earlier command that makes such a thing; never both.
func checkRef(field string, ref Ref, before []Command, makes func(Command) bool) *Refusal {
	switch {
	case !ref.New && ref.Nth != 0, ref.New && ref.ID != (ID{}):
		return invalid(field, "give an id or Nth, not both")
	case !ref.New && ref.ID == (ID{}):
		return invalid(field, "is required")
	case ref.New && (ref.Nth < 0 || ref.Nth >= len(before) || !makes(before[ref.Nth])):
		return invalid(field, fmt.Sprintf("no earlier command %d makes one", ref.Nth))
	}
	return nil
}

func makesHold(c Command) bool {
	_, ok := c.(PlaceHold)
	return ok
}

func makesTransaction(c Command) bool {
	switch c.(type) {
	case Post, Draw, Capture, Reverse:
		return true
	}
	return false
}
