// Package rights holds what people may demand of the territory about what it knows
// of them (GDPR, chapter III), and what the territory owes them: a clock for each
// demand, a notice that says what is done with their data, an end to what is kept,
// and a page on what went wrong.
//
//	Received ──▶ Checked ──▶ Answered       a case: who asks must be known before an answer
//	   │            │
//	   └────────────┴──────▶ Declined, Dropped
package rights

// Treatment is one purpose for which the territory holds data, a line of its
// register (GDPR, art. 30). Each collection of the store serves one: so nothing
// of a person can be read for another purpose by the way. The numbers are in the
// store.
type Treatment uint8

const (
	Isolation    Treatment = 1 // support of isolated people
	Volunteering Treatment = 2
	Access       Treatment = 3 // accounts, and the journal of who reads what
	HeatRegister Treatment = 4 // to come: the mayor's register of the heat plan
	Federation   Treatment = 5 // what is said to neighbours and the nation
)

// Treatments are those that the program does.
var Treatments = []Treatment{Isolation, Volunteering, Access, Federation}

// Means is how something was said. The numbers are in the store; the first three
// are those of people.Notice.
type Means uint8

const (
	NoMeans  Means = 0
	ByPhone  Means = 1
	ByHand   Means = 2
	ByLetter Means = 3
	ByMail   Means = 4 // electronic
)

// Known reports whether m says how.
func (m Means) Known() bool { return m >= ByPhone && m <= ByMail }
