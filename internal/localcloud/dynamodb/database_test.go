package dynamodb

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"

	"items-api/internal/localcloud/iam"
	"items-api/internal/seeds"
)

var (
	started *Database
	dir     string
	people  = map[string]Identity{}
	mu      sync.Mutex
	calls   []Call
)

// start starts the database when a test first asks for it, so that fuzzing,
// which runs this binary several times, starts none.
var start = sync.OnceValues(func() (*Database, error) {
	var err error
	if dir, err = os.MkdirTemp("", "dynamodb-test-"); err != nil {
		return nil, err
	}
	jar := os.Getenv("DYNAMODB_LOCAL_DIR")
	if jar == "" {
		jar = filepath.Join("..", "..", "..", ".tools", "dynamodb-local")
	}
	started, err = Start(context.Background(), Config{
		JarDir:    jar,
		DataDir:   dir,
		Region:    "us-east-1",
		AccountID: "000000000000",
		Now:       time.Now,
		Identify:  func(key string) (Identity, bool) { mu.Lock(); defer mu.Unlock(); i, ok := people[key]; return i, ok },
		Observe:   func(c Call) { mu.Lock(); defer mu.Unlock(); calls = append(calls, c) },
	})
	return started, err
})

func database(t testing.TB) *Database {
	t.Helper()
	d, err := start()
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestMain(m *testing.M) {
	code := m.Run()
	var err error
	if started != nil {
		err = started.Close()
	}
	if err = errors.Join(err, os.RemoveAll(dir)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// person makes an identity with statements, and a client that signs as it.
func person(t *testing.T, name string, statements ...string) (*dynamodb.Client, Identity) {
	t.Helper()
	i := Identity{
		AccessKeyID:     "KEY" + name,
		SecretAccessKey: "secret",
		SessionToken:    "token-" + name,
		Function:        name,
		PrincipalARN:    "arn:aws:sts::000000000000:assumed-role/role/" + name,
	}
	p, err := iam.Parse(
		[]byte(`{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`),
	)
	if err != nil {
		t.Fatal(err)
	}
	i.Policies = []iam.Policy{p}
	mu.Lock()
	people[i.AccessKeyID] = i
	mu.Unlock()
	return client(t, i.AccessKeyID, i.SecretAccessKey, i.SessionToken, "us-east-1"), i
}

func client(t testing.TB, key, secret, token, region string) *dynamodb.Client {
	return dynamodb.New(dynamodb.Options{
		Region:           region,
		BaseEndpoint:     aws.String(database(t).Endpoint()),
		RetryMaxAttempts: 1,
		Credentials:      credentials.NewStaticCredentialsProvider(key, secret, token),
		HTTPClient:       &http.Client{Transport: keepBody{&http.Transport{}}},
	})
}

func table(t *testing.T, name string) {
	t.Helper()
	// One of a run before in this process, with -count.
	var missing *types.ResourceNotFoundException
	_, err := database(t).Client().DeleteTable(t.Context(), &dynamodb.DeleteTableInput{TableName: &name})
	if err != nil && !errors.As(err, &missing) {
		t.Fatal(err)
	}
	_, err = database(t).Client().CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName:   &name,
		BillingMode: types.BillingModePayPerRequest,
		KeySchema: []types.KeySchemaElement{{
			AttributeName: aws.String("PK"),
			KeyType:       types.KeyTypeHash,
		}},
		AttributeDefinitions: []types.AttributeDefinition{
			{AttributeName: aws.String("PK"), AttributeType: types.ScalarAttributeTypeS},
			{AttributeName: aws.String("G"), AttributeType: types.ScalarAttributeTypeS},
		},
		GlobalSecondaryIndexes: []types.GlobalSecondaryIndex{{
			IndexName: aws.String("byG"),
			KeySchema: []types.KeySchemaElement{{
				AttributeName: aws.String("G"),
				KeyType:       types.KeyTypeHash,
			}},
			Projection: &types.Projection{ProjectionType: types.ProjectionTypeAll},
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
}

func arn(name string) string { return "arn:aws:dynamodb:us-east-1:000000000000:table/" + name }

func allow(action, resource string) string {
	return fmt.Sprintf(`{"Effect":"Allow","Action":%q,"Resource":%q}`, action, resource)
}

func s(v string) types.AttributeValue { return &types.AttributeValueMemberS{Value: v} }

type attrs = map[string]types.AttributeValue

func code(err error) string {
	var e smithy.APIError
	if errors.As(err, &e) {
		return e.ErrorCode()
	}
	return fmt.Sprint(err)
}

func TestSignatureIsVerified(t *testing.T) {
	t.Parallel()
	table(t, "signed")
	c, i := person(t, "signer", allow("dynamodb:GetItem", arn("signed")))
	in := &dynamodb.GetItemInput{TableName: aws.String("signed"), Key: attrs{"PK": s("x")}}
	if _, err := c.GetItem(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	for want, c := range map[string]*dynamodb.Client{
		"InvalidSignatureException":   client(t, i.AccessKeyID, "wrong", i.SessionToken, "us-east-1"),
		"UnrecognizedClientException": client(t, i.AccessKeyID, i.SecretAccessKey, "wrong", "us-east-1"),
	} {
		if _, err := c.GetItem(t.Context(), in); code(err) != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	if _, err := client(
		t,
		"UNKNOWN",
		"x",
		"",
		"us-east-1",
	).GetItem(
		t.Context(),
		in,
	); code(
		err,
	) != "UnrecognizedClientException" {
		t.Errorf("an unknown key got %v", err)
	}
	if _, err := client(
		t,
		i.AccessKeyID,
		i.SecretAccessKey,
		i.SessionToken,
		"eu-west-1",
	).GetItem(
		t.Context(),
		in,
	); code(
		err,
	) != "InvalidSignatureException" {
		t.Errorf("another region got %v", err)
	}
	resp, err := http.Post(database(t).Endpoint(), "application/x-amz-json-1.0", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	if err := resp.Body.Close(); err != nil || resp.StatusCode != http.StatusBadRequest {
		t.Errorf("an unsigned request got %d, %v", resp.StatusCode, err)
	}
}

func TestDenialSaysWhatAWSSays(t *testing.T) {
	t.Parallel()
	table(t, "denied")
	c, _ := person(t, "nobody", allow("dynamodb:GetItem", arn("denied")))
	_, err := c.PutItem(t.Context(), &dynamodb.PutItemInput{
		TableName: aws.String("denied"),
		Item:      attrs{"PK": s("x")},
	})
	var e smithy.APIError
	want := "User: arn:aws:sts::000000000000:assumed-role/role/nobody is not authorized to perform: " +
		"dynamodb:PutItem on resource: " + arn(
		"denied",
	) +
		" because no identity-based policy allows the dynamodb:PutItem action"
	if !errors.As(err, &e) || e.ErrorCode() != "AccessDeniedException" || e.ErrorMessage() != want {
		t.Errorf("got %v", err)
	}
}

func TestEachOperationNeedsItsOwnActionAndResource(t *testing.T) {
	t.Parallel()
	const name = "actions"
	table(t, name)
	n := aws.String(name)
	put := &types.Put{TableName: n, Item: attrs{"PK": s("t")}}
	cases := []struct {
		label, action, resource string
		call                    func(*dynamodb.Client) error
	}{
		{"get", "GetItem", arn(name), func(c *dynamodb.Client) error {
			_, err := c.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: n, Key: attrs{"PK": s("x")}})
			return err
		}},
		{"by ARN", "GetItem", arn(name), func(c *dynamodb.Client) error {
			_, err := c.GetItem(t.Context(), &dynamodb.GetItemInput{
				TableName: aws.String(arn(name)),
				Key:       attrs{"PK": s("x")},
			})
			return err
		}},
		{"batch get", "BatchGetItem", arn(name), func(c *dynamodb.Client) error {
			_, err := c.BatchGetItem(
				t.Context(),
				&dynamodb.BatchGetItemInput{
					RequestItems: map[string]types.KeysAndAttributes{
						name: {Keys: []map[string]types.AttributeValue{{"PK": s("x")}}},
					},
				},
			)
			return err
		}},
		{"query an index", "Query", arn(name) + "/index/byG", func(c *dynamodb.Client) error {
			_, err := c.Query(t.Context(), &dynamodb.QueryInput{
				TableName:                 n,
				IndexName:                 aws.String("byG"),
				KeyConditionExpression:    aws.String("G = :g"),
				ExpressionAttributeValues: attrs{":g": s("x")},
			})
			return err
		}},
		{"transaction", "PutItem", arn(name), func(c *dynamodb.Client) error {
			_, err := c.TransactWriteItems(
				t.Context(),
				&dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{{Put: put}}},
			)
			return err
		}},
		{"scan", "Scan", arn(name), func(c *dynamodb.Client) error {
			_, err := c.Scan(t.Context(), &dynamodb.ScanInput{TableName: n})
			return err
		}},
	}
	for i, x := range cases {
		t.Run(x.label, func(t *testing.T) {
			t.Parallel()
			granted, _ := person(t, fmt.Sprint("granted", i), allow("dynamodb:"+x.action, x.resource))
			if err := x.call(granted); err != nil {
				t.Errorf("with its action: %v", err)
			}
			other, _ := person(
				t,
				fmt.Sprint("other", i),
				allow("dynamodb:"+x.action, arn("elsewhere")),
				allow("dynamodb:DeleteItem", x.resource),
			)
			if err := x.call(other); code(err) != "AccessDeniedException" {
				t.Errorf("without it: %v", err)
			}
		})
	}
}

func TestLeadingKeysBindACallerToItsPartition(t *testing.T) {
	t.Parallel()
	table(t, "leading")
	n := aws.String("leading")
	c, _ := person(
		t,
		"leader",
		`{"Effect":"Allow","Action":["dynamodb:GetItem","dynamodb:Query","dynamodb:BatchGetItem"],"Resource":"`+arn(
			"leading",
		)+`","Condition":{"ForAllValues:StringEquals":{"dynamodb:LeadingKeys":["mine"]}}}`,
	)
	get := func(key string) error {
		_, err := c.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: n, Key: attrs{"PK": s(key)}})
		return err
	}
	query := func(key string) error {
		_, err := c.Query(t.Context(), &dynamodb.QueryInput{
			TableName:                 n,
			KeyConditionExpression:    aws.String("#p = :p"),
			ExpressionAttributeNames:  map[string]string{"#p": "PK"},
			ExpressionAttributeValues: attrs{":p": s(key)},
		})
		return err
	}
	batch := func(key string) error {
		_, err := c.BatchGetItem(
			t.Context(),
			&dynamodb.BatchGetItemInput{
				RequestItems: map[string]types.KeysAndAttributes{
					"leading": {Keys: []map[string]types.AttributeValue{
						{"PK": s("mine")},
						{"PK": s(key)},
					}},
				},
			},
		)
		return err
	}
	if err := errors.Join(get("mine"), query("mine")); err != nil {
		t.Error(err)
	}
	for label, err := range map[string]error{
		"get":   get("yours"),
		"query": query("yours"),
		"batch": batch("yours"),
	} {
		if code(err) != "AccessDeniedException" {
			t.Errorf("%s got %v", label, err)
		}
	}
}

// What the gate reads must be what the database reads.
func TestMembersThatTheDatabaseIgnoresDoNotDeceiveTheGate(t *testing.T) {
	t.Parallel()
	table(t, "mine")
	table(t, "victim")
	_, i := person(
		t,
		"deceiver",
		`{"Effect":"Allow","Action":["dynamodb:*"],"Resource":["`+arn(
			"mine",
		)+`","`+arn(
			"mine",
		)+`/index/*"],"Condition":{"ForAllValues:StringEquals":{"dynamodb:LeadingKeys":["me"]}}}`,
	)
	const key, yours = `{"PK":{"S":"me"}}`, `{"PK":{"S":"you"}}`
	for _, c := range []struct {
		operation, body string
		allowed         bool
	}{
		{"GetItem.x", `{"TableName":"mine","Key":` + yours + `}`, false},
		{"GetItem.x", `{"TableName":"mine","Key":` + key + `}`, false},
		{"ExecuteStatement.x", `{"TableName":"mine","Statement":"select * from \"victim\""}`, false},
		{"getitem", `{"TableName":"mine","Key":` + key + `}`, false},
		{"GetItem", `{"TableName":"` + arn("mine") + `","Key":` + key + `}`, true},
		{"GetItem", `{"TableName":"arn:aws:dynamodb:eu-west-1:000000000000:table/mine","Key":` + key + `}`, false},
		{"GetItem", `{"TableName":"arn:aws:dynamodb:us-east-1:111111111111:table/mine","Key":` + key + `}`, false},
		{"GetItem", `{"TableName":"arn:aws:dynamodb:ddblocal:000000000000:table/mine","Key":` + key + `}`, false},
		{"BatchGetItem", `{"RequestItems":{"arn:aws:dynamodb:ddblocal:000000000000:table/mine":{"Keys":[` + key + `]}}}`, false},
		{"GetItem", `{"TableName":"mine","IndexName":"byG","Key":` + yours + `}`, false},
		{"GetItem", `{"TableName":"mine","IndexName":"byG","Key":` + key + `}`, true},
		{"PutItem", `{"TableName":"mine","IndexName":"byG","Item":{"PK":{"S":"you"},"G":{"S":"me"}}}`, false},
		{"PutItem", `{"TableName":"mine","Item":{"PK":{"S":"me"},"G":{"S":"you"}}}`, true},
		{"GetItem", `{"TableName":"mine","Key":` + key + `}`, true},
		{"GetItem", `{"TableName":"mine","Key":` + yours + `,"Item":` + key + `}`, false},
		{"GetItem", `{"TableName":"mine","Key":` + yours + `,"key":` + key + `}`, false},
		{"GetItem", `{"TableName":"mine","Key":` + yours + `,"KeyConditionExpression":"PK = :p","ExpressionAttributeValues":{":p":{"S":"me"}}}`, false},
		{"GetItem", `{"TableName":"victim","tablename":"mine","Key":` + key + `}`, false},
		{"BatchGetItem", `{"RequestItems":{"mine":{"Keys":[` + yours + `],"keys":[` + key + `]}}}`, false},
		{"Query", `{"TableName":"mine","KeyConditions":{"PK":{"ComparisonOperator":"EQ","AttributeValueList":[{"S":"you"}]}}}`, false},
		{"Query", `{"TableName":"mine","KeyConditionExpression":"PK = :p","ExpressionAttributeValues":{":p":{"S":"me"}}}`, true},
	} {
		r, err := http.NewRequestWithContext(
			t.Context(),
			http.MethodPost,
			database(t).Endpoint(),
			strings.NewReader(c.body),
		)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("X-Amz-Target", "DynamoDB_20120810."+c.operation)
		r.Header.Set("Content-Type", "application/x-amz-json-1.0")
		sum := sha256.Sum256([]byte(c.body))
		if err := v4.NewSigner().SignHTTP(t.Context(), aws.Credentials{
			AccessKeyID:     i.AccessKeyID,
			SecretAccessKey: i.SecretAccessKey,
			SessionToken:    i.SessionToken,
		},
			r, hex.EncodeToString(sum[:]), "dynamodb", "us-east-1", time.Now()); err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		if err := resp.Body.Close(); err != nil || (resp.StatusCode == http.StatusOK) != c.allowed {
			t.Errorf("%s %s got %d, %v", c.operation, c.body, resp.StatusCode, err)
		}
	}
}

// What cannot name a table is invalid, and not worth another try.
func TestInvalidNamesAreValidationErrors(t *testing.T) {
	t.Parallel()
	c, _ := person(t, "names", allow("*", "*"))
	for _, name := range []string{"a b", "ab", " victim", "arn:aws:dynamodb:us-east-1:000000000000:table/", strings.Repeat("x", 256)} {
		if _, err := c.GetItem(t.Context(), &dynamodb.GetItemInput{
			TableName: &name,
			Key:       attrs{"PK": s("x")},
		}); code(err) != "ValidationException" {
			t.Errorf("%q got %v", name, err)
		}
	}
}

func FuzzRequests(f *testing.F) {
	seeds.Add(f)
	f.Add("GetItem", []byte(`{"TableName":"t","Key":{"PK":{"S":"x"}}}`))
	f.Fuzz(func(t *testing.T, operation string, data []byte) {
		if b, err := parse(data); err == nil {
			leading(b, "PK")
		}
	})
}

func TestDataIsOutOfReachWithoutTheNamespace(t *testing.T) {
	t.Parallel()
	table(t, "hidden")
	direct := dynamodb.New(dynamodb.Options{
		Region:           "us-east-1",
		BaseEndpoint:     aws.String(database(t).upstream()),
		RetryMaxAttempts: 1,
		Credentials:      credentials.NewStaticCredentialsProvider("guess", "x", ""),
	})
	out, err := direct.ListTables(t.Context(), &dynamodb.ListTablesInput{})
	if err != nil || len(out.TableNames) > 0 {
		t.Errorf("somebody on the network sees %v, %v", out, err)
	}
}

// Not parallel: the database is away for a moment.
func TestKilledDatabaseComesBackWithItsData(t *testing.T) {
	table(t, "survivor")
	if _, err := database(t).Client().PutItem(t.Context(), &dynamodb.PutItemInput{
		TableName: aws.String("survivor"),
		Item:      attrs{"PK": s("x")},
	}); err != nil {
		t.Fatal(err)
	}
	pid := database(t).Pid()
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	c, _ := person(t, "survivor", allow("dynamodb:GetItem", arn("survivor")))
	deadline := time.After(time.Minute)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		out, err := c.GetItem(t.Context(), &dynamodb.GetItemInput{
			TableName: aws.String("survivor"),
			Key:       attrs{"PK": s("x")},
		})
		if err == nil && database(t).Pid() != pid {
			if out.Item == nil {
				t.Error("the item is lost")
			}
			return
		}
		if err != nil && code(err) != "InternalServerError" {
			t.Errorf("meanwhile a caller got %v", err)
		}
		select {
		case <-deadline:
			t.Fatal("the database did not come back")
		case <-tick.C:
		}
	}
}

func TestMissingJavaAndJarAreNamed(t *testing.T) {
	t.Parallel()
	_, err := Start(t.Context(), Config{
		JarDir:  t.TempDir(),
		DataDir: t.TempDir(),
		Java:    "no-such-java",
		Now:     time.Now,
	})
	if err == nil || !strings.Contains(err.Error(), "Java 17") {
		t.Errorf("got %v", err)
	}
	_, err = Start(t.Context(), Config{JarDir: t.TempDir(), DataDir: t.TempDir(), Now: time.Now})
	if err == nil || !strings.Contains(err.Error(), "make tools") {
		t.Errorf("got %v", err)
	}
}
