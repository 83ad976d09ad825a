package currency

import "strings"

// AssetID identifies an asset in the whole world. Tickers do not: anybody may
// call a token "USDC". There are three forms, and the form decides the [Kind]:
//
//   - three upper-case letters are an ISO 4217 code, and nothing else is:
//     "USD". Fiat.
//   - CAIP-19 names a chain and an asset on it: "eip155:1/slip44:60" is ether
//     on Ethereum, "eip155:1/erc20:0x…" a token, "bip122:000000000019d6689c085ae165831e93/slip44:0"
//     bitcoin. Contract addresses of EVM chains are in lower case, so that one
//     token has one ID. Crypto.
//   - "app:<namespace>/<name>" is the host's own, in lower case:
//     "app:acme/coin". Virtual.
type AssetID string

// maxAssetIDLen is what the grammar below adds up to:
// 8:32/8:128/78 with its separators.
const maxAssetIDLen = 258

// Validate reports whether id has one of the three forms, as an
// [ErrInvalidAsset] that says what is wrong. It does not ask whether the asset
// has been defined.
func (id AssetID) Validate() error {
	_, err := id.kind()
	return err
}

// kind checks id and derives its kind.
func (id AssetID) kind() (Kind, error) {
	s := string(id)
	bad := func(detail string) (Kind, error) {
		return 0, inputError("asset id", s, ErrInvalidAsset, detail)
	}
	switch {
	case s == "":
		return bad("empty")
	case len(s) > maxAssetIDLen:
		return bad("too long")
	case strings.HasPrefix(s, "app:"):
		if detail := checkApp(s[len("app:"):]); detail != "" {
			return bad(detail)
		}
		return Virtual, nil
	case strings.IndexByte(s, ':') >= 0:
		if detail := checkCAIP19(s); detail != "" {
			return bad(detail)
		}
		return Crypto, nil
	case isISOForm(s):
		if isoByCode[id] != nil {
			return Fiat, nil
		}
		for _, c := range isoWithoutScale {
			if c == s {
				return bad("ISO 4217 gives this code no minor unit")
			}
		}
		return bad("three letters that are not an ISO 4217 code")
	default:
		return bad("neither ISO 4217, nor CAIP-19, nor app:<namespace>/<name>")
	}
}

func isISOForm(s string) bool {
	return len(s) == 3 && all(s, func(c byte) bool { return c >= 'A' && c <= 'Z' })
}

// checkApp checks "<namespace>/<name>" and returns what is wrong.
func checkApp(s string) string {
	ns, name, ok := strings.Cut(s, "/")
	if !ok {
		return "want app:<namespace>/<name>"
	}
	for _, part := range [...]string{ns, name} {
		if part == "" || len(part) > 64 {
			return "namespace and name have 1 to 64 characters"
		}
		if !all(part, func(c byte) bool { return isLower(c) || isDigit(c) || c == '-' || c == '_' || c == '.' }) {
			return "namespace and name have only a-z, 0-9, '-', '_' and '.'"
		}
		if !isLower(part[0]) && !isDigit(part[0]) {
			return "namespace and name begin with a letter or a digit"
		}
	}
	return ""
}

// checkCAIP19 checks "chain:reference/kind:reference[/token]" after CAIP-2 and
// CAIP-19, and the canonical spelling where one asset could have several. It
// returns what is wrong.
func checkCAIP19(s string) string {
	chain, asset, ok := strings.Cut(s, "/")
	if !ok {
		return "CAIP-19 wants <chain>/<asset>"
	}
	asset, token, hasToken := strings.Cut(asset, "/")
	chainNS, chainRef, ok1 := strings.Cut(chain, ":")
	assetNS, assetRef, ok2 := strings.Cut(asset, ":")
	switch {
	case !ok1 || !ok2:
		return "CAIP-19 wants <namespace>:<reference> on both sides of the slash"
	case !isNamespace(chainNS) || !isNamespace(assetNS):
		return "a CAIP-19 namespace has 3 to 8 of a-z, 0-9 and '-'"
	case len(chainRef) < 1 || len(chainRef) > 32 || !all(chainRef, isChainReference):
		return "a CAIP-2 reference has 1 to 32 of A-Z, a-z, 0-9, '-' and '_'"
	case !isReference(assetRef, 128) || hasToken && !isReference(token, 78):
		return "a CAIP-19 reference has 1 to 128 of A-Z, a-z, 0-9, '-', '.' and %XX"
	case assetNS == "slip44" && !isCanonicalNumber(assetRef):
		return "a slip44 reference is a number without leading zeros"
	case chainNS == "eip155" && !isCanonicalNumber(chainRef):
		return "an eip155 chain is a number without leading zeros"
	case chainNS == "eip155" && strings.HasPrefix(assetNS, "erc") && !isEVMAddress(assetRef):
		return "an EVM address is 0x and 40 hexadecimal digits in lower case"
	case chainNS == "eip155" && hasToken && !isCanonicalNumber(token):
		return "an EVM token is a number without leading zeros"
	case chainNS == "bip122" && (len(chainRef) != 32 || !all(chainRef, isLowerHex)):
		return "a bip122 chain is 32 hexadecimal digits in lower case"
	}
	return ""
}

func isNamespace(s string) bool {
	return len(s) >= 3 && len(s) <= 8 && all(s, func(c byte) bool { return isLower(c) || isDigit(c) || c == '-' })
}

func isReference(s string, limit int) bool {
	if s == "" || len(s) > limit {
		return false
	}
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case isLower(c) || isUpper(c) || isDigit(c) || c == '-' || c == '.':
		case c == '%' && i+2 < len(s) && isUpperHex(s[i+1]) && isUpperHex(s[i+2]):
			i += 2
		default:
			return false
		}
	}
	return true
}

func isEVMAddress(s string) bool {
	return len(s) == 42 && s[:2] == "0x" && all(s[2:], isLowerHex)
}

func isCanonicalNumber(s string) bool {
	return s != "" && all(s, isDigit) && (s[0] != '0' || len(s) == 1)
}

func all(s string, ok func(byte) bool) bool {
	for i := range len(s) {
		if !ok(s[i]) {
			return false
		}
	}
	return true
}

func isDigit(c byte) bool    { return c >= '0' && c <= '9' }
func isLower(c byte) bool    { return c >= 'a' && c <= 'z' }
func isUpper(c byte) bool    { return c >= 'A' && c <= 'Z' }
func isLowerHex(c byte) bool { return isDigit(c) || c >= 'a' && c <= 'f' }
func isUpperHex(c byte) bool { return isDigit(c) || c >= 'A' && c <= 'F' }

func isChainReference(c byte) bool {
	return isLower(c) || isUpper(c) || isDigit(c) || c == '-' || c == '_'
}
