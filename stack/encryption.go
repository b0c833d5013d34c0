package stack

// Encryption is the configuration key encryption.
type Encryption struct {
	CustomerKey bool `json:"customerKey"`
}

func (p *parser) encryption(text string) Encryption {
	var e Encryption
	p.object(text, &e)
	return e
}
