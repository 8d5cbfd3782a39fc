package keyfile

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// fields are the names of the fields of Key: the columns of CSV, but for metadata.
var fields = []string{
	"name", "user", "key", "digest", "active", "revoked", "groups", "scopes", "not_before", "expires_at",
	"hosts", "methods", "paths", "cidrs", "rate", "burst", "quota", "note", "metadata",
}

// headerError is what is wrong with the line that names the columns.
type headerError struct{ text string }

func (e *headerError) Error() string { return e.text }

type csvParser struct{ columns []string }

func (c *csvParser) parse(line []byte) (Key, bool, error) {
	r := csv.NewReader(bytes.NewReader(line))
	r.FieldsPerRecord = -1
	cells, err := r.Read()
	if c.columns == nil {
		return Key{}, false, c.header(cells, err)
	}
	var k Key
	switch {
	case err != nil:
		return k, true, errors.New("not CSV: a quote is not closed, or stands within a cell (it is written \"\" there)")
	case len(cells) != len(c.columns):
		return k, true, fmt.Errorf("%d cells, and the first line names %d columns", len(cells), len(c.columns))
	}
	var errs []error
	for i, cell := range cells {
		if cell == "" {
			continue
		}
		if err := k.set(c.columns[i], cell); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", c.columns[i], err))
		}
	}
	return k, true, errors.Join(errs...)
}

func (c *csvParser) header(cells []string, err error) error {
	known := fields[:len(fields)-1]
	if err != nil {
		return &headerError{"the first line names the columns, of: " + strings.Join(known, ", ")}
	}
	for i, cell := range cells {
		cells[i] = strings.ToLower(strings.TrimSpace(cell))
		if !slices.Contains(known, cells[i]) {
			return &headerError{fmt.Sprintf("column %d of the first line is not known: known are %s", i+1, strings.Join(known, ", "))}
		}
		if slices.Contains(cells[:i], cells[i]) {
			return &headerError{fmt.Sprintf("column %s is there twice", cells[i])}
		}
	}
	if !slices.Contains(cells, "name") || !slices.Contains(cells, "user") {
		return &headerError{"the columns name and user are wanted"}
	}
	c.columns = cells
	return nil
}

// set sets a field from a cell that is not empty.
func (k *Key) set(column, cell string) (err error) {
	switch column {
	case "name":
		k.Name = cell
	case "user":
		k.User = cell
	case "key":
		k.Key = &cell
	case "digest":
		k.Digest = &cell
	case "active":
		k.Active, err = truth(cell)
	case "revoked":
		k.Revoked, err = truth(cell)
	case "groups":
		k.Groups = split(cell, ",")
	case "scopes":
		k.Scopes = split(cell, ", ")
	case "hosts":
		k.Hosts = split(cell, ",")
	case "methods":
		k.Methods = split(cell, ",")
	case "paths":
		k.Paths = split(cell, ",")
	case "cidrs":
		k.CIDRs = split(cell, ",")
	case "not_before":
		k.NotBefore = &cell
	case "expires_at":
		k.ExpiresAt = &cell
	case "rate":
		k.Rate = &cell
	case "quota":
		k.Quota = &cell
	case "note":
		k.Note = &cell
	case "burst":
		n, bad := strconv.Atoi(cell)
		if bad != nil {
			return errors.New("a whole number is wanted")
		}
		k.Burst = &n
	}
	return err
}

func truth(cell string) (*bool, error) {
	v := true
	switch strings.ToLower(cell) {
	case "true", "yes", "on", "1", "t":
	case "false", "no", "off", "0", "f":
		v = false
	default:
		return nil, errors.New("true or false is wanted")
	}
	return &v, nil
}

// split parts a list at any of the separators.
func split(cell, separators string) *[]string {
	list := strings.FieldsFunc(cell, func(r rune) bool { return strings.ContainsRune(separators, r) })
	for i := range list {
		list[i] = strings.TrimSpace(list[i])
	}
	return &list
}
