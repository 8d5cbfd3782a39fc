// Command authd answers one question for any ingress: may this request,
// carrying this API key, pass, and as whom? See authd --help.
package main

import "os"

func main() {
	os.Exit(execute(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
