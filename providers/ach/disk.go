package ach

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// disk is what folders need of a file system; tests crash it at every step.
type disk interface {
	MkdirAll(dir string) error
	Create(path string) (diskFile, error) // truncates
	Rename(from, to string) error
	Remove(path string) error
	SyncDir(dir string) error
	Exists(path string) (bool, error)
	List(dir string) ([]string, error) // names of regular files
	Open(path string) (io.ReadCloser, error)
	Lock(path string) (release func(), err error) // ErrLocked when somebody else has it
}

type diskFile interface {
	io.WriteCloser
	Sync() error
}

// ErrLocked says that another process works on the outbox.
var ErrLocked = errors.New("ach: another process works on the outbox")

// folders are the outbox and inbox.
type folders struct {
	disk          disk
	outbox, inbox string
}

const (
	sentFolder       = "sent"
	doneFolder       = "done"
	quarantineFolder = "quarantine"
	maxInboxBytes    = 16 << 20 // some 85,000 returns
)

func (f folders) prepare() error {
	for _, dir := range []string{
		f.outbox, filepath.Join(f.outbox, sentFolder),
		f.inbox, filepath.Join(f.inbox, doneFolder), filepath.Join(f.inbox, quarantineFolder),
	} {
		if err := f.disk.MkdirAll(dir); err != nil {
			return fmt.Errorf("ach: %w", err)
		}
	}
	return nil
}

func (f folders) lock() (release func(), err error) {
	return f.disk.Lock(filepath.Join(f.outbox, ".lock"))
}

// put makes a file appear in the outbox, whole or not at all, and durable before it returns.
func (f folders) put(name string, content []byte) error { return f.write(f.outbox, name, content) }

func (f folders) write(dir, name string, content []byte) error {
	temp := filepath.Join(dir, "."+name+".tmp")
	w, err := f.disk.Create(temp)
	if err != nil {
		return err
	}
	if _, err := w.Write(content); err != nil {
		return errors.Join(err, w.Close())
	}
	if err := w.Sync(); err != nil {
		return errors.Join(err, w.Close())
	}
	if err := w.Close(); err != nil {
		return err
	}
	if err := f.disk.Rename(temp, filepath.Join(dir, name)); err != nil {
		return err
	}
	return f.disk.SyncDir(dir)
}

// where says whether a file is in the outbox or among those that were sent.
func (f folders) where(name string) (inOutbox, sent bool, err error) {
	// The outbox first: a file that is moved between the two questions is seen in one place or in both, never in none.
	if inOutbox, err = f.disk.Exists(filepath.Join(f.outbox, name)); err != nil {
		return false, false, err
	}
	sent, err = f.disk.Exists(filepath.Join(f.outbox, sentFolder, name))
	return inOutbox, sent, err
}

// send moves a file of the outbox to those that were sent.
func (f folders) send(name string) error {
	if err := f.disk.Rename(filepath.Join(f.outbox, name), filepath.Join(f.outbox, sentFolder, name)); err != nil {
		return err
	}
	return errors.Join(f.disk.SyncDir(filepath.Join(f.outbox, sentFolder)), f.disk.SyncDir(f.outbox))
}

// arrived lists the inbox. What is still being written is left alone: names that begin with a dot or end in .tmp or .part.
func (f folders) arrived() ([]string, error) {
	names, err := f.disk.List(f.inbox)
	if err != nil {
		return nil, err
	}
	names = slices.DeleteFunc(names, func(n string) bool {
		return strings.HasPrefix(n, ".") || strings.HasSuffix(n, ".tmp") || strings.HasSuffix(n, ".part")
	})
	slices.Sort(names)
	return names, nil
}

var errTooLarge = fmt.Errorf("ach: larger than %d bytes", maxInboxBytes)

// read reads a file of the inbox. Of one that is too large it returns the beginning, and errTooLarge.
func (f folders) read(name string) ([]byte, error) {
	r, err := f.disk.Open(filepath.Join(f.inbox, name))
	if err != nil {
		return nil, err
	}
	content, err := io.ReadAll(io.LimitReader(r, maxInboxBytes+1))
	if err := errors.Join(err, r.Close()); err != nil {
		return nil, err
	}
	if len(content) > maxInboxBytes {
		return content[:maxInboxBytes], errTooLarge
	}
	return content, nil
}

// clear moves a file of the inbox to one of its folders, under a name that no other content has.
func (f folders) clear(name, folder, hash string) error {
	dir := filepath.Join(f.inbox, folder)
	if err := f.disk.Rename(filepath.Join(f.inbox, name), filepath.Join(dir, hash[:12]+"-"+name)); err != nil {
		return err
	}
	return errors.Join(f.disk.SyncDir(dir), f.disk.SyncDir(f.inbox))
}

// osDisk is the operating system's file system. Files can be read by their owner only: they hold account numbers.
type osDisk struct{}

func (osDisk) MkdirAll(dir string) error { return os.MkdirAll(dir, 0o700) }

func (osDisk) Create(path string) (diskFile, error) {
	return os.OpenFile(filepath.Clean(path), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
}

func (osDisk) Rename(from, to string) error { return os.Rename(from, to) }

func (osDisk) Remove(path string) error { return os.Remove(path) }

func (osDisk) SyncDir(dir string) error { return syncDir(dir) }

func (osDisk) Exists(path string) (bool, error) {
	_, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

func (osDisk) List(dir string) (names []string, err error) {
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		if e.Type().IsRegular() {
			names = append(names, e.Name())
		}
	}
	return names, err
}

func (osDisk) Open(path string) (io.ReadCloser, error) { return os.Open(filepath.Clean(path)) }

func (osDisk) Lock(path string) (release func(), err error) { return lock(path) }
