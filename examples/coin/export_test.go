package coin

// Forgetful is the ledger with no signature known yet.
func (l Ledger) Forgetful() Ledger {
	l.known = newVerified(verifiedMax)
	return l
}
