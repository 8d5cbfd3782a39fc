package config

import (
	"slices"

	"github.com/knadh/koanf/providers/posflag"
	"github.com/knadh/koanf/v2"
	"github.com/spf13/pflag"
)

// AddFlags adds the settings that people give by hand.
func AddFlags(flags *pflag.FlagSet) {
	defaults := Default()
	for i := range settings {
		if f := &settings[i]; f.flagHelp() != "" {
			text, _ := plainValue(fieldAt(&defaults, f.path)).(string)
			flags.String(f.flag(), text, f.flagHelp())
		}
	}
}

// flags reads the flags that were given.
func (l *Loaded) flags(set *pflag.FlagSet, rank int) koanf.Provider {
	return posflag.ProviderWithFlag(set, delimiter, nil, func(given *pflag.Flag) (string, any) {
		i := slices.IndexFunc(settings, func(f field) bool { return f.flagHelp() != "" && f.flag() == given.Name })
		if i < 0 || !given.Changed {
			return "", nil
		}
		return l.text(origin{rank: rank, name: "--" + given.Name}, &settings[i], given.Value.String())
	})
}
