// Package tmap has a map whose keys are changed by many transactions at once: those on different keys do not conflict,
// but by chance. A map with one writer, or one of which whole versions are kept, is better off as a persist.Trie in one
// Var; one that no transaction combines with other state, as a sync.Map.
//
// # Concepts
//
// A [Map] spreads its keys by hash over Vars, each of which holds a bucket of at most 12 entries. Where more come
// together, the transaction that adds the 13th replaces the bucket by a table of 16 Vars; nobody else is stopped, and
// only who uses that bucket meets it. A table whose last entry goes, goes too. So a Map has no size to choose, and its
// memory follows what it holds.
//
// All methods take the transaction: a Get and a Set of several keys, of several Maps, and of other Vars are one step, and
// a transaction can wait for a key:
//
//	v, ok := m.Get(tx, key)
//	tx.Check(ok)
//
// [Map.All] is the content at the transaction's moment. It may be iterated after the transaction, and while m changes.
// The order is that of hashes: it follows from the content alone, not from how it came about, but for keys of one
// given hash, which come in the order in which they were added.
//
// # What conflicts
//
// A transaction that uses a key conflicts with one that
//
//   - changes a key of the same bucket: at first one of 64, later one of a tenth to nine tenths as many as there are keys;
//   - adds the 13th entry to that bucket, or deletes the last of the table it is in;
//   - changes the number of keys, as it does itself, in the same one of 64 parts of Len: by chance 1 in 64. Setting a key
//     that is there changes no number.
//
// Who deletes the last entry of a bucket looks at the 15 others of its table. A transaction that uses Len conflicts with
// all that add or delete; one that uses All, with all that change anything: if it writes nothing, that costs it reruns,
// and the others nothing.
//
// # Chosen keys
//
// Hashes are those of persist.ReadyHash, or one given by the caller ([NewBy]); what chosen keys can do is said there. Keys
// of one given hash stand in one bucket, which then is as long as there are such keys. A stranger who chooses keys with
// long common prefixes of their hashes can make up to 15 tables (12 KiB) for 13 keys.
//
// # Concurrency
//
// Everything may be called from any transaction. Keys and values are shared: what they lead to must not be changed.
//
// # Costs
//
// Measured on two shared cores, minima, beside sync.Map: among 1,000 keys Get takes 75 ns (17), Set of a key that is
// there 155 ns and 2 allocations (80 and 2); among 100,000 keys, where memory decides, 0.5 µs (0.2) and 0.55 µs (0.25 to
// 0.45). There All takes 3 ms (5), Len 0.24 µs (7,000). A persist.Trie in one Var is read three times faster and takes
// twice to four times as long to change. An empty Map takes 7 KiB. A waiting Get is woken by changes of other keys in
// its bucket, too.
//
// # Testing
//
// Nothing is random: a simulation with a Map repeats from its seed.
//
// # Sources
//
// Bagwell, Ideal Hash Trees (2001); Bronson, Casper, Chafi, Olukotun, Transactional Predication (2010), for why the
// conflicts of a map should be those of its keys.
package tmap
