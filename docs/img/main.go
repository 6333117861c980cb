// Command img draws the first table of a report of compare hits as an SVG.
// It reads the report's JSON from standard input; see make picture.
package main

import (
	"fmt"
	"html"
	"log"
	"os"
	"slices"
	"strings"

	"github.com/cachepact/cachepact/compare/report"
)

const (
	left  = 130 // x of the bars
	wide  = 500 // length of the longest bar
	row   = 26  // height of a row
	above = 58  // height of the title
	style = `text{font:14px system-ui,sans-serif;fill:#24292f}.s{font-size:12px;fill:#59636e}.e{text-anchor:end}
.b{fill:#2f6fbf}.r{fill:#b3bac2}.w{stroke:#24292f;stroke-width:1.5}
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.s{fill:#9198a1}.b{fill:#5b9df0}.r{fill:#565d66}.w{stroke:#e6edf3}}`
)

type bar struct {
	name, class      string
	ratio, low, high float64
}

func main() {
	log.SetFlags(0)
	r, err := report.ReadJSON(os.Stdin)
	if err != nil {
		log.Fatal(err)
	}
	if r.Hits == nil || len(r.Hits.Tables) == 0 || r.Workload == nil {
		log.Fatal("img: standard input: no table of hits; pass the JSON of cachepact compare hits")
	}
	fmt.Print(draw(r, r.Hits.Tables[0]))
}

func draw(r *report.Report, t report.Table) string {
	var bars []bar
	for _, c := range t.Rows {
		if c.Ranked {
			bars = append(bars, bar{c.Name, "b", c.HitRatio, c.Low, c.High})
		}
	}
	for _, p := range t.References {
		bars = append(bars, bar{p.Name, "r", p.HitRatio, p.HitRatio, p.HitRatio})
	}
	slices.SortStableFunc(bars, func(a, b bar) int { return int(b.ratio*1e6) - int(a.ratio*1e6) })

	title := fmt.Sprintf("Hit ratio on %s at a capacity of %d entries (%.0f %% of the keys)", r.Workload.Name, t.Capacity, t.Share*100)
	note := fmt.Sprintf("%d requests. Blue: libraries, median and range of %d runs. Grey: exact policies; OPT knows the future.",
		r.Workload.Requests, r.Hits.Runs)
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 720 %d" role="img" aria-label="%s"><style>%s</style>`+"\n",
		above+row*len(bars), html.EscapeString(title), style)
	fmt.Fprintf(&b, `<text y="18">%s</text><text class="s" y="38">%s</text>`+"\n", html.EscapeString(title), html.EscapeString(note))
	for i, v := range bars {
		x := func(ratio float64) float64 { return left + wide*ratio/bars[0].ratio }
		y := above + row*i
		fmt.Fprintf(&b, `<text class="e" x="%d" y="%d">%s</text>`, left-8, y+14, html.EscapeString(v.name))
		fmt.Fprintf(&b, `<rect class="%s" x="%d" y="%d" width="%.1f" height="%d"/>`, v.class, left, y, x(v.ratio)-left, row-8)
		if v.low < v.high {
			fmt.Fprintf(&b, `<path class="w" d="M%.1f %dH%.1f"/>`, x(v.low), y+row/2-4, x(v.high))
		}
		fmt.Fprintf(&b, `<text x="%.1f" y="%d">%.1f %%</text>`+"\n", x(v.high)+8, y+14, v.ratio*100)
	}
	return b.String() + "</svg>\n"
}
