package currency

import (
	"encoding/json"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// token is a host's own Asset.
type token struct {
	id         AssetID
	code, name string
	scale      uint8
	kind       Kind
}

func (t *token) ID() AssetID  { return t.id }
func (t *token) Code() string { return t.code }
func (t *token) Name() string { return t.name }
func (t *token) Scale() uint8 { return t.scale }
func (t *token) Kind() Kind   { return t.kind }

func TestDefineRefuses(t *testing.T) {
	good := Info{ID: "app:define/refuses", Code: "GOOD", Name: "Good", Scale: 2, Kind: Virtual}
	for name, spoil := range map[string]func(*Info){
		"no kind":           func(i *Info) { i.Kind = 0 },
		"wrong kind":        func(i *Info) { i.Kind = Crypto },
		"unknown kind":      func(i *Info) { i.Kind = 9 },
		"scale 31":          func(i *Info) { i.Scale = MaxScale + 1 },
		"no code":           func(i *Info) { i.Code = "" },
		"code with space":   func(i *Info) { i.Code = "A B" },
		"code with newline": func(i *Info) { i.Code = "A\nB" },
		"code too long":     func(i *Info) { i.Code = strings.Repeat("A", 33) },
		"code not UTF-8":    func(i *Info) { i.Code = "A\xff" },
		"invisible code":    func(i *Info) { i.Code = "US\u200bD" },
		"reversed name":     func(i *Info) { i.Name = "\u202ereversed" },
		"name with NUL":     func(i *Info) { i.Name = "a\x00" },
		"name too long":     func(i *Info) { i.Name = strings.Repeat("a", 129) },
		"symbol too long":   func(i *Info) { i.Symbol = strings.Repeat("a", 33) },
		"narrow control":    func(i *Info) { i.NarrowSymbol = "\t" },
		"numeric":           func(i *Info) { i.Numeric = 1000 },
		"cash step":         func(i *Info) { i.CashStep = -1 },
		"withdrawn":         func(i *Info) { i.Withdrawn = "yesterday" },
		"withdrawn month":   func(i *Info) { i.Withdrawn = "2020-13" },
	} {
		info := good
		spoil(&info)
		d, err := Define(info)
		require.ErrorIs(t, err, ErrInvalidAsset, name)
		require.Nil(t, d, name)
	}
	_, known := Lookup(good.ID)
	require.False(t, known, "a refused definition leaves nothing behind")
}

func TestDefineConflicts(t *testing.T) {
	info := Info{ID: "app:define/conflicts", Code: "COIN", Name: "Coin", Scale: 2, Kind: Virtual}
	first, err := Define(info)
	require.NoError(t, err)

	other := info
	other.Scale = 3
	d, err := Define(other)
	require.ErrorIs(t, err, ErrAssetConflict)
	require.Nil(t, d)
	other = info
	other.Kind = Crypto
	_, err = Define(other)
	require.ErrorIs(t, err, ErrAssetConflict)

	for _, scale := range []uint8{0, 3, 31} {
		_, err = Define(Info{ID: "USD", Code: "USD", Scale: scale, Kind: Fiat})
		require.ErrorIs(t, err, ErrAssetConflict, "ISO's scales stand")
	}
	_, err = Define(Info{ID: "USD", Code: "USD", Scale: 2, Kind: Crypto})
	require.ErrorIs(t, err, ErrAssetConflict)

	other = info
	other.Code, other.Name, other.Symbol = "OTHER", "Other", "?"
	again, err := Define(other)
	require.NoError(t, err)
	require.Same(t, first, again, "the first definition stays")
	require.Equal(t, "COIN", again.Code())
	require.Same(t, USD, MustDefine(Info{ID: "USD", Code: "FAKE", Name: "Fake", Scale: 2, Kind: Fiat}))
	require.Equal(t, "US Dollar", USD.Name())
	require.Panics(t, func() { MustDefine(other2(info)) })
}

func other2(i Info) Info { i.Scale = 9; return i }

func TestInternReadsOnce(t *testing.T) {
	host := &token{id: "app:intern/once", code: "ONCE", name: "Once", scale: 4, kind: Virtual}
	d, err := Intern(host)
	require.NoError(t, err)
	a := MustNew(12345, host)

	host.code, host.name = "MUTATED", "Mutated"
	require.Same(t, d, must(Intern(host)), "another name changes nothing")
	host.scale = 0
	_, err = Intern(host)
	require.ErrorIs(t, err, ErrAssetConflict)
	_, err = New(1, host)
	require.ErrorIs(t, err, ErrAssetConflict)
	require.Equal(t, "1.2345 app:intern/once", a.String())
	require.Equal(t, "ONCE", a.Asset().Code())
}

func TestInternSurvivesNonsense(t *testing.T) {
	var nilToken *token // its methods panic
	for name, a := range map[string]Asset{
		"nil":        nil,
		"nil host":   nilToken,
		"zero host":  &token{},
		"zero":       &Definition{},
		"embedded":   struct{ *Definition }{},
		"bad id":     &token{id: "nonsense", code: "A", kind: Crypto},
		"bad scale":  &token{id: "app:intern/nonsense", code: "A", scale: 200, kind: Virtual},
		"fake fiat":  &token{id: "ZZZ", code: "ZZZ", scale: 2, kind: Fiat},
		"no kind":    &token{id: "app:intern/nonsense", code: "A"},
		"other kind": &token{id: "app:intern/nonsense", code: "A", kind: Fiat},
	} {
		d, err := Intern(a)
		require.ErrorIs(t, err, ErrInvalidAsset, name)
		require.Nil(t, d, name)
		require.NotPanics(t, func() { _, _ = Symbol(a), NarrowSymbol(a) }, name)
		require.EqualValues(t, 1, CashStep(a), name)
	}
}

func TestACopyOfADefinitionIsTheSameAsset(t *testing.T) {
	copied := *USD
	require.Same(t, USD, must(Intern(&copied)))
	require.Equal(t, MustNew(1, USD), MustNew(1, &copied))
	wrapped := struct{ *Definition }{USD}
	require.Same(t, USD, must(Intern(wrapped)))
}

func TestDefineRace(t *testing.T) {
	for round := range 300 {
		id := AssetID("app:define/race-" + strconv.Itoa(round))
		var got [4]*Definition
		var wg sync.WaitGroup
		start := make(chan struct{})
		for i := range got {
			wg.Go(func() {
				<-start
				got[i], _ = Define(Info{ID: id, Code: "R", Scale: 1, Kind: Virtual})
			})
		}
		close(start)
		wg.Wait()
		for _, d := range got {
			require.NotNil(t, d)
			require.Same(t, got[0], d, "one ID, one definition")
		}
	}
}

func TestInfoRoundTrip(t *testing.T) {
	for _, d := range append(ISO(), testAsset(t, "app:info/trip", 30)) {
		data, err := json.Marshal(d.Info())
		require.NoError(t, err)
		var info Info
		require.NoError(t, json.Unmarshal(data, &info))
		require.Equal(t, d.Info(), info)
		require.Same(t, d, MustDefine(info))
		require.Equal(t, string(d.ID()), d.String())
	}
	require.Equal(t, Info{}, (*Definition)(nil).Info())
}

func TestKindText(t *testing.T) {
	for k := Fiat; k <= Virtual; k++ {
		text, err := k.MarshalText()
		require.NoError(t, err)
		var back Kind
		require.NoError(t, back.UnmarshalText(text))
		require.Equal(t, k, back)
		require.True(t, k.IsValid())
	}
	_, err := Kind(0).MarshalText()
	require.ErrorIs(t, err, ErrInvalidAsset)
	var k Kind
	require.ErrorIs(t, k.UnmarshalText([]byte("gold")), ErrInvalidAsset)
	require.False(t, Kind(0).IsValid())
	require.Equal(t, "Kind(0)", Kind(0).String())
}

func TestRarerFacts(t *testing.T) {
	require.Equal(t, "US$", Symbol(USD))
	require.Equal(t, "$", NarrowSymbol(USD))
	require.Equal(t, "CHF", Symbol(CHF))
	require.EqualValues(t, 5, CashStep(CHF))
	require.EqualValues(t, 1, CashStep(USD))
	n, ok := NumericCode(USD)
	require.True(t, ok)
	require.EqualValues(t, 840, n)
	_, ok = NumericCode(testAsset(t, "app:facts/none", 0))
	require.False(t, ok)
	require.Empty(t, Withdrawn(USD))

	host := &token{id: "app:facts/host", code: "HOST", kind: Virtual}
	require.Equal(t, "HOST", Symbol(host), "not yet defined")
	MustDefine(Info{ID: host.id, Code: "HOST", Kind: Virtual, Symbol: "◈"})
	require.Equal(t, "◈", Symbol(host))
	require.Equal(t, "◈", NarrowSymbol(host))
}
