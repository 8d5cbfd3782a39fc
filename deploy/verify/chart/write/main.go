// Command write writes what the chart renders, for each of chart.Overlays a file: write CHART FOLDER.
package main

import (
	"log"
	"os"
	"path/filepath"

	"authd/deploy/verify/chart"
)

func main() {
	for name, values := range chart.Overlays {
		text, err := chart.Render(os.Args[1], values)
		if err == nil {
			err = os.WriteFile(filepath.Join(os.Args[2], name+".yaml"), text, 0o600)
		}
		if err != nil {
			log.Fatal(err)
		}
	}
}
