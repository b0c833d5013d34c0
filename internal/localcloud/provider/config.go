package provider

import (
	"fmt"
	"hash/crc32"
	"strings"
)

// crc makes the id of a rendered policy document.
func crc(data []byte) uint32 { return crc32.ChecksumIEEE(data) }

// ineffective are settings of the aws provider that have no effect here:
// credentials are not needed, and there is nothing remote to reach.
var ineffective = []string{
	"accessKey",
	"secretKey",
	"token",
	"profile",
	"sharedConfigFiles",
	"sharedCredentialsFiles",
	"allowedAccountIds",
	"forbiddenAccountIds",
	"customCaBundle",
	"ec2MetadataServiceEndpoint",
	"ec2MetadataServiceEndpointMode",
	"endpoints",
	"httpProxy",
	"httpsProxy",
	"insecure",
	"maxRetries",
	"noProxy",
	"retryMode",
	"s3UsEast1RegionalEndpoint",
	"s3UsePathStyle",
	"skipCredentialsValidation",
	"skipMetadataApiCheck",
	"skipRegionValidation",
	"skipRequestingAccountId",
	"stsRegion",
	"tokenBucketRateLimiterCapacity",
	"useDualstackEndpoint",
	"useFipsEndpoint",
	"version",
}

// checkConfig validates the configuration of an aws provider: one region, and
// nothing that would change resources without a trace.
func (p *Provider) checkConfig(in values) []Failure {
	var out []Failure
	for name, v := range in {
		switch {
		case strings.HasPrefix(name, "__"):
		case name == "region":
			if s, ok := v.(string); ok && s != p.Region {
				out = append(
					out,
					Failure{
						name,
						fmt.Sprintf(
							"the local cloud has one region, %s, and aws:region is %s: set aws:region to "+
								"%s for this stack, or start the local cloud with --region %s",
							p.Region,
							s,
							p.Region,
							s,
						),
					},
				)
			}
		case name == defaultTagsName:
			if _, err := defaultTags(v); known(v) && err != nil {
				out = append(out, Failure{name, err.Error()})
			}
		case !contains(ineffective, name):
			if s, ok := v.(string); ok && (s == "" || s == "{}" || s == "[]" || s == "false") {
				continue
			}
			out = append(
				out,
				Failure{
					name,
					fmt.Sprintf(
						"the local cloud does not support the provider setting aws:%s; take it away "+
							"for local stacks",
						name,
					),
				},
			)
		}
	}
	return out
}

func contains(l []string, s string) bool {
	for _, e := range l {
		if e == s {
			return true
		}
	}
	return false
}
