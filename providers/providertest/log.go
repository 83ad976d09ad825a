package providertest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log"
	"log/slog"
	"regexp"
	"sync"

	"github.com/koshpay/kosh/providers"
)

// typed matches keys and hashes, whose digits are nobody's card number even when a check digit fits by chance.
var typed = regexp.MustCompile(`(?i)\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|(0x|\b)[0-9a-f]{32,}\b`)

// longNumber matches what may be a card number, in groups or not.
var longNumber = regexp.MustCompile(`\p{Nd}[\p{Nd}\p{Cf}\p{Z}\p{Pd}]{11,}\p{Nd}`)

// showsCard tells whether a text shows what looks like a card number, keys and hashes left out.
func showsCard(text string) bool {
	return providers.LooksLikeCardNumber(typed.ReplaceAllString(text, ""))
}

// both hands a record to two handlers: values are printed differently as JSON and as text.
type both [2]slog.Handler

func (b both) Enabled(ctx context.Context, l slog.Level) bool {
	return b[0].Enabled(ctx, l) || b[1].Enabled(ctx, l)
}

func (b both) Handle(ctx context.Context, r slog.Record) error {
	return errors.Join(b[0].Handle(ctx, r.Clone()), b[1].Handle(ctx, r.Clone()))
}

func (b both) WithAttrs(attrs []slog.Attr) slog.Handler {
	return both{b[0].WithAttrs(attrs), b[1].WithAttrs(attrs)}
}

func (b both) WithGroup(name string) slog.Handler {
	return both{b[0].WithGroup(name), b[1].WithGroup(name)}
}

// captured returns what do wrote to the default loggers of log and slog.
func captured(do func()) string {
	var text lockedBuffer
	before, writer, flags := slog.Default(), log.Writer(), log.Flags()
	defer func() {
		slog.SetDefault(before)
		log.SetOutput(writer)
		log.SetFlags(flags)
	}()
	slog.SetDefault(slog.New(both{
		slog.NewJSONHandler(&text, &slog.HandlerOptions{Level: slog.LevelDebug}),
		slog.NewTextHandler(&text, &slog.HandlerOptions{Level: slog.LevelDebug}),
	}))
	do()
	return text.String()
}

// lockedBuffer takes what goroutines write.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

var _ io.Writer = (*lockedBuffer)(nil)

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
