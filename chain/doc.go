// Package chain is the vocabulary of a chain of blocks: slots, points, tips, headers, blocks, fragments and the genesis, with
// one canonical encoding. It knows neither how blocks are chosen nor what they mean: a header's proof and a block's body are
// opaque bytes. Do not put the rules of a consensus or of a ledger here.
//
// # Concepts
//
// A [Point] (slot and hash) is a block's identity, a [Tip] adds its block number. A chain starts at the genesis point
// {0, hash of the genesis}, never at nothing: the genesis tip has block number 0, the first block has number 1, a slot of at
// least 1 and the genesis hash as its predecessor.
//
// A [Header] is immutable and keeps the bytes it was received as; its hash is taken over those. [Fields] are what its proof
// speaks about ([Fields.Content] is what a proof signs). A [Block] adds the body, checked against the header's hash and size.
//
// A [Fragment] is an immutable, anchored run of headers: a value to hold in a Var. [Step] is one instruction to a follower of
// a chain. [Genesis] holds what all nodes of a network must agree on before they start; what a ledger starts from is in it as opaque
// bytes, so that the genesis hash names that too.
//
// # Encoding
//
// Everything is encoded in CBOR by RFC 8949 section 4.2.1, core deterministic: shortest integers, definite lengths, sorted
// keys. What is decoded was canonical, so one value has one encoding and one hash: anything else is refused with
// [ErrEncoding], sizes over a limit with [ErrTooLong].
//
//	header = [content, proof: bytes]
//	content = [slot: uint, blockNo: uint, prev: bytes .size 32, bodyHash: bytes .size 32, bodySize: uint .size 4]
//	block = [header, body: bytes]
//	point = [slot: uint, hash: bytes .size 32]
//	tip = [point, blockNo: uint]
//	genesis = [network: text, startMilli: uint, slotMilli: uint, keys: [* bytes .size 32], nonce: bytes, ledger: bytes]
//
// [Marshal] and [Unmarshal] give other packages the same strictness for their own types.
//
// # Concurrency
//
// All values may be shared by any number of goroutines, as long as nobody writes to the byte slices that [Header.Bytes],
// [Header.Proof] and Block.Body show. Appending to one Fragment from several goroutines is safe: each gets its own result.
//
// # Errors
//
// [ErrEncoding] (malformed or not canonical), [ErrTooLong] (over a limit), [ErrBody] (the body is not the header's),
// [ErrNotNext] (the header does not follow the fragment's tip), [ErrGenesis] (with the field, as a [GenesisError]).
// No input panics. [NewHeader] panics when a header made by its caller would exceed [HeaderBytesMax].
//
// # Limits
//
// [HeaderBytesMax] and [BodyBytesMax] bound what is decoded; callers may set lower ones. A genesis holds at most
// 1,024 keys, 64 bytes of network name, 64 bytes of nonce and [LedgerBytesMax] of the ledger's. A Fragment holds up to about twice as many headers in memory as its
// length.
package chain
