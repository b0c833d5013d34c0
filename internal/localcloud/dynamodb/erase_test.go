package dynamodb

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// found counts how often a text is in all files of a directory.
func found(t *testing.T, dir, text string) int {
	t.Helper()
	n := 0
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		n += bytes.Count(data, []byte(text))
		if errors.Is(err, fs.ErrNotExist) {
			return nil // a journal, or the file of a process that has ended
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// fill writes items that contain a text, small ones and such as need pages of
// their own, and deletes every third.
func fill(t *testing.T, c *dynamodb.Client, table, text string, n int) {
	t.Helper()
	for i := range n {
		item := attrs{"PK": s(fmt.Sprint(i)), "V": s(strings.Repeat(text, 1+i%5*200))}
		if _, err := c.PutItem(t.Context(), &dynamodb.PutItemInput{
			TableName: &table,
			Item:      item,
		}); err != nil {
			t.Fatal(err)
		}
	}
	for i := 0; i < n; i += 3 {
		if _, err := c.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{
			TableName: &table,
			Key:       attrs{"PK": s(fmt.Sprint(i))},
		}); err != nil {
			t.Fatal(err)
		}
	}
}

// count counts the items of a table.
func count(t *testing.T, c *dynamodb.Client, table string) int {
	t.Helper()
	n := 0
	pages := dynamodb.NewScanPaginator(c, &dynamodb.ScanInput{TableName: &table})
	for pages.HasMorePages() {
		out, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		n += int(out.Count)
	}
	return n
}

func TestDeletedTablesLeaveNothingInTheFiles(t *testing.T) {
	t.Parallel()
	d := own(t)
	c := administrator(d)
	for _, name := range []string{"first", "second", "third"} {
		makeTable(t, d, name)
		fill(t, c, name, "marker-"+name+";", 30)
	}
	drop := func(name string) func() error {
		return func() error {
			_, err := d.Client().DeleteTable(t.Context(), &dynamodb.DeleteTableInput{TableName: &name})
			if err == nil && found(t, d.DataDir, "marker-"+name) == 0 {
				t.Errorf("the test cannot fail: nothing of %s is in the files", name)
			}
			return err
		}
	}
	// What others write meanwhile waits, and is kept.
	var writing sync.WaitGroup
	stop := make(chan struct{})
	written := 0
	writing.Go(func() {
		for ; ; written++ {
			select {
			case <-stop:
				return
			default:
			}
			if err := transact(t, c, "second", fmt.Sprint("meanwhile-", written)); err != nil {
				t.Errorf("a call while items are erased got %v", err)
				return
			}
		}
	})
	before := d.Pid()
	err := d.EraseAfter(t.Context(), drop("first"))
	close(stop)
	writing.Wait()
	if err != nil {
		t.Fatal(err)
	}
	if d.Pid() == before {
		t.Error("the database was not started again")
	}
	if n := found(t, d.DataDir, "marker-first"); n > 0 {
		t.Errorf("%d times the items of a table that is gone are in the files", n)
	}
	for name, want := range map[string]int{"second": 20 + written, "third": 20} {
		if n := count(t, c, name); n != want {
			t.Errorf("the table %s has %d items, want %d", name, n, want)
		}
	}
	// One that was killed before it could erase goes on with the next start.
	killed := errors.New("killed")
	err = d.EraseAfter(t.Context(), func() error { return errors.Join(drop("second")(), killed) })
	if !errors.Is(err, killed) {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := Start(t.Context(), d.Config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := again.Close(); err != nil {
			t.Error(err)
		}
	})
	if n := found(t, d.DataDir, "marker-second"); n > 0 {
		t.Errorf("%d times the items of a table that is gone are in the files after a start", n)
	}
	c = administrator(again)
	if n := count(t, c, "third"); n != 20 {
		t.Errorf("the table third has %d items, want 20", n)
	}
	// The last table takes the file along, and what is known of others.
	d = again
	if err := d.notebook.set("third", &Notes{Tags: map[string]string{"marker-third": "x"}}); err != nil {
		t.Fatal(err)
	}
	if err := d.EraseAfter(t.Context(), drop("third")); err != nil {
		t.Fatal(err)
	}
	if n := found(t, d.DataDir, "marker-"); n > 0 {
		t.Errorf("%d times the items of tables that are gone are in the files", n)
	}
	makeTable(t, d, "third")
	if err := transact(t, c, "third", "after"); err != nil {
		t.Fatal(err)
	}
	if n := count(t, c, "third"); n != 1 {
		t.Errorf("the new table has %d items", n)
	}
	_, err = c.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: aws.String("second")})
	var missing *types.ResourceNotFoundException
	if !errors.As(err, &missing) {
		t.Errorf("a table that is gone got %v", err)
	}
}
