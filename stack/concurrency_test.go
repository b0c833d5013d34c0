package stack

import (
	"errors"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"items-api/components"
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
		{"a number above", "901", "", 1000, 0, []string{"901", "limit of 1000", "at most 900", "keeps 100", "--desired-value 1001", "auto or none"}},
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
		if n != c.want || (err != nil) != (c.want == 0) || (warning != "") != (c.want == components.NoReservation) {
			t.Errorf("%s: got %d, %q, %v", c.name, n, warning, err)
		}
		text := warning
		if err != nil {
			text = err.Error()
		}
		if !strings.HasPrefix(text, "items-api:reservedConcurrency ") && text != "" || strings.Contains(text, "\n") {
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
	if n != 7 || err != nil || !strings.Contains(warning, "servicequotas:GetServiceQuota") || !strings.Contains(warning, "AccessDeniedException") {
		t.Errorf("got %d, %q, %v", n, warning, err)
	}
	if _, warning, err = (Settings{ReservedConcurrency: autoReservation}).fitUnknown(denied); !errors.Is(err, denied) || warning != "" || !strings.Contains(err.Error(), "servicequotas:GetServiceQuota") || !strings.Contains(err.Error(), "number") {
		t.Errorf("got %q, %v", warning, err)
	}
}

// The limit is read while the program runs, in a preview too, and nothing is
// registered before.
func TestLimitIsReadBeforeAnythingIsRegistered(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		value string
		quota float64 // unreadable if 0
		want  int     // refused if 0
		calls int
	}{
		"a number":                {"900", 1000, 900, 1},
		"auto":                    {"auto", 1000, 100, 1},
		"auto in a new account":   {"auto", 10, components.NoReservation, 1},
		"a number too large":      {"901", 1000, 0, 1},
		"none":                    {"none", 0, components.NoReservation, 0},
		"a number without access": {"7", 0, 7, 1},
		"auto without access":     {"auto", 0, 0, 1},
	} {
		s, err := Parse(map[string]string{"items-api:reservedConcurrency": c.value})
		if err != nil {
			t.Fatal(err)
		}
		r, got := &recorder{quota: c.quota}, 0
		err = pulumi.RunErr(func(ctx *pulumi.Context) (err error) {
			got, err = s.reserve(ctx)
			return err
		}, pulumi.WithMocks("items-api", "dev", r), func(info *pulumi.RunInfo) { info.DryRun = true })
		if got != c.want || (err != nil) != (c.want == 0) || r.quotaCalls != c.calls {
			t.Errorf("%s: got %d, %v after %d calls", name, got, err, r.quotaCalls)
		}
	}
	made, err := deploy(map[string]string{"items-api:reservedConcurrency": "901"})
	if err == nil || !strings.Contains(err.Error(), "at most 900") || len(made) > 0 {
		t.Errorf("%v was registered, %v", made, err)
	}
}
