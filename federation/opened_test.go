package federation_test

import (
	"bufio"
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"
	"sync"
)

// wiretap keeps every datagram that a host sends and receives.
type wiretap struct {
	mu   sync.Mutex
	seen []datagram
}

type datagram struct {
	out   bool
	bytes []byte
}

// listen is a [federation.Config]'s ListenUDP.
func (w *wiretap) listen(network string, at *net.UDPAddr) (net.PacketConn, error) {
	c, err := net.ListenUDP(network, at)
	return tapped{c, w}, err
}

func (w *wiretap) note(out bool, b []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.seen = append(w.seen, datagram{out, bytes.Clone(b)})
}

type tapped struct {
	net.PacketConn
	w *wiretap
}

func (t tapped) WriteTo(b []byte, to net.Addr) (int, error) {
	t.w.note(true, b)
	return t.PacketConn.WriteTo(b, to)
}

func (t tapped) ReadFrom(b []byte) (int, net.Addr, error) {
	n, from, err := t.PacketConn.ReadFrom(b)
	if err == nil {
		t.w.note(false, b[:n])
	}
	return n, from, err
}

// opened is what a host sent in one QUIC connection, without its ciphers.
type opened struct {
	streams map[uint64][]byte // by number, whole
	sent    int               // bytes of datagrams
	quiet   int               // of them no stream's
}

// inOrder is the streams' bytes, the first opened first.
func (o *opened) inOrder() (all [][]byte) {
	for _, id := range slices.Sorted(maps.Keys(o.streams)) {
		all = append(all, o.streams[id])
	}
	return all
}

var errQUIC = errors.New("the capture cannot be opened")

// open takes the protection off (RFC 9001) and reads every frame (RFC 9000). A frame
// that this program has no reason to send is an error, and so is a word in one that
// ends the connection.
func (w *wiretap) open(keyLog string) (*opened, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	p, err := protectionOf(keyLog)
	if err != nil {
		return nil, err
	}
	o := &opened{streams: map[uint64][]byte{}}
	connectionID := -1 // length of the one that the other side chose
	for _, d := range w.seen {
		if !d.out {
			if len(d.bytes) > 6 && d.bytes[0]&0x80 != 0 {
				at := 6 + int(d.bytes[5])
				connectionID = int(d.bytes[at])
			}
			continue
		}
		o.sent += len(d.bytes)
		rest, err := afterLong(d.bytes)
		if err != nil {
			return nil, err
		}
		if len(rest) == 0 {
			continue
		}
		frames, err := p.plain(rest, 1+connectionID)
		if err != nil {
			return nil, err
		}
		if err := o.read(frames); err != nil {
			return nil, err
		}
	}
	o.quiet = o.sent
	for _, b := range o.streams {
		o.quiet -= len(b)
	}
	return o, nil
}

// afterLong skips the packets of the handshake, which hold keys and certificates.
func afterLong(b []byte) ([]byte, error) {
	for len(b) > 0 && b[0]&0x80 != 0 {
		r := reader{b: b[5:]}
		r.take(uint64(r.byte())) // destination
		r.take(uint64(r.byte())) // source
		switch b[0] & 0x30 >> 4 {
		case 0:
			r.take(r.varint()) // token
		case 2:
		default:
			return nil, fmt.Errorf("a long packet of another type: %w", errQUIC)
		}
		r.take(r.varint())
		if r.short {
			return nil, fmt.Errorf("a long packet ends early: %w", errQUIC)
		}
		b = r.b
	}
	return b, nil
}

// protection is one direction's keys, for AES-128-GCM, and their successors.
type protection struct {
	secret []byte
	header cipher.Block
	seal   cipher.AEAD
	iv     []byte
	last   uint64
}

func protectionOf(keyLog string) (*protection, error) {
	var secrets [][]byte
	for s := bufio.NewScanner(strings.NewReader(keyLog)); s.Scan(); {
		if f := strings.Fields(s.Text()); len(f) == 3 && f[0] == "CLIENT_TRAFFIC_SECRET_0" {
			b, err := hex.DecodeString(f[2])
			if err != nil || len(b) != 32 {
				return nil, fmt.Errorf("a secret of another cipher: %w", errQUIC)
			}
			secrets = append(secrets, b)
		}
	}
	if len(secrets) != 1 {
		return nil, fmt.Errorf("%d connections, want one: %w", len(secrets), errQUIC)
	}
	p := &protection{secret: secrets[0]}
	header, err := aes.NewCipher(expand(p.secret, "quic hp", 16))
	p.header = header
	return p, errors.Join(err, p.turn())
}

// turn makes the keys of the secret.
func (p *protection) turn() error {
	block, err := aes.NewCipher(expand(p.secret, "quic key", 16))
	if err != nil {
		return err
	}
	p.iv = expand(p.secret, "quic iv", 12)
	p.seal, err = cipher.NewGCM(block)
	return err
}

// expand is HKDF-Expand-Label of TLS 1.3.
func expand(secret []byte, label string, n int) []byte {
	label = "tls13 " + label
	info := append(binary.BigEndian.AppendUint16(nil, uint16(n)), byte(len(label)))
	key, err := hkdf.Expand(sha256.New, secret, string(info)+label+"\x00", n)
	if err != nil {
		panic(err)
	}
	return key
}

// plain is the frames of a short packet whose number begins at a place.
func (p *protection) plain(b []byte, at int) ([]byte, error) {
	if len(b) < at+20 {
		return nil, fmt.Errorf("a packet of %d bytes: %w", len(b), errQUIC)
	}
	b = bytes.Clone(b)
	var mask [16]byte
	p.header.Encrypt(mask[:], b[at+4:at+20])
	b[0] ^= mask[0] & 0x1f
	n := int(b[0]&3) + 1
	number := uint64(0)
	for i := range n {
		b[at+i] ^= mask[1+i]
		number = number<<8 | uint64(b[at+i])
	}
	window := uint64(1) << (8 * n)
	full := p.last&^(window-1) | number
	if full+window/2 <= p.last+1 {
		full += window
	} else if full > p.last+1+window/2 && full >= window {
		full -= window
	}
	nonce := bytes.Clone(p.iv)
	for i := range 8 {
		nonce[4+i] ^= byte(full >> (8 * (7 - i)))
	}
	frames, err := p.seal.Open(nil, nonce, b[at+n:], b[:at+n])
	if err != nil {
		return nil, fmt.Errorf("packet %d: %w", full, errQUIC)
	}
	p.last = max(p.last, full)
	return frames, nil
}

// read takes the frames of one packet.
func (o *opened) read(b []byte) error {
	r := &reader{b: b}
	for len(r.b) > 0 {
		kind := r.varint()
		switch {
		case kind == 0x00 || kind == 0x01 || kind == 0x1e: // padding: zeros; ping
		case kind == 0x02 || kind == 0x03: // acknowledgement
			r.varint()
			r.varint()
			more := r.varint()
			r.varint()
			for range 2 * more {
				r.varint()
			}
			if kind == 0x03 {
				r.varints(3)
			}
		case kind == 0x04: // a stream is reset
			r.varints(3)
		case kind == 0x05, kind == 0x11, kind == 0x15:
			r.varints(2)
		case kind >= 0x08 && kind <= 0x0f:
			if err := o.stream(r, kind); err != nil {
				return err
			}
		case kind == 0x10, kind >= 0x12 && kind <= 0x14, kind == 0x16, kind == 0x17, kind == 0x19:
			r.varint()
		case kind == 0x18: // further connection IDs, of chance
			r.varints(2)
			r.take(uint64(r.byte()))
			r.take(16)
		case kind == 0x1a, kind == 0x1b:
			r.take(8)
		case kind == 0x1c, kind == 0x1d:
			r.varints(int(0x1d - kind + 1))
			if why := r.take(r.varint()); len(why) > 0 {
				return fmt.Errorf("a connection ends with %d bytes of words: %w", len(why), errQUIC)
			}
		default:
			return fmt.Errorf("a frame of kind %#x, which nothing of ours sends: %w", kind, errQUIC)
		}
		if r.short {
			return fmt.Errorf("a frame of kind %#x ends early: %w", kind, errQUIC)
		}
	}
	return nil
}

// stream takes a piece of one. What comes twice must be the same.
func (o *opened) stream(r *reader, kind uint64) error {
	id := r.varint()
	at := uint64(0)
	if kind&4 != 0 {
		at = r.varint()
	}
	n := uint64(len(r.b))
	if kind&2 != 0 {
		n = r.varint()
	}
	piece := r.take(n)
	if id%4 != 0 {
		return fmt.Errorf("stream %d, of a kind that nothing of ours opens: %w", id, errQUIC)
	}
	have := o.streams[id]
	if at > uint64(len(have)) {
		return fmt.Errorf("stream %d has a gap: a datagram was lost on the own machine: %w", id, errQUIC)
	}
	overlap := min(uint64(len(have))-at, uint64(len(piece)))
	if !bytes.Equal(have[at:at+overlap], piece[:overlap]) {
		return fmt.Errorf("stream %d says two things in one place: %w", id, errQUIC)
	}
	o.streams[id] = append(have, piece[overlap:]...)
	return nil
}

// reader takes what QUIC writes from bytes.
type reader struct {
	b     []byte
	short bool
}

func (r *reader) take(n uint64) []byte {
	if n > uint64(len(r.b)) {
		r.b, r.short = nil, true
		return nil
	}
	out := r.b[:n]
	r.b = r.b[n:]
	return out
}

func (r *reader) byte() byte {
	if b := r.take(1); len(b) == 1 {
		return b[0]
	}
	return 0
}

func (r *reader) varint() (v uint64) {
	first := r.byte()
	v = uint64(first & 0x3f)
	for _, b := range r.take(1<<(first>>6) - 1) {
		v = v<<8 | uint64(b)
	}
	return v
}

func (r *reader) varints(n int) {
	for range n {
		r.varint()
	}
}
