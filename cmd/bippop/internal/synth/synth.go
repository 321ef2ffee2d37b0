// Package synth invents a small world for the demo and the benches: older
// people, the neighbours who help them, a past of requests and the week ahead.
// Communes are real and come from the caller; everybody in them is made up.
// Telephone numbers come from the ranges ARCEP keeps for fiction, mail
// addresses from the reserved domain "example", and a full name on the short
// list of well-known people is drawn again.
//
// The same profile, seed, communes and civil day give the same world, byte for
// byte. Chance comes from PCG streams keyed by all four but the day, no clock
// is read, no map is walked and floats only measure distances.
//
//	New ──▶ Beneficiaries, Volunteers     eager, a few MB for a département
//	 ├────▶ Past()   oldest first         drawn again at each range, never held
//	 └────▶ Open()   the week ahead       drawn after the past, so it fits it
//
// What holds in every world: nothing happens on a Sunday; a volunteer has one
// gesture at a time, no more per week than was offered, only kinds chosen and
// communes within reach; only approved volunteers are sent; whoever was refused
// is never sent; a person has at most one request a day; the first visit at
// home by someone new to the scheme is made by two.
package synth

import (
	"fmt"
	"hash/fnv"
	"iter"
	"math/rand/v2"
	"slices"
	"time"
)

// Profile is the size of a territory and how long it has been at work.
type Profile string

// The profiles, with what sized them.
const (
	Start          Profile = "start"       // La Réole and around in its first months
	CommuneProfile Profile = "commune"     // 16 420 inhabitants, 4 calls a day
	EPCI           Profile = "epci"        // 50 000 inhabitants, 12 calls a day
	Departement    Profile = "departement" // 500 000 inhabitants, recurrences counted
)

// ParseProfile reads the name of a profile as it is typed on a command line.
func ParseProfile(s string) (Profile, error) {
	switch p := Profile(s); p {
	case Start, CommuneProfile, EPCI, Departement:
		return p, nil
	}
	return "", fmt.Errorf("profile is unknown: choose %s, %s, %s or %s", Start, CommuneProfile, EPCI, Departement)
}

// Size counts what a profile holds.
type Size struct {
	Volunteers, Beneficiaries, PastRequests, OpenRequests int
}

// Size is exact: a world of this profile has these counts. An unknown profile
// has the zero Size.
func (p Profile) Size() Size {
	switch p {
	case Start:
		return Size{Volunteers: 36, Beneficiaries: 46, PastRequests: 12, OpenRequests: 9}
	case CommuneProfile:
		return Size{Volunteers: 190, Beneficiaries: 200, PastRequests: 1000, OpenRequests: 24}
	case EPCI:
		return Size{Volunteers: 579, Beneficiaries: 609, PastRequests: 3045, OpenRequests: 72}
	case Departement:
		return Size{Volunteers: 5786, Beneficiaries: 6090, PastRequests: 60000, OpenRequests: 732}
	}
	return Size{}
}

// weeks is how far back the past of the profile goes.
func (p Profile) weeks() int {
	if p == Start {
		return 12
	}
	return 52
}

// Commune is a real commune, as the caller knows it.
type Commune struct {
	Code, Name string // INSEE code, five characters
	Population int
	Postcodes  []string
	Lat, Lon   int32 // 1e-5 degree
	Located    bool  // Lat and Lon are known; if not, only its own volunteers reach it
}

// Date is a civil day.
type Date struct {
	Year  int
	Month time.Month
	Day   int
}

// World is a territory full of invented people. It is made by New, not changed
// after, and may be read from several goroutines.
type World struct {
	Beneficiaries []Beneficiary
	Volunteers    []Volunteer

	profile  Profile
	communes []Commune
	key      [2]uint64 // of the PCG streams
	today    time.Time // midnight UTC of the civil day
	weekday  int       // of today, Monday = 0

	offers []uint16   // per volunteer, bit = kind
	reach  [][]int32  // per commune, approved volunteers who go there, ascending
	habits [][2]uint8 // per beneficiary, the kinds that come back: moving, staying
	usual  [][]int32  // per beneficiary, the volunteers who come back
	asks   []int      // per beneficiary, running sum of how often each asks
	market []int      // per commune, weekday of the market, Monday = 0, never Sunday
}

// The streams of chance of a world: one more draw in a stream moves nothing in
// the others.
const (
	streamBeneficiaries = iota + 1
	streamVolunteers
	streamPhones
	streamTies
	streamWeeks
)

// New draws the people of a territory. Of today only the civil day in its own
// zone counts. It panics without communes or with a profile that ParseProfile
// refuses.
func New(profile Profile, seed uint64, communes []Commune, today time.Time) *World {
	size := profile.Size()
	if size == (Size{}) || len(communes) == 0 {
		panic("synth: New wants a known profile and at least one commune")
	}
	y, m, d := today.Date()
	w := &World{
		profile:  profile,
		communes: slices.Clone(communes),
		key:      [2]uint64{seed, keyOf(profile, communes)},
		today:    time.Date(y, m, d, 0, 0, 0, 0, time.UTC),
	}
	w.weekday = (int(w.today.Weekday()) + 6) % 7
	book := newPhonebook(w.stream(streamPhones))
	w.Beneficiaries = w.drawBeneficiaries(w.stream(streamBeneficiaries), size.Beneficiaries, book)
	w.Volunteers = w.drawVolunteers(w.stream(streamVolunteers), size.Volunteers, book)
	w.tie(w.stream(streamTies))
	return w
}

// keyOf keeps two territories of one seed from being peopled by the same names.
func keyOf(profile Profile, communes []Commune) uint64 {
	h := fnv.New64a()
	h.Write([]byte(profile))
	for _, c := range communes {
		h.Write([]byte{0})
		h.Write([]byte(c.Code))
	}
	return h.Sum64()
}

func (w *World) stream(n uint64) *rand.Rand {
	return rand.New(rand.NewPCG(w.key[0], w.key[1]+n))
}

// Past gives the requests of the past weeks, oldest day first. Each range over
// it draws them again, the same; nothing is kept.
func (w *World) Past() iter.Seq[Request] {
	return func(yield func(Request) bool) { newPlanner(w).past(yield) }
}

// Open gives the requests still in hand, by day and hour; those for a whole week
// or without a day come last. It walks the past first, to fit what was promised.
func (w *World) Open() []Request {
	p := newPlanner(w)
	p.past(func(Request) bool { return true })
	return p.open()
}

// dayOfWeek is the weekday of a day counted from today, Monday = 0.
func (w *World) dayOfWeek(day int) int { return ((w.weekday+day)%7 + 7) % 7 }

// weekOf numbers weeks from Monday to Sunday; today is in week 0.
func (w *World) weekOf(day int) int {
	return (day + w.weekday - w.dayOfWeek(day)) / 7
}

// officeDay is the latest day, at least ago days back, on which the desk is open.
func (w *World) officeDay(ago int) int {
	for w.dayOfWeek(-ago) >= saturday {
		ago++
	}
	return ago
}

// Weekdays as counted here.
const (
	wednesday = 2
	friday    = 4
	saturday  = 5
	sunday    = 6
)

// mainTown is the commune with most inhabitants, the lower code first.
func mainTown(communes []Commune) int {
	best := 0
	for i, c := range communes {
		b := communes[best]
		if c.Population > b.Population || c.Population == b.Population && c.Code < b.Code {
			best = i
		}
	}
	return best
}

// settle says where n people live: inTown of them in the main town and the
// others elsewhere, or everybody by population when inTown is negative.
func (w *World) settle(r *rand.Rand, n, inTown int) []int {
	town := mainTown(w.communes)
	weights := make([]int, len(w.communes))
	for i, c := range w.communes {
		weights[i] = max(c.Population, 1)
	}
	if len(w.communes) == 1 {
		inTown = n
	}
	if inTown >= 0 {
		weights[town] = 0
	}
	sums := running(weights)
	homes := make([]int, n)
	for i := range homes {
		if i < inTown {
			homes[i] = town
		} else {
			homes[i] = weighted(r, sums)
		}
	}
	r.Shuffle(n, func(i, j int) { homes[i], homes[j] = homes[j], homes[i] })
	return homes
}

// tenure spreads n people over the life of the scheme, in days before today: two
// in five were there before the past begins, the others came along.
func (w *World) tenure(r *rand.Rand, n int) []int {
	span := 7 * w.profile.weeks()
	days := make([]int, n)
	for i, founder := range quota(r, n, (2*n+4)/5) {
		ago := 8 + r.IntN(span-8)
		if founder {
			ago = span + 8 + r.IntN(span)
		}
		days[i] = w.officeDay(ago)
	}
	return days
}

// knownMarkets are markets that people of the Réolais and the Entre-deux-Mers
// would notice on the wrong day.
var knownMarkets = []struct {
	code string
	day  int
}{
	{"33352", saturday}, // La Réole
	{"33289", friday},   // Monségur
	{"33506", 1},        // Sauveterre-de-Guyenne
	{"33227", friday},   // Langon
	{"33036", saturday}, // Bazas
}

// marketDay picks a weekday by the code of the commune, so it never moves.
func marketDay(code string) int {
	for _, m := range knownMarkets {
		if m.code == code {
			return m.day
		}
	}
	h := fnv.New32a()
	h.Write([]byte(code))
	return int(h.Sum32() % sunday)
}
