// Reference is what authd is measured against: a gin handler that answers 200
// with no body, with -identity the same with the headers of an identity as
// constants, with -redis or -postgres the same after one look-up there. Everything else is net/http's default.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/gin-gonic/gin"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:0", "where to listen")
	identity := flag.Bool("identity", false, "send the headers of an identity")
	redisAt := flag.String("redis", "", "ask this Redis for a value, for each request")
	postgresURL := flag.String("postgres", "", "ask authd's database of this URL for a row, for each request")
	flag.Parse()
	answer := empty
	if *identity {
		answer = constants
	}
	var err error
	switch {
	case *redisAt != "":
		answer = afterGet(*redisAt)
	case *postgresURL != "":
		answer, err = afterSelect(*postgresURL)
	}
	if err == nil {
		err = run(*addr, answer)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(addr string, answer gin.HandlerFunc) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	gin.SetMode(gin.ReleaseMode)
	r := gin.New()
	r.GET("/readyz", empty)
	r.GET("/verify", answer)
	r.GET("/verify/*question", answer) // as the dialects of authd are asked
	srv := &http.Server{Addr: addr, Handler: r}
	failed := make(chan error, 1)
	go func() { failed <- srv.ListenAndServe() }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := srv.Shutdown(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return nil
}

func empty(c *gin.Context) { c.Status(http.StatusOK) }

// constants sends what authd answers to the key of the benchmark.
func constants(c *gin.Context) {
	c.Header("X-Auth-User", "bench@example.com")
	c.Header("X-Auth-Key", "Bench%201")
	c.Header("X-Auth-Key-Id", "0190a0a0-0000-7000-8000-000000000001")
	c.Header("X-Auth-Groups", "partner,staff")
	c.Header("X-Auth-Scopes", "shop:read shop:write")
	c.Header("Cache-Control", "no-store")
	c.Header("Content-Length", "0")
	c.Status(http.StatusOK)
}
