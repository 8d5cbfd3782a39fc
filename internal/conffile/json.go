package conffile

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
)

// maxDepth bounds how deep a file nests; settings nest five deep.
const maxDepth = 32

const tooDeep = "it nests too deep"

// parseJSON reads a JSON object. It reads token by token, since only the
// tokens tell where a name stands, and whether it comes twice.
func parseJSON(d *document, data []byte) map[string]any {
	r := &jsonReader{document: d, dec: json.NewDecoder(bytes.NewReader(data))}
	r.dec.UseNumber()
	v, err := r.value("", 0)
	if errors.Is(err, io.EOF) { // nothing at all
		return nil
	}
	if err == nil {
		if _, more := r.dec.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("something follows the end of the object")
		}
	}
	if err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) {
			err = errors.New("the file ends too early")
		}
		d.fault(r.line(), "not JSON: %s", strings.TrimPrefix(err.Error(), "json: "))
		return nil
	}
	values, ok := v.(map[string]any)
	if !ok {
		d.fault(1, `an object of settings is wanted, such as {"listen": {…}}`)
	}
	return values
}

type jsonReader struct {
	*document
	dec *json.Decoder
}

// line is where the last token ends, or the fault lies.
func (r *jsonReader) line() int { return r.lineAt(int(r.dec.InputOffset())) }

func (r *jsonReader) value(path string, depth int) (any, error) {
	token, err := r.dec.Token()
	if err != nil {
		return nil, err
	}
	if depth > maxDepth {
		return nil, errors.New(tooDeep)
	}
	switch t := token.(type) {
	case json.Number:
		return r.number(path, t), nil
	case json.Delim:
		if t == '[' {
			return r.list(path, depth)
		}
		return r.table(path, depth)
	}
	return token, nil
}

func (r *jsonReader) number(path string, n json.Number) any {
	if i, err := n.Int64(); err == nil {
		return i
	}
	f, err := n.Float64()
	if err != nil {
		r.fault(r.line(), "%s: the number is out of range", path)
	}
	return f
}

func (r *jsonReader) list(path string, depth int) (any, error) {
	list := []any{}
	for i := 0; r.dec.More(); i++ {
		sub := Item(path, i)
		v, err := r.value(sub, depth+1)
		if err != nil {
			return nil, inside(err)
		}
		r.mention(sub, r.line())
		list = append(list, v)
	}
	_, err := r.dec.Token()
	return list, inside(err)
}

func (r *jsonReader) table(path string, depth int) (any, error) {
	table := map[string]any{}
	for r.dec.More() {
		token, err := r.dec.Token()
		if err != nil {
			return nil, inside(err)
		}
		name, ok := token.(string)
		if !ok {
			return nil, errors.New("a name in quotes is wanted")
		}
		sub := Join(path, name)
		r.define(sub, r.line())
		if table[name], err = r.value(sub, depth+1); err != nil {
			return nil, inside(err)
		}
	}
	_, err := r.dec.Token()
	return table, inside(err)
}

// inside makes the end of the file an error where something is still open.
func inside(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
