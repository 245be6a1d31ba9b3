package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path/filepath"
)

func main() {
	if err := run(os.Args[1:], os.Getenv("GOFILE"), ".", os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "protogen:", err)
		os.Exit(1)
	}
}

// run is the command: in the folder of the package, with output to out.
func run(args []string, gofile, out string, stderr io.Writer) error {
	flags := flag.NewFlagSet("protogen", flag.ContinueOnError)
	flags.SetOutput(stderr)
	fn := flags.String("table", "Protocol", "the function that gives the table")
	if err := flags.Parse(args); err != nil {
		return err
	}
	files := flags.Args()
	if len(files) == 0 && gofile != "" {
		files = []string{gofile}
	}
	if len(files) == 0 {
		return errors.New("no file: call it by a go:generate line in the table's file, or name the file")
	}
	if !token.IsIdentifier(*fn) {
		return fmt.Errorf("-table %q is not a function's name", *fn)
	}
	temp, err := os.MkdirTemp("", "protogen")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temp)
	return program{table: *fn, temp: temp, out: out, stderr: stderr, replace: map[string]string{}}.run(files)
}

// program is the table's files as package main, with a main that generates. It lies in a temporary folder; the go command is told to see it below
// the package's own, so that imports mean the same.
type program struct {
	table, temp, out string
	stderr           io.Writer
	replace          map[string]string
}

// folder does not exist, but for the go command.
const folder = "protogen.tmp"

func (p program) run(files []string) error {
	name := ""
	for _, f := range files {
		pkg, err := p.add(f)
		switch {
		case err != nil:
			return err
		case name != "" && pkg != name:
			return fmt.Errorf("%s is of package %s, not %s", f, pkg, name)
		}
		name = pkg
	}
	out, err := filepath.Abs(p.out)
	if err != nil {
		return err
	}
	if err := p.put("protogen_main.go", fmt.Appendf(nil, mainText, p.table, name, out)); err != nil {
		return err
	}
	overlay, err := json.Marshal(map[string]any{"Replace": p.replace})
	if err != nil {
		return err
	}
	list := filepath.Join(p.temp, "overlay.json")
	if err := os.WriteFile(list, overlay, 0o600); err != nil {
		return err
	}
	cmd := exec.Command("go", "run", "-overlay", list, "./"+folder)
	cmd.Stdout, cmd.Stderr = p.stderr, p.stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("nothing was generated: %w", err)
	}
	return nil
}

// add makes a file one of package main, whose lines are still called what they are, and gives its package's name.
func (p program) add(file string) (pkg string, err error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	fset := token.NewFileSet()
	syntax, err := parser.ParseFile(fset, file, text, parser.PackageClauseOnly)
	if err != nil {
		return "", err
	}
	path, err := filepath.Abs(file)
	if err != nil {
		return "", err
	}
	at := fset.Position(syntax.Name.Pos()).Offset
	moved := fmt.Appendf(nil, "//line %s:1\n%smain%s", path, text[:at], text[at+len(syntax.Name.Name):])
	return syntax.Name.Name, p.put(filepath.Base(file), moved)
}

// put writes a file of the program.
func (p program) put(name string, text []byte) error {
	seen, err := filepath.Abs(filepath.Join(folder, name))
	if err != nil {
		return err
	}
	if _, ok := p.replace[seen]; ok {
		return fmt.Errorf("two files %s", name)
	}
	p.replace[seen] = filepath.Join(p.temp, name)
	return os.WriteFile(p.replace[seen], text, 0o600)
}

const mainText = `package main

import (
	protogenfmt "fmt"
	protogenos "os"

	protogengen "github.com/synodkit/synod/p2p/protogen/gen"
)

func main() {
	files, err := protogengen.Files(%[1]s(), protogengen.Config{Package: %[2]q, Table: %[1]q})
	if err == nil {
		err = protogengen.Write(%[3]q, files)
	}
	if err != nil {
		protogenfmt.Fprintln(protogenos.Stderr, err)
		protogenos.Exit(1)
	}
}
`
