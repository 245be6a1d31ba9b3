package p2p

// Fresh is the check that each step by a Turn begins with.
func (t Turn) Fresh() error { return t.fresh() }
