package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"items-api/internal/localcloud"
	"items-api/internal/localcloud/provider"
)

// cleaning are the flags of the command.
type cleaning struct {
	states, gone []string
	items, yes   bool
}

// cleanCommand lists what a killed deployment left, and removes it.
func cleanCommand(o *options) *cobra.Command {
	var k cleaning
	c := &cobra.Command{
		Use:   "clean",
		Short: "List what no stack's state knows, and remove it with --yes",
		Long: `List resources of the local cloud that no stack's state knows, since a deployment
or the cloud was killed, and remove them with --yes.

The states of the stacks that ` + "`local`" + ` deploys are at hand. What other programs
deployed stays, unless their states are given, each as ` + "`pulumi stack export`" + ` prints
it, or their stacks are said to be gone:

  pulumi stack export --stack dev --file dev.json
  local clean --state dev.json --yes
  local clean --gone another/dev --yes`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return o.clean(c.Context(), c.InOrStdin(), c.OutOrStdout(), k)
		},
	}
	f := c.Flags()
	const stateUsage = "`file` that pulumi stack export wrote for another program, - for the input; " +
		"may be repeated"
	f.StringArrayVar(&k.states, "state", nil, stateUsage)
	const goneUsage = "`project/stack` of another program that does not exist any more; may be repeated"
	f.StringArrayVar(&k.gone, "gone", nil, goneUsage)
	f.BoolVar(&k.items, "items", false, "remove tables that hold items too")
	f.BoolVar(&k.yes, "yes", false, "remove what is listed")
	return c
}

func (o *options) clean(ctx context.Context, in io.Reader, out io.Writer, k cleaning) error {
	instance, ok := localcloud.Running(o.dir)
	if !ok {
		cloud, err := o.start(ctx, newWatcher(io.Discard), "")
		if err != nil {
			return err
		}
		if instance, ok = localcloud.Running(o.dir); !ok {
			return errors.Join(
				errors.New("the local cloud that was just started does not answer"),
				cloud.Close(),
			)
		}
		return errors.Join(o.cleanOn(instance, in, out, k), cloud.Close())
	}
	return o.cleanOn(instance, in, out, k)
}

func (o *options) cleanOn(instance localcloud.Instance, in io.Reader, out io.Writer, k cleaning) error {
	census, err := o.census(in, k)
	if err != nil {
		return err
	}
	left, err := instance.Leftovers(census)
	if err != nil {
		return err
	}
	return k.print(out, left)
}

// census reads all states. Those of this command are read last, so that what
// is made in the meantime is younger.
func (o *options) census(in io.Reader, k cleaning) (provider.Census, error) {
	c := provider.Census{Items: k.items, Remove: k.yes}
	for _, name := range k.gone {
		project, stack, ok := strings.Cut(name, "/")
		if !ok || project == "" || stack == "" {
			return c, fmt.Errorf("--gone takes PROJECT/STACK, not %q", name)
		}
		c.States = append(c.States, provider.Known{
			Project: project,
			Stack:   stack,
			Origin:  provider.Foreign,
			Taken:   time.Now(),
		})
	}
	for _, file := range k.states {
		known, err := readExport(file, in)
		if err != nil {
			return c, err
		}
		c.States = append(c.States, known)
	}
	c.OwnTaken = time.Now()
	states := filepath.Join(o.dir, "pulumi", ".pulumi", "stacks")
	// The directory itself is no pattern: what it hides would seem left over.
	if err := otherLayout(os.DirFS(states)); err != nil {
		return c, err
	}
	files, err := fs.Glob(os.DirFS(states), "*/*.json")
	if err != nil {
		return c, err
	}
	for _, file := range files {
		known, err := readOwn(filepath.Join(states, file), c.OwnTaken)
		if err != nil {
			return c, err
		}
		c.States = append(c.States, known)
	}
	return c, nil
}

// print lists what was found, and what to do. Of a stack whose state is not at
// hand only the number is said.
func (k cleaning) print(out io.Writer, left []provider.Leftover) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	removable, listed := 0, 0
	unjudged := map[string]int{}
	for _, l := range left {
		if l.Unjudged {
			project, stack, _ := provider.StackOf(l.URN)
			unjudged[project+"/"+stack]++
			continue
		}
		listed++
		name, what := l.URN, "can be removed"
		if name == "" {
			name = "a table without a record"
		}
		switch {
		case l.Removed:
			what = "removed"
		case l.Keep != "":
			what = "stays: " + l.Keep
		default:
			removable++
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", name, l.ID, what)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	var text strings.Builder
	for _, name := range slices.Sorted(maps.Keys(unjudged)) {
		fmt.Fprintf(
			&text,
			"%d of the stack %s stay: its state is not given (--state, or --gone).\n",
			unjudged[name],
			name,
		)
	}
	switch {
	case listed == 0:
		text.WriteString("Nothing is known to be left over.\n")
	case removable > 0:
		fmt.Fprintf(&text, "%d can be removed: run this again with --yes.\n", removable)
	}
	_, err := io.WriteString(out, text.String())
	return err
}

// readExport reads the state of a stack of another program.
func readExport(file string, in io.Reader) (provider.Known, error) {
	taken := time.Now()
	var data []byte
	var err error
	if file == "-" {
		data, err = io.ReadAll(in)
	} else {
		data, err = os.ReadFile(file)
		if info, statErr := os.Stat(file); statErr == nil {
			taken = info.ModTime()
		}
	}
	if err != nil {
		return provider.Known{}, fmt.Errorf("reading the state: %w", err)
	}
	s, err := parseState(data)
	if err != nil {
		return provider.Known{}, fmt.Errorf("%s is not what `pulumi stack export` prints: %w", file, err)
	}
	if len(s.PendingOperations) > 0 {
		return provider.Known{}, fmt.Errorf(
			"%s has operations that have not ended: let the deployment end, "+
				"or run `pulumi refresh` if it was killed, and export again",
			file,
		)
	}
	k := s.known(provider.Foreign, taken)
	if k.Stack == "" {
		return k, fmt.Errorf(
			"%s holds no resources, so that it does not say which stack it is of: "+
				"say --gone PROJECT/STACK instead",
			file,
		)
	}
	return k, nil
}

// readOwn reads the state of a stack of this command from its backend.
func readOwn(file string, taken time.Time) (provider.Known, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return provider.Known{}, fmt.Errorf("reading the engine's state: %w", err)
	}
	s, err := parseState(data)
	if err != nil {
		return provider.Known{}, fmt.Errorf(
			"the engine's state %s is damaged (%w): `local deploy` repairs it",
			file,
			err,
		)
	}
	k := s.known(provider.Own, taken)
	k.Project, k.Stack = filepath.Base(filepath.Dir(file)), strings.TrimSuffix(filepath.Base(file), ".json")
	return k, nil
}
