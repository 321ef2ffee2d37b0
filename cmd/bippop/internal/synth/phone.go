package synth

import (
	"fmt"
	"math/rand/v2"
)

// Phone is a number and what the desk should know before dialling it.
type Phone struct {
	Number string // E.164, in a range reserved for fiction
	Label  string // "fixe", "portable", "fille", "fils"
	Ring   string // "laisser sonner 12 fois", or empty
}

// zone is a range of ten thousand numbers reserved for fiction (ARCEP, numbering
// plan, "numéros dédiés aux œuvres audiovisuelles").
type zone int

const (
	paris zone = iota
	northwest
	northeast
	southeast
	southwest
	mobile
	zones
)

var prefixes = [zones]string{"+3319900", "+3326191", "+3335301", "+3346571", "+3353649", "+3363998"}

// zoneOf is the landline zone of a commune, by the département in its INSEE code.
func zoneOf(code string) zone {
	dep := code
	if len(code) >= 2 {
		dep = code[:2]
	}
	if dep == "97" && len(code) >= 3 {
		dep = code[:3]
	}
	switch dep {
	case "75", "77", "78", "91", "92", "93", "94", "95":
		return paris
	case "14", "18", "22", "27", "28", "29", "35", "36", "37", "41", "44", "45", "49", "50", "53", "56",
		"61", "72", "76", "85", "974", "976":
		return northwest
	case "02", "08", "10", "21", "25", "39", "51", "52", "54", "55", "57", "58", "59", "60", "62", "67",
		"68", "70", "71", "80", "88", "89", "90":
		return northeast
	case "01", "03", "04", "05", "06", "07", "11", "13", "15", "26", "30", "34", "38", "42", "43", "48",
		"63", "66", "69", "73", "74", "83", "84", "20", "2A", "2B":
		return southeast
	}
	return southwest
}

// perZone numbers exist in a zone; kin of beneficiaries take the last ones, so
// that in every profile the number of a caller names one person or one couple.
const (
	perZone = 10000
	ownEnd  = 8500
)

// phonebook hands out numbers in a scattered order and starts again when its
// part of a zone is used up.
type phonebook struct {
	offset, own [zones]int
	kin         int
}

func newPhonebook(r *rand.Rand) *phonebook {
	b := &phonebook{}
	for z := range b.offset {
		b.offset[z] = r.IntN(perZone)
	}
	return b
}

// forPerson is a number of a beneficiary or a volunteer.
func (b *phonebook) forPerson(z zone) string {
	n := b.own[z] % ownEnd
	b.own[z]++
	return b.number(z, n)
}

// forKin is the mobile of a daughter, a neighbour, a home help.
func (b *phonebook) forKin() string {
	n := ownEnd + b.kin%(perZone-ownEnd)
	b.kin++
	return b.number(mobile, n)
}

// number scatters n over its zone: 7919 is prime and so visits each number once.
func (b *phonebook) number(z zone, n int) string {
	return fmt.Sprintf("%s%04d", prefixes[z], (n*7919+b.offset[z])%perZone)
}
