package main

import (
	"fmt"
	"io"

	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node"
)

// console brings codes to whoever watches the terminal: the reference, by which the
// waiting person is known, and never the address.
type console struct{ to io.Writer }

func (c console) Send(ref string, _, code crypto.Secret) error {
	_, err := fmt.Fprintf(c.to, "code for reference %s: %s\n", ref, code.Reveal())
	return err
}

// sender is what --codes says.
func sender(word string, to io.Writer) (node.Sender, error) {
	switch word {
	case "off":
		return nil, nil
	case "console":
		return console{to}, nil
	}
	return nil, usagef("--codes is off or console")
}
