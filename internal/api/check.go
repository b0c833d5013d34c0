package api

import (
	"errors"
	"fmt"
	"reflect"
	"slices"

	"items-api/internal/field"
)

// Check tests the declaration: each type of a route has only fields of which
// everything is enforced, kept and described, and what callers send comes back
// as they sent it. All that is wrong is named. The deployment's program and the
// generator of the OpenAPI document ask; the function need not.
func Check() error { return check(Routes()) }

func check(routes []Route) error {
	var errs []error
	for _, r := range routes {
		if err := r.check(); err != nil {
			errs = append(errs, fmt.Errorf("the declaration of the route %s: %w", r.Key(), err))
		}
	}
	return errors.Join(errs...)
}

func (r Route) check() error {
	var errs []error
	for _, v := range []any{r.PathParameters, r.Query, r.Request} {
		errs = append(errs, sendable(v))
	}
	if r.Response != nil {
		_, err := field.Of(reflect.TypeOf(r.Response))
		errs = append(errs, err)
	}
	errs = append(errs, r.checkParameters(r.Query, "query"), r.checkParameters(r.PathParameters, "path"))
	var declared []string
	for _, f := range fieldsOf(r.PathParameters) {
		declared = append(declared, f.Name)
		if !f.Required {
			errs = append(
				errs,
				fmt.Errorf("the path parameter %s must have the tag required:\"true\"", f.Name),
			)
		}
	}
	if names := r.PathParameterNames(); !slices.Equal(names, declared) {
		errs = append(errs, fmt.Errorf("the path has the parameters %v, and PathParameters declares %v",
			names, declared))
	}
	return errors.Join(errs...)
}

// checkParameters tests that parameters can be texts.
func (r Route) checkParameters(v any, in string) error {
	var errs []error
	for _, f := range fieldsOf(v) {
		switch f.Type.Kind {
		case field.String, field.Integer, field.Number, field.Boolean:
		default:
			errs = append(errs, fmt.Errorf("the %s parameter %s is of the kind %s; "+
				"it can be a string, a number or a boolean", in, f.Name, f.Type.Kind))
		}
	}
	return errors.Join(errs...)
}

func sendable(v any) error {
	if v == nil {
		return nil
	}
	t, err := field.Of(reflect.TypeOf(v))
	if err != nil {
		return err
	}
	if t.Kind != field.Object {
		return fmt.Errorf("%s is not a struct", t.Go)
	}
	return t.Sendable()
}

func fieldsOf(v any) []field.Field {
	if v == nil {
		return nil
	}
	t, err := field.Of(reflect.TypeOf(v))
	if err != nil {
		return nil
	}
	return t.Fields
}
