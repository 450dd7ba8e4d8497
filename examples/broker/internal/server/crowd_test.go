package server

import (
	"fmt"
	"testing"
	"time"
)

// Clients that begin large CONNECTs and do not end them keep nobody out: who holds
// most makes room.
func TestUnfinishedConnects(t *testing.T) {
	r := start(t, nil, nil)
	const each = 230 << 10
	for left := mostUnproven - 8; left > 0; left -= each {
		begun := make([]byte, min(left, each))
		copy(begun, "\x10\x80\xfc\x0f\x00\x04MQTT\x05") // 255 KiB
		if _, err := r.dial().Write(begun); err != nil {
			t.Fatal(err)
		}
	}
	for end := time.Now().Add(limit); ; {
		held, err := asked(t.Context(), r.server, func() int { return r.server.unproven })
		if err != nil {
			t.Fatal(err)
		}
		if held == mostUnproven-8 {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("%d bytes are held", held)
		}
	}
	for i := range 20 {
		r.enter(fmt.Sprint("friend ", i))
	}
	r.log.await(t, errCrowded.Error())
	if held, _ := asked(t.Context(), r.server, func() int { return r.server.unproven }); held > mostUnproven-each+100 {
		t.Errorf("%d bytes are held in the end", held)
	}
}
