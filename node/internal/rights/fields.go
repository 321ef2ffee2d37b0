package rights

import "strings"

// Kind of data, as a register names it.
type Kind byte

const (
	Identity  Kind = 'i'
	Reaching  Kind = 'c' // where and how somebody is reached
	Needs     Kind = 'b' // what helps, and what somebody is ready to do
	Following Kind = 's' // what was asked, done and said
	Signing   Kind = 'a' // accounts and what is done with them
	Technical Kind = 't' // numbers and keys; says nothing of a person by itself
)

// Kinds in the order in which a register lists them.
var Kinds = []Kind{Identity, Reaching, Needs, Following, Signing, Technical}

// KindNames are those of the register.
var KindNames = map[Kind]string{
	Identity: "état civil, identité", Reaching: "coordonnées", Needs: "besoins d’aide et disponibilités", Following: "suivi des demandes et des visites",
	Signing: "comptes et connexions", Technical: "numéros et clés techniques",
}

// Holding is one struct of the store, or one that is sealed in a box, and what each
// of its fields means. This table is the register's and the answer's: a test walks
// the structs and fails where the two differ.
type Holding struct {
	Struct string      // "people.Beneficiary"
	For    []Treatment // that it serves; several only for what others are made of
	Sealed bool        // its words are in a box under the person's own key
	fields string      // a line each: name, kind, French | English
}

// Field is one field of a struct.
type Field struct {
	Name   string // of the Go field
	Kind   Kind
	French string
	Plain  string // in English
}

// Fields reads the lines.
func (h Holding) Fields() (out []Field) {
	for line := range strings.Lines(common + h.fields) {
		name, rest, ok := strings.Cut(strings.TrimSpace(line), " ")
		if !ok {
			continue
		}
		kind, words, _ := strings.Cut(rest, " ")
		french, english, _ := strings.Cut(words, " | ")
		out = append(out, Field{name, Kind(kind[0]), french, english})
	}
	return out
}

// common are fields that mean the same wherever they stand.
const common = `
ID t numéro interne
Version t numéro de version
Leaf t place de la clé de la personne
Box t paroles chiffrées sous la clé de la personne
Boxed t version du chiffrement
`

// Common says of a field that it is one of those.
func Common(name string) bool { return strings.Contains(common, "\n"+name+" ") }

// Impersonal are structs of the store in which nothing is about a person, with why.
var Impersonal = map[string]string{
	"catalogue.ActionType": "les types d’aide proposés", "territory.Territory": "le territoire lui-même",
	"replica.Replica": "les machines du territoire", "replica.Invitation": "les invitations de machines", "replica.Release": "les redémarrages de machines",
	"backup.Destination": "les lieux de sauvegarde", "egress.Feed": "le registre de ce qui sort", "egress.Leaf": "les messages sortis, sans nom",
	"egress.Hash": "les empreintes de ces messages", "egress.RosterEntry": "la charte de la fédération", "egress.Membership": "l’adhésion à la fédération",
	"notice.Notice": "les bulletins nationaux", "notice.Piece": "les pièces jointes des bulletins", "notice.Reading": "la lecture des bulletins",
	"release.Vector": "les chiffres d’un trimestre", "release.Released": "les chiffres publiés",
	"handover.Handover": "les fichiers passés d’un territoire à l’autre",
	"rights.Text":       "les textes d’information", "rights.Choice": "les durées de conservation choisies",
}

// Holdings is the table.
var Holdings = []Holding{
	{"people.Beneficiary", []Treatment{Isolation}, false, `
State s suivie ou non | accompanied or not
Commune c commune de résidence | home commune
Preferred b bénévoles qu’elle préfère | volunteers she prefers
Refused b bénévoles qu’elle ne souhaite pas | volunteers she does not wish
Enrolled s inscription | enrolment
Visits s visites à domicile déjà faites | home visits that took place
CallAfter s à ne pas rappeler avant | not to be called before
Missed s appels sans réponse depuis le dernier échange | calls without answer since the last talk
Standing s droits exercés et information donnée | rights used and notice given`},
	{"people.Enrolment", []Treatment{Isolation}, false, `
At s date d’inscription | day of enrolment
By a agent qui a inscrit | agent who enrolled
Basis s base légale de l’inscription | legal basis of the enrolment
Notice s information donnée à l’inscription | notice given at enrolment
NoticeAt s date de cette information | day of that notice
Import t fichier d’origine | file of origin`},
	{"people.BeneficiaryWords", []Treatment{Isolation}, true, `
Civility i civilité | title
Last i nom | last name
First i prénom | first name
Birth i date ou année de naissance | date or year of birth
Phones c téléphones | telephone numbers
Modes c moyens de contact préférés | preferred ways of contact
Email c courriel | e-mail
Address c adresse | address
Entry c comment entrer | how to enter
Postcode c code postal | postcode
Needs b ce qui aide | what helps
Languages b langues parlées | languages spoken
Trusted c personne de confiance | trusted person
Emergency c personne à prévenir | person to tell
MayAsk c qui peut demander en son nom | who may ask in her name
TrustWord c mot convenu | agreed word
Note b observations de l’accueil | notes of the desk
Paper c langue des papiers | language of papers`},
	{"people.Phone", []Treatment{Isolation, Volunteering}, true, `
Number c numéro | number
Label c libellé | label
Ring c consigne d’appel | how to ring`},
	{"people.Contact", []Treatment{Isolation}, true, `
Name i nom | name
Phone c téléphone | telephone
Link i lien | link`},
	{"people.Volunteer", []Treatment{Volunteering}, false, `
Status s étape du parcours de bénévole | status as a volunteer
Since s depuis | since
Offer b ce qu’il est prêt à faire | what he is ready to do
Joined s date d’arrivée | day of joining
Import t fichier d’origine | file of origin
Done s actions faites | actions done
Next s jour de la prochaine étape | day of the next step
Standing s droits exercés et information donnée | rights used and notice given`},
	{"people.Readiness", []Treatment{Volunteering}, false, `
Commune c commune de départ | commune he starts from
Association i association qui se porte garante | association that vouches for him
RadiusKm b distance acceptée, en kilomètres | distance accepted, in kilometres
Kinds b types d’aide choisis | kinds of help chosen
Car b a une voiture | has a car
Seats b places dans la voiture | seats in the car
PerWeek b sollicitations par semaine au plus | at most asked so often a week
Week b demi-journées libres | free half-days
Absences b absences | absences`},
	{"people.Absence", []Treatment{Volunteering}, false, `
From b du | from
To b au | to`},
	{"people.VolunteerWords", []Treatment{Volunteering}, true, `
Civility i civilité | title
Last i nom | last name
First i prénom | first name
Birth i date ou année de naissance | date or year of birth
Phones c téléphones | telephone numbers
Email c courriel | e-mail
Address c adresse | address
CarText b description de la voiture | description of the car
Languages b langues parlées | languages spoken
Note b observations de l’accueil | notes of the desk
Paper c langue des papiers | language of papers`},
	{"people.Import", []Treatment{Isolation, Volunteering}, false, `
State t état de l’import
Rows t nombre de lignes
Used t fiches modifiées depuis
Begun t date de l’import
By a agent qui a importé | agent who imported
Closed t date à laquelle les fiches sont visibles
Counted t parties comptées dans les chiffres
Hidden t date d’annulation`},
	{"people.ImportWords", []Treatment{Isolation, Volunteering}, true, `
File t nom du fichier
Digest t empreinte du fichier
Kept t lignes retenues`},
	{"request.Request", []Treatment{Isolation, Volunteering}, false, `
Beneficiary t numéro de la personne aidée
Type s type d’aide | kind of help
Commune c commune | commune
State s état | state
Wish s moment souhaité | time wished for
Plan s visite prévue | planned visit
Askings s bénévoles sollicités et réponses | volunteers asked and their answers
Believes s ce que la personne sait de la visite | what she knows of the visit
Counted t déjà compté dans les chiffres
Outcome s comment cela s’est passé | how it went
Opened s demandé le | asked on
Series t série d’origine
Occurrence s jour dans la série | day of the series
Thanks s remerciements | thanks
Across s aide d’un territoire voisin | help by a neighbouring territory`},
	{"request.Wish", []Treatment{Isolation}, false, `
Kind s souplesse | flexibility
Day s jour | day
Half s demi-journée | half-day
Minute s heure, en minutes depuis minuit | time, in minutes since midnight`},
	{"request.Plan", []Treatment{Isolation}, false, `
Seats s bénévoles prévus | volunteers planned
Minutes s durée, en minutes | length, in minutes
Start s début | start
Exception s seul par exception à la règle de deux | alone, by exception to the rule of two
Car s avec voiture | with a car`},
	{"request.Asking", []Treatment{Isolation, Volunteering}, false, `
Volunteer s bénévole | volunteer
At s sollicité le | asked on
Answer s réponse | answer
Answered s répondu le | answered on
Offer t proposition d’origine`},
	{"request.Belief", []Treatment{Isolation}, false, `
Coming s bénévoles annoncés | volunteers announced
Start s début annoncé | start announced
Over s annulation annoncée | told that it is off
Across s aide d’un voisin annoncée | told of help by a neighbour`},
	{"request.Outcome", []Treatment{Isolation, Volunteering}, false, `
At s noté le | noted on
Why s raison | reason
Minutes s durée, en minutes | length, in minutes
Metres s trajet, en mètres | way, in metres
Box t paroles chiffrées`},
	{"request.Thanks", []Treatment{Isolation, Volunteering}, false, `
At s remercié le | thanked on
Box t paroles chiffrées
Seen s lus par | read by`},
	{"request.Words", []Treatment{Isolation}, true, `
Note b précisions | details
Exception s raison de l’exception à la règle de deux | reason for the exception to the rule of two`},
	{"request.OutcomeWords", []Treatment{Isolation}, true, `
Word s ce qui en a été dit | what was said of it`},
	{"request.ThanksWords", []Treatment{Isolation}, true, `
Line s mot de remerciement | line of thanks`},
	{"series.Series", []Treatment{Isolation}, false, `
Beneficiary t numéro de la personne aidée
Type s type d’aide | kind of help
State s état | state
Terms s rythme | rhythm
Skips s jours sans visite | days without a visit
Through s préparée jusqu’au | prepared until
Opened s demandée le | asked on`},
	{"series.Terms", []Treatment{Isolation}, false, `
Rule s règle | rule
From s à partir du | from
Until s jusqu’au | until
Holidays s aussi les jours fériés | on public holidays, too
Plan s visite prévue | planned visit
Standing s bénévoles habituels | usual volunteers
Told s la personne a été prévenue | she was told`},
	{"series.Rule", []Treatment{Isolation}, false, `
Rhythm s fréquence | frequency
Weekday s jour de la semaine | day of the week
Nth s rang dans le mois | place in the month
Half s demi-journée | half-day
Minute s heure, en minutes depuis minuit | time, in minutes since midnight`},
	{"contact.Attempt", []Treatment{Isolation}, false, `
Beneficiary t numéro de la personne appelée
At s appelée le | called on
By a agent qui a appelé | agent who called
Result s résultat de l’appel | result of the call
Means s moyen | means
About t visites dont il a été parlé`},
	{"bond.Bond", []Treatment{Isolation, Volunteering}, false, `
Beneficiary t numéro de la personne aidée
Volunteer s bénévole | volunteer
Since s se voient depuis | see each other since
NextCheck s prochain appel de l’accueil | next call of the desk
State s état | state
Why s raison de la fin | reason of the end
Checks s appels de suivi | calls to ask how it goes
Changed s noté le | noted on`},
	{"offer.Offer", []Treatment{Volunteering}, false, `
Volunteer t numéro du bénévole
Trip b proposition | offer
State s état | state
Taken t demandes qui en profitent
Declined t personnes qui n’en ont pas voulu
Made s faite le | made on`},
	{"offer.Trip", []Treatment{Volunteering}, false, `
Types b types d’aide | kinds of help
Destination b lieu | place
Day b jour | day
Half b demi-journée | half-day
Minute b heure, en minutes depuis minuit | time, in minutes since midnight
Places b places | places
Until b jusqu’au | until`},
	{"offer.Words", []Treatment{Volunteering}, true, `
Line b précision | detail`},
	{"account.Account", []Treatment{Access}, false, `
Login a identifiant | login
Password a mot de passe, haché et chiffré | password, hashed and sealed
Roles a rôles | roles
Of t numéro du bénévole titulaire
Closed a compte fermé | account closed
Made a ouvert le | opened on
Grants a rôles et portée | roles and how far they reach
Her t numéro de la personne dont c’est la carte`},
	{"account.Grant", []Treatment{Access}, false, `
Role a rôle | role
Communes a communes | communes
Association a association | association
Until a jusqu’au | until
For t compte remplacé`},
	{"account.Words", []Treatment{Access}, true, `
Name i nom affiché | name shown`},
	{"account.Session", []Treatment{Access}, false, `
Account t compte
Opened a ouverte le | opened on
Expires a expire le | ends on
Bearer a programme, pas navigateur | a program, not a browser
As a rôle exercé | role worn
Fresh a dernière preuve d’identité | credential last shown
Means a moyen de connexion | way of signing in
Device a sorte d’appareil | sort of device
Used a dernière activité, à l’heure près | last activity, to the hour
Missed a essais ratés depuis l’entrée précédente | failed tries since the entry before`},
	{"credential.Set", []Treatment{Access}, false, `
Account t compte
TOTP a code du téléphone | code of the telephone
Recovery a codes de secours sur papier, en empreintes | recovery codes on paper, as digests
Passkeys a clés d’accès | passkeys
Links a entrées par un autre service | ways in by another service`},
	{"credential.TOTP", []Treatment{Access}, false, `
Step t dernier code accepté
Made a ajouté le | added on
Used a dernière utilisation | last used`},
	{"credential.Passkey", []Treatment{Access}, false, `
Counter t compteur de la clé
Flags t propriétés de la clé
Made a ajoutée le | added on
Used a dernière utilisation | last used`},
	{"credential.Link", []Treatment{Access}, false, `
Digest t empreinte de l’identifiant chez cet autre service
Made a ajoutée le | added on
Used a dernière utilisation | last used`},
	{"credential.Glass", []Treatment{Access}, false, `
At a date de l’entrée de secours | day of the emergency entry
Account a compte ouvert | account opened
Machine t machine
Until a fin de l’entrée de secours | end of the emergency entry
Order t rang`},
	{"journal.Key", []Treatment{Access}, false, `
Month t mois du journal
Made t date de la clé`},
	{"journal.Entry", []Treatment{Access}, false, `
Index t rang dans le journal
Leaf t empreinte de l’entrée et de la précédente
Hashes t empreintes de l’arbre`},
	{"journal.Leaf", []Treatment{Access}, false, `
Replica t machine
Seq t rang sur cette machine
Month t mois du journal
After t empreinte de l’entrée précédente`},
	{"journal.Book", []Treatment{Access}, false, `
Size t nombre d’entrées
Pruned t entrées dont le contenu est effacé
Chains t suites de chaque machine
Head t tête signée`},
	{"journal.Chain", []Treatment{Access}, false, `
Replica t machine
Next t entrées enregistrées
Last t empreinte de la dernière
At t date de la dernière
Written t entrées annoncées par la machine`},
	{"journal.Head", []Treatment{Access}, false, `
Size t nombre d’entrées
Root t empreinte de l’arbre
Signed t signatures des machines
Keys t machines qui ont signé
Of t nombre de machines
At t date de la signature`},
	{"journal.Body", []Treatment{Access}, true, `
Kind a sorte d’entrée | kind of entry
At a date et heure | day and hour
By a compte qui a lu | account that read
Role a rôle exercé | role worn
Means a moyen de connexion | way of signing in
Purpose a motif de la consultation | purpose of the reading
Screen a page consultée | page read
Request t demande en cours
Who a personnes montrées | people shown
Alone t machine seule au moment de la lecture
From t début d’une perte
About a dossier ouvert | dossier opened`},
	{"erasure.Erasure", []Treatment{Access}, false, `
At t date
By a demandé par | asked by
Index t rang dans le journal des machines
Order t rang de la clé
From t ancienne clé
To t nouvelle clé
Who t numéros des fiches effacées
Holders t machines qui avaient l’ancienne clé
Copies t sauvegardes qui avaient l’ancienne clé
Certified t certifié le
Released t rang de la dernière machine`},
	{"erasure.Erased", []Treatment{Access}, false, `
Collection t sorte de fiche
Slot t place de la clé effacée`},
	{"erasure.Holder", []Treatment{Access}, false, `
Replica t machine
Name t nom de la machine
Root t clé tenue depuis
At t date
Destroyed t coffre détruit le
DestroyedBy a dit par | said by
How t comment`},
	{"erasure.Copy", []Treatment{Access}, false, `
Destination t lieu
Name t nom du lieu
Root t clé de la sauvegarde suivante
At t date
Deleted t supprimée le
DeletedBy a dit par | said by`},
	{"erasure.Gone", []Treatment{Access}, false, `
Collection t sorte de fiche
At t effacée le
Login a identifiant, qui ne sert plus à personne | login, taken for ever`},
	{"erasure.Wanted", []Treatment{Access}, false, `
Collection t sorte de fiche
At t demandé le
By a demandé par | asked by
Withdraw t annuler ce qui est prévu`},
	{"across.Offer", []Treatment{Federation}, false, `
State t état
Terms t ce qui est proposé aux voisins, sans nom
Name t numéro du message sorti
Asked s bénévoles à qui l’on a demandé leur accord | volunteers asked for their consent
Met s échanges avec les voisins | exchanges with neighbours
Made t faite le`},
	{"across.Asked", []Treatment{Federation}, false, `
Volunteer t numéro du bénévole
Consent s accord | consent
At s donné le | given on
By a noté par | noted by`},
	{"across.Met", []Treatment{Federation}, false, `
Interest t numéro du message du voisin
State s état | state
Slots s fois | times
Week s semaine | week
Volunteer t numéro du bénévole
At s date | day
Heard s reçu le | heard on
Outcome s issue | outcome`},
	{"across.Interest", []Treatment{Federation}, false, `
State t état
Request t demande concernée
Offer t numéro du message du voisin
Terms t ce que le voisin propose
Slots t fois
Week t semaine
Name t numéro du message sorti
At t date
Moved t dernier changement
Outcome t issue`},
	{"handover.Part", []Treatment{Isolation}, false, `
Digest t empreinte du fichier
Part t partie
Who t numéros des fiches passées à un autre territoire`},
	{"handover.Passed", []Treatment{Isolation}, false, `
_ t forme`},
	{"release.Tally", []Treatment{Isolation, Volunteering}, false, `
Collection t sorte de fiche
Uses t ce qui est déjà compté, par trimestre`},
	{"release.Use", []Treatment{Isolation, Volunteering}, false, `
Quarter t trimestre
Helped t comptée aidée
Recorded t actions comptées
Fates t issues comptées
Paired t duos comptés
Enrolled t inscription comptée
Bonds t liens comptés
Came t venues comptées
Minutes t minutes comptées
Joined t arrivée comptée
Offered t propositions comptées`},
	{"rights.Standing", []Treatment{Isolation, Volunteering}, false, `
Restricted s fiche mise de côté depuis | file set aside since
Objects s usages refusés | uses objected to
Objected s refus dit le | objection said on
Told s information donnée | notice given
Same s autre fiche de la même personne, avec son accord | another file of the same person, with her consent`},
	{"rights.Said", []Treatment{Isolation, Volunteering}, false, `
At s le | on
How s par | by`},
	{"rights.Told", []Treatment{Isolation, Volunteering}, false, `
At s le | on
How s par | by`},
	{"rights.Same", []Treatment{Isolation, Volunteering}, false, `
Collection t sorte de fiche
Agreed s accord donné | consent given`},
	{"rights.Case", []Treatment{Access}, false, `
Demand s droit exercé | right used
State s état | state
Collection t sorte de fiche
Who t numéro de la fiche
Received s reçue le | received on
Due s à répondre avant le | to be answered by
Asker s qui a demandé | who asked
Check s comment l’identité a été vérifiée | how the identity was checked
Extended s raison de la prolongation | reason of the extension
Why s raison du refus | reason of declining
Opened s notée le | noted on
By a notée par | noted by
Closed s close le | closed on`},
	{"rights.CaseWords", []Treatment{Access}, true, `
Note s note | note`},
	{"rights.Sorting", []Treatment{Access}, false, `
At t date
By a demandé par | asked by
Digest t empreinte
Months t durées appliquées
Expired t fiches trouvées
Tallies t nombres par règle
More t il y en a d’autres
Approved t approuvé le
Approver a approuvé par | approved by`},
	{"rights.Expired", []Treatment{Access}, false, `
Rule t règle
Collection t sorte de fiche
Last t dernier contact`},
	{"rights.Tally", []Treatment{Access}, false, `
Rule t règle
Found t trouvées
Goes t effacées
Stays t gardées`},
	{"rights.Breach", []Treatment{Access}, false, `
Facts s faits | facts
Written s notée le | noted on
By a notée par | noted by
Closed s close le | closed on`},
	{"rights.Facts", []Treatment{Access}, false, `
Known s connue le | known on
From s du | from
To s au | to
Harm s atteinte | harm
Risk s risque | risk
Account a compte en cause | account concerned
People s personnes concernées | people concerned
Notified s CNIL prévenue le | CNIL told on
Informed s personnes prévenues le | people told on`},
	{"rights.BreachWords", []Treatment{Access}, true, `
What s ce qui s’est passé | what happened
Effects s conséquences | consequences
Measures s mesures | measures`},
	{"store.History", []Treatment{Access}, false, `
At a date de la modification | day of the change
By a compte qui a modifié | account that changed
Command t sorte de modification`},
	{"store.Replay", []Treatment{Access}, false, `
Kind t sorte de commande
Digest t empreinte
Index t rang
Refusal t refus
At t date
Clash t visite en conflit`},
}
