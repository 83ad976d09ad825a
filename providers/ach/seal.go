package ach

import (
	"crypto/cipher"
	"errors"
	"fmt"
	"io"
)

// Keys encrypt account numbers at rest. The host makes the ciphers, for example AES-256-GCM with a key of its key
// management, and keeps old ones for as long as something is sealed with them. Keys prints as its current key's id only.
type Keys struct {
	Current string                 // id of the key to seal with
	ByID    map[string]cipher.AEAD // every key that something may be sealed with
}

// Format prints no key.
func (k Keys) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, "ach.Keys("+k.Current+")") }

// ErrSealed says that something is sealed with a key that [Keys] does not have, or was altered.
var ErrSealed = errors.New("ach: cannot be unsealed")

// sealed is a text under a key, bound to the place where it is kept.
type sealed struct {
	Key   string `json:"key"`
	Nonce []byte `json:"nonce"`
	Text  []byte `json:"text"`
}

func (k Keys) validate() error {
	aead := k.ByID[k.Current]
	if aead == nil {
		return errors.New("ach: Keys.Current names no key of Keys.ByID")
	}
	if aead.NonceSize() < 12 {
		return errors.New("ach: Keys: nonces of fewer than 12 bytes may repeat")
	}
	return nil
}

func (k Keys) seal(random io.Reader, place, text string) (sealed, error) {
	aead := k.ByID[k.Current]
	nonce := make([]byte, aead.NonceSize())
	if _, err := io.ReadFull(random, nonce); err != nil {
		return sealed{}, fmt.Errorf("ach: reading random bytes: %w", err)
	}
	return sealed{Key: k.Current, Nonce: nonce, Text: aead.Seal(nil, nonce, []byte(text), []byte(place))}, nil
}

func (k Keys) open(place string, s sealed) (string, error) {
	aead := k.ByID[s.Key]
	if aead == nil {
		return "", fmt.Errorf("%w: no key %q", ErrSealed, s.Key)
	}
	if len(s.Nonce) != aead.NonceSize() {
		return "", fmt.Errorf("%w: nonce of a wrong length under key %q", ErrSealed, s.Key)
	}
	text, err := aead.Open(nil, s.Nonce, s.Text, []byte(place))
	if err != nil {
		return "", fmt.Errorf("%w: wrong key %q, or altered", ErrSealed, s.Key)
	}
	return string(text), nil
}
