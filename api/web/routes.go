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
	r, d := surface{e.Group("/", s.know), s}, porch{s}
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
		r.POST("/tour", d.may(node.HandleRequests, tour{s}.ring))
		r.POST("/tour/leave", d.may(node.HandleRequests, tour{s}.leave))
	}

	// The desk.
	r.GET("/desk", d.may(node.HandleRequests, desk{s}.page))
	r.POST("/desk", d.may(node.HandleRequests, desk{s}.search))
	r.POST("/desk/results", d.may(node.HandleRequests, desk{s}.results))
	r.GET("/desk/:id", d.may(node.HandleRequests, desk{s}.person))
	r.POST("/desk/:id", d.may(node.HandleRequests, desk{s}.openRequest))
	r.GET("/desk/monday", d.may(node.HandleRequests, papers{s}.monday))
	r.POST("/desk/:id/again", d.may(node.HandleRequests, desk{s}.again))
	r.POST("/desk/:id/fitting", d.may(node.HandleRequests, desk{s}.fitting))
	r.POST("/desk/:id/notice", d.may(node.WritePeople, desk{s}.notice))
	r.GET("/live", d.may(node.HandleRequests, live{s}.stream))
	r.GET("/calls", d.may(node.CallPeople, calls{s}.list))
	r.POST("/calls/:id", d.may(node.CallPeople, calls{s}.reach))

	r.GET("/requests", d.may(node.HandleRequests, requests{s}.board))
	r.GET("/requests/:id", d.may(node.HandleRequests, requests{s}.page))
	r.POST("/requests/:id/:act", d.may(node.HandleRequests, requests{s}.do))
	r.GET("/requests/:id/edit", d.may(node.HandleRequests, requests{s}.edit))
	r.GET("/requests/:id/across", d.may(node.HandleRequests, across{s}.beside))

	r.POST("/requests/:id/thank", d.may(node.HandleRequests, bonds{s}.thank))
	r.POST("/requests/:id/thanks-told", d.may(node.HandleRequests, bonds{s}.told))
	r.GET("/offers", d.may(node.HandleRequests, offers{s}.list))
	r.POST("/offers", d.may(node.HandleRequests, offers{s}.make))
	r.GET("/offers/new", d.may(node.HandleRequests, offers{s}.blank))
	r.GET("/offers/:id", d.may(node.HandleRequests, offers{s}.page))
	r.POST("/offers/:id/find", d.may(node.HandleRequests, offers{s}.find))
	r.POST("/offers/:id/answer", d.may(node.HandleRequests, offers{s}.answer))
	r.POST("/offers/:id/withdraw", d.may(node.HandleRequests, offers{s}.withdraw))
	r.GET("/across", d.may(node.HandleRequests, across{s}.page))
	r.POST("/across", d.may(node.OfferAcross, across{s}.make))
	r.GET("/across/new", d.may(node.OfferAcross, across{s}.blank))
	r.POST("/across/ask", d.may(node.HandleRequests, across{s}.ask))
	r.POST("/across/offers/:id/:act", d.may(node.OfferAcross, across{s}.do))
	r.POST("/across/interests/:id/:act", d.may(node.HandleRequests, across{s}.step))
	r.GET("/bonds", d.may(node.HandleRequests, bonds{s}.list))
	r.POST("/bonds", d.may(node.HandleRequests, bonds{s}.make))
	r.POST("/bonds/:id/check", d.may(node.HandleRequests, bonds{s}.check))

	r.GET("/people", d.may(node.ReadPeople, people{s}.list))
	r.GET("/people/new", d.may(node.WritePeople, people{s}.blank))
	r.POST("/people/new", d.may(node.WritePeople, people{s}.blankFrom))
	r.POST("/people", d.may(node.WritePeople, people{s}.enrol))
	r.GET("/people/:id", d.may(node.ReadPeople, journal{s}.asked(node.SubjectBeneficiary, people{s}.page)))
	r.GET("/people/:id/edit", d.may(node.WritePeople, people{s}.edit))
	r.POST("/people/:id", d.may(node.WritePeople, people{s}.change))
	r.POST("/people/:id/likes", d.may(node.WritePeople, people{s}.likes))
	r.GET("/people/:id/calendar", d.may(node.ReadPeople, papers{s}.calendar))
	r.GET("/people/:id/past", d.may(node.ReadPeople, people{s}.past))
	r.POST("/people/:id/past", d.may(node.ReadPeople, people{s}.recordPast))

	r.GET("/people/:id/again", d.may(node.ReadPeople, series{s}.blank))
	r.POST("/people/:id/again", d.may(node.ReadPeople, series{s}.begin))
	r.GET("/series", d.may(node.HandleRequests, series{s}.list))
	r.GET("/series/:id", d.may(node.HandleRequests, series{s}.page))
	r.GET("/series/:id/edit", d.may(node.ReadPeople, series{s}.edit))
	r.POST("/series/:id/:act", d.may(node.HandleRequests, series{s}.do))

	r.GET("/volunteers", d.may(node.ReadPeople, volunteers{s}.list))
	r.GET("/volunteers/new", d.may(node.WritePeople, volunteers{s}.blank))
	r.POST("/volunteers", d.may(node.WritePeople, volunteers{s}.register))
	r.GET("/volunteers/:id", d.may(node.ReadPeople, journal{s}.asked(node.SubjectVolunteer, volunteers{s}.page)))
	r.GET("/volunteers/:id/edit", d.may(node.WritePeople, volunteers{s}.edit))
	r.POST("/volunteers/:id", d.may(node.WritePeople, volunteers{s}.change))
	r.GET("/volunteers/:id/week", d.may(node.ReadPeople, papers{s}.week))
	r.POST("/volunteers/:id/step", d.may(node.VetVolunteers, volunteers{s}.step))
	r.POST("/volunteers/:id/next", d.may(node.VetVolunteers, volunteers{s}.next))
	r.POST("/volunteers/:id/account", d.may(node.VetVolunteers, volunteers{s}.account))

	r.GET("/figures", d.may(node.ReadFigures, figures{s}.page))
	r.GET("/figures.csv", d.may(node.ReadFigures, figures{s}.file))
	r.GET("/catalogue", d.may(node.ReadPeople, catalogue{s}.page))
	r.POST("/catalogue", d.may(node.DefineTypes, catalogue{s}.define))
	r.GET("/settings", d.territory(node.ReadPeople, settings{s}.page))
	r.POST("/settings", d.territory(node.ChangeTerritory, settings{s}.change))
	r.POST("/settings/accounts", d.territory(node.ManageAccounts, settings{s}.openAccount))
	r.GET("/settings/accounts/:id/roles", d.territory(node.ManageAccounts, hats{s}.edit))
	r.POST("/settings/accounts/:id/roles", d.territory(node.ManageAccounts, hats{s}.save))
	r.GET("/members", d.may(node.SeeMembers, hats{s}.members))
	r.GET("/account", d.signedIn(hats{s}.page))
	r.POST("/account/role", d.signedIn(hats{s}.change))
	r.POST("/account/again", d.signedIn(entry{s}.again))
	r.POST("/account/app", d.signedIn(keys{s}.begin))
	r.POST("/account/app/confirm", d.signedIn(keys{s}.confirm))
	r.POST("/account/app/drop", d.signedIn(keys{s}.drop))
	r.POST("/account/paper", d.signedIn(keys{s}.paper))
	r.POST("/account/sessions", d.signedIn(keys{s}.end))
	r.POST("/account/demand", d.may(node.ManageAccounts, keys{s}.demand))
	r.POST("/settings/accounts/:id/sessions", d.territory(node.ManageAccounts, keys{s}.endOf))
	r.POST("/account/deputy", d.may(node.NameDeputy, hats{s}.deputy))
	r.POST("/settings/accounts/:id", d.territory(node.ManageAccounts, settings{s}.changeAccount))
	r.GET("/settings/imports", d.may(node.ImportPeople, imports{s}.page))
	r.POST("/settings/imports", d.may(node.ImportPeople, imports{s}.upload))
	r.GET("/settings/imports/model/:kind", d.may(node.ImportPeople, imports{s}.model))
	r.GET("/settings/imports/:id", d.may(node.ImportPeople, imports{s}.show))
	r.POST("/settings/imports/:id", d.may(node.ImportPeople, imports{s}.act))
	r.GET("/settings/imports/:id/faults", d.may(node.ImportPeople, imports{s}.faults))
	r.POST("/settings/imports/:id/undo", d.may(node.ImportPeople, imports{s}.undo))

	// Behind the desk: machines, backups, erasures.
	r.GET("/replicas", d.may(node.RunReplicas, replicas{s}.page))
	r.POST("/replicas/invite", d.may(node.RunReplicas, replicas{s}.invite))
	r.POST("/replicas/step-down", d.may(node.RunReplicas, replicas{s}.stepDown))
	r.POST("/replicas/rotate", d.may(node.RunReplicas, replicas{s}.rotate))
	r.GET("/replicas/:id/remove", d.may(node.RunReplicas, replicas{s}.askRemove))
	r.POST("/replicas/:id/remove", d.may(node.RunReplicas, replicas{s}.remove))
	r.POST("/replicas/:id/destroyed", d.may(node.RunReplicas, replicas{s}.destroyed))
	r.POST("/replicas/:id/transfer", d.may(node.RunReplicas, replicas{s}.transfer))
	r.POST("/replicas/:id/approve", d.may(node.RunReplicas, replicas{s}.approve))
	r.GET("/backups", d.may(node.KeepBackups, backups{s}.page))
	r.POST("/backups", d.may(node.KeepBackups, backups{s}.register))
	r.GET("/backups/:id/keys", d.may(node.KeepBackups, backups{s}.keys))
	r.POST("/backups/:id/now", d.may(node.KeepBackups, backups{s}.now))
	r.POST("/backups/:id/kept", d.may(node.KeepBackups, backups{s}.kept))
	r.POST("/backups/:id/drop", d.may(node.KeepBackups, backups{s}.drop))
	r.GET("/erasures", d.may(node.ErasePeople, erasures{s}.list))
	r.POST("/erasures/run", d.may(node.ErasePeople, erasures{s}.run))
	r.GET("/erasures/:id", d.may(node.ReadErasures, erasures{s}.certificate))
	r.POST("/erasures/:id/keep", d.may(node.ErasePeople, erasures{s}.keep))
	r.GET("/people/:id/erase", d.may(node.ErasePeople, erasures{s}.askBeneficiary))
	r.POST("/people/:id/erase", d.may(node.ErasePeople, erasures{s}.wantBeneficiary))
	r.GET("/volunteers/:id/erase", d.may(node.ErasePeople, erasures{s}.askVolunteer))
	r.POST("/volunteers/:id/erase", d.may(node.ErasePeople, erasures{s}.wantVolunteer))

	// What people may demand, and the registers.
	r.GET("/dpo", d.may(node.AnswerRights, dpo{s}.desk))
	r.GET("/dpo/cases", d.may(node.AnswerRights, dpo{s}.cases))
	r.POST("/dpo/cases/find", d.may(node.AnswerRights, dpo{s}.find))
	r.GET("/dpo/cases/new", d.may(node.NoteDemands, dpo{s}.blank))
	r.POST("/dpo/cases", d.may(node.NoteDemands, dpo{s}.open))
	r.GET("/dpo/cases/:id", d.may(node.AnswerRights, dpo{s}.page))
	r.POST("/dpo/cases/:id/:act", d.may(node.AnswerRights, dpo{s}.act))
	r.GET("/dpo/cases/:id/answer", d.may(node.AnswerRights, dpo{s}.answer))
	r.GET("/dpo/cases/:id/answer.json", d.may(node.AnswerRights, dpo{s}.answerFile))
	r.GET("/dpo/register", d.may(node.KeepBooks, books{s}.register))
	r.GET("/dpo/assessment", d.may(node.KeepBooks, books{s}.assessment))
	r.GET("/dpo/retention", d.may(node.KeepBooks, books{s}.retention))
	r.POST("/dpo/retention", d.may(node.AnswerRights, books{s}.look))
	r.POST("/dpo/retention/months", d.may(node.ChooseRetention, books{s}.choose))
	r.POST("/dpo/retention/approve/:id", d.may(node.AnswerRights, books{s}.approve))
	r.GET("/dpo/notices", d.may(node.ReadNotices, books{s}.notices))
	r.POST("/dpo/notices/:treatment", d.may(node.WriteNotices, books{s}.writeNotice))
	r.GET("/dpo/notices/:treatment", d.may(node.ReadNotices, books{s}.printNotice))
	r.GET("/dpo/breaches", d.may(node.AnswerRights, books{s}.breaches))
	r.GET("/dpo/breaches/:id", d.may(node.AnswerRights, books{s}.breach))
	r.POST("/dpo/breaches/:id", d.may(node.AnswerRights, books{s}.writeBreach))

	// What has left, and to whom the territory speaks.
	r.GET("/ledger", d.may(node.ReadLedger, ledger{s}.page))
	r.GET("/ledger/:epoch/:seq", d.may(node.ReadLedger, ledger{s}.entry))
	r.GET("/federation", d.may(node.JoinFederation, federating{s}.page))
	r.GET("/federation/handovers/recipient", d.may(node.JoinFederation, handing{s}.recipient))
	r.POST("/federation/handovers/export", d.may(node.JoinFederation, handing{s}.export))
	r.POST("/federation/handovers", d.may(node.JoinFederation, handing{s}.take))
	r.POST("/federation/handovers/receipt", d.may(node.JoinFederation, handing{s}.confirm))
	r.POST("/federation/handovers/erase", d.may(node.ErasePeople, handing{s}.erase))
	r.POST("/federation/join", d.may(node.JoinFederation, federating{s}.join))
	r.POST("/federation/leave", d.may(node.JoinFederation, federating{s}.leave))
	r.POST("/federation/sync", d.may(node.JoinFederation, federating{s}.sync))
	r.POST("/federation/apply", d.may(node.JoinFederation, federating{s}.apply))

	// Who has read whose words.
	r.GET("/dpo/journal", d.may(node.ReadJournal, journal{s}.page))
	r.GET("/dpo/journal/digest", d.may(node.ReadJournal, journal{s}.digest))
	r.GET("/people/:id/readers", d.may(node.ReadJournal, journal{s}.readers(node.SubjectBeneficiary)))
	r.GET("/volunteers/:id/readers", d.may(node.ReadJournal, journal{s}.readers(node.SubjectVolunteer)))

	// The nation, on the coordinator's node; what it says, in every territory.
	r.GET("/nation", d.nation(node.ReadNation, nation{s}.page))
	r.GET("/nation.csv", d.nation(node.ReadNation, nation{s}.csv))
	r.GET("/nation.json", d.nation(node.ReadNation, nation{s}.json))
	r.GET("/nation/coverage", d.nation(node.ReadNation, nation{s}.coveragePage))
	r.GET("/nation/compare", d.nation(node.ReadNation, nation{s}.comparePage))
	r.GET("/nation/territories/:siren", d.nation(node.ReadNation, nation{s}.territory))
	r.GET("/nation/report", d.nation(node.ReadNation, nation{s}.report))
	r.GET("/nation/bulletins", d.nation(node.PublishBulletins, bulletins{s}.desk))
	r.POST("/nation/bulletins", d.nation(node.PublishBulletins, bulletins{s}.preview))
	r.POST("/nation/bulletins/publish", d.nation(node.PublishBulletins, bulletins{s}.publish))
	r.GET("/nation/roster", d.nation(node.PublishRoster, roster{s}.page))
	r.POST("/nation/roster/draft", d.nation(node.PublishRoster, roster{s}.draft))
	r.POST("/nation/roster/read", d.nation(node.PublishRoster, roster{s}.read))
	r.POST("/nation/roster/publish", d.nation(node.PublishRoster, roster{s}.publish))
	r.POST("/nation/roster/invite", d.nation(node.PublishRoster, roster{s}.invite))
	r.GET("/nation/accounts", d.nation(node.ManageAccounts, settings{s}.page))
	r.POST("/nation/accounts", d.nation(node.ManageAccounts, settings{s}.openAccount))
	r.POST("/nation/accounts/:id", d.nation(node.ManageAccounts, settings{s}.changeAccount))
	r.GET("/bulletins", d.may(node.ReadBulletins, bulletins{s}.list))
	r.GET("/bulletins/:number", d.may(node.ReadBulletins, bulletins{s}.page))
	r.GET("/bulletins/:number/pdf", d.may(node.ReadBulletins, bulletins{s}.pdf))

	// The volunteer, phone in hand.
	r.GET("/me", d.mine(node.SeeOwnRequests, helping{s}.page))
	r.GET("/me/week", d.mine(node.SeeOwnRequests, papers{s}.ownWeek))
	r.GET("/me/:id/accept", d.mine(node.SeeOwnRequests, helping{s}.acceptPage))
	r.POST("/me/:id/:act", d.mine(node.AnswerForSelf, helping{s}.do))
	r.POST("/me/:id/thanks", d.mine(node.AnswerForSelf, bonds{s}.seen))
	r.GET("/me/offer", d.mine(node.SeeOwnRequests, offers{s}.mine))
	r.POST("/me/offer", d.mine(node.AnswerForSelf, offers{s}.propose))
	r.POST("/me/offer/:id/withdraw", d.mine(node.AnswerForSelf, offers{s}.withdraw))
	r.POST("/me/across/:id/:act", d.mine(node.AnswerForSelf, across{s}.hear))
	r.GET("/me/availability", d.mine(node.ChangeOwnReadiness, helping{s}.availability))
	r.POST("/me/availability", d.mine(node.ChangeOwnReadiness, helping{s}.setAvailability))

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
