package geo

// Credit names a source of the data. The licences ask that it be shown to those who use the program.
type Credit struct {
	What    string // in French, for the interface
	Who     string
	Licence string
}

// Credits returns the sources, in the order they are to be shown.
func Credits() []Credit {
	return []Credit{
		{
			What:    "Communes, EPCI, départements, régions, populations et codes postaux, millésime 2026",
			Who:     "Etalab, d'après l'Insee, la DGCL et La Poste",
			Licence: "Licence Ouverte",
		},
		{
			What:    "Position des communes",
			Who:     "GeoNames",
			Licence: "CC BY 4.0",
		},
		{
			What:    "Carte des départements",
			Who:     "MapSVG",
			Licence: "CC BY 4.0",
		},
	}
}
