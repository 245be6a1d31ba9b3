// Command protogen makes a protocol's typed sessions and its page from the table in a Go file. It is for whoever writes a protocol; who speaks
// one needs the generated files alone.
//
//	//go:generate go run github.com/synodkit/synod/p2p/protogen
//
// in the file that has the function Protocol() *table.Protocol makes protocol_gen.go and PROTOCOL.md beside it. Package gen, below this one,
// says what is in them. A table that table.Protocol.Validate refuses makes nothing, and the messages say what is wrong with it.
//
// # Flags
//
//	-table F  the function that gives the table, if it is not Protocol
//
// Arguments are the files to read. The default is the file with the go:generate line.
//
// # Limits
//
// The file with the table and the messages must compile without the rest of its package, since the rest needs what is not generated yet: it
// is compiled, alone or with the other files named, as a program of its own that runs the generator on the table. So a table may be
// any Go code.
//
// # Testing
//
// A package tests that what it has is what its table gives:
//
//	files, err := gen.Files(Protocol(), gen.Config{Package: "keepalive"})
//	require.NoError(t, errors.Join(err, gen.Check(".", files)))
package main
