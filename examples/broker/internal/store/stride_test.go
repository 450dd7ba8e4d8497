//go:build !race

package store

// stride is 1 where each round of the tests that have very many is run.
const stride = 1
