package odoo

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

const (
	// ending is that of the files which count in a folder.
	ending = ".conf"
	// defaultFolder is read before that of the running environment.
	defaultFolder = "default"
	// defaultEnv is the running environment where nothing names one.
	defaultEnv = "test"
)

// runningEnv is the environment whose folder counts, as server_environment
// finds it: running_env of the section [options] of Odoo's own file, then the variables
// RUNNING_ENV and ODOO_STAGE, and test where none of them says anything.
func (r *reader) runningEnv(rc []*source) string {
	env := ""
	for _, src := range rc {
		for _, s := range src.sections {
			if s.name == "options" && s.options["running_env"] != "" {
				env = s.options["running_env"]
			}
		}
	}
	for _, name := range []string{"RUNNING_ENV", "ODOO_STAGE"} {
		if env == "" {
			env, _ = r.LookupEnv(name)
		}
	}
	if env == "" {
		return defaultEnv
	}
	return env
}

// folder lists the files of a folder in the order in which they count. With a
// folder default, or one of the running environment, in it, it is one of
// server_environment: default/*.conf, and then <running_env>/*.conf. Otherwise its own *.conf count.
func (r *reader) folder(path, env string) []string {
	if env != filepath.Base(env) || strings.HasPrefix(env, ".") {
		r.fault(fmt.Errorf("%s: running_env is %q, which is not the name of a folder", path, env))
		return nil
	}
	first, second := filepath.Join(path, defaultFolder), filepath.Join(path, env)
	haveFirst, _ := isFolder(first)
	haveSecond, _ := isFolder(second)
	own, others, err := confsIn(path)
	r.found.Files = append(r.found.Files, own...)
	switch {
	case err != nil:
		r.fault(err)
		return nil
	case !haveFirst && !haveSecond && (len(own) > 0 || !others):
		if len(own) == 0 {
			r.warn("%s: no file *%s is in this folder", path, ending)
		}
		return own
	case !haveSecond:
		r.found.Files = append(r.found.Files, first, second)
		r.fault(fmt.Errorf("%s: the running environment is %s, and has no folder here: make %s, or name another environment by running_env in the section [options] of Odoo's file, RUNNING_ENV or ODOO_STAGE",
			path, env, second))
		return nil
	}
	if len(own) > 0 {
		r.warn("%s: its own *%s are passed over: those in %s and %s count", path, ending, defaultFolder, env)
	}
	var files []string
	for _, folder := range []string{first, second} {
		r.found.Files = append(r.found.Files, folder)
		if folder == first && (!haveFirst || first == second) {
			continue
		}
		confs, _, err := confsIn(folder)
		if err != nil {
			r.fault(err)
		}
		files = append(files, confs...)
	}
	r.found.Files = append(r.found.Files, files...)
	return files
}

// confsIn lists the *.conf of a folder, in the order of their names, and
// reports whether there are folders in it.
func confsIn(folder string) (files []string, folders bool, err error) {
	entries, err := os.ReadDir(folder)
	for _, e := range entries {
		path := filepath.Join(folder, e.Name())
		dir, err := isFolder(path)
		switch {
		case err != nil:
			return nil, false, err
		case dir:
			folders = folders || !strings.HasPrefix(e.Name(), ".") // ..data is Kubernetes's
		case strings.HasSuffix(e.Name(), ending):
			files = append(files, path)
		}
	}
	return files, folders, err
}

func isFolder(path string) (bool, error) {
	info, err := os.Stat(path)
	if err != nil {
		return false, err
	}
	return info.IsDir(), nil
}

// pathError words an error of the system as the faults are: the file first.
func pathError(err error) error {
	var at *fs.PathError
	if errors.As(err, &at) {
		return fmt.Errorf("%s: %w", at.Path, at.Err)
	}
	return err
}
