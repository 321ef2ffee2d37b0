// Package people holds what the territory knows of beneficiaries and volunteers:
// records, which rules read, and words, which travel in sealed boxes. A person's
// words are [crypto.Secret]: they do not print.
package people
