package day

import (
	"fmt"
	"slices"
	"strings"
)

// random is splitmix64: small, and the same for ever, which the standard library promises of no generator's helpers.
type random uint64

func (r *random) next() uint64 {
	*r += 0x9e3779b97f4a7c15
	z := uint64(*r)
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// below returns a number from 0 to n−1.
func (r *random) below(n int64) int64 { return int64(r.next() >> 1 % uint64(n)) } //nolint:gosec // below n

func (r *random) choose(from []string) string { return from[r.below(int64(len(from)))] }

// tick lets some seconds pass.
func (d *Day) tick() { d.now += 1 + int(d.random.below(55)) }

func (d *Day) request() string {
	d.requests++
	return fmt.Sprintf("q%04d", d.requests)
}

// good writes a request that should go well, and returns its id.
func (d *Day) good(r row) string {
	d.tick()
	r.request = d.request()
	d.write(r)
	if r.verb == "deposit" || r.verb == "tip" || r.verb == "send" {
		d.repeat = append(d.repeat, r)
		if len(d.repeat) > 20 {
			d.repeat = d.repeat[1:]
		}
	}
	return r.request
}

// bad writes a request that should not.
func (d *Day) bad(r row) {
	d.tick()
	r.request = d.request()
	d.write(r)
}

func (d *Day) write(r row) {
	fields := []string{clock(d.now), r.request, r.verb, r.member, r.amount, r.asset, r.with, r.other, r.reference, r.note}
	for i, f := range fields {
		if strings.ContainsAny(f, `,"`) {
			fields[i] = `"` + strings.ReplaceAll(f, `"`, `""`) + `"`
		}
	}
	d.out.WriteString(strings.Join(fields, ",") + "\n")
}

func clock(seconds int) string {
	return fmt.Sprintf("%02d:%02d:%02d", seconds/3600, seconds/60%60, seconds%60)
}

// somebody picks a member; the first one is about more than others.
func (d *Day) somebody() *member {
	if d.random.below(20) == 0 {
		return d.members[0]
	}
	return d.members[d.random.below(int64(len(d.members)))]
}

func (d *Day) another(than *member) *member {
	for {
		if m := d.somebody(); m != than {
			return m
		}
	}
}

// something picks what a member pays with and how much, up to so many times a typical amount; 0 if nothing is there.
func (d *Day) something(m *member, times int64) (*asset, int64) {
	a := m.home
	var choices []*asset
	for _, c := range append([]*asset{coin, ether}, homes...) {
		if m.has[c] > c.typical {
			choices = append(choices, c)
		}
	}
	if len(choices) > 0 {
		a = choices[d.random.below(int64(len(choices)))]
	}
	return a, d.upTo(m.has[a], a.typical*times/2)
}

// upTo picks an amount that is no more than either.
func (d *Day) upTo(has, most int64) int64 {
	if most = min(has, most); most < 1 {
		return 0
	}
	return 1 + d.random.below(most)
}

// coming is something that will happen.
type coming struct {
	when int
	do   func()
}

// at does something as soon as it is so late.
func (d *Day) at(when int, do func()) {
	d.coming = append(d.coming, coming{when, do})
	slices.SortStableFunc(d.coming, func(a, b coming) int { return a.when - b.when })
}

// ripen does what is due.
func (d *Day) ripen() {
	for len(d.coming) > 0 && d.coming[0].when <= d.now {
		next := d.coming[0]
		d.coming = d.coming[1:]
		next.do()
	}
}
