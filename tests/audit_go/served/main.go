// Command served audits a log over HTTP with other people's tools only: Tessera's client and fsck, golang.org/x/mod's
// tlog and note, and transparency-dev's cosignatures. It shares no code with what serves the log.
//
// Usage: served URL VKEY TOKEN-FILE EARLIER WITNESS-VKEY … EARLIER is a checkpoint that was accepted before, or "-".
// Exit 0: every entry and tile agree with the signed root, the log continues EARLIER, entries are proven, and each of
// the witnesses has cosigned. The checkpoint is then printed. Exit 1: one sentence says what does not agree.
package main

import (
	"bytes"
	"context"
	"fmt"
	"net/url"
	"os"
	"strings"

	formats "github.com/transparency-dev/formats/log"
	cosignatures "github.com/transparency-dev/formats/note"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"github.com/transparency-dev/tessera/api"
	"github.com/transparency-dev/tessera/api/layout"
	"github.com/transparency-dev/tessera/client"
	"github.com/transparency-dev/tessera/fsck"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func main() {
	if len(os.Args) < 5 {
		fmt.Fprintln(os.Stderr, "usage: served URL VKEY TOKEN-FILE EARLIER WITNESS-VKEY …")
		os.Exit(2)
	}
	checkpoint, err := audit(context.Background(), os.Args[1], os.Args[2], os.Args[3], os.Args[4], os.Args[5:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "refused:", err)
		os.Exit(1)
	}
	os.Stdout.Write(checkpoint)
}

func audit(ctx context.Context, address, vkey, tokenFile, earlier string, witnesses []string) ([]byte, error) {
	log, err := note.NewVerifier(vkey)
	if err != nil {
		return nil, err
	}
	root, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	fetcher, err := client.NewHTTPFetcher(root, nil)
	if err != nil {
		return nil, err
	}
	token, err := os.ReadFile(tokenFile)
	if err != nil {
		return nil, err
	}
	fetcher.SetAuthorizationHeader("Bearer " + strings.TrimSpace(string(token)))
	if err := fsck.New(log.Name(), log, fetcher, leafHashes, fsck.Opts{N: 4}).Check(ctx); err != nil {
		return nil, fmt.Errorf("fsck: %w", err)
	}
	newest, err := continues(ctx, fetcher, log, earlier)
	if err != nil {
		return nil, fmt.Errorf("continuation: %w", err)
	}
	checkpoint, err := cosigned(newest, log, witnesses)
	if err != nil {
		return nil, fmt.Errorf("cosignatures: %w", err)
	}
	if err := provesEntries(ctx, fetcher, checkpoint); err != nil {
		return nil, fmt.Errorf("inclusion: %w", err)
	}
	if err := readsThroughTiles(ctx, fetcher, checkpoint); err != nil {
		return nil, fmt.Errorf("tlog: %w", err)
	}
	return newest, nil
}

func leafHashes(bundle []byte) ([][]byte, error) {
	entries := api.EntryBundle{}
	if err := entries.UnmarshalText(bundle); err != nil {
		return nil, err
	}
	var hashes [][]byte
	for _, entry := range entries.Entries {
		hashes = append(hashes, rfc6962.DefaultHasher.HashLeaf(entry))
	}
	return hashes, nil
}

// continues returns the newest checkpoint, which Tessera's tracker has proven to continue the earlier one.
func continues(ctx context.Context, from *client.HTTPFetcher, log note.Verifier, earlier string) ([]byte, error) {
	var before []byte
	if earlier != "-" {
		var err error
		if before, err = os.ReadFile(earlier); err != nil {
			return nil, err
		}
	}
	consensus := client.UnilateralConsensus(from.ReadCheckpoint)
	tracker, err := client.NewLogStateTracker(ctx, from.ReadTile, before, log, log.Name(), consensus)
	if err != nil {
		return nil, err
	}
	_, _, newest, err := tracker.Update(ctx)
	return newest, err
}

// cosigned parses a checkpoint that the log and every one of the witnesses signed.
func cosigned(raw []byte, log note.Verifier, keys []string) (*formats.Checkpoint, error) {
	var witnesses []note.Verifier
	for _, key := range keys {
		witness, err := cosignatures.NewVerifierForCosignatureV1(key)
		if err != nil {
			return nil, err
		}
		witnesses = append(witnesses, witness)
	}
	checkpoint, _, signed, err := formats.ParseCheckpoint(raw, log.Name(), log, witnesses...)
	if err != nil {
		return nil, err
	}
	if len(signed.Sigs) != 1+len(witnesses) {
		return nil, fmt.Errorf("%d of %d keys signed it", len(signed.Sigs), 1+len(witnesses))
	}
	return checkpoint, nil
}

// provesEntries builds inclusion proofs from the served tiles and verifies them.
func provesEntries(ctx context.Context, from *client.HTTPFetcher, checkpoint *formats.Checkpoint) error {
	builder, err := client.NewProofBuilder(ctx, checkpoint.Size, from.ReadTile)
	if err != nil {
		return err
	}
	for _, index := range []uint64{0, checkpoint.Size / 2, checkpoint.Size - 1} {
		bundle, err := client.GetEntryBundle(ctx, from.ReadEntryBundle, index/layout.EntryBundleWidth, checkpoint.Size)
		if err != nil {
			return err
		}
		leaf := rfc6962.DefaultHasher.HashLeaf(bundle.Entries[index%layout.EntryBundleWidth])
		path, err := builder.InclusionProof(ctx, index)
		if err != nil {
			return err
		}
		err = proof.VerifyInclusion(rfc6962.DefaultHasher, index, checkpoint.Size, leaf, path, checkpoint.Hash)
		if err != nil {
			return fmt.Errorf("entry %d: %w", index, err)
		}
	}
	return nil
}

// readsThroughTiles authenticates every leaf against the signed root with golang.org/x/mod's tlog, and compares it with
// that of the entry.
func readsThroughTiles(ctx context.Context, from *client.HTTPFetcher, checkpoint *formats.Checkpoint) error {
	tree := tlog.Tree{N: int64(checkpoint.Size), Hash: tlog.Hash(checkpoint.Hash)}
	indexes := make([]int64, tree.N)
	for n := range indexes {
		indexes[n] = tlog.StoredHashIndex(0, int64(n))
	}
	leaves, err := tlog.TileHashReader(tree, served{ctx, from}).ReadHashes(indexes)
	if err != nil {
		return err
	}
	for n := 0; n < len(leaves); n += layout.EntryBundleWidth {
		bundle, err := client.GetEntryBundle(ctx, from.ReadEntryBundle, uint64(n/layout.EntryBundleWidth), checkpoint.Size)
		if err != nil {
			return err
		}
		for at, entry := range bundle.Entries {
			if leaf := tlog.RecordHash(entry); !bytes.Equal(leaf[:], leaves[n+at][:]) {
				return fmt.Errorf("the tiles hold another hash of entry %d", n+at)
			}
		}
	}
	return nil
}

// served gives tlog the served tiles.
type served struct {
	ctx  context.Context
	from *client.HTTPFetcher
}

func (s served) Height() int { return layout.TileHeight }

func (s served) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	found := make([][]byte, len(tiles))
	for i, tile := range tiles {
		width := uint8(tile.W % layout.TileWidth)
		data, err := s.from.ReadTile(s.ctx, uint64(tile.L), uint64(tile.N), width)
		if err != nil {
			return nil, err
		}
		found[i] = data
	}
	return found, nil
}

func (s served) SaveTiles([]tlog.Tile, [][]byte) {}
