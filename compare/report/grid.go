package report

// A table is figures on the page.
type table struct {
	ID      string
	Caption string
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
	Bar  string // CSS width of a bar behind it
	Span int
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

// drop removes the columns, but the first, in which no row has a text.
func (t *table) drop() {
	used := make([]bool, len(t.Columns))
	for _, r := range t.Rows {
		if r.Kind == "" || r.Kind == "reference" {
			at := 0
			for _, c := range r.Cells {
				span := max(1, c.Span)
				for range span {
					used[at] = used[at] || c.Text != ""
					at++
				}
			}
		}
	}
	used[0] = true
	t.keep(used)
}

func (t *table) keep(used []bool) {
	n := 0
	var kept []column
	for i, c := range t.Columns {
		if used[i] {
			kept = append(kept, c)
			n++
		}
	}
	for i := range t.Rows {
		r := &t.Rows[i]
		if r.Kind != "" && r.Kind != "reference" {
			if last := len(r.Cells) - 1; r.Cells[last].Span > 0 {
				r.Cells[last].Span -= len(t.Columns) - n
			}
			continue
		}
		var cells []cell
		at := 0
		for _, c := range r.Cells {
			span := max(1, c.Span)
			left := 0
			for range span {
				if used[at] {
					left++
				}
				at++
			}
			if left > 0 {
				if c.Span > 0 {
					c.Span = left
				}
				cells = append(cells, c)
			}
		}
		r.Cells = cells
	}
	t.Columns = kept
}
