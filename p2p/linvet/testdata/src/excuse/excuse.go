package excuse

import "talk"

func excused(idle talk.Idle) error {
	_ = idle.Bye()
	_ = idle.Bye() //linvet:ok to see what happens
	//linvet:ok and again
	return idle.Bye()
}

func empty(idle talk.Idle) {
	//linvet:ok
	idle.Ask("a") // want `talk.Busy is dropped`
}

func needless(idle talk.Idle) error {
	return idle.Bye() //linvet:ok nothing is wrong here
}
