package sim

// Faults arms fail points: env.Fault(ctx, site) gives what arm gives. It is asked on the running task.
func Faults(arm func(site string) error) Option { return func(e *engine) { e.fault = arm } }

// Fail arms the fail point site: env.Fault gives err with the given probability, each time by a named choice of the task
// that asks, which a Chooser may make. Report.Faults has how often.
func Fail(site string, err error, probability float64) Option {
	return func(e *engine) { e.faults = append(e.faults, &fault{site: site, err: err, probability: probability}) }
}

// fault is a site armed by Fail.
type fault struct {
	site        string
	err         error
	probability float64
	fired       int
	quiet       bool // counts only
}

// armed is what site gives to the running task.
func (e *engine) armed(site string) error {
	for _, f := range e.faults {
		if f.site == site && !f.quiet && e.fires(f) {
			f.fired++
			return f.err
		}
	}
	if e.fault == nil {
		return nil
	}
	e.touch(hashOf(site)) // arm may keep count
	return e.fault(site)
}

func (e *engine) fires(f *fault) bool {
	k := -1
	if e.chooser != nil {
		k = e.chooser.Choose(e.cur, "fault "+f.site, 2)
	}
	if k < 0 {
		return e.chance().Float64() < f.probability
	}
	e.chosen = append(e.chosen, k)
	return k == 1
}

func (e *engine) fired() map[string]int {
	if len(e.faults) == 0 {
		return nil
	}
	n := map[string]int{}
	for _, f := range e.faults {
		n[f.site] += f.fired
	}
	return n
}
