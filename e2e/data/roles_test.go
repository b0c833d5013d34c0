package data

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"items-api/internal/api"
	"items-api/internal/apikey"
	"items-api/internal/store"
)

// visit sends a request to every route, and one of each kind to those that
// make different calls. What is denied is an error of the server: its answers
// do not matter here.
func (c *caller) visit() {
	id := "018f0000-0000-7000-8000-000000000000"
	var made api.Item
	if a := c.send("POST", "/items", api.ItemInput{Name: "x"}); json.Unmarshal(a.body, &made) == nil && made.ID != "" {
		id = made.ID
	}
	c.send("POST", "/items", api.ItemInput{Name: "x"}, "Idempotency-Key", "key-"+id)
	for _, r := range api.Routes() {
		var body any
		switch r.Operation {
		case api.ReplaceItem, api.CreateItem:
			body = api.ItemInput{Name: "y"}
		case api.BatchGetItems:
			body = api.BatchGetRequest{IDs: []string{id}}
		case api.BatchWrite:
			body = api.BatchWriteRequest{Entries: []api.BatchWriteEntry{{Create: &api.ItemInput{Name: "x"}}, {Delete: &api.ItemRef{ID: id}}}}
		}
		c.send(r.Method, strings.ReplaceAll(r.Path, "{id}", id), body)
	}
}

// differences are what roles grant too much or too little, by function.
func (s *site) differences(t *testing.T) (unused, denied []string) {
	t.Helper()
	roles, err := s.Roles()
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]string{s.outputs["functionName"]: "handler", s.outputs["authorizerName"]: "authorizer"}
	if len(roles) != len(names) {
		t.Fatalf("there are %d functions", len(roles))
	}
	for _, r := range roles {
		for _, a := range r.Unused {
			unused = append(unused, names[r.Function]+" "+a)
		}
		for _, a := range r.Denied {
			denied = append(denied, names[r.Function]+" "+a)
		}
	}
	return unused, denied
}

// edit changes the policy of a function's role before it is deployed.
func edit(role string, change func(actions []string) []string) pulumi.ResourceTransformation {
	return func(args *pulumi.ResourceTransformationArgs) *pulumi.ResourceTransformationResult {
		props, ok := args.Props.(*iam.RolePolicyArgs)
		if !ok || args.Name != role {
			return nil
		}
		props.Policy = pulumi.ToOutput(props.Policy).ApplyT(func(policy any) (string, error) {
			var d map[string]any
			if err := json.Unmarshal([]byte(policy.(string)), &d); err != nil {
				return "", err
			}
			var kept []any
			for _, e := range d["Statement"].([]any) {
				s := e.(map[string]any)
				var actions []string
				for _, a := range s["Action"].([]any) {
					actions = append(actions, a.(string))
				}
				if actions = change(actions); len(actions) > 0 {
					s["Action"] = actions
					kept = append(kept, s)
				}
			}
			d["Statement"] = kept
			out, err := json.Marshal(d)
			return string(out), err
		}).(pulumi.StringOutput)
		return &pulumi.ResourceTransformationResult{Props: props, Opts: args.Opts}
	}
}

func TestRolesGrantExactlyWhatIsUsed(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.caller(t, "alice").visit()
	if unused, denied := s.differences(t); len(unused)+len(denied) > 0 {
		t.Errorf("granted and never used: %v; used and not granted: %v", unused, denied)
	}
	// Each action is needed: without it, it is missed by name, and nothing else.
	logs := []string{"logs:CreateLogStream", "logs:PutLogEvents"}
	for role, actions := range map[string][]string{"items": slices.Concat(store.Actions(), logs), "items-authorizer": slices.Concat(apikey.Actions(), logs)} {
		who := map[string]string{"items": "handler", "items-authorizer": "authorizer"}[role]
		for _, action := range actions {
			s.deploy(t, edit(role, func(a []string) []string { return slices.DeleteFunc(a, func(x string) bool { return x == action }) }))
			s.ForgetUse()
			s.caller(t, "alice").visit()
			if _, denied := s.differences(t); !slices.Equal(denied, []string{who + " " + action}) {
				t.Errorf("without %s of the %s the missing are %v", action, who, denied)
			}
		}
		// One more is found too.
		s.deploy(t, edit(role, func(a []string) []string {
			if strings.HasPrefix(a[0], "dynamodb:") {
				a = append(a, "dynamodb:Scan")
			}
			return a
		}))
		s.ForgetUse()
		s.caller(t, "alice").visit()
		if unused, denied := s.differences(t); !slices.Equal(unused, []string{who + " dynamodb:Scan"}) || len(denied) > 0 {
			t.Errorf("with dynamodb:Scan of the %s the unused are %v, the missing %v", who, unused, denied)
		}
	}
}
