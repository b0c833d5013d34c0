package components

import (
	"errors"
	"fmt"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/apigatewayv2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"items-api/internal/api"
)

// CORS says which pages may call the API from a browser. The methods come from
// the declaration.
type CORS struct {
	// Origins are such as https://example.com; * for all, none if empty.
	Origins []string
	// AllowHeaders may be sent, ExposeHeaders may be read; those that the API
	// uses if nil.
	AllowHeaders, ExposeHeaders []string
	// MaxAgeSeconds is how long a browser may keep the answer to a preflight
	// request, 0 to 86,400 s.
	MaxAgeSeconds int
	// AllowCredentials lets pages send cookies; not with the origin *.
	AllowCredentials bool
}

// DefaultAllowHeaders returns the request headers that the API reads.
func DefaultAllowHeaders() []string {
	return []string{
		"authorization", "content-type", "idempotency-key", "if-match", "if-none-match", api.APIKeyHeader,
	}
}

// DefaultExposeHeaders returns the response headers that a page may want.
func DefaultExposeHeaders() []string { return []string{"etag", "location", "retry-after"} }

func (c CORS) check() error {
	var errs []error
	if c.AllowCredentials && slices.Contains(c.Origins, "*") {
		errs = append(
			errs,
			errors.New("CORS.AllowCredentials is not possible with the origin *: name the origins"),
		)
	}
	if c.MaxAgeSeconds < 0 || c.MaxAgeSeconds > 86400 {
		errs = append(errs, fmt.Errorf("CORS.MaxAgeSeconds must be from 0 to 86400, not %d", c.MaxAgeSeconds))
	}
	return errors.Join(errs...)
}

func (c CORS) configuration() apigatewayv2.ApiCorsConfigurationPtrInput {
	if len(c.Origins) == 0 {
		return nil
	}
	if c.AllowHeaders == nil {
		c.AllowHeaders = DefaultAllowHeaders()
	}
	if c.ExposeHeaders == nil {
		c.ExposeHeaders = DefaultExposeHeaders()
	}
	return apigatewayv2.ApiCorsConfigurationArgs{
		AllowOrigins:     pulumi.ToStringArray(c.Origins),
		AllowMethods:     pulumi.ToStringArray(api.Methods()),
		AllowHeaders:     pulumi.ToStringArray(c.AllowHeaders),
		ExposeHeaders:    pulumi.ToStringArray(c.ExposeHeaders),
		MaxAge:           pulumi.Int(c.MaxAgeSeconds),
		AllowCredentials: pulumi.Bool(c.AllowCredentials),
	}
}
