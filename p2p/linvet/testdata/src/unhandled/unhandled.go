package unhandled

import "talk"

func one(m talk.BusyMsg) {
	switch m.(type) { // want `\*talk.BusyEnd, \*talk.BusyWait can come here too: add a case, or a default \[unhandled\]`
	case *talk.BusyYes:
	}
}

func named(m talk.BusyMsg) string {
	switch m := m.(type) { // want `\*talk.BusyWait can come here too`
	case *talk.BusyYes:
		return m.Text
	case *talk.BusyEnd, nil:
	}
	return ""
}

func all(m talk.BusyMsg) {
	switch m.(type) {
	case *talk.BusyYes, *talk.BusyWait:
	case *talk.BusyEnd:
	}
}

func rest(m talk.BusyMsg) {
	switch m.(type) {
	case *talk.BusyYes:
	default:
	}
}

func other(m any) {
	switch m.(type) {
	case *talk.BusyYes:
	}
}
