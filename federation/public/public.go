// Package public is the closed set of things that a territory may say to
// another one, and the words in which it counts. It is a leaf: nothing of ours
// is imported, so that no type here can reach a person.
//
// A territory counts what it does in cells from its first day on. A cell is an
// indicator, a month, a commune and three coarse marks; it holds a number and
// keeps no link to what was counted. What is published one day is made of cells
// and of nothing else.
package public

import "errors"

// ErrCell says that bytes are not a cell of the catalogue.
var ErrCell = errors.New("not a cell of the catalogue")

// Indicator is what is counted. The numbers are in stores and, later, in
// messages: never reuse one.
type Indicator uint8

const (
	Requested Indicator = 1 // a request was recorded
	Found     Indicator = 2 // its seats were all taken for the first time
	Told      Indicator = 3 // the person was told who comes, for the first time
	Done      Indicator = 4 // it happened
	NotDone   Indicator = 5 // it did not happen though somebody had accepted
	Cancelled Indicator = 6
	Unfilled  Indicator = 7 // nobody could come
	Minutes   Indicator = 8 // minutes given, summed over volunteers
	Metres    Indicator = 9 // metres driven, as volunteers said
	Enrolled  Indicator = 10
	Joined    Indicator = 11 // a volunteer was approved
	Offered   Indicator = 12 // a volunteer proposed something before anybody asked
	Bonds     Indicator = 13 // a tie that lives on without the platform was noted

	// How soon somebody was found: hours from the opening of a request to the taking
	// of its last seat, for the first time. Each holds the ones before it, and all are
	// part of Found. What was recorded after the fact has no such time.
	FoundInDay     Indicator = 14 // at most 24 hours
	FoundInTwoDays Indicator = 15 // at most 48 hours
	FoundInWeek    Indicator = 16 // at most 168 hours

	FirstIndicator = Requested
	LastIndicator  = FoundInWeek
)

// InTime names the indicators that a request is counted under when somebody was
// found for it after that many whole minutes, or none.
func InTime(minutes int64) (in []Indicator) {
	for _, limit := range []struct {
		hours int64
		Indicator
	}{{24, FoundInDay}, {48, FoundInTwoDays}, {168, FoundInWeek}} {
		if minutes <= limit.hours*60 {
			in = append(in, limit.Indicator)
		}
	}
	return in
}

// Category is a kind of action in national words; a territory's own catalogue
// maps to it.
type Category uint8

const (
	NoCategory Category = 0
	Visit      Category = 1
	Reading    Category = 2
	Walk       Category = 3
	Shopping   Category = 4
	Computer   Category = 5
	Paperwork  Category = 6
	Ride       Category = 7
	Call       Category = 8
	Delivery   Category = 9
	Outing     Category = 10
	Other      Category = 11
)

// Mobility reports whether actions of this category move somebody or something
// along the road. The founding documents of the national network count such
// actions together and say that they are more than 60 % of all. Which categories
// they are is our reading of those documents: going shopping, walks, rides,
// errands and outings. A cell holds the category and not the territory's own kind
// of action, so the share that is told follows the category alone; a kind that a
// territory has marked otherwise in its catalogue changes nothing here.
func (c Category) Mobility() bool {
	switch c {
	case Shopping, Walk, Ride, Delivery, Outing:
		return true
	}
	return false
}

// Sex as the person's civility says it.
type Sex uint8

const (
	SexUnknown Sex = 0
	Woman      Sex = 1
	Man        Sex = 2
)

// AgeBand is the age in the year of the fact.
type AgeBand uint8

const (
	AgeUnknown AgeBand = 0
	Under60    AgeBand = 1
	From60     AgeBand = 2
	From70     AgeBand = 3
	From75     AgeBand = 4
	From80     AgeBand = 5
	From85     AgeBand = 6
	From90     AgeBand = 7
)

// Band is the band of an age in whole years; a negative age is unknown.
func Band(age int) AgeBand {
	switch {
	case age < 0:
		return AgeUnknown
	case age < 60:
		return Under60
	case age < 70:
		return From60
	case age < 75:
		return From70
	case age < 80:
		return From75
	case age < 85:
		return From80
	case age < 90:
		return From85
	}
	return From90
}

// Month counts months since January 2020.
type Month uint16

// MonthOf is a calendar month; month is 1 to 12.
func MonthOf(year, month int) Month { return Month((year-2020)*12 + month - 1) }

// Year of the month.
func (m Month) Year() int { return 2020 + int(m)/12 }

// Cell is one number of the catalogue.
type Cell struct {
	Indicator Indicator
	Month     Month
	Commune   Commune
	Category  Category
	Sex       Sex
	Age       AgeBand
}

// Commune is an INSEE code: five characters, digits but for Corsica's letter.
type Commune [5]byte

// ParseCommune checks the form of a code, not that the commune exists.
func ParseCommune(s string) (Commune, error) {
	if len(s) != 5 {
		return Commune{}, ErrCell
	}
	for i := range 5 {
		digit := s[i] >= '0' && s[i] <= '9'
		if !digit && !(i == 1 && s[0] == '2' && (s[i] == 'A' || s[i] == 'B')) {
			return Commune{}, ErrCell
		}
	}
	return Commune([]byte(s)), nil
}

func (c Commune) String() string { return string(c[:]) }

// cellSize is in bytes.
const cellSize = 11

// Bytes is the cell's number, fixed length; cells sort by indicator, then month,
// then commune.
func (c Cell) Bytes() []byte {
	b := make([]byte, 0, cellSize)
	b = append(b, byte(c.Indicator), byte(c.Month>>8), byte(c.Month))
	b = append(b, c.Commune[:]...)
	return append(b, byte(c.Category), byte(c.Sex), byte(c.Age))
}

// ParseCell reads what Bytes wrote and refuses all else.
func ParseCell(b []byte) (Cell, error) {
	if len(b) != cellSize {
		return Cell{}, ErrCell
	}
	commune, err := ParseCommune(string(b[3:8]))
	if err != nil {
		return Cell{}, err
	}
	c := Cell{
		Indicator: Indicator(b[0]), Month: Month(b[1])<<8 | Month(b[2]), Commune: commune,
		Category: Category(b[8]), Sex: Sex(b[9]), Age: AgeBand(b[10]),
	}
	if c.Indicator < FirstIndicator || c.Indicator > LastIndicator || c.Category > Other || c.Sex > Man || c.Age > From90 {
		return Cell{}, ErrCell
	}
	return c, nil
}
