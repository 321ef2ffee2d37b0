package web

import (
	"github.com/bippop/bippop/node"
	"github.com/gin-gonic/gin"
)

// Mount adds every page to e. This is the whole surface of the interface, and says of
// each page which action it is: who may do that, and how far, stands in one table of
// package node.
func (s *Site) Mount(e *gin.Engine) {
	e.GET("/assets/:hash/:name", s.serveAsset)
	e.GET("/theme/:colour", face{s}.theme)
	e.GET("/logo/:version", face{s}.logo)
	r := surface{e.Group("/", s.know), s}
	r.GET("/", anybody(entry{s}.home))
	r.POST("/sign-in", anybody(entry{s}.signIn))
	r.GET("/code", anybody(entry{s}.codePage))
	r.POST("/code", anybody(entry{s}.askCode))
	r.POST("/code/enter", anybody(entry{s}.giveCode))
	r.POST("/sign-out", anybody(entry{s}.signOut))
	r.POST("/language", anybody(entry{s}.choose))
	r.GET("/sources", anybody(settings{s}.sources))
	e.GET("/sw.js", outbox{s}.worker)
	r.GET("/offline", anybody(outbox{s}.offline))

	if s.demo != nil {
		r.POST("/tour", s.may(node.HandleRequests, tour{s}.ring))
		r.POST("/tour/leave", s.may(node.HandleRequests, tour{s}.leave))
	}

	// The desk.
	r.GET("/desk", s.may(node.HandleRequests, desk{s}.page))
	r.POST("/desk", s.may(node.HandleRequests, desk{s}.search))
	r.POST("/desk/results", s.may(node.HandleRequests, desk{s}.results))
	r.GET("/desk/:id", s.may(node.HandleRequests, desk{s}.person))
	r.POST("/desk/:id", s.may(node.HandleRequests, desk{s}.openRequest))
	r.GET("/desk/monday", s.may(node.HandleRequests, papers{s}.monday))
	r.POST("/desk/:id/again", s.may(node.HandleRequests, desk{s}.again))
	r.POST("/desk/:id/fitting", s.may(node.HandleRequests, desk{s}.fitting))
	r.POST("/desk/:id/notice", s.may(node.WritePeople, desk{s}.notice))
	r.GET("/live", s.may(node.HandleRequests, live{s}.stream))
	r.GET("/calls", s.may(node.CallPeople, calls{s}.list))
	r.POST("/calls/:id", s.may(node.CallPeople, calls{s}.reach))

	r.GET("/requests", s.may(node.HandleRequests, requests{s}.board))
	r.GET("/requests/:id", s.may(node.HandleRequests, requests{s}.page))
	r.POST("/requests/:id/:act", s.may(node.HandleRequests, requests{s}.do))
	r.GET("/requests/:id/edit", s.may(node.HandleRequests, requests{s}.edit))
	r.GET("/requests/:id/across", s.may(node.HandleRequests, across{s}.beside))

	r.POST("/requests/:id/thank", s.may(node.HandleRequests, bonds{s}.thank))
	r.POST("/requests/:id/thanks-told", s.may(node.HandleRequests, bonds{s}.told))
	r.GET("/offers", s.may(node.HandleRequests, offers{s}.list))
	r.POST("/offers", s.may(node.HandleRequests, offers{s}.make))
	r.GET("/offers/new", s.may(node.HandleRequests, offers{s}.blank))
	r.GET("/offers/:id", s.may(node.HandleRequests, offers{s}.page))
	r.POST("/offers/:id/find", s.may(node.HandleRequests, offers{s}.find))
	r.POST("/offers/:id/answer", s.may(node.HandleRequests, offers{s}.answer))
	r.POST("/offers/:id/withdraw", s.may(node.HandleRequests, offers{s}.withdraw))
	r.GET("/across", s.may(node.HandleRequests, across{s}.page))
	r.POST("/across", s.may(node.OfferAcross, across{s}.make))
	r.GET("/across/new", s.may(node.OfferAcross, across{s}.blank))
	r.POST("/across/ask", s.may(node.HandleRequests, across{s}.ask))
	r.POST("/across/offers/:id/:act", s.may(node.OfferAcross, across{s}.do))
	r.POST("/across/interests/:id/:act", s.may(node.HandleRequests, across{s}.step))
	r.GET("/bonds", s.may(node.HandleRequests, bonds{s}.list))
	r.POST("/bonds", s.may(node.HandleRequests, bonds{s}.make))
	r.POST("/bonds/:id/check", s.may(node.HandleRequests, bonds{s}.check))

	r.GET("/people", s.may(node.ReadPeople, people{s}.list))
	r.GET("/people/new", s.may(node.WritePeople, people{s}.blank))
	r.POST("/people/new", s.may(node.WritePeople, people{s}.blankFrom))
	r.POST("/people", s.may(node.WritePeople, people{s}.enrol))
	r.GET("/people/:id", s.may(node.ReadPeople, people{s}.page))
	r.GET("/people/:id/edit", s.may(node.WritePeople, people{s}.edit))
	r.POST("/people/:id", s.may(node.WritePeople, people{s}.change))
	r.POST("/people/:id/likes", s.may(node.WritePeople, people{s}.likes))
	r.GET("/people/:id/calendar", s.may(node.ReadPeople, papers{s}.calendar))
	r.GET("/people/:id/past", s.may(node.ReadPeople, people{s}.past))
	r.POST("/people/:id/past", s.may(node.ReadPeople, people{s}.recordPast))

	r.GET("/people/:id/again", s.may(node.ReadPeople, series{s}.blank))
	r.POST("/people/:id/again", s.may(node.ReadPeople, series{s}.begin))
	r.GET("/series", s.may(node.HandleRequests, series{s}.list))
	r.GET("/series/:id", s.may(node.HandleRequests, series{s}.page))
	r.GET("/series/:id/edit", s.may(node.ReadPeople, series{s}.edit))
	r.POST("/series/:id/:act", s.may(node.HandleRequests, series{s}.do))

	r.GET("/volunteers", s.may(node.ReadPeople, volunteers{s}.list))
	r.GET("/volunteers/new", s.may(node.WritePeople, volunteers{s}.blank))
	r.POST("/volunteers", s.may(node.WritePeople, volunteers{s}.register))
	r.GET("/volunteers/:id", s.may(node.ReadPeople, volunteers{s}.page))
	r.GET("/volunteers/:id/edit", s.may(node.WritePeople, volunteers{s}.edit))
	r.POST("/volunteers/:id", s.may(node.WritePeople, volunteers{s}.change))
	r.GET("/volunteers/:id/week", s.may(node.ReadPeople, papers{s}.week))
	r.POST("/volunteers/:id/step", s.may(node.VetVolunteers, volunteers{s}.step))
	r.POST("/volunteers/:id/next", s.may(node.VetVolunteers, volunteers{s}.next))
	r.POST("/volunteers/:id/account", s.may(node.VetVolunteers, volunteers{s}.account))

	r.GET("/figures", s.may(node.ReadFigures, figures{s}.page))
	r.GET("/figures.csv", s.may(node.ReadFigures, figures{s}.file))
	r.GET("/catalogue", s.may(node.ReadPeople, catalogue{s}.page))
	r.POST("/catalogue", s.may(node.DefineTypes, catalogue{s}.define))
	r.GET("/settings", s.territory(node.ReadPeople, settings{s}.page))
	r.POST("/settings", s.territory(node.ChangeTerritory, settings{s}.change))
	r.POST("/settings/accounts", s.territory(node.ManageAccounts, settings{s}.openAccount))
	r.GET("/settings/accounts/:id/roles", s.territory(node.ManageAccounts, hats{s}.edit))
	r.POST("/settings/accounts/:id/roles", s.territory(node.ManageAccounts, hats{s}.save))
	r.GET("/account", s.signedIn(hats{s}.page))
	r.POST("/account/role", s.signedIn(hats{s}.change))
	r.POST("/account/again", s.signedIn(entry{s}.again))
	r.POST("/account/app", s.signedIn(keys{s}.begin))
	r.POST("/account/app/confirm", s.signedIn(keys{s}.confirm))
	r.POST("/account/app/drop", s.signedIn(keys{s}.drop))
	r.POST("/account/paper", s.signedIn(keys{s}.paper))
	r.POST("/account/sessions", s.signedIn(keys{s}.end))
	r.POST("/account/demand", s.may(node.ManageAccounts, keys{s}.demand))
	r.POST("/settings/accounts/:id/sessions", s.may(node.ManageAccounts, keys{s}.endOf))
	r.POST("/account/deputy", s.may(node.NameDeputy, hats{s}.deputy))
	r.POST("/settings/accounts/:id", s.territory(node.ManageAccounts, settings{s}.changeAccount))
	r.GET("/settings/imports", s.may(node.ImportPeople, imports{s}.page))
	r.POST("/settings/imports", s.may(node.ImportPeople, imports{s}.upload))
	r.GET("/settings/imports/model/:kind", s.may(node.ImportPeople, imports{s}.model))
	r.GET("/settings/imports/:id", s.may(node.ImportPeople, imports{s}.show))
	r.POST("/settings/imports/:id", s.may(node.ImportPeople, imports{s}.act))
	r.GET("/settings/imports/:id/faults", s.may(node.ImportPeople, imports{s}.faults))
	r.POST("/settings/imports/:id/undo", s.may(node.ImportPeople, imports{s}.undo))

	// Behind the desk: machines, backups, erasures.
	r.GET("/replicas", s.may(node.RunReplicas, replicas{s}.page))
	r.POST("/replicas/invite", s.may(node.RunReplicas, replicas{s}.invite))
	r.POST("/replicas/step-down", s.may(node.RunReplicas, replicas{s}.stepDown))
	r.POST("/replicas/rotate", s.may(node.RunReplicas, replicas{s}.rotate))
	r.GET("/replicas/:id/remove", s.may(node.RunReplicas, replicas{s}.askRemove))
	r.POST("/replicas/:id/remove", s.may(node.RunReplicas, replicas{s}.remove))
	r.POST("/replicas/:id/destroyed", s.may(node.RunReplicas, replicas{s}.destroyed))
	r.POST("/replicas/:id/transfer", s.may(node.RunReplicas, replicas{s}.transfer))
	r.POST("/replicas/:id/approve", s.may(node.RunReplicas, replicas{s}.approve))
	r.GET("/backups", s.may(node.KeepBackups, backups{s}.page))
	r.POST("/backups", s.may(node.KeepBackups, backups{s}.register))
	r.GET("/backups/:id/keys", s.may(node.KeepBackups, backups{s}.keys))
	r.POST("/backups/:id/now", s.may(node.KeepBackups, backups{s}.now))
	r.POST("/backups/:id/kept", s.may(node.KeepBackups, backups{s}.kept))
	r.POST("/backups/:id/drop", s.may(node.KeepBackups, backups{s}.drop))
	r.GET("/erasures", s.may(node.ErasePeople, erasures{s}.list))
	r.POST("/erasures/run", s.may(node.ErasePeople, erasures{s}.run))
	r.GET("/erasures/:id", s.may(node.ErasePeople, erasures{s}.certificate))
	r.POST("/erasures/:id/keep", s.may(node.ErasePeople, erasures{s}.keep))
	r.GET("/people/:id/erase", s.may(node.ErasePeople, erasures{s}.askBeneficiary))
	r.POST("/people/:id/erase", s.may(node.ErasePeople, erasures{s}.wantBeneficiary))
	r.GET("/volunteers/:id/erase", s.may(node.ErasePeople, erasures{s}.askVolunteer))
	r.POST("/volunteers/:id/erase", s.may(node.ErasePeople, erasures{s}.wantVolunteer))

	// What has left, and to whom the territory speaks.
	r.GET("/ledger", s.may(node.ReadLedger, ledger{s}.page))
	r.GET("/ledger/:epoch/:seq", s.may(node.ReadLedger, ledger{s}.entry))
	r.GET("/federation", s.may(node.JoinFederation, federating{s}.page))
	r.GET("/federation/handovers/recipient", s.may(node.JoinFederation, handing{s}.recipient))
	r.POST("/federation/handovers/export", s.may(node.JoinFederation, handing{s}.export))
	r.POST("/federation/handovers", s.may(node.JoinFederation, handing{s}.take))
	r.POST("/federation/handovers/receipt", s.may(node.JoinFederation, handing{s}.confirm))
	r.POST("/federation/handovers/erase", s.may(node.ErasePeople, handing{s}.erase))
	r.POST("/federation/join", s.may(node.JoinFederation, federating{s}.join))
	r.POST("/federation/leave", s.may(node.JoinFederation, federating{s}.leave))
	r.POST("/federation/sync", s.may(node.JoinFederation, federating{s}.sync))
	r.POST("/federation/apply", s.may(node.JoinFederation, federating{s}.apply))

	// The nation, on the coordinator's node; what it says, in every territory.
	r.GET("/nation", s.nation(node.ReadNation, nation{s}.page))
	r.GET("/nation.csv", s.nation(node.ReadNation, nation{s}.csv))
	r.GET("/nation.json", s.nation(node.ReadNation, nation{s}.json))
	r.GET("/nation/coverage", s.nation(node.ReadNation, nation{s}.coveragePage))
	r.GET("/nation/compare", s.nation(node.ReadNation, nation{s}.comparePage))
	r.GET("/nation/territories/:siren", s.nation(node.ReadNation, nation{s}.territory))
	r.GET("/nation/report", s.nation(node.ReadNation, nation{s}.report))
	r.GET("/nation/bulletins", s.nation(node.PublishBulletins, bulletins{s}.desk))
	r.POST("/nation/bulletins", s.nation(node.PublishBulletins, bulletins{s}.preview))
	r.POST("/nation/bulletins/publish", s.nation(node.PublishBulletins, bulletins{s}.publish))
	r.GET("/nation/roster", s.nation(node.PublishRoster, roster{s}.page))
	r.POST("/nation/roster/draft", s.nation(node.PublishRoster, roster{s}.draft))
	r.POST("/nation/roster/read", s.nation(node.PublishRoster, roster{s}.read))
	r.POST("/nation/roster/publish", s.nation(node.PublishRoster, roster{s}.publish))
	r.POST("/nation/roster/invite", s.nation(node.PublishRoster, roster{s}.invite))
	r.GET("/nation/accounts", s.nation(node.ManageAccounts, settings{s}.page))
	r.POST("/nation/accounts", s.nation(node.ManageAccounts, settings{s}.openAccount))
	r.POST("/nation/accounts/:id", s.nation(node.ManageAccounts, settings{s}.changeAccount))
	r.GET("/bulletins", s.may(node.ReadBulletins, bulletins{s}.list))
	r.GET("/bulletins/:number", s.may(node.ReadBulletins, bulletins{s}.page))
	r.GET("/bulletins/:number/pdf", s.may(node.ReadBulletins, bulletins{s}.pdf))

	// The volunteer, phone in hand.
	r.GET("/me", s.mine(node.SeeOwnRequests, helping{s}.page))
	r.GET("/me/week", s.mine(node.SeeOwnRequests, papers{s}.ownWeek))
	r.GET("/me/:id/accept", s.mine(node.SeeOwnRequests, helping{s}.acceptPage))
	r.POST("/me/:id/:act", s.mine(node.AnswerForSelf, helping{s}.do))
	r.POST("/me/:id/thanks", s.mine(node.AnswerForSelf, bonds{s}.seen))
	r.GET("/me/offer", s.mine(node.SeeOwnRequests, offers{s}.mine))
	r.POST("/me/offer", s.mine(node.AnswerForSelf, offers{s}.propose))
	r.POST("/me/offer/:id/withdraw", s.mine(node.AnswerForSelf, offers{s}.withdraw))
	r.POST("/me/across/:id/:act", s.mine(node.AnswerForSelf, across{s}.hear))
	r.GET("/me/availability", s.mine(node.ChangeOwnReadiness, helping{s}.availability))
	r.POST("/me/availability", s.mine(node.ChangeOwnReadiness, helping{s}.setAvailability))

	e.NoRoute(s.know, s.notFound)
}

// Door is one address, and who may come in there.
type Door struct {
	Method, Path string
	Actions      []node.Action // any of them; none: whoever has signed in
	Anybody      bool          // also without a session
	Nation       bool          // of the coordinator's node alone
}

// behind is what stands behind a door.
type behind struct {
	Door
	h gin.HandlerFunc
}

// surface takes pages only: none is mounted that does not say for whom it is.
type surface struct {
	r    *gin.RouterGroup
	site *Site
}

func (s surface) GET(path string, p behind)  { s.add("GET", path, p) }
func (s surface) POST(path string, p behind) { s.add("POST", path, p) }

func (s surface) add(method, path string, p behind) {
	p.Method, p.Path = method, path
	s.site.doors = append(s.site.doors, p.Door)
	s.r.Handle(method, path, p.h)
}

// Doors lists the pages that are mounted.
func (s *Site) Doors() []Door { return s.doors }
