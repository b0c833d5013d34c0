package provider

import (
	"fmt"
	"time"

	"items-api/internal/localcloud/dynamodb"
	"items-api/internal/localcloud/state"
)

// What the record of a table says to those who ask the database: its tags and
// its backups. They may be changed there, too; the engine sees that when it
// refreshes, as on AWS.

// privateRecovery is when point-in-time recovery was switched on, RFC 3339.
const privateRecovery = "recoverySince"

// noteRecovery enters since when a table can be restored.
func (p *Provider) noteRecovery(rec *state.Record) {
	enabled := values(rec.Properties).object("pointInTimeRecovery").boolean("enabled")
	switch {
	case !enabled:
		delete(rec.Private, privateRecovery)
	case rec.Private[privateRecovery] == "":
		if rec.Private == nil {
			rec.Private = map[string]string{}
		}
		rec.Private[privateRecovery] = p.Now().UTC().Format(time.RFC3339)
	}
}

// Notes returns what the record of a table says, or false without one.
func (p *Provider) Notes(table string) (dynamodb.Notes, bool) {
	rec, err := p.Store.Get(tableType, table)
	if err != nil {
		return dynamodb.Notes{}, false
	}
	props := values(rec.Properties)
	n := dynamodb.Notes{Tags: map[string]string{}}
	for k, v := range props.object("tagsAll") {
		n.Tags[k] = fmt.Sprint(v)
	}
	if recovery := props.object("pointInTimeRecovery"); recovery.boolean("enabled") {
		n.RecoveryDays = int(recovery.number("recoveryPeriodInDays"))
		n.RecoverySince = rec.Created
		if since, err := time.Parse(time.RFC3339, rec.Private[privateRecovery]); err == nil {
			n.RecoverySince = since
		}
	}
	return n, true
}

// SetNotes changes the record of a table.
func (p *Provider) SetNotes(table string, n dynamodb.Notes) error {
	p.mutate.Lock()
	defer p.mutate.Unlock()
	rec, err := p.Store.Get(tableType, table)
	if err != nil {
		return err
	}
	before, _ := p.Notes(table)
	for _, name := range []string{"tags", "tagsAll"} {
		tags := changedTags(values(rec.Properties).object(name), before.Tags, n.Tags)
		if len(tags) > 0 || rec.Properties[name] != nil {
			rec.Properties[name] = tags
		}
	}
	rec.Properties["pointInTimeRecovery"] = map[string]any{"enabled": false}
	delete(rec.Private, privateRecovery)
	if n.RecoveryDays > 0 {
		rec.Properties["pointInTimeRecovery"] = map[string]any{
			"enabled":              true,
			"recoveryPeriodInDays": float64(n.RecoveryDays),
		}
		if rec.Private == nil {
			rec.Private = map[string]string{}
		}
		rec.Private[privateRecovery] = n.RecoverySince.UTC().Format(time.RFC3339)
	}
	return p.Store.Put(rec)
}

// changedTags makes the change from before to after in tags.
func changedTags(tags values, before, after map[string]string) map[string]any {
	out := map[string]any{}
	for k, v := range tags {
		out[k] = v
	}
	for k, v := range after {
		if old, there := before[k]; !there || old != v {
			out[k] = v
		}
	}
	for k := range before {
		if _, there := after[k]; !there {
			delete(out, k)
		}
	}
	return out
}
