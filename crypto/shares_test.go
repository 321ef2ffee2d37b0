package crypto_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/bippop/bippop/crypto"
	"pgregory.net/rapid"
)

// typed sends shares over paper.
func typed(t interface{ Fatal(...any) }, shares []crypto.Share) []crypto.Share {
	var out []crypto.Share
	for _, s := range shares {
		got, err := crypto.ParseShare(s.Text())
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, got)
	}
	return out
}

// TestShares: any of as many as are needed open the vault; with one less there is
// nothing, whatever the papers claim.
func TestShares(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		of := rapid.IntRange(2, crypto.MaxShares).Draw(t, "of")
		needed := rapid.IntRange(2, of).Draw(t, "needed")
		shares, u, err := crypto.NewShares(siren, needed, of)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, "vault.age")
		if err := crypto.SaveVault(path, newVaultFor(t), u); err != nil {
			t.Fatal(err)
		}
		some := rapid.Permutation(shares).Draw(t, "order")
		enough := typed(t, some[:rapid.IntRange(needed, of).Draw(t, "come")])
		u, err = crypto.CombineShares(append(enough, enough[0])) // somebody gives his twice
		if err != nil {
			t.Fatal(err)
		}
		if _, err := crypto.LoadVault(path, u); err != nil {
			t.Fatalf("%d of %d shares, %d needed: %v", len(enough), of, needed, err)
		}
		few := some[:needed-1]
		if _, err := crypto.CombineShares(append(slices.Clone(few), few[0])); !errors.Is(err, crypto.ErrTooFewShares) || !strings.Contains(err.Error(), fmt.Sprintf("%d needed", needed)) {
			t.Fatalf("too few: %v", err)
		}
		if needed < 3 {
			return
		}
		var lies []crypto.Share
		for _, s := range few {
			lies = append(lies, crypto.ClaimNeeding(s, needed-1))
		}
		u, err = crypto.CombineShares(typed(t, lies))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := crypto.LoadVault(path, u); !errors.Is(err, crypto.ErrWrongUnseal) {
			t.Fatalf("too few shares open the vault: %v", err)
		}
	})
}

func newVaultFor(t *rapid.T) *crypto.Vault {
	v, err := crypto.NewVault(siren, "replica-1", noon)
	if err != nil {
		t.Fatal(err)
	}
	return &v
}

func TestOtherShares(t *testing.T) {
	make := func(siren string, needed, of int) []crypto.Share {
		s, _, err := crypto.NewShares(siren, needed, of)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	ours, older, theirs := make(siren, 2, 3), make(siren, 2, 3), make("200069599", 2, 3)
	for name, c := range map[string]struct {
		shares []crypto.Share
		want   error
	}{
		"none":              {nil, crypto.ErrTooFewShares},
		"one":               {ours[:1], crypto.ErrTooFewShares},
		"another set":       {[]crypto.Share{ours[0], older[1]}, crypto.ErrOtherShares},
		"another territory": {[]crypto.Share{ours[0], theirs[1]}, crypto.ErrOtherShares},
		"one too many":      {[]crypto.Share{ours[0], ours[1], older[2]}, crypto.ErrOtherShares},
		"another claim":     {[]crypto.Share{ours[0], crypto.ClaimNeeding(ours[1], 3)}, crypto.ErrOtherShares},
	} {
		if _, err := crypto.CombineShares(c.shares); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// A whole set of somebody else's is named when it does not open.
	path := filepath.Join(t.TempDir(), "vault.age")
	_, u, err := crypto.NewShares(siren, 2, 3)
	if err != nil {
		t.Fatal(err)
	}
	if err := crypto.SaveVault(path, newVault(t), u); err != nil {
		t.Fatal(err)
	}
	u, err = crypto.CombineShares(theirs)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := crypto.LoadVault(path, u); !errors.Is(err, crypto.ErrWrongUnseal) || !strings.Contains(err.Error(), "200069599") || !strings.Contains(err.Error(), theirs[0].Set()) {
		t.Errorf("got %v", err)
	}
	for _, c := range [][2]int{{1, 1}, {1, 3}, {0, 0}, {4, 3}, {2, 10}, {10, 10}, {-1, 3}} {
		if _, _, err := crypto.NewShares(siren, c[0], c[1]); err == nil {
			t.Errorf("%d of %d were made", c[0], c[1])
		}
	}
	if _, _, err := crypto.NewShares("2000", 2, 3); err == nil {
		t.Error("shares of no territory were made")
	}
}

// TestShareText holds the printed form: papers in safes outlive programs.
func TestShareText(t *testing.T) {
	k, err := crypto.KeyFromBytes([]byte("swordfish-swordfish-swordfish-32"))
	if err != nil {
		t.Fatal(err)
	}
	s := crypto.KnownShare(k)
	want, err := os.ReadFile("testdata/share1.txt")
	if err != nil {
		t.Fatal(err)
	}
	if got := s.Text(); got != string(want) {
		t.Errorf("got %s", got)
	}
	if crypto.TestOnlyCRC([]byte("123456789")) != 0x29b1 { // its published check value
		t.Error("the checksum is not CRC-16/CCITT-FALSE")
	}
	lines := strings.SplitAfter(string(want), "\n")[2:8]
	for name, text := range map[string]string{
		"as printed":   string(want),
		"bare":         strings.Join(lines, ""),
		"windows":      strings.ReplaceAll(string(want), "\n", "\r\n"),
		"small":        strings.ToLower(string(want)),
		"hyphens":      strings.ReplaceAll(strings.Join(lines, ""), " ", "-"),
		"no numbers":   withoutNumbers(lines),
		"letters":      strings.NewReplacer("0", "O", "1", "l").Replace(withoutNumbers(lines)),
		"code":         s.Code(),
		"code and end": s.Code() + "\n",
	} {
		got, err := crypto.ParseShare(text)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got.Text() != string(want) || got.Territory() != siren || got.Index() != 2 || got.Needed() != 3 || got.Of() != 5 || got.Set() != s.Set() {
			t.Errorf("%s: another share was read", name)
		}
	}
	if len(s.Code()) != 96 || strings.Trim(s.Code(), "0123456789ABCDEFGHJKMNPQRSTVWXYZ") != "" {
		t.Errorf("code %s", s.Code())
	}
}

func withoutNumbers(lines []string) string {
	var b strings.Builder
	for _, l := range lines {
		b.WriteString(l[3:])
	}
	return b.String()
}

// TestMistypedShare: one wrong character, two that changed places, a character
// too few or too many, a line left out, doubled, moved or taken from another
// paper: found, and named by its line.
func TestMistypedShare(t *testing.T) {
	shares, _, err := crypto.NewShares(siren, 2, 3)
	if err != nil {
		t.Fatal(err)
	}
	cut := func(s crypto.Share) []string { return strings.SplitAfter(s.Text(), "\n")[2:8] }
	lines, others := cut(shares[0]), cut(shares[1])
	wrong := func(name string, line int, text []string) {
		t.Helper()
		_, err := crypto.ParseShare(strings.Join(text, ""))
		if !errors.Is(err, crypto.ErrShareMistyped) || line > 0 && !strings.Contains(err.Error(), fmt.Sprintf("line %d ", line)) {
			t.Errorf("%s in line %d: %v", name, line, err)
		} else if len(text) > 0 && strings.Contains(err.Error(), text[0][3:7]) {
			t.Errorf("%s: the error quotes the share: %v", name, err)
		}
	}
	change := func(i int, to string) []string {
		out := slices.Clone(lines)
		out[i] = to
		return out
	}
	for i, line := range lines {
		for at := 3; at < len(line)-1; at++ {
			if line[at] == ' ' {
				continue
			}
			for _, c := range "0123456789ABCDEFGHJKMNPQRSTVWXYZ" + "U!é" {
				if byte(c) != line[at] {
					wrong("another character", i+1, change(i, line[:at]+string(c)+line[at+1:]))
				}
			}
			wrong("a character too few", i+1, change(i, line[:at]+line[at+1:]))
			wrong("a character too many", i+1, change(i, line[:at]+"A"+line[at:]))
			if next := at + 1; line[next] != ' ' && line[next] != '\n' && line[next] != line[at] {
				b := []byte(line)
				b[at], b[next] = b[next], b[at]
				wrong("changed places", i+1, change(i, string(b)))
			}
		}
		wrong("left out", 0, slices.Delete(slices.Clone(lines), i, i+1))
		wrong("twice", 0, slices.Insert(slices.Clone(lines), i, line))
		if i >= 2 { // the first line is the same on all papers of a set, the second one says which paper it is
			wrong("of another paper", i+1, change(i, others[i]))
		}
	}
	bare := strings.Split(strings.TrimSpace(withoutNumbers(lines)), "\n")
	bare[3], bare[4] = bare[4], bare[3]
	if _, err := crypto.ParseShare(strings.Join(bare, "\n")); !errors.Is(err, crypto.ErrShareMistyped) || !strings.Contains(err.Error(), "line 4 ") {
		t.Errorf("lines that changed places: %v", err)
	}
	wrong("nothing", 0, nil)
	if _, err := crypto.ParseShare("# bippop\n# nothing else"); !errors.Is(err, crypto.ErrShareMistyped) {
		t.Errorf("got %v", err)
	}
	// A share that somebody made up is found when it meets the true one.
	made := crypto.KnownShare(crypto.NewKey())
	if _, err := crypto.CombineShares([]crypto.Share{crypto.KnownShare(crypto.NewKey()), made}); !errors.Is(err, crypto.ErrShareMistyped) {
		t.Errorf("got %v", err)
	}
}

func FuzzShare(f *testing.F) {
	text, err := os.ReadFile("testdata/share1.txt")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(text))
	f.Add("1: 0000\n")
	f.Add(strings.Repeat("0", 96))
	f.Add(crypto.KnownShare(crypto.NewKey()).Code())
	f.Fuzz(func(t *testing.T, text string) {
		s, err := crypto.ParseShare(text)
		if err != nil {
			return
		}
		again, err := crypto.ParseShare(s.Text())
		if err != nil || again.Code() != s.Code() {
			t.Errorf("what is printed is not read: %v", err)
		}
		if s.Needed() < 2 || s.Index() > s.Of() {
			t.Error("an impossible share was read")
		}
	})
}
