package hdkey_test

import (
	"fmt"

	"github.com/koshpay/kosh/providers/hdkey"
)

// The process that shows addresses has the extended public key of an account, and can spend nothing.
func ExampleParsePublic() {
	// Of the path m/44'/60'/0', exported once where the seed is kept; this one is of BIP-32's test vectors.
	account, err := hdkey.ParsePublic("xpub6D4BDPcP2GT577Vvch3R8wDkScZWzQzMMUm3PWbmWvVJrZwQY4VUNgqFJPMM3No2dFDFGTsxxpG5uJh7n7epu4trkrX7x7DogT5Uv6fcLW5")
	if err != nil {
		fmt.Println(err)
		return
	}
	external, err := account.Child(0)
	if err != nil {
		fmt.Println(err)
		return
	}
	for index := range uint32(2) {
		key, err := external.Child(index)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%x\n", key.Bytes())
	}
	_, err = account.Child(hdkey.Hardened)
	fmt.Println(err)
	// Output:
	// 024ac2b23769fb433a321cb602853dd3597c95d0ede67976045353372054a40e13
	// 03cc5aedd8cdc42ff2a08b411df7212bc1119c3f8e3bd9b6c98d019b0264f0db85
	// hdkey: no such child: a hardened one takes the private key
}
