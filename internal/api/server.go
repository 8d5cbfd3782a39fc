package api

import (
	"log/slog"
	"net/http"
	"time"
)

// Bounds of a connection. Bodies are never read, so reading a request is
// reading its header. Proxies keep connections alive: an idle one is cheap,
// and a new one costs four requests.
const (
	readTimeout  = 10 * time.Second
	writeTimeout = 10 * time.Second
	idleTimeout  = 5 * time.Minute

	// maxHeaderBytes lets 16 KiB of header pass; net/http adds 4 KiB of slop
	// before it answers 431.
	maxHeaderBytes = 16 << 10
)

// NewServer makes the server of a handler of this package. What net/http has
// to say (it is about broken connections) goes to the log at debug.
func NewServer(h http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler: h,
		// Both alike: net/http then sets one deadline a request, not two.
		ReadHeaderTimeout: readTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
		// No 200 but our own: "OPTIONS *" is none of net/http's business here.
		DisableGeneralOptionsHandler: true,
	}
}
