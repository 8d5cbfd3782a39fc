package config

import (
	"errors"
	"fmt"
	"io/fs"

	"authd/internal/conffile"
)

// files are the configuration files, read.
type files struct {
	parsed   []parsedFile
	watched  []string // all of them, and the folders that were named
	warnings []string
	faults   Faults
	last     int // the rank of the last of them
}

// parsedFile is a file, and its rank among all that were named.
type parsedFile struct {
	*conffile.File
	rank int
}

// readFiles reads the files that paths name, in the order in which they count.
func readFiles(paths []string) *files {
	all := &files{}
	for _, path := range paths {
		all.last++
		if path == "" {
			all.faults.add(origin{rank: all.last}, "", errors.New("the name of a configuration file is empty: -c wants a file or a folder"))
			continue
		}
		expanded, err := conffile.Expand([]string{path})
		if err != nil {
			all.watched = append(all.watched, path)
			all.faults.add(origin{rank: all.last}, "", pathError(err))
			continue
		}
		if len(expanded) != 1 || expanded[0] != path { // a folder
			all.watched = append(all.watched, path)
		}
		if len(expanded) == 0 {
			all.warnings = append(all.warnings, path+": no configuration file is in this folder")
		}
		for _, file := range expanded {
			all.last++
			all.watched = append(all.watched, file)
			f, err := conffile.Read(file)
			if err != nil {
				all.faults.add(origin{rank: all.last}, "", pathError(err))
				continue
			}
			all.parsed = append(all.parsed, parsedFile{f, all.last})
		}
	}
	return all
}

// pathError words an error of the system as the faults are: the file first.
func pathError(err error) error {
	var at *fs.PathError
	if errors.As(err, &at) {
		return fmt.Errorf("%s: %w", at.Path, at.Err)
	}
	return err
}

// sections are the override sections of all files.
func (all *files) sections() []conffile.Section {
	var out []conffile.Section
	for _, f := range all.parsed {
		out = append(out, f.Sections...)
	}
	return out
}

// Sections reads the override sections of the files again, and nothing else:
// a setting is not changed while authd runs. It returns what must be watched
// for changes, also where it fails.
func Sections(src Source) ([]conffile.Section, []string, error) {
	all := readFiles(src.Files)
	return all.sections(), all.watched, all.faults.err()
}
