package currency

import (
	"golang.org/x/text/language"
)

// findLocale returns the row of CLDR for a language tag. A tag without data of its own gets its closest relative: another
// region of the language has the language's rules, zh-TW is written in Hant, and what is in no table is the root.
func findLocale(tag language.Tag) localeIndex {
	tag = canonical(tag)
	base, script, region := tag.Raw()
	lang := base.String()
	if l, ok := lookupLocale(lang); !ok || lang == "und" {
		return l
	}
	var area string
	if region != (language.Region{}) {
		area = "-" + region.String()
	}
	usual, _ := language.Make(lang).Script()
	if script == (language.Script{}) {
		if l, ok := lookupLocale(lang + area); ok && area != "" && len(tag.Variants()) == 0 {
			return l
		}
		script, _ = tag.Script() // the likely one: Hant for zh-TW
	}
	written := "-" + script.String()
	for _, v := range tag.Variants() {
		for _, name := range [...]string{lang + area + "-" + v.String(), lang + "-" + v.String()} {
			if l, ok := lookupLocale(name); ok {
				return l
			}
		}
	}
	names := [...]string{lang + written + area, "", lang + written, lang}
	if script == usual {
		names[1] = lang + area
	}
	for _, name := range names {
		if name != "" {
			if l, ok := lookupLocale(name); ok {
				return l
			}
		}
	}
	return rootLocale()
}

// canonical replaces withdrawn and legacy codes: iw by he, tl by fil, sh by sr-Latn.
func canonical(tag language.Tag) language.Tag {
	t, err := (language.DeprecatedBase | language.Legacy | language.Macro).Canonicalize(tag)
	if err != nil {
		return tag
	}
	return t
}

func lookupLocale(name string) (localeIndex, bool) {
	if i, ok := cldrLocales.find(name); ok {
		return localeIndex(i), true
	}
	if i, ok := cldrAliases.find(name); ok {
		return localeIndex(cldrAliasOf[i]), true
	}
	return rootLocale(), false
}

func rootLocale() localeIndex {
	i, _ := cldrLocales.find("und")
	return localeIndex(i)
}

// findSystem returns the numbering system that the tag asks for, as in ar-u-nu-latn, or the locale's own.
func findSystem(tag language.Tag, l localeIndex) int {
	if name := tag.TypeForKey("nu"); name != "" {
		if i, ok := cldrSystems.find(name); ok {
			return i
		}
	}
	return l.system()
}
