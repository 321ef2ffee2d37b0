package synth

import (
	"math/rand/v2"
	"slices"
	"strings"
)

// generation holds the first names given to children born up to a year.
type generation struct {
	until      int // last year of birth
	women, men []string
}

var generations = []generation{
	{1939, words(`Jeanne Marie Madeleine Simone Germaine Yvonne Suzanne Marguerite Denise Paulette Lucienne
		Marcelle Raymonde Andrée Odette Renée Georgette Yvette Jacqueline Ginette Huguette Henriette Thérèse
		Fernande Gilberte Solange Lucette Pierrette Arlette Micheline Colette Gisèle Jeannine Josette Paule
		Mauricette Reine Claudette Raymonde Marie-Louise Marie-Thérèse Rolande Éliane Christiane Monique Léone
		Hélène Irène Édith Noëlle Rose Angèle Berthe Cécile Augusta Émilienne Eugénie Ida Juliette Lucie`),
		words(`Jean Pierre André Marcel René Roger Robert Raymond Georges Henri Louis Maurice Lucien Gaston
		Fernand Albert Paul Émile Gilbert Edmond Roland Guy Jacques Claude Serge Yves Joseph Camille Aimé Abel
		Élie Gabriel Alfred Léon Gustave Noël Firmin Armand Étienne Norbert Max Francis Bernard Lionel Justin
		Urbain Hubert Edgar Jean-Marie`)},
	{1959, words(`Monique Nicole Françoise Jacqueline Danielle Michèle Josiane Annie Christiane Ginette Claudine
		Colette Bernadette Marie-Claude Marie-Thérèse Liliane Éliane Évelyne Chantal Martine Brigitte Maryse
		Jocelyne Ghislaine Régine Mireille Odile Geneviève Anne-Marie Marie-France Lucette Viviane Dominique
		Élisabeth Sylviane Nadine Jeannine Arlette Yolande Francine Marie-Josée Renée Solange Béatrice Andrée
		Joëlle Catherine Marylène Gisèle Huguette`),
		words(`Michel Jean-Claude Jean-Pierre Bernard Gérard Daniel Alain Christian Jean Claude Jacques Guy
		Roland Serge Jean-Louis Jean-Marie Francis Yves André Pierre Robert Gilbert Henri Raymond Maurice
		Georges Hubert Régis Jean-Paul Jean-Michel Patrick Dominique Philippe Joël Lucien Marc Jean-Jacques
		Gilles Rémy Jean-François Didier Roger Étienne René Edmond`)},
	{1974, words(`Sylvie Nathalie Isabelle Catherine Véronique Corinne Florence Sandrine Valérie Patricia Muriel
		Laurence Pascale Brigitte Christine Agnès Carole Sophie Fabienne Karine Virginie Béatrice Cécile
		Stéphanie Anne Marie-Laure Marie-Pierre Myriam Estelle Hélène Nadège Claire Delphine Maryline Régine`),
		words(`Philippe Thierry Pascal Éric Laurent Christophe Bruno Frédéric Stéphane Olivier Didier Franck
		Hervé Dominique Marc Denis Fabrice Gilles Vincent Jérôme Xavier Jean-Luc Jean-Marc Jean-Christophe Yannick
		Régis Emmanuel Benoît Ludovic Arnaud Cyril Sylvain Antoine Lionel`)},
	{9999, words(`Aurélie Céline Émilie Julie Marion Camille Laura Élodie Pauline Mathilde Manon Léa Chloé Inès
		Emma Clara Justine Charlotte Margaux Lucie Amandine Mélanie Élise Audrey Anaïs Marine Noémie Jade Louise
		Zoé Alice Juliette Maëlle Océane Solène Coralie Fanny Lola`),
		words(`Julien Nicolas Thomas Alexandre Maxime Romain Mathieu Guillaume Antoine Clément Quentin Hugo Lucas
		Théo Louis Valentin Baptiste Florian Adrien Simon Paul Rémi Kévin Bastien Thibault Gaëtan Arthur Jules
		Nathan Mathis Enzo Tristan Loïc Damien Benjamin Martin`)},
}

// origin is where the names of a family come from and what may be spoken there.
type origin struct {
	weight     int    // per hundred
	language   string // ISO 639-1
	last       []string
	women, men []string // empty: by generation
}

var origins = []origin{
	{weight: 84, language: "fr", last: words(`Bertrand Girard Bonnet Dupuis Fontaine Chevalier Gauthier Masson Lemoine Marchand Dumas Morel
		Giraud Meunier Brunet Blanchard Barbier Arnaud Picard Renard Schmitt Colin Vidal Caron Lucas Brun Gaillard Leclercq
		Lemaire Rolland Mercier Dumont Carpentier Joly Roger Rivière Noël Perrin Clément Lambert Guillot Hubert Olivier
		Boyer Roche Adam Vasseur Bourgeois Renaud Benoît Baron Charpentier Fabre Leroux Poirier Lacroix Aubert Ménager Julien
		Gautier Jacquet Breton Charles Deschamps Huet Collet Bouvier Millet Daniel Cousin Germain Besson Langlois Perrot
		Pelletier Lebrun Barre Guichard Prévost Tessier Hamon Bailly Carré Poulain Bouchet Boucher Maillard Marty Bertin
		Étienne Rey Humbert Dupré Delaunay Reynaud Gilles Antoine Pons Lejeune Weber Mallet Maréchal Devaux Remy
		Launay Cordier Pasquier Coulon Pichon Ferrand Blin Guyot Vallet Buisson Lefort Thibault Regnier Ledoux Besnard
		Lacoste Labat Dubourg Ducos Lafon Castaing Duprat Laborde Larrieu Cazenave Dupouy Bordes Labarthe Delmas Dulong
		Duluc Lacaze Lamothe Peyre Mothes Dumeau Daney Cazeaux Duthil Lapeyre Laville Dubernet Dupin Lestage Cabannes Castéra
		Darroman Dessalles Lafargue Lassalle Mondon Sarrazin Sabourin Tauzin Seguin Videau Raffin Rapin Jouanneau Grenier
		Latrille Bacquey Ballion Berthomé Biarnès Bouissou Cantin Chaigneau Constantin Coureau Couthures Dartigues
		Dufau Fauché Fourcade Gassies Gourgues Guignard Labrousse Lagrave Larroque Lartigau Lavergne Ligier Loubère Maurin
		Mazières Mesplède Minvielle Monnereau Naudin Pallas Pauly Pouget Rambaud Sallaberry Saubusse Soulard Teyssier
		Trijoulet Verdier Vignau Goubert Hennequin Lhuillier Quesnel Fouquet Gosselin Auvray Lecomte Letellier Vautrin
		Klein Muller Schneider Zimmermann Wagner Lefranc Delattre Delcourt Dewaele Vandamme Wattiez Caudron Flament
		Le_Goff Le_Bihan Le_Gall Le_Roux Kerdoncuff Guivarc'h Cariou Tanguy Quéméneur Riou Le_Dantec de_Lestrade
		de_Castelnau de_Saint-Léger d'Arros du_Mas de_La_Vergne Saint-Marc Castelnau-Roux Petit-Jean Bois-Robert
		Mascaras Luciani Santoni Mattei Albertini`)},
	{weight: 4, language: "pt", last: words(`da_Silva Ferreira Pereira Gomes dos_Santos Rodrigues de_Oliveira Teixeira Carvalho Ribeiro
		Marques Lopes Alves Moreira Pinto Tavares`),
		women: words(`Maria Fátima Rosa Conceição Lurdes Amélia Deolinda Olinda Adelaide`),
		men:   words(`José Manuel António Joaquim Fernando Carlos Américo Adelino Armando`)},
	{weight: 3, language: "es", last: words(`Fernandez Lopez Sanchez Perez Gonzalez Ruiz Moreno Jimenez Navarro Ortega Molina Serrano
		Ibañez Cortes Vidal-Ramos`),
		women: words(`Carmen Dolorès Pilar Encarnación Consuelo Mercedes Ángela Josefa Soledad`),
		men:   words(`Antonio Francisco Manuel Ramon Miguel Salvador Vicente Joaquín Emilio`)},
	{weight: 3, language: "it", last: words(`Rossi Bianchi Zanetti Marchetti Ferrari-Costa Colombo Bortolotti Zaninotto De_Marchi Pavan
		Trevisan Dalla_Costa`),
		women: words(`Rosa Assunta Teresa Bruna Gina Angela Pierina Elda`),
		men:   words(`Giovanni Angelo Bruno Aldo Guido Mario Pietro Silvio`)},
	{weight: 4, language: "ar", last: words(`Benali Haddad Bouzid Khelifi Mansouri Belkacem Saïdi Amrani El_Idrissi Cherif Ziani Hamdi
		Ben_Salah Bouaziz Larbi Tahri`),
		women: words(`Fatima Khadija Zohra Aïcha Malika Yamina Halima Saliha Rachida Nadia Samira`),
		men:   words(`Mohamed Ahmed Ali Rachid Abdelkader Saïd Brahim Mustapha Omar Karim Farid`)},
	{weight: 1, language: "vi", last: words(`Nguyen Tran Pham Huynh Vo Dang Bui Ly`),
		women: words(`Thi_Hoa Thi_Mai Lan Kim-Anh Thi_Huong Bach-Yen`),
		men:   words(`Van_Minh Duc Van_Thanh Quang Hoang`)},
	{weight: 1, language: "pl", last: words(`Kowalczyk Nowak Wojcik Kaminski Zielinski Wozniak Szymczak Piotrowski Dudek`),
		women: words(`Wanda Stanislawa Hedwige Irena Sophie Hélène Janina`),
		men:   words(`Stanislas Casimir Jean Édouard Bronislaw Ladislas`)},
}

// wellKnown are full names that chance could make and that belong to public life.
var wellKnown = set(`Agnès_Bonnet Aimé_Jacquet Alain_Gauthier Alain_Lefort Alain_Perrin Alain_Riou Albert_Lebrun Alfred_Adam
	André_Antoine André_Breton André_Dupin André_Marty André_Masson André_Minvielle Angela_Molina Angelo_Rossi
	Anne_Poirier Antonio_Lopez Antonio_Molina Arnaud_Lemaire Benoît_Hamon Bernard_Lacoste Bernard_Noël
	Bernard_Thibault Brigitte_Fontaine Bruno_Lemaire Bruno_Rossi Carlos_Alves Carlos_Lopes Catherine_Clément
	Catherine_Lacoste Catherine_Millet Charles_Boyer Charles_Dumont Charles_Gosselin Christian_Barbier
	Christian_Bonnet Christian_Lacroix Christophe_Lambert Claude_Gauthier Claude_Giraud Colette_Besson Colette_Renard
	Coralie_Clément Corinne_Lucas Daniel_Guichard Daniel_Prévost Daniel_Roche Denis_Roche Didier_Deschamps
	Dominique_Fernandez Fernand_Ledoux Fernand_Rey Fernando_Rey Francis_Lopez Francis_Perrin Francisco_Ibañez
	Francisco_Lopez Françoise_Bertin Françoise_Prévost Gaston_Leroux Georges_Arnaud Georges_Bonnet Georges_Dumas
	Gustave_Charpentier Guy_Ligier Guy_Marchand Gérard_Blanchard Gérard_Klein Gérard_Lambert Henri_Barbier
	Henri_Cabannes Henri_Fabre Henri_Giraud Henri_Langlois Henri_Lopes Henri_Weber Hubert_Haddad Hélène_Boucher
	Hélène_Rolland Isabelle_Carré Jacqueline_Boyer Jacques_Bertin Jacques_Dupin Jacques_Lassalle Jacques_Le_Goff
	Jacques_Mercier Jacques_Perrin Jacques_Weber Jean-Christophe_Bailly Jean-Christophe_Buisson Jean-Claude_Brun
	Jean-Claude_Gaillard Jean-Claude_Lemoine Jean-Jacques_Gautier Jean-Louis_Étienne Jean-Paul_Gautier
	Jean-Pierre_Vidal Jean_Bertin Jean_Bouissou Jean_Boyer Jean_Charles Jean_Constantin Jean_Daniel Jean_Gautier
	Jean_Giraud Jean_Lassalle Jean_Mercier Jean_Perrin Jean_Prévost Jean_Rey Jean_Reynaud Jean_Verdier Jean_Vidal
	Joseph_Peyre Jules_Renard Julien_Sanchez Jérôme_Clément Jérôme_Lejeune Laurent_Olivier Louis_Aubert
	Louis_Delaunay Louis_Leclercq Louis_Mallet Louis_Renaud Lucien_Boyer Léon_Marchand Madeleine_Castaing
	Madeleine_Renaud Malika_Haddad Manuel_Moreno Manuel_Poirier Marc_Olivier Marcel_Dupré Marcel_Julien
	Marguerite_Moreno Marie-France_Boyer Marie_Besnard Marie_Colombo Marie_Noël Marie_Rivière Marie_Schneider
	Mario_Moreno Mario_Rossi Maurice_Chevalier Maurice_Pons Max_Weber Michel_Colombo Michel_Constantin
	Michel_Delaunay Michel_Fabre Michel_Lambert Michel_Morel Michel_Muller Michel_Poulain Michel_Rolland
	Michèle_Mercier Miguel_Molina Mireille_Dumas Mohamed_Ali Myriam_Boyer Nicolas_Fouquet Olivier_Besson
	Olivier_Guichard Patrick_Besson Patrick_Buisson Patrick_Poirier Patrick_Rambaud Paul_Colin Paul_Lacroix
	Paul_Masson Paul_Mattei Paul_Reynaud Pauline_Lefort Pauline_Étienne Philippe_Besnard Philippe_Besson
	Philippe_Lejeune Philippe_Lucas Philippe_Seguin Pierre_Benoît Pierre_Bonnet Pierre_Caron Pierre_Fabre Pierre_Huet
	Pierre_Lemaire Pierre_Leroux Pierre_Perrin Rachid_Belkacem Ramon_Fernandez René_Clément René_Girard René_Lacoste
	Robert_Delaunay Robert_Lacoste Robert_Langlois Robert_Marchand Robert_Schneider Roger_Blin Roger_Rivière
	Roland_Dumas Romain_Rolland Rémy_Riou Simon_Boyer Simone_Renard Sophie_Germain Stéphane_Pichon Sylvie_Germain
	Sylvie_Joly Thierry_Breton Vincent_Perez Xavier_Bertrand Yannick_Noël Yves_Guyot Yves_Klein Yves_Tanguy
	Émile_Picard Émile_Reynaud Éric_Besson Éric_Schmitt Étienne_Klein`)

// words splits a list at blanks; an underscore stands for a blank in a name.
func words(list string) []string {
	fields := strings.Fields(list)
	for i, f := range fields {
		fields[i] = strings.ReplaceAll(f, "_", " ")
	}
	return fields
}

func set(list string) map[string]bool {
	m := map[string]bool{}
	for _, w := range words(list) {
		m[w] = true
	}
	return m
}

var originSums = func() []int {
	weights := make([]int, len(origins))
	for i, o := range origins {
		weights[i] = o.weight
	}
	return running(weights)
}()

// namer gives names and avoids giving a full name twice while it easily can.
type namer struct {
	r     *rand.Rand
	given map[string]bool
}

func newNamer(r *rand.Rand) *namer { return &namer{r: r, given: map[string]bool{}} }

// draw names a person born in year and says the language of the family.
func (n *namer) draw(sex string, year int) (first, last, language string) {
	for try := 0; ; try++ {
		o := origins[weighted(n.r, originSums)]
		first, last, language = n.first(o, sex, year), n.last(o), o.language
		if n.mayBe(first, last) && (try >= 12 || !n.given[first+" "+last]) {
			break
		}
	}
	n.given[first+" "+last] = true
	return first, last, language
}

// spouse names somebody who carries last already.
func (n *namer) spouse(sex string, year int, last string) string {
	for {
		first := n.first(origins[0], sex, year)
		if n.mayBe(first, last) {
			n.given[first+" "+last] = true
			return first
		}
	}
}

func (n *namer) mayBe(first, last string) bool {
	return first != last && !wellKnown[first+" "+last]
}

// first is a name of the family's language for the old, and half of the time for
// the others, whose parents chose one from here.
func (n *namer) first(o origin, sex string, year int) string {
	women, men := o.women, o.men
	if len(women) == 0 || year > 1960 && percent(n.r, 50) {
		i := slices.IndexFunc(generations, func(g generation) bool { return year <= g.until })
		women, men = generations[i].women, generations[i].men
	}
	if sex == Woman {
		return pick(n.r, women)
	}
	return pick(n.r, men)
}

// last is sometimes two names joined, as after some marriages.
func (n *namer) last(o origin) string {
	name := pick(n.r, o.last)
	if other := pick(n.r, origins[0].last); percent(n.r, 3) && !strings.ContainsAny(name+other, " -'") && other != name {
		return name + "-" + other
	}
	return name
}

var unaccent = strings.NewReplacer("à", "a", "â", "a", "á", "a", "ã", "a", "ä", "a", "ç", "c", "é", "e", "è", "e", "ê", "e", "ë", "e",
	"î", "i", "ï", "i", "í", "i", "ñ", "n", "ô", "o", "ó", "o", "ö", "o", "ù", "u", "û", "u", "ü", "u", "ú", "u", "ÿ", "y",
	"œ", "oe", "'", "", " ", "-")

// mailbox is first.last in plain letters.
func mailbox(first, last string) string {
	return unaccent.Replace(strings.ToLower(first + "." + last))
}
