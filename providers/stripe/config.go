package stripe

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	api "github.com/stripe/stripe-go/v82"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/providers"
)

// Config says which Stripe account to use and for what. Key, State and Assets are required.
type Config struct {
	// Key is the account's secret or restricted API key, sk_… or rk_…. It never prints.
	Key string `json:"-"`
	// WebhookSecrets are the signing secrets of the webhook endpoint, whsec_…; two while one is rotated. Without any, every
	// delivery is refused as forged. They never print.
	WebhookSecrets []string `json:"-"`
	// State is where the adapter keeps which customer a member is at Stripe: payments.Service.ProviderState(Name).
	State providers.StateStore `json:"-"`
	// Assets are the currencies to deal in.
	Assets []currency.Asset

	Name string // the provider's name; default "stripe"
	// ReturnURL is the page of the host that a member comes back to from their bank's page or from Checkout. Without it a
	// 3-D Secure challenge is handed out as a client secret for Stripe.js instead of a redirect, and TokenCheckout is refused.
	ReturnURL string
	Clock     func() time.Time `json:"-"` // default time.Now
	// Tolerance is how old a webhook's signature may be; default 5 minutes.
	Tolerance time.Duration
	// BankReturnWindow is how long after a bank debit succeeded it is still provisional; default 5 days. A bank may take
	// a debit back later than that, as a dispute; see the package's documentation.
	BankReturnWindow time.Duration
	// PollFrom is where Poll begins with an empty cursor; zero: at the beginning of what Stripe still lists.
	PollFrom time.Time

	// BaseURL is where the API is; default Stripe's own. Tests name a fake.
	BaseURL string
	// HTTPClient is used for its Transport, Jar and Timeout; default a client with a time-out of 80 seconds. Redirects are never
	// followed and requests never repeated, whatever it says.
	HTTPClient *http.Client `json:"-"`
}

// ErrConfig is a Config that makes no sense.
var ErrConfig = errors.New("stripe: invalid configuration")

func (c Config) withDefaults() (Config, error) {
	bad := func(format string, args ...any) (Config, error) {
		return Config{}, fmt.Errorf("%w: "+format, append([]any{ErrConfig}, args...)...)
	}
	if !strings.HasPrefix(c.Key, "sk_") && !strings.HasPrefix(c.Key, "rk_") || strings.ContainsAny(c.Key, " \t\r\n") {
		return bad("Key is not a secret key (sk_…) or restricted key (rk_…) of Stripe")
	}
	for i, s := range c.WebhookSecrets {
		if !strings.HasPrefix(s, "whsec_") || len(s) <= len("whsec_") {
			return bad("WebhookSecrets[%d] is not a signing secret (whsec_…)", i)
		}
	}
	if c.State == nil {
		return bad("State is missing: pass payments.Service.ProviderState(%q)", "stripe")
	}
	if len(c.Assets) == 0 {
		return bad("Assets are missing")
	}
	seen := map[currency.AssetID]bool{}
	for _, a := range c.Assets {
		switch {
		case a == nil:
			return bad("an asset is nil")
		case !carries(a):
			return bad("Stripe does not deal in %s, or kosh does not know with how many decimals", a.ID())
		case seen[a.ID()]:
			return bad("%s is named twice", a.ID())
		}
		seen[a.ID()] = true
	}
	for _, u := range []struct{ name, value string }{{"ReturnURL", c.ReturnURL}, {"BaseURL", c.BaseURL}} {
		if parsed, err := url.Parse(u.value); u.value != "" && (err != nil || parsed.Host == "" || parsed.User != nil) {
			return bad("%s is no absolute URL", u.name)
		}
	}
	if c.Name == "" {
		c.Name = "stripe"
	}
	if c.Clock == nil {
		c.Clock = time.Now //nolint:forbidigo // the default clock
	}
	if c.Tolerance < 0 || c.BankReturnWindow < 0 {
		return bad("a duration is negative")
	}
	if c.Tolerance == 0 {
		c.Tolerance = 5 * time.Minute
	}
	if c.BankReturnWindow == 0 {
		c.BankReturnWindow = 5 * day
	}
	if c.BaseURL == "" {
		c.BaseURL = api.APIURL
	}
	if c.HTTPClient == nil {
		c.HTTPClient = &http.Client{Timeout: 80 * time.Second}
	}
	c.Assets = slices.Clone(c.Assets)
	return c, nil
}

// Format prints the configuration without its secrets, whatever the verb.
func (c Config) Format(w fmt.State, _ rune) {
	_, _ = io.WriteString(w, "stripe.Config("+c.Name+")")
}

// LogValue logs the configuration without its secrets.
func (c Config) LogValue() slog.Value { return slog.StringValue("stripe.Config(" + c.Name + ")") }
