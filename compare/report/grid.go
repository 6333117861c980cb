package report

// A table is figures on the page.
type table struct {
	ID      string
	Caption string
	Said    bool // the heading above says the caption too
	Columns []column
	Rows    []row
}

// A column is the head of one.
type column struct {
	Title string
	Words bool // aligned as text
}

// A row of a table; its first cell is its head. A row of Kind "divider" has one
// cell.
type row struct {
	Kind  string // "", "reference", "divider" or "failed"
	Cells []cell
}

// A cell of a table.
type cell struct {
	Text string
	Sub  string // said in small type after the text
	Kind string // "", "best", "bad" or "tie"
	Note string // that says Kind in words
	Bar  string // length of a bar under it, from 0 to 1
	Span int
	// Words says that it is aligned as text; see [table.drop].
	Words bool
}

// columns returns the columns with the titles, the first of which is of words.
func columnsOf(titles ...string) []column {
	all := make([]column, len(titles))
	for i, t := range titles {
		all[i] = column{Title: t, Words: i == 0}
	}
	return all
}

// cells returns cells of the texts.
func cells(texts ...string) []cell {
	all := make([]cell, len(texts))
	for i, t := range texts {
		all[i].Text = t
	}
	return all
}

// add adds a row of the texts.
func (t *table) add(texts ...string) { t.Rows = append(t.Rows, row{Cells: cells(texts...)}) }

// failed adds a row that says why there is no other.
func (t *table) failed(name, why string) {
	t.Rows = append(t.Rows, row{Kind: "failed", Cells: []cell{
		{Text: name}, {Text: "failed: " + why, Kind: "bad", Span: len(t.Columns) - 1},
	}})
}

// drop removes the columns, but the first, in which no row has a text, and tells
// each cell whether its column is of words.
func (t *table) drop() {
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

// whole reports whether the row's last cell spans all columns that are left.
func (r *row) whole() bool { return r.Kind == "divider" || r.Kind == "failed" }

// keep removes the cells of the columns that are not used.
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
