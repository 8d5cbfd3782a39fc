package main

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/redis/go-redis/v9"
)

// lookupTime bounds one look-up. On a busy machine it is waited for.
const lookupTime = 5 * time.Second

// nowhere is as long as the name of an entry, or as a digest.
var nowhere = make([]byte, 32)

// afterGet answers when Redis has.
func afterGet(addr string) gin.HandlerFunc {
	client := redis.NewClient(&redis.Options{Addr: addr})
	return func(c *gin.Context) {
		ctx, cancel := context.WithTimeout(c.Request.Context(), lookupTime)
		defer cancel()
		if err := client.Get(ctx, string(nowhere)).Err(); !errors.Is(err, redis.Nil) {
			c.Status(http.StatusServiceUnavailable)
			return
		}
		empty(c)
	}
}

// afterSelect answers when Postgres has.
func afterSelect(url string) (gin.HandlerFunc, error) {
	pool, err := pgxpool.New(context.Background(), url)
	if err != nil {
		return nil, err
	}
	return func(c *gin.Context) {
		ctx, cancel := context.WithTimeout(c.Request.Context(), lookupTime)
		defer cancel()
		var revoked bool
		err := pool.QueryRow(ctx, `SELECT revoked FROM secrets WHERE digest = $1`, nowhere).Scan(&revoked)
		if !errors.Is(err, pgx.ErrNoRows) {
			c.Status(http.StatusServiceUnavailable)
			return
		}
		empty(c)
	}, nil
}
