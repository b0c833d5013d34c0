package provider

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"items-api/internal/localcloud/iam"
	"items-api/internal/localcloud/state"
)

var qualifierName = matching(
	regexp.MustCompile(`^(\$LATEST|[a-zA-Z0-9-_]{1,128})$`),
	"a qualifier is an alias or the number of a version",
)

func permissionDescription() *Type {
	return &Type{
		Token: permissionType,
		Properties: []Property{
			{
				Name:     "action",
				Kind:     String,
				Level:    Enforced,
				Required: true,
				Replace:  true,
				Check: matching(
					regexp.MustCompile(`^(lambda:[*]|lambda:[a-zA-Z]+|[*])$`),
					"an action looks like lambda:InvokeFunction",
				),
			},
			{
				Name:    "eventSourceToken",
				Kind:    String,
				Level:   Refused,
				Replace: true,
			},
			{
				Name:     "function",
				Kind:     String,
				Level:    Enforced,
				Required: true,
				Replace:  true,
			},
			{
				Name:    "functionUrlAuthType",
				Kind:    String,
				Level:   Refused,
				Replace: true,
				Note:    "there are no function URLs",
			},
			{
				Name:     "principal",
				Kind:     String,
				Level:    Enforced,
				Required: true,
				Replace:  true,
			},
			{
				Name:    "principalOrgId",
				Kind:    String,
				Level:   Refused,
				Replace: true,
				Note:    "there are no organizations",
			},
			{
				Name:    "qualifier",
				Kind:    String,
				Level:   Enforced,
				Replace: true,
				Check:   qualifierName,
			},
			{
				Name:    "sourceAccount",
				Kind:    String,
				Level:   Enforced,
				Replace: true,
				Check:   matching(regexp.MustCompile(`^\d{12}$`), "an account id has 12 digits"),
			},
			{
				Name:    "sourceArn",
				Kind:    String,
				Level:   Enforced,
				Replace: true,
			},
			{
				Name:    "statementId",
				Kind:    String,
				Level:   Enforced,
				Replace: true,
				Check: matching(
					regexp.MustCompile(`^[a-zA-Z0-9-_]{1,100}$`),
					"a statement id has 1 to 100 letters, digits, '-' or '_'",
				),
			},
			{
				Name:     "statementIdPrefix",
				Kind:     String,
				Level:    Enforced,
				Replace:  true,
				Computed: true,
			},
		},
		Name:       "statementId",
		NameMax:    100,
		NamePrefix: "statementIdPrefix",
		Key:        permissionKey,
		Check:      checkPermission,
		Create:     createPermission,
	}
}

// permissionKey is the key of a statement: statement ids are unique within
// the policy of a function, or of one of its versions or aliases.
func permissionKey(id string, props values) string {
	name, qualifier := permitted(props)
	if qualifier != "" {
		name += ":" + qualifier
	}
	return name + "/" + id
}

// permitted returns the function and the qualifier that a statement is for.
func permitted(v values) (name, qualifier string) {
	name, qualifier = SplitFunction(v.str("function"))
	if q := v.str("qualifier"); q != "" {
		qualifier = q
	}
	return name, qualifier
}

func createPermission(_ context.Context, p *Provider, in values) (state.Record, error) {
	name, qualifier := permitted(in)
	id := in.str("statementId")
	if err := p.qualified(name, qualifier); err != nil {
		return state.Record{}, err
	}
	size := statementSize(in, id)
	for _, r := range p.permissions(name, qualifier) {
		v := values(r.Properties)
		if r.ID == id {
			return state.Record{}, fmt.Errorf(
				"ResourceConflictException: The statement id (%s) provided already exists. Please provide "+
					"a new statement id, or remove the existing statement.",
				id,
			)
		}
		size += statementSize(v, r.ID)
	}
	if size > maxFunctionPolicy {
		return state.Record{}, fmt.Errorf(
			"PolicyLengthExceededException: The final policy size (%d) is bigger than the limit (%d).",
			size,
			maxFunctionPolicy,
		)
	}
	return state.Record{ID: id, Properties: base(in)}, nil
}

// qualified tests that a function has an alias or version; the policy of
// $LATEST is that of the function itself.
func (p *Provider) qualified(name, qualifier string) error {
	fn, err := p.Store.Get(functionType, name)
	switch {
	case err != nil:
		return fmt.Errorf(
			"ResourceNotFoundException: Function not found: %s",
			p.arn("lambda", "function:"+name),
		)
	case qualifier == "":
		return nil
	case qualifier == latest:
		return fmt.Errorf(
			"InvalidParameterValueException: We currently do not support adding policies for $LATEST.",
		)
	case versionNumber.MatchString(qualifier):
		_, err := versionOf(fn, qualifier)
		return err
	}
	_, err = p.Resolve(name, qualifier)
	return err
}

// permissions returns the statements of a resource policy. A function, each of
// its versions and each of its aliases have one of their own.
func (p *Provider) permissions(name, qualifier string) []state.Record {
	var out []state.Record
	for _, r := range p.Store.List(permissionType) {
		if n, q := permitted(r.Properties); n == name && q == qualifier {
			out = append(out, r)
		}
	}
	return out
}

func (p *Provider) removePermissions(name, qualifier string) error {
	for _, r := range p.permissions(name, qualifier) {
		if err := p.Store.Delete(permissionType, r.Key); err != nil {
			return err
		}
	}
	return nil
}

// statementSize is the size of a statement as Lambda writes it, with the
// comma that follows it.
func statementSize(v values, id string) int {
	statement := map[string]any{
		"Sid":       id,
		"Effect":    "Allow",
		"Principal": map[string]any{"Service": v.str("principal")},
		"Action":    v.str("action"),
		"Resource":  strings.TrimSuffix(v.str("function")+":"+v.str("qualifier"), ":"),
	}
	conditions := map[string]any{}
	if v.has("sourceArn") {
		conditions["ArnLike"] = map[string]any{"AWS:SourceArn": v.str("sourceArn")}
	}
	if v.has("sourceAccount") {
		conditions["StringEquals"] = map[string]any{"AWS:SourceAccount": v.str("sourceAccount")}
	}
	if len(conditions) > 0 {
		statement["Condition"] = conditions
	}
	data, err := json.Marshal(statement)
	if err != nil {
		return 0
	}
	return len(data) + 1
}

// Permitted reports whether a service may invoke a function for a source. For
// an invocation with a qualifier the policy of that qualifier alone counts.
// Source: Lambda developer guide, "Working with resource-based IAM policies".
func (p *Provider) Permitted(name, qualifier, principal, sourceARN string) bool {
	if qualifier == latest {
		qualifier = ""
	}
	for _, r := range p.permissions(name, qualifier) {
		v := values(r.Properties)
		permission := iam.Permission{
			StatementID:   r.ID,
			Action:        v.str("action"),
			Principal:     v.str("principal"),
			SourceARN:     v.str("sourceArn"),
			SourceAccount: v.str("sourceAccount"),
		}
		if permission.Allows("lambda:InvokeFunction", principal, sourceARN, Account) {
			return true
		}
	}
	return false
}
