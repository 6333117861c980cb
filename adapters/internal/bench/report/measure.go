package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/cachepact/cachepact/adapters/internal/bench"
)

// results is what -json writes.
type results struct {
	Results   []bench.Result   `json:"results"`
	Clearings []bench.Clearing `json:"clearings"`
}

// measure runs what o selects, and prints each library's table when it is done.
func measure(ctx context.Context, o options) error {
	var all results
	for _, library := range bench.Libraries() {
		if !o.lib.selects(library) {
			continue
		}
		if err := all.library(ctx, library, o); err != nil {
			return err
		}
	}
	if len(all.Results)+len(all.Clearings) == 0 {
		return errors.New("the flags select nothing")
	}
	if len(all.Clearings) > 0 {
		if err := bench.ClearingTable(os.Stdout, all.Clearings); err != nil {
			return err
		}
	}
	if o.json == "" {
		return nil
	}
	return writeJSON(o.json, all)
}

// library adds the results of one library.
func (all *results) library(ctx context.Context, library string, o options) error {
	var mine []bench.Result
	for _, e := range bench.Experiments() {
		if e.Library != library || !o.kase.selects(e.Case.String()) || !o.key.selects(e.Key) || !o.value.selects(e.Value) {
			continue
		}
		r, err := bench.Measure(ctx, e, o.settings)
		if err != nil {
			return err
		}
		mine = append(mine, r)
	}
	for _, c := range bench.ScrapeCases {
		if !o.million(c.Name) {
			continue
		}
		r, err := bench.MeasureScrape(ctx, library, c, o.settings.Rounds)
		if err != nil {
			return err
		}
		mine = append(mine, r)
	}
	if len(mine) > 0 {
		if err := bench.PrintTable(os.Stdout, mine); err != nil {
			return err
		}
		fmt.Println()
	}
	all.Results = append(all.Results, mine...)
	if !o.million(bench.InvalidateAll) {
		return nil
	}
	c, err := bench.MeasureInvalidateAll(ctx, library, o.settings.Rounds)
	if err != nil {
		return err
	}
	all.Clearings = append(all.Clearings, c)
	return nil
}

// million reports whether o selects a case with a million entries, which have the
// same types always.
func (o options) million(kase string) bool {
	return o.kase.selects(kase) && o.key.selects("uint64") && o.value.selects("int")
}

func writeJSON(path string, v any) error {
	text, err := json.MarshalIndent(v, "", "\t")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(text, '\n'), 0o644)
}
