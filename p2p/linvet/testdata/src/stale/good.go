package stale

import (
	"errors"

	"talk"
)

func renewed(idle talk.Idle) error {
	for {
		busy, err := idle.Ask("a")
		if err != nil {
			return err
		}
		m, err := busy.Recv()
		if err != nil {
			return err
		}
		switch m := m.(type) {
		case *talk.BusyYes:
			idle = m.Next
		case *talk.BusyWait:
			if _, idle, err = m.Next.Recv(); err != nil {
				return err
			}
		case *talk.BusyEnd:
			return nil
		}
	}
}

func either(idle talk.Idle, early bool) error {
	if early {
		return idle.Bye()
	}
	busy, err := idle.Ask("a")
	if err != nil {
		return err
	}
	_, err = busy.Recv()
	return err
}

// beside an error a state is worth nothing, and everybody knows.
func handedBack(idle talk.Idle) (talk.Idle, error) {
	busy, err := idle.Ask("a")
	if err != nil {
		return idle, err
	}
	m, err := busy.Recv()
	if err != nil {
		return idle, err
	}
	yes, ok := m.(*talk.BusyYes)
	if !ok {
		return idle, errors.New("no")
	}
	return yes.Next, nil
}

func fresh() error {
	for range 3 {
		idle, s := talk.New()
		if err := idle.Bye(); err != nil {
			return errors.Join(err, s.Close())
		}
	}
	return nil
}

func unmarked(free talk.Free) error {
	_, err := free.Ask()
	_, err2 := free.Ask()
	return errors.Join(err, err2)
}

// shared is left to the check at run time.
func shared(idle talk.Idle) error {
	f := func() error { return idle.Bye() }
	return errors.Join(f(), f())
}

// deferring stores its results before it returns.
func deferring(idle talk.Idle, s *talk.Session) (talk.Idle, error) {
	defer s.Close()
	busy, err := idle.Ask("a")
	if err != nil {
		return idle, err
	}
	m, err := busy.Recv()
	if yes, ok := m.(*talk.BusyYes); ok {
		return yes.Next, nil
	}
	return idle, err
}

func named(idle talk.Idle, s *talk.Session) (next talk.Idle, err error) {
	defer func() { _ = s.Close() }()
	if err := idle.Bye(); err != nil {
		return idle, err
	}
	return next, nil
}
