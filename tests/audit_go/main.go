// Command audit reads a mirror of the national log with other people's tools only: golang.org/x/mod/sumdb/note for the
// checkpoint's signature and golang.org/x/mod/sumdb/tlog for the tree. It shares no code with what wrote the mirror.
//
// Usage: audit FOLDER VKEY [CHECKPOINT …]. Exit 0: every entry, every tile and the signature agree, and the mirror
// continues each of the checkpoints in the given files. Exit 1: one sentence says what does not.
package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// height is the C2SP tile height: a full tile has 2^8 hashes.
const height = 8

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: audit FOLDER VKEY [CHECKPOINT …]")
		os.Exit(2)
	}
	tree, err := audit(os.Args[1], os.Args[2], os.Args[3:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "refused:", err)
		os.Exit(1)
	}
	fmt.Printf("accepted: %d entries, root %s\n", tree.N, tree.Hash)
}

func audit(folder, vkey string, earlier []string) (tlog.Tree, error) {
	tree, err := readCheckpoint(filepath.Join(folder, "checkpoint"), vkey)
	if err != nil {
		return tree, fmt.Errorf("checkpoint: %w", err)
	}
	hashes, err := hashEntries(folder, tree.N)
	if err != nil {
		return tree, fmt.Errorf("entries: %w", err)
	}
	root, err := tlog.TreeHash(tree.N, hashes)
	if err != nil {
		return tree, err
	}
	if root != tree.Hash {
		return tree, fmt.Errorf("the entries give the root %s, but %s was signed", root, tree.Hash)
	}
	if err := compareTiles(folder, tree, hashes); err != nil {
		return tree, err
	}
	if err := compareTexts(folder, tree.N); err != nil {
		return tree, fmt.Errorf("texts: %w", err)
	}
	for _, path := range earlier {
		if err := continues(tree, path, vkey, hashes); err != nil {
			return tree, fmt.Errorf("%s: %w", filepath.Base(path), err)
		}
	}
	return tree, readThroughTiles(folder, tree, hashes)
}

// continues verifies a signed checkpoint, and with a consistency proof that the tree continues it.
func continues(tree tlog.Tree, path, vkey string, hashes tlog.HashReader) error {
	before, err := readCheckpoint(path, vkey)
	if err != nil {
		return err
	}
	if before.N == 0 {
		return nil // every tree continues the empty one
	}
	if before.N > tree.N {
		return fmt.Errorf("its size is %d, the mirror's is %d", before.N, tree.N)
	}
	proof, err := tlog.ProveTree(tree.N, before.N, hashes)
	if err != nil {
		return err
	}
	return tlog.CheckTree(proof, tree.N, tree.Hash, before.N, before.Hash)
}

// readCheckpoint verifies the signed note and parses origin, size and root.
func readCheckpoint(path, vkey string) (tlog.Tree, error) {
	var tree tlog.Tree
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return tree, err
	}
	signed, err := os.ReadFile(path)
	if err != nil {
		return tree, err
	}
	opened, err := note.Open(signed, note.VerifierList(verifier))
	if err != nil {
		return tree, err
	}
	lines := strings.Split(strings.TrimSuffix(opened.Text, "\n"), "\n")
	if len(lines) < 3 || lines[0] != verifier.Name() {
		return tree, errors.New("the text is not: origin (the key's name), size, root")
	}
	if tree.N, err = strconv.ParseInt(lines[1], 10, 64); err != nil || tree.N < 0 {
		return tree, errors.New("the size is not a decimal number")
	}
	tree.Hash, err = tlog.ParseHash(lines[2])
	return tree, err
}

// storedHashes holds all hashes of the tree in tlog's storage order.
type storedHashes []tlog.Hash

func (s storedHashes) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	found := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		if index >= int64(len(s)) {
			return nil, fmt.Errorf("hash %d is not there", index)
		}
		found[i] = s[index]
	}
	return found, nil
}

// hashEntries reads every bundle and computes all hashes of the tree from the entries.
func hashEntries(folder string, size int64) (storedHashes, error) {
	var hashes storedHashes
	for n := int64(0); n < size; {
		width := min(int64(1)<<height, size-n)
		path := tilePath(tlog.Tile{H: height, L: 0, N: n >> height, W: int(width)}, "entries")
		data, err := os.ReadFile(filepath.Join(folder, path))
		if err != nil {
			return nil, err
		}
		for end := n + width; n < end; n++ {
			entry, rest, ok := cutEntry(data)
			if !ok {
				return nil, fmt.Errorf("%s ends within entry %d", path, n)
			}
			data = rest
			more, err := tlog.StoredHashes(n, entry, hashes)
			if err != nil {
				return nil, err
			}
			hashes = append(hashes, more...)
		}
		if len(data) > 0 {
			return nil, fmt.Errorf("%s has %d bytes after its last entry", path, len(data))
		}
	}
	return hashes, nil
}

// text is a line of a file of texts, which stands beside a bundle. A withheld text has no salt.
type text struct {
	Index  int64
	Member string
	SHA256 string
	Salt   *string
	Text   string
}

// compareTexts requires every text to give its hash, which has to be in the bundle of its entry. A text is hashed in its
// canonical form; the tests write it so.
func compareTexts(folder string, size int64) error {
	for n := int64(0); n < size; n += 1 << height {
		bundle := tlog.Tile{H: height, L: 0, N: n >> height, W: int(min(int64(1)<<height, size-n))}
		whole := tlog.Tile{H: height, L: 0, N: bundle.N, W: 1 << height}
		path := "texts" + strings.TrimPrefix(tilePath(whole, "entries"), "tile/entries")
		lines, err := os.ReadFile(filepath.Join(folder, path))
		if errors.Is(err, os.ErrNotExist) {
			continue // none of its entries has a text
		}
		if err != nil {
			return err
		}
		entries, err := os.ReadFile(filepath.Join(folder, tilePath(bundle, "entries")))
		if err != nil {
			return err
		}
		for decoder := json.NewDecoder(bytes.NewReader(lines)); ; {
			var row text
			if err := decoder.Decode(&row); err == io.EOF {
				break
			} else if err != nil {
				return fmt.Errorf("%s: %w", path, err)
			}
			if !bytes.Contains(entries, []byte(fmt.Sprintf(`"%s":{"sha256":"%s"}`, row.Member, row.SHA256))) {
				return fmt.Errorf("%s: no entry has the hash of /data/%s of entry %d", path, row.Member, row.Index)
			}
			if row.Salt == nil {
				continue
			}
			salt, err := hex.DecodeString(*row.Salt)
			if err != nil {
				return fmt.Errorf("%s: %w", path, err)
			}
			if sum := sha256.Sum256(append(salt, row.Text...)); hex.EncodeToString(sum[:]) != row.SHA256 {
				return fmt.Errorf("%s: /data/%s of entry %d does not give its hash", path, row.Member, row.Index)
			}
		}
	}
	return nil
}

func cutEntry(data []byte) (entry, rest []byte, ok bool) {
	if len(data) < 2 {
		return nil, nil, false
	}
	length := 2 + int(binary.BigEndian.Uint16(data))
	if len(data) < length {
		return nil, nil, false
	}
	return data[2:length], data[length:], true
}

// compareTiles requires every stored tile to be exactly what the entries give.
func compareTiles(folder string, tree tlog.Tree, hashes storedHashes) error {
	for _, tile := range tlog.NewTiles(height, 0, tree.N) {
		computed, err := tlog.ReadTileData(tile, hashes)
		if err != nil {
			return err
		}
		path := tilePath(tile, strconv.Itoa(tile.L))
		stored, err := os.ReadFile(filepath.Join(folder, path))
		if err != nil {
			return fmt.Errorf("tile: %w", err)
		}
		if !bytes.Equal(stored, computed) {
			return fmt.Errorf("%s is not what the entries give", path)
		}
	}
	return nil
}

// readThroughTiles authenticates every leaf against the signed root as a client of tiles does, without the entries.
func readThroughTiles(folder string, tree tlog.Tree, hashes storedHashes) error {
	if tree.N == 0 {
		return nil
	}
	indexes := make([]int64, tree.N)
	for n := range indexes {
		indexes[n] = tlog.StoredHashIndex(0, int64(n))
	}
	leaves, err := tlog.TileHashReader(tree, tileFolder(folder)).ReadHashes(indexes)
	if err != nil {
		return fmt.Errorf("tiles: %w", err)
	}
	for n, leaf := range leaves {
		if leaf != hashes[indexes[n]] {
			return fmt.Errorf("the tiles hold another hash of entry %d", n)
		}
	}
	return nil
}

// tileFolder gives tlog the tiles of a folder.
type tileFolder string

func (f tileFolder) Height() int { return height }

func (f tileFolder) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	found := make([][]byte, len(tiles))
	for i, tile := range tiles {
		data, err := os.ReadFile(filepath.Join(string(f), tilePath(tile, strconv.Itoa(tile.L))))
		if err != nil {
			return nil, err
		}
		found[i] = data
	}
	return found, nil
}

func (f tileFolder) SaveTiles([]tlog.Tile, [][]byte) {}

// tilePath is tlog's path without its height element: tile/<kind>/<number>[.p/<width>].
func tilePath(tile tlog.Tile, kind string) string {
	path := tlog.Tile{H: tile.H, L: 0, N: tile.N, W: tile.W}.Path()
	return "tile/" + kind + strings.TrimPrefix(path, fmt.Sprintf("tile/%d/0", tile.H))
}
