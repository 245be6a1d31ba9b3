package long

import "flag"

// on is registered when the test binary starts, before its flags are parsed.
var on = flag.Bool("long", false, "run the long form of checks that have one")

// On reports whether the long form was asked for. It is false while package
// variables are set up, since flags are parsed after that.
func On() bool { return *on }

// N is small in an ordinary run and big under -long.
func N(small, big int) int {
	if On() {
		return big
	}
	return small
}
