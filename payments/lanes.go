package payments

import (
	"maps"
	"slices"
	"sync"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/providers"
)

// lanes are the providers that this process has.
type lanes struct {
	mu      sync.RWMutex
	byName  map[string]providers.Provider
	sorted  []string        // their names; never changed in place
	cursors map[string]bool // whose polling is recorded as due work
}

func newLanes() *lanes {
	return &lanes{byName: map[string]providers.Provider{}, cursors: map[string]bool{}}
}

// Register adds a provider. Providers may be registered while the service runs; a worker takes only work whose provider it
// has. The same name again is ErrProviderExists.
func (s *Service) Register(p providers.Provider) error {
	if p == nil {
		return invalid("provider", "is nil")
	}
	d := p.Describe()
	if err := d.Validate(); err != nil {
		r := refuse(ErrInvalid, ledger.ErrInvalid, "provider", "descriptor of %q", d.Name)
		r.Cause = err
		return r
	}
	s.lanes.mu.Lock()
	defer s.lanes.mu.Unlock()
	if _, taken := s.lanes.byName[d.Name]; taken {
		return refuse(ErrConflict, ErrProviderExists, "provider", "%q is registered already", d.Name)
	}
	s.lanes.byName[d.Name] = p
	s.lanes.sorted = slices.Sorted(maps.Keys(s.lanes.byName))
	return nil
}

// Providers returns the registered providers' names, sorted.
func (s *Service) Providers() []string { return slices.Clone(s.lanes.names()) }

func (l *lanes) names() []string {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.sorted
}

func (l *lanes) provider(name string) (providers.Provider, error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	p, ok := l.byName[name]
	if !ok {
		return nil, refuse(ErrUnavailable, ErrNoProvider, "provider", "%q is not registered here", name)
	}
	return p, nil
}

// catalogue is all that a desk knows of providers: what they say of themselves, which asks nobody.
type catalogue interface {
	// offerings finds the providers for an operation: the one named, or all that offer it, by name.
	offerings(name string, kind providers.Kind, method providers.Method, asset currency.AssetID) []route
	// checkAddress refuses an address that the provider can tell is mistyped.
	checkAddress(name string, asset currency.AssetID, address string) error
	// quotes tells whether the provider says beforehand what an operation costs.
	quotes(name string) bool
}

func (l *lanes) quotes(name string) bool {
	p, err := l.provider(name)
	if err != nil {
		return false
	}
	_, ok := providers.As[providers.Quoter](p)
	return ok
}

func (l *lanes) checkAddress(name string, asset currency.AssetID, address string) error {
	p, err := l.provider(name)
	if err != nil {
		return err
	}
	checker, ok := providers.As[providers.AddressChecker](p)
	if !ok {
		return nil
	}
	cause := checker.CheckAddress(asset, address)
	if cause == nil {
		return nil
	}
	r := refuse(ErrInvalid, ErrBadAddress, "to", "%s does not send to this address", name)
	r.Cause = cause
	return r
}

func (l *lanes) offerings(name string, kind providers.Kind, method providers.Method, asset currency.AssetID) []route {
	var able []route
	for _, n := range l.names() {
		if name != "" && n != name {
			continue
		}
		p, err := l.provider(n)
		if err != nil {
			continue
		}
		for _, o := range p.Describe().Offers {
			if o.Kind == kind && o.Asset == asset && (method == "" || o.Method == method) {
				able = append(able, route{n, o})
				break
			}
		}
	}
	return able
}

// within refuses an amount that the provider does not take, before anything is recorded.
func within(o providers.Offer, a currency.Amount) error {
	err := o.Admits(a)
	if err == nil {
		return nil
	}
	r := refuse(ErrInvalid, ErrUnsupported, "amount", "the provider does not take it")
	r.Cause = err
	return r
}
