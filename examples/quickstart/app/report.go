package app

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/payments"
)

// report prints what happened and what there is, on at most 100 columns.
type report struct {
	app   *App
	tally *Tally
	text  strings.Builder
	wrong int // mismatches
}

// Report prints the whole report and tells whether the books balance.
func Report(ctx context.Context, out io.Writer, name string, app *App, t *Tally) (balanced bool, err error) {
	r := &report{app: app, tally: t}
	r.head(name)
	r.accepted()
	r.refused()
	for _, part := range []func(context.Context) error{
		r.outcomes, r.wallets, r.statement, r.cases, r.providers, r.trialBalance, r.verify,
	} {
		if err := part(ctx); err != nil {
			return false, err
		}
	}
	verdict := "yes"
	if r.wrong > 0 {
		verdict = "NO"
	}
	r.print("books balance: %s\n", verdict)
	_, err = io.WriteString(out, r.text.String())
	return r.wrong == 0, err
}

func (r *report) print(format string, args ...any) { fmt.Fprintf(&r.text, format, args...) }

// check counts a mismatch.
func (r *report) check(ok bool, yes, no string) string {
	if ok {
		return yes
	}
	r.wrong++
	return no
}

func (r *report) head(name string) {
	w := r.app.World
	r.print("kosh %s, %s lines, one day of a social app\n", quotable(name), group(fmt.Sprint(r.tally.Lines)))
	r.print("%s, and what followed until %s: %s webhooks taken, %d not\n",
		midnight.Format("Monday 2 January 2006"), w.Now().Format("2 January"), group(fmt.Sprint(w.Delivered)), w.Undelivered)
}

func quotable(name string) string { return strings.Trim(quote(name), `"`) }

// mostAssets is how many columns fit.
const mostAssets = 9

// accepted is a table of verbs and assets.
func (r *report) accepted() {
	codes := r.tally.Assets[:min(len(r.tally.Assets), mostAssets)]
	r.print("\nACCEPTED  ")
	for _, code := range codes {
		r.print("%8s", clip(code, 7))
	}
	r.print("%9s\n", "all")
	for _, verb := range verbs {
		all := 0
		for _, n := range r.tally.Accepted[verb] {
			all += n
		}
		r.print("%-10s", verb)
		for _, code := range codes {
			r.print("%8s", blank(r.tally.Accepted[verb][code]))
		}
		r.print("%9d\n", all)
	}
	r.print("one function took them all (host.go); it did not change when CHIRP and ETH came at noon\n")
	if n := r.tally.Repeated; n > 0 {
		r.print("%d more repeated an earlier request and were answered as before\n", n)
	}
}

func (r *report) refused() {
	for _, part := range []struct {
		title   string
		reasons map[string]*Reason
	}{{"REFUSED", r.tally.Refused}, {"NOT READABLE", r.tally.Unread}} {
		r.print("\n%-13s%4d  %-36s first lines\n", part.title, sum(part.reasons), "reason")
		for _, reason := range sorted(part.reasons) {
			r.print("%17d  %-36s %s\n", reason.Count, clip(reason.Why, 36), reason.lines())
		}
	}
}

// outcomes says how the payments ended that a provider or the app carried out, from the feed of events.
func (r *report) outcomes(ctx context.Context) error {
	last := map[string]payments.Payment{}
	asked, lost, undone := map[string]bool{}, map[string]bool{}, map[string]bool{}
	events := 0
	for e, err := range r.app.service.Events(ctx, 0) {
		if err != nil {
			return err
		}
		events++
		id, before := e.Payment.ID, last[e.Payment.ID].State
		last[id] = e.Payment
		switch {
		case e.Payment.State == payments.ActionRequired:
			asked[id] = true
		case e.Payment.State == payments.Unknown:
			lost[id] = true
		case e.Payment.State == payments.Succeeded && before == payments.Reversed:
			undone[id] = true
		}
	}
	ended := map[payments.Kind]map[payments.State]int{}
	for _, p := range last {
		if ended[p.Kind] == nil {
			ended[p.Kind] = map[payments.State]int{}
		}
		ended[p.Kind][p.State]++
	}
	r.print("\nPAYMENTS   %s, in %s events\n", group(fmt.Sprint(len(last))), group(fmt.Sprint(events)))
	for _, kind := range slices.Sorted(maps.Keys(ended)) {
		r.print("%-10s", kind)
		for _, state := range slices.Sorted(maps.Keys(ended[kind])) {
			r.print("  %d %s", ended[kind][state], state)
		}
		r.print("\n")
	}
	r.print("on the way: %d asked the member, %d waited for a lost answer, %d came undone and came again\n",
		len(asked), len(lost), len(undone))
	return nil
}

// wallets sums up the members' wallets an asset.
func (r *report) wallets(ctx context.Context) error {
	type total struct {
		wallets      int
		posted, held currency.Amount
		fullest      ledger.AccountInfo
	}
	totals := map[currency.AssetID]*total{}
	for a, err := range r.app.book.Accounts(ctx, ledger.Query{Path: "wallet/"}) {
		if err != nil {
			return err
		}
		t := totals[a.ID.Asset]
		if t == nil {
			zero := currency.Zero(a.Posted.Asset())
			t = &total{posted: zero, held: zero, fullest: a}
			totals[a.ID.Asset] = t
		}
		t.wallets++
		if t.posted, err = t.posted.Add(a.Posted); err != nil {
			return err
		}
		if t.held, err = t.held.Add(a.Held); err != nil {
			return err
		}
		if more, err := t.fullest.Posted.Less(a.Posted); err != nil {
			return err
		} else if more {
			t.fullest = a
		}
	}
	r.print("\nWALLETS%9s%25s%14s   fullest\n", "open", "in them", "held")
	for _, id := range slices.Sorted(maps.Keys(totals)) {
		t := totals[id]
		member := strings.TrimPrefix(t.fullest.ID.Path, "wallet/")
		r.print("%-8s%8d%25s%14s   %s %s\n", clip(t.posted.Asset().Code(), 8), t.wallets, number(t.posted), number(t.held),
			clip(member, 14), number(t.fullest.Posted))
	}
	return nil
}

// statementLines is how much of a statement is shown.
const statementLines = 12

// statement shows the end of what one member would see in the app at the end of the day.
func (r *report) statement(ctx context.Context) error {
	member := r.tally.Busiest()
	if member == "" {
		return nil
	}
	me := payments.Member(member)
	wallets, err := r.app.service.Wallets(ctx, me, member)
	if err != nil {
		return err
	}
	var lines []payments.StatementLine
	for _, w := range wallets {
		for l, err := range r.app.service.Statement(ctx, me, member, w.Asset.ID(), midnight, midnight.Add(24*time.Hour)) {
			if err != nil {
				return err
			}
			lines = append(lines, l)
		}
	}
	slices.SortStableFunc(lines, func(a, b payments.StatementLine) int { return a.At.Compare(b.At) })
	r.print("\n%-41s%18s%19s\n", fmt.Sprintf("STATEMENT of %s, last of %d lines", clip(member, 14), len(lines)), "amount", "balance")
	for _, l := range lines[max(0, len(lines)-statementLines):] {
		text := fmt.Sprintf("%-13s%-12s%-9s%-7s%18s%19s  %s", l.At.Format("02 Jan 15:04"), l.Kind, l.Step, clip(l.Posted.Asset().Code(), 6),
			signed(l), number(l.Posted), clip(l.Description, 19))
		r.print("%s\n", strings.TrimRight(text, " "))
	}
	return nil
}

// signed is what the line changed: the balance, or what of it is held.
func signed(l payments.StatementLine) string {
	switch {
	case l.Amount.Sign() > 0:
		return "+" + number(l.Amount)
	case l.Amount.Sign() < 0:
		return number(l.Amount)
	}
	return "(" + number(l.Held) + ")"
}

// cases are what a person must look at.
func (r *report) cases(ctx context.Context) error {
	n := 0
	for c, err := range r.app.service.Cases(ctx, payments.CaseQuery{}) {
		if err != nil {
			return err
		}
		if n++; n > 5 {
			continue
		}
		if n == 1 {
			r.print("\nFOR A PERSON TO LOOK AT\n")
		}
		for _, f := range c.Findings {
			r.print("%s  %s\n", c.OpenedAt.Format("02 Jan 15:04"), clip(c.Provider+": "+f.Text, 80))
		}
	}
	if n > 5 {
		r.print("and %d more\n", n-5)
	}
	return nil
}
