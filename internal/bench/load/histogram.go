package load

import (
	"math/bits"
	"time"
)

// subBits sets the precision of a Histogram: 2^subBits buckets for each power of two.
const subBits = 6

// Histogram counts durations in buckets at most 1/64 wide in proportion to
// their value, from a nanosecond to some centuries. The zero value is empty.
type Histogram struct {
	counts [(64 - subBits) << subBits]int64
	total  int64
}

// Add counts one duration. A negative one counts as zero.
func (h *Histogram) Add(d time.Duration) {
	h.counts[bucket(d)]++
	h.total++
}

// Merge adds what o has counted.
func (h *Histogram) Merge(o *Histogram) {
	for i, n := range o.counts {
		h.counts[i] += n
	}
	h.total += o.total
}

// Quantile is the least duration that a share q of all those counted do not
// exceed, rounded up to the end of its bucket; zero where nothing was counted.
func (h *Histogram) Quantile(q float64) time.Duration {
	rank := int64(q * float64(h.total))
	if float64(rank) < q*float64(h.total) {
		rank++
	}
	rank = max(rank, 1)
	seen := int64(0)
	for i, n := range h.counts {
		if seen += n; seen >= rank {
			return bucketEnd(i)
		}
	}
	return 0
}

// bucket numbers the values below 2^subBits one by one; above, it takes the
// position of the highest bit and the subBits bits after it.
func bucket(d time.Duration) int {
	v := uint64(max(d, 0))
	if v < 1<<subBits {
		return int(v)
	}
	shift := bits.Len64(v) - 1 - subBits
	return (shift+1)<<subBits + int(v>>shift) - 1<<subBits
}

// bucketEnd is the greatest value that falls into the bucket.
func bucketEnd(i int) time.Duration {
	if i < 1<<subBits {
		return time.Duration(i)
	}
	shift := i>>subBits - 1
	low := uint64(i-shift<<subBits) << shift
	return time.Duration(low + 1<<shift - 1)
}
