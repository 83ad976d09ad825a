package payments

import (
	"context"
	"iter"
	"time"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
)

// StatementLine is one change of a wallet.
type StatementLine struct {
	At           time.Time
	Kind         Kind // of the payment
	Step         ledger.LineKind
	Amount       currency.Amount // signed: what the posted balance changed by; zero for holds and releases
	Held         currency.Amount // signed: what the held balance changed by
	Posted       currency.Amount // the wallet's balances after it
	HeldAfter    currency.Amount
	Payment      string // id; a send or tip that was given back keeps its own, with the kind Refund
	Counterparty string // the other member of a send or tip
	Reference    string // the host's own
	Description  string
}

// Statement yields what happened to a member's wallet in one asset, oldest first, from a moment inclusive to another exclusive;
// zero times are open ends.
func (s *Service) Statement(ctx context.Context, actor Actor, member string, asset currency.AssetID, from, to time.Time) iter.Seq2[StatementLine, error] {
	return func(yield func(StatementLine, error) bool) {
		if err := first(checkMember("member", member), s.desk.authorize(ctx, actor, ActView, member)); err != nil {
			yield(StatementLine{}, err)
			return
		}
		wallet := WalletAccount(member, asset)
		for l, err := range s.book.Lines(ctx, ledger.Query{List: ledger.ListLines, Account: wallet, Since: from, Until: to}) {
			if err != nil {
				yield(StatementLine{}, err)
				return
			}
			if l.Kind == ledger.LineOpened || l.Kind == ledger.LineSet {
				continue
			}
			line, err := s.statementLine(ctx, member, l)
			if !yield(line, err) || err != nil {
				return
			}
		}
	}
}

func (s *Service) statementLine(ctx context.Context, member string, l ledger.Line) (StatementLine, error) {
	zero := currency.Zero(l.Posted.Asset())
	line := StatementLine{At: l.RecordedAt, Step: l.Kind, Posted: l.Posted, HeldAfter: l.Held, Amount: zero, Held: zero}
	less, err := l.Amount.Neg()
	if err != nil {
		return line, err
	}
	switch l.Kind {
	case ledger.LinePosted:
		line.Amount = l.Amount
		if l.Side == ledger.Debit && !planted("statement-unsigned") {
			line.Amount = less
		}
	case ledger.LineHeld:
		line.Held = l.Amount
	case ledger.LineCaptured:
		line.Amount, line.Held = less, less
	case ledger.LineReleased, ledger.LineExpired:
		line.Held = less
	case ledger.LineOpened, ledger.LineSet:
	}
	note := ledger.Note{}
	if l.Transaction != (ledger.ID{}) {
		t, err := s.book.Transaction(ctx, l.Transaction)
		if err != nil {
			return line, err
		}
		note = t.Note
	} else if l.Hold != (ledger.ID{}) {
		h, err := s.book.Hold(ctx, l.Hold)
		if err != nil {
			return line, err
		}
		note = h.Note
	}
	line.Payment, line.Description, line.Kind = note.Reference, note.Description, Kind(note.Meta["kind"])
	line.Reference, line.Counterparty = note.Meta["reference"], note.Meta["to"]
	if line.Counterparty == member {
		line.Counterparty = note.Meta["from"]
	}
	return line, nil
}
