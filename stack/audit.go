package stack

import "items-api/components"

// Audit is the configuration key audit.
type Audit struct {
	Enabled       bool `json:"enabled"`
	RetentionDays int  `json:"retentionDays"`
}

func defaultAudit() Audit { return Audit{RetentionDays: 365} }

func (p *parser) audit(text string) Audit {
	a := defaultAudit()
	if p.object(text, &a) != nil && (a.RetentionDays < 1 || a.RetentionDays > components.MaxAuditDays) {
		p.fail("holds retentionDays %d; it must be from 1 to %d", a.RetentionDays, components.MaxAuditDays)
	}
	return a
}
