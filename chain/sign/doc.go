// Package sign is the one way this module signs and verifies: ed25519 under ZIP 215 rules, over a message that names what is
// signed, in which version and on which chain. Do not use it for keys of transports, or to sign without a [Domain].
//
// # Concepts
//
// A [Domain] separates: a signature made for one kind, version or genesis is never valid for another, since all three are part
// of the signed message, each with its length. The message is
//
//	"synod/sign/1" | u16 len(kind) | kind | u16 version | genesis (32 bytes) | u64 len(content) | content
//
// with big-endian integers. The content should be a canonical encoding, for instance [chain.Fields.Content].
//
// [Domain.Verify] and [Batch] decide by the same rule (ZIP 215): the cofactored equation 8sB = 8R + 8kA, with A and R taken as
// points on the curve in any encoding, small-order ones included, and s below the group's order. Other implementations of
// ed25519 disagree with each other on such signatures; nodes that must agree cannot. Two consequences: a signature is no
// unique name for what it signs (whoever holds the key can make others), and a small-order key verifies signatures nobody made.
// Take keys from a place you trust, such as the genesis.
//
// # Concurrency
//
// Keys, domains and signatures are values. A [Batch] belongs to one goroutine.
//
// # Errors
//
// [ErrSignature] for every signature that is not valid, malformed lengths included; a [BatchError] tells which of a batch. [ErrKey] for
// malformed keys. Signing panics if the kind is empty or longer than [KindBytesMax]: kinds are constants of a program.
//
// # Limits
//
// Verifying costs some 70 microseconds; a batch of 64 about half of it a signature. A Batch holds what is added to it, messages
// included: its user bounds it.
//
// The package draws no randomness of its own: [GenerateKey] reads the caller's source, and signing is deterministic. (The batch equation's
// coefficients are drawn inside the library; they cannot change a verdict but with probability 2^-128.)
//
// # Sources
//
// RFC 8032; ZIP 215 (https://zips.z.cash/zip-0215); Chalkias, Garillot, Nikolaenko: Taming the many EdDSAs, 2020.
package sign
