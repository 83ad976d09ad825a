package providertest

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/url"
	"strings"

	"github.com/google/uuid"

	"github.com/koshpay/kosh/providers"
)

// printable collects what hosts print: the provider, reports, errors and events, good times and bad.
func (p *probe) printable() []any {
	printed := []any{p.Provider, p.descriptor}
	for _, f := range []Fault{LostRequest, LostResponse, ServerError, Garbage, Refuse, Reject, Decline, RateLimit, Slow} {
		op, ok := p.first()
		if ok && p.Fault(f) {
			r, err := p.Provider.Submit(p.ctx, op)
			printed = append(printed, withoutAction(r), err)
			if p.Fault(FailLookup) {
				r, err = p.Provider.Lookup(p.ctx, query(op))
				printed = append(printed, withoutAction(r), err)
			}
			r, err = p.Provider.Lookup(p.ctx, query(op))
			printed = append(printed, withoutAction(r), err)
		}
	}
	if r, ok := providers.As[providers.Receiver](p.Provider); ok {
		_, err := r.Receive(p.ctx, providers.Delivery{Body: []byte("{}")})
		printed = append(printed, err)
		for _, d := range p.Deliveries() {
			_, err := r.Receive(p.ctx, p.Forge(clone(d)))
			events, errGood := r.Receive(p.ctx, clone(d))
			printed = append(printed, err, errGood, events)
		}
	}
	if poller, ok := providers.As[providers.Poller](p.Provider); ok {
		p.Fault(FailPoll)
		events, next, err := poller.Poll(p.ctx, "", 100)
		printed = append(printed, events, next, err)
	}
	if c, ok := providers.As[providers.Checker](p.Provider); ok {
		printed = append(printed, c.Check(p.ctx))
	}
	return printed
}

var secretsCheck = Check{
	Name: "no-secret-printed",
	Rule: "Nothing that prints a provider, a report, an event or an error prints a secret, in any encoding: hosts log all four.",
	run: func(p *probe) {
		for _, v := range p.printable() {
			for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
				p.noSecret(fmt.Sprintf(verb, v), fmt.Sprintf("%s of a %T", verb, v),
					"keep it in a type that implements fmt.Formatter, or in a closure")
			}
			if text, err := json.Marshal(v); err == nil {
				p.noSecret(string(text), fmt.Sprintf("JSON of a %T", v), "do not export the field")
			}
			raw, _ := v.(providers.Report)
			p.noSecret(string(raw.Raw), "Report.Raw", "it is for people")
		}
	},
}

func (p *probe) noSecret(text, where, remedy string) {
	for i, secret := range p.Secrets {
		if leaks(text, secret) {
			p.failf("%s prints secret number %d: %s", where, i, remedy)
		}
	}
}

// leaks tells whether a text holds a secret, as it is or as it is usually encoded.
func leaks(text, secret string) bool {
	for _, form := range forms(secret) {
		if strings.Contains(text, form) {
			return true
		}
	}
	return false
}

// forms are the ways to write a secret: plain, for URLs, as numbers, in hex, in base64.
func forms(secret string) []string {
	if secret == "" {
		return nil
	}
	list := []string{
		secret, url.QueryEscape(secret), url.PathEscape(secret), strings.Trim(fmt.Sprint([]byte(secret)), "[]"),
		fmt.Sprintf("%x", secret), fmt.Sprintf("%X", secret),
	}
	// Whatever follows the secret in the same encoded text, its whole groups of three bytes stand there.
	if whole := secret[:len(secret)/3*3]; len(whole) > 3 {
		list = append(list, base64.StdEncoding.EncodeToString([]byte(whole)), base64.URLEncoding.EncodeToString([]byte(whole)))
	}
	return list
}

// redact keeps out of the suite's own output what an adapter quotes: test logs are read by many.
func (p *probe) redact(text string) string {
	if p.World != nil {
		for i, secret := range p.Secrets {
			for _, form := range forms(secret) {
				text = strings.ReplaceAll(text, form, fmt.Sprintf("[secret %d]", i))
			}
		}
	}
	if showsCard(text) {
		text = longNumber.ReplaceAllString(text, "[digits]")
	}
	return text
}

var logCheck = Check{
	Name: "no-secret-logged",
	Rule: "An adapter that works, in good times and bad, writes no secret and no member's text to the logs, neither to the default loggers nor " +
		"to its own; and logging the provider itself shows none.",
	run: func(p *probe) {
		const note = "a note of the member's own"
		cards := false // the account and trace numbers of banks look like anything
		written := captured(func() {
			op, ok := p.first()
			if !ok {
				return
			}
			cards = op.Method == providers.Card
			op.Description = note
			_, _ = p.Provider.Submit(p.ctx, op)
			for _, v := range p.printable() {
				slog.Error("printed by the suite", "value", v)
			}
		})
		if p.Logged != nil {
			written += p.Logged()
		}
		p.noSecret(written, "the log", "log ids and codes, not requests; implement slog.LogValuer on what holds a secret")
		if strings.Contains(written, note) {
			p.failf("the log repeats what a member wrote: log ids and codes, not requests")
		}
		if cards && showsCard(written) {
			p.failf("the log has what looks like a card number")
		}
	},
}

// withoutAction drops what is passed through to the person and may be secret.
func withoutAction(r providers.Report) providers.Report {
	r.Action = nil
	return r
}

var cardNumberCheck = Check{
	Name: "card-numbers-stay-out",
	Rule: "A description that holds a card number is refused before anything is sent, and a long number that is none, such as a post's " +
		"19-digit id, is not: card numbers never enter, and members quote posts.",
	run: func(p *probe) {
		// A number that networks publish for tests, written in two ways, and the id of a post.
		for _, text := range []string{"my card 4242424242424242", "4242 4242 4242 4242, 12/34", "5555-5555-5555-4444"} {
			op, ok := p.first()
			if !ok {
				p.fatalf("the harness has no sample")
			}
			op.Key, op.Description = uuid.NewString(), text
			p.refuses(op, "a card number in its description")
		}
		op, _ := p.first()
		op.Description, op.Member = "for post 1790000000000000009", "1790000000000000009"
		r := p.submit(op)
		p.settle()
		p.executed(op, 1, "its description quoted a post's id")
		for _, r := range []providers.Report{r, p.lookup(op)} {
			r.Member = ""
			if op.Method == providers.Card && showsCard(fmt.Sprintf("%+v %s", withoutAction(r), r.Raw)) {
				p.failf("a report about a %s has what looks like a card number: show the last four digits only", op.Kind)
			}
		}
	},
}
