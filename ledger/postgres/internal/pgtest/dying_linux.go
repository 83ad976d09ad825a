package pgtest

import "syscall"

// dying makes the server stop at once when this process dies, whatever of.
func dying(owner *syscall.Credential) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: owner, Pdeathsig: syscall.SIGQUIT, Setpgid: true}
}
