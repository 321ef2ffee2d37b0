package web

import (
	"github.com/gin-gonic/gin"
)

// Mount adds every page to e. This is the whole surface of the interface.
func (s *Site) Mount(e *gin.Engine) {
	e.GET("/assets/:hash/:name", s.serveAsset)
	e.GET("/theme/:colour", face{s}.theme)
	e.GET("/logo/:version", face{s}.logo)
	r := e.Group("/", s.know)
	r.GET("/", entry{s}.home)
	r.POST("/sign-in", entry{s}.signIn)
	r.POST("/sign-out", entry{s}.signOut)
	r.POST("/language", entry{s}.choose)
	r.GET("/sources", settings{s}.sources)

	if s.demo != nil {
		r.POST("/tour", s.staff(tour{s}.ring))
		r.POST("/tour/leave", s.staff(tour{s}.leave))
	}

	// The desk.
	r.GET("/desk", s.staff(desk{s}.page))
	r.POST("/desk", s.staff(desk{s}.search))
	r.POST("/desk/results", s.staff(desk{s}.results))
	r.GET("/desk/:id", s.staff(desk{s}.person))
	r.POST("/desk/:id", s.staff(desk{s}.openRequest))
	r.GET("/desk/monday", s.staff(papers{s}.monday))
	r.POST("/desk/:id/again", s.staff(desk{s}.again))
	r.POST("/desk/:id/fitting", s.staff(desk{s}.fitting))
	r.POST("/desk/:id/notice", s.staff(desk{s}.notice))
	r.GET("/live", s.staff(live{s}.stream))
	r.GET("/calls", s.staff(calls{s}.list))
	r.POST("/calls/:id", s.staff(calls{s}.reach))

	r.GET("/requests", s.staff(requests{s}.board))
	r.GET("/requests/:id", s.staff(requests{s}.page))
	r.POST("/requests/:id/:act", s.staff(requests{s}.do))
	r.GET("/requests/:id/edit", s.staff(requests{s}.edit))

	r.POST("/requests/:id/thank", s.staff(bonds{s}.thank))
	r.POST("/requests/:id/thanks-told", s.staff(bonds{s}.told))
	r.GET("/offers", s.staff(offers{s}.list))
	r.POST("/offers", s.staff(offers{s}.make))
	r.GET("/offers/new", s.staff(offers{s}.blank))
	r.GET("/offers/:id", s.staff(offers{s}.page))
	r.POST("/offers/:id/find", s.staff(offers{s}.find))
	r.POST("/offers/:id/answer", s.staff(offers{s}.answer))
	r.POST("/offers/:id/withdraw", s.staff(offers{s}.withdraw))
	r.GET("/bonds", s.staff(bonds{s}.list))
	r.POST("/bonds", s.staff(bonds{s}.make))
	r.POST("/bonds/:id/check", s.staff(bonds{s}.check))

	r.GET("/people", s.staff(people{s}.list))
	r.GET("/people/new", s.staff(people{s}.blank))
	r.POST("/people/new", s.staff(people{s}.blankFrom))
	r.POST("/people", s.staff(people{s}.enrol))
	r.GET("/people/:id", s.staff(people{s}.page))
	r.GET("/people/:id/edit", s.staff(people{s}.edit))
	r.POST("/people/:id", s.staff(people{s}.change))
	r.GET("/people/:id/calendar", s.staff(papers{s}.calendar))
	r.GET("/people/:id/past", s.staff(people{s}.past))
	r.POST("/people/:id/past", s.staff(people{s}.recordPast))

	r.GET("/people/:id/again", s.staff(series{s}.blank))
	r.POST("/people/:id/again", s.staff(series{s}.begin))
	r.GET("/series", s.staff(series{s}.list))
	r.GET("/series/:id", s.staff(series{s}.page))
	r.GET("/series/:id/edit", s.staff(series{s}.edit))
	r.POST("/series/:id/:act", s.staff(series{s}.do))

	r.GET("/volunteers", s.staff(volunteers{s}.list))
	r.GET("/volunteers/new", s.staff(volunteers{s}.blank))
	r.POST("/volunteers", s.staff(volunteers{s}.register))
	r.GET("/volunteers/:id", s.staff(volunteers{s}.page))
	r.GET("/volunteers/:id/edit", s.staff(volunteers{s}.edit))
	r.POST("/volunteers/:id", s.staff(volunteers{s}.change))
	r.GET("/volunteers/:id/week", s.staff(papers{s}.week))
	r.POST("/volunteers/:id/step", s.staff(volunteers{s}.step))
	r.POST("/volunteers/:id/account", s.staff(volunteers{s}.account))

	r.GET("/figures", s.only(figures{s}.page, mayRead))
	r.GET("/figures.csv", s.only(figures{s}.file, mayRead))
	r.GET("/catalogue", s.staff(catalogue{s}.page))
	r.POST("/catalogue", s.staff(catalogue{s}.define))
	r.GET("/settings", s.staff(settings{s}.page))
	r.POST("/settings", s.staff(settings{s}.change))
	r.POST("/settings/accounts", s.staff(settings{s}.openAccount))
	r.POST("/settings/accounts/:id", s.staff(settings{s}.changeAccount))
	r.GET("/settings/imports", s.staff(imports{s}.page))
	r.POST("/settings/imports", s.staff(imports{s}.upload))
	r.GET("/settings/imports/model/:kind", s.staff(imports{s}.model))
	r.GET("/settings/imports/:id", s.staff(imports{s}.show))
	r.POST("/settings/imports/:id", s.staff(imports{s}.act))
	r.GET("/settings/imports/:id/faults", s.staff(imports{s}.faults))
	r.POST("/settings/imports/:id/undo", s.staff(imports{s}.undo))

	// The volunteer, phone in hand.
	r.GET("/me", s.volunteer(helping{s}.page))
	r.GET("/me/week", s.volunteer(papers{s}.ownWeek))
	r.GET("/me/:id/accept", s.volunteer(helping{s}.acceptPage))
	r.POST("/me/:id/:act", s.volunteer(helping{s}.do))
	r.POST("/me/:id/thanks", s.volunteer(bonds{s}.seen))
	r.GET("/me/offer", s.volunteer(offers{s}.mine))
	r.POST("/me/offer", s.volunteer(offers{s}.propose))
	r.POST("/me/offer/:id/withdraw", s.volunteer(offers{s}.withdraw))
	r.GET("/me/availability", s.volunteer(helping{s}.availability))
	r.POST("/me/availability", s.volunteer(helping{s}.setAvailability))

	e.NoRoute(s.know, s.notFound)
}
