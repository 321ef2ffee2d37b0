// Package sheet reads and writes the spreadsheets in which town halls keep beneficiaries and volunteers: the table of
// the home-made tool, the list of the over-seventies, the heat register. Nobody writes them for us, so everything about
// them is guessed, shown, and open to correction before anything is kept.
//
//	bytes ──Read──▶ Table ──Guess──▶ Mapping ──(a person looks, ParseMapping, With)──▶ Mapping ──Rows──▶ Row, Row, …
//	                                    └─ which title means what, and why
//	Row: cells by meaning, phones in E.164, birth date, and Faults: what could not be read, by line and column
//
// # What is promised
//
// Nothing is changed in silence. A cell that is not understood stays as it is and gives a [Fault]; so does a guess (a
// birth year from an age, a name split in two). A fatal fault means that the row is not fit to be kept. The few
// repairs without a fault lose nothing: spaces are evened, control characters go, names are composed (NFC), a cell of
// punctuation alone ("-", "?") is empty.
//
// No error and no fault contains a word of the file: they carry line numbers, columns and codes. [Table] and [Row]
// print as "[table]" and "[row]".
//
// [Write] produces what a French Excel opens by double click, [WriteXLSX] a workbook, and [Read] gives the same cells
// back. Cells that a spreadsheet would run as a formula are disarmed.
//
// # What is not read
//
// Workbooks of other kinds than .xlsx (.xls, .xlsb, .ods) and those under a password are refused with a sentence that says
// what to save them as. Of an .xlsx nothing is run and nothing is computed, and what it unpacks to is counted. Dates are day first, and telephone
// numbers French unless they begin with +; see [people.ParseDate] and [people.ParsePhone].
package sheet
