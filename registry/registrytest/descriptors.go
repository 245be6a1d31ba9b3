package registrytest

import (
	"bufio"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

const openDir = "/proc/self/fd"

// descriptors are the process's open sockets and files, by descriptor and what it is. Where the system does not list
// them there are none.
func descriptors() map[string]bool {
	open := map[string]bool{}
	entries, err := os.ReadDir(openDir)
	if err != nil {
		return open
	}
	for _, e := range entries {
		to, err := os.Readlink(filepath.Join(openDir, e.Name()))
		if err == nil && counts(to) {
			open[e.Name()+" "+to] = true
		}
	}
	return open
}

// counts leaves out what the runtime keeps for itself: its poller, pipes and files of the system.
func counts(to string) bool {
	if strings.HasPrefix(to, "socket:[") {
		return true
	}
	for _, system := range []string{"/proc/", "/sys/", "/dev/"} {
		if strings.HasPrefix(to, system) {
			return false
		}
	}
	return filepath.IsAbs(to)
}

// leftOpen names the descriptors that count and were not there before.
func leftOpen(before map[string]bool, ignore []string) (left []string) {
	for d := range descriptors() {
		if before[d] {
			continue
		}
		fd, to, _ := strings.Cut(d, " ")
		what := "file " + to
		if inode, ok := strings.CutPrefix(to, "socket:["); ok {
			what = socket(strings.TrimSuffix(inode, "]"))
		}
		if what += ", descriptor " + fd; !ignored(what, ignore) {
			left = append(left, what)
		}
	}
	return left
}

const (
	inodeField = 9    // of a line of /proc/net/tcp; its address is the second
	listening  = "0A" // the fourth
)

// socket names the socket with this inode.
func socket(inode string) string {
	for _, net := range []string{"tcp", "tcp6", "udp", "udp6"} {
		fields := lineOf("/proc/net/"+net, inode)
		if fields == nil {
			continue
		}
		_, hex, _ := strings.Cut(fields[1], ":")
		port, _ := strconv.ParseUint(hex, 16, 16)
		what := "connection"
		if fields[3] == listening {
			what = "listener"
		} else if strings.HasPrefix(net, "udp") {
			what = "socket"
		}
		return net + " " + what + " on port " + strconv.FormatUint(port, 10)
	}
	return "socket " + inode
}

// lineOf is the line of a table of the system's that has this inode, in fields, or nil.
func lineOf(table, inode string) []string {
	f, err := os.Open(table)
	if err != nil {
		return nil
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) > inodeField && fields[inodeField] == inode {
			return fields
		}
	}
	return nil
}
