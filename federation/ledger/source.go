package ledger

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Source is where a ledger is read from, without trust. Safe for concurrent use.
type Source interface {
	fmt.Stringer
	// Read is the file at a path of the layout; a longer one than limit bytes is an
	// error. fs.ErrNotExist when there is none.
	Read(ctx context.Context, path string, limit int64) ([]byte, error)
	// List names all files, or returns nil when the source can not tell.
	List(ctx context.Context) ([]string, error)
}

var errTooLong = errors.New("the file is longer than it can be")

// dir is a folder. It follows no link out of itself.
type dir struct {
	name string
	root *os.Root
}

// Dir is a ledger in a folder; Close it.
func Dir(name string) (interface {
	Source
	io.Closer
}, error) {
	root, err := os.OpenRoot(name)
	if err != nil {
		return nil, fmt.Errorf("opening a ledger: %w", err)
	}
	return dir{name, root}, nil
}

func (d dir) String() string { return d.name }

func (d dir) Close() error { return d.root.Close() }

func (d dir) Read(_ context.Context, path string, limit int64) ([]byte, error) {
	f, err := d.root.Open(filepath.FromSlash(path))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return readAtMost(f, limit)
}

func (d dir) List(ctx context.Context) (all []string, err error) {
	all = []string{}
	err = fs.WalkDir(d.root.FS(), ".", func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			all = append(all, path)
		}
		return errors.Join(err, ctx.Err())
	})
	return all, err
}

func readAtMost(r io.Reader, limit int64) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err == nil && int64(len(b)) > limit {
		err = errTooLong
	}
	return b, err
}

// web is what a node serves.
type web struct {
	base   *url.URL
	client *http.Client
}

// URL is a ledger that a node serves, https://…/transparency/.
func URL(base string) (Source, error) {
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.RawQuery != "" || u.Fragment != "" {
		return nil, errors.New("a ledger's address begins with https:// and ends with /transparency/")
	}
	return web{u, &http.Client{Timeout: time.Minute}}, nil
}

func (w web) String() string { return strings.TrimSuffix(w.base.String(), "/") }

func (w web) Read(ctx context.Context, path string, limit int64) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, w.base.JoinPath(path).String(), nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("User-Agent", "bippop")
	a, err := w.client.Do(r)
	if err != nil {
		return nil, err
	}
	defer a.Body.Close()
	switch a.StatusCode {
	case http.StatusOK:
		return readAtMost(a.Body, limit)
	case http.StatusNotFound:
		return nil, fs.ErrNotExist
	}
	return nil, fmt.Errorf("%s answers %s", w.base.Host, a.Status)
}

func (w web) List(context.Context) ([]string, error) { return nil, nil }
