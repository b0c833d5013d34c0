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
	if a := c.send(
		"POST",
		"/items",
		api.ItemInput{Name: "x"},
	); json.Unmarshal(a.Body, &made) == nil &&
		made.ID != "" {
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
			body = api.BatchWriteRequest{Entries: []api.BatchWriteEntry{
				{Create: &api.ItemInput{Name: "x"}},
				{Delete: &api.ItemRef{ID: id}},
			}}
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
	names := map[string]string{
		s.outputs["functionName"]:   "handler",
		s.outputs["authorizerName"]: "authorizer",
	}
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

// edit changes the policies of the functions' roles before they are deployed.
func edit(change func(role string, actions []string) []string) pulumi.ResourceTransformation {
	return func(args *pulumi.ResourceTransformationArgs) *pulumi.ResourceTransformationResult {
		props, ok := args.Props.(*iam.RolePolicyArgs)
		if !ok {
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
				if actions = change(args.Name, actions); len(actions) > 0 {
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
	try := func(change func(role string, actions []string) []string) (unused, denied []string) {
		t.Helper()
		if change != nil {
			s.deploy(t, edit(change))
			s.ForgetUse()
		}
		s.caller(t, "alice").visit()
		return s.differences(t)
	}
	if unused, denied := try(nil); len(unused)+len(denied) > 0 {
		t.Errorf("granted and never used: %v; used and not granted: %v", unused, denied)
	}
	// Each action is needed: without it, it is missed by name, and nothing
	// else. The authorizer decides before the handler is called, so that its
	// actions are tried by themselves.
	logs := []string{"logs:CreateLogStream", "logs:PutLogEvents"}
	for role, own := range map[string]struct {
		who     string
		actions []string
	}{
		"items":            {"handler", slices.Concat(store.Actions(), logs)},
		"items-authorizer": {"authorizer", slices.Concat(apikey.Actions(), logs)},
	} {
		for _, action := range own.actions {
			_, denied := try(func(r string, a []string) []string {
				return slices.DeleteFunc(a, func(x string) bool { return r == role && x == action })
			})
			if !slices.Equal(denied, []string{own.who + " " + action}) {
				t.Errorf("without %s of the %s the missing are %v", action, own.who, denied)
			}
		}
	}
	// One more is found too.
	unused, denied := try(func(_ string, a []string) []string {
		if strings.HasPrefix(a[0], "dynamodb:") {
			a = append(a, "dynamodb:Scan")
		}
		return a
	})
	slices.Sort(unused)
	if !slices.Equal(unused, []string{"authorizer dynamodb:Scan", "handler dynamodb:Scan"}) ||
		len(denied) > 0 {
		t.Errorf("with dynamodb:Scan the unused are %v, the missing %v", unused, denied)
	}
}
