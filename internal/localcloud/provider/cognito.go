package provider

import (
	"context"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"items-api/internal/localcloud/state"
)

const (
	poolType           = "aws:cognito/userPool:UserPool"
	poolClientType     = "aws:cognito/userPoolClient:UserPoolClient"
	resourceServerType = "aws:cognito/resourceServer:ResourceServer"
	poolDomainType     = "aws:cognito/userPoolDomain:UserPoolDomain"

	noUsers  = "there are no users and no sign-in locally; `cmd/local token` makes tokens"
	noNotice = "nothing is sent locally"
)

func cognitoTypes() []*Type {
	return []*Type{
		{
			Token:      poolType,
			Properties: poolProperties(),
			Name:       "name",
			NameMax:    128,
			Outputs: []string{
				"arn", "creationDate", "customDomain", "domain", "endpoint", "estimatedNumberOfUsers",
				"lastModifiedDate", "tagsAll",
			},
			Check:    checkPool,
			Create:   createPool,
			Update:   updatePool,
			Apply:    applyPool,
			Delete:   deletePool,
			Removed:  removedPool,
			Volatile: func(old, in values) []string { return append(volatileTags(old, in), "lastModifiedDate") },
		},
		{
			Token:      poolClientType,
			Properties: poolClientProperties(),
			Name:       "name",
			NameMax:    128,
			Outputs:    []string{"clientSecret"},
			Check:      checkPoolClient,
			Create:     createPoolClient,
			Update:     updatePoolClient,
		},
		{
			Token:   resourceServerType,
			Outputs: []string{"scopeIdentifiers"},
			Name:    "name",
			NameMax: 256,
			Properties: []Property{
				{
					Name:     "identifier",
					Kind:     String,
					Level:    Enforced,
					Required: true,
					Replace:  true,
					Check: matching(
						regexp.MustCompile(`^[\x21\x23-\x5B\x5D-\x7E]{1,256}$`),
						"an identifier has 1 to 256 printable characters, without spaces, quotes "+
							"and backslashes",
					),
				},
				{
					Name:  "name",
					Kind:  String,
					Level: Recorded,
				},
				{
					Name:  "scopes",
					Kind:  Set,
					Level: Enforced,
					Fields: []Property{
						{
							Name:     "scopeDescription",
							Kind:     String,
							Level:    Recorded,
							Required: true,
						},
						{
							Name:     "scopeName",
							Kind:     String,
							Level:    Enforced,
							Required: true,
							Check: matching(
								regexp.MustCompile(`^[\x21\x23-\x2E\x30-\x5B\x5D-\x7E]{1,256}$`),
								"a scope's name has 1 to 256 printable characters, without spaces, "+
									"quotes, slashes and backslashes",
							),
						},
					},
				},
				poolOf(),
			},
			Key:    func(id string, _ values) string { return strings.ReplaceAll(id, "|", "/") },
			Create: createResourceServer,
			Update: updateResourceServer,
		},
		{
			Token: poolDomainType,
			Outputs: []string{
				"awsAccountId", "cloudfrontDistribution", "cloudfrontDistributionArn",
				"cloudfrontDistributionZoneId", "s3Bucket", "version",
			},
			Properties: []Property{
				{
					Name:    "certificateArn",
					Kind:    String,
					Level:   Recorded,
					Replace: true,
					Note:    noUsers,
				},
				{
					Name:     "domain",
					Kind:     String,
					Level:    Recorded,
					Required: true,
					Replace:  true,
					Note:     noUsers,
					Check:    ownDomain,
				},
				{
					Name:     "managedLoginVersion",
					Kind:     Int,
					Level:    Recorded,
					Computed: true,
					Check:    between(1, 2),
				},
				poolOf(),
			},
			Create: createPoolDomain,
			Update: func(_ context.Context, _ *Provider, old state.Record, in values) (state.Record, error) {
				return state.Record{Properties: domainOutputs(in), Private: old.Private}, nil
			},
		},
	}
}

var poolDomainName = matching(regexp.MustCompile(`^[a-z0-9]([a-z0-9\-.]{0,61}[a-z0-9])?$`),
	"a domain has 1 to 63 lower-case letters, digits or '-'")

func poolOf() Property {
	return Property{
		Name:     "userPoolId",
		Kind:     String,
		Level:    Enforced,
		Required: true,
		Replace:  true,
	}
}

func recorded(name string, kind Kind, note string) Property {
	return Property{
		Name:     name,
		Kind:     kind,
		Elem:     String,
		Level:    Recorded,
		Computed: true,
		Note:     note,
	}
}

func refused(name string, kind Kind, note string) Property {
	return Property{
		Name:  name,
		Kind:  kind,
		Elem:  String,
		Level: Refused,
		Note:  note,
	}
}

// firstFactors are what users may sign in with first. Source: Cognito API
// reference, SignInPolicyType.
var firstFactors = oneOf("PASSWORD", "EMAIL_OTP", "SMS_OTP", "WEB_AUTHN")

func poolProperties() []Property {
	return []Property{
		{
			Name:     "accountRecoverySetting",
			Kind:     Object,
			Level:    Recorded,
			Computed: true,
			Note:     noUsers,
			Fields: []Property{
				{
					Name:  "recoveryMechanisms",
					Kind:  Set,
					Level: Recorded,
					Fields: []Property{
						{
							Name:     "name",
							Kind:     String,
							Level:    Recorded,
							Required: true,
						},
						{
							Name:     "priority",
							Kind:     Int,
							Level:    Recorded,
							Required: true,
						},
					},
				}},
		},
		{
			Name:     "adminCreateUserConfig",
			Kind:     Object,
			Level:    Recorded,
			Computed: true,
			Note:     noUsers,
			Fields: []Property{
				recorded("allowAdminCreateUserOnly", Bool, ""),
				refused("inviteMessageTemplate", Object, noNotice),
			},
		},
		{
			Name:    "aliasAttributes",
			Kind:    Set,
			Elem:    String,
			Level:   Recorded,
			Replace: true,
			Note:    noUsers,
		},
		{
			Name:  "autoVerifiedAttributes",
			Kind:  Set,
			Elem:  String,
			Level: Recorded,
			Note:  noUsers,
		},
		{
			Name:     "deletionProtection",
			Kind:     String,
			Level:    Enforced,
			Computed: true,
		},
		refused("deviceConfiguration", Object, noUsers),
		refused("emailConfiguration", Object, noNotice),
		refused("emailMfaConfiguration", Object, noNotice),
		recorded("emailVerificationMessage", String, noNotice),
		recorded("emailVerificationSubject", String, noNotice),
		refused("lambdaConfig", Object, noUsers),
		{
			Name:    "mfaConfiguration",
			Kind:    String,
			Level:   Recorded,
			Default: "OFF",
			Note:    noUsers,
		},
		{
			Name:    "name",
			Kind:    String,
			Level:   Enforced,
			Replace: true,
			Check: matching(
				regexp.MustCompile(`^[\w\s+=,.@-]{1,128}$`),
				"a user pool's name has 1 to 128 letters, digits, spaces or any of +=,.@-_",
			),
		},
		{
			Name:     "passwordPolicy",
			Kind:     Object,
			Level:    Recorded,
			Computed: true,
			Note:     noUsers,
			Fields: []Property{
				recorded("minimumLength", Int, noUsers),
				{
					Name:     "passwordHistorySize",
					Kind:     Int,
					Level:    Recorded,
					Computed: true,
					Note:     noUsers,
					Check:    between(0, 24),
				},
				recorded(
					"requireLowercase",
					Bool,
					"",
				),
				recorded("requireNumbers", Bool, ""),
				recorded("requireSymbols", Bool, ""),
				recorded("requireUppercase", Bool, ""),
				recorded("temporaryPasswordValidityDays", Int, noUsers),
			},
		},
		refused("schemas", Set, noUsers),
		{
			Name:     "signInPolicy",
			Kind:     Object,
			Level:    Recorded,
			Computed: true,
			Note:     noUsers,
			Fields: []Property{
				{
					Name:     "allowedFirstAuthFactors",
					Kind:     Set,
					Elem:     String,
					Level:    Recorded,
					Computed: true,
					Each:     firstFactors,
				},
			},
		},
		recorded("smsAuthenticationMessage", String, noNotice),
		refused("smsConfiguration", Object, noNotice),
		recorded("smsVerificationMessage", String, noNotice),
		{
			Name:  "softwareTokenMfaConfiguration",
			Kind:  Object,
			Level: Recorded,
			Note:  noUsers,
			Fields: []Property{
				{
					Name:     "enabled",
					Kind:     Bool,
					Level:    Recorded,
					Required: true,
				}},
		},
		tags(),
		{
			Name:     "userAttributeUpdateSettings",
			Kind:     Object,
			Level:    Recorded,
			Computed: true,
			Note:     noUsers,
			Fields: []Property{
				recorded("attributesRequireVerificationBeforeUpdates", Set, "")},
		},
		refused("userPoolAddOns", Object, noUsers),
		{
			Name:     "userPoolTier",
			Kind:     String,
			Level:    Recorded,
			Computed: true,
			Check:    oneOf("LITE", "ESSENTIALS", "PLUS"),
		},
		{
			Name:    "usernameAttributes",
			Kind:    List,
			Elem:    String,
			Level:   Recorded,
			Replace: true,
			Note:    noUsers,
		},
		{
			Name:     "usernameConfiguration",
			Kind:     Object,
			Level:    Recorded,
			Computed: true,
			Replace:  true,
			Note:     noUsers,
			Fields: []Property{
				recorded("caseSensitive", Bool, "")},
		},
		refused("verificationMessageTemplate", Object, noNotice),
		refused("webAuthnConfiguration", Object, noUsers),
	}
}

func poolClientProperties() []Property {
	validity := func(name string) Property {
		return Property{
			Name:     name,
			Kind:     Int,
			Level:    Recorded,
			Computed: true,
			Note:     "tokens made by `cmd/local token` live as long as it is told",
		}
	}
	unit := func(name string) Property {
		return Property{
			Name:     name,
			Kind:     String,
			Level:    Recorded,
			Computed: true,
		}
	}
	return []Property{
		validity("accessTokenValidity"),
		{
			Name:  "allowedOauthFlows",
			Kind:  Set,
			Elem:  String,
			Level: Recorded,
			Note:  noUsers,
		},
		{
			Name:     "allowedOauthFlowsUserPoolClient",
			Kind:     Bool,
			Level:    Recorded,
			Computed: true,
			Note:     noUsers,
		},
		{
			Name:  "allowedOauthScopes",
			Kind:  Set,
			Elem:  String,
			Level: Enforced,
		},
		refused("analyticsConfiguration", Object, "there is no Pinpoint"),
		{
			Name:     "authSessionValidity",
			Kind:     Int,
			Level:    Recorded,
			Computed: true,
		},
		{
			Name:  "callbackUrls",
			Kind:  Set,
			Elem:  String,
			Level: Recorded,
			Note:  noUsers,
			Each:  redirect,
		},
		recorded("defaultRedirectUri", String, noUsers),
		recorded("enablePropagateAdditionalUserContextData", Bool, noUsers),
		recorded("enableTokenRevocation", Bool, noUsers),
		recorded("explicitAuthFlows", Set, noUsers),
		{
			Name:    "generateSecret",
			Kind:    Bool,
			Level:   Recorded,
			Replace: true,
			Note:    noUsers,
		},
		validity("idTokenValidity"),
		{
			Name:  "logoutUrls",
			Kind:  Set,
			Elem:  String,
			Level: Recorded,
			Note:  noUsers,
			Each:  redirect,
		},
		{
			Name:  "name",
			Kind:  String,
			Level: Enforced,
			Check: matching(
				regexp.MustCompile(`^[\w\s+=,.@-]{1,128}$`),
				"a client's name has 1 to 128 letters, digits, spaces or any of +=,.@-_",
			),
		},
		{
			Name:     "preventUserExistenceErrors",
			Kind:     String,
			Level:    Recorded,
			Computed: true,
			Note:     noUsers,
		},
		recorded("readAttributes", Set, noUsers),
		refused("refreshTokenRotation", Object, noUsers),
		validity("refreshTokenValidity"),
		recorded("supportedIdentityProviders", Set, noUsers),
		{
			Name:     "tokenValidityUnits",
			Kind:     Object,
			Level:    Recorded,
			Computed: true,
			Fields:   []Property{unit("accessToken"), unit("idToken"), unit("refreshToken")},
		},
		poolOf(),
		recorded("writeAttributes", Set, noUsers),
	}
}

// redirect tests where tokens may be sent: https, or http to the user's own
// machine. Source: Cognito developer guide, "App clients".
func redirect(v any) error {
	s, _ := v.(string)
	u, err := url.Parse(s)
	if err != nil || u.Scheme == "" || u.Fragment != "" || u.Scheme == "http" && u.Hostname() != "localhost" {
		return fmt.Errorf("InvalidParameterException: %q is not a redirect URL: "+
			"it begins with https://, or with http://localhost", s)
	}
	return nil
}

func checkPool(_ *Provider, in values) []Failure {
	if m := in.str(
		"mfaConfiguration",
	); m == "OFF" &&
		in.object("softwareTokenMfaConfiguration").boolean("enabled") {
		return []Failure{
			{
				"softwareTokenMfaConfiguration",
				"InvalidParameterException: MFA cannot be off and have a kind configured: leave this out, " +
					"or set mfaConfiguration to OPTIONAL or ON",
			},
		}
	}
	if m := in.str(
		"mfaConfiguration",
	); (m == "ON" || m == "OPTIONAL") &&
		!in.has("softwareTokenMfaConfiguration") {
		return []Failure{
			{
				"mfaConfiguration",
				"InvalidParameterException: MFA needs softwareTokenMfaConfiguration here: messages are " +
					"not sent locally",
			},
		}
	}
	return nil
}

func createPool(_ context.Context, p *Provider, in values) (state.Record, error) {
	id := p.Region + "_" + p.ID(9)
	now := p.Now().UTC().Format(time.RFC3339)
	return state.Record{ID: id, Properties: p.poolOutputs(id, now, in)}, nil
}

func (p *Provider) poolOutputs(id, created string, in values) map[string]any {
	props := base(in)
	props["arn"] = p.arn("cognito-idp", "userpool/"+id)
	props["endpoint"] = "cognito-idp." + p.Region + ".amazonaws.com/" + id
	props["creationDate"], props["lastModifiedDate"] = created, p.Now().UTC().Format(time.RFC3339)
	props["customDomain"], props["domain"], props["estimatedNumberOfUsers"] = "", "", 0.0
	props["tagsAll"] = tagsOf(in)
	if !in.has("deletionProtection") {
		props["deletionProtection"] = "INACTIVE"
	}
	return props
}

func updatePool(_ context.Context, p *Provider, old state.Record, in values) (state.Record, error) {
	return state.Record{
		Properties: p.poolOutputs(old.ID, values(old.Properties).str("creationDate"), in),
		Private:    old.Private,
	}, nil
}

func applyPool(ctx context.Context, p *Provider, r state.Record) error {
	return p.Cloud.ApplyPool(ctx, r.ID)
}

func deletePool(_ context.Context, p *Provider, r state.Record) error {
	if values(r.Properties).str("deletionProtection") == "ACTIVE" {
		return fmt.Errorf(
			"InvalidParameterException: The user pool cannot be deleted because deletion protection is "+
				"activated. Deletion protection must be inactivated first: set deletionProtection of %s "+
				"to INACTIVE and deploy",
			r.ID,
		)
	}
	for _, d := range p.Store.List(poolDomainType) {
		if values(d.Properties).str("userPoolId") == r.ID {
			return fmt.Errorf(
				"InvalidParameterException: User pool cannot be deleted. It has a domain configured that " +
					"should be deleted first.",
			)
		}
	}
	return nil
}

// removedPool also removes what belonged to the pool, as AWS does.
func removedPool(ctx context.Context, p *Provider, r state.Record) error {
	for _, t := range []string{poolClientType, resourceServerType} {
		for _, c := range p.Store.List(t) {
			if values(c.Properties).str("userPoolId") != r.ID {
				continue
			}
			if err := p.Store.Delete(t, c.Key); err != nil {
				return err
			}
		}
	}
	return p.Cloud.RemovePool(ctx, r.ID)
}

// Pools returns the ids of all user pools.
func (p *Provider) Pools() []string {
	var out []string
	for _, r := range p.Store.List(poolType) {
		out = append(out, r.ID)
	}
	return out
}

// Scopes returns the scopes that a pool's resource servers define, as they
// stand in tokens: identifier/name.
func (p *Provider) Scopes(pool string) []string {
	var out []string
	for _, r := range p.Store.List(resourceServerType) {
		if v := values(r.Properties); v.str("userPoolId") == pool {
			out = append(out, v.strings("scopeIdentifiers")...)
		}
	}
	return out
}

func (p *Provider) poolExists(in values) error {
	id := in.str("userPoolId")
	if _, err := p.Store.Get(poolType, id); err != nil {
		return fmt.Errorf("ResourceNotFoundException: User pool %s does not exist.", id)
	}
	return nil
}

// validities are the bounds of the tokens' lives, and the units that they have
// unless tokenValidityUnits says otherwise. Source: Cognito API reference,
// CreateUserPoolClient.
var validities = []struct {
	name, unit, standard string
	low, high            time.Duration
}{
	{"accessTokenValidity", "accessToken", "hours", 5 * time.Minute, 24 * time.Hour},
	{"idTokenValidity", "idToken", "hours", 5 * time.Minute, 24 * time.Hour},
	{"refreshTokenValidity", "refreshToken", "days", time.Hour, 3650 * 24 * time.Hour},
}

func checkPoolClient(_ *Provider, in values) []Failure {
	var out []Failure
	for _, v := range validities {
		unit := in.object("tokenValidityUnits").str(v.unit)
		if unit == "" {
			unit = v.standard
		}
		length := map[string]time.Duration{
			"seconds": time.Second,
			"minutes": time.Minute,
			"hours":   time.Hour,
			"days":    24 * time.Hour,
		}[unit]
		if n := in.number(
			v.name,
		); n != 0 &&
			(n*length.Seconds() < v.low.Seconds() || n*length.Seconds() > v.high.Seconds()) {
			out = append(
				out,
				Failure{
					v.name,
					fmt.Sprintf(
						"InvalidParameterException: a token of this kind lives from %s to %s, and not %v %s",
						v.low,
						v.high,
						n,
						unit,
					),
				},
			)
		}
	}
	for _, f := range in.strings("allowedOauthFlows") {
		if !slices.Contains([]string{"code", "implicit", "client_credentials"}, f) {
			out = append(
				out,
				Failure{
					"allowedOauthFlows",
					fmt.Sprintf(
						"InvalidParameterException: %q is none of the flows code, implicit and "+
							"client_credentials",
						f,
					),
				},
			)
		}
	}
	if !in.boolean("allowedOauthFlowsUserPoolClient") {
		return out
	}
	for _, name := range []string{"allowedOauthFlows", "allowedOauthScopes"} {
		if known(in[name]) && len(in.list(name)) == 0 {
			out = append(
				out,
				Failure{
					name,
					fmt.Sprintf(
						"InvalidOAuthFlowException: %q must not be empty when "+
							"allowedOauthFlowsUserPoolClient is true",
						name,
					),
				},
			)
		}
	}
	flows := in.strings("allowedOauthFlows")
	if redirecting := slices.Contains(flows, "code") ||
		slices.Contains(flows, "implicit"); redirecting && known(in["callbackUrls"]) &&
		len(in.list("callbackUrls")) == 0 {
		out = append(
			out,
			Failure{
				"callbackUrls",
				"InvalidOAuthFlowException: the flows code and implicit need at least one callback URL",
			},
		)
	}
	if slices.Contains(flows, "client_credentials") && (len(flows) > 1 || !in.boolean("generateSecret")) {
		out = append(
			out,
			Failure{
				"allowedOauthFlows",
				"InvalidOAuthFlowException: client_credentials needs generateSecret and stands alone",
			},
		)
	}
	return out
}

// standardScopes need no resource server.
var standardScopes = []string{"phone", "email", "openid", "profile", "aws.cognito.signin.user.admin"}

func (p *Provider) checkScopes(in values) error {
	if err := p.poolExists(in); err != nil {
		return err
	}
	for _, s := range in.strings("allowedOauthScopes") {
		if !slices.Contains(standardScopes, s) && !slices.Contains(p.Scopes(in.str("userPoolId")), s) {
			return fmt.Errorf(
				"ScopeDoesNotExistException: Invalid scope requested: %s; let the client depend on its "+
					"resource server",
				s,
			)
		}
	}
	return nil
}

func createPoolClient(_ context.Context, p *Provider, in values) (state.Record, error) {
	props := base(in)
	props["clientSecret"] = ""
	if in.boolean("generateSecret") {
		props["clientSecret"] = p.ID(51)
	}
	return state.Record{ID: p.ID(26), Properties: props}, p.checkScopes(in)
}

func updatePoolClient(_ context.Context, p *Provider, old state.Record, in values) (state.Record, error) {
	props := base(in)
	props["clientSecret"] = values(old.Properties).str("clientSecret")
	return state.Record{Properties: props, Private: old.Private}, p.checkScopes(in)
}

func serverOutputs(in values) map[string]any {
	props := base(in)
	var scopes []any
	for _, s := range in.list("scopes") {
		scopes = append(scopes, in.str("identifier")+"/"+values(s.(map[string]any)).str("scopeName"))
	}
	props["scopeIdentifiers"] = scopes
	return props
}

func createResourceServer(_ context.Context, p *Provider, in values) (state.Record, error) {
	if err := p.poolExists(in); err != nil {
		return state.Record{}, err
	}
	id := in.str("userPoolId") + "|" + in.str("identifier")
	for _, r := range p.Store.List(resourceServerType) {
		if r.ID == id {
			return state.Record{}, fmt.Errorf(
				"InvalidParameterException: %s already exists in user pool %s.",
				in.str("identifier"),
				in.str("userPoolId"),
			)
		}
	}
	return state.Record{ID: id, Properties: serverOutputs(in)}, nil
}

func updateResourceServer(_ context.Context, _ *Provider, old state.Record, in values) (state.Record, error) {
	return state.Record{Properties: serverOutputs(in), Private: old.Private}, nil
}

func domainOutputs(in values) map[string]any {
	props := base(in)
	props["awsAccountId"], props["s3Bucket"], props["version"] = Account, "", "1"
	props["cloudfrontDistribution"], props["cloudfrontDistributionArn"], props["cloudfrontDistributionZoneId"] = "", "", ""
	return props
}

func createPoolDomain(_ context.Context, p *Provider, in values) (state.Record, error) {
	if err := p.poolExists(in); err != nil {
		return state.Record{}, err
	}
	for _, r := range p.Store.List(poolDomainType) {
		if r.ID == in.str("domain") {
			return state.Record{}, fmt.Errorf("InvalidParameterException: Domain already exists.")
		}
	}
	return state.Record{ID: in.str("domain"), Properties: domainOutputs(in)}, nil
}
