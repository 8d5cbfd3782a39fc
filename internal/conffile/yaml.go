package conffile

import (
	"bytes"
	"errors"
	"io"
	"regexp"
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
		d.yamlFault(err)
		return nil
	}
	var second yaml.Node
	if err := dec.Decode(&second); err == nil {
		d.fault(second.Line, "a second document begins: a file holds one")
	} else if !errors.Is(err, io.EOF) {
		d.yamlFault(err)
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
		d.yamlFault(err)
		return nil
	}
	return d.plainTable("", values)
}

// walkYAML notes where everything stands, and makes a date the text that it
// was written as. Aliases need no visit: what they stand for is visited.
func (d *document) walkYAML(path string, n *yaml.Node) {
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
		if n.ShortTag() == "!!timestamp" {
			n.Tag = "!!str"
		}
	}
}

var yamlLine = regexp.MustCompile(`^(?:yaml: )?(?:line (\d+): )?`)

// yamlFault takes the line out of the library's message.
func (d *document) yamlFault(err error) {
	texts := []string{err.Error()}
	var several *yaml.TypeError
	if errors.As(err, &several) {
		texts = several.Errors
	}
	for _, text := range texts {
		m := yamlLine.FindStringSubmatch(text)
		line, _ := strconv.Atoi(m[1])
		d.fault(line, "not YAML: %s", text[len(m[0]):])
	}
}
