package processes

import (
	"math/rand/v2"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// proxy stands between processes and a server, and does what networks do: what is under way is late, is lost with its
// connection, or is cut in two.
type proxy struct {
	listener             net.Listener
	server               string
	late, lost, cut, all atomic.Int64 // pieces of what was under way
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
		var once sync.Once
		hangUp := func() {
			once.Do(func() {
				_ = client.Close()
				_ = server.Close()
			})
		}
		go p.carry(client, server, hangUp)
		go p.carry(server, client, hangUp)
	}
}

// carry passes on what comes from one side, a piece at a time, until a piece meets its fate.
func (p *proxy) carry(from, to net.Conn, hangUp func()) {
	defer hangUp()
	piece := make([]byte, 32<<10)
	for {
		n, err := from.Read(piece)
		if err != nil {
			return
		}
		p.all.Add(1)
		part := piece[:n]
		switch fate := rand.IntN(1_000); {
		case fate < 5:
			p.late.Add(1)
			time.Sleep(time.Duration(rand.IntN(40)) * time.Millisecond) // a slow line, on which nothing depends
		case fate < 8:
			p.lost.Add(1)
			return
		case fate < 10:
			p.cut.Add(1)
			_, _ = to.Write(part[:n/2])
			return
		}
		if _, err := to.Write(part); err != nil {
			return
		}
	}
}
