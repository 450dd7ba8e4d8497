package codec

// The rules of the spec that no verb expresses (custom: true) stand here.

// sharedNoLocal reports No Local on a shared subscription. (v5.0 3.8.3.1)
func (p *Subscription) sharedNoLocal() bool {
	if !p.NoLocal {
		return false
	}
	_, _, shared := cutShare(p.Filter)
	return shared
}
