package postgres_test

import (
	"encoding/binary"
	"io"
	"math/rand/v2"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// proxy stands between clients and a server, and does what networks and serializable transactions do: it drops connections
// before and after a request was passed on, and answers with serialization failures.
type proxy struct {
	listener net.Listener
	server   string
	faults   atomic.Int64 // one request in so many has one; 0 means none

	dropped, severed, refused atomic.Int64 // before it was passed on, after it, and with 40001
}

// newProxy returns a proxy and the URL of the same database through it.
func newProxy(t *testing.T, address string) (*proxy, string) {
	t.Helper()
	u, err := url.Parse(address)
	require.NoError(t, err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	p := &proxy{listener: l, server: u.Host}
	t.Cleanup(func() { _ = l.Close() })
	go p.serve()
	u.Host = l.Addr().String()
	q := u.Query()
	q.Set("sslmode", "disable")
	u.RawQuery = q.Encode()
	return p, u.String()
}

func (p *proxy) serve() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", p.server)
		if err != nil {
			_ = client.Close()
			continue
		}
		l := &line{p: p, client: client, server: server}
		l.status.Store('I')
		go l.answers()
		go l.requests()
	}
}

// line is one connection through the proxy.
type line struct {
	p              *proxy
	client, server net.Conn
	status         atomic.Int32 // of the server's last ReadyForQuery
	once           sync.Once
}

func (l *line) close() {
	l.once.Do(func() {
		_ = l.client.Close()
		_ = l.server.Close()
	})
}

// message reads one message of the protocol; the first of a client has no type.
func message(r io.Reader, typed bool) ([]byte, error) {
	head := make([]byte, 4, 5)
	if typed {
		head = head[:5]
	}
	if _, err := io.ReadFull(r, head); err != nil {
		return nil, err
	}
	body := make([]byte, binary.BigEndian.Uint32(head[len(head)-4:])-4)
	_, err := io.ReadFull(r, body)
	return append(head, body...), err
}

func (l *line) answers() {
	defer l.close()
	for {
		m, err := message(l.server, true)
		if err != nil {
			return
		}
		if m[0] == 'Z' {
			l.status.Store(int32(m[5]))
		}
		if _, err := l.client.Write(m); err != nil {
			return
		}
	}
}

func (l *line) requests() {
	defer l.close()
	m, err := message(l.client, false)
	for ; err == nil; m, err = l.request() {
		if m == nil {
			continue
		}
		if _, err := l.server.Write(m); err != nil {
			return
		}
		if m[0] == 'S' || m[len(m)-5] == 'S' {
			if l.chance() {
				l.p.severed.Add(1)
				return
			}
		}
	}
}

func (l *line) chance() bool {
	n := l.p.faults.Load()
	return n > 0 && rand.Int64N(n) == 0
}

// request reads what a client sends up to the point at which it waits for an answer. Nil was answered already.
func (l *line) request() ([]byte, error) {
	var all []byte
	for {
		m, err := message(l.client, true)
		if err != nil {
			return nil, err
		}
		all = append(all, m...)
		switch m[0] {
		case 'S': // Sync: a pipeline
			if l.chance() {
				l.p.dropped.Add(1)
				return nil, io.EOF
			}
			if l.chance() {
				l.p.refused.Add(1)
				return nil, l.refuse()
			}
			return all, nil
		case 'Q', 'p', 'X':
			return all, nil
		}
	}
}

// refuse answers a pipeline that the server never sees.
func (l *line) refuse() error {
	fields := "SERROR\x00VERROR\x00C40001\x00Mcould not serialize access (injected)\x00\x00"
	answer := binary.BigEndian.AppendUint32([]byte{'E'}, uint32(4+len(fields)))
	answer = append(answer, fields...)
	status := byte('I')
	if l.status.Load() != 'I' {
		status = 'E'
	}
	answer = append(answer, 'Z', 0, 0, 0, 5, status)
	_, err := l.client.Write(answer)
	return err
}
