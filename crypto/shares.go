package crypto

import (
	"bytes"
	"crypto/rand"
	"encoding/base32"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/cloudflare/circl/group"
	"github.com/cloudflare/circl/secretsharing"
)

var (
	// ErrShareMistyped says that a share was not typed as it is printed. The error
	// that wraps it names the line where it can.
	ErrShareMistyped = errors.New("it is mistyped; compare it with the paper")
	// ErrOtherShares says that shares do not belong together.
	ErrOtherShares = errors.New("these are shares of another territory or another set; take them from one set")
	// ErrTooFewShares says that more people must come. The error that wraps it says
	// how many.
	ErrTooFewShares = errors.New("too few shares")
)

const (
	// MaxShares bounds a set: more papers are more papers to lose, and one digit
	// names each.
	MaxShares = 9

	shareVersion = 1
	shareLines   = 6
	lineData     = 8            // bytes of the share in a line
	lineSize     = lineData + 2 // with its checksum
	lineChars    = 16
	shareSize    = shareLines * lineData
)

// shareField is where shares are computed, in constant time: the scalars of
// ristretto255, about 2^252 of them, of which each fits in 32 bytes.
var shareField = group.Ristretto255

// crockford has no I, L, O and U, so that nobody takes a letter for a digit.
var crockford = base32.NewEncoding("0123456789ABCDEFGHJKMNPQRSTVWXYZ").WithPadding(base32.NoPadding)

// Share is one person's part of what opens a vault. Fewer than [Share.Needed] of a
// set tell nothing about it, whatever computer looks at them (Shamir, "How to share
// a secret", 1979). The zero Share is none.
type Share struct {
	hidden
	reveal func() shareParts
}

// shareParts stand in a share in this order, after its version.
type shareParts struct {
	siren      uint32
	set        [8]byte // random
	needed, of byte
	index      byte         // 1 to of
	point      group.Scalar // the polynomial at index
}

// NewShares draws a secret and splits it among of people, so that any needed of
// them open what the Unsealer seals: 2 ≤ needed ≤ of ≤ [MaxShares]. siren is the
// territory's. Who makes a new set and seals the vault with it has made the old
// papers worthless.
func NewShares(siren string, needed, of int) ([]Share, Unsealer, error) {
	if needed < 2 || of < needed || of > MaxShares {
		return nil, Unsealer{}, fmt.Errorf("make at most %d shares, of which 2 or more are needed to open the vault", MaxShares)
	}
	number, err := strconv.ParseUint(siren, 10, 32)
	if err != nil || !isSiren(siren) {
		return nil, Unsealer{}, errors.New("making shares: the SIREN has nine digits")
	}
	parts := shareParts{siren: uint32(number), needed: byte(needed), of: byte(of)}
	rand.Read(parts.set[:])
	secret := shareField.RandomNonZeroScalar(rand.Reader)
	split := secretsharing.New(rand.Reader, uint(needed-1), secret)
	commitment := split.CommitSecret()
	var shares []Share
	for i, s := range split.Share(uint(of)) {
		if !secretsharing.Verify(uint(needed-1), s, commitment) {
			panic("crypto: a share does not fit its secret")
		}
		parts.index, parts.point = byte(i+1), s.Value
		shares = append(shares, parts.share())
	}
	u, err := parts.unsealer(secret)
	return shares, u, err
}

// CombineShares makes of shares what they were drawn for. A share that is given
// twice counts once. [ErrOtherShares], [ErrTooFewShares], [ErrShareMistyped]. That
// they are of the right set is known only when they open the vault.
func CombineShares(shares []Share) (Unsealer, error) {
	given := map[byte]shareParts{}
	var points []secretsharing.Share
	for _, s := range shares {
		p, first := s.reveal(), shares[0].reveal()
		if p.siren != first.siren || p.set != first.set || p.needed != first.needed || p.of != first.of {
			return Unsealer{}, fmt.Errorf("%s and %s: %w", first.name(), p.name(), ErrOtherShares)
		}
		if before, twice := given[p.index]; !twice {
			given[p.index] = p
			points = append(points, secretsharing.Share{ID: shareField.NewScalar().SetUint64(uint64(p.index)), Value: p.point})
		} else if !before.point.IsEqual(p.point) {
			return Unsealer{}, fmt.Errorf("%s was given in two forms: %w", p.name(), ErrShareMistyped)
		}
	}
	if len(shares) == 0 {
		return Unsealer{}, fmt.Errorf("%w: none given", ErrTooFewShares)
	}
	of := shares[0].reveal()
	if missing := int(of.needed) - len(points); missing > 0 {
		return Unsealer{}, fmt.Errorf("%w: %d given, %d needed", ErrTooFewShares, len(points), of.needed)
	}
	secret, err := secretsharing.Recover(uint(of.needed-1), points)
	if err != nil {
		return Unsealer{}, fmt.Errorf("combining shares: %w", err)
	}
	return of.unsealer(secret)
}

// unsealer makes an age passphrase of the secret. scrypt's cost is the lowest:
// it protects words that can be guessed, and this one has 252 random bits.
func (p shareParts) unsealer(secret group.Scalar) (Unsealer, error) {
	u, err := Passphrase(crockford.EncodeToString(scalarBytes(secret)), 1)
	u.known = fmt.Sprintf("shares of territory %09d, set %s", p.siren, p.setName())
	return u, err
}

// Territory is the SIREN.
func (s Share) Territory() string { return fmt.Sprintf("%09d", s.reveal().siren) }

// Set names the set to which s belongs; another set has another name.
func (s Share) Set() string { return s.reveal().setName() }

// Index is 1 to [Share.Of].
func (s Share) Index() int { return int(s.reveal().index) }

// Needed is how many shares of the set open the vault.
func (s Share) Needed() int { return int(s.reveal().needed) }

// Of is how many shares the set has.
func (s Share) Of() int { return int(s.reveal().of) }

func (p shareParts) setName() string { return groups(crockford.EncodeToString(p.set[:5])) }

func (p shareParts) name() string {
	return fmt.Sprintf("share %d of territory %09d, set %s", p.index, p.siren, p.setName())
}

func (p shareParts) share() Share { return Share{reveal: func() shareParts { return p }} }

// Text is the share in clear, for paper: what it is, as lines that begin with #,
// then six lines of four groups of four characters. Each has a checksum over
// itself and the lines above, so that a mistake is found in the line where it was
// made: always for one wrong character or two that changed places, else but for
// once in 65,536.
func (s Share) Text() string {
	p := s.reveal()
	var b strings.Builder
	fmt.Fprintf(&b, "# bippop, territory %09d, set %s\n# Share %d of %d. Any %d of them open the vault.\n", p.siren, p.setName(), p.index, p.of, p.needed)
	code := s.Code()
	for i := range shareLines {
		fmt.Fprintf(&b, "%d: %s\n", i+1, groups(code[i*lineChars:(i+1)*lineChars]))
	}
	return b.String()
}

// Code is the share in clear in 96 digits and capitals, for a QR code.
// [ParseShare] reads it too.
func (s Share) Code() string {
	data := s.reveal().bytes()
	var b strings.Builder
	sum := crcStart
	for i := range shareLines {
		line := data[i*lineData : (i+1)*lineData]
		sum = crc(sum, line)
		b.WriteString(crockford.EncodeToString(binary.BigEndian.AppendUint16(bytes.Clone(line), sum)))
	}
	return b.String()
}

// ParseShare reads what [Share.Text] or [Share.Code] wrote. Lines that begin with #
// may be there or not, and so may the numbers of the others; capitals, spaces and
// hyphens do not matter, the letter O is zero, I and L are one.
// [ErrShareMistyped].
func ParseShare(text string) (Share, error) {
	var lines []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			lines = append(lines, line)
		}
	}
	if len(lines) == 1 && len(lines[0]) == shareLines*lineChars {
		code := lines[0]
		lines = nil
		for i := range shareLines {
			lines = append(lines, code[i*lineChars:(i+1)*lineChars])
		}
	}
	var data []byte
	sum := crcStart
	for i, line := range lines[:min(len(lines), shareLines)] {
		b, ok := parseLine(line, i+1)
		if ok {
			sum = crc(sum, b[:lineData])
			ok = sum == binary.BigEndian.Uint16(b[lineData:])
		}
		if !ok {
			return Share{}, fmt.Errorf("line %d of the share: %w", i+1, ErrShareMistyped)
		}
		data = append(data, b[:lineData]...)
	}
	if len(lines) != shareLines {
		return Share{}, fmt.Errorf("the share has %d lines, not %d: %w", len(lines), shareLines, ErrShareMistyped)
	}
	return shareFromBytes(data)
}

// parseLine reads the characters of one line.
func parseLine(line string, number int) ([]byte, bool) {
	if before, after, numbered := strings.Cut(line, ":"); numbered {
		if strings.TrimSpace(before) != strconv.Itoa(number) {
			return nil, false
		}
		line = after
	}
	chars := strings.Map(func(r rune) rune {
		switch {
		case r == ' ', r == '-', r == '\t', r == '\u00a0':
			return -1
		case r >= 'a' && r <= 'z':
			r += 'A' - 'a'
		}
		switch r {
		case 'O':
			return '0'
		case 'I', 'L':
			return '1'
		}
		return r
	}, line)
	if len(chars) != lineChars {
		return nil, false
	}
	b, err := crockford.DecodeString(chars)
	return b, err == nil && len(b) == lineSize
}

func (p shareParts) bytes() []byte {
	b := append(make([]byte, 0, shareSize), shareVersion)
	b = binary.BigEndian.AppendUint32(b, p.siren)
	b = append(b, p.set[:]...)
	b = append(b, p.needed, p.of, p.index)
	return append(b, scalarBytes(p.point)...)
}

func shareFromBytes(b []byte) (Share, error) {
	if b[0] != shareVersion {
		return Share{}, fmt.Errorf("the share is of version %d, this program knows %d: use the version that printed it", b[0], shareVersion)
	}
	p := shareParts{siren: binary.BigEndian.Uint32(b[1:5]), set: [8]byte(b[5:13]), needed: b[13], of: b[14], index: b[15], point: shareField.NewScalar()}
	err := p.point.UnmarshalBinary(b[16:])
	if err != nil || !bytes.Equal(scalarBytes(p.point), b[16:]) || p.siren > 999_999_999 ||
		p.needed < 2 || p.of < p.needed || p.of > MaxShares || p.index < 1 || p.index > p.of {
		return Share{}, fmt.Errorf("the share: %w", ErrShareMistyped)
	}
	return p.share(), nil
}

func scalarBytes(s group.Scalar) []byte {
	b, err := s.MarshalBinary()
	if err != nil || len(b) != shareSize-16 {
		panic("crypto: a scalar has no bytes")
	}
	return b
}

// groups puts a space after each fourth character.
func groups(s string) string {
	var b strings.Builder
	for i, r := range s {
		if i > 0 && i%4 == 0 {
			b.WriteByte(' ')
		}
		b.WriteRune(r)
	}
	return b.String()
}

const crcStart uint16 = 0xffff

// crc goes on with a CRC-16/CCITT-FALSE (polynomial 0x1021), which finds any
// mistake that lies within 16 bits.
func crc(sum uint16, b []byte) uint16 {
	for _, c := range b {
		sum ^= uint16(c) << 8
		for range 8 {
			carry := sum >> 15
			sum = sum<<1 ^ 0x1021*carry
		}
	}
	return sum
}
