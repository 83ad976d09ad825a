package day

import (
	"fmt"
	"strings"
)

// mistake lets somebody make the next of the mistakes. They take turns, so that each happens often.
func (d *Day) mistake(m *member) {
	mistakes := []struct {
		kind string
		make func(*member)
	}{
		{"unknown currency", func(m *member) {
			d.bad(row{verb: "deposit", member: m.name, amount: "20.00", asset: d.random.choose([]string{"EURO", "usd", "XYZ", "BTC", "$"}), with: "card"})
		}},
		{"decimals of yen", func(m *member) {
			d.bad(row{verb: "tip", member: m.name, amount: fmt.Sprintf("%d.125", 100+d.random.below(900)), asset: "JPY", other: d.members[0].name})
		}},
		{"overdraft", func(m *member) {
			units := m.has[m.home] + m.home.typical*100_000
			d.bad(row{verb: "send", member: m.name, amount: m.home.write(units), asset: m.home.code, other: d.another(m).name, note: "all I have"})
		}},
		{"tip to oneself", func(m *member) {
			d.bad(row{verb: "tip", member: m.name, amount: m.home.write(m.home.typical), asset: m.home.code, other: m.name, reference: "post-1"})
		}},
		{"same request, same content", func(*member) { d.again(false) }},
		{"same request, other content", func(*member) { d.again(true) }},
		{"declined card", func(m *member) { d.unlucky(m, "card-declined", "deposit") }},
		{"empty card", func(m *member) { d.unlucky(m, "card-empty", "deposit") }},
		{"refused card", func(m *member) { d.bad(row{verb: "link", member: m.name, with: "card-refused"}) }},
		{"lost answer", func(m *member) { d.unlucky(m, "bank-silent", "withdraw") }},
		{"garbage line", func(m *member) { d.garbage(m) }},
		{"garbage line", func(m *member) { d.garbage(m) }},
		{"unknown member", func(m *member) {
			d.bad(row{verb: "tip", member: fmt.Sprintf("ghost%d", d.random.below(90)), amount: "1.00", asset: "USD", other: m.name})
		}},
		{"unknown other member", func(m *member) {
			d.bad(row{verb: "send", member: m.name, amount: m.home.write(m.home.typical), asset: m.home.code, other: d.another(m).name + "_"})
		}},
		{"negative amount", func(m *member) {
			d.bad(row{verb: "send", member: m.name, amount: "-" + m.home.write(m.home.typical*10), asset: m.home.code, other: d.another(m).name, note: "pay me"})
		}},
		{"zero amount", func(m *member) {
			d.bad(row{verb: "tip", member: m.name, amount: m.home.write(0), asset: m.home.code, other: d.another(m).name})
		}},
		{"card number in a note", func(m *member) {
			d.bad(row{
				verb: "send", member: m.name, amount: m.home.write(1), asset: m.home.code, other: d.another(m).name,
				note: d.random.choose([]string{"mine is 4242 4242 4242 4242", "use 5555-5555-5555-4444 until friday", "378282246310005"}),
			})
		}},
		{"empty amount", func(m *member) { d.bad(row{verb: "tip", member: m.name, asset: m.home.code, other: d.another(m).name}) }},
		{"empty request", func(m *member) {
			d.tick()
			d.write(row{verb: "tip", member: m.name, amount: m.home.write(1), asset: m.home.code, other: d.another(m).name})
		}},
		{"empty destination", func(m *member) {
			d.bad(row{verb: "withdraw", member: m.name, amount: m.home.write(1), asset: m.home.code})
		}},
		{"amount that is no number", func(m *member) {
			d.bad(row{verb: "deposit", member: m.name, amount: d.random.choose([]string{"1,000.00", "$5", "1e3", "five", "+3", "10."}), asset: m.home.code, with: "card"})
		}},
		{"member already", func(m *member) { d.bad(row{verb: "join", member: m.name, asset: m.home.code}) }},
		{"somebody else's refund", func(m *member) {
			if n := len(d.members[0].deposits); n > 0 && m != d.members[0] {
				p := d.members[0].deposits[0]
				d.bad(row{verb: "refund", member: m.name, amount: p.asset.write(p.units), asset: p.asset.code, other: p.request})
			} else {
				d.bad(row{verb: "refund", member: m.name, amount: "1.00", asset: "USD", other: "q9999"})
			}
		}},
		{"address that fails", func(m *member) {
			if d.now > noon+60 && m.has[ether] > 1 {
				m.has[ether]--
				d.bad(row{verb: "withdraw", member: m.name, amount: ether.write(1), asset: ether.code, with: "addr_reverts"})
			}
		}},
		{"cash-out of coins", func(m *member) {
			if d.now > noon+60 {
				d.bad(row{verb: "withdraw", member: m.name, amount: "10", asset: coin.code, with: "card"})
			}
		}},
	}
	next := mistakes[d.turn%len(mistakes)]
	d.turn++
	before := d.out.Len()
	next.make(m)
	if d.out.Len() > before {
		d.Mistakes[next.kind]++
	}
}

// early asks before noon for what comes at noon.
func (d *Day) early() {
	d.out.WriteString("# before noon nobody can have heard of these\n")
	d.bad(row{verb: "deposit", member: "mira", amount: "0.5", asset: ether.code})
	d.bad(row{verb: "exchange", member: "mira", amount: "5.00", asset: "USD", other: coin.code})
	d.Mistakes["too early"] += 2
}

// again repeats one of the good lines, as an app does that lost its connection; or, as a broken one does, with another amount.
func (d *Day) again(other bool) {
	r := d.repeat[d.random.below(int64(len(d.repeat)))]
	if other {
		r.amount = "1" + r.amount
	}
	d.tick()
	d.write(r)
}

// unlucky is a member whose card or account does not do what it should.
func (d *Day) unlucky(m *member, hand, verb string) {
	if !m.holds(hand) {
		d.good(row{verb: "link", member: m.name, with: hand})
	}
	units := m.home.typical*10 + d.random.below(m.home.typical)
	if verb == "withdraw" {
		if m.has[m.home] < units {
			d.good(row{verb: "deposit", member: m.name, amount: m.home.write(units), asset: m.home.code, with: m.hands[0]})
			m.has[m.home] += units
		}
		m.has[m.home] -= units
	}
	d.bad(row{verb: verb, member: m.name, amount: m.home.write(units), asset: m.home.code, with: hand})
}

// garbage writes what is no request at all.
func (d *Day) garbage(m *member) {
	d.tick()
	at := clock(d.now)
	switch d.Mistakes["garbage line"] % 8 {
	case 0:
		d.out.WriteString("<html><body><h1>502 Bad Gateway</h1></body></html>\n")
	case 1:
		fmt.Fprintf(&d.out, "%s,%s,tip,%s,1.00,USD,,alice,post-3,\"no end\n", at, d.request(), m.name)
	case 2:
		fmt.Fprintf(&d.out, "25:61,%s,tip,%s,1.00,USD,,alice\n", d.request(), m.name)
	case 3:
		fmt.Fprintf(&d.out, "%s,%s,tipp,%s,1.00,USD,,alice\n", at, d.request(), m.name)
	case 4:
		fmt.Fprintf(&d.out, "%s,%s,send,%s,1.00,USD,,alice,,caf\xe9\n", at, d.request(), m.name)
	case 5:
		fmt.Fprintf(&d.out, "%s;%s;send;%s;1,00;EUR;;luc\n", at, d.request(), m.name)
	case 6:
		d.out.WriteString(strings.Repeat(",", 14) + "\n")
	default:
		d.out.WriteString("panic: runtime error: index out of range [3] with length 3\n")
	}
}
