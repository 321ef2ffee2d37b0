package alarm

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/mail"
	"strconv"

	"github.com/bippop/bippop/crypto"
	gomail "github.com/wneessen/go-mail"
)

// MailConfig says how letters leave as plain-text mail.
type MailConfig struct {
	To, Sender string        // addresses
	Server     string        // host:port; port 465 speaks TLS from the first byte, others may turn to it
	Login      string        // may be empty
	Password   crypto.Secret // goes over TLS only, but to this very machine
	TLS        *tls.Config   // nil: the system's authorities
}

// Mail sends letters over SMTP.
type Mail struct {
	cfg  MailConfig
	from From
	host string
	opts []gomail.Option
}

// NewMail checks what the operator has typed. It connects to nobody.
func NewMail(cfg MailConfig, from From) (*Mail, error) {
	for _, a := range []string{cfg.To, cfg.Sender} {
		if parsed, err := mail.ParseAddress(a); err != nil || parsed.Address != a {
			return nil, errors.New("an address of the mail is not like operator@example.fr")
		}
	}
	host, port, err := net.SplitHostPort(cfg.Server)
	number, err2 := strconv.Atoi(port)
	if err != nil || err2 != nil || host == "" || number < 1 || number > 65535 {
		return nil, errors.New("the mail server is HOST:PORT, like smtp.example.fr:587")
	}
	m := &Mail{cfg: cfg, from: from, host: host}
	m.opts = []gomail.Option{gomail.WithPort(number), gomail.WithTimeout(sendTimeout), gomail.WithTLSPolicy(gomail.TLSOpportunistic)}
	if cfg.TLS != nil {
		m.opts = append(m.opts, gomail.WithTLSConfig(cfg.TLS))
	}
	if number == 465 {
		m.opts = append(m.opts, gomail.WithSSL())
	}
	if cfg.Login == "" {
		return m, nil
	}
	m.opts = append(m.opts, gomail.WithUsername(cfg.Login), gomail.WithPassword(cfg.Password.Reveal()))
	if local(host) {
		m.opts = append(m.opts, gomail.WithSMTPAuth(gomail.SMTPAuthPlain))
	} else {
		m.opts = append(m.opts, gomail.WithTLSPolicy(gomail.TLSMandatory), gomail.WithSMTPAuth(gomail.SMTPAuthAutoDiscover))
	}
	return m, nil
}

func local(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Name of the channel.
func (m *Mail) Name() string { return "mail" }

// Send hands l to the mail server.
func (m *Mail) Send(ctx context.Context, l Letter) error {
	msg := gomail.NewMsg()
	if err := errors.Join(msg.From(m.cfg.Sender), msg.To(m.cfg.To)); err != nil {
		return errors.New("an address of the mail is not like operator@example.fr")
	}
	msg.SetDateWithValue(l.At)
	msg.SetMessageID()
	msg.SetGenHeader("Auto-Submitted", "auto-generated") // no out-of-office answers (RFC 3834)
	msg.Subject(l.SubjectLine(m.from))
	msg.SetBodyString(gomail.TypeTextPlain, l.Text(m.from))
	client, err := gomail.NewClient(m.host, m.opts...)
	if err != nil {
		return errors.New("the mail server's name cannot be used")
	}
	return explain(client.DialAndSendWithContext(ctx, msg))
}

// explain keeps addresses, which servers like to repeat, out of the log.
func explain(err error) error {
	if err == nil {
		return nil
	}
	if refused, ok := errors.AsType[*gomail.SendError](err); ok {
		return fmt.Errorf("the mail server refuses it (%d, %v)", refused.ErrorCode(), refused.Reason)
	}
	if unreached, ok := errors.AsType[*net.OpError](err); ok {
		return fmt.Errorf("the mail server cannot be reached: %w", unreached)
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return errors.New("the mail server's certificate is not to be trusted")
	}
	return errors.New("the mail server does not let us sign in or send: check host, port, login and password")
}
