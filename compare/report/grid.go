package report

// A table of the HTML page.
type table struct {
	ID      string
	Caption string
	Said    bool // the heading above the table repeats the caption
	Columns []column
	Rows    []row
	// failures are the rows without figures; [table.drop] appends them to Rows.
	failures []row
}

// A column describes a column of a table.
type column struct {
	Title string
	Words bool // aligned as text
}

// A row of a table. The first cell is the row's head. A divider has only one cell.
type row struct {
	Kind  string // "", "reference", "divider" or "failed"
	Cells []cell
}

// A cell of a table.
type cell struct {
	Text string
	Sub  string // small text after Text
	Kind string // "", "best", "bad" or "tie"
	Note string // badge that explains Kind in words
	Bar  string // length of the bar under the text, from 0 to 1
	Span int
	// Words reports whether the cell is aligned as text; [table.drop] sets it.
	Words bool
}

// columnsOf returns columns with the titles. The first column is aligned as text.
func columnsOf(titles ...string) []column {
	all := make([]column, len(titles))
	for i, t := range titles {
		all[i] = column{Title: t, Words: i == 0}
	}
	return all
}

// cells returns cells with the texts.
func cells(texts ...string) []cell {
	all := make([]cell, len(texts))
	for i, t := range texts {
		all[i].Text = t
	}
	return all
}

// add adds a row with the texts.
func (t *table) add(texts ...string) { t.Rows = append(t.Rows, row{Cells: cells(texts...)}) }

// failed adds a row that states why the figures are missing.
func (t *table) failed(name, why string) {
	t.failures = append(t.failures, row{Kind: "failed", Cells: []cell{
		{Text: name}, {Text: "failed: " + why, Kind: "bad", Span: len(t.Columns) - 1},
	}})
}

// drop removes the columns in which no row has a text, except the first. It also sets
// [cell.Words] and puts the rows that failed last.
func (t *table) drop() {
	t.Rows = append(t.Rows, t.failures...)
	used := make([]bool, len(t.Columns))
	used[0] = true
	for _, r := range t.Rows {
		if r.whole() {
			continue
		}
		at := 0
		for _, c := range r.Cells {
			for range max(1, c.Span) {
				used[at] = used[at] || c.Text != ""
				at++
			}
		}
	}
	for i := range t.Rows {
		t.Rows[i].keep(t.Columns, used)
	}
	var kept []column
	for i, c := range t.Columns {
		if used[i] {
			kept = append(kept, c)
		}
	}
	t.Columns = kept
}

// whole reports whether the row's last cell spans all remaining columns.
func (r *row) whole() bool { return r.Kind == "divider" || r.Kind == "failed" }

// keep removes the cells of unused columns.
func (r *row) keep(columns []column, used []bool) {
	var kept []cell
	at := 0
	for _, c := range r.Cells {
		left := 0
		c.Words = at < len(columns) && columns[at].Words
		for range max(1, c.Span) {
			if used[at] {
				left++
			}
			at++
		}
		if c.Span > 0 {
			c.Span = left
		}
		if left > 0 || r.whole() {
			kept = append(kept, c)
		}
	}
	r.Cells = kept
}
