package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/payments"
)

// This file is the proof at the end of the report: three ways to find money that is missing.

// providers compares what each provider holds for us, by its own books, with the account that ours keep about it.
func (r *report) providers(ctx context.Context) error {
	r.print("\n%-10s%-8s%28s%28s\n", "PROVIDERS", "asset", "the provider has", "our books say")
	for _, l := range r.app.World.lines {
		if err := l.Audit(); err != nil {
			return err
		}
		d := l.Describe()
		var assets []currency.AssetID
		for _, o := range d.Offers {
			if o.Asset != "" && !slices.Contains(assets, o.Asset) {
				assets = append(assets, o.Asset)
			}
		}
		slices.Sort(assets)
		for _, id := range assets {
			asset, _ := currency.Lookup(id)
			truth, books := l.Balance(asset), currency.Zero(asset)
			info, err := r.app.book.Info(ctx, payments.ClearingAccount(d.Name, id))
			if err == nil {
				books = info.Posted
			} else if !errors.Is(err, ledger.ErrAccountNotFound) {
				return err
			}
			r.print("%-10s%-8s%28s%28s  %s\n", d.Name, asset.Code(), number(truth), number(books),
				r.check(truth == books, "matches", "DIFFERS"))
		}
	}
	return nil
}

// trialBalance is accounting's own proof: debits equal credits in every asset.
func (r *report) trialBalance(ctx context.Context) error {
	t, err := r.app.book.TrialBalance(ctx, ledger.AsOf{})
	if err != nil {
		return err
	}
	slices.SortFunc(t.Assets, func(a, b ledger.AssetTotal) int {
		return cmp.Compare(a.Debits.Asset().Code(), b.Debits.Asset().Code())
	})
	r.print("\n%-18s%28s%28s  %s\n", "TRIAL BALANCE", "debits", "credits", "difference")
	for _, a := range t.Assets {
		r.print("%-18s%28s%28s  %s\n", clip(a.Debits.Asset().Code(), 18), number(a.Debits), number(a.Credits),
			r.check(a.Difference.Sign() == 0, number(a.Difference), number(a.Difference)+" WRONG"))
	}
	return nil
}

// verify reads the whole book again and folds it anew.
func (r *report) verify(ctx context.Context) error {
	v, err := r.app.book.Verify(ctx)
	if err != nil {
		return err
	}
	n := func(n int) string { return group(fmt.Sprint(n)) }
	r.print("\nVERIFY  %s accounts, %s lines, %s transactions, %s holds, %s documents,\n",
		n(v.Accounts), n(v.Lines), n(v.Transactions), n(v.Holds), n(v.Documents))
	r.print("        %s versions, %s keys, %s events, %d pending: %s\n", n(v.Versions), n(v.Keys), n(v.Changes), v.Pending,
		r.check(v.OK(), "no problem", n(len(v.Problems))+" PROBLEMS"))
	for _, p := range v.Problems[:min(len(v.Problems), 5)] {
		r.print("        %s\n", clip(p.String(), 90))
	}
	return nil
}

// number writes an amount for the eye: thousands apart, and no more decimals of Ether than it has.
func number(a currency.Amount) string {
	text, minus := strings.CutPrefix(a.Number(), "-")
	whole, decimals, _ := strings.Cut(text, ".")
	if len(decimals) > 3 {
		decimals = strings.TrimRight(decimals, "0")
	}
	text = group(whole)
	if decimals != "" {
		text += "." + decimals
	}
	if minus {
		text = "-" + text
	}
	return text
}

func group(digits string) string {
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

func blank(n int) string {
	if n == 0 {
		return "."
	}
	return fmt.Sprint(n)
}

func clip(text string, most int) string {
	runes := []rune(text)
	if len(runes) <= most {
		return text
	}
	return string(runes[:most-1]) + "…"
}
