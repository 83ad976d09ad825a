package payments

import (
	"slices"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/providers"
)

// Router chooses among providers that could all carry an operation out: it returns the names in able in the order in which
// they are to be tried, and leaves out those that are not to be used. It is asked when a payment is recorded, must be quick
// and safe for concurrent use, and is not asked when the member's instrument decides.
//
// The next provider is tried only when it is certain that the one before did nothing and never will: it could not be
// reached (providers.NotSent), or it refused the request as such (providers.Rejected). What may have happened is never tried
// elsewhere, and a decline is an answer.
type Router func(kind providers.Kind, method providers.Method, asset currency.AssetID, able []string) []string

// route is a provider with what it offers.
type route struct {
	name  string
	offer providers.Offer
}

// offering finds the provider for an operation: the one named, or the first that the router chooses.
func (dk *Desk) offering(name string, kind providers.Kind, method providers.Method, asset currency.AssetID) (route, bool) {
	if all := dk.routes(name, kind, method, asset); len(all) > 0 {
		return all[0], true
	}
	return route{}, false
}

// routes are the providers for an operation in the order in which they are to be tried, all by one method.
func (dk *Desk) routes(name string, kind providers.Kind, method providers.Method, asset currency.AssetID) []route {
	able := dk.offers.offerings(name, kind, method, asset)
	if name == "" && dk.config.Route != nil && len(able) > 0 {
		var names []string
		for _, r := range able {
			names = append(names, r.name)
		}
		var chosen []route
		for _, n := range dk.config.Route(kind, method, asset, names) {
			if i := slices.IndexFunc(able, func(r route) bool { return r.name == n }); i >= 0 && !slices.ContainsFunc(chosen, func(r route) bool { return r.name == n }) {
				chosen = append(chosen, able[i])
			}
		}
		able = chosen
	}
	if len(able) == 0 {
		return nil
	}
	return slices.DeleteFunc(able, func(r route) bool { return r.offer.Method != able[0].offer.Method })
}

// take makes a payment the business of the first route, with the others to fall back on.
func (r *record) take(all []route) {
	r.Provider, r.Method = all[0].name, all[0].offer.Method
	for _, o := range all[1:] {
		r.Routes = append(r.Routes, o.name)
	}
}

// only leaves the payment with one provider, if it is among those that it may go to.
func (r *record) only(name string) bool {
	if r.Provider != name && !slices.Contains(r.Routes, name) {
		return false
	}
	r.Provider, r.Routes = name, nil
	return true
}

// reroute gives the payment to the next provider, if there is one. Only what certainly did not happen may be given on.
func (r *record) reroute() bool {
	if len(r.Routes) == 0 || r.Maybe || r.Reported != "" || len(r.Effects) > 0 {
		return false
	}
	r.Tried = append(slices.Clip(r.Tried), r.Provider)
	r.Provider, r.Routes = r.Routes[0], r.Routes[1:]
	r.Attempts, r.Looks, r.FirstSent, r.InFlight, r.GivenUp = 0, 0, noDue, false, false
	return true
}

// rerouted returns the payment if it has been given on since and nobody has tried it there.
func rerouted(d ledger.Document, before string) (*record, bool) {
	rec, err := readRecord(d)
	return rec, err == nil && rec.Provider != before && rec.state() == Created
}
