package provider

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"items-api/internal/localcloud/state"
)

// Known is what the engine's state of one stack knows.
type Known struct {
	// Project and Stack name the stack.
	Project string `json:"project"`
	Stack   string `json:"stack"`
	// Origin says whose state it is: only records of that origin are missing
	// from it. A record of an earlier version has no origin, and is judged by
	// foreign states, which are given on purpose.
	Origin Origin `json:"origin"`
	// Taken is when the state was read. It says nothing of younger records.
	Taken time.Time `json:"taken"`
	// Resources are all that the state holds.
	Resources []Held `json:"resources"`
}

// Held is a resource in an engine's state.
type Held struct {
	URN string `json:"urn"`
	ID  string `json:"id"`
}

// Census is what all states at hand know.
type Census struct {
	States []Known `json:"states"`
	// OwnTaken is when all states of the Own origin were read: a stack of that
	// origin that is not among the States does not exist any more.
	OwnTaken time.Time `json:"ownTaken"`
	// Items lets tables go that hold items.
	Items bool `json:"items"`
	// Remove removes what can be removed.
	Remove bool `json:"remove"`
}

// Leftover is a record that no state at hand knows, or a table that has no
// record.
type Leftover struct {
	URN  string `json:"urn"` // "" of a table without a record
	Type string `json:"type"`
	ID   string `json:"id"`
	// Keep says why it is not removed, "" if nothing speaks against it.
	Keep string `json:"keep,omitempty"`
	// Unjudged says that a state may know it which is not at hand.
	Unjudged bool `json:"unjudged,omitempty"`
	// Removed says that it is gone.
	Removed bool `json:"removed,omitempty"`
}

// Leftovers lists what no state knows, children before parents, and removes it
// if that is asked for. Nothing else may change the cloud meanwhile.
func (p *Provider) Leftovers(ctx context.Context, c Census) ([]Leftover, error) {
	p.mutate.Lock()
	defer p.mutate.Unlock()
	var held []Held
	for _, s := range c.States {
		held = append(held, s.Resources...)
	}
	known := p.knownTo(held)
	var out []Leftover
	var errs []error
	for _, token := range forgetting {
		for _, r := range p.Store.List(token) {
			if known(r) {
				continue
			}
			l := Leftover{
				URN:  r.Private[privateURN],
				Type: token,
				ID:   r.ID,
			}
			l, err := p.clear(ctx, c, l, r)
			errs = append(errs, err)
			out = append(out, l)
		}
	}
	tables, err := p.strayTables(ctx, c)
	return append(out, tables...), errors.Join(append(errs, err)...)
}

// knownTo returns whether a record is among those that states hold: by its URN
// and its id, or, since a program may rename a resource by an alias without
// telling the provider, by its type and its id, if the URN in the state is of no
// record.
func (p *Provider) knownTo(held []Held) func(state.Record) bool {
	exact := map[Held]bool{}
	for _, h := range held {
		exact[h] = true
	}
	unmatched := maps.Clone(exact)
	for token := range p.types {
		for _, r := range p.Store.List(token) {
			delete(unmatched, Held{r.Private[privateURN], r.ID})
		}
	}
	type named struct{ token, id string }
	renamed := map[named]bool{}
	for h := range unmatched {
		if u := resource.URN(h.URN); u.IsValid() {
			renamed[named{string(u.Type()), h.ID}] = true
		}
	}
	return func(r state.Record) bool {
		return exact[Held{r.Private[privateURN], r.ID}] || renamed[named{r.Type, r.ID}]
	}
}

// clear judges one record, and removes it if it may go.
func (p *Provider) clear(ctx context.Context, c Census, l Leftover, r state.Record) (Leftover, error) {
	if l.Keep, l.Unjudged = c.reprieve(r); l.Keep != "" {
		return l, nil
	}
	if l.Type == tableType {
		full, err := p.holdsItems(ctx, r.ID)
		if err != nil {
			return l, err
		}
		if full && !c.Items {
			l.Keep = holdsItemsReason
			return l, nil
		}
	}
	if !c.Remove {
		return l, nil
	}
	unprotect(r)
	if err := p.undo(ctx, p.types[l.Type], r); err != nil {
		l.Keep = err.Error()
		return l, nil
	}
	l.Removed = true
	return l, nil
}

// unprotect lets a record go that refuses to be deleted.
func unprotect(r state.Record) {
	switch r.Type {
	case tableType:
		r.Properties["deletionProtectionEnabled"] = false
	case poolType:
		r.Properties["deletionProtection"] = "INACTIVE"
	}
}

const holdsItemsReason = "it holds items"

// reprieve says why a record that no state knows has to stay, or returns "".
// unjudged is true if that is for want of its state.
func (c Census) reprieve(r state.Record) (why string, unjudged bool) {
	origin, urn := Origin(r.Private[privateOrigin]), resource.URN(r.Private[privateURN])
	if !urn.IsValid() {
		return "it does not say which stack it is of", false
	}
	i := slices.IndexFunc(c.States, func(s Known) bool {
		return s.Project == string(urn.Project()) && s.Stack == string(urn.Stack()) && s.judges(origin)
	})
	var taken time.Time
	switch {
	case i >= 0:
		taken = c.States[i].Taken
	case origin == Own:
		taken = c.OwnTaken
	default:
		return fmt.Sprintf(
			"the state of %s/%s, which may know it, is not given",
			urn.Project(),
			urn.Stack(),
		), true
	}
	if !r.Created.Before(taken) {
		return "it is younger than the state", false
	}
	return "", false
}

// judges reports whether a record of an origin would be in the state.
func (k Known) judges(o Origin) bool { return k.Origin == o || k.Origin == Foreign && o == "" }

// strayTables lists and removes tables of the database that have no record: a
// deployment was killed before it wrote one, or somebody made them by hand.
func (p *Provider) strayTables(ctx context.Context, c Census) ([]Leftover, error) {
	var out []Leftover
	var errs []error
	pages := dynamodb.NewListTablesPaginator(p.Cloud.Tables(), &dynamodb.ListTablesInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return out, fmt.Errorf("listing the tables: %w", err)
		}
		for _, name := range page.TableNames {
			if _, err := p.Store.Get(tableType, name); err == nil || !notFound(err) {
				errs = append(errs, ignoreNotFound(err))
				continue
			}
			l := Leftover{Type: tableType, ID: name}
			full, err := p.holdsItems(ctx, name)
			switch {
			case err != nil:
				errs = append(errs, err)
				l.Keep = err.Error()
			case full && !c.Items:
				l.Keep = holdsItemsReason
			case c.Remove:
				err := p.dropTable(ctx, name)
				errs = append(errs, err)
				l.Removed = err == nil
			}
			out = append(out, l)
		}
	}
	return out, errors.Join(errs...)
}

func ignoreNotFound(err error) error {
	if notFound(err) {
		return nil
	}
	return err
}

// StackOf returns the project and the stack of a URN.
func StackOf(urn string) (project, stack string, ok bool) {
	u := resource.URN(urn)
	if !u.IsValid() {
		return "", "", false
	}
	return string(u.Project()), string(u.Stack()), true
}
