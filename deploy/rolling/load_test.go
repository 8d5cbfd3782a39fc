package rolling

import (
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

var client = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 30 * time.Second}

// answer is what came; the status is 0, and the body the error, where nothing did.
type answer struct {
	status             int
	who, replica, body string
}

func get(url, key string) answer {
	req, err := http.NewRequest(http.MethodGet, url, http.NoBody)
	if err != nil {
		return answer{body: err.Error()}
	}
	if key != "" {
		req.Header.Set("API-KEY", key)
	}
	resp, err := client.Do(req)
	if err != nil {
		return answer{body: err.Error()}
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return answer{body: err.Error()}
	}
	return answer{resp.StatusCode, resp.Header.Get("X-Who"), resp.Header.Get("X-Replica"), string(text)}
}

// load asks all the time, as somebody with a good key, with a revoked one, and with none.
type load struct {
	done          chan struct{}
	close         func()
	all           sync.WaitGroup
	asked, failed atomic.Int64
	wrong         atomic.Int64
	allowed       sync.Map // by a replica's address: it has let somebody in under load
	denied        sync.Map
}

// reached says that a replica has answered under load, both ways.
func (l *load) reached(r *replica) bool {
	_, allowed := l.allowed.Load(r.address)
	_, denied := l.denied.Load(r.address)
	return allowed && denied
}

func (l *load) run(t *testing.T, url, good, revoked string) {
	l.done = make(chan struct{})
	l.close = sync.OnceFunc(func() { close(l.done); l.all.Wait() })
	t.Cleanup(l.close) // a step that fails leaves it
	for worker := range 6 {
		l.all.Go(func() {
			for n := worker; ; n++ {
				select {
				case <-l.done:
					return
				default:
				}
				switch n % 4 {
				case 0:
					l.judge(t, url, revoked, http.StatusUnauthorized, "")
				case 1:
					l.judge(t, url, "", http.StatusUnauthorized, "")
				default:
					l.judge(t, url, good, http.StatusOK, "good@example.com")
				}
				time.Sleep(2 * time.Millisecond)
			}
		})
	}
}

// told is how many faults are told of one by one; all are counted.
const told = 5

func (l *load) judge(t *testing.T, url, key string, want int, user string) {
	a := get(url+"/orders", key)
	l.asked.Add(1)
	switch status := a.status; {
	case status == want && a.who == user && want == http.StatusOK:
		l.allowed.Store(a.replica, true)
	case status == want && a.who == user:
		l.denied.Store(a.replica, true)
	case status == http.StatusOK || status == http.StatusUnauthorized || status == http.StatusForbidden:
		if l.wrong.Add(1) > told {
			return
		}
		t.Errorf("wrong verdict: %d as %q, want %d as %q", status, a.who, want, user)
	default:
		if l.failed.Add(1) > told {
			return
		}
		t.Errorf("a request failed: %d %s", status, a.body)
	}
}

// end ends it, and tells what it saw.
func (l *load) end() string {
	l.close()
	return fmt.Sprintf("%d requests, %d failed, %d wrong verdicts", l.asked.Load(), l.failed.Load(), l.wrong.Load())
}
