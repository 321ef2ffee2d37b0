package public

import (
	"bytes"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// messages are the types that a territory says or counts in.
func messages() []any {
	out := []any{Cell{}, Schema{}, Odometer{}, releaseWire{}}
	for _, f := range forms {
		out = append(out, f.empty)
	}
	return out
}

// words are the string types that a message may carry; all are validated against
// a fixed alphabet and length when they are made. There is none.
var words = map[string]bool{}

// TestClosed walks every type a message can reach. Free text, raw bytes and open
// types could carry a person's data, so none may appear.
func TestClosed(t *testing.T) {
	for _, m := range append(messages(), entryHead{}) {
		for _, fault := range walk(reflect.TypeOf(m), reflect.TypeOf(m).Name()) {
			t.Error(fault)
		}
	}
	// An entry is its head and one of the messages.
	if e := reflect.TypeFor[Entry](); e.NumField() != 5 || e.Field(4).Type != reflect.TypeFor[Message]() {
		t.Error("an entry holds more than its head and a message")
	}
	// The walk itself finds what it is there for.
	type open struct {
		Text  string
		Raw   []byte
		Any   any
		Map   map[string]int
		Deep  []struct{ Note fmt.Stringer }
		Float float64
		At    *int
	}
	if n := len(walk(reflect.TypeFor[open](), "open")); n != 7 {
		t.Errorf("the walk finds %d of 7 faults", n)
	}
}

// entryHead is an entry without its message.
type entryHead struct {
	From  Siren
	Epoch uint16
	Seq   uint64
	Day   Day
}

func walk(typ reflect.Type, path string) (faults []string) {
	switch typ.Kind() {
	case reflect.Bool, reflect.Int32, reflect.Int64, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
	case reflect.Struct:
		for f := range typ.Fields() {
			faults = append(faults, walk(f.Type, path+"."+f.Name)...)
		}
	case reflect.Array: // of fixed length: a code, a hash, a key, or numbers by unit
		if typ.Elem().Kind() != reflect.Uint8 && typ.Elem() != reflect.TypeFor[Micro]() || typ.Len() > 64 {
			faults = append(faults, path+" is an array of "+typ.Elem().String())
		}
	case reflect.Slice:
		if typ.Elem().Kind() == reflect.Uint8 {
			return []string{path + " is raw bytes"}
		}
		faults = walk(typ.Elem(), path+"[]")
	case reflect.String:
		if !words[typ.Name()] {
			faults = append(faults, path+" is free text")
		}
	default:
		faults = append(faults, path+" is open: "+typ.String())
	}
	return faults
}

func cells() *rapid.Generator[Cell] {
	return rapid.Custom(func(t *rapid.T) Cell {
		c, err := ParseCommune(rapid.SampledFrom([]string{"33352", "2A004", "2B033", "97411", "00000", "99999"}).Draw(t, "commune"))
		if err != nil {
			t.Fatal(err)
		}
		return Cell{
			Indicator: Indicator(rapid.IntRange(int(FirstIndicator), int(LastIndicator)).Draw(t, "indicator")),
			Month:     Month(rapid.Uint16().Draw(t, "month")), Commune: c,
			Category: Category(rapid.IntRange(0, int(Other)).Draw(t, "category")),
			Sex:      Sex(rapid.IntRange(0, int(Man)).Draw(t, "sex")), Age: AgeBand(rapid.IntRange(0, int(From90)).Draw(t, "age")),
		}
	})
}

func TestCellBytes(t *testing.T) {
	if *long {
		flag.Set("rapid.checks", "20000")
	}
	rapid.Check(t, func(t *rapid.T) {
		a, b := cells().Draw(t, "a"), cells().Draw(t, "b")
		got, err := ParseCell(a.Bytes())
		if err != nil || got != a {
			t.Fatalf("got %+v, %v; want %+v", got, err, a)
		}
		order := slices.Compare([]int{int(a.Indicator), int(a.Month)}, []int{int(b.Indicator), int(b.Month)})
		if order != 0 && bytes.Compare(a.Bytes(), b.Bytes()) != order {
			t.Fatal("cells do not sort by indicator and month")
		}
		bad := a.Bytes()
		for at, most := range map[int]byte{0: byte(LastIndicator), 8: byte(Other), 9: byte(Man), 10: byte(From90)} {
			wrong := slices.Clone(bad)
			wrong[at] = most + 1 + byte(rapid.IntRange(0, 200).Draw(t, "beyond"))
			if c, err := ParseCell(wrong); !errors.Is(err, ErrCell) || c != (Cell{}) {
				t.Fatalf("byte %d is %d: %+v, %v", at, wrong[at], c, err)
			}
		}
		for _, wrong := range [][]byte{nil, bad[:10], append(slices.Clone(bad), 0), append([]byte{0}, bad[1:]...)} {
			if _, err := ParseCell(wrong); !errors.Is(err, ErrCell) {
				t.Fatalf("%x: %v", wrong, err)
			}
		}
	})
}

func TestGoldenCell(t *testing.T) {
	for _, c := range []struct {
		cell Cell
		want string
	}{
		{Cell{Found, MonthOf(2026, 11), Commune([]byte("33352")), Visit, Woman, From85}, "02" + "0052" + "3333333532" + "01" + "01" + "06"},
		{Cell{Joined, MonthOf(2020, 1), Commune([]byte("2A004")), Other, SexUnknown, AgeUnknown}, "0b" + "0000" + "3241303034" + "0b" + "00" + "00"},
		{Cell{Minutes, MonthOf(2041, 12), Commune([]byte("97411")), NoCategory, Man, Under60}, "08" + "0107" + "3937343131" + "00" + "02" + "01"},
	} {
		if got := hex.EncodeToString(c.cell.Bytes()); got != c.want {
			t.Errorf("%+v: got %s, want %s", c.cell, got, c.want)
		}
	}
}

// TestNumbers: they are in stores, and one day in messages.
func TestNumbers(t *testing.T) {
	got := fmt.Sprint(
		[]Indicator{Requested, Found, Told, Done, NotDone, Cancelled, Unfilled, Minutes, Metres, Enrolled, Joined, Offered, Bonds, FoundInDay, FoundInTwoDays, FoundInWeek},
		[]Category{NoCategory, Visit, Reading, Walk, Shopping, Computer, Paperwork, Ride, Call, Delivery, Outing, Other},
		[]Sex{SexUnknown, Woman, Man}, []AgeBand{AgeUnknown, Under60, From60, From70, From75, From80, From85, From90},
	)
	if want := "[1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16] [0 1 2 3 4 5 6 7 8 9 10 11] [0 1 2] [0 1 2 3 4 5 6 7]"; got != want {
		t.Errorf("numbers have changed:\ngot  %s\nwant %s", got, want)
	}
}

// TestMobility: the categories that the national figure of 60 % is about.
func TestMobility(t *testing.T) {
	var got []Category
	for c := NoCategory; c <= Other; c++ {
		if c.Mobility() {
			got = append(got, c)
		}
	}
	if want := []Category{Walk, Shopping, Ride, Delivery, Outing}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestInTime(t *testing.T) {
	for _, c := range []struct {
		minutes int64
		want    []Indicator
	}{
		{0, []Indicator{FoundInDay, FoundInTwoDays, FoundInWeek}}, {24 * 60, []Indicator{FoundInDay, FoundInTwoDays, FoundInWeek}},
		{24*60 + 1, []Indicator{FoundInTwoDays, FoundInWeek}}, {48 * 60, []Indicator{FoundInTwoDays, FoundInWeek}},
		{48*60 + 1, []Indicator{FoundInWeek}}, {168 * 60, []Indicator{FoundInWeek}}, {168*60 + 1, nil},
	} {
		if got := InTime(c.minutes); !slices.Equal(got, c.want) {
			t.Errorf("%d minutes: got %v, want %v", c.minutes, got, c.want)
		}
	}
}

func TestCommune(t *testing.T) {
	for code, ok := range map[string]bool{
		"33352": true, "2A004": true, "2B033": true, "01001": true, "97411": true,
		"": false, "3335": false, "333520": false, "2C001": false, "3A001": false, "2a004": false, "33 52": false, "é352": false, "A2004": false, "20A04": false, "3335\x00": false,
	} {
		c, err := ParseCommune(code)
		if (err == nil) != ok || ok && c.String() != code {
			t.Errorf("%q: %v, %v", code, c, err)
		}
	}
}

func TestBand(t *testing.T) {
	want := map[AgeBand][2]int{AgeUnknown: {-5, -1}, Under60: {0, 59}, From60: {60, 69}, From70: {70, 74}, From75: {75, 79}, From80: {80, 84}, From85: {85, 89}, From90: {90, 130}}
	for band, ages := range want {
		for age := ages[0]; age <= ages[1]; age++ {
			if got := Band(age); got != band {
				t.Errorf("age %d is in band %d, want %d", age, got, band)
			}
		}
	}
}

func TestMonth(t *testing.T) {
	for year := 2020; year < 2100; year++ {
		for month := 1; month <= 12; month++ {
			m := MonthOf(year, month)
			if m.Year() != year || int(m)%12 != month-1 {
				t.Fatalf("%d-%d is month %d of %d", year, month, int(m)%12+1, m.Year())
			}
		}
	}
}

// FuzzCell: whatever is read as a cell is that cell's bytes.
func FuzzCell(f *testing.F) {
	f.Add(Cell{Found, MonthOf(2026, 11), Commune([]byte("33352")), Visit, Woman, From85}.Bytes())
	f.Add(Cell{Joined, 0, Commune([]byte("2A004")), Other, SexUnknown, AgeUnknown}.Bytes())
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := ParseCell(b)
		if err != nil {
			if !errors.Is(err, ErrCell) || c != (Cell{}) {
				t.Fatalf("%+v, %v", c, err)
			}
			return
		}
		if !bytes.Equal(c.Bytes(), b) {
			t.Fatalf("%x was read as %x", b, c.Bytes())
		}
	})
}
