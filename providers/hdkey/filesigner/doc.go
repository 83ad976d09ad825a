// Package filesigner is a [providers.Signer] for development: one seed in one file, and the keys of BIP-32 below it. It
// signs for test networks only, unless it is told otherwise, because a file can be copied and a process can be read.
//
//	err := filesigner.Create("seed", entropy) // once; mode 0600, never over another file
//	signer, err := filesigner.Open("seed", filesigner.Options{})
//	xpub, err := signer.Account("m/44'/60'/0'") // for the adapter's configuration
//
// Open refuses a file that others may read or write by its mode, which is every file on systems whose files have no such modes.
//
// The network is the one that the request's Intent names. The signer knows no chain's encoding, so it believes the adapter that
// the digest is of such a transaction.
package filesigner
