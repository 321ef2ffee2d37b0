package alarm

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/bippop/bippop/node"
)

// From is which machine writes.
type From struct {
	Siren   string // of the territory, "" while sealed
	Machine string // its host name, as the operator gave it
}

// said is what a letter says about a kind, in one language: what is the case, with
// one place for the number, and what to do.
type said struct{ title, what, todo string }

var french = map[Kind]said{
	BackupOld:                   {"sauvegarde des données trop ancienne", "La dernière sauvegarde des données a {n} heure(s).", "Ouvrez « Sauvegardes » : la page dit quelle destination a échoué et pourquoi. Faites-en une tout de suite : bippop backup."},
	KeyBackupOld:                {"sauvegarde des clés à refaire", "La sauvegarde des clés ne correspond plus à la clé en vigueur, ou il n’y en a pas encore (destinations en retard : {n}). Sans elle, une perte de toutes les machines est définitive, et un effacement reste en attente.", "Ouvrez « Sauvegardes » et refaites la sauvegarde des clés à chaque destination en retard ; détruisez l’ancienne."},
	ReplicaLost:                 {"une machine ne répond plus", "Elle n’a plus été entendue depuis plus de deux minutes.", "Regardez si elle est allumée et si le réseau passe : systemctl status bippop. Elle rattrape seule ce qu’elle a manqué. Perdue pour de bon ? « Machines » → Retirer, puis bippop join sur une autre."},
	ErasureWaits:                {"un effacement attend", "Effacements qui attendent depuis plus de 24 heures : {n}.", "Ouvrez « Effacements » : la page nomme la machine ou la sauvegarde qui manque. Une machine perdue : faites noter que son coffre est détruit."},
	LeaderFlaps:                 {"les machines changent sans cesse de meneuse", "Changements en dix minutes : {n}.", "Cherchez un disque lent, un réseau qui coupe ou une machine surchargée : journalctl -u bippop sur chacune."},
	NoLeader:                    {"rien ne peut plus être enregistré", "Cette machine n’entend plus de meneuse depuis deux minutes : il manque une majorité.", "Rallumez les autres machines et déverrouillez-les : bippop unseal. Ne retirez aucune machine avant d’avoir compris."},
	DiskLow:                     {"disque presque plein", "Il reste {n} Mio sur le disque des données. Sous 256 Mio, plus rien n’est enregistré ; la lecture continue.", "Libérez de la place ; l’écriture reprend d’elle-même."},
	Certificate:                 {"certificat bientôt échu", "Le certificat de cette machine échoit dans {n} jour(s). Il aurait dû se renouveler seul.", "Vérifiez l’horloge (timedatectl) et que cette machine parle aux autres, puis redémarrez-la."},
	Sealed:                      {"verrouillée", "Cette machine est démarrée mais verrouillée : elle ne sert rien.", "Déverrouillez-la, sur la machine même : bippop unseal."},
	Faulty:                      {"une machine est en défaut", "Cette machine signale un défaut et ne fait plus tout son travail.", "Cherchez le code ci-dessus dans deploy/operator.md, « When something is wrong » ; journalctl -u bippop en dit plus."},
	Kind(node.TroubleFrozen):    {"ce que dit le territoire est gelé", "Deux versions signées de ce que le territoire a dit se contredisent. Plus rien ne sort ; tout le reste continue.", "Ne restaurez rien, n’effacez rien. Envoyez à la coordination les deux textes de la page « Fédération », et cherchez une machine copiée ou restaurée deux fois."},
	Kind(node.TroubleExpired):   {"la liste de la fédération est échue", "Rien n’est envoyé ni reçu tant que la liste des membres n’est pas renouvelée.", "Appelez la coordination : elle fait signer une liste prolongée, qui arrive ensuite toute seule."},
	Kind(node.TroubleBehind):    {"ce programme est trop ancien pour la fédération", "La liste des membres contient des lignes que ce programme ne sait pas lire ; il garde l’ancienne.", "Installez la dernière version de bippop, une machine après l’autre."},
	Kind(node.TroubleHubs):      {"les relais de la fédération ne répondent pas", "Depuis une heure, aucun échange avec les relais n’a abouti : rien ne sort, rien n’arrive.", "Regardez si la machine qui mène atteint Internet en UDP et en TCP : bippop federation status dit ce que chaque relais répond. Si le réseau est bon, appelez la coordination."},
	Kind(node.TroubleStale):     {"la liste de la fédération n’est plus confirmée", "Depuis sept jours, aucun relais n’a confirmé que notre liste des membres est la plus récente.", "Regardez le réseau : bippop federation status. Si les relais répondent, appelez la coordination."},
	Kind(node.TroubleNoOffers):  {"les nouvelles des voisins n’arrivent plus", "Depuis trente jours, notre liste des membres et des voisins n’est plus confirmée ; ce que disent les voisins n’est plus lu.", "Rétablissez la liaison avec les relais : bippop federation status. Sinon, appelez la coordination."},
	Kind(node.TroubleRelease):   {"les chiffres du trimestre ne sont pas partis", "Ils auraient dû partir le dixième jour après la fin du trimestre.", "Ouvrez « Ce qui est sorti » et « Fédération » : la page dit ce qui manque. bippop federation status le dit aussi."},
	Kind(node.TroubleBulletins): {"un message de la coordination n’a pas pu être gardé", "Il est arrivé, et n’a pas pu être enregistré ; la machine essaie encore.", "Voyez le disque et les autres machines, puis journalctl -u bippop sur la machine qui mène. Si le message n’est pas lisible, installez la dernière version de bippop."},
	Kind(node.TroubleClock):     {"l’horloge n’est pas à l’heure", "La machine qui mène et un relais diffèrent de plus de cinq minutes.", "Vérifiez l’horloge de chaque machine : timedatectl. Si elle est juste, appelez qui tient le relais."},
}

var english = map[Kind]said{
	BackupOld:                   {"the data backup is too old", "The latest data backup is {n} hour(s) old.", "Open “Backups”: the page says which destination has failed and why. Make one now: bippop backup."},
	KeyBackupOld:                {"the key backup must be made again", "The key backup does not fit the key in force any more, or there is none yet (destinations behind: {n}). Without it the loss of all machines is final, and an erasure stays pending.", "Open “Backups” and make the key backup again at each destination that is behind; destroy the older one."},
	ReplicaLost:                 {"a machine does not answer", "It has not been heard for more than two minutes.", "See whether it is switched on and the network passes: systemctl status bippop. It catches up by itself. Gone for good? “Machines” → Remove, then bippop join on another."},
	ErasureWaits:                {"an erasure is pending", "Erasures that have waited for more than 24 hours: {n}.", "Open “Erasures”: the page names the machine or the backup that is missing. For a machine that is lost, have it recorded that its vault is destroyed."},
	LeaderFlaps:                 {"the machines keep changing their leader", "Changes within ten minutes: {n}.", "Look for a slow disk, a network that drops or an overloaded machine: journalctl -u bippop on each."},
	NoLeader:                    {"nothing can be recorded any more", "This machine has heard of no leader for two minutes: a majority is missing.", "Bring the other machines back and unseal them: bippop unseal. Remove no machine before you know why."},
	DiskLow:                     {"the disk is almost full", "{n} MiB are left on the disk of the data. Below 256 MiB nothing is recorded; reading goes on.", "Free some space; writing resumes by itself."},
	Certificate:                 {"a certificate expires soon", "The certificate of this machine expires in {n} day(s). It should have renewed itself.", "Check the clock (timedatectl) and that this machine talks to the others, then restart it."},
	Sealed:                      {"sealed", "This machine has been started but is sealed: it serves nothing.", "Unseal it, on the machine itself: bippop unseal."},
	Faulty:                      {"a machine is faulty", "This machine reports a fault and does not do all of its work.", "Look the code above up in deploy/operator.md, “When something is wrong”; journalctl -u bippop says more."},
	Kind(node.TroubleFrozen):    {"what the territory says is frozen", "Two signed versions of what the territory has said contradict each other. Nothing leaves any more; everything else goes on.", "Restore nothing, erase nothing. Send both texts on the page “Federation” to the coordinator, and look for a machine that was copied or restored twice."},
	Kind(node.TroubleExpired):   {"the federation’s roster has expired", "Nothing is sent or taken in until the roster is renewed.", "Call the coordinator: a longer roster is signed there, and arrives by itself."},
	Kind(node.TroubleBehind):    {"this program is too old for the federation", "The roster has entries that this program cannot read; it keeps to the older one.", "Install the newest bippop, one machine after the other."},
	Kind(node.TroubleHubs):      {"the federation’s hubs do not answer", "For an hour no exchange with the hubs has succeeded: nothing leaves, nothing arrives.", "See whether the machine that leads reaches the Internet by UDP and TCP: bippop federation status says what each hub answers. If the network is fine, call the coordinator."},
	Kind(node.TroubleStale):     {"the federation’s roster is not confirmed any more", "For seven days no hub has confirmed that our roster is the newest.", "Look at the network: bippop federation status. If the hubs answer, call the coordinator."},
	Kind(node.TroubleNoOffers):  {"nothing arrives from the neighbours", "For thirty days our list of members and neighbours has not been confirmed; what the neighbours say is not read any more.", "Restore the connection to the hubs: bippop federation status. Else call the coordinator."},
	Kind(node.TroubleRelease):   {"the quarter’s figures have not left", "They should have left on the tenth day after the quarter’s end.", "Open “What has left” and “Federation”: the page says what is missing. So does bippop federation status."},
	Kind(node.TroubleBulletins): {"a message of the coordinator could not be kept", "It has arrived and could not be recorded; the machine goes on trying.", "See the disk and the other machines, then journalctl -u bippop on the machine that leads. If the message cannot be read, install the newest bippop."},
	Kind(node.TroubleClock):     {"the clock is off", "The machine that leads and a hub differ by more than five minutes.", "Check the clock of each machine: timedatectl. If it is right, call whoever runs the hub."},
}

var frenchPhase = map[Phase]string{Begins: "ALERTE", Stands: "RAPPEL", Ended: "TERMINÉ", Test: "ESSAI"}

// Subject is the line by which a mail is recognised, in French.
func (l Letter) SubjectLine(f From) string {
	title := french[l.Kind].title
	if l.Phase == Test {
		title = "les alertes arrivent"
	}
	if l.Subject != "" {
		title += " (" + l.Subject + ")"
	}
	return fmt.Sprintf("[bippop %s] %s : %s", f.Machine, frenchPhase[l.Phase], title)
}

// Text is the letter in French, then in English.
func (l Letter) Text(f From) string {
	var b strings.Builder
	if l.Phase == Test {
		fmt.Fprintf(&b, "Ceci est un essai : les alertes de la machine %s arrivent. Rien à faire.\n", f.Machine)
		fmt.Fprintf(&b, "\n-- \nThis is a test: alerts of the machine %s arrive. Nothing to do.\n", f.Machine)
		return b.String()
	}
	l.write(&b, french[l.Kind], f, lines{"Machine", "Territoire", "Concerne", "Depuis", "C’est terminé.", "À faire"})
	b.WriteString("\n-- \n")
	l.write(&b, english[l.Kind], f, lines{"Machine", "Territory", "About", "Since", "This has ended.", "To do"})
	return b.String()
}

type lines struct{ machine, territory, about, since, ended, todo string }

func (l Letter) write(b *strings.Builder, s said, f From, n lines) {
	title := []rune(s.title)
	fmt.Fprintf(b, "%s%s\n\n", strings.ToUpper(string(title[:1])), string(title[1:]))
	if l.Phase == Ended {
		fmt.Fprintln(b, n.ended)
	} else {
		fmt.Fprintln(b, strings.ReplaceAll(s.what, "{n}", strconv.FormatInt(l.Value, 10)))
	}
	fmt.Fprintf(b, "\n%s: %s\n", n.machine, f.Machine)
	if f.Siren != "" {
		fmt.Fprintf(b, "%s: %s\n", n.territory, f.Siren)
	}
	if l.Subject != "" {
		fmt.Fprintf(b, "%s: %s\n", n.about, l.Subject)
	}
	fmt.Fprintf(b, "%s: %s\n", n.since, l.Since.UTC().Format("2006-01-02 15:04 MST"))
	if l.Phase != Ended {
		fmt.Fprintf(b, "\n%s: %s\n", n.todo, s.todo)
	}
}

// message is a letter for programs.
type message struct {
	Territory string    `json:"territory,omitempty"` // SIREN
	Machine   string    `json:"machine"`
	Phase     Phase     `json:"phase"`
	Kind      Kind      `json:"kind,omitempty"`
	Subject   string    `json:"subject,omitempty"`
	Value     int64     `json:"value,omitempty"`
	Since     time.Time `json:"since"`
	At        time.Time `json:"at"`
	Title     string    `json:"title"`
	Text      string    `json:"text"`
}

func (l Letter) message(f From) message {
	return message{f.Siren, f.Machine, l.Phase, l.Kind, l.Subject, l.Value, l.Since.UTC(), l.At.UTC(), l.SubjectLine(f), l.Text(f)}
}
