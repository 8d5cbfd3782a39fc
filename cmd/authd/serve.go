package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"slices"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"authd/internal/admin"
	"authd/internal/api"
	"authd/internal/auth"
	"authd/internal/cache"
	"authd/internal/conffile"
	"authd/internal/config"
	"authd/internal/extauthz"
	"authd/internal/limit"
	"authd/internal/observe"
	"authd/internal/override"
	"authd/internal/redisconn"
	"authd/internal/repo"
	"authd/internal/tracing"
	"authd/internal/usage"
)

// server is everything that runs.
type server struct {
	feed            *cache.Feed
	redis           *redisconn.Conn // nil: none
	shared          *cache.Shared   // nil: none
	watcher         *override.Watcher
	usage           *usage.Recorder // nil: nothing is counted
	recorder        *admin.Recorder
	verify, metrics *http.Server
	extauthz        *extauthz.Server // nil: off
	tracer          *tracing.Tracer  // nil: off
	draining        atomic.Bool
	log             *slog.Logger
}

// serve runs until ctx ends, and then drains. source is where p was read from,
// and is read again when the files change.
func serve(ctx context.Context, p *prepared, source config.Source, errOut io.Writer) (err error) {
	log := newLogger(errOut, p.Config.Log.Level, p.Config.Log.Format)
	for _, warning := range p.Warnings {
		log.Warn(warning)
	}
	on, err := listen(ctx, p)
	if err != nil {
		return err
	}
	defer on.close()
	store, err := openStore(ctx, p, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	s, err := wire(p, store, source, log)
	if err != nil {
		return err
	}
	defer func() { s.shared.Close(); s.sendTraces(); err = errors.Join(err, s.redis.Close()) }()
	greet(p, on, errOut, log)
	return s.run(ctx, on)
}

// wire says what wraps what. A look-up goes from the overrides to the cache to
// the store, by way of the shared cache where there is one.
func wire(p *prepared, store repo.Store, source config.Source, log *slog.Logger) (*server, error) {
	c := &p.Config
	reg := prometheus.NewRegistry()
	measured := cache.NewMetrics(reg)

	backend := cache.Observe(store, repo.Kind(c.Store.URL), reg)
	feed := cache.NewFeed(backend, thisReplica(c), log)
	conn, err := openRedis(p, reg, log)
	if err != nil {
		return nil, err
	}
	var shared *cache.Shared
	if conn != nil {
		shared, err = cache.NewShared(cache.SharedOptions{Redis: conn, Pepper: p.Digester.Current(), Database: sharedName(c), Metrics: measured})
		if err != nil {
			return nil, err
		}
	}
	local := cache.NewLocal(feed, backend, cache.Options{MaxEntries: c.Cache.MaxEntries, TTL: c.Cache.TTL, Metrics: measured, Shared: shared})
	tracer, err := tracing.FromEnv(context.Background(), os.Getenv, build().Version, log)
	if err != nil {
		return nil, err
	}
	finder := override.NewFinder(traced(local, tracer), p.overrides)
	limiter, err := newLimiter(c, conn, reg, log)
	if err != nil {
		return nil, err
	}
	counted, err := countUsage(c, store, reg, log)
	if err != nil {
		return nil, err
	}
	decide := auth.Options{AllowInactiveUsers: c.Users.Inactive == config.InactiveAllow}
	if counted != nil {
		decide.Observer = counted
	}
	checker := auth.NewChecker(p.Digester, finder, limiter, decide)

	s := &server{feed: feed, redis: conn, shared: shared, usage: counted, tracer: tracer, log: log}
	decided, err := observe.NewMetrics(reg, c.Metrics.PerKey, build().Version)
	if err != nil {
		return nil, err
	}
	o := p.verify
	o.Checker, o.Log, o.Metrics, o.Tracer, o.Ready = checker, log, decided, tracer, s.ready
	verify, err := api.NewVerify(o)
	if err != nil {
		return nil, err
	}
	s.verify, s.metrics = api.NewServer(s.farewell(verify), log), api.NewServer(metricsPage(reg), log)
	if s.extauthz, err = openExtAuthz(p, &o, s.isReady); err != nil {
		return nil, err
	}
	s.recorder = admin.NewRecorder(store, "serve@"+hostname(), log)
	s.watcher, err = override.NewWatcher(override.WatcherOptions{
		Finder: finder, Env: p.env, Log: log, Registerer: reg, Changed: s.recorder.Reloaded,
		Read: func() ([]conffile.Section, []string, error) { return readSections(p.Loaded, source) },
	})
	if err != nil {
		return nil, err
	}
	measured.Watch(feed)
	reg.MustRegister(repo.NewCollector(store), repo.NewDurabilityCollector(store), collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return s, nil
}

// traced is the cache, which costs a warm request so little that it has a span only where there are any.
func traced(local *cache.Local, t *tracing.Tracer) auth.Finder {
	if t == nil {
		return local
	}
	return tracing.Layer(local, "local lookup")
}

// openRedis is the way to Redis, if there is to be one.
func openRedis(p *prepared, reg prometheus.Registerer, log *slog.Logger) (*redisconn.Conn, error) {
	c := &p.Config.Redis
	if c.URL == "" {
		return nil, nil
	}
	up, _ := cache.BackendMetrics("redis", reg)
	conn, err := redisconn.New(redisconn.Options{URL: c.URL, Timeout: c.Timeout, Up: up, Log: log})
	return conn, p.Fault("redis.url", err)
}

// newLimiter counts in Redis where there is one, and in this process otherwise.
func newLimiter(c *config.Config, conn *redisconn.Conn, reg prometheus.Registerer, log *slog.Logger) (auth.Limiter, error) {
	if conn == nil {
		return limit.NewLocal(reg), nil
	}
	_, op := cache.BackendMetrics("redis", reg)
	return limit.NewShared(limit.SharedOptions{
		Redis: conn, Database: sharedName(c), Fail: c.Limits.Fail, Took: op("limit"), Registerer: reg, Log: log,
	})
}

// sharedName names the store to those who share a Redis. A path names a database of this machine
// alone, so the machine's name is part of its own.
func sharedName(c *config.Config) string {
	database := repo.Shown(c.Store.URL)
	if repo.Kind(c.Store.URL) == "sqlite" {
		database = thisReplica(c).Name + " " + database
	}
	return database
}

// openExtAuthz makes the server for Envoy's gRPC, if there is to be one: over all that /verify is over.
func openExtAuthz(p *prepared, o *api.Options, ready func() bool) (*extauthz.Server, error) {
	if p.Config.Listen.ExtAuthz == "" {
		return nil, nil
	}
	return extauthz.NewServer(extauthz.Options{
		Checker: o.Checker, Policies: o.Policies, Sources: o.Sources, Trusted: o.Trusted,
		Realm: o.Realm, Headers: o.Headers, Metrics: o.Metrics, Tracer: o.Tracer, Log: o.Log, Ready: ready,
	})
}

// countUsage makes what counts usage, if it is to be counted.
func countUsage(c *config.Config, store repo.Store, reg prometheus.Registerer, log *slog.Logger) (*usage.Recorder, error) {
	if c.Usage.Keep == 0 {
		return nil, nil
	}
	return usage.New(store, usage.Options{Keep: c.Usage.Keep, Flush: c.Usage.Flush, Log: log, Registerer: reg})
}

func metricsPage(g prometheus.Gatherer) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/metrics", api.NewMetrics(g))
	return mux
}

func thisReplica(c *config.Config) auth.Replica {
	return auth.Replica{
		Name: hostname(), Version: build().Version,
		Lease: c.Cache.Lease, Outage: c.Cache.Outage, MaxStale: c.Cache.MaxStale,
	}
}

// openTime bounds what comes before the first answer: a schema may have to be migrated.
const openTime = time.Minute

// openStore opens the store, and brings its schema up to date.
func openStore(ctx context.Context, p *prepared, log *slog.Logger) (_ repo.Store, err error) {
	ctx, cancel := context.WithTimeout(ctx, openTime)
	defer cancel()
	store, err := repo.Open(ctx, p.Config.Store.URL, storeOptions(p.Loaded))
	if err != nil {
		return nil, p.Fault("store.url", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(p.Fault("store.url", err), store.Close())
		}
	}()
	if err := upToDate(ctx, store, p.Config.Store.Migrate); err != nil {
		return nil, err
	}
	return store, warnOfPeppers(ctx, p, store, log)
}

// warnOfPeppers tells of live keys that can't be recognised any more.
func warnOfPeppers(ctx context.Context, p *prepared, store repo.Store, log *slog.Logger) error {
	counts, err := store.CountPeppers(ctx)
	for id, n := range counts {
		if !p.Digester.Tries(id) {
			log.Warn("secrets were made under a pepper that is not tried: who sends one is denied. Put the pepper back into credentials.pepper_file, or rotate these keys",
				"pepper", id, "secrets", n, "see", "authd keys list -o json")
		}
	}
	return err
}

// isReady is what /readyz tells in one word.
func (s *server) isReady() bool {
	return !slices.ContainsFunc(s.ready(), func(c api.Check) bool { return !c.OK && !c.Advisory })
}

// ready is what /readyz asks. That the store is away does not make a replica
// unready: all of them would vanish from the ingress at once.
func (s *server) ready() []api.Check {
	standing := s.feed.Standing(time.Now())
	checks := []api.Check{
		{Name: "change log", OK: s.feed.Ready(), Detail: fmt.Sprintf("applied %d", s.feed.Applied())},
		{Name: "lease", OK: standing == cache.Following, Advisory: true, Detail: standing.String()},
	}
	if s.draining.Load() {
		checks = append(checks, api.Check{Name: "draining", Detail: "the process was told to stop"})
	}
	return checks
}
