package providertest_test

import (
	"bufio"
	"context"
	"encoding/base64"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/providers"
	"github.com/koshpay/kosh/providers/providertest"
	"github.com/koshpay/kosh/providers/sandbox"
)

// shown returns the lines that show a secret or a card number.
func shown(output string) []string {
	var lines []string
	scanner := bufio.NewScanner(strings.NewReader(output))
	scanner.Buffer(nil, 1<<24)
	for scanner.Scan() {
		line := scanner.Text()
		if providertest.Leaks(line, secret) || providertest.Leaks(line, strangers) || providertest.ShowsCard(line) {
			lines = append(lines, line)
		}
	}
	return lines
}

// The suite runs once more in a process of its own, so that all that it, the sandbox, the broken providers and the default
// loggers write is seen, whoever writes it.
func TestTheWholeOutputShowsNoSecretAndNoCard(t *testing.T) {
	child := exec.CommandContext(t.Context(), os.Args[0],
		"-test.run", "^(TestSandboxConforms|TestBrokenProvidersAreRejected|TestFailuresAreRedacted)$", "-test.v")
	output, err := child.CombinedOutput()
	require.NoError(t, err, "%s", output)
	text := string(output)
	require.Contains(t, text, "no-secret-logged")
	require.Contains(t, text, "broken providers rejected")
	require.Contains(t, text, "10000 mutated webhooks: 0 accepted, 0 panics")
	assert.Empty(t, shown(text))
	t.Logf("%d lines of output, none with a secret or a card number", strings.Count(text, "\n"))
}

func TestWhatIsLookedForIsFound(t *testing.T) {
	for _, line := range []string{
		"signing with " + secret,
		fmt.Sprintf("%x", secret), fmt.Sprintf("%X", secret), fmt.Sprint([]byte(secret)),
		"Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(secret+":")),
		"https://acme.example/?key=" + url.QueryEscape(secret), "/" + url.PathEscape(secret) + "/", "signing with " + strangers,
		`{"number":"4242424242424242"}`, "card 5555 5555-5555 4444 exp 12/34", "amex=378282246310005",
	} {
		assert.Len(t, shown("fine\n"+line+"\nfine"), 1, line)
	}
	for _, line := range []string{
		"post 1790000000000000009", "key=0190c1f2-7f3e-7cc3-98c4-411111111111", "2026-01-01T00:00:00Z",
		"tx 42424242424242424242424242424242", "4242424242424241",
	} {
		assert.Empty(t, shown(line), line)
	}
}

// An adapter that quotes what it must not is reported without quoting it again.
func TestFailuresAreRedacted(t *testing.T) {
	quotes := func(s *sandbox.Sandbox) providers.Provider {
		b := &broken{Sandbox: s}
		b.submit = func(_ context.Context, op providers.Operation) (providers.Report, error) {
			return providers.Report{}, fmt.Errorf("POST https://key:%s@acme.example: %q was refused; card 4242 4242 4242 4242", secret, op.Description)
		}
		return b
	}
	for _, name := range []string{"no-secret-printed", "no-secret-logged", "card-numbers-stay-out", "lost-response-is-maybe", "amounts-are-exact"} {
		f := check(t, name).Inspect(t, harness(providers.Card, quotes))
		require.NotEmpty(t, f.Failures, name)
		assert.Empty(t, shown(strings.Join(f.Failures, "\n")), name)
	}
}
