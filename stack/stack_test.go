package stack

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"gopkg.in/yaml.v3"

	"items-api/internal/api"
)

type recorder struct {
	quota float64 // the account's limit of concurrent executions; unreadable if 0

	mu         sync.Mutex
	made       []string
	looked     []string // tokens of lookups
	quotaCalls int
}

func (r *recorder) NewResource(args pulumi.MockResourceArgs) (string, resource.PropertyMap, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.made = append(r.made, args.TypeToken)
	return args.Name, args.Inputs, nil
}

func (r *recorder) Call(args pulumi.MockCallArgs) (resource.PropertyMap, error) {
	r.mu.Lock()
	r.looked = append(r.looked, args.Token)
	r.mu.Unlock()
	if args.Token == "aws:index/getCallerIdentity:getCallerIdentity" {
		return resource.PropertyMap{"accountId": resource.NewStringProperty("111122223333")}, nil
	}
	if args.Token == "aws:servicequotas/getServiceQuota:getServiceQuota" {
		return r.limit(args.Args)
	}
	return nil, errors.New("unexpected call of " + args.Token)
}

func (r *recorder) limit(args resource.PropertyMap) (resource.PropertyMap, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.quotaCalls++
	if args["serviceCode"].StringValue() != "lambda" || args["quotaCode"].StringValue() != "L-B99A9384" {
		return nil, fmt.Errorf("the quota %v was asked for", args)
	}
	if r.quota == 0 {
		return nil, errors.New("AccessDeniedException")
	}
	return resource.PropertyMap{"value": resource.NewNumberProperty(r.quota)}, nil
}

// deploy runs the program with a configuration.
func deploy(config map[string]string) ([]string, error) {
	r := &recorder{quota: 1000}
	err := pulumi.RunErr(
		Deploy,
		pulumi.WithMocks("items-api", "dev", r),
		func(info *pulumi.RunInfo) { info.Config = config },
	)
	return slices.DeleteFunc(r.made, func(s string) bool { return s == "pulumi:pulumi:Stack" }), err
}

func TestBadConfigurationsNameTheKeyAndRegisterNothing(t *testing.T) {
	t.Parallel()
	many := map[string]string{}
	for i := range 51 {
		many[fmt.Sprint("k", i)] = "v"
	}
	tags, err := json.Marshal(many)
	if err != nil {
		t.Fatal(err)
	}
	cases := []struct{ key, value string }{
		{"memoryMB", "127"},
		{"memoryMB", "10241"},
		{"memoryMB", "much"},
		{"memoryMB", "256.5"},
		{"memoryMB", ""},
		{"timeoutSeconds", "0"},
		{"timeoutSeconds", "30"},
		{"timeoutSeconds", "10s"},
		{"logRetentionDays", "0"},
		{"logRetentionDays", "2"},
		{"logRetentionDays", "week"},
		{"reservedConcurrency", "0"},
		{"reservedConcurrency", "-1"},
		{"reservedConcurrency", "100001"},
		{"reservedConcurrency", "all"},
		{"throttleRate", "0"},
		{"throttleRate", "10001"},
		{"throttleBurst", "0"},
		{"throttleBurst", "5001"},
		{"deletionProtection", "yes"},
		{"architecture", "x86"},
		{"architecture", "host"},
		{"corsOrigins", "https://example.com"},
		{"corsOrigins", `["example.com"]`},
		{"corsOrigins", `["https://example.com/"]`},
		{"corsOrigins", `["https://example.com/app"]`},
		{"corsOrigins", `["https://*.example.com"]`},
		{"corsOrigins", `["ftp://example.com"]`},
		{"corsOrigins", `["*","https://example.com"]`},
		{"corsOrigins", `["null"]`},
		{"corsOrigins", `["https://user@example.com"]`},
		{"corsOrigins", `["https://example.com?a"]`},
		{"corsOrigins", `["https://example.com#"]`},
		{"corsOrigins", `["https://Example.com"]`},
		{"corsOrigins", `["https://example.com:443"]`},
		{"corsOrigins", `["http://localhost:80"]`},
		{"corsOrigins", `["https://bücher.example"]`},
		{"corsOrigins", `["https://example.com:99999"]`},
		{"corsOrigins", `["https://example.com:0"]`},
		{"auth", `{"mode":"cognito"} x`},
		{"auth", `{"MODE":"cognito"}`},
		{"auth", `null`},
		{"auth", `{"mode":"cognito","cacheSeconds":60}`},
		{"auth", `{"mode":"jwt","issuer":"https://a.example","audiences":["a"],"mfa":"off"}`},
		{
			"auth",
			`{"mode":"jwt","issuer":"https://a.example/.well-known/openid-configuration","audiences":["a"]}`,
		},
		{"auth", `{"mode":"lambda","selfSignUp":true}`},
		{"cors", "x"},
		{"cors", `{"maxAge":1}`},
		{"cors", `{"maxAgeSeconds":-1}`},
		{"cors", `{"maxAgeSeconds":86401}`},
		{"cors", `{"maxAgeSeconds":"1"}`},
		{"cors", `{"allowHeaders":["a b"]}`},
		{"cors", `{"exposeHeaders":[""]}`},
		{"cors", `{"allowHeaders":["*"],"allowCredentials":true}`},
		{"table", "items-restored"},
		{"table", `{"name":"a"}`},
		{"table", `{"name":"a/b"}`},
		{"table", `{"adopt":"items"}`},
		{"auth", "cognito"},
		{"auth", `{"mode":"basic"}`},
		{"auth", `{"mode":""}`},
		{"auth", `{"mode":"cognito","mfaa":"off"}`},
		{"auth", `{"mode":"cognito","mfa":"maybe"}`},
		{"auth", `{"mode":"cognito","issuer":"https://example.com"}`},
		{"auth", `{"mode":"cognito","signInDomain":"items"}`},
		{"auth", `{"mode":"cognito","signInDomain":"my-aws","callbackUrls":["https://a.example"]}`},
		{"auth", `{"mode":"cognito","signInDomain":"a","callbackUrls":["http://a.example"]}`},
		{"auth", `{"mode":"lambda","adminPasswordAuth":true}`},
		{"auth", `{"mode":"cognito","adminPasswordAuth":"yes"}`},
		{"auth", `{"mode":"cognito","mfa":"required","adminPasswordAuth":true}`},
		{"auth", `{"mode":"cognito","allowAnonymous":true}`},
		{"auth", `{"mode":"jwt","audiences":["a"]}`},
		{"auth", `{"mode":"jwt","issuer":"https://a.example"}`},
		{"auth", `{"mode":"jwt","issuer":"http://a.example","audiences":["a"]}`},
		{"auth", `{"mode":"jwt","issuer":"https://a.example?x=1","audiences":["a"]}`},
		{"auth", `{"mode":"jwt","issuer":"a.example","audiences":["a"]}`},
		{"auth", `{"mode":"jwt","issuer":"https://a.example","audiences":[""]}`},
		{"auth", `{"mode":"lambda","cacheSeconds":3601}`},
		{"auth", `{"mode":"lambda","cacheSeconds":-1}`},
		{"auth", `{"mode":"lambda","cacheSeconds":"60"}`},
		{"audit", "on"},
		{"audit", `{"enabled":"yes"}`},
		{"audit", `{"retentionDays":0}`},
		{"audit", `{"retentionDays":36501}`},
		{"audit", `{"days":1}`},
		{"network", `{"private":null}`},
		{"audit", `{"enabled": null}`},
		{"encryption", `{"customerKey":null}`},
		{"encryption", "true"},
		{"encryption", `{"customerKey":1}`},
		{"encryption", `{"key":"a"}`},
		{"network", "private"},
		{"network", `{"private":"yes"}`},
		{"network", `{"public":true}`},
		{"network", `{"zones":1}`},
		{"network", `{"zones":4}`},
		{"network", `{"zoneNames":["us-east-1a"]}`},
		{"network", `{"zones":3,"zoneNames":["us-east-1a","us-east-1b"]}`},
		{"network", `{"zoneNames":["us-east-1a","us-east-1a"]}`},
		{"network", `{"zoneNames":["us-east-1a","us-east-1-bos-1a"]}`},
		{"network", `{"zoneNames":"us-east-1a"}`},
		{"network", `{"cidr":"10.0.0.0/15"}`},
		{"network", `{"cidr":"10.0.0.0/25"}`},
		{"network", `{"cidr":"11.0.0.0/16"}`},
		{"network", `{"cidr":"10.0.1.0/16"}`},
		{"network", `{"cidr":"10.0.0.0"}`},
		{"network", `{"cidr":"fd00::/16"}`},
		{"network", `{"cidr":"172.32.0.0/16"}`},
		{"network", `{"cidr":""}`},
		{"tags", `["a"]`},
		{"tags", `{"a":1}`},
		{"tags", `{"aws:a":"b"}`},
		{"tags", `{"a":"b,c"}`},
		{"tags", `{"a&b":"c"}`},
		{"tags", string(tags)},
		{"tags", `{"a":"` + strings.Repeat("x", 257) + `"}`},
	}
	for _, c := range cases {
		t.Run(c.key+" "+c.value[:min(20, len(c.value))], func(t *testing.T) {
			t.Parallel()
			made, err := deploy(map[string]string{"items-api:" + c.key: c.value})
			if err == nil || strings.Count(err.Error(), "items-api:"+c.key) != 1 {
				t.Errorf("got %v", err)
			}
			if len(made) > 0 {
				t.Errorf("%v was registered", made)
			}
		})
	}
}

func TestWhatTheStackOrTwoKeysTogetherForbidIsRefused(t *testing.T) {
	t.Parallel()
	none := `{"mode":"none"}`
	tags := func(n int, more string) string {
		for i := range n {
			more += fmt.Sprintf(`,"k%d":"ü @1/=+-_.:"`, i)
		}
		return "{" + strings.TrimPrefix(more, ",") + "}"
	}
	for name, c := range map[string]struct {
		stack  string
		config map[string]string
		want   []string // keys; none if it is allowed
	}{
		"anonymous production":           {"prod", map[string]string{"auth": none}, []string{"items-api:auth", "allowAnonymous"}},
		"anonymous production on demand": {"prod", map[string]string{"auth": `{"mode":"none","allowAnonymous":true}`}, nil},
		"tags without room for a network's": {"dev", map[string]string{
			"tags":    tags(49, ""),
			"network": `{"private":true}`,
		}, []string{"items-api:tags", "items-api:network"}},
		"and for one that is kept": {"dev", map[string]string{
			"tags":    tags(49, ""),
			"network": `{"keep":true}`,
		}, []string{"items-api:tags"}},
		"tags beside a network's": {"dev", map[string]string{
			"tags":    tags(48, `,"Name":"a"`),
			"network": `{"private":true}`,
		}, nil},
		"tags without a network": {"dev", map[string]string{"tags": tags(50, "")}, nil},
		"anonymous development":  {"dev", map[string]string{"auth": none}, nil},
		"credentials for everybody": {"dev", map[string]string{
			"corsOrigins": `["*"]`,
			"cors":        `{"allowCredentials":true}`,
		}, []string{"items-api:cors ", "items-api:corsOrigins"}},
		"a wildcard without authorization": {"dev", map[string]string{
			"corsOrigins": `["https://a.example"]`,
			"cors":        `{"allowHeaders":["*"]}`,
		}, []string{"items-api:cors ", "authorization"}},
		"a wildcard with authorization": {"dev", map[string]string{
			"corsOrigins": `["https://a.example"]`,
			"cors":        `{"allowHeaders":["*","Authorization"]}`,
		}, nil},
		"a wildcard with keys": {"dev", map[string]string{
			"auth":        `{"mode":"lambda"}`,
			"corsOrigins": `["https://a.example"]`,
			"cors":        `{"allowHeaders":["*"]}`,
		}, nil},
		"credentials for one origin": {"dev", map[string]string{
			"corsOrigins": `["https://a.example"]`,
			"cors":        `{"allowCredentials":true}`,
		}, nil},
	} {
		config := map[string]string{}
		for k, v := range c.config {
			config["items-api:"+k] = v
		}
		s, err := Parse(config)
		if err != nil {
			t.Fatal(err)
		}
		err = s.Check(c.stack)
		if (err != nil) != (len(c.want) > 0) {
			t.Errorf("%s: got %v", name, err)
		}
		for _, w := range c.want {
			if !strings.Contains(fmt.Sprint(err), w) {
				t.Errorf("%s: %s is not named in %v", name, w, err)
			}
		}
		if len(c.want) == 0 || c.stack != "dev" {
			continue
		}
		if made, err := deploy(config); err == nil || len(made) > 0 {
			t.Errorf("%s: %v was registered, %v", name, made, err)
		}
	}
}

func TestOriginsAsBrowsersSendThemAreAccepted(t *testing.T) {
	t.Parallel()
	for _, o := range []string{
		"https://example.com", "http://localhost:3000", "https://xn--bcher-kva.example",
		"http://127.0.0.1:8080", "http://[::1]:3000", "http://[::1]", "https://a_b.example.com:8443",
	} {
		if _, err := Parse(map[string]string{"items-api:corsOrigins": `["` + o + `"]`}); err != nil {
			t.Errorf("%s: %v", o, err)
		}
	}
}

// An issuer on this machine, like an architecture of it, is for the local
// cloud; the mocks' account is another.
func TestIssuerOnLoopbackIsForTheLocalCloudOnly(t *testing.T) {
	t.Parallel()
	for _, at := range []string{"http://localhost", "http://127.0.0.1", "http://[::1]", "https://localhost"} {
		made, err := deploy(
			map[string]string{
				"items-api:auth": `{"mode":"jwt","issuer":"` + at + `:8080","audiences":["a"]}`,
			},
		)
		if err == nil || !strings.Contains(err.Error(), "items-api:auth") ||
			!strings.Contains(err.Error(), "111122223333") ||
			len(made) > 0 {
			t.Errorf("%s: got %v, %v", at, made, err)
		}
	}
}

func TestAllProblemsAreReportedTogether(t *testing.T) {
	t.Parallel()
	_, err := Parse(map[string]string{
		"items-api:memoryMB": "1",
		"items-api:tags":     "x",
		"items-api:memorymb": "512",
		"items-api:nonsense": "1",
		"aws:region":         "eu-west-1",
	})
	if err == nil {
		t.Fatal("it was accepted")
	}
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != 4 {
		t.Errorf("got %d problems, want 4:\n%v", len(lines), err)
	}
	if !strings.Contains(err.Error(), "items-api:memorymb is not known (did you mean memoryMB?)") {
		t.Errorf("no suggestion in:\n%v", err)
	}
}

// Not parallel: it sets a variable of the process, as the pulumi command does.
func TestUnknownKeyIsFoundUnderThePulumiCommand(t *testing.T) {
	t.Setenv(pulumi.EnvConfig, `{"items-api:memoryMb":"512"}`)
	made, err := deploy(nil)
	if err == nil || !strings.Contains(err.Error(), "items-api:memoryMb is not known") || len(made) > 0 {
		t.Errorf("got %v, %v", made, err)
	}
}

func TestProjectFileSaysWhatTheCodeSays(t *testing.T) {
	t.Parallel()
	var project struct {
		Config map[string]struct {
			Type, Description string
			Default           any
		}
	}
	read(t, "../Pulumi.yaml", &project)
	config := map[string]string{}
	var keys []string
	for k, v := range project.Config {
		keys = append(keys, strings.TrimPrefix(k, Namespace+":"))
		if v.Type == "" || v.Description == "" || v.Default == nil {
			t.Errorf("%s lacks a type, a description or a default", k)
		}
		config[k] = flat(t, v.Default)
	}
	slices.Sort(keys)
	if diff := cmp.Diff(Keys(), keys); diff != "" {
		t.Errorf("the keys differ (-code +Pulumi.yaml):\n%s", diff)
	}
	got, err := Parse(config)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Defaults(), got); diff != "" {
		t.Errorf("the defaults differ (-code +Pulumi.yaml):\n%s", diff)
	}
}

func TestStackFilesAreValid(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"local", "dev", "prod"} {
		var file struct{ Config map[string]any }
		read(t, "../Pulumi."+name+".yaml", &file)
		config := map[string]string{}
		for k, v := range file.Config {
			config[k] = flat(t, v)
		}
		s, err := Parse(config)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if name == "prod" && !s.DeletionProtection {
			t.Error("production is not protected from deletion")
		}
	}
}

// The production stack's file is the page that its operator reads: every key
// stands there, below a comment.
func TestProductionFileExplainsEveryKey(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("../Pulumi.prod.yaml")
	if err != nil {
		t.Fatal(err)
	}
	explained := map[string]bool{}
	comment := false
	for line := range strings.Lines(string(data)) {
		line = strings.TrimRight(line, "\n")
		key, ok := strings.CutPrefix(line, "  "+Namespace+":")
		switch {
		case strings.HasPrefix(strings.TrimSpace(line), "#") && !strings.Contains(line, "----"):
			comment = true
		case ok:
			key, _, _ = strings.Cut(key, ":")
			explained[key] = comment
		case strings.TrimSpace(line) == "":
			comment = false
		}
	}
	for _, key := range Keys() {
		if !explained[key] {
			t.Errorf("%s is not there, or has no comment", key)
		}
	}
}

func read(t *testing.T, file string, v any) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err == nil {
		err = yaml.Unmarshal(data, v)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func flat(t *testing.T, v any) string {
	t.Helper()
	if s, ok := v.(string); ok {
		return s
	}
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestReadmeListsEveryRoute(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range api.Routes() {
		if !strings.Contains(string(data), "| `"+r.Key()+"` |") {
			t.Errorf("the route %s is not in the README", r.Key())
		}
	}
}
