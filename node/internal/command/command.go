// Package command is what may enter the log.
//
// A command is complete: it carries the time, the IDs, the actor and every
// number that a rule compares, because the machine has no clock, no chance and
// no session. A person's words are in it only as boxes sealed under her key.
// Kinds are numbered, and a number, once released, keeps its meaning for ever:
// the log is read by programs older and younger than the one that wrote it.
package command

import (
	"errors"
	"fmt"

	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/node/internal/account"
	"github.com/bippop/bippop/node/internal/ident"
	"github.com/bippop/bippop/node/internal/when"
	"github.com/fxamacker/cbor/v2"
)

// MaxSize of an encoded command, in bytes (DESIGN: 64 KiB; raft suggests at most
// 512 KiB for an entry, raft.SuggestedMaxDataSize).
const MaxSize = 64 << 10

// ErrTooLarge says that a command holds more than MaxSize.
var ErrTooLarge = errors.New("this is more than one command can hold (64 KiB)")

// Command is one of the types in this package.
type Command interface {
	Kind() Kind
	Stamped() Stamp
}

// Kind is the first byte of an encoded command.
type Kind uint8

const (
	KindFound               Kind = 1
	KindGrowTree            Kind = 2
	KindEnrol               Kind = 3
	KindChangeBeneficiary   Kind = 4
	KindRegister            Kind = 5
	KindChangeVolunteer     Kind = 6
	KindStepVolunteer       Kind = 7
	KindDefineType          Kind = 8
	KindOpenRequest         Kind = 9
	KindChangeRequest       Kind = 10
	KindPublishDraft        Kind = 11
	KindAsk                 Kind = 12
	KindAccept              Kind = 13
	KindRefuse              Kind = 14
	KindWithdraw            Kind = 15
	KindReach               Kind = 16
	KindFinish              Kind = 17
	KindDrop                Kind = 18
	KindRecordDone          Kind = 19
	KindOpenAccount         Kind = 20
	KindChangeAccount       Kind = 21
	KindOpenSession         Kind = 22
	KindCloseSession        Kind = 23
	KindBeginImport         Kind = 24
	KindImportRows          Kind = 25
	KindCloseImport         Kind = 26
	KindSweep               Kind = 27
	KindChangeTerritory     Kind = 28
	KindCountImport         Kind = 29
	KindOpenSeries          Kind = 30
	KindChangeSeries        Kind = 31
	KindStepSeries          Kind = 32
	KindSkipOccurrence      Kind = 33
	KindRecur               Kind = 34
	KindMakeOffer           Kind = 40
	KindEndOffer            Kind = 41
	KindTakeOffer           Kind = 42
	KindDeclineOffer        Kind = 43
	KindThank               Kind = 44
	KindSeeThanks           Kind = 45
	KindMakeBond            Kind = 46
	KindCheckBond           Kind = 47
	KindAdmitReplica        Kind = 50
	KindChangeReplica       Kind = 51
	KindInvite              Kind = 52
	KindStepReplica         Kind = 53
	KindRecordRelease       Kind = 54
	KindWantErasure         Kind = 60
	KindKeepPerson          Kind = 61
	KindErase               Kind = 62
	KindHoldRoot            Kind = 63
	KindRegisterDestination Kind = 65
	KindDropDestination     Kind = 66
	KindRecordBackup        Kind = 67
	KindSay                 Kind = 70
	KindPrepareCrossOffer   Kind = 90
	KindHearCrossOffer      Kind = 91
	KindPublishCrossOffer   Kind = 92
	KindEndCrossOffer       Kind = 93
	KindAnswerInterest      Kind = 94
	KindLapseInterest       Kind = 95
	KindShowInterest        Kind = 96
	KindEndInterest         Kind = 97
	KindAckInterest         Kind = 98
	KindCloseInterest       Kind = 99
	KindJoinFederation      Kind = 71
	KindTakeRoster          Kind = 72
	KindFreezeFeed          Kind = 73
	KindOpenEpoch           Kind = 74
	KindTakeBack            Kind = 75
	KindLeaveFederation     Kind = 76
	KindAddPieces           Kind = 100
	KindPublishBulletin     Kind = 101
	KindTakeBulletins       Kind = 102
	KindSayHandover         Kind = 103
	KindGiveDossiers        Kind = 104
	KindTakeDossiers        Kind = 105
	KindHearReceipt         Kind = 106
	KindEraseHandedOver     Kind = 107
	KindOpenJournalMonth    Kind = 130
	KindAppendJournal       Kind = 131
	KindKeepJournalHead     Kind = 132
	KindPruneJournal        Kind = 133
	KindFreeze              Kind = 80
	KindBeginVectors        Kind = 81
	KindOpenCase            Kind = 135
	KindStepCase            Kind = 136
	KindRestrict            Kind = 137
	KindObject              Kind = 138
	KindInform              Kind = 139
	KindLinkRecords         Kind = 140
	KindWriteText           Kind = 141
	KindChooseRetention     Kind = 142
	KindSort                Kind = 143
	KindApproveSorting      Kind = 144
	KindWriteBreach         Kind = 145

	KindGrantRoles Kind = 110
	KindStandIn    Kind = 111
	KindSwitchRole Kind = 112

	KindSetSecond      Kind = 118
	KindEnter          Kind = 119
	KindUseSession     Kind = 120
	KindEndSessions    Kind = 121
	KindDropCredential Kind = 122
	KindAddPasskey     Kind = 123
	KindAddLink        Kind = 124
	KindNoteMisses     Kind = 125
	KindBreakGlass     Kind = 126
)

// Purpose is why an actor touches a record. The access journal reads it.
type Purpose uint8

const (
	Desk      Purpose = 1 // the ordinary work of the desk
	Helping   Purpose = 2 // a volunteer, about what he was asked or has accepted
	Operating Purpose = 3 // set-up, accounts, sweeping
)

// Stamp is what every command carries.
type Stamp struct {
	At      when.At       `cbor:"1,keyasint"` // proposer's clock
	By      ident.Account `cbor:"2,keyasint"` // zero: the node itself
	Role    account.Roles `cbor:"3,keyasint,omitempty"`
	Commune string        `cbor:"4,keyasint,omitempty"` // that the act is about, if it is about one
	Purpose Purpose       `cbor:"5,keyasint"`
	Key     string        `cbor:"6,keyasint,omitempty"` // Idempotency-Key, ≤ 64 bytes; empty: never repeated
	Digest  [8]byte       `cbor:"7,keyasint"`           // of what the caller sent, keyed and salted with Key
}

// Stamped returns the stamp of the command that embeds it.
func (s Stamp) Stamped() Stamp { return s }

// Count is what the machine adds to a cell of the statistics when the command
// counts. It keeps no link from the cell to the command.
type Count struct {
	Cell []byte `cbor:"1,keyasint"` // public.Cell.Bytes
	N    uint64 `cbor:"2,keyasint"`
}

// CountOf adds n to cell.
func CountOf(cell public.Cell, n uint64) Count { return Count{cell.Bytes(), n} }

var (
	encoding = must(cbor.CoreDetEncOptions().EncMode())
	decoding = must(cbor.DecOptions{
		DupMapKey: cbor.DupMapKeyEnforcedAPF, ExtraReturnErrors: cbor.ExtraDecErrorUnknownField,
		IndefLength: cbor.IndefLengthForbidden, TagsMd: cbor.TagsForbidden,
	}.DecMode())
)

func must[T any](v T, err error) T {
	if err != nil {
		panic("command: " + err.Error())
	}
	return v
}

// Encode writes c: its kind, then its body. [ErrTooLarge].
func Encode(c Command) ([]byte, error) {
	b, err := encoding.Marshal(c)
	if err != nil {
		return nil, fmt.Errorf("encoding command %d: %w", c.Kind(), err)
	}
	if len(b)+1 > MaxSize {
		return nil, ErrTooLarge
	}
	return append([]byte{byte(c.Kind())}, b...), nil
}

// Decode reads an encoded command. It refuses kinds and fields that it does not
// know: to skip them would let this replica drift from one that does.
func Decode(b []byte) (Command, error) {
	if len(b) == 0 || len(b) > MaxSize {
		return nil, fmt.Errorf("a command has 1 to %d bytes, not %d", MaxSize, len(b))
	}
	if err := known(Kind(b[0])); err != nil {
		return nil, err
	}
	switch k := Kind(b[0]); k {
	case KindFound:
		return decode[Found](b[1:])
	case KindGrowTree:
		return decode[GrowTree](b[1:])
	case KindEnrol:
		return decode[Enrol](b[1:])
	case KindChangeBeneficiary:
		return decode[ChangeBeneficiary](b[1:])
	case KindRegister:
		return decode[Register](b[1:])
	case KindChangeVolunteer:
		return decode[ChangeVolunteer](b[1:])
	case KindStepVolunteer:
		return decode[StepVolunteer](b[1:])
	case KindDefineType:
		return decode[DefineType](b[1:])
	case KindOpenRequest:
		return decode[OpenRequest](b[1:])
	case KindChangeRequest:
		return decode[ChangeRequest](b[1:])
	case KindPublishDraft:
		return decode[PublishDraft](b[1:])
	case KindAsk:
		return decode[Ask](b[1:])
	case KindAccept:
		return decode[Accept](b[1:])
	case KindRefuse:
		return decode[Refuse](b[1:])
	case KindWithdraw:
		return decode[Withdraw](b[1:])
	case KindReach:
		return decode[Reach](b[1:])
	case KindFinish:
		return decode[Finish](b[1:])
	case KindDrop:
		return decode[Drop](b[1:])
	case KindRecordDone:
		return decode[RecordDone](b[1:])
	case KindOpenAccount:
		return decode[OpenAccount](b[1:])
	case KindChangeAccount:
		return decode[ChangeAccount](b[1:])
	case KindGrantRoles:
		return decode[GrantRoles](b[1:])
	case KindStandIn:
		return decode[StandIn](b[1:])
	case KindSwitchRole:
		return decode[SwitchRole](b[1:])
	case KindSetSecond:
		return decode[SetSecond](b[1:])
	case KindEnter:
		return decode[Enter](b[1:])
	case KindUseSession:
		return decode[UseSession](b[1:])
	case KindEndSessions:
		return decode[EndSessions](b[1:])
	case KindDropCredential:
		return decode[DropCredential](b[1:])
	case KindAddPasskey:
		return decode[AddPasskey](b[1:])
	case KindAddLink:
		return decode[AddLink](b[1:])
	case KindNoteMisses:
		return decode[NoteMisses](b[1:])
	case KindBreakGlass:
		return decode[BreakGlass](b[1:])
	case KindOpenSession:
		return decode[OpenSession](b[1:])
	case KindCloseSession:
		return decode[CloseSession](b[1:])
	case KindBeginImport:
		return decode[BeginImport](b[1:])
	case KindImportRows:
		return decode[ImportRows](b[1:])
	case KindCloseImport:
		return decode[CloseImport](b[1:])
	case KindCountImport:
		return decode[CountImport](b[1:])
	case KindSweep:
		return decode[Sweep](b[1:])
	case KindChangeTerritory:
		return decode[ChangeTerritory](b[1:])
	case KindOpenSeries:
		return decode[OpenSeries](b[1:])
	case KindChangeSeries:
		return decode[ChangeSeries](b[1:])
	case KindStepSeries:
		return decode[StepSeries](b[1:])
	case KindSkipOccurrence:
		return decode[SkipOccurrence](b[1:])
	case KindRecur:
		return decode[Recur](b[1:])
	case KindMakeOffer:
		return decode[MakeOffer](b[1:])
	case KindEndOffer:
		return decode[EndOffer](b[1:])
	case KindTakeOffer:
		return decode[TakeOffer](b[1:])
	case KindDeclineOffer:
		return decode[DeclineOffer](b[1:])
	case KindThank:
		return decode[Thank](b[1:])
	case KindSeeThanks:
		return decode[SeeThanks](b[1:])
	case KindMakeBond:
		return decode[MakeBond](b[1:])
	case KindCheckBond:
		return decode[CheckBond](b[1:])
	case KindAdmitReplica:
		return decode[AdmitReplica](b[1:])
	case KindChangeReplica:
		return decode[ChangeReplica](b[1:])
	case KindInvite:
		return decode[Invite](b[1:])
	case KindStepReplica:
		return decode[StepReplica](b[1:])
	case KindRecordRelease:
		return decode[RecordRelease](b[1:])
	case KindWantErasure:
		return decode[WantErasure](b[1:])
	case KindKeepPerson:
		return decode[KeepPerson](b[1:])
	case KindErase:
		return decode[Erase](b[1:])
	case KindHoldRoot:
		return decode[HoldRoot](b[1:])
	case KindRegisterDestination:
		return decode[RegisterDestination](b[1:])
	case KindDropDestination:
		return decode[DropDestination](b[1:])
	case KindRecordBackup:
		return decode[RecordBackup](b[1:])
	case KindSay:
		return decode[Say](b[1:])
	case KindPrepareCrossOffer:
		return decode[PrepareCrossOffer](b[1:])
	case KindHearCrossOffer:
		return decode[HearCrossOffer](b[1:])
	case KindPublishCrossOffer:
		return decode[PublishCrossOffer](b[1:])
	case KindEndCrossOffer:
		return decode[EndCrossOffer](b[1:])
	case KindAnswerInterest:
		return decode[AnswerInterest](b[1:])
	case KindLapseInterest:
		return decode[LapseInterest](b[1:])
	case KindShowInterest:
		return decode[ShowInterest](b[1:])
	case KindEndInterest:
		return decode[EndInterest](b[1:])
	case KindAckInterest:
		return decode[AckInterest](b[1:])
	case KindCloseInterest:
		return decode[CloseInterest](b[1:])
	case KindJoinFederation:
		return decode[JoinFederation](b[1:])
	case KindTakeRoster:
		return decode[TakeRoster](b[1:])
	case KindFreezeFeed:
		return decode[FreezeFeed](b[1:])
	case KindOpenEpoch:
		return decode[OpenEpoch](b[1:])
	case KindTakeBack:
		return decode[TakeBack](b[1:])
	case KindLeaveFederation:
		return decode[LeaveFederation](b[1:])
	case KindAddPieces:
		return decode[AddPieces](b[1:])
	case KindPublishBulletin:
		return decode[PublishBulletin](b[1:])
	case KindTakeBulletins:
		return decode[TakeBulletins](b[1:])
	case KindSayHandover:
		return decode[SayHandover](b[1:])
	case KindGiveDossiers:
		return decode[GiveDossiers](b[1:])
	case KindTakeDossiers:
		return decode[TakeDossiers](b[1:])
	case KindHearReceipt:
		return decode[HearReceipt](b[1:])
	case KindEraseHandedOver:
		return decode[EraseHandedOver](b[1:])
	case KindOpenJournalMonth:
		return decode[OpenJournalMonth](b[1:])
	case KindAppendJournal:
		return decode[AppendJournal](b[1:])
	case KindKeepJournalHead:
		return decode[KeepJournalHead](b[1:])
	case KindPruneJournal:
		return decode[PruneJournal](b[1:])
	case KindFreeze:
		return decode[Freeze](b[1:])
	case KindBeginVectors:
		return decode[BeginVectors](b[1:])
	case KindOpenCase:
		return decode[OpenCase](b[1:])
	case KindStepCase:
		return decode[StepCase](b[1:])
	case KindRestrict:
		return decode[Restrict](b[1:])
	case KindObject:
		return decode[Object](b[1:])
	case KindInform:
		return decode[Inform](b[1:])
	case KindLinkRecords:
		return decode[LinkRecords](b[1:])
	case KindWriteText:
		return decode[WriteText](b[1:])
	case KindChooseRetention:
		return decode[ChooseRetention](b[1:])
	case KindSort:
		return decode[Sort](b[1:])
	case KindApproveSorting:
		return decode[ApproveSorting](b[1:])
	case KindWriteBreach:
		return decode[WriteBreach](b[1:])
	default:
		return nil, fmt.Errorf("unknown command kind %d: this program is older than the log; install the newer one", k)
	}
}

func decode[C Command](b []byte) (Command, error) {
	var c C
	if err := decoding.Unmarshal(b, &c); err != nil {
		return nil, fmt.Errorf("decoding a command of kind %d: not of the known form", c.Kind())
	}
	return c, nil
}
