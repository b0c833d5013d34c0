package stack

import (
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"items-api/components"
	"items-api/internal/deployer"
)

func TestReservationFitsTheAccountsLimit(t *testing.T) {
	t.Parallel()
	keys := `{"mode":"lambda"}`
	for _, c := range []struct {
		name, value, auth string
		limit, want       int // 0 is refused
		says              []string
	}{
		{"a number that fits exactly", "900", "", 1000, 900, nil},
		{"a number above", "901", "", 1000, 0, []string{
			"901", "limit of 1000", "at most 900", "keeps 100", "--desired-value 1001", "auto or none",
		}},
		{"two functions that fit exactly", "450", keys, 1000, 450, nil},
		{"two functions above", "451", keys, 1000, 0, []string{"2 functions", "at most 450", "--desired-value 1002"}},
		{"a number in a new account", "1", "", 10, 0, []string{"limit of 10", "at most 0", "keeps 10", "--desired-value 101"}},
		{"a number at a limit of 100", "1", "", 100, 0, []string{"at most 0", "keeps 100"}},
		{"a number at a limit of 101", "1", "", 101, 1, nil},
		{"auto in an account of the usual limit", "auto", "", 1000, 100, nil},
		{"auto with less than that", "auto", "", 151, 25, nil},
		{"auto for two functions", "auto", keys, 151, 25, nil},
		{"auto in a new account", "auto", "", 10, components.NoReservation, []string{"limit of 10", "nothing can be reserved", "--desired-value 102"}},
		{"auto where one of two functions would fit", "auto", "", 101, components.NoReservation, []string{"--desired-value 102"}},
	} {
		config := map[string]string{"items-api:reservedConcurrency": c.value}
		if c.auth != "" {
			config["items-api:auth"] = c.auth
		}
		s, err := Parse(config)
		if err != nil {
			t.Fatal(err)
		}
		n, warning, err := s.fit(c.limit)
		if n != c.want || (err != nil) != (c.want == 0) ||
			(warning != "") != (c.want == components.NoReservation) {
			t.Errorf("%s: got %d, %q, %v", c.name, n, warning, err)
		}
		text := warning
		if err != nil {
			text = err.Error()
		}
		if !strings.HasPrefix(text, "items-api:reservedConcurrency ") && text != "" ||
			strings.Contains(text, "\n") {
			t.Errorf("%s: the key is not named in one line: %s", c.name, text)
		}
		for _, w := range c.says {
			if !strings.Contains(text, w) {
				t.Errorf("%s: %q is not in %s", c.name, w, text)
			}
		}
	}
}

func TestNumberGoesOnWithoutTheLimitAndAutoDoesNot(t *testing.T) {
	t.Parallel()
	denied := errors.New("AccessDeniedException")
	n, warning, err := Settings{ReservedConcurrency: 7}.fitUnknown(denied)
	if n != 7 || err != nil || !strings.Contains(warning, "servicequotas:GetServiceQuota") ||
		!strings.Contains(warning, "AccessDeniedException") {
		t.Errorf("got %d, %q, %v", n, warning, err)
	}
	if _, warning, err = (Settings{ReservedConcurrency: autoReservation}).fitUnknown(
		denied,
	); !errors.Is(err, denied) || warning != "" || !strings.Contains(err.Error(), "servicequotas:GetServiceQuota") ||
		!strings.Contains(err.Error(), "number") {
		t.Errorf("got %q, %v", warning, err)
	}
}

// sized runs it in a preview.
func (r *recorder) sized(s Settings) (Settings, error) {
	var got Settings
	err := pulumi.RunErr(func(ctx *pulumi.Context) (err error) {
		got, err = s.sized(ctx)
		return err
	}, pulumi.WithMocks("items-api", "dev", r), func(info *pulumi.RunInfo) { info.DryRun = true })
	return got, err
}

// The limit is read while the program runs, in a preview too, and nothing is
// registered before.
func TestLimitIsReadBeforeAnythingIsRegistered(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		value string
		quota float64 // unreadable if 0
		want  int     // refused if 0
		burst int
		calls int
	}{
		"the default":             {"", 1000, 100, 100, 1},
		"a number":                {"900", 1000, 900, 900, 1},
		"auto":                    {"auto", 1000, 100, 100, 1},
		"auto with less":          {"auto", 151, 25, 25, 1},
		"auto in a new account":   {"auto", 10, components.NoReservation, 10, 1},
		"a number too large":      {"901", 1000, 0, 0, 1},
		"none":                    {"none", 0, components.NoReservation, 100, 0},
		"a number without access": {"7", 0, 7, 7, 1},
		"auto without access":     {"auto", 0, 0, 0, 1},
		"a number above a burst":  {"9000", 20000, 9000, 5000, 1},
	} {
		config := map[string]string{}
		if c.value != "" {
			config["items-api:reservedConcurrency"] = c.value
		}
		s, err := Parse(config)
		if err != nil {
			t.Fatal(err)
		}
		r := &recorder{quota: c.quota}
		got, err := r.sized(s)
		if missing := deployer.Missing(r.looked); len(missing) > 0 {
			t.Errorf("docs/permissions.md says nothing of %v", missing)
		}
		if (err != nil) != (c.want == 0) || r.quotaCalls != c.calls {
			t.Errorf("%s: got %v after %d calls", name, err, r.quotaCalls)
		}
		if err == nil && (got.ReservedConcurrency != c.want || got.ThrottleBurst != c.burst) {
			t.Errorf(
				"%s: got %d reserved and a burst of %d",
				name,
				got.ReservedConcurrency,
				got.ThrottleBurst,
			)
		}
	}
	made, err := deploy(map[string]string{"items-api:reservedConcurrency": "901"})
	if err == nil || !strings.Contains(err.Error(), "at most 900") || len(made) > 0 {
		t.Errorf("%v was registered, %v", made, err)
	}
}

// The numbers of a configuration stay; what does not fit is said.
func TestSetNumbersThatDoNotFitAreWarnedOf(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		reserved, rate, burst string // the default if empty
		limit                 int
		says                  []string // one for each warning
	}{
		"the defaults":                  {limit: 1000},
		"the defaults in a new account": {limit: 10, says: []string{"nothing can be reserved"}},
		"the defaults of before": {"10", "100", "200", 1000, []string{"items-api:throttleBurst " +
			"is 200 .*10 requests at once.*up to 190"}},
		"a burst that just fits":        {"10", "100", "10", 1000, nil},
		"a burst above auto":            {"", "", "101", 1000, []string{"items-api:throttleBurst is 101"}},
		"a burst above a small account": {"", "", "50", 10, []string{"nothing can be reserved", "items-api:throttleBurst is 50 .*10 requests"}},
		"a rate that just fits":         {"10", "100", "", 1000, nil},
		"a rate above": {"10", "101", "", 1000, []string{"items-api:throttleRate is " +
			"101 .*10 at once.*less than 99 ms.*at most 100"}},
		"neither":                         {"1", "10000", "5000", 1000, []string{"throttleBurst is 5000", "throttleRate is 10000"}},
		"anything where nothing is known": {"none", "10000", "5000", 0, nil},
	} {
		config := map[string]string{}
		for key, v := range map[string]string{
			"reservedConcurrency": c.reserved,
			"throttleRate":        c.rate,
			"throttleBurst":       c.burst,
		} {
			if v != "" {
				config["items-api:"+key] = v
			}
		}
		s, err := Parse(config)
		if err != nil {
			t.Fatal(err)
		}
		got, warned, err := s.sizedFor(c.limit, nil)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if c.burst != "" && got.ThrottleBurst != s.ThrottleBurst || got.ThrottleRate != s.ThrottleRate {
			t.Errorf("%s: the numbers became %d and %d", name, got.ThrottleRate, got.ThrottleBurst)
		}
		if len(warned) != len(c.says) {
			t.Errorf("%s: warned of %q, want %q", name, warned, c.says)
		}
		for _, want := range c.says {
			if !slices.ContainsFunc(warned, regexp.MustCompile(want).MatchString) {
				t.Errorf("%s: %q is not in %q", name, want, warned)
			}
		}
	}
}
