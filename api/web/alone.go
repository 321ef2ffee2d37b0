package web

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/bippop/bippop/node"
)

// Opening is how a vault is opened, as its recovery sheet explains it.
type Opening string

// The ways that there are.
const (
	ByPassphrase Opening = "passphrase"
	ByIdentity   Opening = "identity" // a file
	ByShares     Opening = "shares"
	ByPlugin     Opening = "plugin" // TPM, YubiKey
)

// Sheet is what a territory's recovery sheet says. It is secret when it has
// shares.
type Sheet struct {
	Territory string // name of the controller
	Siren     string
	Made      time.Time // in the territory's zone
	Opening   Opening
	Detail    string // path of the identity file, or name of the plugin
	Shares    []Share
	Signer    string // public key by which restore knows the backups
	Phone     string // of the desk, may be empty
}

// Share is one person's page.
type Share struct {
	Index, Of, Needed int
	Set               string      // which shares belong together
	Text              node.Secret // lines in groups; those that begin with # are left out
	Code              node.Secret // for the QR code: digits and capitals
}

// RecoverySheet writes a page of HTML that needs nothing else and prints on A4: one
// sheet for the safe, then one for each share. French, with English below.
func RecoverySheet(w io.Writer, s Sheet) error {
	for _, share := range s.Shares {
		if share.Text.Empty() || share.Code.Empty() {
			return fmt.Errorf("recovery sheet: share %d has no text", share.Index)
		}
	}
	return alone().set.ExecuteTemplate(w, "recovery", s)
}

// SealedPage writes what a browser gets while this machine is locked or has not
// started: a page of HTML that needs nothing else, no node least of all. It goes
// with status 503 and [SealedPolicy]. phone is the desk's, or "".
func SealedPage(w io.Writer, phone string) error {
	return alone().set.ExecuteTemplate(w, "sealed", phone)
}

// SealedPolicy is the Content-Security-Policy of [SealedPage]: its own style, and
// nothing from anywhere.
func SealedPolicy() string {
	sum := sha256.Sum256([]byte(alone().sealed))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}

// aloneSet is the templates of pages without a node.
type aloneSet struct {
	set    *template.Template
	sealed string // style of the sealed page
}

// alone reads them, once. One that cannot be read is a fault of the program: it
// panics.
var alone = sync.OnceValue(func() aloneSet {
	tongues := learn(time.Now)
	style := func(name string) string {
		b, err := files.ReadFile("templates/alone/" + name + ".css")
		if err != nil {
			panic("web: " + err.Error())
		}
		return string(b)
	}
	set := template.New("").Funcs(template.FuncMap{
		"fr": tongues["fr"].t, "en": tongues["en"].t,
		"style":  func(name string) template.CSS { return template.CSS(style(name)) },
		"dayFR":  func(t time.Time) string { return tongues["fr"].fullDate(node.DayOf(t)) },
		"dayEN":  func(t time.Time) string { return tongues["en"].fullDate(node.DayOf(t)) },
		"number": node.FormatPhone, "groups": keyName, "rows": shareRows,
		"qr": func(s Share) (template.HTML, error) {
			return codeOf(s.Code.Reveal(), tongues["fr"].t("recovery.code", "N", s.Index, "Of", s.Of))
		},
	})
	template.Must(set.ParseFS(files, "templates/alone/*.html"))
	return aloneSet{set, style("sealed")}
})

// shareRows are the lines of a share that are typed.
func shareRows(text node.Secret) (rows []string) {
	for line := range strings.Lines(text.Reveal()) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			rows = append(rows, line)
		}
	}
	return rows
}
