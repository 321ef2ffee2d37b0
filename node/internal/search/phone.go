package search

import "strings"

// minDigits is how much of a number must be heard: people read out the last four digits.
const minDigits = 4

// overseas are the country codes whose numbers a French caller dials with 0 like those of +33:
// La Réunion and Mayotte, Guadeloupe, Guyane, Martinique.
var overseas = [...]string{"33", "262", "590", "594", "596"}

// digits returns the ASCII digits of s, and whether a plus sign stands before the first.
func digits(s string) (ds string, plus bool) {
	out := make([]byte, 0, 16)
	for i := range len(s) {
		switch c := s[i]; {
		case '0' <= c && c <= '9':
			out = append(out, c)
		case c == '+' && len(out) == 0:
			plus = true
		}
	}
	return string(out), plus
}

// national returns a number, in whatever spacing, as it is dialled in France: 0536491207 for
// +33536491207, +33 (0)5 36 49 12 07, 0033536491207 and 33536491207. Numbers of other countries
// keep their code and lose the plus.
func national(number string) string {
	ds, plus := digits(number)
	abroad, zeros := strings.CutPrefix(ds, "00")
	switch {
	case zeros:
		ds = abroad
	case !plus && !(len(ds) == 11 && strings.HasPrefix(ds, "33")):
		return ds
	}
	for _, code := range overseas {
		if rest, ok := strings.CutPrefix(ds, code); ok {
			return "0" + strings.TrimLeft(rest, "0")
		}
	}
	return ds
}

// maxDigits is longer than any number that can be dialled (E.164: 15).
const maxDigits = 32

// pack returns some numbers as one string that is quick to walk: each national number behind its
// length, one byte. What has no digit, or too many, is left out.
func pack(numbers []string) string {
	var out []byte
	for _, number := range numbers {
		if n := national(number); n != "" && len(n) <= maxDigits {
			out = append(append(out, byte(len(n))), n...)
		}
	}
	return string(out)
}

// unpack returns the first of some packed numbers, and the others.
func unpack(packed string) (number, others string) {
	end := 1 + int(packed[0])
	return packed[1:end], packed[end:]
}

// shared reports whether two lists of packed numbers have one in common.
func shared(a, b string) bool {
	for len(a) > 0 {
		var n string
		n, a = unpack(a)
		for rest := b; len(rest) > 0; {
			var m string
			if m, rest = unpack(rest); m == n {
				return true
			}
		}
	}
	return false
}

// heard is what was typed of a number.
type heard struct {
	head string // may begin a national number, with or without its 0
	tail string // may end it
}

// hear returns the number in a query; its zero value if fewer than minDigits digits are there.
func hear(text string) heard {
	var h heard
	if tail, _ := digits(text); len(tail) >= minDigits {
		h.tail = tail
	}
	if head := national(text); len(head) >= minDigits {
		h.head = head
	}
	return h
}

func (h heard) empty() bool { return h.head == "" && h.tail == "" }

// in reports whether one of some packed numbers begins or ends with what was heard.
func (h heard) in(phones string) bool {
	for len(phones) > 0 {
		var n string
		n, phones = unpack(phones)
		if h.head != "" && (strings.HasPrefix(n, h.head) || strings.HasPrefix(n[1:], h.head)) {
			return true
		}
		if h.tail != "" && strings.HasSuffix(n, h.tail) {
			return true
		}
	}
	return false
}
