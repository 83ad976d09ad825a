package ledger

import "fmt"

// The small enumerations read as words: in errors, in logs and in JSON. The zero value is empty.

var (
	typeNames   = [...]string{Asset: "asset", Liability: "liability", Equity: "equity", Income: "income", Expense: "expense"}
	sideNames   = [...]string{Debit: "debit", Credit: "credit"}
	lineNames   = [...]string{LineOpened: "opened", LinePosted: "posted", LineHeld: "held", LineCaptured: "captured", LineReleased: "released", LineExpired: "expired", LineSet: "set"}
	holdNames   = [...]string{HoldOpen: "open", HoldCaptured: "captured", HoldReleased: "released", HoldExpired: "expired"}
	changeNames = [...]string{ChangeAccount: "account", ChangeTransaction: "transaction", ChangeHold: "hold", ChangeDocument: "document", ChangeErasure: "erasure"}
	listNames   = [...]string{
		ListAccounts: "accounts", ListOwned: "owned", ListLines: "lines", ListTransactions: "transactions", ListHolds: "holds",
		ListDocuments: "documents", ListDossier: "dossier", ListVersions: "versions", ListFeed: "feed",
		ListDueHolds: "due holds", ListDueDocuments: "due documents", ListLeases: "leases", ListKeys: "keys",
		ListReferences: "references", ListAssets: "assets", ListPending: "pending", ListSequences: "sequences",
		ListOpenHolds: "open holds", ListBlocks: "blocks",
	}
)

// String returns the type in lower case, such as "liability".
func (t AccountType) String() string { return word("AccountType", typeNames[:], t) }

// MarshalText writes what String returns; an invalid value is an error.
func (t AccountType) MarshalText() ([]byte, error) {
	return marshalWord("account type", typeNames[:], t)
}

// UnmarshalText reads what MarshalText writes.
func (t *AccountType) UnmarshalText(b []byte) error {
	return unmarshalWord("account type", typeNames[:], t, b)
}

// String returns "debit" or "credit".
func (s Side) String() string { return word("Side", sideNames[:], s) }

// MarshalText writes what String returns; an invalid value is an error.
func (s Side) MarshalText() ([]byte, error) { return marshalWord("side", sideNames[:], s) }

// UnmarshalText reads what MarshalText writes.
func (s *Side) UnmarshalText(b []byte) error { return unmarshalWord("side", sideNames[:], s, b) }

// String returns the kind in lower case, such as "posted".
func (k LineKind) String() string { return word("LineKind", lineNames[:], k) }

// MarshalText writes what String returns; an invalid value is an error.
func (k LineKind) MarshalText() ([]byte, error) { return marshalWord("line kind", lineNames[:], k) }

// UnmarshalText reads what MarshalText writes.
func (k *LineKind) UnmarshalText(b []byte) error {
	return unmarshalWord("line kind", lineNames[:], k, b)
}

// String returns the state in lower case, such as "open"; it is the State of a hold's changes in the feed.
func (s HoldState) String() string { return word("HoldState", holdNames[:], s) }

// MarshalText writes what String returns; an invalid value is an error.
func (s HoldState) MarshalText() ([]byte, error) { return marshalWord("hold state", holdNames[:], s) }

// UnmarshalText reads what MarshalText writes.
func (s *HoldState) UnmarshalText(b []byte) error {
	return unmarshalWord("hold state", holdNames[:], s, b)
}

// String returns the kind in lower case, such as "transaction".
func (k ChangeKind) String() string { return word("ChangeKind", changeNames[:], k) }

// MarshalText writes what String returns; an invalid value is an error.
func (k ChangeKind) MarshalText() ([]byte, error) {
	return marshalWord("change kind", changeNames[:], k)
}

// UnmarshalText reads what MarshalText writes.
func (k *ChangeKind) UnmarshalText(b []byte) error {
	return unmarshalWord("change kind", changeNames[:], k, b)
}

// String returns the list's name, such as "transactions".
func (l List) String() string { return word("List", listNames[:], l) }

func word[T ~uint8](kind string, words []string, v T) string {
	if int(v) < len(words) {
		return words[v]
	}
	return fmt.Sprintf("%s(%d)", kind, v)
}

func marshalWord[T ~uint8](kind string, words []string, v T) ([]byte, error) {
	if int(v) < len(words) {
		return []byte(words[v]), nil
	}
	return nil, invalid("", fmt.Sprintf("no %s %d", kind, v))
}

func unmarshalWord[T ~uint8](kind string, words []string, v *T, text []byte) error {
	for i := range words {
		if words[i] == string(text) {
			*v = T(i)
			return nil
		}
	}
	return invalid("", fmt.Sprintf("no %s %q", kind, clip(string(text))))
}
