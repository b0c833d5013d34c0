package stack

import (
	"fmt"
	"slices"
	"strings"
)

// foreign are the namespaces of keys that somebody else reads: the engine, and
// the packages that the program uses, whose providers are configured there.
var foreign = []string{"aws", "awsx", "docker", "docker-build", "pulumi"}

// own returns the name of a key without the project's namespace, if the key is
// the project's: one without a namespace is. Of the others it refuses those
// whose namespace is nobody's, since nothing reads them: a misspelt namespace
// would switch an option off in silence.
func (p *parser) own(full string) (key string, ok bool) {
	namespace, name, found := strings.Cut(full, ":")
	switch {
	case !found:
		return full, true
	case namespace == Namespace:
		return name, true
	case !slices.Contains(foreign, namespace):
		p.errs = append(p.errs, fmt.Errorf("%s is in the namespace %q, from which nothing is read%s; "+
			"the project's is %s, and its packages' are %s", full, namespace, meant(namespace, name), Namespace, strings.Join(foreign, ", ")))
	}
	return "", false
}

// meant suggests a key for one in a namespace that is nobody's.
func meant(namespace, name string) string {
	if name == "" {
		return ""
	}
	near := Namespace
	if !slices.Contains(Keys(), name) {
		near = closest(namespace, append([]string{Namespace}, foreign...))
	}
	if near == "" {
		return ""
	}
	if key := closest(name, Keys()); near == Namespace && key != "" {
		name = key
	}
	return fmt.Sprintf(" (did you mean %s:%s?)", near, name)
}
