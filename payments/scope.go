package payments

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"

	"github.com/google/uuid"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/providers"
)

// scope collects what the guards of a part may touch. Every command of theirs makes or ends a row of its own that is named here, so
// what ledger.MaxReads bounds stays below ledger.MaxCommands too.
type scope struct {
	*news
	rec    *record
	reads  ledger.Reads
	assets map[*currency.Definition]bool
	holds  map[ledger.ID]bool
}

// Rows that something may need, at most.
const (
	assetRows   = 8 // an asset that nothing else is about
	holdRows    = 2
	disputeRows = 4
)

// scope names what every part touches, given the payment as it stands outside the step.
func (n *news) scope(rec *record) *scope {
	s := &scope{news: n, rec: rec, assets: map[*currency.Definition]bool{}, holds: map[ledger.ID]bool{}}
	s.reads.Documents = []ledger.DocumentID{paymentDocument(n.id), caseDocument(n.id)}
	if n.screened != nil {
		s.reads.Documents = append(s.reads.Documents, screeningDocument(n.id))
	}
	s.asset(rec.Amount.Asset())
	switch rec.Kind {
	case Withdrawal, Refund:
		s.hold(mustID(rec.ID))
		s.reads.Transactions = append(s.reads.Transactions, n.feeIDs(rec.FeeTurns)...)
	default:
	}
	if rec.Kind == Refund {
		s.reads.Documents = append(s.reads.Documents, paymentDocument(rec.Of), caseDocument(rec.Of))
	}
	for i := range rec.Effects {
		if e := &rec.Effects[i]; e.Dispute != "" {
			s.asset(e.Amount.Asset())
		}
	}
	if n.report.Reference != "" {
		s.reads.References = append(s.reads.References, providerReference(n.provider, n.report.Reference))
	}
	if n.report.Address != "" {
		s.reads.References = append(s.reads.References, addressReference(n.provider, n.report.Address))
	}
	if a := n.report.Action; a != nil && a.Address != "" && a.Address != n.report.Address {
		s.reads.References = append(s.reads.References, addressReference(n.provider, a.Address))
	}
	return s
}

func (s *scope) rows() int {
	r := &s.reads
	return len(r.Accounts) + len(r.Holds) + len(r.Transactions) + len(r.Documents) + len(r.References)
}

// fitting is how many effects fit into a number of rows, at least one, and what they leave of it.
func (s *scope) fitting(effects []providers.Effect, rows int) (fit, rest int) {
	assets := map[*currency.Definition]bool{}
	for i, e := range effects {
		cost := 1 + mostPostings(e)
		if a := e.Amount.Asset(); !s.assets[a] && !assets[a] {
			assets[a] = true
			cost += assetRows
		}
		if mayHold(e.Kind) {
			cost += 2 * holdRows
		}
		if cost > rows && i > 0 {
			return i, rows
		}
		rows -= cost
	}
	return len(effects), rows
}

// mayHold tells whether an effect of this kind may hold something, or take what another one holds.
func mayHold(k providers.EffectKind) bool {
	return k == providers.Moved || k == providers.Reversed || k == providers.Disputed || k == providers.Reinstated
}

// effect names what the posting of an effect touches.
func (s *scope) effect(e providers.Effect) {
	s.asset(e.Amount.Asset())
	if mayHold(e.Kind) {
		s.hold(s.holdID(e.ID))
		if origin := s.rec.effect(e.Reverses); origin == nil && e.Reverses != "" {
			s.hold(s.holdID(e.Reverses))
		} else if origin != nil && origin.held() {
			s.hold(origin.Hold)
		}
	}
	s.reads.References = append(s.reads.References, s.effectReference(e.ID))
	s.reads.Transactions = append(s.reads.Transactions, s.transactionIDs(e)...)
}

// asset names the accounts that facts in an asset touch.
func (s *scope) asset(a *currency.Definition) {
	if a == nil || s.assets[a] {
		return
	}
	s.assets[a] = true
	for _, o := range s.accounts(s.rec.Member, a) {
		s.reads.Accounts = append(s.reads.Accounts, o.Account)
	}
	switch s.rec.Kind {
	case Deposit:
		s.reads.Accounts = append(s.reads.Accounts, DisputedAccount(s.provider, a.ID()), PositionAccount(a.ID()))
	default:
		s.reads.Accounts = append(s.reads.Accounts, PositionAccount(a.ID()))
	}
}

// hold names a hold, and the transaction by which a debt is repaid from it.
func (s *scope) hold(id ledger.ID) {
	if s.holds[id] {
		return
	}
	s.holds[id] = true
	s.reads.Holds = append(s.reads.Holds, id)
	s.reads.Transactions = append(s.reads.Transactions, repaymentID(id))
}

// repaymentID is the id of the transaction by which a debt is repaid from a hold that is given back.
func repaymentID(hold ledger.ID) ledger.ID { return derivedID("repaid", hold.String()) }

// accounts is every account that facts of this provider about this member may touch, in one asset.
func (n *news) accounts(member string, a *currency.Definition) []ledger.OpenAccount {
	all := openProvider(n.provider, a)
	if member != "" {
		all = append(all, openWallet(member, a), openReceivable(member, a))
	}
	return all
}

func (n *news) effectReference(effect string) string { return named("effect", n.provider, effect) }

func providerReference(provider, reference string) string { return named("ref", provider, reference) }

func addressReference(provider, address string) string { return named("address", provider, address) }

// named is the ledger's reference for what a provider has a name for: the name, or its digest if it is longer than fits.
func named(kind, provider, name string) string {
	if r := kind + "/" + provider + "/" + name; len(r) <= ledger.MaxReferenceBytes {
		return r
	}
	sum := sha256.Sum256([]byte(name))
	return kind + "/" + provider + "/sha256:" + hex.EncodeToString(sum[:])
}

func (n *news) holdID(effect string) uuid.UUID { return derivedID("hold", n.provider, effect+n.salt) }

// transactionIDs are the ids of the postings that an effect may need; one effect never needs more. What takes a movement back
// may find it in several places, and so may a payout.
func (n *news) transactionIDs(e providers.Effect) []ledger.ID {
	ids := make([]ledger.ID, mostPostings(e))
	for i := range ids {
		ids[i] = derivedID("post", n.provider, e.ID+n.salt, strconv.Itoa(i))
	}
	return ids
}

// mostPostings is how many postings an effect may need.
func mostPostings(e providers.Effect) int {
	if e.Kind == providers.Reversed || e.Kind == providers.Moved && e.Amount.Sign() < 0 {
		return 8
	}
	return 3
}
