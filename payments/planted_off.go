//go:build !koshplant

package payments

// planted is always false but in a test build: see planted_on.go.
func planted(string) bool { return false }
