package federation

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/fxamacker/cbor/v2"
)

var (
	// errFrame says that a peer sent what is not a frame in its one right form, or a
	// larger one than its protocol allows.
	errFrame = errors.New("not a frame of this protocol in its right form and size")

	wireEncoding = must(cbor.CoreDetEncOptions().EncMode())
	wireDecoding = must(cbor.DecOptions{
		DupMapKey: cbor.DupMapKeyEnforcedAPF, ExtraReturnErrors: cbor.ExtraDecErrorUnknownField,
		IndefLength: cbor.IndefLengthForbidden, TagsMd: cbor.TagsForbidden, MaxNestedLevels: 6, MaxArrayElements: 1 << 17, MaxMapPairs: 16,
	}.DecMode())
)

func must[T any](v T, err error) T {
	if err != nil {
		panic("federation: " + err.Error())
	}
	return v
}

// writeFrame writes a length in four bytes, most significant first, and the value
// in deterministic CBOR, in one piece.
func writeFrame(w io.Writer, limit int, v any) error {
	body, err := wireEncoding.Marshal(v)
	if err != nil {
		return err
	}
	if len(body) > limit {
		return fmt.Errorf("a frame of %d bytes: %w", len(body), errFrame)
	}
	_, err = w.Write(append(binary.BigEndian.AppendUint32(make([]byte, 0, 4+len(body)), uint32(len(body))), body...))
	return err
}

// readFrame reads one frame and refuses every other form of it. Nothing is
// allocated for a length above limit. [errFrame], or the reader's error.
func readFrame[T any](r io.Reader, limit int) (v T, err error) {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return v, err
	}
	n := binary.BigEndian.Uint32(head[:])
	if n == 0 || uint64(n) > uint64(limit) {
		return v, fmt.Errorf("a frame of %d bytes: %w", n, errFrame)
	}
	// Bytes are allocated as they come: a length alone costs nothing.
	var body bytes.Buffer
	if _, err := io.CopyN(&body, r, int64(n)); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return v, err
	}
	return parse[T](body.Bytes())
}

// parse reads a value in its one right form.
func parse[T any](b []byte) (v T, err error) {
	if err := wireDecoding.Unmarshal(b, &v); err != nil {
		var none T
		return none, errFrame
	}
	again, err := wireEncoding.Marshal(v)
	if err != nil || !bytes.Equal(again, b) {
		var none T
		return none, errFrame
	}
	return v, nil
}
