package synth

// Within lets tests measure reach as the package does.
func (w *World) Within(from, to, km int) bool { return within(w.communes, from, to, km) }

// Names and Streets are how many different ones there are to draw from.
func Names() int {
	seen := map[string]bool{}
	for _, o := range origins {
		for _, n := range o.last {
			seen[n] = true
		}
	}
	return len(seen)
}

func Streets() int {
	seen := map[string]bool{}
	for _, s := range streets {
		seen[s] = true
	}
	return len(seen)
}

// Metres measures between two communes.
func Metres(a, b Commune) int { return metres(a, b) }
