package ach

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/google/uuid"
	"golang.org/x/text/unicode/norm"

	"github.com/koshpay/kosh/providers"
)

// BankAccount is what a member types in. It prints, logs and marshals as its last four digits only.
type BankAccount struct {
	Holder   string
	Routing  string // nine digits
	Number   string // at most 17 letters and digits, spaces and dashes between them
	Savings  bool   // checking if not
	Business bool   // an organisation's, not a person's
}

// Format prints the last four digits.
func (a BankAccount) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, a.label()) }

// LogValue logs the last four digits.
func (a BankAccount) LogValue() slog.Value { return slog.StringValue(a.label()) }

// MarshalJSON writes the last four digits.
func (a BankAccount) MarshalJSON() ([]byte, error) { return json.Marshal(a.label()) }

func (a BankAccount) label() string { return label(a.Savings, last4(a.Number)) }

func label(savings bool, last4 string) string {
	if savings {
		return "Savings •• " + last4
	}
	return "Checking •• " + last4
}

// last4 is at most half of a number, so that a short one stays unknown.
func last4(number string) string {
	number = strings.TrimSpace(number)
	return number[len(number)-min(4, len(number)/2):]
}

// CheckRouting returns nil when s is a routing number: nine digits, the last a check digit, of a bank of the United States
// (ABA routing number policy: the first two digits are 00–12, 21–32, 61–72 or 80).
func CheckRouting(s string) error {
	bad := func(problem string) error {
		return &providers.Invalid{What: "bank account", Field: "Routing", Problem: problem}
	}
	if len(s) != 9 || strings.Trim(s, "0123456789") != "" {
		return bad("is not nine digits")
	}
	weights, sum := [9]int{3, 7, 1, 3, 7, 1, 3, 7, 1}, 0
	for i, w := range weights {
		sum += w * int(s[i]-'0')
	}
	if sum%10 != 0 {
		return bad("has a wrong check digit")
	}
	switch p := int(s[0]-'0')*10 + int(s[1]-'0'); {
	case s == "000000000", p > 12 && p < 21, p > 32 && p < 61, p > 72 && p != 80:
		return bad("is of no bank")
	}
	return nil
}

// checkNumber returns an account number as a file holds it.
func checkNumber(s string) (string, error) {
	bad := func(problem string) error {
		return &providers.Invalid{What: "bank account", Field: "Number", Problem: problem}
	}
	s = strings.TrimSpace(s)
	const allowed = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz -"
	switch {
	case s == "":
		return "", bad("is missing")
	case len(s) > 17:
		return "", bad("is longer than 17 characters")
	case strings.Trim(s, allowed) != "" || strings.Trim(s, " -0") == "":
		return "", bad("is no account number")
	case providers.LooksLikeCardNumber(s):
		return "", bad("is a card number, which must never enter")
	}
	return s, nil
}

// asciiName fits a name into the 22 characters that a file has for it.
func asciiName(s string) string {
	var b strings.Builder
	for _, r := range norm.NFKD.String(s) {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', strings.ContainsRune(" .,'&-/", r):
			b.WriteRune(r)
		case r == '\t' || r == '\n':
			b.WriteByte(' ')
		}
	}
	name := strings.Join(strings.Fields(b.String()), " ")
	return strings.TrimSpace(name[:min(22, len(name))])
}

// account is a document. Versions are never changed, only added: files in the making refer to them.
type account struct {
	Business bool      `json:"business,omitempty"`
	Versions []details `json:"versions"`
	LinkedBy string    `json:"linked_by,omitempty"` // key of the Link
	Blocked  string    `json:"blocked,omitempty"`   // return code after which nothing may be sent
	NoDebits string    `json:"no_debits,omitempty"` // return code after which nothing may be debited
}

type details struct {
	Holder  string    `json:"holder"`
	Routing string    `json:"routing"`
	Number  sealed    `json:"number"`
	Last4   string    `json:"last4"`
	Savings bool      `json:"savings,omitempty"`
	Since   time.Time `json:"since"`
	Why     string    `json:"why,omitempty"` // the change code that made this version
}

func (a account) latest() details { return a.Versions[len(a.Versions)-1] }

func accountKey(token string) string { return "account/" + token }

// AddAccount keeps a bank account, its number sealed, and returns a token that links it once, as payments.LinkRequest.Token.
// The host calls it with what the member typed and forgets the number. Nothing is sent yet. What is wrong with an account
// is a *providers.Invalid.
func (p *Provider) AddAccount(ctx context.Context, a BankAccount) (providers.Instrument, error) {
	if err := CheckRouting(a.Routing); err != nil {
		return providers.Instrument{}, err
	}
	number, err := checkNumber(a.Number)
	if err != nil {
		return providers.Instrument{}, err
	}
	holder := asciiName(a.Holder)
	if holder == "" {
		return providers.Instrument{}, &providers.Invalid{What: "bank account", Field: "Holder", Problem: "has no Latin letter or digit"}
	}
	id, err := uuid.NewRandomFromReader(p.config.Rand)
	if err != nil {
		return providers.Instrument{}, fmt.Errorf("ach: reading random bytes: %w", err)
	}
	token := "ba_" + strings.ReplaceAll(id.String(), "-", "")
	seal, err := p.keys.seal(p.config.Rand, accountKey(token), number)
	if err != nil {
		return providers.Instrument{}, err
	}
	doc := account{Business: a.Business, Versions: []details{{
		Holder: holder, Routing: a.Routing, Number: seal, Last4: last4(number), Savings: a.Savings, Since: p.now(),
	}}}
	if _, err := providers.SaveState(ctx, p.state, accountKey(token), doc, 0); err != nil {
		return providers.Instrument{}, err
	}
	return doc.instrument(token), nil
}

func (a account) instrument(token string) providers.Instrument {
	d := a.latest()
	return providers.Instrument{Token: token, Method: providers.Bank, Label: label(d.Savings, d.Last4), Last4: d.Last4}
}

// Reseal seals what is kept of an account with the current key, so that an old one can be thrown away once every token
// was resealed. The host knows its members' tokens.
func (p *Provider) Reseal(ctx context.Context, token string) error {
	_, err := providers.ChangeState(ctx, p.state, accountKey(token), func(a *account, _ bool) error {
		if len(a.Versions) == 0 {
			return errUnknownAccount
		}
		changed := false
		for i, d := range a.Versions {
			if d.Number.Key == p.keys.Current {
				continue
			}
			number, err := p.keys.open(accountKey(token), d.Number)
			if err != nil {
				return err
			}
			if a.Versions[i].Number, err = p.keys.seal(p.config.Rand, accountKey(token), number); err != nil {
				return err
			}
			changed = true
		}
		if !changed {
			return providers.ErrStateSame
		}
		return nil
	})
	return err
}

var errUnknownAccount = errors.New("ach: no such account")

func (p *Provider) now() time.Time { return p.config.Clock() }
