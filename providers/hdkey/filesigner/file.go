package filesigner

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/koshpay/kosh/providers/hdkey"
)

// Errors of Create and Open, wrapped. They name the file and never quote it.
var (
	// ErrMode: people other than the file's owner may read or write it, or it is no regular file.
	ErrMode = errors.New("filesigner: the seed file is open to others")
	// ErrCorrupt: the file is not what Create wrote.
	ErrCorrupt = errors.New("filesigner: the seed file is damaged")
)

// heading begins a seed file; the seed and the first bytes of its SHA-256 follow, in hexadecimal digits.
const heading = "kosh seed 1"

const (
	sumSize = 8
	maxFile = 512 // bytes; the longest seed takes 158
)

// Create writes a seed of 16 to 64 bytes to a new file that only its owner may read. A file that is there already stays as it is, and
// the error is fs.ErrExist. When it returns nil the file will survive a crash of the machine.
func Create(path string, seed []byte) error {
	if _, err := hdkey.NewMaster(seed); err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // G304: the host's own path
	if err != nil {
		return fmt.Errorf("filesigner: %w", err)
	}
	sum := sha256.Sum256(seed)
	_, err = fmt.Fprintf(file, "%s\n%x %x\n", heading, seed, sum[:sumSize])
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return errors.Join(fmt.Errorf("filesigner: %w", err), os.Remove(path))
	}
	folder, err := os.Open(filepath.Dir(path))
	if err != nil {
		return fmt.Errorf("filesigner: %w", err)
	}
	return errors.Join(folder.Sync(), folder.Close())
}

// read returns the seed of a file that nobody else may read.
func read(path string) (seed []byte, err error) {
	file, err := os.Open(path) //nolint:gosec // G304: the host's own path
	if err != nil {
		return nil, fmt.Errorf("filesigner: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	about, err := file.Stat()
	if err != nil {
		return nil, fmt.Errorf("filesigner: %w", err)
	}
	if mode := about.Mode(); !mode.IsRegular() || mode.Perm()&0o077 != 0 {
		return nil, fmt.Errorf("%w: %s has mode %v, want 0600", ErrMode, path, mode)
	}
	text, err := io.ReadAll(io.LimitReader(file, maxFile))
	if err != nil {
		return nil, fmt.Errorf("filesigner: %w", err)
	}
	body, ok := strings.CutPrefix(string(text), heading+"\n")
	body, ended := strings.CutSuffix(body, "\n")
	digits, check, two := strings.Cut(body, " ")
	seed, err = hex.DecodeString(digits)
	sum := sha256.Sum256(seed)
	given, err2 := hex.DecodeString(check)
	if !ok || !ended || !two || err != nil || err2 != nil || !bytes.Equal(given, sum[:sumSize]) {
		return nil, fmt.Errorf("%w: %s", ErrCorrupt, path)
	}
	return seed, nil
}
