package web

import (
	"cmp"
	"html/template"

	"github.com/bippop/bippop/node"
)

// inPrint is a tongue on paper, which is read on another day than it was printed:
// nothing here says "today" or "next week".
type inPrint struct{ *tongue }

// funcs are what templates of printed pages may call besides the others.
func (w inPrint) funcs() template.FuncMap {
	return template.FuncMap{
		"paperWeekday": w.weekday, "paperDate": w.date, "paperWish": w.wish, "paperWho": w.who, "paperNames": w.names,
	}
}

// weekday says "mardi".
func (w inPrint) weekday(d node.Day) string { return w.entry("weekday", int(d.Date().Weekday())) }

// date says "24 novembre".
func (w inPrint) date(d node.Day) string {
	return w.t("paper.date", "Day", d.Date().Day(), "Month", w.month(d.Date().Month()))
}

// wish says when she would like it.
func (w inPrint) wish(wish node.Wish) string {
	switch wish.Kind {
	case node.OnDay:
		day := w.dateText(wish.Day)
		switch {
		case wish.Minute > 0:
			return w.t("say.start", "Day", day, "Hour", w.hourText(int(wish.Minute)))
		case wish.Half == node.Morning:
			return w.t("say.in_morning", "Day", day)
		case wish.Half == node.Afternoon:
			return w.t("say.in_afternoon", "Day", day)
		}
		return day
	case node.InWeek:
		return w.t("say.week_of", "Day", wish.Day.Date().Day(), "Month", w.month(wish.Day.Date().Month()))
	}
	return w.t("say.flexible")
}

// who names who comes, by first name, with the car that she will see from
// her window.
func (w inPrint) who(seats []node.Seat) string {
	said := "paper.car_one"
	if len(seats) > 1 {
		said = "paper.car_of_several"
	}
	var names []string
	for _, s := range seats {
		name := w.firstName(s)
		if car := s.Volunteer.Words.CarText.Reveal(); car != "" {
			name = w.t(said, "Name", name, "Car", car)
		}
		names = append(names, name)
	}
	return w.together(names)
}

// names names who comes, by first name.
func (w inPrint) names(seats []node.Seat) string {
	var names []string
	for _, s := range seats {
		names = append(names, w.firstName(s))
	}
	return w.together(names)
}

func (w inPrint) firstName(s node.Seat) string {
	return cmp.Or(s.Volunteer.Words.First.Reveal(), w.t("say.somebody"))
}
