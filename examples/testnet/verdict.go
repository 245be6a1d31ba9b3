package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/synodkit/synod/chain"
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
}

// summary is the object that --json prints.
type summary struct {
	Nodes      int     `json:"nodes"`
	Height     uint64  `json:"height"`    // of the shortest chain
	Converged  bool    `json:"converged"` // all chains are the same up to --until-block, or up to Height without it
	Rollbacks  uint64  `json:"rollbacks"`
	Violations int     `json:"violations"`
	Leaks      int     `json:"leaks"`
	Seconds    float64 `json:"seconds"`
}

// judge is the verdict on a run: the figures and, when it failed, every reason.
func judge(reports []report, end ending) (summary, error) {
	s := summary{Nodes: len(reports), Leaks: len(end.leaks), Seconds: end.elapsed.Round(time.Millisecond).Seconds()}
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
	if len(end.leaks) > 0 {
		reasons = append(reasons, "left running: "+strings.Join(end.leaks, ", "))
	}
	return s, failure(reasons)
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
