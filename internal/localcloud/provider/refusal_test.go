package provider

import (
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

func TestTypeThatIsNotSupportedIsRefusedShortly(t *testing.T) {
	t.Parallel()
	s, _ := server(t)
	const token = "aws:s3/bucket:Bucket"
	r, err := s.Check(t.Context(), &pulumirpc.CheckRequest{Urn: urn(token, "b")})
	if err != nil || len(r.Failures) != 1 {
		t.Fatal(r, err)
	}
	got := r.Failures[0].Reason
	for _, want := range []string{token + ";", "aws:s3/bucketV2:BucketV2", "docs/local-cloud-support.md"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q does not name %s", got, want)
		}
	}
	if n := strings.Count(got, "aws:"); n != 2 {
		t.Errorf("%q names %d types", got, n)
	}
}

func TestPoliciesThatCannotBeAttachedAreRefusedInThePreview(t *testing.T) {
	t.Parallel()
	s, _ := server(t)
	const aws = "arn:aws:iam::aws:policy/"
	cases := map[string]string{
		aws + "service-role/AWSLambdaBasicExecutionRole": "",
		"arn:aws:iam::" + Account + ":policy/made-later": "",
		aws + "AdministratorAccess":                      "AWS managed policy AdministratorAccess, so",
		aws + "service-role/NoSuchPolicy":                "it knows service-role/AWSLambdaBasicExecutionRole and",
		"arn:aws:iam::123456789012:policy/theirs":        "policies of its own account",
		"AWSLambdaBasicExecutionRole":                    "is not valid",
	}
	for arn, want := range cases {
		attachment := problems(t, s, roleAttachmentType, values{"role": "r", "policyArn": arn})
		wantOne(t, "policyArn", attachment, want)
		// Another one that is not known yet hides nothing.
		role := problems(t, s, roleType, values{
			"assumeRolePolicy":  trust,
			"managedPolicyArns": []any{Unknown{}, arn},
		})
		wantOne(t, "managedPolicyArns[1]", role, want)
	}
}

func TestMessagesNameArchivesAndDumpNone(t *testing.T) {
	t.Parallel()
	s, _ := server(t)
	code := function(t, "one")["code"]
	got := strings.Join(problems(t, s, functionType, values{
		"handler":     &bundle{Archive: code.ArchiveValue()},
		"description": []any{&bundle{Archive: code.ArchiveValue()}},
		"runtime":     "provided.al2023",
	}), "\n")
	for _, want := range []string{
		`"handler" must be a string, not "the archive of assets"`,
		`"description" must be a string, not ["the archive of assets"]`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("got %q, want %s", got, want)
		}
	}
	if strings.Contains(got, resource.SigKey) {
		t.Errorf("an archive is dumped in %q", got)
	}
}

// wantOne tests that there is one failure, of a property, or none if want is "".
func wantOne(t *testing.T, property string, got []string, want string) {
	t.Helper()
	if want == "" && len(got) > 0 {
		t.Errorf("%s is refused: %q", property, got)
	}
	if want == "" {
		return
	}
	named := len(got) == 1 && strings.HasPrefix(got[0], property+": ")
	if !named || !strings.Contains(got[0], want) {
		t.Errorf("%s: got %q, want %q", property, got, want)
	}
}

// problems returns what Check says of inputs, some of which may be unknown.
func problems(t *testing.T, s *Server, token string, in values) []string {
	t.Helper()
	_, out := check(t, s, token, "x", nil, toPulumi(in))
	return out
}
