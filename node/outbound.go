package node

// Connection is one way out of this machine other than the federation, whose every
// byte stands in the ledger.
type Connection struct {
	Name     string // a code, by which pages know its words: "alarm-mail"
	Provider string // as the operator has configured it; empty: none is
	On       bool
	Inbound  bool   // it is the other side that calls
	Count    uint64 // since this machine was started: letters, requests
}

// Names of the connections that the program can make.
const (
	ConnectReplicas   = "replicas"      // the territory's own machines, among themselves
	ConnectMail       = "alarm-mail"    // to the operator
	ConnectWebhook    = "alarm-webhook" // to the operator
	ConnectPrometheus = "prometheus"    // the operator's instruments read figures of the machine
	ConnectOIDC       = "oidc"          // to the identity provider: that somebody signs in here, and out
)

// Connections are all other ways out, on the machine that answers: the territory's
// machines among themselves, and what the program around the node has told of.
func (s *Ledger) Connections(by Caller) ([]Connection, error) {
	if err := by.may(ReadLedger); err != nil {
		return nil, err
	}
	own := Connection{Name: ConnectReplicas, On: s.peers != nil}
	if s.peers != nil {
		own.Count = uint64(len(s.members.present()) - 1)
	}
	all := []Connection{own}
	if s.cfg.Connections != nil {
		all = append(all, s.cfg.Connections()...)
	}
	return all, nil
}
