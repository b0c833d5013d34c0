package dynamodb

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// The operations that the database does not know, and that the gate answers
// itself. Messages are those that dynalite, which is tested against DynamoDB,
// and the API reference have.
const (
	dynamodbPrefix = "com.amazonaws.dynamodb.v20120810#"
	validation     = "com.amazon.coral.validate#ValidationException"

	// maxTags is how many tags a table has at most, and maxTagKey and
	// maxTagValue how many characters one has. Source: DynamoDB developer
	// guide, "Tagging restrictions".
	maxTags, maxTagKey, maxTagValue = 50, 128, 256

	// recoveryDelay is by how much the last restorable time is behind. Source:
	// DynamoDB developer guide, "Point-in-time recovery: How it works".
	recoveryDelay = 5 * time.Minute
)

// answers are those of the gate, by operation. What they return is encoded
// as JSON; nil is an empty body.
var answers = map[string]func(d *Database, ctx context.Context, data []byte) (any, error){
	"TagResource":               (*Database).tagResource,
	"UntagResource":             (*Database).untagResource,
	"ListTagsOfResource":        (*Database).listTags,
	"DescribeEndpoints":         (*Database).describeEndpoints,
	"DescribeContinuousBackups": (*Database).describeBackups,
	"UpdateContinuousBackups":   (*Database).updateBackups,
}

// Error makes a fault an error of the answers above.
func (f *fault) Error() string { return f.message }

func invalid(format string, args ...any) *fault {
	return &fault{http.StatusBadRequest, validation, fmt.Sprintf(format, args...)}
}

// answerOwn answers a call that the database does not know.
func (d *Database) answerOwn(ctx context.Context, data []byte, call *Call) answered {
	d.noting.Lock()
	defer d.noting.Unlock()
	out, err := answers[call.Operation](d, ctx, data)
	var f *fault
	switch {
	case errors.As(err, &f):
		return f.answer(call)
	case err != nil:
		d.Log(err.Error())
		return internalError().answer(call)
	case out == nil:
		return answered{status: http.StatusOK}
	}
	return answered{status: http.StatusOK, body: must(out)}
}

// tag is a tag as the API has it.
type tag struct{ Key, Value string }

// tagged returns the table that an ARN names, which must exist.
func (d *Database) tagged(ctx context.Context, arn string) (string, error) {
	if arn == "" {
		return "", invalid("Invalid TableArn")
	}
	name, ours := strings.CutPrefix(arn, d.table(""))
	if !ours || !tableName.MatchString(name) {
		return "", invalid("Invalid TableArn: Invalid ResourceArn provided as input %s", arn)
	}
	return name, d.exists(ctx, name, "Requested resource not found: ResourcArn: "+arn+" not found")
}

// exists tests that there is a table, and fails with a message if not.
func (d *Database) exists(ctx context.Context, name, otherwise string) error {
	_, err := d.Client().DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &name})
	var missing *types.ResourceNotFoundException
	if errors.As(err, &missing) {
		return &fault{http.StatusBadRequest, dynamodbPrefix + "ResourceNotFoundException", otherwise}
	}
	return err
}

func (d *Database) tagResource(ctx context.Context, data []byte) (any, error) {
	var arn string
	var tags []tag
	if err := members(data, map[string]any{"ResourceArn": &arn, "Tags": &tags}); err != nil {
		return nil, serialization(err)
	}
	if arn != "" && len(tags) == 0 {
		return nil, invalid("Atleast one Tag needs to be provided as Input.")
	}
	name, err := d.tagged(ctx, arn)
	if err != nil {
		return nil, err
	}
	n := d.notes(name)
	all, wrong := withTags(n.Tags, tags)
	if wrong != nil {
		return nil, wrong
	}
	n.Tags = all
	return nil, d.setNotes(name, n)
}

// withTags returns tags with others added.
func withTags(old map[string]string, more []tag) (map[string]string, *fault) {
	out := maps.Clone(old)
	if out == nil {
		out = map[string]string{}
	}
	for _, t := range more {
		switch {
		case t.Key == "" || len([]rune(t.Key)) > maxTagKey:
			return nil, invalid(
				"One or more parameter values were invalid: a tag key has 1 to %d characters: %q",
				maxTagKey,
				t.Key,
			)
		case len([]rune(t.Value)) > maxTagValue:
			return nil, invalid(
				"One or more parameter values were invalid: the value of the tag %s has more than "+
					"%d characters",
				t.Key,
				maxTagValue,
			)
		case strings.HasPrefix(strings.ToLower(t.Key), "aws:"):
			return nil, invalid(
				"One or more parameter values were invalid: the tag key %s begins with aws:, "+
					"which is reserved",
				t.Key,
			)
		}
		out[t.Key] = t.Value
	}
	if len(out) > maxTags {
		return nil, invalid(
			"One or more parameter values were invalid: a table has at most %d tags, not %d",
			maxTags,
			len(out),
		)
	}
	return out, nil
}

// checkTags tests the tags that a table is made with.
func checkTags(body []byte) *fault {
	var tags []tag
	if err := members(body, map[string]any{"Tags": &tags}); err != nil {
		return serialization(err)
	}
	_, wrong := withTags(nil, tags)
	return wrong
}

// noteTable keeps the tags of a table that was made through the gate, and
// drops what was known of one that is gone.
func (d *Database) noteTable(operation string, body []byte) {
	var given string
	var tags []tag
	err := members(body, map[string]any{"TableName": &given, "Tags": &tags})
	name, err2 := d.canonical(given)
	if operation == "UpdateTable" || err != nil || err2 != nil {
		return
	}
	d.noting.Lock()
	defer d.noting.Unlock()
	var n *Notes
	if all, wrong := withTags(nil, tags); wrong == nil && len(all) > 0 && operation == "CreateTable" {
		n = &Notes{Tags: all}
	}
	if n == nil && !d.notebook.has(name) {
		return
	}
	if err := d.notebook.set(name, n); err != nil {
		d.Log(err.Error())
	}
}

func (d *Database) untagResource(ctx context.Context, data []byte) (any, error) {
	var arn string
	var keys []string
	if err := members(data, map[string]any{"ResourceArn": &arn, "TagKeys": &keys}); err != nil {
		return nil, serialization(err)
	}
	if arn != "" && len(keys) == 0 {
		return nil, invalid("Atleast one Tag Key needs to be provided as Input.")
	}
	name, err := d.tagged(ctx, arn)
	if err != nil {
		return nil, err
	}
	n := d.notes(name)
	n.Tags = maps.Clone(n.Tags)
	for _, k := range keys {
		delete(n.Tags, k)
	}
	return nil, d.setNotes(name, n)
}

func (d *Database) listTags(ctx context.Context, data []byte) (any, error) {
	var arn string
	if err := members(data, map[string]any{"ResourceArn": &arn}); err != nil {
		return nil, serialization(err)
	}
	name, err := d.tagged(ctx, arn)
	if err != nil {
		return nil, err
	}
	tags := d.notes(name).Tags
	out := []tag{}
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		out = append(out, tag{k, tags[k]})
	}
	return map[string]any{"Tags": out}, nil
}

// describeEndpoints names the gate itself. Source of the period: an answer of
// DynamoDB in the API reference, "DescribeEndpoints".
func (d *Database) describeEndpoints(context.Context, []byte) (any, error) {
	host := strings.TrimPrefix(d.endpoint, "http://")
	return map[string]any{"Endpoints": []any{map[string]any{
		"Address":              host,
		"CachePeriodInMinutes": 1440,
	}}}, nil
}

// backedUp returns the table that a request names, which must exist.
func (d *Database) backedUp(ctx context.Context, given string) (string, error) {
	name, err := d.canonical(given)
	if err != nil {
		return "", invalid("%v", err)
	}
	missing := &fault{
		http.StatusBadRequest,
		dynamodbPrefix + "TableNotFoundException",
		"Table not found: " + name,
	}
	if err = d.exists(ctx, name, missing.message); err != nil {
		var f *fault
		if errors.As(err, &f) {
			return "", missing
		}
	}
	return name, err
}

func (d *Database) describeBackups(ctx context.Context, data []byte) (any, error) {
	var given string
	if err := members(data, map[string]any{"TableName": &given}); err != nil {
		return nil, serialization(err)
	}
	name, err := d.backedUp(ctx, given)
	if err != nil {
		return nil, err
	}
	return d.backups(d.notes(name)), nil
}

// backups describes what could be restored on AWS. Continuous backups are
// enabled for every table; point-in-time recovery is what is switched on and off.
func (d *Database) backups(n Notes) any {
	recovery := map[string]any{"PointInTimeRecoveryStatus": "DISABLED"}
	if n.RecoveryDays > 0 {
		now := d.Now()
		earliest, last := n.RecoverySince, now.Add(-recoveryDelay)
		if oldest := now.AddDate(0, 0, -n.RecoveryDays); earliest.Before(oldest) {
			earliest = oldest
		}
		if last.Before(earliest) {
			last = earliest
		}
		recovery = map[string]any{
			"PointInTimeRecoveryStatus":  "ENABLED",
			"RecoveryPeriodInDays":       n.RecoveryDays,
			"EarliestRestorableDateTime": seconds(earliest),
			"LatestRestorableDateTime":   seconds(last),
		}
	}
	return map[string]any{"ContinuousBackupsDescription": map[string]any{
		"ContinuousBackupsStatus":        "ENABLED",
		"PointInTimeRecoveryDescription": recovery,
	}}
}

// seconds is a time as the JSON protocol has it.
func seconds(t time.Time) json.Number {
	return json.Number(fmt.Sprintf("%.3f", float64(t.UnixMilli())/1000))
}

// maxRecovery is for how many days a table can be restored at most, and if
// nothing else is said. Source: API reference, "PointInTimeRecoverySpecification".
const maxRecovery = 35

func (d *Database) updateBackups(ctx context.Context, data []byte) (any, error) {
	var given string
	var spec json.RawMessage
	if err := members(data, map[string]any{
		"TableName":                        &given,
		"PointInTimeRecoverySpecification": &spec,
	}); err != nil {
		return nil, serialization(err)
	}
	if len(spec) == 0 {
		return nil, invalid(
			"1 validation error detected: Value null at 'pointInTimeRecoverySpecification' failed to " +
				"satisfy constraint: Member must not be null",
		)
	}
	enabled, days := false, maxRecovery
	if err := members(spec, map[string]any{
		"PointInTimeRecoveryEnabled": &enabled,
		"RecoveryPeriodInDays":       &days,
	}); err != nil {
		return nil, serialization(err)
	}
	if days < 1 || days > maxRecovery {
		return nil, invalid(
			"One or more parameter values were invalid: RecoveryPeriodInDays is from 1 to %d, not %d",
			maxRecovery,
			days,
		)
	}
	name, err := d.backedUp(ctx, given)
	if err != nil {
		return nil, err
	}
	n := d.notes(name)
	switch {
	case !enabled:
		n.RecoveryDays, n.RecoverySince = 0, time.Time{}
	case n.RecoveryDays == 0:
		n.RecoveryDays, n.RecoverySince = days, d.Now().UTC()
	default:
		n.RecoveryDays = days
	}
	return d.backups(n), d.setNotes(name, n)
}
