package postgres_test

import (
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestContention lets 4 processes of 32 goroutines record at once, in the shapes in which databases deadlock, over a line that
// drops connections and injects serialization failures. Nobody may be told of any of it, and the books must add up.
func TestContention(t *testing.T) {
	url := serverURL(t)
	// KOSH_CONTENTION is the seconds of all together.
	seconds := max(setting("KOSH_CONTENTION", 10)/10, 1)
	for _, c := range []struct {
		shape     string
		isolation pgx.TxIsoLevel
		faults    int64
		seconds   int
	}{
		{"uniform", pgx.ReadCommitted, 0, seconds},
		{"hot debit", pgx.ReadCommitted, 0, seconds},
		{"hot credit", pgx.ReadCommitted, 0, seconds},
		{"identical keys", pgx.ReadCommitted, 0, seconds},
		{"uniform", pgx.ReadCommitted, 40, 2 * seconds},
		{"identical keys", pgx.ReadCommitted, 40, seconds},
		{"uniform", pgx.Serializable, 40, 2 * seconds},
		{"identical keys", pgx.Serializable, 0, seconds},
	} {
		name := fmt.Sprintf("%s, %s, one fault in %d", c.shape, c.isolation, c.faults)
		t.Run(name, func(t *testing.T) {
			schema := newSchema(t, url)
			book := openBook(t, url, schema)
			p, through := newProxy(t, url)
			p.faults.Store(c.faults)
			type process struct {
				wait func() error
				out  fmt.Stringer
			}
			var processes []process
			for seed := range 4 {
				cmd, out := job{Kind: "contend", URL: through, Schema: schema, Shape: c.shape, Seconds: c.seconds, Seed: seed, Isolation: c.isolation}.start(t)
				processes = append(processes, process{cmd.Wait, out})
			}
			total := 0
			for _, p := range processes {
				assert.NoError(t, p.wait(), "%s", p.out)
				var n int
				_, err := fmt.Sscanf(p.out.String(), "recorded %d", &n)
				require.NoError(t, err, "%s", p.out)
				total += n
			}
			v, err := book.Verify(t.Context())
			require.NoError(t, err)
			require.Empty(t, v.Problems)
			if c.shape != "identical keys" { // where all but one of the same key are replays
				assert.Equal(t, total+1, v.Keys, "as many keys as were acknowledged, and the one that opened the accounts")
			}
			fmt.Printf("contention: %s: %d recorded by 4 processes, %d transactions; injected: %d dropped before and %d after a request, %d serialization failures\n",
				name, total, v.Transactions, p.dropped.Load(), p.severed.Load(), p.refused.Load())
		})
	}
}
