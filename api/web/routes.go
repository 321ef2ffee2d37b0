package web

import (
	"github.com/gin-gonic/gin"
)

// Mount adds every page to e. This is the whole surface of the interface.
func (s *Site) Mount(e *gin.Engine) {
	e.GET("/assets/:hash/:name", s.serveAsset)
	r := e.Group("/", s.know)
	r.GET("/", entry{s}.home)
	r.POST("/sign-in", entry{s}.signIn)
	r.POST("/sign-out", entry{s}.signOut)
	r.POST("/language", entry{s}.choose)
	r.GET("/sources", settings{s}.sources)
	e.GET("/sw.js", outbox{s}.worker)
	r.GET("/offline", outbox{s}.offline)

	// The desk.
	r.GET("/desk", s.staff(desk{s}.page))
	r.POST("/desk", s.staff(desk{s}.search))
	r.POST("/desk/results", s.staff(desk{s}.results))
	r.GET("/desk/:id", s.staff(desk{s}.person))
	r.POST("/desk/:id", s.staff(desk{s}.openRequest))
	r.GET("/live", s.staff(live{s}.stream))
	r.GET("/calls", s.staff(calls{s}.list))
	r.POST("/calls/:id", s.staff(calls{s}.reach))

	r.GET("/requests", s.staff(requests{s}.board))
	r.GET("/requests/:id", s.staff(requests{s}.page))
	r.POST("/requests/:id/:act", s.staff(requests{s}.do))
	r.GET("/requests/:id/edit", s.staff(requests{s}.edit))

	r.GET("/people", s.staff(people{s}.list))
	r.GET("/people/new", s.staff(people{s}.blank))
	r.POST("/people/new", s.staff(people{s}.blankFrom))
	r.POST("/people", s.staff(people{s}.enrol))
	r.GET("/people/:id", s.staff(people{s}.page))
	r.GET("/people/:id/edit", s.staff(people{s}.edit))
	r.POST("/people/:id", s.staff(people{s}.change))
	r.GET("/people/:id/past", s.staff(people{s}.past))
	r.POST("/people/:id/past", s.staff(people{s}.recordPast))

	r.GET("/volunteers", s.staff(volunteers{s}.list))
	r.GET("/volunteers/new", s.staff(volunteers{s}.blank))
	r.POST("/volunteers", s.staff(volunteers{s}.register))
	r.GET("/volunteers/:id", s.staff(volunteers{s}.page))
	r.GET("/volunteers/:id/edit", s.staff(volunteers{s}.edit))
	r.POST("/volunteers/:id", s.staff(volunteers{s}.change))
	r.POST("/volunteers/:id/step", s.staff(volunteers{s}.step))
	r.POST("/volunteers/:id/next", s.staff(volunteers{s}.next))
	r.POST("/volunteers/:id/account", s.staff(volunteers{s}.account))

	r.GET("/figures", s.staff(figures{s}.page))
	r.GET("/catalogue", s.staff(catalogue{s}.page))
	r.POST("/catalogue", s.staff(catalogue{s}.define))
	r.GET("/settings", s.staff(settings{s}.page))
	r.POST("/settings", s.staff(settings{s}.change))
	r.POST("/settings/accounts", s.staff(settings{s}.openAccount))
	r.POST("/settings/accounts/:id", s.staff(settings{s}.changeAccount))
	r.POST("/settings/imports/:id/undo", s.staff(settings{s}.undoImport))

	// The volunteer, phone in hand.
	r.GET("/me", s.volunteer(helping{s}.page))
	r.GET("/me/:id/accept", s.volunteer(helping{s}.acceptPage))
	r.POST("/me/:id/:act", s.volunteer(helping{s}.do))
	r.GET("/me/availability", s.volunteer(helping{s}.availability))
	r.POST("/me/availability", s.volunteer(helping{s}.setAvailability))

	e.NoRoute(s.know, s.notFound)
}
