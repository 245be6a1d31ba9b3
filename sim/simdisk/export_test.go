package simdisk

// Planted gives cfg with one of the bugs that tests plant.
func Planted(cfg Config, bug string) Config {
	switch bug {
	case "acknowledged when written":
		cfg.bugs.ackWritten = true
	case "a hole":
		cfg.bugs.holes = true
	case "no checksum":
		cfg.bugs.unchecked = true
	}
	return cfg
}
