//go:build !linux

package main

import "time"

// precisely is every, where nothing better is known.
func precisely(d time.Duration, done <-chan struct{}, f func()) { every(d, done, f) }
