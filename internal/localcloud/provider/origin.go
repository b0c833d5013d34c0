package provider

// Origin says whose deployments come by a server: the states of the local
// cloud's own command are at hand, those of other programs are not.
type Origin string

// The origins. A record of an earlier version has none.
const (
	// Own deployments are made by the command that runs the cloud.
	Own Origin = "own"
	// Foreign deployments are those of any pulumi command.
	Foreign Origin = "foreign"
)

// privateOrigin is where a record notes its Origin.
const privateOrigin = "origin"
