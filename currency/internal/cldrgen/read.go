package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/koshpay/kosh/currency"
)

const rootLocale = "und"

// world is what is kept of CLDR, resolved: every locale says everything.
type world struct {
	locales map[string]*locale
	parents map[string]string // of every locale, listed or not, whose parent is not its truncation
	aliases map[string]string // to the listed locale for a tag that is not listed
	digits  map[string]string // by numbering system
	codes   []string          // currencies, sorted
}

type locale struct {
	parent   string
	system   string // the default numbering system
	minGroup int
	systems  map[string]layout
	symbols  map[string]symbol
	specials map[string]special
}

// layout is how a numbering system writes money in a locale.
type layout struct{ decimal, group, minus, plus, standard, accounting string }

// symbol is how a currency is written; empty means the code, and for narrow, the symbol.
type symbol struct{ standard, narrow string }

// special is a currency with a pattern or separators of its own.
type special struct{ pattern, decimal, group string }

// rootSystems are in CLDR's root.xml, but not in the packages, which leave out what a locale does not use. They are what a
// locale falls back to that is asked, with -u-nu-, for Arabic digits and has no rules for them. No pattern means that of its
// Latin digits.
var rootSystems = map[string]layout{
	"arab":    {"\u066b", "\u066c", "\u061c-", "\u061c+", "#,##0.00\u00a0¤", "#,##0.00\u00a0¤"},
	"arabext": {"\u066b", "\u066c", "\u200e-\u200e", "\u200e+\u200e", "", ""},
}

func read(from string) (*world, error) {
	w := &world{locales: map[string]*locale{}, parents: map[string]string{}, digits: map[string]string{}}
	for _, list := range [][]*currency.Definition{currency.ISO(), currency.WithdrawnISO()} {
		for _, d := range list {
			w.codes = append(w.codes, d.Code())
		}
	}
	slices.Sort(w.codes)

	var numbering struct {
		Supplemental struct {
			NumberingSystems map[string]struct {
				Digits string `json:"_digits"`
				Type   string `json:"_type"`
			}
		}
	}
	var parents struct {
		Supplemental struct {
			ParentLocales struct{ ParentLocale map[string]string }
		}
	}
	var likely struct {
		Supplemental struct{ LikelySubtags map[string]string }
	}
	for name, v := range map[string]any{
		"numberingSystems": &numbering, "parentLocales": &parents, "likelySubtags": &likely,
	} {
		if err := load(from+"/cldr-core/supplemental/"+name+".json", v); err != nil {
			return nil, err
		}
	}
	for name, s := range numbering.Supplemental.NumberingSystems {
		if s.Type == "numeric" {
			w.digits[name] = s.Digits
		}
	}
	w.parents = parents.Supplemental.ParentLocales.ParentLocale

	folders, err := os.ReadDir(from + "/cldr-numbers-full/main")
	if err != nil {
		return nil, err
	}
	for _, f := range folders {
		name := f.Name()
		if w.locales[name], err = w.readLocale(from, name); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	maps.Copy(w.locales[rootLocale].systems, rootSystems)
	for name, l := range w.locales {
		l.parent = w.parentOf(name)
	}
	w.addAliases(likely.Supplemental.LikelySubtags)
	w.fillSpecials()
	return w, w.spreadSpecials(from)
}

// fillSpecials does what the converter of ICU's data does: where a currency has a pattern or separator of its own, the rest
// is frozen as it is in the locale that says so, and inherited with it. So en-CH writes its euros as en-150 does.
func (w *world) fillSpecials() {
	filled := map[string]map[string]special{}
	for name, l := range w.locales {
		filled[name] = map[string]special{}
		for code, s := range l.specials {
			origin := l
			for p := w.locales[l.parent]; p != nil && p.specials[code] == s; p = w.locales[p.parent] {
				if p.symbols[code] != origin.symbols[code] {
					origin = nil // who names it anew loses the rest: pt-CV
					break
				}
				origin = p
			}
			if origin == nil {
				continue
			}
			y := origin.systems["latn"]
			filled[name][code] = special{
				cmp.Or(s.pattern, y.standard), cmp.Or(s.decimal, y.decimal), cmp.Or(s.group, y.group),
			}
		}
	}
	for name, l := range w.locales {
		l.specials = filled[name]
	}
}

// spreadSpecials does what ICU's DecimalFormatSymbols does: the special of a region's own currency is what its other
// currencies start from. So en-DE, which could write 1.234,56 ₹, writes ₹1,234.56, as it writes euros.
func (w *world) spreadSpecials(from string) error {
	var data struct {
		Supplemental struct {
			CurrencyData struct {
				Region map[string][]map[string]struct {
					To     string `json:"_to"`
					Tender string `json:"_tender"`
				}
			}
		}
	}
	if err := load(from+"/cldr-core/supplemental/currencyData.json", &data); err != nil {
		return err
	}
	for name, l := range w.locales {
		region := name[strings.LastIndexByte(name, '-')+1:]
		for _, tenders := range data.Supplemental.CurrencyData.Region[region] {
			for code, tender := range tenders {
				s, ok := l.specials[code]
				if !ok || tender.To != "" || tender.Tender == "false" {
					continue
				}
				for system, y := range l.systems {
					y.standard, y.accounting, y.decimal, y.group = s.pattern, s.pattern, s.decimal, s.group
					l.systems[system] = y
				}
			}
		}
	}
	return nil
}

// addAliases names the tags that are not listed and whose rules are not those of their language: the ones with an unusual
// parent, and the regions with another script, such as sd-IN.
func (w *world) addAliases(likely map[string]string) {
	w.aliases = map[string]string{}
	for name := range w.parents {
		if w.locales[name] == nil {
			w.aliases[name] = w.parentOf(name)
		}
	}
	for name, full := range likely {
		language, region, ok := strings.Cut(name, "-")
		if !ok || len(region) == len("Latn") || language == rootLocale || w.locales[name] != nil {
			continue
		}
		for _, target := range []string{full, strings.TrimSuffix(full, "-"+region)} {
			if w.locales[target] != nil {
				w.aliases[name] = target
				break
			}
		}
	}
}

// parentOf is the inheritance of UTS #35 part 1, 4.1.3, among the locales kept.
func (w *world) parentOf(name string) string {
	for name != rootLocale {
		parent, ok := w.parents[name]
		if !ok {
			if i := strings.LastIndexByte(name, '-'); i > 0 {
				parent = name[:i]
			} else {
				parent = rootLocale
			}
		}
		if w.locales[parent] != nil {
			return parent
		}
		name = parent
	}
	return ""
}

func (w *world) readLocale(from, name string) (*locale, error) {
	var numbers, currencies struct {
		Main map[string]struct{ Numbers map[string]json.RawMessage }
	}
	folder := from + "/cldr-numbers-full/main/" + name
	if err := load(folder+"/numbers.json", &numbers); err != nil {
		return nil, err
	}
	if err := load(folder+"/currencies.json", &currencies); err != nil {
		return nil, err
	}
	l := &locale{systems: map[string]layout{}, symbols: map[string]symbol{}, specials: map[string]special{}}
	if err := l.readNumbers(numbers.Main[name].Numbers); err != nil {
		return nil, err
	}
	var all map[string]map[string]string
	if err := json.Unmarshal(currencies.Main[name].Numbers["currencies"], &all); err != nil {
		return nil, err
	}
	for _, code := range w.codes {
		c := all[code]
		s := symbol{c["symbol"], c["symbol-alt-narrow"]}
		if s.standard == code {
			s.standard = ""
		}
		if s.narrow == s.standard {
			s.narrow = ""
		}
		l.symbols[code] = s
		if c["pattern"] != "" || c["decimal"] != "" || c["group"] != "" {
			l.specials[code] = special{c["pattern"], c["decimal"], c["group"]}
		}
	}
	return l, nil
}

func (l *locale) readNumbers(numbers map[string]json.RawMessage) error {
	var minimum string
	for key, v := range map[string]any{
		"defaultNumberingSystem": &l.system, "minimumGroupingDigits": &minimum,
	} {
		if err := json.Unmarshal(numbers[key], v); err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
	}
	if len(minimum) != 1 || minimum[0] < '1' || minimum[0] > '9' {
		return fmt.Errorf("minimum grouping digits %q", minimum)
	}
	l.minGroup = int(minimum[0] - '0')
	for key, raw := range numbers {
		system, ok := strings.CutPrefix(key, "symbols-numberSystem-")
		if !ok {
			continue
		}
		var signs map[string]string
		var patterns struct{ Standard, Accounting string }
		if err := json.Unmarshal(raw, &signs); err != nil {
			return err
		}
		if err := json.Unmarshal(numbers["currencyFormats-numberSystem-"+system], &patterns); err != nil {
			return err
		}
		decimal, group := signs["decimal"], signs["group"]
		if v := signs["currencyDecimal"]; v != "" {
			decimal = v
		}
		if v := signs["currencyGroup"]; v != "" {
			group = v
		}
		l.systems[system] = layout{
			decimal, group, signs["minusSign"], signs["plusSign"], patterns.Standard, patterns.Accounting,
		}
	}
	if _, ok := l.systems["latn"]; !ok {
		return fmt.Errorf("no Latin digits")
	}
	return nil
}

func load(name string, v any) error {
	text, err := os.ReadFile(name) //nolint:gosec // a folder of the person who runs the generator
	if err != nil {
		return err
	}
	return json.Unmarshal(text, v)
}
