package web_test

import (
	"io"
	"log/slog"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/bippop/bippop/api/web"
	"github.com/bippop/bippop/node"
)

func nthID(n byte) (id [16]byte) {
	return [16]byte{1, 144, 166, 242, 124, 0, 112, 0, 128, 15: n}
}

func ago(d time.Duration) node.Instant { return node.Instant(monday.Add(-d).UnixMilli()) }

// three machines, of which the last has none of the troubles that change sets.
func three(change func(*node.Cluster)) node.Cluster {
	c := node.Cluster{Quorum: 2, Up: 3, Leader: nthID(1), Index: 48211, Level: 2, Newest: 2}
	for i, name := range []string{"replica-1", "replica-2", "replica-3"} {
		c.Replicas = append(c.Replicas, node.Replica{
			ID: nthID(byte(i + 1)), Name: name, Peer: "10.0.0." + string(rune('1'+i)) + ":7400", URL: "https://entraide.example", State: node.ReplicaMember, Level: 2, Since: ago(200 * 24 * time.Hour),
			Here: i == 0, Leader: i == 0, Voter: true, Current: true, Alive: true, Heard: monday.Add(-time.Second),
			Said: node.Said{Applied: 48211, Free: 41_300_000_000, Program: "1.4.0", Expires: monday.Add(60 * 24 * time.Hour)},
		})
	}
	if change != nil {
		change(&c)
	}
	return c
}

func scenes() web.Scenes {
	erased := node.Erasure{
		ID: nthID(40), At: ago(50 * time.Hour), From: "9f31c07a52b84e6dd0a1f4437be8c915", To: "07d2aa61f85c4b93ae40c6171d9e33f0",
		Who:       []node.ErasedRecord{{Kind: node.ErasableBeneficiary, ID: nthID(51)}, {Kind: node.ErasableVolunteer, ID: nthID(52)}, {Kind: node.ErasableAccount, ID: nthID(53)}, {Kind: node.ErasableImport, ID: nthID(54)}},
		Holders:   []node.Holder{{Replica: nthID(1), Name: "replica-1", Gone: ago(49 * time.Hour)}, {Replica: nthID(2), Name: "replica-2", Gone: ago(49 * time.Hour)}, {Replica: nthID(4), Name: "replica-4", Destroyed: ago(20 * time.Hour), How: "disque broyé le 3 mai, PV n° 12"}},
		Backups:   []node.BackupWait{{Destination: nthID(61), Name: "coffre du CCAS", Replaced: ago(20 * time.Hour)}},
		Certified: ago(20 * time.Hour),
	}
	pending := erased
	pending.ID, pending.At, pending.Certified = nthID(41), ago(2*time.Hour), 0
	pending.Holders = []node.Holder{{Replica: nthID(1), Name: "replica-1", Gone: ago(2 * time.Hour)}, {Replica: nthID(3), Name: "replica-3"}}
	pending.Backups = []node.BackupWait{{Destination: nthID(61), Name: "coffre du CCAS"}}
	every := []string{"vault-copies", "one-replica", "backups-35-days", "manual-backups"}
	town := node.Territory{Name: "CC du Réolais en Sud Gironde", Siren: "200044394"}
	folder := node.Destination{ID: nthID(62), Name: "disque de la salle 2", Kind: node.FolderDestination, Replica: nthID(2), Path: "/mnt/sauvegarde", Recipients: []string{"age1pqx"}, Last: ago(3 * time.Hour), Bytes: 1_412_000_000}
	safe := node.Destination{ID: nthID(61), Name: "coffre du CCAS", Kind: node.ManualDestination, Keys: true, Recipients: []string{"age1pqx", "age1pqy"}, Last: ago(30 * time.Hour), Bytes: 48_000, Current: true}
	late, stale, failed, other := folder, safe, folder, safe
	late.Last, stale.Current = ago(40*time.Hour), false
	failed.ID, failed.Fault, failed.Last = nthID(63), "disk-full", 0
	other.ID, other.Kind, other.Current, other.Replica, other.Path = nthID(64), node.FolderDestination, false, nthID(1), "/mnt/cles"
	return web.Scenes{
		Clusters: map[string]node.Cluster{
			"fine":  three(nil),
			"alone": {Quorum: 1, Up: 1, Leader: nthID(1), Level: 2, Newest: 2, Replicas: three(nil).Replicas[:1]},
			"silent": three(func(c *node.Cluster) {
				c.Up = 2
				c.Replicas[2].Alive, c.Replicas[2].Heard, c.Replicas[2].Level, c.Level = false, monday.Add(-4*time.Minute), 1, 1
			}),
			"stopped": three(func(c *node.Cluster) {
				c.Up, c.Leader = 1, node.ReplicaID{}
				c.Replicas[0].Leader = false
				c.Replicas[1].Alive, c.Replicas[2].Alive = false, false
				c.Replicas[2].Heard = time.Time{}
				c.Releases = []node.Release{{Replica: nthID(2), At: ago(time.Minute), Waiting: true, Why: "absent-too-long"}}
			}),
			"no-leader": three(func(c *node.Cluster) { c.Leader, c.Replicas[0].Leader = node.ReplicaID{}, false }),
			"troubled": three(func(c *node.Cluster) {
				for i, fault := range []string{"disk-full", "damaged", "log-stopped"} {
					c.Replicas[i].Said.Fault = fault
				}
				c.Replicas = append(c.Replicas, three(nil).Replicas...)
				for i, fault := range []string{"stuck", "root-missing", "something-new"} {
					c.Replicas[i+3].Said.Fault, c.Replicas[i+3].ID, c.Replicas[i+3].Leader, c.Replicas[i+3].Here = fault, nthID(byte(i+10)), false, false
				}
				c.Replicas[1].Said.Lag, c.Replicas[1].Said.Free, c.Replicas[1].Current, c.Replicas[1].Said.Expires = 51_000, 900_000_000, false, monday.Add(time.Hour)
				c.Replicas[5].State, c.Replicas[5].Voter = node.ReplicaJoining, false
			}),
			"removed": three(func(c *node.Cluster) {
				c.Replicas = append(c.Replicas, node.Replica{ID: nthID(4), Name: "replica-4", State: node.ReplicaRemoved}, node.Replica{ID: nthID(5), Name: "replica-5", State: node.ReplicaDestroyed})
				c.Releases = []node.Release{
					{Replica: nthID(3), At: ago(time.Minute), Waiting: true, Why: "other-address"}, {Replica: nthID(2), At: ago(time.Hour)}, {Replica: nthID(2), At: ago(30 * time.Hour), Why: "second-connection"},
				}
			}),
		},
		Token: "bip1-k7m2-9xq4-h3tv-w8rd",
		Removals: map[string]node.Consequence{
			"tight": {Voters: 2, Quorum: 2, Pending: true}, "spare": {Voters: 4, Quorum: 3, MayLose: 1}, "one": {Voters: 1, Quorum: 1}, "refused": {Voters: 0, Refused: "last-voter"},
		},
		Waiting: []node.Wanted{{ID: nthID(31), Kind: node.ErasableBeneficiary, Who: nthID(51), At: ago(10 * time.Minute)}, {ID: nthID(32), Kind: node.ErasableAccount, Who: nthID(53), At: ago(20 * time.Minute)}},
		Done:    []node.Erasure{pending, erased},
		Certificates: map[string]node.Certificate{
			"certified": {Erasure: erased, Territory: town, Limits: every[:1], Day: node.DayOf(monday.Add(35 * 24 * time.Hour))}, "pending": {Erasure: pending, Territory: town, Limits: every},
		},
		Backups: map[string]node.BackupStatus{
			"none": {}, "fine": {Destinations: []node.Destination{folder, safe}, NewestData: folder.Last, NewestKeys: safe.Last},
			"care": {Destinations: []node.Destination{late, failed, stale, other}, NewestData: late.Last, NewestKeys: stale.Last},
		},
		Signer: "bippop-signer-v1:3FmR9s0kQeYzv2b1uJw8Xc4LhTnPqAa6",
	}
}

// backstage serves the scenes of a town, and gives their paths.
func (t *town) backstage() (paths []string) {
	e := gin.New()
	paths = web.New(web.Config{Node: t.node, Logger: node.NewLogger(io.Discard, slog.LevelError)}).MountScenes(e, scenes())
	server := httptest.NewServer(e)
	t.Cleanup(server.Close)
	t.url = server.URL
	slices.Sort(paths)
	return paths
}

// mended are some of what the page of the machines says of the federation.
func mended() []string {
	return []string{"deux versions se contredisent", "la liste renouvelée viendra", "Installez la dernière version", "sort sur Internet, en UDP et en TCP", "ces sept derniers jours", "pendant trente jours", "partent le dixième jour", "n’a pas pu être gardé", "timedatectl"}
}

// TestBackstageSays: each page says how it stands, what follows, and what to do.
func TestBackstageSays(tt *testing.T) {
	t := newTown(tt)
	t.backstage()
	admin := t.browse("admin")
	for _, c := range []struct {
		path      string
		says, not []string
	}{
		{"replicas/fine", []string{"Les 3 machines sont à jour.", "L’une peut s’arrêter sans que personne le remarque.", "il y a 1 s", "41 Go libres", "valable jusqu’au 22 janvier 2027", "Un nombre impair de machines vote"}, []string{"Noter que le coffre", "Oui, c’est notre machine"}},
		{"replicas/alone", []string{"Elle est seule.", "il ne reste que les sauvegardes", "Il en faut deux de plus"}, []string{"Retirer cette machine", "Passer la main"}},
		{"replicas/silent", []string{"Le service marche, mais sans réserve.", "Si l’une s’arrête encore, plus rien ne s’écrit.", "il y a 4 min", "Elle se tait", "Son programme est plus ancien"}, []string{"Confier la conduite à replica-3"}},
		{"replicas/stopped", []string{"Il manque des machines : plus rien ne s’écrit.", "rien n’est perdu", "Oui, c’est notre machine", "Elle a été absente trop longtemps.", "pas encore entendue"}, nil},
		{"replicas/no-leader", []string{"Aucune machine ne mène en ce moment."}, nil},
		{"replicas/troubled", []string{"Son disque est plein.", "Ses données sont abîmées.", "Elle n’arrive plus à écrire.", "Elle n’avance plus.", "Il lui manque la clé", "journalctl", "aurait dû se renouveler", "Elle rattrape son retard.", "51000 écritures de retard", "À jour, elle votera d’elle-même."}, []string{"something-new", "Confier la conduite à"}},
		{"replicas/removed", []string{"Son coffre existe peut-être encore.", "retirée, coffre détruit", "Elle revient d’une autre adresse.", "rendue d’elle-même"}, nil},
		{"replicas-federation", append(mended(), "Avec la fédération", "depuis le 23 novembre", `href="/federation"`), nil},
		{"replicas-token", []string{"bippop join --token-file -", "bip1-k7m2-9xq4-h3tv-w8rd", "une seule"}, nil},
		{"remove/tight", []string{"Retirer replica-3 ?", "Il restera 2 machines qui votent ; si l’une s’arrête, plus rien ne s’écrit.", "Les effacements attendront"}, nil},
		{"remove/spare", []string{"Il restera 4 machines qui votent ; l’une peut s’arrêter sans gêner personne."}, []string{"Les effacements attendront"}},
		{"remove/one", []string{"Il restera une seule machine."}, nil},
		{"remove/refused", []string{"Il ne resterait aucune machine", "La garder"}, []string{"<button>Retirer"}},
		{"erasures", []string{"2 fiches seront effacées dans l’heure.", `href="/people/0190a6f2-7c00-7000-8000-000000000033"`, "en attente de replica-3", "en attente de la sauvegarde des clés « coffre du CCAS »", "certifié le 22 novembre 2026"}, []string{"Laforêt"}},
		{"erasures-none", []string{"Personne n’attend d’être effacé."}, nil},
		{"certificate/certified", []string{"Certificat d’effacement", "illisible pour toujours depuis le 22 novembre 2026", "9f31 c07a", "disque broyé le 3 mai", "a détruit l’ancienne clé", "copie plus ancienne d’un coffre", "Le 28 décembre 2026"}, []string{"En attente", "pas encore"}},
		{"certificate/pending", []string{"pas encore certifié", "En attente de replica-3", "En attente de la sauvegarde des clés « coffre du CCAS »", "n’a pas encore confirmé", "une seule machine", "35 jours", "rangée à la main"}, []string{"Certificat d’effacement"}},
		{"backups/none", []string{"Rien n’est sauvegardé pour l’instant.", "personne ne relit rien"}, nil},
		{"backups/fine", []string{"date d’aujourd’hui", "1,4 Go", "dossier de replica-2 : /mnt/sauvegarde", "2 personnes peuvent l’ouvrir", "bippop-signer-v1"}, []string{"Les clés ont changé"}},
		{"backups/care", []string{"La dernière sauvegarde est trop vieille.", "Les clés ont changé. Téléchargez", "Le dernier essai n’a pas marché.", "(disk-full)", "part d’elle-même"}, nil},
		{"backups-typed", []string{"Donnez au moins une clé publique", `value="coffre"`, ">age1x</textarea>"}, nil},
	} {
		_, html := admin.send("GET", "/scene/"+c.path, url.Values{})
		html = strings.ReplaceAll(strings.ReplaceAll(html, "\u00a0", " "), "&#39;", "'")
		for _, want := range c.says {
			if !strings.Contains(html, want) {
				t.Errorf("%s does not say %q:\n%s", c.path, want, html)
			}
		}
		for _, no := range c.not {
			if strings.Contains(html, no) {
				t.Errorf("%s says %q", c.path, no)
			}
		}
		if strings.Contains(html, "replicas.") || strings.Contains(html, "erasures.") || strings.Contains(html, "backups.") {
			t.Errorf("%s says a key", c.path)
		}
	}
}

// TestBackstageIsAccessible runs axe over the pages behind the desk in every scene.
func TestBackstageIsAccessible(tt *testing.T) {
	browser := chromium(tt)
	t := newTown(tt)
	paths := t.backstage()
	her, him := t.beneficiary("Mme", "Exemple", "Laforêt", "05 36 49 12 07"), t.volunteer("Paul", "Exemplaire", "")
	t.requests(her, him)
	paths = append(paths, "/people/"+her.String()+"/erase", "/volunteers/"+him.String()+"/erase", "/people/"+her.String(), "/volunteers/"+him.String())
	for _, c := range []struct {
		width int64
		lang  string
	}{{1360, "fr"}, {320, "fr"}, {320, "en"}} {
		desk := t.open(browser, c.width)
		desk.signIn("admin")
		desk.speak(c.lang)
		for _, path := range paths {
			desk.check(path)
		}
	}
}

// TestErasePage: the page before an erasure says who has to be told, and nothing
// happens without the tick.
func TestErasePage(tt *testing.T) {
	t := newTown(tt)
	t.agent("accueil")
	her, him := t.beneficiary("Mme", "Exemple", "Laforêt", "05 36 49 12 07"), t.volunteer("Paul", "Exemplaire", "")
	t.requests(her, him)
	admin := t.browse("admin")
	for path, want := range map[string][]string{
		"/people/" + her.String():     {"Effacer Mme Exemple Laforêt ?", "4 visites prévues seront annulées", "Paul Exemplaire", "06 39 98 11 22", "1 visite faite", "Cela ne se défait pas."},
		"/volunteers/" + him.String(): {"Effacer Paul Exemplaire ?", "2 visites prévues seront annulées", "Mme Exemple Laforêt", "05 36 49 12 07", "1 visite faite"},
	} {
		_, page := admin.send("GET", path, nil)
		if !strings.Contains(page, `href="`+path+`/erase"`) {
			t.Errorf("%s does not lead to its erasure", path)
		}
		_, html := admin.send("GET", path+"/erase", nil)
		html = strings.ReplaceAll(html, "\u00a0", " ")
		for _, text := range want {
			if !strings.Contains(html, text) {
				t.Errorf("%s/erase does not say %q:\n%s", path, text, html)
			}
		}
		res, html := admin.send("POST", path+"/erase", url.Values{"act": {"now"}})
		if res.StatusCode != 422 || !strings.Contains(html, "Cochez d’abord") {
			t.Errorf("%s/erase without the tick: %d", path, res.StatusCode)
		}
		agent := t.browse("accueil")
		if _, page := agent.send("GET", path, nil); strings.Contains(page, "/erase") || strings.Contains(page, `href="/replicas"`) {
			t.Errorf("%s leads an agent to an erasure", path)
		}
		if res, _ := agent.send("GET", path+"/erase", nil); res.StatusCode != 403 {
			t.Errorf("%s/erase lets an agent: %d", path, res.StatusCode)
		}
	}
}
