package pebble

import cockroach "github.com/cockroachdb/pebble/v2"

// scheduler is pebble's own scheduler of compactions, which begins none while the store is being opened or after it has failed.
type scheduler struct {
	*cockroach.ConcurrencyLimitScheduler
	fuse *fuse
}

func newScheduler(f *fuse) *scheduler {
	// The name says "for test" of its lack of a ticker, which is for compactions of many seconds beside a flood of flushes.
	return &scheduler{cockroach.NewConcurrencyLimitSchedulerWithNoPeriodicGrantingForTest(), f}
}

// Register puts the fuse between the scheduler and the database.
func (s *scheduler) Register(n int, db cockroach.DBForCompaction) {
	s.ConcurrencyLimitScheduler.Register(n, fused{db, s.fuse})
}

// begin grants what was refused while the store was being opened.
func (s *scheduler) begin() {
	if ok, grant := s.TrySchedule(); ok {
		grant.Done() // grants to who waits
	}
}

// fused is a database that wants no compaction unless the fuse is intact.
type fused struct {
	cockroach.DBForCompaction
	fuse *fuse
}

func (g fused) GetAllowedWithoutPermission() int {
	if !g.fuse.intact() {
		return 0
	}
	return g.DBForCompaction.GetAllowedWithoutPermission()
}

func (g fused) GetWaitingCompaction() (bool, cockroach.WaitingCompaction) {
	if !g.fuse.intact() {
		return false, cockroach.WaitingCompaction{}
	}
	return g.DBForCompaction.GetWaitingCompaction()
}

func (g fused) Schedule(h cockroach.CompactionGrantHandle) bool {
	return g.fuse.intact() && g.DBForCompaction.Schedule(h)
}
