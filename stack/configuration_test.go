package stack

import (
	"bytes"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

var update = flag.Bool("update", false, "write docs/configuration.md")

const configurationPage = "../docs/configuration.md"

// guides are the places in docs that say more about a key than its description.
// Keys that are not here need no more.
var guides = map[string]string{
	"auth":                "access.md",
	"corsOrigins":         "access.md#pages-in-browsers",
	"cors":                "access.md#pages-in-browsers",
	"reservedConcurrency": "access.md#concurrency",
	"throttleRate":        "access.md#how-often",
	"throttleBurst":       "access.md#how-often",
	"release":             "releases.md",
	"canary":              "releases.md#canary",
	"schema":              "data.md#changes-of-the-table",
	"table":               "data.md#going-back-to-a-point-in-time",
	"network":             "isolation.md#a-private-network",
	"encryption":          "isolation.md#a-key-of-the-stacks-own",
	"audit":               "isolation.md#an-audit-trail",
	"deletionProtection":  "data.md#changes-of-the-table",
	"alarms":              "releases.md#alarms",
	"domain":              "domains.md",
}

const configurationHead = "# Configuration\n\n" +
	"This page is made from Pulumi.yaml: `go test ./stack -run TestConfigurationPage -update`. " +
	"A test compares the two, and another the defaults with those of the code.\n\n" +
	"The keys belong in the file of a stack, such as [Pulumi.prod.yaml](../Pulumi.prod.yaml). " +
	"A member of an object can be set by a path as well, such as " +
	"`pulumi config set --path items-api:canary.weight 10`.\n\n" +
	"Each key is shown with its default. A member that is left out of an object has the value shown; " +
	"one that is not shown is empty or off, unless the text says otherwise.\n"

// property is the declaration of a key in Pulumi.yaml.
type property struct {
	Type        string
	Items       struct{ Type string }
	Description string
	Default     yaml.Node
}

// kind is the type of a key in words.
func (p property) kind() string {
	if p.Items.Type == "" {
		return p.Type
	}
	return p.Type + " of " + p.Items.Type + "s"
}

// makeConfigurationPage writes the page from the text of Pulumi.yaml, with the
// keys in the order in which they are declared there.
func makeConfigurationPage(project []byte) (string, error) {
	var file struct{ Config yaml.Node }
	if err := yaml.Unmarshal(project, &file); err != nil {
		return "", fmt.Errorf("reading Pulumi.yaml: %w", err)
	}
	var page strings.Builder
	page.WriteString(configurationHead)
	for i := 0; i+1 < len(file.Config.Content); i += 2 {
		name := file.Config.Content[i]
		var p property
		if err := file.Config.Content[i+1].Decode(&p); err != nil {
			return "", fmt.Errorf("reading %s of Pulumi.yaml: %w", name.Value, err)
		}
		shown, err := shownDefault(name, &p.Default)
		if err != nil {
			return "", fmt.Errorf("writing the default of %s: %w", name.Value, err)
		}
		key := strings.TrimPrefix(name.Value, Namespace+":")
		fmt.Fprintf(&page, "\n## %s\n\n", key)
		page.WriteString(strings.ReplaceAll(p.Description, "*", `\*`))
		if guide := guides[key]; guide != "" {
			fmt.Fprintf(&page, " [More](%s).", guide)
		}
		fmt.Fprintf(&page, "\n\nType: %s.\n\n```yaml\n%s```\n", p.kind(), shown)
	}
	return page.String(), nil
}

// shownDefault is the default of a key as it would be written in a stack's file.
func shownDefault(name, value *yaml.Node) (string, error) {
	var out bytes.Buffer
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(2)
	err := encoder.Encode(&yaml.Node{
		Kind:    yaml.MappingNode,
		Content: []*yaml.Node{name, value},
	})
	return out.String(), err
}

func TestConfigurationPageIsMadeFromTheProjectFile(t *testing.T) {
	project, err := os.ReadFile("../Pulumi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	want, err := makeConfigurationPage(project)
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(configurationPage, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(configurationPage)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Error(
			"docs/configuration.md is out of date: run go test ./stack -run TestConfigurationPage -update",
		)
	}
	for _, key := range Keys() {
		if !strings.Contains(want, "\n## "+key+"\n") {
			t.Errorf("the key %s has no section", key)
		}
	}
}

func TestReadmeLeadsToTheConfigurationPage(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(data), "](docs/configuration.md)") {
		t.Error("README.md has no link to docs/configuration.md")
	}
}

// Some defaults cannot be written in Pulumi.yaml, since they belong to a mode
// that is not the default.
func TestDescriptionNamesTheDefaultsOfOtherModes(t *testing.T) {
	t.Parallel()
	var project struct {
		Config map[string]struct{ Description string }
	}
	read(t, "../Pulumi.yaml", &project)
	auth := project.Config[Namespace+":auth"].Description
	want := fmt.Sprintf("cacheSeconds, 0 to 3600 and by default %d,", defaultAuth().CacheSeconds)
	if !strings.Contains(auth, want) {
		t.Errorf("the description of auth does not say %q: %s", want, auth)
	}
}

func TestGuidesOfKeysExist(t *testing.T) {
	t.Parallel()
	for _, key := range slices.Sorted(maps.Keys(guides)) {
		if !slices.Contains(Keys(), key) {
			t.Errorf("%s has a guide and is not a key", key)
		}
		name, anchor, _ := strings.Cut(guides[key], "#")
		data, err := os.ReadFile(filepath.Join("..", "docs", name))
		if err != nil {
			t.Errorf("the guide of %s: %v", key, err)
			continue
		}
		if anchor != "" && !slices.Contains(anchors(string(data)), anchor) {
			t.Errorf("the guide of %s: docs/%s has no heading for #%s", key, name, anchor)
		}
	}
}

// notInAnchors is what GitHub leaves out of the anchor of a heading.
var notInAnchors = regexp.MustCompile(`[^a-z0-9 _-]`)

// anchors are those of the headings of a page in ASCII.
func anchors(page string) []string {
	var out []string
	for line := range strings.Lines(page) {
		if !strings.HasPrefix(line, "#") {
			continue
		}
		heading := strings.ToLower(strings.TrimSpace(strings.TrimLeft(line, "#")))
		heading = notInAnchors.ReplaceAllString(heading, "")
		out = append(out, strings.ReplaceAll(heading, " ", "-"))
	}
	return out
}
