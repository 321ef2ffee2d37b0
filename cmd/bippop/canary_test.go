package main

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/rogpeppe/go-internal/testscript"
)

// cmdCanary looks in files and folders for the words in a list, one a line. It
// fails when one of them is there in any form; negated, when none is.
//
//	canary words.txt FILE|FOLDER...
func cmdCanary(ts *testscript.TestScript, neg bool, args []string) {
	words := strings.Split(strings.TrimSpace(ts.ReadFile(args[0])), "\n")
	var found []string
	for _, path := range args[1:] {
		leaks, err := findWords(ts.MkAbs(path), words)
		ts.Check(err)
		found = append(found, leaks...)
	}
	switch {
	case neg && len(found) == 0:
		ts.Fatalf("the search finds nothing where something leaks: it is blind")
	case !neg && len(found) > 0:
		ts.Fatalf("personal words are in files:\n  %s", strings.Join(found, "\n  "))
	}
}

// findWords says in which files below path which words are, and in which form.
func findWords(path string, words []string) (found []string, err error) {
	var forms []form
	for _, w := range words {
		forms = append(forms, formsOf(w)...)
	}
	seen := 0
	err = filepath.WalkDir(path, func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		content, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		seen++
		for _, f := range forms {
			if at := bytes.Index(content, f.bytes); at >= 0 {
				found = append(found, fmt.Sprintf("%s: %q as %s at %d", name, f.word, f.name, at))
			}
		}
		return nil
	})
	if err == nil && seen == 0 {
		err = fmt.Errorf("there is no file to look at below %s", path)
	}
	return found, err
}

// form is how a word may stand in a file.
type form struct {
	word, name string
	bytes      []byte
}

func formsOf(word string) (forms []form) {
	add := func(name string, b []byte) {
		if !slices.ContainsFunc(forms, func(f form) bool { return bytes.Equal(f.bytes, b) }) {
			forms = append(forms, form{word, name, b})
		}
	}
	for _, w := range []string{word, strings.ToLower(word), strings.ToUpper(word)} {
		b := []byte(w)
		add("text", b)
		add("hex", []byte(hex.EncodeToString(b)))
		add("HEX", []byte(strings.ToUpper(hex.EncodeToString(b))))
		var big, little []byte
		for _, u := range utf16.Encode([]rune(w)) {
			big, little = append(big, byte(u>>8), byte(u)), append(little, byte(u), byte(u>>8))
		}
		add("UTF-16 BE", big)
		add("UTF-16 LE", little)
		for before := range 3 { // the word may begin at any place of a group of three
			for name, code := range map[string]*base64.Encoding{"base64": base64.RawStdEncoding, "base64url": base64.RawURLEncoding} {
				text := code.EncodeToString(append(make([]byte, before), b...))
				from := (before*8 + 5) / 6
				to := (before + len(b)) * 8 / 6
				add(name, []byte(text[from:to]))
			}
		}
	}
	return forms
}

// TestFindWords: the search sees each form, in a file below a folder.
func TestFindWords(t *testing.T) {
	dir := t.TempDir()
	for _, f := range formsOf("Zyxwvut") {
		name := filepath.Join(dir, "file")
		if err := os.WriteFile(name, append(append([]byte("before "), f.bytes...), " after"...), 0o600); err != nil {
			t.Fatal(err)
		}
		found, err := findWords(dir, []string{"Zyxwvut"})
		if err != nil || len(found) == 0 {
			t.Errorf("findWords does not see %q (%s): %v", f.bytes, f.name, err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "file"), []byte("nothing of the kind"), 0o600); err != nil {
		t.Fatal(err)
	}
	if found, err := findWords(dir, []string{"Zyxwvut"}); err != nil || len(found) > 0 {
		t.Errorf("findWords = %v, %v; want nothing", found, err)
	}
	for before := range 3 { // as it stands within a longer text
		text := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("x", before) + "Zyxwvut and more"))
		if err := os.WriteFile(filepath.Join(dir, "file"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if found, err := findWords(dir, []string{"Zyxwvut"}); err != nil || len(found) == 0 {
			t.Errorf("findWords does not see the word in %s: %v", text, err)
		}
	}
}
