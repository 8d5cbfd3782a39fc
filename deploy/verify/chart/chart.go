// Package chart renders the Helm chart.
package chart

import (
	"path/filepath"
	"strings"

	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/common/util"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	"helm.sh/helm/v4/pkg/engine"
)

// Values are what an installation says of itself.
type Values = map[string]any

// Overlays are the values that make of the chart what the overlay of the same name is.
var Overlays = map[string]Values{
	"minimal":    {"pepper": false, "autoscaling": Values{"enabled": false}},
	"production": {"autoscaling": Values{"minReplicas": 3}, "hostSpread": "DoNotSchedule"},
	"monitoring": {"autoscaling": Values{"requestsPerSecond": 2000}, "monitoring": Values{"enabled": true}},
	"traefik":    {"traefik": Values{"middleware": true}},
	"overrides": {"overrides": Values{"api_key_Partner sync": Values{
		"key_digest": "sha256:" + strings.Repeat("0", 64), "user": "staging@example.com",
	}}},
}

// Render is what the chart in a folder makes of values, in the namespace authd. The error is its schema's as well.
func Render(dir string, v Values) ([]byte, error) {
	c, err := loader.Load(dir)
	if err != nil {
		return nil, err
	}
	all, err := util.ToRenderValues(c, v, common.ReleaseOptions{Name: "authd", Namespace: "authd", IsInstall: true}, common.DefaultCapabilities)
	if err != nil {
		return nil, err
	}
	files, err := engine.Render(c, all)
	if err != nil {
		return nil, err
	}
	var text strings.Builder
	for path, file := range files {
		if filepath.Ext(path) == ".yaml" {
			text.WriteString("---\n" + file + "\n")
		}
	}
	return []byte(text.String()), nil
}
