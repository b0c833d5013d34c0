package provider

import (
	"context"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"items-api/internal/localcloud/iam"
	"items-api/internal/localcloud/state"
)

const (
	bucketType            = "aws:s3/bucketV2:BucketV2"
	bucketVersioningType  = "aws:s3/bucketVersioningV2:BucketVersioningV2"
	bucketEncryptionType  = "aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2"
	bucketLifecycleType   = "aws:s3/bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2"
	bucketPublicBlockType = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
	bucketOwnershipType   = "aws:s3/bucketOwnershipControls:BucketOwnershipControls"
	bucketPolicyType      = "aws:s3/bucketPolicy:BucketPolicy"

	noObjects   = "nothing is stored in buckets locally"
	ownResource = "give it as a resource of its own"
)

// bucketParts are the types that belong to a bucket and go with it.
var bucketParts = []string{
	bucketVersioningType, bucketEncryptionType, bucketLifecycleType, bucketPublicBlockType,
	bucketOwnershipType, bucketPolicyType,
}

// s3Zones are the hosted zones of S3's endpoints, as far as they are known
// here. Source: AWS general reference, "Amazon S3 endpoints and quotas".
var s3Zones = map[string]string{
	"us-east-1":    "Z3AQBSTGFYJSTF",
	"us-east-2":    "Z2O1EMRO9K5GLX",
	"us-west-1":    "Z2F56UZL2M1ACD",
	"us-west-2":    "Z3BJ6K6RIION7M",
	"eu-west-1":    "Z1BKCTXD74EZPE",
	"eu-central-1": "Z21DNDUVLTQW6Q",
}

func s3Types() []*Type {
	bucket := &Type{
		Token: bucketType,
		Properties: []Property{
			refused("accelerationStatus", String, noObjects),
			refused("acl", String, "new buckets have no access control lists"),
			{
				Name:    "bucket",
				Kind:    String,
				Level:   Enforced,
				Replace: true,
				Check:   bucketName,
			},
			{
				Name:     "bucketPrefix",
				Kind:     String,
				Level:    Enforced,
				Computed: true,
				Replace:  true,
				Check:    length(0, 37),
			},
			refused("corsRules", List, ownResource),
			{
				Name:    "forceDestroy",
				Kind:    Bool,
				Level:   Recorded,
				Default: false,
				Note:    noObjects,
			},
			refused("grants", Set, "new buckets have no access control lists"),
			refused("lifecycleRules", List, ownResource),
			refused("loggings", List, ownResource),
			refused("objectLockConfiguration", Object, ownResource),
			{
				Name:     "objectLockEnabled",
				Kind:     Bool,
				Level:    Recorded,
				Computed: true,
				Replace:  true,
				Note:     noObjects,
			},
			refused("policy", String, ownResource),
			refused("replicationConfigurations", List, ownResource),
			refused("requestPayer", String, ownResource),
			refused("serverSideEncryptionConfigurations", List, ownResource),
			tags(),
			refused("versionings", List, ownResource),
			refused("websites", List, ownResource),
		},
		Outputs: []string{
			"arn", "bucketDomainName", "bucketRegionalDomainName", "hostedZoneId", "region", "tagsAll",
			"websiteDomain", "websiteEndpoint",
		},
		Name:       "bucket",
		NameMax:    63,
		NamePrefix: "bucketPrefix",
		NameLower:  true,
		Create:     createBucket,
		Volatile:   volatileTags,
		Update: func(_ context.Context, p *Provider, old state.Record, in values) (state.Record, error) {
			return renewed(p.types[bucketType], old, in), nil
		},
		Delete: func(_ context.Context, p *Provider, r state.Record) error {
			for _, part := range bucketParts {
				if err := p.dropAll(part, "bucket", r.ID); err != nil {
					return err
				}
			}
			return nil
		},
	}
	return append([]*Type{bucket, lifecycleType()}, bucketPartTypes()...)
}

// ofBucket is the property that says whose a part is.
func ofBucket() Property {
	return Property{
		Name:     "bucket",
		Kind:     String,
		Level:    Enforced,
		Required: true,
		Replace:  true,
	}
}

func bucketOwner() Property {
	return Property{
		Name:    "expectedBucketOwner",
		Kind:    String,
		Level:   Enforced,
		Replace: true,
		Check:   matching(regexp.MustCompile(`^\d{12}$`), "an account id has 12 digits"),
	}
}

func bucketPartTypes() []*Type {
	flag := func(name, note string, level Level) Property {
		return Property{
			Name:    name,
			Kind:    Bool,
			Level:   level,
			Default: false,
			Note:    note,
		}
	}
	return []*Type{
		bucketPart(bucketVersioningType, func(_ *Provider, old, in values) error {
			was, is := old.object(
				"versioningConfiguration",
			).str(
				"status",
			), in.object(
				"versioningConfiguration",
			).str(
				"status",
			)
			if was != "" && was != "Disabled" && is == "Disabled" {
				return fmt.Errorf(
					"versioningConfiguration.status cannot be updated from '%s' to '%s': a bucket that "+
						"had versions keeps them; use Suspended",
					was,
					is,
				)
			}
			return nil
		}, ofBucket(), bucketOwner(), refused("mfa", String, "there are no MFA devices"),
			Property{
				Name:     "versioningConfiguration",
				Kind:     Object,
				Level:    Recorded,
				Required: true,
				Note:     noObjects,
				Fields: []Property{
					{
						Name:     "mfaDelete",
						Kind:     String,
						Level:    Recorded,
						Computed: true,
					},
					{
						Name:     "status",
						Kind:     String,
						Level:    Recorded,
						Required: true,
					},
				},
			}),
		bucketPart(bucketEncryptionType, nil, ofBucket(), bucketOwner(),
			Property{
				Name:     "rules",
				Kind:     Set,
				Level:    Recorded,
				Required: true,
				Note:     noObjects,
				Fields: []Property{
					{
						Name:  "applyServerSideEncryptionByDefault",
						Kind:  Object,
						Level: Recorded,
						Fields: []Property{
							{
								Name:  "kmsMasterKeyId",
								Kind:  String,
								Level: Recorded,
								Note:  "S3 does not test the key before it uses it",
							},
							{
								Name:     "sseAlgorithm",
								Kind:     String,
								Level:    Recorded,
								Required: true,
							},
						},
					},
					{
						Name:  "bucketKeyEnabled",
						Kind:  Bool,
						Level: Recorded,
					},
				},
			}),
		bucketPart(
			bucketPublicBlockType,
			nil,
			ofBucket(),
			flag("blockPublicAcls", noObjects, Recorded),
			flag("blockPublicPolicy", "a policy for everybody without a condition is refused", Enforced),
			flag(
				"ignorePublicAcls",
				noObjects,
				Recorded,
			),
			flag("restrictPublicBuckets", noObjects, Recorded),
		),
		bucketPart(bucketOwnershipType, nil, ofBucket(), Property{
			Name:     "rule",
			Kind:     Object,
			Level:    Recorded,
			Required: true,
			Note:     noObjects,
			Fields: []Property{
				{
					Name:     "objectOwnership",
					Kind:     String,
					Level:    Recorded,
					Required: true,
				}},
		}),
		bucketPart(bucketPolicyType, fitsBucket, ofBucket(),
			Property{
				Name:     "policy",
				Kind:     Document,
				Level:    Enforced,
				Required: true,
				Check:    resourcePolicy,
				Note:     "judged where CloudTrail is given the bucket",
			}),
	}
}

// bucketPart is a type whose resources each are a part of a bucket, which has
// one of the type. A second one takes the place of the first, as on AWS.
func bucketPart(token string, fits func(p *Provider, old, in values) error, props ...Property) *Type {
	if fits == nil {
		fits = func(*Provider, values, values) error { return nil }
	}
	return &Type{
		Token:       token,
		Properties:  props,
		CreateFirst: true,
		Check:       checkPart,
		Create: func(_ context.Context, p *Provider, in values) (state.Record, error) {
			id, owner := in.str("bucket"), in.str("expectedBucketOwner")
			if _, err := p.Store.Get(bucketType, id); err != nil {
				return state.Record{}, fmt.Errorf("NoSuchBucket: The specified bucket does not exist: %s", id)
			}
			if owner != "" {
				id += "," + owner
			}
			if owner != "" && owner != Account {
				return state.Record{}, fmt.Errorf(
					"AccessDenied: the bucket %s belongs to %s, not to %s",
					in.str("bucket"),
					Account,
					owner,
				)
			}
			return state.Record{ID: id, Properties: base(in)}, fits(p, values{}, in)
		},
		Update: func(_ context.Context, p *Provider, old state.Record, in values) (state.Record, error) {
			return state.Record{Properties: base(in), Private: old.Private}, fits(p, old.Properties, in)
		},
	}
}

// notBuckets are beginnings and ends that names of buckets must not have.
// Source: Amazon S3 user guide, "General purpose bucket naming rules".
var (
	bucketPattern  = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)
	notBucketStart = []string{"xn--", "sthree-", "amzn-s3-demo-"}
	notBucketEnd   = []string{"-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"}
)

func bucketName(v any) error {
	s, _ := v.(string)
	_, address := netip.ParseAddr(s)
	switch {
	case !bucketPattern.MatchString(s):
		return fmt.Errorf(
			"a bucket's name has 3 to 63 lower-case letters, digits, '.' or '-', and a letter or digit " +
				"first and last",
		)
	case strings.Contains(s, ".."):
		return fmt.Errorf("a bucket's name must not have two periods side by side")
	case address == nil:
		return fmt.Errorf("a bucket's name must not look like an IP address")
	case slices.ContainsFunc(notBucketStart, func(p string) bool { return strings.HasPrefix(s, p) }):
		return fmt.Errorf("a bucket's name must not begin with %s", strings.Join(notBucketStart, ", "))
	case slices.ContainsFunc(notBucketEnd, func(p string) bool { return strings.HasSuffix(s, p) }):
		return fmt.Errorf("a bucket's name must not end with %s", strings.Join(notBucketEnd, ", "))
	}
	return nil
}

func createBucket(_ context.Context, p *Provider, in values) (state.Record, error) {
	name := in.str("bucket")
	if _, err := p.Store.Get(bucketType, name); err == nil {
		return state.Record{}, fmt.Errorf(
			"BucketAlreadyOwnedByYou: Your previous request to create the named bucket succeeded and you "+
				"already own it: %s",
			name,
		)
	}
	rec := state.Record{ID: name, Properties: base(in)}
	props := rec.Properties
	props["arn"], props["region"], props["tagsAll"] = bucketARN(name), p.Region, tagsOf(in)
	props["bucketDomainName"], props["bucketRegionalDomainName"] = name+".s3.amazonaws.com", name+".s3."+p.Region+".amazonaws.com"
	props["hostedZoneId"], props["websiteDomain"], props["websiteEndpoint"] = s3Zones[p.Region], "", ""
	setDefault(rec, "bucketPrefix", "")
	setDefault(rec, "objectLockEnabled", false)
	return rec, nil
}

func bucketARN(name string) string { return "arn:" + Partition + ":s3:::" + name }

// fitsBucket tests that a policy speaks of its bucket, and that it is not open
// to everybody where the bucket's settings block that. A new bucket does until
// it is told otherwise. What AWS takes for public goes further than this.
func fitsBucket(p *Provider, _, in values) error {
	policy, err := iam.ParseResource([]byte(in.str("policy")))
	if err != nil {
		return err
	}
	name := in.str("bucket")
	blocked := true
	if b, err := p.Store.Get(bucketPublicBlockType, name); err == nil {
		blocked = values(b.Properties).boolean("blockPublicPolicy")
	}
	if err := ofItsBucket(policy, name); err != nil {
		return err
	}
	for _, s := range policy.Statements {
		if everybody := s.AnyPrincipal ||
			slices.Contains(s.Principals, "*"); blocked && s.Allow && everybody &&
			len(s.Conditions) == 0 {
			return fmt.Errorf(
				"AccessDenied: public policies are blocked by the BlockPublicPolicy block public access "+
					"setting of the bucket %s",
				name,
			)
		}
	}
	return nil
}

// bucketPolicy returns the policy of a bucket; one without lets nobody in.
func (p *Provider) bucketPolicy(name string) (iam.Policy, error) {
	r, err := p.Store.Get(bucketPolicyType, name)
	if err != nil {
		return iam.Policy{}, nil
	}
	return iam.ParseResource([]byte(values(r.Properties).str("policy")))
}
