// Package endtoend tests the programs of this module against each other, as
// processes on 127.0.0.1.
package endtoend
