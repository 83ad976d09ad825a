// Package pgtest runs throwaway PostgreSQL servers for the tests of package postgres: on loopback, in a folder of their own, as
// a user without privileges, and gone when the tests are, also when these are killed.
package pgtest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// ErrMissing says that PostgreSQL's programs are not installed.
var ErrMissing = errors.New("pgtest: initdb and postgres were not found; install the package postgresql (Debian) or put them into PATH")

// Server is one server with a data folder of its own.
type Server struct {
	Dir      string
	Port     int
	settings []string
	bin      string
	owner    *syscall.Credential
	ended    chan error
	pid      int
}

// bin returns the folder of PostgreSQL's programs. Those of a distribution's folder are preferred to wrappers in PATH.
func bin() (string, error) {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	slices.Sort(found)
	if at, err := exec.LookPath("initdb"); err == nil {
		found = append([]string{at}, found...)
	}
	for _, initdb := range slices.Backward(found) {
		dir := filepath.Dir(initdb)
		if _, err := os.Stat(filepath.Join(dir, "postgres")); err == nil {
			return dir, nil
		}
	}
	return "", ErrMissing
}

// unprivileged returns whom servers run as when this process is root, which PostgreSQL refuses to be.
func unprivileged() (*syscall.Credential, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
		gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
		if err := errors.Join(err1, err2); err != nil {
			return nil, err
		}
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
	}
	return nil, errors.New("pgtest: this is root, and there is no user postgres or nobody to run the server as")
}

// Launch makes a new cluster and starts it. Settings are lines of postgresql.conf, such as "fsync=off".
func Launch(ctx context.Context, settings ...string) (*Server, error) {
	s, err := prepare(settings)
	if err != nil {
		return nil, err
	}
	args := []string{"-D", s.data(), "-U", "kosh", "--auth=trust", "-E", "UTF8", "--locale=C", "--no-sync"}
	if err := s.command(ctx, "initdb", args...); err != nil {
		return nil, errors.Join(err, s.Remove())
	}
	return s.begin(ctx)
}

// Standby makes a copy of a running server that follows it, and starts it. The name is that of the primary's
// synchronous_standby_names.
func (s *Server) Standby(ctx context.Context, name string) (*Server, error) {
	copied, err := prepare(s.settings)
	if err != nil {
		return nil, err
	}
	from := fmt.Sprintf("host=127.0.0.1 port=%d user=kosh application_name=%s", s.Port, name)
	if err := copied.command(ctx, "pg_basebackup", "-D", copied.data(), "-R", "-X", "stream", "-c", "fast", "-d", from); err != nil {
		return nil, errors.Join(err, copied.Remove())
	}
	return copied.begin(ctx)
}

func prepare(settings []string) (*Server, error) {
	dir, err := bin()
	if err != nil {
		return nil, err
	}
	owner, err := unprivileged()
	if err != nil {
		return nil, err
	}
	home, err := os.MkdirTemp("", "kosh-postgres-")
	if err != nil {
		return nil, err
	}
	if owner != nil {
		if err := os.Chown(home, int(owner.Uid), int(owner.Gid)); err != nil {
			return nil, err
		}
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	return &Server{Dir: home, Port: port, settings: settings, bin: dir, owner: owner}, nil
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port, nil
}

func (s *Server) data() string { return filepath.Join(s.Dir, "data") }

// hosts lets everybody in on loopback, but "guarded" only with a password.
const hosts = `local all all trust
host all guarded 127.0.0.1/32 scram-sha-256
host all all 127.0.0.1/32 trust
host replication all 127.0.0.1/32 trust
`

func (s *Server) begin(ctx context.Context) (*Server, error) {
	file := filepath.Join(s.data(), "pg_hba.conf")
	if err := os.WriteFile(file, []byte(hosts), 0o600); err != nil {
		return nil, errors.Join(err, s.Remove())
	}
	if s.owner != nil {
		if err := os.Chown(file, int(s.owner.Uid), int(s.owner.Gid)); err != nil {
			return nil, errors.Join(err, s.Remove())
		}
	}
	if err := s.Start(ctx); err != nil {
		return nil, errors.Join(err, s.Remove())
	}
	return s, nil
}

func (s *Server) command(ctx context.Context, program string, args ...string) error {
	c := exec.CommandContext(ctx, filepath.Join(s.bin, program), args...) //nolint:gosec // PostgreSQL's own programs
	c.Dir = s.Dir
	c.Env = append(os.Environ(), "HOME="+s.Dir, "LC_ALL=C")
	if s.owner != nil {
		c.SysProcAttr = &syscall.SysProcAttr{Credential: s.owner}
	}
	out, err := c.CombinedOutput()
	if err != nil {
		return fmt.Errorf("pgtest: %s: %w\n%s", program, err, out)
	}
	return nil
}

// Start starts a server that was stopped, and waits until it answers.
func (s *Server) Start(ctx context.Context) error {
	args := []string{"-D", s.data()}
	for _, setting := range append([]string{
		"listen_addresses=127.0.0.1", "port=" + strconv.Itoa(s.Port), "unix_socket_directories=" + s.Dir, "max_connections=300",
	}, s.settings...) {
		args = append(args, "-c", setting)
	}
	started := make(chan error, 1)
	s.ended = make(chan error, 1)
	go func() { // the kernel ends the server when this thread ends, so the thread waits
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		log, err := os.OpenFile(filepath.Join(s.Dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			started <- err
			return
		}
		defer func() { _ = log.Close() }()
		c := exec.CommandContext(context.WithoutCancel(ctx), filepath.Join(s.bin, "postgres"), args...) //nolint:gosec // PostgreSQL's own programs
		c.Dir, c.Stdout, c.Stderr = s.Dir, log, log
		c.Env = append(os.Environ(), "HOME="+s.Dir, "LC_ALL=C")
		c.SysProcAttr = dying(s.owner)
		if err := c.Start(); err != nil {
			started <- err
			return
		}
		s.pid = c.Process.Pid
		started <- nil
		s.ended <- c.Wait()
	}()
	if err := <-started; err != nil {
		return fmt.Errorf("pgtest: postgres: %w", err)
	}
	return s.wait(ctx)
}

// wait asks until the server answers.
func (s *Server) wait(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		conn, err := pgx.Connect(ctx, s.URL("postgres"))
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case end := <-s.ended:
			log, _ := os.ReadFile(filepath.Join(s.Dir, "log"))
			s.ended <- end
			return fmt.Errorf("pgtest: the server ended: %w\n%s", end, log)
		case <-ctx.Done():
			return errors.Join(err, ctx.Err())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// URL is the address of a database.
func (s *Server) URL(database string) string {
	return fmt.Sprintf("postgres://kosh@127.0.0.1:%d/%s?sslmode=disable", s.Port, database)
}

// PID is that of the server's first process.
func (s *Server) PID() int { return s.pid }

// Stop sends a signal to the first process and waits for its end: SIGINT is a fast stop, SIGQUIT an immediate one, which leaves
// recovery to the next start, SIGKILL the death of the first process, whose children notice.
func (s *Server) Stop(signal syscall.Signal) error {
	if s.pid == 0 {
		return nil
	}
	if err := syscall.Kill(s.pid, signal); err != nil {
		return err
	}
	<-s.ended //nolint:errcheck // how it ended is what the signal said
	s.pid = 0
	return nil
}

// Promote makes a standby the primary.
func (s *Server) Promote(ctx context.Context) error {
	return s.command(ctx, "pg_ctl", "promote", "-D", s.data(), "-w")
}

// Remove stops the server and removes all of it.
func (s *Server) Remove() error {
	err := s.Stop(syscall.SIGQUIT)
	return errors.Join(err, os.RemoveAll(s.Dir))
}

// Children are the processes of the server, the first one not among them.
func (s *Server) Children() []int {
	var children []int
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", s.pid))
	for _, file := range tasks {
		text, _ := os.ReadFile(file) //nolint:gosec // a file of the kernel
		for _, field := range strings.Fields(string(text)) {
			if pid, err := strconv.Atoi(field); err == nil {
				children = append(children, pid)
			}
		}
	}
	return children
}
