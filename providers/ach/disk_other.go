//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package ach

import (
	"errors"
	"os"
	"path/filepath"
	"sync"
)

// lock holds between the Providers of one process only: on such a system let one process at a time call Work.
func lock(path string) (release func(), err error) {
	m, _ := locks.LoadOrStore(path, new(sync.Mutex))
	mutex, ok := m.(*sync.Mutex)
	if !ok || !mutex.TryLock() {
		return nil, ErrLocked
	}
	return mutex.Unlock, nil
}

var locks sync.Map

// syncDir is best effort: some systems cannot open a folder.
func syncDir(dir string) error {
	d, err := os.Open(filepath.Clean(dir))
	if err != nil {
		return nil
	}
	_ = d.Sync()
	return errors.Join(d.Close())
}
