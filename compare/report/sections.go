package report

// sections returns the parts of the page between the findings and the
// environment, as far as they were measured.
func (r *Report) sections() []section {
	var all []section
	for _, s := range []section{
		r.hitSection(), r.curveSection(), r.timeSection(), r.ratioSection(), r.speedSection(), r.latencySection(),
		r.memorySection(), r.gcSection(), r.ttlSection(), r.paretoSection(),
	} {
		if len(s.Blocks) > 0 {
			all = append(all, s)
		}
	}
	return all
}
