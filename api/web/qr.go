package web

import (
	"fmt"
	"html/template"
	"strings"

	"github.com/yeqown/go-qrcode/v2"
)

// quiet is the white border that a reader needs around a code, in modules
// (ISO/IEC 18004, 5.3.8).
const quiet = 4

// bitmap takes the modules of a code from the library: true is black.
type bitmap [][]bool

func (b *bitmap) Write(m qrcode.Matrix) error {
	*b = m.Bitmap()
	return nil
}

func (b *bitmap) Close() error { return nil }

// codeOf draws text as a QR code with its border, for eyes that cannot see it
// called label. A quarter of it may be soiled. Which of eight equally good masks
// it wears may differ from one call to the next.
func codeOf(text, label string) (template.HTML, error) {
	code, err := qrcode.NewWith(text, qrcode.WithErrorCorrectionLevel(qrcode.ErrorCorrectionQuart))
	if err != nil {
		return "", fmt.Errorf("drawing a code: %w", err)
	}
	var b bitmap
	if err := code.Save(&b); err != nil {
		return "", fmt.Errorf("drawing a code: %w", err)
	}
	side := len(b) + 2*quiet
	return template.HTML(fmt.Sprintf(`<svg class="qr" viewBox="0 0 %d %d" role="img" aria-label="%s" shape-rendering="crispEdges"><path d="%s"/></svg>`,
		side, side, template.HTMLEscapeString(label), b.path())), nil
}

// path draws each run of black modules of a row as one bar.
func (b bitmap) path() string {
	var out strings.Builder
	for y, row := range b {
		for x := 0; x < len(row); x++ {
			from := x
			for x < len(row) && row[x] {
				x++
			}
			if x > from {
				fmt.Fprintf(&out, "M%d %dh%dv1h-%dz", from+quiet, y+quiet, x-from, x-from)
			}
		}
	}
	return out.String()
}
