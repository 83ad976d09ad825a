package filesigner_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/koshpay/kosh/providers"
	"github.com/koshpay/kosh/providers/hdkey/filesigner"
)

// A development host makes a seed once, gives the adapter the account's public key, and signs for test networks.
func Example() {
	folder, err := os.MkdirTemp("", "filesigner")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.RemoveAll(folder) }()
	path := filepath.Join(folder, "seed")
	entropy := bytes.Repeat([]byte{7}, 32) // of a real seed: crypto/rand
	if err := filesigner.Create(path, entropy); err != nil {
		fmt.Println(err)
		return
	}
	signer, err := filesigner.Open(path, filesigner.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	xpub, err := signer.Account("m/44'/60'/0'")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(xpub[:12], "…")

	request := providers.SignRequest{Key: "m/44'/60'/0'/0/0", Digest: [32]byte{1}, Intent: providers.Intent{Chain: "eip155:11155111"}}
	signature, err := signer.Sign(context.Background(), request)
	fmt.Println(len(signature), err)
	request.Intent.Chain = "eip155:1"
	_, err = signer.Sign(context.Background(), request)
	fmt.Println(errors.Is(err, providers.ErrSignerRefused))
	// Output:
	// xpub6DSwDWBP …
	// 64 <nil>
	// true
}
