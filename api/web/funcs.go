package web

import (
	"cmp"
	"fmt"
	"html/template"
	"time"

	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/node"
)

// funcs are what templates may call. A person's words become text here and in
// the tongue's methods, and nowhere else.
func (s *Site) funcs(w *tongue) template.FuncMap {
	return template.FuncMap{
		"t":       w.t,
		"lang":    func() string { return w.lang },
		"asset":   s.assetPath,
		"icon":    icon,
		"screen":  screen,
		"watches": watches,
		"words":   func(w node.Secret) string { return w.Reveal() },
		"tel":     func(w node.Secret) string { return node.FormatPhone(w.Reveal()) },
		"born":    born,
		"telNo":   node.FormatPhone,
		"dial":    func(w node.Secret) template.URL { return template.URL("tel:" + w.Reveal()) },
		"name":    herName, "him": hisName, "initials": initials, "man": man,
		"age": func(birth node.Secret) string {
			if n := node.Age(birth, s.node.Now()); n >= 0 {
				return w.t("say.age", "N", n)
			}
			return ""
		},
		"device":    func(d uint16) string { return deviceText(w, d) },
		"commune":   node.CommuneName,
		"territory": territoryName,
		"kind":      w.kindName,
		"habit":     func(c node.Callee, on node.Day) string { return habit(w, c, on) },
		"moment":    func(at node.Instant) string { return w.dayText(node.DayOf(at.Time().In(s.node.Now().Location()))) },
		"wish":      w.wishText,
		"wishMine": func(wish node.Wish) string {
			if wish.Kind == node.Flexible {
				return w.t("say.whenever")
			}
			return w.wishText(wish)
		},
		"week":   w.weekTable,
		"free":   w.freeText,
		"start":  w.startText,
		"clock":  w.clockText,
		"hour":   w.hourText,
		"day":    w.dayText,
		"date":   w.dateText,
		"when":   func(at node.Instant) string { return w.startText(at.Time().In(s.node.Now().Location())) },
		"ago":    func(at node.Instant) string { return w.ago(node.DayOf(at.Time().In(s.node.Now().Location()))) },
		"script": w.script,
		"length": func(minutes uint16) string { return w.lengthText(int(minutes)) },
		"state":  w.stateText, "chip": stateChip,
		"status": func(s node.Status) string { return w.entry("status", s) },
		"step":   func(s node.Status) string { return w.entry("step", s) },
		"why": func(why node.Why) string {
			if why == 0 {
				return ""
			}
			return w.entry("why", why)
		},
		"obstacle": func(code any) string { return w.entry("obstacle", code) },
		"category": func(c node.Category) string { return w.entry("category", c) },
		"km":       w.far, "driven": w.driven, "lower": lower, "upper": upper,
		"comers": w.comers,
		"those": func(seats []node.Seat) string {
			var names []string
			for _, s := range seats {
				names = append(names, hisName(s.Volunteer.Words))
			}
			return w.together(names)
		},
		"rule":    func(r node.SeriesRule) string { return ruleText(w, r) },
		"holiday": func(key string) string { return holidayText(w, key) },
		"names": func(all []node.Volunteer) string {
			var names []string
			for _, v := range all {
				names = append(names, hisName(v.Words))
			}
			return w.together(names)
		},
		"first_names": func(all []node.Volunteer) string {
			var names []string
			for _, v := range all {
				names = append(names, v.Words.First.Reveal())
			}
			return w.together(names)
		},
		"choices":   func(wish node.Wish) []dayChoice { return s.choices(w, wish) },
		"steps":     func(n int) []int { return []int{1, 2, 3, 4, 5}[:n] },
		"start_of":  startOf,
		"door":      func(role string) string { return doors[role] },
		"dayof":     node.DayOf,
		"hello":     func() string { return calls{s}.opening(w) },
		"notice":    func() string { return people{s}.notice(w) },
		"e":         feminine,
		"week_over": func() bool { return w.today().Date().Weekday() == time.Sunday }, // nobody comes on what is left of it
		"modes":     func() []string { return modes },
		"statuses": func() []node.Status {
			return []node.Status{node.Applicant, node.Met, node.Approved, node.Suspended, node.Ended}
		},
		"seats":        func(n uint8) int { return int(n) },
		"dict":         dict,
		"has":          func(list []string, v string) bool { return contains(list, v) },
		"shown":        shown,
		"outboxTag":    outboxTag,
		"hours":        w.lengthText,
		"since":        func(t time.Time) string { return s.sinceText(w, t) },
		"size":         func(n uint64) string { return sizeText(w, n) },
		"keyName":      keyName,
		"idText":       idText,
		"dated":        func(at node.Instant) string { return w.fullDate(node.DayOf(at.Time().In(s.node.Now().Location()))) },
		"datedDay":     w.fullDate,
		"iso":          func(day node.Date8601) string { return iso(w, string(day)) },
		"until":        func(t time.Time) string { return w.fullDate(node.DayOf(t.In(s.node.Now().Location()))) },
		"admin":        isAdmin,
		"dossiers":     func(by node.Caller) bool { return by.May(node.ReadPeople) == nil },
		"has_role":     func(r node.Roles, n int) bool { return r.Has(node.Roles(n)) },
		"inhabitants":  estimating{w}.inhabitants,
		"coordinating": s.node.Coordinating,
		"nearby":       func(metres int) string { return nearby(w, metres) },
		"ref":          node.RefText,
		"spoken":       func(l public.Languages) string { return spoken(w, l) },
		"orElse":       func(a, b string) string { return cmp.Or(a, b) },
		"add":          func(a, b int) int { return a + b },
		"plain":        func(v any) string { return node.InPlain(v, w.lang == "en") },
		"said":         func(p node.Plain) string { return p.In(w.lang == "en") },
		"answers":      func(c node.Caller) bool { return c.May(node.AnswerRights) == nil },
		"harm":         func(n int) node.BreachHarm { return node.BreachHarm(n) },
		"risk":         func(n int) node.BreachRisk { return node.BreachRisk(n) },
		"personal":     personName,
		"both":         func(a, b node.BreachHarm) node.BreachHarm { return a & b },
		"measures":     func() any { return node.Measures },
		"demands":      func() []node.Demand { return []node.Demand{1, 2, 3, 4, 5, 6} },
		"askers":       func() []node.Asker { return []node.Asker{1, 2, 3} },
	}
}

// doors are the drawings on the demo's front page, by role.
var doors = map[string]string{"agent": "phone", "volunteer": "two", "official": "chart", "coordinator": "chart", "dpo": "book", "admin": "key"}

// opening is the first sentence of a call: the territory's own, or ours.
func (s calls) opening(w *tongue) string {
	t, _ := s.node.Settings.Territory()
	if t.Face.Opening != "" {
		return w.t("calls.hello_own", "Words", t.Face.Opening)
	}
	return w.t("calls.hello", "Calls", t.Calls)
}

// notice is the information that is read to whoever is enrolled.
func (s people) notice(w *tongue) string {
	if t, _ := s.node.Settings.Territory(); t.Face.Notice != "" {
		return w.t("people.notice_own", "Words", t.Face.Notice)
	}
	return w.t("people.notice_text")
}

// dict makes a map of a template's arguments, to hand several to a part.
func dict(pairs ...any) (map[string]any, error) {
	if len(pairs)%2 != 0 {
		return nil, fmt.Errorf("dict takes pairs")
	}
	m := map[string]any{}
	for i := 0; i < len(pairs); i += 2 {
		key, ok := pairs[i].(string)
		if !ok {
			return nil, fmt.Errorf("dict: a key is no text")
		}
		m[key] = pairs[i+1]
	}
	return m, nil
}

func contains[T comparable](list []T, v T) bool {
	for _, have := range list {
		if have == v {
			return true
		}
	}
	return false
}

// icon draws a line drawing beside a word.
func icon(name string) template.HTML {
	d, ok := icons[name]
	if !ok {
		d = icons["dots"]
	}
	return template.HTML(`<svg class="i" viewBox="0 0 24 24" aria-hidden="true">` + d + `</svg>`)
}

// icons are drawn for this project on a grid of 24.
var icons = map[string]string{
	"cup":    `<path d="M5 8h11v6a4 4 0 0 1-4 4H9a4 4 0 0 1-4-4zM16 9h2.5a2 2 0 0 1 0 5H16M8 3v2M12 3v2"/>`,
	"cart":   `<path d="M4 6h2l2 10h9l2-7H7"/><circle cx="9.5" cy="19.5" r="1.2"/><circle cx="16" cy="19.5" r="1.2"/>`,
	"car":    `<path d="M4 15v-3l2-5h12l2 5v3zM4 15v3h3v-3M17 15v3h3v-3"/><circle cx="7.7" cy="12.6" r=".9"/><circle cx="16.3" cy="12.6" r=".9"/>`,
	"walk":   `<circle cx="13" cy="4.5" r="1.6"/><path d="m9 21 2.5-7-2-3 2.5-4 3 3 3 1M11.5 14l3 2 1 5M9 11l-2 3"/>`,
	"paper":  `<path d="M6 3h9l4 4v14H6zM15 3v4h4M9 12h7M9 16h7"/>`,
	"book":   `<path d="M12 6c-2-1.5-5-2-8-2v14c3 0 6 .5 8 2 2-1.5 5-2 8-2V4c-3 0-6 .5-8 2zm0 0v14"/>`,
	"screen": `<path d="M4 5h16v11H4zM9 20h6M12 16v4"/>`,
	"phone":  `<path d="M6 3h4l1.5 5L9 10a12 12 0 0 0 5 5l2-2.5 5 1.5v4a2 2 0 0 1-2 2A16 16 0 0 1 4 5a2 2 0 0 1 2-2z"/>`,
	"basket": `<path d="M4 10h16l-2 9H6zM8 10l3-6M16 10l-3-6M10 14v2M14 14v2"/>`,
	"ticket": `<path d="M4 7h16v3.5a1.5 1.5 0 0 0 0 3V17H4v-3.5a1.5 1.5 0 0 0 0-3zM13 7v10"/>`,
	"bistro": `<path d="M4 9h16M12 9v11M8 20h8M7 5h4v4H7zM15 9V6"/>`,
	"dots":   `<path d="M5 12h.01M12 12h.01M19 12h.01" stroke-width="2.6"/>`,
	"search": `<circle cx="10.5" cy="10.5" r="6.5"/><path d="m15.5 15.5 5 5"/>`,
	"check":  `<path d="m5 12.5 4.5 4.5L19 7"/>`,
	"clock":  `<circle cx="12" cy="12" r="8.5"/><path d="M12 7v5l3.5 2"/>`,
	"person": `<circle cx="12" cy="8" r="4"/><path d="M4.5 20.5c1-4 4-6 7.5-6s6.5 2 7.5 6"/>`,
	"two":    `<circle cx="8.5" cy="8.5" r="3.5"/><circle cx="16.5" cy="9.5" r="2.8"/><path d="M2.5 20c.7-3.8 3-5.5 6-5.5s5.3 1.7 6 5.5M16 14.7c2.8 0 4.7 1.5 5.5 4.8"/>`,
	"pin":    `<path d="M12 21s7-6.3 7-11.5a7 7 0 0 0-14 0C5 14.7 12 21 12 21z"/><circle cx="12" cy="9.5" r="2.5"/>`,
	"key":    `<circle cx="8" cy="15" r="4"/><path d="m11 12 8-8M16 7l2.5 2.5M13.5 9.5 15 11"/>`,
	"heart":  `<path d="M12 20s-8-5-8-11a4.5 4.5 0 0 1 8-2.8A4.5 4.5 0 0 1 20 9c0 6-8 11-8 11z"/>`,
	"plus":   `<path d="M12 5v14M5 12h14"/>`,
	"warn":   `<path d="M12 4 2.5 20h19zM12 10v4.5M12 17.3h.01"/>`,
	"door":   `<path d="M6 21V4h10v17M3 21h18M13 12.5h.01"/>`,
	"print":  `<path d="M7 9V4h10v5M7 17H4v-8h16v8h-3M7 14h10v6H7z"/>`,
	"chart":  `<path d="M4 20h16M7 16v-5M12 16V7M17 16v-7"/>`,
}
