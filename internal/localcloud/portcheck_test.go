package localcloud

import (
	"net"
	"strconv"
	"strings"
	"testing"
)

func TestPortOfAnAPIIsKnownBeforeItIsCreated(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	const urn = "urn:pulumi:local::items-api::aws:apigatewayv2/api:Api::api"
	c := &Cloud{Config: Config{Port: port}, apis: map[string]*listener{}}
	if err := c.CheckPort(urn); err == nil || !strings.Contains(err.Error(), "the port "+strconv.Itoa(port)) {
		t.Errorf("a port in use gives %v", err)
	}
	// The cloud's own API on the port is not in the way of another.
	c.apis["api"] = &listener{urn: urn, port: port}
	if err := c.CheckPort(urn); err != nil {
		t.Error(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	delete(c.apis, "api")
	if err := c.CheckPort(urn); err != nil {
		t.Errorf("a free port gives %v", err)
	}
}
