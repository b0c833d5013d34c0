package store

// What tests of other declared types than items need.
var (
	PutFields   = putFields
	GetFields   = getFields
	Assignments = assignments
	CheckFields = checkFields
	Canonical   = canonical
)
