package api

import (
	"context"
	"fmt"

	"github.com/bippop/bippop/node"
	"github.com/danielgtaylor/huma/v2"
)

// bulletinRoutes are the operations of this file: what the coordinator says to all
// territories. None answers.
type bulletinRoutes struct{ *server }

type bulletin struct {
	Number uint32 `json:"number"`
	Day    string `json:"day" format:"date"`
	Title  string `json:"title"`
	Text   string `json:"text"`
	Size   uint32 `json:"pdf_bytes,omitempty" doc:"None: it has no PDF"`
	Whole  bool   `json:"pdf_whole,omitempty" doc:"All of the PDF has arrived; told of one bulletin, not in the list"`
}

func bulletinOut(b node.Bulletin) bulletin {
	return bulletin{b.Number, node.DayOf(b.Day.Time()).String(), b.Title, b.Text, b.Size, b.Whole}
}

func (s bulletinRoutes) list(ctx context.Context, _ *struct{ Reading }) (*listed[bulletin], error) {
	all, err := s.node.Bulletins.List(caller(ctx))
	if err != nil {
		return nil, err
	}
	return page(all, "", bulletinOut), nil
}

type bulletinInput struct {
	Reading
	Number uint32 `path:"number" minimum:"1"`
}

func (s bulletinRoutes) read(ctx context.Context, in *bulletinInput) (*answer[bulletin], error) {
	b, err := s.node.Bulletins.Get(caller(ctx), in.Number)
	if err != nil {
		return nil, err
	}
	return &answer[bulletin]{bulletinOut(b)}, nil
}

const pdfType = "application/pdf"

// printed describes an answer that is a PDF.
func printed(op *huma.Operation) {
	op.Responses["200"].Content = map[string]*huma.MediaType{pdfType: {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}}
}

func (s bulletinRoutes) pdf(ctx context.Context, in *bulletinInput) (*file, error) {
	b, err := s.node.Bulletins.PDF(caller(ctx), in.Number)
	if err != nil {
		return nil, err
	}
	return &file{pdfType, fmt.Sprintf(`attachment; filename="bulletin-%d.pdf"`, in.Number), b}, nil
}

type publishBulletinInput struct {
	Writing
	Body struct {
		Title string `json:"title"`
		Text  string `json:"text" doc:"Plain; for ever: another bulletin corrects it"`
		PDF   []byte `json:"pdf,omitempty" doc:"Base64"`
	}
}

type published struct {
	Number uint32 `json:"number"`
}

func (s bulletinRoutes) publish(ctx context.Context, in *publishBulletinInput) (*answer[published], error) {
	d := node.BulletinDraft{Title: in.Body.Title, Text: in.Body.Text}
	if len(in.Body.PDF) > 0 {
		d.PDF = in.Body.PDF
	}
	number, err := s.node.Bulletins.Publish(ctx, caller(ctx), d)
	return &answer[published]{published{number}}, err
}
