//go:build !linux

package pgtest

import "syscall"

// dying: other systems have no such signal; a test that is killed leaves its server behind.
func dying(owner *syscall.Credential) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: owner, Setpgid: true}
}
