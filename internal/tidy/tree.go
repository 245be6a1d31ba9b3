package tidy

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// Tree is the module as text: every Go file parsed, and the prose.
type Tree struct {
	Module   string            // module path, from go.mod
	Packages []*Package        // by directory, sorted
	Prose    map[string]string // go.mod and the Markdown files at the root and in docs, by path
	Fset     *token.FileSet    // positions of every file; names are relative to the root
	byDir    map[string]*Package
}

// Package is the Go files of one directory, an external test package included.
type Package struct {
	Dir   string // relative to the module root, with slashes
	Name  string // of the package, without a _test suffix
	Files []*File
}

// File is one parsed Go file.
type File struct {
	Path      string // relative to the module root
	Pkg       *Package
	Test      bool // its name ends in _test.go
	Generated bool // it carries the standard "Code generated ... DO NOT EDIT." line
	Src       []byte
	AST       *ast.File
	imports   map[string]string // local name -> import path
}

// Read parses the module whose root is fsys. Files are parsed whatever their
// build constraints say. Directories that the go command ignores, testdata and
// nested modules are left out.
func Read(fsys fs.FS) (*Tree, error) {
	t := &Tree{Prose: map[string]string{}, Fset: token.NewFileSet(), byDir: map[string]*Package{}}
	err := fs.WalkDir(fsys, ".", func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir():
			return enter(fsys, p, d.Name())
		case strings.HasSuffix(p, ".go"):
			return t.addFile(fsys, p)
		case p == "go.mod" || strings.HasSuffix(p, ".md") && (path.Dir(p) == "." || path.Dir(p) == "docs"):
			src, err := fs.ReadFile(fsys, p)
			t.Prose[p] = string(src)
			return err
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("tidy: %w", err)
	}
	for line := range strings.Lines(t.Prose["go.mod"]) {
		if f := strings.Fields(line); len(f) == 2 && f[0] == "module" {
			t.Module = f[1]
		}
	}
	slices.SortFunc(t.Packages, func(a, b *Package) int { return strings.Compare(a.Dir, b.Dir) })
	return t, nil
}

// enter decides whether the walk goes into a directory.
func enter(fsys fs.FS, p, name string) error {
	if p == "." {
		return nil
	}
	if name == "testdata" || name[0] == '.' || name[0] == '_' {
		return fs.SkipDir
	}
	if _, err := fs.Stat(fsys, path.Join(p, "go.mod")); err == nil {
		return fs.SkipDir
	}
	return nil
}

func (t *Tree) addFile(fsys fs.FS, p string) error {
	src, err := fs.ReadFile(fsys, p)
	if err != nil {
		return err
	}
	syntax, err := parser.ParseFile(t.Fset, p, src, parser.ParseComments)
	if err != nil {
		return err
	}
	pkg := t.byDir[path.Dir(p)]
	if pkg == nil {
		pkg = &Package{Dir: path.Dir(p), Name: strings.TrimSuffix(syntax.Name.Name, "_test")}
		t.byDir[pkg.Dir] = pkg
		t.Packages = append(t.Packages, pkg)
	}
	f := &File{
		Path: p, Pkg: pkg, Src: src, AST: syntax,
		Test:      strings.HasSuffix(p, "_test.go"),
		Generated: ast.IsGenerated(syntax),
		imports:   map[string]string{},
	}
	for _, spec := range syntax.Imports {
		f.imports[localName(spec)] = importPath(spec)
	}
	pkg.Files = append(pkg.Files, f)
	return nil
}

// Production is the package's files that are no tests.
func (p *Package) Production() []*File {
	return slices.DeleteFunc(slices.Clone(p.Files), func(f *File) bool { return f.Test })
}

// IsTestHelper reports whether the package exists for tests: registrytest,
// p2ptest, storetest.
func (p *Package) IsTestHelper() bool { return isTestHelper(p.Dir) }

func isTestHelper(dir string) bool { return strings.HasSuffix(path.Base(dir), "test") }

// Selected is the import path and name when n is a use of another package's
// identifier, such as time.Now, under whatever local name it was imported.
func (f *File) Selected(n ast.Node) (pkg, name string) {
	sel, ok := n.(*ast.SelectorExpr)
	if !ok {
		return "", ""
	}
	id, ok := sel.X.(*ast.Ident)
	if !ok || id.Obj != nil { // a local variable that shadows the package
		return "", ""
	}
	return f.imports[id.Name], sel.Sel.Name
}

func importPath(spec *ast.ImportSpec) string { return strings.Trim(spec.Path.Value, "\"`") }

// localName is the name a file knows an import by: the given one, or by custom
// the last element of the path that is no major version.
func localName(spec *ast.ImportSpec) string {
	if spec.Name != nil {
		return spec.Name.Name
	}
	dir, last := path.Split(importPath(spec))
	if dir != "" && len(last) > 1 && last[0] == 'v' && strings.Trim(last[1:], "0123456789") == "" {
		last = path.Base(dir)
	}
	return last
}
