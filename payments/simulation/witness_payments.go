package simulation

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/payments"
	"github.com/koshpay/kosh/providers"
)

// intent is what the witness reads of a payment's document: the fields whose meaning it knows.
type intent struct {
	ID           string           `json:"id"`
	Kind         payments.Kind    `json:"kind"`
	Member       string           `json:"member"`
	Counterparty string           `json:"counterparty"`
	Amount       currency.Amount  `json:"amount"`
	Fee          currency.Amount  `json:"fee"`
	Bought       currency.Amount  `json:"bought"`
	Rate         currency.Rate    `json:"rate"`
	Provider     string           `json:"provider"`
	Method       providers.Method `json:"method"`
	Instrument   string           `json:"instrument"`
	Of           string           `json:"of"`
	Undone       bool             `json:"undone"`
	Parked       bool             `json:"parked"`
	Final        bool             `json:"final"`
	Effects      []taken          `json:"effects"`
	Disputes     []quarrel        `json:"disputes"`
	Attempts     int              `json:"attempts"`
	Provisional  bool             `json:"provisional"`
	FromSuspense string           `json:"from_suspense"`
	Tried        []string         `json:"tried"`
	MaxFee       currency.Amount  `json:"max_fee"`
	Quote        string           `json:"quote"`
	MemberBears  bool             `json:"member_bears"`
	FeeBorne     currency.Amount  `json:"fee_borne"`

	asked   string // the key of the request that made it, if one did
	state   payments.State
	version uint64
	at      time.Time // of the document's first version
	updated time.Time
}

// taken is an effect of a provider as the document has it.
type taken struct {
	ID       string               `json:"id"`
	Kind     providers.EffectKind `json:"kind"`
	Amount   currency.Amount      `json:"amount"`
	Reverses string               `json:"reverses"`
	Suspense currency.Amount      `json:"suspense"`
	Hold     ledger.ID            `json:"hold"`
	Dispute  string               `json:"dispute"`

	Returning bool `json:"returning"`
}

func (e taken) same(f taken) bool {
	return e.ID == f.ID && e.Kind == f.Kind && e.Amount == f.Amount && e.Reverses == f.Reverses
}

func (p *intent) outward() bool { return p.Kind == payments.Withdrawal || p.Kind == payments.Refund }

// moved is the net of the payment's own movements, positive in the direction that it is meant to go.
func (p *intent) moved() currency.Amount {
	if !p.Amount.IsValid() {
		return p.Amount
	}
	sum := currency.Zero(p.Amount.Asset())
	for _, e := range p.Effects {
		if (e.Kind == providers.Moved || e.Kind == providers.Reversed) && e.Amount.Asset() == p.Amount.Asset() {
			sum = plus(sum, e.Amount)
		}
	}
	if p.outward() {
		sum = minus(currency.Zero(sum.Asset()), sum)
	}
	return sum
}

// foreign tells whether money moved in an asset that nobody asked for.
func (p *intent) foreign() bool {
	return slices.ContainsFunc(p.Effects, func(e taken) bool {
		return e.Kind == providers.Moved && e.Amount.Asset() != p.Amount.Asset()
	})
}

type place struct {
	provider string
	asset    currency.AssetID
}

// turn is a version of a payment with another state than the one before.
type turn struct {
	version uint64
	state   payments.State
}

type spender struct{ member, day string }

// ledgerOfPayments is the witness's knowledge of what payments keeps in the book.
type ledgerOfPayments struct {
	limit payments.DailyLimit
	share func(currency.Amount) currency.Amount // the platform's share of a tip
	cut   decimal.Decimal                       // and of an exchange
	clock func() time.Time

	intents map[string]*intent
	order   []*intent // by time of creation
	effects map[string]map[string]taken
	turns   map[string][]turn         // every change of a payment's state
	net     map[place]currency.Amount // of the effects taken in

	disputed  map[place]currency.Amount // of those, less what members were charged with
	spent     map[spender]currency.Amount
	cases     map[string]dossierOfCase
	verdicts  []verdict
	screening *screener
	offers    map[string]offer // quotes
	flows     map[string]flow
	sums      map[ledger.AccountID]currency.Amount // what payments have on accounts of providers and our bank
	inbox     map[string]string                    // document → state
	events    map[string]bool                      // provider/event that are in the inbox
}

func newLedgerOfPayments() *ledgerOfPayments {
	return &ledgerOfPayments{
		intents: map[string]*intent{}, turns: map[string][]turn{}, effects: map[string]map[string]taken{}, net: map[place]currency.Amount{},
		disputed: map[place]currency.Amount{}, flows: map[string]flow{}, offers: map[string]offer{}, sums: map[ledger.AccountID]currency.Amount{},
		spent: map[spender]currency.Amount{}, cases: map[string]dossierOfCase{}, inbox: map[string]string{}, events: map[string]bool{},
	}
}

func (m *ledgerOfPayments) see(w *witness, rows *ledger.Rows, before map[ledger.ID]ledger.Hold) *Breach {
	if len(rows.Versions)+len(rows.Transactions)+len(rows.Holds) == 0 {
		return nil
	}
	author := map[ledger.VersionID]string{} // which entry wrote it
	for _, p := range rows.Pending {
		for _, c := range p.Changes {
			author[ledger.VersionID{DocumentID: c.Document, Version: c.Version}] = c.Key
		}
	}
	touched := map[string]*intent{}
	for i := range rows.Versions {
		d := &rows.Versions[i]
		key := author[ledger.VersionID{DocumentID: d.DocumentID, Version: d.Version}]
		if b := m.seeDocument(w, rows, d, key, before, touched); b != nil {
			return b
		}
	}
	if b := m.flow(w, rows); b != nil {
		return b
	}
	for i := range rows.Versions { // in this order, for the same breach every time
		if p := touched[rows.Versions[i].ID]; p != nil {
			for _, b := range []*Breach{m.backed(w, p), m.flowed(p), m.cased(p), borne(p)} {
				if b != nil {
					return b
				}
			}
		}
	}
	for i := range rows.Accounts {
		for _, b := range []*Breach{m.clears(w, rows.Accounts[i].ID), m.summed(w, rows.Accounts[i].ID)} {
			if b != nil {
				return b
			}
		}
	}
	if b := repaid(w, rows); b != nil {
		return b
	}
	return m.ownersOnly(rows)
}

func (m *ledgerOfPayments) seeDocument(w *witness, rows *ledger.Rows, d *ledger.Document, key string, before map[ledger.ID]ledger.Hold, touched map[string]*intent) *Breach {
	switch d.Kind {
	case "case":
		c, err := readDossier(d)
		if err != nil {
			return breach(Lasting, "case %s does not read: %v", d.ID, err)
		}
		m.cases[d.ID] = c
	case kindQuote:
		return m.offered(d)
	case "inbox":
		m.inbox[d.ID] = d.State
		var item struct {
			Event struct{ ID string }
		}
		if json.Unmarshal(d.Body, &item) == nil {
			m.events[item.Event.ID] = true
		}
	case "payment":
		p := new(intent)
		if err := json.Unmarshal(d.Body, p); err != nil {
			return breach(Lasting, "payment %s does not read: %v", d.ID, err)
		}
		p.state, p.version, p.at, p.updated = payments.State(d.State), d.Version, d.CreatedAt, d.UpdatedAt
		if p.ID != d.ID {
			return breach(Lasting, "document %s is payment %s", d.ID, p.ID)
		}
		old := m.intents[p.ID]
		if old == nil {
			m.order = append(m.order, p)
			if strings.HasPrefix(key, "req/") {
				p.asked = key
			}
			if b := m.first(w, p); b != nil {
				return b
			}
			old = &intent{state: payments.Created, Kind: p.Kind}
		} else {
			p.asked = old.asked
			if b := lasting(old, p); b != nil {
				return b
			}
			for i := range m.order { // recent ones are last
				if j := len(m.order) - 1 - i; m.order[j] == old {
					m.order[j] = p
					break
				}
			}
		}
		if all := m.turns[p.ID]; len(all) == 0 || all[len(all)-1].state != p.state {
			m.turns[p.ID] = append(all, turn{p.version, p.state})
		}
		m.intents[p.ID], touched[p.ID] = p, p
		if of := m.intents[p.Of]; p.Kind == payments.Refund && p.Attempts > old.Attempts && of != nil && of.disputed() {
			return breach(Refundable, "refund %s is sent while deposit %s is disputed", p.ID, p.Of)
		}
		if owed := w.accounts[payments.ReceivableAccount(p.Member, p.Amount.AssetID())]; p.Kind == payments.Withdrawal && p.Attempts > old.Attempts && owed != nil && owed.Posted.Sign() > 0 {
			return breach(Bounds, "withdrawal %s of %s is sent, who owes %v", p.ID, p.Member, owed.Posted).about(owed.ID)
		}
		m.backs(old, p)
		m.tally(old, -1)
		m.tally(p, 1)
		if b := m.quarrels(w, old, p); b != nil {
			return b
		}
		return m.accumulate(w, rows, old, p, before)
	}
	return nil
}

// first checks a payment as it is first recorded.
func (m *ledgerOfPayments) first(w *witness, p *intent) *Breach {
	if p.version != 1 {
		return breach(Lasting, "payment %s begins with version %d", p.ID, p.version)
	}
	asked := p.asked != ""
	if b := m.attributed(p); b != nil {
		return b
	}
	if asked {
		if b := m.begun(w, p); b != nil {
			return b
		}
	}
	if p.Kind == payments.Tip && p.Fee != m.share(p.Amount) {
		return breach(Shares, "the fee of tip %s of %v is %v, not %v", p.ID, p.Amount, p.Fee, m.share(p.Amount))
	}
	if p.Kind == payments.Refund {
		deposit := m.intents[p.Of]
		if deposit == nil {
			return breach(Refundable, "refund %s of nothing", p.ID)
		}
		if deposit.disputed() && p.FromSuspense == "" {
			return breach(Refundable, "refund %s of deposit %s, which is disputed", p.ID, p.Of)
		}
		sum := plus(p.Amount, deposit.withdrawn())
		for _, q := range m.order {
			if q != p && q.Kind == payments.Refund && q.Of == p.Of && q.Amount.Asset() == deposit.Amount.Asset() && q.state != payments.Failed && q.state != payments.Canceled && q.state != payments.Reversed {
				sum = plus(sum, q.Amount)
			}
		}
		if p.Amount.Asset() == deposit.Amount.Asset() && less(deposit.moved(), sum) {
			return breach(Refundable, "refund %s makes it %v of deposit %s, of which %v came", p.ID, sum, p.Of, deposit.moved())
		}
	}
	if asked && p.Amount.IsValid() && p.Amount.Asset() == m.limit.Max.Asset() && slices.Contains(m.limit.Kinds, p.Kind) {
		s := spender{p.Member, m.clock().UTC().Format(time.DateOnly)}
		m.spent[s] = plus(m.spent[s], p.Amount)
		if less(m.limit.Max, m.spent[s]) {
			return breach(Limits, "%s has spent %v on %s, the limit is %v", s.member, m.spent[s], s.day, m.limit.Max)
		}
	}
	return nil
}

// lasting checks what must not change from one version of a payment to the next.
func lasting(old, p *intent) *Breach {
	switch {
	case p.version != old.version+1:
		return breach(Lasting, "payment %s has version %d after %d", p.ID, p.version, old.version)
	case p.Provider != old.Provider && (!slices.Contains(p.Tried, old.Provider) || len(p.Effects) > 0):
		return breach(Certain, "payment %s went from %s to %s", p.ID, old.Provider, p.Provider)
	case p.Kind != old.Kind, p.Member != old.Member && old.Member != "", p.Counterparty != old.Counterparty, p.Amount != old.Amount, p.Fee != old.Fee,
		p.MaxFee != old.MaxFee, p.MemberBears != old.MemberBears, p.Bought != old.Bought, p.Rate != old.Rate, p.Quote != old.Quote, p.Of != old.Of, !p.at.Equal(old.at):
		return breach(Lasting, "payment %s was %+v and is %+v", p.ID, *old, *p)
	case old.Undone && !p.Undone, old.Final && !p.Final:
		return breach(Lasting, "payment %s was undone or final and is not any more", p.ID)
	case len(p.Effects) < len(old.Effects):
		return breach(Lasting, "payment %s lost effects", p.ID)
	}
	for i := range old.Effects {
		if !p.Effects[i].same(old.Effects[i]) {
			return breach(Lasting, "effect %s of payment %s changed", old.Effects[i].ID, p.ID)
		}
	}
	if !follows(old.state, p.state) {
		return breach(Legal, "payment %s went from %s to %s", p.ID, old.state, p.state)
	}
	return nil
}

// follows tells whether a state may come after another: see payments.State.
func follows(old, now payments.State) bool {
	switch old {
	case payments.Succeeded, payments.Reversed:
		return now == payments.Succeeded || now == payments.Reversed
	case payments.Failed, payments.Canceled:
		return now.Done()
	default:
		return true
	}
}

// accumulate takes over the effects that a version adds.
func (m *ledgerOfPayments) accumulate(w *witness, rows *ledger.Rows, old, p *intent, before map[ledger.ID]ledger.Hold) *Breach {
	all := m.effects[p.Provider]
	if all == nil && p.Provider != "" {
		all = map[string]taken{}
		m.effects[p.Provider] = all
	}
	for _, e := range p.Effects[len(old.Effects):] {
		if _, twice := all[e.ID]; twice {
			return breach(OneEffect, "effect %s of %s was taken in twice, last by payment %s", e.ID, p.Provider, p.ID)
		}
		all[e.ID] = e
		at := place{p.Provider, e.Amount.AssetID()}
		m.net[at] = plus(m.net[at], e.Amount)
		if b := m.inSuspense(p, e); b != nil {
			return b
		}
		if b := provisional(p, e, rows); b != nil {
			return b
		}
		if e.Kind == providers.Reversed && p.Kind == payments.Deposit {
			if b := heldFirst(w, p, e, before); b != nil {
				return b
			}
		}
	}
	return nil
}

// heldFirst: what a provider takes back of a provisional deposit is captured from its hold as far as that reaches.
func heldFirst(w *witness, p *intent, e taken, before map[ledger.ID]ledger.Hold) *Breach {
	i := slices.IndexFunc(p.Effects, func(o taken) bool { return o.ID == e.Reverses })
	if i < 0 || p.Effects[i].Hold == uuid.Nil {
		return nil
	}
	id := p.Effects[i].Hold
	now, known := w.holds[id]
	if !known {
		return breach(HoldFirst, "payment %s names hold %s, which is not there", p.ID, id)
	}
	was, written := before[id]
	if !written {
		was = now
	} else if was.ID == uuid.Nil {
		was = ledger.Hold{Amount: now.Amount} // placed and captured in one step
	}
	room := minus(minus(was.Amount, was.Captured), was.Released)
	size := minus(currency.Zero(e.Amount.Asset()), e.Amount)
	if took := minus(now.Captured, was.Captured); less(took, least(room, size)) {
		return breach(HoldFirst, "%v of payment %s was taken back; hold %s had %v and gave %v", size, p.ID, id, room, took).about(now.Account)
	}
	return nil
}

// backed: a payout that is on its way has its money held, a payment that is finally done has no open hold.
func (m *ledgerOfPayments) backed(w *witness, p *intent) *Breach {
	wallet := payments.WalletAccount(p.Member, p.Amount.AssetID())
	if p.Kind == payments.Deposit && p.Final {
		for _, e := range p.Effects {
			if h, held := w.holds[e.Hold]; held && h.State == ledger.HoldOpen && e.Dispute == "" && !p.disputed() {
				return breach(HoldOnce, "deposit %s is final and hold %s is open", p.ID, h.ID).about(wallet)
			}
		}
	}
	if !p.outward() && p.Provider != "" || p.Kind == payments.Issue || p.Kind == payments.Burn || p.Kind == payments.Forgiven {
		return nil
	}
	id, err := uuid.Parse(p.ID)
	if err != nil {
		return breach(Legal, "payment %s has no UUID", p.ID)
	}
	h, held := w.holds[id]
	open := held && h.State == ledger.HoldOpen
	switch {
	case p.Provider == "" && open != (p.state == payments.Review):
		return breach(HoldOnce, "%s %s is %s; that its money is held: %v", p.Kind, p.ID, p.state, open).about(wallet)
	case !p.state.Done() && !p.foreign() && (!open || !p.covered(minus(minus(h.Amount, h.Captured), h.Released))):
		return breach(HoldOnce, "%s %s of %v is %s and its money is not held", p.Kind, p.ID, p.Amount, p.state).about(wallet)
	case open && !p.foreign() && (p.state == payments.Failed || p.state == payments.Canceled || p.state.Done() && p.Final):
		return breach(HoldOnce, "%s %s is %s for good and its hold is open", p.Kind, p.ID, p.state).about(wallet)
	}
	return nil
}

// clears: a clearing account is the sum of the effects that were taken in, at any moment.
func (m *ledgerOfPayments) clears(w *witness, id ledger.AccountID) *Breach {
	rest, ours := strings.CutPrefix(id.Path, "provider/")
	if provider, is := strings.CutSuffix(rest, "/disputed"); ours && is {
		if a, sum := w.accounts[id], m.disputed[place{provider, id.Asset}]; !equal(a.Posted, sum) {
			return breach(Disputes, "%s has %v, the disputes say %v", id, a.Posted, sum).about(id)
		}
	}
	provider, clearing := strings.CutSuffix(rest, "/clearing")
	if !ours || !clearing {
		return nil
	}
	if a, net := w.accounts[id], m.net[place{provider, id.Asset}]; !equal(a.Posted, net) {
		return breach(Clearing, "%s has %v, the effects taken in are %v", id, a.Posted, net).about(id)
	}
	return nil
}

// ownersOnly: what takes money out of a wallet, or reserves it, is a request of its owner, a provider's fact, or what a person
// decided about a case.
func (m *ledgerOfPayments) ownersOnly(rows *ledger.Rows) *Breach {
	allowed := func(account ledger.AccountID, key string, note ledger.Note) *Breach {
		member, wallet := strings.CutPrefix(account.Path, "wallet/")
		owner := "req/member/" + member + "/"
		if !wallet || note.Meta["effect"] != "" || strings.HasPrefix(key, owner) || note.Meta["resolution"] != "" {
			return nil
		}
		// What its owner asked for and a person approved.
		if p := m.intents[note.Reference]; p != nil && strings.HasPrefix(p.asked, owner) && note.Meta["kind"] == string(p.Kind) {
			return nil
		}
		return breach(OwnersOnly, "entry %q takes money from %s", key, account).about(account)
	}
	for i := range rows.Transactions {
		t := &rows.Transactions[i]
		if len(t.Reversed) > 0 {
			continue // written again because it was reversed
		}
		for _, p := range t.Postings {
			if p.Side == ledger.Debit {
				if b := allowed(p.Account, t.Key, t.Note); b != nil {
					return b
				}
			}
		}
	}
	for i := range rows.Holds {
		if b := allowed(rows.Holds[i].Account, rows.Holds[i].Key, rows.Holds[i].Note); b != nil {
			return b
		}
	}
	return nil
}
