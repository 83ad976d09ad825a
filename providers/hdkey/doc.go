// Package hdkey derives keys as BIP-32 says: a tree of them from one seed, and its public half from an extended public key. The
// chain adapters make deposit addresses from a [Public], so that the process that shows addresses can spend nothing; a
// development signer (package filesigner) holds the [Private] half.
//
//	account, err := hdkey.ParsePublic("xpub6…")      // of m/44'/60'/0', exported once from where the seed is kept
//	external, err := account.Child(0)                // m/44'/60'/0'/0
//	key, err := external.Child(7)                    // m/44'/60'/0'/0/7
//	key.Bytes()                                      // the address is made of this
//
// Whoever has an extended public key and one private key below it, not hardened, has all private keys below it: an extended public
// key is shown to nobody.
package hdkey
