// Package answer is what a client is told: verdict.go has the status and the
// words for each reason, denial.go the header and the body of a denial. Every
// transport takes them from here, so that all of them say the same.
package answer
