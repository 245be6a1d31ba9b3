package simnet

import (
	"math"
	"math/rand/v2"
	"time"
)

// Config is how a link behaves. The zero value is a link without delay, with a window of 256 KiB.
type Config struct {
	Latency        time.Duration                    // one way
	Jitter         time.Duration                    // up to this is added to the latency of a segment; order is kept
	Delay          func(r *rand.Rand) time.Duration // draws the time one way, in the place of Latency and Jitter; see LogNormal
	BytesPerSecond int                              // of each direction, which its streams share; 0 is unbounded
	WindowBytes    int                              // sent and not yet read, a stream and direction; default 256 KiB
	Loss           float64                          // chance that a segment is lost and sent again, after RTO, then twice that, and so on
	RTO            time.Duration                    // default 200 ms
	IdleTimeout    time.Duration                    // a connection that has heard nothing for so long, because it is clogged, is gone; 0 is never
}

const (
	windowDefault = 256 << 10
	rtoDefault    = 200 * time.Millisecond
	resendsMax    = 6 // of one segment
)

func (c Config) withDefaults() Config {
	if c.WindowBytes <= 0 {
		c.WindowBytes = windowDefault
	}
	if c.RTO <= 0 {
		c.RTO = rtoDefault
	}
	return c
}

// LogNormal is a distribution of delays as wide networks have: half of them are below median, one in a hundred above p99.
func LogNormal(median, p99 time.Duration) func(r *rand.Rand) time.Duration {
	const z99 = 2.3263478740408408 // of the normal distribution
	sigma := math.Log(float64(p99)/float64(median)) / z99
	return func(r *rand.Rand) time.Duration {
		return time.Duration(float64(median) * math.Exp(sigma*r.NormFloat64()))
	}
}

// LossFault is counted in Report.Faults when a segment or datagram is lost by chance; DuplicateFault when a datagram comes twice.
const (
	LossFault      = "simnet.loss"
	DuplicateFault = "simnet.duplicate"
)

// oneWay draws a time on the way.
func (c Config) oneWay(r *rand.Rand) time.Duration {
	if c.Delay != nil {
		return max(0, c.Delay(r))
	}
	d := c.Latency
	if c.Jitter > 0 {
		d += time.Duration(r.Int64N(int64(c.Jitter) + 1))
	}
	return d
}
