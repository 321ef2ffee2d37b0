package main

// advices say what each code of a row's fault means and what to do, never what
// stood in the cell.
var advices = map[string]string{
	"name_missing":        "the name is missing: write it",
	"name_split":          "one cell holds the whole name: check which part is the last name",
	"two_people":          "two people stand in one row: give each a row",
	"not_a_person":        "this line looks like a total, not a person: remove it",
	"phone_unreadable":    "this is not a telephone number: ten digits, or + and the country code",
	"date_unreadable":     "this is not a date of birth: day/month/year, or the year alone",
	"birth_from_age":      "the year of birth was worked out from the age, and may be one too late",
	"email_unreadable":    "this is not an e-mail address: it is left out",
	"postcode_padded":     "the postcode had lost its first 0, which was put back",
	"postcode_unreadable": "this is not a postcode: five digits",
	"sex_unreadable":      "this is neither F nor M (H)",
	"choice_unreadable":   "this is none of the answers that are known here",
	"number_unreadable":   "this is not a number that fits here: it is left out",
	"too_long":            "this is too long: shorten it",
	"formula":             "this begins like a formula: write plain text (in notes the sign is taken off)",
	"garbled":             "accents were lost before: check the spelling",
	"cells_shifted":       "this row has more cells than there are columns: look for a separator within a text",
	"phone_padded":        "the number had lost its first 0, which was put back",
	"merged_cells":        "this row has merged cells: the value counts for the first of them only",
	"no_value":            "a formula stands here without a value, or with an error: open the file in the spreadsheet and save it again, or write the value",
	"twice-in-file":       "somebody of this name stands further up in the file: add --duplicates to bring in a namesake",
	"same-phone":          "somebody else has the same telephone number: a couple, perhaps, or the same person",
	"already-there":       "somebody of this name is there already: add --duplicates to bring in a namesake",
	"commune-outside":     "this commune does not belong to the territory, or none is named: correct it, or give --commune for rows without one",
	"kind-unknown":        "this kind of action is not in the catalogue: it is left out",
	"status-unknown":      "this status is not known: the person comes in as an applicant",
	"missing":             "something is missing without which nobody can reach this person: a telephone number, an address or an e-mail address",
	"phone-unreadable":    "this is not a telephone number: ten digits, or + and the country code",
	"date-unreadable":     "this is not a date of birth: day/month/year, or the year alone",
	"too-long":            "this is too long: shorten it",
	"too-many":            "there are too many of these for one person",
	"not-text":            "this holds characters that are no text",
}

// advice is what to do about a code; an unknown one is shown as it is.
func advice(code string) string {
	if text, ok := advices[code]; ok {
		return text
	}
	return "cannot go in as it stands (" + code + ")"
}
