// Command tessera-bench appends entries to a Tessera log on local files and prints how long it took.
//
// Usage: tessera-bench FOLDER < ENTRIES. Each entry is preceded by its length (four bytes, big-endian). The time is that
// from the first entry to the last one's index. The log is made as Tessera's README makes one, with its defaults and
// both layers of antispam: an entry that was appended before gets its first index, as far as Tessera finds it.
package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/transparency-dev/tessera"
	"github.com/transparency-dev/tessera/storage/posix"
	badger "github.com/transparency-dev/tessera/storage/posix/antispam"
	"golang.org/x/mod/sumdb/note"
)

const outstanding = tessera.DefaultPushbackMaxOutstanding

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: tessera-bench FOLDER < ENTRIES")
	}
	entries, err := read(os.Stdin)
	if err != nil {
		log.Fatal(err)
	}
	if err := run(context.Background(), os.Args[1], entries); err != nil {
		log.Fatal(err)
	}
}

func read(from io.Reader) ([][]byte, error) {
	var entries [][]byte
	buffered := bufio.NewReaderSize(from, 1<<20)
	for {
		var length uint32
		if err := binary.Read(buffered, binary.BigEndian, &length); errors.Is(err, io.EOF) {
			return entries, nil
		} else if err != nil {
			return nil, err
		}
		entry := make([]byte, length)
		if _, err := io.ReadFull(buffered, entry); err != nil {
			return nil, err
		}
		entries = append(entries, entry)
	}
}

func run(ctx context.Context, folder string, entries [][]byte) error {
	secret, _, err := note.GenerateKey(rand.Reader, "bench.yesser.example")
	if err != nil {
		return err
	}
	signer, err := note.NewSigner(secret)
	if err != nil {
		return err
	}
	driver, err := posix.New(ctx, posix.Config{Path: folder})
	if err != nil {
		return err
	}
	seen, err := badger.NewAntispam(ctx, filepath.Join(folder, ".state", "antispam"), badger.AntispamOpts{})
	if err != nil {
		return err
	}
	appender, shutdown, _, err := tessera.NewAppender(ctx, driver, tessera.NewAppendOptions().
		WithCheckpointSigner(signer).
		WithAntispam(tessera.DefaultAntispamInMemorySize, seen))
	if err != nil {
		return err
	}
	started := time.Now()
	repeated, err := appendAll(ctx, appender, entries)
	if err != nil {
		return err
	}
	printed, err := json.Marshal(map[string]any{
		"seconds":  time.Since(started).Seconds(),
		"sum":      len(entries) - repeated,
		"versions": map[string]string{"Tessera": version(), "Go": runtime.Version()},
	})
	if err != nil {
		return err
	}
	fmt.Println(string(printed))
	return shutdown(ctx)
}

// version is that of the Tessera that this program was built with.
func version() string {
	if built, ok := debug.ReadBuildInfo(); ok {
		for _, module := range built.Deps {
			if module.Path == "github.com/transparency-dev/tessera" {
				return module.Version
			}
		}
	}
	return "unknown"
}

// appendAll keeps up to outstanding entries on their way and returns how many of them were appended before.
func appendAll(ctx context.Context, appender *tessera.Appender, entries [][]byte) (int, error) {
	type result struct {
		repeated bool
		err      error
	}
	slots, results := make(chan struct{}, outstanding), make(chan result, outstanding)
	go func() {
		for _, entry := range entries {
			slots <- struct{}{}
			go func() {
				index, err := add(ctx, appender, entry)
				<-slots
				results <- result{index.IsDup, err}
			}()
		}
	}()
	repeated := 0
	for range entries {
		found := <-results
		if found.err != nil {
			return 0, found.err
		}
		if found.repeated {
			repeated++
		}
	}
	return repeated, nil
}

// add tries again while Tessera pushes back.
func add(ctx context.Context, appender *tessera.Appender, entry []byte) (tessera.Index, error) {
	for {
		index, err := appender.Add(ctx, tessera.NewEntry(entry))()
		if !errors.Is(err, tessera.ErrPushback) {
			return index, err
		}
		time.Sleep(time.Millisecond)
	}
}
