package public

// Unit is whose contribution a group of cells bounds, and so whom its noise hides.
type Unit uint8

const (
	Institution Unit = 0 // nobody's: exact
	Person      Unit = 1 // one beneficiary in one quarter
	Helper      Unit = 2 // one volunteer in one quarter

	units = 3
)

// Micro is a privacy budget in millionths of epsilon.
type Micro uint32

// GroupNumber names a group. The numbers are in places of vectors: never reuse one.
type GroupNumber uint8

const (
	GroupInstitution GroupNumber = 0
	GroupActions     GroupNumber = 1  // the first few of each person, by category
	GroupHelped      GroupNumber = 2  // persons helped at least once, by sex and age
	GroupOften       GroupNumber = 3  // persons helped, by how often
	GroupRequests    GroupNumber = 4  // recorded, and what became of them
	GroupPaired      GroupNumber = 5  // visits by two
	GroupEnrolled    GroupNumber = 6  // persons newly enrolled
	GroupBonds       GroupNumber = 7  // ties that live on by themselves
	GroupDone        GroupNumber = 8  // actions, those of mobility and all others
	GroupHelpers     GroupNumber = 10 // volunteers who helped at least once
	GroupHours       GroupNumber = 11 // given
	GroupJoined      GroupNumber = 12 // volunteers approved
	GroupOffered     GroupNumber = 13 // help that a volunteer proposed first
)

// Group is cells of a release that share a unit, a bound and a budget. The noise
// on each of its cells is Laplace with scale Bound ÷ (Budget ÷ 10⁶): by all its
// cells together one unit changes at most by Bound.
type Group struct {
	Number GroupNumber
	Unit   Unit
	Bound  uint16 // the most that one unit adds to all cells of the group in a quarter; Institution: 0
	Budget Micro  // per quarter; Institution: 0
	Cells  uint8  // how many
}

// Fates of requests, cells of GroupRequests.
const (
	FateRequested = 0 // recorded in the quarter
	FateDay       = 1 // somebody was found within 24 hours
	FateTwoDays   = 2 // within 48
	FateWeek      = 3 // within a week
	FateLater     = 4
	FateUnfilled  = 5
	FateCancelled = 6
	FateNotDone   = 7
	fates         = 8
)

// Cells of GroupInstitution.
const (
	HasCommunes  = 0 // that the node answers for
	HasKinds     = 1 // of action that it proposes
	HasReplicas  = 2
	institutions = 3
)

// often bounds the cells of GroupOften: each begins at its number and ends before the
// next. The first ends where the bound of GroupDone is reached; the others are narrow,
// because they say how much that bound has cut off.
var often = [...]uint16{1, 14, 17, 21, 27}

// Oftens are where the cells of GroupOften begin.
func Oftens() []uint16 { return append([]uint16(nil), often[:]...) }

// OftenOf is the cell of n times, n ≥ 1.
func OftenOf(n uint16) int {
	at := 0
	for at+1 < len(often) && n >= often[at+1] {
		at++
	}
	return at
}

// HelpedCell is the cell of a sex and an age band in GroupHelped.
func HelpedCell(s Sex, a AgeBand) int { return int(s)*ageBands + int(a) }

const (
	ageBands   = int(From90) + 1
	sexes      = int(Man) + 1
	categories = int(Other)
)

// DoneCell is the cell of a category in GroupDone: first what moves somebody or
// something along the road, then all the rest.
func DoneCell(c Category) int {
	if c.Mobility() {
		return 0
	}
	return 1
}

// ActionCell is the cell of a category in GroupActions; NoCategory counts as Other.
func ActionCell(c Category) int {
	if c == NoCategory {
		c = Other
	}
	return int(c) - 1
}

// CatalogueVersion is the version of the catalogue that this program releases.
const CatalogueVersion = 1

// Catalogue is a version's groups in the order of their cells in a release, or nil
// for a version that this program does not know. A change of anything in it is a
// new version, which people decide: budget and bounds are what was promised.
//
// A unit's budget is ε = 1 a quarter, divided so that what is read first is the
// surest. All actions are two numbers, because the nation is told by how many they are
// and how many of them move somebody: of eleven categories the noise adds up, and a
// bound that suits eleven is too low for whoever is helped every week. Theirs is one
// action a week, 13 a quarter. Where desks make five actions a year for each person it
// cuts off less than a hundredth; a lower one saves less noise than it cuts off. How
// often people are helped bounds what was cut off, and counts the people. What is left
// divides categories, sexes and ages, which say something where some tens of
// territories have begun in earnest.
func Catalogue(version uint16) []Group {
	if version != 1 {
		return nil
	}
	return []Group{
		{GroupInstitution, Institution, 0, 0, institutions},
		{GroupDone, Person, 13, 320_000, 2},
		{GroupActions, Person, 3, 120_000, uint8(categories)},
		{GroupHelped, Person, 1, 110_000, uint8(sexes * ageBands)},
		{GroupOften, Person, 1, 150_000, uint8(len(often))},
		{GroupRequests, Person, 8, 200_000, fates},
		{GroupPaired, Person, 2, 40_000, 1},
		{GroupEnrolled, Person, 1, 40_000, 1},
		{GroupBonds, Person, 1, 20_000, 1},
		{GroupHelpers, Helper, 1, 200_000, 1},
		{GroupHours, Helper, 40, 600_000, 1},
		{GroupJoined, Helper, 1, 100_000, 1},
		{GroupOffered, Helper, 4, 100_000, 1},
	}
}

// Place is where a group's cells begin in a release's vector, and the group.
func Place(version uint16, n GroupNumber) (at int, g Group, ok bool) {
	for _, g := range Catalogue(version) {
		if g.Number == n {
			return at, g, true
		}
		at += int(g.Cells)
	}
	return 0, Group{}, false
}

// Cells is the length of a release's vector in a version, or 0.
func Cells(version uint16) (n int) {
	for _, g := range Catalogue(version) {
		n += int(g.Cells)
	}
	return n
}

// MaxSpending is what may be spent on one unit in a civil year: four quarters.
const MaxSpending Micro = 4_000_000

// Cost is what one release of a version spends on a unit.
func Cost(version uint16, u Unit) (sum Micro) {
	for _, g := range Catalogue(version) {
		if g.Unit == u {
			sum += g.Budget
		}
	}
	return sum
}
