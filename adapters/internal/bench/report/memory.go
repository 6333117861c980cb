package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"github.com/cachepact/cachepact/adapters/internal/bench"
)

// memory prints what entries take, each cache in a process of its own.
func memory(ctx context.Context, o options) error {
	var names []string
	var raw, adapter []bench.Footprint
	for _, library := range bench.Libraries() {
		if !o.lib.selects(library) {
			continue
		}
		r, err := footprint(ctx, library, bench.RawImpl)
		if err != nil {
			return err
		}
		a, err := footprint(ctx, library, bench.AdapterImpl)
		if err != nil {
			return err
		}
		names, raw, adapter = append(names, library), append(raw, r), append(adapter, a)
	}
	if len(names) == 0 {
		return errors.New("the flags select nothing")
	}
	if o.json != "" {
		if err := writeJSON(o.json, map[string]any{"libraries": names, "raw": raw, "adapter": adapter}); err != nil {
			return err
		}
	}
	return bench.MemoryTable(os.Stdout, names, raw, adapter)
}

// footprint asks a process of its own, because what ran before leaves garbage.
func footprint(ctx context.Context, library string, impl bench.Impl) (f bench.Footprint, err error) {
	self, err := os.Executable()
	if err != nil {
		return f, err
	}
	cmd := exec.CommandContext(ctx, self, "-footprint", library+":"+string(impl))
	cmd.Stderr = os.Stderr
	text, err := cmd.Output()
	if err != nil {
		return f, fmt.Errorf("%s, %s: %w", library, impl, err)
	}
	return f, json.Unmarshal(text, &f)
}

// printFootprint is the other end of footprint.
func printFootprint(what string) error {
	library, impl, _ := strings.Cut(what, ":")
	f, err := bench.MeasureFootprint(library, bench.Impl(impl))
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(f)
}
