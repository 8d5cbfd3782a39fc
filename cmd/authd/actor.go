package main

import (
	"os"
	"os/user"
	"strconv"
)

// osActor names in the audit who has called the command: the user and the host, as the system knows them.
func osActor() string {
	name := "uid " + strconv.Itoa(os.Getuid())
	if u, err := user.Current(); err == nil && u.Username != "" {
		name = u.Username
	}
	return name + "@" + hostname()
}

func hostname() string {
	host, err := os.Hostname()
	if err != nil {
		return "unknown"
	}
	return host
}
