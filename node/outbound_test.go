package node_test

import (
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"maps"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// outward are the names by which a program reaches another one: whoever writes
// none of them opens no connection, sends no datagram, asks no name server and
// starts nobody who could. Methods need none of their own, for their type stands
// here. What opens connections for us is named as the standard library is.
var outward = map[string][]string{
	"net": {"Dial", "DialIP", "DialTCP", "DialTimeout", "DialUDP", "DialUnix", "Dialer", "FileConn", "FilePacketConn", "ListenIP", "ListenMulticastUDP", "ListenPacket",
		"ListenUDP", "ListenUnixgram", "DefaultResolver", "Resolver", "LookupAddr", "LookupCNAME", "LookupHost", "LookupIP", "LookupMX", "LookupNS", "LookupPort", "LookupSRV",
		"LookupTXT", "ResolveIPAddr", "ResolveTCPAddr", "ResolveUDPAddr", "ListenConfig"},
	"net/http":          {"Client", "DefaultClient", "DefaultTransport", "Get", "Head", "Post", "PostForm", "Transport"},
	"net/http/httputil": {"NewSingleHostReverseProxy", "ReverseProxy"},
	"net/rpc":           {"Dial", "DialHTTP", "DialHTTPPath"},
	"net/smtp":          {"Dial", "SendMail"},
	"crypto/tls":        {"Dial", "DialWithDialer", "Dialer"},
	"log/syslog":        {"Dial", "New", "NewLogger"},
	"os":                {"StartProcess"},
	"os/exec":           {"Cmd", "Command", "CommandContext"},
	"syscall":           {"Connect", "Exec", "ForkExec", "RawSyscall", "RawSyscall6", "Sendmsg", "Sendto", "Socket", "Socketpair", "StartProcess", "Syscall", "Syscall6"},

	"github.com/hashicorp/raft":                           {"NewTCPTransport", "NewTCPTransportWithConfig", "NewTCPTransportWithLogger"},
	"github.com/hashicorp/memberlist":                     {"NewNetTransport"},
	"github.com/wneessen/go-mail":                         {"NewClient"},
	"github.com/libp2p/go-libp2p/p2p/transport/quic":      {"NewTransport"},
	"github.com/libp2p/go-libp2p/p2p/transport/quicreuse": {"NewConnManager"},
	"github.com/libp2p/go-libp2p/p2p/transport/tcp":       {"NewTCPTransport"},
	"github.com/libp2p/go-libp2p/p2p/transport/websocket": {"New"},
	"golang.org/x/sys/unix":                               {"Connect", "Exec", "RawSyscall", "Sendmsg", "Sendto", "Socket", "Socketpair", "Syscall", "Syscall6"},
}

// doors are the packages that name what leads out, and where it leads. One that
// serves a territory says which row of the page "Ce qui est sorti" shows it.
var doors = map[string]string{
	"consensus/mesh":            "between the replicas of one territory, under mutual TLS: its own machines",
	"node":                      "the mesh's transport, wrapped for requests between replicas",
	"cmd/bippop":                "a command on the operator's desk asks the node that he names; bench starts programs",
	"federation":                "to the hubs of the roster, the ledger's entries and what asks for them, see TestQUICEqualsLedger there",
	"federation/ledger":         "dpo verify, on the verifier's own machine, fetches the public tiles of the node that he names",
	"api/oidc":                  "to the identity provider that the operator names, about somebody who signs in there: row \"oidc\" of the page",
	"cmd/bippop/internal/alarm": "alarms, to the mail server and the address that the operator names: counts, never a person",
}

// strangers are packages of others that name what leads out, and why nothing
// leaves by them unless one of ours asks for it.
var strangers = map[string]string{
	"github.com/armon/go-metrics":                         "statsd and statsite, which nobody configures",
	"github.com/coreos/go-systemd/journal":                "the journal of this machine, by a Unix socket",
	"github.com/coreos/pkg/capnslog":                      "the system log of this machine, which nobody asks it for",
	"github.com/coreos/go-oidc/v3/oidc":                   "the identity provider that the operator names, by the client that api/oidc bounds",
	"github.com/dgraph-io/ristretto/v2/z":                 "memory mapping",
	"github.com/gin-gonic/gin":                            "a helper for tests",
	"github.com/go-webauthn/webauthn/metadata":            "lists of devices, which nobody asks for: api/passkey takes no attestation",
	"github.com/go-webauthn/x/revoke":                     "revocations of what attestations are signed by: api/passkey refuses them unread",
	"github.com/google/go-tpm/tpmutil":                    "a simulated TPM; only the forms of TPM statements are used, and those are refused unread",
	"github.com/go-playground/validator/v10":              "rules for addresses, which no field of ours carries",
	"github.com/gorilla/websocket":                        "the federation's connections to hubs",
	"github.com/hashicorp/go-metrics":                     "statsd and statsite, which nobody configures",
	"github.com/hashicorp/go-sockaddr":                    "reads this machine's own routes",
	"github.com/hashicorp/memberlist":                     "its own transport is not made: gossip goes through the mesh",
	"github.com/hashicorp/raft":                           "its own transport is not made: the log goes through the mesh",
	"github.com/libp2p/go-libp2p/p2p/net/reuseport":       "the federation's connections to hubs",
	"github.com/libp2p/go-libp2p/p2p/transport/quic":      "the federation's connections to hubs",
	"github.com/libp2p/go-libp2p/p2p/transport/quicreuse": "the federation's connections to hubs",
	"github.com/libp2p/go-libp2p/p2p/transport/websocket": "the federation's connections to hubs",
	"github.com/libp2p/go-netroute":                       "asks this machine's kernel for its routes",
	"github.com/libp2p/go-reuseport":                      "the federation's connections to hubs",
	"github.com/marten-seemann/tcp":                       "asks the kernel how a connection does",
	"github.com/miekg/dns":                                "memberlist joins by name with it; here it joins by address",
	"github.com/multiformats/go-multiaddr-dns":            "the names of hubs",
	"github.com/multiformats/go-multiaddr/net":            "the federation's connections to hubs",
	"github.com/quic-go/quic-go":                          "the federation's connections to hubs",
	"github.com/quic-go/quic-go/http3":                    "gin would serve HTTP/3 with it, if it were asked",
	"github.com/wneessen/go-mail":                         "alarms, to the mail server that the operator names",
	"github.com/wneessen/go-mail/smtp":                    "alarms, to the mail server that the operator names",
	"golang.org/x/net/http2":                              "gin would serve HTTP/2 in clear with it, if it were asked",
	"golang.org/x/net/internal/socket":                    "options of sockets that others opened",
	"golang.org/x/oauth2":                                 "the identity provider that the operator names, by the client that api/oidc bounds",
	"golang.org/x/oauth2/internal":                        "the identity provider that the operator names, by the client that api/oidc bounds",
	"golang.org/x/sys/execabs":                            "age's plugins: programs of this machine that hold its key",
	"golang.org/x/sys/unix":                               "system calls, for whoever names them",
}

// TestOutbound: nothing in the program can open a connection but what the tables
// name. Together with the owners in house_test.go, which say who may call which
// stranger, they are all the ways out.
func TestOutbound(t *testing.T) {
	all, found := linked(t), map[string][]string{}
	for path, p := range all {
		if p.Standard {
			continue
		}
		for _, name := range p.GoFiles {
			for _, use := range leads(t, filepath.Join(p.Dir, name)) {
				if !slices.Contains(found[path], use) {
					found[path] = append(found[path], use)
				}
			}
		}
	}
	for _, path := range slices.Sorted(maps.Keys(found)) {
		why := strangers[path]
		if ours, isOurs := strings.CutPrefix(path, module); isOurs {
			why = doors[ours]
		}
		if why == "" {
			t.Errorf("%s can reach other programs and stands in no table: %s", path, strings.Join(found[path], ", "))
		}
	}
	for _, table := range []map[string]string{doors, strangers} {
		for path, why := range table {
			if isOurs := all[module+path].Dir != ""; isOurs {
				path = module + path
			}
			if why == "" || all[path].Dir != "" && len(found[path]) == 0 {
				t.Errorf("%s is listed as a way out (%s), and is none", path, why)
			}
		}
	}
}

type linkedPackage struct {
	ImportPath, Dir string
	Standard        bool
	GoFiles         []string
}

// linked is what the program that operators run is made of.
func linked(t *testing.T) map[string]linkedPackage {
	t.Helper()
	cmd := exec.Command("go", "list", "-deps", "-tags", "nomsgpack", "-json=ImportPath,Dir,Standard,GoFiles", "./cmd/bippop")
	cmd.Dir = ".."
	cmd.Env = append(cmd.Environ(), "CGO_ENABLED=0")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]linkedPackage{}
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p linkedPackage
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all[p.ImportPath] = p
	}
}

// leads lists the outward names in a file.
func leads(t *testing.T, file string) (uses []string) {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	imported := map[string]string{} // by the name that the file gives it
	for _, i := range f.Imports {
		path, err := strconv.Unquote(i.Path.Value)
		if err != nil || outward[path] == nil {
			continue
		}
		name := path[strings.LastIndexByte(path, '/')+1:]
		if i.Name != nil {
			name = i.Name.Name
		}
		if name == "." {
			uses = append(uses, "all of "+path)
		}
		imported[name] = path
	}
	ast.Inspect(f, func(n ast.Node) bool {
		s, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if x, ok := s.X.(*ast.Ident); ok && slices.Contains(outward[imported[x.Name]], s.Sel.Name) {
			uses = append(uses, x.Name+"."+s.Sel.Name)
		}
		return true
	})
	return uses
}
