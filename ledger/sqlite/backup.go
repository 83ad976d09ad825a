package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// Backup writes a copy of the file as it stands to a path where nothing is yet. It is one snapshot of all books and of the
// host's tables, made while others read and write, and it is as small as it can be. The copy is on the device when
// Backup returns; what failed halfway is removed.
func (s *Store) Backup(ctx context.Context, path string) (err error) {
	if err := ctx.Err(); err != nil {
		return err
	}
	target, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600) //nolint:gosec // the caller's path
	if err != nil {
		if errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("sqlite: backup to %s: %w; a backup is never written over something", path, fs.ErrExist)
		}
		return failure(CannotOpen, path, err)
	}
	defer func() {
		if err == nil {
			err = target.Sync() // VACUUM INTO leaves that to the system
		}
		err = errors.Join(err, target.Close())
		if err != nil {
			err = errors.Join(err, os.Remove(path))
		}
	}()
	c, err := s.reader(ctx)
	if err != nil {
		return err
	}
	defer func() { s.readers <- c }()
	// The target exists and is empty, which VACUUM INTO takes for a new file.
	_, err = c.once("VACUUM INTO ?", path)
	return explain(path, err)
}

// Check reads the whole file and compares its tables with their indexes, which takes as long as reading it does. What is wrong
// has the reason [Damaged]. [ledger.Book.Verify] checks what the rows mean.
func (s *Store) Check(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	c, err := s.reader(ctx)
	if err != nil {
		return err
	}
	defer func() { s.readers <- c }()
	rows, err := c.once("PRAGMA integrity_check(1)")
	if err != nil {
		return explain(s.path, err)
	}
	if len(rows) == 1 && rows[0][0] == "ok" {
		return nil
	}
	return explain(s.path, damaged("%v", rows))
}
