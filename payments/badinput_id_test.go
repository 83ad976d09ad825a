package payments_test

import (
	"strings"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/payments"
)

func badActors() (rows []bad) {
	actor := func(name string, a payments.Actor, is error) {
		rows = append(rows, bad{name: name, put: func(_ *world, f *form) { f.actor = a }, is: is, class: payments.ErrInvalid, field: "actor"})
	}
	actor("nobody", payments.Actor{}, payments.ErrForbidden)
	actor("a member without a name", payments.Member(""), payments.ErrForbidden)
	for _, name := range []string{"mallory", "Alice", "ALICE", "a1ice", "aIice", "alice.", "alice_", "@alice", "member", "platform", "nobody"} {
		actor(name, payments.Member(name), payments.ErrForbidden)
	}
	for _, s := range badNames() {
		actor(s.name, payments.Member(s.text), ledger.ErrInvalid)
	}
	return rows
}

func badKeys() (rows []bad) {
	key := func(name, key string, is error) {
		rows = append(rows, bad{name: name, put: func(_ *world, f *form) { f.key = key }, is: is, class: payments.ErrInvalid})
	}
	key("empty", "", ledger.ErrInvalid)
	key("NUL", "k\x00", ledger.ErrInvalid)
	key("a line feed", "k\n", ledger.ErrInvalid)
	key("an escape", "k\x1b[2J", ledger.ErrInvalid)
	key("a C1 control", "k\u0085", ledger.ErrInvalid)
	key("too long with its actor", strings.Repeat("k", ledger.MaxKeyBytes), ledger.ErrTooLarge)
	key("a megabyte", huge, ledger.ErrTooLarge)
	for _, s := range badUTF8() {
		key(s.name, s.text, ledger.ErrInvalid)
	}
	return append(rows, bad{
		name: "used for another request", put: func(_ *world, f *form) { f.key = "used" },
		is: ledger.ErrKeyConflict, class: payments.ErrConflict, field: "any",
	})
}

func badPayees() (rows []bad) {
	to := func(name, to string, is error) {
		rows = append(rows, bad{name: name, put: func(_ *world, f *form) { f.to = to }, is: is, class: payments.ErrInvalid})
	}
	for _, s := range badNames() {
		to(s.name, s.text, ledger.ErrInvalid)
	}
	to("nobody", "", ledger.ErrInvalid)
	to("oneself", "alice", payments.ErrSelf)
	return append(rows, bad{
		name: "out of another's wallet", put: func(_ *world, f *form) { f.member, f.to = "bob", "alice" },
		is: payments.ErrForbidden, class: payments.ErrInvalid, field: "actor",
	})
}

// notIDs are texts that are not the id of anything. A UUID has many spellings; an id has one.
func notIDs(id string) []sample {
	return []sample{
		{"not a UUID", "nope"},
		{"one that nobody made", "01890000-0000-7000-8000-000000000000"},
		{"the nil UUID", "00000000-0000-0000-0000-000000000000"},
		{"upper case", strings.ToUpper(id)},
		{"a URN", "urn:uuid:" + id},
		{"in braces", "{" + id + "}"},
		{"without dashes", strings.ReplaceAll(id, "-", "")},
		{"with a space", id + " "},
		{"with NUL", id + "\x00"},
		{"bad UTF-8", id[:len(id)-1] + "\xff"},
		{"a path", "../" + id},
		{"a megabyte", huge},
	}
}

// ids makes rows for notIDs; which ones there are does not depend on the id.
func ids(of func(w *world) string, put func(f *form, id string), is error, field string) (rows []bad) {
	for i, s := range notIDs("01890000-0000-7000-8000-000000000000") {
		rows = append(rows, bad{
			name: s.name, put: func(w *world, f *form) { put(f, notIDs(of(w))[i].text) },
			is: is, class: payments.ErrNotFound, field: field,
		})
	}
	return rows
}

func badPayments() []bad {
	return append(ids(func(w *world) string { return w.paid }, func(f *form, id string) { f.payment = id }, payments.ErrNoPayment, "id"), bad{
		name: "empty", put: func(_ *world, f *form) { f.payment = "" }, is: payments.ErrNoPayment, class: payments.ErrNotFound,
	})
}

func badCases() []bad {
	rows := ids(func(w *world) string { return w.stray }, func(f *form, id string) { f.caseID = id }, payments.ErrNoCase, "case")
	one := func(name string, id func(w *world) string) bad {
		return bad{name: name, put: func(w *world, f *form) { f.caseID = id(w) }, is: payments.ErrNoCase, class: payments.ErrNotFound}
	}
	return append(rows, one("empty", func(*world) string { return "" }), one("a payment without one", func(w *world) string { return w.paid }))
}

func badQuotes() []bad {
	rows := ids(func(w *world) string { return w.quote }, func(f *form, id string) { f.quote = id }, payments.ErrNoQuote, "quote")
	return append(rows, bad{
		name: "a payment", put: func(w *world, f *form) { f.quote = w.paid }, is: payments.ErrNoQuote, class: payments.ErrNotFound,
	}, bad{
		name: "of an exchange", put: func(w *world, f *form) { f.quote = w.swap }, is: payments.ErrNoQuote, class: payments.ErrNotFound,
	}, bad{
		name: "of another amount", put: func(w *world, f *form) { f.quote, f.amount = w.quote, usd("2.00") }, is: payments.ErrNoQuote, class: payments.ErrInvalid,
	})
}

func badSwaps() []bad {
	rows := ids(func(w *world) string { return w.swap }, func(f *form, id string) { f.quote = id }, payments.ErrNoQuote, "quote")
	one := func(name string, class ledger.Class, put func(w *world, f *form)) bad {
		return bad{name: name, put: put, is: payments.ErrNoQuote, class: class}
	}
	return append(
		rows,
		one("a payment", payments.ErrNotFound, func(w *world, f *form) { f.quote = w.paid }),
		one("of a withdrawal", payments.ErrNotFound, func(w *world, f *form) { f.quote = w.quote }),
		one("another member's", payments.ErrNotFound, func(w *world, f *form) { f.quote = w.bobsSwap }),
		one("of another amount", payments.ErrInvalid, func(w *world, f *form) { f.quote, f.amount = w.swap, usd("1.01") }),
		one("of an amount of another asset", payments.ErrInvalid, func(w *world, f *form) { f.quote, f.amount = w.swap, currency.MustParse("1.00", currency.EUR) }),
		one("of no amount", payments.ErrInvalid, func(w *world, f *form) { f.quote, f.amount = w.swap, usd("0.00") }),
		one("for another asset", payments.ErrInvalid, func(w *world, f *form) { f.quote, f.wanted = w.swap, coin.ID() }),
		one("for no asset", payments.ErrInvalid, func(w *world, f *form) { f.quote, f.wanted = w.swap, "usd" }),
	)
}

func badInstruments() []bad {
	rows := ids(func(w *world) string { return w.card }, func(f *form, id string) { f.instrument = id }, payments.ErrNoInstrument, "instrument")
	one := func(name string, id func(w *world) string) bad {
		return bad{name: name, put: func(w *world, f *form) { f.instrument = id(w) }, is: payments.ErrNoInstrument, class: payments.ErrNotFound}
	}
	return append(
		rows,
		one("another member's", func(w *world) string { return w.bobsCard }),
		one("one that was refused", func(w *world) string { return w.refused }),
		one("a payment", func(w *world) string { return w.paid }),
		one("a token", func(*world) string { return "tok_card" }),
	)
}

func badDestinations() (rows []bad) {
	to := func(s sample, is error) {
		rows = append(rows, bad{name: s.name, put: func(_ *world, f *form) { f.destination = s.text }, is: is, class: payments.ErrInvalid})
	}
	for _, s := range texts(invisible(), badUTF8(), lookalikes(), []sample{
		{"empty", ""},
		{"a space before it", " DE89370400440532013000"},
		{"a space after it", "DE89370400440532013000 "},
		{"NUL", "DE89\x00"},
		{"a line feed", "DE89\n"},
		{"one byte too long", strings.Repeat("x", ledger.MaxNameBytes+1)},
		{"a megabyte", huge},
	}) {
		to(s, ledger.ErrInvalid)
	}
	to(sample{"a card number", "4242424242424242"}, payments.ErrCardNumber)
	to(sample{"a card number in groups", "4242 4242 4242 4242"}, payments.ErrCardNumber)
	to(sample{"a card number with dashes", "3782-822463-10005"}, payments.ErrCardNumber)
	one := func(name string, id func(w *world) string) bad {
		return bad{name: name, put: func(w *world, f *form) { f.destination = id(w) }, is: payments.ErrNoInstrument, class: payments.ErrNotFound, field: "instrument"}
	}
	return append(
		rows,
		one("another member's instrument", func(w *world) string { return w.bobsCard }),
		one("one that was refused", func(w *world) string { return w.refused }),
		one("a payment", func(w *world) string { return w.paid }),
		one("an instrument in upper case", func(w *world) string { return strings.ToUpper(w.bank) }),
		one("an instrument in braces", func(w *world) string { return "{" + w.bank + "}" }),
		one("a UUID that nobody made", func(*world) string { return "01890000-0000-7000-8000-000000000000" }),
	)
}

func badResolutions() (rows []bad) {
	action := func(name string, r payments.Resolution, is error, class ledger.Class) {
		rows = append(rows, bad{name: name, put: func(_ *world, f *form) { f.resolution = r }, is: is, class: class})
	}
	action("none", "", ledger.ErrInvalid, payments.ErrInvalid)
	action("unknown", "sell", ledger.ErrInvalid, payments.ErrInvalid)
	action("a megabyte", payments.Resolution(huge), ledger.ErrInvalid, payments.ErrInvalid)
	action("bad UTF-8", "assign\xff", ledger.ErrInvalid, payments.ErrInvalid)
	for _, r := range []payments.Resolution{payments.NeverHappened, payments.Approve, payments.Deny, payments.Known} {
		action(string(r), r, payments.ErrUnresolvable, payments.ErrConflict)
	}
	return rows
}
