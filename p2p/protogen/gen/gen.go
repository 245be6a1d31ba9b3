package gen

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/synodkit/synod/p2p/table"
)

// The files that Files makes.
const (
	CodeFile = "protocol_gen.go"
	PageFile = "PROTOCOL.md"
)

// ErrOutdated is what Check's errors wrap.
var ErrOutdated = errors.New("gen: outdated: run go generate")

// Config says for whom to generate.
type Config struct {
	Package string // the name of the package that has the table and the messages; types of other packages are imported
	Table   string // the function that gives the table, default "Protocol"
}

// File is one generated file.
type File struct {
	Name string
	Data []byte
}

// Files validates the table and makes the code and the page. The error names what in the table is at fault.
func Files(p *table.Protocol, cfg Config) ([]File, error) {
	if cfg.Table == "" {
		cfg.Table = "Protocol"
	}
	m, err := newModel(p, cfg)
	if err != nil {
		return nil, err
	}
	code, err := m.code()
	if err != nil {
		return nil, fmt.Errorf("gen: %s: %w", p.Name, err)
	}
	return []File{{CodeFile, code}, {PageFile, m.page()}}, nil
}

// Write puts the files into a folder.
func Write(dir string, files []File) error {
	for _, f := range files {
		if err := os.WriteFile(filepath.Join(dir, f.Name), f.Data, 0o644); err != nil {
			return fmt.Errorf("gen: %w", err)
		}
	}
	return nil
}

// Check is nil if the folder holds just these files, as they are: what a package with generated code tests. The error names the first line that differs.
func Check(dir string, files []File) error {
	for _, f := range files {
		have, err := os.ReadFile(filepath.Join(dir, f.Name))
		if err != nil {
			return fmt.Errorf("%w: %w", ErrOutdated, err)
		}
		if !bytes.Equal(have, f.Data) {
			return fmt.Errorf("%w: %s, line %d", ErrOutdated, f.Name, firstDifference(have, f.Data))
		}
	}
	return nil
}

// firstDifference is the number of the first line that differs.
func firstDifference(a, b []byte) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return bytes.Count(a[:n], []byte("\n")) + 1
}
