package ledger_test

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
)

// hledger finds the program. A build server that may miss nothing, and may install, installs it.
func hledger(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("hledger")
	if apt, missing := exec.LookPath("apt-get"); err != nil && missing == nil && os.Geteuid() == 0 && os.Getenv("KOSH_REQUIRE_ALL") == "1" {
		for _, args := range [][]string{{"update", "-q"}, {"install", "-q", "-y", "--no-install-recommends", "hledger"}} {
			if out, err := exec.CommandContext(t.Context(), apt, args...).CombinedOutput(); err != nil {
				t.Logf("apt-get %s: %v\n%s", args[0], err, out)
			}
		}
		path, err = exec.LookPath("hledger")
	}
	if err != nil {
		fmt.Println("KOSH-MISSING: hledger: install the package hledger (apt-get install hledger)")
		t.Skip("no hledger")
	}
	return path
}

// balances asks hledger for the balance of every account in every commodity.
func balances(t *testing.T, journal []byte, args ...string) map[[2]string]string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "book.journal")
	require.NoError(t, os.WriteFile(file, journal, 0o600))
	args = append([]string{"-f", file, "--strict", "balance", "--flat", "--no-total", "-E", "--layout", "bare", "-O", "csv"}, args...)
	c := exec.CommandContext(t.Context(), hledger(t), args...)
	c.Env = append(os.Environ(), "LANG=C.UTF-8", "LC_ALL=C.UTF-8")
	var complaints bytes.Buffer
	c.Stderr = &complaints
	out, err := c.Output()
	require.NoError(t, err, complaints.String())
	rows, err := csv.NewReader(bytes.NewReader(out)).ReadAll()
	require.NoError(t, err)
	all := make(map[[2]string]string)
	for _, r := range rows[1:] {
		if d := decimal.RequireFromString(r[2]); !d.IsZero() {
			all[[2]string{r[0], r[1]}] = d.String()
		}
	}
	return all
}

// expected is what hledger must say of the book's own balances.
func expected(t *testing.T, w *world, at ledger.AsOf) map[[2]string]string {
	t.Helper()
	roots := map[ledger.AccountType]string{ledger.Asset: "assets", ledger.Liability: "liabilities", ledger.Equity: "equity", ledger.Income: "income", ledger.Expense: "expenses"}
	all := make(map[[2]string]string)
	for _, a := range collect(t, w.Accounts(t.Context(), ledger.Query{})) {
		b, err := w.Account(a.ID).Balance(t.Context(), at)
		require.NoError(t, err)
		d := b.Posted.Decimal()
		if a.Type.NormalSide() == ledger.Credit {
			d = d.Neg()
		}
		if !d.IsZero() {
			name := roots[a.Type] + ":" + strings.ReplaceAll(strings.ReplaceAll(a.ID.Path, ":", "%3A"), "/", ":")
			all[[2]string{name, string(a.ID.Asset)}] = d.String()
		}
	}
	return all
}

func TestJournalAgreesWithHledger(t *testing.T) {
	wei := currency.MustDefine(currency.Info{ID: "eip155:1/slip44:60", Code: "ETH", Name: "Ether", Scale: 18, Kind: currency.Crypto})
	yen, dinar := must(currency.Lookup("JPY")), must(currency.Lookup("KWD"))
	gem := currency.MustDefine(currency.Info{ID: "app:journal/gem-1.5_x", Code: "GEM", Scale: 30, Kind: currency.Virtual})
	w := newWorld(t)
	w.furnish(100_000)
	amounts := []currency.Amount{
		currency.MustParse("1.000000000000000001", wei), currency.MustParse("123456789012345.123456789012345678", wei),
		currency.MustNew(1_000, yen), currency.MustParse("1.000", dinar), currency.MustParse("1234.567", dinar),
		currency.MustParse("0.000000000000000000000000000001", gem), dollars(1_234_567_89), dollars(1),
	}
	odd := []string{"a; comment: b", "two\nlines\tand a tab", "* starred", "! (code) 2026-01-01=2026-01-02", "=1.00 @ \"EUR\" | payee", "", "  spaces  ", "भुगतान €"}
	for i, amount := range amounts {
		w.clock.advance(7 * time.Hour)
		id := func(path string) ledger.AccountID { return ledger.AccountID{Path: path, Asset: amount.AssetID()} }
		cash, owed := id("cash:box/@1"), id("wallet/user:1/x=y+z~.-_@")
		post := ledger.Transfer(cash, owed, amount)
		post.Note = ledger.Note{Description: odd[i], Reference: "post, 1; x: y", Meta: map[string]string{"k": "v"}}
		post.EffectiveAt = w.Now().AddDate(0, 0, -i)
		w.do(
			ledger.OpenAccount{Account: cash, Type: ledger.Asset}, ledger.OpenAccount{Account: owed, Type: ledger.Liability},
			ledger.OpenAccount{Account: id("capital"), Type: ledger.Equity}, ledger.OpenAccount{Account: id("revenue"), Type: ledger.Income},
			ledger.OpenAccount{Account: id("cost"), Type: ledger.Expense}, ledger.OpenAccount{Account: id("capital/unused"), Type: ledger.Equity},
			post, ledger.Transfer(owed, id("revenue"), amount), ledger.Transfer(id("cost"), cash, amount), ledger.Transfer(id("cost"), owed, amount),
			ledger.Import{Postings: ledger.Transfer(cash, id("capital"), amount).Postings, EffectiveAt: start.AddDate(-3, 0, -i)},
		)
	}
	h := w.do(ledger.PlaceHold{Account: alice, Amount: dollars(500)}).Results[0].Hold
	w.do(ledger.Capture{Hold: ledger.ByID(h), To: []ledger.Portion{{Account: bob, Amount: dollars(300)}}})
	w.sound()
	var out bytes.Buffer
	require.NoError(t, w.ExportJournal(t.Context(), &out))
	require.NotEmpty(t, expected(t, w, ledger.AsOf{}))
	require.Equal(t, expected(t, w, ledger.AsOf{}), balances(t, out.Bytes()))

	// By recorded day, and by effective day.
	for _, day := range []time.Time{start.AddDate(0, 0, 1), start.AddDate(0, 0, -2), start.AddDate(-3, 0, -3)} {
		day = day.UTC().Truncate(24 * time.Hour)
		last := day.Add(-time.Microsecond)
		until := day.Format(time.DateOnly)
		require.Equal(t, expected(t, w, ledger.AsOf{Recorded: last}), balances(t, out.Bytes(), "-e", until), "recorded before %s", until)
		require.Equal(t, expected(t, w, ledger.AsOf{Effective: last}), balances(t, out.Bytes(), "--date2", "-e", until), "effective before %s", until)
	}
	require.ErrorIs(t, w.ExportJournal(t.Context(), full{}), errFull)
}

// A book that lived, with thousands of postings of random commands.
func TestJournalOfBooks(t *testing.T) {
	for name, w := range books(t) {
		var out bytes.Buffer
		require.NoError(t, w.ExportJournal(t.Context(), &out))
		require.Equal(t, expected(t, w, ledger.AsOf{}), balances(t, out.Bytes()), name)
	}
}
