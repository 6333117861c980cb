package compare

import (
	"runtime"
	"runtime/debug"

	"github.com/cachepact/cachepact/compare/report"
)

func thisMachine() report.Machine {
	m := report.Machine{Go: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH, CPUs: runtime.GOMAXPROCS(0)}
	if info, ok := debug.ReadBuildInfo(); ok {
		m.Module = moduleVersion(info)
	}
	return m
}

// moduleVersion returns the version of this module, which may be linked into
// another's program.
func moduleVersion(info *debug.BuildInfo) string {
	const module = "github.com/cachepact/cachepact"
	for _, m := range append(info.Deps, &info.Main) {
		if m.Path == module {
			return m.Version
		}
	}
	return ""
}
