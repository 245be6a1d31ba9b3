// Command linvet reports where a session's state value is used after the session has left it, where one is thrown away, and where an answer that can
// come is not thought of. It is for code that speaks protocols by what p2p/protogen generates; it knows nothing of bare sessions, and does
// not replace the check at run time (p2p.ErrStale), which misses nothing.
//
//	go build -o .bin/linvet ./p2p/linvet
//	go vet -vettool=.bin/linvet ./...
//
// The program also takes packages itself: linvet ./...
//
// # Rules
//
// It goes by marks on types, wherever they are declared: //p2p:linear on a state, //p2p:answers on the interface of what can come. A message
// ends with the name of its rule.
//
//   - stale: a state that has been sent from, received from or given away is used again on some way through the function, or by
//     the next round of a loop. So is the Next of an answer.
//   - dropped: a state that a call gives is used nowhere: the peer waits for a message that never comes. Ending the session by the
//     protocol's last message, or going on, uses it.
//   - unhandled: a type switch over the answers has neither a case for each nor a default.
//   - excuse: an excuse without a reason, or with nothing to excuse.
//
// # Excuses
//
//	_, _ = idle.Bye() //linvet:ok shows what a stale state does
//
// excuses its line; alone on a line, the next one.
//
// # Limits
//
// It looks at one function at a time and prefers to miss something over reporting what is right. It does not see a state that a closure captures, that
// lies in a field (but an answer's Next) or behind a pointer; one that is stale on only one of the ways that meet before it is used; nor that a
// state is dropped on some ways alone. A state handed back beside an error is not a use.
package main
