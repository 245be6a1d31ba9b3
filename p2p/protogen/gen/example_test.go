package gen_test

import (
	"fmt"

	"github.com/synodkit/synod/p2p/keepalive"
	"github.com/synodkit/synod/p2p/protogen/gen"
)

// The picture of a protocol, as the generated page has it.
func ExampleMermaid() {
	fmt.Print(gen.Mermaid(keepalive.Protocol()))
	// Output:
	// stateDiagram-v2
	//     [*] --> Idle
	//     Idle: Idle (initiator)
	//     Pinged: Pinged (responder)
	//     Idle --> Pinged: Ping
	//     Pinged --> Idle: Pong
	//     Idle --> Done: Done
	//     Done --> [*]
}

// The grammar of what is in the frames.
func ExampleCDDL() {
	fmt.Print(gen.CDDL(keepalive.Protocol()))
	// Output:
	// Ping = [ Cookie: uint .size 2 ] ; tag 0
	// Pong = [ Cookie: uint .size 2 ] ; tag 1
	// ; tag 2: Done, no body
}

// A table that is wrong makes nothing; the error says what is wrong with it.
func ExampleFiles() {
	p := keepalive.Protocol()
	p.Messages = p.Messages[:2]
	_, err := gen.Files(p, gen.Config{Package: "keepalive"})
	fmt.Println(err)
	// Output:
	// table: broken protocol keepalive: 3 faults
	// 	state "Done" cannot be reached from "Idle"
	// 	state "Idle" cannot end: no messages lead from it to a final state
	// 	state "Pinged" cannot end: no messages lead from it to a final state
}
