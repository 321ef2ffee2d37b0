package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/pflag"
)

// reaching is how a command was told to reach a node and sign in.
type reaching struct{ url, login, passwordFile string }

func (r *reaching) flags(f *pflag.FlagSet) {
	f.StringVar(&r.url, "url", "http://127.0.0.1:8080", "address of the node")
	f.StringVar(&r.login, "login", "", "your login")
	f.StringVar(&r.passwordFile, "password-file", "", "file whose first line is your password")
}

// client speaks to a node's interface for programs. Safe for concurrent use.
type client struct {
	base  string
	token string
	http  *http.Client
}

// apiBase is where the interface for programs begins.
const apiBase = "/api/v1"

// signIn opens a session.
func (r *reaching) signIn(ctx context.Context) (*client, error) {
	if r.login == "" || r.passwordFile == "" {
		return nil, usagef("say who you are: --login LOGIN --password-file FILE")
	}
	u, err := url.Parse(r.url)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, usagef("--url is an address like http://127.0.0.1:8080")
	}
	password, err := secretFile(r.passwordFile)
	if err != nil {
		return nil, err
	}
	c := &client{base: strings.TrimSuffix(u.String(), "/"), http: &http.Client{Timeout: 10 * time.Minute}}
	return c, c.signIn(ctx, r.login, password.Reveal())
}

func (c *client) signIn(ctx context.Context, login, password string) error {
	var session struct {
		Token string `json:"token"`
	}
	err := c.call(ctx, "POST", "/sessions", map[string]string{"login": login, "password": password}, &session)
	c.token = session.Token
	return err
}

// signOut ends the session; one that cannot be ended expires.
func (c *client) signOut(ctx context.Context) {
	ctx, done := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer done()
	if answer, err := c.send(ctx, "DELETE", "/sessions/current", "", nil); err == nil {
		answer.Body.Close()
	}
}

// call sends in as JSON and reads the answer into out; each may be nil.
func (c *client) call(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	kind := ""
	if in != nil {
		text, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body, kind = bytes.NewReader(text), "application/json"
	}
	answer, err := c.send(ctx, method, path, kind, body)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if out == nil {
		return nil
	}
	if err := json.NewDecoder(answer.Body).Decode(out); err != nil {
		return errors.New("the node's answer cannot be read: is --url the address of a bippop node of this version?")
	}
	return nil
}

// problem is what a node says when it refuses (RFC 9457).
type problem struct {
	Status int
	Code   string
	Title  string
	Errors []struct{ Location, Message string }
}

func (p *problem) Error() string {
	text := p.Title
	for _, e := range p.Errors {
		if e.Message != p.Title {
			text += "\n  " + e.Location + ": " + e.Message
		}
	}
	return text
}

// send answers with the body still to read, or with a *problem.
func (c *client) send(ctx context.Context, method, path, kind string, body io.Reader) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, method, c.base+apiBase+path, body)
	if err != nil {
		return nil, usagef("--url is an address like http://127.0.0.1:8080")
	}
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	if c.token != "" {
		r.Header.Set("Authorization", "Bearer "+c.token)
	}
	if method == http.MethodPost && c.token != "" {
		r.Header.Set("Idempotency-Key", rand.Text())
	}
	answer, err := c.http.Do(r)
	if err != nil {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, fmt.Errorf("no node answers at %s: is it running? Give its address with --url", c.base)
	}
	if answer.StatusCode < 300 {
		return answer, nil
	}
	defer answer.Body.Close()
	p := &problem{Status: answer.StatusCode}
	if err := json.NewDecoder(io.LimitReader(answer.Body, 1<<20)).Decode(p); err != nil || p.Title == "" {
		p.Title = fmt.Sprintf("the node answered %s", answer.Status)
	}
	p.Status = answer.StatusCode
	return nil, p
}
