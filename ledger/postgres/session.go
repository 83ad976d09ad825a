package postgres

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5/pgconn"
)

// statement is a text that is sent again and again.
type statement struct {
	name string // as a prepared statement
	sql  string
	oids []uint32 // of the parameters

	// fixed: there is only one sensible plan, whatever is in the tables, so it is made once.
	fixed bool
}

func newStatement(sql string, oids ...uint32) *statement {
	sum := sha256.Sum256([]byte(sql))
	return &statement{name: "kosh_" + hex.EncodeToString(sum[:9]), sql: sql, oids: oids}
}

// call is one statement of a pipeline.
type call struct {
	*statement
	args        [][]byte
	row         func(values [][]byte) error // nil when there are none; values are valid during the call only
	once        bool                        // not worth preparing
	placeholder bool                        // it takes placeholders away
	absent      bool                        // the statement adds rows that were absent: a duplicate means that one appeared
	affected    int64
	tag         string
}

// session sends pipelines over one connection.
type session struct {
	pg      *pgconn.PgConn
	unnamed bool // no prepared statements
}

// failure is the error of one call of a pipeline.
type failure struct {
	at  int // the call; len(calls) when it was none
	err error
}

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

// unreadable reports whether an answer came and made no sense: no fault of the connection.
func (f *failure) unreadable() bool {
	_, is := errors.AsType[*unreadable](f.err)
	return is
}

var binaryFormat = []int16{1}

// preparedKey is where the names of the statements that a connection has prepared are kept, beside the connection.
const preparedKey = "github.com/koshpay/kosh/ledger/postgres"

func (s session) prepared() map[string]bool {
	data := s.pg.CustomData()
	known, ok := data[preparedKey].(map[string]bool)
	if !ok {
		known = make(map[string]bool)
		data[preparedKey] = known
	}
	return known
}

// run sends all calls at once and reads the answers: one round trip. The first call that fails ends the rest.
func (s session) run(ctx context.Context, calls []*call) error {
	known := s.prepared()
	p := s.pg.StartPipeline(ctx)
	fresh := make([]bool, len(calls))
	sent := make(map[string]bool)
	for i, c := range calls {
		if s.unnamed || c.once {
			p.SendQueryParams(c.sql, c.args, c.oids, binaryFormat, binaryFormat)
			continue
		}
		if !known[c.name] && !sent[c.name] {
			fresh[i], sent[c.name] = true, true
			p.SendPrepare(c.name, c.sql, c.oids)
		}
		p.SendQueryPrepared(c.name, c.args, binaryFormat, binaryFormat)
	}
	if err := p.Sync(); err != nil {
		_ = p.Close()
		return &failure{len(calls), err}
	}
	var failed *failure
	for i, c := range calls {
		if err := c.receive(p, fresh[i], known); err != nil {
			failed = &failure{i, err}
			break
		}
	}
	err := p.Close() // reads what is left, the error after a failure included
	switch {
	case failed != nil:
		if state := stateOf(failed.err); state == stateNoPrepared || state == stateStalePlan || state == statePreparedAlready {
			s.forget()
		}
		return failed
	case err != nil:
		return &failure{len(calls), err}
	}
	return nil
}

// forget makes the connection prepare its statements anew. The old ones are dropped where they exist.
func (s session) forget() {
	clear(s.prepared())
}

var errNoAnswer = errors.New("postgres: the pipeline ended before its last answer")

func (c *call) receive(p *pgconn.Pipeline, fresh bool, known map[string]bool) error {
	if fresh {
		if _, err := p.GetResults(); err != nil {
			return err
		}
		known[c.name] = true
	}
	results, err := p.GetResults()
	if err != nil {
		return err
	}
	r, ok := results.(*pgconn.ResultReader)
	if !ok {
		return errNoAnswer
	}
	var broken error
	for r.NextRow() {
		if c.row != nil && broken == nil {
			broken = c.row(r.Values())
		}
	}
	tag, err := r.Close()
	if err != nil {
		return err
	}
	c.affected, c.tag = tag.RowsAffected(), tag.String()
	if broken != nil {
		return &unreadable{broken}
	}
	return nil
}

// unreadable is a row that was received and could not be read: no fault of the connection.
type unreadable struct{ err error }

func (e *unreadable) Error() string { return fmt.Sprintf("postgres: reading a row: %v", e.err) }
func (e *unreadable) Unwrap() error { return e.err }
