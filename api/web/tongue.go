package web

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"sync"
	"time"

	"github.com/BurntSushi/toml"
	"github.com/gin-gonic/gin"
	"github.com/nicksnyder/go-i18n/v2/i18n"
	"golang.org/x/text/language"

	"github.com/bippop/bippop/node"
)

// languages of the interface, the first one unless a person chooses otherwise.
// What a browser prefers is not asked: the town hall's computers are set by
// others, and who phones the desk hears French.
var languages = []string{"fr", "en"}

// languageCookie keeps a person's choice on this browser, for a year.
const languageCookie = "language"

// tongue says things in one language. Its methods are what templates may call.
// Safe for concurrent use.
type tongue struct {
	lang  string
	words *i18n.Localizer
	now   func() time.Time // on the territory's clocks
	first *tongue          // that of the first language
	plain sync.Map         // key to message, of those without data: most of a page
}

// learn reads locales/AREA.LANG.toml, one table per area, the same keys in each
// language. A file that cannot be read is a fault of the program: it panics.
func learn(now func() time.Time) map[string]*tongue {
	bundle := i18n.NewBundle(language.French)
	bundle.RegisterUnmarshalFunc("toml", toml.Unmarshal)
	paths, err := fs.Glob(files, "locales/*.toml")
	if err != nil {
		panic("web: " + err.Error())
	}
	for _, path := range paths {
		if _, err := bundle.LoadMessageFileFS(files, path); err != nil {
			panic("web: " + path + ": " + err.Error())
		}
	}
	out := map[string]*tongue{}
	for _, lang := range languages {
		w := &tongue{lang: lang, words: i18n.NewLocalizer(bundle, lang), now: now}
		out[lang] = w
		w.first = out[languages[0]]
	}
	return out
}

// t says the message of that key. Pairs are its data: a name, then a value; the
// one named N chooses between singular and plural. A key that a language lacks is
// said in French, one that does not exist as itself: a test finds both.
func (w *tongue) t(key string, pairs ...any) string {
	if len(pairs) == 0 {
		if text, ok := w.plain.Load(key); ok {
			return text.(string)
		}
	}
	say := i18n.LocalizeConfig{MessageID: key}
	if len(pairs) > 0 {
		data := make(map[string]any, len(pairs)/2)
		for i := 0; i+1 < len(pairs); i += 2 {
			data[fmt.Sprint(pairs[i])] = pairs[i+1]
		}
		if n, ok := data["N"]; ok {
			say.PluralCount = fmt.Sprint(n)
		}
		say.TemplateData = data
	}
	text, err := w.words.Localize(&say)
	if text == "" && err != nil {
		return key
	}
	if len(pairs) == 0 && err == nil {
		w.plain.Store(key, text)
	}
	return text
}

// knows reports whether there is a message of that key.
func (w *tongue) knows(key string) bool {
	_, err := w.words.Localize(&i18n.LocalizeConfig{MessageID: key, PluralCount: 1, TemplateData: map[string]any{}})
	return !errors.As(err, new(*i18n.MessageNotFoundErr))
}

// today is the day on the territory's calendar.
func (w *tongue) today() node.Day { return node.DayOf(w.now()) }

// words is the tongue that the caller chose.
func (s *Site) words(c *gin.Context) *tongue {
	if chosen, err := c.Request.Cookie(languageCookie); err == nil {
		if w, ok := s.tongues[chosen.Value]; ok {
			return w
		}
	}
	return s.tongues[languages[0]]
}

// choose keeps the language that somebody has chosen.
func (s entry) choose(c *gin.Context) {
	if _, ok := s.tongues[c.PostForm("language")]; ok {
		http.SetCookie(c.Writer, &http.Cookie{
			Name: languageCookie, Value: c.PostForm("language"), Path: "/", MaxAge: 365 * 24 * 3600,
			HttpOnly: true, Secure: s.secure, SameSite: http.SameSiteLaxMode,
		})
	}
	c.Redirect(http.StatusSeeOther, back(c, "/"))
}
