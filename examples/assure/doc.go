// Command assure says what is known of a consensus family's rules, and how it is known: states explored, each conjunct of each guard deleted
// in turn, each durable variable forgotten in a crash.
//
//	go run ./examples/assure --family tendermint
//	go run ./examples/assure --family tendermint --drop "L36 polka/2f+1 PREVOTE(h,r,v)"
//
// It exits with 0 if everything is as it must be, and with 1 if not, saying what is wrong. With --drop it deletes one conjunct, and exits
// with 1 naming it and the violation that follows, or with 0 if nothing does. A whole run takes some minutes on one core.
//
// It shows package consensus/rule/explore at work. How replicas do in a network with crashes, partitions and twins is in the tests of
// the families.
package main
