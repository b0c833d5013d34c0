package store_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"items-api/internal/api"
	"items-api/internal/field"
	"items-api/internal/field/fieldtest"
	"items-api/internal/store"
)

type attributes = map[string]types.AttributeValue

func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

func samples(t *testing.T) []fieldtest.Sample {
	t.Helper()
	of, err := field.Of(reflect.TypeFor[fieldtest.Every]())
	if err != nil {
		t.Fatal(err)
	}
	return fieldtest.Objects(of)
}

// kept are the attributes of what a caller sends.
func kept(t *testing.T, s fieldtest.Sample) attributes {
	t.Helper()
	var in fieldtest.Every
	problems, err := field.Decode([]byte(s.JSON), &in)
	if err != nil || len(problems) > 0 {
		t.Fatalf("%s was refused: %v, %v", s.JSON, problems, err)
	}
	out := attributes{}
	if err := store.PutFields(out, in); err != nil {
		t.Fatal(err)
	}
	return out
}

// returned is what a caller gets for attributes.
func returned(t *testing.T, m attributes) []byte {
	t.Helper()
	var out fieldtest.Every
	if err := store.GetFields(m, &out); err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(out)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestFieldsOfEveryKindComeBackFromTheDatabase(t *testing.T) {
	t.Parallel()
	db, table := shared.Client(t), shared.Table(t, api.PartitionKey, api.SortKey)
	all := samples(t)
	keyOf := func(i int) attributes {
		return attributes{api.PartitionKey: text("fields"), api.SortKey: text(fmt.Sprintf("%04d", i))}
	}
	var writes []types.WriteRequest
	var puts []attributes
	for i, s := range all {
		item := kept(t, s)
		puts = append(puts, kept(t, s))
		for name, v := range keyOf(i) {
			item[name] = v
		}
		writes = append(writes, types.WriteRequest{PutRequest: &types.PutRequest{Item: item}})
	}
	for chunk := range slices.Chunk(writes, 25) {
		_, err := db.BatchWriteItem(t.Context(), &dynamodb.BatchWriteItemInput{
			RequestItems: map[string][]types.WriteRequest{table: chunk},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	page, err := db.Query(t.Context(), &dynamodb.QueryInput{
		TableName:                 &table,
		KeyConditionExpression:    aws.String("PK = :pk"),
		ExpressionAttributeValues: attributes{":pk": text("fields")},
	})
	if err != nil || len(page.Items) != len(all) {
		t.Fatalf("got %d of %d, %v", len(page.Items), len(all), err)
	}
	for i, s := range all {
		if lost := s.Lost(returned(t, page.Items[i])); lost != "" {
			t.Errorf("%s after a put: %s", s.JSON, lost)
		}
	}
	// One item takes all values in turn: what is left out is removed.
	for i, s := range all {
		out, err := replaceWith(t, db, table, keyOf(0), s)
		if err != nil {
			t.Fatalf("%s: %v", s.JSON, err)
		}
		if lost := s.Lost(returned(t, out)); lost != "" {
			t.Errorf("%s after a replacement: %s", s.JSON, lost)
		}
		delete(out, api.PartitionKey)
		delete(out, api.SortKey)
		if diff := cmp.Diff(puts[i], out, cmp.Exporter(func(reflect.Type) bool { return true })); diff != "" {
			t.Errorf("%s is kept in another way when it replaces:\n%s", s.JSON, diff)
		}
	}
}

func replaceWith(t *testing.T, db *dynamodb.Client, table string, key attributes,
	s fieldtest.Sample) (attributes, error) {
	t.Helper()
	var in fieldtest.Every
	if _, err := field.Decode([]byte(s.JSON), &in); err != nil {
		t.Fatal(err)
	}
	names, vals := map[string]string{}, attributes{}
	sets, removes, err := store.Assignments(in, names, vals)
	if err != nil {
		t.Fatal(err)
	}
	expression := "SET " + strings.Join(sets, ", ")
	if len(removes) > 0 {
		expression += " REMOVE " + strings.Join(removes, ", ")
	}
	out, err := db.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{
		TableName:                 &table,
		Key:                       key,
		UpdateExpression:          &expression,
		ExpressionAttributeNames:  names,
		ExpressionAttributeValues: vals,
		ReturnValues:              types.ReturnValueAllNew,
	})
	if err != nil {
		return nil, err
	}
	return out.Attributes, nil
}

// The natural types, where they lose nothing.
func TestFieldsAreAttributesOfTheirKind(t *testing.T) {
	t.Parallel()
	s := fieldtest.Sample{
		JSON: `{"text":"x","needed":[1],"int":7,"uint64":18446744073709551615,"float64":1.50,` +
			`"exact":1.50,"flag":true,"place":{"city":"c"},"any":"<"}`,
	}
	got := kept(t, s)
	wanted := attributes{
		"text":    text("x"),
		"int":     &types.AttributeValueMemberN{Value: "7"},
		"uint64":  &types.AttributeValueMemberN{Value: "18446744073709551615"},
		"float64": text("1.5"),
		"exact":   text("1.50"),
		"flag":    &types.AttributeValueMemberBOOL{Value: true},
		"needed":  text("[1]"),
		"place":   text(`{"city":"c"}`),
		"any":     text(`"\u003c"`),
	}
	for name, want := range wanted {
		if !reflect.DeepEqual(got[name], want) {
			t.Errorf("%s is %v, want %v", name, got[name], want)
		}
	}
	for _, name := range []string{"optional", "null", "maybe", "strings", "labels", "placeNull", "raw"} {
		if v, ok := got[name]; ok {
			t.Errorf("%s is %v and was not sent", name, v)
		}
	}
}

// An item that was made before a field was declared has no attribute for it.
func TestItemsWithoutANewFieldAreRead(t *testing.T) {
	t.Parallel()
	got := string(returned(t, attributes{}))
	if !strings.Contains(got, `"needed":[]`) || strings.Contains(got, `"strings"`) {
		t.Errorf("got %s", got)
	}
	var out fieldtest.Every
	err := store.GetFields(attributes{"int": text("7")}, &out)
	if err == nil || !strings.Contains(err.Error(), "int") {
		t.Errorf("an attribute of another kind gave %v", err)
	}
}

func TestFieldsCannotHaveNamesOfTheTable(t *testing.T) {
	t.Parallel()
	if err := store.Check(); err != nil {
		t.Error(err)
	}
	type item struct {
		Key     string `json:"PK"`
		Expires int    `json:"expiresAt"`
		Write   string `json:"writeId"`
	}
	err := store.CheckFields(reflect.TypeFor[item]())
	for _, name := range []string{"PK", "expiresAt", "writeId"} {
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("got %v, want %s", err, name)
		}
	}
}
