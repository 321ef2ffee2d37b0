package api

import (
	"strings"

	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/node"
	"github.com/danielgtaylor/huma/v2"
)

// names are the words of a closed set, in the order of their numbers. A value
// without a word is written as "", a word without a value read as zero; the
// schema lets through none that is not here.
type names[T comparable] struct {
	words  []string
	values []T
}

// named pairs words, separated by spaces, with values.
func named[T comparable](words string, values ...T) names[T] {
	n := names[T]{strings.Fields(words), values}
	if len(n.words) != len(n.values) {
		panic("api: words and values differ in number: " + words)
	}
	return n
}

func (n names[T]) of(v T) string {
	for i, have := range n.values {
		if have == v {
			return n.words[i]
		}
	}
	return ""
}

func (n names[T]) value(word string) (v T) {
	for i, have := range n.words {
		if have == word {
			return n.values[i]
		}
	}
	return v
}

func (n names[T]) schema() *huma.Schema {
	s := &huma.Schema{Type: huma.TypeString}
	for _, w := range n.words {
		s.Enum = append(s.Enum, w)
	}
	return s
}

// same is a set whose values are the words.
func same[T ~string](values ...T) names[T] {
	n := names[T]{values: values}
	for _, v := range values {
		n.words = append(n.words, string(v))
	}
	return n
}

// The closed sets of the interface.
var (
	states = named("draft open asked covered told done not-done cancelled unfilled",
		node.StateDraft, node.StateOpen, node.StateAsked, node.StateCovered, node.StateTold,
		node.StateDone, node.StateNotDone, node.StateCancelled, node.StateUnfilled)
	wishKinds = named("day week flexible", node.OnDay, node.InWeek, node.Flexible)
	unseals   = named("file person shares plugin peers", node.ByFile, node.ByPerson, node.ByShares, node.ByPlugin, node.ByPeers)
	halves    = named("morning afternoon", node.Morning, node.Afternoon)
	answers   = named("waiting yes no withdrawn declined", node.Waiting, node.Yes, node.No, node.Withdrawn, node.Declined)
	reasons   = named("by-her by-us by-volunteer not-at-home nobody-found entered-twice",
		node.ByHer, node.ByUs, node.ByVolunteer, node.NotAtHome, node.NobodyFound, node.EnteredTwice)
	statuses = named("applicant met approved suspended ended",
		node.Applicant, node.Met, node.Approved, node.Suspended, node.Ended)
	personStates = named("active left", node.Active, node.Left)
	bases        = named("consent public-interest vital-interest", node.Consent, node.PublicInterest, node.VitalInterest)
	notices      = named("none read-on-phone given-by-hand sent-by-letter",
		node.NoNotice, node.ReadOnPhone, node.GivenByHand, node.SentByLetter)
	pairings    = named("never first always", node.Alone, node.FirstVisit, node.AlwaysTwo)
	callResults = named("told no-answer later", node.CallTold, node.CallNoAnswer, node.CallLater)
	roles       = named("admin agent volunteer official dpo coordinator reception association professional beneficiary operator", node.RoleAdmin, node.RoleAgent, node.RoleVolunteer,
		node.RoleOfficial, node.RoleDPO, node.RoleCoordinator, node.RoleReception, node.RoleAssociation, node.RoleProfessional, node.RoleBeneficiary, node.RoleOperator)
	kindsFound = named("beneficiary volunteer", node.OnlyBeneficiary, node.OnlyVolunteer)
	modes      = named("phone letter visit sms email app", "phone", "letter", "visit", "sms", "email", "app")
	papers     = named("fr en", node.InFrench, node.InEnglish)
	// The node gives these as plain numbers of the store.
	means        = named("phone volunteer in-person", uint8(1), 2, 3)
	importStates = named("staged committed undone", uint8(1), 2, 3)
	changes      = named("enrolled changed registered changed stepped defined opened changed published asked accepted refused withdrawn "+
		"called finished dropped recorded account-opened account-changed import-begun imported import-closed opened changed stepped skipped recurred "+
		"offer-made offer-ended offer-taken offer-declined thanked thanks-seen bond-made bond-checked",
		uint8(3), 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 24, 25, 26, 30, 31, 32, 33, 34, 40, 41, 42, 43, 44, 45, 46, 47)

	seriesStates = named("running paused ended", node.SeriesRunning, node.SeriesPaused, node.SeriesEnded)
	rhythms      = named("weekly fortnightly monthly", node.Weekly, node.Fortnightly, node.Monthly)
	weekdays     = named("monday tuesday wednesday thursday friday saturday sunday", uint8(1), 2, 3, 4, 5, 6, 7)
	wishers      = named("by-her by-us", node.ByHer, node.ByUs)
	offerStates  = named("open full withdrawn past", node.OfferOpen, node.OfferFull, node.OfferWithdrawn, node.OfferPast)
	bondStates   = named("alive ended", node.BondAlive, node.BondEnded)
	bondEnds     = named("by-her by-him gone other", node.EndByHer, node.EndByHim, node.EndGone, node.EndOther)

	// The node's own words are the API's.
	replicaStates = same(node.ReplicaJoining, node.ReplicaMember, node.ReplicaRemoved, node.ReplicaDestroyed)
	erasables     = same(node.ErasableBeneficiary, node.ErasableVolunteer, node.ErasableAccount, node.ErasableImport)
	destinations  = same(node.FolderDestination, node.ManualDestination)
	limits        = same("vault-copies", "one-replica", "backups-35-days", "manual-backups")

	indicators = named("requested found told done not-done cancelled unfilled minutes metres enrolled joined offered bonds found-in-day found-in-two-days found-in-week",
		public.Requested, public.Found, public.Told, public.Done, public.NotDone, public.Cancelled, public.Unfilled,
		public.Minutes, public.Metres, public.Enrolled, public.Joined, public.Offered, public.Bonds,
		public.FoundInDay, public.FoundInTwoDays, public.FoundInWeek)
	categories = named("visit reading walk shopping computer paperwork ride call delivery outing other",
		public.Visit, public.Reading, public.Walk, public.Shopping, public.Computer, public.Paperwork,
		public.Ride, public.Call, public.Delivery, public.Outing, public.Other)
	sexes    = named("unknown woman man", public.SexUnknown, public.Woman, public.Man)
	ageBands = named("unknown under-60 60-69 70-74 75-79 80-84 85-89 90-and-over",
		public.AgeUnknown, public.Under60, public.From60, public.From70, public.From75, public.From80, public.From85, public.From90)
)

// Types of words in forms and answers: each brings the schema of its set.
type (
	stateWord       string
	wishWord        string
	halfWord        string
	answerWord      string
	reasonWord      string
	statusWord      string
	personStateWord string
	basisWord       string
	noticeWord      string
	pairingWord     string
	callWord        string
	roleWord        string
	kindFoundWord   string
	modeWord        string
	meansWord       string
	importStateWord string
	categoryWord    string
	halfDayWord     string
	paperWord       string
	seriesStateWord string
	rhythmWord      string
	weekdayWord     string
	wisherOf        string
	offerWord       string
	bondWord        string
	bondEndWord     string

	replicaStateWord string
	unsealWord       string
	erasableWord     string
	destinationWord  string
	limitWord        string
)

func (stateWord) Schema(huma.Registry) *huma.Schema        { return states.schema() }
func (wishWord) Schema(huma.Registry) *huma.Schema         { return wishKinds.schema() }
func (halfWord) Schema(huma.Registry) *huma.Schema         { return halves.schema() }
func (answerWord) Schema(huma.Registry) *huma.Schema       { return answers.schema() }
func (reasonWord) Schema(huma.Registry) *huma.Schema       { return reasons.schema() }
func (statusWord) Schema(huma.Registry) *huma.Schema       { return statuses.schema() }
func (personStateWord) Schema(huma.Registry) *huma.Schema  { return personStates.schema() }
func (basisWord) Schema(huma.Registry) *huma.Schema        { return bases.schema() }
func (noticeWord) Schema(huma.Registry) *huma.Schema       { return notices.schema() }
func (pairingWord) Schema(huma.Registry) *huma.Schema      { return pairings.schema() }
func (callWord) Schema(huma.Registry) *huma.Schema         { return callResults.schema() }
func (roleWord) Schema(huma.Registry) *huma.Schema         { return roles.schema() }
func (kindFoundWord) Schema(huma.Registry) *huma.Schema    { return kindsFound.schema() }
func (modeWord) Schema(huma.Registry) *huma.Schema         { return modes.schema() }
func (meansWord) Schema(huma.Registry) *huma.Schema        { return means.schema() }
func (importStateWord) Schema(huma.Registry) *huma.Schema  { return importStates.schema() }
func (categoryWord) Schema(huma.Registry) *huma.Schema     { return categories.schema() }
func (paperWord) Schema(huma.Registry) *huma.Schema        { return papers.schema() }
func (seriesStateWord) Schema(huma.Registry) *huma.Schema  { return seriesStates.schema() }
func (rhythmWord) Schema(huma.Registry) *huma.Schema       { return rhythms.schema() }
func (weekdayWord) Schema(huma.Registry) *huma.Schema      { return weekdays.schema() }
func (wisherOf) Schema(huma.Registry) *huma.Schema         { return wishers.schema() }
func (halfDayWord) Schema(huma.Registry) *huma.Schema      { return halfDays.schema() }
func (offerWord) Schema(huma.Registry) *huma.Schema        { return offerStates.schema() }
func (bondWord) Schema(huma.Registry) *huma.Schema         { return bondStates.schema() }
func (bondEndWord) Schema(huma.Registry) *huma.Schema      { return bondEnds.schema() }
func (replicaStateWord) Schema(huma.Registry) *huma.Schema { return replicaStates.schema() }
func (unsealWord) Schema(huma.Registry) *huma.Schema       { return unseals.schema() }
func (erasableWord) Schema(huma.Registry) *huma.Schema     { return erasables.schema() }
func (destinationWord) Schema(huma.Registry) *huma.Schema  { return destinations.schema() }
func (limitWord) Schema(huma.Registry) *huma.Schema        { return limits.schema() }

// halfDays are the bits of a week.
var halfDays = weekNames()

func weekNames() names[node.Week] {
	var n names[node.Week]
	for i, day := range []string{"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"} {
		n.words = append(n.words, day+"-morning", day+"-afternoon")
		n.values = append(n.values, node.Week(1)<<(2*i), node.Week(1)<<(2*i+1))
	}
	return n
}

func weekOf(words []halfDayWord) (w node.Week) {
	for _, word := range words {
		w |= halfDays.value(string(word))
	}
	return w
}

func weekWords(w node.Week) []halfDayWord {
	out := []halfDayWord{}
	for i, bit := range halfDays.values {
		if w&bit != 0 {
			out = append(out, halfDayWord(halfDays.words[i]))
		}
	}
	return out
}

func rolesOf(words []roleWord) (r node.Roles) {
	for _, word := range words {
		r |= roles.value(string(word))
	}
	return r
}

func roleWords(r node.Roles) []roleWord {
	out := []roleWord{}
	for i, bit := range roles.values {
		if r.Has(bit) {
			out = append(out, roleWord(roles.words[i]))
		}
	}
	return out
}
