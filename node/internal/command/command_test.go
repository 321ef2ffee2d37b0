package command_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/bippop/bippop/node/internal/command"
	"pgregory.net/rapid"
)

var update = flag.Bool("update", false, "write the golden vectors anew; a changed one breaks every log there is")

// kinds is every kind with its number. Numbers are in logs: add, never change.
var kinds = map[command.Kind]command.Command{
	1: command.Found{}, 2: command.GrowTree{}, 3: command.Enrol{}, 4: command.ChangeBeneficiary{}, 5: command.Register{}, 6: command.ChangeVolunteer{},
	7: command.StepVolunteer{}, 8: command.DefineType{}, 9: command.OpenRequest{}, 10: command.ChangeRequest{}, 11: command.PublishDraft{},
	12: command.Ask{}, 13: command.Accept{}, 14: command.Refuse{}, 15: command.Withdraw{}, 16: command.Reach{}, 17: command.Finish{},
	18: command.Drop{}, 19: command.RecordDone{}, 20: command.OpenAccount{}, 21: command.ChangeAccount{}, 22: command.OpenSession{},
	23: command.CloseSession{}, 24: command.BeginImport{}, 25: command.ImportRows{}, 26: command.CloseImport{}, 27: command.Sweep{},
	28: command.ChangeTerritory{}, 29: command.CountImport{}, 30: command.OpenSeries{}, 31: command.ChangeSeries{}, 32: command.StepSeries{},
	33: command.SkipOccurrence{}, 34: command.Recur{}, 40: command.MakeOffer{}, 41: command.EndOffer{}, 42: command.TakeOffer{},
	43: command.DeclineOffer{}, 44: command.Thank{}, 45: command.SeeThanks{}, 46: command.MakeBond{}, 47: command.CheckBond{},
	50: command.AdmitReplica{}, 51: command.ChangeReplica{}, 52: command.Invite{}, 53: command.StepReplica{}, 54: command.RecordRelease{},
	60: command.WantErasure{}, 61: command.KeepPerson{}, 62: command.Erase{}, 63: command.HoldRoot{},
	65: command.RegisterDestination{}, 66: command.DropDestination{}, 67: command.RecordBackup{},
	70: command.Say{}, 71: command.JoinFederation{}, 72: command.TakeRoster{}, 73: command.FreezeFeed{}, 74: command.OpenEpoch{},
	75: command.TakeBack{}, 76: command.LeaveFederation{},
	80: command.Freeze{}, 81: command.BeginVectors{},
	90: command.PrepareCrossOffer{}, 91: command.HearCrossOffer{}, 92: command.PublishCrossOffer{}, 93: command.EndCrossOffer{},
	94: command.AnswerInterest{}, 95: command.LapseInterest{}, 96: command.ShowInterest{}, 97: command.EndInterest{}, 98: command.AckInterest{},
	99:  command.CloseInterest{},
	100: command.AddPieces{}, 101: command.PublishBulletin{}, 102: command.TakeBulletins{}, 103: command.SayHandover{}, 104: command.GiveDossiers{},
	105: command.TakeDossiers{}, 106: command.HearReceipt{}, 107: command.EraseHandedOver{},
	135: command.OpenCase{}, 136: command.StepCase{}, 137: command.Restrict{}, 138: command.Object{}, 139: command.Inform{}, 140: command.LinkRecords{}, 141: command.WriteText{}, 142: command.ChooseRetention{}, 143: command.Sort{}, 144: command.ApproveSorting{}, 145: command.WriteBreach{},
	110: command.GrantRoles{}, 111: command.StandIn{}, 112: command.SwitchRole{},
	130: command.OpenJournalMonth{}, 131: command.AppendJournal{}, 132: command.KeepJournalHead{}, 133: command.PruneJournal{},
	118: command.SetSecond{}, 119: command.Enter{}, 120: command.UseSession{}, 121: command.EndSessions{}, 122: command.DropCredential{},
	123: command.AddPasskey{}, 124: command.AddLink{}, 125: command.NoteMisses{}, 126: command.BreakGlass{},
}

func TestNumbers(t *testing.T) {
	for k, c := range kinds {
		if c.Kind() != k {
			t.Errorf("%T is kind %d, was %d", c, c.Kind(), k)
		}
		got, err := command.Decode([]byte{byte(k), 0xa0})
		if err != nil || reflect.TypeOf(got) != reflect.TypeOf(c) {
			t.Errorf("kind %d is decoded as %T, %v; want %T", k, got, err, c)
		}
	}
	for k := range 256 {
		_, err := command.Decode([]byte{byte(k), 0xa0})
		if _, known := kinds[command.Kind(k)]; known != (err == nil) {
			t.Errorf("kind %d: known %v, decoded %v", k, known, err)
		}
	}
	words := fmt.Sprint(command.Desk, command.Helping, command.Operating, command.Fine, command.NotHim, command.NoMore, command.NotReach)
	if words != "1 2 3 1 2 3 4" {
		t.Errorf("numbers that stand in logs have changed: %s", words)
	}
}

// full is a command of k with every field filled, so that every field's number
// and form is in its vector.
func full(k command.Kind) command.Command {
	v := reflect.New(reflect.TypeOf(kinds[k])).Elem()
	n := 0
	fill(v, &n)
	return v.Interface().(command.Command)
}

func fill(v reflect.Value, n *int) {
	*n++
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i), n)
		}
	case reflect.Slice:
		size := 2
		v.Set(reflect.MakeSlice(v.Type(), size, size))
		for i := range size {
			fill(v.Index(i), n)
		}
	case reflect.Array:
		for i := range v.Len() {
			fill(v.Index(i), n)
		}
	case reflect.String:
		v.SetString(fmt.Sprintf("é%d", *n))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(uint64(*n%255 + 1))
	case reflect.Int32, reflect.Int64:
		v.SetInt(int64(*n%255 + 1))
	default:
		panic("a command with a " + v.Kind().String())
	}
}

func vector(k command.Kind) string {
	return filepath.Join("testdata", fmt.Sprintf("%02d-%T.hex", k, kinds[k]))
}

func TestGolden(t *testing.T) {
	for _, k := range slices.Sorted(maps.Keys(kinds)) {
		c := full(k)
		entry, err := command.Encode(c)
		if err != nil {
			t.Fatal(err)
		}
		path := strings.Replace(vector(k), "command.", "", 1)
		if *update {
			var lines strings.Builder
			for h := hex.EncodeToString(entry); h != ""; {
				n := min(len(h), 96)
				lines.WriteString(h[:n] + "\n")
				h = h[n:]
			}
			if err := os.WriteFile(path, []byte(lines.String()), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		golden, err := hex.DecodeString(strings.ReplaceAll(string(b), "\n", ""))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(entry, golden) {
			t.Errorf("%T is encoded otherwise than in %s", c, path)
		}
		got, err := command.Decode(golden)
		if err != nil || !reflect.DeepEqual(got, c) {
			t.Errorf("%s is decoded as %+v, %v\nwant %+v", path, got, err, c)
		}
	}
	files, err := filepath.Glob("testdata/*.hex")
	if err != nil || len(files) != len(kinds) {
		t.Errorf("%d vectors for %d kinds (%v): a vector stays for ever", len(files), len(kinds), err)
	}
}

// TestOlder: what was written before a command got another field is read, and
// written again, as it was.
func TestOlder(t *testing.T) {
	files, err := filepath.Glob("testdata/older/*.hex")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d older vectors, %v", len(files), err)
	}
	for _, path := range files {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		entry, err := hex.DecodeString(strings.ReplaceAll(string(b), "\n", ""))
		if err != nil {
			t.Fatal(err)
		}
		c, err := command.Decode(entry)
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		if again, err := command.Encode(c); err != nil || !bytes.Equal(again, entry) {
			t.Errorf("%s is written as %x, %v", path, again, err)
		}
	}
}

func TestLevels(t *testing.T) {
	for k := range kinds {
		want := command.Level(1)
		if k >= 60 && k != command.KindHoldRoot {
			want = 2
		}
		if k >= 70 {
			want = 3
		}
		if k >= 110 {
			want = 4
		}
		if got := command.LevelOf(k); got != want || got > command.Current {
			t.Errorf("kind %d is of level %d, want %d of %d", k, got, want, command.Current)
		}
	}
}

// TestStamp pins the stamp by hand: it is in every command.
func TestStamp(t *testing.T) {
	got, err := command.Encode(command.PublishDraft{Stamp: command.Stamp{At: 1, Purpose: command.Desk}})
	if err != nil {
		t.Fatal(err)
	}
	want := "0ba2" + "00a4" + "0101" + "0250" + strings.Repeat("00", 16) + "0501" + "0748" + strings.Repeat("00", 8) + "0150" + strings.Repeat("00", 16)
	if hex.EncodeToString(got) != want {
		t.Errorf("got  %x\nwant %s", got, want)
	}
}

// TestStrict: what this program does not know, it does not skip.
func TestStrict(t *testing.T) {
	good, err := command.Encode(command.Sweep{Stamp: command.Stamp{Purpose: command.Operating}, Sessions: 1, Replays: 2})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := command.Decode(good); err != nil {
		t.Fatal(err)
	}
	if good[1] != 0xa3 {
		t.Fatalf("a sweep is %x", good)
	}
	with := func(head byte, tail ...byte) []byte {
		b := bytes.Clone(good)
		b[1] = head
		return append(b, tail...)
	}
	stamp := func(head byte, more ...byte) []byte { // 27 a3 00 a4 …
		b := bytes.Clone(good)
		b[3] = head
		return append(b[:4:4], append(more, b[4:]...)...)
	}
	for _, c := range []struct {
		name string
		in   []byte
	}{
		{"nothing", nil},
		{"a kind alone", good[:1]},
		{"cut short", good[:len(good)-1]},
		{"trailing byte", append(bytes.Clone(good), 0)},
		{"trailing map", append(bytes.Clone(good), 0xa0)},
		{"unknown field", with(0xa4, 0x03, 0x00)},
		{"unknown text field", with(0xa4, 0x61, 'x', 0x00)},
		{"unknown field in the stamp", stamp(0xa5, 0x18, 0x63, 0x00)},
		{"field twice", with(0xa4, 0x02, 0x07)},
		{"stamp's field twice", stamp(0xa5, 0x05, 0x01)},
		{"indefinite map", with(0xbf, 0xff)},
		{"indefinite bytes", []byte{byte(command.KindChangeAccount), 0xa1, 0x05, 0x5f, 0x41, 0x00, 0xff}},
		{"indefinite array", []byte{byte(command.KindAsk), 0xa1, 0x02, 0x9f, 0xff}},
		{"tag", append([]byte{good[0], 0xc1}, good[1:]...)},
		{"array for a map", []byte{byte(command.KindSweep), 0x80}},
		{"text for a number", []byte{byte(command.KindSweep), 0xa1, 0x01, 0x61, 'x'}},
		{"float for a number", []byte{byte(command.KindSweep), 0xa1, 0x01, 0xf9, 0x3e, 0x00}},
		{"number too big", []byte{byte(command.KindSweep), 0xa1, 0x01, 0x1b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}},
		{"negative count", []byte{byte(command.KindCloseImport), 0xa1, 0x03, 0x20}},
		{"text that is not UTF-8", []byte{byte(command.KindChangeTerritory), 0xa1, 0x02, 0xa1, 0x02, 0x61, 0xff}},
		{"too long", append(bytes.Clone(good), make([]byte, command.MaxSize)...)},
	} {
		if got, err := command.Decode(c.in); err == nil {
			t.Errorf("%s: decoded as %+v", c.name, got)
		}
	}
}

func TestTooLarge(t *testing.T) {
	c := command.BeginImport{Box: make([]byte, command.MaxSize-200)}
	if _, err := command.Encode(c); err != nil {
		t.Errorf("less than the most: %v", err)
	}
	c.Box = make([]byte, command.MaxSize)
	if _, err := command.Encode(c); !errors.Is(err, command.ErrTooLarge) {
		t.Errorf("got %v", err)
	}
}

// TestRoundTrip: decode(encode(x)) = x, and the bytes are the same again, for
// commands with any fields set.
func TestRoundTrip(t *testing.T) {
	if *long {
		flag.Set("rapid.checks", "20000")
	}
	rapid.Check(t, func(t *rapid.T) {
		k := rapid.SampledFrom(slices.Sorted(maps.Keys(kinds))).Draw(t, "kind")
		v := reflect.New(reflect.TypeOf(kinds[k])).Elem()
		vary(t, v)
		c := v.Interface().(command.Command)
		entry, err := command.Encode(c)
		if err != nil {
			t.Fatal(err)
		}
		got, err := command.Decode(entry)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, c) {
			t.Fatalf("got %+v, want %+v", got, c)
		}
		again, err := command.Encode(got)
		if err != nil || !bytes.Equal(again, entry) {
			t.Fatalf("got %x, want %x (%v)", again, entry, err)
		}
		if got.Stamped() != c.Stamped() {
			t.Fatal("the stamp is not the command's")
		}
	})
}

func vary(t *rapid.T, v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			vary(t, v.Field(i))
		}
	case reflect.Slice:
		if size := rapid.IntRange(0, 2).Draw(t, "size"); size > 0 {
			v.Set(reflect.MakeSlice(v.Type(), size, size))
			for i := range size {
				vary(t, v.Index(i))
			}
		}
	case reflect.Array:
		if v.Type().Elem().Kind() != reflect.Uint8 {
			for i := range v.Len() {
				vary(t, v.Index(i))
			}
		} else if b := byte(rapid.IntRange(0, 1).Draw(t, "byte")); v.Len() > 0 {
			v.Index(0).SetUint(uint64(b))
		}
	case reflect.String:
		v.SetString(rapid.SampledFrom([]string{"", "x", "é€"}).Draw(t, "text"))
	case reflect.Bool:
		v.SetBool(rapid.Bool().Draw(t, "bool"))
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(rapid.SampledFrom([]uint64{0, 1, 23, 24, 255}).Draw(t, "number"))
	case reflect.Int32, reflect.Int64:
		v.SetInt(rapid.SampledFrom([]int64{0, 1, -1, 1 << 30}).Draw(t, "number"))
	default:
		panic("a command with a " + v.Kind().String())
	}
}

// FuzzDecode: foreign bytes are refused or read; what is read is written again
// as it was understood.
func FuzzDecode(f *testing.F) {
	for k := range kinds {
		entry, err := command.Encode(full(k))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(entry)
		f.Add([]byte{byte(k), 0xa0})
	}
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := command.Decode(b)
		if err != nil {
			return
		}
		entry, err := command.Encode(c)
		if errors.Is(err, command.ErrTooLarge) {
			return // the canonical form of what was read writes out empty fields
		}
		if err != nil {
			t.Fatal(err)
		}
		again, err := command.Decode(entry)
		if err != nil {
			t.Fatalf("%x was read and is written as %x, which is not: %v", b, entry, err)
		}
		third, err := command.Encode(again)
		if err != nil || !bytes.Equal(third, entry) {
			t.Fatalf("%x, then %x (%v)", entry, third, err)
		}
	})
}
