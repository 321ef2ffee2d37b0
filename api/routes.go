package api

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/bippop/bippop/api/web"
	"github.com/bippop/bippop/node"
	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"github.com/gin-gonic/gin"
)

// base is where the interface for programs begins.
const base = "/api/v1"

// surface is everything that programs can do: who, status, method, path, name,
// handler.
func (s *server) surface() {
	add(s, anybody, 201, "POST", "/sessions", "sign-in", sessionRoutes{s}.signIn)
	add(s, signedIn, 204, "DELETE", "/sessions/current", "sign-out", sessionRoutes{s}.signOut)
	add(s, signedIn, 204, "POST", "/sessions/current/role", "switch-role", hatRoutes{s}.put)
	tell(s, signedIn, 200, "GET", "/me", "who-am-i", sessionRoutes{s}.me)
	tell(s, may(node.SeeMembers), 200, "GET", "/members", "list-own-members", hatRoutes{s}.members)
	add(s, may(node.ManageAccounts), 200, "PUT", "/accounts/{id}/roles", "grant-roles", hatRoutes{s}.grant)
	add(s, may(node.NameDeputy), 200, "POST", "/accounts/{id}/deputy", "name-deputy", hatRoutes{s}.deputy)
	tell(s, may(node.SeeOwnRequests), 200, "GET", "/me/requests", "list-my-requests", mineRoutes{s}.myRequests)

	tell(s, may(node.ReadPeople), 200, "GET", "/beneficiaries", "list-beneficiaries", beneficiaryRoutes{s}.beneficiaries)
	add(s, may(node.WritePeople), 201, "POST", "/beneficiaries", "enrol-beneficiary", beneficiaryRoutes{s}.enrol)
	add(s, may(node.ReadPeople), 200, "GET", "/beneficiaries/{id}", "read-beneficiary", beneficiaryRoutes{s}.beneficiary)
	add(s, may(node.WritePeople), 200, "PUT", "/beneficiaries/{id}", "change-beneficiary", beneficiaryRoutes{s}.changeBeneficiary)
	tell(s, may(node.ReadPeople), 200, "GET", "/beneficiaries/{id}/history", "list-changes-of-beneficiary", beneficiaryRoutes{s}.beneficiaryHistory)
	tell(s, may(node.HandleRequests), 200, "GET", "/beneficiaries/{id}/requests", "list-requests-of-beneficiary", beneficiaryRoutes{s}.beneficiaryRequests)
	tell(s, may(node.CallPeople), 200, "GET", "/beneficiaries/{id}/calls", "list-calls-to-beneficiary", callRoutes{s}.beneficiaryCalls)
	tell(s, may(node.ReadPeople), 200, "GET", "/beneficiaries/{id}/usual-volunteers", "list-usual-volunteers", beneficiaryRoutes{s}.usualVolunteers)

	tell(s, may(node.ReadPeople), 200, "GET", "/volunteers", "list-volunteers", volunteerRoutes{s}.volunteers)
	add(s, may(node.WritePeople), 201, "POST", "/volunteers", "register-volunteer", volunteerRoutes{s}.register)
	add(s, may(node.ReadPeople, node.ChangeOwnReadiness), 200, "GET", "/volunteers/{id}", "read-volunteer", volunteerRoutes{s}.volunteer)
	add(s, may(node.WritePeople), 200, "PUT", "/volunteers/{id}", "change-volunteer", volunteerRoutes{s}.changeVolunteer)
	add(s, may(node.VetVolunteers), 200, "POST", "/volunteers/{id}/step", "step-volunteer", volunteerRoutes{s}.stepVolunteer)
	add(s, may(node.VetVolunteers), 200, "POST", "/volunteers/{id}/next-step", "set-next-step", volunteerRoutes{s}.setNextStep)
	add(s, may(node.WritePeople, node.ChangeOwnReadiness), 200, "PUT", "/volunteers/{id}/readiness", "set-readiness", volunteerRoutes{s}.setReadiness)
	tell(s, may(node.ReadPeople), 200, "GET", "/volunteers/{id}/history", "list-changes-of-volunteer", volunteerRoutes{s}.volunteerHistory)
	tell(s, may(node.ReadPeople), 200, "GET", "/volunteers/{id}/requests", "list-requests-of-volunteer", volunteerRoutes{s}.volunteerRequests)

	tell(s, may(node.HandleRequests), 200, "GET", "/requests", "list-requests", requestRoutes{s}.requests)
	add(s, may(node.HandleRequests), 201, "POST", "/requests", "open-request", requestRoutes{s}.openRequest)
	add(s, may(node.HandleRequests), 200, "GET", "/requests/{id}", "read-request", requestRoutes{s}.request)
	add(s, may(node.HandleRequests), 200, "PUT", "/requests/{id}", "change-request", requestRoutes{s}.changeRequest)
	add(s, may(node.HandleRequests), 200, "POST", "/requests/{id}/publish", "publish-request", answerRoutes{s}.publish)
	add(s, may(node.HandleRequests), 200, "POST", "/requests/{id}/ask", "ask-volunteers", answerRoutes{s}.ask)
	add(s, helpers, 200, "POST", "/requests/{id}/accept", "accept-request", answerRoutes{s}.accept)
	add(s, helpers, 200, "POST", "/requests/{id}/refuse", "refuse-request", answerRoutes{s}.refuse)
	add(s, helpers, 200, "POST", "/requests/{id}/withdraw", "withdraw-from-request", answerRoutes{s}.withdraw)
	add(s, helpers, 200, "POST", "/requests/{id}/told", "told-by-volunteer", answerRoutes{s}.told)
	add(s, helpers, 200, "POST", "/requests/{id}/finish", "finish-request", answerRoutes{s}.finish)
	add(s, may(node.HandleRequests), 200, "POST", "/requests/{id}/drop", "drop-request", answerRoutes{s}.drop)
	tell(s, may(node.HandleRequests), 200, "GET", "/requests/{id}/candidates", "list-candidates", requestRoutes{s}.candidates)
	tell(s, may(node.HandleRequests), 200, "GET", "/requests/{id}/history", "list-changes-of-request", requestRoutes{s}.requestHistory)
	add(s, may(node.HandleRequests), 201, "POST", "/past-actions", "record-past-action", answerRoutes{s}.recordPast)

	tell(s, may(node.HandleRequests), 200, "GET", "/series", "list-series", seriesRoutes{s}.list)
	add(s, may(node.HandleRequests), 201, "POST", "/series", "open-series", seriesRoutes{s}.begin)
	add(s, may(node.HandleRequests), 200, "GET", "/series/{id}", "read-series", seriesRoutes{s}.read)
	add(s, may(node.HandleRequests), 200, "PUT", "/series/{id}", "change-series", seriesRoutes{s}.change)
	add(s, may(node.HandleRequests), 200, "POST", "/series/{id}/skip", "skip-day-of-series", seriesRoutes{s}.skip)
	add(s, may(node.HandleRequests), 200, "POST", "/series/{id}/pause", "pause-series", seriesRoutes{s}.pause)
	add(s, may(node.HandleRequests), 200, "POST", "/series/{id}/resume", "resume-series", seriesRoutes{s}.resume)
	add(s, may(node.HandleRequests), 200, "POST", "/series/{id}/end", "end-series", seriesRoutes{s}.end)

	tell(s, may(node.CallPeople), 200, "GET", "/calls", "list-calls", callRoutes{s}.calls)
	add(s, may(node.CallPeople), 201, "POST", "/calls", "record-call", callRoutes{s}.recordCall)

	tell(s, may(node.HandleRequests), 200, "GET", "/offers", "list-offers", offerRoutes{s}.offers)
	add(s, helpers, 201, "POST", "/offers", "make-offer", offerRoutes{s}.makeOffer)
	add(s, may(node.HandleRequests), 200, "GET", "/offers/{id}", "read-offer", offerRoutes{s}.offer)
	add(s, may(node.HandleRequests), 200, "POST", "/offers/{id}/take", "take-offer", offerRoutes{s}.take)
	add(s, may(node.HandleRequests), 200, "POST", "/offers/{id}/decline", "decline-offer", offerRoutes{s}.decline)
	add(s, helpers, 200, "POST", "/offers/{id}/withdraw", "withdraw-offer", offerRoutes{s}.withdrawOffer)
	tell(s, may(node.SeeOwnRequests), 200, "GET", "/me/offers", "list-my-offers", offerRoutes{s}.myOffers)
	tell(s, may(node.ReadPeople), 200, "GET", "/volunteers/{id}/offers", "list-offers-of-volunteer", offerRoutes{s}.volunteerOffers)

	add(s, may(node.HandleRequests), 200, "POST", "/requests/{id}/thank", "relay-thanks", thanksRoutes{s}.thank)
	add(s, helpers, 200, "POST", "/requests/{id}/thanks-seen", "see-thanks", thanksRoutes{s}.seen)
	tell(s, may(node.HandleRequests), 200, "GET", "/requests-to-thank", "list-requests-to-thank", thanksRoutes{s}.toThank)

	tell(s, may(node.HandleRequests), 200, "GET", "/bonds", "list-bonds", bondRoutes{s}.bonds)
	add(s, may(node.HandleRequests), 201, "POST", "/bonds", "make-bond", bondRoutes{s}.makeBond)
	add(s, may(node.HandleRequests), 200, "GET", "/bonds/{id}", "read-bond", bondRoutes{s}.bond)
	add(s, may(node.HandleRequests), 200, "POST", "/bonds/{id}/check", "check-bond", bondRoutes{s}.checkBond)
	tell(s, may(node.HandleRequests), 200, "GET", "/beneficiaries/{id}/bonds", "list-bonds-of-beneficiary", bondRoutes{s}.beneficiaryBonds)
	tell(s, may(node.ReadPeople), 200, "GET", "/volunteers/{id}/bonds", "list-bonds-of-volunteer", bondRoutes{s}.volunteerBonds)

	tell(s, signedIn, 200, "GET", "/action-types", "list-action-types", catalogueRoutes{s}.actionTypes)
	add(s, may(node.DefineTypes), 201, "POST", "/action-types", "add-action-type", catalogueRoutes{s}.addActionType)
	add(s, may(node.DefineTypes), 200, "PUT", "/action-types/{id}", "change-action-type", catalogueRoutes{s}.changeActionType)

	tell(s, may(node.ManageAccounts, node.VetVolunteers), 200, "GET", "/accounts", "list-accounts", accountRoutes{s}.accounts)
	add(s, may(node.ManageAccounts, node.VetVolunteers), 201, "POST", "/accounts", "open-account", accountRoutes{s}.openAccount)
	add(s, may(node.ManageAccounts, node.VetVolunteers), 200, "PUT", "/accounts/{id}", "change-account", accountRoutes{s}.changeAccount)

	tell(s, may(node.ImportPeople), 200, "GET", "/imports", "list-imports", importRoutes{s}.imports)
	upload(s, may(node.ImportPeople), 200, "POST", "/imports", "import-spreadsheet", importRoutes{s}.runImport)
	add(s, may(node.ImportPeople), 200, "POST", "/imports/{id}/undo", "undo-import", importRoutes{s}.undoImport)
	add(s, may(node.ExportPeople), 200, "GET", "/exports/beneficiaries", "export-beneficiaries", importRoutes{s}.exportBeneficiaries, spreadsheet)
	add(s, may(node.ExportPeople), 200, "GET", "/exports/volunteers", "export-volunteers", importRoutes{s}.exportVolunteers, spreadsheet)

	tell(s, may(node.ReadFigures), 200, "GET", "/figures", "read-figures", figureRoutes{s}.figures)
	add(s, signedIn, 200, "GET", "/territory", "read-territory", territoryRoutes{s}.territory)
	add(s, may(node.ChangeTerritory), 200, "PUT", "/territory", "change-territory", territoryRoutes{s}.changeTerritory)
	tell(s, signedIn, 200, "GET", "/communes", "search-communes", territoryRoutes{s}.communes)
	tell(s, may(node.FindPeople), 200, "POST", "/find", "find-people", findRoutes{s}.find)

	tell(s, may(node.RunReplicas), 200, "GET", "/replicas", "list-replicas", replicaRoutes{s}.replicas)
	add(s, may(node.RunReplicas), 201, "POST", "/replicas/invitations", "invite-replica", replicaRoutes{s}.invite)
	add(s, may(node.RunReplicas), 204, "POST", "/replicas/step-down", "step-down", replicaRoutes{s}.stepDown)
	tell(s, may(node.RunReplicas), 200, "GET", "/replicas/{id}/removal", "preview-removal-of-replica", replicaRoutes{s}.removal)
	add(s, may(node.RunReplicas), 200, "POST", "/replicas/{id}/remove", "remove-replica", replicaRoutes{s}.remove)
	add(s, may(node.RunReplicas), 200, "POST", "/replicas/{id}/destroyed", "record-vault-destroyed", replicaRoutes{s}.destroyed)
	add(s, may(node.RunReplicas), 204, "POST", "/replicas/{id}/transfer", "transfer-leadership", replicaRoutes{s}.transfer)
	add(s, may(node.RunReplicas), 200, "POST", "/replicas/{id}/approve", "approve-restart-of-replica", replicaRoutes{s}.approve)
	add(s, may(node.RunReplicas), 200, "POST", "/keys/rotate", "rotate-root-key", replicaRoutes{s}.rotate)

	tell(s, may(node.ErasePeople), 200, "GET", "/erasures", "list-erasures", erasureRoutes{s}.list)
	add(s, may(node.ErasePeople), 201, "POST", "/erasures", "want-erasure", erasureRoutes{s}.want)
	add(s, may(node.ErasePeople), 200, "POST", "/erasures/run", "run-erasures", erasureRoutes{s}.run)
	tell(s, may(node.ErasePeople), 200, "GET", "/erasures/{id}", "read-certificate-of-erasure", erasureRoutes{s}.certificate)
	add(s, may(node.ErasePeople), 200, "POST", "/erasures/{id}/keep", "keep-after-all", erasureRoutes{s}.keep)

	tell(s, may(node.KeepBackups), 200, "GET", "/backups", "list-backups", backupRoutes{s}.status)
	add(s, may(node.KeepBackups), 201, "POST", "/backups", "register-backup-destination", backupRoutes{s}.register)
	add(s, may(node.KeepBackups), 200, "GET", "/backups/data", "stream-data-backup", backupRoutes{s}.data, streamed)
	add(s, may(node.KeepBackups), 200, "GET", "/backups/{id}/keys", "stream-key-backup", backupRoutes{s}.keys, streamed)
	add(s, may(node.KeepBackups), 200, "POST", "/backups/{id}/drop", "drop-backup-destination", backupRoutes{s}.drop)
	add(s, may(node.KeepBackups), 200, "POST", "/backups/{id}/now", "back-up-now", backupRoutes{s}.now)
	add(s, may(node.KeepBackups), 200, "POST", "/backups/{id}/kept", "record-key-backup-kept", backupRoutes{s}.kept)

	tell(s, may(node.ReadLedger), 200, "GET", "/federation", "read-federation", federationRoutes{s}.status)
	tell(s, may(node.ReadLedger), 200, "GET", "/federation/roster", "read-roster", federationRoutes{s}.roster)
	tell(s, may(node.ReadLedger), 200, "GET", "/federation/roster/file", "read-roster-as-signed", federationRoutes{s}.rosterFile)
	add(s, may(node.JoinFederation), 204, "POST", "/federation/join", "join-federation", federationRoutes{s}.join)
	add(s, may(node.JoinFederation), 204, "POST", "/federation/leave", "leave-federation", federationRoutes{s}.leave)
	add(s, may(node.JoinFederation), 204, "POST", "/federation/sync", "call-hubs-now", federationRoutes{s}.sync)
	tell(s, may(node.JoinFederation), 200, "POST", "/federation/application", "apply-to-federation", federationRoutes{s}.apply)
	tell(s, may(node.JoinFederation), 200, "POST", "/federation/hub", "read-keys-of-hub-here", federationRoutes{s}.hubKeys)
	tell(s, may(node.PublishRoster), 200, "POST", "/federation/founding", "draft-founding-of-federation", federationRoutes{s}.begin)
	tell(s, may(node.PublishRoster), 200, "POST", "/federation/drafts", "draft-roster-entry", federationRoutes{s}.draft)
	add(s, may(node.PublishRoster), 204, "POST", "/federation/roster", "publish-roster-entry", federationRoutes{s}.publish)
	tell(s, may(node.PublishRoster), 200, "POST", "/federation/invitations", "invite-territory", federationRoutes{s}.invite)
	tell(s, may(node.ReadNation), 200, "GET", "/nation", "read-nation", nationRoutes{s}.totals)
	tell(s, may(node.ReadNation), 200, "GET", "/nation/coverage", "read-coverage", nationRoutes{s}.coverage)
	tell(s, may(node.ReadNation), 200, "GET", "/nation/territories/{siren}", "read-territory-of-nation", nationRoutes{s}.territory)
	tell(s, may(node.ReadNation), 200, "GET", "/nation/export", "export-nation", nationRoutes{s}.export)
	tell(s, may(node.ReadBulletins), 200, "GET", "/bulletins", "list-bulletins", bulletinRoutes{s}.list)
	tell(s, may(node.ReadBulletins), 200, "GET", "/bulletins/{number}", "read-bulletin", bulletinRoutes{s}.read)
	add(s, may(node.ReadBulletins), 200, "GET", "/bulletins/{number}/pdf", "read-pdf-of-bulletin", bulletinRoutes{s}.pdf, printed)
	tell(s, may(node.PublishBulletins), 201, "POST", "/bulletins", "publish-bulletin", bulletinRoutes{s}.publish)
	tell(s, may(node.HandleRequests), 200, "GET", "/across", "read-help-across-borders", acrossRoutes{s}.board)
	add(s, may(node.OfferAcross), 201, "POST", "/across/offers", "prepare-offer-to-neighbours", acrossRoutes{s}.prepare)
	add(s, may(node.OfferAcross, node.AnswerForSelf), 200, "POST", "/across/offers/{id}/consent", "answer-offer-to-neighbours", acrossRoutes{s}.consent)
	add(s, may(node.OfferAcross), 200, "POST", "/across/offers/{id}/publish", "publish-offer-to-neighbours", acrossRoutes{s}.publish)
	add(s, may(node.OfferAcross), 200, "POST", "/across/offers/{id}/end", "end-offer-to-neighbours", acrossRoutes{s}.end)
	add(s, may(node.OfferAcross), 200, "POST", "/across/offers/{id}/accept", "accept-interest", acrossRoutes{s}.accept)
	add(s, may(node.OfferAcross), 200, "POST", "/across/offers/{id}/decline", "decline-interest", acrossRoutes{s}.decline)
	add(s, may(node.OfferAcross, node.AnswerForSelf), 200, "POST", "/across/offers/{id}/told", "told-whom-to-call", acrossRoutes{s}.told)
	add(s, may(node.OfferAcross), 200, "POST", "/across/offers/{id}/close", "close-interest-in-our-offer", acrossRoutes{s}.closeOurs)
	add(s, may(node.HandleRequests), 201, "POST", "/across/interests", "ask-neighbour", acrossRoutes{s}.ask)
	add(s, may(node.HandleRequests), 200, "POST", "/across/interests/{id}/acknowledge", "acknowledge-neighbour", acrossRoutes{s}.ack)
	add(s, may(node.HandleRequests), 200, "POST", "/across/interests/{id}/renounce", "renounce-interest", acrossRoutes{s}.renounce)
	add(s, may(node.HandleRequests), 200, "POST", "/across/interests/{id}/close", "close-interest", acrossRoutes{s}.close)
	tell(s, may(node.HandleRequests), 200, "GET", "/requests/{id}/across", "list-offers-of-neighbours", acrossRoutes{s}.fitting)
	tell(s, may(node.SeeOwnRequests), 200, "GET", "/me/across", "list-my-offers-to-neighbours", acrossRoutes{s}.mine)
	tell(s, may(node.JoinFederation), 200, "GET", "/federation/handovers", "list-handovers", handoverRoutes{s}.list)
	tell(s, may(node.JoinFederation), 200, "GET", "/federation/handovers/recipient", "show-recipient-of-dossiers", handoverRoutes{s}.recipient, conflicting)
	tell(s, may(node.JoinFederation), 200, "POST", "/federation/handovers/export", "hand-dossiers-over", handoverRoutes{s}.export)
	tell(s, may(node.JoinFederation), 200, "POST", "/federation/handovers", "take-dossiers-in", handoverRoutes{s}.take)
	add(s, may(node.JoinFederation), 204, "POST", "/federation/handovers/receipt", "confirm-dossiers", handoverRoutes{s}.confirm)
	tell(s, may(node.JoinFederation), 200, "POST", "/federation/handovers/erase", "erase-dossiers-handed-over", handoverRoutes{s}.erase)
	tell(s, may(node.ReadJournal), 200, "GET", "/journal", "list-readings", journalRoutes{s}.list)
	tell(s, may(node.ReadJournal), 200, "GET", "/journal/check", "check-journal", journalRoutes{s}.check)
	tell(s, may(node.ReadLedger), 200, "GET", "/ledger", "list-what-left", ledgerRoutes{s}.entries)
	tell(s, may(node.ReadLedger), 200, "GET", "/ledger/{epoch}/{seq}", "prove-what-left", ledgerRoutes{s}.proof)
	tell(s, may(node.ReadLedger), 200, "GET", "/ledger/connections", "list-other-connections", ledgerRoutes{s}.connections)
}

// mount adds the surface and its description to e.
func (s *server) mount(e *gin.Engine) {
	config := huma.DefaultConfig("bippop", "1.0.0")
	config.Info.Description = "The node of a territory: neighbours who help isolated older people, and the desk that finds them."
	config.Info.License = &huma.License{Name: "EUPL-1.2", Identifier: "EUPL-1.2"}
	config.Servers = []*huma.Server{{URL: base}}
	config.OpenAPIPath, config.DocsPath, config.SchemasPath = "", "", "" // no yaml, no 3.0, no script of others
	config.CreateHooks = nil                                             // no $schema links in answers
	config.Formats = map[string]huma.Format{"application/json": jsonFormat, "json": jsonFormat}
	config.RejectUnknownQueryParameters = true
	config.Transformers = []huma.Transformer{s.stampIndex}
	config.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"bearer": {Type: "http", Scheme: "bearer", Description: "The token of POST /sessions."},
		"cookie": {Type: "apiKey", In: "cookie", Name: "bippop", Description: "A browser's session; it reads only. Over TLS: __Host-bippop."},
	}
	s.huma = humagin.NewWithGroup(e, e.Group(base), config)
	s.surface()
	learn(s.huma.OpenAPI())
	spec, err := json.Marshal(s.huma.OpenAPI())
	if err != nil {
		panic("api: " + err.Error())
	}
	e.GET(base+"/openapi.json", func(c *gin.Context) { c.Data(http.StatusOK, "application/json", spec) })
}

// add puts one operation on the surface. Its problems are the same everywhere
// and follow from who may call it and how. In and Out are pointers to what bind asks
// for: pointers are one shape to the compiler, structs one each.
func add[In, Out any](s *server, who access, status int, method, path, name string, h func(context.Context, In) (Out, error), more ...func(*huma.Operation)) {
	op := operation(s, who, status, method, path, name, more)
	s.bind(op, reflect.TypeFor[In]().Elem(), reflect.TypeFor[Out]().Elem(), func(ctx context.Context, in any) (any, error) { return h(ctx, in.(In)) })
}

// tell is add, for answers that are a body alone.
func tell[In, Out any](s *server, who access, status int, method, path, name string, h func(context.Context, In) (Out, error), more ...func(*huma.Operation)) {
	add(s, who, status, method, path, name, h, more...)
}

// upload puts an operation on the surface whose body is a form with files: huma reads those.
func upload[I, O any](s *server, who access, status int, method, path, name string, h func(context.Context, *I) (*O, error)) {
	op := operation(s, who, status, method, path, name, nil)
	huma.Register(s.huma, *op, func(ctx context.Context, in *I) (*O, error) {
		out, err := h(ctx, in)
		if err != nil {
			return nil, s.explain(ctx, base+path, method, err)
		}
		return out, nil
	})
	describeHeaders(op.Responses)
}

// operation is what of an operation does not depend on what it takes and gives.
func operation(s *server, who access, status int, method, path, name string, more []func(*huma.Operation)) *huma.Operation {
	s.doors = append(s.doors, web.Door{Method: method, Path: base + path, Actions: who.actions, Anybody: who.open})
	op := &huma.Operation{
		OperationID: name, Method: method, Path: path, DefaultStatus: status,
		Summary: sentence(name), Description: who.why(), Tags: []string{strings.Split(path, "/")[1]},
		Security: security(who, method), Errors: problemsOf(who, method, path),
		Responses:    map[string]*huma.Response{strconv.Itoa(status): {Description: http.StatusText(status)}},
		Middlewares:  huma.Middlewares{s.admit(who)},
		MaxBodyBytes: -1, BodyReadTimeout: -1, // the body is read before, within its limit
	}
	for _, change := range more {
		change(op)
	}
	return op
}

func sentence(name string) string {
	words := strings.ReplaceAll(name, "-", " ")
	return strings.ToUpper(words[:1]) + words[1:]
}

func security(who access, method string) []map[string][]string {
	switch {
	case who.open:
		return []map[string][]string{}
	case method == http.MethodGet:
		return []map[string][]string{{"bearer": {}}, {"cookie": {}}}
	}
	return []map[string][]string{{"bearer": {}}}
}

func problemsOf(who access, method, path string) []int {
	codes := []int{400, 401, 403, 422, 503}
	if strings.Contains(path, "{") || method == http.MethodPost {
		codes = append(codes, 404)
	}
	switch method {
	case http.MethodPost:
		codes = append(codes, 409, 412, 413, 415)
	case http.MethodPut:
		codes = append(codes, 404, 409, 412, 413, 415, 428)
	}
	if who.open {
		codes = append(codes, 429)
	}
	slices.Sort(codes)
	return slices.Compact(codes)
}

// describeHeaders says what stands beside every body.
func describeHeaders(responses map[string]*huma.Response) {
	for status, r := range responses {
		if r.Headers == nil {
			r.Headers = map[string]*huma.Param{}
		}
		zero := 0.0
		r.Headers["X-Index"] = &huma.Param{
			Description: "Of the last write that this answer knows; send it back to read no older state",
			Schema:      &huma.Schema{Type: huma.TypeInteger, Format: "int64", Minimum: &zero},
		}
		if status == "429" || status == "503" {
			r.Headers["Retry-After"] = &huma.Param{Description: "In seconds", Schema: &huma.Schema{Type: huma.TypeInteger}}
		}
	}
}

// stampIndex tells a reader which write the state that he got knows at least.
// What a write answers names its own.
func (s *server) stampIndex(ctx huma.Context, _ string, v any) (any, error) {
	if ctx.Method() == http.MethodGet {
		ctx.SetHeader("X-Index", decimal(s.node.Index()))
	}
	return v, nil
}

var (
	errUTF8  = errors.New("not UTF-8")
	errTwice = errors.New("a name stands twice in one object")
)

// jsonFormat is JSON that means one thing: it must be UTF-8, for the standard
// library would replace what is not, and a name would be recorded otherwise than
// it was sent; and no field may stand twice, for only the last one is checked.
var jsonFormat = huma.Format{
	Marshal: func(w io.Writer, v any) error { return json.NewEncoder(w).Encode(v) },
	Unmarshal: func(b []byte, v any) error {
		if !utf8.Valid(b) {
			return errUTF8
		}
		if err := json.Unmarshal(b, v); err != nil {
			return err
		}
		if _, checking := v.(*any); !checking {
			return nil // huma reads a body twice, first to check it
		}
		return unique(b)
	},
}

// unique reports errTwice when an object of b, which is valid JSON, has a name
// twice. Strings are skipped byte by byte: a tokenizer took longer than all else
// that is done with a body.
func unique(b []byte) error {
	var open []fields // of the objects around i; nil in an array
	name := false     // the next string is a name
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '{':
			open, name = append(open, fields{}), true
		case '[':
			open, name = append(open, nil), false
		case '}', ']':
			open, name = open[:len(open)-1], false
		case ',':
			name = open[len(open)-1] != nil
		case '"':
			end := stringEnd(b, i)
			if name {
				if !open[len(open)-1].add(b[i:end]) {
					return errTwice
				}
				name = false
			}
			i = end - 1
		}
	}
	return nil
}

// stringEnd is where the JSON string that begins at from is over.
func stringEnd(b []byte, from int) int {
	for i := from + 1; i < len(b); i++ {
		switch b[i] {
		case '"':
			return i + 1
		case '\\':
			i++
		}
	}
	return len(b)
}

// fields are the names that an object has so far.
type fields map[string]struct{}

// add takes a name as it stands in JSON, and reports whether it is new.
func (f fields) add(quoted []byte) bool {
	name := string(quoted[1 : len(quoted)-1])
	if strings.IndexByte(name, '\\') >= 0 {
		if err := json.Unmarshal(quoted, &name); err != nil {
			return false
		}
	}
	_, twice := f[name]
	f[name] = struct{}{}
	return !twice
}

// ourWords are the names of our fields and parameters: the only ones that a
// problem repeats. Written once, before the first request.
var (
	ourWords  = map[string]bool{"body": true, "query": true, "path": true, "header": true, "form": true, "file": true}
	learnOnce sync.Once
)

func learn(spec *huma.OpenAPI) {
	learnOnce.Do(func() {
		for _, schema := range spec.Components.Schemas.Map() {
			for name := range schema.Properties {
				ourWords[name] = true
			}
		}
		for _, item := range spec.Paths {
			for _, op := range []*huma.Operation{item.Get, item.Post, item.Put, item.Delete} {
				learnOperation(op)
			}
		}
	})
}

func learnOperation(op *huma.Operation) {
	if op == nil {
		return
	}
	for _, p := range op.Parameters {
		ourWords[p.Name] = true
	}
	if op.RequestBody == nil {
		return
	}
	for _, media := range op.RequestBody.Content {
		for name := range media.Schema.Properties {
			ourWords[name] = true
		}
	}
}
