package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/bippop/bippop/federation/bulletin"
	"github.com/bippop/bippop/federation/ledger"
	"github.com/bippop/bippop/federation/public"
)

func dpoCommand(out output) *cobra.Command {
	c := &cobra.Command{Use: "dpo", Short: "What a data protection officer can check for himself"}
	c.AddCommand(dpoVerifyCommand(out))
	return c
}

func dpoVerifyCommand(out output) *cobra.Command {
	var genesis string
	var against []string
	var asJSON bool
	var keep string
	c := &cobra.Command{
		Use: "verify DIR|URL", Short: "Check all that ever left a territory, entry by entry, and print a page about it", Args: cobra.ExactArgs(1),
		Long: "verify reads a ledger, from a folder without any network or from a node's https://…/transparency/, and checks it by its bytes alone:\n" +
			"signatures, witnesses, that nothing is missing or added, that every entry is of the closed schema, that releases stay in their privacy budget.\n" +
			"Name the genesis from your invitation with --genesis; without it the page prints the one that was found, to be compared by eye.\n" +
			"With --against the copies of others, a neighbour or a hub, must hold the same. The page is in French. The exit code is 1 when there is a fault.",
		RunE: func(c *cobra.Command, args []string) error {
			var o ledger.Options
			if onTerminal(out.progress) {
				o.Progress = func(n int64) { fmt.Fprintf(out.progress, "\rchecking: %d entries ", n) }
				defer fmt.Fprint(out.progress, "\r\x1b[K")
			}
			if genesis != "" {
				b, err := hex.DecodeString(genesis)
				if err != nil || len(b) != len(o.Genesis) || [32]byte(b) == o.Genesis {
					return usagef("--genesis is the %d digits and letters of the invitation", 2*len(o.Genesis))
				}
				o.Genesis = [32]byte(b)
			}
			return withLedgers(append(args, against...), func(all []ledger.Source) error {
				o.Against = all[1:]
				if keep != "" {
					if err := emptyFolder(keep); err != nil {
						return err
					}
					all[0] = kept{all[0], keep}
				}
				return verifyLedger(c.Context(), out, all[0], o, asJSON)
			})
		},
	}
	c.Flags().StringVar(&genesis, "genesis", "", "digest of the roster's first entry, from the invitation")
	c.Flags().StringArrayVar(&against, "against", nil, "a copy that somebody else holds, a folder or an address; may be given again")
	c.Flags().StringVar(&keep, "keep", "", "write what was read into this new folder, to check it again another day without any network")
	c.Flags().BoolVar(&asJSON, "json", false, "print one line for programs")
	return c
}

// kept is a ledger that is written into a folder while it is read.
type kept struct {
	ledger.Source
	dir string
}

// emptyFolder makes one. ledger.ErrFolder.
func emptyFolder(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("keeping a ledger: %w", err)
	}
	there, err := os.ReadDir(dir)
	if err == nil && len(there) > 0 {
		err = ledger.ErrFolder
	}
	return err
}

// Read implements ledger.Source.
func (k kept) Read(ctx context.Context, path string, limit int64) ([]byte, error) {
	b, err := k.Source.Read(ctx, path, limit)
	if err != nil {
		return nil, err
	}
	if !filepath.IsLocal(filepath.FromSlash(path)) {
		return nil, fmt.Errorf("%s is no path of a ledger", path)
	}
	at := filepath.Join(k.dir, filepath.FromSlash(path))
	if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
		return nil, fmt.Errorf("keeping a ledger: %w", err)
	}
	if err := os.WriteFile(at, b, 0o644); err != nil {
		return nil, fmt.Errorf("keeping a ledger: %w", err)
	}
	return b, nil
}

// withLedgers opens folders and addresses, and closes them after f.
func withLedgers(names []string, f func([]ledger.Source) error) error {
	var all []ledger.Source
	for _, name := range names {
		if strings.HasPrefix(name, "https://") || strings.HasPrefix(name, "http://") {
			web, err := ledger.URL(name)
			if err != nil {
				return err
			}
			all = append(all, web)
			continue
		}
		dir, err := ledger.Dir(name)
		if err != nil {
			return err
		}
		defer dir.Close()
		all = append(all, dir)
	}
	return f(all)
}

// errFaults is the answer of a check that found some; the page has said which.
var errFaults = errors.New("this ledger is not in order: see the faults")

func verifyLedger(ctx context.Context, out output, src ledger.Source, o ledger.Options, asJSON bool) error {
	r, err := ledger.Verify(ctx, src, o)
	if err != nil {
		return err
	}
	if asJSON {
		faults := r.Faults
		if faults == nil {
			faults = []ledger.Fault{}
		}
		err = out.json(struct {
			OK      bool           `json:"ok"`
			Entries int64          `json:"entries"`
			Faults  []ledger.Fault `json:"faults"`
		}{r.OK, r.Entries, faults})
	} else {
		err = writeDPOPage(out.result, src.String(), r)
	}
	if err == nil && !r.OK {
		err = errFaults
	}
	return err
}

// kindsInFrench name what an entry says.
var kindsInFrench = map[public.Kind]string{
	public.KindRelease: "statistiques trimestrielles", public.KindRetract: "rectifications", public.KindOffer: "offres aux voisins", public.KindWithdraw: "offres retirées",
	public.KindAccept: "demandes acceptées", public.KindDecline: "demandes refusées", public.KindLapse: "demandes libérées", public.KindInterest: "demandes à un voisin",
	public.KindRenounce: "demandes retirées", public.KindAck: "demandes confirmées", public.KindClose: "échanges terminés", public.KindHandover: "communes reprises",
	public.KindPresence: "signes de présence", bulletin.KindBulletin: "bulletins", bulletin.KindPiece: "morceaux de PDF d'un bulletin",
}

// faultsInFrench say what is wrong.
var faultsInFrench = map[ledger.Code]string{
	ledger.Unreadable: "un fichier manque ou ne se lit pas", ledger.BadList: "la liste des registres est abîmée", ledger.Foreign: "ce fichier n'a rien à faire ici",
	ledger.Genesis: "c'est la charte d'une autre fédération", ledger.BadRoster: "cette décision de la charte n'est pas valable", ledger.Unknown: "la charte ne connaît pas ce registre",
	ledger.Checkpoint: "l'attestation de l'état du registre manque ou est abîmée", ledger.Quorum: "trop peu de machines du territoire ont signé", ledger.Witness: "trop peu de témoins ont signé",
	ledger.Signature: "une signature est fausse, ou de quelqu'un qui n'est pas dans la charte", ledger.Root: "les messages ne mènent pas à ce qui a été signé",
	ledger.Leaf: "le message et son empreinte diffèrent", ledger.Tile: "une empreinte diffère de celle des messages", ledger.Gap: "un message manque, ou est de trop, à partir d'ici",
	ledger.Form: "ce message n'a pas une des formes permises", ledger.Place: "ce message dit venir d'ailleurs ou d'une autre place", ledger.KindUnnamed: "la charte ne permet pas ce genre de message",
	ledger.NeedVersion: "ce programme est trop ancien pour lire ce message", ledger.Budget: "cette publication dépasse le budget de confidentialité, ou se répète",
	ledger.Epoch: "ce registre ne continue pas le précédent", ledger.Differs: "une copie tenue par d'autres dit autre chose", ledger.Withheld: "une copie tenue par d'autres contient des messages absents d'ici",
	ledger.BadCopy: "une copie donnée en comparaison ne prouve rien",
}

// writeDPOPage writes the report on one page.
func writeDPOPage(w io.Writer, source string, r ledger.Report) error {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("VÉRIFICATION DE CE QUI EST SORTI DU TERRITOIRE")
	line("Registre lu : %s", source)
	line("")
	if r.OK {
		line("RÉSULTAT : EN ORDRE. %s, tous vérifiés un par un.", messagesInFrench(r.Entries))
	} else {
		line("RÉSULTAT : PAS EN ORDRE. %s, voir plus bas.", countInFrench(int64(len(r.Faults)+r.More), "anomalie", "anomalies"))
	}
	line("")
	writeDPORoster(line, r)
	line("")
	line("Les registres")
	for _, f := range r.Feeds {
		writeDPOFeed(line, f)
	}
	if len(r.Feeds) == 0 {
		line("  Aucun registre n'a pu être vérifié.")
	}
	for _, c := range r.Compared {
		line("  Comparé à %s : %s en commun, %s identiques.", c.Source, countInFrench(int64(c.Feeds), "registre", "registres"), messagesInFrench(c.Entries))
	}
	if !r.OK {
		writeDPOFaults(line, r)
	}
	line("")
	if r.OK {
		writeDPOProof(line, r)
	} else {
		line("Tant que ces anomalies ne sont pas expliquées, ce registre ne prouve rien.")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// writeDPOProof says what a ledger in order proves, and what none can.
func writeDPOProof(line func(string, ...any), r ledger.Report) {
	line("Ce que cela prouve")
	line("  - Ces messages, et aucun autre, ont été signés par les machines du territoire et vus par des témoins.")
	line("  - Aucun ne manque ; aucun n'a été changé, ajouté ou déplacé depuis.")
	line("  - Chacun a une des formes permises : des nombres et des codes publics. Seuls les bulletins de la")
	line("    coordination, qui vont vers les territoires et jamais en retour, contiennent du texte.")
	line("  - Les statistiques publiées restent dans le budget de confidentialité annoncé.")
	line("Ce que cela ne prouve pas")
	if !r.Pinned {
		line("  - Que cette charte est la bonne, tant que son origine n'a pas été comparée à l'invitation.")
	}
	line("  - Que les nombres sont justes : ce registre ne les recompte pas.")
	line("  - Que rien n'est sorti par un autre chemin (courriel, téléphone, clé USB, autre logiciel) :")
	line("    voir la page « Ce qui est sorti » pour les autres connexions du programme.")
	if len(r.Compared) == 0 {
		line("  - Que d'autres ont reçu la même chose : demandez sa copie à un relais ou à un voisin (--against).")
	}
	if !r.Listed {
		line("  - Qu'il n'existe pas d'autre registre : une adresse ne montre que ce qu'on lui demande.")
	}
}

func writeDPORoster(line func(string, ...any), r ledger.Report) {
	line("La charte de la fédération%s", map[bool]string{true: " (démonstration)", false: ""}[r.Demo])
	if r.Name != "" {
		line("  %s, version %d, valable jusqu'au %s", r.Name, r.Version, dayInFrench(r.Expires.Time()))
	}
	switch {
	case r.Genesis == [32]byte{}:
		line("  Elle n'a pas pu être lue.")
	case r.Pinned:
		line("  C'est celle de l'invitation : %x", r.Genesis)
	default:
		line("  Origine : %x", r.Genesis)
		line("  À COMPARER à celle de votre invitation (ou avec --genesis) : tout le reste en dépend.")
	}
	if !r.Seen.IsZero() {
		line("  Un témoin a attesté le %s que c'était la plus récente.", dayInFrench(r.Seen))
	}
}

func writeDPOFeed(line func(string, ...any), f ledger.FeedReport) {
	name := f.Name
	if f.Epoch > 1 {
		name += fmt.Sprintf(", époque %d", f.Epoch)
	}
	span := ""
	if f.Entries > 0 && f.Last > 0 {
		span = fmt.Sprintf(", du %s au %s", dayInFrench(f.First.Time()), dayInFrench(f.Last.Time()))
	}
	line("  %s (%s) : %s%s", name, f.Siren, messagesInFrench(f.Entries), span)
	var parts []string
	for _, k := range append(public.Kinds(), bulletin.Kinds()...) {
		if n := f.Kinds[k]; n > 0 {
			parts = append(parts, fmt.Sprintf("%s %d", kindsInFrench[k], n))
		}
	}
	if len(parts) > 0 {
		line("    %s", strings.Join(parts, ", "))
	}
	if f.Witnesses > 0 {
		line("    %s, depuis le %s ; empreinte %x", countInFrench(int64(f.Witnesses), "témoin", "témoins"), dayInFrench(f.Witnessed), f.Root[:8])
	}
}

// pageFaults is how many faults fit on the page.
const pageFaults = 20

func writeDPOFaults(line func(string, ...any), r ledger.Report) {
	line("")
	line("Les anomalies")
	for i, f := range r.Faults {
		if i == pageFaults {
			line("  … et %d autres : --json les donne.", len(r.Faults)+r.More-pageFaults)
			break
		}
		place := f.Feed
		if f.Seq >= 0 {
			place += fmt.Sprintf(", message n° %d", f.Seq)
		}
		line("  - %s : %s.", place, faultsInFrench[f.Code])
		if f.Code == ledger.NeedVersion || f.Code == ledger.BadRoster || f.Code == ledger.Unreadable {
			line("    (%s)", f.What)
		}
	}
	line("  Ne supprimez rien : gardez ce registre tel quel et appelez le territoire, puis la coordination.")
}

func messagesInFrench(n int64) string { return countInFrench(n, "message", "messages") }

func countInFrench(n int64, one, many string) string {
	if n < 2 {
		return fmt.Sprintf("%d %s", n, one)
	}
	return fmt.Sprintf("%d %s", n, many)
}

func dayInFrench(t time.Time) string { return t.UTC().Format("02/01/2006") }
