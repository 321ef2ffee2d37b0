package web

import (
	"github.com/gin-gonic/gin"
)

// Mount adds every page to e. This is the whole surface of the interface.
func (s *Site) Mount(e *gin.Engine) {
	e.GET("/assets/:hash/:name", s.serveAsset)
	r := e.Group("/", s.know)
	r.GET("/", s.home)
	r.POST("/sign-in", s.signIn)
	r.POST("/sign-out", s.signOut)
	r.GET("/sources", s.sources)

	// The desk.
	r.GET("/desk", s.staff(s.desk))
	r.POST("/desk", s.staff(s.deskSearch))
	r.POST("/desk/results", s.staff(s.deskResults))
	r.GET("/desk/:id", s.staff(s.deskPerson))
	r.POST("/desk/:id", s.staff(s.openRequest))
	r.GET("/calls", s.staff(s.calls))
	r.POST("/calls/:id", s.staff(s.reach))

	r.GET("/requests", s.staff(s.board))
	r.GET("/requests/:id", s.staff(s.request))
	r.POST("/requests/:id/:act", s.staff(s.actOnRequest))
	r.GET("/requests/:id/edit", s.staff(s.editRequest))

	r.GET("/people", s.staff(s.people))
	r.GET("/people/new", s.staff(s.newPerson))
	r.POST("/people/new", s.staff(s.newPersonFrom))
	r.POST("/people", s.staff(s.enrol))
	r.GET("/people/:id", s.staff(s.person))
	r.GET("/people/:id/edit", s.staff(s.editPerson))
	r.POST("/people/:id", s.staff(s.changePerson))
	r.GET("/people/:id/past", s.staff(s.pastAction))
	r.POST("/people/:id/past", s.staff(s.recordPast))

	r.GET("/volunteers", s.staff(s.volunteers))
	r.GET("/volunteers/new", s.staff(s.newVolunteer))
	r.POST("/volunteers", s.staff(s.register))
	r.GET("/volunteers/:id", s.staff(s.volunteerPage))
	r.GET("/volunteers/:id/edit", s.staff(s.editVolunteer))
	r.POST("/volunteers/:id", s.staff(s.changeVolunteer))
	r.POST("/volunteers/:id/step", s.staff(s.stepVolunteer))
	r.POST("/volunteers/:id/account", s.staff(s.volunteerAccount))

	r.GET("/figures", s.staff(s.figures))
	r.GET("/catalogue", s.staff(s.catalogue))
	r.POST("/catalogue", s.staff(s.defineType))
	r.GET("/settings", s.staff(s.settings))
	r.POST("/settings", s.staff(s.changeSettings))
	r.POST("/settings/accounts", s.staff(s.openAccount))
	r.POST("/settings/accounts/:id", s.staff(s.changeAccount))
	r.POST("/settings/imports/:id/undo", s.staff(s.undoImport))

	// The volunteer, phone in hand.
	r.GET("/me", s.volunteer(s.mine))
	r.GET("/me/:id/accept", s.volunteer(s.acceptPage))
	r.POST("/me/:id/:act", s.volunteer(s.actForSelf))
	r.GET("/me/availability", s.volunteer(s.availability))
	r.POST("/me/availability", s.volunteer(s.setAvailability))

	e.NoRoute(s.know, s.notFound)
}
