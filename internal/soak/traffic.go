package soak

import (
	"context"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"time"
)

// pool is what is asked for: every secret there is, and many that there were.
type pool struct {
	mu    sync.Mutex
	all   []*credential // the oldest first
	hot   []*credential // of which something is about to change, or has
	limit int
}

// hottest is how many credentials are asked for again and again.
const hottest = 24

func (p *pool) add(c *credential) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.all = append(p.all, c)
	p.touchLocked(c)
}

// trim forgets the oldest of which all is over, again and again until ctx ends.
func (p *pool) trim(ctx context.Context) {
	for ; ctx.Err() == nil; rest(ctx, time.Second) {
		p.mu.Lock()
		excess := len(p.all) - p.limit
		p.all = slices.DeleteFunc(p.all, func(c *credential) bool {
			drop := excess > 0 && c.over.Load()
			if drop {
				excess--
			}
			return drop
		})
		p.mu.Unlock()
	}
}

func (p *pool) touch(c *credential) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.touchLocked(c)
}

func (p *pool) touchLocked(c *credential) {
	p.hot = append(p.hot[max(0, len(p.hot)-hottest+1):], c)
}

// draw takes one of the hot ones half of the time, or nil where there is none at all.
func (p *pool) draw(rng *rand.Rand) *credential {
	p.mu.Lock()
	defer p.mu.Unlock()
	from := p.all
	if rng.IntN(2) == 0 {
		from = p.hot
	}
	if len(from) == 0 {
		return nil
	}
	return from[rng.IntN(len(from))]
}

func (p *pool) snapshot() []*credential {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.all)
}

// client asks replicas, and has what they answer judged.
type client struct {
	http    *http.Client
	journal *journal
}

// askTime is how long an answer is waited for: longer than any fault lasts,
// because what a process does that was stopped in the middle of a request is what this is about.
const askTime = 20 * time.Second

func newClient(j *journal) *client {
	return &client{
		journal: j,
		http: &http.Client{
			Transport:     &http.Transport{MaxIdleConnsPerHost: 16, IdleConnTimeout: 10 * time.Second},
			Timeout:       askTime,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

// traffic asks a replica about what the pool has, until ctx ends.
func (c *client) traffic(ctx context.Context, r *replica, p *pool, rng *rand.Rand, pace time.Duration) {
	for ctx.Err() == nil {
		if of := p.draw(rng); of != nil {
			c.ask(r, of, rng.IntN(3) == 0)
		}
		rest(ctx, pace/2+time.Duration(rng.Int64N(int64(pace))))
	}
}

// ask asks once, as a member or as anybody, has the answer judged, and returns its status: 0 where there is none.
func (c *client) ask(r *replica, of *credential, members bool) int {
	verify, _ := r.addresses()
	if verify == "" {
		return 0
	}
	path := "/verify"
	if members {
		path = membersPath
	}
	q := request{of: of, replica: r.name, members: members, start: c.journal.now()}
	q.status, _ = c.get(verify+path, of)
	q.end = c.journal.now()
	c.journal.asked(q)
	return q.status
}

// get reads a page, as somebody who has a key where of is not nil.
func (c *client) get(url string, of *credential) (status int, body string) {
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, url, http.NoBody)
	if err != nil {
		return 0, ""
	}
	if of != nil {
		req.Header.Set("API-KEY", of.secret.Reveal())
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return 0, ""
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, ""
	}
	if c.journal.leaks.in(string(text)) {
		c.journal.violate("a raw key is in an answer of %s", url)
	}
	return resp.StatusCode, string(text)
}
