package ledger

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/koshpay/kosh/currency"
)

// ExportJournal writes the book's transactions as a journal for hledger, so that an accountant can report on them, and
// check the balances, with a tool that is not ours.
//
//   - An account is its type and its path, with a colon for each slash: wallet/alice of type liability is
//     liabilities:wallet:alice. A colon in a path is written %3A. Each is declared with its type.
//   - A commodity is the asset's id in double quotes, with all of its decimals and a point: 12.50 "USD".
//   - Debits are positive and credits negative, as hledger has it, so an account whose normal side is credit shows its
//     balance with the other sign: hledger balance is this book's, negated for liabilities, equity and income.
//   - The date is the day of the recorded time in UTC, and the secondary date, when it is another, that of the effective
//     time: hledger balance --date2 reports by effect.
//   - A transaction's code is its id, its description that of the note or the key, and its tags are key, recorded,
//     effective, and what applies of reference, reverses and imported.
//
// Holds, documents and bounds are no postings and not there. An entry recorded meanwhile may or may not be. It streams;
// an error of w comes back wrapped.
func (b *Book) ExportJournal(ctx context.Context, w io.Writer) error {
	j := &journal{w: bufio.NewWriter(w), types: make(map[AccountID]AccountType)}
	j.line("; book %s of kosh; times are UTC", journalText(b.name))
	j.line("decimal-mark .")
	err := scanAll(ctx, b, Range{List: ListAssets}, func(r *Rows) []AssetRow { return r.Assets }, AssetRow.Position, j.commodity)
	if err != nil {
		return err
	}
	j.line("")
	err = scanAll(ctx, b, Range{List: ListAccounts}, func(r *Rows) []AccountInfo { return r.Accounts }, AccountInfo.Position, j.account)
	if err != nil {
		return err
	}
	x := &exporter{ctx: ctx, b: b}
	err = exportAll(x, Range{List: ListTransactions}, func(r *Rows) []Transaction { return r.Transactions }, Transaction.Position,
		func(t *Transaction) error {
			if err := j.learn(ctx, b, t); err != nil {
				return err
			}
			x.err = j.transaction(t)
			return x.failed()
		})
	if err != nil {
		return err
	}
	x.err = j.w.Flush()
	return x.failed()
}

type journal struct {
	w     *bufio.Writer
	types map[AccountID]AccountType
	roots map[string]bool // accounts that are declared, by name
}

// line writes a line; the writer remembers what goes wrong.
func (j *journal) line(format string, args ...any) {
	_, _ = fmt.Fprintf(j.w, format+"\n", args...)
}

var (
	journalRoots = [...]string{Asset: "assets", Liability: "liabilities", Equity: "equity", Income: "income", Expense: "expenses"}
	journalTypes = [...]string{Asset: "A", Liability: "L", Equity: "E", Income: "R", Expense: "X"}
)

// commodity declares how an asset is written; a point even without decimals leaves nothing to guess.
func (j *journal) commodity(a *AssetRow) {
	j.line("commodity 1000.%s \"%s\"", strings.Repeat("0", int(a.Scale)), a.ID)
}

// account declares an account once, whatever the number of assets it has.
func (j *journal) account(a *AccountInfo) {
	j.types[a.ID] = a.Type
	if j.roots == nil {
		j.roots = make(map[string]bool)
	}
	if name := journalAccount(a.Type, a.ID.Path); !j.roots[name] {
		j.roots[name] = true
		j.line("account %s  ; type: %s", name, journalTypes[a.Type])
	}
}

// learn looks up accounts that were opened after the list of them was read.
func (j *journal) learn(ctx context.Context, b *Book, t *Transaction) error {
	for i := range t.Postings {
		if id := t.Postings[i].Account; j.types[id] == 0 {
			a, err := b.Info(ctx, id)
			if err != nil {
				return err
			}
			j.account(&a)
		}
	}
	return nil
}

func (j *journal) transaction(t *Transaction) error {
	date, effective := t.RecordedAt.UTC().Format(time.DateOnly), t.EffectiveAt.UTC().Format(time.DateOnly)
	if effective != date {
		date += "=" + effective
	}
	description := t.Description
	if description == "" {
		description = t.Key
	}
	j.line("")
	j.line("%s (%s) %s", date, t.ID, journalText(description))
	j.tag("key", t.Key)
	j.tag("recorded", t.RecordedAt.UTC().Format(time.RFC3339Nano))
	j.tag("effective", t.EffectiveAt.UTC().Format(time.RFC3339Nano))
	if t.Reference != "" {
		j.tag("reference", t.Reference)
	}
	if t.Reverses != (ID{}) {
		j.tag("reverses", t.Reverses.String())
	}
	if t.Imported {
		j.tag("imported", "yes")
	}
	for i := range t.Postings {
		p := &t.Postings[i]
		amount := p.Amount
		if p.Side == Credit {
			var err error
			if amount, err = amount.Neg(); err != nil {
				return err
			}
		}
		j.line("    %s  %s \"%s\"", journalAccount(j.types[p.Account], p.Account.Path), journalNumber(amount), p.Account.Asset)
	}
	_, err := j.w.Write(nil) // what went wrong so far
	return err
}

// journalNumber has a decimal point always, so that no separator can be taken for another.
func journalNumber(a currency.Amount) string {
	n := a.Number()
	if strings.Contains(n, ".") {
		return n
	}
	return n + "."
}

func journalAccount(t AccountType, path string) string {
	return journalRoots[t] + ":" + strings.ReplaceAll(strings.ReplaceAll(path, ":", "%3A"), "/", ":")
}

// tag writes a line of a comment; a comma would end the value.
func (j *journal) tag(name, value string) {
	j.line("    ; %s: %s", name, strings.ReplaceAll(journalText(value), ",", " "))
}

// journalText makes any text one line without what begins a comment.
func journalText(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		switch r {
		case '\n', '\t':
			return ' '
		case ';':
			return ','
		}
		return r
	}, clean(s, len(s)+1)))
}
