package rights

// Plain is a sentence in French, and in English for who reads English.
type Plain struct{ French, English string }

// In says it in one of the two.
func (p Plain) In(english bool) string {
	if english && p.English != "" {
		return p.English
	}
	return p.French
}

// Purpose is what a treatment is for, as the register and the notice say it.
type Purpose struct {
	Treatment Treatment
	Title     Plain
	For       []Plain
	Basis     Plain
	Persons   []Plain // whose data
	Sources   Plain
	Rules     []Rule // by which it ends
}

// Purposes are the treatments that the program does. The heat register will be one
// of its own, of the mayor: it is not here before it is.
var Purposes = []Purpose{
	{
		Isolation, Plain{"Accompagnement des personnes isolées", "Support of isolated people"},
		[]Plain{
			{"trouver un bénévole pour une visite, des courses, un trajet, et tenir la promesse faite", "to find a volunteer for a visit, shopping or a ride, and to keep the promise"},
			{"rappeler la personne, savoir comment cela s’est passé", "to call her back and to know how it went"},
			{"compter, sans nom, ce qui est fait", "to count, without a name, what is done"},
		},
		Plain{"Mission d’intérêt public de l’action sociale (RGPD, art. 6-1 e) ; consentement ou sauvegarde des intérêts vitaux quand la fiche le dit. Aucun diagnostic n’est demandé : seulement ce qui aide.",
			"Public interest of social action (GDPR, art. 6-1 e); consent or vital interests where the file says so. No diagnosis is asked: only what helps."},
		[]Plain{{"personnes accompagnées", "people who are accompanied"}, {"proches et personnes à prévenir qu’elles ont nommés", "relatives and contacts whom they have named"}},
		Plain{"La personne elle-même, un proche qu’elle autorise, ou un fichier de la commune ou du CCAS.", "The person herself, a relative whom she allows, or a file of the commune."},
		[]Rule{Accompanied, Leftovers},
	},
	{
		Volunteering, Plain{"Bénévolat de proximité", "Volunteering among neighbours"},
		[]Plain{
			{"accueillir, rencontrer et approuver les bénévoles", "to receive, meet and approve volunteers"},
			{"leur proposer ce qui leur convient, pas plus souvent qu’ils ne le souhaitent", "to propose what fits them, no more often than they wish"},
		},
		Plain{"Mission d’intérêt public (RGPD, art. 6-1 e) ; le bénévole s’inscrit de lui-même et peut s’arrêter d’un mot.", "Public interest (GDPR, art. 6-1 e); a volunteer joins by himself and can stop with a word."},
		[]Plain{{"bénévoles et candidats", "volunteers and applicants"}},
		Plain{"Le bénévole lui-même, ou un fichier de la commune ou du CCAS.", "The volunteer himself, or a file of the commune."},
		[]Rule{EndedHelp, NeverMet, Leftovers},
	},
	{
		Access, Plain{"Comptes, journal des accès et droits des personnes", "Accounts, journal of access and people’s rights"},
		[]Plain{
			{"savoir qui entre et ce qu’il a le droit de voir", "to know who enters and what he may see"},
			{"garder la trace de qui a consulté ou modifié un dossier", "to keep a trace of who has read or changed a file"},
			{"répondre aux droits des personnes et en garder la preuve", "to answer people’s rights and to keep the proof"},
		},
		Plain{"Obligation légale de sécurité et de preuve (RGPD, art. 5-2, 12, 24, 32 et 33).", "Legal duty of security and proof (GDPR, art. 5-2, 12, 24, 32 and 33)."},
		[]Plain{{"agents, élus, bénévoles qui ont un compte", "agents, elected members and volunteers with an account"}, {"personnes qui exercent un droit", "people who use a right"}},
		Plain{"L’administrateur qui ouvre le compte ; le programme lui-même.", "The administrator who opens the account; the program itself."},
		[]Rule{ClosedLogin},
	},
	{
		Federation, Plain{"Entraide entre territoires et chiffres nationaux", "Help between territories and national figures"},
		[]Plain{
			{"proposer à un territoire voisin une aide disponible, sans nommer personne", "to offer help to a neighbouring territory without naming anybody"},
			{"publier des chiffres trimestriels brouillés par un bruit calibré", "to publish quarterly figures hidden by calibrated noise"},
		},
		Plain{"Mission d’intérêt public (RGPD, art. 6-1 e). Aucune donnée personnelle ne part vers un autre territoire ni vers la nation.",
			"Public interest (GDPR, art. 6-1 e). No personal data leaves to another territory or to the nation."},
		[]Plain{{"bénévoles qui ont donné leur accord", "volunteers who have consented"}},
		Plain{"Le bénévole, à qui l’accord est demandé pour chaque proposition.", "The volunteer, who is asked for each offer."},
		[]Rule{EndedHelp},
	},
}

// RuleNames say in plain words whom a rule is about and from when it counts.
var RuleNames = map[Rule]Plain{
	Accompanied: {"personnes accompagnées, après le dernier contact ou leur départ", "accompanied people, after the last contact or their leaving"},
	EndedHelp:   {"bénévoles, après la fin de leur engagement", "volunteers, after they have ended"},
	NeverMet:    {"candidats au bénévolat jamais approuvés, après leur candidature", "applicants never approved, after they applied"},
	ClosedLogin: {"comptes, après leur fermeture", "accounts, after they were closed"},
	Leftovers:   {"fiches d’un import annulé ou jamais terminé", "files of an import that was undone or never finished"},
}

// Measure is something that protects people, with the test that shows it.
type Measure struct {
	Against Risks
	Text    string
	Test    string // "node: TestErased": package and name; a test looks that it is there
}

// Risks are the feared events of the CNIL's method. The bits are of this program.
type Risks uint8

const (
	ReadByOthers Risks = 1 << 0 // illegitimate access
	Changed      Risks = 1 << 1 // unwanted change
	Vanished     Risks = 1 << 2 // disappearance
)

// Measures are those of the impact assessment. They are in the program, whatever a
// territory chooses.
var Measures = []Measure{
	{ReadByOthers, "Les paroles d’une personne (nom, téléphones, adresse, besoins, notes) sont chiffrées sous une clé qui n’est qu’à elle, avant d’être enregistrées.", "node: TestCanary"},
	{ReadByOthers, "Aucune donnée personnelle ne part vers un autre territoire ni vers la nation ; chaque octet sorti est dans un registre vérifiable par tous.", "federation: TestLeaksOnTheWire"},
	{ReadByOthers, "Deux territoires dont seules les personnes diffèrent disent les mêmes octets à l’extérieur.", "node/internal/machine: TestAlike"},
	{ReadByOthers, "Le programme n’appelle personne d’autre que les machines et les relais choisis.", "cmd/bippop: TestNobodyElseIsCalled"},
	{ReadByOthers, "Ce que chaque rôle peut faire tient dans une seule table ; un élu ne voit que des chiffres.", "node: TestOfficial"},
	{ReadByOthers, "Les essais de mot de passe sont freinés ; un mot de passe n’est gardé que haché, et scellé.", "node: TestSignInThrottled"},
	{ReadByOthers, "Une machine volée n’ouvre rien sans les autres, ou sans un administrateur.", "node: TestThief"},
	{ReadByOthers, "Une sauvegarde des données ne contient aucune clé.", "node: TestBackupHoldsNoKey"},
	{ReadByOthers, "L’effacement détruit la clé de la personne sur toutes les machines et dans les sauvegardes, et délivre un certificat.", "node: TestForgetting"},
	{ReadByOthers, "Une fiche limitée n’est visible que du délégué à la protection des données.", "node: TestRestricted"},
	{Changed, "Une fiche déplacée ou modifiée sur le disque ne s’ouvre plus, et la machine s’arrête.", "node/internal/store: TestMoved"},
	{Changed, "Chaque changement est daté, attribué, et appliqué à l’identique sur toutes les machines.", "node/internal/machine: TestLaws"},
	{Changed, "Une machine qui n’est pas du territoire ne peut rien lui dire.", "consensus/mesh: TestStranger"},
	{Vanished, "Rien de ce qui a été confirmé n’est perdu quand une machine tombe.", "consensus: TestNothingAcknowledgedIsLost"},
	{Vanished, "Une sauvegarde se restaure, sauf les personnes effacées depuis.", "node: TestRestore"},
}
