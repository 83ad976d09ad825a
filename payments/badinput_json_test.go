package payments_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/payments"
)

// badJSON reads requests as a host would read them from its own clients: a bad amount never becomes a request.
func (w *world) badJSON(t *testing.T) (total knocks) {
	t.Helper()
	t.Run("JSON", func(t *testing.T) {
		requests := map[string]func() any{
			"deposit":  func() any { return new(payments.DepositRequest) },
			"withdraw": func() any { return new(payments.WithdrawRequest) },
			"transfer": func() any { return new(payments.TransferRequest) },
			"refund":   func() any { return new(payments.RefundRequest) },
			"exchange": func() any { return new(payments.ExchangeRequest) },
			"issue":    func() any { return new(payments.IssueRequest) },
			"burn":     func() any { return new(payments.BurnRequest) },
			"forgive":  func() any { return new(payments.ForgiveRequest) },
		}
		for name, request := range requests {
			for _, b := range badWireAmounts() {
				total.tried++
				body := fmt.Sprintf(`{"member":"alice","amount":%s}`, b.text)
				if name == "issue" {
					body = fmt.Sprintf(`{"Amount":%s}`, b.text)
				}
				err := json.Unmarshal([]byte(body), request())
				require.Error(t, err, "%s: %s", name, b.name)
				detail, typed := errors.AsType[*currency.Error](err)
				require.True(t, typed, "%s: %s: %T", name, b.name, err)
				require.ErrorIs(t, detail, b.is, "%s: %s", name, b.name)
				require.LessOrEqual(t, len(err.Error()), maxRefusalBytes)
				total.refused++
			}
		}
	})
	return total
}

type badWireAmount struct {
	sample
	is error
}

func badWireAmounts() (all []badWireAmount) {
	for number, is := range map[string]error{
		"1.001": currency.ErrPrecision, "1e2": currency.ErrSyntax, "1E1000000000": currency.ErrSyntax, "NaN": currency.ErrSyntax,
		"Infinity": currency.ErrSyntax, "-Inf": currency.ErrSyntax, "0x10": currency.ErrSyntax, "1,000.00": currency.ErrSyntax,
		" 1.00": currency.ErrSyntax, "1.00 ": currency.ErrSyntax, "1..0": currency.ErrSyntax, "": currency.ErrSyntax,
		"--1": currency.ErrSyntax, "１.００": currency.ErrSyntax, "$1.00": currency.ErrSyntax, "1_000": currency.ErrSyntax,
		strings.Repeat("9", 40): currency.ErrOverflow, "170141183460469231731687303715884105728": currency.ErrOverflow,
	} {
		all = append(all, badWireAmount{sample{"number " + number, fmt.Sprintf(`{"amount":%q,"asset":"USD"}`, number)}, is})
	}
	for _, s := range []sample{
		{"a JSON number", `{"amount":1.00,"asset":"USD"}`},
		{"a bare number", `1.00`},
		{"a bare text", `"1.00 USD"`},
		{"no asset", `{"amount":"1.00"}`},
		{"no amount", `{"asset":"USD"}`},
		{"an amount twice", `{"amount":"1.00","amount":"100.00","asset":"USD"}`},
		{"an asset twice", `{"amount":"1.00","asset":"USD","asset":"EUR"}`},
		{"capitals", `{"Amount":"1.00","asset":"USD"}`},
		{"a third name", `{"amount":"1.00","asset":"USD","scale":"0"}`},
		{"a list", `["1.00","USD"]`},
		{"a scale of its own", `{"amount":"1.00","asset":{"id":"USD","scale":0}}`},
		{"a megabyte", `{"amount":"` + strings.Repeat("1", 1<<20) + `","asset":"USD"}`},
	} {
		all = append(all, badWireAmount{s, currency.ErrSyntax})
	}
	for _, asset := range []string{"app:kosh-test/nobody", "eip155:1/erc20:0x0000000000000000000000000000000000000000"} {
		all = append(all, badWireAmount{sample{"unknown " + asset, fmt.Sprintf(`{"amount":"1.00","asset":%q}`, asset)}, currency.ErrUnknownAsset})
	}
	for _, asset := range []string{"XQX", "usd", "", "US D", "U\u0405D", "../USD", `USD\u0000`} {
		all = append(all, badWireAmount{sample{"no asset " + asset, fmt.Sprintf(`{"amount":"1.00","asset":"%s"}`, asset)}, currency.ErrSyntax})
	}
	return all
}
