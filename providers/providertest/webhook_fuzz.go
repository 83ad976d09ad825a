package providertest

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"

	"github.com/koshpay/kosh/providers"
)

// How many deliveries the fuzzing checks make. The forged ones are what a stranger can send.
const (
	forgedMutants = 10_000
	signedMutants = 2_000
)

var fuzzCheck = Check{
	Name: "webhook-fuzz",
	Rule: "Of ten thousand deliveries that were tampered with, in the body or the headers, none is accepted as something else than it was and " +
		"none makes the adapter panic: the URL is public.",
	run: func(p *probe) {
		r := p.receiver()
		all := p.deliveries()
		events := make([][]providers.Event, len(all))
		for i, d := range all {
			events[i] = p.receive(r, clone(d))
		}
		rng := rand.New(rand.NewPCG(6, 34)) //nolint:gosec // the same mutants every time, so that a failure can be looked into
		accepted, panics := 0, 0
		for n := range forgedMutants {
			i := rng.IntN(len(all))
			bad := clone(all[i])
			headersOnly := rng.IntN(8) == 0
			if !headersOnly {
				bad.Body = mutate(rng, bad.Body, all[rng.IntN(len(all))].Body)
			}
			if headersOnly || rng.IntN(3) == 0 {
				mangle(rng, bad)
			}
			got, panicked, err := receiveSafely(p, r, bad)
			switch {
			case panicked != nil:
				if panics++; panics == 1 {
					p.failf("Receive panicked on mutant %d: %v\n%v\n%.600q", n, panicked, bad.Header, bad.Body)
				}
			case err == nil && !(headersOnly && reflect.DeepEqual(got, events[i])):
				// A header that nobody signs may change, and a signature may be spelt in two ways: the delivery is still what it was.
				if accepted++; accepted == 1 {
					p.failf("Receive accepted mutant %d: %+v\n%v\n%.600q", n, got, bad.Header, bad.Body)
				}
			case err != nil && len(got) > 0:
				p.failf("Receive of mutant %d returned %d events and an error: %v", n, len(got), err)
			}
		}
		p.note("%d mutated webhooks: %d accepted, %d panics", forgedMutants, accepted, panics)
	},
}

var signedGarbageCheck = Check{
	Name: "webhook-signed-garbage",
	Rule: "An authentic delivery that cannot be read is ErrMalformed, or yields events that payments will believe; it never makes the adapter " +
		"panic: far sides have bugs, and one body that kills the host kills it at every redelivery.",
	run: func(p *probe) {
		p.receiver()
		p.needKeyed()
		const own = "whsec_suite"
		r, ok := p.keyed(own)
		if !ok {
			p.fatalf("World.Keyed makes no adapter with the secret %q", own)
		}
		all := p.deliveries()
		rng := rand.New(rand.NewPCG(7, 35)) //nolint:gosec // as above
		read, panics := 0, 0
		for n := range signedMutants {
			d := clone(all[rng.IntN(len(all))])
			d.Body = mutate(rng, d.Body, all[rng.IntN(len(all))].Body)
			events, panicked, err := receiveSafely(p, r, p.Sign(d, own))
			if panicked != nil {
				if panics++; panics == 1 {
					p.failf("Receive panicked on a signed delivery: %v\n%.600q", panicked, d.Body)
				}
				continue
			}
			if err != nil {
				if !errors.Is(err, providers.ErrMalformed) || len(events) > 0 {
					p.fatalf("Receive of signed garbage, number %d: %d events, err %v; want ErrMalformed\n%.600q", n, len(events), err, d.Body)
				}
				continue
			}
			read++
			for _, e := range events {
				if problem := unbelievable(e); problem != "" {
					p.fatalf("Receive of signed garbage, number %d, yielded an event that %s; want ErrMalformed\n%.600q", n, problem, d.Body)
				}
			}
		}
		p.note("%d mutated webhooks with a right signature: %d still readable, %d panics", signedMutants, read, panics)
	},
}

// unbelievable says why payments would not believe an event, or returns "".
func unbelievable(e providers.Event) string {
	switch {
	case e.ID == "":
		return "has no id"
	case e.Report == nil && (e.Lookup == nil || e.Lookup.Key == "" && e.Lookup.Reference == ""):
		return "says neither what happened nor what to look up"
	case e.Report != nil:
		if err := e.Report.Validate(); err != nil {
			return "does not validate: " + err.Error()
		}
	}
	return ""
}

// receiveSafely is Receive with what it panicked with, which is a third outcome.
func receiveSafely(p *probe, r providers.Receiver, d providers.Delivery) (events []providers.Event, panicked any, err error) {
	defer func() { panicked = recover() }()
	events, err = r.Receive(p.ctx, d)
	return events, nil, err
}

// mutate returns another body: never the one it was given.
func mutate(rng *rand.Rand, body, other []byte) []byte {
	out := bytes.Clone(body)
	for range 1 + rng.IntN(3) {
		out = mutateOnce(rng, out, other)
	}
	if bytes.Equal(out, body) {
		out = append(out, ' ')
	}
	return out
}

func mutateOnce(rng *rand.Rand, body, other []byte) []byte {
	from := rng.IntN(len(body) + 1)
	to := min(from+rng.IntN(24), len(body))
	switch rng.IntN(11) {
	case 0: // one bit
		if from < len(body) {
			body[from] ^= 1 << rng.IntN(8)
		}
	case 1: // one byte
		if from < len(body) {
			body[from] ^= 0xa5
		}
	case 2: // another amount, another id
		for i := from; i < len(body); i++ {
			if body[i] >= '0' && body[i] <= '9' {
				body[i] = "0123456789"[rng.IntN(10)]
				break
			}
		}
	case 3: // less
		body = slices.Delete(body, from, to)
	case 4: // twice
		body = slices.Insert(body, from, bytes.Clone(body[from:to])...)
	case 5: // cut
		body = body[:from]
	case 6: // another delivery's body, or the end of it
		body = append(body[:from], other[min(from, len(other)):]...)
	case 7: // words that parsers trip over
		words := []string{"null", "[]", "{}", `""`, "-0", "1e999", "\x00", "\xff\xfe", `\ud800`, "[[[[[[[[[[", "99999999999999999999999999999999999999999"}
		body = slices.Insert(body, from, []byte(words[rng.IntN(len(words))])...)
	case 8: // one value for another
		values := []string{"null", "true", "[]", "{}", "-1", `"\u0000"`}
		if i := bytes.IndexByte(body[from:], ':'); i >= 0 {
			at := from + i + 1
			end := at
			for end < len(body) && !strings.ContainsRune(",}]", rune(body[end])) {
				end++
			}
			body = slices.Replace(body, at, end, []byte(values[rng.IntN(len(values))])...)
		}
	case 9: // nothing
		body = nil
	case 10: // much
		if len(body) < 1<<14 {
			body = slices.Insert(body, from, bytes.Repeat([]byte("["), 1+rng.IntN(2000))...)
		}
	}
	return body
}

// mangle changes headers: drops, empties, repeats, cuts and flips them.
func mangle(rng *rand.Rand, d providers.Delivery) {
	names := make([]string, 0, len(d.Header))
	for name := range d.Header {
		names = append(names, name)
	}
	slices.Sort(names)
	if len(names) == 0 {
		return
	}
	name := names[rng.IntN(len(names))]
	value := d.Header.Get(name)
	at := rng.IntN(len(value) + 1)
	switch rng.IntN(6) {
	case 0:
		d.Header.Del(name)
	case 1:
		d.Header.Set(name, "")
	case 2:
		d.Header.Add(name, value+value)
	case 3:
		d.Header.Set(name, value[:at])
	case 4:
		if at < len(value) {
			flipped := []byte(value)
			flipped[at] ^= 1 << rng.IntN(7)
			d.Header.Set(name, string(flipped))
		}
	case 5:
		d.Header.Set(name, fmt.Sprintf("%s,%s=%d", value[at:], value[:at], rng.Int64()))
	}
}
