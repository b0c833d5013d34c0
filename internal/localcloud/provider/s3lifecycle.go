package provider

import (
	"fmt"
	"time"
)

// storageClasses are what objects move to. Source: S3 API reference,
// Transition.
func lifecycleType() *Type {
	t := bucketPart(bucketLifecycleType, nil, ofBucket(), Property{
		Name:     "expectedBucketOwner",
		Kind:     String,
		Level:    Enforced,
		Computed: true,
		Replace:  true,
		Check:    bucketOwner().Check,
	},
		Property{
			Name:     "rules",
			Kind:     List,
			Level:    Recorded,
			Required: true,
			Note:     noObjects,
			Check:    lifecycleRules,
			Fields:   lifecycleRuleProperties(),
		},
		Property{
			Name:  "timeouts",
			Kind:  Object,
			Level: Recorded,
			Note:  "no operation takes long",
			Fields: []Property{
				{
					Name:  "create",
					Kind:  String,
					Level: Recorded,
				},
				{
					Name:  "update",
					Kind:  String,
					Level: Recorded,
				},
			},
		},
		Property{
			Name:    "transitionDefaultMinimumObjectSize",
			Kind:    String,
			Level:   Recorded,
			Default: "all_storage_classes_128K",
			Check:   oneOf("all_storage_classes_128K", "varies_by_storage_class"),
			Note:    noObjects,
		})
	return t
}

func lifecycleRuleProperties() []Property {
	days := func(name string, low float64, required bool) Property {
		return Property{
			Name:     name,
			Kind:     Int,
			Level:    Recorded,
			Required: required,
			Check:    between(low, 1<<31-1),
		}
	}
	date := Property{
		Name:  "date",
		Kind:  String,
		Level: Recorded,
		Check: fullDate,
	}
	class := Property{
		Name:     "storageClass",
		Kind:     String,
		Level:    Recorded,
		Required: true,
	}
	text := func(name string, required bool) Property {
		return Property{
			Name:     name,
			Kind:     String,
			Level:    Recorded,
			Required: required,
		}
	}
	sizes := []Property{
		days("objectSizeGreaterThan", 0, false),
		days("objectSizeLessThan", 1, false),
		text("prefix", false),
	}
	return []Property{
		{
			Name:   "abortIncompleteMultipartUpload",
			Kind:   Object,
			Level:  Recorded,
			Fields: []Property{days("daysAfterInitiation", 1, false)},
		},
		{
			Name:  "expiration",
			Kind:  Object,
			Level: Recorded,
			Fields: []Property{date, days("days", 1, false), {
				Name:  "expiredObjectDeleteMarker",
				Kind:  Bool,
				Level: Recorded,
			}},
		},
		{
			Name:  "filter",
			Kind:  Object,
			Level: Recorded,
			Fields: append([]Property{
				{
					Name:  "and",
					Kind:  Object,
					Level: Recorded,
					Fields: append([]Property{{
						Name:  "tags",
						Kind:  Map,
						Elem:  String,
						Level: Recorded,
					}}, sizes...),
				},
				{
					Name:   "tag",
					Kind:   Object,
					Level:  Recorded,
					Fields: []Property{text("key", true), text("value", true)},
				},
			}, sizes...),
		},
		{
			Name:     "id",
			Kind:     String,
			Level:    Recorded,
			Required: true,
			Check:    length(1, 255),
		},
		{
			Name:   "noncurrentVersionExpiration",
			Kind:   Object,
			Level:  Recorded,
			Fields: []Property{days("newerNoncurrentVersions", 1, false), days("noncurrentDays", 1, true)},
		},
		{
			Name:  "noncurrentVersionTransitions",
			Kind:  Set,
			Level: Recorded,
			Fields: []Property{
				days("newerNoncurrentVersions", 1, false),
				days("noncurrentDays", 0, true),
				class,
			},
		},
		text("prefix", false),
		{
			Name:     "status",
			Kind:     String,
			Level:    Recorded,
			Required: true,
		},
		{
			Name:   "transitions",
			Kind:   Set,
			Level:  Recorded,
			Fields: []Property{date, days("days", 0, false), class},
		},
	}
}

// fullDate tests a date at midnight, which is when S3 acts.
func fullDate(v any) error {
	s, _ := v.(string)
	t, err := time.Parse(time.RFC3339, s)
	if err != nil || !t.Equal(t.Truncate(24*time.Hour)) {
		return fmt.Errorf("it must be a date at midnight UTC such as 2030-01-31T00:00:00Z")
	}
	return nil
}

// lifecycleRules tests that rules are told apart by their ids, and that each
// does something.
func lifecycleRules(v any) error {
	l, _ := v.([]any)
	if len(l) == 0 || len(l) > 1000 {
		return fmt.Errorf("there must be 1 to 1000 rules, not %d", len(l))
	}
	seen := map[string]bool{}
	for _, e := range l {
		rule, _ := e.(map[string]any)
		r := values(rule)
		if id := r.str("id"); seen[id] {
			return fmt.Errorf("the id %q stands twice", id)
		}
		seen[r.str("id")] = true
		if r.has("filter") && r.str("prefix") != "" {
			return fmt.Errorf("the rule %q must have either filter or prefix", r.str("id"))
		}
		acts := false
		for _, action := range []string{
			"abortIncompleteMultipartUpload", "expiration", "noncurrentVersionExpiration",
			"noncurrentVersionTransitions", "transitions",
		} {
			acts = acts || r.has(action) && !empty(r[action])
		}
		if !acts {
			return fmt.Errorf("the rule %q has no action: at least one must be specified", r.str("id"))
		}
	}
	return nil
}
