package dynamodb

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"items-api/internal/localcloud/process"
	"items-api/internal/localcloud/sqlitefile"
	"items-api/internal/localcloud/state"
)

// A table that is deleted leaves its items in the database's file, until others
// need the room: SQLite marks pages as free and leaves them as they are.

// eraseTries is how often erasing is tried: the database may be in the middle
// of a change of its own, such as the removal of expired items, when it is ended.
const eraseTries = 5

// EraseAfter calls drop, which deletes tables past the gate, and overwrites then
// what the database's file keeps of them. The file goes if no table is left. The
// database is started again for that, and calls wait meanwhile. If the process is
// killed on the way, the next start goes on.
func (d *Database) EraseAfter(ctx context.Context, drop func() error) error {
	if err := state.WriteFile(d.eraseFile(), nil, 0o600); err != nil {
		return fmt.Errorf("noting that items are to be erased: %w", err)
	}
	if err := drop(); err != nil {
		return err
	}
	return d.erase(ctx)
}

// eraseFile is there as long as there may be something to erase.
func (d *Database) eraseFile() string { return filepath.Join(d.DataDir, "erase") }

// eraseLeft goes on with what a killed process has left.
func (d *Database) eraseLeft(ctx context.Context) error {
	_, err := os.Stat(d.eraseFile())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = d.erase(ctx)
	}
	return err
}

func (d *Database) erase(ctx context.Context) error {
	d.pause.Lock()
	defer d.pause.Unlock()
	err := sqlitefile.ErrBusy
	for try := 0; try < eraseTries && errors.Is(err, sqlitefile.ErrBusy); try++ {
		err = d.eraseOnce(ctx)
	}
	if err == nil {
		err = os.Remove(d.eraseFile())
	}
	if err != nil {
		return fmt.Errorf("erasing deleted items from %s: %w", d.file(), err)
	}
	return nil
}

// file is where the database keeps the tables of this cloud's region.
func (d *Database) file() string {
	return filepath.Join(d.DataDir, d.namespace+"_"+d.Region+".db")
}

// eraseOnce ends the database, overwrites, and waits until it was started again.
func (d *Database) eraseOnce(ctx context.Context) error {
	// It is answered when all calls before it are carried out.
	tables, err := d.direct().ListTables(ctx, &dynamodb.ListTablesInput{Limit: aws.Int32(1)})
	if err != nil {
		return fmt.Errorf("asking for the tables that are left: %w", err)
	}
	d.starting.Lock()
	p := d.running()
	p.Kill()
	<-p.Done()
	if len(tables.TableNames) > 0 {
		err = sqlitefile.Scrub(d.file())
	} else {
		err = errors.Join(d.notebook.clear(), removeAll(d.file(), d.file()+"-journal"))
	}
	d.starting.Unlock()
	return errors.Join(err, d.startedAfter(ctx, p))
}

func removeAll(files ...string) error {
	var errs []error
	for _, f := range files {
		if err := os.Remove(f); !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// startedAfter waits until another process than p answers.
func (d *Database) startedAfter(ctx context.Context, p *process.Process) error {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !d.isClosed() {
		if d.running() != p {
			if _, err := d.direct().ListTables(ctx, &dynamodb.ListTablesInput{}); err == nil {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the database did not start again: %w", ctx.Err())
		case <-tick.C:
		}
	}
	return errors.New("the database was closed")
}

// waiting sends requests that wait while the database is away for erasing.
type waiting struct {
	d    *Database
	next http.RoundTripper
}

func (w waiting) RoundTrip(r *http.Request) (*http.Response, error) {
	w.d.pause.RLock()
	defer w.d.pause.RUnlock()
	r = r.Clone(r.Context())
	r.URL.Host = w.d.host() // it changes with each start
	resp, err := w.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(resp.Body)
	if err = errors.Join(err, resp.Body.Close()); err != nil {
		return nil, err
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}
