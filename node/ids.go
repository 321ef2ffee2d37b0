package node

import (
	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/node/internal/account"
	"github.com/bippop/bippop/node/internal/bond"
	"github.com/bippop/bippop/node/internal/catalogue"
	"github.com/bippop/bippop/node/internal/contact"
	"github.com/bippop/bippop/node/internal/geo"
	"github.com/bippop/bippop/node/internal/ident"
	"github.com/bippop/bippop/node/internal/offer"
	"github.com/bippop/bippop/node/internal/people"
	"github.com/bippop/bippop/node/internal/request"
	"github.com/bippop/bippop/node/internal/rights"
	"github.com/bippop/bippop/node/internal/series"
	"github.com/bippop/bippop/node/internal/territory"
	"github.com/bippop/bippop/node/internal/when"
)

// The words of the domain that callers use. They are defined below node/internal,
// where federation cannot reach them.
type (
	BeneficiaryID = ident.Beneficiary
	VolunteerID   = ident.Volunteer
	RequestID     = ident.Request
	TypeID        = ident.ActionType
	AccountID     = ident.Account
	AttemptID     = ident.Attempt
	ImportID      = ident.Import
	SeriesID      = ident.Series
	OfferID       = ident.Offer
	BondID        = ident.Bond
	CrossOfferID  = ident.CrossOffer
	InterestID    = ident.Interest
	CaseID        = ident.Case
	SortingID     = ident.Sorting
	BreachID      = ident.Breach
	Ref           = public.Ref // of an entry in a territory's feed

	BeneficiaryWords = people.BeneficiaryWords
	BeneficiaryFacts = people.Facts
	VolunteerWords   = people.VolunteerWords
	Readiness        = people.Readiness
	Absence          = people.Absence
	Phone            = people.Phone
	Contact          = people.Contact
	Status           = people.Status
	Paper            = people.Paper
	LegalBasis       = people.Basis
	Date             = people.Date

	SeriesRule  = series.Rule
	SeriesState = series.State
	Rhythm      = series.Rhythm

	Wish       = request.Wish
	State      = request.State
	Answer     = request.Answer
	Why        = request.Why
	ActionType = catalogue.ActionType
	OfferState = offer.State
	BondState  = bond.State
	BondEnd    = bond.Why
	Attempt    = contact.Attempt
	CallResult = contact.Result
	Roles      = account.Roles
	Session    = account.Session
	Grant      = account.Grant
	Territory  = territory.Territory
	Demand     = rights.Demand
	Asker      = rights.Asker
	CaseCheck  = rights.Check
	CaseState  = rights.State
	CaseStep   = rights.Step
	CaseReason = rights.Reason
	Means      = rights.Means
	Use        = rights.Use
	Standing   = rights.Standing
	Treatment  = rights.Treatment
	Plain      = rights.Plain
	Face       = territory.Face
	Commune    = geo.Commune
	Day        = when.Day
	Half       = when.Half
	Week       = when.Week
	Instant    = when.At
	Secret     = crypto.Secret
)

// States of a request, statuses of a volunteer, and other closed sets, as
// callers name them.
const (
	StateDraft     = request.Draft
	StateOpen      = request.Open
	StateAsked     = request.Asked
	StateCovered   = request.Covered
	StateTold      = request.Told
	StateDone      = request.Done
	StateNotDone   = request.NotDone
	StateCancelled = request.Cancelled
	StateUnfilled  = request.Unfilled

	OnDay    = request.OnDay
	InWeek   = request.InWeek
	Flexible = request.Flexible

	Waiting   = request.Waiting
	Yes       = request.Yes
	No        = request.No
	Withdrawn = request.Withdrawn
	Declined  = request.Declined

	ByHer        = request.ByHer
	ByUs         = request.ByUs
	ByVolunteer  = request.ByVolunteer
	NotAtHome    = request.NotAtHome
	NobodyFound  = request.NobodyFound
	EnteredTwice = request.EnteredTwice

	SeriesRunning = series.Running
	SeriesPaused  = series.Paused
	SeriesEnded   = series.Ended

	Weekly      = series.Weekly
	Fortnightly = series.Fortnightly
	Monthly     = series.Monthly
	LastOfMonth = series.Last

	Applicant = people.Applicant
	Met       = people.Met
	Approved  = people.Approved
	Suspended = people.Suspended
	Ended     = people.Ended

	Active = people.Active
	Left   = people.Left

	ImportStaged    = people.Staged
	ImportCommitted = people.Committed
	ImportUndone    = people.Undone

	Consent        = people.Consent
	PublicInterest = people.PublicInterest
	VitalInterest  = people.VitalInterest
	NoNotice       = people.NoNotice
	ReadOnPhone    = people.ReadOnPhone
	GivenByHand    = people.GivenByHand
	SentByLetter   = people.SentByLetter

	InFrench  = people.InFrench
	InEnglish = people.InEnglish

	Alone      = catalogue.Alone
	FirstVisit = catalogue.FirstVisit
	AlwaysTwo  = catalogue.AlwaysTwo

	AnyHalf   = when.AnyHalf
	Morning   = when.Morning
	Afternoon = when.Afternoon

	RoleAdmin        = account.Admin
	RoleAgent        = account.Agent
	RoleVolunteer    = account.Volunteer
	RoleOfficial     = account.Official
	RoleDPO          = account.DPO
	RoleReception    = account.Reception
	RoleAssociation  = account.Association
	RoleProfessional = account.Professional
	RoleBeneficiary  = account.Beneficiary
	RoleOperator     = account.Operator

	RoleCoordinator = account.Coordinator

	TerritoryNode   = territory.RoleTerritory
	CoordinatorNode = territory.RoleCoordinator
	ObserverNode    = territory.RoleObserver

	OfferOpen      = offer.Open
	OfferFull      = offer.Full
	OfferWithdrawn = offer.Withdrawn
	OfferPast      = offer.Past

	BondAlive = bond.Alive
	BondEnded = bond.Ended
	EndByHer  = bond.ByHer
	EndByHim  = bond.ByHim
	EndGone   = bond.Gone
	EndOther  = bond.Other

	DemandAccess        = rights.ToAccess
	DemandPortability   = rights.ToPortability
	DemandRectification = rights.ToRectify
	DemandRestriction   = rights.ToRestrict
	DemandErasure       = rights.ToErase
	DemandObjection     = rights.ToObject

	CaseReceived = rights.Received
	CaseChecked  = rights.Checked
	CaseAnswered = rights.Answered
	CaseDeclined = rights.Declined
	CaseDropped  = rights.Dropped

	UseWhole    = rights.Whole
	UseAcross   = rights.AcrossBorder
	UsePartners = rights.ToPartners
	UseCourtesy = rights.CourtesyList

	CallTold     = contact.Told
	CallNoAnswer = contact.NoAnswer
	CallLater    = contact.Later
)

// ParseID reads the text form of an ID of any kind.
func ParseID[T ~[16]byte](s string) (T, error) {
	id, err := ident.Parse[struct{}](s)
	if err != nil {
		return T{}, invalid("id", "malformed-id", "this is not an identifier")
	}
	return T(id), nil
}

// ParseDay reads "2026-11-24".
func ParseDay(s string) (Day, bool) { return when.ParseDay(s) }

// DayOf, WeekOf and WeekBit count in the territory's calendar; see package when.
var (
	DayOf       = when.DayOf
	WeekOf      = when.WeekOf
	WeekBit     = when.Bit
	ParsePhone  = people.ParsePhone
	FormatPhone = people.FormatPhone
	ParseDate   = people.ParseDate
)

// The national words in which the territory counts, as callers name them.
const (
	CountRequested      = public.Requested
	CountFound          = public.Found
	CountTold           = public.Told
	CountDone           = public.Done
	CountNotDone        = public.NotDone
	CountCancelled      = public.Cancelled
	CountUnfilled       = public.Unfilled
	CountMinutes        = public.Minutes
	CountMetres         = public.Metres
	CountEnrolled       = public.Enrolled
	CountJoined         = public.Joined
	CountOffered        = public.Offered
	CountBonds          = public.Bonds
	CountFoundInDay     = public.FoundInDay
	CountFoundInTwoDays = public.FoundInTwoDays
	CountFoundInWeek    = public.FoundInWeek
)
