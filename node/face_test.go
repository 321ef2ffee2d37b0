package node_test

import (
	"bytes"
	"image"
	"image/png"
	"strings"
	"testing"

	"github.com/bippop/bippop/node"
	"pgregory.net/rapid"
)

func TestColours(t *testing.T) {
	white := node.Colour{R: 255, G: 255, B: 255}
	for text, want := range map[string]float64{"#ffffff": 1, "#000000": 21, "#767676": 4.54, "#0f5c55": 7.83} {
		c, ok := node.ParseColour(text)
		if got := c.Contrast(white); !ok || got < want-0.05 || got > want+0.05 {
			t.Errorf("white on %s has a contrast of %.2f, want %.2f", text, got, want)
		}
	}
	for _, bad := range []string{"", "#fff", "red", "#12345g", "#1234567", "-12345", "#+12345"} {
		if c, ok := node.ParseColour(bad); ok {
			t.Errorf("%q is read as %v", bad, c)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		c := node.Colour{R: rapid.Byte().Draw(t, "r"), G: rapid.Byte().Draw(t, "g"), B: rapid.Byte().Draw(t, "b")}
		if again, ok := node.ParseColour(c.String()); !ok || again != c {
			t.Fatalf("%v is read back as %v", c, again)
		}
		if d := c.Darker(); d.Contrast(white) < node.Readable || c.Contrast(white) >= node.Readable && d != c {
			t.Fatalf("%v darkens to %v", c, d)
		}
	})
}

func TestFace(tt *testing.T) {
	t := newTown(tt)
	logo := func(w, h int) []byte {
		var b bytes.Buffer
		t.must(png.Encode(&b, image.NewGray(image.Rect(0, 0, w, h))))
		return b.Bytes()
	}
	for _, c := range []struct {
		name string
		face node.Face
		code string
	}{
		{"as it comes", node.Face{}, ""},
		{"all of it", node.Face{Colour: "#7A1F3D", Opening: "Bonjour, c’est l’Entraide.", Notice: "Nous notons votre nom.", Logo: logo(40, 40)}, ""},
		{"too light", node.Face{Colour: "#ffe680"}, "colour-too-light"},
		{"no colour", node.Face{Colour: "vert"}, "colour-unreadable"},
		{"style", node.Face{Colour: "#0f5c55;}"}, "colour-unreadable"},
		{"long opening", node.Face{Opening: strings.Repeat("a", 201)}, "too-long"},
		{"script", node.Face{Logo: []byte("<svg onload=alert(1)>")}, "logo-unreadable"},
		{"wide", node.Face{Logo: logo(2001, 1)}, "logo-too-large"},
		{"heavy", node.Face{Logo: append(logo(4, 4), make([]byte, 33<<10)...)}, "logo-too-large"},
	} {
		now, err := t.Settings.Territory()
		t.must(err)
		to := now
		to.Face = c.face
		_, err = t.Settings.Change(t.Context(), t.admin, now.Version, to)
		if c.code != "" {
			if e := wants(tt, err, c.code); c.name == "too light" && !strings.Contains(e.Reason, "#") {
				t.Error("no darker colour is proposed")
			}
			continue
		}
		t.must(err)
	}
	t.reopen()
	now, err := t.Settings.Territory()
	t.must(err)
	if now.Face.Colour != "#7a1f3d" || now.Face.LogoType != "image/png" || len(now.Face.Logo) == 0 {
		t.Errorf("the face reads %q, %q", now.Face.Colour, now.Face.LogoType)
	}
}
