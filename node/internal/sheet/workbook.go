package sheet

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"path"
	"strings"
	"unicode/utf16"
)

// What a workbook may unpack to. Eight megabytes of zip may hold eight gigabytes, so nothing is taken on the word of a
// header: what comes out is counted while it comes. Together these keep a file under 200 MB of memory, whatever it is.
const (
	mostParts    = 2000
	mostRatio    = 200       // unpacked to packed, of parts above wholeRatio
	wholeRatio   = 1 << 20   // below this any ratio will do: a page of blanks packs well
	mostUnpacked = 256 << 20 // as declared by all parts together; pictures count, although they are never unpacked
	mostRead     = 128 << 20 // unpacked by us, of all parts together
	mostSheet    = 48 << 20  // of one sheet's XML
	mostStrings  = 24 << 20  // of the table of texts that sheets share
	mostFrame    = 4 << 20   // of a part that holds the others together
	mostText     = 24 << 20  // in cells, a shared text counted wherever it stands
	mostSlots    = 3_000_000 // cells, with the blank ones before them in their row
	mostSheets   = 50        // that are listed
)

// workbook is an .xlsx file whose parts are read as streams and never all at once. It runs nothing: macros are not
// unpacked, links are not followed, formulas are not computed.
//
// The spreadsheet library that Go programs use holds a sheet in memory cell by cell, puts large ones in temporary files, and
// quotes what it cannot read; people's words may go neither way. It serves the tests as a second opinion.
type workbook struct {
	parts  map[string]*zip.File
	left   int64 // bytes that may still be unpacked
	from   string
	sheets []sheetPart // visible ones
	shared []string
	styles []style
	is1904 bool // days are counted from 1904, as on old Macs
}

type sheetPart struct{ name, part string }

// openWorkbook reads what holds the sheets together.
func openWorkbook(raw []byte) (*workbook, error) {
	z, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		return nil, ErrBroken
	}
	b := &workbook{parts: map[string]*zip.File{}, left: mostRead}
	if err := b.list(z.File, len(raw)); err != nil {
		return nil, err
	}
	rels, err := b.relations("")
	if err != nil {
		return nil, err
	}
	for _, r := range rels {
		if strings.HasSuffix(r.kind, "/officeDocument") {
			b.from = r.target
		}
	}
	if b.from == "" || b.parts[b.from] == nil {
		b.from = "xl/workbook.xml"
	}
	if err := b.kind(); err != nil {
		return nil, err
	}
	return b, b.frame()
}

// list checks the headers of all parts before one of them is unpacked.
func (b *workbook) list(files []*zip.File, size int) error {
	if len(files) > mostParts {
		return ErrUnpacked
	}
	var packed, unpacked uint64
	for _, f := range files {
		if f.Flags&1 != 0 {
			return ErrEncrypted
		}
		large := f.UncompressedSize64 > wholeRatio
		if large && f.UncompressedSize64/mostRatio > f.CompressedSize64 || f.UncompressedSize64 > mostUnpacked {
			return ErrUnpacked
		}
		packed += f.CompressedSize64
		unpacked += f.UncompressedSize64
		b.parts[strings.TrimPrefix(strings.ReplaceAll(f.Name, `\`, "/"), "/")] = f
	}
	// More packed bytes than the file has: its parts lie over one another.
	if unpacked > mostUnpacked || packed > uint64(size) {
		return ErrUnpacked
	}
	return nil
}

// kind tells a workbook that is read from other things in a zip.
func (b *workbook) kind() error {
	switch {
	case b.parts["xl/workbook.bin"] != nil:
		return ErrOldWorkbook
	case b.parts["mimetype"] != nil && b.parts["content.xml"] != nil:
		return ErrOldWorkbook
	case b.parts[b.from] == nil || b.parts["[Content_Types].xml"] == nil || strings.HasPrefix(b.from, "word/") || strings.HasPrefix(b.from, "ppt/"):
		return ErrBinary
	}
	return nil
}

// frame reads the list of sheets, the shared texts and the styles.
func (b *workbook) frame() error {
	rels, err := b.relations(b.from)
	if err != nil {
		return err
	}
	err = b.elements(b.from, mostFrame, func(e xml.StartElement, _ *xml.Decoder) error {
		switch e.Name.Local {
		case "workbookPr":
			b.is1904 = attr(e, "date1904") == "1" || attr(e, "date1904") == "true"
		case "sheet":
			r := rels[attr(e, "id")]
			if attr(e, "state") == "" || attr(e, "state") == "visible" {
				if strings.HasSuffix(r.kind, "/worksheet") && b.parts[r.target] != nil && len(b.sheets) < mostSheets {
					b.sheets = append(b.sheets, sheetPart{clean(attr(e, "name")), r.target})
				}
			}
		}
		return nil
	})
	for _, r := range rels {
		switch {
		case err != nil || b.parts[r.target] == nil:
		case strings.HasSuffix(r.kind, "/sharedStrings"):
			err = b.readShared(r.target)
		case strings.HasSuffix(r.kind, "/styles"):
			err = b.readStyles(r.target)
		}
	}
	if err == nil && len(b.sheets) == 0 {
		err = ErrEmpty
	}
	return err
}

type relation struct{ kind, target string }

// relations are the parts that a part points to, by ID. What lies outside the file is left out. A part without any
// has none.
func (b *workbook) relations(of string) (map[string]relation, error) {
	dir, base := path.Split(of)
	name := dir + "_rels/" + base + ".rels"
	out := map[string]relation{}
	if b.parts[name] == nil {
		return out, nil
	}
	err := b.elements(name, mostFrame, func(e xml.StartElement, _ *xml.Decoder) error {
		if e.Name.Local != "Relationship" || attr(e, "TargetMode") == "External" {
			return nil
		}
		target := attr(e, "Target")
		if !strings.HasPrefix(target, "/") {
			target = path.Join(dir, target)
		}
		out[attr(e, "Id")] = relation{attr(e, "Type"), strings.TrimPrefix(path.Clean(target), "/")}
		return nil
	})
	return out, err
}

// readShared reads the texts that cells name by number.
func (b *workbook) readShared(part string) error {
	size := 0
	return b.elements(part, mostStrings, func(e xml.StartElement, d *xml.Decoder) error {
		if e.Name.Local != "si" {
			return nil
		}
		text, err := richText(d, "si")
		if size += len(text) + 16; err == nil && size > mostText+16<<20 {
			err = ErrUnpacked
		}
		b.shared = append(b.shared, text)
		return err
	})
}

// elements runs f at the beginning of every element of a part. f may read on to the element's end.
func (b *workbook) elements(part string, limit int64, f func(xml.StartElement, *xml.Decoder) error) error {
	r, err := b.parts[part].Open()
	if err != nil {
		return ErrBroken
	}
	defer r.Close()
	d := xml.NewDecoder(&counted{from: r, part: limit, all: &b.left})
	for {
		token, err := d.RawToken()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return ourFault(err)
		}
		if e, ok := token.(xml.StartElement); ok {
			if err := f(e, d); err != nil {
				return ourFault(err)
			}
		}
	}
}

// ourFault lets errors of this package through; those of others quote what they could not read.
func ourFault(err error) error {
	if Code(err) != "" {
		return err
	}
	return ErrBroken
}

// counted stops at the limit of its part, or of all parts together.
type counted struct {
	from io.Reader
	part int64
	all  *int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.from.Read(p)
	c.part -= int64(n)
	*c.all -= int64(n)
	if c.part < 0 || *c.all < 0 {
		return 0, ErrUnpacked
	}
	return n, err
}

// richText joins the runs of a text up to the end of the element. How it is pronounced (rPh) is not part of it.
func richText(d *xml.Decoder, end string) (string, error) {
	var b strings.Builder
	inText, aside := false, false
	for {
		token, err := d.RawToken()
		if err != nil {
			return "", err
		}
		switch x := token.(type) {
		case xml.StartElement:
			inText = x.Name.Local == "t" && !aside
			aside = aside || x.Name.Local == "rPh"
		case xml.EndElement:
			inText = false
			switch x.Name.Local {
			case "rPh":
				aside = false
			case end:
				return unescape(b.String()), nil
			}
		case xml.CharData:
			if inText {
				b.Write(x)
			}
		}
	}
}

// unescape undoes _x000D_, as which workbooks write characters that XML has not.
func unescape(s string) string {
	if !strings.Contains(s, "_x") {
		return s
	}
	var out strings.Builder
	for {
		i := strings.Index(s, "_x")
		if i < 0 || len(s)-i < 7 {
			out.WriteString(s)
			return out.String()
		}
		out.WriteString(s[:i])
		code, ok := hex4(s[i+2 : i+6])
		if ok && s[i+6] == '_' && !utf16.IsSurrogate(rune(code)) {
			out.WriteRune(rune(code))
			s = s[i+7:]
		} else {
			out.WriteString("_x")
			s = s[i+2:]
		}
	}
}

func hex4(s string) (n int, ok bool) {
	for _, r := range s {
		i := strings.IndexRune("0123456789ABCDEF", r)
		if i < 0 {
			return 0, false
		}
		n = n<<4 | i
	}
	return n, true
}

// attr is an attribute by its name without prefix, or "".
func attr(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}
