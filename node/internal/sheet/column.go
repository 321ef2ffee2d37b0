package sheet

import "slices"

// Kind says whom the rows of a table describe.
type Kind uint8

const (
	Beneficiaries Kind = 1
	Volunteers    Kind = 2
)

// Column is the meaning of a column. The list is closed; the words are part of what people type (--map Ville=commune).
// The empty Column is a column that is not used.
type Column string

const (
	Civility       Column = "civility" // "Mme", "M."
	LastName       Column = "last_name"
	FirstName      Column = "first_name"
	BirthName      Column = "birth_name" // stands in for an empty last name, as in law
	FullName       Column = "full_name"  // "NOM Prénom"; Rows splits it, no Row has it
	Sex            Column = "sex"        // see ParseSex
	BirthDate      Column = "birth_date"
	Age            Column = "age" // gives a birth year and a fault that says so
	Phone          Column = "phone"
	Mobile         Column = "mobile"
	Phone2         Column = "phone2"
	Email          Column = "email"
	Address        Column = "address"
	Address2       Column = "address2"
	Postcode       Column = "postcode"
	Commune        Column = "commune"
	Needs          Column = "needs"
	Languages      Column = "languages"
	EmergencyName  Column = "emergency_name" // personne à prévenir
	EmergencyPhone Column = "emergency_phone"
	TrustedName    Column = "trusted_name" // personne de confiance
	TrustedPhone   Column = "trusted_phone"
	Notes          Column = "notes"
	RingHabit      Column = "ring_habit" // how to call: "laisser sonner longtemps"
	Paper          Column = "paper"      // language of what is printed; see ParsePaper

	Status       Column = "status"
	Car          Column = "car"       // see ParseYes
	Seats        Column = "seats"     // see ParseNumber
	RadiusKM     Column = "radius_km" // see ParseNumber
	Kinds        Column = "kinds"     // what the volunteer offers to do
	Availability Column = "availability"
	MaxPerWeek   Column = "max_per_week" // see ParseNumber
)

var everybody = []Column{
	Civility, LastName, FirstName, BirthName, FullName, Sex, BirthDate, Age, Phone, Mobile, Phone2, Email, Address,
	Address2, Postcode, Commune, Needs, Languages, EmergencyName, EmergencyPhone, TrustedName, TrustedPhone, Notes,
	RingHabit, Paper,
}

var volunteersOnly = []Column{Status, Car, Seats, RadiusKM, Kinds, Availability, MaxPerWeek}

// Columns lists the columns of a kind, in the order in which a person would write them.
func Columns(kind Kind) []Column {
	switch kind {
	case Beneficiaries:
		return slices.Clone(everybody)
	case Volunteers:
		return slices.Concat(everybody, volunteersOnly)
	}
	panic("sheet: unknown kind")
}

// isPhone says that the cells hold numbers to call.
func (c Column) isPhone() bool {
	switch c {
	case Phone, Mobile, Phone2, EmergencyPhone, TrustedPhone:
		return true
	}
	return false
}

// isFreeText says that people write sentences there.
func (c Column) isFreeText() bool {
	switch c {
	case Needs, Languages, Notes, RingHabit, Kinds, Availability:
		return true
	}
	return false
}

// joint is what stands between the cells of several table columns of the same meaning; ok is false where one
// meaning has one column.
func (c Column) joint() (between string, ok bool) {
	switch {
	case c == EmergencyPhone || c == TrustedPhone:
		return " / ", true
	case c == EmergencyName || c == TrustedName:
		return " ", true
	case c == Address2 || c.isFreeText():
		return ", ", true
	}
	return "", false
}

// limit is in runes. Names are as long as the registry of births allows with ease; free text is a page.
func (c Column) limit() int {
	switch {
	case c == FullName:
		return 160 // two names
	case c.isFreeText():
		return 2000
	}
	switch c {
	case LastName, FirstName, BirthName, EmergencyName, TrustedName, Civility, Commune:
		return 80
	}
	return 200
}
