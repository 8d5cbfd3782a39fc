package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/spf13/cobra"
)

// healthTime bounds the whole question: a health check is asked often, and must not pile up.
const healthTime = 3 * time.Second

func (a *app) healthCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "health",
		Short: "Ask the server on this machine whether it is ready",
		Long: `Ask the server on this machine whether it is ready: GET /readyz on the port of
listen.verify. Exit code 0 says that it is. Made for HEALTHCHECK.`,
		Example: "  authd health\n  authd health -c /etc/authd",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.act(func(ctx context.Context, _ []string) error {
				loaded, err := a.load(cmd)
				if err != nil {
					return err
				}
				return a.health(ctx, loaded.Config.Listen.Verify)
			})(cmd, args)
		},
	}
}

func (a *app) health(ctx context.Context, listen string) error {
	ctx, cancel := context.WithTimeout(ctx, healthTime)
	defer cancel()
	url, err := readyURL(listen)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	// Neither a proxy from the environment nor a redirect has a place here.
	client := http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	resp, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("not ready: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10))
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("not ready: %s answers %s", url, resp.Status)
	}
	if a.format == formatJSON {
		return a.printJSON(map[string]bool{"ready": true})
	}
	a.say("ready")
	return nil
}

// readyURL is where a listener is asked from its own machine.
func readyURL(listen string) (string, error) {
	addr, err := reachable(listen)
	if err != nil {
		return "", fmt.Errorf("listen.verify %q: %w", listen, err)
	}
	return "http://" + addr + "/readyz", nil
}

// reachable is where a listener is reached from its own machine: an address
// that stands for all of them is reached on the loopback.
func reachable(listen string) (string, error) {
	host, port, err := net.SplitHostPort(listen)
	switch host {
	case "", "0.0.0.0":
		host = "127.0.0.1"
	case "::":
		host = "::1"
	}
	return net.JoinHostPort(host, port), err
}
