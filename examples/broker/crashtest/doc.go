// Package crashtest kills the broker, and fills its disk, while clients are at
// work, and looks that what was acknowledged is there afterwards.
package crashtest
