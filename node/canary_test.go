package node_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"
)

// writings are how a word may stand among bytes, by the name of the form.
func writings(word string) map[string][]byte {
	out := map[string][]byte{}
	for _, w := range []string{word, strings.ToLower(word), strings.ToUpper(word)} {
		b := []byte(w)
		put := func(form string, b []byte) { out[form+" "+w] = b }
		put("text", b)
		put("hex", []byte(hex.EncodeToString(b)))
		put("HEX", []byte(strings.ToUpper(hex.EncodeToString(b))))
		var big, little []byte
		for _, u := range utf16.Encode([]rune(w)) {
			big, little = append(big, byte(u>>8), byte(u)), append(little, byte(u), byte(u>>8))
		}
		put("UTF-16 BE", big)
		put("UTF-16 LE", little)
		for before := range 3 { // it may begin at any place of a group of three
			text := base64.StdEncoding.EncodeToString(append(make([]byte, before), b...))
			put("base64+"+string(rune('0'+before)), []byte(text[(before*8+5)/6:(before+len(b))*8/6]))
		}
	}
	return out
}

// sought are the words that must stand nowhere in clear.
type sought map[string][]byte

func seek(words ...string) sought {
	all := sought{}
	for _, w := range words {
		for form, b := range writings(w) {
			all[form] = b
		}
	}
	return all
}

// in says in which forms a word is among b.
func (s sought) in(b []byte) (found []string) {
	for form, w := range s {
		if bytes.Contains(b, w) {
			found = append(found, form)
		}
	}
	return found
}

// below says which files below dir hold a word, and how many were read.
func (s sought) below(t testing.TB, dir string) (found []string, files int) {
	t.Helper()
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		files++
		for _, form := range s.in(b) {
			found = append(found, name+": "+form)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found, files
}

// TestCanary: the search sees each form, wherever it begins.
func TestCanary(t *testing.T) {
	for form, w := range writings("Zyxwvutine") {
		if got := seek("Zyxwvutine").in(append([]byte("before "), w...)); len(got) == 0 {
			t.Errorf("%s is not seen", form)
		}
	}
	for before := range 3 {
		text := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("x", before) + "Zyxwvutine and more"))
		if len(seek("Zyxwvutine").in([]byte(text))) == 0 {
			t.Errorf("it is not seen in %s", text)
		}
	}
}
