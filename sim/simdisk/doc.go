// Package simdisk is a disk in memory that behaves as disks do at their worst: it takes its time, loses what was not synced when
// the power fails, fills up, stalls, fails, and rots. A [Disk] outlives the store that is opened on it, so that a node can crash and
// start again. It is for simulations, where all of it happens in virtual time and follows from the seed; it works in production too.
//
// # Concepts
//
// [Disk.Open] gives a store.Store. Batches it accepts are written in groups, one group at a time, and then synced if one of them asks for it:
// each takes the time that [Config] says. A batch goes through three stages, and so what is on the disk is always a sequence of batches:
// durable ones, written ones, accepted ones.
//
//   - [Disk.Kill] is the death of the process: written batches stay; of those being written a prefix, which is a named choice.
//   - [Disk.PowerLoss] is the death of the machine: durable batches stay; of all others that were written or being written a prefix.
//   - [Disk.Images] are all disks that a power loss could leave at this moment, each a disk of its own to open and look into.
//
// After Kill or PowerLoss the store that was open is dead: it does nothing more. Open gives the next one.
//
// # Faults
//
// They come about in two ways. A test that wants one at a place calls [Disk.Break], [Disk.Stall], [Disk.Rot], or sets
// Config.CapacityBytes. A simulation that wants them by chance arms fail points with sim.Fail (or simtest.Fault, which also demands that
// each fires): [WriteFault], [SyncFault], [ReadFault], [StallFault] and [RotFault]. With the first three, the armed error is what happens;
// syscall.EIO and syscall.ENOSPC are usual.
//
// A fault of a write or a sync fails the store for good, as package store says; what it left is a prefix, decided at the next Open. A value that
// has rotted does not match its checksum: reading it is [ErrCorrupt], and fails the store. It never is a wrong value.
//
// # Concurrency
//
// As package store says. In a simulation, Apply, Get, the start of a Scan and each stage of the disk are steps.
//
// # Errors
//
// Those of package store; [ErrCorrupt]; [ErrOpen] from a second Open.
//
// # Limits
//
// At most Config.QueueBytes are accepted and not yet written, or one batch: Apply waits. The model is of batches: damage within a batch, as
// a torn sector is, counts as the loss of the batch, as it does in a store that seals its log.
//
// # Testing
//
// The suite of package store/storetest runs on it in both worlds. Planted bugs: acknowledged before the sync, lost out of order, read without
// looking at the checksum.
package simdisk
