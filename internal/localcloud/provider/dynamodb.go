package provider

import (
	"context"
	"fmt"
	"regexp"
	"slices"

	"items-api/internal/localcloud/state"
)

const (
	tableType        = "aws:dynamodb/table:Table"
	payPerRequest    = "PAY_PER_REQUEST"
	provisioned      = "PROVISIONED"
	secondaryIndexes = "globalSecondaryIndexes"
)

func dynamodbTypes() []*Type {
	return []*Type{{
		Token:      tableType,
		Properties: tableProperties(),
		Outputs:    []string{"arn", "streamArn", "streamLabel", "tagsAll"},
		Name:       "name", NameMax: 255,
		Check:  checkTable,
		Create: createTable,
		Update: updateTable,
		Delete: deleteTable,
		Found:  foundTable,
		Volatile: func(old, in values) []string {
			if tagsChanged(old, in) {
				return []string{"tagsAll"}
			}
			return nil
		},
	}}
}

func tableProperties() []Property {
	name := matching(
		regexp.MustCompile(`^[a-zA-Z0-9_.-]{3,255}$`),
		"a table name has 3 to 255 letters, digits, '_', '.' or '-'",
	)
	throughput := []Property{
		{
			Name:  "maxReadRequestUnits",
			Kind:  Int,
			Level: Recorded,
		},
		{
			Name:  "maxWriteRequestUnits",
			Kind:  Int,
			Level: Recorded,
		},
	}
	return []Property{
		{
			Name:    "name",
			Kind:    String,
			Level:   Enforced,
			Replace: true,
			Check:   name,
		},
		{
			Name:     "attributes",
			Kind:     Set,
			Level:    Enforced,
			Computed: true,
			Fields: []Property{
				{
					Name:     "name",
					Kind:     String,
					Level:    Enforced,
					Required: true,
				},
				{
					Name:     "type",
					Kind:     String,
					Level:    Enforced,
					Required: true,
				},
			},
		},
		{
			Name:    "billingMode",
			Kind:    String,
			Level:   Enforced,
			Default: provisioned,
			Note:    "provisioned capacity is kept and never throttles",
		},
		{
			Name:  "deletionProtectionEnabled",
			Kind:  Bool,
			Level: Enforced,
		},
		{
			Name:  secondaryIndexes,
			Kind:  Set,
			Level: Enforced,
			Fields: []Property{
				{
					Name:     "name",
					Kind:     String,
					Level:    Enforced,
					Required: true,
					Check:    name,
				},
				{
					Name:     "hashKey",
					Kind:     String,
					Level:    Enforced,
					Required: true,
				},
				{
					Name:  "rangeKey",
					Kind:  String,
					Level: Enforced,
				},
				{
					Name:     "projectionType",
					Kind:     String,
					Level:    Enforced,
					Required: true,
				},
				{
					Name:  "nonKeyAttributes",
					Kind:  Set,
					Elem:  String,
					Level: Enforced,
				},
				{
					Name:  "readCapacity",
					Kind:  Int,
					Level: Recorded,
				},
				{
					Name:  "writeCapacity",
					Kind:  Int,
					Level: Recorded,
				},
				{
					Name:   "onDemandThroughput",
					Kind:   Object,
					Level:  Recorded,
					Fields: throughput,
				},
			},
		},
		{
			Name:     "hashKey",
			Kind:     String,
			Level:    Enforced,
			Computed: true,
			Replace:  true,
		},
		{
			Name:  "importTable",
			Kind:  Object,
			Level: Refused,
			Note:  "there is no S3 to import from",
		},
		{
			Name:    "localSecondaryIndexes",
			Kind:    Set,
			Level:   Enforced,
			Replace: true,
			Fields: []Property{
				{
					Name:     "name",
					Kind:     String,
					Level:    Enforced,
					Required: true,
					Check:    name,
				},
				{
					Name:     "rangeKey",
					Kind:     String,
					Level:    Enforced,
					Required: true,
				},
				{
					Name:     "projectionType",
					Kind:     String,
					Level:    Enforced,
					Required: true,
				},
				{
					Name:  "nonKeyAttributes",
					Kind:  List,
					Elem:  String,
					Level: Enforced,
				},
			},
		},
		{
			Name:   "onDemandThroughput",
			Kind:   Object,
			Level:  Recorded,
			Fields: throughput,
		},
		{
			Name:     "pointInTimeRecovery",
			Kind:     Object,
			Level:    Recorded,
			Computed: true,
			Note:     "the local database has no backups",
			Fields: []Property{
				{
					Name:     "enabled",
					Kind:     Bool,
					Level:    Recorded,
					Required: true,
				},
				{
					Name:     "recoveryPeriodInDays",
					Kind:     Int,
					Level:    Recorded,
					Computed: true,
					Check:    between(1, 35),
				},
			},
		},
		{
			Name:    "rangeKey",
			Kind:    String,
			Level:   Enforced,
			Replace: true,
		},
		{
			Name:     "readCapacity",
			Kind:     Int,
			Level:    Recorded,
			Computed: true,
		},
		{
			Name:  "replicas",
			Kind:  Set,
			Level: Refused,
			Note:  "the local cloud has one region",
		},
		{
			Name:  "restoreDateTime",
			Kind:  String,
			Level: Refused,
			Note:  "the local database has no backups",
		},
		{
			Name:  "restoreSourceName",
			Kind:  String,
			Level: Refused,
			Note:  "the local database has no backups",
		},
		{
			Name:  "restoreSourceTableArn",
			Kind:  String,
			Level: Refused,
			Note:  "the local database has no backups",
		},
		{
			Name:  "restoreToLatestTime",
			Kind:  Bool,
			Level: Refused,
			Note:  "the local database has no backups",
		},
		{
			Name:     "serverSideEncryption",
			Kind:     Object,
			Level:    Recorded,
			Computed: true,
			Fields: []Property{
				{
					Name:     "enabled",
					Kind:     Bool,
					Level:    Recorded,
					Required: true,
				},
				{
					Name:     "kmsKeyArn",
					Kind:     String,
					Level:    Recorded,
					Computed: true,
					Note:     "a key of this account must exist and be enabled",
				},
			},
		},
		{
			Name:  "streamEnabled",
			Kind:  Bool,
			Level: Refused,
			Only:  []any{false},
			Note:  "nothing reads streams locally",
		},
		{
			Name:  "streamViewType",
			Kind:  String,
			Level: Refused,
			Note:  "nothing reads streams locally",
		},
		{
			Name:  "tableClass",
			Kind:  String,
			Level: Recorded,
		},
		tags(),
		{
			Name:     "ttl",
			Kind:     Object,
			Level:    Enforced,
			Computed: true,
			Note:     "expired items go within a second or so, on AWS typically within 48 hours",
			Fields: []Property{
				{
					Name:  "attributeName",
					Kind:  String,
					Level: Enforced,
				},
				{
					Name:    "enabled",
					Kind:    Bool,
					Level:   Enforced,
					Default: false,
				},
			},
		},
		{
			Name:     "writeCapacity",
			Kind:     Int,
			Level:    Recorded,
			Computed: true,
		},
	}
}

// checkTable tests that the attributes are exactly those of the keys.
func checkTable(_ *Provider, in values) []Failure {
	if !known(map[string]any(in)) {
		return nil
	}
	var out []Failure
	if !in.has("hashKey") {
		out = append(out, Failure{"hashKey", `missing required property "hashKey"`})
	}
	used := []string{in.str("hashKey")}
	if in.has("rangeKey") {
		used = append(used, in.str("rangeKey"))
	}
	for _, index := range []string{secondaryIndexes, "localSecondaryIndexes"} {
		for _, e := range in.list(index) {
			i := values(e.(map[string]any))
			used = append(used, i.str("hashKey"), i.str("rangeKey"))
		}
	}
	if len(in.list("localSecondaryIndexes")) > 0 && !in.has("rangeKey") {
		out = append(
			out,
			Failure{"localSecondaryIndexes", "a local secondary index needs a table with a range key"},
		)
	}
	if n := len(in.list("localSecondaryIndexes")); n > 5 {
		out = append(
			out,
			Failure{
				"localSecondaryIndexes",
				fmt.Sprintf("a table has at most 5 local secondary indexes, not %d", n),
			},
		)
	}
	if n := len(in.list(secondaryIndexes)); n > 20 {
		out = append(
			out,
			Failure{
				secondaryIndexes,
				fmt.Sprintf("a table has at most 20 global secondary indexes by default, not %d", n),
			},
		)
	}
	var defined []string
	for _, e := range in.list("attributes") {
		a := values(e.(map[string]any)).str("name")
		defined = append(defined, a)
		if !slices.Contains(used, a) {
			out = append(
				out,
				Failure{
					"attributes",
					fmt.Sprintf(
						"all attributes must be indexed: %q is no key of the table or of an index",
						a,
					),
				},
			)
		}
	}
	for _, u := range used {
		if u != "" && !slices.Contains(defined, u) {
			out = append(
				out,
				Failure{"attributes", fmt.Sprintf("the key attribute %q is not defined in attributes", u)},
			)
		}
	}
	if in.str("billingMode") == provisioned &&
		(in.number("readCapacity") < 1 || in.number("writeCapacity") < 1) {
		out = append(
			out,
			Failure{
				"billingMode",
				"provisioned tables need readCapacity and writeCapacity of at least 1; set billingMode to " +
					"PAY_PER_REQUEST for a table on demand",
			},
		)
	}
	if ttl := in.object("ttl"); ttl.boolean("enabled") && ttl.str("attributeName") == "" {
		out = append(out, Failure{"ttl.attributeName", "an enabled ttl needs an attributeName"})
	}
	return out
}

func tableRecord(p *Provider, in values) state.Record {
	name := in.str("name")
	props := base(in)
	props["arn"] = p.arn("dynamodb", "table/"+name)
	props["streamArn"], props["streamLabel"] = "", ""
	props["tagsAll"] = tagsOf(in)
	if sse := in.object("serverSideEncryption"); sse != nil {
		props["serverSideEncryption"] = merged(sse, "kmsKeyArn", "")
	}
	if !in.has("pointInTimeRecovery") {
		props["pointInTimeRecovery"] = map[string]any{"enabled": false}
	} else if pitr := in.object("pointInTimeRecovery"); pitr.boolean("enabled") && !pitr.has("recoveryPeriodInDays") {
		props["pointInTimeRecovery"] = merged(pitr, "recoveryPeriodInDays", 35.0)
	}
	for _, capacity := range []string{"readCapacity", "writeCapacity"} {
		if !in.has(capacity) {
			props[capacity] = 0.0
		}
	}
	return state.Record{ID: name, Properties: props}
}

func createTable(ctx context.Context, p *Provider, in values) (state.Record, error) {
	rec := tableRecord(p, in)
	if _, err := p.Store.Get(tableType, rec.ID); err == nil {
		return rec, fmt.Errorf("ResourceInUseException: Table already exists: %s", rec.ID)
	}
	if err := p.tableKey(in); err != nil {
		return rec, err
	}
	if err := p.makeTable(ctx, in); err != nil {
		return rec, err
	}
	p.noteRecovery(&rec)
	return rec, p.setTTL(ctx, in)
}

func updateTable(ctx context.Context, p *Provider, old state.Record, in values) (state.Record, error) {
	rec := tableRecord(p, in)
	rec.Private = old.Private
	p.noteRecovery(&rec)
	if err := p.tableKey(in); err != nil {
		return rec, err
	}
	if err := p.changeIndexes(ctx, values(old.Properties), in); err != nil {
		return rec, err
	}
	return rec, p.setTTL(ctx, in)
}

func deleteTable(ctx context.Context, p *Provider, r state.Record) error {
	if values(r.Properties).boolean("deletionProtectionEnabled") {
		return fmt.Errorf(
			"ValidationException: Table '%s' can't be deleted while DeletionProtectionEnabled is set to "+
				"True: set deletionProtectionEnabled to false, deploy, and delete then",
			r.ID,
		)
	}
	return p.Cloud.EraseAfter(ctx, func() error { return p.dropTable(ctx, r.ID) })
}
