package load

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"
)

func TestCallsAreCountedAndBounded(t *testing.T) {
	var made atomic.Int64
	res, err := Calls(t.Context(), 3, Bounds{For: time.Minute, Requests: 100}, func(_ context.Context, _ int) error {
		made.Add(1)
		return nil
	})
	if err != nil || res.Requests != 100 || made.Load() != 100 {
		t.Errorf("%d calls made, %+v, %v", made.Load(), res, err)
	}
}

func TestAFailedCallEndsTheLoad(t *testing.T) {
	wrong := errors.New("wrong")
	if _, err := Calls(t.Context(), 2, Bounds{For: time.Minute}, func(_ context.Context, worker int) error {
		if worker == 1 {
			return wrong
		}
		return nil
	}); !errors.Is(err, wrong) {
		t.Errorf("the error is %v", err)
	}
}
