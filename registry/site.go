package registry

import (
	"fmt"
	"path"
	"runtime"
)

// callerPC is the place of a call, skip frames above the caller of callerPC. It is resolved when somebody asks.
func callerPC(skip int) uintptr {
	var pcs [1]uintptr
	runtime.Callers(skip+2, pcs[:])
	return pcs[0]
}

func callerSite(skip int) string { return pcSite(callerPC(skip + 1)) }

// pcSite is the place of a call.
func pcSite(pc uintptr) string {
	if pc == 0 {
		return "unknown place"
	}
	f, _ := runtime.CallersFrames([]uintptr{pc}).Next()
	return fmt.Sprintf("%s:%d in %s", path.Base(f.File), f.Line, path.Base(f.Function))
}

// codeSite is the place of a function: for a closure that of its first line, which is where the task was started or
// close to it, at no cost when it starts.
func codeSite(code uintptr) string {
	f := runtime.FuncForPC(code)
	if f == nil {
		return "unknown place"
	}
	file, line := f.FileLine(code)
	return fmt.Sprintf("%s:%d in %s", path.Base(file), line, path.Base(f.Name()))
}
