package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"strings"
	"time"
)

// askMain is the program ask of the stories:
//
//	ask ready                     wait until $URL answers
//	ask fetch URL                 read another address
//	ask as ROLE demo.json         sign in with the demo's account
//	ask sign-in LOGIN PASSWORD
//	ask until REGEXP              call the hubs until the place in the federation fits
//	ask heard STATE               call the hubs until a file of dossiers stands so
//	ask health REGEXP             wait until what /healthz says fits
//	ask METHOD PATH [FILE]        call with the token of the last sign-in
//
// It prints the answer's body, and fails when the answer is a refusal.
func askMain() {
	if err := ask(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "ask:", err)
		os.Exit(1)
	}
}

func ask(args []string) error {
	switch args[0] {
	case "ready":
		return awaitReady(os.Getenv("URL"), time.Minute)
	case "until":
		return awaitPlace("/api/v1/federation", regexp.MustCompile(args[1]), time.Minute)
	case "heard":
		return awaitPlace("/api/v1/federation/handovers", regexp.MustCompile(`"state":"`+args[1]), time.Minute)
	case "health":
		return awaitHealth(regexp.MustCompile(args[1]), time.Minute)
	case "fetch":
		answer, err := http.Get(args[1])
		if err != nil {
			return err
		}
		defer answer.Body.Close()
		_, err = io.Copy(os.Stdout, answer.Body)
		return err
	case "as":
		var home demoHome
		text, err := os.ReadFile(args[2])
		if err != nil {
			return err
		}
		if err := json.Unmarshal(text, &home); err != nil {
			return err
		}
		a, err := home.account(args[1])
		if err != nil {
			return err
		}
		return askSignIn(a.Login, a.Password)
	case "sign-in":
		return askSignIn(args[1], args[2])
	}
	var body []byte
	if len(args) > 2 {
		var err error
		if body, err = os.ReadFile(args[2]); err != nil {
			return err
		}
	}
	answer, err := askCall(args[0], args[1], body)
	os.Stdout.Write(answer)
	return err
}

func askSignIn(login, password string) error {
	body, _ := json.Marshal(map[string]string{"login": login, "password": password})
	answer, err := askCall("POST", "/api/v1/sessions", body)
	if err != nil {
		return err
	}
	var session struct{ Token string }
	if err := json.Unmarshal(answer, &session); err != nil {
		return err
	}
	return os.WriteFile("token", []byte(session.Token), 0o600)
}

// askCall writes the ID in the answer, or of the first item in it, to the file
// id. Variables in the body are put in.
func askCall(method, path string, body []byte) ([]byte, error) {
	r, err := http.NewRequest(method, os.Getenv("URL")+path, strings.NewReader(os.ExpandEnv(string(body))))
	if err != nil {
		return nil, err
	}
	if len(body) > 0 {
		r.Header.Set("Content-Type", "application/json")
	}
	if token, err := os.ReadFile("token"); err == nil {
		r.Header.Set("Authorization", "Bearer "+string(token))
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, err
	}
	if answer.StatusCode >= 400 {
		return text, fmt.Errorf("%s %s answers %s", method, path, answer.Status)
	}
	var made struct {
		ID    string
		Items []struct{ ID string }
	}
	if json.Unmarshal(text, &made) == nil {
		if made.ID == "" && len(made.Items) > 0 {
			made.ID = made.Items[0].ID
		}
		if made.ID != "" {
			return text, os.WriteFile("id", []byte(made.ID), 0o600)
		}
	}
	return text, nil
}

// awaitPlace calls the hubs again and again until what is read at a path, the
// territory's place in the federation or what follows from it, fits, or the time is
// over. It prints what was answered last.
func awaitPlace(path string, want *regexp.Regexp, patience time.Duration) error {
	deadline := time.Now().Add(patience)
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		refusal, _ := askCall("POST", "/api/v1/federation/sync", nil)
		text, err := askCall("GET", path, nil)
		if want.Match(text) || time.Now().After(deadline) {
			os.Stdout.Write(append(text, refusal...))
			if !want.Match(text) {
				err = fmt.Errorf("nothing fits %s after %s: %v", want, patience, err)
			}
			return err
		}
		<-tick.C
	}
}

// awaitHealth polls until what $URL/healthz says fits, well or ill, or the time is
// over. It prints what was said last.
func awaitHealth(want *regexp.Regexp, patience time.Duration) error {
	deadline := time.Now().Add(patience)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		text, _ := askCall("GET", "/healthz", nil)
		if want.Match(text) || time.Now().After(deadline) {
			os.Stdout.Write(text)
			if !want.Match(text) {
				return fmt.Errorf("nothing fits %s after %s", want, patience)
			}
			return nil
		}
		<-tick.C
	}
}

// awaitReady polls until the node answers, or the time is over.
func awaitReady(url string, patience time.Duration) error {
	c := http.Client{Timeout: 5 * time.Second}
	deadline := time.Now().Add(patience)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		answer, err := c.Get(url + "/readyz")
		if err == nil {
			answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				return nil
			}
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%s is not ready after %s", url, patience)
		}
		<-tick.C
	}
}
