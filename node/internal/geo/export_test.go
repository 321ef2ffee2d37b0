package geo

// DecodeAgain decodes the tables and makes the search tables, as the first use does.
func DecodeAgain() any {
	f := decode()
	return [2]any{f, newLookup(f)}
}
