package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"authd/internal/repo"
)

const (
	// noticeTime is how long /readyz says that the process stops, and requests
	// still come, before the listeners close.
	noticeTime = time.Second
	// drainTime is what requests under way are given then.
	drainTime = 10 * time.Second
)

// listeners are bound before anything else is done: an address that is taken is found out at once.
type listeners struct {
	verify, metrics, extauthz net.Listener // nil where it is off
}

func listen(ctx context.Context, p *prepared) (*listeners, error) {
	on := &listeners{}
	var errs []error
	bind := func(setting, addr string) net.Listener {
		l, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
		if errors.Is(err, syscall.EADDRINUSE) {
			err = fmt.Errorf("%w: end the process that has it, or choose another address", err)
		}
		errs = append(errs, p.Fault(setting, err))
		return l
	}
	on.verify = bind("listen.verify", p.Config.Listen.Verify)
	if p.Config.Listen.Metrics != "" {
		on.metrics = bind("listen.metrics", p.Config.Listen.Metrics)
	}
	if p.Config.Listen.ExtAuthz != "" {
		on.extauthz = bind("listen.extauthz", p.Config.Listen.ExtAuthz)
	}
	if err := errors.Join(errs...); err != nil {
		on.close()
		return nil, err
	}
	return on, nil
}

// close is for listeners that no server has closed.
func (on *listeners) close() {
	for _, l := range []net.Listener{on.verify, on.metrics, on.extauthz} {
		if l != nil {
			_ = l.Close()
		}
	}
}

// greet says what was started, and what to type next: to people in lines, to machines as they read.
func greet(p *prepared, on *listeners, errOut io.Writer, log *slog.Logger) {
	verify := url(p.Config.Listen.Verify, on.verify) + "/verify"
	metrics := "off"
	if on.metrics != nil {
		metrics = url(p.Config.Listen.Metrics, on.metrics) + "/metrics"
	}
	lines := []string{fmt.Sprintf("authd %s answers on %s (listen.verify %s); metrics: %s", build().Version, verify, p.Config.Listen.Verify, metrics)}
	if on.extauthz != nil {
		lines = append(lines, fmt.Sprintf("Envoy's gRPC: %s (listen.extauthz %s)", on.extauthz.Addr(), p.Config.Listen.ExtAuthz))
	}
	lines = append(lines,
		fmt.Sprintf("keys are in %s; override sections: %d", repo.Shown(p.Config.Store.URL), p.overrides.Len()),
		`next: authd keys create "My first key" --user me@example.com`,
		"then: curl -i -H 'API-KEY: <the key>' "+verify,
	)
	for _, line := range lines {
		if isJSON(p.Config.Log.Format, errOut) {
			log.Info(line)
		} else {
			_, _ = fmt.Fprintln(errOut, line)
		}
	}
}

// url is how this machine reaches a listener that was bound as addr says; the port is the one that it got.
func url(addr string, l net.Listener) string {
	host, _, _ := net.SplitHostPort(addr)
	_, port, _ := net.SplitHostPort(l.Addr().String())
	at, _ := reachable(net.JoinHostPort(host, port))
	return "http://" + at
}

// run serves until ctx ends or a part fails.
//
// At the end, answers end first, and then the feed, which takes this
// replica's row away last (rule 5 of docs/revocation.md); and usage is written
// once more, when nothing more is counted.
func (s *server) run(ctx context.Context, on *listeners) error {
	parts, failed := errgroup.WithContext(context.WithoutCancel(ctx))
	background, stop := context.WithCancel(failed)
	defer stop()
	parts.Go(func() error { return s.feed.Run(background) })
	parts.Go(func() error { return s.watcher.Run(background) })
	if s.usage != nil {
		parts.Go(func() error { return s.usage.Run(background) })
	}
	parts.Go(func() error { return s.recorder.Run(background) })
	parts.Go(func() error { s.reloadOnHangup(background); return nil })
	parts.Go(func() error { pace(background); return nil })
	parts.Go(func() error { return closed(s.verify.Serve(on.verify)) })
	if on.metrics != nil {
		parts.Go(func() error { return closed(s.metrics.Serve(on.metrics)) })
	}
	if on.extauthz != nil {
		parts.Go(func() error { return s.extauthz.Serve(on.extauthz) })
	}
	select {
	case <-ctx.Done():
	case <-failed.Done():
	}
	err := s.drain(failed)
	stop()
	return errors.Join(parts.Wait(), err)
}

// closed is the error of a server, unless it was told to stop.
func closed(err error) error {
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// drain tells whoever asks that the process stops, and lets requests under way finish.
func (s *server) drain(failed context.Context) error {
	s.draining.Store(true)
	s.log.Info("draining: /readyz says so, and requests under way finish", "within", (noticeTime + drainTime).String())
	select {
	case <-time.After(noticeTime):
	case <-failed.Done():
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(failed), drainTime)
	defer cancel()
	var ending errgroup.Group
	ending.Go(func() error {
		err := s.verify.Shutdown(ctx)
		if err != nil {
			_ = s.verify.Close()
		}
		return err
	})
	if s.extauthz != nil {
		ending.Go(func() error { return s.extauthz.Shutdown(ctx) })
	}
	late := ending.Wait()
	if late != nil {
		late = fmt.Errorf("requests were under way for more than %s, and were cut off: %w", drainTime, late)
	}
	_ = s.metrics.Close() // a scrape is asked again
	return late
}

// farewell closes each connection by its last answer while the process drains. A proxy that keeps one would
// else send a request on it in the moment in which it is closed.
func (s *server) farewell(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.draining.Load() {
			w.Header().Set("Connection", "close")
		}
		h.ServeHTTP(w, r)
	})
}

// reloadOnHangup reads the override sections again at each SIGHUP.
func (s *server) reloadOnHangup(ctx context.Context) {
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	defer signal.Stop(hangup)
	for {
		select {
		case <-ctx.Done():
			return
		case <-hangup:
			s.watcher.Reload()
		}
	}
}

// sendTime is what spans that wait are given at the end.
const sendTime = 2 * time.Second

// sendTraces sends what waits, if anybody takes it.
func (s *server) sendTraces() {
	ctx, cancel := context.WithTimeout(context.Background(), sendTime)
	defer cancel()
	if err := s.tracer.Close(ctx); err != nil {
		s.log.Warn("the last traces were not sent", "error", err)
	}
}
