package codec

// checker finds the first fault of a packet that did not come from bytes. Like
// that of a cursor, its error is sticky.
type checker struct {
	v    Version
	item int // 1 + index of the list element being checked, 0 outside lists
	err  *Error
}

func (c *checker) fail(f *field, why fault) {
	if c.err != nil {
		return
	}
	c.err = f.fault(why, c.v, -1)
	c.err.Field = ofElement(c.err.Field, c.item)
}

// result returns the first fault as an error.
func (c *checker) result() error {
	if c.err != nil {
		return c.err
	}
	return nil
}

func (c *checker) sentBy(f *field, side sides) {
	if c.v.sides()&side == 0 {
		c.fail(f, faultPacketSide)
	}
}

func (c *checker) onlyV5(f *field) {
	if !c.v.IsV5() {
		c.fail(f, faultNotInVersion)
	}
}

func (c *checker) propertyBy(f *field, side sides) {
	if c.v.sides()&side == 0 {
		c.fail(f, faultPropertySide)
	}
}

func (c *checker) packetID(f *field, id uint32) {
	if id-1 >= 0xFFFF {
		c.unusualID(f, id)
	}
}

func (c *checker) unusualID(f *field, id uint32) {
	switch {
	case id == 0:
		c.fail(f, faultZeroPacketID)
	case id > c.v.MaxPacketID():
		c.fail(f, faultWidePacketID)
	}
}

func (c *checker) binary(f *field, s []byte) {
	if len(s) > maxText {
		c.fail(f, faultTooLong)
	}
}

// text, name and filter judge strings that are not plain.
func (c *checker) text(f *field, s []byte) { c.found(f, checkText(s, c.v)) }

func (c *checker) name(f *field, s []byte) { c.found(f, checkName(s, c.v)) }

func (c *checker) filter(f *field, s []byte) { c.found(f, checkFilter(s, c.v)) }

// found records a fault, if there is one.
func (c *checker) found(f *field, why fault) {
	if why != 0 {
		c.fail(f, why)
	}
}

func (c *checker) varint(f *field, x uint32) {
	if x > MaxRemaining {
		c.fail(f, faultRange)
	}
}

func (c *checker) varintNotZero(f *field, x uint32) {
	if x == 0 {
		c.fail(f, faultZero)
	}
	c.varint(f, x)
}

func (c *checker) users(f *field, u *UserProperties) { c.found(f, u.check(c.v)) }

func (c *checker) identifiers(f *field, s *SubscriptionIdentifiers) { c.found(f, s.check()) }

// reason checks a reason code of a packet of type t. Success is legal in all
// but AUTH, where it is the server's.
func (c *checker) reason(f *field, t PacketType, code ReasonCode) {
	if code != 0 || t == TypeAuth {
		c.failure(f, t, code)
	}
}

func (c *checker) failure(f *field, t PacketType, code ReasonCode) {
	if c.v.IsV5() {
		c.found(f, checkReason(code, t, c.v))
	} else if _, ok := toV311(t, code); !ok {
		c.fail(f, faultReasonCode)
	}
}
