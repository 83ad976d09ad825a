package providertest

import (
	"reflect"
	"time"

	"github.com/koshpay/kosh/providers"
)

// needKeyed fails the check when the harness cannot make adapters with other webhook secrets.
func (p *probe) needKeyed() {
	if p.Keyed == nil || p.Sign == nil {
		p.fatalf("the harness lacks World.Keyed or Sign: without them nothing is known about an adapter that was configured with no secret")
	}
}

// keyed makes an adapter that was configured with these secrets; false: its constructor refuses them.
func (p *probe) keyed(secrets ...string) (providers.Receiver, bool) {
	made, err := p.Keyed(secrets...)
	if err != nil {
		return nil, false
	}
	r, ok := providers.As[providers.Receiver](made)
	return r, ok
}

var emptySecretCheck = Check{
	Name: "webhook-empty-secret",
	Rule: "An adapter that was configured without a webhook secret, or with an empty one, refuses to start or accepts nothing: whoever reads " +
		"the documentation can sign with an empty secret.",
	run: func(p *probe) {
		r := p.receiver()
		p.needKeyed()
		all := p.deliveries()
		for _, d := range all {
			p.forged(r, p.Sign(clone(d), ""), "signed with an empty secret")
		}
		for _, secrets := range [][]string{nil, {""}, {"", ""}, {"set", ""}, {"", "set"}} {
			bare, ok := p.keyed(secrets...)
			if !ok {
				continue
			}
			for _, d := range all {
				unsigned := clone(d)
				for name := range unsigned.Header {
					unsigned.Header[name] = []string{""}
				}
				p.forged(bare, p.Sign(clone(d), ""), "signed with an empty secret, to an adapter without one")
				p.forged(bare, unsigned, "with empty headers, to an adapter without a secret")
				p.forged(bare, clone(d), "signed with a secret that the adapter was not given")
			}
		}
		p.receive(r, all[0])
	},
}

var rotationCheck = Check{
	Name: "webhook-key-rotation",
	Rule: "While secrets are rotated both are accepted and say the same; a secret that was taken out of the configuration accepts nothing: it " +
		"was taken out because somebody else may have it.",
	run: func(p *probe) {
		p.receiver()
		p.needKeyed()
		const older, newer = "whsec_suite_older", "whsec_suite_newer"
		both, ok := p.keyed(newer, older)
		if !ok {
			p.waive("the adapter takes one webhook secret at a time")
		}
		only, ok := p.keyed(newer)
		if !ok {
			p.fatalf("World.Keyed makes an adapter with two secrets, but not with one")
		}
		for _, d := range p.deliveries() {
			want := p.receive(both, p.Sign(clone(d), newer))
			for what, got := range map[string][]providers.Event{
				"the older secret, which is still configured": p.receive(both, p.Sign(clone(d), older)),
				"the newer secret alone":                      p.receive(only, p.Sign(clone(d), newer)),
			} {
				if !reflect.DeepEqual(got, want) {
					p.failf("a delivery signed with %s gave %+v, with the newer one %+v", what, got, want)
				}
			}
			p.forged(only, p.Sign(clone(d), older), "signed with a secret that was taken out")
			p.forged(both, p.Forge(clone(d)), "signed with another secret, during a rotation")
		}
	},
}

var staleCheck = Check{
	Name: "webhook-stale",
	Rule: "A delivery that was signed a day ago is ErrForged by Delivery.ReceivedAt: whoever recorded one could replay it when it suits " +
		"them. The far side signs a redelivery anew.",
	run: func(p *probe) {
		r := p.receiver()
		if p.Timeless {
			p.waive("the harness declares that signatures carry no time")
		}
		for _, d := range p.deliveries() {
			late := clone(d)
			late.ReceivedAt = d.ReceivedAt.Add(24 * time.Hour)
			p.forged(r, late, "that was signed a day before it came")
			p.receive(r, d)
			if p.Sign != nil && p.Keyed != nil {
				anew, ok := p.keyed("whsec_suite")
				if !ok {
					continue
				}
				p.receive(anew, p.Sign(late, "whsec_suite"))
			}
		}
	},
}
