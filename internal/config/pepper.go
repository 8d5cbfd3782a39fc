package config

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"authd/internal/auth"
	"authd/internal/conffile"
)

// maxPepperFile bounds the file of peppers, in bytes.
const maxPepperFile = 4 << 10

// digester makes the digester, out of the peppers that are good.
func (l *Loaded) digester() *auth.Digester {
	const path = "credentials.pepper_file"
	prefix := l.Config.Credentials.Prefix
	if err := checkPrefix(prefix); err != nil {
		l.note("credentials.prefix", err)
		prefix = Default().Credentials.Prefix
	}
	peppers, err := l.peppers(path, l.Config.Credentials.PepperFile)
	l.note(path, err)
	return auth.NewDigester(prefix, peppers...)
}

// peppers reads the file of peppers. No error repeats what is in it.
func (l *Loaded) peppers(setting, file string) ([]auth.Pepper, error) {
	if file == "" {
		return nil, nil
	}
	file, from := l.beside(setting, file)
	data, err := conffile.ReadRegular(file, maxPepperFile)
	switch {
	case errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENAMETOOLONG) || errors.Is(err, syscall.EINVAL):
		return nil, fmt.Errorf("there is no such file (a relative path starts at %s; the pepper itself stands in the file)", whole(from))
	case err != nil:
		return nil, pathError(err)
	case len(data) > maxPepperFile:
		return nil, fmt.Errorf("%s: larger than %d KiB: not a file of peppers", file, maxPepperFile>>10)
	}
	var peppers []auth.Pepper
	var errs []error
	n := 0
	for line := range bytes.SplitSeq(data, []byte("\n")) {
		n++
		line = bytes.TrimSuffix(line, []byte("\r"))
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		p, err := auth.NewPepper(line)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s:%d: %w", file, n, err))
			continue
		}
		peppers = append(peppers, p)
	}
	if len(peppers)+len(errs) == 0 {
		errs = append(errs, fmt.Errorf("%s: no pepper is in it", file))
	}
	if len(peppers) > auth.TriedPeppers {
		l.Warnings = append(l.Warnings, fmt.Sprintf("%s: %s: %d peppers, and the first %d are tried: keys made under the others are denied",
			l.origin(setting), file, len(peppers), auth.TriedPeppers))
	}
	return peppers, errors.Join(errs...)
}

// beside finds a file from the folder of the configuration file that names it; from is that folder.
func (l *Loaded) beside(setting, file string) (path, from string) {
	from = "."
	if at := l.origin(setting); at.file {
		from = filepath.Dir(at.name)
	}
	if !filepath.IsAbs(file) {
		file = filepath.Join(from, file)
	}
	return file, from
}

func whole(folder string) string {
	if dir, err := os.Getwd(); err == nil && folder == "." {
		return dir
	}
	return folder
}
