package currency

import (
	"cmp"
	"slices"
	"strings"
	"sync"
)

// Registry is the set of assets that a service accepts. All of ISO 4217 and
// everything defined is known to the process; a registry says what of it is
// switched on. The zero value accepts nothing and is ready for use. A Registry
// is safe for concurrent use and must not be copied.
type Registry struct {
	mu     sync.RWMutex
	byID   map[AssetID]*Definition
	byCode map[string][]*Definition
}

// NewRegistry returns a registry with the given assets enabled, or the error
// of the first that cannot be.
func NewRegistry(assets ...Asset) (*Registry, error) {
	r := new(Registry)
	for _, a := range assets {
		if err := r.Enable(a); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// MustRegistry is [NewRegistry] for fixed assets: it panics on an error.
func MustRegistry(assets ...Asset) *Registry { return must(NewRegistry(assets...)) }

// Enable accepts an asset from now on, defining it if it is new (see
// [Intern]). Enabling it again changes nothing.
func (r *Registry) Enable(a Asset) error {
	if r == nil {
		return &Error{Op: "enable", Err: ErrInvalidAsset, Detail: "nil registry"}
	}
	d, err := Intern(a)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.byID[d.ID()] != nil {
		return nil
	}
	if r.byID == nil {
		r.byID = make(map[AssetID]*Definition)
		r.byCode = make(map[string][]*Definition)
	}
	r.byID[d.ID()] = d
	r.byCode[d.Code()] = append(r.byCode[d.Code()], d)
	return nil
}

// Disable stops accepting an asset. Amounts of it stay valid and readable.
// Disabling what is not enabled changes nothing.
func (r *Registry) Disable(id AssetID) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	d := r.byID[id]
	if d == nil {
		return
	}
	delete(r.byID, id)
	rest := slices.DeleteFunc(r.byCode[d.Code()], func(o *Definition) bool { return o == d })
	if len(rest) == 0 {
		delete(r.byCode, d.Code())
	} else {
		r.byCode[d.Code()] = rest
	}
}

// Enabled reports whether the asset is accepted.
func (r *Registry) Enabled(id AssetID) bool {
	_, ok := r.enabled(id)
	return ok
}

// Lookup returns an enabled asset by its ID. An asset that is known but not
// enabled is [ErrAssetDisabled], any other [ErrUnknownAsset].
func (r *Registry) Lookup(id AssetID) (*Definition, error) {
	if d, ok := r.enabled(id); ok {
		return d, nil
	}
	return nil, missing(string(id))
}

// Find returns an enabled asset by its ID or, when exactly one enabled asset
// has it, by its code; several are [ErrAmbiguous]. An ID always wins, and a
// known ID that is not enabled is [ErrAssetDisabled], so a token that calls
// itself "USD" never passes for the dollar. Find is for what people type;
// store IDs.
func (r *Registry) Find(idOrCode string) (*Definition, error) {
	if d, ok := r.enabled(AssetID(idOrCode)); ok {
		return d, nil
	}
	if _, known := Lookup(AssetID(idOrCode)); known || r == nil {
		return nil, missing(idOrCode)
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	switch ds := r.byCode[idOrCode]; len(ds) {
	case 0:
		return nil, missing(idOrCode)
	case 1:
		return ds[0], nil
	default:
		ids := make([]string, 0, len(ds))
		for _, d := range ds {
			ids = append(ids, string(d.ID()))
		}
		slices.Sort(ids)
		return nil, inputError("find asset", idOrCode, ErrAmbiguous, strings.Join(ids, ", "))
	}
}

// All returns the enabled assets, sorted by ID. The slice is the caller's.
func (r *Registry) All() []*Definition {
	if r == nil {
		return nil
	}
	r.mu.RLock()
	list := make([]*Definition, 0, len(r.byID))
	for _, d := range r.byID {
		list = append(list, d)
	}
	r.mu.RUnlock()
	slices.SortFunc(list, func(a, b *Definition) int { return cmp.Compare(a.ID(), b.ID()) })
	return list
}

func (r *Registry) enabled(id AssetID) (*Definition, bool) {
	if r == nil {
		return nil, false
	}
	r.mu.RLock()
	d, ok := r.byID[id]
	r.mu.RUnlock()
	return d, ok
}

// missing explains why an asset is not enabled.
func missing(id string) error {
	if d, known := Lookup(AssetID(id)); known {
		return opError("find asset", d, ErrAssetDisabled, "")
	}
	return inputError("find asset", id, ErrUnknownAsset, "")
}
