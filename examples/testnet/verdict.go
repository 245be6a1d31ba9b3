package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/examples/testnet/load"
)

// report is what is known of one node at the end of a run.
type report struct {
	name       string
	hashes     []chain.Hash // of its selected chain, block 1 first
	rollbacks  uint64
	violations []string // what it recorded against others
}

func (r report) height() uint64 { return uint64(len(r.hashes)) }

// ending is what is known of the run as a whole.
type ending struct {
	until   uint64 // the block that had to be reached; 0: none was asked for
	stopped string // why the run ended before that; empty when it did not
	leaks   []string
	elapsed time.Duration
	first   time.Duration // until the first block; 0: there was none

	planned  int     // faults
	faults   []fault // that have run
	restarts int
	traded   *traded // nil without load
	rss      uint64
}

// traded is what became of the load.
type traded struct {
	asked   int // a second
	report  load.Report
	pending int      // accepted, not on the common chain, in a mempool or on the chain of a node that is ahead
	lost    []string // accepted, and nowhere
}

func (t traded) onChain() int { return t.report.Accepted - t.pending - len(t.lost) }

// summary is the object that --json prints.
type summary struct {
	Nodes      int     `json:"nodes"`
	Height     uint64  `json:"height"`    // of the shortest chain
	Converged  bool    `json:"converged"` // all chains are the same up to --until-block, or up to Height without it
	Rollbacks  uint64  `json:"rollbacks"`
	Violations int     `json:"violations"`
	Leaks      int     `json:"leaks"`
	Seconds    float64 `json:"seconds"`

	FirstBlockSeconds float64 `json:"first_block_seconds"`
	Restarts          int     `json:"restarts"`
	Partitions        int     `json:"partitions"`
	TxsAccepted       int     `json:"txs_accepted"`
	TxsOnChain        int     `json:"txs_on_chain"`
	TxsPending        int     `json:"txs_pending"`
	TxsRefused        int     `json:"txs_refused"`
	TxsSkipped        int     `json:"txs_skipped"` // due, but not sent: nobody could in time
	TxPerSecond       float64 `json:"tx_per_second"`
	InclusionP50      int     `json:"inclusion_slots_p50"` // from accepted to included
	InclusionP99      int     `json:"inclusion_slots_p99"`
	RSSBytes          uint64  `json:"rss_bytes"` // of all processes, at the end; 0: not known on this system
}

// judge is the verdict on a run: the figures and, when it failed, every reason.
func judge(reports []report, end ending) (summary, error) {
	s := summary{
		Nodes: len(reports), Leaks: len(end.leaks), Seconds: seconds(end.elapsed), FirstBlockSeconds: seconds(end.first),
		Restarts: end.restarts, RSSBytes: end.rss,
	}
	var reasons []string
	for i, r := range reports {
		if i == 0 || r.height() < s.Height {
			s.Height = r.height()
		}
		s.Rollbacks += r.rollbacks
		s.Violations += len(r.violations)
	}
	upTo := s.Height
	if end.until > 0 {
		upTo = end.until
		reasons = append(reasons, unreached(reports, end)...)
	}
	fork := divergence(reports, upTo)
	s.Converged = fork == "" && s.Height >= upTo
	if end.until > 0 {
		reasons = append(reasons, fork, recorded(reports))
	}
	reasons = append(reasons, toothless(&s, end)...)
	if end.traded != nil {
		reasons = append(reasons, unkept(&s, *end.traded, end.until > 0)...)
	}
	if len(end.leaks) > 0 {
		reasons = append(reasons, "left running: "+strings.Join(end.leaks, ", "))
	}
	return s, failure(reasons)
}

func seconds(d time.Duration) float64 {
	return float64(d.Round(time.Millisecond).Milliseconds()) / 1000
}

// unreached says why the run ended early and which nodes are short of the block.
func unreached(reports []report, end ending) []string {
	var short []string
	for _, r := range reports {
		if r.height() < end.until {
			short = append(short, fmt.Sprintf("%s at %d", r.name, r.height()))
		}
	}
	switch {
	case len(short) > 0 && end.stopped != "":
		return []string{fmt.Sprintf("block %d was not reached (%s): %s", end.until, end.stopped, strings.Join(short, ", "))}
	case len(short) > 0:
		return []string{fmt.Sprintf("block %d was not reached: %s", end.until, strings.Join(short, ", "))}
	}
	return nil
}

// commonHeight is the number of the last block that all chains share.
func commonHeight(reports []report) uint64 {
	var h uint64
	for ; ; h++ {
		for _, r := range reports {
			if r.height() <= h || r.hashes[h] != reports[0].hashes[h] {
				return h
			}
		}
	}
}

// divergence names the first block up to upTo on which two nodes differ, or is empty.
func divergence(reports []report, upTo uint64) string {
	for h := uint64(0); h < upTo; h++ {
		first := -1
		for i, r := range reports {
			switch {
			case r.height() <= h:
			case first < 0:
				first = i
			case r.hashes[h] != reports[first].hashes[h]:
				return fmt.Sprintf("chains differ at block %d: %s has %s, %s has %s",
					h+1, reports[first].name, short(reports[first].hashes[h]), r.name, short(r.hashes[h]))
			}
		}
	}
	return ""
}

// recorded lists the violations; all nodes of a testnet are honest, so each one is a fault of the code.
func recorded(reports []report) string {
	var all []string
	for _, r := range reports {
		for _, v := range r.violations {
			all = append(all, r.name+" against "+v)
		}
	}
	if len(all) == 0 {
		return ""
	}
	return "violations recorded: " + strings.Join(all, ", ")
}

// toothless names the planned faults that did not bite: they show nothing.
func toothless(s *summary, end ending) (reasons []string) {
	for _, f := range end.faults {
		if len(f.missing) > 0 {
			reasons = append(reasons, fmt.Sprintf("--%s did not bite, missing: %s", f.name, strings.Join(f.missing, ", ")))
		} else if f.name == partitionFault {
			s.Partitions++
		}
	}
	if left := end.planned - len(end.faults); left > 0 && end.until > 0 {
		reasons = append(reasons, fmt.Sprintf("%d of %d faults did not come to their end", left, end.planned))
	}
	return reasons
}

// lostShown is how many lost transfers are named.
const lostShown = 5

// unkept says what is wrong with the load: a promise that was not kept always is, and without any transfer the run shows nothing.
func unkept(s *summary, t traded, judged bool) (reasons []string) {
	s.TxsAccepted, s.TxsOnChain, s.TxsPending = t.report.Accepted, t.onChain(), t.pending
	s.TxsRefused, s.TxsSkipped, s.TxPerSecond = t.report.Refused, t.report.Skipped, float64(int(10*t.report.PerSecond))/10
	s.InclusionP50, s.InclusionP99 = t.report.SlotsP50, t.report.SlotsP99
	if n := len(t.lost); n > 0 {
		named := strings.Join(t.lost[:min(n, lostShown)], "; ")
		reasons = append(reasons, fmt.Sprintf("%d accepted transfers are neither on the common chain nor in a mempool: %s", n, named))
	}
	switch {
	case !judged:
	case t.report.Accepted == 0:
		reasons = append(reasons, fmt.Sprintf("no transfer was accepted under --load %d%s", t.asked, because(t.report)))
	case t.onChain() == 0:
		reasons = append(reasons, fmt.Sprintf("no transfer came onto the chain under --load %d, though %d were accepted", t.asked, t.report.Accepted))
	}
	return reasons
}

// because is one of the reasons that nodes have given.
func because(r load.Report) string {
	for _, reason := range []string{r.FirstRefusal, r.FirstUnreached} {
		if reason != "" {
			return " (" + reason + ")"
		}
	}
	return ""
}

func failure(reasons []string) error {
	var some []string
	for _, r := range reasons {
		if r != "" {
			some = append(some, r)
		}
	}
	if len(some) == 0 {
		return nil
	}
	return fmt.Errorf("%s", strings.Join(some, "; "))
}

// short is enough of a hash to tell blocks apart on a screen.
func short(h chain.Hash) string { return h.String()[:8] }
