package provider

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"items-api/internal/localcloud/iam"
	"items-api/internal/localcloud/state"
)

const (
	keyType      = "aws:kms/key:Key"
	keyAliasType = "aws:kms/alias:Alias"

	noKeys     = "nothing is encrypted with it locally"
	aliasStart = "alias/"
)

// keySpecs: source, KMS API reference, CreateKey.
var keySpecs = []string{
	"SYMMETRIC_DEFAULT",
	"RSA_2048",
	"RSA_3072",
	"RSA_4096",
	"ECC_NIST_P256",
	"ECC_NIST_P384",
	"ECC_NIST_P521",
	"ECC_SECG_P256K1",
	"HMAC_224",
	"HMAC_256",
	"HMAC_384",
	"HMAC_512",
}

func kmsTypes() []*Type {
	alias := matching(
		regexp.MustCompile(`^alias/[a-zA-Z0-9/_-]{1,250}$`),
		"an alias is alias/ and 1 to 250 letters, digits, '/', '_' or '-'",
	)
	return []*Type{
		{
			Token: keyType,
			Properties: []Property{
				{
					Name:    "bypassPolicyLockoutSafetyCheck",
					Kind:    Bool,
					Level:   Recorded,
					Default: false,
					Note:    "a policy is not tested for locking its account out",
				},
				{
					Name:    "customKeyStoreId",
					Kind:    String,
					Level:   Refused,
					Replace: true,
					Note:    "there are no key stores",
				},
				{
					Name:    "customerMasterKeySpec",
					Kind:    String,
					Level:   Recorded,
					Default: "SYMMETRIC_DEFAULT",
					Replace: true,
					Check:   oneOf(keySpecs...),
					Note:    noKeys,
				},
				{
					Name:  "deletionWindowInDays",
					Kind:  Int,
					Level: Recorded,
					Check: between(7, 30),
					Note:  "a deleted key is gone at once",
				},
				{
					Name:     "description",
					Kind:     String,
					Level:    Recorded,
					Computed: true,
				},
				{
					Name:    "enableKeyRotation",
					Kind:    Bool,
					Level:   Recorded,
					Default: false,
					Note:    noKeys,
				},
				{
					Name:    "isEnabled",
					Kind:    Bool,
					Level:   Enforced,
					Default: true,
					Note:    "a table or a log group cannot be given a key that is not enabled",
				},
				{
					Name:    "keyUsage",
					Kind:    String,
					Level:   Recorded,
					Default: "ENCRYPT_DECRYPT",
					Replace: true,
					Note:    noKeys,
				},
				{
					Name:     "multiRegion",
					Kind:     Bool,
					Level:    Recorded,
					Computed: true,
					Replace:  true,
					Note:     "the local cloud has one region",
				},
				{
					Name:     "policy",
					Kind:     Document,
					Level:    Enforced,
					Computed: true,
					Check:    resourcePolicy,
					Note:     "judged where CloudWatch Logs or CloudTrail is given the key",
				},
				{
					Name:     "rotationPeriodInDays",
					Kind:     Int,
					Level:    Recorded,
					Computed: true,
					Note:     noKeys,
				},
				tags(),
				{
					Name:    "xksKeyId",
					Kind:    String,
					Level:   Refused,
					Replace: true,
					Note:    "there are no key stores",
				},
			},
			Outputs:     []string{"arn", "keyId", "tagsAll"},
			CreateFirst: true, Volatile: volatileTags,
			Check: func(_ *Provider, in values) []Failure {
				if in.has("rotationPeriodInDays") && in["enableKeyRotation"] == false {
					return []Failure{
						{
							"rotationPeriodInDays",
							"a key that does not rotate has no period: set enableKeyRotation to true",
						},
					}
				}
				return nil
			},
			Create: createKey,
			Update: func(_ context.Context, p *Provider, old state.Record, in values) (state.Record, error) {
				return renewed(p.types[keyType], old, in), nil
			},
		},
		{
			Token: keyAliasType,
			Properties: []Property{
				{
					Name:    "name",
					Kind:    String,
					Level:   Enforced,
					Replace: true,
					Check: func(v any) error {
						if s, _ := v.(string); strings.HasPrefix(s, "alias/aws/") {
							return fmt.Errorf("names that begin with alias/aws/ are those of AWS's own keys")
						}
						return alias(v)
					},
				},
				{
					Name:     "namePrefix",
					Kind:     String,
					Level:    Enforced,
					Computed: true,
					Replace:  true,
				},
				{
					Name:     "targetKeyId",
					Kind:     String,
					Level:    Enforced,
					Required: true,
				},
			},
			Outputs:    []string{"arn", "targetKeyArn"},
			Name:       "name",
			NameMax:    256,
			NamePrefix: "namePrefix",
			Create: func(_ context.Context, p *Provider, in values) (state.Record, error) {
				arn := p.arn("kms", in.str("name"))
				if _, err := p.Store.Get(keyAliasType, in.str("name")); err == nil {
					return state.Record{}, fmt.Errorf(
						"AlreadyExistsException: An alias with the name %s already exists",
						arn,
					)
				}
				rec, err := p.keyAliasRecord(in)
				rec.Properties["arn"] = arn
				return rec, err
			},
			Update: func(_ context.Context, p *Provider, old state.Record, in values) (state.Record, error) {
				rec, err := p.keyAliasRecord(in)
				rec.Private, rec.Properties["arn"] = old.Private, old.Properties["arn"]
				return rec, err
			},
			Volatile: func(old, in values) []string {
				if old["targetKeyId"] != in["targetKeyId"] {
					return []string{"targetKeyArn"}
				}
				return nil
			},
		},
	}
}

func (p *Provider) keyAliasRecord(in values) (state.Record, error) {
	key, err := p.kmsKey(in.str("targetKeyId"))
	rec := state.Record{ID: in.str("name"), Properties: base(in)}
	rec.Properties["targetKeyArn"] = key.str("arn")
	setDefault(rec, "namePrefix", "")
	return rec, err
}

func createKey(_ context.Context, p *Provider, in values) (state.Record, error) {
	id := p.digits(32)
	if in.boolean("multiRegion") {
		id = "mrk-" + id
	} else {
		id = strings.Join([]string{id[:8], id[8:12], id[12:16], id[16:20], id[20:]}, "-")
	}
	rec := state.Record{ID: id, Properties: base(in)}
	rec.Properties["arn"], rec.Properties["keyId"], rec.Properties["tagsAll"] = p.arn(
		"kms",
		"key/"+id,
	), id, tagsOf(
		in,
	)
	setDefault(rec, "description", "")
	setDefault(rec, "multiRegion", false)
	// Source: KMS developer guide, "Default key policy".
	setDefault(
		rec,
		"policy",
		fmt.Sprintf(
			`{"Id":"key-default-1","Version":"2012-10-17","Statement":[{"Sid":"Enable IAM User Permissions","Effect":"Allow","Principal":{"AWS":"arn:%s:iam::%s:root"},"Action":"kms:*","Resource":"*"}]}`,
			Partition,
			Account,
		),
	)
	if in.boolean("enableKeyRotation") {
		setDefault(rec, "rotationPeriodInDays", 365.0)
	}
	return rec, nil
}

// kmsKey returns a key by its id or ARN, or by the name or ARN of an alias.
func (p *Provider) kmsKey(ref string) (values, error) {
	id := strings.TrimPrefix(ref, p.arn("kms", ""))
	if strings.HasPrefix(id, aliasStart) {
		if a, err := p.Store.Get(keyAliasType, id); err == nil {
			id = values(a.Properties).str("targetKeyArn")
			id = strings.TrimPrefix(id, p.arn("kms", ""))
		}
	}
	r, err := p.Store.Get(keyType, strings.TrimPrefix(id, "key/"))
	if err != nil {
		return values{}, fmt.Errorf("NotFoundException: Key '%s' does not exist", ref)
	}
	return r.Properties, nil
}

// ownKey returns the key that a resource is given, if it is one of this cloud,
// which then must exist and be enabled. Of others nothing is known.
func (p *Provider) ownKey(ref string) (key values, own bool, err error) {
	if !strings.HasPrefix(ref, p.arn("kms", "")) {
		return nil, false, nil
	}
	key, err = p.kmsKey(ref)
	if err == nil && !key.boolean("isEnabled") {
		err = fmt.Errorf(
			"DisabledException: the key %s is disabled: set isEnabled to true, or give another key",
			ref,
		)
	}
	return key, true, err
}

// keyLets reports whether a key's policy lets a service do all of the actions.
func keyLets(key values, service string, context map[string][]string, actions ...string) bool {
	policy, err := iam.ParseResource([]byte(key.str("policy")))
	if err != nil {
		return false
	}
	return !slices.ContainsFunc(actions, func(action string) bool {
		return !policy.AllowsService(service, iam.Request{
			Action:   action,
			Resource: key.str("arn"),
			Context:  context,
		})
	})
}

// logKey tests the key that a log group is given: CloudWatch Logs itself uses
// it, so that the key's policy must let it. Source: CloudWatch Logs user guide,
// "Encrypt log data using AWS KMS"; which of the actions of that guide AWS tries
// at once is not verified.
func (p *Provider) logKey(in values) error {
	ref, group := in.str("kmsKeyId"), p.LogGroupARN(in.str("name"))
	key, own, err := p.ownKey(ref)
	if err == nil && own && !keyLets(key, "logs."+p.Region+".amazonaws.com", map[string][]string{
		"kms:encryptioncontext:aws:logs:arn": {group},
		"aws:sourcearn":                      {group},
		"aws:sourceaccount":                  {Account},
	},
		"kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey") {
		err = fmt.Errorf("the policy of %s does not let logs.%s.amazonaws.com use it", ref, p.Region)
	}
	if err != nil {
		return fmt.Errorf(
			"AccessDeniedException: The specified KMS key does not exist or is not allowed to be used "+
				"with Arn '%s': %w",
			group,
			err,
		)
	}
	return nil
}

// tableKey tests the key that a table is given. DynamoDB uses it in the name
// of its callers, by their permissions.
func (p *Provider) tableKey(in values) error {
	if _, _, err := p.ownKey(in.object("serverSideEncryption").str("kmsKeyArn")); err != nil {
		return fmt.Errorf("serverSideEncryption.kmsKeyArn: %w", err)
	}
	return nil
}
