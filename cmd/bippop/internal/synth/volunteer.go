package synth

import (
	"fmt"
	"math/rand/v2"
	"slices"
)

// Where a volunteer stands. Only approved ones are ever sent.
const (
	Applicant = "applicant"
	Met       = "met"
	Approved  = "approved"
	Suspended = "suspended"
	Ended     = "ended"
)

// Volunteer is an invented neighbour who helps.
type Volunteer struct {
	Civility     string
	First, Last  string
	Sex          string
	BirthYear    int // adult, at most 79
	Phone        string
	Email        string // or empty
	CommuneIndex int
	Address      string
	RadiusKm     int
	Car          bool
	CarText      string   // "Clio bleue", or empty
	Seats        int      // for passengers; 0 without a car
	Languages    []string // ISO 639-1
	Kinds        []string // in the order of the catalogue; those by car only with a car
	MaxPerWeek   int      // 1 to 3
	Availability uint32   // bit weekday*2 for mornings, +1 for afternoons; Monday = 0
	Status       string
	DaysInStatus int // at least 1
}

// FreeAt says whether the volunteer offered that half-day; Monday is weekday 0.
func (v Volunteer) FreeAt(weekday int, half string) bool {
	bit := weekday * 2
	if half == Afternoon {
		bit++
	}
	return v.Availability>>bit&1 == 1
}

// statuses are La Réole's shares: of 36, 30 approved, 2 who wrote, 2 who were
// met, 1 suspended and 1 who left.
var statuses = []struct {
	name string
	of36 int
}{{Applicant, 2}, {Met, 2}, {Suspended, 1}, {Ended, 1}}

func statusList(r *rand.Rand, n int) []string {
	list := make([]string, 0, n)
	for _, s := range statuses {
		for range (n*s.of36 + 18) / 36 {
			list = append(list, s.name)
		}
	}
	for len(list) < n {
		list = append(list, Approved)
	}
	r.Shuffle(n, func(i, j int) { list[i], list[j] = list[j], list[i] })
	return list
}

const womenVolunteersPercent = 63

func (w *World) drawVolunteers(r *rand.Rand, n int, book *phonebook) []Volunteer {
	inTown := -1
	if w.profile == Start {
		inTown = 26 // La Réole's own number
	}
	homes := w.settle(r, n, inTown)
	women := quota(r, n, (n*womenVolunteersPercent+50)/100)
	statuses := statusList(r, n)
	since := w.tenure(r, n)
	names := newNamer(r)
	boxes := map[string]int{}
	list := make([]Volunteer, n)
	for i := range list {
		v := &list[i]
		c := w.communes[homes[i]]
		v.CommuneIndex, v.Status, v.DaysInStatus = homes[i], statuses[i], since[i]
		v.Civility, v.Sex = "M.", Man
		if women[i] {
			v.Civility, v.Sex = "Mme", Woman
		}
		v.settleStatus(r)
		age := volunteerAge(r)
		v.BirthYear = w.today.Year() - age
		var language string
		v.First, v.Last, language = names.draw(v.Sex, v.BirthYear)
		v.Languages = spoken(r, language, age)
		v.Address = street(r, c)
		v.Phone = book.forPerson(mobile)
		if age > 65 && percent(r, 12) {
			v.Phone = book.forPerson(zoneOf(c.Code))
		}
		if percent(r, 94-age/2) {
			v.Email = address(mailbox(v.First, v.Last), boxes)
		}
		v.drive(r, age)
		v.choose(r)
		v.Availability = halfDays(r, age)
		v.MaxPerWeek = 1
		if percent(r, 28) {
			v.MaxPerWeek = between(r, 2, 3)
		}
	}
	return list
}

// settleStatus shortens the stay of those who do not stay long.
func (v *Volunteer) settleStatus(r *rand.Rand) {
	switch v.Status {
	case Applicant:
		v.DaysInStatus = between(r, 1, 18)
	case Met:
		v.DaysInStatus = between(r, 1, 30)
	case Suspended, Ended:
		v.DaysInStatus = between(r, 3, max(4, v.DaysInStatus/2))
	}
}

// volunteerAge counts calendar years; 19 makes an adult on any day of the year.
func volunteerAge(r *rand.Rand) int {
	switch p := r.IntN(100); {
	case p < 12:
		return between(r, 19, 34)
	case p < 35:
		return between(r, 35, 57)
	case p < 90:
		return between(r, 58, 73)
	}
	return between(r, 74, 79)
}

func spoken(r *rand.Rand, family string, age int) []string {
	list := []string{"fr"}
	if family != "fr" && percent(r, 60) {
		list = append(list, family)
	}
	if age < 50 && percent(r, 45) || percent(r, 10) {
		list = append(list, "en")
	}
	if percent(r, 5) && !slices.Contains(list, "es") {
		list = append(list, "es")
	}
	return list
}

// address makes a mailbox unique in the domain kept for examples (RFC 2606).
func address(box string, taken map[string]int) string {
	taken[box]++
	if n := taken[box]; n > 1 {
		box = fmt.Sprint(box, n)
	}
	return box + "@exemple.example"
}

var cars = []struct{ she, he string }{
	{she: "Clio"}, {she: "208"}, {she: "C3"}, {she: "Twingo"}, {she: "Sandero"}, {she: "Yaris"}, {she: "Polo"}, {she: "Zoé"}, {she: "Fiesta"},
	{she: "Micra"}, {she: "Panda"}, {she: "Mégane"}, {he: "Kangoo"}, {he: "Berlingo"}, {he: "Partner"}, {he: "Duster"}, {he: "Scénic"}, {he: "Picasso"},
}

var colours = []said{
	{"bleue", "bleu"}, {"blanche", "blanc"}, {"grise", "gris"}, {"noire", "noir"}, {"verte", "vert"}, both("rouge"), both("beige"), both("jaune"),
}

// drive gives a car to seven in ten and a radius to everybody.
func (v *Volunteer) drive(r *rand.Rand, age int) {
	v.RadiusKm = between(r, 2, 5)
	if age < 24 && percent(r, 60) || percent(r, 24) {
		return
	}
	v.Car, v.RadiusKm, v.Seats = true, between(r, 5, 25), between(r, 2, 4)
	if car := pick(r, cars); car.she != "" {
		v.CarText = car.she + " " + pick(r, colours).f
	} else {
		v.CarText = car.he + " " + pick(r, colours).m
	}
}

// choose ticks the kinds on the form: about half of the catalogue for drivers,
// who mostly came to drive, and a third for the others.
func (v *Volunteer) choose(r *rand.Rand) {
	for len(v.Kinds) < 2 {
		v.Kinds = v.Kinds[:0]
		for _, k := range catalogue {
			p := 38
			switch {
			case k.car && !v.Car:
				p = 0
			case k.key == Ride, k.key == Shopping && v.Car:
				p = 72
			case k.key == Visit:
				p = 55
			}
			if percent(r, p) {
				v.Kinds = append(v.Kinds, k.key)
			}
		}
	}
}

// halfDays are wide for the retired and narrow for those at work.
func halfDays(r *rand.Rand, age int) uint32 {
	var bits uint32
	for half := range saturday * 2 {
		p := 30
		if age >= 60 {
			p = 62
		}
		if percent(r, p) {
			bits |= 1 << half
		}
	}
	if age < 60 || percent(r, 35) {
		bits |= 1 << (saturday*2 + r.IntN(2))
	}
	if percent(r, 15) {
		bits |= 1 << (sunday*2 + 1)
	}
	return bits | 1<<r.IntN(saturday*2)
}
