package change

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	awsdynamodb "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/dynamodb"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optdestroy"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"items-api/internal/localcloud"
	"items-api/stack"
)

// with changes the table of a program.
func (s *site) with(c stack.Settings, change func(*dynamodb.TableArgs)) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error {
		err := ctx.RegisterStackTransformation(
			func(args *pulumi.ResourceTransformationArgs) *pulumi.ResourceTransformationResult {
				props, ok := args.Props.(*dynamodb.TableArgs)
				if !ok {
					return nil
				}
				change(props)
				return &pulumi.ResourceTransformationResult{Props: props, Opts: args.Opts}
			},
		)
		if err != nil {
			return err
		}
		return stack.Compose(ctx, c, s.zips)
	}
}

// indexed gives a table indexes by name, each with the attribute of its key.
func indexed(keys map[string]string) func(*dynamodb.TableArgs) {
	return func(t *dynamodb.TableArgs) {
		attributes := t.Attributes.(dynamodb.TableAttributeArray)
		var indexes dynamodb.TableGlobalSecondaryIndexArray
		for _, name := range slices.Sorted(maps.Keys(keys)) {
			attributes = append(attributes, dynamodb.TableAttributeArgs{
				Name: pulumi.String(keys[name]),
				Type: pulumi.String("S"),
			})
			indexes = append(indexes, dynamodb.TableGlobalSecondaryIndexArgs{
				Name:           pulumi.String(name),
				HashKey:        pulumi.String(keys[name]),
				ProjectionType: pulumi.String("ALL"),
			})
		}
		t.Attributes, t.GlobalSecondaryIndexes = attributes, indexes
	}
}

// refused tests that a preview is stopped with a sentence.
func (s *site) refused(t *testing.T, what, want string, program pulumi.RunFunc) {
	t.Helper()
	done, err := s.preview(t, program)
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%s: the preview did %v, and did not say %q: %v", what, done, want, err)
	}
}

func TestChangeOfTheTableThatLosesItemsIsStopped(t *testing.T) {
	t.Parallel()
	s := newSite(t, "dev", localcloud.Config{})
	c := settings()
	_, out := s.must(t, c)
	table, url := out["tableName"].(string), out["url"].(string)
	resp, err := http.Post(url+"/items", "application/json", strings.NewReader(`{"name":"kept"}`))
	if err != nil {
		t.Fatal(err)
	}
	if err := resp.Body.Close(); err != nil || resp.StatusCode != http.StatusCreated {
		t.Fatalf("creating an item gave %d, %v", resp.StatusCode, err)
	}
	db := s.Admin(t)
	whole := func() {
		t.Helper()
		found, err := db.Scan(t.Context(), &awsdynamodb.ScanInput{TableName: &table})
		if err != nil || len(found.Items) == 0 {
			t.Errorf("the table %s has lost its items: %v", table, err)
		}
	}
	other := func(t *dynamodb.TableArgs) {
		t.HashKey = pulumi.String("key")
		t.Attributes = append(t.Attributes.(dynamodb.TableAttributeArray)[1:], dynamodb.TableAttributeArgs{
			Name: pulumi.String("key"),
			Type: pulumi.String("S"),
		})
	}

	s.refused(t, "other keys", "in the place of "+table, s.with(c, other))
	// So is a deployment without a preview, before anything is made.
	if _, _, err := s.up(
		t,
		s.with(c, other),
	); err == nil ||
		!strings.Contains(err.Error(), "in the place of "+table) {
		t.Errorf("deploying other keys gave %v", err)
	}
	whole()
	s.refused(t, "two indexes at a time", "index +byColour,+bySize", s.with(c, indexed(map[string]string{
		"byColour": "colour",
		"bySize":   "size",
	})))
	if _, _, err := s.up(t, s.with(c, indexed(map[string]string{"byColour": "colour"}))); err != nil {
		t.Errorf("one index: %v", err)
	}
	s.refused(
		t,
		"an index with another key",
		"index -byColour,+byColour",
		s.with(c, indexed(map[string]string{"byColour": "color"})),
	)
	if _, _, err := s.up(t, s.with(c, func(*dynamodb.TableArgs) {})); err != nil {
		t.Errorf("without the index again: %v", err)
	}
	allowed := c
	allowed.Schema.Allow = "index +byColour,+bySize"
	if _, _, err := s.up(t, s.with(allowed, indexed(map[string]string{
		"byColour": "colour",
		"bySize":   "size",
	}))); err != nil {
		t.Errorf("two indexes, allowed: %v", err)
	}
	s.refused(
		t,
		"removing both, with what allowed adding them",
		"index -byColour,-bySize",
		s.program(allowed),
	)

	st, err := s.Stack(t.Context(), s.name, s.program(c))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := st.PreviewDestroy(
		t.Context(),
		optdestroy.SuppressProgress(),
	); err == nil ||
		!strings.Contains(err.Error(), "--run-program") {
		t.Errorf("destroying without the program gave %v", err)
	}
	if _, err := st.PreviewDestroy(
		t.Context(),
		optdestroy.SuppressProgress(),
		optdestroy.RunProgram(true),
	); err == nil ||
		!strings.Contains(err.Error(), "would remove the table "+table) {
		t.Errorf("destroying gave %v", err)
	}
	whole()
	if resp, err := http.Get(url + "/items"); err != nil || resp.StatusCode != http.StatusOK {
		t.Errorf("after a destruction that was stopped the API gives %v, %v", resp, err)
	} else if err := resp.Body.Close(); err != nil {
		t.Error(err)
	}

	// Allowed by name, the change is made, and the same permission is spent.
	allowed.Schema.Allow = "replace " + table
	_, out, err = s.up(t, s.with(allowed, other))
	if err != nil || out["tableName"] == table {
		t.Fatalf("replacing the table, allowed, gave %v, %v", out["tableName"], err)
	}
	s.refused(t, "replacing once more", "in the place of "+out["tableName"].(string), s.program(allowed))
	allowed.Schema.Allow = "delete " + out["tableName"].(string)
	if st, err = s.Stack(t.Context(), s.name, s.with(allowed, other)); err != nil {
		t.Fatal(err)
	}
	if _, err := st.Destroy(
		t.Context(),
		optdestroy.SuppressProgress(),
		optdestroy.RunProgram(true),
	); err != nil {
		t.Errorf("destroying, allowed, gave %v", err)
	}
}

// The table of the local stack is nobody's treasure.
func TestLocalStackMayLoseItsTable(t *testing.T) {
	t.Parallel()
	s := newSite(t, "local", localcloud.Config{})
	c := settings()
	_, before := s.must(t, c)
	_, after, err := s.up(t, s.with(c, func(t *dynamodb.TableArgs) {
		t.RangeKey = pulumi.String("other")
		t.Attributes = append(t.Attributes.(dynamodb.TableAttributeArray)[:1], dynamodb.TableAttributeArgs{
			Name: pulumi.String("other"),
			Type: pulumi.String("S"),
		})
	}))
	if err != nil || after["tableName"] == before["tableName"] {
		t.Errorf("replacing the table gave %v, %v", after["tableName"], err)
	}
	st, err := s.Stack(t.Context(), s.name, s.program(c))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := st.Destroy(t.Context(), optdestroy.SuppressProgress()); err != nil {
		t.Errorf("destroying gave %v", err)
	}
}
