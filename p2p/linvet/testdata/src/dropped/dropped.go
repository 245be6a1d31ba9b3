package dropped

import "talk"

func blank(idle talk.Idle) error {
	_, err := idle.Ask("a") // want `the state talk.Busy is dropped: the peer waits for a message that never comes \[dropped\]`
	return err
}

func statement(idle talk.Idle) {
	idle.Ask("a") // want `talk.Busy is dropped`
}

func underscore(late talk.Late) (string, error) {
	text, idle, err := late.Recv() // want `talk.Idle is dropped`
	_ = idle
	return text, err
}

func never(s *talk.Session) error {
	_, s = talk.New() // want `talk.Idle is dropped`
	return s.Close()
}

func single() {
	make1() // want `talk.Idle is dropped`
}

func make1() talk.Idle {
	idle, _ := talk.New()
	return idle
}

func passedOn(late talk.Late) (string, talk.Idle, error) { return late.Recv() }

func used() error { return make1().Bye() }

type client struct{ idle talk.Idle }

func kept(c *client, late talk.Late) (err error) {
	_, c.idle, err = late.Recv()
	return err
}
