package localcloud

import "context"

// ApplyDomain gives the gateway a custom domain as its records are.
func (c *Cloud) ApplyDomain(_ context.Context, name string) error {
	d, err := c.provider.Domain(name)
	if err != nil {
		return err
	}
	c.gateway.PutDomain(d)
	return nil
}

// RemoveDomain takes a custom domain away.
func (c *Cloud) RemoveDomain(_ context.Context, name string) error {
	c.gateway.RemoveDomain(name)
	return nil
}
