package web

import (
	"errors"
	"log/slog"
	"net/http"
	"strconv"

	"github.com/bippop/bippop/node"
	"github.com/gin-gonic/gin"
)

// problem is an error in the words of the page.
type problem struct {
	Text  string
	Field string         // of the form, if one is at fault
	Clash node.RequestID // where a volunteer is expected
	Where string         // the same in words
	Code  string
}

// again reports whether the same form may be sent again as it is.
func (p *problem) again() bool {
	switch p.Code {
	case "unknown-outcome", "busy", "disk-full", "no-leader", "stopping", "log-stopped":
		return true
	}
	return false
}

// status of the page that says so.
func status(err error) int {
	e, ok := errors.AsType[*node.Error](err)
	if !ok {
		return http.StatusInternalServerError
	}
	switch e.Kind {
	case node.Invalid:
		return http.StatusUnprocessableEntity
	case node.NotFound:
		return http.StatusNotFound
	case node.Conflict, node.Stale:
		return http.StatusConflict
	case node.Forbidden:
		return http.StatusForbidden
	case node.SignIn:
		return http.StatusUnauthorized
	case node.Unavailable:
		return http.StatusServiceUnavailable
	case node.TooMany:
		return http.StatusTooManyRequests
	}
	return http.StatusInternalServerError
}

// say turns an error into a French sentence that tells what to do. nil says
// nothing.
func say(err error) *problem {
	if err == nil {
		return nil
	}
	e, ok := errors.AsType[*node.Error](err)
	if !ok {
		return &problem{Text: "Quelque chose n’a pas marché de notre côté. Rien n’a été enregistré ; réessayez, puis prévenez votre service informatique."}
	}
	p := &problem{Field: e.Field, Clash: e.Clash, Code: e.Code}
	text, known := sentences[e.Code+"/"+e.Field]
	if !known {
		text, known = sentences[e.Code]
	}
	if !known {
		text = "Ceci n’a pas pu être enregistré. Relisez la page et réessayez."
	}
	if e.Kind == node.TooMany {
		text += " (" + strconv.Itoa(max(1, e.After/60)) + " min)"
	}
	p.Text = text
	return p
}

// sayTo is say, and names the visit that a volunteer is expected at: to the desk
// whole, to himself as far as it is his own.
func (s *Site) sayTo(by node.Caller, err error) *problem {
	p := say(err)
	if p == nil || p.Clash.Zero() {
		return p
	}
	today := node.DayOf(s.node.Now())
	if by.Staff() {
		if v, err := s.node.Requests.Get(by, p.Clash); err == nil {
			p.Where = upper(startText(v.Start, today)) + " : " + lower(v.Kind.Name) + ", " + node.CommuneName(v.Commune) + "."
		}
		return p
	}
	if m, err := s.node.Requests.Mine(by); err == nil {
		for _, v := range m.Promised {
			if v.ID == p.Clash {
				p.Where = "Vous avez promis : " + lower(v.Kind.Name) + ", " + startText(v.Start, today) + "."
			}
		}
	}
	return p
}

// fail shows a page that says what is wrong and where to go on.
func (s *Site) fail(c *gin.Context, err error) {
	if status(err) == http.StatusInternalServerError {
		s.log.Error("page", slog.String("route", c.FullPath()), slog.String("error", err.Error()))
	}
	s.render(c, status(err), "problem", page{Title: "Un instant", Narrow: true, Problem: s.sayTo(caller(c), err)})
}

func (s *Site) notFound(c *gin.Context) {
	s.fail(c, &node.Error{Kind: node.NotFound, Code: "no-page"})
}

// sentences has one for each code that people can meet; "code/field" is looked up
// first.
var sentences = map[string]string{
	"no-page":               "Cette page n’existe pas, ou plus.",
	"malformed-id":          "Cette page n’existe pas, ou plus.",
	"no-beneficiary":        "Cette personne n’est pas dans vos fichiers.",
	"no-volunteer":          "Ce bénévole n’est pas dans vos fichiers.",
	"no-request":            "Cette demande n’existe pas, ou n’est pas pour vous.",
	"no-action-type":        "Choisissez de quoi elle a besoin.",
	"no-account":            "Ce compte n’existe pas.",
	"no-import":             "Cet import n’existe pas.",
	"stale-version":         "Quelqu’un a changé ceci entre-temps. Relisez ce qui est écrit maintenant, puis enregistrez si vous gardez votre saisie.",
	"key-reused":            "Cette page a déjà servi. Relisez l’état actuel avant de recommencer.",
	"login-taken":           "Cet identifiant est déjà pris. Choisissez-en un autre.",
	"request-closed":        "Cette demande est déjà terminée.",
	"not-open":              "Cette demande ne cherche plus personne.",
	"seats-full":            "Quelqu’un vient d’accepter à l’instant. Merci d’avoir proposé !",
	"already-seated":        "Cette personne vient déjà. Une visite à deux demande deux personnes différentes.",
	"not-seated":            "Cette personne n’est pas attendue ici.",
	"not-asked":             "La question ne se pose plus.",
	"double-booked":         "Cette personne est déjà attendue ailleurs à cette heure-là.",
	"other-time":            "La première personne a fixé un autre horaire. Rejoignez-la à son heure, ou changez la demande.",
	"pair-needed":           "Cette visite se fait à deux. Proposez un appel, un autre jour, venez avec le bénévole, ou notez pourquoi vous faites une exception.",
	"not-covered":           "Personne n’a encore accepté cette demande.",
	"nothing-to-tell":       "C’est déjà fait : elle est au courant.",
	"volunteer-refused":     "Elle ne souhaite pas cette personne.",
	"not-approved":          "Ce bénévole n’est pas approuvé en ce moment.",
	"kind-not-cleared":      "Ce bénévole ne fait pas ce genre d’action.",
	"car-needed":            "Il faut une voiture pour cette action.",
	"absent":                "Ce bénévole est absent ce jour-là.",
	"wrong-step":            "Cette étape ne suit pas la présente.",
	"beneficiary-ended":     "Cette personne n’est plus accompagnée. Rouvrez d’abord son dossier.",
	"type-retired":          "Cette action n’est plus proposée. Choisissez-en une autre.",
	"import-closed":         "Cet import est terminé ou déjà annulé.",
	"import-used":           "On a déjà travaillé avec des personnes de cet import : il ne s’annule plus d’un bloc.",
	"account-closed":        "Ce compte est fermé.",
	"last-admin":            "C’est le dernier administrateur. Nommez-en un autre d’abord.",
	"not-yet":               "Cette visite est encore à venir. Annulez-la, ou changez d’abord son jour.",
	"requests-open":         "Il reste des demandes ouvertes, ou quelque chose à lui dire. Terminez cela d’abord, pour que personne ne vienne à sa porte en vain.",
	"commune-inhabited":     "Quelqu’un est inscrit dans une commune qui sortirait du territoire. Changez d’abord ces dossiers.",
	"not-her-wish":          "Elle a demandé un autre moment. Si elle est d’accord, changez d’abord la demande.",
	"forbidden":             "Votre rôle ne permet pas cela.",
	"sign-in":               "Connectez-vous d’abord.",
	"wrong-sign-in":         "L’identifiant ou le mot de passe ne va pas. Vérifiez les majuscules et réessayez.",
	"too-many-sign-ins":     "Trop d’essais. Attendez un peu avant le prochain",
	"disk-full":             "Le disque du serveur est presque plein : rien n’est enregistré pour l’instant, la lecture continue. Prévenez votre service informatique.",
	"damaged":               "Les données de ce serveur sont abîmées. Rien n’est affiché tant qu’elles ne sont pas restaurées. Prévenez votre service informatique.",
	"log-stopped":           "Le serveur n’enregistre plus. Prévenez votre service informatique.",
	"busy":                  "Beaucoup d’écritures en même temps. Réessayez dans quelques secondes.",
	"unknown-outcome":       "Nous ne savons pas encore si c’est enregistré. Renvoyez la même page : rien ne sera compté deux fois.",
	"no-leader":             "Le service redémarre. Réessayez dans quelques secondes.",
	"stopping":              "Le service redémarre. Réessayez dans quelques secondes.",
	"too-large":             "C’est plus long que ce qui peut être noté. Raccourcissez le texte.",
	"too-long":              "Ce texte est trop long. Raccourcissez-le.",
	"not-text":              "Ce texte contient des signes illisibles.",
	"missing":               "Il manque quelque chose ici.",
	"missing/last_name":     "Il manque le nom.",
	"missing/phones":        "Il faut un numéro de téléphone ou une adresse, sinon personne ne peut la joindre.",
	"missing/basis":         "Dites à quel titre elle est inscrite.",
	"missing/when":          "Dites quand : cette semaine, un jour, ou souple.",
	"missing/why":           "Dites pourquoi.",
	"missing/day":           "Choisissez un jour : la demande le laisse ouvert.",
	"missing/volunteers":    "Dites qui était là.",
	"missing/name":          "Il manque le nom de l’action.",
	"missing/calls":         "Le service a besoin d’un nom.",
	"phone-unreadable":      "Ce numéro ne se lit pas : dix chiffres, ou + et l’indicatif du pays.",
	"date-unreadable":       "Cette date ne se lit pas : jour/mois/année, ou l’année seule.",
	"email-malformed":       "Cette adresse électronique ne se lit pas. Laissez vide s’il n’y en a pas.",
	"commune-outside":       "Choisissez une commune du territoire dans la liste.",
	"commune-unknown":       "Un des codes n’est pas celui d’une commune actuelle.",
	"contradiction":         "Un même bénévole ne peut pas être à la fois préféré et refusé.",
	"too-many":              "C’est trop d’un coup.",
	"day-out-of-range":      "Ce jour est passé, ou trop lointain.",
	"week-out-of-range":     "Cette semaine est passée, ou trop lointaine.",
	"hour-out-of-range":     "Cette heure n’existe pas.",
	"out-of-range":          "Cette valeur n’est pas possible ici.",
	"login-malformed":       "Un identifiant a 3 à 40 signes : a-z, 0-9, point, tiret. Il ne dit rien de la personne.",
	"too-short":             "Le mot de passe a au moins 10 signes. Quatre mots vont très bien.",
	"too-short/password":    "Le mot de passe a au moins 10 signes. Quatre mots vont très bien.",
	"unknown-role":          "Choisissez un rôle.",
	"siren-wrong":           "Ce SIREN est mal tapé.",
	"maybe-duplicate":       "Quelqu’un de semblable est déjà inscrit. Est-ce la même personne ?",
	"hour-unreadable":       "Cette heure ne se lit pas : 14:30, ou 14 h 30.",
	"length-unreadable":     "Cette durée ne se lit pas : un nombre de minutes.",
	"distance-unreadable":   "Cette distance ne se lit pas : un nombre de kilomètres.",
	"unknown-category":      "Choisissez la catégorie nationale sous laquelle elle est comptée.",
	"unknown-pairing":       "Dites si l’action se fait à deux.",
	"too-many/ask":          "On demande à trente personnes au plus.",
	"out-of-range/absences": "Une absence a un premier et un dernier jour, dans cet ordre.",
}

// flashes says what has just been done.
var flashes = map[string]string{
	"recorded":           "C’est noté.",
	"request":            "La demande est enregistrée.",
	"asked":              "La question est posée.",
	"accepted":           "C’est accepté. La personne est à prévenir.",
	"told":               "Elle est au courant.",
	"told-volunteers":    "C’est noté. Prévenez aussi le bénévole qui devait venir, s’il n’a pas d’accès.",
	"not-reached":        "C’est noté, on la rappellera.",
	"enrolled":           "La personne est inscrite.",
	"registered":         "Le bénévole est inscrit. Prochaine étape : le rencontrer.",
	"changed":            "C’est changé.",
	"done":               "Merci ! C’est noté et compté.",
	"thanks":             "Merci, nous comptons sur vous.",
	"refused":            "C’est noté. À une prochaine fois.",
	"withdrawn":          "C’est noté. Nous cherchons quelqu’un d’autre.",
	"closed":             "La demande est close.",
	"closed-volunteers":  "La demande est close. Prévenez aussi les bénévoles qui devaient venir : leurs numéros sont ci-dessous.",
	"changed-volunteers": "C’est changé. Prévenez aussi les bénévoles qui devaient venir : leurs numéros sont ci-dessous.",
	"signed-out":         "Vous êtes déconnecté.",
	"undone":             "L’import est annulé : ses personnes ne sont plus visibles.",
}
