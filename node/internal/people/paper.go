package people

// Paper is the language of what is printed for somebody: her calendar, his week,
// a letter. The empty Paper is French. The words are in sealed boxes and in
// exports: never change one.
type Paper string

const (
	InFrench  Paper = "fr"
	InEnglish Paper = "en"
)

// Known reports whether papers can be printed in p.
func (p Paper) Known() bool { return p == "" || p == InFrench || p == InEnglish }
