package roster

// SignedText is what holders sign.
func SignedText(e Entry) []byte { return e.text() }
