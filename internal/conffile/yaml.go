package conffile

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"slices"
	"strconv"

	"go.yaml.in/yaml/v3"
)

// parseYAML reads one YAML document.
func parseYAML(d *document, data []byte) map[string]any {
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var doc yaml.Node
	if err := dec.Decode(&doc); errors.Is(err, io.EOF) {
		return nil
	} else if err != nil {
		d.yamlFault(data, err)
		return nil
	}
	var second yaml.Node
	if err := dec.Decode(&second); err == nil {
		d.fault(second.Line, "a second document begins: a file holds one")
	} else if !errors.Is(err, io.EOF) {
		d.yamlFault(data, err)
	}
	if len(doc.Content) == 0 {
		return nil
	}
	top := doc.Content[0]
	if top.Kind == yaml.ScalarNode && top.ShortTag() == "!!null" { // comments only
		return nil
	}
	if top.Kind != yaml.MappingNode {
		d.fault(top.Line, "a table of settings is wanted, such as listen:")
		return nil
	}
	d.walkYAML("", top)
	if len(d.faults) > 0 {
		return nil
	}
	var values map[string]any
	if err := top.Decode(&values); err != nil {
		d.yamlFault(data, err)
		return nil
	}
	return d.plainTable("", values)
}

// yamlTags are those of YAML itself. The library takes any other for text, and
// so what follows an exclamation mark for an empty value.
var yamlTags = []string{"!!str", "!!int", "!!float", "!!bool", "!!null", "!!timestamp", "!!binary", "!!seq", "!!map", "!!merge"}

// walkYAML notes where everything stands, and makes a date the text that it
// was written as. Aliases need no visit: what they stand for is visited.
func (d *document) walkYAML(path string, n *yaml.Node) {
	if n.Kind != yaml.AliasNode && !slices.Contains(yamlTags, n.ShortTag()) {
		d.fault(n.Line, "%s: a tag that nothing here has: text that begins with \"!\" is put in quotes", path)
	}
	switch n.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			key, value := n.Content[i], n.Content[i+1]
			if key.Kind == yaml.ScalarNode && key.ShortTag() == "!!merge" {
				continue
			}
			if key.Kind != yaml.ScalarNode || key.ShortTag() != "!!str" {
				d.fault(key.Line, "a name that is no text: put it in quotes")
				continue
			}
			sub := Join(path, key.Value)
			d.define(sub, key.Line)
			d.walkYAML(sub, value)
		}
	case yaml.SequenceNode:
		for i, item := range n.Content {
			sub := Item(path, i)
			d.define(sub, item.Line)
			d.walkYAML(sub, item)
		}
	case yaml.ScalarNode:
		if n.Anchor != "" && n.Value == "" && n.Style == 0 {
			d.fault(n.Line, "%s: an anchor of nothing: text that begins with \"&\" is put in quotes", path)
		}
		if n.ShortTag() == "!!timestamp" {
			n.Tag = "!!str"
		}
	}
}

var (
	yamlLine   = regexp.MustCompile(`^(?:yaml: )?(?:line (\d+): )?`)
	yamlAnchor = regexp.MustCompile(`(?s)^unknown anchor '(.*)' referenced$`)
	yamlTag    = regexp.MustCompile("(?s)^cannot decode (!!\\w+) `.*` as a (!!\\w+)$")
)

// yamlFault takes the line out of the library's message, and what may be a
// key's value: one that begins with "*" and has no quotes is an alias to YAML.
func (d *document) yamlFault(data []byte, err error) {
	texts := []string{err.Error()}
	var several *yaml.TypeError
	if errors.As(err, &several) {
		texts = several.Errors
	}
	for _, text := range texts {
		m := yamlLine.FindStringSubmatch(text)
		line, _ := strconv.Atoi(m[1])
		text = text[len(m[0]):]
		if m := yamlAnchor.FindStringSubmatch(text); m != nil {
			if i := bytes.Index(data, []byte("*"+m[1])); i >= 0 {
				line = d.lineAt(i)
			}
			text = `an alias of an anchor that is not there: text that begins with "*" is put in quotes`
		}
		d.fault(line, "not YAML: %s", yamlTag.ReplaceAllString(text, "cannot decode a $1 as a $2"))
	}
}
