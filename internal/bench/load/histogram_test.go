package load

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

func TestBucketsCoverEveryValueOnce(t *testing.T) {
	for shift := range 63 {
		for _, off := range []int64{-1, 0, 1} {
			d := time.Duration(int64(1)<<shift + off)
			if d < 0 {
				continue
			}
			i := bucket(d)
			if d > bucketEnd(i) || i > 0 && d <= bucketEnd(i-1) {
				t.Fatalf("%d is in bucket %d, which holds %d to %d", d, i, bucketEnd(i-1)+1, bucketEnd(i))
			}
		}
	}
	last := bucket(1<<63 - 1)
	if want := len(Histogram{}.counts) - 1; last != want {
		t.Errorf("the greatest duration is in bucket %d, the last bucket is %d", last, want)
	}
}

// The quantile by the histogram is that of the sorted sample, or above it by
// less than a bucket's width.
func TestQuantileAgainstSortedSample(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{1, 2, 3, 99, 100, 101, 5000} {
		var h Histogram
		sample := make([]time.Duration, n)
		for i := range sample {
			sample[i] = time.Duration(rng.ExpFloat64() * float64(200*time.Microsecond))
			h.Add(sample[i])
		}
		slices.Sort(sample)
		for _, c := range []struct {
			q    float64
			rank int // of the value that is wanted, from 1
		}{{0, 1}, {0.5, (n + 1) / 2}, {0.99, (99*n + 99) / 100}, {1, n}} {
			want, got := sample[c.rank-1], h.Quantile(c.q)
			if got < want || got > want+want/(1<<subBits)+1 {
				t.Errorf("quantile %v of %d values: %v, but the sorted sample says %v", c.q, n, got, want)
			}
		}
	}
}

func TestQuantileOfMergedHistograms(t *testing.T) {
	var fast, slow, none Histogram
	for range 99 {
		fast.Add(10)
	}
	slow.Add(50)
	slow.Add(-1) // a clock that went back
	fast.Merge(&slow)
	fast.Merge(&none)
	if got := [...]time.Duration{fast.Quantile(0), fast.Quantile(0.5), fast.Quantile(0.99), fast.Quantile(1)}; got != [...]time.Duration{0, 10, 10, 50} {
		t.Errorf("quantiles 0, 0.5, 0.99, 1 are %v", got)
	}
	if none.Quantile(0.5) != 0 {
		t.Error("an empty histogram has a median")
	}
}
