package gen

import (
	"fmt"
	"go/token"
	"path"
	"reflect"
	"slices"
	"strings"

	"github.com/synodkit/synod/p2p/table"
)

// model is a table that generates: valid, and with names that Go accepts.
type model struct {
	*table.Protocol
	cfg     Config
	imports []string // of message types in other packages
}

func newModel(p *table.Protocol, cfg Config) (*model, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	m := &model{Protocol: p, cfg: cfg}
	if err := m.checkNames(); err != nil {
		return nil, fmt.Errorf("gen: %s: %w", p.Name, err)
	}
	return m, nil
}

// checkNames: the names become Go's, and none may come twice.
func (m *model) checkNames() error {
	if !token.IsIdentifier(m.cfg.Package) {
		return fmt.Errorf("Config.Package %q is not a package's name", m.cfg.Package)
	}
	taken := map[string]string{m.cfg.Table: "the table's function", "NewInitiator": "the initiator's start", "NewResponder": "the responder's start"}
	take := func(name, what string) error {
		if other, ok := taken[name]; ok && other != what {
			return fmt.Errorf("%s and %s would both be called %s", other, what, name)
		}
		taken[name] = what
		return nil
	}
	for i := range m.Messages {
		spec := &m.Messages[i]
		t := reflect.TypeOf(spec.New())
		if t.Kind() != reflect.Pointer || t.Elem().Name() == "" || t.Elem().Kind() != reflect.Struct {
			return fmt.Errorf("message %s: New gives a %v, not a pointer to a named struct", spec.Name, t)
		}
		if !exported(spec.Name) {
			return fmt.Errorf("message %q: the name does not begin with a capital, or is not an identifier", spec.Name)
		}
		if m.local(t.Elem()) {
			if err := take(t.Elem().Name(), "message "+spec.Name); err != nil {
				return err
			}
		} else if imp := t.Elem().PkgPath(); !slices.Contains(m.imports, imp) {
			m.imports = append(m.imports, imp)
		}
	}
	for _, role := range roles() {
		for i := range m.States {
			if err := m.takeState(role, &m.States[i], take); err != nil {
				return err
			}
		}
	}
	return nil
}

func (m *model) takeState(role table.Agency, s *table.State, take func(name, what string) error) error {
	if !exported(string(s.Name)) {
		return fmt.Errorf("state %q: the name does not begin with a capital, or is not an identifier", s.Name)
	}
	if s.Agency == table.Nobody {
		return nil
	}
	if err := take(stateType(role, s.Name), "state "+string(s.Name)); err != nil {
		return err
	}
	if !m.chooses(role, s) {
		return nil
	}
	if err := take(stateType(role, s.Name)+"Msg", "what comes in "+string(s.Name)); err != nil {
		return err
	}
	for _, spec := range m.sent(s.Name) {
		if err := take(armType(role, s.Name, spec), spec.Name+" in "+string(s.Name)); err != nil {
			return err
		}
	}
	return nil
}

func exported(name string) bool { return token.IsIdentifier(name) && token.IsExported(name) }

func roles() []table.Agency { return []table.Agency{table.Initiator, table.Responder} }

// local says whether a type is of the package that is generated for. The command compiles the table's file as package main.
func (m *model) local(t reflect.Type) bool {
	return t.PkgPath() == "main" || path.Base(t.PkgPath()) == m.cfg.Package
}

// goType is a message's type without the star.
func (m *model) goType(spec *table.MessageSpec) string {
	t := reflect.TypeOf(spec.New()).Elem()
	if m.local(t) {
		return t.Name()
	}
	return t.String()
}

// bare says whether a message has no fields, so that there is nothing to give or to look at.
func bare(spec *table.MessageSpec) bool {
	t := reflect.TypeOf(spec.New()).Elem()
	return t.NumField() == 0 || t.NumField() == 1 && t.Field(0).Type == reflect.TypeFor[table.Empty]()
}

// sent lists the messages of a state, in the table's order.
func (m *model) sent(from table.StateID) (specs []*table.MessageSpec) {
	for i := range m.Messages {
		if slices.Contains(m.Messages[i].From, from) {
			specs = append(specs, &m.Messages[i])
		}
	}
	return specs
}

// chooses says whether a role receives one of several messages in a state.
func (m *model) chooses(role table.Agency, s *table.State) bool {
	return s.Agency != table.Nobody && s.Agency != role && len(m.sent(s.Name)) > 1
}

func (m *model) final(id table.StateID) bool { return m.State(id).Agency == table.Nobody }

// roleName is Initiator or Responder.
func roleName(role table.Agency) string {
	s := role.String()
	return strings.ToUpper(s[:1]) + s[1:]
}

func stateType(role table.Agency, id table.StateID) string { return roleName(role) + string(id) }

func armType(role table.Agency, id table.StateID, spec *table.MessageSpec) string {
	return stateType(role, id) + spec.Name
}

// names joins the names of messages for a sentence.
func names(specs []*table.MessageSpec) string {
	var all []string
	for _, s := range specs {
		all = append(all, s.Name)
	}
	if len(all) == 1 {
		return all[0]
	}
	return strings.Join(all[:len(all)-1], ", ") + " or " + all[len(all)-1]
}
