package bulletin

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
)

// ErrPDF says that a file is no PDF, or a damaged or too large one.
var ErrPDF = fmt.Errorf("not a PDF of at most %d MiB", MaxPDF>>20)

// ErrIncomplete says that pieces do not make the whole.
var ErrIncomplete = errors.New("the pieces do not make the PDF that the bulletin names")

// CheckPDF looks at the content, not at a name: it begins as a PDF and ends as one.
// [ErrPDF].
func CheckPDF(b []byte) error {
	if len(b) > MaxPDF || !(bytes.HasPrefix(b, []byte("%PDF-1.")) || bytes.HasPrefix(b, []byte("%PDF-2."))) {
		return ErrPDF
	}
	if end := b[max(0, len(b)-1024):]; !bytes.Contains(end, []byte("%%EOF")) { // ISO 32000-1, Annex H, note 18
		return ErrPDF
	}
	return nil
}

// Pieces is how many a PDF of that size has.
func Pieces(size uint32) int { return (int(size) + MaxPiece - 1) / MaxPiece }

// Split cuts a PDF into its pieces. [ErrPDF].
func Split(pdf []byte) (digest [32]byte, pieces []Piece, err error) {
	if err := CheckPDF(pdf); err != nil {
		return digest, nil, err
	}
	digest = sha256.Sum256(pdf)
	for at := 0; at < len(pdf); at += MaxPiece {
		pieces = append(pieces, Piece{PDF: digest, Index: uint16(len(pieces)), Bytes: pdf[at:min(at+MaxPiece, len(pdf))]})
	}
	return digest, pieces, nil
}

// Join puts the pieces of a bulletin's PDF together, in their order. It returns
// nothing but what the digest names. [ErrIncomplete], [ErrPDF].
func Join(b Bulletin, pieces [][]byte) ([]byte, error) {
	pdf := bytes.Join(pieces, nil)
	if !b.HasPDF() || len(pdf) != int(b.Size) || sha256.Sum256(pdf) != b.PDF {
		return nil, ErrIncomplete
	}
	return pdf, CheckPDF(pdf)
}
