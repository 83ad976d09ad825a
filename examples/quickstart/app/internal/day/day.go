// Package day makes the input of the quickstart: one day of a social app, with the mistakes that real input has. The same
// day every time, so that the file can be committed and a test can say whether it still is what this package makes.
package day

import (
	"fmt"
	"strings"
)

// header explains the columns to whoever opens the file.
const header = `# One day of a social app: what its members asked for, one request a line. Made by internal/day; do not edit.
#
# time       of the day (UTC)                 with       the card or account that is linked, charged or paid out to
# request    idempotency key                  other      the other member, the request to refund, the asset wanted
# verb       what is asked for                reference  the app's own: the post that is tipped
# member     who asks                         note       free text
# amount     a plain number
# asset      of the amount: code or id        Mistakes are on purpose.
time,request,verb,member,amount,asset,with,other,reference,note
`

// asset is how the members use one.
type asset struct {
	code     string
	decimals int
	typical  int64 // a small amount, in units of 10^-decimals
}

var (
	homes = []*asset{{"USD", 2, 100}, {"EUR", 2, 90}, {"INR", 2, 8000}, {"JPY", 0, 150}, {"KWD", 3, 300}}
	coin  = &asset{"CHIRP", 0, 100}
	ether = &asset{"ETH", 4, 5} // members type four of its eighteen decimals
)

func (a *asset) write(units int64) string {
	if a.decimals == 0 {
		return fmt.Sprint(units)
	}
	whole := int64(1)
	for range a.decimals {
		whole *= 10
	}
	return fmt.Sprintf("%d.%0*d", units/whole, a.decimals, units%whole)
}

// member is a member as far as the day must know, so that most of what happens makes sense.
type member struct {
	name     string
	home     *asset
	hands    []string         // what is linked
	has      map[*asset]int64 // at least
	deposits []payment        // that may be given back
	tips     []payment        // received
}

func (m *member) holds(hand string) bool {
	for _, h := range m.hands {
		if h == hand {
			return true
		}
	}
	return false
}

type payment struct {
	request string
	asset   *asset
	units   int64
}

// Day is a day on its way.
type Day struct {
	out      strings.Builder
	random   random
	now      int // seconds since midnight
	requests int
	names    int
	posts    int
	members  []*member
	coming   []coming // by when
	repeat   []row    // some good lines, for those that come twice
	turn     int      // of the mistakes

	// Mistakes counts those made on purpose, by kind.
	Mistakes map[string]int
}

const (
	dawn      = 6 * 3600
	noon      = 12 * 3600
	almostSix = 18*3600 - 400
	midnight  = 24*3600 - 60
)

// row is one line: the request, and the columns after it.
type row struct {
	request, verb, member, amount, asset, with, other, reference, note string
}

// Make makes the day and returns it as CSV.
func Make() (csv []byte, d *Day) {
	d = &Day{now: dawn, Mistakes: map[string]int{}, random: 20260302}
	d.out.WriteString(header)
	d.join("mira", homes[0], []string{"card", "bank"})
	d.early()
	d.at(noon, func() {
		d.out.WriteString("# 12:00: from here on there is an in-app coin, CHIRP, and ETH\n")
		d.addressDeposit(d.members[0])
	})
	d.at(almostSix, func() { d.addressDeposit(d.members[0]) }) // the chain turns out to have gone another way
	for d.now < midnight {
		d.ripen()
		d.act()
	}
	return []byte(d.out.String()), d
}

// act is one thing that somebody does.
func (d *Day) act() {
	m := d.somebody()
	switch n := d.random.below(100); {
	case len(d.members) < 8, n < 5, n < 16 && d.now < 10*3600:
		d.join(d.newMember())
	case n < 26:
		d.deposit(m)
	case n < 56:
		d.tip(m)
	case n < 70:
		d.send(m)
	case n < 75:
		d.withdraw(m)
	case n < 79:
		d.refund(m)
	case n < 88 && d.now > noon:
		d.modern(m)
	default:
		d.mistake(m)
	}
}

// modern is what became possible at noon.
func (d *Day) modern(m *member) {
	switch n := d.random.below(10); {
	case n < 2:
		d.addressDeposit(m)
	case n < 7:
		if units := d.upTo(m.has[m.home], m.home.typical*8); units > 0 {
			m.has[m.home] -= units
			m.has[coin] += units * 30 / m.home.typical // less than any price gives
			d.good(row{verb: "exchange", member: m.name, amount: m.home.write(units), asset: m.home.code, other: coin.code})
		}
	case n < 9:
		if units := d.upTo(m.has[ether], ether.typical*4); units > 0 {
			m.has[ether] -= units
			d.good(row{
				verb: "withdraw", member: m.name, amount: ether.write(units), asset: ether.code,
				with: fmt.Sprintf("0x%040x", d.random.next()), note: "to my own wallet",
			})
		}
	default:
		if units := d.upTo(m.has[coin], 500); units > 10 {
			m.has[coin] -= units
			d.good(row{verb: "exchange", member: m.name, amount: fmt.Sprint(units), asset: coin.code, other: "USD"})
		}
	}
}

// addressDeposit asks for an address and pays ether to it, which counts some blocks later.
func (d *Day) addressDeposit(m *member) {
	units := ether.typical * (10 + d.random.below(60))
	d.good(row{verb: "deposit", member: m.name, amount: ether.write(units), asset: ether.code})
	d.at(d.now+900, func() { m.has[ether] += units })
}

// newMember makes up somebody.
func (d *Day) newMember() (name string, home *asset, hands []string) {
	i := int(d.random.below(int64(len(homes))))
	names := people[i]
	name = names[d.names%len(names)]
	if round := d.names / len(names); round > 0 {
		name += fmt.Sprint(round)
	}
	d.names++
	hands = []string{"card"}
	switch n := d.random.below(20); {
	case n < 6:
		hands = append(hands, "bank")
	case n < 7:
		hands = append(hands, "bank-returned")
	case n < 8:
		hands = append(hands, "bank-bounces")
	case n < 9:
		hands = append(hands, "bank-fails")
	case n < 11:
		hands = []string{"card-asks"}
	}
	return name, homes[i], hands
}

// people are the app's members-to-be, by home.
var people = [][]string{
	{"alice", "bob", "carol", "dave", "emma", "frank", "grace", "henry", "isabel", "jack", "kate", "liam"},
	{"anneliese", "bruno", "chiara", "diego", "eloise", "femke", "giulia", "hugo", "ines", "jonas", "klara", "luc"},
	{"aarav", "bhavna", "chetan", "divya", "esha", "farhan", "gita", "harsh", "indira", "jaya", "kiran", "leela"},
	{"aiko", "botan", "chihiro", "daichi", "emi", "fumio", "goro", "haruka", "itsuki", "junko", "kenji", "mei"},
	{"abdullah", "badria", "dalal", "fahad", "ghanim", "haya", "jasim", "khalid", "latifa", "mariam", "noura", "othman"},
}

// join signs somebody up, who links what they have and puts money in.
func (d *Day) join(name string, home *asset, hands []string) {
	m := &member{name: name, home: home, has: map[*asset]int64{}}
	d.good(row{verb: "join", member: name, asset: home.code})
	d.members = append(d.members, m)
	for _, hand := range hands {
		d.link(m, hand)
	}
	d.deposit(m)
}

func (d *Day) link(m *member, hand string) {
	d.good(row{verb: "link", member: m.name, with: hand})
	m.hands = append(m.hands, hand)
}

func (d *Day) deposit(m *member) {
	if len(m.hands) == 0 {
		return
	}
	hand := m.hands[d.random.below(int64(len(m.hands)))]
	units := m.home.typical*(10+d.random.below(50)) + d.random.below(m.home.typical)
	if d.random.below(12) == 0 { // by a transfer to an account number that the app shows
		d.good(row{verb: "deposit", member: m.name, amount: m.home.write(units), asset: m.home.code, note: "by transfer"})
		d.at(d.now+2*3600, func() { m.has[m.home] += units })
		return
	}
	request := d.good(row{verb: "deposit", member: m.name, amount: m.home.write(units), asset: m.home.code, with: hand})
	if strings.HasPrefix(hand, "card") { // an account is debited in a day or more
		m.has[m.home] += units
		m.deposits = append(m.deposits, payment{request, m.home, units})
	}
}

func (d *Day) tip(m *member) {
	a, units := d.something(m, 8)
	to := d.somebody()
	if units == 0 || to == m {
		return
	}
	d.posts += 1 + int(d.random.below(3))
	request := d.good(row{
		verb: "tip", member: m.name, amount: a.write(units), asset: a.code, other: to.name,
		reference: fmt.Sprintf("post-%d", 7_400_000+d.posts), note: d.random.choose(praise),
	})
	m.has[a] -= units
	share := units * 94 / 100 // the app keeps 5 %, rounded one way or the other
	to.has[a] += share
	to.tips = append(to.tips, payment{request, a, share + 1})
}

var praise = []string{"", "", "", "nice", "great thread", "❤️", "😂😂😂", "thanks, this helped a lot", `"best" post of the week`, "for coffee", "ありがとう", "धन्यवाद"}

func (d *Day) send(m *member) {
	a, units := d.something(m, 30)
	to := d.somebody()
	if units == 0 || to == m {
		return
	}
	m.has[a] -= units
	to.has[a] += units
	d.good(row{
		verb: "send", member: m.name, amount: a.write(units), asset: a.code, other: to.name, note: d.random.choose(reasons),
	})
}

var reasons = []string{"", "", "rent", "dinner, with tip", "lunch", "cinema", "happy birthday!", "you know what for", "concert tickets", "split the taxi"}

func (d *Day) withdraw(m *member) {
	if len(m.hands) == 0 {
		return
	}
	if units := d.upTo(m.has[m.home]/2, m.home.typical*40); units > 0 {
		m.has[m.home] -= units
		hand := m.hands[len(m.hands)-1]
		d.good(row{verb: "withdraw", member: m.name, amount: m.home.write(units), asset: m.home.code, with: hand})
	}
}

// refund gives a deposit back to where it came from, or a tip to who gave it.
func (d *Day) refund(m *member) {
	if n := len(m.tips); n > 0 && d.random.below(2) == 0 {
		p := m.tips[n-1]
		if m.has[p.asset] >= p.units {
			m.tips = m.tips[:n-1]
			m.has[p.asset] -= p.units
			d.good(row{verb: "refund", member: m.name, other: p.request, note: "too kind"})
		}
		return
	}
	if n := len(m.deposits); n > 0 {
		p := m.deposits[n-1]
		part := d.upTo(min(m.has[p.asset], p.units), p.units)
		if part > 0 {
			m.deposits = m.deposits[:n-1]
			m.has[p.asset] -= part
			d.good(row{verb: "refund", member: m.name, amount: p.asset.write(part), asset: p.asset.code, other: p.request, note: "wrong card"})
		}
	}
}
