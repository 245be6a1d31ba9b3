// Command rulevet reports guards of protocol rules (package consensus/rule) that tools could not look into, or that do
// more than look. It is for packages that hold rule tables; it does not replace exploration, which finds guards that
// are not total, and does not judge what a guard says.
//
//	go build -o .bin/rulevet ./consensus/rule/rulevet
//	go vet -vettool=.bin/rulevet ./...
//
// The program also takes packages itself: rulevet ./...
//
// # Rules
//
// A guard is the when of rule.Upon, rule.For or rule.On: a function literal, a function of the same package, or what
// such a function returns. A message ends with the name of its rule.
//
//   - given: Tx.Given stands elsewhere than as an operand of the && chain that a guard returns. There it could be deleted,
//     listed and told as what blocks; elsewhere it could not.
//   - unnamed: an operand of a returned chain is no Given. Only true and false may stand alone.
//   - name: the name of a conjunct is no constant, is empty, or occurs twice in its guard.
//   - effect: a guard, or a function of the same package that it calls, writes state, sends, starts a task, or assigns to
//     what is not its own. Guards are evaluated any number of times, or not at all.
//
// # Limits
//
// It sees calls whose function is known when the program is built, within one package. A function value, an interface's
// method and another package's function are taken to be without effect.
package main
