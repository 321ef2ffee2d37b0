package node

import (
	"bytes"
	"fmt"
	"image"
	_ "image/gif" // a logo may be one
	_ "image/jpeg"
	_ "image/png"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// What a face may hold.
const (
	longestOpening = 200 // runes: one breath
	longestNotice  = 600
	widestLogo     = 2000 // pixels, either way
)

// LargestLogo is how many bytes a logo has at most: it travels in a command with
// the rest of the territory.
const LargestLogo = 32 << 10

// Readable is the least contrast of white words on the territory's colour (WCAG
// 2.2, 1.4.3).
const Readable = 4.5

func checkFace(f *Face) error {
	for _, text := range []struct {
		field   string
		text    *string
		longest int
	}{{"opening", &f.Opening, longestOpening}, {"notice", &f.Notice, longestNotice}} {
		*text.text = strings.TrimSpace(*text.text)
		if err := shortText(text.field, *text.text, text.longest); err != nil {
			return err
		}
	}
	if f.Colour != "" {
		f.Colour = strings.ToLower(strings.TrimSpace(f.Colour))
		c, ok := ParseColour(f.Colour)
		if !ok {
			return invalid("colour", "colour-unreadable", "a colour is written #rrggbb, for example #0f5c55")
		}
		if c.Contrast(white) < Readable {
			return invalid("colour", "colour-too-light", "white words cannot be read on this colour; choose a darker one, for example "+c.Darker().String())
		}
	}
	if len(f.Logo) == 0 {
		f.Logo, f.LogoType = nil, ""
		return nil
	}
	if len(f.Logo) > LargestLogo {
		return invalid("logo", "logo-too-large", "a logo has at most 32 KiB; save it smaller")
	}
	size, kind, err := image.DecodeConfig(bytes.NewReader(f.Logo))
	if err != nil {
		return invalid("logo", "logo-unreadable", "a logo is a PNG, JPEG or GIF picture")
	}
	if size.Width > widestLogo || size.Height > widestLogo {
		return invalid("logo", "logo-too-large", "a logo has at most 2000 pixels either way; save it smaller")
	}
	f.LogoType = "image/" + kind
	return nil
}

// Colour is one on a screen (sRGB).
type Colour struct{ R, G, B uint8 }

var white = Colour{255, 255, 255}

// ParseColour reads "#0f5c55", with or without the sign.
func ParseColour(text string) (c Colour, ok bool) {
	text = strings.TrimPrefix(text, "#")
	n, err := strconv.ParseUint(text, 16, 32)
	if err != nil || utf8.RuneCountInString(text) != 6 {
		return Colour{}, false
	}
	return Colour{uint8(n >> 16), uint8(n >> 8), uint8(n)}, true
}

func (c Colour) String() string { return fmt.Sprintf("#%02x%02x%02x", c.R, c.G, c.B) }

// Contrast is the ratio of luminances, 1 to 21 (WCAG 2.2).
func (c Colour) Contrast(o Colour) float64 {
	a, b := c.luminance(), o.luminance()
	return (max(a, b) + 0.05) / (min(a, b) + 0.05)
}

func (c Colour) luminance() float64 {
	linear := func(v uint8) float64 {
		x := float64(v) / 255
		if x <= 0.04045 {
			return x / 12.92
		}
		return math.Pow((x+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(c.R) + 0.7152*linear(c.G) + 0.0722*linear(c.B)
}

// Mix is so many percent of c, and of o for the rest.
func (c Colour) Mix(o Colour, percent int) Colour {
	mix := func(a, b uint8) uint8 { return uint8((int(a)*percent + int(b)*(100-percent)) / 100) }
	return Colour{mix(c.R, o.R), mix(c.G, o.G), mix(c.B, o.B)}
}

// Darker is the nearest shade on which white words can be read.
func (c Colour) Darker() Colour {
	for percent := 100; ; percent-- {
		if d := c.Mix(Colour{}, percent); d.Contrast(white) >= Readable {
			return d
		}
	}
}
