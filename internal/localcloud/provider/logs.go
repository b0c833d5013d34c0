package provider

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"items-api/internal/localcloud/state"
)

const logGroupType = "aws:cloudwatch/logGroup:LogGroup"

// Retention holds the days that CloudWatch Logs accepts for a log group's
// retention; 0 means for ever. Source: PutRetentionPolicy, CloudWatch Logs
// API reference.
var retention = []float64{
	0, 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288,
	3653,
}

func logTypes() []*Type {
	return []*Type{{
		Token: logGroupType,
		Properties: []Property{
			{
				Name:    "name",
				Kind:    String,
				Level:   Enforced,
				Replace: true,
				Check:   logGroupName,
			},
			{
				Name:     "namePrefix",
				Kind:     String,
				Level:    Enforced,
				Replace:  true,
				Computed: true,
			},
			{
				Name:  "kmsKeyId",
				Kind:  String,
				Level: Recorded,
				Note:  "a key of this account must exist, be enabled, and let CloudWatch Logs use it",
			},
			{
				Name:     "logGroupClass",
				Kind:     String,
				Level:    Recorded,
				Computed: true,
				Replace:  true,
			},
			{
				Name:    "retentionInDays",
				Kind:    Int,
				Level:   Recorded,
				Default: 0.0,
				Check: func(v any) error {
					if n, ok := v.(float64); !ok || !slices.Contains(retention, n) {
						return fmt.Errorf("it must be one of %v", retention)
					}
					return nil
				},
				Note: "log files are bounded by their size, and removed with the group",
			},
			{
				Name:    "skipDestroy",
				Kind:    Bool,
				Level:   Enforced,
				Default: false,
			},
			tags(),
		},
		Outputs:    []string{"arn", "tagsAll"},
		Name:       "name",
		NameMax:    512,
		NamePrefix: "namePrefix",
		Create: func(_ context.Context, p *Provider, in values) (state.Record, error) {
			rec := logGroupRecord(p, in)
			if _, err := p.Store.Get(logGroupType, rec.ID); err == nil {
				return rec, fmt.Errorf(
					"ResourceAlreadyExistsException: The specified log group already exists: %s",
					rec.ID,
				)
			}
			return rec, p.logKey(in)
		},
		Update: func(_ context.Context, p *Provider, old state.Record, in values) (state.Record, error) {
			rec := logGroupRecord(p, in)
			rec.Private = old.Private
			return rec, p.logKey(in)
		},
		Removed: func(ctx context.Context, p *Provider, r state.Record) error {
			if r.Properties["skipDestroy"] == true {
				return nil
			}
			return p.Cloud.RemoveLogGroup(ctx, r.ID)
		},
		Volatile: volatileTags,
	}}
}

// HasLogGroup reports whether there is a log group of a name.
func (p *Provider) HasLogGroup(name string) bool {
	_, err := p.Store.Get(logGroupType, name)
	return err == nil
}

// LogGroups returns the names of all log groups, sorted.
func (p *Provider) LogGroups() []string {
	var out []string
	for _, r := range p.Store.List(logGroupType) {
		out = append(out, r.ID)
	}
	return out
}

func volatileTags(old, in values) []string {
	if tagsChanged(old, in) {
		return []string{"tagsAll"}
	}
	return nil
}

var logGroupPattern = regexp.MustCompile(`^[.\-_/#A-Za-z0-9]{1,512}$`)

func logGroupName(v any) error {
	s, _ := v.(string)
	if !logGroupPattern.MatchString(s) {
		return fmt.Errorf("a log group's name has 1 to 512 letters, digits, '.', '-', '_', '/' or '#'")
	}
	if strings.HasPrefix(s, "aws/") {
		return fmt.Errorf("a log group's name must not start with aws/")
	}
	return nil
}

func logGroupRecord(p *Provider, in values) state.Record {
	props := base(in)
	props["arn"] = p.LogGroupARN(in.str("name"))
	props["tagsAll"] = tagsOf(in)
	if !in.has("logGroupClass") {
		props["logGroupClass"] = "STANDARD"
	}
	return state.Record{ID: in.str("name"), Properties: props}
}

// LogGroupARN returns the ARN of a log group.
func (p *Provider) LogGroupARN(name string) string { return p.arn("logs", "log-group:"+name) }
