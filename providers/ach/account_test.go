package ach

import (
	"bytes"
	"crypto/cipher"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/providers"
)

func TestCheckRouting(t *testing.T) {
	for s, want := range map[string]string{
		odfi: "", rdfi: "", newRDFI: "",
		"":           "is not nine digits",
		"06100001":   "is not nine digits",
		"0610000100": "is not nine digits",
		"06100001O":  "is not nine digits",
		"061000011":  "has a wrong check digit",
		"160000010":  "has a wrong check digit", // two digits swapped
		"000000000":  "is of no bank",
		"990000000":  "is of no bank",
	} {
		err := CheckRouting(s)
		if want == "" {
			assert.NoError(t, err, s)
			continue
		}
		assert.ErrorIs(t, err, providers.ErrInvalid, s)
		assert.ErrorContains(t, err, want, s)
	}
}

// TestEveryWrongDigitIsFound: the check digit finds any single wrong digit.
func TestEveryWrongDigitIsFound(t *testing.T) {
	for i := range 9 {
		for d := byte('0'); d <= '9'; d++ {
			s := []byte(rdfi)
			s[i] = d
			assert.Equal(t, string(s) == rdfi, CheckRouting(string(s)) == nil, string(s))
		}
	}
}

func TestBadAccountsAreRefused(t *testing.T) {
	w := newWorld(t)
	before := len(w.state.values)
	for name, change := range map[string]func(*BankAccount){
		"Routing: a wrong check digit": func(a *BankAccount) { a.Routing = "072000013" },
		"Number: missing":              func(a *BankAccount) { a.Number = "  " },
		"Number: too long":             func(a *BankAccount) { a.Number = "123456789012345678" },
		"Number: not ASCII":            func(a *BankAccount) { a.Number = "１２３４５６" },
		"Number: a line feed":          func(a *BankAccount) { a.Number = "1234\n5678" },
		"Number: zeros":                func(a *BankAccount) { a.Number = "0000" },
		"Number: a card":               func(a *BankAccount) { a.Number = "4242424242424242" },
		"Holder: nothing in Latin":     func(a *BankAccount) { a.Holder = "कोष" },
	} {
		a := w.account()
		change(&a)
		_, err := w.p.AddAccount(t.Context(), a)
		invalid, ok := errors.AsType[*providers.Invalid](err)
		if assert.True(t, ok, "%s: %v", name, err) {
			assert.Equal(t, strings.Split(name, ":")[0], invalid.Field)
			if n := strings.TrimSpace(a.Number); len(n) > 4 {
				assert.NotContains(t, err.Error(), n)
			}
		}
	}
	assert.Len(t, w.state.values, before, "nothing was kept")
}

func TestNamesFit(t *testing.T) {
	for in, want := range map[string]string{
		"Älice  Ørsted": "Alice rsted", "José Ñandú": "Jose Nandu", "Smith & Sons, Inc.": "Smith & Sons, Inc.", "a\tb": "a b",
		"Wolfeschlegelsteinhausenbergerdorff": "Wolfeschlegelsteinhaus", "日本": "",
	} {
		assert.Equal(t, want, asciiName(in), in)
	}
}

// TestNothingPrintsAnAccountNumber looks in everything that is stored, printed, logged or returned.
func TestNothingPrintsAnAccountNumber(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Verification = MicroDeposits })
	a := BankAccount{Holder: "Alice", Routing: rdfi, Number: "98765432109"}
	i, err := w.p.AddAccount(t.Context(), a)
	require.NoError(t, err)
	assert.Equal(t, "Checking •• 2109", i.Label)
	op := linkOf(i.Token)
	w.submit(op)
	for w.advance() {
	}
	deposit := w.payment(providers.Deposit, i.Token, 500)
	w.submit(deposit)
	for w.advance() {
	}
	w.bank.send(changeOf(w.bank.of(deposit.Key), "C01", "98765432100"), returnOf(w.bank.of(deposit.Key), "R03"))
	w.bank.put("garbage.ach", append([]byte("101"), w.bank.file(returnOf(w.bank.of(deposit.Key), "R03"))[:400]...))
	w.day()

	notices, _, err := w.p.Notices(t.Context(), "", 100)
	require.NoError(t, err)
	require.NotEmpty(t, notices)
	events, _, err := w.p.Poll(t.Context(), "", 100)
	require.NoError(t, err)
	require.NotEmpty(t, events)
	marshalled, err := json.Marshal([]any{a, events, notices})
	require.NoError(t, err)
	var logged bytes.Buffer
	slog.New(slog.NewJSONHandler(&logged, nil)).Info("linked", "account", a, "provider", w.p, "keys", w.keys)
	slog.New(slog.NewTextHandler(&logged, nil)).Info("linked", "account", a, "provider", w.p, "keys", w.keys)
	text := logged.String() + string(marshalled)
	for _, v := range []any{a, &a, w.p, w.keys, w.keys.ByID, events, notices, i} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			if _, ok := v.(map[string]cipher.AEAD); !ok {
				text += fmt.Sprintf(verb, v)
			}
		}
	}
	for key, value := range w.state.values {
		text += key + string(value)
	}
	for _, secret := range []string{"98765432109", "98765432100", string(secretKey), fmt.Sprintf("%x", secretKey)} {
		assert.NotContains(t, text, secret)
	}
	assert.Contains(t, text, "Checking •• 2109")
	assert.Equal(t, "Checking •• 2100", w.lookup(op.Key).Instrument.Label, "the corrected account")
}

func TestShortNumbersStayUnknown(t *testing.T) {
	for number, want := range map[string]string{"1": "", "12": "2", "1234": "34", "12345678": "5678", "123456789": "6789"} {
		assert.Equal(t, want, last4(number))
	}
}

func TestKeys(t *testing.T) {
	w := newWorld(t)
	token, number := w.linked()
	w.keys = Keys{Current: "k2", ByID: map[string]cipher.AEAD{"k1": aead(t, secretKey), "k2": aead(t, []byte("abcdef0123456789abcdef0123456789"))}}
	w.p = w.open()
	w.submit(w.payment(providers.Deposit, token, 100))
	w.at(at(monday, 20, 0))
	assert.Equal(t, number, strings.TrimSpace(w.bank.entries[0].detail.DFIAccountNumber), "the old key still opens")

	require.NoError(t, w.p.Reseal(t.Context(), token))
	require.NoError(t, w.p.Reseal(t.Context(), token), "again is harmless")
	assert.ErrorIs(t, w.p.Reseal(t.Context(), "ba_unknown"), errUnknownAccount)
	delete(w.keys.ByID, "k1")
	w.p = w.open()
	w.submit(w.payment(providers.Deposit, token, 100))
	w.at(at(monday.AddDate(0, 0, 1), 20, 0))
	assert.Len(t, w.bank.entries, 2, "the new key opens alone")

	// What is sealed for one account does not open for another.
	s, err := w.keys.seal(w.p.config.Rand, "account/a", "123")
	require.NoError(t, err)
	_, err = w.keys.open("account/b", s)
	assert.ErrorIs(t, err, ErrSealed)
	s.Key = "k9"
	_, err = w.keys.open("account/a", s)
	assert.ErrorIs(t, err, ErrSealed)
}

func TestALostKeyStopsTheFileAndLosesNothing(t *testing.T) {
	w := newWorld(t)
	token, _ := w.linked()
	op := w.payment(providers.Deposit, token, 100)
	w.submit(op)
	other := w.keys
	w.keys = Keys{Current: "k2", ByID: map[string]cipher.AEAD{"k2": aead(t, secretKey)}}
	w.p = w.open()
	w.clock.set(at(monday, 20, 0))
	require.ErrorIs(t, w.p.Work(t.Context()), ErrSealed)
	names, err := w.p.Outbox()
	require.NoError(t, err)
	assert.Empty(t, names)
	w.keys = other
	w.p = w.open()
	w.day()
	assert.Equal(t, 1, w.bank.executed(op.Key))
}

func TestConfigIsChecked(t *testing.T) {
	w := newWorld(t)
	for field, change := range map[string]func(*Config){
		"Company.Name":     func(c *Config) { c.Company.Name = "A company with a long name" },
		"Company.ID":       func(c *Config) { c.Company.ID = "" },
		"Company.Entry":    func(c *Config) { c.Company.Entry = "MUCH TOO LONG" },
		"ODFI":             func(c *Config) { c.ODFI = "061000011" },
		"Destination.ID":   func(c *Config) { c.Destination.ID = "1" },
		"Origin.ID":        func(c *Config) { c.Origin.ID = "0000000000" },
		"Outbox":           func(c *Config) { c.Outbox = c.Inbox },
		"CutOffs":          func(c *Config) { c.CutOffs = []CutOff{{Hour: 24}} },
		"CutOffs repeat":   func(c *Config) { c.CutOffs = []CutOff{{Hour: 2}, {Hour: 2}} },
		"Verification":     func(c *Config) { c.Verification = 9 },
		"FirstTrace":       func(c *Config) { c.FirstTrace = 10_000_000 },
		"UnauthorizedDays": func(c *Config) { c.UnauthorizedDays = 61 },
		"Name":             func(c *Config) { c.Name = "A C H" },
	} {
		c := w.cfg
		change(&c)
		_, err := New(w.state, w.keys, c)
		assert.ErrorContains(t, err, field)
	}
	_, err := New(nil, w.keys, w.cfg)
	assert.Error(t, err)
	_, err = New(w.state, Keys{}, w.cfg)
	assert.Error(t, err)
	require.NoError(t, w.p.Check(t.Context()))
}
