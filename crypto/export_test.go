package crypto

import "crypto/ed25519"

var (
	TestOnlyEncodeVault = encodeVault
	TestOnlyDecodeVault = decodeVault
	TestOnlyWithHint    = withHint
	TestOnlyTOTP        = totp
	TestOnlyCRC         = func(b []byte) uint16 { return crc(crcStart, b) }
)

func KnownIdentity(k Key) Identity {
	return Identity{reveal: func() identity { return identity{key: ed25519.NewKeyFromSeed(k.Reveal())} }}
}

func KnownAuthority(k Key) Authority {
	return Authority{reveal: func() authority { return authority{key: ed25519.NewKeyFromSeed(k.Reveal())} }}
}

func KnownDoorbell(k Key) Doorbell {
	return Doorbell{reveal: func() doorbell { return doorbell{key: ed25519.NewKeyFromSeed(k.Reveal())} }}
}

func KnownSigner(k Key) Signer {
	return Signer{reveal: func() ed25519.PrivateKey { return ed25519.NewKeyFromSeed(k.Reveal()) }}
}

// KnownShare is share 2 of 5, of which 3 are needed, at a point that k gives.
func KnownShare(k Key) Share {
	p := shareParts{siren: 200044394, set: [8]byte{1, 2, 3, 4, 5, 6, 7, 8}, needed: 3, of: 5, index: 2, point: shareField.HashToScalar(k.Reveal(), []byte("test"))}
	return p.share()
}

// ClaimNeeding claims that s needs fewer of its set.
func ClaimNeeding(s Share, needed int) Share {
	p := s.reveal()
	p.needed = byte(needed)
	return p.share()
}
