// Package search finds a person by what an agent hears on the phone: a name spelt by ear, its
// beginning, the last four digits of a number, the village.
//
// It holds opened words, so it lives in memory only, on an unsealed node, and is built again at
// each unseal. Nothing here writes, logs or returns a person's word: an answer is a [Hit], which is
// an ID and how it was found. The caller opens the record, through the access journal.
//
//	Put(Doc) ─▶ words ─▶ terms: fold, key of sound ─┐        each word once for all who bear it
//	                                                ▼
//	Find(Query) ─▶ units ─▶ grade of every term ─▶ one pass over the persons ─▶ best first
//
// # How a query is read
//
// Letters are words, digits are one phone number. Every word must find its place among the words
// of a person (last, first and birth name) or of her commune, in any order, whole or as a
// beginning. Neighbouring words may also be read as one ("la foret" is Laforêt, "bel air" is
// Belair), a particle or a civility before another word may be passed over ("madame de la Tour"
// finds Tour), and "st" is also "saint".
//
// A word finds its place by the same letters, by the same beginning, by the same sound ([Sounds]),
// by the beginning of a sound, and, only when the whole query has found nobody at all within the
// asker's reach, one word of the query may be one typing error away ([BySpelling]).
//
// # Order
//
// The answer with the better worst word comes first: letters, beginning, sound, beginning of a sound, commune,
// typing error. Equal answers put beneficiaries before volunteers, then go by name, then by ID.
//
// # Cost
//
// 12,000 persons in 41 communes, with some 5,000 distinct words, keep about 3.1 MB of heap
// (BenchmarkMemory: 260 bytes per person). A Find is one pass over the words and one over the persons
// (BenchmarkFind). A Put moves pointers in a sorted list: 12,000 of them take 0.1 s in all, a
// million would take hours.
package search
