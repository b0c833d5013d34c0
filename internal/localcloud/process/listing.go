package process

import (
	"slices"
	"strconv"
	"strings"
)

// carriers returns the ids in a listing of ps, of which each line has an id, a
// command and its environment, that carry one of the marks. It is for systems
// without /proc.
func carriers(listing string, marks []string) []int {
	var out []int
	for line := range strings.Lines(listing) {
		words := strings.Fields(line)
		if len(words) < 2 {
			continue
		}
		pid, err := strconv.Atoi(words[0])
		marked := slices.ContainsFunc(words[1:], func(w string) bool { return slices.Contains(marks, w) })
		if err == nil && marked {
			out = append(out, pid)
		}
	}
	return out
}
