package keyfile

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"authd/internal/auth"
)

func parseJSON(line []byte) (Key, bool, error) {
	var k Key
	dec := json.NewDecoder(bytes.NewReader(line))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&k); err != nil {
		return Key{Name: k.Name}, true, jsonFault(err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return Key{Name: k.Name}, true, errors.New("something follows the object: one line is one key")
	}
	return k, true, nil
}

// jsonFault words what is wrong, without what stands in the line.
func jsonFault(err error) error {
	var typed *json.UnmarshalTypeError
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &typed) && typed.Field != "":
		return fmt.Errorf("%s: a %s can't stand here", typed.Field, typed.Value)
	case errors.As(err, &typed):
		return fmt.Errorf("an object is wanted, and not a %s", typed.Value)
	case errors.As(err, &syntax):
		return fmt.Errorf("not JSON, from character %d on", syntax.Offset)
	case strings.HasPrefix(err.Error(), "json: unknown field "):
		return errors.New("a field of this name is not known: known are " + strings.Join(fields, ", "))
	}
	return errors.New("not a whole object of JSON")
}

// Write writes records as JSON Lines, without any value.
func Write(w io.Writer, records []auth.Record) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	for i := range records {
		if err := enc.Encode(Of(&records[i])); err != nil {
			return err
		}
	}
	return nil
}
