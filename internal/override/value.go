package override

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"authd/internal/auth"
	"authd/internal/conffile"
)

// Env is what values are taken from, and made into digests with.
type Env struct {
	Digester  *auth.Digester
	LookupEnv func(name string) (string, bool)
	// ReadFile returns at most MaxKeyFile+1 bytes of a key_file, and never waits for more.
	ReadFile func(path string) ([]byte, error)
}

// NewEnv is the Env of the process.
func NewEnv(d *auth.Digester) Env {
	return Env{Digester: d, LookupEnv: os.LookupEnv, ReadFile: readKeyFile}
}

// MaxKeyFile bounds a key_file, in bytes.
const MaxKeyFile = 4 << 10

func readKeyFile(path string) ([]byte, error) { return conffile.ReadRegular(path, MaxKeyFile) }

// value is what a section makes of its record's value. The raw text is not in it.
type value struct {
	given  bool // the values that the store has for the record are dead
	usable bool // somebody can present it; an empty one is given, but nobody can
	digest auth.Digest
	pepper string // the id of the digest's
	later  bool   // requests are tried under another pepper before the digest's
}

// valueOf makes the value of a source, and every digest by which another
// section's equal one is known. No error repeats what may be a value.
func (e Env) valueOf(source, text string, at Origin) (v value, all []auth.Digest, err error) {
	switch source {
	case "key":
		if text == "" {
			return value{given: true}, nil, nil
		}
	case "key_file":
		text, err = e.fromFile(text, at)
	case "key_env":
		text, err = e.fromEnv(text)
	default:
		v, err = e.fromDigest(text)
		return v, []auth.Digest{v.digest}, err
	}
	if err != nil {
		return value{}, nil, err
	}
	secret := auth.RawSecret(text)
	if err := secret.Acceptable(e.Digester.Prefix()); err != nil {
		return value{}, nil, err
	}
	for _, p := range e.Digester.Tried() {
		all = append(all, p.Digest(secret))
	}
	return value{given: true, usable: true, digest: e.Digester.Current().Digest(secret), pepper: e.Digester.Current().ID()}, all, nil
}

func (e Env) fromFile(path string, at Origin) (string, error) {
	if path == "" {
		return "", errors.New("the path of a file is wanted")
	}
	if e.looksLikeKey(path) {
		return "", errors.New("the path of a file is wanted, and this looks like a key: write it as key, or into a file")
	}
	data, err := e.ReadFile(resolve(path, at))
	defer clear(data)
	shown := named(path, inFolder(path, at)) // as it is written, which says where it was sought
	var in *fs.PathError
	if errors.As(err, &in) {
		err = in.Err
	}
	if err != nil {
		return "", fmt.Errorf("%s can't be read: %w (a relative path begins at the folder of the configuration file)", shown, err)
	}
	if len(data) > MaxKeyFile {
		return "", fmt.Errorf("%s is larger than %d KiB: it holds one key, and nothing else", shown, MaxKeyFile>>10)
	}
	text := strings.TrimSuffix(strings.TrimSuffix(string(data), "\n"), "\r")
	switch {
	case strings.TrimSpace(text) == "":
		return "", fmt.Errorf("%s is empty: fill it; for a record without a usable key write an empty key", shown)
	case strings.ContainsAny(text, "\r\n"):
		return "", fmt.Errorf("%s has more than one line: it holds one key, and nothing else", shown)
	}
	return text, nil
}

func (e Env) fromEnv(name string) (string, error) {
	if name == "" {
		return "", errors.New("the name of an environment variable is wanted")
	}
	if e.looksLikeKey(name) {
		return "", errors.New("the name of an environment variable is wanted, and this looks like a key: write it as key")
	}
	shown := named(name, strings.Contains(name, "_") && strings.Trim(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789") == "")
	text, ok := e.LookupEnv(name)
	if !ok {
		return "", fmt.Errorf("the environment variable %s is not set", shown)
	}
	if text == "" {
		return "", fmt.Errorf("the environment variable %s is empty: fill it; for a record without a usable key write an empty key", shown)
	}
	return text, nil
}

var errDigest = errors.New("sha256:<64 hex digits> or hmac-sha256:<pepper id>:<64 hex digits> is wanted")

func (e Env) fromDigest(text string) (value, error) {
	id, hex := auth.NoPepper, ""
	if rest, ok := strings.CutPrefix(text, "sha256:"); ok {
		hex = rest
	} else if rest, ok := strings.CutPrefix(text, "hmac-sha256:"); ok {
		id, hex, _ = strings.Cut(rest, ":")
		if _, err := strconv.ParseUint(id, 16, 32); err != nil || len(id) != 8 {
			return value{}, errDigest
		}
	}
	d, err := auth.ParseDigest(hex)
	if err != nil {
		return value{}, errDigest
	}
	if !e.Digester.Tries(id) {
		return value{}, fmt.Errorf("digests under pepper %s are not looked for here; those under %s are", id, e.tried())
	}
	return value{given: true, usable: true, digest: d, pepper: id, later: id != e.Digester.Current().ID()}, nil
}

func (e Env) tried() string {
	var ids []string
	for _, p := range e.Digester.Tried() {
		ids = append(ids, p.ID())
	}
	return strings.Join(ids, " and ")
}

// resolve finds a key_file from the configuration file that names it.
func resolve(path string, at Origin) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(filepath.Dir(at.File), path)
}

// looksLikeKey reports whether a key was written where its place was wanted.
func (e Env) looksLikeKey(s string) bool {
	prefix := e.Digester.Prefix() + "_"
	return strings.HasPrefix(s, prefix) && len(s) > len(prefix)+auth.MinForeign && !strings.ContainsAny(s, "/.")
}

const notShown = "(not shown, as it might be a key)"

// named quotes a name for a fault, unless it is long enough to be a key and has nothing that tells it from one.
func named(s string, tells bool) string {
	if len(s) >= auth.MinForeign && !tells {
		return notShown
	}
	return strconv.Quote(s)
}

// inFolder reports whether the first name of a path is that of a folder: what
// has a slash in it may still be a key.
func inFolder(path string, at Origin) bool {
	names := strings.Split(filepath.Clean(path), string(filepath.Separator))
	for i, name := range names[:len(names)-1] {
		if name != "" && name != ".." {
			info, err := os.Stat(resolve(strings.Join(names[:i+1], string(filepath.Separator)), at))
			return err == nil && info.IsDir()
		}
	}
	return false
}
