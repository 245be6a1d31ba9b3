// Package assure says what is known of Tendermint's rules, and how: it explores every state of small worlds, deletes each conjunct of each
// guard in turn, and forgets each durable Var in a crash. It is for the example of that name, and for whoever changes a rule. A
// simulated network of whole replicas is in the tests of package tendermint.
//
// # Limits
//
// One height, three correct validators of equal weight and a faulty one, at most two rounds and two values. What holds there is
// evidence, not a proof. The durable mark of the height needs several heights, and so the simulated networks. [Run] takes some minutes.
package assure
