package provider

import (
	"context"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/protobuf/types/known/emptypb"
)

const (
	packName       = "local-cloud"
	analyzerPolicy = "deployable"
)

// Analyzer is a policy pack with one policy: that the local cloud takes a
// resource. It reports in previews what Check found; see previews. Register it
// with pulumirpc.RegisterAnalyzerServer, on a server with Sessions.
type Analyzer struct {
	pulumirpc.UnimplementedAnalyzerServer
	p *Provider
}

// NewAnalyzer returns the analyzer of a provider.
func NewAnalyzer(p *Provider) *Analyzer { return &Analyzer{p: p} }

// Handshake notes which engine it is.
func (a *Analyzer) Handshake(
	ctx context.Context, r *pulumirpc.AnalyzerHandshakeRequest,
) (*pulumirpc.AnalyzerHandshakeResponse, error) {
	attach(ctx, r.EngineAddress)
	return &pulumirpc.AnalyzerHandshakeResponse{}, nil
}

// ConfigureStack watches the deployment if it is a preview, until the engine
// ends. In an update nothing is reported here: Check refuses.
func (a *Analyzer) ConfigureStack(
	ctx context.Context, r *pulumirpc.AnalyzerStackConfigureRequest,
) (*pulumirpc.AnalyzerStackConfigureResponse, error) {
	if engine := engineOf(ctx); r.DryRun && engine != "" {
		atEnd(ctx, a.p.previews.watch(engine))
	}
	return &pulumirpc.AnalyzerStackConfigureResponse{}, nil
}

// GetAnalyzerInfo describes the pack.
func (a *Analyzer) GetAnalyzerInfo(context.Context, *emptypb.Empty) (*pulumirpc.AnalyzerInfo, error) {
	return &pulumirpc.AnalyzerInfo{
		Name:        packName,
		DisplayName: "Local cloud",
		Version:     Version,
		Policies: []*pulumirpc.PolicyInfo{{
			Name:             analyzerPolicy,
			DisplayName:      "Deployable",
			Description:      "The local cloud takes the resource.",
			EnforcementLevel: pulumirpc.EnforcementLevel_MANDATORY,
		}},
	}, nil
}

// GetPluginInfo answers with the version that is followed.
func (a *Analyzer) GetPluginInfo(context.Context, *emptypb.Empty) (*pulumirpc.PluginInfo, error) {
	return &pulumirpc.PluginInfo{Version: Version}, nil
}

// Analyze reports what Check found wrong with a resource.
func (a *Analyzer) Analyze(
	ctx context.Context, r *pulumirpc.AnalyzeRequest,
) (*pulumirpc.AnalyzeResponse, error) {
	out := &pulumirpc.AnalyzeResponse{}
	for _, reason := range explained(a.p.previews.take(engineOf(ctx), r.Urn)) {
		out.Diagnostics = append(out.Diagnostics, &pulumirpc.AnalyzeDiagnostic{
			PolicyName:        analyzerPolicy,
			PolicyPackName:    packName,
			PolicyPackVersion: Version,
			Message:           reason,
			EnforcementLevel:  pulumirpc.EnforcementLevel_MANDATORY,
			Urn:               r.Urn,
		})
	}
	return out, nil
}

// AnalyzeStack has nothing to say of resources together.
func (a *Analyzer) AnalyzeStack(
	context.Context, *pulumirpc.AnalyzeStackRequest,
) (*pulumirpc.AnalyzeResponse, error) {
	return &pulumirpc.AnalyzeResponse{}, nil
}

// Remediate mends nothing.
func (a *Analyzer) Remediate(
	context.Context, *pulumirpc.AnalyzeRequest,
) (*pulumirpc.RemediateResponse, error) {
	return &pulumirpc.RemediateResponse{}, nil
}

// Cancel has nothing to cancel.
func (a *Analyzer) Cancel(context.Context, *emptypb.Empty) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, nil
}
