package dynamodb

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// faulty makes a function's identity whose calls meet faults, and a client.
func faulty(t *testing.T, name, faults string) (*dynamodb.Client, func(faults string)) {
	t.Helper()
	c, i := person(t, name, allow("*", "*"))
	set := func(faults string) {
		mu.Lock()
		defer mu.Unlock()
		i.Faults, i.HTTPRequestID = faults, name+faults
		people[i.AccessKeyID] = i
	}
	set(faults)
	return c, set
}

// of returns the calls of a function that were observed.
func of(name string) []Call {
	mu.Lock()
	defer mu.Unlock()
	var out []Call
	for _, c := range calls {
		if c.Function == name {
			out = append(out, c)
		}
	}
	return out
}

func TestEachFaultDoesWhatItsNameSays(t *testing.T) {
	t.Parallel()
	table(t, "faults")
	for kind, want := range map[string]struct {
		code    string
		applied bool
	}{
		Throughput: {Throughput, false}, Throttling: {Throttling, false}, ServerError: {ServerError, false},
		DropBefore: {"", false}, DropAfter: {"", true},
	} {
		c, set := faulty(t, kind, `[{"kind":"`+kind+`"}]`)
		_, err := c.PutItem(t.Context(), &dynamodb.PutItemInput{
			TableName: aws.String("faults"),
			Item:      attrs{"PK": s(kind)},
		})
		if err == nil || want.code != "" && code(err) != want.code {
			t.Errorf("%s: got %v", kind, err)
		}
		all := of(kind)
		if last := all[len(all)-1]; !slices.Equal(last.Faults, []string{kind}) ||
			(last.Status == 0) != (want.code == "") {
			t.Errorf("%s: observed %+v", kind, last)
		}
		set("")
		out, err := c.GetItem(t.Context(), &dynamodb.GetItemInput{
			TableName:      aws.String("faults"),
			Key:            attrs{"PK": s(kind)},
			ConsistentRead: aws.Bool(true),
		})
		if err != nil || (out.Item != nil) != want.applied {
			t.Errorf("%s: the item is %v, %v", kind, out.Item, err)
		}
	}
}

func TestLatencyHoldsACallUp(t *testing.T) {
	t.Parallel()
	table(t, "slow")
	c, _ := faulty(t, "slow", `[{"kind":"Latency","delayMs":60000}]`)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := c.GetItem(ctx, &dynamodb.GetItemInput{
		TableName: aws.String("slow"),
		Key:       attrs{"PK": s("x")},
	}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	c, _ = faulty(t, "slower", `[{"kind":"Latency","delayMs":1}]`)
	if _, err := c.GetItem(t.Context(), &dynamodb.GetItemInput{
		TableName: aws.String("slow"),
		Key:       attrs{"PK": s("x")},
	}); err != nil {
		t.Error(err)
	}
}

// A client that asks again for what was unprocessed gets everything, once.
func TestUnprocessedPartsAreWithheldAndGivenBack(t *testing.T) {
	t.Parallel()
	table(t, "parts")
	c, set := faulty(t, "parts", `[{"kind":"UnprocessedItems"}]`)
	const n = 20
	requests := map[string][]types.WriteRequest{"parts": nil}
	for i := range n {
		requests["parts"] = append(
			requests["parts"],
			types.WriteRequest{PutRequest: &types.PutRequest{Item: attrs{"PK": s(fmt.Sprint(i))}}},
		)
	}
	sent := 0
	for rounds := 0; len(requests) > 0; rounds++ {
		out, err := c.BatchWriteItem(t.Context(), &dynamodb.BatchWriteItemInput{RequestItems: requests})
		if code(err) == Throughput && len(requests["parts"]) == 1 {
			set("") // a single one is never processed
			continue
		}
		if err != nil || rounds > 50 {
			t.Fatalf("round %d: %v", rounds, err)
		}
		if rounds == 0 && len(out.UnprocessedItems["parts"]) == 0 {
			t.Error("everything was processed at once")
		}
		sent += len(requests["parts"]) - len(out.UnprocessedItems["parts"])
		requests = out.UnprocessedItems
	}
	if sent != n {
		t.Errorf("%d were processed, want %d", sent, n)
	}
	set(`[{"kind":"UnprocessedKeys"}]`)
	in := map[string]types.KeysAndAttributes{"parts": {ConsistentRead: aws.Bool(true)}}
	part := in["parts"]
	for i := range n {
		part.Keys = append(part.Keys, attrs{"PK": s(fmt.Sprint(i))})
	}
	in["parts"] = part
	seen := map[string]bool{}
	for rounds := 0; len(in) > 0; rounds++ {
		out, err := c.BatchGetItem(t.Context(), &dynamodb.BatchGetItemInput{RequestItems: in})
		if code(err) == Throughput && len(in["parts"].Keys) == 1 {
			set("")
			continue
		}
		if err != nil || rounds > 50 {
			t.Fatalf("round %d: %v", rounds, err)
		}
		for _, m := range out.Responses["parts"] {
			pk := m["PK"].(*types.AttributeValueMemberS).Value
			if seen[pk] {
				t.Errorf("%s came twice", pk)
			}
			seen[pk] = true
		}
		if in = out.UnprocessedKeys; len(in) > 0 && !aws.ToBool(in["parts"].ConsistentRead) {
			t.Error("ConsistentRead is lost")
		}
	}
	if len(seen) != n {
		t.Errorf("%d came, want %d", len(seen), n)
	}
}

func TestRatesTimesAndOperationsBoundAFault(t *testing.T) {
	t.Parallel()
	f := &faults{}
	count := func(own, operation, request string, n int) (hit int) {
		t.Helper()
		for range n {
			got, err := f.choose(operation, request, own)
			if err != nil {
				t.Fatal(err)
			}
			hit += len(got)
		}
		return hit
	}
	if n := count(`[{"kind":"ThrottlingException","times":3}]`, "GetItem", "a", 10); n != 3 {
		t.Errorf("3 times hit %d", n)
	}
	if n := count(`[{"kind":"ThrottlingException","times":3}]`, "GetItem", "b", 10); n != 3 {
		t.Errorf("3 times of another request hit %d", n)
	}
	if n := count(`[{"kind":"ThrottlingException","operations":["PutItem"]}]`, "GetItem", "c", 10); n != 0 {
		t.Errorf("another operation was hit %d times", n)
	}
	if n := count(`[{"kind":"UnprocessedKeys"}]`, "BatchWriteItem", "d", 10); n != 0 {
		t.Errorf("keys of a write were unprocessed %d times", n)
	}
	// 10,000 draws at 0.2 are within 5 standard deviations of 2,000.
	if n := count(
		`[{"kind":"ThrottlingException","rate":0.2}]`,
		"GetItem",
		"e",
		10_000,
	); n < 1800 ||
		n > 2200 {
		t.Errorf("a rate of 0.2 hit %d of 10,000", n)
	}
	for i := range maxCounted + 100 {
		count(`[{"kind":"ThrottlingException","times":1}]`, "GetItem", fmt.Sprint("r", i), 1)
	}
	if len(f.counts) > maxCounted {
		t.Errorf("%d counts are kept", len(f.counts))
	}
}

func TestStandingFaultsFollowTheirFile(t *testing.T) {
	t.Parallel()
	f := &faults{file: filepath.Join(t.TempDir(), "faults.json")}
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(f.file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	hits := func() int {
		got, err := f.choose("GetItem", "", "")
		if err != nil {
			return -1
		}
		return len(got)
	}
	for _, step := range []struct {
		text string // "" takes the file away
		want int
	}{
		{"", 0},
		{`[{"kind":"ThrottlingException"}]`, 1},
		{`[{"kind":"ThrottlingException"},{"kind":"DropAfter"}]`, 2},
		{`nonsense`, -1},
		{`[]`, 0},
		{"", 0},
	} {
		if step.text == "" {
			if err := os.RemoveAll(f.file); err != nil {
				t.Fatal(err)
			}
		} else {
			write(step.text)
		}
		if n := hits(); n != step.want {
			t.Errorf("%s: got %d, want %d", step.text, n, step.want)
		}
	}
}

func TestBadFaultsAreRefusedByName(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{}`:                                          "JSON list",
		`[{"kind":"Fire"}]`:                           `"Fire"`,
		`[{"kind":"Latency"}]`:                        "delayMs",
		`[{"kind":"DropAfter","delayMs":5}]`:          "delayMs",
		`[{"kind":"Latency","delayMs":60001}]`:        "60000",
		`[{"kind":"DropAfter","rate":1.5}]`:           "1.5",
		`[{"kind":"DropAfter","rate":-1}]`:            "-1",
		`[{"kind":"DropAfter","operations":["Get"]}]`: `"Get"`,
		`[{"kind":"DropAfter","times":-1}]`:           "times",
		`[{"kind":"DropAfter","speed":1}]`:            "speed",
		`[] []`:                                       "more",
	} {
		if _, err := ParseFaults([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", text, err, want)
		}
	}
}

func TestCapacityIsCountedAndHidden(t *testing.T) {
	t.Parallel()
	table(t, "metered")
	c, _ := person(t, "metered", allow("*", "*"))
	put := &dynamodb.PutItemInput{
		TableName: aws.String("metered"),
		Item:      attrs{"PK": s("x"), "big": s(strings.Repeat("x", 5000))},
	}
	out, err := c.PutItem(t.Context(), put)
	if err != nil || out.ConsumedCapacity != nil {
		t.Errorf("got %+v, %v", out, err)
	}
	put.ReturnConsumedCapacity = types.ReturnConsumedCapacityTotal
	if out, err = c.PutItem(t.Context(), put); err != nil || out.ConsumedCapacity == nil {
		t.Errorf("asked for it, got %+v, %v", out, err)
	}
	get := &dynamodb.GetItemInput{
		TableName:      aws.String("metered"),
		Key:            attrs{"PK": s("x")},
		ConsistentRead: aws.Bool(true),
	}
	if _, err := c.GetItem(t.Context(), get); err != nil {
		t.Error(err)
	}
	get.ConsistentRead = nil
	if _, err := c.GetItem(t.Context(), get); err != nil {
		t.Error(err)
	}
	if _, err := c.BatchGetItem(
		t.Context(),
		&dynamodb.BatchGetItemInput{
			RequestItems: map[string]types.KeysAndAttributes{
				"metered": {Keys: []map[string]types.AttributeValue{
					{"PK": s("x")},
					{"PK": s("y")},
				}},
			},
		},
	); err != nil {
		t.Error(err)
	}
	var got [][2]float64
	all := of("metered")
	for _, c := range all[len(all)-5:] {
		got = append(got, [2]float64{c.ReadUnits, c.WriteUnits})
	}
	// 5 KB are 5 units of writing, 2 of consistent reading and 1 of the other
	// kind. A key without an item takes half a unit on AWS; DynamoDB Local
	// counts nothing for it.
	if want := [][2]float64{{0, 5}, {0, 5}, {2, 0}, {1, 0}, {1, 0}}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
