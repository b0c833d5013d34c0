package provider

// keepComputed carries the values that AWS chose inside of objects over to an
// update, so that its preview does not lose them.
func keepComputed(props []Property, olds, out values) {
	for _, p := range props {
		was, is := olds.object(p.Name), out.object(p.Name)
		if p.Kind != Object || was == nil || is == nil {
			continue
		}
		for _, f := range p.Fields {
			if f.Computed && !is.has(f.Name) && was.has(f.Name) {
				is[f.Name] = was[f.Name]
			}
		}
		keepComputed(p.Fields, was, is)
	}
}
