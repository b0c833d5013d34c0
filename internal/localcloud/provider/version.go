package provider

import (
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"items-api/internal/localcloud/runtime"
	"items-api/internal/localcloud/state"
)

const (
	// privateVersion precedes the number of a published version among the
	// private notes of a function, privateVersions is the highest number ever.
	privateVersion  = "version:"
	privateVersions = "versions"
	// keptVersions is how many of the newest versions are kept beside those that
	// an alias needs. AWS keeps all until its 75 GB of code are used up.
	keptVersions = 20
)

// version is a published version: the function as it was.
type version struct {
	Function   runtime.Function
	Size       int64
	Properties map[string]any // those of versioned
}

// versioned are the properties whose change makes a new version. Source:
// needsFunctionConfigUpdate and needsFunctionCodeUpdate of the AWS provider.
var versioned = []string{
	"architectures",
	"codeSha256",
	"deadLetterConfig",
	"description",
	"environment",
	"ephemeralStorage",
	"fileSystemConfig",
	"handler",
	"imageConfig",
	"kmsKeyArn",
	"layers",
	"loggingConfig",
	"memorySize",
	"role",
	"runtime",
	"snapStart",
	"timeout",
	"tracingConfig",
	"vpcConfig",
}

var versionNumber = regexp.MustCompile(`^[1-9][0-9]*$`)

// publish makes a version of the function as the record says, unless nothing
// has changed since the last one, and enters its number. Source:
// PublishVersion, Lambda API reference.
func (p *Provider) publish(rec *state.Record, pkg Package) error {
	v := version{
		Function:   runnable(*rec),
		Size:       pkg.Size,
		Properties: map[string]any{},
	}
	for _, name := range versioned {
		if value, ok := rec.Properties[name]; ok {
			v.Properties[name] = value
		}
	}
	last, err := strconv.Atoi(rec.Private[privateVersions])
	if rec.Private[privateVersions] != "" && err != nil {
		return fmt.Errorf("the record of the function %s is damaged: %w", rec.ID, err)
	}
	number := strconv.Itoa(last)
	if old, err := versionOf(*rec, number); err != nil || !reflect.DeepEqual(old.Properties, v.Properties) {
		number = strconv.Itoa(last + 1)
		v.Function.Version, v.Function.Reserved = number, nil
		data, err := json.Marshal(v)
		if err != nil {
			return fmt.Errorf("encoding a version of the function %s: %w", rec.ID, err)
		}
		rec.Private[privateVersions], rec.Private[privateVersion+number] = number, string(data)
		p.pruneVersions(rec, last+1)
	}
	arn := values(rec.Properties).str("arn")
	rec.Properties["version"], rec.Properties["qualifiedArn"] = number, arn+":"+number
	rec.Properties["qualifiedInvokeArn"] = p.invokeARN(arn + ":" + number)
	return nil
}

// pruneVersions forgets old versions that no alias needs.
func (p *Provider) pruneVersions(rec *state.Record, newest int) {
	needed := map[string]bool{}
	for _, n := range p.Serving(rec.ID) {
		needed[n] = true
	}
	for key := range rec.Private {
		number, ok := strings.CutPrefix(key, privateVersion)
		if n, err := strconv.Atoi(number); ok && err == nil && n <= newest-keptVersions && !needed[number] {
			delete(rec.Private, key)
		}
	}
}

func versionOf(rec state.Record, number string) (version, error) {
	data, ok := rec.Private[privateVersion+number]
	if !ok {
		return version{}, fmt.Errorf(
			"ResourceNotFoundException: Function not found: %s:%s",
			values(rec.Properties).str("arn"),
			number,
		)
	}
	var v version
	if err := json.Unmarshal([]byte(data), &v); err != nil {
		return v, fmt.Errorf(
			"the record of the version %s of the function %s is damaged: %w",
			number,
			rec.ID,
			err,
		)
	}
	return v, nil
}

// Version returns what the runtime must know of a version of a function, a
// number or $LATEST. The reservation is that of the function.
func (p *Provider) Version(name, number string) (runtime.Function, error) {
	f, err := p.Function(name)
	if err != nil || number == latest {
		return f, err
	}
	rec, err := p.Store.Get(functionType, name)
	if err != nil {
		return f, err
	}
	v, err := versionOf(rec, number)
	if err != nil {
		return f, err
	}
	v.Function.Reserved = f.Reserved
	return v.Function, nil
}

// Packages returns the packages that a function and its versions need.
func (p *Provider) Packages(name string) ([]string, error) {
	rec, err := p.Store.Get(functionType, name)
	if err != nil {
		return nil, err
	}
	out := []string{rec.Private[privatePackage]}
	for key := range rec.Private {
		if number, ok := strings.CutPrefix(key, privateVersion); ok {
			v, err := versionOf(rec, number)
			if err != nil {
				return nil, err
			}
			out = append(out, v.Function.Package)
		}
	}
	return out, nil
}

// publishes returns the outputs that publishing makes unknown in a preview.
func publishes(old, in values) []string {
	changed := old.boolean("publish") != in.boolean("publish")
	for _, prop := range functionProperties() {
		if slices.Contains(versioned, prop.Name) &&
			len(diffObject("", []Property{prop}, old, in, false)) > 0 {
			changed = true
		}
	}
	if !same(Property{Kind: Archive}, old["code"], in["code"]) {
		changed = true
	}
	if !changed || !in.boolean("publish") && !old.boolean("publish") {
		return nil
	}
	return []string{"version", "qualifiedArn", "qualifiedInvokeArn"}
}
