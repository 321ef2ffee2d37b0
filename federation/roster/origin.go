package roster

import (
	"fmt"

	"github.com/bippop/bippop/federation/public"
)

func egressOrigin(n public.Siren, epoch uint16) string {
	return fmt.Sprintf("bippop/egress/%s/%d", n, epoch)
}
func rosterOrigin(genesis [32]byte) string { return fmt.Sprintf("bippop/roster/%x", genesis[:8]) }
