package tidy

// Rules are all the rules of the house, cheapest to explain first.
func Rules() []Rule {
	return []Rule{
		floorRule(), thirdPartyRule(), simRule(), helperRule(), gomodRule(),
		goRule(), worldRule(), sleepRule(), contextRule(), protocolRule(), processRule(), globalRule(),
		fileRule(), functionRule(), exportsRule(), interfaceRule(), formatRule(),
		docRule(), commentRule(), readmeRule(), architectureRule(), leaksRule(),
	}
}

// examplesFloor is the floor of the mains, where a process is owned: rules about
// time, exit and globals bind the floors below it.
const examplesFloor = 7

// belowExamples reports whether the file is library code.
func (p *Pass) belowExamples(f *File) bool {
	n, ok := p.Policy.Floor(f.Pkg.Dir)
	return !ok || n < examplesFloor
}
