// Writes golden.tsv.gz, what ICU makes of money: node testdata/golden.js. It needs a Node whose ICU has the CLDR version
// that internal/cldrgen pins, which also writes locales.txt; Node 20.20.2 has. The first line of the file names the
// versions, the second the values, and every other line holds a locale, a currency, a style and the text for each value.
// Extend the lists and run it again.
"use strict";
const fs = require("fs"), path = require("path"), zlib = require("zlib");

// Whole units; a currency with fewer decimals has the rest cut off.
const values = ["-1234.567", "0", "1", "123456789.125", "0.5", "1000000000000000000000000000000"];

// ISO 4217's decimals, which are not CLDR's, and the cash step in smallest units.
const currencies = {
  USD: [2], EUR: [2], JPY: [0], GBP: [2], INR: [2], CHF: [2, 5], CNY: [2], BRL: [2], KWD: [3], HUF: [2, 500], SEK: [2, 100],
  DKK: [2, 50], XCG: [2], CLF: [4], PTE: [0], CVE: [2],
};

// All values, currencies and styles: every script, and what is special somewhere.
const full = `af am ar ar-AE ar-EG ar-MA ar-SA as az az-Cyrl be bg bn bn-IN bs ca cs cy da de de-AT de-CH de-LI dz el en en-001
  en-AU en-CA en-GB en-IN en-ZA en-CH es es-419 es-AR es-ES es-MX es-US es-UY et eu fa fa-AF ff-Adlm fi fil fr fr-CA fr-CH ga gl
  gu he hi hi-Latn hr hu hy id is it it-CH ja ka kea kk km kn ko kok ks lo lt lv mk ml mn mni mr ms my nb nds ne nl nn no or pa pa-Arab pl
  ps pt pt-AO pt-CV pt-PT ro ru sat sd si sk sl sq sr sr-Latn sv sw ta te th ti tk tr ug uk ur ur-IN uz uz-Arab vi yue zgh zh
  zh-Hans zh-Hant zh-Hant-HK zh-TW zu
  ar-EG-u-nu-latn ar-u-nu-arab fa-u-nu-latn hi-u-nu-deva en-u-nu-arab en-u-nu-arabext en-u-nu-fullwide zh-u-nu-hanidec
  th-u-nu-thai ta-u-nu-tamldec de-u-nu-deva`.split(/\s+/);

// The standard style of every other locale that ICU has.
const few = ["USD", "EUR", "INR", "CHF"];
const names = fs.readFileSync(path.join(__dirname, "locales.txt"), "utf8").split("\n").filter(Boolean);
const others = names.filter(l => !full.includes(l) && new Intl.NumberFormat(l).resolvedOptions().locale === l);

const styles = {
  standard: {},
  accounting: { currencySign: "accounting" },
  code: { currencyDisplay: "code" },
  narrow: { currencyDisplay: "narrowSymbol" },
  plus: { signDisplay: "always" },
  accountingplus: { currencySign: "accounting", signDisplay: "exceptZero" },
  tenths: { minimumFractionDigits: 0, maximumFractionDigits: 1 },
  cash: {},
};

const lines = [`icu ${process.versions.icu} cldr ${process.versions.cldr}`, values.join("\t")];
function add(locale, currency, style) {
  const [digits, step] = currencies[currency];
  const options = {
    style: "currency", currency, minimumFractionDigits: digits, maximumFractionDigits: digits, roundingMode: "halfEven",
    ...styles[style],
  };
  if (style === "cash") {
    if (!step) return;
    const unit = 10 ** digits, whole = step % unit === 0;
    options.minimumFractionDigits = options.maximumFractionDigits = whole ? 0 : digits;
    options.roundingIncrement = whole ? step / unit : step;
  }
  const format = new Intl.NumberFormat(locale, options);
  const texts = values.map(v => {
    const [whole, fraction = ""] = v.split(".");
    return format.format(digits ? whole + "." + fraction.slice(0, digits) + "0" : whole);
  });
  lines.push([locale, currency, style, ...texts].join("\t"));
}
for (const locale of full) for (const currency in currencies) for (const style in styles) add(locale, currency, style);
for (const locale of others) for (const currency of few) for (const style of ["standard", "accounting", "narrow"]) add(locale, currency, style);
fs.writeFileSync(path.join(__dirname, "golden.tsv.gz"), zlib.gzipSync(lines.join("\n") + "\n", { level: 9 }));
console.error(`${lines.length - 2} lines, ${full.length} locales in full, ${others.length} others`);
