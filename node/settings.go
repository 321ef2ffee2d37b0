package node

import (
	"context"
	"errors"
	"os"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node/internal/account"
	"github.com/bippop/bippop/node/internal/catalogue"
	"github.com/bippop/bippop/node/internal/command"
	"github.com/bippop/bippop/node/internal/geo"
	"github.com/bippop/bippop/node/internal/people"
	"github.com/bippop/bippop/node/internal/store"
	"github.com/bippop/bippop/node/internal/territory"
	"github.com/bippop/bippop/node/internal/view"
)

// Settings are what the territory says of itself.
type Settings struct{ *core }

// Territory is the present record.
func (s *Settings) Territory() (Territory, error) { return s.territory() }

// Change replaces the service's name, phone and hours, its face and the communes.
func (s *Settings) Change(ctx context.Context, by Caller, version uint32, to Territory) (Receipt, error) {
	if err := by.may(ChangeTerritory); err != nil {
		return Receipt{}, err
	}
	if present, err := s.territory(); err == nil {
		to.Role, to.Second = present.Role, present.Second
	}
	if err := CheckTerritory(&to); err != nil {
		return Receipt{}, err
	}
	if err := s.nobodyLeftOutside(to.Communes); err != nil {
		return Receipt{}, err
	}
	return s.propose(ctx, command.ChangeTerritory{Stamp: s.stamp(by, ""), Version: version, Territory: to})
}

// nobodyLeftOutside refuses to give up a commune in which somebody is enrolled.
func (s *Settings) nobodyLeftOutside(communes []string) error {
	t, err := s.territory()
	if err != nil {
		return err
	}
	return s.view(itself, func(tx *store.Tx) error {
		for _, c := range t.Communes {
			if slices.Contains(communes, c) {
				continue
			}
			lives := false
			err := view.Each(tx, view.InCommune(c), nil, false, func(BeneficiaryID, []byte) bool {
				lives = true
				return false
			})
			if err != nil {
				return err
			}
			if lives {
				return &Error{Kind: Conflict, Code: "commune-inhabited", Field: "communes", Reason: "somebody is enrolled in a commune that would leave the territory; change those files first"}
			}
		}
		return nil
	})
}

// CheckTerritory puts what people say of a territory into its stored form, or
// says which field does not fit.
func CheckTerritory(t *Territory) error {
	for _, f := range []struct {
		name, text string
		longest    int
	}{{"name", t.Name, 120}, {"calls", t.Calls, 60}, {"hours", t.Hours, 120}} {
		if err := shortText(f.name, f.text, f.longest); err != nil {
			return err
		}
	}
	if t.Name == "" || t.Calls == "" {
		return invalid("calls", "missing", "the territory and its service each need a name")
	}
	if t.Phone != "" {
		e164, err := people.ParsePhone(t.Phone)
		if err != nil {
			return invalid("phone", "phone-unreadable", people.ErrPhone.Error())
		}
		t.Phone = e164
	}
	if len(t.Communes) == 0 && t.Role == territory.RoleTerritory {
		return invalid("communes", "missing", "a territory has at least one commune")
	}
	if err := checkFace(&t.Face); err != nil {
		return err
	}
	t.Communes = slices.Clone(t.Communes)
	slices.Sort(t.Communes)
	t.Communes = slices.Compact(t.Communes)
	for _, c := range t.Communes {
		if _, ok := geo.Lookup(geo.Insee(c)); !ok {
			return invalid("communes", "commune-unknown", "one of the codes is not a commune of the present registry; use five-character INSEE codes")
		}
	}
	return nil
}

// shortText refuses a text that is too long, not UTF-8, or holds control
// characters.
func shortText(field, text string, longest int) error {
	if !utf8.ValidString(text) {
		return invalid(field, "not-text", "this is not readable text")
	}
	if utf8.RuneCountInString(text) > longest {
		return invalid(field, "too-long", "this text is too long; shorten it")
	}
	for _, r := range text {
		if r < ' ' && r != '\n' && r != '\t' && r != '\r' || r == 0x7f {
			return invalid(field, "not-text", "this text holds control characters")
		}
	}
	return nil
}

// Founding is what a new territory needs.
type Founding struct {
	Territory Territory // Siren, Name, Calls, Phone, Hours, Communes; Zone is worked out
	Login     string    // of the first administrator
	Password  Secret
	Name      Secret // the administrator's
}

// FoundTerritory makes keys, data folder and the first administrator. It refuses
// a folder that holds a territory already.
func FoundTerritory(ctx context.Context, cfg Config, f Founding) (*Node, error) {
	if Founded(cfg) {
		return nil, errors.New("there is a vault at this place already: a territory was founded here; start it with: bippop serve")
	}
	if err := vacant(cfg); err != nil {
		return nil, err
	}
	if err := cfg.withDefaults(); err != nil {
		return nil, err
	}
	if !geo.ValidSiren(f.Territory.Siren) {
		return nil, invalid("siren", "siren-wrong", "the SIREN has nine digits and a check digit; this one is mistyped")
	}
	if err := CheckTerritory(&f.Territory); err != nil {
		return nil, err
	}
	if err := checkLogin(f.Login); err != nil {
		return nil, err
	}
	if err := checkPassword(f.Password); err != nil {
		return nil, err
	}
	f.Territory.Zone = geo.Zone("75") // who answers for no commune is counted in Paris
	if len(f.Territory.Communes) > 0 {
		first, _ := geo.Lookup(geo.Insee(f.Territory.Communes[0]))
		f.Territory.Zone = geo.Zone(first.Departement)
	}
	if _, err := time.LoadLocation(f.Territory.Zone); err != nil || f.Territory.Zone == "" {
		return nil, errors.New("the time zone of these communes is not known to this program")
	}
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, wrap("making the data folder", err)
	}
	vault, err := crypto.NewVault(f.Territory.Siren, newID[ReplicaID]().String(), systemClock())
	if err != nil {
		return nil, err
	}
	if err := crypto.CreateVault(cfg.Vault, &vault, cfg.Unseal); err != nil {
		return nil, err
	}
	n, err := open(ctx, cfg, vault)
	if err == nil {
		if err = n.found(ctx, f); err != nil {
			n.Close()
		}
	}
	if err != nil { // nothing was acknowledged: leave the place as it was found
		return nil, errors.Join(err, os.Remove(cfg.Vault), os.RemoveAll(storeDir(cfg)), os.RemoveAll(logDir(cfg)))
	}
	return n, nil
}

// vacant refuses a place where something is already.
func vacant(cfg Config) error {
	if Founded(cfg) {
		return crypto.ErrVaultThere
	}
	if entries, err := os.ReadDir(cfg.Dir); err == nil && len(entries) > 0 {
		return errors.New("the data folder is not empty: choose a new one, or restore the vault that belongs to it")
	}
	return nil
}

func (n *Node) found(ctx context.Context, f Founding) error {
	p := n.core.proposer
	nodes, err := p.ring.Grow(0)
	if err != nil {
		return err
	}
	// The first tree is founded in the very command that its first leaf needs, so
	// that ring cannot read it yet: a ring over the nodes at hand makes the leaf.
	leaf, key, err := p.ring.Over(nodesAtHand(nodes)).NewLeaf(0)
	if err != nil {
		return err
	}
	admin := account.Account{ID: newID[AccountID](), Login: f.Login, Roles: account.Admin | account.Agent, Leaf: leaf}
	if f.Territory.Role == territory.RoleCoordinator {
		admin.Roles = account.Admin | account.Coordinator
	}
	admin.Password = p.sealPassword(admin.ID, crypto.HashPassword(f.Password, n.core.cfg.PasswordCost))
	if admin.Box, err = p.seal(key, "account", admin.ID, 1, account.Words{Name: f.Name}); err != nil {
		return err
	}
	types := catalogue.Seed()
	for i := range types {
		types[i].ID = newID[TypeID]()
	}
	_, err = p.propose(ctx, command.Found{Stamp: p.own(), Territory: f.Territory, Nodes: nodes, Types: types, Admin: admin, Replica: (&steering{core: n.core}).asFounder()})
	if err != nil {
		return err
	}
	n.core.places.forget()
	return errors.Join(rooting{n.core}.follow(), p.refresh(), n.Figures.Quarters.begin(ctx))
}

// nodesAtHand is a tree that is not committed yet.
type nodesAtHand []crypto.TreeNode

func (t nodesAtHand) TreeNode(level uint8, index uint32) (crypto.TreeNode, error) {
	for _, n := range t {
		if n.Level == level && n.Index == index {
			return n, nil
		}
	}
	return crypto.TreeNode{}, crypto.ErrNoNode
}

func (t nodesAtHand) TreeLeaf(uint32) (crypto.Leaf, error) { return crypto.Leaf{}, crypto.ErrNoLeaf }
