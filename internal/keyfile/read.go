package keyfile

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

// MaxLine bounds a line, in bytes.
const MaxLine = 64 << 10

// Line is a line of a file, read.
type Line struct {
	Number int // 1-based
	Key    Key
	Fault  error // why it can't be read; it repeats nothing that may be a value
}

// parser reads one line. It reports false for one that is no key, such as a header.
type parser func(line []byte) (key Key, isKey bool, fault error)

// ReadJSONL reads JSON Lines: an object a line, with the fields of Key.
func ReadJSONL(r io.Reader, each func(*Line) error) error { return read(r, parseJSON, each) }

// ReadCSV reads CSV. The first line names the columns, as the fields of Key are
// named; a list has commas, and so stands in quotes; an empty cell is not given. A
// record is one line: none goes on in the next. Its error is that of the first line, without
// which none can be read.
func ReadCSV(r io.Reader, each func(*Line) error) error {
	var c csvParser
	return read(r, c.parse, each)
}

// read calls each for every line that is not empty. What each returns ends it.
func read(r io.Reader, parse parser, each func(*Line) error) error {
	in := bufio.NewReaderSize(r, MaxLine+2)
	for number := 1; ; number++ {
		line, whole, err := next(in)
		end := errors.Is(err, io.EOF)
		if err != nil && !end {
			return fmt.Errorf("line %d: %w", number, err)
		}
		if number == 1 {
			line = bytes.TrimPrefix(line, []byte("\xef\xbb\xbf"))
		}
		if len(bytes.TrimSpace(line)) > 0 || !whole {
			if err := take(line, whole, number, parse, each); err != nil {
				return err
			}
		}
		clear(line) // it may hold a value
		if end {
			return nil
		}
	}
}

// next reads a line, and reports false for one that is too long, of which it reads the rest.
func next(in *bufio.Reader) (line []byte, whole bool, err error) {
	line, err = in.ReadSlice('\n')
	whole = true
	for errors.Is(err, bufio.ErrBufferFull) {
		whole = false
		line, err = in.ReadSlice('\n')
	}
	line = bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r"))
	return line, whole && len(line) <= MaxLine, err
}

var (
	errLong = fmt.Errorf("the line is longer than %d KiB", MaxLine>>10)
	errUTF8 = errors.New("the line is not UTF-8")
)

func take(line []byte, whole bool, number int, parse parser, each func(*Line) error) error {
	l := Line{Number: number}
	isKey := true
	switch {
	case !whole:
		l.Fault = errLong
	case !utf8.Valid(line):
		l.Fault = errUTF8
	default:
		l.Key, isKey, l.Fault = parse(line)
	}
	var header *headerError
	if errors.As(l.Fault, &header) {
		return fmt.Errorf("line %d: %w", number, l.Fault)
	}
	if !isKey {
		return nil
	}
	return each(&l)
}
