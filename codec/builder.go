package codec

// Filter appends a subscription to filter with the given maximum QoS. The
// other options come with Filters.
func (b *SubscribeBuilder) Filter(filter string, qos QoS) *SubscribeBuilder {
	return b.Filters(Subscription{Filter: Bytes(filter), QoS: qos})
}
