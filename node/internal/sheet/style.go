package sheet

import (
	"encoding/xml"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// style is as much as matters here of how a cell shows its number.
type style struct {
	day    bool // as a day
	digits int  // with zeros in front up to so many digits, as telephone numbers and postcodes
}

// readStyles reads what each number of a style means.
func (b *workbook) readStyles(part string) error {
	formats := map[string]style{}
	inCells := false
	return b.elements(part, mostFrame, func(e xml.StartElement, _ *xml.Decoder) error {
		switch e.Name.Local {
		case "numFmt":
			formats[attr(e, "numFmtId")] = styleOf(attr(e, "formatCode"))
		case "cellStyleXfs", "dxfs", "cellStyles":
			inCells = false
		case "cellXfs":
			inCells = true
		case "xf":
			if !inCells {
				break
			}
			id := attr(e, "numFmtId")
			s, ok := formats[id]
			if n, _ := strconv.Atoi(id); !ok {
				s.day = slices.Contains(dayFormats, n)
			}
			b.styles = append(b.styles, s)
		}
		return nil
	})
}

// dayFormats are numbered by the standard (ECMA-376, 18.8.30); those of other scripts are days too.
var dayFormats = []int{14, 15, 16, 17, 22, 27, 28, 29, 30, 31, 36, 50, 51, 52, 53, 54, 55, 56, 57, 58}

// styleOf reads a written format: "dd/mm/yyyy", "jj/mm/aaaa", "00000", "0#\ ##\ ##\ ##\ ##".
func styleOf(code string) style {
	code = bareFormat(code)
	if code == "general" || code == "standard" {
		return style{}
	}
	if first := strings.IndexByte(code, '0'); first >= 0 && strings.Trim(code, "0#") == "" {
		return style{digits: len(code) - first}
	}
	return style{day: strings.ContainsAny(code, "dyj")}
}

// bareFormat is the part for positive numbers without literals, colours, conditions and separators.
func bareFormat(code string) string {
	var b strings.Builder
	for i := 0; i < len(code) && code[i] != ';'; i++ {
		switch c := code[i]; c {
		case '"', '[':
			end := map[byte]byte{'"': '"', '[': ']'}[c]
			n := strings.IndexByte(code[i+1:], end)
			if n < 0 {
				return b.String()
			}
			i += n + 1
		case '\\', '_', '*':
			i++
		case ' ', '-', '/', '(', ')':
		default:
			b.WriteByte(c)
		}
	}
	return strings.ToLower(b.String())
}

// number writes what a cell holds as it would be typed: a day for a day, whole numbers without a point or an exponent,
// others with the comma. What is no number stays.
func (b *workbook) number(raw string, s style) string {
	f, err := strconv.ParseFloat(raw, 64)
	if err != nil || math.Abs(f) >= 1e15 {
		return raw
	}
	if s.day {
		if text, ok := dayOfSerial(f, b.is1904); ok {
			return text
		}
	}
	if f == math.Trunc(f) {
		text := strconv.FormatInt(int64(f), 10)
		if f >= 0 && s.digits <= 20 && len(text) < s.digits {
			text = strings.Repeat("0", s.digits-len(text)) + text
		}
		return text
	}
	// Fifteen digits are what a spreadsheet shows; the rest is noise of binary fractions.
	if f, err = strconv.ParseFloat(strconv.FormatFloat(f, 'g', 15, 64), 64); err != nil {
		return raw
	}
	return strings.Replace(strconv.FormatFloat(f, 'f', -1, 64), ".", ",", 1)
}

// dayOfSerial writes the day, and the time if it is not midnight: an hour of birth is not dropped in silence. The 1900
// system has a 29 February 1900 that never was; it is written, and whoever reads the date refuses it.
func dayOfSerial(f float64, is1904 bool) (string, bool) {
	if f < 0 || f >= 2_958_466 || !is1904 && f < 1 {
		return "", false
	}
	days := int(f)
	minutes := int(math.Round((f - float64(days)) * 24 * 60))
	days, minutes = days+minutes/(24*60), minutes%(24*60)
	first := time.Date(1899, time.December, 30, 0, 0, 0, 0, time.UTC)
	switch {
	case is1904:
		first = time.Date(1904, time.January, 1, 0, 0, 0, 0, time.UTC)
	case days == 60:
		return "29/02/1900", true
	case days < 60:
		first = first.AddDate(0, 0, 1)
	}
	at := first.AddDate(0, 0, days).Add(time.Duration(minutes) * time.Minute)
	if minutes > 0 {
		return at.Format("02/01/2006 15:04"), true
	}
	return at.Format("02/01/2006"), true
}
