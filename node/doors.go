package node

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/bippop/bippop/consensus/mesh"
	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node/internal/command"
	"github.com/bippop/bippop/node/internal/replica"
)

// What replicas ask of each other. Each message is CBOR with numbered fields and
// crosses the replicas' own network only, where both ends are known by their
// certificates.
type (
	// rootMessage hands a root key over, as a candidate for the place of From,
	// which is in force at Index.
	rootMessage struct {
		Key   []byte       `cbor:"1,keyasint"`
		From  crypto.KeyID `cbor:"2,keyasint"`
		Index uint64       `cbor:"3,keyasint,omitempty"`
	}
	// keyName asks for the root in force, or says that it is held.
	keyName struct {
		ID crypto.KeyID `cbor:"1,keyasint"`
	}
	// holderMessage says who has taken a root in: an address may have passed to
	// another replica.
	holderMessage struct {
		Replica ReplicaID `cbor:"1,keyasint"`
	}
	indexMessage struct {
		Index uint64 `cbor:"1,keyasint"`
	}
	// movedMessage is what a replica says of itself when it starts.
	movedMessage struct {
		Address   string    `cbor:"1,keyasint"`
		URL       string    `cbor:"2,keyasint"`
		Level     uint16    `cbor:"3,keyasint"`
		Unsealing Unsealing `cbor:"4,keyasint,omitempty"`
	}
	nothing struct{}
)

// mostMessage bounds a message, in bytes.
const mostMessage = 64 << 10

// peerKey is where a request carries the replica that sent it.
type peerKey struct{}

func peerOf(ctx context.Context) ReplicaID {
	id, _ := ctx.Value(peerKey{}).(ReplicaID)
	return id
}

// door answers one question of another replica.
func door[I, O any](answer func(context.Context, I) (O, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var in I
		body, err := io.ReadAll(io.LimitReader(r.Body, mostMessage))
		if err == nil {
			err = boxDecoding.Unmarshal(body, &in)
		}
		if err != nil {
			http.Error(w, "not of the known form", http.StatusBadRequest)
			return
		}
		out, err := answer(r.Context(), in)
		if err != nil {
			code := http.StatusServiceUnavailable
			if errors.Is(err, errLeader) {
				code = http.StatusMisdirectedRequest
			}
			http.Error(w, err.Error(), code) // of ours: no person's word
			return
		}
		b, err := boxEncoding.Marshal(out)
		if err != nil {
			http.Error(w, "not of the known form", http.StatusInternalServerError)
			return
		}
		w.Write(b)
	}
}

// askAt asks the replica at address.
func askAt[O any](ctx context.Context, p *peers, address, path string, in any) (out O, err error) {
	return askWith[O](ctx, p.ask, askTimeout, address, path, in)
}

func askWith[O any](ctx context.Context, client *http.Client, patience time.Duration, address, path string, in any) (out O, err error) {
	b, err := boxEncoding.Marshal(in)
	if err != nil {
		return out, err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+address+path, bytes.NewReader(b))
	if err != nil {
		return out, err
	}
	answer, err := client.Do(r)
	if errors.Is(err, mesh.ErrTurnedAway) {
		return out, mesh.ErrTurnedAway
	}
	if err != nil {
		return out, fmt.Errorf("%w: a replica does not answer", mesh.ErrUnreachable)
	}
	defer answer.Body.Close()
	b, err = io.ReadAll(io.LimitReader(answer.Body, mostMessage))
	switch {
	case err != nil:
		return out, err
	case answer.StatusCode == http.StatusMisdirectedRequest:
		return out, errLeader
	case answer.StatusCode != http.StatusOK:
		return out, fmt.Errorf("a replica answers %d: %s", answer.StatusCode, b)
	}
	return out, boxDecoding.Unmarshal(b, &out)
}

// askLeader asks whoever leads, this replica without a network.
func askLeader[I, O any](ctx context.Context, p *peers, path string, here func(context.Context, I) (O, error), in I) (out O, err error) {
	if p.core.replica.Leading() {
		return here(context.WithValue(ctx, peerKey{}, p.core.self), in)
	}
	_, address := p.core.replica.Leader()
	if address == "" {
		return out, errLeader
	}
	return askAt[O](ctx, p, address, path, in)
}

// takeRoot stores a candidate. The answer says that it is on disk. A replica that
// has not followed to the root before catches up first.
func (p *peers) takeRoot(ctx context.Context, in rootMessage) (holderMessage, error) {
	key, err := crypto.KeyFromBytes(in.Key)
	if err != nil {
		return holderMessage{}, err
	}
	if err := p.core.replica.Wait(ctx, in.Index); err != nil {
		return holderMessage{}, err
	}
	return holderMessage{p.core.self}, p.core.keeper.offer(key, in.From)
}

// giveRoot hands the root in force to a replica that lacks it.
func (p *peers) giveRoot(_ context.Context, in keyName) (rootMessage, error) {
	key, ok := p.core.keeper.give(in.ID)
	if !ok {
		return rootMessage{}, errRootMissing
	}
	return rootMessage{Key: key.Reveal()}, nil
}

// noteHolds commits that the asking replica holds a root and nothing older.
func (p *peers) noteHolds(ctx context.Context, in keyName) (nothing, error) {
	if !p.core.replica.Leading() {
		return nothing{}, errLeader
	}
	_, err := p.core.propose(ctx, command.HoldRoot{Stamp: p.core.own(), Replica: peerOf(ctx), Root: in.ID})
	return nothing{}, err
}

// barrier gives the index at which a read anywhere knows all that was
// acknowledged.
func (p *peers) barrier(ctx context.Context, _ nothing) (indexMessage, error) {
	index, err := p.core.replica.Barrier(ctx)
	return indexMessage{index}, explain(err)
}

// noteMoved commits where the asking replica is, and what its program knows.
func (p *peers) noteMoved(ctx context.Context, in movedMessage) (nothing, error) {
	if !p.core.replica.Leading() {
		return nothing{}, errLeader
	}
	r, ok := p.core.members.known(peerOf(ctx))
	if !ok {
		return nothing{}, errRemoved
	}
	if err := p.core.replica.Readdress(ctx, r.ID.String(), in.Address); err != nil {
		return nothing{}, err
	}
	_, err := p.core.propose(ctx, command.ChangeReplica{Stamp: p.core.own(), ID: r.ID, At: replica.Address{
		Peer: in.Address, URL: in.URL, Level: in.Level, Fingerprint: r.At.Fingerprint, Unsealing: in.Unsealing,
	}})
	return nothing{}, err
}
