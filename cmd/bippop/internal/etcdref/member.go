package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/url"
	"path/filepath"

	"go.etcd.io/etcd/server/v3/embed"
)

// member runs until ctx ends, with etcd's own settings and mutual TLS between the
// members. It prints "ready" when it serves.
func member(ctx context.Context, args []string) error {
	f := flag.NewFlagSet("member", flag.ContinueOnError)
	dir := f.String("dir", "", "data folder")
	name := f.String("name", "", "of this member")
	client := f.String("client", "", "address for clients, http")
	peer := f.String("peer", "", "address for members, https")
	cluster := f.String("cluster", "", "all members: name=peer,…")
	certs := f.String("certificates", "", "folder of certificates")
	if err := f.Parse(args); err != nil {
		return err
	}
	clientURL, err1 := url.Parse(*client)
	peerURL, err2 := url.Parse(*peer)
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	cfg := embed.NewConfig()
	cfg.Dir, cfg.Name, cfg.InitialCluster = *dir, *name, *cluster
	cfg.ListenClientUrls, cfg.AdvertiseClientUrls = []url.URL{*clientURL}, []url.URL{*clientURL}
	cfg.ListenPeerUrls, cfg.AdvertisePeerUrls = []url.URL{*peerURL}, []url.URL{*peerURL}
	cfg.PeerTLSInfo.CertFile = filepath.Join(*certs, certFile)
	cfg.PeerTLSInfo.KeyFile = filepath.Join(*certs, keyFile)
	cfg.PeerTLSInfo.TrustedCAFile = filepath.Join(*certs, caFile)
	cfg.PeerTLSInfo.ClientCertAuth = true
	cfg.LogLevel = "error"
	cfg.LogOutputs = []string{"stderr"}
	e, err := embed.StartEtcd(cfg)
	if err != nil {
		return err
	}
	defer e.Close()
	select {
	case <-e.Server.ReadyNotify():
		fmt.Println("ready")
	case err := <-e.Err():
		return err
	case <-ctx.Done():
		return nil
	}
	select {
	case err := <-e.Err():
		return err
	case <-ctx.Done():
		return nil
	}
}
