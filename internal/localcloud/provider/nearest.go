package provider

import "github.com/agext/levenshtein"

// supportList is where all supported types and properties are listed.
const supportList = "docs/local-cloud-support.md"

// nearest returns the name that needs the fewest changes to become another.
func nearest(name string, names []string) string {
	best, least := "", 0
	for _, n := range names {
		if d := levenshtein.Distance(name, n, nil); best == "" || d < least {
			best, least = n, d
		}
	}
	return best
}
