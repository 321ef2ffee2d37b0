package synth

import (
	"fmt"
	"math/rand/v2"
)

var streets = []string{
	"rue des Tilleuls", "rue du Four", "rue des Écoles", "rue de la Fontaine", "rue du Lavoir", "rue de l'Église",
	"rue des Remparts", "rue du Puits", "rue de la Poste", "rue du Vieux Pont", "rue des Jardins", "rue des Acacias",
	"rue des Lilas", "rue du Pressoir", "rue des Vignes", "rue de la Tonnellerie", "rue des Tanneurs", "rue des Tisserands",
	"rue du Marché", "rue de la Halle", "rue des Cordeliers", "rue du Presbytère", "rue Haute", "rue Basse", "rue Neuve",
	"rue Longue", "rue Traversière", "rue du Château d'Eau", "rue des Genêts", "rue des Mimosas", "rue des Glycines",
	"rue des Hirondelles", "rue du Moulin à Vent", "rue de la Forge", "rue des Potiers", "rue de la Lavande", "rue des Sabotiers",
	"rue des Pins", "rue de la Source", "rue du Stade", "rue de la Mairie", "rue du Port", "rue des Bateliers",
	"rue de la Cale", "rue des Platanes", "rue du Colombier", "rue des Noyers", "rue du Cerisier", "rue de la Treille",
	"rue des Cyprès", "rue du Prieuré", "rue des Quatre Vents", "rue de la Liberté", "rue de la République", "rue du 8 Mai 1945",
	"rue du 11 Novembre", "rue de la Paix", "avenue de la Gare", "avenue des Marronniers", "avenue de la Libération",
	"avenue du Stade", "avenue des Peupliers", "boulevard de la République", "boulevard du Nord", "boulevard des Remparts",
	"place de l'Église", "place du Marché", "place de la Mairie", "place du Champ de Foire", "place de la Fontaine",
	"impasse des Rosiers", "impasse du Verger", "impasse du Clos", "impasse des Pinsons", "impasse de la Grange",
	"allée des Chênes", "allée des Érables", "allée du Parc", "allée des Bouleaux", "allée des Camélias",
	"chemin du Moulin", "chemin de Ronde", "chemin des Écoliers", "chemin du Bois", "chemin des Amandiers", "chemin de la Croix",
	"chemin du Halage", "chemin des Crêtes", "passage du Lavoir", "passage des Arcades", "quai des Lavandières",
	"résidence Les Charmilles", "résidence Le Clos Fleuri", "square des Iris", "venelle du Puits", "cours du Mail",
}

var hamlets = []string{
	"lieu-dit Le Bourg", "lieu-dit Les Graves", "lieu-dit Le Grand Chêne", "lieu-dit La Métairie", "lieu-dit Petit Jean",
	"lieu-dit Les Bernèdes", "lieu-dit La Tuilerie", "lieu-dit Le Moulin Neuf", "lieu-dit Les Arrouilles", "lieu-dit Bellevue",
	"lieu-dit La Croix Blanche", "lieu-dit Le Pigeonnier", "lieu-dit Les Sables", "lieu-dit Peyrelongue", "lieu-dit La Barthe",
	"route du Coteau", "route de la Palu", "route des Landes", "route du Vieux Lavoir", "route des Quatre Chemins",
	"route de l'Ancienne Gare", "chemin de la Font", "chemin de la Lande", "chemin des Vignerons", "chemin du Pas de l'Âne",
}

// village is the population under which a commune is mostly farms and hamlets.
const village = 1000

// street is a number and a street. Roads are numbered in metres, as they are
// since villages gave addresses to their hamlets.
func street(r *rand.Rand, c Commune) string {
	if c.Population < village && percent(r, 60) {
		place, number := pick(r, hamlets), 1+r.IntN(24)
		if place[0] == 'r' {
			number = 10 * (1 + r.IntN(240))
		}
		return fmt.Sprintf("%d %s", number, place)
	}
	number := fmt.Sprint(1 + r.IntN(68))
	if percent(r, 6) {
		number += " bis"
	}
	return number + " " + pick(r, streets)
}

var flatDoors = []string{
	"2e étage sans ascenseur", "1er étage, escalier raide", "rez-de-chaussée, porte de gauche", "3e étage avec ascenseur",
	"2e sonnette", "bâtiment B, code chez la gardienne", "1er étage à droite", "interphone, troisième bouton", "rez-de-chaussée sur cour",
	"appartement 12, ascenseur lent", "résidence, demander à l'accueil",
}

var houseDoors = []string{
	"portail vert", "maison au fond de la cour", "portail blanc, il faut pousser fort", "volets bleus", "entrer par le jardin",
	"sonner puis frapper au carreau", "la sonnette ne marche pas, frapper", "boîte aux lettres rouge", "passer par derrière, la porte de la cuisine",
	"chien gentil qui aboie", "deux marches devant la porte", "clé chez la voisine d'en face", "grande haie, stationner devant", "allée de gravier, se garer dans la cour",
}

// door is what one must know to get in; half of the doors need no word.
func door(r *rand.Rand, c Commune) string {
	switch {
	case percent(r, 45):
		return ""
	case c.Population > 2*village && percent(r, 55):
		return pick(r, flatDoors)
	}
	return pick(r, houseDoors)
}
