package provider

import (
	"context"

	"items-api/internal/localcloud/state"
)

// Level says what the local cloud does with a property.
type Level int

const (
	// Enforced properties behave as on AWS.
	Enforced Level = iota + 1
	// Recorded properties are kept and shown, and have no effect locally.
	Recorded
	// Refused properties fail by name before anything is created.
	Refused
)

// String returns the level's name in the documentation.
func (l Level) String() string {
	return map[Level]string{
		Enforced: "enforced",
		Recorded: "recorded",
		Refused:  "refused",
	}[l]
}

// Kind is the type of a property's value.
type Kind int

// The kinds. A Document is a JSON text, or an object that becomes one.
const (
	String Kind = iota + 1
	Bool
	Int
	Number
	List
	Set
	Map
	Object
	Archive
	Document
)

// Property describes one input property of a resource type.
type Property struct {
	Name  string
	Kind  Kind
	Level Level
	// Required properties must be given.
	Required bool
	// Default is the value that the AWS provider fills in, or nil.
	Default any
	// Replace means that a change replaces the resource.
	Replace bool
	// Computed means that AWS chooses a value when none is given, and that
	// taking the value away again is no change.
	Computed bool
	// Elem is the kind of the elements of a List, Set or Map.
	Elem Kind
	// Fields are the properties of an Object, or of the objects in a List or Set.
	Fields []Property
	// Fold compares the elements of a Set without regard to case.
	Fold bool
	// Only lists the values that are accepted; any other is refused by name.
	Only []any
	// Check tests a known value and returns what is wrong with it.
	Check func(any) error
	// Each tests the known elements of a List or Set, also of one with others
	// that are not known yet.
	Each func(any) error
	// Note tells how the local cloud differs, or why it refuses.
	Note string
}

// compound reports whether a property's value has parts.
func (p Property) compound() bool {
	return p.Kind == List || p.Kind == Set || p.Kind == Map || p.Kind == Object
}

// Type describes a supported resource type.
type Type struct {
	Token      string
	Properties []Property
	// Outputs are the names of the properties that only the cloud sets.
	Outputs []string
	// Name is the property that is made up when it is not given, or "".
	Name string
	// NameMax is the longest name allowed, in characters.
	NameMax int
	// NamePrefix is the property that a made-up name starts with, or "".
	NamePrefix string
	// NameLower makes a made-up name lower case.
	NameLower bool
	// CreateFirst creates a replacement before the old resource goes although
	// the type has no name, as the AWS provider does where both can exist.
	CreateFirst bool
	// Check tests what involves several properties. Unknown values are
	// present as Unknown.
	Check func(p *Provider, in values) []Failure
	// CheckNew tests what a resource needs that does not exist yet, or nil.
	CheckNew func(p *Provider, urn string, in values) []Failure
	// Preview may fill in outputs that are known before creation.
	Preview func(p *Provider, in values)
	// Key derives the store's key from the id and the properties; nil means
	// that the id is the key.
	Key func(id string, props values) string
	// Create checks the inputs against what exists and returns the record
	// with its outputs. It is not stored yet.
	Create func(ctx context.Context, p *Provider, in values) (state.Record, error)
	// Update returns the record that replaces old.
	Update func(ctx context.Context, p *Provider, old state.Record, in values) (state.Record, error)
	// Found describes a resource that is there without a record, for an import,
	// or fails with state.ErrNotFound; nil if there can be none.
	Found func(ctx context.Context, p *Provider, id string) (state.Record, error)
	// Apply makes a stored record effective, or nil.
	Apply func(ctx context.Context, p *Provider, r state.Record) error
	// Delete undoes the effect of a record before it is removed from the
	// store, or refuses; nil means that there is nothing to undo.
	Delete func(ctx context.Context, p *Provider, r state.Record) error
	// Removed is called when the record is gone, or nil.
	Removed func(ctx context.Context, p *Provider, r state.Record) error
	// Volatile names the outputs that an update from old to in may change.
	Volatile func(old, in values) []string
}

// Failure is a problem with one property.
type Failure struct {
	Property string
	Reason   string
}

func (t *Type) property(name string) *Property {
	for i := range t.Properties {
		if t.Properties[i].Name == name {
			return &t.Properties[i]
		}
	}
	return nil
}

func (t *Type) key(id string, props values) string {
	if t.Key == nil {
		return id
	}
	return t.Key(id, props)
}
