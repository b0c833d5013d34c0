package localcloud

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// controlTimeout is how long a running cloud may take to answer a command; an
// API that moves takes up to handover.
const controlTimeout = 2 * handover

// serveAPIs tells where each API is served, by id.
func (c *Cloud) serveAPIs(w http.ResponseWriter, _ *http.Request) {
	apis, err := c.provider.APIs()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	out := map[string]string{}
	for _, a := range apis {
		out[a.ID] = a.URL
	}
	w.Header().Set("Content-Type", "application/json")
	// A client that is gone does not want it.
	_ = json.NewEncoder(w).Encode(out)
}

func (c *Cloud) servePort(w http.ResponseWriter, r *http.Request) {
	port, err := strconv.Atoi(r.FormValue("port"))
	prefix := r.FormValue("for")
	if err == nil && (port < 1 || port > 65535 || prefix == "") {
		err = errors.New("a port from 1 to 65535 is given for the URNs of a stack")
	}
	if err == nil {
		err = c.Place(r.Context(), prefix, port)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusConflict)
	}
}

// APIs asks the cloud that runs for the URL of each API, by id.
func (i Instance) APIs() (map[string]string, error) {
	data, err := i.control(http.MethodGet, "/apis")
	if err != nil {
		return nil, fmt.Errorf("asking the local cloud for its APIs: %w", err)
	}
	out := map[string]string{}
	return out, json.Unmarshal(data, &out)
}

// Place gives the API of a stack of the cloud that runs a port; see
// Cloud.Place.
func (i Instance) Place(prefix string, port int) error {
	query := url.Values{"for": {prefix}, "port": {strconv.Itoa(port)}}
	_, err := i.control(http.MethodPut, "/port?"+query.Encode())
	return err
}

func (i Instance) control(method, path string) ([]byte, error) {
	req, err := http.NewRequest(method, i.Control+path, nil)
	if err != nil {
		return nil, err
	}
	client := http.Client{Timeout: controlTimeout}
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = errors.New(strings.TrimSpace(string(body)))
	}
	return body, err
}
