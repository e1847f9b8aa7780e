// Command witness runs transparency-dev's witness, or sends requests with its client. It shares no code with ours.
//
// Usage: witness serve SKEY LOG-VKEY, which prints its address and ends with its standard input; or
// witness send ADDRESS, which reads a request a line (old size, base64 of the checkpoint, base64 of each hash) and prints
// `error|size|body` for each.
package main

import (
	"bufio"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"

	cosignatures "github.com/transparency-dev/formats/note"
	client "github.com/transparency-dev/witness/client/http"
	"github.com/transparency-dev/witness/persistence/inmemory"
	"github.com/transparency-dev/witness/witness"
	"golang.org/x/mod/sumdb/note"
)

func main() {
	var err error
	if os.Args[1] == "serve" {
		err = serve(os.Args[2], os.Args[3])
	} else {
		err = send(os.Args[2])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func serve(key, logKey string) error {
	signer, err := cosignatures.NewSignerForCosignatureV1(key)
	if err != nil {
		return err
	}
	log, err := note.NewVerifier(logKey)
	if err != nil {
		return err
	}
	found, err := witness.New(context.Background(), witness.Opts{
		Persistence: inmemory.New(),
		Signers:     []note.Signer{signer},
		VerifierForLog: func(_ context.Context, origin string) (note.Verifier, bool, error) {
			return log, origin == log.Name(), nil
		},
	})
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	http.HandleFunc("POST /add-checkpoint", witness.NewHTTPHandler(found).AddCheckpoint)
	go http.Serve(listener, nil)
	fmt.Printf("http://%s/\n", listener.Addr())
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

func send(address string) error {
	url, err := url.Parse(address)
	if err != nil {
		return err
	}
	to := client.NewWitness(url, http.DefaultClient)
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		size, err := strconv.ParseUint(words[0], 10, 64)
		if err != nil {
			return err
		}
		var parts [][]byte
		for _, word := range words[1:] {
			part, err := base64.StdEncoding.DecodeString(word)
			if err != nil {
				return err
			}
			parts = append(parts, part)
		}
		body, known, err := to.Update(context.Background(), size, parts[0], parts[1:])
		fmt.Printf("%v|%d|%s\n", err, known, strings.TrimSpace(string(body)))
	}
	return lines.Err()
}
