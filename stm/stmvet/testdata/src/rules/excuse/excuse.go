package excuse

import (
	"fmt"

	"kit/stm"
)

func body(tx *stm.Tx, v *stm.Var[int]) {
	fmt.Println("a") //stmvet:ok shown once a run on purpose
	//stmvet:ok the next line prints
	fmt.Println("b")
	fmt.Println("c") // want `fmt.Println`
	fmt.Println("d") /* want `fmt.Println` `//stmvet:ok without a reason: say why it may stay \[excuse\]` */ //stmvet:ok
	v.Set(tx, 1)     /* want `//stmvet:ok excuses nothing: remove it \[excuse\]` */                          //stmvet:ok nothing here
	//stmvet:okay is none
	fmt.Println("e") // want `fmt.Println`
	log()
	quiet()
	loud() // want `loud in a transaction comes to fmt.Println`
}

func log() {
	fmt.Println("f") //stmvet:ok helpers are excused where the effect is
}

func quiet() { log() }

func loud() {
	fmt.Println("g")
	fmt.Println("h") //stmvet:ok not the first
}

func unreached() {
	fmt.Println("i") /* want `excuses nothing` */ //stmvet:ok no body comes here
}
