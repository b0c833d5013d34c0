package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/auto"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optdestroy"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optpreview"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optup"
	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"

	"items-api/internal/api"
	"items-api/internal/localcloud"
	"items-api/internal/localcloud/state"
	"items-api/stack"
)

// start runs a cloud in this process; --port is for the stack whose URNs have a
// prefix, or for new APIs if there is none.
func (o *options) start(ctx context.Context, w *watcher, portFor string) (*localcloud.Cloud, error) {
	if o.concurrency < 1 {
		return nil, fmt.Errorf("--account-concurrency must be at least 1, not %d", o.concurrency)
	}
	command, err := o.pluginCommand()
	if err != nil {
		return nil, err
	}
	return localcloud.Start(ctx, localcloud.Config{
		Dir:         o.dir,
		Region:      o.region,
		JarDir:      filepath.Join(o.tools, "dynamodb-local"),
		Port:        o.port,
		PortFor:     portFor,
		Concurrency: o.concurrency,
		Request:     w.request,
		Log:         w.log,
		Call:        w.call,
		Plugin:      command,
	})
}

func up(ctx context.Context, o *options) error {
	if _, err := o.prepare(); err != nil {
		return err
	}
	w := newWatcher(os.Stdout)
	cloud, err := o.start(ctx, w, o.urns())
	if err != nil {
		if errors.Is(err, localcloud.ErrRunning) {
			err = fmt.Errorf("%w; to deploy a change to it, use `go run ./cmd/local deploy`", err)
		}
		return err
	}
	err = o.own(ctx, cloud, func(s auto.Stack, i localcloud.Instance) error { return o.deploy(ctx, s, i) })
	if err == nil {
		fmt.Printf(
			"\nStreaming requests and logs; Ctrl-C stops, and `make up` starts again with the same data.\n",
		)
		w.stream()
		<-ctx.Done()
	}
	return errors.Join(err, cloud.Close())
}

// own opens the stack on a cloud that only this process uses, and brings both
// together first.
func (o *options) own(
	ctx context.Context,
	cloud *localcloud.Cloud,
	do func(auto.Stack, localcloud.Instance) error,
) error {
	if err := o.releaseLocks(ctx); err != nil {
		return err
	}
	if err := o.mend(); err != nil {
		return err
	}
	instance, ok := localcloud.Running(o.dir)
	if !ok {
		return errors.New("the local cloud that was just started does not answer")
	}
	s, err := o.open(ctx, instance)
	if err != nil {
		return err
	}
	if err := o.repair(ctx, s, cloud); err != nil {
		return err
	}
	return do(s, instance)
}

// with runs do on the cloud that runs already, or on one started for it.
func (o *options) with(ctx context.Context, do func(auto.Stack, localcloud.Instance) error) error {
	if _, err := o.prepare(); err != nil {
		return err
	}
	if instance, ok := localcloud.Running(o.dir); ok {
		s, err := o.open(ctx, instance)
		if err != nil {
			return err
		}
		return do(s, instance)
	}
	cloud, err := o.start(ctx, newWatcher(io.Discard), o.urns())
	if err != nil {
		return err
	}
	err = o.own(ctx, cloud, do)
	return errors.Join(err, cloud.Close())
}

func deploy(ctx context.Context, o *options) error {
	return o.with(ctx, func(s auto.Stack, i localcloud.Instance) error { return o.deploy(ctx, s, i) })
}

// deploy previews first, so that what the local cloud does not support fails
// before anything is created.
func (o *options) deploy(ctx context.Context, s auto.Stack, cloud localcloud.Instance) error {
	r := newReport(os.Stdout)
	plan, err := s.Preview(
		ctx,
		optpreview.EventStreams(r.events(false)),
		optpreview.SuppressProgress(),
		optpreview.SuppressOutputs(),
	)
	if err := r.finish(err); err != nil {
		return fmt.Errorf("nothing was deployed: %w", err)
	}
	moved, err := o.place(ctx, s, cloud)
	if err != nil {
		return err
	}
	if changes(plan.ChangeSummary) > 0 || moved || !o.hasOutputs() {
		r = r.again()
		_, err = s.Up(
			ctx,
			optup.EventStreams(r.events(true)),
			optup.SuppressProgress(),
			optup.SuppressOutputs(),
		)
		if err := r.finish(err); err != nil {
			return fmt.Errorf("the deployment is not complete; correct this and deploy again: %w", err)
		}
	}
	fmt.Printf("%d changes\n", changes(plan.ChangeSummary))
	return o.show(ctx, s)
}

func changes(summary map[apitype.OpType]int) int {
	n := 0
	for op, count := range summary {
		if op != apitype.OpSame && op != apitype.OpRead {
			n += count
		}
	}
	return n
}

func (o *options) outputsFile() string { return filepath.Join(o.stackDir(), outputsName) }

func (o *options) hasOutputs() bool {
	_, err := os.Stat(o.outputsFile())
	return err == nil
}

// read returns the outputs as JSON and keeps them in a file.
func (o *options) read(ctx context.Context, s auto.Stack) (map[string]any, []byte, error) {
	out, err := s.Outputs(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("reading the outputs of the stack %s: %w", o.stack, err)
	}
	plain := map[string]any{}
	for k, v := range out {
		plain[k] = v.Value
	}
	data, err := json.MarshalIndent(plain, "", "  ")
	if err != nil {
		return nil, nil, err
	}
	data = append(data, '\n')
	return plain, data, state.WriteFile(o.outputsFile(), data, 0o600)
}

func (o *options) show(ctx context.Context, s auto.Stack) error {
	out, _, err := o.read(ctx, s)
	if err != nil {
		return err
	}
	at := located(out)
	fmt.Printf("\n  %s\n\n", out["url"])
	if at.host != "" {
		fmt.Printf(
			"  The local cloud serves this name without TLS, to requests for %s at %s:\n",
			at.host,
			at.url,
		)
	}
	fmt.Printf("  curl -sS%s %s/health\n", at.header(), at.url)
	mode := api.AuthMode(fmt.Sprint(out["authMode"]))
	of := ""
	if o.stack != defaultStack {
		of = " --stack " + o.stack
	}
	switch mode {
	case api.AuthCognito:
		fmt.Printf("  TOKEN=$(go run ./cmd/local token%s --sub alice)\n", of)
	case api.AuthLambda:
		fmt.Printf("  KEY=$(go run ./cmd/local keys issue%s --owner alice)\n", of)
	case api.AuthJWT:
		fmt.Println(
			"  TOKEN=...   # an access token of the issuer, with the scopes items:read and items:write",
		)
	}
	fmt.Printf(
		"  curl -sS%s -X POST %s/items%s -H 'content-type: application/json' -d '{\"name\":\"first\"}'\n",
		at.header(),
		at.url,
		stack.CurlHeader(mode),
	)
	fmt.Printf("  curl -sS%s%s '%s/items?limit=10'\n", at.header(), stack.CurlHeader(mode), at.url)
	fmt.Printf(
		"  AWS_CONFIG_FILE=%[1]s/aws/config AWS_SHARED_CREDENTIALS_FILE=%[1]s/aws/credentials aws "+
			"dynamodb scan --table-name %[2]s\n",
		o.dir,
		out["tableName"],
	)
	return nil
}

// location is where the API is reached on this machine.
type location struct{ url, host string }

// located finds an API that has a custom domain at its own endpoint.
func located(out map[string]any) location {
	at := location{url: fmt.Sprint(out["url"])}
	u, err := url.Parse(at.url)
	endpoint, ok := out["endpoint"].(string)
	if err != nil || !ok || strings.HasPrefix(at.url, endpoint) {
		return at
	}
	return location{url: endpoint + u.Path, host: u.Host}
}

// header is the argument with which curl asks for the API.
func (l location) header() string {
	if l.host == "" {
		return ""
	}
	return " -H 'Host: " + l.host + "'"
}

func preview(ctx context.Context, o *options) error {
	o.port = 0 // nothing moves
	return o.with(ctx, func(s auto.Stack, _ localcloud.Instance) error {
		r := newReport(os.Stdout)
		plan, err := s.Preview(
			ctx,
			optpreview.EventStreams(r.events(true)),
			optpreview.SuppressProgress(),
			optpreview.SuppressOutputs(),
		)
		if err := r.finish(err); err != nil {
			return err
		}
		fmt.Printf("%d changes, none of them made\n", changes(plan.ChangeSummary))
		return nil
	})
}

// destroy runs the program too, which guards the table of other stacks than
// local; asking first, so that nothing is gone when the guard says no.
func destroy(ctx context.Context, o *options) error {
	o.port = 0 // nothing moves
	return o.with(ctx, func(s auto.Stack, _ localcloud.Instance) error {
		r := newReport(os.Stdout)
		_, err := s.PreviewDestroy(
			ctx,
			optdestroy.EventStreams(r.events(false)),
			optdestroy.SuppressProgress(),
			optdestroy.SuppressOutputs(),
			optdestroy.RunProgram(true),
		)
		if err := r.finish(err); err != nil {
			return err
		}
		r = r.again()
		_, err = s.Destroy(
			ctx,
			optdestroy.EventStreams(r.events(true)),
			optdestroy.SuppressProgress(),
			optdestroy.SuppressOutputs(),
			optdestroy.RunProgram(true),
		)
		if err := r.finish(err); err != nil {
			return err
		}
		if err := s.Workspace().RemoveStack(ctx, o.stack); err != nil {
			return fmt.Errorf("removing the stack %s: %w", o.stack, err)
		}
		fmt.Printf("the stack %s is gone\n", o.stack)
		return o.forget()
	})
}

func outputs(ctx context.Context, o *options) error {
	_, data, err := o.outputsOf(ctx)
	if err != nil {
		return err
	}
	_, err = os.Stdout.Write(data)
	return err
}
