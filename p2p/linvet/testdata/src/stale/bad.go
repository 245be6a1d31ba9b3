package stale

import "talk"

func twice(idle talk.Idle) error {
	busy, err := idle.Ask("a")
	if err != nil {
		return err
	}
	if _, err := busy.Recv(); err != nil {
		return err
	}
	return idle.Bye() // want `the state talk.Idle was left in line 6: use the state that came of that \[stale\]`
}

func oneArm(idle talk.Idle, early bool) error {
	if early {
		if err := idle.Bye(); err != nil {
			return err
		}
	}
	return idle.Bye() // want `left in line 18.*stale`
}

func loop(idle talk.Idle) error {
	for i := 0; i < 3; i++ {
		busy, err := idle.Ask("a") // want `the state talk.Idle is used again by the next round of the loop.*stale`
		if err != nil {
			return err
		}
		if _, err := busy.Recv(); err != nil {
			return err
		}
	}
	return nil
}

func given(idle talk.Idle) error {
	if err := last(idle); err != nil {
		return err
	}
	return last(idle) // want `left in line 39.*stale`
}

func last(idle talk.Idle) error { return idle.Bye() }

func next(busy talk.Busy) error {
	m, err := busy.Recv()
	if err != nil {
		return err
	}
	if yes, ok := m.(*talk.BusyYes); ok {
		if err := yes.Next.Bye(); err != nil {
			return err
		}
		return yes.Next.Bye() // want `the state talk.Idle was left in line 53.*stale`
	}
	return nil
}

func returned(idle talk.Idle) (talk.Idle, error) {
	if err := idle.Bye(); err != nil {
		return idle, err
	}
	return idle, nil // want `left in line 62.*stale`
}

func later(idle talk.Idle) error {
	defer idle.Bye()
	return idle.Bye() // want `left in line 69.*stale`
}

func literal() func(talk.Idle) {
	return func(idle talk.Idle) {
		_ = idle.Bye()
		_ = idle.Bye() // want `left in line 75.*stale`
	}
}

func received(late talk.Late) error {
	_, idle, err := late.Recv()
	if err != nil {
		return err
	}
	_, again, err := late.Recv() // want `the state talk.Late was left in line 81.*stale`
	if err != nil {
		return idle.Bye()
	}
	return again.Bye()
}

func deferred(idle talk.Idle, s *talk.Session) (talk.Idle, error) {
	defer s.Close()
	if err := idle.Bye(); err != nil {
		return idle, err
	}
	return idle, nil // want `left in line 94.*stale`
}
