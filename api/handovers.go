package api

import (
	"context"
	"net/http"
	"time"

	"github.com/bippop/bippop/node"
	"github.com/danielgtaylor/huma/v2"
)

// handoverRoutes are the operations of this file.
type handoverRoutes struct{ *server }

// handoverFile is one file of dossiers. It names nobody.
type handoverFile struct {
	Digest   string    `json:"digest" doc:"SHA-256 of the file, hexadecimal"`
	Roster   uint64    `json:"roster_version"`
	Giver    string    `json:"giver" doc:"SIREN"`
	Receiver string    `json:"receiver" doc:"SIREN"`
	Given    bool      `json:"given" doc:"Written here; else taken in here"`
	People   int       `json:"people"`
	At       time.Time `json:"at"`
	State    string    `json:"state" enum:"given,received,erasing,staged,committed,confirmed,undone"`
	Import   string    `json:"import,omitempty" doc:"That took it in"`
	Receipt  time.Time `json:"receipt_at,omitzero"`
}

func handoverOut(f node.HandoverFile) handoverFile {
	out := handoverFile{Digest: f.Digest.String(), Roster: f.Roster, Giver: f.Giver, Receiver: f.Receiver, Given: f.Given, People: f.People, At: at(f.At), State: string(f.State), Receipt: at(f.Receipt)}
	if !f.Import.Zero() {
		out.Import = f.Import.String()
	}
	return out
}

// handoverMove is what one entry of the roster gives or takes.
type handoverMove struct {
	Roster   uint64         `json:"roster_version"`
	Day      string         `json:"day"`
	Giver    string         `json:"giver"`
	Receiver string         `json:"receiver"`
	Gives    bool           `json:"gives" doc:"This territory is the giver"`
	Current  bool           `json:"current" doc:"The roster still gives the communes to the receiver"`
	Communes []string       `json:"communes"`
	People   int            `json:"people" doc:"At the giver: who lives there now"`
	Files    []handoverFile `json:"files"`
}

type handoverList struct {
	Items []handoverMove `json:"items" doc:"Newest first"`
}

func (s handoverRoutes) list(ctx context.Context, _ *struct{ Reading }) (*answer[handoverList], error) {
	all, err := s.node.Handovers.Moves(caller(ctx))
	if err != nil {
		return nil, err
	}
	out := handoverList{Items: []handoverMove{}}
	for _, m := range all {
		h := handoverMove{m.Roster, string(m.Day), m.Giver, m.Receiver, m.Gives, m.Current, m.Communes, m.People, []handoverFile{}}
		for _, f := range m.Files {
			h.Files = append(h.Files, handoverOut(f))
		}
		out.Items = append(out.Items, h)
	}
	return &answer[handoverList]{out}, nil
}

func (s handoverRoutes) recipient(ctx context.Context, _ *struct{ Reading }) (*answer[textOut], error) {
	text, err := s.node.Handovers.Recipient(caller(ctx))
	return &answer[textOut]{textOut{Text: text}}, err
}

type exportDossiers struct {
	Writing
	Body struct {
		Roster    uint64 `json:"roster_version" doc:"That moved the communes"`
		Recipient string `json:"recipient" maxLength:"20000" doc:"As the receiver shows it"`
	}
}

type dossiersOut struct {
	Digest string `json:"digest" doc:"SHA-256 of the file, hexadecimal"`
	People int    `json:"people"`
	File   []byte `json:"file" doc:"Encrypted to the receiver; base64"`
}

// conflicting describes a reading that the state of things can refuse.
func conflicting(op *huma.Operation) { op.Errors = append(op.Errors, http.StatusConflict) }

func (s handoverRoutes) export(ctx context.Context, in *exportDossiers) (*answer[dossiersOut], error) {
	file, f, err := s.node.Handovers.Export(ctx, caller(ctx), in.Body.Roster, in.Body.Recipient)
	if err != nil {
		return nil, err
	}
	return &answer[dossiersOut]{dossiersOut{f.Digest.String(), f.People, file}}, nil
}

type takeDossiers struct {
	Writing
	Body struct {
		File []byte `json:"file" doc:"As the giver's node wrote it; base64; at most 40 MiB before that"`
	}
}

func (s handoverRoutes) take(ctx context.Context, in *takeDossiers) (*answer[handoverFile], error) {
	f, err := s.node.Handovers.Import(ctx, caller(ctx), in.Body.File)
	if err != nil {
		return nil, err
	}
	return &answer[handoverFile]{handoverOut(f)}, nil
}

type namedFile struct {
	Writing
	Body struct {
		Digest string `json:"digest" maxLength:"64"`
	}
}

func (s handoverRoutes) confirm(ctx context.Context, in *namedFile) (*indexed, error) {
	digest, err := node.ParseHandoverDigest(in.Body.Digest)
	if err != nil {
		return nil, err
	}
	r, err := s.node.Handovers.Confirm(ctx, caller(ctx), digest)
	return &indexed{r.Index}, err
}

type erasedDossiers struct {
	Erased int `json:"erased" doc:"Put in line: gone within the hour"`
	Kept   int `json:"kept" doc:"Changed since the file was written: the receiver does not know of it"`
}

func (s handoverRoutes) erase(ctx context.Context, in *namedFile) (*answer[erasedDossiers], error) {
	digest, err := node.ParseHandoverDigest(in.Body.Digest)
	if err != nil {
		return nil, err
	}
	erased, kept, err := s.node.Handovers.Erase(ctx, caller(ctx), digest)
	return &answer[erasedDossiers]{erasedDossiers{erased, kept}}, err
}
