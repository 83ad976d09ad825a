package ach

import (
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/providers"
)

// Limits of the Nacha format and Operating Rules.
const (
	MaxCents        = 9_999_999_999 // of one entry: ten digits
	MaxSameDayCents = 100_000_000   // of one same-day entry, since March 2022
	MaxTrace        = 9_999_999     // the last seven digits of a trace number
)

// Verification is how a linked account is shown to exist and to belong to the member.
type Verification uint8

// The ways to verify. Prenote, the zero value, shows that an account exists; MicroDeposits that the member can see it;
// ByHost leaves it to the host, which must then have asked an account validation service: the Operating Rules want an
// account to be validated before its first WEB debit.
const (
	Prenote       Verification = iota // an entry of zero dollars; verified on the third banking day if no return came
	MicroDeposits                     // two small credits, and a debit that takes both back; the member tells the amounts
	ByHost                            // at once
)

// Company says who originates the entries. All of it is agreed with the bank (the ODFI).
type Company struct {
	Name  string // at most 16 characters; on people's statements
	ID    string // at most 10 characters, often "1" and the tax number
	Entry string // the entry description on statements, at most 10 characters; "PAYMENT" when empty
}

// Party is one end of the file transfer, as the bank assigns it.
type Party struct {
	ID   string // destination: nine digits with a right check digit; origin: at most ten characters
	Name string // at most 23 characters
}

// CutOff is a time of day, Eastern, at which the waiting entries are put into a file on every banking day. It must leave
// time to hand the file over before the bank's own deadline.
type CutOff struct {
	Hour, Minute int
	// SameDay asks for settlement on the same day for every entry that may have it.
	SameDay bool
}

// Config sets a Provider up. Company, ODFI, Destination, Origin, Outbox and Inbox are required.
type Config struct {
	Name    string // of the provider; "ach" when empty
	Company Company
	ODFI    string // the bank's routing number, nine digits
	// Destination and Origin go into each file's header.
	Destination, Origin Party

	// Outbox and Inbox are folders on one file system each. Files to hand over appear in Outbox; what was handed over belongs
	// in Outbox/sent, see [Provider.Sent]. What the bank sends goes into Inbox and ends in Inbox/done or Inbox/quarantine.
	Outbox, Inbox string

	// CutOffs default to one at 20:00, not for the same day.
	CutOffs []CutOff

	Verification Verification

	// MaxDebit and MaxCredit bound one deposit and one withdrawal, in US dollars; Amount{} is the format's bound.
	MaxDebit, MaxCredit currency.Amount
	// MaxSameDay bounds what is sent for the same day; Amount{} is the rules' bound of a million dollars.
	MaxSameDay currency.Amount

	// FirstTrace and LastTrace bound the last seven digits of trace numbers, inclusive: give every system that originates through
	// the same bank a range of its own. They never change ([ErrSetupChanged]). 0 means from 1, to MaxTrace.
	FirstTrace, LastTrace int

	// UnauthorizedDays is how long a consumer's debit may be returned as unauthorised, and so how long it is provisional; 0
	// means the 60 days of the rules. With fewer the host bears the loss of a later return, which is reported all the same.
	UnauthorizedDays int

	// Acknowledged says that the bank acknowledges files: no entry is reported as moved before its file was accepted. What an
	// acknowledgement looks like differs from bank to bank; see Acknowledgements.
	Acknowledged bool
	// Acknowledgements reads a file of the inbox that is no Nacha file; [ReadAcknowledgement] when nil.
	Acknowledgements func(name string, content []byte) (Acknowledgement, error)

	Clock func() time.Time // time.Now when nil
	Rand  io.Reader        // crypto/rand when nil
}

// Provider moves money between bank accounts in the United States through Nacha files. It is safe for concurrent use, by
// several processes over one StateStore too. It prints as its name.
type Provider struct {
	config  Config
	keys    Keys
	state   providers.StateStore
	folders folders

	// Where to begin to look for room, behind the truth at worst.
	mu              sync.Mutex
	page            int64
	events, notices int64
	hinted          bool
}

var (
	_ providers.Provider = (*Provider)(nil)
	_ providers.Poller   = (*Provider)(nil)
	_ providers.Checker  = (*Provider)(nil)
)

// New makes a Provider over what an earlier one, here or elsewhere, left in the state store. It makes the folders.
func New(state providers.StateStore, keys Keys, c Config) (*Provider, error) {
	if state == nil {
		return nil, errors.New("ach: no StateStore")
	}
	c.Name = cmp.Or(c.Name, "ach")
	c.Company.Entry = cmp.Or(c.Company.Entry, "PAYMENT")
	c.FirstTrace, c.LastTrace = cmp.Or(c.FirstTrace, 1), cmp.Or(c.LastTrace, MaxTrace)
	c.UnauthorizedDays = cmp.Or(c.UnauthorizedDays, 60)
	if len(c.CutOffs) == 0 {
		c.CutOffs = []CutOff{{Hour: 20}}
	}
	c.CutOffs = slices.Clone(c.CutOffs)
	slices.SortFunc(c.CutOffs, func(a, b CutOff) int { return a.minutes() - b.minutes() })
	for _, limit := range []struct {
		amount *currency.Amount
		cents  int64
	}{{&c.MaxDebit, MaxCents}, {&c.MaxCredit, MaxCents}, {&c.MaxSameDay, MaxSameDayCents}} {
		if !limit.amount.IsValid() {
			*limit.amount = currency.MustNew(limit.cents, currency.USD)
		}
	}
	if c.Acknowledgements == nil {
		c.Acknowledgements = ReadAcknowledgement
	}
	if c.Clock == nil {
		c.Clock = time.Now //nolint:forbidigo // the default clock
	}
	if c.Rand == nil {
		c.Rand = rand.Reader
	}
	if err := errors.Join(c.validate(), keys.validate()); err != nil {
		return nil, err
	}
	p := &Provider{config: c, keys: keys, state: state, folders: folders{disk: osDisk{}, outbox: c.Outbox, inbox: c.Inbox}}
	if err := p.Describe().Validate(); err != nil {
		return nil, err
	}
	return p, p.folders.prepare()
}

// Format prints the provider's name, whatever the verb: its fields hold keys.
func (p *Provider) Format(s fmt.State, _ rune) {
	_, _ = io.WriteString(s, "ach.Provider("+p.config.Name+")")
}

func (c CutOff) minutes() int { return c.Hour*60 + c.Minute }

func (c Config) validate() error {
	var problems []error
	want := func(ok bool, problem string) {
		if !ok {
			problems = append(problems, errors.New("ach: Config."+problem))
		}
	}
	want(printable(c.Company.Name, 16), "Company.Name is not 1 to 16 printing ASCII characters")
	want(printable(c.Company.ID, 10), "Company.ID is not 1 to 10 printing ASCII characters")
	want(printable(c.Company.Entry, 10), "Company.Entry is not 1 to 10 printing ASCII characters")
	want(CheckRouting(c.ODFI) == nil, "ODFI is no routing number")
	want(CheckRouting(c.Destination.ID) == nil, "Destination.ID is no routing number")
	want(printable(c.Destination.Name, 23), "Destination.Name is not 1 to 23 printing ASCII characters")
	want(printable(c.Origin.ID, 10), "Origin.ID is not 1 to 10 printing ASCII characters")
	want(strings.Trim(c.Origin.ID, "0") != "", "Origin.ID is zero")
	want(printable(c.Origin.Name, 23), "Origin.Name is not 1 to 23 printing ASCII characters")
	want(c.Outbox != "" && c.Inbox != "" && c.Outbox != c.Inbox, "Outbox and Inbox are not two folders")
	for i, o := range c.CutOffs {
		want(o.Hour >= 0 && o.Hour < 24 && o.Minute >= 0 && o.Minute < 60, "CutOffs have one that is no time of day")
		want(i == 0 || c.CutOffs[i-1].minutes() != o.minutes(), "CutOffs repeat a time of day")
	}
	want(c.Verification <= ByHost, "Verification is unknown")
	for _, limit := range []struct {
		field  string
		amount currency.Amount
		cents  int64
	}{{"MaxDebit", c.MaxDebit, MaxCents}, {"MaxCredit", c.MaxCredit, MaxCents}, {"MaxSameDay", c.MaxSameDay, MaxSameDayCents}} {
		n, err := cents(limit.amount)
		want(err == nil && n > 0 && n <= limit.cents, limit.field+" is no amount of US dollars within the rules")
	}
	want(c.FirstTrace > 0 && c.FirstTrace <= c.LastTrace && c.LastTrace <= MaxTrace, "FirstTrace and LastTrace are no range of 1 to 9999999")
	want(c.UnauthorizedDays > 0 && c.UnauthorizedDays <= 60, "UnauthorizedDays are not 1 to 60")
	return errors.Join(problems...)
}

// printable tells whether a field of a Nacha file can hold s.
func printable(s string, limit int) bool {
	return strings.TrimSpace(s) != "" && len(s) <= limit && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' })
}

// cents returns an amount of US dollars in cents.
func cents(a currency.Amount) (int64, error) {
	if a.AssetID() != currency.USD.ID() {
		return 0, fmt.Errorf("%w: not US dollars", providers.ErrUnsupported)
	}
	n, ok := a.Int64()
	if !ok || n > MaxCents {
		return 0, fmt.Errorf("%w: more than ten digits of cents", providers.ErrUnsupported)
	}
	return n, nil
}
