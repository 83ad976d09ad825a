package payments

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/providers"
)

// maxTries bounds how often a step is tried again because a payment changed between reading it and recording.
const maxTries = 20

// settle brings news about a payment into the book, once for a key. It asks for no lease: a fact is a fact, however slow
// the worker was that learnt it.
func (s *Service) settle(ctx context.Context, key string, n news) error {
	n.config = s.config
	if planted("skip-dedup") {
		n.salt = s.config.NewID().String()
	}
	n.report.Effects = inOrder(n.report.Effects)
	var err error
	for tries, parts := 0, 0; tries < maxTries && parts <= providers.MaxEffects; {
		rec := n.fresh
		d, errRead := s.book.Document(ctx, paymentDocument(n.id))
		switch {
		case errRead == nil:
			if rec, err = readRecord(d); err != nil {
				return err
			}
		case !errors.Is(errRead, ledger.NotFound) || n.fresh == nil:
			return errRead
		}
		p, errPart := n.part(rec, d.Version)
		if errPart != nil {
			return errPart
		}
		_, err = s.book.Record(ctx, ledger.Entry{Key: p.key(key), Inputs: "news", Guards: p.guards()})
		switch {
		case err == nil && !p.last:
			tries, parts = 0, parts+1
		case err == nil && p.rec != nil && p.rec.lingers(): // there is more to give back than one entry looks at
			tries, parts = 0, parts+1
			n = news{provider: n.provider, id: n.id, config: n.config}
			key += "/rest"
		case errors.Is(err, ledger.ErrUndeclared), errors.Is(err, ledger.ErrVersion):
			tries++ // a hold or account that appeared meanwhile is not declared, and a document may be ahead: read again
		default:
			return err
		}
	}
	return err
}

// inOrder sorts the effects of one report: what moved before what took it back. What a chain mined again comes after that, as
// the report has it.
func inOrder(all []providers.Effect) []providers.Effect {
	sorted := slices.Clone(all)
	begin, back, seen := 0, false, map[string]bool{}
	sort := func(to int) {
		slices.SortStableFunc(sorted[begin:to], func(a, b providers.Effect) int { return order(a.Kind) - order(b.Kind) })
		begin, back = to, false
	}
	for i, e := range all {
		if e.Kind == providers.Moved && back {
			sort(i)
		}
		back = back || e.Kind == providers.Reversed && seen[e.Reverses]
		seen[e.ID] = true
	}
	sort(len(sorted))
	return sorted
}

// order sorts kinds of effect.
func order(k providers.EffectKind) int {
	switch k {
	case providers.Reinstated:
		return 1 // what it frees can be held for the next dispute
	case providers.Disputed:
		return 2
	case providers.Reversed:
		return 3
	case providers.Moved, providers.Fee, providers.Settled, providers.Converted:
	}
	return 0
}

// reportKey is the key of a report that nobody asked for: the same report is the same news, however often it comes.
func reportKey(provider, payment string, r providers.Report) (string, error) {
	r.Raw, r.Action = nil, nil
	b, err := json.Marshal(r)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(b)
	return "report/" + provider + "/" + payment + "/" + hex.EncodeToString(sum[:16]), nil
}

// stepKey is the key of what a worker does with one version of a payment.
func stepKey(id string, version uint64, step string) string {
	return "step/" + id + "/" + strconv.FormatUint(version, 10) + "/" + step
}

// deliver takes an event of a provider into the book. When it returns nil the event is durable and need not come again.
func (s *Service) deliver(ctx context.Context, provider string, e providers.Event) error {
	if e.Report == nil {
		return s.putAside(ctx, provider, e, "hint")
	}
	if e.Report.Validate() != nil {
		return s.putAside(ctx, provider, e, "invalid")
	}
	known, err := s.hear(ctx, provider, *e.Report, false)
	switch {
	case errors.Is(err, errUnscreened):
		return s.putAside(ctx, provider, e, "not screened") // or everything would wait for one answer
	case unfit(err):
		return s.putAside(ctx, provider, e, "more than the book holds") // or no event after it would ever be taken
	case err == nil && !known:
		return s.putAside(ctx, provider, e, "unknown")
	}
	return err
}

// unfit tells whether the book cannot hold what a provider told: an amount that is too much for an account, or more than one record
// of a payment has room for.
func unfit(err error) bool {
	return errors.Is(err, ledger.ErrOverflow) || errors.Is(err, ledger.ErrTooLarge)
}

// unfitRest is how long a payment is left alone of which the provider told more than the book holds.
const unfitRest = time.Hour

// answered brings a provider's answer about a payment into the book. One that the book cannot hold gets a case, and the payment is
// looked up again later: time and again at once would not help.
func (s *Service) answered(ctx context.Context, key string, n news) error {
	n.asked = true
	cause := s.settle(ctx, key, n)
	if !unfit(cause) {
		return cause
	}
	f := Finding{Code: "unrecorded", Text: clip("the provider told more than the book holds: " + cause.Error())}
	if err := s.openCase(ctx, "unrecorded/"+n.id, "unrecorded", n.id, n.provider, "", f); err != nil {
		return err
	}
	return s.settle(ctx, key+"/unfit", news{provider: n.provider, id: n.id, touch: true, offset: unfitRest})
}

// hear takes a report that nobody waits for into the book. It tells whether anything is known that the report is about; to
// adopt is to know money that nobody expected too: it goes to suspense.
func (s *Service) hear(ctx context.Context, provider string, r providers.Report, adopt bool) (known bool, err error) {
	if len(r.Quarantined) > 0 {
		if err := s.quarantine(ctx, provider, r); err != nil || len(r.Effects) == 0 {
			return err == nil, err
		}
	}
	n, known, err := s.route(ctx, provider, r)
	if err != nil {
		return false, err
	}
	if !known && adopt && len(r.Effects) > 0 && r.Reference != "" && !parseKey(r.Key) {
		n.adopt("", "")
		known = true
	}
	if !known {
		return false, nil
	}
	key, err := reportKey(provider, n.id, n.report)
	if err != nil {
		return false, err
	}
	// A webhook and a poll tell the same: one look spares the second the way through the rows that it is about.
	if _, err := s.book.Receipt(ctx, key); !errors.Is(err, ledger.ErrKeyNotFound) {
		return true, err
	}
	if err := s.screenIn(ctx, &n); err != nil {
		return true, err
	}
	return true, s.settle(ctx, key, n)
}

// route finds the payment that a report is about. Money that came to an address of ours, or that the provider attributes
// to a member, makes a payment of its own.
func (s *Service) route(ctx context.Context, provider string, r providers.Report) (news, bool, error) {
	n := news{provider: provider, report: r}
	rec, err := s.keyed(ctx, provider, r.Key)
	if err != nil {
		return n, false, err
	}
	of := ""
	if rec != nil {
		if rec.Kind != Address || len(r.Effects) == 0 && r.Kind != providers.Deposit {
			n.id = rec.ID
			return n, true, nil
		}
		of = rec.ID
	}
	if r.Reference != "" {
		switch d, err := s.book.ByReference(ctx, providerReference(provider, r.Reference)); {
		case err == nil && d.Kind == kindPayment:
			n.id = d.ID
			return n, true, nil
		case err != nil && !errors.Is(err, ledger.NotFound):
			return n, false, err
		}
	}
	return s.unsolicited(ctx, n, of)
}

// keyed finds the provider's payment of a report with our key; nil: there is none.
func (s *Service) keyed(ctx context.Context, provider, key string) (*record, error) {
	if key == "" {
		return nil, nil //nolint:nilnil // nobody asked: no payment is an answer
	}
	_, rec, err := s.desk.record(ctx, key)
	switch {
	case errors.Is(err, ledger.NotFound), err == nil && rec.Provider != provider:
		return nil, nil //nolint:nilnil // not ours
	case err != nil:
		return nil, err
	}
	return rec, nil
}

// unsolicited makes a payment for money that came by itself, if it can be attributed, and for what a provider did with our
// balance.
func (s *Service) unsolicited(ctx context.Context, n news, of string) (news, bool, error) {
	r := n.report
	if r.Kind == providers.Settlement {
		n.id = derivedID("unsolicited", n.provider, r.Reference).String()
		n.fresh = &record{ID: n.id, Kind: Settlement, Provider: n.provider, FirstSent: r.At, Maybe: true}
		return n, true, nil
	}
	if r.Kind != providers.Deposit || r.Reference == "" || len(r.Effects) == 0 {
		return n, false, nil
	}
	if of == "" && parseKey(r.Key) {
		return n, false, nil // somebody asked for it, and not from this book: another book may have the same provider
	}
	address, err := s.attribute(ctx, n.provider, r.Address, of)
	if err != nil {
		return n, false, err
	}
	member := r.Member
	if address != nil {
		of, member = address.ID, address.Member
	}
	if checkMember("member", member) != nil {
		return n, false, nil
	}
	if planted("arrival-to-nobody") {
		member = ""
	}
	n.adopt(member, of)
	asset := n.fresh.Amount.AssetID()
	n.fresh.Stray = s.desk.checkAsset("asset", asset) != nil && (address == nil || address.Asset != asset)
	if address != nil {
		n.fresh.Provisional = s.provisional(n.provider, address.Method, asset)
	}
	return n, true, nil
}

// attribute finds the payment that made an address of ours: the one named, or by the address. Nil: nobody's.
func (s *Service) attribute(ctx context.Context, provider, address, of string) (*record, error) {
	if of == "" && address != "" {
		switch d, err := s.book.ByReference(ctx, addressReference(provider, address)); {
		case err == nil:
			of = d.ID
		case !errors.Is(err, ledger.NotFound):
			return nil, err
		}
	}
	if of == "" {
		return nil, nil //nolint:nilnil // nobody's address is an answer
	}
	_, rec, err := s.desk.record(ctx, of)
	return rec, err
}

// provisional tells whether the provider may take back what arrives at its addresses.
func (s *Service) provisional(provider string, method providers.Method, asset currency.AssetID) bool {
	for _, way := range s.lanes.offerings(provider, providers.DepositAddress, method, asset) {
		return way.offer.Provisional
	}
	return false
}

// adopt makes the payment that money which came by itself belongs to; without a member it goes to suspense.
func (n *news) adopt(member, of string) {
	amount := currency.Amount{}
	for _, e := range n.report.Effects {
		if e.Kind == providers.Moved && e.Amount.Sign() > 0 {
			amount = e.Amount
			break
		}
	}
	if !amount.IsValid() && len(n.report.Effects) > 0 {
		amount, _ = n.report.Effects[0].Amount.Abs() // only its asset and size are told; a posting checks again
	}
	n.id = derivedID("unsolicited", n.provider, n.report.Reference).String()
	n.fresh = &record{
		ID: n.id, Kind: Deposit, Member: member, Amount: amount, Provider: n.provider, Of: of,
		Instrument: n.report.Address, FirstSent: n.report.At, Maybe: true,
	}
}

// operation is what the provider is asked to do. It is the same every time but for Attempt.
func (r *record) operation() providers.Operation {
	op := providers.Operation{
		Key: r.ID, Method: r.Method, Amount: r.Amount, Asset: r.Asset, Instrument: r.Token, Member: r.Member,
		Description: r.Description, FirstSent: r.FirstSent, Attempt: max(r.Attempts-1, 0),
	}
	switch r.Kind {
	case Deposit:
		op.Kind = providers.Deposit
	case Address:
		op.Kind = providers.DepositAddress
	case Withdrawal:
		op.Kind, op.TravelRule = providers.Withdrawal, r.TravelRule
		if r.MaxFee.Sign() > 0 {
			op.MaxFee, op.FeeUntil = r.MaxFee, r.FeeUntil
		}
	case Refund:
		op.Kind, op.Target, op.TargetReference = providers.Refund, r.Of, r.OfReference
	case Link:
		op.Kind = providers.Link
	case Send, Tip, Exchange, Issue, Burn, Settlement, Forgiven:
	}
	if planted("retry-on-maybe") && r.Attempts > 1 {
		op.Key = derivedID("again", r.ID, strconv.Itoa(r.Attempts)).String()
	}
	return op
}

// parseKey tells whether s is an id that this package could have made.
func parseKey(s string) bool {
	u, err := uuid.Parse(s)
	return err == nil && u.String() == s
}
