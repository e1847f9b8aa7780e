// Command cosigned verifies a checkpoint and its cosignatures with other people's code only: golang.org/x/mod/sumdb/note
// and github.com/transparency-dev/formats. It shares no code with what wrote them.
//
// Usage: cosigned CHECKPOINT LOG-VKEY WITNESS-VKEY … Exit 0: the log and every one of the witnesses signed it.
package main

import (
	"fmt"
	"os"

	formats "github.com/transparency-dev/formats/log"
	cosignatures "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"
)

func main() {
	if err := verify(os.Args[1], os.Args[2], os.Args[3:]); err != nil {
		fmt.Fprintln(os.Stderr, "refused:", err)
		os.Exit(1)
	}
	fmt.Println("accepted")
}

func verify(path, logKey string, witnessKeys []string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	log, err := note.NewVerifier(logKey)
	if err != nil {
		return err
	}
	var witnesses []note.Verifier
	for _, key := range witnessKeys {
		witness, err := cosignatures.NewVerifierForCosignatureV1(key)
		if err != nil {
			return err
		}
		witnesses = append(witnesses, witness)
	}
	_, _, found, err := formats.ParseCheckpoint(data, log.Name(), log, witnesses...)
	if err != nil {
		return err
	}
	if len(found.Sigs) != 1+len(witnesses) {
		return fmt.Errorf("%d of %d keys signed it", len(found.Sigs), 1+len(witnesses))
	}
	return nil
}
