package web_test

import (
	"fmt"
	"strings"
	"testing"
)

// qr reads a small QR code (ISO/IEC 18004, versions 2 to 4 at level Q with one
// block of data), written apart from the library that draws it.
type qr struct {
	*testing.T
	black [][]bool
	side  int
}

// newQR takes the bars of a path from within a border of four modules.
func newQR(t *testing.T, side int, path string) qr {
	q := qr{t, make([][]bool, side), side}
	for y := range q.black {
		q.black[y] = make([]bool, side)
	}
	for _, bar := range strings.Split(strings.TrimSuffix(path, "z"), "z") {
		var x, y, w, back int
		if _, err := fmt.Sscanf(bar, "M%d %dh%dv1h-%d", &x, &y, &w, &back); err != nil || w != back {
			t.Fatalf("unreadable bar %q", bar)
		}
		for i := range w {
			if x-4+i < 0 || x-4+i >= side || y < 4 || y-4 >= side {
				t.Fatalf("the bar %q lies in the border", bar)
			}
			q.black[y-4][x-4+i] = true
		}
	}
	return q
}

// format is the level of correction and the mask, from beside the first finder.
func (q qr) format() (level, mask int) {
	bits := 0
	at := func(y, x int) {
		bits <<= 1
		if q.black[y][x] {
			bits |= 1
		}
	}
	for x := range 6 {
		at(8, x)
	}
	at(8, 7)
	at(8, 8)
	at(7, 8)
	for y := 5; y >= 0; y-- {
		at(y, 8)
	}
	bits ^= 0b101010000010010
	return bits >> 13, bits >> 10 & 7
}

// fixed reports whether a module holds a pattern rather than data.
func (q qr) fixed(y, x int) bool {
	n := q.side
	switch {
	case y < 9 && (x < 9 || x >= n-8), y >= n-8 && x < 9: // finders and format
		return true
	case y == 6 || x == 6: // timing
		return true
	}
	return y >= n-9 && y <= n-5 && x >= n-9 && x <= n-5 // alignment
}

func masked(mask, y, x int) bool {
	switch mask {
	case 0:
		return (y+x)%2 == 0
	case 1:
		return y%2 == 0
	case 2:
		return x%3 == 0
	case 3:
		return (y+x)%3 == 0
	case 4:
		return (y/2+x/3)%2 == 0
	case 5:
		return y*x%2+y*x%3 == 0
	case 6:
		return (y*x%2+y*x%3)%2 == 0
	}
	return ((y+x)%2+y*x%3)%2 == 0
}

// words are the code words, data and correction, in the order of reading: two
// columns wide, up and down from the right.
func (q qr) words() (out []byte) {
	_, mask := q.format()
	var word, bits int
	up := true
	for right := q.side - 1; right > 0; right -= 2 {
		if right == 6 {
			right--
		}
		for i := range q.side {
			y := i
			if up {
				y = q.side - 1 - i
			}
			for _, x := range []int{right, right - 1} {
				if q.fixed(y, x) {
					continue
				}
				word <<= 1
				if q.black[y][x] != masked(mask, y, x) {
					word |= 1
				}
				if bits++; bits == 8 {
					out, word, bits = append(out, byte(word)), 0, 0
				}
			}
		}
		up = !up
	}
	return out
}

// text checks that the words belong together and reads them as bytes.
func (q qr) text() string {
	q.Helper()
	level, _ := q.format()
	if level != 0b11 {
		q.Fatalf("level of correction %02b, want Q", level)
	}
	if q.side != 25 {
		q.Fatalf("%d modules a side, want 25", q.side)
	}
	words := q.words()
	if len(words) != 44 {
		q.Fatalf("%d words", len(words))
	}
	for i := range 22 { // of version 2, level Q: each power of the generator is a root
		sum, root := byte(0), power(i)
		for _, w := range words {
			sum = times(sum, root) ^ w
		}
		if sum != 0 {
			q.Fatalf("the words do not belong together: syndrome %d is %d", i, sum)
		}
	}
	bits := ""
	for _, w := range words[:22] {
		bits += fmt.Sprintf("%08b", w)
	}
	if bits[:4] != "0100" {
		q.Fatalf("mode %s, want bytes", bits[:4])
	}
	var n int
	fmt.Sscanf(bits[4:12], "%b", &n)
	out := make([]byte, n)
	for i := range out {
		fmt.Sscanf(bits[12+8*i:20+8*i], "%b", &out[i])
	}
	return string(out)
}

// times multiplies in the field of 256 modulo x⁸+x⁴+x³+x²+1.
func times(a, b byte) (p byte) {
	for ; b > 0; b >>= 1 {
		if b&1 == 1 {
			p ^= a
		}
		carry := a&0x80 != 0
		a <<= 1
		if carry {
			a ^= 0x1d
		}
	}
	return p
}

// power is 2 to the n in that field.
func power(n int) byte {
	p := byte(1)
	for range n {
		p = times(p, 2)
	}
	return p
}
