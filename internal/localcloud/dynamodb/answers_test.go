package dynamodb

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// post sends a signed request with a body as it is, and returns the answer.
func post(t *testing.T, d *Database, i Identity, target, body string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, d.Endpoint(), strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Amz-Target", target)
	r.Header.Set("Content-Type", "application/x-amz-json-1.0")
	if i.AccessKeyID != "" {
		sum := sha256.Sum256([]byte(body))
		who := aws.Credentials{
			AccessKeyID:     i.AccessKeyID,
			SecretAccessKey: i.SecretAccessKey,
			SessionToken:    i.SessionToken,
		}
		if err := v4.NewSigner().SignHTTP(
			t.Context(),
			who,
			r,
			hex.EncodeToString(sum[:]),
			"dynamodb",
			"us-east-1",
			time.Now(),
		); err != nil {
			t.Fatal(err)
		}
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	out, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(out)
}

// boss makes an administrator of the shared database.
func boss(t *testing.T) Identity {
	t.Helper()
	i := Identity{
		AccessKeyID:     "BOSS",
		SecretAccessKey: "secret",
		Admin:           true,
		PrincipalARN:    "arn:aws:iam::000000000000:user/local",
	}
	database(t)
	mu.Lock()
	defer mu.Unlock()
	people[i.AccessKeyID] = i
	return i
}

func TestWhatIsNoJSONIsASerializationException(t *testing.T) {
	t.Parallel()
	table(t, "malformed")
	_, role := person(t, "malformed", allow("*", "*"))
	bare := `{"__type":"com.amazon.coral.service#SerializationException"}`
	for _, i := range []Identity{{}, boss(t), role} {
		for _, body := range []string{
			``, `{"TableName":`, `[]`, `"x"`, `null`, `{"TableName":"malformed"} x`,
		} {
			if status, got := post(
				t,
				database(t),
				i,
				"DynamoDB_20120810.GetItem",
				body,
			); status != 400 ||
				got != bare {
				t.Errorf("%q of %q got %d %s", body, i.AccessKeyID, status, got)
			}
		}
	}
	for _, x := range []struct{ operation, body, want string }{
		{"GetItem", `{"TableName":1}`, "TableName: a value of the kind number is not expected there"},
		{"GetItem", `{"TableName":"malformed","Key":[]}`, "Key: a value of the kind array is not " +
			"expected there"},
		{"TagResource", `{"ResourceArn":{}}`, "ResourceArn: a value of the kind object is not expected there"},
		{"TransactWriteItems", `{"TransactItems":[{"Put":{"TableName":1}}]}`, "Put: TableName: a value of " +
			"the kind number is not expected there"},
	} {
		if status, got := post(
			t,
			database(t),
			role,
			"DynamoDB_20120810."+x.operation,
			x.body,
		); status != 400 ||
			!strings.Contains(got, serializationException) ||
			!strings.Contains(got, x.want) {
			t.Errorf("%s of %s got %d %s", x.operation, x.body, status, got)
		}
	}
}

func TestTagsOfTablesMadeThroughTheGate(t *testing.T) {
	t.Parallel()
	d := own(t)
	c := administrator(d)
	name := aws.String("tagged")
	create := func(tags ...types.Tag) error {
		_, err := c.CreateTable(t.Context(), &dynamodb.CreateTableInput{
			TableName:   name,
			BillingMode: types.BillingModePayPerRequest,
			KeySchema: []types.KeySchemaElement{{
				AttributeName: aws.String("PK"),
				KeyType:       types.KeyTypeHash,
			}},
			AttributeDefinitions: []types.AttributeDefinition{{
				AttributeName: aws.String("PK"),
				AttributeType: "S",
			}},
			Tags: tags,
		})
		return err
	}
	tag := func(key, value string) types.Tag { return types.Tag{Key: &key, Value: &value} }
	list := func() string {
		out, err := c.ListTagsOfResource(
			t.Context(),
			&dynamodb.ListTagsOfResourceInput{ResourceArn: aws.String(arn("tagged"))},
		)
		if err != nil {
			return err.Error()
		}
		var all []string
		for _, x := range out.Tags {
			all = append(all, *x.Key+"="+*x.Value)
		}
		return strings.Join(all, ",")
	}
	if err := create(tag("aws:x", "y")); code(err) != "ValidationException" {
		t.Errorf("a reserved tag got %v", err)
	}
	if err := create(tag("a", "1"), tag("b", "2")); err != nil {
		t.Fatal(err)
	}
	if _, err := c.TagResource(t.Context(), &dynamodb.TagResourceInput{
		ResourceArn: aws.String(arn("tagged")),
		Tags:        []types.Tag{tag("b", "3"), tag("c", "")},
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.UntagResource(t.Context(), &dynamodb.UntagResourceInput{
		ResourceArn: aws.String(arn("tagged")),
		TagKeys:     []string{"a", "none"},
	}); err != nil {
		t.Fatal(err)
	}
	if got := list(); got != "b=3,c=" {
		t.Errorf("the tags are %s", got)
	}
	again, err := openNotebook(d.notebook.file)
	if err != nil || len(again.get("tagged").Tags) != 2 {
		t.Errorf("after a start the tags are %v, %v", again, err)
	}
	for body, want := range map[string]string{
		`{}`: "Invalid TableArn",
		`{"ResourceArn":"a:b:c:d:e:f/g","Tags":[{"Key":"a","Value":"b"}]}`: "Invalid TableArn: " +
			"Invalid ResourceArn provided as input a:b:c:d:e:f/g",
		`{"ResourceArn":"` + arn("tagged") + `","Tags":[]}`: "Atleast one Tag " +
			"needs to be provided as Input.",
		`{"ResourceArn":"` + arn("nothing") + `","Tags":[{"Key":"a","Value":"b"}]}`: "Requested resource " +
			"not found: ResourcArn: " + arn("nothing") + " not found",
		`{"ResourceArn":"` + arn("tagged") + `","Tags":[{"Key":"","Value":"b"}]}`: "a tag key has 1 " +
			"to 128 characters",
		`{"ResourceArn":"` + arn("tagged") + `","Tags":[{"Key":"AWS:x","Value":""}]}`: "begins with aws:",
	} {
		if status, got := post(t, d, Identity{
			AccessKeyID:     "ADMIN",
			SecretAccessKey: "secret",
		}, "DynamoDB_20120810.TagResource", body); status != 400 || !strings.Contains(got, want) {
			t.Errorf("%s got %d %s", body, status, got)
		}
	}
	// Another table of the name has none.
	if _, err := c.DeleteTable(t.Context(), &dynamodb.DeleteTableInput{TableName: name}); err != nil {
		t.Fatal(err)
	}
	if got := list(); !strings.Contains(got, "ResourceNotFoundException") {
		t.Errorf("the tags of a table that is gone are %s", got)
	}
	if err := create(); err != nil {
		t.Fatal(err)
	}
	if got := list(); got != "" {
		t.Errorf("the tags of the next table are %s", got)
	}
}

func TestBackupsAndEndpointsAreDescribed(t *testing.T) {
	t.Parallel()
	table(t, "backed")
	c, _ := person(
		t,
		"backed",
		allow("dynamodb:*ContinuousBackups", arn("backed")),
		allow("dynamodb:DescribeEndpoints", "*"),
		allow("*", arn("absent")),
	)
	describe := func(name string) (*types.PointInTimeRecoveryDescription, error) {
		out, err := c.DescribeContinuousBackups(
			t.Context(),
			&dynamodb.DescribeContinuousBackupsInput{TableName: &name},
		)
		if err != nil {
			return nil, err
		}
		if out.ContinuousBackupsDescription.ContinuousBackupsStatus != types.ContinuousBackupsStatusEnabled {
			t.Errorf("got %+v", out.ContinuousBackupsDescription)
		}
		return out.ContinuousBackupsDescription.PointInTimeRecoveryDescription, nil
	}
	off, err := describe("backed")
	if err != nil || off.PointInTimeRecoveryStatus != types.PointInTimeRecoveryStatusDisabled {
		t.Errorf("got %+v, %v", off, err)
	}
	for _, days := range []int32{7, 36} {
		_, err := c.UpdateContinuousBackups(t.Context(), &dynamodb.UpdateContinuousBackupsInput{
			TableName: aws.String(arn("backed")),
			PointInTimeRecoverySpecification: &types.PointInTimeRecoverySpecification{
				PointInTimeRecoveryEnabled: aws.Bool(true),
				RecoveryPeriodInDays:       &days,
			},
		})
		if (err == nil) != (days == 7) {
			t.Errorf("%d days got %v", days, err)
		}
	}
	on, err := describe("backed")
	if err != nil || on.PointInTimeRecoveryStatus != types.PointInTimeRecoveryStatusEnabled ||
		*on.RecoveryPeriodInDays != 7 ||
		on.EarliestRestorableDateTime == nil {
		t.Errorf("got %+v, %v", on, err)
	}
	if _, err := describe("absent"); code(err) != "TableNotFoundException" {
		t.Errorf("a table that is not there got %v", err)
	}
	if _, err := describe("denied"); code(err) != "AccessDeniedException" {
		t.Errorf("a table that is not granted got %v", err)
	}
	out, err := c.DescribeEndpoints(t.Context(), &dynamodb.DescribeEndpointsInput{})
	if err != nil || "http://"+*out.Endpoints[0].Address != database(t).Endpoint() {
		t.Errorf("got %+v, %v", out, err)
	}
}

func TestStreamsAreKnownByTheARNThatTheTableHas(t *testing.T) {
	t.Parallel()
	admin := boss(t)
	const name = "streamed"
	d := database(t)
	tables, streams := tablesAPI+".", streamsAPI+"."
	ask := func(i Identity, target, body string) map[string]any {
		t.Helper()
		status, got := post(t, d, i, target, body)
		var out map[string]any
		if err := json.Unmarshal([]byte(got), &out); err != nil || status != 200 {
			t.Fatalf("%s %s got %d %s", target, body, status, got)
		}
		return out
	}
	post(t, d, admin, tables+"DeleteTable", `{"TableName":"`+name+`"}`) // one of a run before
	ask(
		admin,
		tables+"CreateTable",
		`{"TableName":"`+name+`","BillingMode":"PAY_PER_REQUEST","KeySchema":[{"AttributeName":"PK","KeyType":"HASH"}],`+
			`"AttributeDefinitions":[{"AttributeName":"PK","AttributeType":"S"}],"StreamSpecification":{"StreamEnabled":true,"StreamViewType":"NEW_IMAGE"}}`,
	)
	stream := ask(admin, tables+"DescribeTable", `{"TableName":"`+name+`"}`)["Table"].(map[string]any)["LatestStreamArn"].(string)
	ask(
		admin,
		tables+"PutItem",
		`{"TableName":"`+name+`","Item":{"PK":{"S":"arn:aws:dynamodb:ddblocal:000000000000:table/x"}}}`,
	)
	reader := func(label string, statements ...string) Identity { _, i := person(t, label, statements...); return i }
	role := reader(
		"reader",
		`{"Effect":"Allow","Action":["dynamodb:DescribeStream","dynamodb:GetRecords","dynamodb:GetShardIterator","dynamodb:ListStreams"],"Resource":"`+arn(
			name,
		)+`/stream/*"}`,
	)
	for _, i := range []Identity{admin, role} {
		for _, given := range []string{name, arn(name)} {
			listed := ask(i, streams+"ListStreams", `{"TableName":"`+given+`"}`)["Streams"].([]any)
			if len(listed) != 1 || listed[0].(map[string]any)["StreamArn"] != stream {
				t.Errorf("the streams of %s are %v, want %s", given, listed, stream)
			}
		}
		described := ask(i, streams+"DescribeStream", `{"StreamArn":"`+stream+`"}`)["StreamDescription"].(map[string]any)
		if described["StreamArn"] != stream {
			t.Errorf("got %v", described)
		}
		shard := described["Shards"].([]any)[0].(map[string]any)["ShardId"].(string)
		iterator := ask(
			i,
			streams+"GetShardIterator",
			`{"StreamArn":"`+stream+`","ShardId":"`+shard+`","ShardIteratorType":"TRIM_HORIZON"}`,
		)
		body, err := json.Marshal(iterator)
		if err != nil {
			t.Fatal(err)
		}
		records := ask(i, streams+"GetRecords", string(body))["Records"].([]any)
		if data, _ := json.Marshal(
			records,
		); len(records) != 1 ||
			!bytes.Contains(data, []byte(`arn:aws:dynamodb:ddblocal:`)) {
			t.Errorf("the records are %s", data)
		}
	}
	other := reader(
		"another",
		allow("dynamodb:*", arn("elsewhere")+"*"),
		allow("dynamodb:*", arn("elsewhere")+"/stream/*"),
	)
	for operation, body := range map[string]string{
		"ListStreams":      `{"TableName":"` + name + `"}`,
		"DescribeStream":   `{"StreamArn":"` + stream + `"}`,
		"GetShardIterator": `{"StreamArn":"` + stream + `","ShardId":"x","ShardIteratorType":"LATEST"}`,
		"GetRecords":       `{"ShardIterator":"000|arn:aws:dynamodb:ddblocal:000000000000:table/` + name + `/stream/x|y"}`,
	} {
		if _, got := post(
			t,
			d,
			other,
			streams+operation,
			body,
		); !strings.Contains(
			got,
			"AccessDeniedException",
		) {
			t.Errorf("%s of another role got %s", operation, got)
		}
	}
	if _, got := post(
		t,
		d,
		role,
		streams+"DescribeStream",
		`{"StreamArn":"arn:aws:dynamodb:ddblocal:000000000000:table/`+name+`/stream/x"}`,
	); !strings.Contains(
		got,
		"ValidationException",
	) {
		t.Errorf("the database's own ARN got %s", got)
	}
}
