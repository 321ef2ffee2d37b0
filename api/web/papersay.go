package web

import (
	"cmp"
	"fmt"
	"html/template"
	"strings"
	"time"

	"github.com/bippop/bippop/node"
)

// Paper is read on another day than it was printed: nothing here says "today" or
// "tomorrow".

// paperFuncs are what templates of printed pages may call besides the others.
func (w *tongue) paperFuncs() template.FuncMap {
	return template.FuncMap{
		"paperWeekday": w.paperWeekday, "paperDate": w.paperDate, "paperDay": w.paperDay, "paperHour": w.paperHour,
		"paperWish": w.paperWish, "paperWho": w.paperWho, "paperNames": w.paperNames,
	}
}

// paperWeekday says "mardi".
func (w *tongue) paperWeekday(d node.Day) string {
	return w.t("paper." + strings.ToLower(d.Date().Weekday().String()))
}

// paperDate says "24 novembre".
func (w *tongue) paperDate(d node.Day) string {
	date := d.Date()
	day := fmt.Sprint(date.Day())
	if date.Day() == 1 {
		day = w.t("paper.first")
	}
	return w.t("paper.date", "Day", day, "Month", w.t("paper."+strings.ToLower(date.Month().String())))
}

// paperDay says "mardi 24 novembre".
func (w *tongue) paperDay(d node.Day) string {
	return w.t("paper.day", "Weekday", w.paperWeekday(d), "Date", w.paperDate(d))
}

// paperHour says "10 h", "14 h 30", or "2:30 pm".
func (w *tongue) paperHour(at time.Time) string {
	minute := ""
	if at.Minute() > 0 {
		minute = at.Format("04")
	}
	return w.t("paper.hour", "Hour", at.Hour(), "Hour12", at.Format("3"), "Half", at.Format("pm"), "Minute", minute)
}

// paperWish says when she would like it.
func (w *tongue) paperWish(wish node.Wish) string {
	switch wish.Kind {
	case node.OnDay:
		day := w.paperDay(wish.Day)
		switch {
		case wish.Minute > 0:
			at := wish.Day.Date().Add(time.Duration(wish.Minute) * time.Minute)
			return w.t("paper.wish_hour", "Day", day, "Hour", w.paperHour(at))
		case wish.Half == node.Morning:
			return w.t("paper.wish_half_morning", "Day", day)
		case wish.Half == node.Afternoon:
			return w.t("paper.wish_half_afternoon", "Day", day)
		}
		return day
	case node.InWeek:
		return w.t("paper.wish_week", "Day", w.paperDate(wish.Day))
	}
	return w.t("paper.wish_flexible")
}

// paperWho names who comes, by first name, with the car that she will see from
// her window.
func (w *tongue) paperWho(seats []node.Seat) string {
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
	return w.all(names)
}

// paperNames names who comes, by first name.
func (w *tongue) paperNames(seats []node.Seat) string {
	var names []string
	for _, s := range seats {
		names = append(names, w.firstName(s))
	}
	return w.all(names)
}

func (w *tongue) firstName(s node.Seat) string {
	return cmp.Or(s.Volunteer.Words.First.Reveal(), w.t("paper.somebody"))
}

// all says "Paul", "Paul et Jeanne", "Paul, Jeanne et Marie".
func (w *tongue) all(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	last := len(names) - 1
	return w.t("paper.both", "First", strings.Join(names[:last], ", "), "Last", names[last])
}
