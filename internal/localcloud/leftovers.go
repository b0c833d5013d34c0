package localcloud

import (
	"bytes"
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"items-api/internal/localcloud/provider"
)

// leftoversPath is where the control endpoint takes a census.
const leftoversPath = "/leftovers"

// leftoversLimit is how long it may take to remove what is left.
const leftoversLimit = 2 * time.Minute

// serveLeftovers lists what no state knows, and removes it if asked to. It
// refuses while an engine is connected: what is being deployed at the moment is
// in no state yet.
func (c *Cloud) serveLeftovers(w http.ResponseWriter, r *http.Request) {
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if subtle.ConstantTimeCompare([]byte(token), []byte(c.engines.token)) != 1 {
		http.Error(w, "this is for the command that runs the local cloud", http.StatusUnauthorized)
		return
	}
	var census provider.Census
	if err := json.NewDecoder(r.Body).Decode(&census); err != nil {
		http.Error(w, "reading what the states know: "+err.Error(), http.StatusBadRequest)
		return
	}
	if c.engines.sessions.Open() > 0 {
		http.Error(
			w,
			"a pulumi command uses the local cloud at the moment: wait for its end",
			http.StatusConflict,
		)
		return
	}
	out, err := c.provider.Leftovers(r.Context(), census)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	// A client that is gone does not want it.
	_ = json.NewEncoder(w).Encode(out)
}

// Leftovers asks a running cloud for what no state knows, or to remove it.
func (i Instance) Leftovers(census provider.Census) ([]provider.Leftover, error) {
	body, err := json.Marshal(census)
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequest(http.MethodPost, i.Control+leftoversPath, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Authorization", "Bearer "+i.Token)
	client := http.Client{Timeout: leftoversLimit}
	resp, err := client.Do(r)
	if err != nil {
		return nil, fmt.Errorf("asking the local cloud what is left: %w", err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, fmt.Errorf("asking the local cloud what is left: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("asking the local cloud what is left: %s", strings.TrimSpace(string(data)))
	}
	var out []provider.Leftover
	return out, json.Unmarshal(data, &out)
}
