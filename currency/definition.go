package currency

import (
	"fmt"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// Definition is an immutable description of an asset. Definitions are interned
// for the whole process, one for each ID, as facts about the world: comparing
// two pointers compares two assets, and a decoder needs no registry. Get one
// from [Define], [Intern] or [Lookup]; whether a service accepts the asset is a
// separate question, answered by a [Registry].
//
// A Definition is safe for concurrent use. The methods of a nil *Definition
// return zero values, so Amount{}.Asset().ID() is "".
type Definition struct {
	self *Definition // the interned one, also in a copy
	info Info
}

// interned holds every definition outside ISO 4217. It only grows, and only by
// Define and Intern: decoding looks up, so a sender of data cannot fill it.
var interned struct {
	sync.RWMutex
	byID map[AssetID]*Definition
}

// Define makes an asset known to the process and returns its definition. Doing
// so again is cheap and returns the first one: another code, name or symbol
// changes nothing, because a ticker is no fact to rely on, but another scale
// or kind is [ErrAssetConflict], because amounts would mean something else.
// Everything in ISO 4217 is defined from the start. Nonsense is
// [ErrInvalidAsset]. Safe for concurrent use.
func Define(info Info) (*Definition, error) {
	const op = "define"
	kind, err := info.ID.kind()
	if err != nil {
		return nil, err
	}
	if d, ok := Lookup(info.ID); ok {
		return d.agree(op, info)
	}
	if detail := info.check(kind); detail != "" {
		return nil, &Error{Op: op, Asset: info.ID, Err: ErrInvalidAsset, Detail: detail}
	}
	d := newDefinition(info)

	interned.Lock()
	defer interned.Unlock()
	if first, ok := interned.byID[info.ID]; ok { // lost the race
		return first.agree(op, info)
	}
	if interned.byID == nil {
		interned.byID = make(map[AssetID]*Definition)
	}
	interned.byID[d.info.ID] = d
	return d, nil
}

// MustDefine is [Define] for package variables: it panics on an error.
func MustDefine(info Info) *Definition { return must(Define(info)) }

// Intern turns any Asset into its definition. An implementation of the host's
// own is read once, here; it may change or lie later without effect. One that
// panics, or describes nonsense, is [ErrInvalidAsset]; one that contradicts
// what is known is [ErrAssetConflict]. For a *Definition it costs nothing.
func Intern(a Asset) (*Definition, error) {
	if d, ok := a.(*Definition); ok {
		if d == nil || d.self == nil {
			return nil, &Error{Op: "intern", Err: ErrInvalidAsset, Detail: "nil or zero definition"}
		}
		return d.self, nil
	}
	info, err := readAsset(a)
	if err != nil {
		return nil, err
	}
	return Define(info)
}

// Lookup returns the definition of a known asset. It does not allocate.
func Lookup(id AssetID) (*Definition, bool) {
	if d := isoByCode[id]; d != nil {
		return d, true
	}
	interned.RLock()
	d, ok := interned.byID[id]
	interned.RUnlock()
	return d, ok
}

func newDefinition(info Info) *Definition {
	// Cloned, so that an interned fact does not keep somebody's buffer alive.
	info.ID = AssetID(strings.Clone(string(info.ID)))
	info.Code = strings.Clone(info.Code)
	info.Name = strings.Clone(info.Name)
	if info.Name == "" {
		info.Name = info.Code
	}
	if info.Symbol = strings.Clone(info.Symbol); info.Symbol == "" {
		info.Symbol = info.Code
	}
	if info.NarrowSymbol = strings.Clone(info.NarrowSymbol); info.NarrowSymbol == "" {
		info.NarrowSymbol = info.Symbol
	}
	if info.CashStep == 0 {
		info.CashStep = 1
	}
	d := &Definition{info: info}
	d.self = d
	return d
}

// agree returns the definition, or an error when info contradicts it.
func (d *Definition) agree(op string, info Info) (*Definition, error) {
	switch {
	case info.Scale != d.info.Scale:
		return nil, opError(op, d, ErrAssetConflict, fmt.Sprintf("scale %d, known with %d", info.Scale, d.info.Scale))
	case info.Kind != d.info.Kind:
		return nil, opError(op, d, ErrAssetConflict, fmt.Sprintf("kind %v, known as %v", info.Kind, d.info.Kind))
	}
	return d, nil
}

// check returns what is wrong with the data of a new asset.
func (i *Info) check(kind Kind) string {
	switch {
	case i.Kind != kind:
		return fmt.Sprintf("kind %v, but the ID is %v", i.Kind, kind)
	case i.Scale > MaxScale:
		return fmt.Sprintf("scale %d is above %d", i.Scale, MaxScale)
	case i.Code == "":
		return "no code"
	case !isPrintable(i.Code, 32, false):
		return "the code has 1 to 32 bytes, printable, no spaces"
	case !isPrintable(i.Name, 128, true):
		return "the name has at most 128 bytes, printable"
	case !isPrintable(i.Symbol, 32, true) || !isPrintable(i.NarrowSymbol, 32, true):
		return "a symbol has at most 32 bytes, printable"
	case i.Numeric > 999:
		return "a numeric code has three digits"
	case i.CashStep < 0:
		return "the cash step is negative"
	case i.Withdrawn != "" && !isYearMonth(i.Withdrawn):
		return "withdrawn is a year and a month, such as 2023-01"
	}
	return ""
}

// isPrintable refuses control and format characters, so that a token cannot
// turn round the text next to it or pass for another with an invisible mark.
func isPrintable(s string, limit int, spaces bool) bool {
	if len(s) > limit || !utf8.ValidString(s) {
		return false
	}
	for _, r := range s {
		if !unicode.IsGraphic(r) || !spaces && unicode.IsSpace(r) {
			return false
		}
	}
	return true
}

func isYearMonth(s string) bool {
	if len(s) != len("2006-01") || s[4] != '-' || !all(s[:4]+s[5:], isDigit) {
		return false
	}
	return s[5:] >= "01" && s[5:] <= "12"
}

// readAsset copies what a host's Asset says, once, and survives one that
// panics, such as a nil pointer in an interface.
func readAsset(a Asset) (info Info, err error) {
	if a == nil {
		return Info{}, &Error{Op: "intern", Err: ErrInvalidAsset, Detail: "nil asset"}
	}
	defer func() {
		if recover() != nil {
			info, err = Info{}, &Error{Op: "intern", Err: ErrInvalidAsset, Detail: "the asset panics when read"}
		}
	}()
	return Info{ID: a.ID(), Code: a.Code(), Name: a.Name(), Scale: a.Scale(), Kind: a.Kind()}, nil
}

// ID implements [Asset].
func (d *Definition) ID() AssetID {
	if d == nil {
		return ""
	}
	return d.info.ID
}

// Code implements [Asset].
func (d *Definition) Code() string {
	if d == nil {
		return ""
	}
	return d.info.Code
}

// Name implements [Asset].
func (d *Definition) Name() string {
	if d == nil {
		return ""
	}
	return d.info.Name
}

// Scale implements [Asset].
func (d *Definition) Scale() uint8 {
	if d == nil {
		return 0
	}
	return d.info.Scale
}

// Kind implements [Asset].
func (d *Definition) Kind() Kind {
	if d == nil {
		return 0
	}
	return d.info.Kind
}

// Symbol returns what tells the asset apart from every other: "US$". It is the
// code when the asset has no symbol.
func (d *Definition) Symbol() string {
	if d == nil {
		return ""
	}
	return d.info.Symbol
}

// NarrowSymbol returns the sign alone: "$".
func (d *Definition) NarrowSymbol() string {
	if d == nil {
		return ""
	}
	return d.info.NarrowSymbol
}

// Info returns a copy of all the data, with the defaults filled in. Passing it
// to [Define] in another process defines the same asset.
func (d *Definition) Info() Info {
	if d == nil {
		return Info{}
	}
	return d.info
}

// String returns the ID.
func (d *Definition) String() string { return string(d.ID()) }
